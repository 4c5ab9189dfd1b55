/*
 * sqlite_renewal.c - which certificate replaces which, and when the old one goes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite.h"

/* A new certificate that was not handed over yet: the old one is looked at again so much later. */
#define LOOK_AGAIN_S (24 * 3600)

/* ---- written with the certificate ---- */

enum rc
sqlite_renewal_step(
    struct sq_writer *w, const struct store_serial *replaces, int64_t due, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	const struct store_cert_name name = { STORE_OURS, *replaces };
	int64_t cert = sqlite3_last_insert_rowid(c->db), old = 0, revoked;
	enum rc rc = sqlite_cert_find(c, &name, &old, &revoked, err);

	/* Since the signer was proven: asking somebody else may take a while. */
	if (rc == RC_OK && revoked != 0)
		rc = fail(err, RC_DENIED, "the certificate to be replaced was revoked meanwhile");
	return rc != RC_OK
	    ? rc
	    : sq_exec(c, Q_RENEWAL_PUT, SQ_ARGS(sq_i(cert), sq_i(old), sq_i(due > 0 ? due : 0)),
		  NULL, err);
}

/* ---- asked for ---- */

static enum rc
replaces_read(struct sq_conn *c, int64_t cert, struct store_renewal *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_RENEWAL_OF, SQ_ARGS(sq_i(cert)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		out->replaces = sq_take_hex(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
replaced_by_read(struct sq_conn *c, int64_t cert, struct store_renewal *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	int64_t times = 0;
	enum rc rc;

	rc = sq_query(&cur, c, Q_RENEWAL_BY, SQ_ARGS(sq_i(cert)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		out->replaced_by = sq_take_hex(&cur);
		out->replaced_at = sq_take_int(&cur);
		out->revoke_at = sq_take_int(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK)
		rc = sq_number_of(c, Q_RENEWAL_COUNT, SQ_ARGS(sq_i(cert)), &times, err);
	out->times = (unsigned)times;
	return rc;
}

static enum rc
renewal_read(struct sq_conn *c, const struct store_cert_name *name, struct store_renewal *out,
    struct err *err)
{
	int64_t id = 0, revoked = 0;
	enum rc rc = sqlite_cert_find(c, name, &id, &revoked, err);

	if (rc == RC_OK)
		rc = replaces_read(c, id, out, err);
	if (rc == RC_OK)
		rc = replaced_by_read(c, id, out, err);
	if (rc == RC_OK && revoked != 0)
		out->revoke_at = 0;
	return rc;
}

enum rc
sqlite_renewal_get(
    struct store *s, const struct store_cert_name *name, struct store_renewal *out, struct err *err)
{
	struct store_renewal got = { 0 };
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = renewal_read(c, name, &got, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*out = got;
	else
		store_renewal_done(&got);
	return rc;
}

/* ---- the old ones go ---- */

struct due_row {
	int64_t cert_id, old_id;
	bool moot, delivered; /* moot: the old one is over already, or the new one was revoked */
	struct store_replaced what;
};
struct due_args {
	int64_t now;
	struct due_row rows[STORE_REPLACED_MAX];
	size_t n_rows;
	struct store_replaced *list;
	size_t n;
};

static enum rc
due_read(struct sq_conn *c, struct due_args *a, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_RENEWAL_DUE, SQ_ARGS(sq_i(a->now), sq_i(STORE_REPLACED_MAX)), err);
	while (rc == RC_OK && a->n_rows < STORE_REPLACED_MAX) {
		struct due_row *r = &a->rows[a->n_rows];

		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		r->cert_id = sq_take_int(&cur);
		r->old_id = sq_take_int(&cur);
		r->what.serial = sq_take_hex(&cur);
		r->what.by = sq_take_hex(&cur);
		r->what.ca = sq_take_text(&cur);
		r->what.endpoint = sq_take_text(&cur);
		r->moot = sq_take_int(&cur) != 0;
		r->delivered = sq_take_int(&cur) != 0;
		a->n_rows++;
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
replaced_revoke(struct sq_writer *w, const struct due_row *r, struct err *err)
{
	char *why = NULL;
	enum rc rc = str_format(&why, err, "replaced by %s", r->what.by);

	if (rc == RC_OK)
		rc = sqlite_cert_revoke_step(
		    w, r->old_id, CAUSE_REPLACED, STORE_REASON_REPLACED, why, err);
	free(why);
	/* Of two that replace it, the other came first within this commit. */
	return rc == RC_CONFLICT ? RC_OK : rc;
}

/* Its next date: none, when there is nothing more to do. */
static enum rc
due_one(struct sq_writer *w, struct due_args *a, struct due_row *r, struct err *err)
{
	int64_t next = r->moot || r->delivered ? 0 : a->now + LOOK_AGAIN_S;
	enum rc rc = RC_OK;

	if (!r->moot && r->delivered) {
		rc = replaced_revoke(w, r, err);
		if (rc == RC_OK) {
			a->list[a->n++] = r->what;
			r->what = (struct store_replaced){ 0 };
		}
	}
	return rc != RC_OK ? rc
			   : sq_exec(sq_writer_conn(w), Q_RENEWAL_MOVE,
				 SQ_ARGS(sq_i(r->cert_id), sq_i(next)), NULL, err);
}

static enum rc
due_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct due_args *a = arg;
	enum rc rc = due_read(sq_writer_conn(w), a, err);

	for (size_t i = 0; i < a->n_rows && rc == RC_OK; i++)
		rc = due_one(w, a, &a->rows[i], err);
	return rc;
}

enum rc
sqlite_replaced_revoke(
    struct store *s, int64_t now, struct store_replaced **list, size_t *n, struct err *err)
{
	struct due_args *a = calloc(1, sizeof(*a));
	enum rc rc;

	if (a == NULL || (a->list = calloc(STORE_REPLACED_MAX, sizeof(*a->list))) == NULL) {
		free(a);
		return fail(err, RC_NOMEM, "no memory for replaced certificates");
	}
	a->now = now;
	rc = sq_write(sq_store_writer(s), due_step, a, err);
	for (size_t i = 0; i < a->n_rows; i++)
		store_replaced_done(&a->rows[i].what);
	if (rc == RC_OK) {
		*list = a->list;
		*n = a->n;
	} else {
		store_replaced_free(a->list, a->n);
	}
	free(a);
	return rc;
}
