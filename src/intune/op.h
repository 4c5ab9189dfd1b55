/*
 * op.h - one call of a caller's: its deadline, its ids, and the exchanges it makes.
 */
#ifndef SCEPD_INTUNE_OP_H
#define SCEPD_INTUNE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "http/client.h"
#include "intune/error.h"
#include "intune/wire.h"

struct intune_client;

struct op {
	struct intune_client *client;
	int64_t deadline; /* clock_mono_ms() */
	uint64_t begun_us;
	unsigned blamed;          /* 1 << enum intune_service: this call has counted there */
	bool too_large;           /* the last answer was longer than reply_max */
	bool cut;                 /* the last exchange broke off: no connection, or a broken one */
	struct intune_error *err; /* the caller's, or `scratch` */
	struct intune_error scratch;
};

void op_begin(
    struct op *op, struct intune_client *c, const char *transaction_id, struct intune_error *err);
/* Stamp the time it took; forget what earlier exchanges complained of when it ended well. */
enum intune_status op_end(struct op *op, enum intune_step step, enum intune_status st);
enum intune_status op_nomem(struct op *op, enum intune_step step);
enum intune_status op_timed_out(struct op *op, enum intune_step step);

#define OP_HEADERS 6

struct exchange {
	enum intune_step step;
	const char *method;
	const char *url;
	const char *host;                    /* for messages */
	const char *headers[OP_HEADERS + 2]; /* client-request-id is added */
	size_t n_headers;
	const struct buf *body; /* or NULL */
	bool direct;            /* past the proxy */
	size_t reply_max;       /* bytes of the answer; 0: LIMIT_JSON */
	const char *permission; /* what the app must be granted for it; NULL: the step tells */
};
/*
 * Send and receive within the deadline, with a new client-request-id.  INTUNE_OK: an answer of
 * whatever status, with its status and ids noted in op->err.  Call op_result_done() in any case:
 * the body may be a token.  INTUNE_E_UNAVAILABLE without a request while the breaker of the step's
 * service is open.
 */
enum intune_status op_exchange(struct op *op, struct exchange *x, struct http_result *res);
void op_result_done(struct http_result *res);

/*
 * "at most one quick retry inside the request": true after having slept when the last answer was
 * 429 or 503 with a Retry-After that is short and fits into the deadline; and, for a step that is
 * safe to repeat, after a short random pause when the exchange broke off or the answer was 500, 502,
 * 503 or 504.  A time-out is not repeated: it has cost the caller most of its time.
 */
bool op_wait_for_retry(const struct op *op);
/* Asking twice does no harm, even if the first request arrived. */
bool op_repeatable(enum intune_step step);

/* What any server's failing answer has in common, by status; `said` is INTUNE_E_PROTOCOL's
 * replacement for other 4xx. */
enum intune_status op_http_failure(struct op *op, const struct exchange *x,
    const struct http_result *res, enum intune_status said);
/* The same when the body is OData: Graph's and Intune's. */
enum intune_status op_odata_failure(
    struct op *op, const struct exchange *x, const struct http_result *res);
/* Keep what an answer that is not the service's said, as the description: a gateway's page. */
void op_keep_words(struct op *op, const struct http_result *res);
/* When this machine's clock and the server's disagree, say so in the hint. */
void op_hint_clock(struct op *op, const struct http_result *res);

#endif
