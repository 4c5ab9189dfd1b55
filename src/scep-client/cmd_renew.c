/* cmd_renew.c - scep renew, scep poll: what comes after the first request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "scep-client/enroll_job.h"
#include "scep-client/keep.h"
#include "scep-client/pending.h"

/* ---- renew ---- */

static const struct opt renew_rows[] = {
	{ ROW("url", 'u', OPT_STR, url, "URL", "of the SCEP server"), .required = true },
	{ ROW("out-dir", 'o', OPT_STR, out_dir, "DIR",
	    "the folder with key.pem and cert.pem, which are replaced (default .)") },
	{ ROW("cert", 0, OPT_STR, cert_file, "FILE",
	    "the certificate to renew (default cert.pem of the folder)") },
	{ ROW("cert-key", 0, OPT_STR, cert_key_file, "FILE",
	    "its key (default key.pem of the folder)") },
	{ ROW("expires-within", 0, OPT_DURATION, within, "TIME",
	      "do nothing, and exit 0, unless the certificate expires within this"),
	    .max = 10ull * 366 * 86400 },
	{ ROW("type", 't', OPT_CHOICE, type, "N",
	      "messageType: 17 (RenewalReq) or 19 (PKCSReq, as Apple); default 17, or as the "
	      "platform does"),
	    .choices = "17|19" },
	{ ROW("same-key", 0, OPT_FLAG, same_key, NULL, "certify the same key again") },
	{ ROW("key", 'k', OPT_STR, key_file, "FILE",
	    "certify this key (PEM, RSA or EC) instead of a new one") },
	{ ROW("new-key", 0, OPT_STR, new_key, "TYPE",
	    "rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384 (default: as the key was)") },
	{ ROW("subject", 's', OPT_STR, subject, "NAME", "default: that of the certificate") },
	ROWS_CSR,
	ROWS_WAIT,
	ROWS_TALK,
	{ 0 },
};

/* FILE if there is one, else `name` of the folder. */
static enum rc
path_for(char **out, const char *file, const char *dir, const char *name, struct err *err)
{
	return file != NULL ? str_dup(out, file, err) : path_join(out, dir, name, err);
}

static enum rc
load_old(struct job *j, struct err *err)
{
	const struct enroll_options *o = j->o;
	char *cert = NULL, *key = NULL;
	enum rc rc;

	if ((rc = path_for(&cert, o->cert_file, o->out_dir, "cert.pem", err)) == RC_OK &&
	    (rc = path_for(&key, o->cert_key_file, o->out_dir, "key.pem", err)) == RC_OK &&
	    (rc = cert_load(&j->old, cert, err)) == RC_OK &&
	    (rc = key_load(&j->signer_key, key, err)) == RC_OK &&
	    !key_same_public(cert_key0(j->old), j->signer_key))
		rc = fail(err, RC_CONFIG, "%s is not the key of %s", key, cert);
	free(cert);
	free(key);
	return rc;
}

/* ---- names from the old certificate ---- */

static enum rc
old_san(struct job *j, struct err *err)
{
	const struct san_list *san = cert_san0(j->old);
	enum rc rc;

	if (j->o->san.n > 0)
		return RC_OK;
	for (size_t i = 0; i < san->n; i++) {
		if (san->v[i].type >= SAN_OTHER) {
			(void)fail(err, RC_CONFIG,
			    "the certificate has an alternative name of a kind that this client "
			    "does "
			    "not write: %s",
			    san->v[i].value);
			return err_hint(err, "say with --san which names the new one is to have");
		}
		if ((rc = san_list_add(&j->san, san->v[i].type, san->v[i].value, err)) != RC_OK)
			return rc;
	}
	j->req.csr.san = j->san;
	return RC_OK;
}

/* Usages that a leaf may ask for; the server's profile has the last word. */
static void
old_usages(struct job *j)
{
	const unsigned leaf = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT |
	    KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT;
	unsigned ku = 0;

	if (j->o->key_usage.n == 0 && cert_has_key_usage(j->old, &ku))
		j->req.csr.key_usage = ku & leaf;
	if (j->o->eku.n == 0)
		j->req.csr.eku = cert_eku0(j->old, &j->req.csr.n_eku);
}

