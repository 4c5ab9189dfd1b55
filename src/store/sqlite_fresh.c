/*
 * sqlite_fresh.c - see sqlite_fresh.h.
 */
#include "store/sqlite_fresh.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

/* A row in the writer's queue, with everything it is made of. */
struct fresh_tx {
	LIST_ENTRY(fresh_tx) link;
	struct sq_fresh *f;
	struct sq_new_tx n;
	uint8_t row_key[TX_ROW_KEY_SIZE], csr_sha256[32], signer_sha256[32];
	size_t size;
	uint8_t bytes[]; /* request, endpoint, transactionID */
};

struct sq_fresh {
	struct sq_writer *w;
	_Atomic int64_t last_id;
	pthread_mutex_t begin; /* one look-up at a time, with what follows from it */
	struct sq_conn *reader;
	pthread_mutex_t lock;            /* over the list; the writer's thread takes it too */
	LIST_HEAD(, fresh_tx) unwritten; /* no longer than the writer's queue */
};

/* ---- rows ---- */

enum rc
sq_new_tx_write(struct sq_writer *w, const struct sq_new_tx *n, int64_t *id, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct sq_arg number = { .type = n->id == 0 ? SQ_NULL : SQ_INT, .i = n->id };
	enum rc rc;

	rc = sq_exec(c, Q_TX_NEW,
	    SQ_ARGS(sq_b(n->row_key, TX_ROW_KEY_SIZE), sq_i(n->created),
		sq_b(n->key.csr_sha256, 32), sq_b(n->key.signer_sha256, 32), sq_t(n->key.endpoint),
		sq_t(n->key.transaction_id), number),
	    NULL, err);
	if (rc != RC_OK)
		return rc;
	*id = sqlite3_last_insert_rowid(c->db);
	return sq_exec(c, Q_PENDING_PUT, SQ_ARGS(sq_i(*id), sq_b(n->csr, n->csr_len)), NULL, err);
}

enum rc
sq_new_tx_row(struct store_tx *out, const struct sq_new_tx *n, struct err *err)
{
	struct store_tx t = { .id = n->id,
		.state = TX_RECEIVED,
		.attempt = 1,
		.created = n->created,
		.changed = n->created };
	enum rc rc;

	memcpy(t.csr_sha256, n->key.csr_sha256, 32);
	memcpy(t.signer_sha256, n->key.signer_sha256, 32);
	rc = str_dup(&t.endpoint, n->key.endpoint, err);
	if (rc == RC_OK)
		rc = str_dup(&t.transaction_id, n->key.transaction_id, err);
	if (rc == RC_OK)
		*out = t;
	else
		store_tx_done(&t);
	return rc;
}

/* ---- the queue ---- */

/* NULL: no memory. */
static struct fresh_tx *
fresh_tx_make(struct sq_fresh *f, const struct sq_new_tx *n)
{
	size_t ep = strlen(n->key.endpoint) + 1, tid = strlen(n->key.transaction_id) + 1;
	struct fresh_tx *t = calloc(1, sizeof(*t) + n->csr_len + ep + tid);
	uint8_t *p;

	if (t == NULL)
		return NULL;
	p = t->bytes;
	t->f = f;
	t->n = *n;
	t->size = sizeof(*t) + n->csr_len + ep + tid;
	memcpy(t->row_key, n->row_key, sizeof(t->row_key));
	memcpy(t->csr_sha256, n->key.csr_sha256, 32);
	memcpy(t->signer_sha256, n->key.signer_sha256, 32);
	memcpy(p, n->csr, n->csr_len);
	memcpy(p + n->csr_len, n->key.endpoint, ep);
	memcpy(p + n->csr_len + ep, n->key.transaction_id, tid);
	t->n.row_key = t->row_key;
	t->n.csr = p;
	t->n.key = (struct tx_key){ .endpoint = (char *)p + n->csr_len,
		.transaction_id = (char *)p + n->csr_len + ep,
		.csr_sha256 = t->csr_sha256,
		.signer_sha256 = t->signer_sha256 };
	return t;
}

/* Off the list.  The request holds the device's challenge. */
static void
fresh_tx_drop(struct fresh_tx *t)
{
	pthread_mutex_lock(&t->f->lock);
	LIST_REMOVE(t, link);
	pthread_mutex_unlock(&t->f->lock);
	wipe_free(t, t->size);
}

