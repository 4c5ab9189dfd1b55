/*
 * actions.c - what is sent to Intune's two services: one table, one path; and the three calls of the
 * SCEP service.
 */
#include "intune/action.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/reply.h"
#include "ossl/alg.h"

#define TRIES_MAX 3

struct attempt;

struct action {
	const char *path;
	enum intune_step step;
	enum service_id service;
	/* An answer of HTTP 2xx. */
	enum intune_status (*judge)(struct op *op, const struct attempt *t,
	    const struct exchange *x, const struct http_result *res);
};

static enum intune_status judge_code(
    struct op *, const struct attempt *, const struct exchange *, const struct http_result *);
static enum intune_status judge_list(
    struct op *, const struct attempt *, const struct exchange *, const struct http_result *);
static enum intune_status judge_value(
    struct op *, const struct attempt *, const struct exchange *, const struct http_result *);

static const struct action actions[ACTION__MAX] = {
	[ACTION_VALIDATE] = { "ScepActions/validateRequest", INTUNE_STEP_VALIDATE, SERVICE_SCEP,
	    judge_code },
	[ACTION_SUCCESS] = { "ScepActions/successNotification", INTUNE_STEP_SUCCESS, SERVICE_SCEP,
	    judge_code },
	[ACTION_FAILURE] = { "ScepActions/failureNotification", INTUNE_STEP_FAILURE, SERVICE_SCEP,
	    judge_code },
	[ACTION_DOWNLOAD] = { "CertificateAuthorityRequests/downloadRevocationRequests",
	    INTUNE_STEP_DOWNLOAD, SERVICE_REVOCATION, judge_list },
	[ACTION_UPLOAD] = { "CertificateAuthorityRequests/uploadRevocationResults",
	    INTUNE_STEP_UPLOAD, SERVICE_REVOCATION, judge_value },
};

const char *
action_path(enum action_id a)
{
	return actions[a].path;
}

enum service_id
action_service(enum action_id a)
{
	return actions[a].service;
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
	struct intune_revocation_list **list;
	struct services *service;
	struct token *token;
	enum cure cure; /* when it failed */
};

/* The door of an answer of HTTP 2xx did not let it in. */
static enum intune_status
not_intunes(struct op *op, const struct exchange *x, const struct http_result *res, enum rc rc,
    const struct err *why)
{
	if (rc == RC_NOMEM)
		return op_nomem(op, x->step);
	op_keep_words(op, res);
	error_set(op->err, INTUNE_E_PROTOCOL, x->step, "%s: %s: HTTP %d: %s",
	    intune_step_name(x->step), x->host, res->status, why->msg);
	error_hint(
	    op->err, "that is not Intune's answer: see what stands between here and %s", x->host);
	return INTUNE_E_PROTOCOL;
}

static enum intune_status
judge_code(
    struct op *op, const struct attempt *t, const struct exchange *x, const struct http_result *res)
{
	struct intune_error *e = op->err;
	struct action_reply said;
	struct err why;
	enum rc rc = reply_action(&said, res->body.data, res->body.len, &why);

	if (rc != RC_OK)
		return not_intunes(op, x, res, rc, &why);
	e->code = said.code;
	memcpy(e->code_text, said.code_text, sizeof(e->code_text));
	memcpy(e->description, said.description, sizeof(e->description));
	if (said.success)
		return INTUNE_OK;
	error_set(e, INTUNE_E_REFUSED, x->step, "%s: Intune says %s%s%s", intune_step_name(x->step),
	    said.code_text[0] != '\0' ? said.code_text : "\"\"",
	    said.description[0] != '\0' ? ": " : "", said.description);
	error_hint(e, "%s", code_hint(said.code));
	return INTUNE_E_REFUSED;
}

static enum intune_status
judge_list(
    struct op *op, const struct attempt *t, const struct exchange *x, const struct http_result *res)
{
	struct err why;
	enum rc rc = reply_revocation_list(t->list, res->body.data, res->body.len, &why);

	return rc == RC_OK ? INTUNE_OK : not_intunes(op, x, res, rc, &why);
}

