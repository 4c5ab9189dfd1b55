/*
 * tenant.c - looking things up in a tenant, and letting it go.
 */
#include "intunesim/tenant.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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
	const struct user_conf *users = t->file.users.v;

	for (size_t i = 0; i < t->file.users.n; i++) {
		if (str_eq_nocase(users[i].id, id_or_upn) || str_eq_nocase(users[i].upn, id_or_upn))
			return &users[i];
	}
	return NULL;
}

const struct device *
tenant_device(const struct tenant *t, const char *id_or_name)
{
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device_conf *c = t->devices[i].conf;

		if (str_eq_nocase(c->id, id_or_name) || str_eq_nocase(c->name, id_or_name))
			return &t->devices[i];
	}
	return NULL;
}

const struct profile *
tenant_profile(const struct tenant *t, const char *id)
{
	for (size_t i = 0; i < t->n_profiles; i++) {
		if (str_eq_nocase(t->profiles[i].id, id))
			return &t->profiles[i];
	}
	return NULL;
}

static const struct group_conf *
find_group(const struct tenant *t, const char *name)
{
	const struct group_conf *groups = t->file.groups.v;

	for (size_t i = 0; i < t->file.groups.n; i++) {
		if (str_eq_nocase(groups[i].name, name))
			return &groups[i];
	}
	return NULL;
}

bool
tenant_has_group(const struct tenant *t, const char *name)
{
	return str_eq_nocase(name, ALL_USERS) || str_eq_nocase(name, ALL_DEVICES) ||
	    find_group(t, name) != NULL;
}

static bool
lists_either(const struct conf_strs *list, const char *a, const char *b)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq_nocase(list->v[i], a) || str_eq_nocase(list->v[i], b))
			return true;
	}
	return false;
}

static bool
in_group(const struct tenant *t, const struct device *d, const char *name)
{
	const struct group_conf *g = find_group(t, name);

	if (g == NULL)
		return str_eq_nocase(name, ALL_DEVICES) ||
		    (str_eq_nocase(name, ALL_USERS) && d->user != NULL);
	if (lists_either(&g->devices, d->conf->id, d->conf->name))
		return true;
	return d->user != NULL && lists_either(&g->users, d->user->id, d->user->upn);
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

static void
pair_done(struct pair *p)
{
	key_free(p->key);
	cert_free(p->cert);
}

void
tenant_free(struct tenant *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; t->apps != NULL && i < t->n_apps; i++)
		free(t->apps[i].secrets);
	for (size_t i = 0; t->roots != NULL && i < t->n_roots; i++)
		cert_free(t->roots[i].cert);
	free(t->apps);
	free(t->roots);
	free(t->devices);
	free(t->profiles);
	pair_done(&t->signer);
	pair_done(&t->recipient);
	conf_free(t->conf);
	free(t);
}
