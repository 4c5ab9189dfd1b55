/*
 * sqlite_fresh.h - new transactions whose rows are left to the writer without waiting.
 *
 * Whether a request is known is looked up on the caller's thread, in the database and among what is
 * not yet written; the row of an unknown one is handed over and becomes durable no later than any
 * awaited step of its transaction.  The numbers of rows are given here, not by SQLite, since
 * they are needed before the row is there.
 *
 * Threads: any.
 */
#ifndef SCEPD_STORE_SQLITE_FRESH_H
#define SCEPD_STORE_SQLITE_FRESH_H

#include "store/sqlite_conn.h"
#include "store/sqlite_writer.h"
#include "store/store_backend.h"

struct sq_fresh;

/* What a new row is made of; lent. */
struct sq_new_tx {
	int64_t id;      /* 0: SQLite chooses */
	int64_t created; /* wall ms */
	struct tx_key key;
	const uint8_t *row_key; /* TX_ROW_KEY_SIZE */
	const uint8_t *csr;
	size_t csr_len;
};
/* Within a step: write the row, and the request to `pending`. */
enum rc sq_new_tx_write(
    struct sq_writer *w, const struct sq_new_tx *n, int64_t *id, struct err *err) MUST_CHECK;
/* The same as the caller of begin sees it. */
enum rc sq_new_tx_row(struct store_tx *out, const struct sq_new_tx *n, struct err *err) MUST_CHECK;

/* For the one daemon of a database.  Takes over `reader`, also when it fails. */
enum rc sq_fresh_new(
    struct sq_fresh **out, struct sq_writer *w, struct sq_conn *reader, struct err *err) MUST_CHECK;
/* After the writer has ended; NULL is allowed. */
void sq_fresh_free(struct sq_fresh *f);

/* A number that no other row has or will have. */
int64_t sq_fresh_id(struct sq_fresh *f);
/*
 * Begin the transaction of `n`, whose id is not looked at, if it is new.  *begun false: it
 * is known, or the queue is full; then a step that is awaited has to find out more, and finds
 * everything that was handed over before.
 */
enum rc sq_fresh_begin(struct sq_fresh *f, const struct sq_new_tx *n, struct store_tx *out,
    bool *begun, struct err *err) MUST_CHECK;

#endif
