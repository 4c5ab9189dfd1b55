/*
 * op.c - deadlines, exchanges, and what failing answers have in common.
 */
#include "intune/op.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define QUICK_RETRY_MAX_S  2   /* a device waits about 30 s for all of this */
#define QUICK_RETRY_MIN_MS 100 /* "Retry-After: 0" */
#define PAUSE_MIN_MS       50  /* before a repetition that nobody asked for: time enough ... */
#define PAUSE_SPREAD_MS    200 /* ... for a balancer to turn elsewhere; spread over many callers */
#define CLOCK_SKEW_S       60  /* less than this does no harm to tokens */
#define FAIR_SHARE         4   /* of the call's time: less, and a time-out is the caller's own */

/*
 * What is known of each step: whom it asks, and whether asking twice does no harm.  Tokens,
 * discovery and look-ups change nothing.  A download hands out the same requests until their results
 * have been uploaded.  validateRequest is a comparison: within the challenge's hour the same request
 * gets the same answer, and should a tenant's service ever take a challenge but once, the second
 * try's refusal keeps the certificate back, which is the safe side.  Notifications and uploads are
 * records; nothing says what a second one does, so they are repeated only when the first cannot have
 * arrived or was turned away with Retry-After; results whose upload was lost are uploaded with those
 * of the next download.
 */
static const struct trait {
	enum intune_service service;
	bool repeatable;
} traits[INTUNE_STEP__MAX] = {
	[INTUNE_STEP_TOKEN] = { INTUNE_SERVICE_LOGIN, true },
	[INTUNE_STEP_DISCOVERY] = { INTUNE_SERVICE_GRAPH, true },
	[INTUNE_STEP_DIRECTORY] = { INTUNE_SERVICE_GRAPH, true },
	[INTUNE_STEP_VALIDATE] = { INTUNE_SERVICE_SCEP, true },
	[INTUNE_STEP_SUCCESS] = { INTUNE_SERVICE_SCEP, false },
	[INTUNE_STEP_FAILURE] = { INTUNE_SERVICE_SCEP, false },
	[INTUNE_STEP_DOWNLOAD] = { INTUNE_SERVICE_REVOCATION, true },
	[INTUNE_STEP_UPLOAD] = { INTUNE_SERVICE_REVOCATION, false },
};

/* Forget what an earlier exchange of the same call left. */
static void
fresh(struct op *op)
{
	char id[sizeof(op->err->transaction_id)];

	memcpy(id, op->err->transaction_id, sizeof(id));
	error_reset(op->err);
	memcpy(op->err->transaction_id, id, sizeof(id));
}

void
op_begin(
    struct op *op, struct intune_client *c, const char *transaction_id, struct intune_error *err)
{
	op->client = c;
	op->blamed = 0;
	op->cut = op->too_large = false;
	op->begun_us = clock_mono_us();
	op->err = err != NULL ? err : &op->scratch;
	error_reset(op->err);
	if (transaction_id != NULL)
		error_words(op->err->transaction_id, sizeof(op->err->transaction_id),
		    transaction_id, strlen(transaction_id));
	op->deadline = (int64_t)(op->begun_us / 1000) + (c != NULL ? c->set.total_ms : 0);
}

enum intune_status
op_end(struct op *op, enum intune_step step, enum intune_status st)
{
	struct intune_error *e = op->err;

	e->status = st;
	e->elapsed_ms = (unsigned)((clock_mono_us() - op->begun_us) / 1000);
	if (st == INTUNE_OK) {
		e->step = step;
		e->aadsts = 0;
		e->retry_after = -1;
		e->message[0] = e->hint[0] = '\0';
	} else if (op->client != NULL) {
		credential_scrub(&op->client->credential, e);
		error_scrub(e, op->client->set.v[P_PROXY_PASS]);
	}
	return st;
}

enum intune_status
op_nomem(struct op *op, enum intune_step step)
{
	fresh(op);
	return error_set(
	    op->err, INTUNE_E_NOMEM, step, "%s: out of memory", intune_step_name(step));
}

enum intune_status
op_timed_out(struct op *op, enum intune_step step)
{
	fresh(op);
	error_set(op->err, INTUNE_E_UNAVAILABLE, step,
	    "%s: the time limit of %u ms for the whole call has passed", intune_step_name(step),
	    op->client->set.total_ms);
	error_hint(op->err, "the service or something on the way is slow; the device tries again");
	return INTUNE_E_UNAVAILABLE;
}

