/*
 * dir_tasks.c - the questions of a tenant's directory, one function each.
 *
 * Each returns what its last question came to; t->error has the words.  What an answer proves is libintune's to
 * say (enum intune_presence); here nothing is concluded from a list that somebody is not in.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/binding.h"
#include "scepd/dir_bind.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

#define BIND_BATCH                                                                                 \
	32 /* bindings of a round: some 100 questions, then the other tasks have their turn */
/* Whom nobody knew for three hours is asked for daily where a rule is about him, so that its facts are fresh, and else weekly,
 * as long as the certificate lives: all certificates of a tenant may have names that are none of Entra's. */
#define UNKNOWN_S      86400
#define UNKNOWN_IDLY_S (7 * UNKNOWN_S)
#define MISSING_MAX    100 /* a round: whom a walk from the beginning did not name */
#define OLDEST_MAX     50 /* a round: 100,000 managed devices come round in 34 hours at one a minute */
#define ALL_EVERY_S    86400 /* a list of all managed devices */
#define ASK_AGAIN                                                                                  \
	1 /* as a time that it is known at: what changed was not told, so he is asked about */
#define OVERLAP_S 600 /* their service's clock, and what was on its way */

/* ---- bindings ---- */

struct due_list {
	struct {
		char serial[48];
		int64_t not_after;
		struct store_binding b;
	} v[BIND_BATCH];
	size_t n;
};

/* 2 s, 8 s, 32 s ... after the last time, 8,192 s at last: what was enrolled just now is not in every index yet. */
static int64_t
pause_after_tries(const struct dir_tenant *t, unsigned tries)
{
	if (tries >= BINDING_TRIES_MAX)
		return t->strangers ? UNKNOWN_S : UNKNOWN_IDLY_S;
	return tries == 0 ? 1 : (int64_t)1 << (2 * tries - 1);
}

static int
note_due(void *arg, const char *serial, int64_t not_after, const struct store_binding *b)
{
	struct due_list *l = arg;

	if (l->n == BIND_BATCH)
		return 1;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].serial, serial) == 0)
			return 0;
	if (strlen(serial) >= sizeof(l->v[0].serial))
		return 0;
	strcpy(l->v[l->n].serial, serial);
	l->v[l->n].not_after = not_after;
	l->v[l->n++].b = *b;
	return 0;
}

static void
log_binding(const struct dir_tenant *t, enum log_level level, const char *serial,
    const char *result, const char *reason)
{
	struct log_line l;

	log_begin(&l, level, "directory");
	log_str(&l, "tenant", t->name);
	log_str(&l, "asked", "bindings");
	log_str(&l, "serial", serial);
	log_str(&l, "result", result);
	log_str(&l, "reason", reason);
	log_end(&l);
}

/* What an answer, or a refusal of the question, leaves to be asked.  Told once: that somebody is named whom the directory
 * does not know, and that it does now. */
static void
ask_again(struct dir_tenant *t, const char *serial, struct store_binding *b, const char *unknown)
{
	unsigned was = b->tries;

	b->tries += b->tries < BINDING_TRIES_MAX;
	b->due = clock_now() + pause_after_tries(t, b->tries);
	if (b->tries < BINDING_TRIES_MAX && b->state == BINDING_UNKNOWN)
		b->state = BINDING_OPEN;
	if (was < BINDING_TRIES_MAX && b->tries == BINDING_TRIES_MAX)
		log_binding(t, LOG_WARN, serial, "UNKNOWN", unknown);
}

static void
settle(struct dir_tenant *t, const char *serial, struct store_binding *b)
{
	if (b->tries == BINDING_TRIES_MAX)
		log_binding(
		    t, LOG_INFO, serial, "BOUND", "the directory knows whom the certificate names");
	b->tries = 0;
	b->due = 0;
}

static void
next_time(struct dir_tenant *t, const char *serial, struct store_binding *b,
    const struct dir_found *found)
{
	if (found->unknown_user && found->unknown_device)
		ask_again(t, serial, b, "the directory knows neither the user nor the device");
	else if (found->unknown_user)
		ask_again(t, serial, b, "the directory knows no user of this name");
	else if (found->unknown_device)
		ask_again(t, serial, b, "the directory knows no such device");
	else if (found->unmanaged && b->tries + 1 < BINDING_TRIES_MAX)
		ask_again(t, serial, b, "");
	else
		settle(t, serial, b);
}

/* Nobody waits behind a question that fails: the next round begins with the others.  One that the directory does not
 * take is asked ever more seldom, and means at last that nobody can have this name. */
static enum intune_status
postpone(struct dir_tenant *t, const char *serial, struct store_binding *b, enum intune_status st)
{
	b->due = clock_now() + pause_after_tries(t, b->tries + (b->tries == 0));
	if (dir_error_is_of_names(&t->error)) {
		log_binding(t, LOG_WARN, serial, "REFUSED", t->error.message);
		ask_again(t, serial, b, "the directory does not take the question");
		if (b->tries == BINDING_TRIES_MAX) {
			b->state = b->state == BINDING_OPEN ? BINDING_UNKNOWN : b->state;
			b->asked = clock_now();
		}
		st = INTUNE_OK;
	}
	(void)dir_store_failed(t, store_binding_set(t->s->store, serial, b, &t->err));
	return st;
}

