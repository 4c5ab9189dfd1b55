/*
 * tenant_load.c - from a tenant file to a tenant: the rules across fields.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/tenant_int.h"

bool
is_hex(const char *s, size_t len)
{
	if (strlen(s) != len)
		return false;
	for (; *s != '\0'; s++) {
		if (!isxdigit((unsigned char)*s))
			return false;
	}
	return true;
}

enum rc
need_guid(const struct tenant *t, int line, const char *key, const char *value, struct err *err)
{
	if (value == NULL || guid_valid(value))
		return RC_OK;
	return conf_fail(t->conf, err, line, key, "\"%s\" is no GUID", value);
}

enum rc
take_id(char out[static GUID_TEXT_MAX], const struct tenant *t, int line, const char *id,
    const char *name, struct err *err)
{
	enum rc rc;

	if ((rc = need_guid(t, line, "id", id, err)) != RC_OK)
		return rc;
	if (id == NULL)
		return guid_derive(out, t->id, name, err);
	memcpy(out, id, GUID_TEXT_MAX);
	return RC_OK;
}

/* ---- names that must differ ---- */

struct named {
	const char *name;
	int line;
};

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = strcasecmp(x->name, y->name);

	return c != 0 ? c : x->line - y->line;
}

enum rc
need_unique(const struct tenant *t, const struct conf_items *items, size_t size, size_t offset,
    size_t line_offset, const char *key, struct err *err)
{
	struct named *names = calloc(items->n + 1, sizeof(*names));
	const char *at = items->v;
	enum rc rc = RC_OK;
	size_t n = 0;

	if (names == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < items->n; i++, at += size) {
		names[n].name = *(const char *const *)(const void *)(at + offset);
		names[n].line = *(const int *)(const void *)(at + line_offset);
		n += names[n].name != NULL;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; rc == RC_OK && i < n; i++) {
		if (strcasecmp(names[i - 1].name, names[i].name) == 0)
			rc = conf_fail(t->conf, err, names[i].line, key, "\"%s\" is there twice",
			    names[i].name);
	}
	free(names);
	return rc;
}

/* ---- the rules, list by list ---- */

