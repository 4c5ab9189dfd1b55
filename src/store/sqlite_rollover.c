/*
 * sqlite_rollover.c - which CA an endpoint issues from, which CAs are retired, and the walk over
 * valid certificates that says how far a rollover has come.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

/* ---- reading ---- */

static enum rc
rollovers_read(struct sq_conn *c, struct store_succession *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_ROLLOVER_ALL, SQ_ARGS(sq_i(STORE_SUCCESSION_MAX + 1)), err);
	while (rc == RC_OK) {
		struct store_rollover *r = &out->rollovers[out->n_rollovers];

		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		if (out->n_rollovers == STORE_SUCCESSION_MAX) {
			rc = fail(err, RC_LIMIT, "more than %d rollovers", STORE_SUCCESSION_MAX);
			break;
		}
		r->endpoint = sq_take_text(&cur);
		r->from_ca = sq_take_text(&cur);
		r->to_ca = sq_take_text(&cur);
		r->share = (unsigned)sq_take_int(&cur);
		r->changed = sq_take_int(&cur);
		out->n_rollovers++;
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
retired_read(struct sq_conn *c, struct store_succession *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_RETIRED_ALL, SQ_ARGS(sq_i(STORE_SUCCESSION_MAX + 1)), err);
	while (rc == RC_OK) {
		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		if (out->n_retired == STORE_SUCCESSION_MAX) {
			rc = fail(err, RC_LIMIT, "more than %d retired CAs", STORE_SUCCESSION_MAX);
			break;
		}
		out->retired[out->n_retired++] = sq_take_text(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

/* Both from one view. */
static enum rc
both_read(struct sq_conn *c, struct store_succession *out, struct err *err)
{
	enum rc rc = sq_exec(c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err);

	if (rc != RC_OK)
		return rc;
	rc = rollovers_read(c, out, err);
	if (rc == RC_OK)
		rc = retired_read(c, out, err);
	if (sq_exec(c, Q_COMMIT, SQ_NO_ARGS, NULL, rc == RC_OK ? err : NULL) != RC_OK &&
	    rc == RC_OK)
		rc = RC_IO;
	return rc;
}

enum rc
sqlite_succession_read(struct store *s, struct store_succession *out, struct err *err)
{
	/* Room for one more than there may be, which is how too many are noticed. */
	struct store_succession got = { .rollovers = calloc(
					    STORE_SUCCESSION_MAX + 1, sizeof(*got.rollovers)),
		.retired = calloc(STORE_SUCCESSION_MAX + 1, sizeof(*got.retired)) };
	struct sq_conn *c;
	enum rc rc = RC_OK;

	if (got.rollovers == NULL || got.retired == NULL)
		rc = fail(err, RC_NOMEM, "no memory for the state of rollovers");
	if (rc == RC_OK)
		rc = sq_reader_get(&c, s, err);
	if (rc == RC_OK) {
		rc = both_read(c, &got, err);
		sq_reader_put(s, c);
	}
	if (rc == RC_OK)
		*out = got;
	else
		store_succession_done(&got);
	return rc;
}

/* ---- writing ---- */

struct set_args {
	const struct store_rollover_change *change;
	int64_t before;
};

static enum rc
set_audit(struct sq_writer *w, const struct set_args *a, struct err *err)
{
	const struct store_rollover_change *c = a->change;
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	audit_field(&d, "endpoint", c->endpoint);
	audit_field(&d, "from", c->from_ca);
	audit_field(&d, "to", c->to_ca);
	buf_addf(&d, " share=%u before=%lld", c->share, (long long)a->before);
	audit_field(&d, "who", c->who);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "rollover", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
set_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct set_args *a = arg;
	const struct store_rollover_change *c = a->change;
	enum rc rc;

	rc = sq_number_of(sq_writer_conn(w), Q_ROLLOVER_SHARE,
	    SQ_ARGS(sq_t(c->endpoint), sq_t(c->from_ca), sq_t(c->to_ca)), &a->before, err);
	if (rc == RC_OK)
		rc = sq_exec(sq_writer_conn(w), Q_ROLLOVER_SET,
		    SQ_ARGS(sq_t(c->endpoint), sq_t(c->from_ca), sq_t(c->to_ca), sq_i(c->share),
			sq_i(sq_writer_now(w) / 1000)),
		    NULL, err);
	return rc != RC_OK ? rc : set_audit(w, a, err);
}

enum rc
sqlite_rollover_set(
    struct store *s, const struct store_rollover_change *change, unsigned *before, struct err *err)
{
	struct set_args a = { change, 0 };
	enum rc rc = sq_write(sq_store_writer(s), set_step, &a, err);

	if (rc == RC_OK)
		*before = (unsigned)a.before;
	return rc;
}

struct retire_args {
	const char *ca, *who, *detail;
};

static enum rc
retire_audit(struct sq_writer *w, const struct retire_args *a, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	audit_field(&d, "ca", a->ca);
	audit_field(&d, "detail", a->detail);
	audit_field(&d, "who", a->who);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "retire", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
retire_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct retire_args *a = arg;
	int changes = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_RETIRE,
	    SQ_ARGS(sq_t(a->ca), sq_i(sq_writer_now(w) / 1000)), &changes, err);
	if (rc == RC_OK && changes == 0)
		rc = fail(err, RC_CONFLICT, "the CA %s is retired already", a->ca);
	return rc != RC_OK ? rc : retire_audit(w, a, err);
}

enum rc
sqlite_ca_retire(
    struct store *s, const char *ca, const char *who, const char *detail, struct err *err)
{
	struct retire_args a = { ca, who, detail };

	return sq_write(sq_store_writer(s), retire_step, &a, err);
}

/* ---- the walk over valid certificates ---- */

/* Rows that one view of the database covers: a few milliseconds, so that the daemon's checkpoints
 * go on meanwhile. */
#define PAGE_IDS 4096

/* A text as it lies in the row; no copy. */
static const char *
column(const struct sq_cursor *cur, int i)
{
	return (const char *)sqlite3_column_text(cur->q, i);
}

static enum rc
page_read(struct sq_conn *c, int64_t after, int64_t valid_at, store_cert_brief_fn *fn, void *arg,
    bool *stop, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_CERT_BRIEF,
	    SQ_ARGS(sq_i(after), sq_i(after + PAGE_IDS), sq_i(valid_at)), err);
	while (rc == RC_OK && !*stop) {
		struct store_cert_brief b;

		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		b = (struct store_cert_brief){ .ca = column(&cur, 0),
			.endpoint = column(&cur, 1),
			.subject = column(&cur, 2),
			.san = column(&cur, 3),
			.not_after = sqlite3_column_int64(cur.q, 4) };
		if (b.ca == NULL || b.endpoint == NULL)
			rc = fail(err, RC_NOMEM, "no memory for a certificate's row");
		else
			*stop = fn(arg, &b) != 0;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_cert_brief_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    store_cert_brief_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	int64_t last = 0;
	bool stop = false;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = sq_number(c, Q_CERT_COUNT, &last, err); /* the greatest id */
	if (rc == RC_OK)
		rc = page_read(c, *after, valid_at, fn, arg, &stop, err);
	sq_reader_put(s, c);
	if (rc == RC_OK) {
		*after += PAGE_IDS;
		*more = !stop && *after < last;
	}
	return rc;
}