/* What was said of somebody's risk before the first certificate is not kept, and only changes of it are listed. */
static bool
is_new_user(struct dir_tenant *t, const struct dir_found *found)
{
	struct store_object old;
	struct err err;

	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].kind == DIR_USER)
			return store_object_get(t->s->store, t->name, DIR_USER, found->v[i].id,
				   &old, &err) != RC_OK;
	return false;
}

/* The ids first: an object that no binding names is not kept. */
static enum intune_status
bind_one(struct dir_tenant *t, const char *serial, struct store_binding *b)
{
	struct dir_found found;
	size_t changed = 0;
	enum binding_state was = b->state;
	enum intune_status st =
	    dir_bind(tenant_client(t->tenant), b, &found, clock_now(), &t->error);

	if (st != INTUNE_OK)
		return postpone(t, serial, b, st);
	if (found.refused)
		log_binding(t, LOG_WARN, serial, "REFUSED", t->error.message);
	next_time(t, serial, b, &found);
	if (is_new_user(t, &found))
		t->risks_again = true;
	if (dir_store_failed(t, store_binding_set(t->s->store, serial, b, &t->err)) == 0)
		(void)dir_store_failed(
		    t, store_objects_put(t->s->store, found.v, found.n, &changed, &t->err));
	sweep_news(t->s, changed + (b->state != was));
	return st;
}

/* Nobody asks about a certificate that has expired. */
static enum intune_status
bind_due(struct dir_tenant *t, const char *serial, int64_t not_after, struct store_binding *b)
{
	if (not_after > clock_now())
		return bind_one(t, serial, b);
	b->due = 0;
	if (b->state == BINDING_OPEN)
		b->state = BINDING_UNKNOWN;
	(void)dir_store_failed(t, store_binding_set(t->s->store, serial, b, &t->err));
	return INTUNE_OK;
}

#define COUNT_MS    10000
#define COUNT_SHARE 50 /* of one core at the most */

/* For the metrics, where a binding is asked about anyway. */
static void
count_unsettled(struct dir_tenant *t)
{
	int64_t began = clock_mono_ms();
	uint64_t n;

	if (began < t->count_ms)
		return;
	for (int state = BINDING_OPEN; state <= BINDING_UNKNOWN && !t->store_failed; state++)
		if (dir_store_failed(t,
			store_binding_count(t->s->store, t->name, (enum binding_state)state,
			    clock_now(), &n, &t->err)) == 0)
			t->unsettled[state] = n;
	t->count_ms = clock_mono_ms() + COUNT_MS + COUNT_SHARE * (clock_mono_ms() - began);
}

enum intune_status
dir_task_bind(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	struct due_list *l = calloc(1, sizeof(*l));
	enum intune_status st = INTUNE_OK;

	if (l == NULL) {
		(void)dir_store_failed(t, fail(&t->err, RC_NOMEM, "no memory for bindings"));
		return st;
	}
	(void)dir_store_failed(t,
	    store_binding_due(t->s->store, t->name, clock_now(), BIND_BATCH, note_due, l, &t->err));
	/* From the end: there are those that have come last, where a long queue waits. */
	for (size_t i = l->n; i-- > 0 && st == INTUNE_OK && !t->store_failed && !*stop;)
		st = bind_due(t, l->v[i].serial, l->v[i].not_after, &l->v[i].b);
	free(l);
	if (st == INTUNE_OK && !t->store_failed)
		count_unsettled(t);
	return st;
}

/* ---- changes ---- */

/* What changed may be what was left out: he is asked about by his id, until it is told. */
static void
still_untold(struct store_object *o)
{
	if (o->presence == DIR_FOUND && o->enabled == DIR_UNSAID)
		o->known = ASK_AGAIN;
}

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

/* Of a certificate that is bound to this object: the id that Graph can be asked by. */
struct device_id {
	struct scepd *s;
	char id[40];
};

