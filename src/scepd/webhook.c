/* webhook.c - asking; see webhook.h. */
#include "scepd/webhook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/breaker.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "http/client.h"
#include "ossl/alg.h"

#define USER_AGENT    "scepd/" SCEPD_VERSION
#define ID_MAX        40   /* "msg_" and 32 hex digits */
#define CONNECT_MS    5000 /* a service that is there answers a SYN sooner */
#define BODY_BYTES    (LIMIT_CSR / 3 * 4 + 2 * LIMIT_CHALLENGE + 64 * KIB)
#define SIGNED_HEADER 160

struct webhook {
	const struct conf_endpoint *conf;
	struct http_client *http;
	struct breaker breaker;
	bool breaker_made;
	atomic_uint calls;
	pthread_mutex_t mu; /* over key; held for a copy */
	struct buf key;
	/* Of webhook_reload()'s thread. */
	uint8_t ca_sha256[32];
	bool complained;
	atomic_bool out; /* what the log has said last */
};

/* ---- opening ---- */

static enum rc
read_key(struct buf *key, const struct conf_endpoint *conf, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_SECRET_FILE);
	if ((rc = file_read_secret(&text, conf->webhook.secret_file, LIMIT_SECRET_FILE, err)) ==
	    RC_OK)
		rc = webhook_key(key, text.data, text.len, err);
	if (rc != RC_OK)
		(void)err_context(err, "endpoint %s: webhook.secret_file %s", conf->name,
		    conf->webhook.secret_file);
	buf_wipe(&text);
	return rc;
}

static enum rc
ca_hash(uint8_t out[static 32], const struct webhook *w, struct err *err)
{
	struct buf pem;
	enum rc rc;

	memset(out, 0, 32);
	if (w->conf->webhook.ca_file == NULL)
		return RC_OK;
	buf_init(&pem, LIMIT_CONFIG);
	if ((rc = file_read(&pem, w->conf->webhook.ca_file, LIMIT_CONFIG, err)) == RC_OK)
		rc = digest_bytes(out, DIGEST_SHA256, pem.data, pem.len, err);
	buf_done(&pem);
	return rc;
}

enum rc
webhook_open(struct webhook **out, const struct conf_endpoint *conf, struct err *err)
{
	struct http_client_conf hc = { .user_agent = USER_AGENT,
		.ca_file = conf->webhook.ca_file,
		.connections_max = WEBHOOK_CALLS_MAX };
	struct webhook *w = calloc(1, sizeof(*w));
	enum rc rc = RC_OK;

	if (w == NULL || pthread_mutex_init(&w->mu, NULL) != 0) {
		free(w);
		return fail(err, RC_NOMEM, "no memory for the webhook of endpoint %s", conf->name);
	}
	w->conf = conf;
	buf_init(&w->key, LIMIT_SECRET_FILE);
	if (!(w->breaker_made = breaker_init(&w->breaker)))
		rc = fail(err, RC_NOMEM, "no memory for the webhook of endpoint %s", conf->name);
	if (rc == RC_OK && (rc = read_key(&w->key, conf, err)) == RC_OK &&
	    (rc = ca_hash(w->ca_sha256, w, err)) == RC_OK)
		rc = http_client_new(&w->http, &hc, err);
	if (rc == RC_OK)
		*out = w;
	else
		webhook_free(w);
	return rc;
}

void
webhook_free(struct webhook *w)
{
	if (w == NULL)
		return;
	http_client_free(w->http);
	if (w->breaker_made)
		breaker_done(&w->breaker);
	buf_wipe(&w->key);
	(void)pthread_mutex_destroy(&w->mu);
	free(w);
}

/* ---- files that have changed ---- */

static enum rc
take_up_key(struct webhook *w, struct err *err)
{
	struct buf fresh, old;
	bool changed;
	enum rc rc;

	buf_init(&fresh, LIMIT_SECRET_FILE);
	if ((rc = read_key(&fresh, w->conf, err)) != RC_OK) {
		buf_wipe(&fresh);
		return rc;
	}
	(void)pthread_mutex_lock(&w->mu);
	changed = !bytes_eq_ct(w->key.data, w->key.len, fresh.data, fresh.len);
	old = w->key;
	w->key = fresh;
	(void)pthread_mutex_unlock(&w->mu);
	buf_wipe(&old);
	if (changed)
		log_msg(LOG_INFO, "reload", "endpoint %s: the webhook's secret is read again",
		    w->conf->name);
	return RC_OK;
}