static enum rc
old_subject(struct job *j, struct err *err)
{
	const struct name *n = cert_subject0(j->old);

	return name_parse(&j->subject, n->der, n->der_len, err);
}

/* "rsa2048" to "rsa:2048": a new key of the same kind. */
static const char *
same_kind(const struct key *k, char out[static 24])
{
	const struct key_info *i = key_info0(k);

	(void)snprintf(out, 24, i->type == KEY_RSA ? "rsa:%u" : "ec:p%u", i->bits);
	return out;
}

static enum rc
take_new_key(struct job *j, struct err *err)
{
	char spec[24];

	if (!j->o->same_key)
		return job_take_key(
		    j, j->o->new_key != NULL ? j->o->new_key : same_kind(j->signer_key, spec), err);
	if (j->o->key_file != NULL || j->o->new_key != NULL)
		return fail(err, RC_CONFIG, "--same-key goes with neither --key nor --new-key");
	j->key = key_ref(j->signer_key);
	j->req.key = j->key;
	j->req.signer = j->old;
	j->req.signer_key = j->signer_key;
	return RC_OK;
}

static enum rc
prepare(struct job *j, struct err *err)
{
	enum rc rc;

	if ((rc = load_old(j, err)) != RC_OK ||
	    (j->o->subject == NULL && (rc = old_subject(j, err)) != RC_OK) ||
	    (rc = job_from_options(j, err)) != RC_OK || (rc = old_san(j, err)) != RC_OK)
		return rc;
	old_usages(j);
	if (j->o->type != NULL)
		j->req.type = strcmp(j->o->type, "17") == 0 ? SCEP_RENEWAL_REQ : SCEP_PKCS_REQ;
	return take_new_key(j, err);
}

/* For a timer that asks every day. */
static bool
not_yet(const struct job *j)
{
	char when[TIME_TEXT_MAX];

	if (j->o->within == 0 || cert_not_after(j->old) - clock_now() <= j->o->within)
		return false;
	time_rfc3339(when, cert_not_after(j->old));
	if (j->o->json)
		(void)cli_print_json(
		    json_pack("{s:s, s:s}", "status", "not yet", "notAfter", when));
	else if (!j->o->quiet)
		printf("  valid until %s: nothing to do yet\n", when);
	return true;
}

static enum rc
poll_now(struct job *j, struct pending *p, struct enrol_result *r, struct err *err)
{
	const struct enroll_options *o = j->o;
	struct session_conf conf = job_session(o->url != NULL ? o->url : p->url, o);
	struct session *s = NULL;
	enum rc rc;

	conf.renewing = p->renewal;
	if (conf.manner == NULL)
		conf.manner = manner_by_name(p->manner);
	if (conf.fingerprint == NULL)
		conf.fingerprint = p->fingerprint;
	j->key = key_ref(p->key);
	job_talk(&j->req, o);
	if ((rc = session_open(&s, &conf, err)) == RC_OK)
		rc = job_poll(j, s, p, r, err);
	session_free(s);
	return rc;
}

static enum rc
renew_now(struct job *j, struct enrol_result *r, struct err *err)
{
	struct session_conf conf = job_session(j->o->url, j->o);
	struct session *s = NULL;
	enum rc rc;

	conf.renewing = true;
	if ((rc = session_open(&s, &conf, err)) == RC_OK)
		rc = job_run(j, s, r, err);
	session_free(s);
	return rc;
}

static int
finish(struct job *j, struct enrol_result *r, enum rc rc, const struct err *err)
{
	int code;

	if (rc != RC_OK)
		return err_report(PROG, err);
	job_print(j, r);
	code = job_exit_code(r);
	enrol_result_done(r);
	return code;
}

/* One that waits is asked for first: a timer that made a new key every day would fill the list of whoever
 * approves. */
static int
renew_or_poll(struct job *j, struct err *err)
{
	struct enrol_result r = { 0 };
	struct pending p;
	enum rc rc;
	int code;

	rc = pending_load(&p, j->out_dir, err);
	if (rc == RC_OK) {
		if ((rc = job_challenge(j, err)) == RC_OK)
			rc = poll_now(j, &p, &r, err);
		code = finish(j, &r, rc, err);
		pending_done(&p);
		return code;
	}
	if (rc != RC_NOTFOUND || (rc = prepare(j, err)) != RC_OK)
		return err_report(PROG, err);
	if (not_yet(j))
		return 0;
	rc = renew_now(j, &r, err);
	return finish(j, &r, rc, err);
}

