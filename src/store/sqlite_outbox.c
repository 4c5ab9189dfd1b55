/*
 * sqlite_outbox.c - what still has to be told to Intune.
 *
 * Successes that are not told yet are transactions in state signed (sqlite_schema.c); the rows here
 * are failures.  There is at most one a transaction, of its latest attempt that has something to
 * tell.  The id that callers see holds transaction and attempt: when a row was replaced by that of
 * a later attempt while its message was on the way, outbox_done() does not take the new row away.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/sqlite.h"

static int64_t
outbox_id(int64_t tx_id, int64_t attempt)
{
	return (int64_t)((uint64_t)tx_id << SQ_ATTEMPT_BITS) | attempt;
}

static int64_t
tx_of(int64_t id)
{
	return id >> SQ_ATTEMPT_BITS;
}

static int64_t
attempt_of(int64_t id)
{
	return id & SQ_ATTEMPT_MAX;
}

static void
outbox_take(struct outbox_row *r, struct sq_cursor *cur)
{
	*r = (struct outbox_row){ .kind = OUTBOX_FAILURE };
	r->tx_id = sq_take_int(cur);
	r->id = outbox_id(r->tx_id, sq_take_int(cur));
	r->attempts = (unsigned)sq_take_int(cur);
	r->due = sq_take_int(cur);
	r->hresult = sq_take_int(cur);
	r->text = sq_take_text(cur);
	r->endpoint = sq_take_text(cur);
	r->transaction_id = sq_take_text(cur);
	r->csr = sq_take_blob(cur, &r->csr_len);
}

static enum rc
rows_add(struct outbox_row **rows, size_t *n, size_t *room, struct sq_cursor *cur, struct err *err)
{
	if (*n == *room) {
		size_t more = *room == 0 ? 16 : 2 * *room;
		struct outbox_row *grown = realloc(*rows, more * sizeof(*grown));

		if (grown == NULL)
			return fail(err, RC_NOMEM, "no memory for the outbox");
		*rows = grown;
		*room = more;
	}
	outbox_take(&(*rows)[(*n)++], cur);
	return sq_took(cur, err);
}

static enum rc
due_read(struct sq_conn *c, int64_t now_ms, size_t max, struct outbox_row **rows, size_t *n,
    struct err *err)
{
	struct sq_cursor cur;
	size_t room = 0;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_OUTBOX_DUE, SQ_ARGS(sq_i(now_ms), sq_i((int64_t)max)), err);
	while (rc == RC_OK) {
		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		rc = rows_add(rows, n, &room, &cur, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_outbox_due(struct store *s, int64_t now_ms, size_t max, struct outbox_row **rows, size_t *n,
    struct err *err)
{
	struct outbox_row *got = NULL;
	struct sq_conn *c;
	size_t count = 0;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = due_read(c, now_ms, max, &got, &count, err);
	sq_reader_put(s, c);
	if (rc != RC_OK) {
		outbox_rows_free(got, count);
		return rc;
	}
	*rows = got;
	*n = count;
	return RC_OK;
}

static enum rc
no_row(int64_t id, struct err *err)
{
	return fail(err, RC_NOTFOUND,
	    "the outbox holds no failure of transaction %lld, attempt %lld", (long long)tx_of(id),
	    (long long)attempt_of(id));
}

static enum rc
done_step(struct sq_writer *w, void *arg, struct err *err)
{
	int64_t id = *(int64_t *)arg;
	int changed = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_OUTBOX_DONE,
	    SQ_ARGS(sq_i(tx_of(id)), sq_i(attempt_of(id))), &changed, err);
	if (rc == RC_OK && changed == 0)
		rc = no_row(id, err);
	if (rc == RC_OK)
		rc = sq_exec(
		    sq_writer_conn(w), Q_PENDING_DROP_FINAL, SQ_ARGS(sq_i(tx_of(id))), NULL, err);
	return rc;
}

enum rc
sqlite_outbox_done(struct store *s, int64_t id, struct err *err)
{
	return sq_write(sq_store_writer(s), done_step, &id, err);
}

struct retry_args {
	int64_t id, due;
};

static enum rc
retry_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct retry_args *a = arg;
	int changed = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_OUTBOX_RETRY,
	    SQ_ARGS(sq_i(tx_of(a->id)), sq_i(attempt_of(a->id)), sq_i(a->due)), &changed, err);
	if (rc == RC_OK && changed == 0)
		rc = no_row(a->id, err);
	return rc;
}

enum rc
sqlite_outbox_retry(struct store *s, int64_t id, int64_t due_ms, struct err *err)
{
	struct retry_args a = { id, due_ms };

	return sq_write(sq_store_writer(s), retry_step, &a, err);
}
