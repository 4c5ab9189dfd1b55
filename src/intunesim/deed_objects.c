/*
 * deed_objects.c - making, changing and deleting the objects of a document.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/deeds_int.h"

/* ---- bodies ---- */

/*
 * The control API reads no files: whoever reaches it may change a tenant, and not look for what
 * else is on this machine.
 */
static enum rc
refuse_paths(const struct conf_schema *schema, const json_t *o, struct err *err)
{
	const json_t *value, *item;
	enum rc rc;
	size_t i;

	for (const struct conf_row *row = schema->rows; row->key != NULL; row++) {
		if ((value = json_object_get(o, row->key)) == NULL)
			continue;
		if (row->type == CONF_PATH && !json_is_null(value))
			return fail(err, RC_PARSE,
			    "%s: files are for the tenant file; give the text itself", row->key);
		if (row->type != CONF_LIST)
			continue;
		json_array_foreach(value, i, item)
		{
			if ((rc = refuse_paths(row->sub, item, err)) != RC_OK)
				return rc;
		}
	}
	return RC_OK;
}

static enum rc
check_body(const struct object_type *type, const json_t *body, struct err *err)
{
	if (type->kind == OBJECT_USER && json_object_get(body, "deleted") != NULL)
		return fail(err, RC_PARSE, "deleted: DELETE a user, and restore it");
	return refuse_paths(object_schema(type), body, err);
}

static bool
is_taken(const struct deed *d, const struct object_type *type, const json_t *o, const char *key)
{
	const char *value = json_get_str(o, key), *theirs;
	const json_t *other;
	size_t i;

	json_array_foreach(json_object_get(d->document, type->list), i, other)
	{
		bool binned =
		    type->kind == OBJECT_USER && json_object_get(other, "deleted") != NULL;

		theirs = json_get_str(other, key);
		if (other != o && !binned && value != NULL && theirs != NULL &&
		    str_eq_nocase(value, theirs))
			return true;
	}
	return false;
}

/* Nobody else may have this id or name; but Entra lets apps share a name. */
static enum rc
check_free(const struct deed *d, const struct object_type *type, const json_t *o, struct err *err)
{
	const char *const keys[] = { "id", type->name };
	size_t n = type->kind == OBJECT_APP ? 1 : 2;

	for (size_t i = 0; i < n; i++) {
		if (is_taken(d, type, o, keys[i]))
			return fail(err, RC_CONFLICT, "%s: there is a %s \"%s\" already", keys[i],
			    type->what, json_get_str(o, keys[i]));
	}
	return RC_OK;
}

static void
copy_id(char id[static GUID_TEXT_MAX], const json_t *o)
{
	snprintf(id, GUID_TEXT_MAX, "%s", json_get_str(o, "id"));
}

static enum rc
need_object(json_t **out, size_t *index, const struct deed *d, const struct object_type *type,
    const char *id_or_name, struct err *err)
{
	if ((*out = document_find(d->document, type, id_or_name, index)) != NULL)
		return RC_OK;
	return fail(err, RC_NOTFOUND, "there is no %s \"%s\"", type->what, id_or_name);
}

/* ---- making ---- */

static enum rc
make_up(json_t *o, const char *key, struct err *err)
{
	char id[GUID_TEXT_MAX];
	enum rc rc;

	if (json_object_get(o, key) != NULL)
		return RC_OK;
	if ((rc = guid_random(id, err)) == RC_OK &&
	    json_object_set_new(o, key, json_string(id)) != 0)
		rc = fail(err, RC_NOMEM, "out of memory");
	return rc;
}

static void
stamp(json_t *o, const char *key)
{
	char now[TIME_TEXT_MAX];

	time_rfc3339(now, clock_now());
	if (json_object_get(o, key) == NULL)
		json_object_set_new(o, key, json_string(now));
}

static enum rc
fill_in(json_t *o, const struct object_type *type, struct err *err)
{
	enum rc rc;

	if ((rc = make_up(o, "id", err)) != RC_OK)
		return rc;
	if (type->kind == OBJECT_USER)
		stamp(o, "created");
	if (type->kind != OBJECT_DEVICE)
		return RC_OK;
	stamp(o, "enrolled");
	return make_up(o, "entra_id", err);
}

static void
drop_nulls(json_t *o)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(o, next, key, value)
	{
		if (json_is_null(value))
			json_object_del(o, key);
	}
}