static enum rc
load_apps(struct tenant *t, struct err *err)
{
	const struct app_conf *c = t->file.apps.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_apps; i++) {
		if ((rc = tenant_load_app(&t->apps[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	return UNIQUE(t, &t->file.apps, app_conf, id, "id", err);
}

/* An RFC 3339 time; `dflt` when not given. */
static enum rc
read_time(int64_t *out, const struct tenant *t, int line, const char *key, const char *text,
    int64_t dflt, struct err *err)
{
	struct err why;

	*out = dflt;
	if (text == NULL || time_parse_rfc3339(out, text, &why) == RC_OK)
		return RC_OK;
	return conf_fail(t->conf, err, line, key, "%s", why.msg);
}

static enum rc
load_user(struct user *u, const struct tenant *t, const struct user_conf *c, struct err *err)
{
	enum rc rc;

	u->conf = c;
	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK)
		return rc;
	if (strchr(c->upn, '@') == NULL)
		return conf_fail(t->conf, err, c->line, "upn", "\"%s\" has no '@'", c->upn);
	if ((rc = read_time(&u->created, t, c->line, "created", c->created, t->since, err)) !=
		RC_OK ||
	    (rc = read_time(&u->sessions_valid_from, t, c->line, "sessions_valid_from",
		 c->sessions_valid_from, u->created, err)) != RC_OK)
		return rc;
	return read_time(&u->deleted, t, c->line, "deleted", c->deleted, 0, err);
}

static enum rc
load_users(struct tenant *t, struct err *err)
{
	const struct user_conf *c = t->file.users.v;
	enum rc rc;

	for (size_t i = 0; i < t->file.users.n; i++) {
		if ((rc = load_user(&t->users[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	return tenant_index(t, INDEX_USERS, err);
}

static enum rc
check_device(const struct tenant *t, const struct device_conf *c, struct err *err)
{
	enum rc rc;

	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK ||
	    (rc = need_guid(t, c->line, "entra_id", c->entra_id, err)) != RC_OK ||
	    (rc = need_guid(t, c->line, "object_id", c->object_id, err)) != RC_OK)
		return rc;
	if (c->enrollment != ENROLLMENT_DEFAULT && c->platform != PLATFORM_ANDROID)
		return conf_fail(t->conf, err, c->line, "enrollment", "is for android only");
	for (size_t i = 0; i < c->registered_keys.n; i++) {
		if (!is_hex(c->registered_keys.v[i], 40))
			return conf_fail(t->conf, err, c->line, "registered_keys",
			    "\"%s\" is not 40 hex digits", c->registered_keys.v[i]);
	}
	return RC_OK;
}

static const struct user_conf *
find_owner(const struct tenant *t, const char *name)
{
	const struct user *binned;
	const struct user_conf *u = tenant_user(t, name);

	if (u == NULL && (binned = tenant_binned(t, name)) != NULL)
		u = binned->conf;
	return u;
}

static enum rc
load_device(struct device *d, const struct tenant *t, const struct device_conf *c, struct err *err)
{
	enum rc rc;

	d->conf = c;
	if ((rc = check_device(t, c, err)) != RC_OK)
		return rc;
	if (c->user != NULL && (d->user = find_owner(t, c->user)) == NULL)
		return conf_fail(t->conf, err, c->line, "user", "there is no user \"%s\"", c->user);
	if ((rc = read_time(&d->enrolled, t, c->line, "enrolled", c->enrolled, t->since, err)) !=
		RC_OK ||
	    (rc = read_time(&d->last_sync, t, c->line, "last_sync", c->last_sync, 0, err)) != RC_OK)
		return rc;
	if (c->object_id == NULL)
		return guid_derive(d->object_id, c->id, "Entra device object", err);
	memcpy(d->object_id, c->object_id, sizeof(d->object_id));
	return RC_OK;
}

static enum rc
load_devices(struct tenant *t, struct err *err)
{
	const struct device_conf *c = t->file.devices.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_devices; i++) {
		t->devices[i].tenant = t;
		t->devices[i].index = i;
		if ((rc = load_device(&t->devices[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	return tenant_index(t, INDEX_DEVICES, err);
}

enum rc
need_groups(const struct tenant *t, int line, const struct conf_strs *groups, struct err *err)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (!tenant_has_group(t, groups->v[i]))
			return conf_fail(
			    t->conf, err, line, "groups", "there is no group \"%s\"", groups->v[i]);
	}
	return RC_OK;
}

static enum rc
load_roots(struct tenant *t, struct err *err)
{
	const struct root_conf *c = t->file.trusted_roots.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_roots; i++) {
		t->roots[i].conf = &c[i];
		if ((rc = take_id(t->roots[i].id, t, c[i].line, c[i].id, c[i].name, err)) !=
			RC_OK ||
		    (rc = need_groups(t, c[i].line, &c[i].groups, err)) != RC_OK)
			return rc;
	}
	return UNIQUE(t, &t->file.trusted_roots, root_conf, name, "name", err);
}

static enum rc
load_tenant(struct tenant *t, struct err *err)
{
	enum rc rc;

	t->id = t->file.tenant.id;
	if ((rc = need_guid(t, t->file.tenant.line, "id", t->id, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (strchr(t->file.tenant.domains.v[i], '.') == NULL)
			return conf_fail(t->conf, err, t->file.tenant.line, "domain",
			    "\"%s\" is no domain", t->file.tenant.domains.v[i]);
	}
	return guid_derive(t->account_id, t->id, "Intune account", err);
}

/* Later rules lean on earlier ones. */
static enum rc (*const rules[])(struct tenant *t, struct err *err) = { load_tenant, load_apps,
	load_users, load_devices, tenant_load_groups, load_roots, tenant_load_profiles };

static enum rc
make_arrays(struct tenant *t, struct err *err)
{
	t->n_apps = t->file.apps.n;
	t->n_roots = t->file.trusted_roots.n;
	t->n_devices = t->file.devices.n;
	t->n_profiles = t->file.scep_profiles.n;
	t->n_groups = t->file.groups.n;
	t->apps = calloc(t->n_apps + 1, sizeof(*t->apps));
	t->roots = calloc(t->n_roots + 1, sizeof(*t->roots));
	t->devices = calloc(t->n_devices + 1, sizeof(*t->devices));
	t->profiles = calloc(t->n_profiles + 1, sizeof(*t->profiles));
	t->groups = calloc(t->n_groups + 1, sizeof(*t->groups));
	t->users = calloc(t->file.users.n + 1, sizeof(*t->users));
	if (t->apps == NULL || t->roots == NULL || t->devices == NULL || t->profiles == NULL ||
	    t->groups == NULL || t->users == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	return RC_OK;
}

/* Where a snapshot's certificates and keys come from. */
struct origin {
	struct root_option *roots;
	size_t n_roots;
	const struct tenant *old; /* NULL: make keys */
};

static enum rc
finish(struct tenant *t, const struct origin *from, struct err *err)
{
	enum rc rc;

	t->since = from->old != NULL ? from->old->since : clock_now();
	if ((rc = make_arrays(t, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((rc = rules[i](t, err)) != RC_OK)
			return rc;
	}
	if ((rc = tenant_load_root_certs(t, from->roots, from->n_roots, err)) != RC_OK)
		return rc;
	return from->old != NULL ? tenant_share_keys(t, from->old, err) : tenant_make_keys(t, err);
}

static enum rc
new_tenant(struct tenant **out, struct err *err)
{
	struct tenant *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	atomic_init(&t->refs, 1);
	*out = t;
	return RC_OK;
}

static enum rc
take(struct tenant **out, struct tenant *t, enum rc rc, const struct origin *from, struct err *err)
{
	if (rc == RC_OK)
		rc = finish(t, from, err);
	if (rc == RC_OK)
		*out = t;
	else
		tenant_free(t);
	return rc;
}

enum rc
tenant_load(struct tenant **out, const char *path, struct root_option *roots, size_t n_roots,
    struct err *err)
{
	const struct origin from = { roots, n_roots, NULL };
	struct tenant *t;
	enum rc rc;

	if ((rc = new_tenant(&t, err)) != RC_OK)
		return rc;
	rc = conf_load(&t->conf, path, &tenant_file_schema, &t->file, err);
	return take(out, t, rc, &from, err);
}

static enum rc
parse(struct tenant **out, const char *name, const void *bytes, size_t len,
    const struct origin *from, struct err *err)
{
	struct tenant *t;
	enum rc rc;

	if ((rc = new_tenant(&t, err)) != RC_OK)
		return rc;
	rc = conf_parse(&t->conf, name, bytes, len, &tenant_file_schema, &t->file, err);
	return take(out, t, rc, from, err);
}

enum rc
tenant_parse(struct tenant **out, const char *name, const void *bytes, size_t len,
    struct root_option *roots, size_t n_roots, struct err *err)
{
	const struct origin from = { roots, n_roots, NULL };

	return parse(out, name, bytes, len, &from, err);
}

enum rc
tenant_renew(struct tenant **out, const struct tenant *old, const char *name, const void *bytes,
    size_t len, struct err *err)
{
	const struct origin from = { NULL, 0, old };

	return parse(out, name, bytes, len, &from, err);
}
