/*
 * foreign_csr.c - scepctl foreign csr: the key of an OCSP responder for a foreign CA, and the request that this CA
 * signs.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/make.h"
#include "scepctl/foreign_common.h"

#define KIND_DEFAULT "rsa:2048" /* every relying party takes it, and ADCS's template asks for it */

/* What relying parties of today verify. */
#define KINDS "rsa:2048|rsa:3072|rsa:4096|ec:p256|ec:p384"

struct options {
	const char *config, *out, *kind;
	bool der, json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "out",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, out),
	    .value = "FILE",
	    .help = "where the request goes (default the CA's ocsp_certificate with .csr)" },
	{ .name = "key",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, kind),
	    .value = "KIND",
	    .choices = KINDS,
	    .help = "kind of the key to make (default " KIND_DEFAULT
		    "); a key that is there already is used" },
	OPT_FLAG_ROW("der", options, der, "in DER instead of PEM"),
	OPT_FLAG_ROW("json", options, json, "say what was made as JSON"),
	{ .name = NULL },
};

/* One run. */
struct asking {
	struct foreign_session s;
	struct maker maker;
	struct key *key;
	bool made;
	char *out;
};

/* What is there is used: a responder's certificate is renewed with the same key.  Only a token can say
 * whether it has one. */
static enum rc
get_key(struct asking *a, const char *kind, struct err *err)
{
	struct make_key k = { kind != NULL ? kind : KIND_DEFAULT, foreign_session_key(&a->s),
		a->s.key_there };
	enum rc rc = maker_key(&a->maker, &a->key, &k, err);

	a->made = rc == RC_OK && !k.exists;
	if (rc != RC_CONFLICT || !key_source_is_token(k.at.key))
		return rc;
	k.exists = true;
	return maker_key(&a->maker, &a->key, &k, err);
}

/* "rsa:2048" is what logs call "rsa2048", "ec:p256" "ec-p256". */
static bool
same_kind(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, ":-");
		b += strspn(b, ":-");
		if (*a != *b || *a == '\0')
			return *a == *b;
	}
}

/* Who names a kind does not want another. */
static enum rc
check_kind(const struct asking *a, const char *kind, struct err *err)
{
	const char *is = key_info0(a->key)->name;

	if (kind == NULL || same_kind(kind, is))
		return RC_OK;
	(void)fail(
	    err, RC_CONFLICT, "the key %s is there already, and it is %s", a->s.conf->ocsp_key, is);
	return err_hint(err, "leave --key out to use it, or name another ocsp_key for a new one");
}

static enum rc
write_request(const struct asking *a, bool as_der, struct err *err)
{
	struct buf der;
	enum rc rc;

	buf_init(&der, LIMIT_CSR);
	rc = make_responder_request(&der, a->s.ca, a->key, err);
	if (rc == RC_OK)
		rc = ctl_write_request(a->out, &der, as_der, err);
	buf_done(&der);
	return rc;
}

static enum rc
make_folder_of(const char *path, struct err *err)
{
	char *dir = NULL;
	enum rc rc = path_dir(&dir, path, err);

	if (rc == RC_OK)
		rc = dir_make(dir, 0700, err);
	free(dir);
	return rc;
}

/* What scepd.yaml names may be in a folder of its own that nobody has made yet. */
static enum rc
make_folders(const struct asking *a, const char *out_given, struct err *err)
{
	enum rc rc = RC_OK;

	if (!key_source_is_token(a->s.conf->ocsp_key))
		rc = make_folder_of(a->s.conf->ocsp_key, err);
	return rc == RC_OK && out_given == NULL ? make_folder_of(a->out, err) : rc;
}

static enum rc
out_path(struct asking *a, const char *given, struct err *err)
{
	struct buf b;
	enum rc rc;

	if (given != NULL)
		return str_dup(&a->out, given, err);
	buf_init(&b, PATH_MAX);
	buf_addf(&b, "%s.csr", a->s.conf->ocsp_certificate);
	rc = buf_ok(&b, "path", err);
	if (rc == RC_OK)
		rc = str_dup(&a->out, buf_str(&b), err);
	buf_done(&b);
	return rc;
}

static enum rc
ask(struct asking *a, const struct options *o, const char *name, struct err *err)
{
	enum rc rc = foreign_session_open(&a->s, o->config, name, err);

	if (rc == RC_OK)
		rc = foreign_session_unlock(&a->s, !a->s.key_there, err);
	if (rc == RC_OK)
		rc = out_path(a, o->out, err);
	if (rc == RC_OK)
		rc = make_folders(a, o->out, err);
	if (rc == RC_OK)
		rc = get_key(a, o->kind, err);
	if (rc == RC_OK)
		rc = check_kind(a, o->kind, err);
	if (rc == RC_OK)
		rc = write_request(a, o->der, err);
	return maker_end(&a->maker, rc, err);
}

static void
print_next(const struct asking *a)
{
	const struct conf_foreign *f = a->s.conf;

	(void)printf("The request is %s; its key, %s, is %s%s.\n\n", a->out,
	    key_info0(a->key)->name, f->ocsp_key, a->made ? "" : " as before");
	(void)printf("Next\n"
		     "  let the CA sign it as an OCSP responder:\n"
		     "    ADCS     certreq -submit -attrib CertificateTemplate:TEMPLATE %s "
		     "responder.cer\n"
		     "             TEMPLATE: one made of OCSP Response Signing (docs/foreign.md)\n"
		     "    OpenSSL  openssl ca -in %s -extensions responder -days 365 -out "
		     "responder.pem\n"
		     "             [responder] as in docs/foreign.md\n"
		     "  scepctl foreign install %s RESPONDER --config %s\n",
	    a->out, a->out, f->name, a->s.config->path);
}

static int
print_json(const struct asking *a)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_str(o, "ca", a->s.conf->name) &&
	    ctl_json_str(o, "request", a->out) && ctl_json_str(o, "key", a->s.conf->ocsp_key) &&
	    ctl_json_str(o, "kind", key_info0(a->key)->name) &&
	    json_object_set_new(o, "made", json_boolean(a->made)) == 0;

	return ctl_json_print(o, built);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct asking a = { .out = NULL };
	struct err err = { 0 };
	int status = EX_OK;

	if (ask(&a, o, args[0], &err) != RC_OK)
		status = err_report(PROG, &err);
	else if (o->json)
		status = print_json(&a);
	else
		print_next(&a);
	key_free(a.key);
	free(a.out);
	foreign_session_close(&a.s);
	return status;
}

const struct command foreign_csr = {
	.name = "csr",
	.args = "NAME",
	.help = "a key and the request for an OCSP responder that a foreign CA certifies",
	.about =
	    "The key goes to ocsp_key of foreign_cas.NAME; one that is there already is used, so "
	    "that the\n"
	    "same command renews a responder.\n\n"
	    "Examples:\n"
	    "  scepctl foreign csr adcs\n"
	    "  scepctl foreign csr adcs --key ec:p256 --out /tmp/adcs.csr\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
