/*
 * sqlite_crl.c - what a CRL or a delta CRL has to hold, read from indices alone.
 */
#include "store/sqlite.h"

/* Columns: serial, revoked, reason, changed (of a delta). */
static int
lend(const struct sq_cursor *cur, store_crl_fn *fn, void *arg)
{
	struct store_crl_entry e;
	const uint8_t *serial = sqlite3_column_blob(cur->q, 0);
	int len = sqlite3_column_bytes(cur->q, 0);

	e.serial = serial;
	e.serial_len = (size_t)len;
	e.when = sqlite3_column_int64(cur->q, 1);
	e.reason = sqlite3_column_int(cur->q, 2);
	if (e.when == 0) { /* good again */
		e.when = sqlite3_column_int64(cur->q, 3);
		e.reason = REASON_REMOVED;
	}
	return fn(arg, &e);
}

static enum rc
each_read(struct sq_conn *c, const struct store_crl_query *q, store_crl_fn *fn, void *arg,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = q->delta
	    ? sq_query(&cur, c, Q_CRL_DELTA,
		  SQ_ARGS(sq_t(q->ca), sq_i(q->valid_at), sq_i((int64_t)q->since)), err)
	    : sq_query(&cur, c, Q_CRL_FULL, SQ_ARGS(sq_t(q->ca), sq_i(q->valid_at)), err);

	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		if (lend(&cur, fn, arg) != 0)
			break;
	sq_end(&cur);
	return rc;
}

static enum rc
changes_read(struct sq_conn *c, const char *ca, uint64_t since, store_change_fn *fn, void *arg,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, Q_CHANGES, SQ_ARGS(sq_t(ca), sq_i((int64_t)since)), err);

	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct store_change change = { .serial = sqlite3_column_blob(cur.q, 0),
			.serial_len = (size_t)sqlite3_column_bytes(cur.q, 0),
			.number = (uint64_t)sqlite3_column_int64(cur.q, 1) };

		if (fn(arg, &change) != 0)
			break;
	}
	sq_end(&cur);
	return rc;
}

/* What had come before stays what it was. */
static enum rc
view_end(struct sq_conn *c, struct store *s, enum rc rc, struct err *err)
{
	struct err late;

	if (sq_exec(c, Q_ROLLBACK, SQ_NO_ARGS, NULL, rc == RC_OK ? err : &late) != RC_OK &&
	    rc == RC_OK)
		rc = RC_IO;
	sq_reader_put(s, c);
	return rc;
}

/* One read transaction, so that the number is that of what is read. */
static enum rc
view_begin(struct sq_conn **c, struct store *s, uint64_t *number, struct err *err)
{
	int64_t n = 0;
	enum rc rc = sq_reader_get(c, s, err);

	if (rc != RC_OK)
		return rc;
	if ((rc = sq_exec(*c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err)) != RC_OK) {
		sq_reader_put(s, *c);
		return rc;
	}
	if ((rc = sq_number(*c, Q_STATUS_NUMBER, &n, err)) != RC_OK)
		return view_end(*c, s, rc, err);
	*number = (uint64_t)n;
	return RC_OK;
}

enum rc
sqlite_crl_each(struct store *s, const struct store_crl_query *q, uint64_t *number,
    store_crl_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	uint64_t n;
	enum rc rc = view_begin(&c, s, &n, err);

	if (rc == RC_OK)
		rc = view_end(c, s, each_read(c, q, fn, arg, err), err);
	if (rc == RC_OK)
		*number = n;
	return rc;
}

enum rc
sqlite_changes_each(struct store *s, const char *ca, uint64_t since, uint64_t *number,
    store_change_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	uint64_t n;
	enum rc rc = view_begin(&c, s, &n, err);

	if (rc == RC_OK)
		rc = view_end(c, s, changes_read(c, ca, since, fn, arg, err), err);
	if (rc == RC_OK)
		*number = n;
	return rc;
}
