/*
 * tenant_index.c - names and groups made quick to look up, once for the life of a snapshot.
 *
 * Sorted arrays and not hash tables: a snapshot never changes, so that there is nothing to insert,
 * and no choice of names makes a look-up slow.
 */
#include <stdlib.h>
#include <string.h>

#include "intunesim/tenant_int.h"

/* What an item is called in one index; NULL: it is not in it. */
static const char *
live_id(const void *item)
{
	const struct user *u = item;

	return u->conf->deleted == NULL ? u->conf->id : NULL;
}

/* Entra gives the name of a user in the recycle bin to the next who wants it. */
static const char *
live_upn(const void *item)
{
	const struct user *u = item;

	return u->conf->deleted == NULL ? u->conf->upn : NULL;
}

static const char *
binned_id(const void *item)
{
	const struct user *u = item;

	return u->conf->deleted != NULL ? u->conf->id : NULL;
}

static const char *
device_id(const void *item)
{
	return ((const struct device *)item)->conf->id;
}

static const char *
device_name(const void *item)
{
	return ((const struct device *)item)->conf->name;
}

static const char *
device_entra_id(const void *item)
{
	return ((const struct device *)item)->conf->entra_id;
}

static const char *
device_object_id(const void *item)
{
	return ((const struct device *)item)->object_id;
}

static const char *
group_id(const void *item)
{
	return ((const struct group *)item)->id;
}

static const char *
group_name(const void *item)
{
	return ((const struct group *)item)->conf->name;
}

static const char *
profile_id(const void *item)
{
	return ((const struct profile *)item)->id;
}

static const char *
profile_name(const void *item)
{
	return ((const struct profile *)item)->conf->name;
}

static int
user_line(const void *item)
{
	return ((const struct user *)item)->conf->line;
}

static int
device_line(const void *item)
{
	return ((const struct device *)item)->conf->line;
}

static int
group_line(const void *item)
{
	return ((const struct group *)item)->conf->line;
}

static int
profile_line(const void *item)
{
	return ((const struct profile *)item)->conf->line;
}

static const struct {
	size_t size;
	int (*line)(const void *item);
} kinds[] = {
	[INDEX_USERS] = { sizeof(struct user), user_line },
	[INDEX_DEVICES] = { sizeof(struct device), device_line },
	[INDEX_GROUPS] = { sizeof(struct group), group_line },
	[INDEX_PROFILES] = { sizeof(struct profile), profile_line },
};

static const struct {
	enum indexed what;
	size_t offset; /* of the index in struct tenant */
	const char *(*name)(const void *item);
	const char *key; /* for the error about two of one name */
} indexes[] = {
	{ INDEX_USERS, offsetof(struct tenant, users_by_id), live_id, "id" },
	{ INDEX_USERS, offsetof(struct tenant, users_by_upn), live_upn, "upn" },
	{ INDEX_USERS, offsetof(struct tenant, binned_by_id), binned_id, "id" },
	{ INDEX_DEVICES, offsetof(struct tenant, devices_by_id), device_id, "id" },
	{ INDEX_DEVICES, offsetof(struct tenant, devices_by_name), device_name, "name" },
	{ INDEX_DEVICES, offsetof(struct tenant, devices_by_entra_id), device_entra_id,
	    "entra_id" },
	{ INDEX_DEVICES, offsetof(struct tenant, devices_by_object_id), device_object_id,
	    "object_id" },
	{ INDEX_GROUPS, offsetof(struct tenant, groups_by_id), group_id, "id" },
	{ INDEX_GROUPS, offsetof(struct tenant, groups_by_name), group_name, "name" },
	{ INDEX_PROFILES, offsetof(struct tenant, profiles_by_id), profile_id, "id" },
	{ INDEX_PROFILES, offsetof(struct tenant, profiles_by_name), profile_name, "name" },
};
#define N_INDEXES (sizeof(indexes) / sizeof(indexes[0]))

static struct name_index *
index_at(struct tenant *t, size_t i)
{
	return (struct name_index *)(void *)((char *)t + indexes[i].offset);
}

