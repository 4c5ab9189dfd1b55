/*
 * sqlite_marks.c - what a sweep has to know before it begins: causes of rules that stand, turns that were
 * discarded, and whom rules have turned lately.
 */
#include "store/sqlite.h"

/* ---- causes of rules, discarded turns ---- */

static enum rc
marks_read(struct sq_conn *c, enum sq_stmt stmt, const struct sq_arg *args, size_t n,
    store_rule_mark_fn *fn, void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true, go = true;
	enum rc rc = sq_query(&cur, c, stmt, args, n, err);

	while (rc == RC_OK && go && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct store_rule_mark m = { 0 };
		char rule[CAUSE_RULE_MAX];

		m.cert_id = sq_take_int(&cur);
		sq_take_into(&cur, rule, sizeof(rule));
		m.rule = rule;
		m.effect = (enum cause_effect)sq_take_int(&cur);
		if (stmt == Q_IGNORED) {
			m.sweep = sq_take_int(&cur);
			m.row = sq_take_int(&cur);
		}
		rc = sq_took(&cur, err);
		go = rc == RC_OK && fn(arg, &m) == 0;
	}
	sq_end(&cur);
	return rc;
}

static enum rc
marks(struct store *s, enum sq_stmt stmt, const struct sq_arg *args, size_t n,
    store_rule_mark_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = marks_read(c, stmt, args, n, fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_rule_causes_each(struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return marks(s, Q_RULE_CAUSES, SQ_NO_ARGS, fn, arg, err);
}

enum rc
sqlite_ignored_each(struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return marks(s, Q_IGNORED, SQ_NO_ARGS, fn, arg, err);
}

enum rc
sqlite_sweep_marks(struct store *s, int64_t id, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return marks(s, Q_SWEEP_MARKS, SQ_ARGS(sq_i(id)), fn, arg, err);
}

struct forget_args {
	const struct store_rule_mark *v;
	size_t n;
};

static enum rc
forget_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct forget_args *a = arg;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = sq_exec(sq_writer_conn(w), Q_IGNORED_DROP,
		    SQ_ARGS(sq_i(a->v[i].sweep), sq_i(a->v[i].row)), NULL, err);
	return rc;
}

enum rc
sqlite_ignored_forget(struct store *s, const struct store_rule_mark *v, size_t n, struct err *err)
{
	struct forget_args a = { v, n };

	return sq_write(sq_store_writer(s), forget_step, &a, err);
}

/* ---- who was turned ---- */

struct turned_args {
	int64_t now;
	const uint64_t *owners;
	size_t n;
};

#define KEPT_MINUTES (24 * 60) /* the longest window of the brake */

static enum rc
turned_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct turned_args *a = arg;
	int64_t minute = a->now / 60;
	enum rc rc = sq_exec(
	    sq_writer_conn(w), Q_TURNED_DROP, SQ_ARGS(sq_i(minute - KEPT_MINUTES)), NULL, err);

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = sq_exec(sq_writer_conn(w), Q_TURNED_ADD,
		    SQ_ARGS(sq_i((int64_t)a->owners[i]), sq_i(minute)), NULL, err);
	return rc;
}

enum rc
sqlite_turned_add(struct store *s, int64_t now, const uint64_t *owners, size_t n, struct err *err)
{
	struct turned_args a = { now, owners, n };

	return sq_write(sq_store_writer(s), turned_step, &a, err);
}

static enum rc
turned_read(struct sq_conn *c, int64_t since, store_owner_fn *fn, void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true, go = true;
	enum rc rc = sq_query(&cur, c, Q_TURNED_SINCE, SQ_ARGS(sq_i(since / 60)), err);

	while (rc == RC_OK && go && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		uint64_t owner = (uint64_t)sq_take_int(&cur);

		rc = sq_took(&cur, err);
		go = rc == RC_OK && fn(arg, owner) == 0;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_turned_since(struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = turned_read(c, since, fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}
