/*
 * sqlite_hold.c - requests that wait for an administrator: held, decided, found again by a poll, listed.
 *
 * A held transaction stays in received, so that everything about it is where any other has it; the row
 * of `approval` says why it stays there, what an administrator sees, and what was decided.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

/* ---- rows ---- */

/* What it is at `now`, whether or not the sweep has come by. */
static enum hold_verdict
standing(enum hold_verdict v, int64_t expires, enum tx_state state, int64_t now)
{
	bool open = v == HOLD_PENDING || (v == HOLD_APPROVED && state < TX_SIGNED);

	return open && expires <= now ? HOLD_ENDED : v;
}

void
sqlite_hold_take(struct store_hold *h, struct sq_cursor *cur, int64_t now, int64_t *lifetime)
{
	int64_t life;

	*h = (struct store_hold){ 0 };
	h->id = sq_take_int(cur);
	h->verdict = (enum hold_verdict)sq_take_int(cur);
	h->state = (enum tx_state)sq_take_int(cur);
	h->held = sq_take_int(cur);
	h->expires = sq_take_int(cur);
	h->decided = sq_take_int(cur);
	life = sq_take_int(cur);
	sq_take_fixed(cur, h->signer_sha256, sizeof(h->signer_sha256));
	h->endpoint = sq_take_text(cur);
	h->transaction_id = sq_take_text(cur);
	h->profile = sq_take_text(cur);
	h->subject = sq_take_text(cur);
	h->san = sq_take_text(cur);
	h->key = sq_take_text(cur);
	h->peer = sq_take_text(cur);
	h->who = sq_take_text(cur);
	h->reason = sq_take_text(cur);
	h->serial = sq_take_hex(cur);
	h->verdict = standing(h->verdict, h->expires, h->state, now);
	if (lifetime != NULL)
		*lifetime = life;
}

