/*
 * discovery.c - where the tenant's services are: Microsoft Graph's list of Intune's endpoints.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/reply.h"

#define SETTLED_MS 30000
#define PAGES_MAX  16 /* Graph pages by 100; a tenant has a few dozen endpoints */
#define AGE_MAX_MS (24LL * 60 * 60 * 1000)
#define AGE_USELESS_MS                                                                             \
	(AGE_MAX_MS +                                                                              \
	    60LL * 60 * 1000) /* while Graph fails, the old address is better than none  \
					 */

static void
service_destroy(struct shared *s)
{
	struct services *v = (struct services *)(void *)s;
	size_t i;

	for (i = 0; i < ACTION__MAX; i++)
		free(v->url[i]);
	free(v);
}

static struct services *
service_make(const struct discovery_page *list)
{
	struct services *v = calloc(1, sizeof(*v));
	const char *uri;
	struct url u;
	unsigned i;

	if (v == NULL)
		return NULL;
	atomic_init(&v->shared.refs, 1);
	v->shared.destroy = service_destroy;
	for (i = 0; i < ACTION__MAX; i++) {
		uri = list->uri[action_service((enum action_id)i)];
		if (uri != NULL &&
		    url_join(&v->url[i], uri, action_path((enum action_id)i), NULL) != RC_OK) {
			shared_release(&v->shared);
			return NULL;
		}
	}
	for (i = 0; i < SERVICE__MAX; i++) {
		if (list->uri[i] != NULL && url_parse(&u, list->uri[i]))
			memcpy(v->host[i], u.host, sizeof(v->host[i]));
	}
	v->entries = list->entries;
	memcpy(v->names, list->names, sizeof(v->names));
	return v;
}

/* One GET; the reply is the caller's in any case.  INTUNE_OK is HTTP 2xx. */
static enum intune_status
get_once(struct op *op, struct exchange *x, struct http_result *res, struct token *t)
{
	enum intune_status st;

	x->headers[0] = t->line;
	x->n_headers = 1;
	st = op_exchange(op, x, res);
	if (st != INTUNE_OK || (res->status >= 200 && res->status <= 299))
		return st;
	if (res->status == 401 || res->status == 403)
		return token_lacks(op, x, res, t);
	st = op_odata_failure(op, x, res);
	if (res->status == 404) {
		op->err->status = st = INTUNE_E_DISCOVERY;
		error_hint(op->err,
		    "the tenant has no Intune service principal: check TENANT, its "
		    "Intune licence, INTUNE_APP_ID and MS_GRAPH_RESOURCE_URL");
	}
	return st;
}

/* With one more try when a new token or a short wait may help. */
static enum intune_status
graph_get(struct op *op, struct exchange *x, struct http_result *res)
{
	enum intune_status st;
	struct token *t;
	int tries;

	memset(res, 0, sizeof(*res));
	for (tries = 0;; tries++) {
		if ((st = token_get(op, SCOPE_GRAPH, &t)) != INTUNE_OK)
			return st;
		st = get_once(op, x, res, t);
		if (st == INTUNE_E_PERMISSION && tries == 0)
			token_drop(op, SCOPE_GRAPH, t);
		shared_release(&t->shared);
		if (st == INTUNE_OK || tries > 0 ||
		    (st != INTUNE_E_PERMISSION && !op_wait_for_retry(op)))
			return st;
		op_result_done(res);
	}
}

static enum intune_status
not_listed(struct op *op, enum service_id id, size_t entries, const char *names)
{
	error_set(op->err, INTUNE_E_DISCOVERY, INTUNE_STEP_DISCOVERY,
	    "discovery: %s is not among the %zu endpoints of the tenant%s%s", service_name(id),
	    entries, names[0] != '\0' ? ": " : "", names);
	error_hint(op->err,
	    "check that the tenant has an Intune licence and that TENANT is the right one");
	return INTUNE_E_DISCOVERY;
}

static enum intune_status
bad_list(struct op *op, const char *why)
{
	error_set(op->err, INTUNE_E_PROTOCOL, INTUNE_STEP_DISCOVERY, "discovery: %s: %s",
	    op->client->set.graph.host, why);
	error_hint(op->err,
	    "that is not Graph's answer: check MS_GRAPH_RESOURCE_URL and "
	    "MS_GRAPH_API_VERSION");
	return INTUNE_E_PROTOCOL;
}

/* The walk over the pages. */
struct walk {
	char *url; /* of the page to read; owned */
	struct discovery_page page;
	struct discovery_page found; /* of all pages so far; `next` is not used */
};

static bool
found_all(const struct discovery_page *found)
{
	unsigned i;

	for (i = 0; i < SERVICE__MAX && found->uri[i] != NULL; i++)
		;
	return i == SERVICE__MAX;
}

static bool
found_any(const struct discovery_page *found)
{
	unsigned i;

	for (i = 0; i < SERVICE__MAX && found->uri[i] == NULL; i++)
		;
	return i < SERVICE__MAX;
}

