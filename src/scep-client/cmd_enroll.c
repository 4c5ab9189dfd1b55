/* cmd_enroll.c - scep enroll: from options, or in the role of a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/cli.h"
#include "scep-client/device.h"
#include "scep-client/enrol.h"

struct options {
	const char *url, *ca_file, *as, *out_dir, *subject, *challenge_file, *key_file, *new_key,
	    *cipher, *digest, *transport, *transaction_id, *validity_period, *validity_units,
	    *intune, *device, *profile, *tamper_subject, *tamper_san, *tamper_key;
	struct opt_list san, key_usage, eku;
	bool get, by_ski, json, quiet, challenge_stdin, force, tamper_challenge;
	uint64_t retries, repeats;
	int64_t retry_delay;
};

static const struct opt rows[] = {
	{ "url", 'u', OPT_STR, offsetof(struct options, url), "URL", "of the SCEP server" },
	{ "subject", 's', OPT_STR, offsetof(struct options, subject), "NAME",
	    "\"CN=host.example.com,O=Example\"" },
	{ "san", 0, OPT_LIST, offsetof(struct options, san), "TYPE:VALUE",
	    "alternative name: dns:, email:, upn:, uri:" },
	{ "challenge-file", 0, OPT_STR, offsetof(struct options, challenge_file), "FILE",
	    "the challenge password; or --challenge-stdin" },
	{ "challenge-stdin", 0, OPT_FLAG, offsetof(struct options, challenge_stdin), NULL,
	    "read the challenge password from standard input" },
	{ "key", 'k', OPT_STR, offsetof(struct options, key_file), "FILE",
	    "use this RSA key (PEM) instead of a new one" },
	{ "new-key", 0, OPT_STR, offsetof(struct options, new_key), "TYPE",
	    "rsa:2048 (default), rsa:3072, rsa:4096" },
	{ "key-usage", 0, OPT_LIST, offsetof(struct options, key_usage), "NAME",
	    "digitalSignature, keyEncipherment ..." },
	{ "eku", 0, OPT_LIST, offsetof(struct options, eku), "OID", "extended key usage" },
	{ "validity-period", 0, OPT_STR, offsetof(struct options, validity_period), "UNIT",
	    "Years, Months, Weeks, Days: as Windows asks" },
	{ "validity-units", 0, OPT_STR, offsetof(struct options, validity_units), "N",
	    "how many of them" },
	{ "intune", 0, OPT_STR, offsetof(struct options, intune), "URL",
	    "check in with this intunesim and enrol its profiles" },
	{ "device", 0, OPT_STR, offsetof(struct options, device), "ID",
	    "with --intune: the device, by Intune id or name" },
	{ "profile", 0, OPT_STR, offsetof(struct options, profile), "NAME",
	    "with --intune: only this SCEP profile" },
	{ "out-dir", 'o', OPT_STR, offsetof(struct options, out_dir), "DIR",
	    "key.pem, cert.pem, chain.pem go there (default .)" },
	{ "force", 'f', OPT_FLAG, offsetof(struct options, force), NULL,
	    "replace a key.pem that is there (with --intune this is always done)" },
	{ "as", 0, OPT_CHOICE, offsetof(struct options, as), "PLATFORM",
	    "speak as this platform's client (default plain, or the device's)",
	    .choices = "plain|windows|ios|macos|android" },
	{ "cipher", 0, OPT_CHOICE, offsetof(struct options, cipher), "NAME",
	    "default: the best that the server names", .choices = "aes128|aes192|aes256|des3" },
	{ "digest", 0, OPT_CHOICE, offsetof(struct options, digest), "NAME",
	    "default: SHA-256 if the server names it", .choices = "sha1|sha256|sha384|sha512" },
	{ "transport", 0, OPT_CHOICE, offsetof(struct options, transport), "NAME",
	    "how the content key is wrapped (default: as the platform does)",
	    .choices = "rsa|oaep|oaep-sha256" },
	{ "recipient-by-ski", 0, OPT_FLAG, offsetof(struct options, by_ski), NULL,
	    "name the recipient by subjectKeyIdentifier" },
	{ "get", 0, OPT_FLAG, offsetof(struct options, get), NULL, "send PKIOperation by GET" },
	{ "transaction-id", 0, OPT_STR, offsetof(struct options, transaction_id), "ID",
	    "default: made from the key" },
	{ "ca-file", 0, OPT_STR, offsetof(struct options, ca_file), "FILE",
	    "PEM trust anchors for https (default: the system's)" },
	{ "retries", 0, OPT_U64, offsetof(struct options, retries), "N",
	    "when no answer comes, send the same message again (default 0)", .max = 1000 },
	{ "retry-delay", 0, OPT_DURATION, offsetof(struct options, retry_delay), "TIME",
	    "before each of these (default 1s)", .max = 3600 },
	{ "repeat", 0, OPT_U64, offsetof(struct options, repeats), "N",
	    "rehearsal: once issued, send the message N times more; the certificate must stay the "
	    "same",
	    .max = 1000 },
	{ "tamper-subject", 0, OPT_STR, offsetof(struct options, tamper_subject), "NAME",
	    "rehearsal: put another subject into the CSR" },
	{ "tamper-san", 0, OPT_STR, offsetof(struct options, tamper_san), "TYPE:VALUE",
	    "rehearsal: add an alternative name" },
	{ "tamper-key", 0, OPT_STR, offsetof(struct options, tamper_key), "TYPE",
	    "rehearsal: another key size, e.g. rsa:3072" },
	{ "tamper-challenge", 0, OPT_FLAG, offsetof(struct options, tamper_challenge), NULL,
	    "rehearsal: change one character of the challenge" },
	{ "json", 0, OPT_FLAG, offsetof(struct options, json), NULL, "print the outcome as JSON" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct options, quiet), NULL,
	    "print nothing but errors" },
	{ 0 },
};

/* What one enrolment needs beside the session; owns what it made. */
struct job {
	const struct options *o;
	const char *out_dir, *profile; /* of the device role; NULL otherwise */
	struct enrol_request req;
	struct key *key;
	struct name subject;
	struct san_list san;
	struct buf challenge;
};