static enum rc
hold_read(struct sq_conn *c, int64_t id, int64_t now, struct store_hold *out, bool *found,
    int64_t *lifetime, struct err *err)
{
	struct store_hold got = { 0 };
	struct sq_cursor cur;
	enum rc rc;

	*found = false;
	rc = sq_query(&cur, c, Q_HOLD_GET, SQ_ARGS(sq_i(id)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, found, err);
	if (rc == RC_OK && *found) {
		sqlite_hold_take(&got, &cur, now, lifetime);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && *found)
		*out = got;
	else
		store_hold_done(&got);
	return rc;
}

static enum rc
not_held(int64_t id, struct err *err)
{
	return fail(err, RC_NOTFOUND, "no request %lld waits or waited for an administrator",
	    (long long)id);
}

/* The same where it has to be there. */
static enum rc
hold_need(struct sq_conn *c, int64_t id, int64_t now, struct store_hold *out, int64_t *lifetime,
    struct err *err)
{
	bool found;
	enum rc rc = hold_read(c, id, now, out, &found, lifetime, err);

	return rc == RC_OK && !found ? not_held(id, err) : rc;
}

enum rc
sqlite_hold_get(struct store *s, int64_t id, struct store_hold *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = hold_need(c, id, clock_now_ms(), out, NULL, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_hold_verdict(struct sq_conn *c, const struct store_tx *t, int64_t now_ms,
    enum hold_verdict *v, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_HOLD_VERDICT, SQ_ARGS(sq_i(t->id)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		enum hold_verdict is = (enum hold_verdict)sq_take_int(&cur);

		*v = standing(is, sq_take_int(&cur), t->state, now_ms);
	} else if (rc == RC_OK) {
		*v = HOLD_NONE;
	}
	sq_end(&cur);
	return rc;
}

/* ---- begin to wait ---- */

struct hold_args {
	int64_t id;
	const struct store_hold_ask *ask;
	struct store_hold out;
};

/* What the row in tx tells of a transaction that is to wait. */
struct held_tx {
	int64_t state;
	char *endpoint, *transaction_id;
	uint8_t signer_sha256[32];
};

static void
held_tx_done(struct held_tx *t)
{
	free(t->endpoint);
	free(t->transaction_id);
}

static enum rc
held_tx_read(struct held_tx *t, struct sq_conn *c, int64_t id, struct err *err)
{
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
		sq_take_fixed(&cur, t->signer_sha256, sizeof(t->signer_sha256));
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && t->state != TX_RECEIVED)
		rc = sqlite_tx_why_not(c, id, "one that waits for an administrator", err);
	return rc;
}

static enum rc
hold_room(struct sq_conn *c, const char *endpoint, int64_t now, struct err *err)
{
	int64_t n = 0;
	enum rc rc = sq_number_of(c, Q_HOLD_COUNT_OF, SQ_ARGS(sq_i(now), sq_t(endpoint)), &n, err);

	if (rc != RC_OK || n < STORE_HOLDS_MAX)
		return rc;
	fail(err, RC_LIMIT, "%lld requests on %s wait for an administrator already", (long long)n,
	    endpoint);
	err_hint(err, "scepctl requests list shows them");
	return RC_LIMIT;
}

static void
hold_fields(struct buf *d, int64_t id, const char *endpoint, const char *transaction_id,
    const char *subject, const char *san)
{
	buf_addf(d, "request=%lld", (long long)id);
	audit_field(d, "endpoint", endpoint);
	audit_field(d, "tx", transaction_id);
	audit_field(d, "subject", subject);
	audit_field(d, "san", san);
}

static enum rc
hold_audit(struct sq_writer *w, const struct hold_args *a, const struct held_tx *t, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	hold_fields(&d, a->id, t->endpoint, t->transaction_id, a->ask->subject, a->ask->san);
	audit_field(&d, "key", a->ask->key);
	audit_hex(&d, "signer", t->signer_sha256, sizeof(t->signer_sha256));
	audit_field(&d, "peer", a->ask->peer);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "hold", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
hold_put(struct sq_writer *w, const struct hold_args *a, const struct held_tx *t, struct err *err)
{
	const struct store_hold_ask *k = a->ask;
	int64_t now = sq_writer_now(w);

	return sq_exec(sq_writer_conn(w), Q_HOLD_PUT,
	    SQ_ARGS(sq_i(a->id), sq_i(now), sq_i(now + k->lifetime_ms), sq_i(k->lifetime_ms),
		sq_t(t->endpoint), sq_t(t->transaction_id),
		sq_b(t->signer_sha256, sizeof(t->signer_sha256)), sq_t(k->profile),
		sq_t(k->subject), sq_t(k->san), sq_t(k->key), sq_t(k->peer)),
	    NULL, err);
}

static enum rc
hold_new(struct sq_writer *w, const struct hold_args *a, const struct held_tx *t, struct err *err)
{
	enum rc rc = hold_room(sq_writer_conn(w), t->endpoint, sq_writer_now(w), err);

	if (rc == RC_OK)
		rc = hold_put(w, a, t, err);
	return rc == RC_OK ? hold_audit(w, a, t, err) : rc;
}

/* A decision stands until the request expires; what waits goes on waiting. */
static bool
stands(const struct store_hold *h, int64_t now)
{
	return h->verdict != HOLD_ENDED && h->expires > now;
}

static enum rc
hold_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct hold_args *a = arg;
	struct held_tx t = { 0 };
	bool found = false;
	enum rc rc;

	rc = held_tx_read(&t, c, a->id, err);
	if (rc == RC_OK)
		rc = hold_read(c, a->id, sq_writer_now(w), &a->out, &found, NULL, err);
	if (rc == RC_OK && !(found && stands(&a->out, sq_writer_now(w)))) {
		store_hold_done(&a->out);
		rc = hold_new(w, a, &t, err);
		if (rc == RC_OK)
			rc = hold_need(c, a->id, sq_writer_now(w), &a->out, NULL, err);
	}
	held_tx_done(&t);
	return rc;
}

enum rc
sqlite_hold(struct store *s, int64_t id, const struct store_hold_ask *ask, struct store_hold *out,
    struct err *err)
{
	struct hold_args a = { .id = id, .ask = ask };
	enum rc rc = sq_write(sq_store_writer(s), hold_step, &a, err);

	if (rc == RC_OK)
		*out = a.out;
	else
		store_hold_done(&a.out);
	return rc;
}

/* ---- a poll ---- */

static enum rc
no_such_hold(const char *endpoint, const char *transaction_id, struct err *err)
{
	return fail(err, RC_NOTFOUND,
	    "no transaction %s of this signer on %s waits or waited for an administrator",
	    transaction_id, endpoint);
}

static enum rc
found_read(
    struct sq_conn *c, int64_t id, int64_t now, struct store_tx *tx, bool *over, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_HOLD_FOUND, SQ_ARGS(sq_i(id), sq_i(now / 1000)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(
		    err, RC_INTEGRITY, "%s: transaction %lld is missing", c->path, (long long)id);
	if (rc == RC_OK) {
		sqlite_tx_take(tx, &cur);
		tx->csr = sq_take_blob(&cur, &tx->csr_len);
		tx->cert = sq_take_blob(&cur, &tx->cert_len);
		*over = sq_take_int(&cur) != 0;
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

struct poll_key {
	const char *endpoint, *transaction_id;
	const uint8_t *signer_sha256;
};

static enum rc
poll_read(struct sq_conn *c, const struct poll_key *k, struct store_tx *tx, struct store_hold *hold,
    struct err *err)
{
	int64_t id = 0, now = clock_now_ms();
	bool over = false;
	enum rc rc;

	rc = sq_number_of(c, Q_HOLD_FIND,
	    SQ_ARGS(sq_t(k->endpoint), sq_t(k->transaction_id), sq_b(k->signer_sha256, 32)), &id,
	    err);
	if (rc == RC_OK && id == 0)
		rc = no_such_hold(k->endpoint, k->transaction_id, err);
	if (rc == RC_OK)
		rc = found_read(c, id, now, tx, &over, err);
	if (rc == RC_OK && sqlite_tx_spent(tx, over, now))
		rc = fail(err, RC_NOTFOUND,
		    "the certificate of transaction %s on %s was handed over and answers no more",
		    k->transaction_id, k->endpoint);
	if (rc == RC_OK)
		rc = hold_need(c, id, now, hold, NULL, err);
	if (rc == RC_OK)
		tx->hold = hold->verdict;
	return rc;
}

/* One view for all three look-ups. */
static enum rc
poll_view(struct sq_conn *c, const struct poll_key *k, struct store_tx *tx, struct store_hold *hold,
    struct err *err)
{
	enum rc rc = sq_exec(c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err);

	if (rc != RC_OK)
		return rc;
	rc = poll_read(c, k, tx, hold, err);
	if (sq_exec(c, Q_COMMIT, SQ_NO_ARGS, NULL, rc == RC_OK ? err : NULL) != RC_OK &&
	    rc == RC_OK)
		rc = RC_IO;
	return rc;
}

enum rc
sqlite_hold_find(struct store *s, const char *endpoint, const char *transaction_id,
    const uint8_t *signer_sha256, struct store_tx *tx, struct store_hold *out, struct err *err)
{
	const struct poll_key k = { endpoint, transaction_id, signer_sha256 };
	struct store_hold hold = { 0 };
	struct store_tx got = { 0 };
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = poll_view(c, &k, &got, &hold, err);
	sq_reader_put(s, c);
	if (rc != RC_OK)
		store_tx_done(&got);
	else
		*tx = got;
	if (rc == RC_OK && out != NULL)
		*out = hold;
	else
		store_hold_done(&hold);
	return rc;
}

/* ---- the decision ---- */

struct decide_args {
	int64_t id;
	const struct store_decision *d;
};

static enum rc
decided_already(const struct store_hold *h, struct err *err)
{
	char when[TIME_TEXT_MAX];

	if (h->verdict == HOLD_ENDED && h->expires <= clock_now_ms()) {
		time_rfc3339(when, h->expires / 1000);
		fail(err, RC_CONFLICT, "request %lld has expired at %s", (long long)h->id, when);
	} else if (h->verdict == HOLD_ENDED) {
		return fail(err, RC_CONFLICT, "request %lld is over: its transaction was %s",
		    (long long)h->id, tx_state_name(h->state));
	} else {
		time_rfc3339(when, h->decided / 1000);
		fail(err, RC_CONFLICT, "request %lld was %s at %s by %s", (long long)h->id,
		    hold_verdict_name(h->verdict), when, h->who == NULL ? "?" : h->who);
	}
	if (h->verdict == HOLD_DENIED)
		err_hint(err, "it stands; the device has to ask again with a new key");
	else if (h->verdict != HOLD_APPROVED)
		err_hint(err, "the device has to ask again");
	return RC_CONFLICT;
}

static enum rc
decide_audit(
    struct sq_writer *w, const struct decide_args *a, const struct store_hold *h, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	hold_fields(&d, h->id, h->endpoint, h->transaction_id, h->subject, h->san);
	audit_field(&d, "who", a->d->who);
	audit_field(&d, "reason", a->d->reason);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(
		    w, a->d->verdict == HOLD_APPROVED ? "approve" : "deny", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

/* After a yes the device has as long to come back as there was to decide. */
static enum rc
decide_write(struct sq_writer *w, const struct decide_args *a, const struct store_hold *h,
    int64_t lifetime, struct err *err)
{
	int64_t now = sq_writer_now(w);

	return sq_exec(sq_writer_conn(w), Q_HOLD_DECIDE,
	    SQ_ARGS(sq_i(a->id), sq_i(a->d->verdict), sq_i(now),
		sq_i(a->d->verdict == HOLD_APPROVED ? now + lifetime : h->expires), sq_t(a->d->who),
		sq_t(a->d->reason)),
	    NULL, err);
}

static enum rc
deny_tx(struct sq_writer *w, const struct decide_args *a, struct err *err)
{
	struct store_ending end = { 0 };
	char *reason = NULL;
	enum rc rc;

	if (a->d->reason != NULL)
		rc = str_format(&reason, err, "denied by %s: %s", a->d->who, a->d->reason);
	else
		rc = str_format(&reason, err, "denied by %s", a->d->who);
	end.reason = reason;
	if (rc == RC_OK)
		rc = sqlite_tx_refuse_step(w, a->id, &end, err);
	free(reason);
	return rc;
}

static enum rc
decide_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct decide_args *a = arg;
	struct store_hold h = { 0 };
	int64_t lifetime = 0;
	enum rc rc;

	rc = hold_need(sq_writer_conn(w), a->id, sq_writer_now(w), &h, &lifetime, err);
	if (rc == RC_OK && h.verdict != HOLD_PENDING)
		rc = decided_already(&h, err);
	if (rc == RC_OK)
		rc = decide_write(w, a, &h, lifetime, err);
	if (rc == RC_OK)
		rc = decide_audit(w, a, &h, err);
	if (rc == RC_OK && a->d->verdict == HOLD_DENIED)
		rc = deny_tx(w, a, err);
	store_hold_done(&h);
	return rc;
}

enum rc
sqlite_hold_decide(struct store *s, int64_t id, const struct store_decision *d, struct err *err)
{
	struct decide_args a = { id, d };

	return sq_write(sq_store_writer(s), decide_step, &a, err);
}

/* ---- back to where it was approved ---- */

static enum rc
resume_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	int64_t id = *(int64_t *)arg;
	struct store_hold h = { 0 };
	int changed = 0;
	enum rc rc;

	rc = hold_need(c, id, sq_writer_now(w), &h, NULL, err);
	if (rc == RC_OK && h.verdict != HOLD_APPROVED)
		rc = fail(err, RC_CONFLICT, "request %lld is %s, not approved", (long long)id,
		    hold_verdict_name(h.verdict));
	if (rc == RC_OK)
		rc = sq_exec(c, Q_HOLD_BACK, SQ_ARGS(sq_i(id)), &changed, err);
	if (rc == RC_OK && changed == 0)
		rc = sqlite_tx_why_not(c, id, "received", err);
	store_hold_done(&h);
	return rc;
}

enum rc
sqlite_hold_resume(struct store *s, int64_t id, struct err *err)
{
	return sq_write(sq_store_writer(s), resume_step, &id, err);
}

/* ---- lists and counts ---- */

struct hold_list {
	enum hold_verdict verdict; /* HOLD_NONE: any */
	int64_t now;
	store_hold_fn *fn;
	void *arg;
};

static enum rc
lend_row(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct hold_list *l = arg;
	struct store_hold h;
	enum rc rc;

	sqlite_hold_take(&h, cur, l->now, NULL);
	rc = sq_took(cur, err);
	if (rc == RC_OK && (l->verdict == HOLD_NONE || l->verdict == h.verdict)) {
		--*left;
		if (l->fn(l->arg, &h) != 0)
			*left = 0;
	}
	store_hold_done(&h);
	return rc;
}

enum rc
sqlite_hold_each(struct store *s, const struct store_hold_filter *f, size_t max, store_hold_fn *fn,
    void *arg, struct err *err)
{
	struct hold_list l = { f->verdict, clock_now_ms(), fn, arg };

	return sq_each(s, Q_HOLD_EACH,
	    SQ_ARGS(sq_i(f->after_id), sq_t(f->endpoint), sq_i(f->verdict)), max, lend_row, &l,
	    err);
}

enum rc
sqlite_hold_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err)
{
	const struct sq_arg args[] = { sq_i(clock_now_ms()), sq_t(endpoint) };

	return endpoint == NULL ? sq_count(s, Q_HOLD_COUNT, args, 1, n, err)
				: sq_count(s, Q_HOLD_COUNT_OF, args, 2, n, err);
}
