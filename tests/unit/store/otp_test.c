/*
 * otp_test.c - one-time passwords: how often each serves, and what gives a use back.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static int
setup(void **state)
{
	clock_offset_set(0);
	return sf_setup(state);
}

static int
teardown(void **state)
{
	clock_offset_set(0);
	return sf_teardown(state);
}

/* Password number n of endpoint corp, for a day. */
static struct store_otp
password(unsigned n, unsigned uses)
{
	struct store_otp o = { .endpoint = "corp",
		.subject = "CN=printer-*",
		.san = "dns:*.contoso.com",
		.expires = clock_now_ms() + DAY_MS,
		.uses = uses,
		.who = "jane (uid 1000)",
		.comment = "second floor" };

	memset(o.sha256, 0x5a, sizeof(o.sha256));
	memcpy(o.sha256, &n, sizeof(n));
	return o;
}

static int64_t
add(struct sf *f, unsigned n, unsigned uses)
{
	struct store_otp o = password(n, uses);
	int64_t id;

	ok(f, store_otp_add(f->s, &o, 1, &id, &f->err));
	return id;
}

static void
is(struct sf *f, int64_t id, enum otp_state state, unsigned used)
{
	struct store_otp_row r;

	ok(f, store_otp_get(f->s, id, &r, &f->err));
	assert_string_equal(otp_state_name(r.state), otp_state_name(state));
	assert_int_equal(r.used, used);
	store_otp_row_done(&r);
}

static void
denied(struct sf *f, int64_t otp, int64_t tx, const char *words)
{
	assert_int_equal(store_otp_take(f->s, otp, tx, &f->err), RC_DENIED);
	if (strstr(f->err.msg, words) == NULL)
		fail_msg("%s", f->err.msg);
}

static int64_t
audits(struct sf *f, const char *event)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM audit WHERE event = '%s'", event);
	return sf_number(f, sql);
}

static uint64_t
live(struct sf *f, const char *endpoint)
{
	uint64_t n;

	ok(f, store_otp_count(f->s, endpoint, &n, &f->err));
	return n;
}

