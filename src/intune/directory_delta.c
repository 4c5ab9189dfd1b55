/*
 * directory_delta.c - what has changed in the directory since the last time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intune/client.h"
#include "intune/graph.h"

#define RESYNC "resyncRequired"

static const struct {
	const char *path;
	enum graph_kind kind;
} deltas[] = {
	[INTUNE_DELTA_USERS] = { "users/delta", GRAPH_USER },
	[INTUNE_DELTA_DEVICES] = { "devices/delta", GRAPH_DEVICE },
};

#define DELTAS (sizeof(deltas) / sizeof(deltas[0]))

/* The caller's side of one walk. */
struct follow {
	enum graph_kind kind;
	intune_on_change on_change;
	void *arg;
	bool stopped;
	char *link; /* the new delta link; owned */
};

/*
 * A caller who keeps two links and mixes them up would be told of users as devices.  Only what is
 * surely another kind's: the form of links is Graph's own.
 */
static bool
is_of_other_kind(enum intune_delta kind, const char *link)
{
	size_t i, path = strcspn(link, "?"), len;
	const char *at;

	for (i = 0; i < DELTAS; i++) {
		len = strlen(deltas[i].path);
		at = strstr(link, deltas[i].path);
		if (i != (size_t)kind && at != NULL && (size_t)(at - link) + len <= path &&
		    at > link && at[-1] == '/')
			return true;
	}
	return false;
}

static enum intune_status
check(struct op *op, enum intune_delta kind, const char *delta_link, intune_on_change on_change,
    char **out)
{
	if (op->client == NULL)
		return graph_bad_argument(op, "client", "is missing");
	if ((unsigned)kind >= DELTAS)
		return graph_bad_argument(op, "kind", "is none of enum intune_delta");
	if (on_change == NULL)
		return graph_bad_argument(op, "on_change", "is missing");
	if (out == NULL)
		return graph_bad_argument(op, "delta_link_out", "is missing");
	if (delta_link != NULL && !graph_is_ours(op, delta_link))
		return graph_bad_argument(
		    op, "delta_link", "does not lead to MS_GRAPH_RESOURCE_URL: begin with NULL");
	if (delta_link != NULL && is_of_other_kind(kind, delta_link))
		return graph_bad_argument(
		    op, "delta_link", "is a link to the changes of the other kind");
	return INTUNE_OK;
}

/*
 * The state behind the link is no longer kept (410, or 400 with one of Entra's codes).  From the
 * very first page of a new walk it would not be an answer.
 */
static bool
is_too_old(const struct op *op)
{
	static const char *const codes[] = { RESYNC, "syncStateNotFound", "syncStateInvalid",
		"Directory_ExpiredPageToken" };
	const struct intune_error *e = op->err;
	size_t i;

	if (e->step != INTUNE_STEP_DIRECTORY || e->http_status < 400 || e->http_status > 499)
		return false;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_eq_nocase(e->code_text, codes[i]))
			return true;
	}
	return e->http_status == 410;
}

static enum intune_status
resync(struct op *op)
{
	struct intune_error *e = op->err;

	error_set(e, INTUNE_E_REFUSED, INTUNE_STEP_DIRECTORY,
	    "directory: %s: HTTP %d%s%s: the delta link is too old", op->client->set.graph.host,
	    e->http_status, e->code_text[0] != '\0' ? " " : "", e->code_text);
	error_hint(e, "begin anew without a delta link; Entra keeps one for 7 days");
	memcpy(e->code_text, RESYNC, sizeof(RESYNC));
	return INTUNE_E_REFUSED;
}

static void
tell(struct follow *f, struct graph_page *page)
{
	struct intune_change change = { NULL, NULL };
	union graph_object o;

	while (!f->stopped && graph_page_next(page, f->kind, &o)) {
		if (f->kind == GRAPH_USER)
			change.user = &o.user;
		else
			change.device = &o.device;
		f->stopped = f->on_change(&change, f->arg) != 0;
	}
}

/* The last page has the link for the next time; the token will go there. */
static enum intune_status
keep_link(struct op *op, struct follow *f, const struct graph_page *page)
{
	const char *why = NULL;

	if (page->delta == NULL)
		why = "the last page has no delta link";
	else if (!graph_is_ours(op, page->delta))
		why = "the delta link leads to another host";
	if (why != NULL)
		return error_set(op->err, INTUNE_E_PROTOCOL, INTUNE_STEP_DIRECTORY,
		    "directory: %s: %s", op->client->set.graph.host, why);
	return str_dup(&f->link, page->delta, NULL) == RC_OK ? INTUNE_OK
							     : op_nomem(op, INTUNE_STEP_DIRECTORY);
}

/* Whoever a change without an id is about would be forgotten with the next link. */
static enum intune_status
check_ids(struct op *op, const struct follow *f, const struct graph_page *page)
{
	struct graph_page look = *page;
	union graph_object o;

	while (graph_page_next(&look, f->kind, &o))
		;
	if (look.nameless == 0)
		return INTUNE_OK;
	return error_set(op->err, INTUNE_E_PROTOCOL, INTUNE_STEP_DIRECTORY,
	    "directory: %s: a change has no id", op->client->set.graph.host);
}

/* Read one page whole, then tell of it. */
static enum intune_status
follow_page(struct op *op, struct follow *f, struct graph_walk *w)
{
	enum intune_status st;

	op->deadline = clock_mono_ms() + op->client->set.total_ms;
	if ((st = graph_walk_page(op, w)) != INTUNE_OK)
		return st;
	if ((st = check_ids(op, f, &w->page)) != INTUNE_OK)
		return st;
	if (w->url == NULL && (st = keep_link(op, f, &w->page)) != INTUNE_OK)
		return st;
	tell(f, &w->page);
	return INTUNE_OK;
}

static enum intune_status
follow(struct op *op, struct follow *f, const char *from, bool anew)
{
	const struct graph_question q = { f->kind, from, NULL };
	struct graph_walk w;
	enum intune_status st = graph_walk_begin(op, &w, &q, GRAPH_PAGES_MAX);

	while (st == INTUNE_OK && w.url != NULL && !f->stopped)
		st = follow_page(op, f, &w);
	if (st != INTUNE_OK && is_too_old(op) && (!anew || w.pages > 0))
		st = resync(op);
	graph_walk_done(&w);
	return st;
}

enum intune_status
intune_follow_changes(struct intune_client *c, enum intune_delta kind, const char *delta_link,
    intune_on_change on_change, void *arg, char **delta_link_out, struct intune_error *err)
{
	struct follow f = { .on_change = on_change, .arg = arg };
	enum intune_status st;
	struct buf url;
	struct op op;

	op_begin(&op, c, NULL, err);
	if ((st = check(&op, kind, delta_link, on_change, delta_link_out)) != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_DIRECTORY, st);
	f.kind = deltas[kind].kind;
	graph_url_begin(&url, &op, GRAPH_V1);
	buf_adds(&url, deltas[kind].path);
	graph_url_select(&url, f.kind, GRAPH_DELTA);
	if (buf_ok(&url, "URL", NULL) == RC_OK)
		st = follow(
		    &op, &f, delta_link != NULL ? delta_link : buf_str(&url), delta_link == NULL);
	else
		st = op_nomem(&op, INTUNE_STEP_DIRECTORY);
	buf_done(&url);
	if (st == INTUNE_OK && !f.stopped) {
		*delta_link_out = f.link;
		f.link = NULL;
	} else if (st == INTUNE_OK) {
		*delta_link_out = NULL;
	}
	free(f.link);
	return op_end(&op, INTUNE_STEP_DIRECTORY, st);
}