static void
hint_transport(struct op *op, const struct exchange *x, enum http_step failed)
{
	const char *proxy = op->client->set.v[P_PROXY_HOST];
	static const char *const hints[] = {
		[HTTP_STEP_NONE] = "",
		[HTTP_STEP_RESOLVE] = "the name does not resolve: check DNS",
		[HTTP_STEP_CONNECT] = "nothing answers there: check firewall and proxy settings",
		[HTTP_STEP_PROXY] =
		    "the proxy refuses: check PROXY_HOST, PROXY_PORT, PROXY_USER and "
		    "PROXY_PASS",
		[HTTP_STEP_TLS] =
		    "TLS fails: check trust anchors, this machine's clock, and whether "
		    "something inspects TLS",
		[HTTP_STEP_TRANSFER] =
		    "connected, but no whole answer came in time: the service or something on the "
		    "way is slow or cuts connections; the device tries again",
	};

	if ((unsigned)failed < sizeof(hints) / sizeof(hints[0]) && hints[failed][0] != '\0')
		error_hint(op->err, "%s: %s", x->host, hints[failed]);
	if (proxy != NULL)
		error_hint_more(
		    op->err, "by way of the proxy %s:%s", proxy, op->client->set.v[P_PROXY_PORT]);
}

static enum intune_status
transport_failure(struct op *op, const struct exchange *x, enum rc rc, enum http_step failed,
    const struct err *why)
{
	static const enum intune_status by_rc[RC__MAX] = {
		[RC_NOMEM] = INTUNE_E_NOMEM,
		[RC_LIMIT] = INTUNE_E_PROTOCOL,
		[RC_PARSE] = INTUNE_E_PROTOCOL,
		[RC_CONFIG] = INTUNE_E_ARGUMENT,
	};
	enum intune_status st = (unsigned)rc < RC__MAX ? by_rc[rc] : INTUNE_OK;

	if (st == INTUNE_OK)
		st = INTUNE_E_UNAVAILABLE;
	error_set(op->err, st, x->step, "%s: %s: %s", intune_step_name(x->step), x->host, why->msg);
	hint_transport(op, x, failed);
	return st;
}

/* The service's own id of the request: Graph's, Entra's and the gateway's name for it. */
static void
note_answer(struct op *op, const struct http_result *res)
{
	static const char *const names[] = { "request-id", "x-ms-request-id" };
	struct intune_error *e = op->err;
	char text[sizeof(e->request_id)];
	size_t i;

	e->http_status = res->status;
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && e->request_id[0] == '\0'; i++) {
		http_result_header(res, names[i], text, sizeof(text));
		error_words(e->request_id, sizeof(e->request_id), text, strlen(text));
	}
	if (res->status >= 400 && res->retry_after >= 0)
		e->retry_after = res->retry_after < INT32_MAX ? (long)res->retry_after : INT32_MAX;
}

/* Open: nothing is sent. */
static enum intune_status
held_back(struct op *op, const struct exchange *x, const struct breaker_refusal *why)
{
	fresh(op);
	error_set(op->err, INTUNE_E_UNAVAILABLE, x->step,
	    "%s: %s: not asked, since %u calls in a row had no answer; the last: %s",
	    intune_step_name(x->step), x->host, why->row, why->cause);
	op->err->retry_after = (long)((why->wait_ms + 999) / 1000);
	error_hint(op->err,
	    "%s is asked again by itself in %ld s; if it lasts, check network, proxy and "
	    "Microsoft's service health",
	    x->host, op->err->retry_after);
	return INTUNE_E_UNAVAILABLE;
}

/* Does this status say that the service is out, and not that it dislikes the request? */
static bool
is_outage(enum intune_service s, int status)
{
	if (status == 407 || status == 408 || status == 429 || (status >= 502 && status <= 504))
		return true;
	return status >= 500 && (s == INTUNE_SERVICE_LOGIN || s == INTUNE_SERVICE_GRAPH);
}

static enum outcome
outcome_of(const struct op *op, enum intune_service s, enum rc rc, int64_t had_ms, int status)
{
	enum outcome o = OUTCOME_ANSWER;

	if (rc == RC_IO || (rc == RC_TIMEOUT && had_ms >= op->client->set.total_ms / FAIR_SHARE))
		o = OUTCOME_OUTAGE;
	else if (rc == RC_OK && is_outage(s, status))
		o = OUTCOME_OUTAGE;
	else if ((rc == RC_OK && status >= 500) || rc == RC_TIMEOUT || rc == RC_NOMEM ||
	    rc == RC_CONFIG)
		o = OUTCOME_NONE;
	/* One call is one witness, however often it tried. */
	return o == OUTCOME_OUTAGE && (op->blamed & 1u << s) != 0 ? OUTCOME_NONE : o;
}

