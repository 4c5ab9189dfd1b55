/* cmd_fetch.c - scep getcert, scep getcrl: what the holder of a certificate may ask a server for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/ask.h"
#include "scep-client/enroll_job.h"

struct options {
	struct enroll_options talk; /* first: the shared rows know its offsets */
	const char *serial, *out;
};

#define ROWS_WHO                                                                                   \
	{ ROW("url", 'u', OPT_STR, url, "URL", "of the SCEP server"), .required = true },          \
	    { ROW("out-dir", 0, OPT_STR, out_dir, "DIR",                                           \
		"the folder with the key.pem and cert.pem of who asks (default .)") },             \
	    { ROW("cert", 0, OPT_STR, cert_file, "FILE",                                           \
		"the certificate of who asks (default cert.pem of the folder)") },                 \
	{                                                                                          \
		ROW("cert-key", 0, OPT_STR, cert_key_file, "FILE",                                 \
		    "its key (default key.pem of the folder)")                                     \
	}

static const struct opt cert_rows[] = {
	ROWS_WHO,
	{ "serial", 's', OPT_STR, offsetof(struct options, serial), "HEX",
	    "of the certificate that is wanted", .required = true },
	{ "out", 'o', OPT_STR, offsetof(struct options, out), "FILE",
	    "write it there (PEM; default: standard output)" },
	ROWS_TALK,
	{ 0 },
};

static const struct opt crl_rows[] = {
	ROWS_WHO,
	{ "serial", 's', OPT_STR, offsetof(struct options, serial), "HEX",
	    "of the certificate that is to be looked up (default: of who asks)" },
	{ "out", 'o', OPT_STR, offsetof(struct options, out), "FILE", "write the list there (DER)",
	    .required = true },
	ROWS_TALK,
	{ 0 },
};

/* Who asks, and what about; owns what it has read. */
struct errand {
	const struct options *o;
	struct cert *me;
	struct key *key;
	struct serial serial;
	struct session *s;
	struct enrol_request req;
	struct enrol_result r;
};

static void
errand_done(struct errand *e)
{
	enrol_result_done(&e->r);
	session_free(e->s);
	cert_free(e->me);
	key_free(e->key);
}

static enum rc
read_me(struct errand *e, struct err *err)
{
	const struct enroll_options *t = &e->o->talk;
	char *cert = NULL, *key = NULL;
	enum rc rc;

	if ((rc = t->cert_file != NULL ? str_dup(&cert, t->cert_file, err)
				       : path_join(&cert, t->out_dir, "cert.pem", err)) == RC_OK &&
	    (rc = t->cert_key_file != NULL
		    ? str_dup(&key, t->cert_key_file, err)
		    : path_join(&key, t->out_dir, "key.pem", err)) == RC_OK &&
	    (rc = cert_load(&e->me, cert, err)) == RC_OK)
		rc = key_load(&e->key, key, err);
	free(cert);
	free(key);
	return rc;
}

/* "0A:1b 2C" as people paste it. */
static enum rc
read_serial(struct serial *out, const char *text, struct err *err)
{
	char hex[2 * SERIAL_MAX + 2];
	size_t n = 0;
	enum rc rc;

	for (; *text != '\0' && n + 1 < sizeof(hex); text++)
		if (*text != ':' && *text != ' ')
			hex[n++] = *text;
	hex[n] = '\0';
	rc = serial_from_hex(out, hex, err);
	return rc == RC_OK ? rc : err_context(err, "--serial");
}

static enum rc
prepare(struct errand *e, struct err *err)
{
	const struct enroll_options *t = &e->o->talk;
	struct session_conf conf = job_session(t->url, t);
	enum rc rc;

	if ((rc = read_me(e, err)) != RC_OK)
		return rc;
	e->serial = *cert_serial0(e->me);
	if (e->o->serial != NULL && (rc = read_serial(&e->serial, e->o->serial, err)) != RC_OK)
		return rc;
	job_talk(&e->req, t);
	e->req.progress = NULL; /* the answer is all there is to say */
	e->req.signer = e->me;
	e->req.signer_key = e->key;
	return session_open(&e->s, &conf, err);
}

static int
refused(const struct errand *e)
{
	const struct enrol_result *r = &e->r;

	if (e->o->talk.json)
		(void)cli_print_json(json_pack("{s:s, s:s, s:s}", "status",
		    scep_pki_status_name(r->status), "failInfo", scep_fail_info_name(r->fail_info),
		    "failInfoText", r->fail_text));
	else
		fprintf(stderr, "%s: the server refused: %s: %s\n", PROG,
		    scep_fail_info_name(r->fail_info),
		    r->fail_text[0] != '\0' ? r->fail_text : "(no text)");
	return EXIT_REFUSED;
}

