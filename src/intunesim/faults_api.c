/*
 * faults_api.c - /sim/faults.
 */
#include "intunesim/services.h"

void
faults_get(struct call *c)
{
	call_json(c, 200, faults_json(c->sim->faults));
}

void
faults_put(struct call *c)
{
	json_t *body = NULL;
	struct err err;

	if (call_body(&body, c, &err) != RC_OK || faults_read(c->sim->faults, body, &err) != RC_OK)
		call_error(c, 400, "%s", err.msg);
	else
		call_json(c, 200, faults_json(c->sim->faults));
	json_decref(body);
}

/* The seed goes too: the day is as good as new. */
void
faults_delete(struct call *c)
{
	faults_set(c->sim->faults, 0, NULL, 0);
	call_done(c);
}
