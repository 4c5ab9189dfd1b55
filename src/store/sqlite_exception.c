/*
 * sqlite_exception.c - exceptions from rules: made by one administrator, confirmed by another where that is asked
 * for, over by themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/sqlite.h"
#include "store/store_audit.h"
#include "store/store_check.h"

/* ---- rows ---- */

static void
exception_take(struct store_exception *e, struct sq_cursor *cur)
{
	*e = (struct store_exception){ 0 };
	e->id = sq_take_int(cur);
	e->of = (enum exception_of)sq_take_int(cur);
	sq_take_into(cur, e->target, sizeof(e->target));
	sq_take_into(cur, e->ca, sizeof(e->ca));
	sq_take_into(cur, e->rule, sizeof(e->rule));
	e->created = sq_take_int(cur);
	e->until = sq_take_int(cur);
	e->confirmed = sq_take_int(cur);
	e->ended = sq_take_int(cur);
	e->who = sq_take_text(cur);
	e->confirmed_by = sq_take_text(cur);
	e->ended_by = sq_take_text(cur);
	e->comment = sq_take_text(cur);
}

static enum rc
need(struct sq_conn *c, int64_t id, struct store_exception *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_EXCEPTION_GET, SQ_ARGS(sq_i(id)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		exception_take(out, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc == RC_OK && !row
	    ? fail(err, RC_NOTFOUND, "there is no exception %lld", (long long)id)
	    : rc;
}

static enum rc
audit(struct sq_writer *w, const char *event, const struct store_exception *e, const char *who,
    struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "exception=%lld until=%lld", (long long)e->id, (long long)e->until);
	audit_field(&d, "of", exception_of_name(e->of));
	audit_field(&d, "target", e->target);
	audit_field(&d, "ca", e->ca[0] == '\0' ? NULL : e->ca);
	audit_field(&d, "rule", e->rule[0] == '\0' ? NULL : e->rule);
	audit_field(&d, "who", who);
	audit_field(&d, "why", e->comment);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, event, buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

/* ---- made ---- */

struct add_args {
	const struct store_exception *e;
	bool needs_second;
	int64_t id;
};

static enum rc
room(struct sq_writer *w, int64_t now, struct err *err)
{
	int64_t live = 0;
	enum rc rc =
	    sq_number_of(sq_writer_conn(w), Q_EXCEPTION_COUNT, SQ_ARGS(sq_i(now)), &live, err);

	if (rc != RC_OK || live < STORE_EXCEPTIONS_MAX)
		return rc;
	fail(err, RC_LIMIT, "%lld exceptions are in force or wait, and %d is the most",
	    (long long)live, STORE_EXCEPTIONS_MAX);
	err_hint(err, "end some, or change the rule");
	return RC_LIMIT;
}

static enum rc
add_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	int64_t now = sq_writer_now(w) / 1000;
	struct add_args *a = arg;
	struct store_exception e = *a->e;
	enum rc rc = room(w, now, err);

	if (rc == RC_OK && (e.until <= now || e.until > now + STORE_EXCEPTION_SECS_MAX))
		rc = fail(err, RC_DENIED, "an exception ends within %lld days",
		    (long long)(STORE_EXCEPTION_SECS_MAX / 86400));
	if (rc == RC_OK)
		rc = sq_exec(c, Q_EXCEPTION_NEW,
		    SQ_ARGS(sq_i(e.of), sq_t(e.target), sq_t(e.rule), sq_i(now), sq_i(e.until),
			sq_i(a->needs_second ? 0 : now), sq_t(e.who), sq_t(e.comment), sq_t(e.ca)),
		    NULL, err);
	if (rc != RC_OK)
		return rc;
	e.id = a->id = sqlite3_last_insert_rowid(c->db);
	return audit(w, "exception", &e, e.who, err);
}

enum rc
sqlite_exception_add(struct store *s, const struct store_exception *e, bool needs_second,
    int64_t *id, struct err *err)
{
	struct add_args a = { e, needs_second, 0 };
	enum rc rc = sq_write(sq_store_writer(s), add_step, &a, err);

	if (rc == RC_OK)
		*id = a.id;
	return rc;
}

/* ---- confirmed, ended ---- */

static enum rc
over(const struct store_exception *e, int64_t now, struct err *err)
{
	if (e->ended != 0)
		return fail(err, RC_CONFLICT, "exception %lld was ended already by %s",
		    (long long)e->id, e->ended_by == NULL ? "somebody" : e->ended_by);
	if (e->until <= now)
		return fail(err, RC_CONFLICT, "exception %lld is over", (long long)e->id);
	return RC_OK;
}

static enum rc
may_confirm(const struct store_exception *e, const char *who, struct err *err)
{
	if (e->confirmed != 0)
		return fail(err, RC_CONFLICT, "exception %lld is in force already%s%s",
		    (long long)e->id, e->confirmed_by != NULL ? ", confirmed by " : "",
		    e->confirmed_by != NULL ? e->confirmed_by : "");
	if (store_same_person(e->who, who))
		return fail(err, RC_DENIED,
		    "exception %lld was made by %s: somebody else has to "
		    "confirm it",
		    (long long)e->id, e->who);
	return RC_OK;
}

static enum rc
may_end(const struct store_exception *e, const char *who, struct err *err)
{
	return RC_OK;
}

/* What somebody does with one that is not over. */
struct word {
	int64_t id;
	const char *who;
	enum rc (*may)(const struct store_exception *e, const char *who, struct err *err);
	enum sq_stmt stmt;
	const char *event;
};

static enum rc
word_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	int64_t now = sq_writer_now(w) / 1000;
	const struct word *a = arg;
	struct store_exception e = { 0 };
	enum rc rc = need(c, a->id, &e, err);

	if (rc == RC_OK)
		rc = over(&e, now, err);
	if (rc == RC_OK)
		rc = a->may(&e, a->who, err);
	if (rc == RC_OK)
		rc = sq_exec(c, a->stmt, SQ_ARGS(sq_i(e.id), sq_i(now), sq_t(a->who)), NULL, err);
	if (rc == RC_OK)
		rc = audit(w, a->event, &e, a->who, err);
	store_exception_done(&e);
	return rc;
}