static int
note_device_id(void *arg, const char *serial)
{
	struct device_id *d = arg;
	struct store_binding b;
	struct err err;

	if (store_binding_get(d->s->store, serial, &b, &err) == RC_OK)
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

/* ---- managed devices ---- */

static int
on_managed(const struct intune_managed_device *m, void *arg)
{
	struct dir_batch *b = arg;
	struct store_object *o = dir_batch_next(b);

	if (o == NULL)
		return 1;
	dir_object_of_managed(o, b->t->name, m, b->now);
	if (o->id[0] == '\0')
		b->n--;
	return 0;
}

enum intune_status
dir_task_managed(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	int64_t began = clock_now();
	bool all = t->managed_since == 0 || began - t->managed_all >= ALL_EVERY_S;
	struct dir_batch *b = dir_batch_new(t, began, stop);
	enum intune_status st;

	if (b == NULL)
		return INTUNE_OK;
	st = intune_list_managed_devices(tenant_client(t->tenant),
	    all ? 0 : t->managed_since - OVERLAP_S, on_managed, b, &t->error);
	if (!dir_batch_end(b) || st != INTUNE_OK)
		return st;
	t->managed_since = began;
	if (all)
		t->managed_all = began;
	return st;
}

enum intune_status
dir_task_oldest(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	int64_t age = t->s->config->revocation.recheck;
	bool left;

	return ask_each(t, DIR_MANAGED, clock_now() - age, OLDEST_MAX, &left, stop);
}

/* ---- risks ---- */

static int
on_risk(const struct intune_risk *r, void *arg)
{
	struct dir_batch *b = arg;
	char id[GUID_SIZE];

	/* What was remediated or dismissed is no risk any more, whatever level it had. */
	bool over = strcmp(r->risk_state, "remediated") == 0 ||
	    strcmp(r->risk_state, "dismissed") == 0 || strcmp(r->risk_state, "confirmedSafe") == 0;

	if (!guid_take(id, r->id) || r->risk_level[0] == '\0' || strlen(r->risk_level) > 15)
		return 0;
	return dir_store_failed(b->t,
	    store_risk_put(
		b->t->s->store, b->t->name, id, over ? "none" : r->risk_level, b->now, &b->t->err));
}

enum intune_status
dir_task_risks(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	int64_t began = clock_now();
	struct dir_batch *b = dir_batch_new(t, began, stop);
	bool all = t->risks_since == 0 || t->risks_again;
	enum intune_status st;

	if (b == NULL)
		return INTUNE_OK;
	t->risks_again = false; /* whoever is new from here on is of the next list */
	st = intune_list_risky_users(
	    tenant_client(t->tenant), all ? 0 : t->risks_since - OVERLAP_S, on_risk, b, &t->error);
	free(b);
	if (st != INTUNE_OK || t->store_failed) {
		t->risks_again = t->risks_again || all;
		return st;
	}
	t->risks_since = began;
	(void)dir_store_failed(
	    t, store_objects_confirm(t->s->store, t->name, DIR_RISK, began, &t->err));
	return st;
}

/* ---- groups ---- */

struct members {
	char (*v)[GUID_SIZE];
	const char **ids;
	size_t n, cap;
	bool cut; /* not all of them are here */
};

static int
on_member(const struct intune_member *m, void *arg)
{
	struct members *l = arg;

	if (m->kind == INTUNE_MEMBER_OTHER)
		return 0;
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 256 : 2 * l->cap;
		void *v = cap > 2 * STORE_GROUP_MEMBERS_MAX
		    ? NULL
		    : reallocarray(l->v, cap, sizeof(l->v[0]));

		if (v == NULL) {
			l->cut = true;
			return 1;
		}
		l->v = v;
		l->cap = cap;
	}
	if (guid_take(l->v[l->n], m->id))
		l->n++;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum intune_status
take_group(struct dir_tenant *t, const char *group)
{
	struct members l = { NULL, NULL, 0, 0, false };
	int64_t began = clock_now();
	enum intune_status st =
	    intune_list_group_members(tenant_client(t->tenant), group, on_member, &l, &t->error);

	if (st == INTUNE_OK && l.n > 0) {
		qsort(l.v, l.n, sizeof(l.v[0]), by_id);
		l.ids = calloc(l.n, sizeof(l.ids[0]));
	}
	/* Half a group would let go of the other half. */
	if (l.cut)
		(void)dir_store_failed(
		    t, fail(&t->err, RC_LIMIT, "group %s has more members than fit", group));
	else if (st == INTUNE_OK && l.n > 0 && l.ids == NULL)
		(void)dir_store_failed(t, fail(&t->err, RC_NOMEM, "no memory for a group"));
	for (size_t i = 0; l.ids != NULL && i < l.n; i++)
		l.ids[i] = l.v[i];
	if (st == INTUNE_OK && !t->store_failed)
		(void)dir_store_failed(
		    t, store_group_set(t->s->store, t->name, group, l.ids, l.n, began, &t->err));
	free(l.v);
	free(l.ids);
	return st;
}

static bool
is_about(const struct directory_rule *r, const char *tenant)
{
	for (size_t i = 0; i < r->tenants.n; i++)
		if (strcasecmp(r->tenants.v[i], tenant) == 0)
			return true;
	return r->tenants.n == 0;
}

enum intune_status
dir_task_groups(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	const struct config *c = t->s->config;
	enum intune_status st = INTUNE_OK;

	for (size_t i = 0; i < c->n_rules; i++) {
		const struct directory_rule *r = &c->rules[i];
		const struct rule_words *const lists[] = { &r->groups, &r->except.groups };

		for (size_t l = 0; is_about(r, t->name) && l < 2; l++)
			for (size_t k = 0;
			     k < lists[l]->n && st == INTUNE_OK && !t->store_failed && !*stop; k++)
				st = take_group(t, lists[l]->v[k]);
	}
	return st;
}
