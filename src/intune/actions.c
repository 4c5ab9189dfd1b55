/*
 * actions.c - the three calls of the SCEP service, one table, one path.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define TEXT_MAX  1024u /* bytes of any string argument */
#define TRIES_MAX 3

struct action {
	const char *path;
	enum intune_step step;
	bool repeatable; /* asking twice does no harm, even if the first one arrived */
};

static const struct action actions[ACTION__MAX] = {
	[ACTION_VALIDATE] = { "ScepActions/validateRequest", INTUNE_STEP_VALIDATE, true },
	[ACTION_SUCCESS] = { "ScepActions/successNotification", INTUNE_STEP_SUCCESS, false },
	[ACTION_FAILURE] = { "ScepActions/failureNotification", INTUNE_STEP_FAILURE, false },
};

const char *
action_path(enum action_id a)
{
	return actions[a].path;
}

/* What may make a second try go better than the first. */
enum cure {
	CURE_NONE,
	CURE_TOKEN = 1,   /* a new token */
	CURE_ADDRESS = 2, /* ask Graph where the service is now */
	CURE_WAIT = 4,    /* the short wait the service asked for */
};

struct attempt {
	const struct action *action;
	const struct buf *body;
	struct service *service;
	struct token *token;
	enum cure cure; /* when it failed */
};

static enum intune_status
judge(struct op *op, const struct exchange *x, const struct http_result *res)
{
	struct intune_error *e = op->err;
	struct action_reply said;
	struct err why;
	enum rc rc = reply_action(&said, res->body.data, res->body.len, &why);

	if (rc == RC_NOMEM)
		return op_nomem(op, x->step);
	if (rc != RC_OK) {
		error_set(e, INTUNE_E_PROTOCOL, x->step, "%s: %s: HTTP %d: %s",
		    intune_step_name(x->step), x->host, res->status, why.msg);
		error_hint(
		    e, "that is not Intune's answer: see what stands between here and %s", x->host);
		return INTUNE_E_PROTOCOL;
	}
	e->code = said.code;
	memcpy(e->code_text, said.code_text, sizeof(e->code_text));
	memcpy(e->description, said.description, sizeof(e->description));
	if (said.success)
		return INTUNE_OK;
	error_set(e, INTUNE_E_REFUSED, x->step, "%s: Intune says %s%s%s", intune_step_name(x->step),
	    said.code_text[0] != '\0' ? said.code_text : "\"\"",
	    said.description[0] != '\0' ? ": " : "", said.description);
	error_hint(e, "%s", intune_code_hint(said.code));
	return INTUNE_E_REFUSED;
}

/* Nothing of the request can have reached the service. */
static bool
never_arrived(enum http_step failed)
{
	return failed == HTTP_STEP_RESOLVE || failed == HTTP_STEP_CONNECT ||
	    failed == HTTP_STEP_PROXY || failed == HTTP_STEP_TLS;
}

static enum cure
cure_for(const struct action *a, const struct http_result *res)
{
	if (res->status == 401 || res->status == 403)
		return CURE_TOKEN;
	if (res->status == 429 || (res->status == 503 && res->retry_after >= 0))
		return CURE_WAIT;
	if (res->status == 404 || (res->status >= 500 && a->repeatable))
		return CURE_ADDRESS;
	return CURE_NONE;
}

static enum intune_status
answered(struct op *op, struct attempt *t, const struct exchange *x, const struct http_result *res)
{
	if (res->status >= 200 && res->status <= 299)
		return judge(op, x, res);
	t->cure = cure_for(t->action, res);
	if (t->cure == CURE_TOKEN)
		return token_lacks(op, x, res, t->token);
	/* A notification is not repeated after a 5xx, but the next call had better ask where the
	 * service is. */
	if (res->status >= 500 && !t->action->repeatable)
		service_doubt(op, t->service);
	return op_odata_failure(op, x, res);
}

static enum intune_status
post(struct op *op, struct attempt *t)
{
	struct exchange x = {
		.step = t->action->step,
		.method = "POST",
		.url = t->service->url[t->action - actions],
		.host = t->service->host,
		.headers = { t->token->line, "content-type: application/json",
		    op->client->set.line_api_version, op->client->set.line_user_agent },
		.n_headers = 4,
		.body = t->body,
	};
	struct http_result res;
	enum intune_status st = op_exchange(op, &x, &res);

	t->cure = CURE_NONE;
	if (st == INTUNE_OK)
		st = answered(op, t, &x, &res);
	else if (st == INTUNE_E_UNAVAILABLE && never_arrived(res.failed))
		t->cure = CURE_ADDRESS;
	op_result_done(&res);
	return st;
}

/* Ask Graph where the service is now.  False, with the first complaint kept, when that brings
 * nothing new. */
static bool
look_again(struct op *op, const struct attempt *t)
{
	struct intune_error first = *op->err;
	struct service *now;
	bool newer = false;

	service_doubt(op, t->service);
	if (service_get(op, &now) == INTUNE_OK) {
		newer = now != t->service;
		shared_release(&now->shared);
	}
	if (!newer)
		*op->err = first;
	return newer;
}

static bool
cure(struct op *op, const struct attempt *t)
{
	switch (t->cure) {
	case CURE_TOKEN:
		token_drop(op, SCOPE_INTUNE, t->token);
		return true;
	case CURE_ADDRESS:
		return look_again(op, t);
	case CURE_WAIT:
		return op_wait_for_retry(op);
	default:
		return false;
	}
}

