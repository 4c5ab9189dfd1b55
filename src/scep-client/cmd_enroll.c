/* cmd_enroll.c - scep enroll: from options, or in the role of a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/device.h"
#include "scep-client/enroll_job.h"

static const struct opt rows[] = {
	{ "url", 'u', OPT_STR, offsetof(struct enroll_options, url), "URL", "of the SCEP server" },
	{ "subject", 's', OPT_STR, offsetof(struct enroll_options, subject), "NAME",
	    "\"CN=host.example.com,O=Example\"" },
	{ "san", 0, OPT_LIST, offsetof(struct enroll_options, san), "TYPE:VALUE",
	    "alternative name: dns:, email:, upn:, uri:" },
	{ "challenge-file", 0, OPT_STR, offsetof(struct enroll_options, challenge_file), "FILE",
	    "the challenge password; or --challenge-stdin" },
	{ "challenge-stdin", 0, OPT_FLAG, offsetof(struct enroll_options, challenge_stdin), NULL,
	    "read the challenge password from standard input" },
	{ "key", 'k', OPT_STR, offsetof(struct enroll_options, key_file), "FILE",
	    "use this RSA key (PEM) instead of a new one" },
	{ "new-key", 0, OPT_STR, offsetof(struct enroll_options, new_key), "TYPE",
	    "rsa:2048 (default), rsa:3072, rsa:4096" },
	{ "key-usage", 0, OPT_LIST, offsetof(struct enroll_options, key_usage), "NAME",
	    "digitalSignature, keyEncipherment ..." },
	{ "eku", 0, OPT_LIST, offsetof(struct enroll_options, eku), "OID", "extended key usage" },
	{ "validity-period", 0, OPT_STR, offsetof(struct enroll_options, validity_period), "UNIT",
	    "Years, Months, Weeks, Days: as Windows asks" },
	{ "validity-units", 0, OPT_STR, offsetof(struct enroll_options, validity_units), "N",
	    "how many of them" },
	{ "intune", 0, OPT_STR, offsetof(struct enroll_options, intune), "URL",
	    "check in with this intunesim and enrol its profiles" },
	{ "device", 0, OPT_STR, offsetof(struct enroll_options, device), "ID",
	    "with --intune: the device, by Intune id or name" },
	{ "profile", 0, OPT_STR, offsetof(struct enroll_options, profile), "NAME",
	    "with --intune: only this SCEP profile" },
	{ "out-dir", 'o', OPT_STR, offsetof(struct enroll_options, out_dir), "DIR",
	    "key.pem, cert.pem, chain.pem go there (default .)" },
	{ "force", 'f', OPT_FLAG, offsetof(struct enroll_options, force), NULL,
	    "replace a key.pem that is there (with --intune this is always done)" },
	{ "as", 0, OPT_CHOICE, offsetof(struct enroll_options, as), "PLATFORM",
	    "speak as this platform's client (default plain, or the device's)",
	    .choices = MANNER_NAMES },
	{ "cipher", 0, OPT_CHOICE, offsetof(struct enroll_options, cipher), "NAME",
	    "default: the best that the server names", .choices = "aes128|aes192|aes256|des3" },
	{ "digest", 0, OPT_CHOICE, offsetof(struct enroll_options, digest), "NAME",
	    "default: SHA-256 if the server names it", .choices = "sha1|sha256|sha384|sha512" },
	{ "transport", 0, OPT_CHOICE, offsetof(struct enroll_options, transport), "NAME",
	    "how the content key is wrapped (default: as the platform does)",
	    .choices = "rsa|oaep|oaep-sha256" },
	{ "recipient-by-ski", 0, OPT_FLAG, offsetof(struct enroll_options, by_ski), NULL,
	    "name the recipient by subjectKeyIdentifier" },
	{ "get", 0, OPT_FLAG, offsetof(struct enroll_options, get), NULL,
	    "send PKIOperation by GET" },
	{ "post", 0, OPT_FLAG, offsetof(struct enroll_options, post), NULL,
	    "send PKIOperation by POST, even to a server that does not name it" },
	{ "transaction-id", 0, OPT_STR, offsetof(struct enroll_options, transaction_id), "ID",
	    "default: made from the key" },
	{ "ca-file", 0, OPT_STR, offsetof(struct enroll_options, ca_file), "FILE",
	    "PEM trust anchors for https, the simulator's too (default: the system's)" },
	{ "server-certs", 0, OPT_STR, offsetof(struct enroll_options, server_certs), "FILE",
	    "with --url: certificates of the server that were fetched before (PEM, RA first), "
	    "instead of GetCACert's" },
	{ "retries", 0, OPT_U64, offsetof(struct enroll_options, retries), "N",
	    "when no answer comes, send the same message again (default 0)", .max = 1000 },
	{ "retry-delay", 0, OPT_DURATION, offsetof(struct enroll_options, retry_delay), "TIME",
	    "before each of these (default 1s)", .max = 3600 },
	{ "repeat", 0, OPT_U64, offsetof(struct enroll_options, repeats), "N",
	    "rehearsal: once issued, send the message N times more; the certificate must stay the "
	    "same",
	    .max = 1000 },
	{ "tamper-subject", 0, OPT_STR, offsetof(struct enroll_options, tamper_subject), "NAME",
	    "rehearsal: put another subject into the CSR" },
	{ "tamper-san", 0, OPT_STR, offsetof(struct enroll_options, tamper_san), "TYPE:VALUE",
	    "rehearsal: add an alternative name" },
	{ "tamper-key", 0, OPT_STR, offsetof(struct enroll_options, tamper_key), "TYPE",
	    "rehearsal: another key size, e.g. rsa:3072" },
	{ "tamper-challenge", 0, OPT_FLAG, offsetof(struct enroll_options, tamper_challenge), NULL,
	    "rehearsal: change one character of the challenge" },
	{ "request-only", 0, OPT_FLAG, offsetof(struct enroll_options, request_only), NULL,
	    "write key.pem and request.der (PKCS#10 with the challenge) and send nothing" },
	{ "json", 0, OPT_FLAG, offsetof(struct enroll_options, json), NULL,
	    "print the outcome as JSON" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct enroll_options, quiet), NULL,
	    "print nothing but errors" },
	{ 0 },
};

/* A key that is there may be the only copy of somebody's. */
static enum rc
spare_old_key(const struct enroll_options *o, struct err *err)
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
enroll_plain(const struct enroll_options *o)
{
	struct job j = { .o = o, .out_dir = o->out_dir };
	struct session_conf conf = { .url = o->url,
		.ca_file = o->ca_file,
		.server_certs = o->server_certs,
		.manner = o->as != NULL ? manner_by_name(o->as) : NULL };
	struct session *s = NULL;
	struct enrol_result r;
	struct err err;
	int code;

	if (spare_old_key(o, &err) != RC_OK || job_from_options(&j, &err) != RC_OK ||
	    job_take_key(&j, o->new_key, &err) != RC_OK) {
		code = err_report(PROG, &err);
	} else if (o->request_only) {
		code = job_write_request(&j, &err) == RC_OK ? 0 : err_report(PROG, &err);
	} else if (session_open(&s, &conf, &err) != RC_OK || job_run(&j, s, &r, &err) != RC_OK) {
		code = err_report(PROG, &err);
	} else {
		job_print(&j, &r);
		code = job_exit_code(&r);
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

/* Session, enrolment, and what the simulator is told of it; err is RC_OK when there was an answer. */
static int
enroll_and_report(struct job *j, struct managed_device *d, const struct device_profile *p)
{
	const struct enroll_options *o = j->o;
	struct enrol_result r = { .status = SCEP_PENDING };
	struct err err = { .rc = RC_OK }, report_err;
	struct session *s = NULL;
	int code;

	if (device_session(&s, d, p, o->as != NULL ? manner_by_name(o->as) : NULL, o->ca_file,
		&err) == RC_OK &&
	    job_run(j, s, &r, &err) == RC_OK) {
		job_print(j, &r);
		code = job_exit_code(&r);
	} else {
		code = profile_error(p, &err);
	}
	if (report(d, p, &r, &err, &report_err) != RC_OK)
		code = profile_error(p, &report_err);
	enrol_result_done(&r);
	session_free(s);
	return code;
}

static int
enroll_profile(
    const struct enroll_options *o, struct managed_device *d, const struct device_profile *p)
{
	struct job j = { .o = o, .profile = p->name, .req.csr = p->build };
	char spec[24], *dir = NULL;
	struct err err;
	int code = 0;

	if (!o->quiet && !o->json)
		printf("profile %s: %s\n", p->name, p->urls[0]);
	(void)snprintf(spec, sizeof(spec), "rsa:%u", p->key_bits);
	if (folder_for(&dir, o->out_dir, p->name, &err) != RC_OK ||
	    dir_make(o->out_dir, 0755, &err) != RC_OK || job_take_key(&j, spec, &err) != RC_OK) {
		code = profile_error(p, &err);
		if (device_report_failed(d, p, err.msg, &err) != RC_OK)
			(void)profile_error(p, &err);
	} else {
		j.out_dir = dir;
		if (!o->request_only)
			code = enroll_and_report(&j, d, p);
		else if (job_write_request(&j, &err) != RC_OK)
			code = profile_error(p, &err);
	}
	job_done(&j);
	free(dir);
	return code;
}

static int
enroll_device(const struct enroll_options *o)
{
	struct managed_device *d;
	struct err err;
	int code = 0, one;
	size_t done = 0;

	if (o->device == NULL) {
		(void)fail(&err, RC_CONFIG, "--intune needs --device ID");
		return err_report(PROG, &err);
	}
	if (device_check_in(&d, o->intune, o->device, o->ca_file, &err) != RC_OK)
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
	const struct enroll_options *o = opts;
	struct err err;

	if ((o->url == NULL) == (o->intune == NULL) &&
	    !(o->request_only && o->url == NULL && o->intune == NULL)) {
		(void)fail(&err, RC_CONFIG, "enroll needs either --url URL or --intune URL");
		return err_report(PROG, &err);
	}
	return o->intune != NULL ? enroll_device(o) : enroll_plain(o);
}

static const struct enroll_options defaults = {
	.out_dir = ".", .new_key = "rsa:2048", .retry_delay = 1
};

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
	.size = sizeof(struct enroll_options),
	.defaults = &defaults,
	.run = run };