/* The first entry wins, over the pages as on each. */
static void
keep_found(struct walk *w)
{
	unsigned i;

	for (i = 0; i < SERVICE__MAX; i++) {
		if (w->found.uri[i] != NULL)
			continue;
		w->found.uri[i] = w->page.uri[i];
		w->page.uri[i] = NULL;
	}
	w->found.entries += w->page.entries;
	if (w->found.names[0] == '\0')
		memcpy(w->found.names, w->page.names, sizeof(w->found.names));
}

/* Read one page into w->page. */
static enum intune_status
walk_page(struct op *op, struct walk *w)
{
	struct exchange x = {
		.step = INTUNE_STEP_DISCOVERY,
		.method = "GET",
		.url = w->url,
		.host = op->client->set.graph.host,
	};
	struct http_result res;
	struct err why;
	enum intune_status st = graph_get(op, &x, &res);
	enum rc rc;

	if (st == INTUNE_OK) {
		rc = reply_discovery(&w->page, res.body.data, res.body.len, &why);
		if (rc == RC_NOMEM)
			st = op_nomem(op, x.step);
		else if (rc != RC_OK)
			st = bad_list(op, why.msg);
		else
			keep_found(w);
	}
	op_result_done(&res);
	return st;
}

/* Go on to the next page.  The token goes along, so the next page must be where the first one was.
 */
static enum intune_status
walk_on(struct op *op, struct walk *w)
{
	struct url next;

	if (!url_parse(&next, w->page.next) || !url_same_origin(&next, &op->client->set.graph))
		return bad_list(op, "the list's next page is on another host");
	free(w->url);
	w->url = w->page.next;
	w->page.next = NULL;
	discovery_page_done(&w->page);
	return INTUNE_OK;
}

static enum intune_status
walk(struct op *op, struct walk *w)
{
	enum intune_status st;
	int page;

	for (page = 0; page < PAGES_MAX; page++) {
		if ((st = walk_page(op, w)) != INTUNE_OK)
			return st;
		if (w->page.next == NULL || found_all(&w->found))
			return INTUNE_OK;
		if ((st = walk_on(op, w)) != INTUNE_OK)
			return st;
	}
	return bad_list(op, "the list has too many pages");
}

/* A service that was found must not be lost because a later page cannot be had. */
static enum intune_status
find(struct op *op, struct walk *w)
{
	enum intune_status st = walk(op, w);

	if (st == INTUNE_E_NOMEM || found_any(&w->found))
		return st == INTUNE_E_NOMEM ? st : INTUNE_OK;
	return st != INTUNE_OK ? st
			       : not_listed(op, SERVICE_SCEP, w->found.entries, w->found.names);
}

/* What failed at the old addresses says nothing about the new ones. */
static void
new_places(struct intune_client *c)
{
	breaker_reset(&c->breakers[INTUNE_SERVICE_SCEP]);
	breaker_reset(&c->breakers[INTUNE_SERVICE_REVOCATION]);
}

/* Two answers that agree: while a service is down at that address, do not ask Graph at every call.
 */
static void
remember(struct intune_client *c, const struct discovery_page *found)
{
	const char *scep = found->uri[SERVICE_SCEP], *revocation = found->uri[SERVICE_REVOCATION];
	char *uris;

	if (str_format(&uris, NULL, "%s %s", scep != NULL ? scep : "",
		revocation != NULL ? revocation : "") != RC_OK)
		return; /* without it nothing is ever settled: no harm */
	if (c->last_uris != NULL && strcmp(c->last_uris, uris) == 0)
		atomic_store(&c->settled_until, clock_mono_ms() + SETTLED_MS);
	else if (c->last_uris != NULL)
		new_places(c);
	free(c->last_uris);
	c->last_uris = uris;
}

static enum intune_status
service_fetch(struct op *op, void *arg, struct fetched *out)
{
	struct intune_client *c = arg;
	struct walk w = { 0 };
	struct services *v;
	enum intune_status st;

	if (str_dup(&w.url, c->set.discovery_url, NULL) != RC_OK)
		return op_nomem(op, INTUNE_STEP_DISCOVERY);
	st = find(op, &w);
	if (st == INTUNE_OK) {
		v = service_make(&w.found);
		remember(c, &w.found);
		if (v != NULL)
			*out = (struct fetched){ &v->shared, AGE_MAX_MS, AGE_USELESS_MS };
		else
			st = op_nomem(op, INTUNE_STEP_DISCOVERY);
	}
	discovery_page_done(&w.page);
	discovery_page_done(&w.found);
	free(w.url);
	return st;
}

bool
service_init(struct intune_client *c)
{
	return cache_init(&c->service, INTUNE_STEP_DISCOVERY, service_fetch, c);
}

enum intune_status
service_get(struct op *op, enum service_id id, struct services **out)
{
	struct services *v;
	struct shared *s;
	enum intune_status st = cache_get(&op->client->service, op, &s);

	if (st != INTUNE_OK)
		return st;
	v = (struct services *)(void *)s;
	if (v->host[id][0] == '\0') {
		st = not_listed(op, id, v->entries, v->names);
		service_doubt(op, v);
		shared_release(s);
		return st;
	}
	*out = v;
	return INTUNE_OK;
}

void
service_doubt(struct op *op, const struct services *s)
{
	if (clock_mono_ms() >= atomic_load(&op->client->settled_until))
		cache_drop(&op->client->service, &s->shared);
}