static void
to_delivered(struct sf *f, int64_t id, unsigned n)
{
	struct sf_tx t;

	sf_tx(&t, n);
	ok(f, store_tx_reserve(f->s, id, "otp:1", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
	ok(f, store_tx_notified(f->s, id, &f->err));
	store_tx_delivered(f->s, id);
	ok(f, store_flush(f->s, &f->err));
}

/* ---- made and found ---- */

static void
it_is_found_by_its_hash_on_its_endpoint(void **state)
{
	struct sf *f = *state;
	struct store_otp o = password(1, 3);
	struct store_otp_row r;
	int64_t id = add(f, 1, 3);

	sf_restart(f);
	ok(f, store_otp_find(f->s, "corp", o.sha256, &r, &f->err));
	assert_int_equal(r.id, id);
	assert_int_equal(r.state, OTP_LIVE);
	assert_string_equal(r.endpoint, "corp");
	assert_string_equal(r.subject, "CN=printer-*");
	assert_string_equal(r.san, "dns:*.contoso.com");
	assert_string_equal(r.who, "jane (uid 1000)");
	assert_string_equal(r.comment, "second floor");
	assert_int_equal(r.uses, 3);
	assert_int_equal(r.used, 0);
	assert_int_equal(r.revoked, 0);
	assert_int_equal(r.last_used, 0);
	assert_null(r.last_transaction_id);
	assert_true(r.created <= clock_now_ms() && r.expires > clock_now_ms());
	store_otp_row_done(&r);
	assert_int_equal(store_otp_find(f->s, "lab", o.sha256, &r, &f->err), RC_NOTFOUND);
	for (size_t i = 0; i < 32; i++) {
		o.sha256[i] ^= 0x80;
		assert_int_equal(store_otp_find(f->s, "corp", o.sha256, &r, &f->err), RC_NOTFOUND);
		o.sha256[i] ^= 0x80;
	}
	assert_int_equal(store_otp_get(f->s, 4711, &r, &f->err), RC_NOTFOUND);
	assert_int_equal(audits(f, "otp-new"), 1);
}

static void
many_are_made_together_or_none(void **state)
{
	static struct store_otp batch[STORE_OTP_BATCH + 1];
	static int64_t ids[STORE_OTP_BATCH + 1];
	struct sf *f = *state;

	for (unsigned i = 0; i < STORE_OTP_BATCH + 1; i++)
		batch[i] = password(i, 1);
	assert_int_equal(store_otp_add(f->s, batch, STORE_OTP_BATCH + 1, ids, &f->err), RC_LIMIT);
	assert_int_equal(store_otp_add(f->s, batch, 0, ids, &f->err), RC_LIMIT);
	ok(f, store_otp_add(f->s, batch, STORE_OTP_BATCH, ids, &f->err));
	assert_int_equal(live(f, "corp"), STORE_OTP_BATCH);
	for (unsigned i = 1; i < STORE_OTP_BATCH; i++)
		assert_int_equal(ids[i], ids[0] + i);
	/* One of two is there already. */
	batch[0] = password(77777, 1);
	batch[1] = password(5, 1);
	assert_int_equal(store_otp_add(f->s, batch, 2, ids, &f->err), RC_CONFLICT);
	assert_int_equal(live(f, "corp"), STORE_OTP_BATCH);
	assert_int_equal(audits(f, "otp-new"), STORE_OTP_BATCH);
	/* The same secret on another endpoint is another password. */
	batch[1].endpoint = "lab";
	ok(f, store_otp_add(f->s, &batch[1], 1, ids, &f->err));
	assert_int_equal(live(f, "lab"), 1);
	assert_int_equal(live(f, NULL), STORE_OTP_BATCH + 1);
}

static void
what_is_out_of_bounds_is_not_made(void **state)
{
	static char longer[STORE_OTP_TEXT_MAX + 2];
	struct sf *f = *state;
	struct store_otp o;
	int64_t id;

	memset(longer, 'x', sizeof(longer) - 1);
#define BAD(change, rc)                                                                            \
	do {                                                                                       \
		o = password(1, 1);                                                                \
		change;                                                                            \
		assert_int_equal(store_otp_add(f->s, &o, 1, &id, &f->err), rc);                    \
	} while (0)
	BAD(o.uses = 0, RC_LIMIT);
	BAD(o.uses = STORE_OTP_USES_MAX + 1, RC_LIMIT);
	BAD(o.expires = clock_now_ms() - 1, RC_LIMIT);
	BAD(o.expires = clock_now_ms() + STORE_OTP_LIFETIME_MAX + 60000, RC_LIMIT);
	BAD(o.subject = longer, RC_LIMIT);
	BAD(o.san = longer, RC_LIMIT);
	BAD(o.comment = longer, RC_LIMIT);
	BAD(o.endpoint = NULL, RC_BUG);
	BAD(o.who = NULL, RC_BUG);
	BAD(o.who = "", RC_BUG);
#undef BAD
	assert_int_equal(sf_number(f, "SELECT count(*) FROM otp"), 0);
	o = password(1, STORE_OTP_USES_MAX);
	o.subject = o.san = o.comment = NULL;
	ok(f, store_otp_add(f->s, &o, 1, &id, &f->err));
}

static void
so_many_can_be_live(void **state)
{
	struct store_otp two[2] = { password(1, 1), password(2, 1) };
	struct sf *f = *state;
	int64_t ids[2];
	char sql[500];

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	    " INSERT INTO otp(endpoint, sha256, created, expires, uses, who)"
	    " SELECT 'lab', CAST(i AS BLOB), 1, 4000000000000, 1, 'x' FROM n",
	    STORE_OTPS_MAX - 1);
	sf_sql(f, sql);
	assert_int_equal(store_otp_add(f->s, two, 2, ids, &f->err), RC_LIMIT);
	assert_non_null(strstr(f->err.msg, "99999 one-time passwords are live"));
	ok(f, store_otp_add(f->s, two, 1, ids, &f->err));
	assert_int_equal(live(f, NULL), STORE_OTPS_MAX);
	assert_int_equal(live(f, "corp"), 1);
	/* What is used up, revoked or expired takes no room. */
	sf_sql(f, "UPDATE otp SET used = 1 WHERE id = 1");
	ok(f, store_otp_add(f->s, &two[1], 1, ids, &f->err));
}

static void
numbers_are_not_used_again(void **state)
{
	struct sf *f = *state;
	int64_t id = add(f, 1, 1);

	sf_sql(f, "DELETE FROM otp");
	assert_true(add(f, 2, 1) > id);
}

/* ---- used ---- */

static void
it_serves_as_often_as_it_says(void **state)
{
	struct sf *f = *state;
	struct store_otp_row r;
	int64_t otp = add(f, 1, 2), a = sf_begin(f, 1, TX_RECEIVED),
		b = sf_begin(f, 2, TX_RECEIVED), c = sf_begin(f, 3, TX_RECEIVED);

	ok(f, store_otp_take(f->s, otp, a, &f->err));
	is(f, otp, OTP_LIVE, 1);
	ok(f, store_otp_take(f->s, otp, b, &f->err));
	is(f, otp, OTP_USED, 2);
	denied(f, otp, c, "was used already (2 of 2), last by TX2");
	assert_int_equal(live(f, "corp"), 0);
	sf_restart(f);
	denied(f, otp, c, "was used already");
	ok(f, store_otp_get(f->s, otp, &r, &f->err));
	assert_string_equal(r.last_transaction_id, "TX2");
	assert_int_not_equal(r.last_used, 0);
	store_otp_row_done(&r);
	assert_int_equal(audits(f, "otp-use"), 2);
}

static void
one_transaction_uses_it_once(void **state)
{
	struct sf *f = *state;
	int64_t otp = add(f, 1, 5), other = add(f, 2, 5), tx = sf_begin(f, 1, TX_RECEIVED);

	for (int i = 0; i < 3; i++)
		ok(f, store_otp_take(f->s, otp, tx, &f->err));
	is(f, otp, OTP_LIVE, 1);
	assert_int_equal(audits(f, "otp-use"), 1);
	/* It has one challenge, hence one password. */
	assert_int_equal(store_otp_take(f->s, other, tx, &f->err), RC_CONFLICT);
	is(f, other, OTP_LIVE, 0);
}

static void
only_what_was_received_can_use_it(void **state)
{
	struct sf *f = *state;
	int64_t otp = add(f, 1, 100);

	for (enum tx_state s = TX_RESERVED; s < TX__MAX; s++)
		assert_int_equal(
		    store_otp_take(f->s, otp, sf_drive(f, 10 + s, s), &f->err), RC_CONFLICT);
	assert_int_equal(store_otp_take(f->s, otp, 4711, &f->err), RC_NOTFOUND);
	assert_int_equal(
	    store_otp_take(f->s, 4711, sf_begin(f, 1, TX_RECEIVED), &f->err), RC_NOTFOUND);
	is(f, otp, OTP_LIVE, 0);
}

static void
it_serves_its_own_endpoint_while_it_lives(void **state)
{
	struct sf *f = *state;
	struct store_otp o = password(1, 1);
	int64_t tx = sf_begin(f, 1, TX_RECEIVED), elsewhere, revoked, expired;

	o.endpoint = "lab";
	ok(f, store_otp_add(f->s, &o, 1, &elsewhere, &f->err));
	denied(f, elsewhere, tx, "is for lab and not for corp");
	revoked = add(f, 2, 1);
	ok(f, store_otp_revoke(f->s, revoked, "jane", "lost the slip", &f->err));
	denied(f, revoked, tx, "was revoked at ");
	expired = add(f, 3, 1);
	clock_offset_set(DAY_MS / 1000 + 1);
	denied(f, expired, tx, "expired at ");
	is(f, expired, OTP_EXPIRED, 0);
	assert_int_equal(audits(f, "otp-use"), 0);
}

/* ---- given back ---- */

static void
a_refused_transaction_gives_it_back(void **state)
{
	struct sf *f = *state;
	int64_t otp = add(f, 1, 1), tx = sf_begin(f, 1, TX_RECEIVED), other;

	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	ok(f, store_tx_refused(f->s, tx, "the profile says no", false, 0, &f->err));
	is(f, otp, OTP_LIVE, 0);
	assert_int_equal(audits(f, "otp-back"), 1);
	/* Another device, or the same again. */
	other = sf_begin(f, 2, TX_RECEIVED);
	ok(f, store_otp_take(f->s, otp, other, &f->err));
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), tx);
	denied(f, otp, tx, "last by TX2");
	ok(f, store_tx_refused(f->s, other, "no", false, 0, &f->err));
	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	is(f, otp, OTP_USED, 1);
}

