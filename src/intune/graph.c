/*
 * graph.c - asking Microsoft Graph.
 */
#include "intune/graph.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define TRIES_MAX   3   /* of one question, whatever goes wrong */
#define LEFT_MIN_MS 500 /* no waiting when afterwards there is no time to ask */

/*
 * The permission each kind needs, and the codes with which its service says "no such object".
 * Entra's is told apart from everything else.  Intune's gateway uses a code that Graph's own front
 * also gives for an address it does not know ("Invalid version: ..."): directory.c makes sure of
 * that one.
 */
static const struct {
	const char *permission;
	const char *absent[3];
} kinds[GRAPH__MAX] = {
	[GRAPH_USER] = { "Microsoft Graph User.Read.All", { "Request_ResourceNotFound" } },
	[GRAPH_DEVICE] = { "Microsoft Graph Device.Read.All", { "Request_ResourceNotFound" } },
	[GRAPH_MANAGED_DEVICE] = { "Microsoft Graph DeviceManagementManagedDevices.Read.All",
	    { "ResourceNotFound", "NotFound", "Request_ResourceNotFound" } },
	[GRAPH_MEMBER] = { "Microsoft Graph GroupMember.Read.All", { INTUNE_NO_SUCH_OBJECT } },
	[GRAPH_RISK] = { "Microsoft Graph IdentityRiskyUser.Read.All",
	    { "Request_ResourceNotFound", "ResourceNotFound", "NotFound" } },
};

enum intune_status
graph_bad_argument(struct op *op, const char *name, const char *what)
{
	return error_set(op->err, INTUNE_E_ARGUMENT, INTUNE_STEP_DIRECTORY,
	    "directory: the argument %s %s", name, what);
}

void
graph_url_begin(struct buf *url, const struct op *op, enum graph_version v)
{
	const struct settings *s = &op->client->set;
	size_t len = strlen(s->v[P_GRAPH_RESOURCE]);

	buf_init(url, URL_MAX);
	while (len > 0 && s->v[P_GRAPH_RESOURCE][len - 1] == '/')
		len--;
	buf_add(url, s->v[P_GRAPH_RESOURCE], len);
	if (v == GRAPH_V1)
		buf_addf(url, "/v%s/", s->v[P_GRAPH_VERSION]);
	else
		buf_adds(url, "/beta/");
}

void
graph_url_key(struct buf *url, const char *value)
{
	url_encode_add(url, value, strlen(value));
}

void
graph_url_literal(struct buf *url, const char *value)
{
	size_t i;

	url_encode_add(url, "'", 1);
	for (i = 0; value[i] != '\0'; i++)
		url_encode_add(url, value[i] == '\'' ? "''" : &value[i], value[i] == '\'' ? 2 : 1);
	url_encode_add(url, "'", 1);
}

void
graph_url_select(struct buf *url, enum graph_kind kind, enum graph_use use)
{
	buf_adds(url, "?$select=");
	graph_select_add(url, kind, use);
}

bool
graph_is_ours(const struct op *op, const char *link)
{
	struct url u;

	return url_parse(&u, link) && url_same_origin(&u, &op->client->set.graph);
}

static bool
says_absent(enum graph_kind kind, const struct http_result *res)
{
	const char *const *codes = kinds[kind].absent;
	struct odata_error said;
	size_t i;

	if (res->status != 404 ||
	    reply_odata_error(&said, res->body.data, res->body.len, NULL) != RC_OK)
		return false;
	for (i = 0; i < sizeof(kinds[kind].absent) / sizeof(codes[0]) && codes[i] != NULL; i++) {
		if (strcmp(said.code, codes[i]) == 0)
			return true;
	}
	return false;
}

static enum intune_status
ask_once(struct op *op, const struct graph_question *q, struct token *t, struct http_result *res,
    bool *absent)
{
	struct exchange x = {
		.step = INTUNE_STEP_DIRECTORY,
		.method = "GET",
		.url = q->url,
		.host = op->client->set.graph.host,
		.headers = { t->line, "Accept: application/json", q->header },
		.n_headers = q->header != NULL ? 3 : 2,
		.permission = kinds[q->kind].permission,
		.reply_max = q->is_page ? LIMIT_JSON_PAGE : 0,
	};
	enum intune_status st = op_exchange(op, &x, res);

	if (st != INTUNE_OK || (res->status >= 200 && res->status <= 299))
		return st;
	if (absent != NULL && says_absent(q->kind, res)) {
		*absent = true;
		return INTUNE_OK;
	}
	if (res->status == 401 || res->status == 403)
		return token_lacks(op, &x, res, t);
	return op_odata_failure(op, &x, res);
}

/*
 * No device waits for this call, unlike for those of the enrolment: what the service asks for is
 * waited for as long as the caller's time allows.
 */
static bool
wait_to_ask_again(const struct op *op)
{
	const struct intune_error *e = op->err;
	int64_t wait_ms = e->retry_after * 1000LL, left = op->deadline - clock_mono_ms();
	struct timespec t;

	if (op_wait_for_retry(op))
		return true;
	if ((e->http_status != 429 && e->http_status != 503) || wait_ms <= 0 ||
	    left - wait_ms < LEFT_MIN_MS)
		return false;
	t.tv_sec = (time_t)e->retry_after;
	t.tv_nsec = 0;
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	return true;
}