enum rc
object_create(struct deed *d, const struct object_type *type, const json_t *body,
    char id[static GUID_TEXT_MAX], struct err *err)
{
	json_t *o, *list = json_object_get(d->document, type->list);
	enum rc rc;

	if ((rc = check_body(type, body, err)) != RC_OK)
		return rc;
	if ((o = json_deep_copy(body)) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	if ((rc = fill_in(o, type, err)) == RC_OK) {
		drop_nulls(o);
		if (json_get_str(o, "id") == NULL || !guid_valid(json_get_str(o, "id")))
			rc = fail(err, RC_PARSE, "id: is no GUID");
		else if ((rc = check_free(d, type, o, err)) == RC_OK)
			copy_id(id, o);
	}
	if (rc == RC_OK && json_array_append(list, o) != 0)
		rc = fail(err, RC_NOMEM, "out of memory");
	json_decref(o);
	return rc;
}

/* ---- changing ---- */

/* Groups and roots are referred to by name. */
static void
rename_in(json_t *list, const char *from, const char *to)
{
	json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
	{
		if (str_eq_nocase(json_string_value(name), from))
			json_array_set_new(list, i, json_string(to));
	}
}

static void
rename_group(json_t *document, const char *from, const char *to)
{
	static const char *const lists[] = { "trusted_roots", "scep_profiles" };
	json_t *o;
	size_t i;

	for (size_t l = 0; l < 2; l++) {
		json_array_foreach(json_object_get(document, lists[l]), i, o)
		    rename_in(json_object_get(o, "groups"), from, to);
	}
}

static void
rename_root(json_t *document, const char *from, const char *to)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(document, "scep_profiles"), i, o)
	{
		if (str_eq_nocase(json_get_str(o, "root"), from))
			json_object_set_new(o, "root", json_string(to));
	}
}

static void
follow_name(struct deed *d, const struct object_type *type, const char *from, const json_t *o)
{
	const char *to = json_get_str(o, "name");

	if (from == NULL || to == NULL || strcmp(from, to) == 0)
		return;
	if (type->kind == OBJECT_GROUP)
		rename_group(d->document, from, to);
	if (type->kind == OBJECT_ROOT)
		rename_root(d->document, from, to);
}

/* A secret that is named by its last characters is one that the app has; it stays. */
static enum rc
keep_secret(json_t *item, const json_t *secrets, struct err *err)
{
	const char *hint = json_get_str(item, "hint"), *value;
	const json_t *own, *expires;
	size_t i;

	json_array_foreach(secrets, i, own)
	{
		value = json_get_str(own, "value");
		if (value == NULL || strlen(value) < SECRET_HINT ||
		    strcmp(value + strlen(value) - SECRET_HINT, hint) != 0)
			continue;
		expires = json_object_get(own, "expires");
		if (expires != NULL && json_object_get(item, "expires") == NULL)
			json_object_set(item, "expires", (json_t *)(uintptr_t)expires);
		json_object_del(item, "hint");
		return json_object_set_new(item, "value", json_string(value)) == 0
		    ? RC_OK
		    : fail(err, RC_NOMEM, "out of memory");
	}
	return fail(err, RC_PARSE, "secrets: none ends in \"%s\"", hint);
}

static enum rc
keep_secrets(json_t *patch, const json_t *o, struct err *err)
{
	json_t *item;
	enum rc rc;
	size_t i;

	json_array_foreach(json_object_get(patch, "secrets"), i, item)
	{
		if (json_get_str(item, "hint") == NULL || json_object_get(item, "value") != NULL)
			continue;
		if ((rc = keep_secret(item, json_object_get(o, "secrets"), err)) != RC_OK)
			return rc;
		drop_nulls(item);
	}
	return RC_OK;
}

static enum rc
check_same_id(const json_t *o, const json_t *patch, struct err *err)
{
	const json_t *id = json_object_get(patch, "id");

	if (id == NULL ||
	    (json_is_string(id) && str_eq_nocase(json_string_value(id), json_get_str(o, "id"))))
		return RC_OK;
	return fail(err, RC_PARSE, "id: cannot be changed");
}

enum rc
object_patch(struct deed *d, const struct object_type *type, const char *id_or_name,
    const json_t *body, char id[static GUID_TEXT_MAX], struct err *err)
{
	json_t *o, *patch, *name;
	enum rc rc;

	if ((rc = need_object(&o, NULL, d, type, id_or_name, err)) != RC_OK ||
	    (rc = check_body(type, body, err)) != RC_OK ||
	    (rc = check_same_id(o, body, err)) != RC_OK)
		return rc;
	if ((patch = json_deep_copy(body)) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	name = json_incref(json_object_get(o, type->name));
	json_object_del(patch, "id");
	/* Shown, and made from the certificate: what was read can be written again. */
	if (type->kind == OBJECT_ROOT)
		json_object_del(patch, "thumbprint");
	if ((rc = keep_secrets(patch, o, err)) == RC_OK) {
		if (json_object_update(o, patch) != 0)
			rc = fail(err, RC_NOMEM, "out of memory");
		drop_nulls(o);
	}
	if (rc == RC_OK && (rc = check_free(d, type, o, err)) == RC_OK) {
		follow_name(d, type, json_string_value(name), o);
		copy_id(id, o);
	}
	json_decref(name);
	json_decref(patch);
	return rc;
}

/* ---- deleting ---- */

static void
unassign_group(json_t *document, const char *name)
{
	static const char *const lists[] = { "trusted_roots", "scep_profiles" };
	json_t *o;
	size_t i;

	for (size_t l = 0; l < 2; l++) {
		json_array_foreach(json_object_get(document, lists[l]), i, o)
		{
			json_t *groups = json_object_get(o, "groups");

			for (size_t j = json_array_size(groups); j-- > 0;) {
				if (str_eq_nocase(
					json_string_value(json_array_get(groups, j)), name))
					json_array_remove(groups, j);
			}
		}
	}
}

static enum rc
check_root_unused(const json_t *document, const char *name, struct err *err)
{
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(document, "scep_profiles"), i, o)
	{
		if (str_eq_nocase(json_get_str(o, "root"), name))
			return fail(err, RC_CONFLICT,
			    "the profile \"%s\" needs the trusted root \"%s\"",
			    json_get_str(o, "name"), name);
	}
	return RC_OK;
}

