/*
 * enroll_job.c - what scep enroll does for one certificate.
 */
#include "scep-client/enroll_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/ask.h"
#include "scep-client/device.h"
#include "scep-client/keep.h"
#include "scep-client/pending.h"

void
job_done(struct job *j)
{
	key_free(j->key);
	key_free(j->signer_key);
	cert_free(j->old);
	name_done(&j->subject);
	san_list_done(&j->san);
	buf_wipe(&j->challenge);
}

static void
say(void *arg, const char *what)
{
	const struct enroll_options *o = arg;

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

enum rc
job_challenge(struct job *j, struct err *err)
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

enum rc
job_from_options(struct job *j, struct err *err)
{
	enum rc rc;

	if (j->o->subject == NULL && j->subject.n == 0 && j->old == NULL)
		return fail(err, RC_CONFIG,
		    "--subject is missing (or enrol a simulated device with --intune URL --device "
		    "ID)");
	if (j->o->subject != NULL &&
	    (rc = name_from_text(&j->subject, j->o->subject, err)) != RC_OK)
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
	return job_challenge(j, err);
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
take_algorithms(struct scep_algorithms *alg, const struct enroll_options *o)
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

/* What a message can be signed with, and answered to; Ed25519 and ML-DSA sign no digest (RFC 5652 5.4). */
static enum rc
key_serves(const struct key *k, struct err *err)
{
	if (key_info0(k)->type == KEY_RSA || key_info0(k)->type == KEY_EC)
		return RC_OK;
	return fail(err, RC_ALG, "a key of %s signs no SCEP message: it has to be RSA or EC",
	    key_info0(k)->name);
}

enum rc
job_take_key(struct job *j, const char *spec, struct err *err)
{
	enum rc rc;

	if (j->o->key_file != NULL)
		rc = key_load(&j->key, j->o->key_file, err);
	else
		rc = key_generate(&j->key, j->o->tamper_key != NULL ? j->o->tamper_key : spec, err);
	if (rc == RC_OK)
		rc = key_serves(j->key, err);
	if (rc == RC_OK && j->o->rsa_signer && j->old == NULL)
		rc = key_generate(&j->signer_key, "rsa:2048", err);
	j->req.key = j->key;
	j->req.signer_key = j->signer_key;
	j->req.signer = j->old;
	return rc;
}

/* ---- one enrolment ---- */

static enum rc
store_result(
    const struct job *j, const struct session *s, const struct enrol_result *r, struct err *err)
{
	const struct cert *chain[SESSION_CERTS_MAX];
	struct kept k = { .key = j->key, .cert = r->cert, .chain = chain };
	char line[512], *backup;
	enum rc rc;

	for (size_t i = 0; i < s->n_ca; i++)
		if (cert_is_ca(s->ca[i]))
			chain[k.n_chain++] = s->ca[i];
	if ((rc = keep_install(j->out_dir, &k, &backup, err)) != RC_OK)
		return rc;
	if (backup != NULL) {
		(void)snprintf(line, sizeof(line), "what was there before is in %s", backup);
		say((void *)(uintptr_t)j->o, line);
	}
	free(backup);
	return RC_OK;
}

/* The answer is PENDING: from now on the folder knows how to ask again. */
static enum rc
store_pending(
    const struct job *j, const struct session *s, const struct enrol_result *r, struct err *err)
{
	struct pending_new p = { .url = j->url != NULL ? j->url : j->o->url,
		.manner = s->manner->name,
		.transaction_id = r->transaction_id,
		.fingerprint = j->o->fingerprint,
		.subject = j->req.csr.subject,
		.renewal = j->old != NULL,
		.signer = r->signer,
		.key = j->key,
		.signer_key = j->signer_key != NULL ? j->signer_key : j->key };

	return pending_save(j->out_dir, &p, err);
}

void
job_print(const struct job *j, const struct enrol_result *r)
{
	const struct enroll_options *o = j->o;
	json_t *cert = r->cert != NULL ? cli_cert_json(r->cert) : json_null();

	if (o->json) {
		(void)cli_print_json(json_pack("{s:s*, s:s, s:s, s:s, s:s, s:s, s:s, s:o}",
		    "profile", j->profile, "status", scep_pki_status_name(r->status), "failInfo",
		    scep_fail_info_name(r->fail_info), "failInfoText", r->fail_text,
		    "transactionId", r->transaction_id, "envelope", scep_way_name(r->way), "outDir",
		    j->out_dir, "certificate", cert));
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
		fprintf(stderr,
		    "%s: the server keeps the request for approval (transaction %s)\n  'scep poll "
		    "--out-dir %s' asks again, with --wait until it is decided\n",
		    PROG, r->transaction_id, j->out_dir);
}

int
job_exit_code(const struct enrol_result *r)
{
	return r->status == SCEP_SUCCESS ? 0
	    : r->status == SCEP_FAILURE  ? EXIT_REFUSED
					 : EXIT_PENDING;
}

struct session_conf
job_session(const char *url, const struct enroll_options *o)
{
	static const struct {
		const char *name;
		enum get_form form;
	} forms[] = { { "escaped", GET_ESCAPED }, { "raw", GET_RAW }, { "lines", GET_LINES } };
	struct session_conf conf = { .url = url,
		.ca_file = o->ca_file,
		.server_certs = o->server_certs,
		.fingerprint = o->fingerprint,
		.manner = o->as != NULL ? manner_by_name(o->as) : NULL };

	for (size_t i = 0; o->get_form != NULL && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, o->get_form) == 0)
			conf.get_form = &forms[i].form;
	return conf;
}

void
job_talk(struct enrol_request *req, const struct enroll_options *o)
{
	req->method = o->get || o->get_form != NULL ? METHOD_GET
	    : o->post                               ? METHOD_POST
						    : METHOD_CHOOSE;
	req->recipient_by_ski = o->by_ski;
	req->retries = (unsigned)o->retries;
	req->retry_delay_ms = (unsigned)(o->retry_delay * 1000);
	req->progress = say;
	req->progress_arg = (void *)(uintptr_t)o;
	take_algorithms(&req->alg, o);
}

/* ---- polls ---- */

/* One poll, counted on disk; what is decided ends the folder `pending`. */
static enum rc
poll_once(
    struct job *j, struct session *s, struct pending *p, struct enrol_result *r, struct err *err)
{
	enum rc rc;

	if ((rc = ask_poll(s, &j->req, r, err)) != RC_OK)
		return rc;
	if (r->status == SCEP_PENDING)
		return pending_count(j->out_dir, p, err);
	if (r->status == SCEP_SUCCESS && (rc = store_result(j, s, r, err)) != RC_OK) {
		enrol_result_done(r);
		return rc;
	}
	return pending_drop(j->out_dir, err);
}

enum rc
job_poll(
    struct job *j, struct session *s, struct pending *p, struct enrol_result *r, struct err *err)
{
	const int64_t start = clock_mono_ms() / 1000, end = start + j->o->max_wait;
	char every[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX], so_far[DURATION_TEXT_MAX];
	enum rc rc;

	j->req.csr.subject = &p->subject;
	j->req.transaction_id = p->transaction_id;
	j->req.key = p->key;
	j->req.signer = p->signer;
	j->req.signer_key = p->signer_key;
	duration_text(every, j->o->interval);
	duration_text(most, j->o->max_wait);
	for (;;) {
		bool last = !j->o->wait || clock_mono_ms() / 1000 + j->o->interval > end;

		rc = poll_once(j, s, p, r, err);
		/* Who waits for hours lives through a restart of the server. */
		if (last || (rc != RC_OK && rc != RC_IO && rc != RC_TIMEOUT) ||
		    (rc == RC_OK && r->status != SCEP_PENDING))
			return rc;
		duration_text(so_far, clock_mono_ms() / 1000 - start);
		enrol_tell(&j->req, "%s%s after %s; asking again in %s, for %s at most",
		    rc == RC_OK ? "still pending" : "no answer: ", rc == RC_OK ? "" : err->msg,
		    so_far, every, most);
		(void)sleep((unsigned)j->o->interval);
	}
}

/* --wait right after the request: what was written is read again, as 'scep poll' would. */
static enum rc
wait_for_decision(struct job *j, struct session *s, struct enrol_result *r, struct err *err)
{
	struct pending p;
	enum rc rc;

	if ((rc = pending_load(&p, j->out_dir, err)) != RC_OK)
		return rc;
	enrol_result_done(r);
	memset(r, 0, sizeof(*r));
	rc = job_poll(j, s, &p, r, err);
	pending_done(&p);
	return rc;
}

/* ---- all of it ---- */

enum rc
job_run(struct job *j, struct session *s, struct enrol_result *r, struct err *err)
{
	enum rc rc;

	job_talk(&j->req, j->o);
	j->req.transaction_id = j->o->transaction_id;
	j->req.repeats = (unsigned)j->o->repeats;
	if ((rc = tamper(j, err)) != RC_OK || (rc = enrol(s, &j->req, r, err)) != RC_OK)
		return rc;
	if (r->status == SCEP_SUCCESS)
		rc = store_result(j, s, r, err);
	else if (r->status == SCEP_PENDING && (rc = store_pending(j, s, r, err)) == RC_OK &&
	    j->o->wait)
		return wait_for_decision(j, s, r, err);
	if (rc != RC_OK)
		enrol_result_done(r);
	return rc;
}

enum rc
job_write_request(struct job *j, struct err *err)
{
	char *path = NULL;
	struct buf csr;
	enum rc rc;

	buf_init(&csr, LIMIT_CSR);
	if ((rc = tamper(j, err)) == RC_OK && (rc = enrol_csr(&csr, &j->req, err)) == RC_OK &&
	    (rc = dir_make(j->out_dir, 0755, err)) == RC_OK &&
	    (rc = cli_write_key(j->out_dir, "key.pem", j->key, err)) == RC_OK &&
	    (rc = path_join(&path, j->out_dir, "request.der", err)) == RC_OK)
		rc = file_write(path, csr.data, csr.len, 0600, 1, err); /* it holds the challenge */
	if (rc == RC_OK && j->o->json)
		(void)cli_print_json(json_pack(
		    "{s:s*, s:s, s:s}", "profile", j->profile, "key", "key.pem", "request", path));
	else if (rc == RC_OK && !j->o->quiet)
		printf("  made %s, nothing sent\n", path);
	free(path);
	buf_wipe(&csr);
	return rc;
}
