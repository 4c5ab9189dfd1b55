/*
 * sqlite_tx.c - the life of a transaction up to its certificate, and what a crash left of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/sqlite.h"

void
sqlite_tx_take(struct store_tx *t, struct sq_cursor *cur)
{
	*t = (struct store_tx){ 0 };
	t->id = sq_take_int(cur);
	t->state = (enum tx_state)sq_take_int(cur);
	t->attempt = (unsigned)sq_take_int(cur);
	t->created = sq_take_int(cur);
	t->changed = sq_take_int(cur);
	sq_take_fixed(cur, t->csr_sha256, sizeof(t->csr_sha256));
	sq_take_fixed(cur, t->signer_sha256, sizeof(t->signer_sha256));
	t->endpoint = sq_take_text(cur);
	t->transaction_id = sq_take_text(cur);
	t->serial = sq_take_hex(cur);
	t->reason = sq_take_text(cur);
	t->context = sq_take_text(cur);
}

enum rc
sqlite_tx_why_not(struct sq_conn *c, int64_t id, const char *move, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_TX_STATE, SQ_ARGS(sq_i(id)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "there is no transaction %lld", (long long)id);
	else if (rc == RC_OK)
		rc = fail(err, RC_CONFLICT, "transaction %lld is %s and cannot become %s",
		    (long long)id, tx_state_name((enum tx_state)sq_take_int(&cur)), move);
	sq_end(&cur);
	return rc;
}

/* ---- begin ---- */

struct begin_args {
	struct sq_new_tx n;
	struct sq_fresh *fresh_ids; /* NULL: SQLite numbers the row */
	uint8_t row_key[TX_ROW_KEY_SIZE];
	struct store_tx tx;
	bool fresh;
};