/* Discovery comes before the token, as in Microsoft's library. */
static enum intune_status
try_once(struct op *op, struct attempt *t)
{
	enum intune_status st;

	t->cure = CURE_NONE;
	if ((st = service_get(op, &t->service)) != INTUNE_OK)
		return st;
	if ((st = token_get(op, SCOPE_INTUNE, &t->token)) != INTUNE_OK)
		return st;
	return post(op, t);
}

static void
attempt_done(struct attempt *t)
{
	if (t->service != NULL)
		shared_release(&t->service->shared);
	if (t->token != NULL)
		shared_release(&t->token->shared);
	t->service = NULL;
	t->token = NULL;
}

static enum intune_status
perform(struct op *op, enum action_id id, const struct buf *body)
{
	struct attempt t = { .action = &actions[id], .body = body };
	enum intune_status st;
	unsigned used = 0;
	int tries;

	for (tries = 1;; tries++) {
		st = try_once(op, &t);
		if (t.cure == CURE_NONE || (used & t.cure) != 0 || tries == TRIES_MAX ||
		    !cure(op, &t))
			break;
		used |= t.cure;
		attempt_done(&t);
	}
	attempt_done(&t);
	return st;
}

struct argument {
	const char *name;
	const char *value;
	bool optional;
};

static enum intune_status
bad_argument(struct op *op, const struct action *a, const char *name, const char *what)
{
	return error_set(op->err, INTUNE_E_ARGUMENT, a->step, "%s: the argument %s %s",
	    intune_step_name(a->step), name, what);
}

static enum intune_status
check_strings(struct op *op, const struct action *a, const struct argument *args, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		if (args[i].value == NULL && args[i].optional)
			continue;
		if (args[i].value == NULL || (args[i].value[0] == '\0' && !args[i].optional))
			return bad_argument(op, a, args[i].name, "is missing");
		len = strlen(args[i].value);
		if (len > TEXT_MAX)
			return bad_argument(op, a, args[i].name, "is too long");
		if (!utf8_valid((const uint8_t *)args[i].value, len))
			return bad_argument(op, a, args[i].name, "is not UTF-8");
	}
	return INTUNE_OK;
}

/* The two that every action has, which Microsoft's library checks first. */
static enum intune_status
check_common(struct op *op, const struct action *a, const char *transaction_id, const uint8_t *csr,
    size_t csr_len)
{
	const struct argument arg = { "transactionId", transaction_id, false };
	enum intune_status st;

	if (op->client == NULL)
		return bad_argument(op, a, "client", "is missing");
	if ((st = check_strings(op, a, &arg, 1)) != INTUNE_OK)
		return st;
	if (csr == NULL || csr_len == 0)
		return bad_argument(op, a, "certificateRequest", "is missing");
	if (csr_len > LIMIT_CSR)
		return bad_argument(op, a, "certificateRequest", "is too long");
	return INTUNE_OK;
}

/* Send a body that was built, or not; wipes it. */
static enum intune_status
send(struct op *op, enum action_id id, enum rc built, struct buf *body)
{
	enum intune_status st;

	st = built == RC_OK ? perform(op, id, body) : op_nomem(op, actions[id].step);
	buf_wipe(body);
	return op_end(op, actions[id].step, st);
}

enum intune_status
intune_validate_request(struct intune_client *c, const char *transaction_id, const uint8_t *csr,
    size_t csr_len, struct intune_error *err)
{
	const struct action *a = &actions[ACTION_VALIDATE];
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	if ((st = check_common(&op, a, transaction_id, csr, csr_len)) != INTUNE_OK)
		return op_end(&op, a->step, st);
	rc = wire_validate(&body, &c->set, transaction_id, csr, csr_len, NULL);
	return send(&op, ACTION_VALIDATE, rc, &body);
}

enum intune_status
intune_send_success_notification(
    struct intune_client *c, const struct intune_success *s, struct intune_error *err)
{
	static const struct intune_success none;
	const struct action *a = &actions[ACTION_SUCCESS];
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	if (s == NULL)
		s = &none;
	const struct argument args[] = {
		{ "certThumbprint", s->thumbprint, false },
		{ "certSerialNumber", s->serial, false },
		{ "certExpirationDate", s->expiration, false },
		{ "certIssuingAuthority", s->issuer, false },
		{ "caConfiguration", s->ca_configuration, true },
		{ "certificateAuthority", s->certificate_authority, true },
	};

	op_begin(&op, c, s->transaction_id, err);
	st = check_common(&op, a, s->transaction_id, s->csr, s->csr_len);
	if (st == INTUNE_OK)
		st = check_strings(&op, a, args, sizeof(args) / sizeof(args[0]));
	if (st != INTUNE_OK)
		return op_end(&op, a->step, st);
	rc = wire_success(&body, &c->set, s, NULL);
	return send(&op, ACTION_SUCCESS, rc, &body);
}

enum intune_status
intune_send_failure_notification(struct intune_client *c, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, int64_t hresult, const char *description,
    struct intune_error *err)
{
	const struct wire_failure n = { transaction_id, csr, csr_len, hresult, description };
	const struct argument arg = { "errorDescription", description, false };
	const struct action *a = &actions[ACTION_FAILURE];
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	st = check_common(&op, a, transaction_id, csr, csr_len);
	if (st == INTUNE_OK)
		st = check_strings(&op, a, &arg, 1);
	if (st != INTUNE_OK)
		return op_end(&op, a->step, st);
	rc = wire_failure(&body, &c->set, &n, NULL);
	return send(&op, ACTION_FAILURE, rc, &body);
}