/* Tell the breaker how it went. */
static void
testify(struct op *op, enum intune_service s, const struct breaker_pass *pass, enum outcome o,
    const struct http_result *res, const struct err *why)
{
	char cause[sizeof(((struct breaker *)0)->cause)];

	cause[0] = '\0';
	if (res->status != 0)
		(void)snprintf(cause, sizeof(cause), "HTTP %d", res->status);
	else if (o == OUTCOME_OUTAGE)
		error_words(cause, sizeof(cause), why->msg, strlen(why->msg));
	if (o == OUTCOME_OUTAGE)
		op->blamed |= 1u << s;
	breaker_leave(&op->client->breakers[s], clock_mono_ms(), pass, o,
	    res->retry_after < INT32_MAX ? (long)res->retry_after : INT32_MAX, cause);
}

/* http_call() with the breaker of the step's service around it. */
static enum rc
call_guarded(struct op *op, const struct exchange *x, const struct http_call *call,
    const struct breaker_pass *pass, struct http_result *res, struct err *why)
{
	enum intune_service s = traits[x->step].service;
	enum rc rc = http_call(op->client->http, call, res, why);

	op->cut = rc == RC_IO &&
	    (res->failed == HTTP_STEP_RESOLVE || res->failed == HTTP_STEP_CONNECT ||
		res->failed == HTTP_STEP_TRANSFER);
	testify(op, s, pass, outcome_of(op, s, rc, call->total_ms, res->status), res, why);
	return rc;
}

enum intune_status
op_exchange(struct op *op, struct exchange *x, struct http_result *res)
{
	char id_line[sizeof("client-request-id: ") + GUID_TEXT];
	int64_t left = op->deadline - clock_mono_ms();
	struct http_call call = {
		.method = x->method,
		.url = x->url,
		.headers = x->headers,
		.connect_ms = op->client->set.connect_ms,
		.direct = x->direct,
		.reply_max = x->reply_max != 0 ? x->reply_max : LIMIT_JSON,
	};
	struct breaker_refusal refusal;
	struct breaker_pass pass;
	struct err why;
	size_t n = x->n_headers;
	enum rc rc;

	memset(res, 0, sizeof(*res));
	op->cut = op->too_large = false;
	if (left <= 0)
		return op_timed_out(op, x->step);
	fresh(op);
	if (wire_guid(op->err->activity_id, &why) != RC_OK)
		return error_set(op->err, INTUNE_E_UNAVAILABLE, x->step, "%s", why.msg);
	if (!breaker_enter(
		&op->client->breakers[traits[x->step].service], clock_mono_ms(), &pass, &refusal))
		return held_back(op, x, &refusal);
	memcpy(id_line, "client-request-id: ", sizeof("client-request-id: "));
	memcpy(id_line + sizeof("client-request-id: ") - 1, op->err->activity_id, GUID_TEXT);
	x->headers[n] = id_line;
	x->headers[n + 1] = NULL;
	call.total_ms = (unsigned)left;
	if (x->body != NULL) {
		call.body = x->body->data;
		call.body_len = x->body->len;
	}
	rc = call_guarded(op, x, &call, &pass, res, &why);
	x->headers[n] = NULL; /* id_line ends with this frame */
	op->too_large = rc == RC_LIMIT;
	if (rc != RC_OK)
		return transport_failure(op, x, rc, res->failed, &why);
	note_answer(op, res);
	return INTUNE_OK;
}

void
op_result_done(struct http_result *res)
{
	buf_wipe(&res->body);
	http_result_done(res);
}

bool
op_repeatable(enum intune_step step)
{
	return traits[step].repeatable;
}

static int64_t
jitter_ms(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return r % PAUSE_SPREAD_MS;
}

