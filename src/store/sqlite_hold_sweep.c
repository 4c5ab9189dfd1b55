/* sqlite_hold_sweep.c - requests that nobody decided in time, or nobody fetched: refused; old rows: gone. */
#include <stdio.h>

#include "store/sqlite.h"

#define SWEEP_ROWS 200 /* of each kind a call: a few milliseconds of the writer */

struct sweep_args {
	int64_t now;
	size_t refused;
};
struct expired {
	int64_t id, lifetime;
	enum tx_state state;
};

static enum rc
expired_read(struct sq_conn *c, enum hold_verdict v, int64_t now, struct expired *list, size_t *n,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	*n = 0;
	rc = sq_query(&cur, c, Q_HOLD_EXPIRED, SQ_ARGS(sq_i(v), sq_i(now), sq_i(SWEEP_ROWS)), err);
	while (rc == RC_OK && *n < SWEEP_ROWS) {
		struct store_hold h;

		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		sqlite_hold_take(&h, &cur, now, &list[*n].lifetime);
		rc = sq_took(&cur, err);
		list[*n].id = h.id;
		list[*n].state = h.state;
		++*n;
		store_hold_done(&h);
	}
	sq_end(&cur);
	return rc;
}

/* "7 days", "36 hours", "90 seconds" */
static void
span_text(char out[static 32], int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = { { 86400000, "days" }, { 3600000, "hours" }, { 60000, "minutes" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ms >= 2 * units[i].ms && ms % units[i].ms == 0) {
			snprintf(out, 32, "%lld %s", (long long)(ms / units[i].ms), units[i].name);
			return;
		}
	snprintf(out, 32, "%lld seconds", (long long)(ms / 1000));
}

/* An approval that has led to a certificate goes; everything else is refused, and its row stays a while. */
static enum rc
expire_one(struct sq_writer *w, const struct expired *e, enum hold_verdict v, size_t *refused,
    struct err *err)
{
	char reason[96], span[32];
	struct store_ending end = { .reason = reason };
	enum rc rc;

	if (e->state >= TX_SIGNED && e->state != TX_REFUSED)
		return sq_exec(sq_writer_conn(w), Q_HOLD_DROP, SQ_ARGS(sq_i(e->id)), NULL, err);
	span_text(span, e->lifetime);
	snprintf(reason, sizeof(reason), "%s within %s",
	    v == HOLD_PENDING ? "nobody decided" : "approved, but not fetched", span);
	rc = sq_exec(sq_writer_conn(w), Q_HOLD_LAPSE, SQ_ARGS(sq_i(e->id)), NULL, err);
	if (rc == RC_OK && e->state != TX_REFUSED) {
		rc = sqlite_tx_refuse_step(w, e->id, &end, err);
		++*refused;
	}
	return rc;
}

static enum rc
expire_all(struct sq_writer *w, enum hold_verdict v, struct sweep_args *a, struct err *err)
{
	struct expired list[SWEEP_ROWS];
	size_t n;
	enum rc rc = expired_read(sq_writer_conn(w), v, a->now, list, &n, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = expire_one(w, &list[i], v, &a->refused, err);
	return rc;
}

static enum rc
clean(struct sq_writer *w, enum hold_verdict v, int64_t now, struct err *err)
{
	return sq_exec(sq_writer_conn(w), Q_HOLD_CLEAN,
	    SQ_ARGS(sq_i(v), sq_i(now - STORE_HOLD_KEPT_MS), sq_i(SWEEP_ROWS)), NULL, err);
}

static enum rc
sweep_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sweep_args *a = arg;
	enum rc rc = expire_all(w, HOLD_PENDING, a, err);

	if (rc == RC_OK)
		rc = expire_all(w, HOLD_APPROVED, a, err);
	if (rc == RC_OK)
		rc = clean(w, HOLD_DENIED, a->now, err);
	return rc == RC_OK ? clean(w, HOLD_ENDED, a->now, err) : rc;
}

enum rc
sqlite_hold_sweep(struct store *s, int64_t now_ms, size_t *refused, struct err *err)
{
	struct sweep_args a = { now_ms, 0 };
	enum rc rc = sq_write(sq_store_writer(s), sweep_step, &a, err);

	if (rc == RC_OK)
		*refused = a.refused;
	return rc;
}
