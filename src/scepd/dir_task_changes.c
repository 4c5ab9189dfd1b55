/*
 * dir_task_changes.c - users and devices by what has changed of them, and objects that are asked for by their id: those
 * whom a walk from the beginning did not name, those of whom a change did not tell enough, and those that were
 * heard of longest ago.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scepd/dir_bind.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

#define MISSING_MAX 100 /* a round: whom a walk from the beginning did not name */
#define OLDEST_MAX  50 /* a round: 100,000 managed devices come round in 34 hours at one a minute */
#define ASK_AGAIN                                                                                  \
	1 /* as a time that it is known at: what changed was not told, so he is asked about */

/* What changed may be what was left out: he is asked about by his id, until it is told. */
static void
still_untold(struct store_object *o)
{
	if (o->presence == DIR_FOUND && o->enabled == DIR_UNSAID)
		o->known = ASK_AGAIN;
}

/* ---- by id ---- */

/* Of a certificate that is bound to this object: the id that Graph can be asked by. */
struct device_id {
	struct scepd *s;
	char id[40];
};

static int
note_device_id(void *arg, const char *serial, const char *ca)
{
	struct device_id *d = arg;
	struct store_binding b;
	struct err err;

	if (store_binding_get(d->s->store, serial, ca, &b, &err) == RC_OK)
		memcpy(d->id, b.device, sizeof(d->id));
	return d->id[0] != '\0';
}

static enum intune_status
ask_user(struct dir_tenant *t, struct store_object *o, int64_t now)
{
	struct intune_user u;
	enum intune_status st = intune_find_user(tenant_client(t->tenant), o->id, &u, &t->error);

	if (st == INTUNE_OK) {
		memcpy(u.id, o->id, sizeof(o->id));
		dir_object_of_user(o, t->name, &u, now);
		still_untold(o);
	}
	return st;
}

static enum intune_status
ask_device(struct dir_tenant *t, struct store_object *o, int64_t now)
{
	struct device_id id = { t->s, "" };
	struct intune_device d;
	enum intune_status st = INTUNE_OK;

	(void)dir_store_failed(t,
	    store_binding_certs(t->s->store, t->name, BINDING_BY_DEVICE_OBJECT, o->id, 0, 16,
		note_device_id, &id, &t->err));
	o->known = now; /* nobody's any more: looked at again another time */
	if (id.id[0] == '\0')
		return st;
	st = intune_find_device(tenant_client(t->tenant), id.id, &d, &t->error);
	if (st == INTUNE_OK) {
		memcpy(d.id, o->id, sizeof(o->id));
		dir_object_of_device(o, t->name, &d, now);
		still_untold(o);
	}
	return st;
}

static enum intune_status
ask_managed(struct dir_tenant *t, struct store_object *o, int64_t now)
{
	struct intune_managed_device m;
	enum intune_status st =
	    intune_find_managed_device(tenant_client(t->tenant), o->id, &m, &t->error);

	if (st == INTUNE_OK) {
		memcpy(m.id, o->id, sizeof(o->id));
		/* A list that is empty where one asks by id proves nothing. */
		if (m.presence == INTUNE_PRESENCE_NOT_LISTED)
			o->known = now;
		else
			dir_object_of_managed(o, t->name, &m, now);
	}
	return st;
}

struct object_list {
	struct store_object v[MISSING_MAX];
	size_t n;
};

static int
note_object(void *arg, const struct store_object *o)
{
	struct object_list *l = arg;

	if (l->n == MISSING_MAX)
		return 1;
	l->v[l->n++] = *o;
	return 0;
}

/* Ask for each that was last heard of before `before`, by its id; *left: some may be. */
static enum intune_status
ask_each(struct dir_tenant *t, enum dir_kind kind, int64_t before, size_t max, bool *left,
    const atomic_bool *stop)
{
	static enum intune_status (*const by[])(
	    struct dir_tenant * t, struct store_object * o, int64_t now) = {
		[DIR_USER] = ask_user, [DIR_DEVICE] = ask_device, [DIR_MANAGED] = ask_managed
	};
	struct object_list *l = calloc(1, sizeof(*l));
	enum intune_status st = INTUNE_OK;
	size_t done = 0, changed = 0;

	*left = true;
	if (l == NULL) {
		(void)dir_store_failed(t, fail(&t->err, RC_NOMEM, "no memory for a directory"));
		return st;
	}
	(void)dir_store_failed(t,
	    store_objects_stale(t->s->store, t->name, kind, before, max, note_object, l, &t->err));
	while (done < l->n && !t->store_failed && !*stop &&
	    (st = by[kind](t, &l->v[done], clock_now())) == INTUNE_OK)
		done++;
	/* What was answered before a failure is kept. */
	if (!t->store_failed)
		(void)dir_store_failed(
		    t, store_objects_put(t->s->store, l->v, done, &changed, &t->err));
	sweep_news(t->s, changed);
	*left = done < l->n || l->n == max;
	free(l);
	return st;
}