static enum rc
fresh_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct fresh_tx *t = arg;
	int64_t id;

	return sq_new_tx_write(w, &t->n, &id, err);
}

/* Nobody waits, so the reason is told here; the transaction's next awaited step does not find it.
 */
static void
fresh_done(void *arg, const struct err *failed)
{
	struct fresh_tx *t = arg;

	if (failed != NULL)
		log_msg(LOG_ERROR, "store", "transaction %lld could not be begun: %s",
		    (long long)t->n.id, failed->msg);
	fresh_tx_drop(t);
}

/* ---- begin ---- */

static bool
unwritten(struct sq_fresh *f, const uint8_t *row_key)
{
	struct fresh_tx *t;

	pthread_mutex_lock(&f->lock);
	LIST_FOREACH(t, &f->unwritten, link)
	if (memcmp(t->row_key, row_key, TX_ROW_KEY_SIZE) == 0)
		break;
	pthread_mutex_unlock(&f->lock);
	return t != NULL;
}

/*
 * In this order: a row leaves the list when it is committed, and what is committed before the
 * query begins is seen by it.
 */
static enum rc
known(struct sq_fresh *f, const uint8_t *row_key, bool *yes, struct err *err)
{
	int64_t rows = 1;
	enum rc rc = RC_OK;

	if (!unwritten(f, row_key))
		rc = sq_number_of(
		    f->reader, Q_TX_KNOWN, SQ_ARGS(sq_b(row_key, TX_ROW_KEY_SIZE)), &rows, err);
	if (rc == RC_OK)
		*yes = rows != 0;
	return rc;
}

static enum rc
leave(struct sq_fresh *f, const struct sq_new_tx *n, int64_t *id, struct err *err)
{
	struct fresh_tx *t = fresh_tx_make(f, n);
	enum rc rc;

	if (t == NULL)
		return fail(err, RC_NOMEM, "no memory for a transaction");
	t->n.id = *id = sq_fresh_id(f);
	pthread_mutex_lock(&f->lock);
	LIST_INSERT_HEAD(&f->unwritten, t, link);
	pthread_mutex_unlock(&f->lock);
	rc = sq_write_behind(f->w, fresh_step, fresh_done, t, err);
	if (rc != RC_OK)
		fresh_tx_drop(t);
	return rc;
}

enum rc
sq_fresh_begin(struct sq_fresh *f, const struct sq_new_tx *n, struct store_tx *out, bool *begun,
    struct err *err)
{
	struct store_tx row;
	bool is_known = false;
	enum rc rc = sq_new_tx_row(&row, n, err);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&f->begin);
	rc = known(f, n->row_key, &is_known, err);
	if (rc == RC_OK && !is_known)
		rc = leave(f, n, &row.id, err);
	pthread_mutex_unlock(&f->begin);
	*begun = rc == RC_OK && !is_known;
	if (*begun)
		*out = row;
	else
		store_tx_done(&row);
	return rc == RC_LIMIT ? RC_OK : rc;
}

int64_t
sq_fresh_id(struct sq_fresh *f)
{
	return atomic_fetch_add(&f->last_id, 1) + 1;
}

enum rc
sq_fresh_new(struct sq_fresh **out, struct sq_writer *w, struct sq_conn *reader, struct err *err)
{
	struct sq_fresh *f = calloc(1, sizeof(*f));
	int64_t last = 0;
	enum rc rc;

	if (f == NULL) {
		sq_close(reader);
		return fail(err, RC_NOMEM, "no memory for the store");
	}
	f->w = w;
	f->reader = reader;
	LIST_INIT(&f->unwritten);
	pthread_mutex_init(&f->begin, NULL);
	pthread_mutex_init(&f->lock, NULL);
	rc = sq_number(reader, Q_TX_COUNT, &last, err);
	if (rc != RC_OK) {
		sq_fresh_free(f);
		return rc;
	}
	f->last_id = last;
	*out = f;
	return RC_OK;
}

void
sq_fresh_free(struct sq_fresh *f)
{
	if (f == NULL)
		return;
	sq_close(f->reader);
	pthread_mutex_destroy(&f->lock);
	pthread_mutex_destroy(&f->begin);
	free(f);
}
