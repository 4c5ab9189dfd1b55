/*
 * sqlite_crl.c - what a CRL or a delta CRL has to hold, read from indices alone.
 */
#include "store/sqlite.h"

static bool
in_part(const struct store_crl_query *q, const uint8_t *serial, int len)
{
	return q->parts <= 1 || (len > 0 && (serial[len - 1] & (q->parts - 1)) == q->part);
}

/* Columns: serial, revoked, reason, changed (of a delta). */
static int
lend(const struct sq_cursor *cur, const struct store_crl_query *q,
    int (*fn)(void *arg, const struct store_crl_entry *e), void *arg)
{
	struct store_crl_entry e;
	const uint8_t *serial = sqlite3_column_blob(cur->q, 0);
	int len = sqlite3_column_bytes(cur->q, 0);

	if (!in_part(q, serial, len))
		return 0;
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
each_read(struct sq_conn *c, const struct store_crl_query *q,
    int (*fn)(void *arg, const struct store_crl_entry *e), void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = q->delta
	    ? sq_query(&cur, c, Q_CRL_DELTA,
		  SQ_ARGS(sq_t(q->ca), sq_i(q->valid_at), sq_i((int64_t)q->since)), err)
	    : sq_query(&cur, c, Q_CRL_FULL, SQ_ARGS(sq_t(q->ca), sq_i(q->valid_at)), err);

	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		if (lend(&cur, q, fn, arg) != 0)
			break;
	sq_end(&cur);
	return rc;
}

/* One read transaction, so that the number is that of the entries. */
enum rc
sqlite_crl_each(struct store *s, const struct store_crl_query *q, uint64_t *number,
    int (*fn)(void *arg, const struct store_crl_entry *e), void *arg, struct err *err)
{
	struct err late;
	struct sq_conn *c;
	int64_t n = 0;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	if ((rc = sq_exec(c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err)) == RC_OK) {
		rc = sq_number(c, Q_STATUS_NUMBER, &n, err);
		if (rc == RC_OK)
			rc = each_read(c, q, fn, arg, err);
		if (sq_exec(c, Q_ROLLBACK, SQ_NO_ARGS, NULL, rc == RC_OK ? err : &late) != RC_OK &&
		    rc == RC_OK)
			rc = RC_IO;
	}
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*number = (uint64_t)n;
	return rc;
}