static void
a_crash_before_the_certificate_gives_it_back(void **state)
{
	struct sf *f = *state;
	struct store_tx *list;
	struct sf_tx t;
	size_t n;
	int64_t otp = add(f, 1, 1), tx = sf_begin(f, 1, TX_RECEIVED);

	sf_tx(&t, 1);
	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	ok(f, store_tx_reserve(f->s, tx, "otp:1", t.serial, NULL, &f->err));
	sf_restart(f);
	is(f, otp, OTP_USED, 1);
	ok(f, store_tx_unfinished(f->s, 10, &list, &n, &f->err));
	assert_int_equal(n, 1);
	/* As recovery does. */
	ok(f, store_tx_refused(f->s, list[0].id, "interrupted", false, 0, &f->err));
	store_tx_list_free(list, n);
	is(f, otp, OTP_LIVE, 0);
}

static void
a_certificate_that_was_never_handed_out_gives_it_back(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t otp = add(f, 1, 1), tx = sf_begin(f, 1, TX_RECEIVED);

	sf_tx(&t, 1);
	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	ok(f, store_tx_reserve(f->s, tx, "otp:1", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, tx, &t.cert, true, &f->err));
	is(f, otp, OTP_USED, 1);
	ok(f, store_tx_undelivered(f->s, tx, "no", false, 0, &f->err));
	is(f, otp, OTP_LIVE, 0);
}

