/*
 * sqlite_otp.c - one-time passwords: made, found by their hash, used, given back, revoked, swept.
 *
 * A use belongs to one attempt of one transaction.  An attempt that ends without a certificate gives it
 * back in the commit in which it ends, so a use that is still there for an earlier attempt has led to a
 * certificate, and the next attempt needs a use of its own: a request that is sent again after its
 * certificate was revoked is not served twice for one password.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

#define SWEEP_ROWS 1000 /* a call: a few milliseconds of the writer */

/* ---- rows ---- */

static enum otp_state
state_of(const struct store_otp_row *r, int64_t now)
{
	if (r->revoked != 0)
		return OTP_REVOKED;
	if (r->used >= r->uses)
		return OTP_USED;
	return r->expires <= now ? OTP_EXPIRED : OTP_LIVE;
}

/* Read OTP_COLUMNS of sqlite_sql.c. */
static void
otp_take(struct store_otp_row *r, struct sq_cursor *cur, int64_t now)
{
	*r = (struct store_otp_row){ 0 };
	r->id = sq_take_int(cur);
	r->uses = (unsigned)sq_take_int(cur);
	r->used = (unsigned)sq_take_int(cur);
	r->created = sq_take_int(cur);
	r->expires = sq_take_int(cur);
	r->revoked = sq_take_int(cur);
	r->last_used = sq_take_int(cur);
	r->endpoint = sq_take_text(cur);
	r->subject = sq_take_text(cur);
	r->san = sq_take_text(cur);
	r->who = sq_take_text(cur);
	r->comment = sq_take_text(cur);
	r->last_transaction_id = sq_take_text(cur);
	r->state = state_of(r, now);
}

static enum rc
otp_read(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n, int64_t now,
    struct store_otp_row *out, bool *found, struct err *err)
{
	struct store_otp_row got = { 0 };
	struct sq_cursor cur;
	enum rc rc;

	*found = false;
	rc = sq_query(&cur, c, id, args, n, err);
	if (rc == RC_OK)
		rc = sq_next(&cur, found, err);
	if (rc == RC_OK && *found) {
		otp_take(&got, &cur, now);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && *found)
		*out = got;
	else
		store_otp_row_done(&got);
	return rc;
}

static enum rc
otp_need(struct sq_conn *c, int64_t id, int64_t now, struct store_otp_row *out, struct err *err)
{
	bool found;
	enum rc rc = otp_read(c, Q_OTP_GET, SQ_ARGS(sq_i(id)), now, out, &found, err);

	if (rc == RC_OK && !found)
		rc = fail(err, RC_NOTFOUND, "there is no one-time password %lld", (long long)id);
	return rc;
}

