/*
 * foreign_install.c - scepctl foreign install: the responder's certificate that a foreign CA has signed for the request of
 * scepctl foreign csr.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepctl/foreign_common.h"
#include "signer/signer.h"

#define CERTS_MAX 16 /* in one file: ADCS hands out chains */

struct options {
	const char *config;
	bool json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "say what was installed as JSON"),
	{ .name = NULL },
};

/* One run. */
struct installing {
	struct foreign_session s;
	struct key *key;
	struct cert *certs[CERTS_MAX];
	size_t n;
	const struct cert *responder; /* among certs[] */
};

/* The file may hold the CA as well, in any order. */
static enum rc
pick(struct installing *in, const char *file, struct err *err)
{
	for (size_t i = 0; i < in->n; i++)
		if (key_same_public(cert_key0(in->certs[i]), in->key)) {
			in->responder = in->certs[i];
			return RC_OK;
		}
	(void)fail(
	    err, RC_CONFIG, "%s has no certificate for the key %s", file, in->s.conf->ocsp_key);
	return err_hint(err,
	    "it is that of another request: 'scepctl foreign csr %s' makes one for this key",
	    in->s.conf->name);
}

static enum rc
judge_time(const struct cert *c, struct err *err)
{
	int64_t now = clock_now();
	char when[CTL_TIME_MAX];

	if (cert_not_after(c) < now)
		return fail(err, RC_CONFIG, "it has ended: %s", ctl_time(when, cert_not_after(c)));
	if (cert_not_before(c) <= now)
		return RC_OK;
	(void)fail(err, RC_CONFIG, "it begins %s", ctl_time(when, cert_not_before(c)));
	return err_hint(err, "compare the clocks of this machine and of the CA, or come back then");
}

/* As the signer will at its start; and one that has ended or not begun is of no use to anybody. */
static enum rc
judge(const struct installing *in, const char *file, struct err *err)
{
	enum rc rc = signer_responder_check(in->responder, in->s.ca, err);

	if (rc == RC_OK)
		rc = judge_time(in->responder, err);
	if (rc != RC_OK)
		(void)err_context(err, "%s is no certificate of a responder of foreign CA %s", file,
		    in->s.conf->name);
	return rc;
}

static enum rc
put(const struct installing *in, struct err *err)
{
	const char *path = in->s.conf->ocsp_certificate;
	struct buf pem;
	char *dir = NULL;
	enum rc rc = path_dir(&dir, path, err);

	buf_init(&pem, 2 * LIMIT_CERT);
	cert_pem(&pem, in->responder);
	if (rc == RC_OK)
		rc = dir_make(dir, 0700, err);
	if (rc == RC_OK)
		rc = buf_ok(&pem, "certificate", err);
	if (rc == RC_OK)
		rc = file_write(path, pem.data, pem.len, 0644, 1, err);
	buf_done(&pem);
	free(dir);
	return rc;
}

static enum rc
install(struct installing *in, const char *config, char **args, struct err *err)
{
	struct key_source src;
	enum rc rc = foreign_session_open(&in->s, config, args[0], err);

	if (rc == RC_OK)
		rc = certs_load_any(in->certs, CERTS_MAX, &in->n, args[1], err);
	if (rc == RC_OK)
		rc = foreign_session_unlock(&in->s, false, err);
	src = foreign_session_key(&in->s);
	if (rc == RC_OK && (rc = key_open(&in->key, &src, err)) != RC_OK && err->hint[0] == '\0')
		rc = err_hint(err, "'scepctl foreign csr %s' makes one, and the request for it",
		    in->s.conf->name);
	if (rc == RC_OK)
		rc = pick(in, args[1], err);
	if (rc == RC_OK)
		rc = judge(in, args[1], err);
	return rc == RC_OK ? put(in, err) : rc;
}

static void
print_done(const struct installing *in)
{
	const struct config *c = in->s.config;
	char from[CTL_TIME_MAX], to[CTL_TIME_MAX];

	(void)printf("%s is in place, valid %s to %s.\n", in->s.conf->ocsp_certificate,
	    ctl_time(from, cert_not_before(in->responder)),
	    ctl_time(to, cert_not_after(in->responder)));
	if (!cert_ocsp_nocheck(in->responder))
		(void)printf(
		    "It does not say id-pkix-ocsp-nocheck: some relying parties will ask the "
		    "CA about it first.\n");
	(void)printf(
	    "\nNext\n"
	    "  a scepd that knows %s takes it within a minute, or at once by SIGHUP "
	    "(systemctl reload scepd)\n"
	    "  one that was started before foreign_cas.%s was written has to be restarted\n",
	    in->s.conf->name, in->s.conf->name);
	if (c->public_url != NULL)
		(void)printf(
		    "  relying parties ask at %s/ocsp/%s\n", c->public_url, in->s.conf->name);
}

/* Where relying parties ask; NULL: scepd.yaml has no public_url. */
static bool
set_url(json_t *o, const struct installing *in)
{
	const char *base = in->s.config->public_url;
	char *url = NULL;
	bool set =
	    base == NULL || str_format(&url, NULL, "%s/ocsp/%s", base, in->s.conf->name) == RC_OK;

	set = set && ctl_json_str(o, "url", url);
	free(url);
	return set;
}

static int
print_json(const struct installing *in)
{
	const struct cert *c = in->responder;
	char serial[2 * SERIAL_MAX + 1];
	json_t *o = json_object();
	bool built;

	serial_hex(serial, cert_serial0(c));
	built = o != NULL && ctl_json_str(o, "ca", in->s.conf->name) &&
	    ctl_json_str(o, "certificate", in->s.conf->ocsp_certificate) &&
	    ctl_json_str(o, "serial", serial) &&
	    ctl_json_time(o, "notBefore", cert_not_before(c)) &&
	    ctl_json_time(o, "notAfter", cert_not_after(c)) &&
	    json_object_set_new(o, "ocspNocheck", json_boolean(cert_ocsp_nocheck(c))) == 0 &&
	    set_url(o, in);
	return ctl_json_print(o, built);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct installing in = { .n = 0 };
	struct err err = { 0 };
	int status = EX_OK;

	if (install(&in, o->config, args, &err) != RC_OK)
		status = err_report(PROG, &err);
	else if (o->json)
		status = print_json(&in);
	else
		print_done(&in);
	while (in.n > 0)
		cert_free(in.certs[--in.n]);
	key_free(in.key);
	foreign_session_close(&in.s);
	return status;
}

const struct command foreign_install = {
	.name = "install",
	.args = "NAME FILE",
	.help = "the responder's certificate that was signed for the request of 'foreign csr'",
	.about = "FILE is PEM, DER or PKCS#7 (.p7b).  What relying parties would refuse is not "
		 "installed.\n\n"
		 "Examples:\n"
		 "  scepctl foreign install adcs responder.cer\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
