/*
 * graph_list.c - objects and collections of Microsoft Graph, made from the tables of their types.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/access.h"
#include "intunesim/graph.h"

#define URL_MAX     4096u
#define MEMBERS_MAX 64 /* of one type */

/* ---- errors and admission ---- */

void
graph_error(struct call *c, int status, const char *code, const char *message)
{
	char date[TIME_TEXT_MAX];
	json_t *inner;

	time_rfc3339(date, clock_now());
	date[strcspn(date, "Z")] = '\0'; /* Graph writes it without zone */
	call_note(c, code, "%s", message);
	inner = json_pack("{s:s, s:s, s:s}", "date", date, "request-id", c->request_id,
	    "client-request-id", c->correlation_id);
	call_json(c, status,
	    json_pack("{s:{s:s, s:s, s:o}}", "error", "code", code, "message", message,
		"innerError", inner));
}

void
graph_not_found(struct call *c, const char *id)
{
	char message[CALL_DETAIL_MAX];

	snprintf(message, sizeof(message),
	    "Resource '%.100s' does not exist or one of its queried reference-property objects are "
	    "not present.",
	    id);
	str_printable(message);
	graph_error(c, 404, "Request_ResourceNotFound", message);
}

bool
graph_admit(struct call *c, const char *const *roles)
{
	enum access a = ACCESS_NO_ROLE;

	http_reply_header(c->reply, "request-id", c->request_id);
	http_reply_header(c->reply, "client-request-id", c->correlation_id);
	for (; *roles != NULL && a == ACCESS_NO_ROLE; roles++)
		a = access_check(c, RESOURCE_GRAPH, *roles);
	if (a == ACCESS_GRANTED)
		return true;
	if (access_status(a) == 401)
		http_reply_header(
		    c->reply, "WWW-Authenticate", "Bearer realm=\"\", error=\"invalid_token\"");
	graph_error(c, access_status(a), access_code(a), access_text(a));
	return false;
}

/* The request came to /beta and not to /v1.0. */
static bool
is_beta(const struct call *c)
{
	return strncasecmp(c->req->path + strspn(c->req->path, "/"), "beta/", 5) == 0;
}

void
graph_url(struct buf *out, const struct call *c, const char *path)
{
	call_base_url(out, c);
	buf_addf(out, "/%s/%s", is_beta(c) ? "beta" : "v1.0", path);
}

/* ---- one object ---- */

json_t *
graph_item_time(const struct call *c, const void *item, size_t arg)
{
	return json_time_or_null(*(const int64_t *)(const void *)((const char *)item + arg));
}

json_t *
graph_no_value(const struct call *c, const void *item, size_t arg)
{
	return json_null();
}

static bool
is_visible(const struct call *c, const struct graph_member *m)
{
	return (m->flags & GRAPH_BETA) == 0 || is_beta(c);
}

/* All of an item's members, or with item NULL the type's as nulls. */
static json_t *
whole(const struct call *c, const struct graph_type *type, const void *item)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	if (ok && item != NULL && type->odata_type != NULL)
		ok = json_object_set_new(
			 o, "@odata.type", json_sprintf("#%s", type->odata_type(c, item))) == 0;
	for (size_t i = 0; ok && i < type->n_members; i++) {
		const struct graph_member *m = &type->members[i];

		if (is_visible(c, m))
			ok = json_object_set_new(o, m->name,
				 item != NULL ? m->get(c, item, m->arg) : json_null()) == 0;
	}
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
selected(const struct graph_type *type, const struct odata_query *q, const json_t *object)
{
	const char *dflt[MEMBERS_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < type->n_members && n < MEMBERS_MAX; i++) {
		if ((type->members[i].flags & GRAPH_DEFAULT) != 0)
			dflt[n++] = type->members[i].name;
	}
	dflt[n] = NULL;
	return odata_select(q, object, n > 0 ? dflt : NULL);
}