enum rc
sqlite_otp_get(struct store *s, int64_t id, struct store_otp_row *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = otp_need(c, id, clock_now_ms(), out, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_otp_find(struct store *s, const char *endpoint, const uint8_t *sha256,
    struct store_otp_row *out, struct err *err)
{
	struct sq_conn *c;
	bool found = false;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = otp_read(c, Q_OTP_FIND, SQ_ARGS(sq_t(endpoint), sq_b(sha256, 32)), clock_now_ms(), out,
	    &found, err);
	sq_reader_put(s, c);
	if (rc == RC_OK && !found)
		rc = fail(err, RC_NOTFOUND, "%s knows no such one-time password", endpoint);
	return rc;
}

/* ---- new ---- */

struct add_args {
	const struct store_otp *otps;
	size_t n;
	int64_t *ids;
};

static enum rc
add_audit(struct sq_writer *w, const struct store_otp *o, int64_t id, struct err *err)
{
	char expires[TIME_TEXT_MAX];
	struct buf d;
	enum rc rc;

	time_rfc3339(expires, o->expires / 1000);
	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "otp=%lld uses=%u", (long long)id, o->uses);
	audit_field(&d, "endpoint", o->endpoint);
	audit_field(&d, "subject", o->subject);
	audit_field(&d, "san", o->san);
	audit_field(&d, "expires", expires);
	audit_field(&d, "who", o->who);
	audit_field(&d, "comment", o->comment);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "otp-new", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
add_one(struct sq_writer *w, const struct store_otp *o, int64_t *id, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	enum rc rc;

	rc = sq_exec(c, Q_OTP_NEW,
	    SQ_ARGS(sq_t(o->endpoint), sq_b(o->sha256, sizeof(o->sha256)), sq_i(sq_writer_now(w)),
		sq_i(o->expires), sq_i(o->uses), sq_t(o->subject), sq_t(o->san), sq_t(o->who),
		sq_t(o->comment)),
	    NULL, err);
	if (rc == RC_CONFLICT)
		return fail(err, RC_CONFLICT, "this one-time password is there already");
	if (rc != RC_OK)
		return rc;
	*id = sqlite3_last_insert_rowid(c->db);
	return add_audit(w, o, *id, err);
}

static enum rc
add_room(struct sq_writer *w, size_t n, struct err *err)
{
	int64_t live = 0;
	enum rc rc = sq_number_of(
	    sq_writer_conn(w), Q_OTP_COUNT, SQ_ARGS(sq_i(sq_writer_now(w))), &live, err);

	if (rc != RC_OK || live + (int64_t)n <= STORE_OTPS_MAX)
		return rc;
	fail(err, RC_LIMIT, "%lld one-time passwords are live, and %d is the most", (long long)live,
	    STORE_OTPS_MAX);
	err_hint(err, "revoke some, or give them a shorter lifetime");
	return RC_LIMIT;
}

static enum rc
add_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct add_args *a = arg;
	enum rc rc = add_room(w, a->n, err);

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = add_one(w, &a->otps[i], &a->ids[i], err);
	return rc;
}

enum rc
sqlite_otp_add(
    struct store *s, const struct store_otp *otps, size_t n, int64_t *ids, struct err *err)
{
	struct add_args a = { otps, n, ids };

	return sq_write(sq_store_writer(s), add_step, &a, err);
}

/* ---- used ---- */

struct take_args {
	int64_t otp_id, tx_id;
};

struct taking_tx {
	int64_t state, attempt;
	char *endpoint, *transaction_id;
};

static enum rc
taking_tx_read(struct taking_tx *t, struct sq_conn *c, int64_t id, struct err *err)
{
	uint8_t signer[32];
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_HOLD_TX, SQ_ARGS(sq_i(id)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		t->state = sq_take_int(&cur);
		t->endpoint = sq_take_text(&cur);
		t->transaction_id = sq_take_text(&cur);
		sq_take_fixed(&cur, signer, sizeof(signer));
		t->attempt = sq_take_int(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && t->state != TX_RECEIVED)
		rc = sqlite_tx_why_not(c, id, "one that uses a one-time password", err);
	return rc;
}

/* Why not, for the log: the device learns no more than that it was refused. */
static enum rc
otp_usable(const struct store_otp_row *r, const struct taking_tx *t, struct err *err)
{
	char when[TIME_TEXT_MAX];
	const char *id_of = "one-time password";

	if (strcmp(r->endpoint, t->endpoint) != 0)
		return fail(err, RC_DENIED, "%s %lld is for %s and not for %s", id_of,
		    (long long)r->id, r->endpoint, t->endpoint);
	switch (r->state) {
	case OTP_LIVE:
		return RC_OK;
	case OTP_REVOKED:
		time_rfc3339(when, r->revoked / 1000);
		return fail(
		    err, RC_DENIED, "%s %lld was revoked at %s", id_of, (long long)r->id, when);
	case OTP_EXPIRED:
		time_rfc3339(when, r->expires / 1000);
		return fail(err, RC_DENIED, "%s %lld expired at %s", id_of, (long long)r->id, when);
	default:
		return fail(err, RC_DENIED, "%s %lld was used already (%u of %u), last by %s",
		    id_of, (long long)r->id, r->used, r->uses,
		    r->last_transaction_id == NULL ? "?" : r->last_transaction_id);
	}
}

static enum rc
take_audit(struct sq_writer *w, const char *event, int64_t otp_id, const char *endpoint,
    const char *transaction_id, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "otp=%lld", (long long)otp_id);
	audit_field(&d, "endpoint", endpoint);
	audit_field(&d, "tx", transaction_id);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, event, buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
take_write(
    struct sq_writer *w, const struct take_args *a, const struct taking_tx *t, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	enum rc rc;

	rc = sq_exec(c, Q_OTP_USE, SQ_ARGS(sq_i(a->otp_id)), NULL, err);
	if (rc == RC_OK)
		rc = sq_exec(c, Q_OTP_USE_PUT,
		    SQ_ARGS(
			sq_i(a->tx_id), sq_i(t->attempt), sq_i(a->otp_id), sq_i(sq_writer_now(w))),
		    NULL, err);
	return rc == RC_OK
	    ? take_audit(w, "otp-use", a->otp_id, t->endpoint, t->transaction_id, err)
	    : rc;
}

/* Not taken by this attempt yet. */
static enum rc
take_new(struct sq_writer *w, const struct take_args *a, const struct taking_tx *t, struct err *err)
{
	struct store_otp_row r = { 0 };
	enum rc rc = otp_need(sq_writer_conn(w), a->otp_id, sq_writer_now(w), &r, err);

	if (rc == RC_OK)
		rc = otp_usable(&r, t, err);
	if (rc == RC_OK)
		rc = take_write(w, a, t, err);
	store_otp_row_done(&r);
	return rc;
}

static enum rc
take_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct take_args *a = arg;
	struct taking_tx t = { 0 };
	int64_t taken = 0;
	enum rc rc;

	rc = taking_tx_read(&t, sq_writer_conn(w), a->tx_id, err);
	if (rc == RC_OK)
		rc = sq_number_of(sq_writer_conn(w), Q_OTP_TAKEN,
		    SQ_ARGS(sq_i(a->tx_id), sq_i(t.attempt)), &taken, err);
	if (rc == RC_OK && taken != 0 && taken != a->otp_id)
		rc = fail(err, RC_CONFLICT, "transaction %s has used one-time password %lld",
		    t.transaction_id, (long long)taken);
	else if (rc == RC_OK && taken == 0)
		rc = take_new(w, a, &t, err);
	free(t.endpoint);
	free(t.transaction_id);
	return rc;
}

enum rc
sqlite_otp_take(struct store *s, int64_t otp_id, int64_t tx_id, struct err *err)
{
	struct take_args a = { otp_id, tx_id };

	return sq_write(sq_store_writer(s), take_step, &a, err);
}

enum rc
sqlite_otp_back_step(struct sq_writer *w, int64_t tx_id, int64_t attempt,
    const char *transaction_id, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct sq_cursor cur;
	int64_t otp = 0;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_OTP_USE_DROP, SQ_ARGS(sq_i(tx_id), sq_i(attempt)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		otp = sq_take_int(&cur);
		rc = sq_next(&cur, &row, err);
	}
	sq_end(&cur);
	if (rc != RC_OK || otp == 0)
		return rc;
	rc = sq_exec(c, Q_OTP_BACK, SQ_ARGS(sq_i(otp)), NULL, err);
	return rc == RC_OK ? take_audit(w, "otp-back", otp, NULL, transaction_id, err) : rc;
}

/* ---- revoked, swept ---- */

struct revoke_args {
	int64_t id;
	const char *who, *why;
};

static enum rc
revoke_audit(struct sq_writer *w, const struct revoke_args *a, const struct store_otp_row *r,
    struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "otp=%lld", (long long)a->id);
	audit_field(&d, "endpoint", r->endpoint);
	audit_field(&d, "who", a->who);
	audit_field(&d, "why", a->why);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "otp-revoke", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
revoke_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct revoke_args *a = arg;
	struct store_otp_row r = { 0 };
	enum rc rc = otp_need(sq_writer_conn(w), a->id, sq_writer_now(w), &r, err);

	if (rc == RC_OK && r.state != OTP_LIVE)
		rc = fail(err, RC_CONFLICT, "one-time password %lld is %s already",
		    (long long)a->id, otp_state_name(r.state));
	if (rc == RC_OK)
		rc = sq_exec(sq_writer_conn(w), Q_OTP_REVOKE,
		    SQ_ARGS(sq_i(a->id), sq_i(sq_writer_now(w))), NULL, err);
	if (rc == RC_OK)
		rc = revoke_audit(w, a, &r, err);
	store_otp_row_done(&r);
	return rc;
}

