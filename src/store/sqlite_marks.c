/*
 * sqlite_marks.c - what a sweep has to know before it begins: causes of rules that stand, turns that were
 * discarded, and whom rules have turned lately; and whom one that waits is about.
 */
#include <stdlib.h>

#include "base/text.h"
#include "store/sqlite.h"

/* ---- causes of rules, discarded turns ---- */

struct mark_list {
	enum sq_stmt stmt;
	store_rule_mark_fn *fn;
	void *arg;
};

static enum rc
lend_mark(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct mark_list *l = arg;
	struct store_rule_mark m = { 0 };
	char rule[CAUSE_RULE_MAX];
	enum rc rc;

	m.cert_id = sq_take_int(cur);
	sq_take_into(cur, rule, sizeof(rule));
	m.rule = rule;
	m.effect = (enum cause_effect)sq_take_int(cur);
	if (l->stmt == Q_IGNORED) {
		m.sweep = sq_take_int(cur);
		m.row = sq_take_int(cur);
	}
	rc = sq_took(cur, err);
	if (rc == RC_OK && l->fn(l->arg, &m) != 0)
		*left = 0;
	return rc;
}

static enum rc
marks(struct store *s, enum sq_stmt stmt, const struct sq_arg *args, size_t n,
    store_rule_mark_fn *fn, void *arg, struct err *err)
{
	struct mark_list l = { stmt, fn, arg };

	return sq_each(s, stmt, args, n, SIZE_MAX, lend_mark, &l, err);
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
	int64_t beside;
};

#define KEPT_MINUTES (24 * 60) /* the longest window of the brake */

/* Before they are noted: who was turned beside the sweep already is no other. */
static enum rc
count_beside(struct sq_conn *c, const struct turned_args *a, struct err *err)
{
	int64_t others = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < a->n && rc == RC_OK; i++) {
		int64_t known = 0;

		rc = sq_number_of(c, Q_TURNED_BESIDE,
		    SQ_ARGS(sq_i((int64_t)a->owners[i]), sq_i(a->beside)), &known, err);
		others += known == 0;
	}
	if (rc != RC_OK || others == 0)
		return rc;
	return sq_exec(c, Q_SWEEP_BESIDE_MORE, SQ_ARGS(sq_i(a->beside), sq_i(others)), NULL, err);
}

static enum rc
turned_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct turned_args *a = arg;
	int64_t minute = a->now / 60;
	struct sq_conn *c = sq_writer_conn(w);
	enum rc rc = sq_exec(c, Q_TURNED_DROP, SQ_ARGS(sq_i(minute - KEPT_MINUTES)), NULL, err);

	if (rc == RC_OK && a->beside != 0)
		rc = count_beside(c, a, err);
	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = sq_exec(
		    c, Q_TURNED_ADD, SQ_ARGS(sq_i((int64_t)a->owners[i]), sq_i(minute)), NULL, err);
	return rc;
}

enum rc
sqlite_turned_add(
    struct store *s, int64_t now, const uint64_t *owners, size_t n, int64_t beside, struct err *err)
{
	struct turned_args a = { now, owners, n, beside };

	return sq_write(sq_store_writer(s), turned_step, &a, err);
}

struct owner_list {
	store_owner_fn *fn;
	void *arg;
};

static enum rc
lend_owner(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct owner_list *l = arg;
	uint64_t owner = (uint64_t)sq_take_int(cur);
	enum rc rc = sq_took(cur, err);

	if (rc == RC_OK && l->fn(l->arg, owner) != 0)
		*left = 0;
	return rc;
}

enum rc
sqlite_turned_since(struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err)
{
	struct owner_list l = { fn, arg };

	return sq_each(s, Q_TURNED_SINCE, SQ_ARGS(sq_i(since / 60)), SIZE_MAX, lend_owner, &l, err);
}

/* ---- whom one that waits is about ---- */

struct whose_list {
	store_sweep_owner_fn *fn;
	void *arg;
};

static enum rc
lend_whose(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct whose_list *l = arg;
	char serial[2 * STORE_SERIAL_MAX + 1];
	struct store_sweep_owner o = { .serial = serial };
	uint8_t v[STORE_SERIAL_MAX];
	char *texts[4];
	enum rc rc;

	hex_upper(serial, v, sq_take_bytes(cur, v, sizeof(v)));
	for (size_t i = 0; i < 4; i++)
		texts[i] = sq_take_text(cur);
	o.person = texts[0];
	o.device = texts[1];
	o.person_id = texts[2];
	o.device_id = texts[3];
	o.certs = (uint64_t)sq_take_int(cur);
	rc = sq_took(cur, err);
	if (rc == RC_OK && l->fn(l->arg, &o) != 0)
		*left = 0;
	for (size_t i = 0; i < 4; i++)
		free(texts[i]);
	return rc;
}

enum rc
sqlite_sweep_owners(
    struct store *s, int64_t id, size_t max, store_sweep_owner_fn *fn, void *arg, struct err *err)
{
	struct whose_list l = { fn, arg };

	return sq_each(s, Q_SWEEP_OWNERS, SQ_ARGS(sq_i(id), sq_i((int64_t)max)), SIZE_MAX,
	    lend_whose, &l, err);
}

struct beside_args {
	int64_t id;
	uint64_t waiting;
};

/* One that was decided meanwhile stays as it was shown. */
static enum rc
beside_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct beside_args *a = arg;

	return sq_exec(sq_writer_conn(w), Q_SWEEP_BESIDE,
	    SQ_ARGS(sq_i(a->id), sq_i((int64_t)a->waiting)), NULL, err);
}

enum rc
sqlite_sweep_beside(struct store *s, int64_t id, uint64_t waiting, struct err *err)
{
	struct beside_args a = { id, waiting };

	return sq_write(sq_store_writer(s), beside_step, &a, err);
}