static void
job_done(struct job *j)
{
	key_free(j->key);
	name_done(&j->subject);
	san_list_done(&j->san);
	buf_wipe(&j->challenge);
}

static void
say(void *arg, const char *what)
{
	const struct options *o = arg;

	if (!o->quiet && !o->json)
		printf("  %s\n", what);
}

/* ---- from options to a request ---- */

static enum rc
add_san(struct san_list *list, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	char type[16] = "";

	if (colon != NULL && (size_t)(colon - text) < sizeof(type))
		memcpy(type, text, (size_t)(colon - text));
	if (colon == NULL || san_type_by_name(type) >= SAN_OTHER)
		return fail(err, RC_CONFIG,
		    "alternative name '%s': want dns:, email:, upn: or uri: before the value",
		    text);
	return san_list_add(list, san_type_by_name(type), colon + 1, err);
}

static enum rc
read_stdin(struct buf *out, struct err *err)
{
	uint8_t chunk[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	wipe(chunk, sizeof(chunk));
	if (n < 0)
		return fail_errno(err, "read the challenge from standard input");
	while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
		out->data[--out->len] = '\0';
	return buf_ok(out, "challenge", err);
}

static enum rc
take_challenge(struct job *j, struct err *err)
{
	enum rc rc = RC_OK;

	buf_init(&j->challenge, LIMIT_CHALLENGE);
	if (j->o->challenge_file != NULL)
		rc = file_read_secret(&j->challenge, j->o->challenge_file, LIMIT_CHALLENGE, err);
	else if (j->o->challenge_stdin)
		rc = read_stdin(&j->challenge, err);
	else
		return RC_OK;
	j->req.csr.challenge = buf_str(&j->challenge);
	return rc;
}

static enum rc
take_usages(struct job *j, struct err *err)
{
	for (size_t i = 0; i < j->o->key_usage.n; i++) {
		unsigned bit = key_usage_by_name(j->o->key_usage.v[i]);

		if (bit == 0)
			return fail(err, RC_CONFIG, "--key-usage %s: no such key usage",
			    j->o->key_usage.v[i]);
		j->req.csr.key_usage |= bit;
	}
	j->req.csr.eku = j->o->eku.v;
	j->req.csr.n_eku = j->o->eku.n;
	return RC_OK;
}

static enum rc
csr_from_options(struct job *j, struct err *err)
{
	enum rc rc;

	if (j->o->subject == NULL)
		return fail(err, RC_CONFIG,
		    "--subject is missing (or enrol a simulated device with --intune URL --device "
		    "ID)");
	if ((rc = name_from_text(&j->subject, j->o->subject, err)) != RC_OK)
		return err_context(err, "--subject");
	for (size_t i = 0; i < j->o->san.n; i++)
		if ((rc = add_san(&j->san, j->o->san.v[i], err)) != RC_OK)
			return rc;
	j->req.csr.subject = &j->subject;
	j->req.csr.san = j->san;
	j->req.csr.validity_period = j->o->validity_period;
	j->req.csr.validity_units = j->o->validity_units;
	if ((rc = take_usages(j, err)) != RC_OK)
		return rc;
	return take_challenge(j, err);
}

static const struct {
	const char *name;
	enum scep_cipher cipher;
} ciphers[] = { { "aes128", SCEP_AES128 }, { "aes192", SCEP_AES192 }, { "aes256", SCEP_AES256 },
	{ "des3", SCEP_DES3 } };
static const struct {
	const char *name;
	enum scep_digest digest;
} digests[] = { { "sha1", SCEP_SHA1 }, { "sha256", SCEP_SHA256 }, { "sha384", SCEP_SHA384 },
	{ "sha512", SCEP_SHA512 } };
static const struct {
	const char *name;
	struct scep_transport transport;
} transports[] = { { "rsa", { SCEP_RSA_PKCS1V15, SCEP_SHA1, SCEP_SHA1 } },
	{ "oaep", { SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1 } },
	{ "oaep-sha256", { SCEP_RSA_OAEP, SCEP_SHA256, SCEP_SHA256 } } };

static void
take_algorithms(struct scep_algorithms *alg, const struct options *o)
{
	for (size_t i = 0; o->cipher != NULL && i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (strcmp(ciphers[i].name, o->cipher) == 0)
			alg->cipher = ciphers[i].cipher;
	for (size_t i = 0; o->digest != NULL && i < sizeof(digests) / sizeof(digests[0]); i++)
		if (strcmp(digests[i].name, o->digest) == 0)
			alg->digest = digests[i].digest;
	for (size_t i = 0; o->transport != NULL && i < sizeof(transports) / sizeof(transports[0]);
	     i++)
		if (strcmp(transports[i].name, o->transport) == 0)
			alg->transport = transports[i].transport;
}

static enum rc
tamper_challenge(struct job *j, struct err *err)
{
	struct buf copy;
	enum rc rc;

	if (j->req.csr.challenge == NULL || j->req.csr.challenge[0] == '\0')
		return fail(err, RC_CONFIG, "--tamper-challenge: there is no challenge to change");
	buf_init(&copy, LIMIT_CHALLENGE);
	buf_adds(&copy, j->req.csr.challenge);
	if ((rc = buf_ok(&copy, "challenge", err)) == RC_OK) {
		uint8_t *middle = &copy.data[copy.len / 2];

		*middle = *middle == 'A' ? 'B' : 'A'; /* base64 before and after */
		buf_wipe(&j->challenge);
		j->challenge = copy;
		j->req.csr.challenge = buf_str(&j->challenge);
	}
	return rc;
}

/* Deviations that an administrator rehearses: each must end in a refusal. */
static enum rc
tamper(struct job *j, struct err *err)
{
	enum rc rc;

	if (j->o->tamper_subject != NULL) {
		name_done(&j->subject);
		if ((rc = name_from_text(&j->subject, j->o->tamper_subject, err)) != RC_OK)
			return err_context(err, "--tamper-subject");
		j->req.csr.subject = &j->subject;
	}
	if (j->o->tamper_san != NULL) {
		for (size_t i = 0; j->san.n == 0 && i < j->req.csr.san.n; i++)
			if ((rc = san_list_add(&j->san, j->req.csr.san.v[i].type,
				 j->req.csr.san.v[i].value, err)) != RC_OK)
				return rc;
		if ((rc = add_san(&j->san, j->o->tamper_san, err)) != RC_OK)
			return rc;
		j->req.csr.san = j->san;
	}
	return j->o->tamper_challenge ? tamper_challenge(j, err) : RC_OK;
}

static enum rc
take_key(struct job *j, const char *spec, struct err *err)
{
	enum rc rc;

	if (j->o->key_file != NULL)
		rc = key_load(&j->key, j->o->key_file, err);
	else
		rc = key_generate(&j->key, j->o->tamper_key != NULL ? j->o->tamper_key : spec, err);
	if (rc == RC_OK && key_info0(j->key)->type != KEY_RSA)
		rc =
		    fail(err, RC_ALG, "SCEP's answer is encrypted to the key, which has to be RSA");
	j->req.key = j->key;
	return rc;
}

/* ---- one enrolment ---- */

static enum rc
store_result(
    const struct job *j, const struct session *s, const struct enrol_result *r, struct err *err)
{
	const struct cert *leaf = r->cert, *chain[SESSION_CERTS_MAX];
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; i < s->n_ca; i++)
		if (cert_is_ca(s->ca[i]))
			chain[n++] = s->ca[i];
	if ((rc = dir_make(j->out_dir, 0755, err)) != RC_OK ||
	    (rc = cli_write_key(j->out_dir, "key.pem", j->key, err)) != RC_OK ||
	    (rc = cli_write_cert(j->out_dir, "cert.pem", &leaf, 1, err)) != RC_OK)
		return rc;
	return cli_write_cert(j->out_dir, "chain.pem", chain, n, err);
}

static void
print_result(const struct options *o, const struct job *j, const struct enrol_result *r)
{
	json_t *cert = r->cert != NULL ? cli_cert_json(r->cert) : json_null();

	if (o->json) {
		(void)cli_print_json(json_pack("{s:s*, s:s, s:s, s:s, s:s, s:s, s:o}", "profile",
		    j->profile, "status", scep_pki_status_name(r->status), "failInfo",
		    scep_fail_info_name(r->fail_info), "failInfoText", r->fail_text,
		    "transactionId", r->transaction_id, "outDir", j->out_dir, "certificate", cert));
		return;
	}
	if (!o->quiet && r->status == SCEP_SUCCESS)
		printf("  issued %s, serial %s, valid until %s\n  stored in %s: key.pem cert.pem "
		       "chain.pem\n",
		    json_get_str(cert, "subject"), json_get_str(cert, "serial"),
		    json_get_str(cert, "notAfter"), j->out_dir);
	json_decref(cert);
	if (r->status == SCEP_FAILURE)
		fprintf(stderr,
		    "%s: the server refused: %s: %s\n  its log has a line for transaction %s that "
		    "says more\n",
		    PROG, scep_fail_info_name(r->fail_info),
		    r->fail_text[0] != '\0' ? r->fail_text : "(no text)", r->transaction_id);
	else if (r->status == SCEP_PENDING)
		fprintf(stderr, "%s: the server keeps the request for approval (transaction %s)\n",
		    PROG, r->transaction_id);
}

static int
exit_code(const struct enrol_result *r)
{
	return r->status == SCEP_SUCCESS ? 0
	    : r->status == SCEP_FAILURE  ? EXIT_REFUSED
					 : EXIT_PENDING;
}

/* The job is complete but for the session.  Returns RC_OK when the server gave an answer. */
static enum rc
run_job(struct job *j, struct session *s, struct enrol_result *r, struct err *err)
{
	enum rc rc;

	j->req.by_get = j->o->get;
	j->req.recipient_by_ski = j->o->by_ski;
	j->req.transaction_id = j->o->transaction_id;
	j->req.retries = (unsigned)j->o->retries;
	j->req.retry_delay_ms = (unsigned)(j->o->retry_delay * 1000);
	j->req.repeats = (unsigned)j->o->repeats;
	j->req.progress = say;
	j->req.progress_arg = (void *)(uintptr_t)j->o;
	take_algorithms(&j->req.alg, j->o);
	if ((rc = tamper(j, err)) != RC_OK || (rc = enrol(s, &j->req, r, err)) != RC_OK)
		return rc;
	if (r->status == SCEP_SUCCESS && (rc = store_result(j, s, r, err)) != RC_OK)
		enrol_result_done(r);
	return rc;
}

/* A key that is there may be the only copy of somebody's. */
static enum rc
spare_old_key(const struct options *o, struct err *err)
{
	char *path = NULL;
	enum rc rc;

	if (o->force || o->key_file != NULL)
		return RC_OK;
	if ((rc = path_join(&path, o->out_dir, "key.pem", err)) != RC_OK)
		return rc;
	if (access(path, F_OK) == 0) {
		rc = fail(err, RC_CONFLICT, "%s is there already", path);
		(void)err_hint(
		    err, "use it with --key, replace it with --force, or choose another --out-dir");
	}
	free(path);
	return rc;
}

static int
enroll_plain(const struct options *o)
{
	struct job j = { .o = o, .out_dir = o->out_dir };
	struct session_conf conf = { .url = o->url,
		.ca_file = o->ca_file,
		.manner = o->as != NULL ? manner_by_name(o->as) : NULL };
	struct session *s = NULL;
	struct enrol_result r;
	struct err err;
	int code;

	if (spare_old_key(o, &err) != RC_OK || csr_from_options(&j, &err) != RC_OK ||
	    take_key(&j, o->new_key, &err) != RC_OK || session_open(&s, &conf, &err) != RC_OK ||
	    run_job(&j, s, &r, &err) != RC_OK) {
		code = err_report(PROG, &err);
	} else {
		print_result(o, &j, &r);
		code = exit_code(&r);
		enrol_result_done(&r);
	}
	session_free(s);
	job_done(&j);
	return code;
}

/* ---- as a device ---- */

/* Folder names from profile names: what is not a letter, digit, dot or dash becomes a dash. */
static enum rc
folder_for(char **out, const char *dir, const char *profile, struct err *err)
{
	char name[128];
	size_t n = 0;

	for (; profile[n] != '\0' && n + 1 < sizeof(name); n++) {
		char c = profile[n];

		name[n] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c == '.' && n > 0)
		    ? c
		    : '-';
	}
	name[n] = '\0';
	return path_join(out, dir, name, err);
}

