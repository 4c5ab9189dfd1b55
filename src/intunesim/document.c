/*
 * document.c - from a snapshot to JSON: by the schema, then what the schema cannot know.
 */
#include "intunesim/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

static const struct object_type types[OBJECT__MAX] = {
	{ OBJECT_USER, "users", "users", "user", "upn" },
	{ OBJECT_GROUP, "groups", "groups", "group", "name" },
	{ OBJECT_DEVICE, "devices", "devices", "device", "name" },
	{ OBJECT_APP, "apps", "apps", "app", "name" },
	{ OBJECT_ROOT, "roots", "trusted_roots", "trusted root", "name" },
	{ OBJECT_PROFILE, "profiles", "scep_profiles", "profile", "name" },
};

const struct object_type *
object_type(enum object_kind kind)
{
	return &types[kind];
}

const struct object_type *
object_type_by_path(const char *path)
{
	for (size_t i = 0; i < OBJECT__MAX; i++) {
		if (str_eq_nocase(types[i].path, path))
			return &types[i];
	}
	return NULL;
}

const struct conf_schema *
object_schema(const struct object_type *type)
{
	const struct conf_row *row = tenant_file_schema.rows;

	while (strcmp(row->key, type->list) != 0)
		row++;
	return row->sub;
}

/* ---- by the schema ---- */

static json_t *struct_json(const struct conf_schema *schema, const void *at, bool whole);

/* Word `i` of "a|b|c". */
static json_t *
choice_json(const char *choices, int i)
{
	for (; i > 0 && *choices != '\0'; i--) {
		choices += strcspn(choices, "|");
		choices += *choices == '|';
	}
	return json_stringn(choices, strcspn(choices, "|"));
}

static json_t *
strs_json(const struct conf_strs *strs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < strs->n; i++)
		json_array_append_new(list, json_string(strs->v[i]));
	return list;
}

static json_t *
items_json(const struct conf_schema *schema, const struct conf_items *items, bool whole)
{
	const char *at = items->v;
	json_t *list = json_array();

	for (size_t i = 0; i < items->n; i++, at += schema->size)
		json_array_append_new(list, struct_json(schema, at, whole));
	return list;
}

/* NULL for what is not given. */
static json_t *
field_json(const struct conf_row *row, const void *field, bool whole)
{
	const char *text;

	switch (row->type) {
	case CONF_STR:
	case CONF_PATH:
		text = *(const char *const *)field;
		return text != NULL ? json_string(text) : NULL;
	case CONF_BOOL:
		return json_boolean(*(const bool *)field);
	case CONF_U64:
		return json_integer((json_int_t) * (const uint64_t *)field);
	case CONF_CHOICE:
		return choice_json(row->choices, *(const int *)field);
	case CONF_STR_LIST:
		return strs_json(field);
	case CONF_MAP:
		return struct_json(row->sub, field, whole);
	case CONF_LIST:
		return items_json(row->sub, field, whole);
	default: /* no tenant file has durations, named maps or pairs */
		return NULL;
	}
}

/* What the loader would put there without being told. */
static bool
is_default(const struct conf_row *row, const json_t *value)
{
	if (row->dflt == NULL)
		return false;
	if (json_is_string(value))
		return strcmp(json_string_value(value), row->dflt) == 0;
	if (json_is_boolean(value))
		return json_is_true(value) == (strcmp(row->dflt, "true") == 0);
	return json_is_integer(value) && json_integer_value(value) == atoll(row->dflt);
}

static json_t *
struct_json(const struct conf_schema *schema, const void *at, bool whole)
{
	json_t *o = json_object(), *value;

	for (const struct conf_row *row = schema->rows; row->key != NULL; row++) {
		value = field_json(row, (const char *)at + row->offset, whole);
		if (value != NULL && !whole && is_default(row, value)) {
			json_decref(value);
			continue;
		}
		if (value != NULL)
			json_object_set_new(o, row->key, value);
	}
	return o;
}

/* ---- what the schema cannot know ---- */

static void
set_pem(json_t *o, const char *key, const struct cert *cert)
{
	struct buf pem;

	json_object_del(o, "file");
	if (cert == NULL)
		return;
	buf_init(&pem, 2 * LIMIT_CERT);
	cert_pem(&pem, cert);
	json_object_set_new(o, key, json_string(buf_str(&pem)));
	buf_done(&pem);
}

