/*
 * sync_api.c - the administrator lets a device sync: the simulator plays it.
 */
#include "intunesim/services.h"

#define RETRY_AFTER 5 /* seconds */

static void
answer(struct call *c, const struct player_counts *n)
{
	call_note(c, "sync", "%u enrolled, %u renewed, %u refused, %u failed%s%s",
	    n->by[PLAYED_ENROLLED], n->by[PLAYED_RENEWED], n->by[PLAYED_REFUSED],
	    n->by[PLAYED_FAILED], n->why[0] != '\0' ? ": " : "", n->why);
	call_json(c, 200,
	    json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:s?}", "enrolled",
		(int)n->by[PLAYED_ENROLLED], "renewed", (int)n->by[PLAYED_RENEWED], "refused",
		(int)n->by[PLAYED_REFUSED], "failed", (int)n->by[PLAYED_FAILED], "kept",
		(int)n->kept, "removed", (int)n->removed, "notDelivered", (int)n->not_delivered,
		"gone", n->gone, "error", n->why[0] != '\0' ? n->why : NULL));
}

static void
play(struct call *c)
{
	struct player_counts counts;
	struct err err;
	enum rc rc = player_sync(c->sim, c->device->conf->id, &counts, &err);

	if (rc == RC_OK)
		answer(c, &counts);
	else if (rc == RC_CONFLICT || rc == RC_LIMIT)
		call_error(c, rc == RC_CONFLICT ? 409 : 503, "%s", err.msg);
	else
		call_error(c, 502, "%s", err.msg);
}

void
device_sync(struct call *c)
{
	if ((c->tenant = view_tenant(c->view, c->arg[0])) == NULL) {
		call_error(c, 404, "there is no tenant \"%s\"", c->arg[0]);
		return;
	}
	if ((c->device = tenant_device(c->tenant, c->arg[1])) == NULL) {
		call_error(c, 404, "there is no device \"%s\"", c->arg[1]);
		return;
	}
	if (!player_enter(c->sim->player)) {
		c->reply->retry_after = RETRY_AFTER;
		call_error(c, 503, "as many devices sync as half of --workers can take");
		return;
	}
	play(c);
	player_leave(c->sim->player);
}