enum intune_status
dir_task_oldest(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	int64_t age = t->s->config->revocation.recheck;
	bool left;

	return ask_each(t, DIR_MANAGED, clock_now() - age, OLDEST_MAX, &left, stop);
}

/* ---- by what has changed ---- */

static int
on_change(const struct intune_change *change, void *arg)
{
	struct dir_batch *b = arg;
	struct store_object *o = dir_batch_next(b);

	if (o == NULL)
		return 1;
	if (change->user != NULL)
		dir_object_of_user(o, b->t->name, change->user, b->now);
	else
		dir_object_of_device(o, b->t->name, change->device, b->now);
	if (o->id[0] == '\0') /* whoever that is would be forgotten with the next link */
		return dir_store_failed(
		    b->t, fail(&b->t->err, RC_PARSE, "a change of an object without an id"));
	still_untold(o);
	return 0;
}

/* Whom a walk from the beginning did not name is asked for; then its link counts, and everybody is confirmed. */
static enum intune_status
finish_walk(struct dir_tenant *t, enum dir_kind kind, struct dir_walk *w, const atomic_bool *stop)
{
	bool left;
	enum intune_status st = ask_each(t, kind, w->began, MISSING_MAX, &left, stop);

	if (st != INTUNE_OK || left || t->store_failed)
		return st;
	if (dir_store_failed(
		t, store_delta_link_set(t->s->store, t->name, kind, w->link, &t->err)) == 0 &&
	    dir_store_failed(
		t, store_objects_confirm(t->s->store, t->name, kind, w->began, &t->err)) == 0) {
		free(w->link);
		w->link = NULL;
	}
	return st;
}

/* Graph has forgotten where we were: from the beginning, next time. */
static bool
is_too_old(const struct intune_error *e)
{
	return e->status == INTUNE_E_REFUSED && strcmp(e->code_text, "resyncRequired") == 0;
}

static enum intune_status
walk(struct dir_tenant *t, enum intune_delta delta, const char *link, int64_t began, char **next,
    const atomic_bool *stop)
{
	struct dir_batch *b = dir_batch_new(t, began, stop);
	enum intune_status st;

	*next = NULL;
	if (b == NULL)
		return INTUNE_OK;
	st = intune_follow_changes(
	    tenant_client(t->tenant), delta, link, on_change, b, next, &t->error);
	/* Rows first, then the link: a crash between them repeats changes, and loses none. */
	if (!dir_batch_end(b) || st != INTUNE_OK) {
		free(*next);
		*next = NULL;
	}
	return st;
}

static enum intune_status
changes(struct dir_tenant *t, enum dir_kind kind, enum intune_delta delta, const atomic_bool *stop)
{
	struct dir_walk *w = &t->walks[delta];
	int64_t began = clock_now();
	char *link = NULL, *next = NULL;
	bool left;
	enum intune_status st;

	if (w->link != NULL)
		return finish_walk(t, kind, w, stop);
	if (dir_store_failed(t, store_delta_link(t->s->store, t->name, kind, &link, &t->err)) != 0)
		return INTUNE_OK;
	st = walk(t, delta, link, began, &next, stop);
	if (st != INTUNE_OK && link != NULL && is_too_old(&t->error))
		(void)dir_store_failed(
		    t, store_delta_link_set(t->s->store, t->name, kind, NULL, &t->err));
	if (next != NULL && link == NULL) {
		w->link = next;
		w->began = began;
		st = finish_walk(t, kind, w, stop);
	} else if (next != NULL) {
		if (dir_store_failed(
			t, store_delta_link_set(t->s->store, t->name, kind, next, &t->err)) == 0)
			(void)dir_store_failed(
			    t, store_objects_confirm(t->s->store, t->name, kind, began, &t->err));
		free(next);
	}
	free(link);
	if (st == INTUNE_OK && !t->store_failed && w->link == NULL)
		st = ask_each(t, kind, ASK_AGAIN + 1, MISSING_MAX, &left, stop);
	return st;
}

enum intune_status
dir_task_users(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	return changes(t, DIR_USER, INTUNE_DELTA_USERS, stop);
}

enum intune_status
dir_task_devices(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	return changes(t, DIR_DEVICE, INTUNE_DELTA_DEVICES, stop);
}