enum rc
sqlite_exception_confirm(struct store *s, int64_t id, const char *who, struct err *err)
{
	struct word a = { id, who, may_confirm, Q_EXCEPTION_CONFIRM, "exception-confirm" };

	return sq_write(sq_store_writer(s), word_step, &a, err);
}

enum rc
sqlite_exception_end(struct store *s, int64_t id, const char *who, struct err *err)
{
	struct word a = { id, who, may_end, Q_EXCEPTION_END, "exception-end" };

	return sq_write(sq_store_writer(s), word_step, &a, err);
}

/* ---- listed ---- */

struct exception_list {
	store_exception_fn *fn;
	void *arg;
};

static enum rc
lend_row(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct exception_list *l = arg;
	struct store_exception e;
	enum rc rc;

	exception_take(&e, cur);
	rc = sq_took(cur, err);
	if (rc == RC_OK) {
		--*left;
		if (l->fn(l->arg, &e) != 0)
			*left = 0;
	}
	store_exception_done(&e);
	return rc;
}

enum rc
sqlite_exception_each(struct store *s, int64_t live_at, int64_t after, size_t max,
    store_exception_fn *fn, void *arg, struct err *err)
{
	const struct sq_arg args[] = { sq_i(after), sq_i((int64_t)max), sq_i(live_at) };
	struct exception_list l = { fn, arg };

	return live_at != 0 ? sq_each(s, Q_EXCEPTION_EACH_LIVE, args, 3, max, lend_row, &l, err)
			    : sq_each(s, Q_EXCEPTION_EACH, args, 2, max, lend_row, &l, err);
}
