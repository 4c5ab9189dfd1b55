/*
 * enroll_job.h - one enrolment of the command line: from options to a request, to files.
 */
#ifndef SCEPD_SCEP_CLIENT_ENROLL_JOB_H
#define SCEPD_SCEP_CLIENT_ENROLL_JOB_H

#include "scep-client/cli.h"
#include "scep-client/enrol.h"

/* The options of enroll, renew and poll; each has rows for some of them. */
struct enroll_options {
	const char *url, *ca_file, *as, *out_dir, *subject, *challenge_file, *key_file, *new_key,
	    *cipher, *digest, *transport, *transaction_id, *validity_period, *validity_units,
	    *intune, *device, *profile, *tamper_subject, *tamper_san, *tamper_key, *server_certs,
	    *cert_file, *cert_key_file, *type, *fingerprint, *get_form;
	struct opt_list san, key_usage, eku;
	bool get, post, by_ski, json, quiet, challenge_stdin, force, tamper_challenge, request_only,
	    rsa_signer, same_key, wait;
	uint64_t retries, repeats;
	int64_t retry_delay, interval, max_wait, within;
};

/* Rows that commands share.  How a message is made and sent: */
#define ROW(name, letter, type, field, value, help)                                                \
	name, letter, type, offsetof(struct enroll_options, field), value, help
#define ROWS_TALK                                                                                  \
	{ ROW("as", 0, OPT_CHOICE, as, "PLATFORM",                                                 \
	      "speak as this platform's client (default plain, or the device's)"),                 \
		.choices = MANNER_NAMES },                                                         \
	    { ROW("cipher", 0, OPT_CHOICE, cipher, "NAME",                                         \
		  "default: the best that the server names"),                                      \
		    .choices = "aes128|aes192|aes256|des3" },                                      \
	    { ROW("digest", 0, OPT_CHOICE, digest, "NAME",                                         \
		  "default: SHA-256 if the server names it"),                                      \
		    .choices = "sha1|sha256|sha384|sha512" },                                      \
	    { ROW("transport", 0, OPT_CHOICE, transport, "NAME",                                   \
		  "how the content key is wrapped (default: as the platform does)"),               \
		    .choices = "rsa|oaep|oaep-sha256" },                                           \
	    { ROW("recipient-by-ski", 0, OPT_FLAG, by_ski, NULL,                                   \
		"name the recipient by subjectKeyIdentifier") },                                   \
	    { ROW("get", 0, OPT_FLAG, get, NULL, "send PKIOperation by GET") },                    \
	    { ROW("get-form", 0, OPT_CHOICE, get_form, "NAME",                                     \
		  "send it by GET, the base64 escaped, raw but for '=', or in lines of 64 "        \
		  "(default: as the platform does)"),                                              \
		    .choices = "escaped|raw|lines" },                                              \
	    { ROW("post", 0, OPT_FLAG, post, NULL,                                                 \
		"send PKIOperation by POST, even to a server that does not name it") },            \
	    { ROW("ca-file", 0, OPT_STR, ca_file, "FILE",                                          \
		"PEM trust anchors for https, the simulator's too (default: the system's)") },     \
	    { ROW("fingerprint", 0, OPT_STR, fingerprint, "HEX",                                   \
		"stop unless a certificate of the server has this SHA-1 or SHA-256") },            \
	    { ROW("server-certs", 0, OPT_STR, server_certs, "FILE",                                \
		"with --url: certificates of the server that were fetched before (PEM, RA "        \
		"first), instead of GetCACert's") },                                               \
	    { ROW("retries", 0, OPT_U64, retries, "N",                                             \
		  "when no answer comes, send the same message again (default 0)"),                \
		    .max = 1000 },                                                                 \
	    { ROW("retry-delay", 0, OPT_DURATION, retry_delay, "TIME",                             \
		  "before each of these (default 1s)"),                                            \
		    .max = 3600 },                                                                 \
	    { ROW("json", 0, OPT_FLAG, json, NULL, "print the outcome as JSON") },                 \
	{                                                                                          \
		ROW("quiet", 'q', OPT_FLAG, quiet, NULL, "print nothing but errors")               \
	}