/* A file that has gone since the start stays a file: reading the document will say so. */
static void
set_jwks(json_t *o)
{
	const char *path = json_get_str(o, "keys");
	struct buf text;

	if (path == NULL)
		return;
	buf_init(&text, LIMIT_JSON);
	if (file_read(&text, path, LIMIT_JSON, NULL) == RC_OK) {
		json_object_set_new(o, "jwks", json_stringn(buf_str(&text), text.len));
		json_object_del(o, "keys");
	}
	buf_done(&text);
}

static void
finish_app(json_t *o, const struct tenant *t, size_t i)
{
	json_t *item;
	size_t j;

	json_array_foreach(json_object_get(o, "certificates"), j, item)
	    set_pem(item, "pem", t->apps[i].certs[j].cert);
	json_array_foreach(json_object_get(o, "federated_credentials"), j, item) set_jwks(item);
}

/* The id of whatever a list names. */
static void
users_by_id(json_t *list, const struct tenant *t)
{
	const struct user_conf *u;
	json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
	{
		if ((u = tenant_user(t, json_string_value(name))) != NULL)
			json_array_set_new(list, i, json_string(u->id));
	}
}

static void
finish_group(json_t *o, const struct tenant *t, size_t i)
{
	json_t *list = json_object_get(o, "devices"), *name;
	const struct device *d;
	size_t j;

	json_object_set_new(o, "id", json_string(t->groups[i].id));
	users_by_id(json_object_get(o, "users"), t);
	json_array_foreach(list, j, name)
	{
		if ((d = tenant_device(t, json_string_value(name))) != NULL)
			json_array_set_new(list, j, json_string(d->conf->id));
	}
}

static void
finish_device(json_t *o, const struct tenant *t, size_t i)
{
	json_object_set_new(o, "object_id", json_string(t->devices[i].object_id));
	if (t->devices[i].user != NULL)
		json_object_set_new(o, "user", json_string(t->devices[i].user->id));
}

static void
finish_root(json_t *o, const struct tenant *t, size_t i)
{
	json_object_set_new(o, "id", json_string(t->roots[i].id));
	set_pem(o, "pem", t->roots[i].cert);
}

static void
finish_profile(json_t *o, const struct tenant *t, size_t i)
{
	json_object_set_new(o, "id", json_string(t->profiles[i].id));
}

static void (*const finishers[OBJECT__MAX])(json_t *o, const struct tenant *t, size_t i) = {
	[OBJECT_GROUP] = finish_group,
	[OBJECT_DEVICE] = finish_device,
	[OBJECT_APP] = finish_app,
	[OBJECT_ROOT] = finish_root,
	[OBJECT_PROFILE] = finish_profile,
};

json_t *
document_make(const struct tenant *t, bool whole)
{
	json_t *document = struct_json(&tenant_file_schema, &t->file, whole), *o;
	size_t j;

	for (size_t i = 0; i < OBJECT__MAX; i++) {
		if (finishers[i] == NULL)
			continue;
		json_array_foreach(json_object_get(document, types[i].list), j, o)
		    finishers[i](o, t, j);
	}
	return document;
}

/* ---- text ---- */

/*
 * A JSON text is YAML, but for characters that YAML takes for line breaks or refuses, which JSON
 * lets stand in strings: NEL and the other C1 controls, U+2028 and U+2029, U+FEFF, U+FFFE, U+FFFF.
 */