enum rc
sqlite_otp_revoke(struct store *s, int64_t id, const char *who, const char *why, struct err *err)
{
	struct revoke_args a = { id, who, why };

	return sq_write(sq_store_writer(s), revoke_step, &a, err);
}

struct sweep_args {
	int64_t now;
	size_t gone;
};

static enum rc
sweep_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sweep_args *a = arg;
	int64_t before = a->now - STORE_OTP_KEPT_MS;
	int uses = 0, rows = 0;
	enum rc rc;

	rc = sq_exec(sq_writer_conn(w), Q_OTP_CLEAN_USES, SQ_ARGS(sq_i(before), sq_i(SWEEP_ROWS)),
	    &uses, err);
	if (rc == RC_OK)
		rc = sq_exec(sq_writer_conn(w), Q_OTP_CLEAN,
		    SQ_ARGS(sq_i(before), sq_i(SWEEP_ROWS)), &rows, err);
	a->gone = (size_t)uses + (size_t)rows;
	return rc;
}

enum rc
sqlite_otp_sweep(struct store *s, int64_t now_ms, size_t *gone, struct err *err)
{
	struct sweep_args a = { now_ms, 0 };
	enum rc rc = sq_write(sq_store_writer(s), sweep_step, &a, err);

	if (rc == RC_OK)
		*gone = a.gone;
	return rc;
}

/* ---- lists and counts ---- */

struct otp_list {
	int64_t now;
	store_otp_fn *fn;
	void *arg;
};

static enum rc
lend_row(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct otp_list *l = arg;
	struct store_otp_row r;
	enum rc rc;

	otp_take(&r, cur, l->now);
	rc = sq_took(cur, err);
	if (rc == RC_OK) {
		--*left;
		if (l->fn(l->arg, &r) != 0)
			*left = 0;
	}
	store_otp_row_done(&r);
	return rc;
}

enum rc
sqlite_otp_each(struct store *s, const struct store_otp_filter *f, size_t max, store_otp_fn *fn,
    void *arg, struct err *err)
{
	struct otp_list l = { clock_now_ms(), fn, arg };

	return sq_each(s, Q_OTP_EACH,
	    SQ_ARGS(sq_i(f->after_id), sq_t(f->endpoint), sq_i(f->live ? l.now : 0)), max, lend_row,
	    &l, err);
}

enum rc
sqlite_otp_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err)
{
	const struct sq_arg args[] = { sq_i(clock_now_ms()), sq_t(endpoint) };

	return endpoint == NULL ? sq_count(s, Q_OTP_COUNT, args, 1, n, err)
				: sq_count(s, Q_OTP_COUNT_OF, args, 2, n, err);
}
