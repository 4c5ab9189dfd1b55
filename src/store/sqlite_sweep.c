/*
 * sqlite_sweep.c - sweeps that wait for an administrator, and the turns in them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

#define TIDY_ROWS 2000 /* of one commit: some 10 ms */

/* ---- rows ---- */

static void
sweep_take(struct store_sweep *s, struct sq_cursor *cur)
{
	*s = (struct store_sweep){ 0 };
	s->id = sq_take_int(cur);
	s->state = (enum sweep_state)sq_take_int(cur);
	s->created = sq_take_int(cur);
	s->decided = sq_take_int(cur);
	s->turns = (uint64_t)sq_take_int(cur);
	s->dealt = (uint64_t)sq_take_int(cur);
	s->applied = (uint64_t)sq_take_int(cur);
	s->certs = (uint64_t)sq_take_int(cur);
	s->of = (uint64_t)sq_take_int(cur);
	s->owners = (uint64_t)sq_take_int(cur);
	s->of_owners = (uint64_t)sq_take_int(cur);
	s->beside = (uint64_t)sq_take_int(cur);
	s->beside_waiting = (uint64_t)sq_take_int(cur);
	s->why = sq_take_text(cur);
	s->who = sq_take_text(cur);
}

static enum rc
one_read(struct sq_conn *c, enum sq_stmt stmt, const struct sq_arg *args, size_t n,
    struct store_sweep *out, bool *found, struct err *err)
{
	struct store_sweep got = { 0 };
	struct sq_cursor cur;
	enum rc rc = sq_query(&cur, c, stmt, args, n, err);