static enum rc
tx_find(struct sq_conn *c, struct begin_args *a, bool *found, struct err *err)
{
	struct sq_cursor cur;
	enum rc rc;

	rc = sq_query(&cur, c, Q_TX_FIND, SQ_ARGS(sq_b(a->row_key, sizeof(a->row_key))), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, found, err);
	if (rc == RC_OK && *found) {
		sqlite_tx_take(&a->tx, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
tx_create(struct sq_writer *w, struct begin_args *a, struct err *err)
{
	enum rc rc;

	if (a->fresh_ids != NULL)
		a->n.id = sq_fresh_id(a->fresh_ids);
	rc = sq_new_tx_write(w, &a->n, &a->n.id, err);
	return rc != RC_OK ? rc : sq_new_tx_row(&a->tx, &a->n, err);
}

/*
 * What an administrator has said of an attempt that gave a device nothing is kept for the next one; an
 * approval whose certificate was handed over is used up.
 */
static enum rc
hold_again(struct sq_writer *w, const struct store_tx *t, struct err *err)
{
	if (t->state == TX_REFUSED || t->state == TX_UNDELIVERED)
		return RC_OK;
	return sq_exec(sq_writer_conn(w), Q_HOLD_DROP, SQ_ARGS(sq_i(t->id)), NULL, err);
}

/* A row that has ended starts again: the reason may be gone, and whoever decides decides anew. */
static enum rc
tx_again(struct sq_writer *w, struct begin_args *a, struct err *err)
{
	struct store_tx *t = &a->tx;
	enum rc rc;

	if (t->attempt >= SQ_ATTEMPT_MAX)
		return fail(err, RC_LIMIT, "transaction %lld was tried %u times", (long long)t->id,
		    t->attempt);
	rc = hold_again(w, t, err);
	if (rc == RC_OK)
		rc = sq_exec(sq_writer_conn(w), Q_TX_AGAIN,
		    SQ_ARGS(sq_i(t->id), sq_i(sq_writer_now(w))), NULL, err);
	if (rc != RC_OK)
		return rc;
	free(t->serial);
	free(t->reason);
	free(t->context);
	free(t->cert);
	t->serial = t->reason = t->context = NULL;
	t->cert = NULL;
	t->cert_len = 0;
	t->state = TX_RECEIVED;
	t->attempt++;
	t->changed = sq_writer_now(w);
	return sq_exec(sq_writer_conn(w), Q_PENDING_PUT,
	    SQ_ARGS(sq_i(t->id), sq_b(a->n.csr, a->n.csr_len)), NULL, err);
}

/* *over: revoked or expired. */
static enum rc
tx_add_cert(struct sq_writer *w, struct store_tx *t, const struct store_serial *serial, bool *over,
    struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_CERT_DER,
	    SQ_ARGS(sq_b(serial->v, serial->len), sq_i(sq_writer_now(w) / 1000), sq_i(t->id)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_INTEGRITY, "%s: certificate %s of transaction %lld is missing",
		    c->path, t->serial, (long long)t->id);
	if (rc == RC_OK) {
		t->cert = sq_take_blob(&cur, &t->cert_len);
		*over = sq_take_int(&cur) != 0;
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

/*
 * A certificate that was handed over answers a retry, nothing more: a device that comes back when
 * it is revoked, expired or STORE_REPEAT_MS old wants another.  sscep, strongSwan and certmonger do
 * so with the same key, hence the same transactionID and request.
 */
bool
sqlite_tx_spent(const struct store_tx *t, bool over, int64_t now_ms)
{
	return (t->state == TX_NOTIFIED || t->state == TX_DELIVERED) &&
	    (over || now_ms - t->changed >= STORE_REPEAT_MS);
}

/* The row as it stands, for a device that asks again. */
static enum rc
tx_known(struct sq_writer *w, struct begin_args *a, struct err *err)
{
	struct store_tx *t = &a->tx;
	struct store_serial serial;
	bool over = false;
	enum rc rc;

	if (t->state < TX_SIGNED || t->state > TX_DELIVERED)
		return RC_OK;
	serial.len = t->serial == NULL ? 0 : strlen(t->serial) / 2;
	if (serial.len == 0 || serial.len > STORE_SERIAL_MAX)
		return fail(
		    err, RC_INTEGRITY, "transaction %lld has no serial number", (long long)t->id);
	if (hex_decode(serial.v, serial.len, t->serial, 2 * serial.len, err) != RC_OK)
		return RC_INTEGRITY;
	rc = tx_add_cert(w, t, &serial, &over, err);
	if (rc == RC_OK && sqlite_tx_spent(t, over, sq_writer_now(w))) {
		if (a->n.key.once)
			return fail(err, RC_DENIED,
			    "this request has had its certificate, which answers no more");
		a->fresh = true;
		rc = tx_again(w, a, err);
	}
	return rc;
}

static enum rc
begin_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct begin_args *a = arg;
	bool found = false;
	enum rc rc;

	rc = tx_find(sq_writer_conn(w), a, &found, err);
	if (rc != RC_OK)
		return rc;
	a->fresh = !found || a->tx.state >= TX_REFUSED;
	if (!found)
		return tx_create(w, a, err);
	/* S13: knowing transactionID and request is not enough, the key must be the same. */
	if (memcmp(a->tx.signer_sha256, a->n.key.signer_sha256, 32) != 0)
		return fail(err, RC_DENIED, "transaction %lld was begun with another signer key",
		    (long long)a->tx.id);
	rc = a->fresh ? tx_again(w, a, err) : tx_known(w, a, err);
	if (rc == RC_OK)
		rc = sqlite_hold_verdict(
		    sq_writer_conn(w), &a->tx, sq_writer_now(w), &a->tx.hold, err);
	return rc;
}

/* A row that is known, or that cannot be left to the writer: find out, and wait. */
static enum rc
begin_awaited(struct store *s, struct begin_args *a, struct err *err)
{
	enum rc rc = sq_write(sq_store_writer(s), begin_step, a, err);

	if (rc != RC_OK)
		store_tx_done(&a->tx);
	return rc;
}

enum rc
sqlite_tx_begin(struct store *s, const struct tx_key *key, const uint8_t *csr, size_t csr_len,
    struct store_tx *out, bool *fresh, struct err *err)
{
	struct begin_args a = { .n = { .created = clock_now_ms(),
				    .key = *key,
				    .row_key = a.row_key,
				    .csr = csr,
				    .csr_len = csr_len },
		.fresh_ids = sq_store_fresh(s) };
	enum rc rc;

	rc = tx_row_key(a.row_key, key, err);
	if (rc == RC_OK && a.fresh_ids != NULL)
		rc = sq_fresh_begin(a.fresh_ids, &a.n, &a.tx, &a.fresh, err);
	if (rc == RC_OK && !a.fresh)
		rc = begin_awaited(s, &a, err);
	if (rc != RC_OK)
		return rc;
	*out = a.tx;
	*fresh = a.fresh;
	return RC_OK;
}

/* ---- reserve, notified, delivered ---- */

/* Its own memory, since nobody waits for the step. */
struct reserve_args {
	int64_t id;
	char *authority, *context; /* within the same piece; NULL: none */
	struct store_serial serial;
	char text[];
};

static struct reserve_args *
reserve_args_make(
    int64_t id, const char *authority, const struct store_serial *serial, const char *context)
{
	size_t len = strlen(authority) + 1, more = context == NULL ? 0 : strlen(context) + 1;
	struct reserve_args *a = malloc(sizeof(*a) + len + more);

	if (a == NULL)
		return NULL;
	a->id = id;
	a->serial = *serial;
	a->authority = memcpy(a->text, authority, len);
	a->context = more == 0 ? NULL : memcpy(a->text + len, context, more);
	return a;
}

static enum rc
reserve_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct reserve_args *a = arg;
	int changed = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_TX_RESERVE,
	    SQ_ARGS(sq_i(a->id), sq_i(sq_writer_now(w)), sq_t(a->authority),
		sq_b(a->serial.v, a->serial.len), sq_t(a->context)),
	    &changed, err);
	if (rc == RC_OK && changed == 0)
		rc = sqlite_tx_why_not(sq_writer_conn(w), a->id, "reserved", err);
	return rc;
}

/* The transaction stays as it was, so that `signed` is refused. */
static void
reserve_done(void *arg, const struct err *failed)
{
	struct reserve_args *a = arg;

	if (failed != NULL)
		log_msg(LOG_ERROR, "store",
		    "no serial number could be reserved for transaction %lld: %s", (long long)a->id,
		    failed->msg);
	free(a);
}

enum rc
sqlite_tx_reserve(struct store *s, int64_t id, const char *authority,
    const struct store_serial *serial, const char *context, struct err *err)
{
	struct reserve_args *a = reserve_args_make(id, authority, serial, context);
	enum rc rc;

	if (a == NULL)
		return fail(err, RC_NOMEM, "no memory for a reservation");
	rc = sq_write_behind(sq_store_writer(s), reserve_step, reserve_done, a, err);
	if (rc == RC_LIMIT) /* wait for room, then */
		rc = sq_write(sq_store_writer(s), reserve_step, a, err);
	else if (rc == RC_OK)
		return RC_OK;
	free(a);
	return rc;
}

static enum rc
notified_step(struct sq_writer *w, void *arg, struct err *err)
{
	int64_t id = *(int64_t *)arg;
	int changed = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_TX_NOTIFIED, SQ_ARGS(sq_i(id), sq_i(sq_writer_now(w))),
	    &changed, err);
	if (rc == RC_OK && changed == 0)
		rc = sqlite_tx_why_not(sq_writer_conn(w), id, "notified", err);
	return rc;
}

enum rc
sqlite_tx_notified(struct store *s, int64_t id, struct err *err)
{
	return sq_write(sq_store_writer(s), notified_step, &id, err);
}

/* From another state, or for no transaction, nothing happens: nobody waits for an answer. */
enum rc
sqlite_tx_delivered_step(struct sq_writer *w, int64_t id, struct err *err)
{
	int changed = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_TX_DELIVERED, SQ_ARGS(sq_i(id), sq_i(sq_writer_now(w))),
	    &changed, err);
	if (rc == RC_OK && changed > 0)
		rc = sq_exec(sq_writer_conn(w), Q_PENDING_DROP, SQ_ARGS(sq_i(id)), NULL, err);
	return rc;
}