static int
by_name(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

/* Two of one name stay in the order of the file, so that the error is at the second. */
static int
by_name_and_place(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;
	int c = strcasecmp(x->name, y->name);

	return c != 0 ? c : (x->item > y->item) - (x->item < y->item);
}

static enum rc
check_twice(const struct tenant *t, size_t i, const struct name_index *ix, struct err *err)
{
	for (size_t j = 1; j < ix->n; j++) {
		if (strcasecmp(ix->v[j - 1].name, ix->v[j].name) == 0)
			return conf_fail(t->conf, err, kinds[indexes[i].what].line(ix->v[j].item),
			    indexes[i].key, "\"%s\" is there twice", ix->v[j].name);
	}
	return RC_OK;
}

static enum rc
make_index(struct tenant *t, size_t i, const char *items, size_t n, struct err *err)
{
	struct name_index *ix = index_at(t, i);

	if ((ix->v = calloc(n + 1, sizeof(*ix->v))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t j = 0; j < n; j++, items += kinds[indexes[i].what].size) {
		ix->v[ix->n].name = indexes[i].name(items);
		ix->v[ix->n].item = items;
		ix->n += ix->v[ix->n].name != NULL;
	}
	qsort(ix->v, ix->n, sizeof(*ix->v), by_name_and_place);
	return check_twice(t, i, ix, err);
}

enum rc
tenant_index(struct tenant *t, enum indexed what, struct err *err)
{
	const void *const items[] = { t->users, t->devices, t->groups, t->profiles };
	const size_t counts[] = { t->file.users.n, t->n_devices, t->n_groups, t->n_profiles };
	enum rc rc;

	for (size_t i = 0; i < N_INDEXES; i++) {
		if (indexes[i].what != what)
			continue;
		if ((rc = make_index(t, i, items[what], counts[what], err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

const void *
index_find(const struct name_index *ix, const char *name)
{
	const struct name_entry key = { .name = name }, *found;

	if (ix->n == 0)
		return NULL;
	found = bsearch(&key, ix->v, ix->n, sizeof(*ix->v), by_name);
	return found != NULL ? found->item : NULL;
}

void
tenant_index_done(struct tenant *t)
{
	for (size_t i = 0; i < N_INDEXES; i++)
		free(index_at(t, i)->v);
}

/* ---- groups ---- */

static void
set_bit(uint8_t *bits, size_t i)
{
	bits[i / 8] |= (uint8_t)(1u << i % 8);
}

static bool
has_bit(const uint8_t *bits, size_t i)
{
	return (bits[i / 8] >> i % 8 & 1) != 0;
}

/*
 * Which users are in the group, as bits of file.users.  One in the recycle bin keeps its place in
 * the list, for the day of its return, and counts for nothing.
 */
static enum rc
mark_users(uint8_t *bits, const struct tenant *t, const struct group_conf *g, struct err *err)
{
	const struct user_conf *first = t->file.users.v, *u;

	for (size_t i = 0; i < g->users.n; i++) {
		u = tenant_user(t, g->users.v[i]);
		if (u == NULL && tenant_binned(t, g->users.v[i]) != NULL)
			continue;
		if (u == NULL)
			return conf_fail(t->conf, err, g->line, "users", "there is no user \"%s\"",
			    g->users.v[i]);
		set_bit(bits, (size_t)(u - first));
	}
	return RC_OK;
}

static enum rc
mark_devices(struct group *g, const struct tenant *t, struct err *err)
{
	const struct conf_strs *names = &g->conf->devices;
	const struct device *d;

	for (size_t i = 0; i < names->n; i++) {
		if ((d = tenant_device(t, names->v[i])) == NULL)
			return conf_fail(t->conf, err, g->conf->line, "devices",
			    "there is no device \"%s\"", names->v[i]);
		set_bit(g->devices, d->index);
	}
	return RC_OK;
}

static void
mark_devices_of_users(struct group *g, const struct tenant *t, const uint8_t *users)
{
	const struct user_conf *first = t->file.users.v;

	for (size_t i = 0; i < t->n_devices; i++) {
		const struct user_conf *u = t->devices[i].user;

		if (u != NULL && has_bit(users, (size_t)(u - first)))
			set_bit(g->devices, i);
	}
}

static enum rc
load_group(struct group *g, const struct tenant *t, struct err *err)
{
	uint8_t *users = calloc(t->file.users.n / 8 + 1, 1);
	enum rc rc;

	g->devices = calloc(t->n_devices / 8 + 1, 1);
	if (users == NULL || g->devices == NULL)
		rc = fail(err, RC_NOMEM, "out of memory");
	else if ((rc = mark_users(users, t, g->conf, err)) == RC_OK)
		rc = mark_devices(g, t, err);
	if (rc == RC_OK)
		mark_devices_of_users(g, t, users);
	free(users);
	return rc;
}

enum rc
tenant_load_groups(struct tenant *t, struct err *err)
{
	const struct group_conf *c = t->file.groups.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_groups; i++) {
		t->groups[i].conf = &c[i];
		if ((rc = take_id(t->groups[i].id, t, c[i].line, c[i].id, c[i].name, err)) !=
			RC_OK ||
		    (rc = load_group(&t->groups[i], t, err)) != RC_OK)
			return rc;
	}
	return tenant_index(t, INDEX_GROUPS, err);
}