/* A request that is sent again after its certificate was revoked needs a use of its own. */
static void
a_certificate_keeps_it_used(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t otp = add(f, 1, 1), tx = sf_begin(f, 1, TX_RECEIVED);

	sf_tx(&t, 1);
	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	to_delivered(f, tx, 1);
	is(f, otp, OTP_USED, 1);
	sf_begin(f, 1, TX_DELIVERED); /* the same certificate again: nobody asks for a password */
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), tx);
	denied(f, otp, tx, "was used already (1 of 1), last by TX1");
	/* And its refusal gives nothing back that was not its own. */
	ok(f, store_tx_refused(f->s, tx, "used up", false, 0, &f->err));
	is(f, otp, OTP_USED, 1);
	assert_int_equal(audits(f, "otp-back"), 0);
}

/* ---- revoked, swept, listed ---- */

static void
it_is_revoked_while_it_lives(void **state)
{
	struct sf *f = *state;
	int64_t id = add(f, 1, 1), used = add(f, 2, 1), old = add(f, 3, 1);

	ok(f, store_otp_take(f->s, used, sf_begin(f, 1, TX_RECEIVED), &f->err));
	ok(f, store_otp_revoke(f->s, id, "jane", NULL, &f->err));
	is(f, id, OTP_REVOKED, 0);
	assert_int_equal(store_otp_revoke(f->s, id, "joe", NULL, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "is revoked already"));
	assert_int_equal(store_otp_revoke(f->s, used, "joe", NULL, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "is used already"));
	clock_offset_set(DAY_MS / 1000 + 1);
	assert_int_equal(store_otp_revoke(f->s, old, "joe", NULL, &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "is expired already"));
	assert_int_equal(store_otp_revoke(f->s, 4711, "joe", NULL, &f->err), RC_NOTFOUND);
	assert_int_equal(audits(f, "otp-revoke"), 1);
}

static size_t
sweep(struct sf *f)
{
	size_t n;

	ok(f, store_otp_sweep(f->s, clock_now_ms(), &n, &f->err));
	return n;
}

static void
it_is_deleted_some_days_after_it_expired(void **state)
{
	struct sf *f = *state;
	int64_t otp = add(f, 1, 2), tx = sf_begin(f, 1, TX_RECEIVED);

	ok(f, store_otp_take(f->s, otp, tx, &f->err));
	assert_int_equal(sweep(f), 0);
	clock_offset_set((DAY_MS + STORE_OTP_KEPT_MS) / 1000 - 1);
	assert_int_equal(sweep(f), 0);
	is(f, otp, OTP_EXPIRED, 1);
	clock_offset_set((DAY_MS + STORE_OTP_KEPT_MS) / 1000 + 1);
	while (sweep(f) > 0)
		;
	assert_int_equal(sf_number(f, "SELECT count(*) FROM otp"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM otp_use"), 0);
	/* Whoever has used it can still end. */
	ok(f, store_tx_refused(f->s, tx, "no", false, 0, &f->err));
}

static void
a_sweep_is_bounded_and_comes_to_an_end(void **state)
{
	struct sf *f = *state;
	size_t n, calls = 0;

	add(f, 1, 1); /* this one stays */
	sf_sql(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	    " INSERT INTO otp(endpoint, sha256, created, expires, uses, who)"
	    " SELECT 'lab', CAST(i AS BLOB), 1, 2, 1, 'x' FROM n;"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
	    " INSERT INTO otp_use(tx_id, attempt, otp_id, at) SELECT i, 1, 2 + i % 7, 1 FROM n");
	do {
		n = sweep(f);
		assert_in_range(n, 0, 2000);
		calls++;
	} while (n > 0);
	assert_in_range(calls, 4, 20);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM otp"), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM otp_use"), 0);
}

struct seen {
	int64_t ids[40];
	size_t n, stop_at;
};

