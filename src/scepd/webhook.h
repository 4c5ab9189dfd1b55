/*
 * webhook.h - an outside HTTPS service decides whether a request is genuine.
 *
 * What goes over the wire is in docs/webhook.md: a POST of JSON, signed with HMAC-SHA256 as Standard
 * Webhooks do it, and an answer {"decision": "allow" | "deny" | "wait"}.  Anything else is no
 * decision, and no decision is no certificate (S21).
 *
 * Bounds: the time of one question is webhook.timeout; WEBHOOK_CALLS_MAX of one endpoint are under way
 * at once; after BREAKER_ROW without an answer nobody waits for a service that is out.  Threads: any.
 */
#ifndef SCEPD_SCEPD_WEBHOOK_H
#define SCEPD_SCEPD_WEBHOOK_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/csr.h"
#include "scepd/config.h"

/* A quarter of the workers there are by default: a slow service must not take them all. */
#define WEBHOOK_CALLS_MAX  128
#define WEBHOOK_ANSWER_MAX (16 * KIB)
#define WEBHOOK_REASON_MAX 200 /* bytes; one sentence in a log line */
#define WEBHOOK_SECRET_MIN 16  /* bytes: what can be tried through offline is no secret */

struct webhook;

/* Of an endpoint with challenge: webhook; `conf` must outlive it.  Reads its files; no network. */
enum rc webhook_open(
    struct webhook **out, const struct conf_endpoint *conf, struct err *err) MUST_CHECK;
void webhook_free(struct webhook *w);
/* Take up a changed secret_file or ca_file; what cannot be used is logged and leaves in force what was
 * read before.  From one thread at a time; requests go on meanwhile. */
void webhook_reload(struct webhook *w);

struct webhook_question {
	const char *endpoint, *profile, *transaction_id, *peer;
	const char *replaces; /* serial number; NULL: no renewal */
	const struct csr *csr;
};
enum webhook_says { WEBHOOK_ALLOW = 1, WEBHOOK_DENY, WEBHOOK_WAIT };
struct webhook_answer {
	enum webhook_says says;
	char reason[WEBHOOK_REASON_MAX + 1]; /* printable; "" when none was given */
};
/* RC_OK: *out is its decision, a no included.  RC_IO, RC_TIMEOUT, RC_LIMIT: there is none, and the
 * same question may get one later.  RC_DENIED: send_challenge, and the request has none. */
enum rc webhook_ask(struct webhook *w, const struct webhook_question *q, struct webhook_answer *out,
    struct err *err) MUST_CHECK;
/* 1 while its circuit breaker is open. */
bool webhook_is_out(struct webhook *w);

/* ---- the pieces, for tests ---- */

/* The key in what a secret_file holds: "whsec_" and base64, or any text as it is.  RC_CONFIG when it
 * is too short. */
enum rc webhook_key(struct buf *out, const void *text, size_t len, struct err *err) MUST_CHECK;
/* "v1,<base64>": HMAC-SHA256 over "<id>.<timestamp>.<body>". */
#define WEBHOOK_SIGNATURE_MAX 64
enum rc webhook_sign(char out[static WEBHOOK_SIGNATURE_MAX], const struct buf *key, const char *id,
    int64_t timestamp, const void *body, size_t len, struct err *err) MUST_CHECK;
enum rc webhook_body(struct buf *out, const struct webhook_question *q, bool send_challenge,
    struct err *err) MUST_CHECK;
/* The door: RC_PARSE, RC_LIMIT. */
enum rc webhook_answer_parse(
    struct webhook_answer *out, const void *bytes, size_t len, struct err *err) MUST_CHECK;

#endif
