/*
 * graph_delta.c - users/delta and devices/delta: everything first, then what changed.
 *
 * A round begins without a token and walks over the whole collection in pages, then hands out a
 * delta link; such a link brings what has happened since, and the next link.  The moment that a
 * round's delta link will stand for is that of its first page, so that nothing falls between; what
 * happens meanwhile comes twice, as it may from Graph.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/changes.h"
#include "intunesim/graph.h"
#include "intunesim/services.h"

#define LINK_MAX   4096u
#define SELECT_MAX 256u /* of the names that travel in a token */

/* What differs between the two. */
struct delta {
	const struct graph_type *type;
	const char *path; /* "users/delta" */
	enum change_kind kind;
	const void *(*find)(const struct tenant *t, const char *object_id);
};

static const void *
find_user(const struct tenant *t, const char *id)
{
	const struct user_conf *u = guid_valid(id) ? tenant_user(t, id) : NULL;

	return u != NULL ? tenant_user_of(t, u) : NULL;
}

static const void *
find_device(const struct tenant *t, const char *id)
{
	const struct device *d = tenant_device_by_object_id(t, id);

	return d != NULL && d->conf->entra_id != NULL ? d : NULL;
}

static const struct delta users = { &graph_users, "users/delta", CHANGE_USER, find_user };
static const struct delta devices = { &graph_devices, "devices/delta", CHANGE_DEVICE, find_device };

/* What a link carries. */
struct place {
	bool walking;    /* over the collection; else along the change log */
	uint64_t moment; /* of the log */
	size_t at;       /* walking: the place in the collection */
	char select[SELECT_MAX];
};

/* ---- tokens ---- */

/* Bound to the path and the tenant, and opaque to whoever carries it. */
static bool
add_token(struct buf *out, const struct call *c, const struct delta *d, const struct place *p)
{
	char text[SELECT_MAX + 64], bound[GUID_TEXT_MAX];

	if (guid_derive(bound, c->tenant->id, d->path, NULL) != RC_OK)
		return false;
	snprintf(text, sizeof(text), "%c,%" PRIu64 ",%zu,%s", p->walking ? 'w' : 'c', p->moment,
	    p->at, p->select);
	buf_add(out, bound, strlen(bound));
	base64url_add(out, (const uint8_t *)text, strlen(text));
	return out->rc == RC_OK;
}

static bool
read_place(struct place *p, const char *text)
{
	char kind;
	int end = 0;

	if (sscanf(text, "%c,%" SCNu64 ",%zu,%n", &kind, &p->moment, &p->at, &end) != 3 ||
	    end == 0 || (kind != 'w' && kind != 'c') || strlen(text + end) >= sizeof(p->select))
		return false;
	p->walking = kind == 'w';
	memcpy(p->select, text + end, strlen(text + end) + 1);
	return true;
}

static bool
read_token(struct place *p, const struct call *c, const struct delta *d, const char *token)
{
	char bound[GUID_TEXT_MAX];
	struct buf text;
	bool ok;

	if (guid_derive(bound, c->tenant->id, d->path, NULL) != RC_OK || !str_starts(token, bound))
		return false;
	buf_init(&text, ODATA_VALUE_MAX);
	token += strlen(bound);
	ok = base64_decode(&text, token, strlen(token), BASE64_FIELD, NULL) == RC_OK &&
	    read_place(p, buf_str(&text));
	buf_done(&text);
	return ok;
}