static int
on_row(void *arg, const struct store_otp_row *r)
{
	struct seen *s = arg;

	assert_in_range(s->n, 0, 39);
	s->ids[s->n++] = r->id;
	return s->n == s->stop_at;
}

static size_t
listed(struct sf *f, struct store_otp_filter filter, size_t max, struct seen *s)
{
	s->n = 0;
	ok(f, store_otp_each(f->s, &filter, max, on_row, s, &f->err));
	return s->n;
}

static void
lists_are_filtered_and_paged(void **state)
{
	struct sf *f = *state;
	struct store_otp lab = password(6, 1);
	struct seen s = { .n = 0 };
	int64_t id[7];

	for (unsigned i = 1; i < 6; i++)
		id[i] = add(f, i, 2);
	lab.endpoint = "lab";
	ok(f, store_otp_add(f->s, &lab, 1, &id[6], &f->err));
	ok(f, store_otp_revoke(f->s, id[2], "jane", NULL, &f->err));
	/* In the same millisecond, perhaps: one row of the list all the same. */
	ok(f, store_otp_take(f->s, id[3], sf_begin(f, 1, TX_RECEIVED), &f->err));
	ok(f, store_otp_take(f->s, id[3], sf_begin(f, 2, TX_RECEIVED), &f->err));
	sf_sql(f, "UPDATE otp_use SET at = 5");
	sf_sql(f, "UPDATE otp SET expires = 1 WHERE id = 4");
	assert_int_equal(listed(f, (struct store_otp_filter){ 0 }, 100, &s), 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(s.ids[i], id[i + 1]);
	assert_int_equal(listed(f, (struct store_otp_filter){ .live = true }, 100, &s), 3);
	assert_int_equal(s.ids[0], id[1]);
	assert_int_equal(s.ids[1], id[5]);
	assert_int_equal(s.ids[2], id[6]);
	assert_int_equal(listed(f, (struct store_otp_filter){ .endpoint = "lab" }, 100, &s), 1);
	assert_int_equal(listed(f, (struct store_otp_filter){ .after_id = id[2] }, 2, &s), 2);
	assert_int_equal(s.ids[0], id[3]);
	s.stop_at = 1;
	assert_int_equal(listed(f, (struct store_otp_filter){ 0 }, 100, &s), 1);
}

/* ---- at once ---- */

#define THREADS 8

struct crowd {
	struct sf *f;
	int64_t otp, tx[THREADS];
	unsigned next, won, lost, wrong;
	pthread_mutex_t lock;
};

static void *
take_one(void *arg)
{
	struct crowd *c = arg;
	struct err err;
	unsigned i;
	enum rc rc;

	pthread_mutex_lock(&c->lock);
	i = c->next++;
	pthread_mutex_unlock(&c->lock);
	rc = store_otp_take(c->f->s, c->otp, c->tx[i], &err);
	pthread_mutex_lock(&c->lock);
	c->won += rc == RC_OK;
	c->lost += rc == RC_DENIED;
	c->wrong += rc != RC_OK && rc != RC_DENIED;
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void
of_many_devices_at_once_so_many_win_as_there_are_uses(void **state)
{
	struct crowd c = { .f = *state, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t t[THREADS];

	c.otp = add(c.f, 1, 3);
	for (unsigned i = 0; i < THREADS; i++)
		c.tx[i] = sf_begin(c.f, 10 + i, TX_RECEIVED);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, take_one, &c), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(c.won, 3);
	assert_int_equal(c.lost, THREADS - 3);
	assert_int_equal(c.wrong, 0);
	is(c.f, c.otp, OTP_USED, 3);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM otp_use"), 3);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(it_is_found_by_its_hash_on_its_endpoint),
		T(many_are_made_together_or_none),
		T(what_is_out_of_bounds_is_not_made),
		T(so_many_can_be_live),
		T(numbers_are_not_used_again),
		T(it_serves_as_often_as_it_says),
		T(one_transaction_uses_it_once),
		T(only_what_was_received_can_use_it),
		T(it_serves_its_own_endpoint_while_it_lives),
		T(a_refused_transaction_gives_it_back),
		T(a_crash_before_the_certificate_gives_it_back),
		T(a_certificate_that_was_never_handed_out_gives_it_back),
		T(a_certificate_keeps_it_used),
		T(it_is_revoked_while_it_lives),
		T(it_is_deleted_some_days_after_it_expired),
		T(a_sweep_is_bounded_and_comes_to_an_end),
		T(lists_are_filtered_and_paged),
		T(of_many_devices_at_once_so_many_win_as_there_are_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
