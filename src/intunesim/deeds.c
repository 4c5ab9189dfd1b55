/*
 * deeds.c - from one snapshot to the next.
 */
#include "intunesim/deeds.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intunesim/deeds_int.h"

#define DEED_NAME "deed" /* stands for the file's name in errors, and is cut off again */

/* ---- the recycle bin empties itself ---- */

void
forget_member(json_t *document, const char *list, const char *id)
{
	json_t *groups = json_object_get(document, "groups"), *group;
	size_t i;

	json_array_foreach(groups, i, group)
	{
		json_t *members = json_object_get(group, list);

		for (size_t j = json_array_size(members); j-- > 0;) {
			const char *member = json_string_value(json_array_get(members, j));

			if (member != NULL && str_eq_nocase(member, id))
				json_array_remove(members, j);
		}
	}
}

void
forget_user(json_t *document, size_t index)
{
	json_t *users = json_object_get(document, "users"), *device;
	json_t *user = json_incref(json_array_get(users, index));
	const char *id = json_get_str(user, "id"), *owner;
	size_t i;

	forget_member(document, "users", id);
	json_array_foreach(json_object_get(document, "devices"), i, device)
	{
		if ((owner = json_get_str(device, "user")) != NULL && str_eq_nocase(owner, id))
			json_object_del(device, "user");
	}
	json_array_remove(users, index);
	json_decref(user);
}

/* From the end, so that the places of the others stay those of the snapshot. */
static void
empty_bin(struct deed *d)
{
	const struct tenant *t = d->tenant;

	for (size_t i = t->file.users.n; i-- > 0;) {
		if (t->users[i].deleted != 0 && !user_in_bin(&t->users[i]))
			forget_user(d->document, i);
	}
}

/* ---- a deed ---- */

enum rc
deed_begin(struct deed *d, struct sim *s, const char *tenant, struct err *err)
{
	*d = (struct deed){ .sim = s, .effect.device_left = CAUSE_UNENROL };
	pthread_mutex_lock(&s->deeds);
	d->view = sim_view(s);
	if ((d->tenant = view_tenant(d->view, tenant)) == NULL)
		return fail(err, RC_NOTFOUND, "there is no tenant \"%s\"", tenant);
	if ((d->document = document_make(d->tenant, false)) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	empty_bin(d);
	return RC_OK;
}

void
deed_end(struct deed *d)
{
	pthread_mutex_unlock(&d->sim->deeds);
	view_done(d->view);
	view_done(d->after);
	json_decref(d->document);
}

/* "deed:1: users[3].upn: ..." says the same without its beginning. */
static enum rc
without_place(enum rc rc, struct err *err)
{
	size_t skip;

	if (err == NULL || !str_starts(err->msg, DEED_NAME ":"))
		return rc;
	skip = strlen(DEED_NAME ":");
	skip += strspn(err->msg + skip, "0123456789");
	skip += strspn(err->msg + skip, ": ");
	memmove(err->msg, err->msg + skip, strlen(err->msg + skip) + 1);
	return rc;
}

static enum rc
read_document(struct tenant **out, const struct deed *d, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	if ((rc = document_text(&text, d->document, err)) == RC_OK) {
		rc = tenant_renew(out, d->tenant, DEED_NAME, text.data, text.len, err);
		rc = without_place(rc, err);
	}
	buf_wipe(&text);
	if (rc == RC_LIMIT && err != NULL)
		return err_context(err, "the tenant gets too large");
	return rc;
}

enum rc
deed_commit(struct deed *d, struct err *err)
{
	struct tenant *t;
	enum rc rc;

	if ((rc = read_document(&t, d, err)) != RC_OK ||
	    (rc = sim_put(d->sim, t, &d->effect, err)) != RC_OK)
		return rc;
	d->after = sim_view(d->sim);
	log_changes(d->sim->changes, d->tenant, d->after->tenants[d->tenant->index]);
	return RC_OK;
}

/* ---- leaving Intune ---- */

static enum rc
find_managed(json_t **out, struct deed *d, const char *device, struct err *err)
{
	json_t *o = document_find(d->document, object_type(OBJECT_DEVICE), device, NULL);

	if (o == NULL)
		return fail(err, RC_NOTFOUND, "there is no device \"%s\"", device);
	if (json_is_false(json_object_get(o, "managed")))
		return fail(
		    err, RC_CONFLICT, "Intune does not manage the device \"%s\" any more", device);
	*out = o;
	return RC_OK;
}

enum rc
device_ask(struct deed *d, const char *device, enum revocation_cause what, struct err *err)
{
	const char *state = what == CAUSE_WIPE ? "wipePending" : "retirePending";
	json_t *o;
	enum rc rc;

	if ((rc = find_managed(&o, d, device, err)) == RC_OK)
		json_object_set_new(o, "management_state", json_string(state));
	return rc;
}

enum rc
device_leave(struct deed *d, const char *device, enum revocation_cause cause, struct err *err)
{
	json_t *o;
	enum rc rc;

	if ((rc = find_managed(&o, d, device, err)) != RC_OK)
		return rc;
	json_object_set_new(o, "managed", json_false());
	json_object_del(o, "management_state");
	d->effect.device_left = cause;
	return RC_OK;
}

static enum revocation_cause
pending(const struct device *device)
{
	if (!device->conf->managed)
		return CAUSE_NONE;
	switch (device->conf->management_state) {
	case MANAGEMENT_WIPE_PENDING:
	case MANAGEMENT_WIPE_ISSUED:
		return CAUSE_WIPE;
	case MANAGEMENT_RETIRE_PENDING:
	case MANAGEMENT_RETIRE_ISSUED:
		return CAUSE_RETIRE;
	default:
		return CAUSE_NONE;
	}
}

enum rc
device_carry_out(
    enum revocation_cause *done, struct sim *s, const struct device *device, struct err *err)
{
	enum revocation_cause what = pending(device);
	const struct device *now;
	struct deed d;
	enum rc rc;

	*done = CAUSE_NONE;
	if (what == CAUSE_NONE)
		return RC_OK;
	if ((rc = deed_begin(&d, s, device->tenant->id, err)) == RC_OK) {
		/*
		 * The caller's view may be old: another check-in was first, and the device is gone for
		 * the reason we saw; or the administrator has thought better of it since.
		 */
		now = tenant_device(d.tenant, device->conf->id);
		if (now != NULL && now->conf->managed) {
			what = pending(now);
			if (what != CAUSE_NONE &&
			    (rc = device_leave(&d, device->conf->id, what, err)) == RC_OK)
				rc = deed_commit(&d, err);
		}
	}
	deed_end(&d);
	if (rc == RC_OK)
		*done = what;
	return rc;
}
