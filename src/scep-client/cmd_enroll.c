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
#include "scep-client/keep.h"

static const struct opt rows[] = {
	{ ROW("url", 'u', OPT_STR, url, "URL", "of the SCEP server") },
	{ ROW("subject", 's', OPT_STR, subject, "NAME", "\"CN=host.example.com,O=Example\"") },
	{ ROW("key", 'k', OPT_STR, key_file, "FILE",
	    "use this key (PEM, RSA or EC) instead of a new one") },
	{ ROW("new-key", 0, OPT_STR, new_key, "TYPE",
	    "rsa:2048 (default), rsa:3072, rsa:4096, ec:p256, ec:p384") },
	ROWS_CSR,
	{ ROW("rsa-signer", 0, OPT_FLAG, rsa_signer, NULL,
	    "with an EC key: sign with a throw-away RSA key, to which the answer is encrypted") },
	{ ROW("validity-period", 0, OPT_STR, validity_period, "UNIT",
	    "Years, Months, Weeks, Days: as Windows asks") },
	{ ROW("validity-units", 0, OPT_STR, validity_units, "N", "how many of them") },
	{ ROW("intune", 0, OPT_STR, intune, "URL",
	    "check in with this intunesim and enrol its profiles") },
	{ ROW("device", 0, OPT_STR, device, "ID",
	    "with --intune: the device, by Intune id or name") },
	{ ROW("profile", 0, OPT_STR, profile, "NAME", "with --intune: only this SCEP profile") },
	{ ROW("out-dir", 'o', OPT_STR, out_dir, "DIR",
	    "key.pem, cert.pem, chain.pem go there (default .)") },
	{ ROW("force", 'f', OPT_FLAG, force, NULL,
	    "replace a key.pem that is there, which is kept in replaced-SERIAL (with --intune "
	    "this is always done)") },
	ROWS_WAIT,
	{ ROW("repeat", 0, OPT_U64, repeats, "N",
	      "rehearsal: once issued, send the message N times more; the certificate must stay "
	      "the same"),
	    .max = 1000 },
	{ ROW("tamper-subject", 0, OPT_STR, tamper_subject, "NAME",
	    "rehearsal: put another subject into the CSR") },
	{ ROW("tamper-san", 0, OPT_STR, tamper_san, "TYPE:VALUE",
	    "rehearsal: add an alternative name") },
	{ ROW("tamper-key", 0, OPT_STR, tamper_key, "TYPE",
	    "rehearsal: another key size, e.g. rsa:3072") },
	{ ROW("tamper-challenge", 0, OPT_FLAG, tamper_challenge, NULL,
	    "rehearsal: change one character of the challenge") },
	{ ROW("request-only", 0, OPT_FLAG, request_only, NULL,
	    "write key.pem and request.der (PKCS#10 with the challenge) and send nothing") },
	ROWS_TALK,
	{ 0 },
};

/* A key that is there may be the only copy of somebody's, and one that waits is somebody's to approve. */
static enum rc
spare(const struct enroll_options *o, const char *name, const char *what, const char *hint,
    struct err *err)
{
	char *path = NULL;
	enum rc rc;

	if ((rc = path_join(&path, o->out_dir, name, err)) != RC_OK)
		return rc;
	if (access(path, F_OK) == 0) {
		rc = fail(err, RC_CONFLICT, "%s %s", path, what);
		(void)err_hint(err, "%s", hint);
	}
	free(path);
	return rc;
}

static enum rc
spare_old(const struct enroll_options *o, struct err *err)
{
	enum rc rc;

	if (o->force)
		return RC_OK;
	if ((rc = spare(o, "pending/state.json", "is of a request that waits for approval",
		 "ask for it with 'scep poll', or make another one with --force", err)) != RC_OK ||
	    o->key_file != NULL)
		return rc;
	return spare(o, "key.pem", "is there already",
	    "use it with --key, replace it with --force, or choose another --out-dir", err);
}

static int
enroll_plain(const struct enroll_options *o)
{
	struct job j = { .o = o, .out_dir = o->out_dir };
	struct session_conf conf = job_session(o->url, o);
	struct session *s = NULL;
	struct enrol_result r;
	struct err err;
	int code;

	if (keep_check(o->out_dir, &err) != RC_OK || spare_old(o, &err) != RC_OK ||
	    job_from_options(&j, &err) != RC_OK || job_take_key(&j, o->new_key, &err) != RC_OK) {
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
	struct job j = { .o = o, .profile = p->name, .url = p->urls[0], .req.csr = p->build };
	char spec[24], *dir = NULL;
	struct err err;
	int code = 0;

	if (!o->quiet && !o->json)
		printf("profile %s: %s\n", p->name, p->urls[0]);
	(void)snprintf(spec, sizeof(spec), "rsa:%u", p->key_bits);
	if (folder_for(&dir, o->out_dir, p->name, &err) != RC_OK ||
	    keep_check(o->out_dir, &err) != RC_OK || dir_make(o->out_dir, 0755, &err) != RC_OK ||
	    keep_check(dir, &err) != RC_OK || job_take_key(&j, spec, &err) != RC_OK) {
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
	.out_dir = ".", .new_key = "rsa:2048", DEFAULT_WAITS
};

const struct command cmd_enroll = { .name = "enroll",
	.args = "",
	.help = "get a certificate",
	.about =
	    "Makes a key and a request, asks the server, checks the answer and stores key.pem, "
	    "cert.pem and chain.pem.\n"
	    "A request that is kept for approval is polled for with --wait, or later with 'scep "
	    "poll'.\n"
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