/* ---- getcert ---- */

static int
show_cert(const struct errand *e)
{
	struct buf pem;
	struct err err = { .rc = RC_OK };

	buf_init(&pem, 2 * LIMIT_CERT);
	cert_pem(&pem, e->r.cert);
	if (buf_ok(&pem, "certificate", &err) == RC_OK && e->o->out != NULL &&
	    file_write(e->o->out, pem.data, pem.len, 0644, 1, &err) != RC_OK) {
		buf_done(&pem);
		return err_report(PROG, &err);
	}
	if (e->o->talk.json)
		(void)cli_print_json(json_pack(
		    "{s:s, s:o}", "status", "SUCCESS", "certificate", cli_cert_json(e->r.cert)));
	else if (e->o->out == NULL)
		fputs(buf_str(&pem), stdout);
	buf_done(&pem);
	return 0;
}

static int
run_getcert(const void *opts, int nargs, char **args)
{
	struct errand e = { .o = opts };
	struct err err;
	int code;

	if (prepare(&e, &err) != RC_OK || ask_cert(e.s, &e.req, &e.serial, &e.r, &err) != RC_OK)
		code = err_report(PROG, &err);
	else
		code = e.r.status == SCEP_SUCCESS ? show_cert(&e) : refused(&e);
	errand_done(&e);
	return code;
}

/* ---- getcrl ---- */

static int
show_crl(const struct errand *e, const struct buf *crl, const struct crl_facts *f)
{
	char made[TIME_TEXT_MAX], next[TIME_TEXT_MAX];
	struct err err;

	if (file_write(e->o->out, crl->data, crl->len, 0644, 1, &err) != RC_OK)
		return err_report(PROG, &err);
	time_rfc3339(made, f->this_update);
	time_rfc3339(next, f->next_update);
	if (e->o->talk.json)
		return cli_print_json(json_pack("{s:s, s:s, s:s, s:I, s:s}", "status", "SUCCESS",
		    "thisUpdate", made, "nextUpdate", next, "entries", (json_int_t)f->n_entries,
		    "file", e->o->out));
	if (!e->o->talk.quiet)
		printf("  revocation list of %s, the next one by %s, %zu entries\n  stored in %s\n",
		    made, f->next_update != 0 ? next : "(not told)", f->n_entries, e->o->out);
	return 0;
}

static int
run_getcrl(const void *opts, int nargs, char **args)
{
	struct errand e = { .o = opts };
	struct crl_facts facts;
	struct buf crl;
	struct err err;
	int code;

	buf_init(&crl, LIMIT_SCEP_MESSAGE);
	if (prepare(&e, &err) != RC_OK ||
	    ask_crl(e.s, &e.req, &e.serial, &e.r, &crl, &facts, &err) != RC_OK)
		code = err_report(PROG, &err);
	else
		code = e.r.status == SCEP_SUCCESS ? show_crl(&e, &crl, &facts) : refused(&e);
	buf_done(&crl);
	errand_done(&e);
	return code;
}

static const struct options defaults = { .talk = { .out_dir = ".", .retry_delay = 1 } };

const struct command cmd_getcert = { .name = "getcert",
	.args = "",
	.help = "fetch a certificate of the server's CA by its serial number",
	.about = "For holders of a certificate of that CA, where the server allows it (RFC 8894 "
		 "3.3.4). The answer is checked: the serial number, and who signed it.\n\n"
		 "  scep getcert --url http://ca.example.com/scep/lab --out-dir printer7 --serial "
		 "5F3A...\n\n"
		 "Exit status: 0 there, 3 refused by the server, others as sysexits(3).",
	.opts = cert_rows,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_getcert };

const struct command cmd_getcrl = { .name = "getcrl",
	.args = "",
	.help = "fetch the revocation list of the server's CA by SCEP",
	.about = "For holders of a certificate of that CA, where the server allows it (RFC 8894 "
		 "3.3.5). The list's signature is checked.\n\n"
		 "  scep getcrl --url http://ca.example.com/scep/lab --out-dir printer7 --out "
		 "lab.crl\n\n"
		 "Exit status: 0 there, 3 refused by the server, others as sysexits(3).",
	.opts = crl_rows,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_getcrl };