json_t *
graph_object(const struct call *c, const struct graph_type *type, const struct odata_query *q,
    const void *item)
{
	json_t *all = whole(c, type, item), *out = NULL;

	if (all != NULL)
		out = selected(type, q, all);
	json_decref(all);
	return out;
}

/* Graph's advanced queries: https://learn.microsoft.com/graph/aad-advanced-queries */
static bool
may_be_advanced(const struct call *c, const struct odata_query *q)
{
	const char *level = http_header0(c->req, "ConsistencyLevel");

	return q->count && level != NULL && str_eq_nocase(level, "eventual");
}

bool
graph_query(struct call *c, const struct graph_type *type, struct odata_query *q)
{
	json_t *model;
	struct err err;
	enum rc rc;

	if ((rc = odata_parse(q, c->req->query, &err)) == RC_OK) {
		if ((model = whole(c, type, NULL)) == NULL)
			rc = fail(&err, RC_NOMEM, "out of memory");
		else
			rc = odata_check(q, model, type->name, &err);
		json_decref(model);
	}
	if (rc == RC_OK && odata_is_advanced(q) && !may_be_advanced(c, q))
		rc = fail(&err, RC_PARSE,
		    "Operator 'endsWith' is not supported without $count=true and the header "
		    "ConsistencyLevel: eventual.");
	if (rc == RC_OK)
		return true;
	if (rc == RC_NOMEM)
		call_broken(c, &err);
	else
		graph_error(c, 400, "Request_UnsupportedQuery", err.msg);
	return false;
}

json_t *
graph_context(const struct call *c, const struct graph_type *type, const char *tail)
{
	json_t *v = NULL;
	struct buf b;

	buf_init(&b, URL_MAX);
	graph_url(&b, c, "$metadata#");
	buf_addf(&b, "%s%s", type->set, tail);
	if (b.rc == RC_OK)
		v = json_string(buf_str(&b));
	buf_done(&b);
	return v;
}

void
graph_one(struct call *c, const struct graph_type *type, const char *key, const void *item)
{
	struct odata_query q;
	json_t *o, *body;

	if (!graph_query(c, type, &q))
		return;
	if (item == NULL) {
		graph_not_found(c, key);
		return;
	}
	o = graph_object(c, type, &q, item);
	body = json_pack("{s:o}", "@odata.context", graph_context(c, type, "/$entity"));
	if (o == NULL || body == NULL || json_object_update(body, o) != 0) {
		json_decref(body);
		body = NULL;
	}
	json_decref(o);
	call_note(c, type->set, "%s", key);
	call_json(c, 200, body);
}

/* ---- pages ---- */

/* The query without its $skiptoken: what the next page's link repeats, and what a token is bound to. */
static void
query_without_token(struct buf *out, const char *query)
{
	while (*query != '\0') {
		size_t len = strcspn(query, "&");
		bool token = strncasecmp(query, "$skiptoken=", 11) == 0 ||
		    strncasecmp(query, "%24skiptoken=", 13) == 0 ||
		    strncasecmp(query, "skiptoken=", 10) == 0;

		if (len > 0 && !token) {
			if (out->len > 0)
				buf_addc(out, '&');
			buf_add(out, query, len);
		}
		query += len + (query[len] == '&');
	}
}

/* A place in a collection and the query that it belongs to, as one opaque word. */
static enum rc
make_token(struct buf *out, const struct call *c, const char *query, size_t at, struct err *err)
{
	char bound[GUID_TEXT_MAX], text[GUID_TEXT_MAX + 32];
	enum rc rc;

	if ((rc = guid_derive(bound, c->req->path, query, err)) != RC_OK)
		return rc;
	snprintf(text, sizeof(text), "%zu.%s", at, bound);
	base64url_add(out, (const uint8_t *)text, strlen(text));
	return buf_ok(out, "token", err);
}

