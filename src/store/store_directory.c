/*
 * store_directory.c - the door of store_directory.h.
 */
#include "store/store_directory.h"

#include <string.h>

#include "store/store_check.h"

static const char *const kind_names[DIR__MAX] = {
	[DIR_USER] = "user",
	[DIR_DEVICE] = "device",
	[DIR_MANAGED] = "managed device",
	[DIR_RISK] = "risk",
};

const char *
dir_kind_name(enum dir_kind k)
{
	if ((unsigned)k >= DIR__MAX || kind_names[k] == NULL)
		return "unknown";
	return kind_names[k];
}

static enum rc
check_kind(enum dir_kind kind, bool objects, struct err *err)
{
	if (kind < DIR_USER || kind >= DIR__MAX || (objects && kind == DIR_RISK))
		return fail(err, RC_BUG, "no such kind of object: %d", (int)kind);
	return RC_OK;
}

static enum rc
check_names(const char *tenant, const char *id, enum dir_kind kind, struct err *err)
{
	enum rc rc = check_text(tenant, STORE_NAME_MAX, true, "tenant", err);

	if (rc == RC_OK)
		rc = check_text(id, STORE_NAME_MAX, true, "id", err);
	return rc != RC_OK ? rc : check_kind(kind, true, err);
}

enum rc
store_objects_put(
    struct store *s, const struct store_object *v, size_t n, size_t *changed, struct err *err)
{
	enum rc rc = RC_OK;

	*changed = 0;
	if (n == 0)
		return RC_OK;
	if (n > STORE_OBJECTS_BATCH)
		return fail(
		    err, RC_LIMIT, "%zu objects at once, more than %d", n, STORE_OBJECTS_BATCH);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = check_names(v[i].tenant, v[i].id, v[i].kind, err);
	return rc != RC_OK ? rc : s->backend->objects_put(s, v, n, changed, err);
}

enum rc
store_object_get(struct store *s, const char *tenant, enum dir_kind kind, const char *id,
    struct store_object *out, struct err *err)
{
	enum rc rc = check_names(tenant, id, kind, err);

	return rc != RC_OK ? rc : s->backend->object_get(s, tenant, kind, id, out, err);
}

enum rc
store_objects_confirm(
    struct store *s, const char *tenant, enum dir_kind kind, int64_t now, struct err *err)
{
	enum rc rc = check_text(tenant, STORE_NAME_MAX, true, "tenant", err);

	if (rc == RC_OK)
		rc = check_kind(kind, false, err);
	return rc != RC_OK ? rc : s->backend->objects_confirm(s, tenant, kind, now, err);
}

enum rc
store_objects_stale(struct store *s, const char *tenant, enum dir_kind kind, int64_t known_before,
    size_t max, int (*fn)(void *arg, const struct store_object *o), void *arg, struct err *err)
{
	const struct store_stale_query q = { tenant, kind, known_before, max };
	enum rc rc = check_names(tenant, "-", kind, err);

	return rc != RC_OK ? rc : s->backend->objects_stale(s, &q, fn, arg, err);
}

enum rc
store_risk_put(struct store *s, const char *tenant, const char *user, const char *risk, int64_t now,
    struct err *err)
{
	enum rc rc = check_names(tenant, user, DIR_USER, err);

	if (rc == RC_OK)
		rc = check_text(
		    risk, sizeof(((struct store_object *)0)->risk) - 1, true, "risk", err);
	return rc != RC_OK ? rc : s->backend->risk_put(s, tenant, user, risk, now, err);
}

enum rc
store_delta_link(
    struct store *s, const char *tenant, enum dir_kind kind, char **link, struct err *err)
{
	enum rc rc = check_names(tenant, "-", kind, err);

	return rc != RC_OK ? rc : s->backend->delta_link(s, tenant, kind, link, err);
}

enum rc
store_delta_link_set(
    struct store *s, const char *tenant, enum dir_kind kind, const char *link, struct err *err)
{
	enum rc rc = check_names(tenant, "-", kind, err);

	if (rc == RC_OK)
		rc = check_text(link, STORE_LINK_MAX, false, "delta link", err);
	return rc != RC_OK ? rc : s->backend->delta_link_set(s, tenant, kind, link, err);
}

enum rc
store_group_set(struct store *s, const char *tenant, const char *group, const char *const *ids,
    size_t n, int64_t now, struct err *err)
{
	enum rc rc = check_names(tenant, group, DIR_USER, err);

	if (rc == RC_OK && n > STORE_GROUP_MEMBERS_MAX)
		rc = fail(err, RC_LIMIT, "group %s has %zu members, more than %d", group, n,
		    STORE_GROUP_MEMBERS_MAX);
	return rc != RC_OK ? rc : s->backend->group_set(s, tenant, group, ids, n, now, err);
}

enum rc
store_group_has(struct store *s, const char *tenant, const char *group, const char *id, bool *has,
    int64_t *known, struct err *err)
{
	enum rc rc = check_names(tenant, group, DIR_USER, err);

	if (rc == RC_OK)
		rc = check_text(id, STORE_NAME_MAX, true, "id", err);
	return rc != RC_OK ? rc : s->backend->group_has(s, tenant, group, id, has, known, err);
}

enum rc
store_subjects_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    int (*fn)(void *arg, const struct store_subject *c), void *arg, struct err *err)
{
	return s->backend->subjects_page(s, valid_at, after, more, fn, arg, err);
}
