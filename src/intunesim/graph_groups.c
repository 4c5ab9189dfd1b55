/*
 * graph_groups.c - groups and who is in them, as Graph shows them.
 *
 * "All users" and "All devices" are Intune's own and no objects of the directory.
 */
#include <stddef.h>
#include <stdlib.h>

#include "intunesim/graph.h"
#include "intunesim/services.h"

static const char *const roles_group[] = { "GroupMember.Read.All", "Group.Read.All",
	"Directory.Read.All", NULL };

/* ---- groups ---- */

static json_t *
group_id(const struct call *c, const void *item, size_t arg)
{
	const struct group *g = item;

	return json_string(g->id);
}

static json_t *
group_name(const struct call *c, const void *item, size_t arg)
{
	const struct group *g = item;

	return json_text_or_null(g->conf->name);
}

static const struct graph_member group_members[] = {
	{ "id", group_id, 0, 0 },
	{ "displayName", group_name, 0, 0 },
};

static size_t
groups_count(const void *source)
{
	const struct tenant *t = source;

	return t->n_groups;
}

static const void *
groups_item(const void *source, size_t i)
{
	const struct tenant *t = source;

	return &t->groups[i];
}

static const struct graph_type groups = {
	"microsoft.graph.group",
	"groups",
	GRAPH_MEMBERS(group_members),
	roles_group,
	GRAPH_PAGE_DIRECTORY,
	groups_count,
	groups_item,
	NULL,
};

void
graph_group_list(struct call *c)
{
	graph_list(c, &groups);
}

/* By its id; a name is no key in Graph. */
static const struct group *
group_of(const struct call *c)
{
	return guid_valid(c->arg[0]) ? tenant_group(c->tenant, c->arg[0]) : NULL;
}

void
graph_group(struct call *c)
{
	if (graph_admit(c, roles_group))
		graph_one(c, &groups, c->arg[0], group_of(c));
}

/* ---- members ---- */

struct membership {
	const char *type, *id, *name;
};

/* A group's users and devices; those of Intune alone are no objects of Entra. */
struct membership_list {
	struct membership *v;
	size_t n;
};

static json_t *
member_text(const struct call *c, const void *item, size_t arg)
{
	return json_text_or_null(*(const char *const *)(const void *)((const char *)item + arg));
}

static const char *
member_type(const struct call *c, const void *item)
{
	const struct membership *m = item;

	return m->type;
}

static const struct graph_member member_members[] = {
	{ "id", member_text, offsetof(struct membership, id), 0 },
	{ "displayName", member_text, offsetof(struct membership, name), 0 },
};

static size_t
members_count(const void *source)
{
	const struct membership_list *l = source;

	return l->n;
}

static const void *
members_item(const void *source, size_t i)
{
	const struct membership_list *l = source;

	return &l->v[i];
}

static const struct graph_type members = {
	"microsoft.graph.directoryObject",
	"directoryObjects",
	GRAPH_MEMBERS(member_members),
	roles_group,
	GRAPH_PAGE_DIRECTORY,
	members_count,
	members_item,
	member_type,
};

/* Whoever is in the recycle bin is in no group until the day of the return. */
static bool
list_members(struct membership_list *out, const struct tenant *t, const struct group_conf *g)
{
	out->v = calloc(g->users.n + g->devices.n + 1, sizeof(*out->v));
	out->n = 0;
	if (out->v == NULL)
		return false;
	for (size_t i = 0; i < g->users.n; i++) {
		const struct user_conf *u = tenant_user(t, g->users.v[i]);

		if (u != NULL)
			out->v[out->n++] =
			    (struct membership){ "microsoft.graph.user", u->id, u->name };
	}
	for (size_t i = 0; i < g->devices.n; i++) {
		const struct device *d = tenant_device(t, g->devices.v[i]);

		if (d != NULL && d->conf->entra_id != NULL)
			out->v[out->n++] = (struct membership){ "microsoft.graph.device",
				d->object_id, d->conf->name };
	}
	return true;
}

/* groups/{id}/transitiveMembers; groups of groups there are none. */
void
graph_group_members(struct call *c)
{
	struct membership_list list;
	const struct group *g;

	if (!graph_admit(c, roles_group))
		return;
	if ((g = group_of(c)) == NULL) {
		graph_not_found(c, c->arg[0]);
		return;
	}
	if (!list_members(&list, c->tenant, g->conf)) {
		call_json(c, 500, NULL);
		return;
	}
	graph_page(c, &members, &list);
	free(list.v);
}