/* The names of $select, to travel in the token. */
static bool
note_select(struct place *p, const struct odata_query *q)
{
	size_t at = 0;

	p->select[0] = '\0';
	for (size_t i = 0; i < q->n_select; i++) {
		size_t room = sizeof(p->select) - at;
		int n = snprintf(p->select + at, room, "%s%s", i > 0 ? "," : "", q->select[i]);

		if ((size_t)n >= room)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* ---- answers ---- */

static json_t *
link_to(const struct call *c, const struct delta *d, const char *option, const struct place *p)
{
	json_t *v = NULL;
	struct buf b;

	buf_init(&b, LINK_MAX);
	graph_url(&b, c, d->path);
	buf_addf(&b, "?$%s=", option);
	if (add_token(&b, c, d, p))
		v = json_string(buf_str(&b));
	buf_done(&b);
	return v;
}

static json_t *
removed(const char *id, const char *reason)
{
	return json_pack("{s:s, s:{s:s}}", "id", id, "@removed", "reason", reason);
}

static json_t *
change_json(const struct call *c, const struct delta *d, const struct odata_query *q,
    const struct change *change)
{
	const void *item;

	if (change->what == CHANGE_BINNED)
		return removed(change->id, "changed");
	item = d->find(c->tenant, change->id);
	if (change->what == CHANGE_GONE || item == NULL)
		return removed(change->id, "deleted");
	return graph_object(c, d->type, q, item);
}

/* One page of the whole collection; *p moves on.  False when out of memory. */
static bool
walk(struct call *c, const struct delta *d, const struct odata_query *q, struct place *p,
    json_t *list)
{
	size_t n = d->type->count(c->tenant);
	bool ok = true;

	for (; ok && p->at < n && json_array_size(list) < d->type->page; p->at++) {
		const void *item = d->type->item(c->tenant, p->at);

		if (item != NULL)
			ok = json_array_append_new(list, graph_object(c, d->type, q, item)) == 0;
	}
	p->walking = p->at < n;
	return ok;
}

/* One page of the log; *p moves on.  *more: there is another.  RC_NOTFOUND: the link is too old. */
static enum rc
follow(struct call *c, const struct delta *d, const struct odata_query *q, struct place *p,
    json_t *list, bool *more, struct err *err)
{
	struct change *rows;
	uint64_t now;
	size_t n, i;
	enum rc rc;

	rc = changes_since(
	    c->sim->changes, c->tenant->index, d->kind, p->moment, &rows, &n, &now, err);
	if (rc != RC_OK)
		return rc;
	for (i = 0; rc == RC_OK && i < n && i < d->type->page; i++) {
		if (json_array_append_new(list, change_json(c, d, q, &rows[i])) != 0)
			rc = fail(err, RC_NOMEM, "out of memory");
	}
	*more = i < n;
	p->moment = *more ? rows[i - 1].seq : now;
	free(rows);
	return rc;
}

static void
too_old(struct call *c, const struct delta *d)
{
	struct buf url;

	buf_init(&url, LINK_MAX);
	graph_url(&url, c, d->path);
	http_reply_header(c->reply, "Location", buf_str(&url));
	buf_done(&url);
	graph_error(c, 410, "resyncRequired",
	    "Resync required. The delta token is too old: begin anew without one.");
}

static void
answer(struct call *c, const struct delta *d, const struct odata_query *q, struct place *p)
{
	json_t *list = json_array();
	bool walking = p->walking, more = false;
	enum rc rc = RC_OK;
	struct err err;

	if (list == NULL || (walking && !walk(c, d, q, p, list)))
		rc = fail(&err, RC_NOMEM, "out of memory");
	else if (walking)
		more = p->walking;
	else
		rc = follow(c, d, q, p, list, &more, &err);
	if (rc == RC_OK) {
		call_note(c, d->path, "%zu objects", json_array_size(list));
		call_json(c, 200,
		    json_pack("{s:o, s:o, s:O}", "@odata.context",
			graph_context(c, d->type, "/$delta"),
			more ? "@odata.nextLink" : "@odata.deltaLink",
			link_to(c, d, more ? "skiptoken" : "deltatoken", p), "value", list));
	} else if (rc == RC_NOTFOUND) {
		too_old(c, d);
	} else {
		call_broken(c, &err);
	}
	json_decref(list);
}

/* What a token says about the members takes the place of $select, which cannot come beside it. */
static bool
restore_select(struct odata_query *q, const struct place *p)
{
	char text[SELECT_MAX + 16];

	if (p->select[0] == '\0')
		return true;
	snprintf(text, sizeof(text), "$select=%s", p->select);
	return odata_parse(q, text, NULL) == RC_OK;
}

static bool
begin(struct call *c, const struct delta *d, struct odata_query *q, struct place *p)
{
	const char *token = q->skip_token[0] != '\0' ? q->skip_token : q->delta_token;

	if (token[0] == '\0') {
		*p = (struct place){ .walking = true,
			.moment = changes_now(c->sim->changes, c->tenant->index) };
		return q->n_terms == 0 && note_select(p, q);
	}
	return q->n_terms == 0 && q->n_select == 0 && read_token(p, c, d, token) &&
	    restore_select(q, p);
}

static void
delta(struct call *c, const struct delta *d)
{
	struct odata_query q;
	struct place p;

	if (!graph_admit(c, d->type->roles) || !graph_query(c, d->type, &q))
		return;
	if (begin(c, d, &q, &p))
		answer(c, d, &q, &p);
	else
		graph_error(c, 400, "Request_BadRequest",
		    "A delta query takes $select or a token of its own.");
}

void
graph_user_delta(struct call *c)
{
	delta(c, &users);
}

void
graph_device_delta(struct call *c)
{
	delta(c, &devices);
}