/* The folder is ours until the process ends. */
static enum rc
enter(const char *dir, struct err *err)
{
	enum rc rc;

	if ((rc = keep_check(dir, err)) != RC_OK || (rc = keep_lock(dir, err)) != RC_OK)
		return rc;
	return keep_finish(dir, err);
}

static int
run_renew(const void *opts, int nargs, char **args)
{
	const struct enroll_options *o = opts;
	struct job j = { .o = o, .out_dir = o->out_dir };
	struct err err;
	int code;

	if (enter(o->out_dir, &err) != RC_OK)
		code = err_report(PROG, &err);
	else
		code = renew_or_poll(&j, &err);
	job_done(&j);
	return code;
}

/* ---- poll ---- */

static const struct opt poll_rows[] = {
	{ ROW("out-dir", 'o', OPT_STR, out_dir, "DIR",
	    "the folder in which 'scep enroll' or 'scep renew' left the request (default .)") },
	{ ROW("url", 'u', OPT_STR, url, "URL", "of the SCEP server (default: as it was then)") },
	{ ROW("challenge-file", 0, OPT_STR, challenge_file, "FILE",
	    "the challenge password, where the answer is encrypted by it; or --challenge-stdin") },
	{ ROW("challenge-stdin", 0, OPT_FLAG, challenge_stdin, NULL,
	    "read the challenge password from standard input") },
	ROWS_WAIT,
	ROWS_TALK,
	{ 0 },
};

static int
run_poll(const void *opts, int nargs, char **args)
{
	const struct enroll_options *o = opts;
	struct job j = { .o = o, .out_dir = o->out_dir };
	struct enrol_result r = { 0 };
	struct pending p = { 0 };
	struct err err;
	enum rc rc;
	int code;

	if (enter(o->out_dir, &err) != RC_OK || pending_load(&p, o->out_dir, &err) != RC_OK ||
	    job_challenge(&j, &err) != RC_OK) {
		code = err_report(PROG, &err);
	} else {
		rc = poll_now(&j, &p, &r, &err);
		code = finish(&j, &r, rc, &err);
	}
	pending_done(&p);
	job_done(&j);
	return code;
}

static const struct enroll_options defaults = { .out_dir = ".", DEFAULT_WAITS };

const struct command cmd_renew = { .name = "renew",
	.args = "",
	.help = "replace a certificate by a new one, signed for by the old one",
	.about =
	    "Reads key.pem and cert.pem of a folder, asks for a certificate with the same names "
	    "for a new key (or the same one), signed by the old key under the old certificate, "
	    "and replaces the files; what was there is kept in replaced-SERIAL. While a request of "
	    "the folder is pending, that one is asked for instead.\n\n"
	    "  scep renew --url http://ca.example.com/scep/lab --out-dir printer7\n"
	    "  scep renew --url http://ca.example.com/scep/lab --out-dir printer7 "
	    "--expires-within 30d --quiet\n\n"
	    "Exit status: 0 renewed (or not yet time), 3 refused by the server, 4 pending, others "
	    "as "
	    "sysexits(3).",
	.opts = renew_rows,
	.size = sizeof(struct enroll_options),
	.defaults = &defaults,
	.run = run_renew };

const struct command cmd_poll = { .name = "poll",
	.args = "",
	.help = "ask again for a request that is kept for approval",
	.about = "Goes on where 'scep enroll' or 'scep renew' ended with \"pending\": asks with "
		 "the same "
		 "transaction and key, and stores what was issued.\n\n"
		 "  scep poll --out-dir printer7\n"
		 "  scep poll --out-dir printer7 --wait --interval 1m --max-wait 8h\n\n"
		 "Exit status: 0 issued, 3 refused, 4 still pending, others as sysexits(3).",
	.opts = poll_rows,
	.size = sizeof(struct enroll_options),
	.defaults = &defaults,
	.run = run_poll };