static enum rc
take_up_anchors(struct webhook *w, struct err *err)
{
	uint8_t now[32];
	enum rc rc = ca_hash(now, w, err);

	if (rc != RC_OK || memcmp(now, w->ca_sha256, sizeof(now)) == 0)
		return rc;
	if ((rc = http_client_tls_set(w->http, w->conf->webhook.ca_file, NULL, NULL, err)) != RC_OK)
		return rc;
	memcpy(w->ca_sha256, now, sizeof(now));
	log_msg(LOG_INFO, "reload", "endpoint %s: the webhook's trust anchors are read again",
	    w->conf->name);
	return RC_OK;
}

void
webhook_reload(struct webhook *w)
{
	struct err err;
	bool good = take_up_key(w, &err) == RC_OK && take_up_anchors(w, &err) == RC_OK;

	if (!good && !w->complained)
		log_msg(LOG_WARN, "reload", "%s; what is in use stays", err.msg);
	w->complained = !good;
}

/* ---- asking ---- */

/* One call, ready to be made; strings live here. */
struct call {
	char id_line[SIGNED_HEADER], time_line[SIGNED_HEADER], signature_line[SIGNED_HEADER];
	const char *headers[6];
	struct buf body;
};

static enum rc
new_id(char out[static ID_MAX], struct err *err)
{
	uint8_t random[16];
	enum rc rc = random_bytes(random, sizeof(random), err);

	if (rc == RC_OK) {
		memcpy(out, "msg_", 4);
		hex_lower(out + 4, random, sizeof(random));
	}
	return rc;
}

/* Standard Webhooks: id and time are signed with the body, so that a receiver can tell a replay. */
static enum rc
sign_call(struct call *c, struct webhook *w, struct err *err)
{
	char id[ID_MAX], signature[WEBHOOK_SIGNATURE_MAX];
	int64_t now = clock_now();
	struct buf key;
	enum rc rc;

	buf_init(&key, LIMIT_SECRET_FILE);
	(void)pthread_mutex_lock(&w->mu);
	buf_add(&key, w->key.data, w->key.len);
	(void)pthread_mutex_unlock(&w->mu);
	if ((rc = buf_ok(&key, "webhook secret", err)) == RC_OK && (rc = new_id(id, err)) == RC_OK)
		rc = webhook_sign(signature, &key, id, now, c->body.data, c->body.len, err);
	buf_wipe(&key);
	if (rc != RC_OK)
		return rc;
	(void)snprintf(c->id_line, sizeof(c->id_line), "webhook-id: %s", id);
	(void)snprintf(
	    c->time_line, sizeof(c->time_line), "webhook-timestamp: %lld", (long long)now);
	(void)snprintf(
	    c->signature_line, sizeof(c->signature_line), "webhook-signature: %s", signature);
	c->headers[0] = "Content-Type: application/json";
	c->headers[1] = "Accept: application/json";
	c->headers[2] = c->id_line;
	c->headers[3] = c->time_line;
	c->headers[4] = c->signature_line;
	return RC_OK;
}

/* No decision came: what the log says of it, in the one kind that a device may try again after. */
static enum rc
no_decision(struct webhook *w, const char *why, struct err *err)
{
	(void)fail(
	    err, RC_IO, "the webhook of endpoint %s gave no decision: %s", w->conf->name, why);
	return err_hint(
	    err, "look at the service behind %.120s; the device tries again", w->conf->webhook.url);
}

/* The breaker counts silence and overload; whoever says nonsense is at least there. */
static enum outcome
outcome_of(enum rc rc, int status)
{
	if (rc == RC_IO || rc == RC_TIMEOUT)
		return OUTCOME_OUTAGE;
	if (rc != RC_OK)
		return OUTCOME_NONE;
	return status == 429 || (status >= 500 && status <= 599) ? OUTCOME_OUTAGE : OUTCOME_ANSWER;
}