static bool
needs_escape(uint32_t cp)
{
	return (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 || cp == 0xfeff ||
	    cp == 0xfffe || cp == 0xffff;
}

static void
add_as_yaml(struct buf *out, const struct buf *text)
{
	const uint8_t *p = text->data, *end = p + text->len;
	uint32_t cp;
	size_t n;

	for (; p < end; p += n) {
		bool known = (n = utf8_next(&cp, p, (size_t)(end - p))) > 0;

		n = known ? n : 1;
		if (known && needs_escape(cp))
			buf_addf(out, "\\u%04x", (unsigned)cp);
		else
			buf_add(out, p, n);
	}
}

enum rc
document_text(struct buf *out, const json_t *document, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	if ((rc = json_add_text(&text, document, err)) == RC_OK) {
		add_as_yaml(out, &text);
		rc = buf_ok(out, "the tenant", err);
	}
	buf_wipe(&text);
	return rc;
}

/* ---- finding and showing ---- */

static bool
is_named(const json_t *o, const char *key, const char *name)
{
	const char *value = json_get_str(o, key);

	return value != NULL && str_eq_nocase(value, name);
}

json_t *
document_find(
    const json_t *document, const struct object_type *type, const char *id_or_name, size_t *index)
{
	const char *const keys[] = { "id", type->name };
	json_t *o;
	size_t i;

	for (size_t k = 0; k < 2; k++) {
		json_array_foreach(json_object_get(document, type->list), i, o)
		{
			bool binned =
			    type->kind == OBJECT_USER && json_object_get(o, "deleted") != NULL;

			if (binned || !is_named(o, keys[k], id_or_name))
				continue;
			if (index != NULL)
				*index = i;
			return o;
		}
	}
	return NULL;
}

static json_t *
hint_json(const char *secret)
{
	size_t len = strlen(secret);

	/* A short one would be given away. */
	return json_string(len > 2 * SECRET_HINT ? secret + len - SECRET_HINT : "***");
}

static void
show_app(json_t *o)
{
	json_t *secret;
	size_t i;

	json_array_foreach(json_object_get(o, "secrets"), i, secret)
	{
		json_object_set_new(secret, "hint", hint_json(json_get_str(secret, "value")));
		json_object_del(secret, "value");
	}
	if (json_get_str(o, "identity_header") != NULL)
		json_object_set_new(
		    o, "identity_header", hint_json(json_get_str(o, "identity_header")));
}

static void
show_group(json_t *o, const struct tenant *t)
{
	json_t *list = json_object_get(o, "users"), *id;
	const struct user_conf *u;
	const struct device *d;
	size_t i;

	json_array_foreach(list, i, id)
	{
		if ((u = tenant_user(t, json_string_value(id))) != NULL)
			json_array_set_new(list, i, json_string(u->upn));
	}
	list = json_object_get(o, "devices");
	json_array_foreach(list, i, id)
	{
		if ((d = tenant_device(t, json_string_value(id))) != NULL)
			json_array_set_new(list, i, json_string(d->conf->name));
	}
}

static void
show_device(json_t *o, const struct tenant *t)
{
	const struct user_conf *u = NULL;
	const struct device *d;

	if (json_get_str(o, "user") != NULL)
		u = tenant_user(t, json_get_str(o, "user"));
	if (u != NULL)
		json_object_set_new(o, "user", json_string(u->upn));
	d = tenant_device(t, json_get_str(o, "id"));
	if (d != NULL)
		json_object_set_new(o, "enrolled", json_time_or_null(d->enrolled));
}

static void
show_user(json_t *o, const struct tenant *t)
{
	const struct user_conf *u = tenant_user(t, json_get_str(o, "id"));

	if (u == NULL)
		return;
	json_object_set_new(o, "created", json_time_or_null(tenant_user_of(t, u)->created));
	json_object_set_new(
	    o, "sessions_valid_from", json_time_or_null(tenant_user_of(t, u)->sessions_valid_from));
}

static void
show_root(json_t *o, const struct tenant *t)
{
	const char *id = json_get_str(o, "id");

	for (size_t i = 0; i < t->n_roots; i++) {
		if (id != NULL && str_eq_nocase(t->roots[i].id, id))
			json_object_set_new(o, "thumbprint",
			    t->roots[i].cert != NULL ? json_string(t->roots[i].thumbprint)
						     : json_null());
	}
}

json_t *
object_shown(const struct tenant *t, const struct object_type *type, const json_t *object)
{
	json_t *o = json_deep_copy(object);

	if (o == NULL)
		return NULL;
	switch (type->kind) {
	case OBJECT_USER:
		show_user(o, t);
		break;
	case OBJECT_APP:
		show_app(o);
		break;
	case OBJECT_GROUP:
		show_group(o, t);
		break;
	case OBJECT_DEVICE:
		show_device(o, t);
		break;
	case OBJECT_ROOT:
		show_root(o, t);
		break;
	default:
		break;
	}
	return o;
}
