/* sweep_stop.c - what the brake has stopped: written down, waited with, ended.  See sweep_int.h. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "scepd/sweep_int.h"

#define REMIND_MS (INT64_C(3600) * 1000) /* a sweep that waits is told of again */
#define GROW_MS   (INT64_C(300) * 1000) /* for so long nobody decides on what is not there any more */

void
sweep_note_waiting(struct sweeper *w, struct waiting now)
{
	(void)pthread_mutex_lock(&w->mu);
	w->waiting = now;
	(void)pthread_mutex_unlock(&w->mu);
}

/* ---- written ---- */

static enum rc
write_turns(struct sweeper *w, const struct round *r, int64_t id, struct err *err)
{
	const struct sweep_plan *p = r->p;
	struct store_turn batch[STORE_CAUSES_BATCH];
	enum rc rc = RC_OK;

	for (size_t at = 0; at < p->n && rc == RC_OK;) {
		size_t first = at, n = 0;

		if (*r->stop)
			return fail(err, RC_TIMEOUT, "the server stops");
		for (; n < STORE_CAUSES_BATCH && at < p->n; n++, at++)
			batch[n] = (struct store_turn){ .cert_id = p->v[at].cert_id,
				.rule = p->names[p->v[at].rule],
				.effect = p->v[at].effect,
				.reason = p->v[at].reason,
				.comment = p->v[at].comment,
				.owner = p->v[at].owner };
		rc = store_sweep_add(w->conf.store, id, first, batch, n, err);
		fault_point("sweep-written");
	}
	return rc;
}

enum rc
sweep_halt(struct sweeper *w, const struct round *r, struct err *err)
{
	const struct store_sweep_new what = { r->why, r->all.certs, r->p->of, r->all.owners.n,
		r->p->seen.n };
	int64_t id;
	enum rc rc = store_sweep_begin(w->conf.store, &what, &id, err);

	if (rc == RC_OK)
		rc = write_turns(w, r, id, err);
	if (rc == RC_OK)
		rc = store_sweep_ready(w->conf.store, id, err);
	if (rc != RC_OK)
		return rc;
	fault_point("sweep-ready");
	sweep_note_waiting(w, (struct waiting){ r->all.certs, r->all.owners.n, 0 });
	metric_add(w->conf.metrics, METRIC_SWEEPS_STOPPED, 1);
	w->told_ms = clock_now_ms();
	w->told_id = id;
	w->told_beside = false;
	log_msg(LOG_ERROR, "sweep",
	    "rules would turn %s: these %llu wait, with everything, until an administrator has "
	    "decided (scepctl sweep show %lld, then approve or discard); others are turned as "
	    "before, within the brake",
	    r->why, (unsigned long long)r->all.owners.n, (long long)id);
	return RC_OK;
}

/* ---- waited with ---- */

static void
remind(struct sweeper *w, const struct store_sweep *s, const struct waiting *now, int64_t now_ms)
{
	bool more = now->beside > 0 && !w->told_beside;

	if (w->told_id == s->id && !more && now_ms - w->told_ms < REMIND_MS)
		return;
	w->told_beside = now->beside > 0;
	w->told_id = s->id;
	w->told_ms = now_ms;
	log_msg(LOG_ERROR, "sweep",
	    "sweep %lld (%s) waits for an administrator, and what it would turn is left as it is, "
	    "with %llu devices and users beside it; %llu others were turned meanwhile (scepctl "
	    "sweep show %lld)",
	    (long long)s->id, s->why, (unsigned long long)now->beside,
	    (unsigned long long)s->beside, (long long)s->id);
}

struct matching {
	const struct sweep_plan *p;
	struct owners *out;
	struct err *err;
	enum rc rc;
};

static int
on_mark(void *arg, const struct store_rule_mark *k)
{
	struct matching *g = arg;
	const struct planned *t = sweep_plan_find(g->p, k->cert_id, k->rule, k->effect);

	if (t != NULL)
		g->rc = owners_add(g->out, t->owner, g->err);
	return g->rc != RC_OK;
}

/* Whom the sweep turns and rules still want turned so.  Who is not among them any more is free of it. */
static enum rc
whose(struct owners *out, struct sweeper *w, const struct store_sweep *s, const struct round *r,
    struct err *err)
{
	struct matching g = { r->p, out, err, RC_OK };
	enum rc rc = store_sweep_marks(w->conf.store, s->id, on_mark, &g, err);

	owners_sort(out);
	return rc == RC_OK ? g.rc : rc;
}

/* ---- ended ---- */

static enum rc
end(struct sweeper *w, const struct store_sweep *s, const char *because, const char *why,
    bool *over, struct err *err)
{
	char text[CAUSE_COMMENT_MAX];
	enum rc rc;

	(void)snprintf(text, sizeof(text), "%s: %s", because, why);
	rc = store_sweep_obsolete(w->conf.store, s->id, text, err);
	if (rc == RC_CONFLICT) /* an administrator was faster: the next round does as decided */
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	log_msg(
	    LOG_WARN, "sweep", "sweep %lld (%s) is obsolete: %s", (long long)s->id, s->why, text);
	sweep_note_waiting(w, (struct waiting){ 0 });
	fault_point("sweep-obsolete");
	*over = true;
	return RC_OK;
}

/* Whom it does not turn.  Too much of that goes into a larger sweep, but not before there was time to decide on this
 * one: a number that is another one each minute nobody can approve. */
static enum rc
do_beside(struct sweeper *w, const struct store_sweep *s, const struct round *r,
    const struct owners *its, bool *over, struct err *err)
{
	const struct conf_brake *b = &w->conf.config->revocation.brake;
	struct waiting now = { s->certs, s->owners, 0 };
	struct plan_part beside = { 0 };
	char why[BRAKE_WHY_MAX];
	enum rc rc = plan_part(&beside, r->p, its, err);
	bool too_much = rc == RC_OK && plan_brake(why, b, r->p, &beside, &r->lately);

	if (rc == RC_OK && too_much && r->now_ms - s->created >= GROW_MS) {
		rc = end(w, s, "rules would turn more by now", r->why, over, err);
	} else if (rc == RC_OK) {
		now.beside = too_much ? beside.owners.n : 0;
		sweep_note_waiting(w, now);
		remind(w, s, &now, r->now_ms);
		if (now.beside != s->beside_waiting) /* for 'sweep show' */
			rc = store_sweep_beside(w->conf.store, s->id, now.beside, err);
		if (rc == RC_OK && !too_much)
			rc = sweep_turn(w, r, &beside, its, s->id, err);
	}
	plan_part_done(&beside);
	return rc;
}

enum rc
sweep_meet(struct sweeper *w, const struct store_sweep *s, const struct round *r, bool *over,
    struct err *err)
{
	struct owners its = { 0 };
	enum rc rc = whose(&its, w, s, r, err);

	*over = false;
	if (rc == RC_OK && its.n > 0 && r->too_much)
		rc = do_beside(w, s, r, &its, over, err);
	else if (rc == RC_OK)
		rc = end(w, s,
		    its.n == 0 ? "rules want nothing of it any more"
			       : "the brake lets pass what is left of it",
		    r->why, over, err);
	owners_done(&its);
	return rc;
}
