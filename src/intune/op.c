/*
 * op.c - deadlines, exchanges, and what failing answers have in common.
 */
#include "intune/op.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define QUICK_RETRY_MAX_S  2   /* a device waits about 30 s for all of this */
#define QUICK_RETRY_MIN_MS 100 /* "Retry-After: 0" */
#define CLOCK_SKEW_S       60  /* less than this does no harm to tokens */

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
		.reply_max = LIMIT_JSON,
	};
	struct err why;
	size_t n = x->n_headers;
	enum rc rc;

	memset(res, 0, sizeof(*res));
	if (left <= 0)
		return op_timed_out(op, x->step);
	fresh(op);
	if (wire_guid(op->err->activity_id, &why) != RC_OK)
		return error_set(op->err, INTUNE_E_UNAVAILABLE, x->step, "%s", why.msg);
	memcpy(id_line, "client-request-id: ", sizeof("client-request-id: "));
	memcpy(id_line + sizeof("client-request-id: ") - 1, op->err->activity_id, GUID_TEXT);
	x->headers[n] = id_line;
	x->headers[n + 1] = NULL;
	call.total_ms = (unsigned)left;
	if (x->body != NULL) {
		call.body = x->body->data;
		call.body_len = x->body->len;
	}
	rc = http_call(op->client->http, &call, res, &why);
	x->headers[n] = NULL; /* id_line ends with this frame */
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
op_wait_for_retry(const struct op *op)
{
	const struct intune_error *e = op->err;
	int64_t wait_ms = e->retry_after * 1000LL, left = op->deadline - clock_mono_ms();
	struct timespec t;

	if ((e->http_status != 429 && e->http_status != 503) || e->retry_after < 0 ||
	    e->retry_after > QUICK_RETRY_MAX_S)
		return false;
	if (wait_ms < QUICK_RETRY_MIN_MS)
		wait_ms = QUICK_RETRY_MIN_MS;
	if (left < 2 * wait_ms)
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