static enum rc
report(struct managed_device *d, const struct device_profile *p, const struct enrol_result *r,
    const struct err *why, struct err *err)
{
	const uint8_t *der;
	size_t len;

	if (why->rc != RC_OK)
		return device_report_failed(d, p, why->msg, err);
	if (r->status != SCEP_SUCCESS)
		return device_report_failed(d, p,
		    r->fail_text[0] != '\0' ? r->fail_text : scep_pki_status_name(r->status), err);
	der = cert_der0(r->cert, &len);
	return device_report_installed(d, p, der, len, err);
}

/* Of several profiles: which one it was.  What goes into Intune's report stays as it is. */
static int
profile_error(const struct device_profile *p, const struct err *err)
{
	struct err shown = *err;

	(void)err_context(&shown, "profile %s", p->name);
	return err_report(PROG, &shown);
}

static int
enroll_profile(const struct options *o, struct managed_device *d, const struct device_profile *p)
{
	struct job j = { .o = o, .profile = p->name, .req.csr = p->build };
	struct session *s = NULL;
	struct enrol_result r = { .status = SCEP_PENDING };
	struct err err = { .rc = RC_OK }, report_err;
	char spec[24], *dir = NULL;
	int code;

	if (!o->quiet && !o->json)
		printf("profile %s: %s\n", p->name, p->urls[0]);
	(void)snprintf(spec, sizeof(spec), "rsa:%u", p->key_bits);
	if (folder_for(&dir, o->out_dir, p->name, &err) != RC_OK ||
	    dir_make(o->out_dir, 0755, &err) != RC_OK || take_key(&j, spec, &err) != RC_OK ||
	    device_session(&s, d, p, o->as != NULL ? manner_by_name(o->as) : NULL, o->ca_file,
		&err) != RC_OK) {
		code = profile_error(p, &err);
	} else {
		j.out_dir = dir;
		if (run_job(&j, s, &r, &err) == RC_OK) {
			print_result(o, &j, &r);
			code = exit_code(&r);
		} else {
			code = profile_error(p, &err);
		}
	}
	if (report(d, p, &r, &err, &report_err) != RC_OK)
		code = profile_error(p, &report_err);
	enrol_result_done(&r);
	session_free(s);
	job_done(&j);
	free(dir);
	return code;
}