/* ---- after a crash ---- */

/* Append the cursor's row; doubles the list as it grows. */
static enum rc
list_add(struct store_tx **list, size_t *n, size_t *room, struct sq_cursor *cur, struct err *err)
{
	struct store_tx *t;

	if (*n == *room) {
		size_t more = *room == 0 ? 16 : 2 * *room;
		struct store_tx *grown = realloc(*list, more * sizeof(*grown));

		if (grown == NULL)
			return fail(err, RC_NOMEM, "no memory for a list of transactions");
		*list = grown;
		*room = more;
	}
	t = &(*list)[(*n)++];
	sqlite_tx_take(t, cur);
	t->csr = sq_take_blob(cur, &t->csr_len);
	t->cert = sq_take_blob(cur, &t->cert_len);
	return sq_took(cur, err);
}

static enum rc
unfinished_read(struct sq_conn *c, size_t max, struct store_tx **list, size_t *n, struct err *err)
{
	struct sq_cursor cur;
	size_t room = 0;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_TX_UNFINISHED, SQ_ARGS(sq_i((int64_t)max)), err);
	while (rc == RC_OK) {
		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		rc = list_add(list, n, &room, &cur, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_tx_unfinished(
    struct store *s, size_t max, struct store_tx **list, size_t *n, struct err *err)
{
	struct store_tx *got = NULL;
	struct sq_conn *c;
	size_t count = 0;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = unfinished_read(c, max, &got, &count, err);
	sq_reader_put(s, c);
	if (rc != RC_OK) {
		store_tx_list_free(got, count);
		return rc;
	}
	*list = got;
	*n = count;
	return RC_OK;
}
