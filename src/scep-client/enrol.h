/*
 * enrol.h - one enrolment or renewal from a key to a certificate, in the manner of a platform.  A
 * library: prints nothing, keeps nothing on disk.
 */
#ifndef SCEPD_SCEP_CLIENT_ENROL_H
#define SCEPD_SCEP_CLIENT_ENROL_H

#include "base/err.h"
#include "ossl/cert.h"
#include "ossl/csr.h"
#include "scep-client/session.h"
#include "scep.h"

/* Told what is being done, a line each, in the order of doing; may be NULL. */
typedef void (*enrol_progress)(void *arg, const char *what);

struct enrol_request {
	struct csr_build csr; /* subject, SAN, usages, challenge, validity */
	struct key *key;      /* lent: the one to be certified */
	/*
	 * Who signs, and to whom the answer is enveloped (RFC 8894 2.3), all lent.  With a
	 * certificate: a renewal, by that certificate and its key.  With a key alone: a throw-away
	 * certificate for that key, where `key` itself cannot take an envelope.  NULL: the same with
	 * `key`.
	 */
	const struct cert *signer;
	struct key *signer_key;
	enum scep_message_type type; /* 0: PKCSReq, or for a renewal what the manner sends */
	struct scep_algorithms alg;  /* 0 for what the server's capabilities should decide */
	bool recipient_by_ski;
	enum session_method method;
	const char *transaction_id; /* NULL: made from the key */
	unsigned retries; /* when no answer comes: the same message again, this often at most */
	unsigned retry_delay_ms; /* before each of these */
	unsigned repeats; /* rehearsal: after SUCCESS the same message again; each answer must hold
			     the same certificate */
	enrol_progress progress;
	void *progress_arg;
};

struct enrol_result {
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	char fail_text[256];
	char transaction_id[256];
	struct scep_algorithms alg; /* as used */
	enum scep_way way;          /* SUCCESS: how the answer was encrypted */
	struct cert *cert;          /* SUCCESS: holds the request's key */
	struct cert *signer; /* PENDING: who has to poll, with its key; the message's signer */
};

/*
 * RC_OK: the server answered, with whatever status; look at out->status.  Everything the answer
 * claims was verified: signed by a certificate from GetCACert, for our transaction and nonce; on
 * SUCCESS the certificate has our key and its issuer is among the server's CAs and did sign it.
 */
enum rc enrol(struct session *s, const struct enrol_request *req, struct enrol_result *out,
    struct err *err) MUST_CHECK;
void enrol_result_done(struct enrol_result *r);

/* The PKCS#10 request by itself, appended; it holds the challenge. */
enum rc enrol_csr(struct buf *der, const struct enrol_request *req, struct err *err) MUST_CHECK;

/* The pieces, for the load generator: a PKIMessage with what to remember, and the judgement of an
 * answer. */
struct enrol_message {
	struct scep_bytes bytes;
	struct scep_pending pending;
	struct scep_identity *me;
	struct cert *signer; /* its certificate */
	const char
	    *password; /* lent: the challenge, for an answer under it (RFC 8894 3.1); or NULL */
};
enum rc enrol_message_build(struct enrol_message *out, struct session *s,
    const struct enrol_request *req, struct err *err) MUST_CHECK;
enum rc enrol_message_judge(struct enrol_result *out, struct session *s,
    const struct enrol_message *m, const struct key *key, const void *reply, size_t len,
    struct err *err) MUST_CHECK;
void enrol_message_done(struct enrol_message *m);

/* The same bytes again when no answer comes, as often as the request says; *reply is the caller's. */
enum rc enrol_exchange(struct session *s, const struct scep_bytes *message,
    const struct enrol_request *req, struct buf *reply, struct err *err) MUST_CHECK;
/* To the request's progress. */
void enrol_tell(const struct enrol_request *req, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* `c` was signed by a CA certificate that GetCACert told.  RC_INTEGRITY. */
enum rc enrol_trusts(const struct session *s, const struct cert *c, struct err *err) MUST_CHECK;

/* A certificate and its key as libscep wants them; *out is the caller's. */
enum rc enrol_identity(struct scep_identity **out, const struct cert *cert, const struct key *key,
    struct err *err) MUST_CHECK;

/* What RFC 8894 3.5.2 lets a client assume: AES and SHA-256 where offered, else 3DES and SHA-1;
 * OAEP as the manner says. */
void enrol_choose(struct scep_algorithms *alg, const struct session *s);

#endif
