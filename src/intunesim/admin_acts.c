/*
 * admin_acts.c - deeds that are more than a change of one object: members, restore, wipe, retire,
 * unenrol; the revocation queue; the clock.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/admin_int.h"
#include "intunesim/services.h"

/* ---- groups and users ---- */

static void
change_members(struct call *c, bool add)
{
	char id[GUID_TEXT_MAX] = "";
	struct deed d;
	struct err err;
	json_t *body;
	enum rc rc;

	if (!admin_body(&body, c))
		return;
	if ((rc = deed_begin(&d, c->sim, c->arg[0], &err)) == RC_OK)
		rc = members_change(&d, c->arg[1], body, add, id, &err);
	admin_finish(c, &d, rc, &err, object_type(OBJECT_GROUP), id, 200);
	deed_end(&d);
	json_decref(body);
}

void
admin_members_add(struct call *c)
{
	change_members(c, true);
}

void
admin_members_remove(struct call *c)
{
	change_members(c, false);
}

void
admin_restore(struct call *c)
{
	struct deed d;
	struct err err;
	enum rc rc;

	if ((rc = deed_begin(&d, c->sim, c->arg[0], &err)) == RC_OK)
		rc = user_restore(&d, c->arg[1], &err);
	admin_finish(c, &d, rc, &err, object_type(OBJECT_USER), c->arg[1], 200);
	deed_end(&d);
}

/* ---- devices ---- */

static void
change_device(struct call *c,
    enum rc (*change)(
	struct deed *d, const char *device, enum revocation_cause cause, struct err *err),
    enum revocation_cause cause)
{
	struct deed d;
	struct err err;
	enum rc rc;

	if ((rc = deed_begin(&d, c->sim, c->arg[0], &err)) == RC_OK)
		rc = change(&d, c->arg[1], cause, &err);
	admin_finish(c, &d, rc, &err, NULL, c->arg[1], 204);
	deed_end(&d);
}

void
admin_wipe(struct call *c)
{
	change_device(c, device_ask, CAUSE_WIPE);
}

void
admin_retire(struct call *c)
{
	change_device(c, device_ask, CAUSE_RETIRE);
}

void
admin_unenrol(struct call *c)
{
	change_device(c, device_leave, CAUSE_UNENROL);
}

/* ---- the revocation queue ---- */

/* null before the first result. */
static json_t *
result_json(const struct revocation *r)
{
	if (r->changed == 0)
		return json_null();
	return json_pack("{s:b, s:o, s:o, s:o}", "succeeded", r->status == REVOCATION_REVOKED,
	    "errorCode", json_text_or_null(r->error), "errorMessage", json_text_or_null(r->message),
	    "when", json_time_or_null(r->changed));
}

static json_t *
revocation_json(const struct revocation *r)
{
	const struct certificate *c = &r->certificate;

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:i, "
			 "s:s, s:o}",
	    "requestContext", r->context, "serialNumber", c->serial, "issuerName", c->issuer,
	    "caConfiguration", json_text_or_null(c->ca_configuration), "cause",
	    revocation_cause_name(r->cause), "tenant", c->of.tenant, "device", c->of.device,
	    "deviceId", c->of.device_id, "profile", c->of.profile, "profileId", c->of.profile_id,
	    "subject", c->subject, "thumbprint", c->thumbprint, "queued",
	    json_time_or_null(r->queued), "downloads", (int)r->downloads, "status",
	    revocation_status_name(r->status), "result", result_json(r));
}

void
admin_revocations(struct call *c)
{
	struct revocation *rows;
	json_t *list;
	struct err err;
	size_t n;

	if (revocations_list(c->sim->revocations, &rows, &n, &err) != RC_OK) {
		call_broken(c, &err);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, revocation_json(&rows[i]));
	free(rows);
	call_json(c, 200, json_pack("{s:o}", "value", list));
}

void
admin_revoke(struct call *c)
{
	const char *serial, *thumbprint;
	struct err err;
	json_t *body;
	enum rc rc;

	if (!admin_body(&body, c))
		return;
	serial = json_get_str(body, "serialNumber");
	thumbprint = json_get_str(body, "thumbprint");
	if (serial == NULL && thumbprint == NULL)
		rc = fail(&err, RC_PARSE, "serialNumber or thumbprint: one of them is needed");
	else
		rc = state_revoke(c->sim->state, serial, thumbprint, &err);
	if (rc == RC_OK)
		call_done(c);
	else
		admin_refuse(c, rc, &err);
	json_decref(body);
}

/* ---- the clock ---- */

static void
answer_clock(struct call *c)
{
	char text[DURATION_TEXT_MAX], now[TIME_TEXT_MAX];
	int64_t offset = clock_offset();

	duration_text(text, offset < 0 ? -offset : offset);
	time_rfc3339(now, clock_now());
	call_json(c, 200,
	    json_pack("{s:o, s:s}", "offset", json_sprintf("%s%s", offset < 0 ? "-" : "", text),
		"now", now));
}

void
admin_clock(struct call *c)
{
	answer_clock(c);
}

void
admin_clock_set(struct call *c)
{
	const char *offset;
	struct err err;
	json_t *body;
	enum rc rc;

	if (!admin_body(&body, c))
		return;
	if ((rc = json_need_str(&offset, body, "offset", &err)) == RC_OK &&
	    (rc = sim_clock_set(offset, &err)) != RC_OK)
		rc = err_context(&err, "offset");
	if (rc == RC_OK)
		answer_clock(c);
	else
		admin_refuse(c, rc, &err);
	json_decref(body);
}