/* Where the page begins; RC_PARSE for a token that is not this query's. */
static enum rc
read_token(size_t *at, const struct call *c, const struct odata_query *q, struct err *err)
{
	struct buf text, again, query;
	enum rc rc;

	*at = 0;
	if (q->skip_token[0] == '\0')
		return RC_OK;
	buf_init(&text, ODATA_VALUE_MAX);
	buf_init(&again, ODATA_VALUE_MAX);
	buf_init(&query, ODATA_QUERY_MAX);
	query_without_token(&query, c->req->query);
	rc = base64_decode(&text, q->skip_token, strlen(q->skip_token), BASE64_FIELD, err);
	if (rc == RC_OK) {
		*at = strtoul(buf_str(&text), NULL, 10);
		rc = make_token(&again, c, buf_str(&query), *at, err);
	}
	if (rc == RC_OK && strcmp(buf_str(&again), q->skip_token) != 0)
		rc = fail(err, RC_PARSE, "The skip token is not of this query.");
	buf_done(&text);
	buf_done(&again);
	buf_done(&query);
	return rc;
}

static json_t *
next_link(const struct call *c, size_t at)
{
	struct buf query, url;
	json_t *v = NULL;

	buf_init(&query, ODATA_QUERY_MAX);
	buf_init(&url, URL_MAX + ODATA_QUERY_MAX);
	query_without_token(&query, c->req->query);
	call_base_url(&url, c);
	buf_addf(
	    &url, "%s?%s%s$skiptoken=", c->req->path, buf_str(&query), query.len > 0 ? "&" : "");
	if (make_token(&url, c, buf_str(&query), at, NULL) == RC_OK)
		v = json_string(buf_str(&url));
	buf_done(&query);
	buf_done(&url);
	return v;
}

/* What a page is cut from. */
struct page {
	const struct graph_type *type;
	const void *source;
};

/* Fill one page from *at on; *at is where the next one begins.  False when out of memory. */
static bool
fill(struct call *c, const struct page *p, const struct odata_query *q, size_t *at, json_t *list)
{
	const struct graph_type *type = p->type;
	size_t n = type->count(p->source), max = q->top > 0 ? q->top : type->page;
	bool ok = true;

	for (; ok && *at < n && json_array_size(list) < max; (*at)++) {
		const void *item = type->item(p->source, *at);
		json_t *all = item != NULL ? whole(c, type, item) : NULL;

		ok = item == NULL || all != NULL;
		if (all != NULL && odata_match(q, all))
			ok = json_array_append_new(list, selected(type, q, all)) == 0;
		json_decref(all);
	}
	return ok;
}

static void
answer_page(struct call *c, const struct page *p, const struct odata_query *q, size_t at)
{
	const struct graph_type *type = p->type;
	json_t *list = json_array(), *body;

	body = json_pack("{s:o}", "@odata.context", graph_context(c, type, ""));
	if (list == NULL || body == NULL || !fill(c, p, q, &at, list) ||
	    (at < type->count(p->source) &&
		json_object_set_new(body, "@odata.nextLink", next_link(c, at)) != 0)) {
		json_decref(list);
		json_decref(body);
		call_json(c, 500, NULL);
		return;
	}
	call_note(c, type->set, "%zu objects", json_array_size(list));
	if (json_object_set_new(body, "value", list) != 0) {
		json_decref(body);
		body = NULL;
	}
	call_json(c, 200, body);
}

void
graph_page(struct call *c, const struct graph_type *type, const void *source)
{
	const struct page p = { type, source };
	struct odata_query q;
	struct err err;
	size_t at;
	enum rc rc;

	if (!graph_query(c, type, &q))
		return;
	if ((rc = read_token(&at, c, &q, &err)) == RC_OK)
		answer_page(c, &p, &q, at);
	else if (rc == RC_NOMEM)
		call_broken(c, &err);
	else
		graph_error(c, 400, "Request_BadRequest", err.msg);
}

void
graph_list(struct call *c, const struct graph_type *type)
{
	if (graph_admit(c, type->roles))
		graph_page(c, type, c->tenant);
}