/* How long to wait before one repetition; -1: none. */
static int64_t
pause_before_retry(const struct op *op)
{
	const struct intune_error *e = op->err;
	int status = e->http_status;

	if ((status == 429 || status == 503) && e->retry_after >= 0) {
		if (e->retry_after > QUICK_RETRY_MAX_S)
			return -1;
		/* Never sooner than asked for: jitter is added. */
		return (e->retry_after > 0 ? e->retry_after * 1000LL : QUICK_RETRY_MIN_MS) +
		    jitter_ms();
	}
	if (op_repeatable(e->step) &&
	    (op->cut || status == 500 || (status >= 502 && status <= 504)))
		return PAUSE_MIN_MS + jitter_ms();
	return -1;
}

bool
op_wait_for_retry(const struct op *op)
{
	int64_t wait_ms = pause_before_retry(op), left = op->deadline - clock_mono_ms();
	struct timespec t;

	if (wait_ms < 0 || left < 2 * wait_ms)
		return false;
	t.tv_sec = (time_t)(wait_ms / 1000);
	t.tv_nsec = (long)(wait_ms % 1000) * 1000000L;
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	return true;
}

/* Not there yet, or not now: RFC 9110 15.5.5, 15.5.8, 15.5.9, 15.6; RFC 6585 4.  407 is the
 * proxy's, not the service's. */
static bool
is_passing(int status)
{
	return status == 404 || status == 407 || status == 408 || status == 429 ||
	    (status >= 500 && status <= 599);
}

void
op_keep_words(struct op *op, const struct http_result *res)
{
	struct intune_error *e = op->err;

	if (e->description[0] == '\0' && res->body.len > 0)
		error_words(e->description, sizeof(e->description), (const char *)res->body.data,
		    res->body.len);
}

/* A short token that the server echoes is not seen as one by its look. */
static void
scrub_token(struct intune_error *e, const struct exchange *x)
{
	static const char bearer[] = "Authorization: Bearer ";

	for (size_t i = 0; i < x->n_headers; i++) {
		if (str_starts(x->headers[i], bearer))
			error_scrub(e, x->headers[i] + strlen(bearer));
	}
}

enum intune_status
op_http_failure(
    struct op *op, const struct exchange *x, const struct http_result *res, enum intune_status said)
{
	struct intune_error *e = op->err;
	enum intune_status st = INTUNE_E_PROTOCOL;
	const char *proxy = op->client->set.v[P_PROXY_HOST];

	if (e->code_text[0] == '\0')
		op_keep_words(op, res);
	if (is_passing(res->status))
		st = INTUNE_E_UNAVAILABLE;
	else if (res->status >= 400 && res->status <= 499)
		st = said;
	error_set(e, st, x->step, "%s: %s: HTTP %d%s%s%s%s", intune_step_name(x->step), x->host,
	    res->status, e->code_text[0] != '\0' ? " " : "", e->code_text,
	    e->description[0] != '\0' ? ": " : "", e->description);
	if (res->status == 407)
		error_hint(op->err, "the proxy %s wants PROXY_USER and PROXY_PASS",
		    proxy != NULL ? proxy : "on the way");
	else if (res->status >= 300 && res->status <= 399)
		error_hint(op->err,
		    "redirects are not followed: check the URL, or what stands "
		    "between here and %s",
		    x->host);
	else if (res->status == 429)
		error_hint(op->err, "too many requests: the service asks to wait");
	else if (st == INTUNE_E_UNAVAILABLE)
		error_hint(op->err, "if it lasts, give Microsoft support the activity id %s",
		    op->err->activity_id);
	scrub_token(e, x);
	return st;
}

enum intune_status
op_odata_failure(struct op *op, const struct exchange *x, const struct http_result *res)
{
	struct intune_error *e = op->err;
	struct odata_error said;
	struct err why;

	if (reply_odata_error(&said, res->body.data, res->body.len, &why) != RC_OK) {
		op_http_failure(op, x, res, INTUNE_E_PROTOCOL);
		return e->status;
	}
	memcpy(e->code_text, said.code, sizeof(e->code_text));
	memcpy(e->description, said.message, sizeof(e->description));
	if (e->request_id[0] == '\0')
		memcpy(e->request_id, said.request_id, sizeof(e->request_id));
	return op_http_failure(op, x, res, INTUNE_E_REFUSED);
}

void
op_hint_clock(struct op *op, const struct http_result *res)
{
	int64_t skew = clock_now() - res->server_date;

	if (res->server_date == 0 || (skew <= CLOCK_SKEW_S && skew >= -CLOCK_SKEW_S))
		return;
	error_hint_more(op->err, "this machine's clock is %" PRId64 " s %s the server's",
	    skew > 0 ? skew : -skew, skew > 0 ? "ahead of" : "behind");
}
