/*
 * dir_tasks.c - the questions of a tenant's directory that are lists: managed devices, risks, groups.
 *
 * Each task (those of dir_task_bind.c and dir_task_changes.c as well) returns what its last question came to;
 * t->error has the words.  What an answer proves is libintune's to say (enum intune_presence); here nothing is
 * concluded from a list that somebody is not in.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "ca/binding.h"
#include "scepd/dir_bind.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"

#define ALL_EVERY_S 86400 /* a list of all managed devices */
#define OVERLAP_S   600   /* their service's clock, and what was on its way */

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
