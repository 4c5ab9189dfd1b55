/* admin_sweeps.c - /api/v1/sweeps: what rules would turn and an administrator has to decide on. */
#include <string.h>

#include "base/clock.h"
#include "ca/reason.h"
#include "scepd/admin_int.h"
#include "store/store_sweep.h"

static json_t *
sweep_json(const struct store_sweep *s)
{
	return json_pack(
	    "{s:I, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "id",
	    (json_int_t)s->id, "state", sweep_state_name(s->state), "created",
	    json_time_or_null(s->created / 1000), "decided", json_time_or_null(s->decided / 1000),
	    "turns", (json_int_t)s->turns, "dealt", (json_int_t)s->dealt, "applied",
	    (json_int_t)s->applied, "certificates", (json_int_t)s->certs, "of", (json_int_t)s->of,
	    "owners", (json_int_t)s->owners, "ofOwners", (json_int_t)s->of_owners, "beside",
	    (json_int_t)s->beside, "besideWaiting", (json_int_t)s->beside_waiting, "why",
	    json_text_or_null(s->why), "who", json_text_or_null(s->who));
}

static int
add_sweep(void *arg, const struct store_sweep *row)
{
	return admin_list_add(arg, row->id, sweep_json(row));
}

static int
add_turn(void *arg, const struct store_turn *t)
{
	static const char *const effects[] = { "release", "hold", "revoke" };
	struct admin_list *l = arg;

	return admin_list_add(l, l->page.after + (int64_t)l->n + 1,
	    json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "serial", t->serial, "ca", t->ca,
		"rule", t->rule, "effect", effects[t->effect], "reason",
		t->effect == CAUSE_REVOKE ? json_string(reason_name(t->reason)) : json_null(),
		"comment", json_text_or_null(t->comment), "user", json_text_or_null(t->person),
		"device", json_text_or_null(t->device)));
}

void
admin_sweeps_list(struct admin_call *c)
{
	struct admin_list l;
	struct err err = { 0 };
	enum rc rc = admin_list_begin(&l, c, &err);

	if (rc == RC_OK)
		rc = store_sweep_each(c->s->store, l.page.after, l.page.limit, add_sweep, &l, &err);
	admin_list_reply(&l, c, rc, &err);
}

void
admin_sweeps_turns(struct admin_call *c)
{
	struct store_sweep sweep;
	struct admin_list l;
	struct err err = { 0 };
	enum rc rc = admin_list_begin(&l, c, &err);

	/* No turns of a sweep that there is not is no empty list. */
	if (rc == RC_OK && (rc = store_sweep_get(c->s->store, c->id, &sweep, &err)) == RC_OK)
		store_sweep_done(&sweep);
	if (rc == RC_OK)
		rc = store_sweep_turns(
		    c->s->store, c->id, (uint64_t)l.page.after, l.page.limit, add_turn, &l, &err);
	admin_list_reply(&l, c, rc, &err);
}

void
admin_sweeps_show(struct admin_call *c)
{
	struct store_sweep sweep;
	struct err err = { 0 };

	if (store_sweep_get(c->s->store, c->id, &sweep, &err) != RC_OK) {
		admin_reply_error(c->reply, &err);
		return;
	}
	admin_reply_json(c->reply, 200, sweep_json(&sweep));
	store_sweep_done(&sweep);
}

static void
decide(struct admin_call *c, enum sweep_state verdict, const char *what)
{
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (c->req->body_len != 0) /* a wish that nobody would notice */
		rc = fail(&err, RC_PARSE, "a decision on a sweep has no body");
	if (rc == RC_OK)
		rc = store_sweep_decide(c->s->store, c->id, verdict, c->who, &err);
	admin_log(c, what, c->id, rc == RC_OK ? NULL : &err);
	if (rc == RC_OK)
		admin_sweeps_show(c);
	else
		admin_reply_error(c->reply, &err);
}

void
admin_sweeps_approve(struct admin_call *c)
{
	decide(c, SWEEP_APPROVED, "sweep-approve");
}

void
admin_sweeps_discard(struct admin_call *c)
{
	decide(c, SWEEP_DISCARDED, "sweep-discard");
}