static void
tell_breaker(struct webhook *w, const struct breaker_pass *pass, enum rc rc,
    const struct http_result *res, const struct err *why)
{
	char cause[128];
	bool out;

	if (rc == RC_OK)
		(void)snprintf(cause, sizeof(cause), "HTTP %d", res->status);
	else
		(void)snprintf(cause, sizeof(cause), "%.100s", why->msg);
	breaker_leave(&w->breaker, clock_mono_ms(), pass, outcome_of(rc, res->status),
	    rc == RC_OK && res->retry_after < INT32_MAX ? (long)res->retry_after : -1, cause);
	out = webhook_is_out(w);
	if (atomic_exchange(&w->out, out) != out)
		log_msg(out ? LOG_WARN : LOG_INFO, "webhook",
		    out ? "endpoint %s: the webhook does not answer (%s): devices are turned away "
			  "at once, and it is tried again by itself"
			: "endpoint %s: the webhook answers again (%s)",
		    w->conf->name, cause);
}

static enum rc
judge(struct webhook *w, const struct http_result *res, struct webhook_answer *out, struct err *err)
{
	char why[ERR_MSG_MAX];
	struct err parse = { 0 };

	if (res->status != 200) {
		(void)snprintf(why, sizeof(why), "HTTP %d", res->status);
		(void)no_decision(w, why, err);
		if (res->status == 401 || res->status == 403)
			(void)err_hint(err,
			    "has the service the secret that is in webhook.secret_file, and the "
			    "right "
			    "time? The device tries again");
		return RC_IO;
	}
	if (webhook_answer_parse(out, res->body.data, res->body.len, &parse) != RC_OK) {
		(void)snprintf(why, sizeof(why), "%.200s", parse.msg);
		return no_decision(w, why, err);
	}
	return RC_OK;
}

static enum rc
perform(struct webhook *w, struct call *c, struct webhook_answer *out, struct err *err)
{
	unsigned total = (unsigned)w->conf->webhook.timeout * 1000;
	struct http_call call = { .method = "POST",
		.url = w->conf->webhook.url,
		.headers = c->headers,
		.body = c->body.data,
		.body_len = c->body.len,
		.connect_ms = total < CONNECT_MS ? total : CONNECT_MS,
		.total_ms = total,
		.reply_max = WEBHOOK_ANSWER_MAX };
	struct breaker_refusal refusal;
	struct breaker_pass pass;
	struct http_result res;
	struct err why = { 0 };
	enum rc rc;

	if (!breaker_enter(&w->breaker, clock_mono_ms(), &pass, &refusal)) {
		char text[ERR_MSG_MAX];

		(void)snprintf(text, sizeof(text),
		    "not asked, since %u questions in a row had no answer; the last: %.100s",
		    refusal.row, refusal.cause);
		return no_decision(w, text, err);
	}
	rc = http_call(w->http, &call, &res, &why);
	tell_breaker(w, &pass, rc, &res, &why);
	rc = rc == RC_OK ? judge(w, &res, out, err) : no_decision(w, why.msg, err);
	buf_wipe(&res.body);
	http_result_done(&res);
	return rc;
}

static enum rc
make_and_perform(struct webhook *w, const struct webhook_question *q, struct webhook_answer *out,
    struct err *err)
{
	struct call c = { .headers = { NULL } };
	enum rc rc;

	buf_init(&c.body, BODY_BYTES);
	if ((rc = webhook_body(&c.body, q, w->conf->webhook.send_challenge, err)) == RC_OK &&
	    (rc = sign_call(&c, w, err)) == RC_OK)
		rc = perform(w, &c, out, err);
	buf_wipe(&c.body);
	return rc;
}

enum rc
webhook_ask(struct webhook *w, const struct webhook_question *q, struct webhook_answer *out,
    struct err *err)
{
	const char *challenge = NULL;
	enum rc rc;

	if (w->conf->webhook.send_challenge &&
	    csr_challenge0(q->csr, &challenge) != CSR_CHALLENGE_ONE)
		return fail(err, RC_DENIED, "the request has no challenge password, or several");
	if (atomic_fetch_add(&w->calls, 1) >= WEBHOOK_CALLS_MAX)
		rc = no_decision(w, "too many questions are under way", err);
	else
		rc = make_and_perform(w, q, out, err);
	atomic_fetch_sub(&w->calls, 1);
	return rc;
}

bool
webhook_is_out(struct webhook *w)
{
	struct breaker_state st;

	breaker_look(&w->breaker, clock_mono_ms(), &st);
	return st.circuit != CIRCUIT_CLOSED;
}