static int
enroll_device(const struct options *o)
{
	struct managed_device *d;
	struct err err;
	int code = 0, one;
	size_t done = 0;

	if (o->device == NULL) {
		(void)fail(&err, RC_CONFIG, "--intune needs --device ID");
		return err_report(PROG, &err);
	}
	if (device_check_in(&d, o->intune, o->device, &err) != RC_OK)
		return err_report(PROG, &err);
	if (!o->quiet && !o->json)
		printf("checked in: %s (%s)%s%s, %zu SCEP profiles\n", d->name, d->platform,
		    d->user != NULL ? " of " : "", d->user != NULL ? d->user : "", d->n_profiles);
	for (size_t i = 0; i < d->n_profiles; i++) {
		if (o->profile != NULL && strcmp(o->profile, d->profiles[i].name) != 0)
			continue;
		if ((one = enroll_profile(o, d, &d->profiles[i])) != 0)
			code = one;
		done++;
	}
	if (done == 0) {
		(void)fail(&err, RC_NOTFOUND, "%s has no SCEP profile%s%s", d->name,
		    o->profile != NULL ? " named " : " assigned",
		    o->profile != NULL ? o->profile : "");
		code = err_report(PROG, &err);
	}
	device_free(d);
	return code;
}

static int
run(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct err err;

	if ((o->url == NULL) == (o->intune == NULL)) {
		(void)fail(&err, RC_CONFIG, "enroll needs either --url URL or --intune URL");
		return err_report(PROG, &err);
	}
	return o->intune != NULL ? enroll_device(o) : enroll_plain(o);
}

static const struct options defaults = { .out_dir = ".", .new_key = "rsa:2048", .retry_delay = 1 };

const struct command cmd_enroll = { .name = "enroll",
	.args = "",
	.help = "get a certificate",
	.about =
	    "Makes a key and a request, asks the server, checks the answer and stores key.pem, "
	    "cert.pem and chain.pem.\n"
	    "With --intune it plays a managed device: checks in, does what each assigned SCEP "
	    "profile says, reports back.\n\n"
	    "  scep enroll --url http://ca.example.com/scep/lab --subject CN=printer7 "
	    "--challenge-file secret --out-dir printer7\n"
	    "  scep enroll --intune http://127.0.0.1:8090 --device LAPTOP-01 --out-dir laptop\n\n"
	    "Exit status: 0 issued, 3 refused by the server, 4 pending, others as sysexits(3).",
	.opts = rows,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run };
