/*
 * tenant.c - looking things up in a tenant, and letting it go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/tenant_int.h"

/* Groups that every tenant has. */
#define ALL_USERS   "All users"
#define ALL_DEVICES "All devices"

bool
tenant_is(const struct tenant *t, const char *id_or_domain)
{
	if (str_eq_nocase(t->id, id_or_domain))
		return true;
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (str_eq_nocase(t->file.tenant.domains.v[i], id_or_domain))
			return true;
	}
	return false;
}

const char *
tenant_domain0(const struct tenant *t)
{
	return t->file.tenant.domains.n > 0 ? t->file.tenant.domains.v[0] : t->id;
}

const struct app *
tenant_app(const struct tenant *t, const char *id)
{
	for (size_t i = 0; i < t->n_apps; i++) {
		if (str_eq_nocase(t->apps[i].conf->id, id))
			return &t->apps[i];
	}
	return NULL;
}

const struct user_conf *
tenant_user(const struct tenant *t, const char *id_or_upn)
{
	const struct user *u = index_find(&t->users_by_id, id_or_upn);

	if (u == NULL)
		u = index_find(&t->users_by_upn, id_or_upn);
	return u != NULL ? u->conf : NULL;
}

const struct user *
tenant_binned(const struct tenant *t, const char *id)
{
	return index_find(&t->binned_by_id, id);
}

bool
user_in_bin(const struct user *u)
{
	return u->deleted != 0 && clock_now() < u->deleted + RECYCLE_LIFE;
}

const struct user *
tenant_user_of(const struct tenant *t, const struct user_conf *u)
{
	const struct user_conf *first = t->file.users.v;

	return &t->users[u - first];
}

const struct device *
tenant_device(const struct tenant *t, const char *id_or_name)
{
	const struct device *d = index_find(&t->devices_by_id, id_or_name);

	return d != NULL ? d : index_find(&t->devices_by_name, id_or_name);
}

const struct device *
tenant_device_by_entra_id(const struct tenant *t, const char *entra_id)
{
	return index_find(&t->devices_by_entra_id, entra_id);
}

const struct device *
tenant_device_by_object_id(const struct tenant *t, const char *object_id)
{
	return index_find(&t->devices_by_object_id, object_id);
}

const struct profile *
tenant_profile(const struct tenant *t, const char *id)
{
	return index_find(&t->profiles_by_id, id);
}

const struct group *
tenant_group(const struct tenant *t, const char *id_or_name)
{
	const struct group *g = index_find(&t->groups_by_name, id_or_name);

	return g != NULL ? g : index_find(&t->groups_by_id, id_or_name);
}

bool
tenant_has_group(const struct tenant *t, const char *name)
{
	return str_eq_nocase(name, ALL_USERS) || str_eq_nocase(name, ALL_DEVICES) ||
	    tenant_group(t, name) != NULL;
}

static bool
in_group(const struct tenant *t, const struct device *d, const char *name)
{
	const struct group *g = tenant_group(t, name);

	if (g != NULL)
		return (g->devices[d->index / 8] >> d->index % 8 & 1) != 0;
	return str_eq_nocase(name, ALL_DEVICES) ||
	    (str_eq_nocase(name, ALL_USERS) && d->user != NULL);
}

bool
tenant_assigns(const struct tenant *t, const struct device *d, const struct conf_strs *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (in_group(t, d, groups->v[i]))
			return true;
	}
	return false;
}

bool
device_is_corporate_android(const struct device *d)
{
	int e = d->conf->enrollment;

	return e == ENROLLMENT_CORPORATE_WORK_PROFILE || e == ENROLLMENT_FULLY_MANAGED ||
	    e == ENROLLMENT_DEDICATED || e == ENROLLMENT_AOSP;
}

bool
tenant_targets(const struct device *d, const struct profile *p)
{
	return d->conf->managed && p->conf->platform == d->conf->platform &&
	    tenant_assigns(d->tenant, d, &p->conf->groups);
}

struct tenant *
tenant_ref(struct tenant *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

static void
pair_done(struct pair *p)
{
	key_free(p->key);
	cert_free(p->cert);
}

void
tenant_free(struct tenant *t)
{
	if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; t->apps != NULL && i < t->n_apps; i++)
		tenant_app_done(&t->apps[i]);
	for (size_t i = 0; t->roots != NULL && i < t->n_roots; i++)
		cert_free(t->roots[i].cert);
	for (size_t i = 0; t->groups != NULL && i < t->n_groups; i++)
		free(t->groups[i].devices);
	tenant_index_done(t);
	free(t->groups);
	free(t->users);
	free(t->apps);
	free(t->roots);
	free(t->devices);
	free(t->profiles);
	pair_done(&t->signer);
	pair_done(&t->recipient);
	conf_free(t->conf);
	free(t);
}
