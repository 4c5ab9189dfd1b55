/*
 * tenant_index.c - names and groups made quick to look up, once for the life of a snapshot.
 *
 * Sorted arrays and not hash tables: a snapshot never changes, so that there is nothing to insert,
 * and no choice of names makes a look-up slow.
 */
#include <stdlib.h>
#include <string.h>

#include "intunesim/tenant_int.h"

static int
by_name(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

enum rc
index_make(struct name_index *out, const void *items, size_t n, size_t size, size_t offset,
    struct err *err)
{
	struct name_entry *v = calloc(n + 1, sizeof(*v));
	const char *at = items;
	size_t count = 0;

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++, at += size) {
		v[count].name = *(const char *const *)(const void *)(at + offset);
		v[count].item = at;
		count += v[count].name != NULL;
	}
	index_take(out, v, count);
	return RC_OK;
}

void
index_take(struct name_index *out, struct name_entry *entries, size_t n)
{
	qsort(entries, n, sizeof(*entries), by_name);
	out->v = entries;
	out->n = n;
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
index_done(struct name_index *ix)
{
	free(ix->v);
	*ix = (struct name_index){ 0 };
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

/* Which users are in the group, as bits of file.users. */
static enum rc
mark_users(uint8_t *bits, const struct tenant *t, const struct group_conf *g, struct err *err)
{
	const struct user_conf *first = t->file.users.v, *u;

	for (size_t i = 0; i < g->users.n; i++) {
		if ((u = tenant_user(t, g->users.v[i])) == NULL)
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
		if ((rc = load_group(&t->groups[i], t, err)) != RC_OK)
			return rc;
	}
	if ((rc = UNIQUE(t, &t->file.groups, group_conf, name, "name", err)) != RC_OK)
		return rc;
	return index_make(
	    &t->groups_by_name, c, t->n_groups, sizeof(*c), offsetof(struct group_conf, name), err);
}