/* What happens when a request is kept for approval: */
#define ROWS_WAIT                                                                                  \
	{ ROW("wait", 'w', OPT_FLAG, wait, NULL,                                                   \
	    "if the request is pending, ask again until it is decided") },                         \
	    { ROW("interval", 0, OPT_DURATION, interval, "TIME",                                   \
		  "with --wait: between two polls (default 30s)"),                                 \
		    .min = 1, .max = 86400 },                                                      \
	{                                                                                          \
		ROW("max-wait", 0, OPT_DURATION, max_wait, "TIME",                                 \
		    "with --wait: give up after this (default 1h); 'scep poll' goes on later"),    \
		    .min = 1, .max = 31 * 86400                                                    \
	}
/* What goes into the CSR: */
#define ROWS_CSR                                                                                   \
	{ ROW("san", 0, OPT_LIST, san, "TYPE:VALUE",                                               \
	    "alternative name: dns:, email:, upn:, uri:") },                                       \
	    { ROW("challenge-file", 0, OPT_STR, challenge_file, "FILE",                            \
		"the challenge password; or --challenge-stdin") },                                 \
	    { ROW("challenge-stdin", 0, OPT_FLAG, challenge_stdin, NULL,                           \
		"read the challenge password from standard input") },                              \
	    { ROW("key-usage", 0, OPT_LIST, key_usage, "NAME",                                     \
		"digitalSignature, keyEncipherment ...") },                                        \
	    { ROW("eku", 0, OPT_LIST, eku, "OID", "extended key usage") },                         \
	{                                                                                          \
		ROW("transaction-id", 0, OPT_STR, transaction_id, "ID",                            \
		    "default: made from the key")                                                  \
	}
#define DEFAULT_WAITS .retry_delay = 1, .interval = 30, .max_wait = 3600

/* What one enrolment needs beside the session; owns what it made. */
struct job {
	const struct enroll_options *o;
	const char *out_dir;
	const char *profile, *url; /* of the device role; NULL otherwise */
	struct enrol_request req;
	struct key *key;
	/* a renewal: what is renewed, with its key; signer_key may be a throw-away one too */
	struct cert *old;
	struct key *signer_key;
	struct name subject;
	struct san_list san;
	struct buf challenge;
};
void job_done(struct job *j);

/* Subject, alternative names, usages and challenge from the options; a renewal has its subject already
 * where the options have none.  RC_CONFIG names the option. */
enum rc job_from_options(struct job *j, struct err *err) MUST_CHECK;
/* The challenge alone; there may be none. */
enum rc job_challenge(struct job *j, struct err *err) MUST_CHECK;
/* --key, or a new one of `spec` ("rsa:2048"); with --rsa-signer another one to sign with. */
enum rc job_take_key(struct job *j, const char *spec, struct err *err) MUST_CHECK;
struct pending;
/* The rows above in the form in which the library takes them: a session, and a message. */
struct session_conf job_session(const char *url, const struct enroll_options *o);
void job_talk(struct enrol_request *req, const struct enroll_options *o);
/*
 * The job is complete but for the session: tamper, enrol, store.  RC_OK when the server gave an
 * answer, whatever it was.  PENDING is on disk then, and with --wait was polled for.
 */
enum rc job_run(
    struct job *j, struct session *s, struct enrol_result *r, struct err *err) MUST_CHECK;
/*
 * A request that is pending: one poll at once, with --wait more of them until it is decided or the time
 * is up.  What is decided is stored, or forgotten.
 */
enum rc job_poll(struct job *j, struct session *s, struct pending *p, struct enrol_result *r,
    struct err *err) MUST_CHECK;
/* --request-only: key.pem and request.der, and nothing is sent. */
enum rc job_write_request(struct job *j, struct err *err) MUST_CHECK;
/* For people or as JSON; a refusal goes to standard error. */
void job_print(const struct job *j, const struct enrol_result *r);
int job_exit_code(const struct enrol_result *r);

#endif