static enum intune_status
judge_value(
    struct op *op, const struct attempt *t, const struct exchange *x, const struct http_result *res)
{
	bool taken;
	struct err why;
	enum rc rc = reply_upload(&taken, res->body.data, res->body.len, &why);

	if (rc != RC_OK)
		return not_intunes(op, x, res, rc, &why);
	if (taken)
		return INTUNE_OK;
	error_set(op->err, INTUNE_E_REFUSED, x->step, "upload: Intune did not take the results");
	error_hint(op->err, "the requests come again with the next download: report them again");
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
	if (res->status == 404 || (res->status >= 500 && op_repeatable(a->step)))
		return CURE_ADDRESS;
	return CURE_NONE;
}

static enum intune_status
answered(struct op *op, struct attempt *t, const struct exchange *x, const struct http_result *res)
{
	if (res->status >= 200 && res->status <= 299)
		return t->action->judge(op, t, x, res);
	t->cure = cure_for(t->action, res);
	if (t->cure == CURE_TOKEN)
		return token_lacks(op, x, res, t->token);
	/* A notification is not repeated after a 5xx, but the next call had better ask where the
	 * service is. */
	if (res->status >= 500 && !op_repeatable(t->action->step))
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
		.host = t->service->host[t->action->service],
		.headers = { t->token->line, "content-type: application/json",
		    op->client->set.line_api_version[t->action->service],
		    op->client->set.line_user_agent },
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
	else if (op->cut)
		t->cure = CURE_WAIT; /* that is, if the action is one to repeat */
	op_result_done(&res);
	return st;
}

/* Ask Graph where the service is now.  False, with the first complaint kept, when that brings
 * nothing new. */