static bool
find_binned(const json_t *document, const char *id, json_t **out, size_t *index)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(document, "users"), i, o)
	{
		if (json_object_get(o, "deleted") == NULL ||
		    !str_eq_nocase(json_get_str(o, "id"), id))
			continue;
		*out = o;
		*index = i;
		return true;
	}
	return false;
}

static enum rc
delete_user(struct deed *d, const char *id_or_name, bool permanent, struct err *err)
{
	const struct object_type *type = object_type(OBJECT_USER);
	json_t *o = NULL;
	size_t index = 0;
	enum rc rc;

	d->effect.quiet = true;
	if (!permanent || !find_binned(d->document, id_or_name, &o, &index)) {
		if ((rc = need_object(&o, &index, d, type, id_or_name, err)) != RC_OK)
			return rc;
	}
	if (permanent)
		forget_user(d->document, index);
	else
		stamp(o, "deleted");
	return RC_OK;
}

enum rc
object_delete(struct deed *d, const struct object_type *type, const char *id_or_name,
    bool permanent, struct err *err)
{
	json_t *o;
	size_t index = 0;
	enum rc rc;

	if (type->kind == OBJECT_USER)
		return delete_user(d, id_or_name, permanent, err);
	if ((rc = need_object(&o, &index, d, type, id_or_name, err)) != RC_OK)
		return rc;
	if (type->kind == OBJECT_ROOT &&
	    (rc = check_root_unused(d->document, json_get_str(o, "name"), err)) != RC_OK)
		return rc;
	if (type->kind == OBJECT_GROUP)
		unassign_group(d->document, json_get_str(o, "name"));
	if (type->kind == OBJECT_DEVICE)
		forget_member(d->document, "devices", json_get_str(o, "id"));
	d->effect.quiet = type->kind == OBJECT_GROUP || type->kind == OBJECT_DEVICE;
	json_array_remove(json_object_get(d->document, type->list), index);
	return RC_OK;
}

enum rc
user_restore(struct deed *d, const char *id, struct err *err)
{
	json_t *o = NULL;
	size_t index;

	if (!find_binned(d->document, id, &o, &index))
		return fail(err, RC_NOTFOUND, "there is no deleted user \"%s\"", id);
	json_object_del(o, "deleted");
	return check_free(d, object_type(OBJECT_USER), o, err);
}

/* ---- members ---- */

static bool
is_member(const json_t *members, const char *id, size_t *at)
{
	for (*at = 0; *at < json_array_size(members); ++*at) {
		if (str_eq_nocase(json_string_value(json_array_get(members, *at)), id))
			return true;
	}
	return false;
}

static enum rc
change_members(struct deed *d, json_t *group, const struct object_type *type, const json_t *names,
    bool add, struct err *err)
{
	json_t *members = json_object_get(group, type->list), *o;
	const json_t *name;
	size_t i, at;
	enum rc rc;

	json_array_foreach(names, i, name)
	{
		const char *id;

		if (!json_is_string(name))
			return fail(err, RC_PARSE, "%s: want a list of ids or names", type->path);
		rc = need_object(&o, NULL, d, type, json_string_value(name), err);
		if (rc != RC_OK)
			return rc;
		id = json_get_str(o, "id");
		if (add && !is_member(members, id, &at))
			json_array_append_new(members, json_string(id));
		if (!add && is_member(members, id, &at))
			json_array_remove(members, at);
	}
	return RC_OK;
}

enum rc
members_change(struct deed *d, const char *group, const json_t *body, bool add,
    char id[static GUID_TEXT_MAX], struct err *err)
{
	static const enum object_kind kinds[] = { OBJECT_USER, OBJECT_DEVICE };
	const char *key;
	json_t *o, *names;
	enum rc rc;

	if ((rc = need_object(&o, NULL, d, object_type(OBJECT_GROUP), group, err)) != RC_OK)
		return rc;
	json_object_foreach((json_t *)(uintptr_t)body, key, names)
	{
		if ((strcmp(key, "users") != 0 && strcmp(key, "devices") != 0) ||
		    !json_is_array(names))
			return fail(
			    err, RC_PARSE, "%s: want lists, \"users\" and \"devices\"", key);
	}
	for (size_t i = 0; i < 2; i++) {
		const struct object_type *type = object_type(kinds[i]);

		rc = change_members(d, o, type, json_object_get(body, type->path), add, err);
		if (rc != RC_OK)
			return rc;
	}
	copy_id(id, o);
	return RC_OK;
}
