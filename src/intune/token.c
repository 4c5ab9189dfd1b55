/*
 * token.c - access tokens by the client credentials grant (RFC 6749 4.4), or of the machine's
 * own identity, cached for each scope.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define BEARER               "Authorization: Bearer "
#define PERMISSION_DISCOVERY "Microsoft Graph Application.Read.All"
#define PERMISSION_SCEP      "Intune scep_challenge_provider"

#define AADSTS_WRONG_SECRET    7000215
#define AADSTS_EXPIRED_SECRET  7000222
#define AADSTS_WRONG_ASSERTION 700027

/*
 * Refresh five to six minutes before the end, so that servers that started together do not come
 * back together; for short lives (a simulator's) a quarter of the life.  Useless half a minute
 * before the end, for clocks and the way.
 */
#define REFRESH_BEFORE_MS 300000
#define JITTER_MS         60000
#define USELESS_BEFORE_MS 30000

static void
token_destroy(struct shared *s)
{
	struct token *t = (struct token *)(void *)s;

	wipe_free(t, sizeof(*t) + t->len + 1);
}

static struct token *
token_make(const char *access_token)
{
	size_t len = strlen(BEARER) + strlen(access_token);
	struct token *t = calloc(1, sizeof(*t) + len + 1);

	if (t == NULL)
		return NULL;
	atomic_init(&t->shared.refs, 1);
	t->shared.destroy = token_destroy;
	t->len = len;
	(void)snprintf(t->line, len + 1, BEARER "%s", access_token);
	return t;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
set_times(struct fetched *f, int64_t life_s)
{
	int64_t life = life_s * 1000, jitter;
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	jitter = smaller(JITTER_MS, life / 20) * (int64_t)(r >> 1) / INT32_MAX;
	f->refresh_ms = life - smaller(REFRESH_BEFORE_MS, life / 4) - jitter;
	f->useless_ms = life - smaller(USELESS_BEFORE_MS, life / 10);
}

static enum intune_status
take_token(
    struct op *op, const struct exchange *x, const struct http_result *res, struct fetched *out)
{
	struct token_reply said;
	struct token *t;
	struct err why;
	enum rc rc;

	rc = reply_token(&said, res->body.data, res->body.len, &why);
	if (rc == RC_NOMEM)
		return op_nomem(op, x->step);
	if (rc != RC_OK) {
		error_set(op->err, INTUNE_E_PROTOCOL, x->step, "token: %s: HTTP %d: %s", x->host,
		    res->status, why.msg);
		error_hint(op->err,
		    "that is not Entra's answer: check AUTH_AUTHORITY, and what stands "
		    "between here and %s",
		    x->host);
		return INTUNE_E_PROTOCOL;
	}
	t = token_make(said.access_token);
	wipe_free(said.access_token, strlen(said.access_token));
	if (t == NULL)
		return op_nomem(op, x->step);
	out->value = &t->shared;
	set_times(out, said.expires_in);
	return INTUNE_OK;
}

/* Entra says no, and in which words. */
static enum intune_status
token_refused(struct op *op, const struct exchange *x, const struct http_result *res)
{
	const struct settings *s = &op->client->set;
	struct intune_error *e = op->err;
	const struct aadsts *known;
	struct entra_error said;
	enum intune_status st = INTUNE_E_AUTH;

	if (reply_entra_error(&said, res->body.data, res->body.len, NULL) != RC_OK) {
		op_http_failure(op, x, res, INTUNE_E_PROTOCOL);
		if (e->status == INTUNE_E_PROTOCOL && e->hint[0] == '\0')
			error_hint(e, "that is not Entra's answer: check %s",
			    s->way == WAY_MANAGED ? "MANAGED_IDENTITY_ENDPOINT"
						  : "AUTH_AUTHORITY and TENANT");
		return e->status;
	}
	memcpy(e->code_text, said.error, sizeof(said.error));
	memcpy(e->description, said.description, sizeof(e->description));
	e->aadsts = said.aadsts;
	if (e->request_id[0] == '\0')
		memcpy(e->request_id, said.trace_id, sizeof(e->request_id));
	known = aadsts_find(said.aadsts);
	if (res->status == 429 || res->status >= 500 || (known != NULL && known->passing))
		st = INTUNE_E_UNAVAILABLE;
	if (s->way == WAY_MANAGED)
		error_set(e, st, x->step, "token: managed identity %.40s: %s: HTTP %d %s: %.250s",
		    s->v[P_MANAGED], x->host, res->status, said.error, said.description);
	else
		error_set(e, st, x->step, "token: %s: HTTP %d %s, tenant %.80s, app %.40s: %.250s",
		    x->host, res->status, said.error, s->v[P_TENANT], s->v[P_APP_ID],
		    said.description);
	if (s->way == WAY_MANAGED && res->status == 400)
		error_hint(e, "see that this machine has the identity that MANAGED_IDENTITY names");
	if (known != NULL)
		error_hint(e, "%s", known->hint);
	op_hint_clock(op, res);
	return st;
}

/* A file holds something else than what was sent, and it was of no use. */
static void
hint_trouble(struct op *op)
{
	struct err why;

	if (credential_trouble(&op->client->credential, &why))
		error_hint_more(op->err, "what is in force was read before: %s", why.msg);
}

static enum intune_status
ask(struct op *op, struct exchange *x, struct fetched *out)
{
	struct http_result res;
	enum intune_status st = op_exchange(op, x, &res);

	if (st == INTUNE_OK && res.status >= 200 && res.status <= 299)
		st = take_token(op, x, &res, out);
	else if (st == INTUNE_OK)
		st = token_refused(op, x, &res);
	op_result_done(&res);
	return st;
}

/* Entra says that the secret or the certificate is not, or no longer, the app's. */
static bool
is_stale_proof(const struct intune_error *e)
{
	return e->status == INTUNE_E_AUTH &&
	    (e->aadsts == AADSTS_WRONG_SECRET || e->aadsts == AADSTS_EXPIRED_SECRET ||
		e->aadsts == AADSTS_WRONG_ASSERTION);
}

static enum intune_status
no_form(struct op *op, enum rc rc, const struct err *why)
{
	if (rc == RC_NOMEM)
		return op_nomem(op, INTUNE_STEP_TOKEN);
	error_set(op->err, INTUNE_E_AUTH, INTUNE_STEP_TOKEN, "token: %s", why->msg);
	error_hint(op->err, "%s", why->hint);
	return INTUNE_E_AUTH;
}

/* One request with a form of its own: an assertion's jti is for one use. */
static enum intune_status
ask_entra(struct op *op, const struct token_source *src, uint64_t *version, struct fetched *out)
{
	struct exchange x = {
		.step = INTUNE_STEP_TOKEN,
		.method = "POST",
		.url = src->client->set.token_url,
		.host = src->client->set.login.host,
		.headers = { "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
		    "return-client-request-id: true", "x-ms-lib-capability: retry-after, h429" },
		.n_headers = 3,
	};
	struct err why = { 0 };
	enum intune_status st;
	struct buf form;
	enum rc rc;

	rc = credential_form(&src->client->credential, &form, src->scope, version, &why);
	x.body = &form;
	st = rc == RC_OK ? ask(op, &x, out) : no_form(op, rc, &why);
	buf_wipe(&form);
	if (st != INTUNE_OK) /* before the secret that was sent is another one */
		credential_scrub(&src->client->credential, op->err);
	return st;
}

/* The machine's own token service (RFC 6749 has no word for it). */
static enum intune_status
ask_machine(struct op *op, const struct token_source *src, struct fetched *out)
{
	const struct settings *s = &src->client->set;
	struct exchange x = {
		.step = INTUNE_STEP_TOKEN,
		.method = "GET",
		.url = s->managed_url[src->scope],
		.host = s->login.host,
		.headers = { s->line_identity },
		.n_headers = 1,
		.direct = true,
	};

	return ask(op, &x, out);
}

static enum intune_status
ask_once(struct op *op, const struct token_source *src, uint64_t *version, struct fetched *out)
{
	return src->client->set.way == WAY_MANAGED ? ask_machine(op, src, out)
						   : ask_entra(op, src, version, out);
}

/*
 * At most two requests: the second after the short wait that was asked for, or with what lies in
 * the files by now when Entra no longer takes what lay there.
 */
static enum intune_status
token_fetch(struct op *op, void *arg, struct fetched *out)
{
	const struct token_source *src = arg;
	uint64_t version = 0;
	enum intune_status st = ask_once(op, src, &version, out);

	if (st == INTUNE_OK)
		return st;
	if (op_wait_for_retry(op) ||
	    (is_stale_proof(op->err) && credential_is_newer(&src->client->credential, version)))
		st = ask_once(op, src, &version, out);
	if (is_stale_proof(op->err))
		hint_trouble(op);
	return st;
}

bool
token_source_init(struct token_source *t, struct intune_client *c, enum scope scope)
{
	t->client = c;
	t->scope = scope;
	return cache_init(&t->cache, INTUNE_STEP_TOKEN, token_fetch, t);
}

enum intune_status
token_get(struct op *op, enum scope scope, struct token **out)
{
	struct shared *s;
	enum intune_status st = cache_get(&op->client->tokens[scope].cache, op, &s);

	if (st == INTUNE_OK)
		*out = (struct token *)(void *)s;
	return st;
}

void
token_drop(struct op *op, enum scope scope, const struct token *t)
{
	cache_drop(&op->client->tokens[scope].cache, &t->shared);
}

static void
hint_grant(struct op *op, const char *permission)
{
	error_hint_more(
	    op->err, "grant the app %s (application permission) and admin consent", permission);
}

static const char *
permission_for(const struct exchange *x)
{
	if (x->permission != NULL)
		return x->permission;
	return x->step == INTUNE_STEP_DISCOVERY ? PERMISSION_DISCOVERY : PERMISSION_SCEP;
}

static void
roles_of(char out[ROLES_TEXT], const struct token *t)
{
	reply_token_roles(out, t->line + strlen(BEARER), t->len - strlen(BEARER));
}

/* `permission` is an API and a role, "Microsoft Graph Application.Read.All"; `roles` "a, b". */
static bool
has_role(const char *roles, const char *permission)
{
	const char *role = strrchr(permission, ' ');
	size_t len;

	for (role = role != NULL ? role + 1 : permission; *roles != '\0'; roles += len) {
		len = strcspn(roles, ",");
		if (len == strlen(role) && strncmp(roles, role, len) == 0)
			return true;
		len += strspn(roles + len, ", ");
	}
	return false;
}

/* The clock goes first: what does not fit into the hint is cut from its end. */
enum intune_status
token_lacks(
    struct op *op, const struct exchange *x, const struct http_result *res, const struct token *t)
{
	const char *permission = permission_for(x);
	char roles[ROLES_TEXT];

	(void)op_odata_failure(op, x, res);
	op->err->status = INTUNE_E_PERMISSION;
	error_hint(op->err, "%s", "");
	if (res->status == 401)
		op_hint_clock(op, res);
	roles_of(roles, t);
	if (has_role(roles, permission)) {
		error_hint_more(op->err,
		    "the token has %s and is refused all the same: if consent is new, wait some "
		    "minutes; check that the addresses are those of the tenant's cloud",
		    permission);
		return INTUNE_E_PERMISSION;
	}
	hint_grant(op, permission);
	if (roles[0] != '\0')
		error_hint_more(op->err, "roles in the token: %s", roles);
	return INTUNE_E_PERMISSION;
}

enum intune_status
token_check(struct op *op, const struct token *t)
{
	char roles[ROLES_TEXT];

	roles_of(roles, t);
	if (strcmp(roles, "none") != 0)
		return INTUNE_OK;
	error_set(op->err, INTUNE_E_PERMISSION, INTUNE_STEP_TOKEN,
	    "token: the app's token for Intune carries no role");
	hint_grant(op, PERMISSION_SCEP);
	return INTUNE_E_PERMISSION;
}