/* INTUNE_OK: a 2xx, or *absent.  The result is the caller's in any case. */
static enum intune_status
get(struct op *op, const struct graph_question *q, struct http_result *res, bool *absent)
{
	enum intune_status st;
	bool renewed = false, again;
	struct token *t;
	int tries;

	memset(res, 0, sizeof(*res));
	for (tries = 1;; tries++) {
		if ((st = token_get(op, SCOPE_GRAPH, &t)) != INTUNE_OK)
			return st;
		st = ask_once(op, q, t, res, absent);
		/* A token from before the consent stays without it until it ends. */
		if (st == INTUNE_E_PERMISSION)
			token_drop(op, SCOPE_GRAPH, t);
		shared_release(&t->shared);
		again = st == INTUNE_E_PERMISSION && res->status == 401 && !renewed;
		renewed = renewed || again;
		if (st == INTUNE_OK || tries == TRIES_MAX || (!again && !wait_to_ask_again(op)))
			return st;
		op_result_done(res);
	}
}

static enum intune_status
odd_answer(struct op *op, const char *why)
{
	error_set(op->err, INTUNE_E_PROTOCOL, INTUNE_STEP_DIRECTORY, "directory: %s: HTTP %d: %s",
	    op->client->set.graph.host, op->err->http_status, why);
	error_hint(op->err,
	    "that is not Graph's answer: check MS_GRAPH_RESOURCE_URL and MS_GRAPH_API_VERSION, and "
	    "what stands between here and %s",
	    op->client->set.graph.host);
	return INTUNE_E_PROTOCOL;
}

static enum intune_status
from_door(struct op *op, enum rc rc, const struct err *why)
{
	if (rc == RC_OK)
		return INTUNE_OK;
	return rc == RC_NOMEM ? op_nomem(op, INTUNE_STEP_DIRECTORY) : odd_answer(op, why->msg);
}

enum intune_status
graph_ask(struct op *op, const struct graph_question *q, union graph_object *out, bool *absent)
{
	struct http_result res;
	enum intune_status st;
	bool gone = false;
	struct err why;
	enum rc rc;

	st = get(op, q, &res, &gone);
	if (st == INTUNE_OK && !gone) {
		rc = graph_object_parse(out, q->kind, res.body.data, res.body.len, &why);
		st = from_door(op, rc, &why);
	}
	op_result_done(&res);
	if (st == INTUNE_OK)
		*absent = gone;
	return st;
}

enum intune_status
graph_walk_begin(
    struct op *op, struct graph_walk *w, const struct graph_question *q, unsigned pages_max)
{
	memset(w, 0, sizeof(*w));
	w->kind = q->kind;
	w->header = q->header;
	w->pages_max = pages_max;
	return str_dup(&w->url, q->url, NULL) == RC_OK ? INTUNE_OK
						       : op_nomem(op, INTUNE_STEP_DIRECTORY);
}

/*
 * Brent's way to notice a circle: remember one link, and at every power of two a later one.  A
 * circle of any length brings the remembered link again.
 */
static bool
is_circle(struct graph_walk *w, const char *next)
{
	if ((w->pages & (w->pages - 1)) == 0) {
		free(w->mark);
		w->mark = strdup(w->url); /* without it the maximum of pages is the only bound */
	}
	return w->mark != NULL && strcmp(w->mark, next) == 0;
}

static enum intune_status
go_on(struct op *op, struct graph_walk *w)
{
	const char *next = w->page.next;

	w->pages++;
	if (next != NULL && !graph_is_ours(op, next))
		return odd_answer(op, "the list's next page is on another host");
	if (next != NULL && w->pages == w->pages_max)
		return odd_answer(op, "the list has too many pages");
	if (next != NULL && is_circle(w, next))
		return odd_answer(op, "the list's pages go round in a circle");
	free(w->url);
	w->url = NULL;
	if (next == NULL)
		return INTUNE_OK;
	return str_dup(&w->url, next, NULL) == RC_OK ? INTUNE_OK
						     : op_nomem(op, INTUNE_STEP_DIRECTORY);
}

enum intune_status
graph_walk_page(struct op *op, struct graph_walk *w)
{
	const struct graph_question q = { w->kind, w->url, w->header, .is_page = true };
	struct http_result res;
	enum intune_status st;
	struct err why;
	enum rc rc;

	graph_page_done(&w->page);
	st = get(op, &q, &res, NULL);
	if (st == INTUNE_OK) {
		rc = graph_page_parse(&w->page, res.body.data, res.body.len, &why);
		st = from_door(op, rc, &why);
	}
	op_result_done(&res);
	return st == INTUNE_OK ? go_on(op, w) : st;
}

void
graph_walk_done(struct graph_walk *w)
{
	graph_page_done(&w->page);
	free(w->url);
	free(w->mark);
	w->url = w->mark = NULL;
}