	*found = false;
	if (rc == RC_OK)
		rc = sq_next(&cur, found, err);
	if (rc == RC_OK && *found) {
		sweep_take(&got, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && *found)
		*out = got;
	else
		store_sweep_done(&got);
	return rc;
}

static enum rc
need(struct sq_conn *c, int64_t id, struct store_sweep *out, struct err *err)
{
	bool found;
	enum rc rc = one_read(c, Q_SWEEP_GET, SQ_ARGS(sq_i(id)), out, &found, err);

	return rc == RC_OK && !found
	    ? fail(err, RC_NOTFOUND, "there is no sweep %lld", (long long)id)
	    : rc;
}

enum rc
sqlite_sweep_get(struct store *s, int64_t id, struct store_sweep *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = need(c, id, out, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_sweep_current(struct store *s, struct store_sweep *out, struct err *err)
{
	struct sq_conn *c;
	bool found = false;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = one_read(c, Q_SWEEP_CURRENT, SQ_NO_ARGS, out, &found, err);
	sq_reader_put(s, c);
	return rc == RC_OK && !found ? fail(err, RC_NOTFOUND, "no sweep waits") : rc;
}

static enum rc
each_read(
    struct sq_conn *c, int64_t after, size_t max, store_sweep_fn *fn, void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true, go = true;
	enum rc rc = sq_query(&cur, c, Q_SWEEP_EACH, SQ_ARGS(sq_i(after), sq_i((int64_t)max)), err);

	while (rc == RC_OK && go && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct store_sweep s;

		sweep_take(&s, &cur);
		rc = sq_took(&cur, err);
		go = rc == RC_OK && fn(arg, &s) == 0;
		store_sweep_done(&s);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_sweep_each(
    struct store *s, int64_t after, size_t max, store_sweep_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = each_read(c, after, max, fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- turns ---- */

static bool
lend_turn(struct sq_cursor *cur, store_turn_fn *fn, void *arg, enum rc *rc, struct err *err)
{
	char serial[2 * STORE_SERIAL_MAX + 1], ca[STORE_NAME_MAX + 1], rule[CAUSE_RULE_MAX];
	struct store_turn t = { .serial = serial, .ca = ca, .rule = rule };
	uint8_t v[STORE_SERIAL_MAX];
	char *comment, *person, *device;
	bool go;

	t.cert_id = sq_take_int(cur);
	hex_upper(serial, v, sq_take_bytes(cur, v, sizeof(v)));
	sq_take_into(cur, ca, sizeof(ca));
	sq_take_into(cur, rule, sizeof(rule));
	t.effect = (enum cause_effect)sq_take_int(cur);
	t.reason = (int)sq_take_int(cur);
	t.comment = comment = sq_take_text(cur);
	t.person = person = sq_take_text(cur);
	t.device = device = sq_take_text(cur);
	*rc = sq_took(cur, err);
	go = *rc == RC_OK && fn(arg, &t) == 0;
	free(comment);
	free(person);
	free(device);
	return go;
}

static enum rc
turns_read(struct sq_conn *c, const struct sq_arg *args, size_t n, store_turn_fn *fn, void *arg,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true, go = true;
	enum rc rc = sq_query(&cur, c, Q_SWEEP_TURNS, args, n, err);

	while (rc == RC_OK && go && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		go = lend_turn(&cur, fn, arg, &rc, err);
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_sweep_turns(struct store *s, int64_t id, uint64_t after, size_t max, store_turn_fn *fn,
    void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = turns_read(
	    c, SQ_ARGS(sq_i(id), sq_i((int64_t)after), sq_i((int64_t)max)), fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- written ---- */

static enum rc
audit(struct sq_writer *w, const char *event, int64_t id, const char *who, const char *why,
    const char *counts, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "sweep=%lld%s", (long long)id, counts);
	audit_field(&d, "who", who);
	audit_field(&d, "why", why);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, event, buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

struct begin_args {
	const struct store_sweep_new *n;
	int64_t id;
};

static enum rc
begin_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct begin_args *a = arg;
	int64_t other = 0;
	enum rc rc = sq_number(c, Q_SWEEP_OPEN, &other, err);

	if (rc == RC_OK && other != 0)
		return fail(err, RC_CONFLICT, "sweep %lld waits already", (long long)other);
	if (rc == RC_OK)
		rc = sq_exec(c, Q_SWEEP_NEW,
		    SQ_ARGS(sq_i(sq_writer_now(w)), sq_i((int64_t)a->n->certs),
			sq_i((int64_t)a->n->of), sq_i((int64_t)a->n->owners),
			sq_i((int64_t)a->n->of_owners), sq_t(a->n->why)),
		    NULL, err);
	if (rc == RC_OK)
		a->id = sqlite3_last_insert_rowid(c->db);
	return rc;
}

enum rc
sqlite_sweep_begin(struct store *s, const struct store_sweep_new *n, int64_t *id, struct err *err)
{
	struct begin_args a = { n, 0 };
	enum rc rc = sq_write(sq_store_writer(s), begin_step, &a, err);

	if (rc == RC_OK)
		*id = a.id;
	return rc;
}

struct add_args {
	int64_t id;
	uint64_t first;
	const struct store_turn *v;
	size_t n;
};

static enum rc
add_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct add_args *a = arg;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < a->n && rc == RC_OK; i++) {
		const struct store_turn *t = &a->v[i];

		rc = sq_exec(sq_writer_conn(w), Q_SWEEP_TURN_PUT,
		    SQ_ARGS(sq_i(a->id), sq_i((int64_t)(a->first + i + 1)), sq_i(t->cert_id),
			sq_i(t->effect), sq_i(t->reason), sq_t(t->rule), sq_t(t->comment),
			sq_i((int64_t)t->owner)),
		    NULL, err);
	}
	return rc;
}

enum rc
sqlite_sweep_add(struct store *s, int64_t id, uint64_t first, const struct store_turn *v, size_t n,
    struct err *err)
{
	struct add_args a = { id, first, v, n };

	return sq_write(sq_store_writer(s), add_step, &a, err);
}

static enum rc
ready_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct store_sweep s = { 0 };
	int64_t id = *(int64_t *)arg;
	char counts[160];
	int changed = 0;
	enum rc rc = sq_exec(sq_writer_conn(w), Q_SWEEP_READY, SQ_ARGS(sq_i(id)), &changed, err);

	if (rc == RC_OK && changed == 0)
		rc = fail(err, RC_CONFLICT, "sweep %lld is not being written", (long long)id);
	if (rc == RC_OK)
		rc = need(sq_writer_conn(w), id, &s, err);
	if (rc == RC_OK) {
		(void)snprintf(counts, sizeof(counts),
		    " turns=%llu owners=%llu ownersOf=%llu certificates=%llu of=%llu",
		    (unsigned long long)s.turns, (unsigned long long)s.owners,
		    (unsigned long long)s.of_owners, (unsigned long long)s.certs,
		    (unsigned long long)s.of);
		rc = audit(w, "sweep-stopped", id, NULL, s.why, counts, err);
	}
	store_sweep_done(&s);
	return rc;
}

enum rc
sqlite_sweep_ready(struct store *s, int64_t id, struct err *err)
{
	return sq_write(sq_store_writer(s), ready_step, &id, err);
}

/* ---- ended ---- */

struct end_args {
	int64_t id;
	enum sweep_state to;
	const char *who, *why;
};

/* Two administrators at once: the second hears who the first was; or rules have come up with more meanwhile, and
 * nobody approves what was not shown. */
static enum rc
why_not(struct sq_conn *c, int64_t id, struct err *err)
{
	struct store_sweep s = { 0 };
	int64_t now = 0;
	enum rc rc = need(c, id, &s, err);

	if (rc == RC_OK && s.state == SWEEP_OBSOLETE)
		rc = sq_number(c, Q_SWEEP_WAITS, &now, err);
	if (rc == RC_OK && now != 0) {
		(void)fail(err, RC_CONFLICT,
		    "sweep %lld is obsolete: sweep %lld has taken its place, and may turn more",
		    (long long)id, (long long)now);
		rc = err_hint(err, "look at it first, then decide on that one");
	} else if (rc == RC_OK)
		rc = fail(err, RC_CONFLICT, "sweep %lld is %s already%s%s", (long long)id,
		    sweep_state_name(s.state), s.who != NULL ? ", by " : "",
		    s.who != NULL ? s.who : "");
	store_sweep_done(&s);
	return rc;
}

/* An administrator has looked: what rules may do by themselves begins anew. */
static enum rc
end_step(struct sq_writer *w, void *arg, struct err *err)
{
	static const char *const events[] = { [SWEEP_APPROVED] = "sweep-approved",
		[SWEEP_DISCARDED] = "sweep-discarded",
		[SWEEP_OBSOLETE] = "sweep-obsolete" };
	struct sq_conn *c = sq_writer_conn(w);
	const struct end_args *a = arg;
	struct sq_arg now = sq_i(sq_writer_now(w));
	int changed = 0;
	enum rc rc = a->to == SWEEP_OBSOLETE
	    ? sq_exec(c, Q_SWEEP_OBSOLETE, SQ_ARGS(sq_i(a->id), now), &changed, err)
	    : sq_exec(c, Q_SWEEP_DECIDE, SQ_ARGS(sq_i(a->id), sq_i(a->to), now, sq_t(a->who)),
		  &changed, err);

	if (rc == RC_OK && changed == 0)
		return why_not(c, a->id, err);
	if (rc == RC_OK && a->to == SWEEP_APPROVED)
		rc = sq_exec(c, Q_TURNED_DROP, SQ_ARGS(sq_i(INT64_MAX)), NULL, err);
	return rc == RC_OK ? audit(w, events[a->to], a->id, a->who, a->why, "", err) : rc;
}

enum rc
sqlite_sweep_decide(
    struct store *s, int64_t id, enum sweep_state verdict, const char *who, struct err *err)
{
	struct end_args a = { id, verdict, who, NULL };

	return sq_write(sq_store_writer(s), end_step, &a, err);
}

enum rc
sqlite_sweep_obsolete(struct store *s, int64_t id, const char *why, struct err *err)
{
	struct end_args a = { id, SWEEP_OBSOLETE, NULL, why };

	return sq_write(sq_store_writer(s), end_step, &a, err);
}

struct dealt_args {
	int64_t id;
	uint64_t dealt, applied;
};

static enum rc
dealt_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct dealt_args *a = arg;
	int64_t state = 0, turns = 0;
	struct sq_cursor cur;
	bool row = false;
	char counts[64];
	enum rc rc = sq_query(&cur, sq_writer_conn(w), Q_SWEEP_DEALT,
	    SQ_ARGS(sq_i(a->id), sq_i((int64_t)a->dealt), sq_i((int64_t)a->applied)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		state = sq_take_int(&cur);
		turns = sq_take_int(&cur);
		rc = sq_next(&cur, &row, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && state == 0)
		return fail(err, RC_CONFLICT, "sweep %lld is not approved", (long long)a->id);
	if (rc != RC_OK || state != SWEEP_DONE)
		return rc;
	(void)snprintf(counts, sizeof(counts), " turns=%lld applied=%llu", (long long)turns,
	    (unsigned long long)a->applied);
	return audit(w, "sweep-done", a->id, NULL, NULL, counts, err);
}

enum rc
sqlite_sweep_dealt(struct store *s, int64_t id, uint64_t dealt, uint64_t applied, struct err *err)
{
	struct dealt_args a = { id, dealt, applied };

	return sq_write(sq_store_writer(s), dealt_step, &a, err);
}

/* ---- swept ---- */

struct tidy_args {
	int64_t before;
	size_t n;
};

static enum rc
tidy_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct tidy_args *a = arg;
	int64_t id = 0;
	int rows = 0;
	enum rc rc = sq_number_of(c, Q_SWEEP_OLD, SQ_ARGS(sq_i(a->before)), &id, err);

	if (rc != RC_OK || id == 0)
		return rc;
	rc = sq_exec(c, Q_SWEEP_TURNS_DROP, SQ_ARGS(sq_i(id), sq_i(TIDY_ROWS)), &rows, err);
	if (rc == RC_OK && rows < TIDY_ROWS)
		rc = sq_exec(c, Q_SWEEP_DROP, SQ_ARGS(sq_i(id)), NULL, err);
	a->n = (size_t)rows + 1;
	return rc;
}

enum rc
sqlite_sweep_tidy(struct store *s, int64_t before, size_t *n, struct err *err)
{
	struct tidy_args a = { before, 0 };
	enum rc rc = sq_write(sq_store_writer(s), tidy_step, &a, err);

	if (rc == RC_OK)
		*n = a.n;
	return rc;
}