static bool
look_again(struct op *op, const struct attempt *t)
{
	struct intune_error first = *op->err;
	struct services *now;
	bool newer = false;

	service_doubt(op, t->service);
	if (service_get(op, t->action->service, &now) == INTUNE_OK) {
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
	if ((st = service_get(op, t->action->service, &t->service)) != INTUNE_OK)
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
perform(
    struct op *op, enum action_id id, const struct buf *body, struct intune_revocation_list **list)
{
	struct attempt t = { .action = &actions[id], .body = body, .list = list };
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

enum intune_status
action_bad_argument(struct op *op, enum action_id id, const char *name, const char *what)
{
	return error_set(op->err, INTUNE_E_ARGUMENT, actions[id].step, "%s: the argument %s %s",
	    intune_step_name(actions[id].step), name, what);
}

enum intune_status
action_check_strings(
    struct op *op, enum action_id id, const struct argument *args, size_t n, size_t max)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		if (args[i].value == NULL && args[i].optional)
			continue;
		if (args[i].value == NULL || (args[i].value[0] == '\0' && !args[i].optional))
			return action_bad_argument(op, id, args[i].name, "is missing");
		len = strlen(args[i].value);
		if (len > max)
			return action_bad_argument(op, id, args[i].name, "is too long");
		if (!utf8_valid((const uint8_t *)args[i].value, len))
			return action_bad_argument(op, id, args[i].name, "is not UTF-8");
	}
	return INTUNE_OK;
}

enum intune_status
action_check_common(struct op *op, enum action_id id, const char *transaction_id)
{
	const struct argument arg = { "transactionId", transaction_id, false };

	if (op->client == NULL)
		return action_bad_argument(op, id, "client", "is missing");
	return action_check_strings(op, id, &arg, 1, TEXT_MAX);
}

enum intune_status
action_send(struct op *op, enum action_id id, enum rc built, struct buf *body,
    struct intune_revocation_list **list)
{
	enum intune_step step = actions[id].step;
	enum intune_status st;

	if (built == RC_OK)
		st = perform(op, id, body, list);
	else if (built == RC_LIMIT)
		st = error_set(op->err, INTUNE_E_ARGUMENT, step,
		    "%s: the arguments are too long together", intune_step_name(step));
	else
		st = op_nomem(op, step);
	buf_wipe(body);
	return op_end(op, step, st);
}

/* What every action of the SCEP service is about. */
struct subject {
	const char *transaction_id;
	const uint8_t *csr;
	size_t csr_len;
};

static enum intune_status
check_subject(struct op *op, enum action_id id, const struct subject *s)
{
	enum intune_status st = action_check_common(op, id, s->transaction_id);

	if (st != INTUNE_OK)
		return st;
	if (s->csr == NULL || s->csr_len == 0)
		return action_bad_argument(op, id, "certificateRequest", "is missing");
	if (s->csr_len > LIMIT_CSR)
		return action_bad_argument(op, id, "certificateRequest", "is too long");
	return INTUNE_OK;
}

/* For whom Intune doubts the bytes: which ones they were. */
static void
hint_request(struct intune_error *e, const struct subject *s)
{
	uint8_t digest[32];
	char hex[2 * sizeof(digest) + 1];

	if (digest_bytes(digest, DIGEST_SHA256, s->csr, s->csr_len, NULL) != RC_OK)
		return;
	hex_lower(hex, digest, sizeof(digest));
	error_hint_more(e, "request: %zu bytes, SHA-256 %s", s->csr_len, hex);
}

static enum intune_status
scep_send(
    struct op *op, enum action_id id, enum rc built, struct buf *body, const struct subject *s)
{
	enum intune_status st = action_send(op, id, built, body, NULL);

	if (st == INTUNE_E_REFUSED && id == ACTION_VALIDATE && code_is_about_bytes(op->err->code))
		hint_request(op->err, s);
	if (st != INTUNE_OK && id == ACTION_SUCCESS)
		error_hint_more(op->err, "the certificate must not be handed out");
	return st;
}

enum intune_status
intune_validate_request(struct intune_client *c, const char *transaction_id, const uint8_t *csr,
    size_t csr_len, struct intune_error *err)
{
	const struct subject subject = { transaction_id, csr, csr_len };
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	if ((st = check_subject(&op, ACTION_VALIDATE, &subject)) != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_VALIDATE, st);
	rc = wire_validate(&body, &c->set, transaction_id, csr, csr_len, NULL);
	return scep_send(&op, ACTION_VALIDATE, rc, &body, &subject);
}

enum intune_status
intune_send_success_notification(
    struct intune_client *c, const struct intune_success *s, struct intune_error *err)
{
	static const struct intune_success none;
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	if (s == NULL)
		s = &none;
	const struct subject subject = { s->transaction_id, s->csr, s->csr_len };
	const struct argument args[] = {
		{ "certThumbprint", s->thumbprint, false },
		{ "certSerialNumber", s->serial, false },
		{ "certExpirationDate", s->expiration, false },
		{ "certIssuingAuthority", s->issuer, false },
		{ "caConfiguration", s->ca_configuration, true },
		{ "certificateAuthority", s->certificate_authority, true },
	};

	op_begin(&op, c, s->transaction_id, err);
	st = check_subject(&op, ACTION_SUCCESS, &subject);
	if (st == INTUNE_OK)
		st = action_check_strings(
		    &op, ACTION_SUCCESS, args, sizeof(args) / sizeof(args[0]), TEXT_MAX);
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_SUCCESS, st);
	rc = wire_success(&body, &c->set, s, NULL);
	return scep_send(&op, ACTION_SUCCESS, rc, &body, &subject);
}

enum intune_status
intune_send_failure_notification(struct intune_client *c, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, int64_t hresult, const char *description,
    struct intune_error *err)
{
	const struct subject subject = { transaction_id, csr, csr_len };
	const struct wire_failure n = { transaction_id, csr, csr_len, hresult, description };
	const struct argument arg = { "errorDescription", description, false };
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	st = check_subject(&op, ACTION_FAILURE, &subject);
	if (st == INTUNE_OK)
		st = action_check_strings(&op, ACTION_FAILURE, &arg, 1, TEXT_MAX);
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_FAILURE, st);
	rc = wire_failure(&body, &c->set, &n, NULL);
	return scep_send(&op, ACTION_FAILURE, rc, &body, &subject);
}
