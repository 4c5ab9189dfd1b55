/*
 * enroll_job.h - one enrolment of the command line: from options to a request, to files.
 */
#ifndef SCEPD_SCEP_CLIENT_ENROLL_JOB_H
#define SCEPD_SCEP_CLIENT_ENROLL_JOB_H

#include "scep-client/cli.h"
#include "scep-client/enrol.h"

struct enroll_options {
	const char *url, *ca_file, *as, *out_dir, *subject, *challenge_file, *key_file, *new_key,
	    *cipher, *digest, *transport, *transaction_id, *validity_period, *validity_units,
	    *intune, *device, *profile, *tamper_subject, *tamper_san, *tamper_key, *server_certs;
	struct opt_list san, key_usage, eku;
	bool get, post, by_ski, json, quiet, challenge_stdin, force, tamper_challenge, request_only;
	uint64_t retries, repeats;
	int64_t retry_delay;
};

/* What one enrolment needs beside the session; owns what it made. */
struct job {
	const struct enroll_options *o;
	const char *out_dir, *profile; /* of the device role; NULL otherwise */
	struct enrol_request req;
	struct key *key;
	struct name subject;
	struct san_list san;
	struct buf challenge;
};
void job_done(struct job *j);

/* Subject, alternative names, usages and challenge from the options.  RC_CONFIG names the option. */
enum rc job_from_options(struct job *j, struct err *err) MUST_CHECK;
/* --key, or a new one of `spec` ("rsa:2048"). */
enum rc job_take_key(struct job *j, const char *spec, struct err *err) MUST_CHECK;
/*
 * The job is complete but for the session: tamper, enrol, store.  RC_OK when the server gave an
 * answer, whatever it was.
 */
enum rc job_run(
    struct job *j, struct session *s, struct enrol_result *r, struct err *err) MUST_CHECK;
/* --request-only: key.pem and request.der, and nothing is sent. */
enum rc job_write_request(struct job *j, struct err *err) MUST_CHECK;
/* For people or as JSON; a refusal goes to standard error. */
void job_print(const struct job *j, const struct enrol_result *r);
int job_exit_code(const struct enrol_result *r);

#endif
