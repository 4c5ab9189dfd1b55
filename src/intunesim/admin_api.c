/*
 * admin_api.c - the objects of a tenant over HTTP (docs/intunesim-api.md, the administrator's
 * deeds).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/admin_int.h"
#include "intunesim/services.h"

void
admin_refuse(struct call *c, enum rc rc, const struct err *err)
{
	switch (rc) {
	case RC_CONFIG:
	case RC_PARSE:
	case RC_LIMIT:
		call_error(c, 400, "%s", err->msg);
		break;
	case RC_NOTFOUND:
		call_error(c, 404, "%s", err->msg);
		break;
	case RC_CONFLICT:
	case RC_DENIED:
		call_error(c, 409, "%s", err->msg);
		break;
	default:
		call_broken(c, err);
		break;
	}
}

bool
admin_body(json_t **out, struct call *c)
{
	struct err err;

	if (call_body(out, c, &err) == RC_OK)
		return true;
	call_error(c, 400, "%s", err.msg);
	return false;
}

/* ---- reading ---- */

static bool
find_tenant(struct call *c)
{
	if ((c->tenant = view_tenant(c->view, c->arg[0])) != NULL)
		return true;
	call_error(c, 404, "there is no tenant \"%s\"", c->arg[0]);
	return false;
}

/* The kind of arg[1].  NULL: answered. */
static const struct object_type *
want_type(struct call *c)
{
	const struct object_type *type = object_type_by_path(c->arg[1]);

	if (type == NULL)
		call_error(c, 404, "there is no kind of object \"%s\"", c->arg[1]);
	return type;
}

/* When the device checked in is not in its file. */
static json_t *
shown(struct call *c, const struct tenant *t, const struct object_type *type, const json_t *object)
{
	json_t *o = object_shown(t, type, object);
	const struct device *d;
	int64_t last;

	if (o == NULL || type->kind != OBJECT_DEVICE ||
	    (d = tenant_device(t, json_get_str(o, "id"))) == NULL)
		return o;
	if ((last = state_last_sync(c->sim->state, d)) != 0)
		json_object_set_new(o, "last_sync", json_time_or_null(last));
	return o;
}

/* Users in the recycle bin, or those who are not. */
static bool
belongs(const struct tenant *t, const struct object_type *type, size_t i, bool binned)
{
	if (type->kind != OBJECT_USER)
		return true;
	return binned ? user_in_bin(&t->users[i]) : t->users[i].deleted == 0;
}

static void
answer_list(struct call *c, const struct object_type *type, bool binned)
{
	json_t *document = document_make(c->tenant, true), *list = json_array(), *o;
	size_t i;

	json_array_foreach(json_object_get(document, type->list), i, o)
	{
		if (belongs(c->tenant, type, i, binned))
			json_array_append_new(list, shown(c, c->tenant, type, o));
	}
	json_decref(document);
	call_json(c, 200, json_pack("{s:o}", "value", list));
}

void
admin_list(struct call *c)
{
	const struct object_type *type;

	if (find_tenant(c) && (type = want_type(c)) != NULL)
		answer_list(c, type, false);
}

void
admin_deleted(struct call *c)
{
	if (find_tenant(c))
		answer_list(c, object_type(OBJECT_USER), true);
}

/* The object as it is in `t`. */
static void
answer_object(struct call *c, int status, const struct tenant *t, const struct object_type *type,
    const char *id_or_name)
{
	json_t *document = document_make(t, true);
	const json_t *o = document_find(document, type, id_or_name, NULL);

	if (o == NULL)
		call_error(c, 404, "there is no %s \"%s\"", type->what, id_or_name);
	else
		call_json(c, status, shown(c, t, type, o));
	json_decref(document);
}

void
admin_get(struct call *c)
{
	const struct object_type *type;

	if (find_tenant(c) && (type = want_type(c)) != NULL)
		answer_object(c, 200, c->tenant, type, c->arg[2]);
}

static json_t *
tenant_json(const struct tenant *t)
{
	json_t *domains = json_array();
	size_t live = 0, binned = 0;

	for (size_t i = 0; i < t->file.tenant.domains.n; i++)
		json_array_append_new(domains, json_string(t->file.tenant.domains.v[i]));
	for (size_t i = 0; i < t->file.users.n; i++) {
		live += t->users[i].deleted == 0;
		binned += user_in_bin(&t->users[i]);
	}
	return json_pack("{s:s, s:o, s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "id", t->id,
	    "domains", domains, "name", t->file.tenant.name, "intune", t->file.tenant.intune,
	    "users", (int)live, "deleted", (int)binned, "groups", (int)t->n_groups, "devices",
	    (int)t->n_devices, "apps", (int)t->n_apps, "roots", (int)t->n_roots, "profiles",
	    (int)t->n_profiles);
}

void
admin_tenants(struct call *c)
{
	const struct sim_options *o = &c->sim->options;
	json_t *list = json_array(), *urls = json_array();

	for (size_t i = 0; i < c->view->n_tenants; i++)
		json_array_append_new(list, tenant_json(c->view->tenants[i]));
	for (size_t i = 0; i < o->n_scep_urls; i++)
		json_array_append_new(urls, json_string(o->scep_urls[i]));
	call_json(c, 200, json_pack("{s:o, s:o}", "tenants", list, "scepUrls", urls));
}

/* ---- writing ---- */

void
admin_finish(struct call *c, struct deed *d, enum rc rc, struct err *err,
    const struct object_type *shown_type, const char *id, int status)
{
	if (rc == RC_OK)
		rc = deed_commit(d, err);
	c->tenant = d->tenant != NULL ? view_tenant(c->view, d->tenant->id) : NULL;
	if (rc != RC_OK) {
		admin_refuse(c, rc, err);
		return;
	}
	call_note(c, "done", "%s", id != NULL ? id : "");
	if (shown_type == NULL)
		call_done(c);
	else
		answer_object(c, status, d->after->tenants[d->tenant->index], shown_type, id);
}

/* Make or change one, by the same steps. */
static void
write_object(struct call *c, bool create)
{
	const struct object_type *type = want_type(c);
	char id[GUID_TEXT_MAX] = "";
	struct deed d;
	struct err err;
	json_t *body;
	enum rc rc;

	if (type == NULL || !admin_body(&body, c))
		return;
	if ((rc = deed_begin(&d, c->sim, c->arg[0], &err)) == RC_OK)
		rc = create ? object_create(&d, type, body, id, &err)
			    : object_patch(&d, type, c->arg[2], body, id, &err);
	admin_finish(c, &d, rc, &err, type, id, create ? 201 : 200);
	deed_end(&d);
	json_decref(body);
}

void
admin_create(struct call *c)
{
	write_object(c, true);
}

void
admin_patch(struct call *c)
{
	write_object(c, false);
}

static bool
is_permanent(const struct call *c)
{
	char *value = NULL;
	bool yes;
	size_t len;

	if (http_form_get(&value, &len, c->req->query, strlen(c->req->query), "permanent", true,
		NULL) != RC_OK)
		value = NULL;
	yes = value != NULL && strcmp(value, "true") == 0;
	free(value);
	return yes;
}

void
admin_delete(struct call *c)
{
	const struct object_type *type = want_type(c);
	struct deed d;
	struct err err;
	enum rc rc;

	if (type == NULL)
		return;
	if ((rc = deed_begin(&d, c->sim, c->arg[0], &err)) == RC_OK)
		rc = object_delete(&d, type, c->arg[2], is_permanent(c), &err);
	admin_finish(c, &d, rc, &err, NULL, c->arg[2], 204);
	deed_end(&d);
}
