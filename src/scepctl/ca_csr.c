/*
 * ca_csr.c - scepctl ca csr: the key of an issuing CA, and the request that an enterprise root
 * signs.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/eku.h"
#include "scepctl/ca_common.h"

struct options {
	struct ca_options ca;
	struct ca_wish_options wish;
	const char *org, *subject, *key, *kind, *out;
	bool exists, der;
};

static const struct options defaults = { .kind = "rsa:3072" };

#define STR(n, f, v, h) CA_ROW_STR(options, n, f, v, h)

static const struct opt opts[] = {
	CA_ROWS(options),
	STR("org", org, "ORG", "organisation, for the subject if none is given"),
	STR("subject", subject, "DN", "subject of the CA (default O=ORG,CN=ORG Issuing CA)"),
	STR("key", key, "KEY",
	    "where its key goes: a path or pkcs11:... (default issuing.key in the folder)"),
	CA_KIND_ROW(options, "kind", kind, KEY_SPECS, "kind of its key (default rsa:3072)"),
	OPT_FLAG_ROW("existing-key", options, exists, "its key is there already"),
	STR("out", out, "FILE", "where the request goes (default request.pem in the folder)"),
	OPT_FLAG_ROW("der", options, der, "in DER instead of PEM"),
	CA_WISH_ROWS(options),
	{ .name = NULL },
};

static enum rc
ask(const struct ca_session *s, const struct options *o, const struct ca_wish *wish,
    const struct name *subject, const char *path, struct err *err)
{
	struct ca_init in = { .dir = s->dir,
		.name = o->org,
		.issuing_key = o->kind,
		.issuing_at = o->key,
		.issuing_exists = o->exists,
		.passphrase = ca_session_passphrase(s),
		.pin = ca_session_pin(s),
		.issuing_subject = o->subject != NULL ? subject : NULL };
	struct buf der;
	enum rc rc = ca_session_make_dir(s, err);

	ca_wish_into(&in, wish);
	buf_init(&der, LIMIT_CSR);
	if (rc == RC_OK)
		rc = ca_request(&der, &in, err);
	if (rc == RC_OK)
		rc = ctl_write_request(path, &der, o->der, err);
	buf_done(&der);
	return rc;
}

/* The request cannot say what the root will; it can say what was asked for. */
static void
warn(const struct ca_wish *w)
{
	size_t i;

	for (i = 0; i < w->n_eku; i++) {
		if (strcmp(w->eku[i], OID_CLIENT_AUTH) == 0)
			return;
	}
	if (w->n_eku > 0)
		ca_say_warning(NULL,
		    "an extended key usage without clientAuth on a CA bounds all below it: network "
		    "access servers (FreeRADIUS: \"unsupported certificate purpose\") will refuse "
		    "its certificates");
}

static void
print_next(const struct ca_session *s, const struct options *o, const char *path)
{
	(void)printf("The request is %s; its key is %s.\n\nNext\n", path,
	    o->key != NULL ? o->key : "issuing.key beside it");
	(void)printf("  have it signed as a subordinate CA (ADCS: certreq -submit -attrib "
		     "CertificateTemplate:SubCA)\n");
	(void)printf("  scepctl ca install --name %s%s%s%s --cert SIGNED --chain ROOT --config %s "
		     "--write\n",
	    o->ca.name, o->key != NULL ? " --key '" : "", o->key != NULL ? o->key : "",
	    o->key != NULL ? "'" : "", s->config->path);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	const char *keys[] = { o->key };
	struct ca_session s = { 0 };
	struct ca_wish wish = { 0 };
	struct name subject = { 0 };
	struct err err = { 0 };
	char *path = NULL;
	enum rc rc = RC_OK;

	if (o->org == NULL && o->subject == NULL)
		rc = fail(&err, RC_CONFIG, "name the CA by --org or --subject");
	if (rc == RC_OK)
		rc = ca_wish_read(&wish, &o->wish, &err);
	if (rc == RC_OK && o->subject != NULL)
		rc = name_from_text(&subject, o->subject, &err);
	if (rc == RC_OK)
		rc = ca_session_open(&s, &o->ca, !o->exists, keys, 1, &err);
	if (rc == RC_OK)
		rc = o->out != NULL ? str_dup(&path, o->out, &err)
				    : path_join(&path, s.dir, "request.pem", &err);
	if (rc == RC_OK)
		rc = ask(&s, o, &wish, &subject, path, &err);
	if (rc == RC_OK) {
		warn(&wish);
		print_next(&s, o, path);
	}
	free(path);
	name_done(&subject);
	ca_wish_done(&wish);
	ca_session_close(&s);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_csr = {
	.name = "csr",
	.args = "",
	.help = "a key and the request for an issuing CA that an authority elsewhere signs",
	.about =
	    "Examples:\n"
	    "  scepctl ca csr --name issuing2 --org Contoso\n"
	    "  scepctl ca csr --name issuing2 --subject 'O=Contoso,CN=Contoso Device CA' --key "
	    "'pkcs11:token=ca;object=issuing2'\n"
	    "  certreq -submit -attrib CertificateTemplate:SubCA request.pem signed.p7b   (on "
	    "Windows)\n"
	    "  scepctl ca install --name issuing2 --cert signed.p7b --write\n",
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};
