/*
 * hold_test.c - requests that wait for an administrator: what stands when, what a poll finds, what a
 * crash leaves.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

#define DAY_MS  (INT64_C(24) * 3600 * 1000)
#define LIFE_MS (7 * DAY_MS)

static const struct store_hold_ask ask = { .profile = "wifi",
	.subject = "CN=Device 1,O=Contoso",
	.san = "dns:device1.contoso.com",
	.key = "RSA-2048",
	.peer = "192.0.2.7",
	.lifetime_ms = LIFE_MS };

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

/* store_hold(); what it says. */
static enum hold_verdict
held(struct sf *f, int64_t id)
{
	struct store_hold h;
	enum hold_verdict v;

	ok(f, store_hold(f->s, id, &ask, &h, &f->err));
	assert_int_equal(h.id, id);
	v = h.verdict;
	store_hold_done(&h);
	return v;
}

/* Transaction number n, waiting; its id. */
static int64_t
waits(struct sf *f, unsigned n)
{
	int64_t id = sf_begin(f, n, TX_RECEIVED);

	assert_int_equal(held(f, id), HOLD_PENDING);
	return id;
}

/* A poll of number n: the verdict, HOLD_NONE for RC_NOTFOUND.  `state` as it is found. */
static enum hold_verdict
polled(struct sf *f, unsigned n, enum tx_state *state)
{
	struct store_tx tx;
	struct sf_tx t;
	enum hold_verdict v;
	enum rc rc;

	sf_tx(&t, n);
	rc = store_hold_find(f->s, "corp", t.transaction_id, t.signer_sha256, &tx, NULL, &f->err);
	if (rc == RC_NOTFOUND)
		return HOLD_NONE;
	ok(f, rc);
	assert_string_equal(tx.transaction_id, t.transaction_id);
	v = tx.hold;
	if (state != NULL)
		*state = tx.state;
	store_tx_done(&tx);
	return v;
}

static int64_t
audits(struct sf *f, const char *event)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM audit WHERE event = '%s'", event);
	return sf_number(f, sql);
}

static void
decide(struct sf *f, int64_t id, enum hold_verdict v)
{
	ok(f, store_hold_decide(f->s, id, v, "jane (uid 1000)", "known laptop", &f->err));
}

/* Refused, with these words. */
static void
too_late(struct sf *f, int64_t id, enum hold_verdict v, const char *words)
{
	assert_int_equal(store_hold_decide(f->s, id, v, "joe", NULL, &f->err), RC_CONFLICT);
	if (strstr(f->err.msg, words) == NULL)
		fail_msg("%s", f->err.msg);
}

static size_t
unfinished(struct sf *f)
{
	struct store_tx *list;
	size_t n;

	ok(f, store_flush(f->s, &f->err)); /* a begin is not waited for */
	ok(f, store_tx_unfinished(f->s, 100, &list, &n, &f->err));
	store_tx_list_free(list, n);
	return n;
}

static void
to_signed(struct sf *f, int64_t id, unsigned n)
{
	struct sf_tx t;

	sf_tx(&t, n);
	ok(f, store_tx_reserve(f->s, id, "approval:jane", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
}

static void
to_delivered(struct sf *f, int64_t id, unsigned n)
{
	to_signed(f, id, n);
	ok(f, store_tx_notified(f->s, id, &f->err));
	store_tx_delivered(f->s, id);
	ok(f, store_flush(f->s, &f->err));
	assert_int_equal(sf_state(f, id), TX_DELIVERED);
}

/* ---- waiting ---- */

static void
a_request_waits_over_a_restart(void **state)
{
	struct sf *f = *state;
	struct store_hold h;
	struct sf_tx t;
	uint64_t n;
	int64_t id = waits(f, 1);

	sf_restart(f);
	sf_tx(&t, 1);
	ok(f, store_hold_get(f->s, id, &h, &f->err));
	assert_int_equal(h.verdict, HOLD_PENDING);
	assert_int_equal(h.state, TX_RECEIVED);
	assert_string_equal(h.endpoint, "corp");
	assert_string_equal(h.transaction_id, "TX1");
	assert_string_equal(h.profile, "wifi");
	assert_string_equal(h.subject, ask.subject);
	assert_string_equal(h.san, ask.san);
	assert_string_equal(h.key, "RSA-2048");
	assert_string_equal(h.peer, "192.0.2.7");
	assert_memory_equal(h.signer_sha256, t.signer_sha256, 32);
	assert_int_equal(h.expires, h.held + LIFE_MS);
	assert_int_equal(h.decided, 0);
	assert_null(h.who);
	assert_null(h.serial);
	store_hold_done(&h);
	ok(f, store_hold_count(f->s, "corp", &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, store_hold_count(f->s, NULL, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, store_hold_count(f->s, "lab", &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(audits(f, "hold"), 1);
}

static void
recovery_leaves_it_alone_and_takes_the_others(void **state)
{
	struct sf *f = *state;
	int64_t approved;

	waits(f, 1);
	approved = waits(f, 2);
	decide(f, approved, HOLD_APPROVED);
	sf_begin(f, 3, TX_RECEIVED);
	assert_int_equal(unfinished(f), 1);
	sf_restart(f);
	assert_int_equal(unfinished(f), 1);
}

static void
it_waits_once(void **state)
{
	struct sf *f = *state;
	int64_t id = waits(f, 1);

	assert_int_equal(held(f, id), HOLD_PENDING);
	assert_int_equal(held(f, id), HOLD_PENDING);
	assert_int_equal(audits(f, "hold"), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM approval"), 1);
}

static void
only_what_was_received_can_wait(void **state)
{
	struct sf *f = *state;
	struct store_hold h;
	int64_t id;

	for (enum tx_state s = TX_RESERVED; s < TX__MAX; s++) {
		id = sf_drive(f, 10 + s, s);
		assert_int_equal(store_hold(f->s, id, &ask, &h, &f->err), RC_CONFLICT);
	}
	assert_int_equal(store_hold(f->s, 4711, &ask, &h, &f->err), RC_NOTFOUND);
	assert_int_equal(store_hold_get(f->s, id, &h, &f->err), RC_NOTFOUND);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM approval"), 0);
	assert_int_equal(audits(f, "hold"), 0);
}

/* An enrolment that nobody holds writes what it wrote before there were approvals. */
static void
who_asks_nobody_writes_nothing(void **state)
{
	struct sf *f = *state;

	sf_drive(f, 1, TX_DELIVERED);
	sf_drive(f, 2, TX_REFUSED);
	sf_drive(f, 3, TX_UNDELIVERED);
	assert_int_equal(sf_number(f,
			     "SELECT (SELECT count(*) FROM approval) + (SELECT count(*) FROM otp)"
			     " + (SELECT count(*) FROM otp_use) + (SELECT count(*) FROM renewal)"),
	    0);
}

static void
what_is_too_long_to_be_read_does_not_wait(void **state)
{
	static char longer[STORE_HOLD_TEXT_MAX + 2];
	struct store_hold_ask bad = ask;
	struct sf *f = *state;
	struct store_hold h;
	int64_t id = sf_begin(f, 1, TX_RECEIVED);

	memset(longer, 'x', sizeof(longer) - 1);
	bad.subject = longer;
	assert_int_equal(store_hold(f->s, id, &bad, &h, &f->err), RC_LIMIT);
	bad = ask;
	bad.san = longer;
	assert_int_equal(store_hold(f->s, id, &bad, &h, &f->err), RC_LIMIT);
	bad = ask;
	bad.lifetime_ms = 0;
	assert_int_equal(store_hold(f->s, id, &bad, &h, &f->err), RC_LIMIT);
	bad.lifetime_ms = STORE_HOLD_LIFETIME_MAX + 1;
	assert_int_equal(store_hold(f->s, id, &bad, &h, &f->err), RC_LIMIT);
	longer[STORE_HOLD_TEXT_MAX] = '\0';
	bad = ask;
	bad.subject = longer;
	ok(f, store_hold(f->s, id, &bad, &h, &f->err));
	assert_string_equal(h.subject, longer);
	store_hold_done(&h);
}

static void
each_endpoint_has_room_for_so_many(void **state)
{
	struct sf *f = *state;
	struct store_hold h;
	char sql[600];
	int64_t id;

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	    " INSERT INTO approval(tx_id, verdict, held, expires, lifetime, endpoint,"
	    " transaction_id, signer_sha256) SELECT i, 1, 1, 4000000000000, 1, 'corp', 'x', x'00'"
	    " FROM n",
	    1000 + STORE_HOLDS_MAX - 2);
	sf_sql(f, sql);
	id = waits(f, 1);
	assert_int_equal(held(f, id), HOLD_PENDING); /* it has its place */
	id = sf_begin(f, 2, TX_RECEIVED);
	assert_int_equal(store_hold(f->s, id, &ask, &h, &f->err), RC_LIMIT);
	assert_non_null(strstr(f->err.msg, "10000 requests on corp"));
	sf_sql(f, "UPDATE approval SET endpoint = 'lab' WHERE tx_id = 1000");
	assert_int_equal(held(f, id), HOLD_PENDING);
}

/* ---- decisions ---- */

static void
an_approved_request_becomes_a_certificate(void **state)
{
	struct sf *f = *state;
	enum tx_state is;
	struct store_hold h;
	struct sf_tx t;
	int64_t id = waits(f, 1);
	uint64_t n;

	decide(f, id, HOLD_APPROVED);
	assert_int_equal(polled(f, 1, &is), HOLD_APPROVED);
	assert_int_equal(is, TX_RECEIVED);
	ok(f, store_hold_get(f->s, id, &h, &f->err));
	assert_string_equal(h.who, "jane (uid 1000)");
	assert_string_equal(h.reason, "known laptop");
	assert_int_equal(h.expires, h.decided + LIFE_MS);
	store_hold_done(&h);
	ok(f, store_hold_count(f->s, NULL, &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(held(f, id), HOLD_APPROVED); /* a PKCSReq in place of a poll */
	to_delivered(f, id, 1);
	assert_int_equal(polled(f, 1, &is), HOLD_APPROVED);
	assert_int_equal(is, TX_DELIVERED);
	ok(f, store_hold_get(f->s, id, &h, &f->err));
	sf_tx(&t, 1);
	assert_string_equal(h.serial, t.serial);
	store_hold_done(&h);
	assert_int_equal(audits(f, "approve"), 1);
	assert_int_equal(audits(f, "issue"), 1);
}

static void
a_denied_request_is_refused_in_the_same_commit(void **state)
{
	struct sf *f = *state;
	enum tx_state is;
	struct store_tx tx;
	struct sf_tx t;
	int64_t id = waits(f, 1);

	decide(f, id, HOLD_DENIED);
	assert_int_equal(sf_state(f, id), TX_REFUSED);
	assert_int_equal(polled(f, 1, &is), HOLD_DENIED);
	assert_int_equal(is, TX_REFUSED);
	sf_tx(&t, 1);
	ok(f, store_hold_find(f->s, "corp", "TX1", t.signer_sha256, &tx, NULL, &f->err));
	assert_string_equal(tx.reason, "denied by jane (uid 1000): known laptop");
	assert_null(tx.csr);
	store_tx_done(&tx);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 0);
	assert_int_equal(audits(f, "deny"), 1);
	assert_int_equal(audits(f, "refuse"), 1);
}

static void
nobody_decides_twice(void **state)
{
	struct sf *f = *state;
	int64_t yes = waits(f, 1), no = waits(f, 2), over = waits(f, 3), gone = waits(f, 4);

	decide(f, yes, HOLD_APPROVED);
	too_late(f, yes, HOLD_APPROVED, "was approved at ");
	too_late(f, yes, HOLD_DENIED, "by jane (uid 1000)");
	decide(f, no, HOLD_DENIED);
	too_late(f, no, HOLD_DENIED, "was denied at ");
	too_late(f, no, HOLD_APPROVED, "was denied at ");
	assert_non_null(strstr(f->err.hint, "the device has to ask again"));
	ok(f, store_tx_refused(f->s, gone, "the profile has changed", false, 0, &f->err));
	too_late(f, gone, HOLD_APPROVED, "is over: its transaction was refused");
	clock_offset_set(LIFE_MS / 1000 + 1);
	too_late(f, over, HOLD_APPROVED, "has expired at ");
	assert_int_equal(
	    store_hold_decide(f->s, 4711, HOLD_DENIED, "joe", NULL, &f->err), RC_NOTFOUND);
	assert_int_equal(store_hold_decide(f->s, over, HOLD_PENDING, "joe", NULL, &f->err), RC_BUG);
	assert_int_equal(audits(f, "approve"), 1);
	assert_int_equal(audits(f, "deny"), 1);
}

static void
a_denial_stands_however_often_the_device_asks(void **state)
{
	struct sf *f = *state;
	int64_t id = waits(f, 1);

	decide(f, id, HOLD_DENIED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
		assert_int_equal(held(f, id), HOLD_DENIED);
		ok(f, store_tx_refused(f->s, id, "denied", false, 0, &f->err));
	}
	assert_int_equal(audits(f, "hold"), 1);
	clock_offset_set(LIFE_MS / 1000 + 1);
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_PENDING);
	assert_int_equal(audits(f, "hold"), 2);
}

static void
an_approval_outlives_an_attempt_that_failed(void **state)
{
	struct sf *f = *state;
	int64_t id = waits(f, 1);

	decide(f, id, HOLD_APPROVED);
	ok(f, store_tx_refused(f->s, id, "the signer is gone", false, 0, &f->err));
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_APPROVED);
	to_signed(f, id, 1);
	ok(f, store_tx_undelivered(f->s, id, "not told", false, 0, &f->err));
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_APPROVED);
}

/* Otherwise a device whose certificate was revoked would get another without anybody being asked. */
static void
an_approval_is_good_for_one_certificate(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t id = waits(f, 1);

	sf_tx(&t, 1);
	decide(f, id, HOLD_APPROVED);
	to_delivered(f, id, 1);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "stolen", &f->err));
	assert_int_equal(polled(f, 1, NULL), HOLD_NONE);
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_PENDING);
}

static void
what_is_refused_for_another_reason_waits_no_more(void **state)
{
	struct sf *f = *state;
	enum tx_state is;
	int64_t id = waits(f, 1);
	uint64_t n;

	ok(f, store_tx_refused(f->s, id, "the profile has changed", false, 0, &f->err));
	assert_int_equal(polled(f, 1, &is), HOLD_ENDED);
	assert_int_equal(is, TX_REFUSED);
	ok(f, store_hold_count(f->s, "corp", &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_PENDING);
}

static enum hold_verdict
begun(struct sf *f, unsigned n, bool want_fresh)
{
	struct store_tx row;
	enum hold_verdict v;
	struct sf_tx t;
	bool fresh;

	sf_tx(&t, n);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	assert_int_equal(fresh, want_fresh);
	v = row.hold;
	store_tx_done(&row);
	return v;
}

static void
begin_tells_of_a_request_that_waits(void **state)
{
	struct sf *f = *state;
	int64_t yes, no;

	assert_int_equal(begun(f, 1, true), HOLD_NONE);
	assert_int_equal(begun(f, 1, false), HOLD_NONE);
	waits(f, 2);
	assert_int_equal(begun(f, 2, false), HOLD_PENDING);
	yes = waits(f, 3);
	decide(f, yes, HOLD_APPROVED);
	assert_int_equal(begun(f, 3, false), HOLD_APPROVED);
	no = waits(f, 4);
	decide(f, no, HOLD_DENIED);
	assert_int_equal(begun(f, 4, true), HOLD_DENIED);
	clock_offset_set(LIFE_MS / 1000 + 1);
	assert_int_equal(begun(f, 2, false), HOLD_ENDED);
}

static void
a_tool_decides_beside_the_daemon(void **state)
{
	struct sf *f = *state;
	struct store *tool;
	uint64_t rows;
	int64_t id = waits(f, 1), other = waits(f, 2);

	ok(f, store_open_shared(&tool, f->url, &f->err));
	ok(f, store_hold_decide(tool, id, HOLD_APPROVED, "jane", NULL, &f->err));
	ok(f, store_hold_decide(tool, other, HOLD_DENIED, "jane", NULL, &f->err));
	store_close(tool);
	assert_int_equal(held(f, id), HOLD_APPROVED);
	to_delivered(f, id, 1);
	assert_int_equal(polled(f, 2, NULL), HOLD_DENIED);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
}

/* ---- polls ---- */

static void
test_R35_a_poll_of_an_unknown_transaction_finds_none(void **state)
{
	struct sf *f = *state;
	struct store_tx tx;
	struct sf_tx t;

	waits(f, 1);
	sf_begin(f, 2, TX_RECEIVED); /* known, but nobody holds it */
	sf_tx(&t, 1);
	assert_int_equal(
	    store_hold_find(f->s, "corp", "TX3", t.signer_sha256, &tx, NULL, &f->err), RC_NOTFOUND);
	assert_int_equal(
	    store_hold_find(f->s, "corp", "TX2", t.signer_sha256, &tx, NULL, &f->err), RC_NOTFOUND);
	assert_int_equal(
	    store_hold_find(f->s, "lab", "TX1", t.signer_sha256, &tx, NULL, &f->err), RC_NOTFOUND);
}

static void
test_S13_a_poll_with_another_key_finds_none(void **state)
{
	struct sf *f = *state;
	struct store_tx tx;
	struct sf_tx t;

	waits(f, 1);
	sf_tx(&t, 1);
	for (size_t i = 0; i < 32; i++) {
		t.signer_sha256[i] ^= 1;
		assert_int_equal(
		    store_hold_find(f->s, "corp", "TX1", t.signer_sha256, &tx, NULL, &f->err),
		    RC_NOTFOUND);
		t.signer_sha256[i] ^= 1;
	}
	assert_int_equal(polled(f, 1, NULL), HOLD_PENDING);
}

/* A name is the device's to choose: others may use it too, and a device may ask with a new request. */
static void
a_poll_finds_the_newest_of_its_own(void **state)
{
	struct sf *f = *state;
	struct store_hold h;
	struct store_tx row;
	struct sf_tx t;
	int64_t second;
	bool fresh;

	waits(f, 1);
	clock_offset_set(1);
	sf_tx(&t, 1);
	t.csr_sha256[31] = 0xaa; /* another request */
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	second = row.id;
	store_tx_done(&row);
	assert_int_equal(held(f, second), HOLD_PENDING);
	clock_offset_set(2);
	t.csr_sha256[31] = 0xbb;
	memset(t.signer_sha256, 0x66, 32); /* of somebody else */
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	assert_int_equal(held(f, row.id), HOLD_PENDING);
	store_tx_done(&row);
	sf_tx(&t, 1);
	ok(f, store_hold_find(f->s, "corp", "TX1", t.signer_sha256, &row, &h, &f->err));
	assert_int_equal(row.id, second);
	assert_int_equal(h.id, second);
	store_hold_done(&h);
	store_tx_done(&row);
}

static void
a_poll_gets_request_and_certificate(void **state)
{
	struct sf *f = *state;
	struct store_tx tx;
	struct sf_tx t;
	int64_t id = waits(f, 1);

	sf_tx(&t, 1);
	ok(f, store_hold_find(f->s, "corp", "TX1", t.signer_sha256, &tx, NULL, &f->err));
	assert_int_equal(tx.csr_len, sizeof(t.csr));
	assert_memory_equal(tx.csr, t.csr, sizeof(t.csr));
	assert_null(tx.cert);
	store_tx_done(&tx);
	decide(f, id, HOLD_APPROVED);
	to_delivered(f, id, 1);
	ok(f, store_hold_find(f->s, "corp", "TX1", t.signer_sha256, &tx, NULL, &f->err));
	assert_null(tx.csr);
	assert_int_equal(tx.cert_len, sizeof(t.der));
	assert_memory_equal(tx.cert, t.der, sizeof(t.der));
	assert_string_equal(tx.serial, t.serial);
	store_tx_done(&tx);
	clock_offset_set(STORE_REPEAT_MS / 1000 + 1);
	assert_int_equal(polled(f, 1, NULL), HOLD_NONE);
	assert_non_null(strstr(f->err.msg, "answers no more"));
}

/* ---- crashes ---- */

/* Reserved, and perhaps signed, but nothing of it has left the process. */
static void
what_was_being_issued_is_approved_after_a_crash(void **state)
{
	struct sf *f = *state;
	enum tx_state is;
	struct sf_tx t;
	int64_t id = waits(f, 1), plain = sf_drive(f, 2, TX_RESERVED);

	decide(f, id, HOLD_APPROVED);
	sf_tx(&t, 1);
	ok(f, store_tx_reserve(f->s, id, "approval:jane", t.serial, NULL, &f->err));
	assert_int_equal(sf_state(f, id), TX_RESERVED);
	sf_restart(f);
	assert_int_equal(polled(f, 1, &is), HOLD_APPROVED);
	assert_int_equal(is, TX_RECEIVED);
	assert_int_equal(sf_state(f, plain), TX_RESERVED);
	assert_int_equal(unfinished(f), 1);
	to_delivered(f, id, 1);
}

static void
a_tool_disturbs_nothing_that_is_being_issued(void **state)
{
	struct sf *f = *state;
	struct store *tool;
	struct sf_tx t;
	int64_t id = waits(f, 1);

	decide(f, id, HOLD_APPROVED);
	sf_tx(&t, 1);
	ok(f, store_tx_reserve(f->s, id, "approval:jane", t.serial, NULL, &f->err));
	ok(f, store_flush(f->s, &f->err));
	ok(f, store_open_shared(&tool, f->url, &f->err));
	store_close(tool);
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
}

static void
it_goes_back_when_it_could_not_be_issued(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t id = waits(f, 1), no = waits(f, 2);

	sf_tx(&t, 1);
	assert_int_equal(store_hold_resume(f->s, id, &f->err), RC_CONFLICT);
	decide(f, id, HOLD_APPROVED);
	ok(f, store_hold_resume(f->s, id, &f->err)); /* nothing to do */
	ok(f, store_tx_reserve(f->s, id, "approval:jane", t.serial, NULL, &f->err));
	ok(f, store_hold_resume(f->s, id, &f->err));
	assert_int_equal(sf_state(f, id), TX_RECEIVED);
	assert_int_equal(store_tx_signed(f->s, id, &t.cert, false, &f->err), RC_CONFLICT);
	to_signed(f, id, 1);
	assert_int_equal(store_hold_resume(f->s, id, &f->err), RC_CONFLICT);
	decide(f, no, HOLD_DENIED);
	assert_int_equal(store_hold_resume(f->s, no, &f->err), RC_CONFLICT);
	assert_int_equal(store_hold_resume(f->s, 4711, &f->err), RC_NOTFOUND);
}

/* ---- expiry ---- */

static size_t
sweep(struct sf *f)
{
	size_t n;

	ok(f, store_hold_sweep(f->s, clock_now_ms(), &n, &f->err));
	return n;
}

static void
reason_is(struct sf *f, int64_t id, const char *words)
{
	char sql[200];

	snprintf(
	    sql, sizeof(sql), "SELECT reason = '%s' FROM tx WHERE id = %lld", words, (long long)id);
	assert_int_equal(sf_number(f, sql), 1);
}

static void
what_nobody_decides_is_refused(void **state)
{
	struct sf *f = *state;
	enum tx_state is;
	uint64_t n;
	int64_t id = waits(f, 1);

	assert_int_equal(sweep(f), 0);
	assert_int_equal(sf_state(f, id), TX_RECEIVED);
	clock_offset_set(LIFE_MS / 1000 + 1);
	assert_int_equal(polled(f, 1, &is), HOLD_ENDED); /* before the sweep comes by */
	assert_int_equal(is, TX_RECEIVED);
	ok(f, store_hold_count(f->s, "corp", &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(sweep(f), 1);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(polled(f, 1, &is), HOLD_ENDED);
	assert_int_equal(is, TX_REFUSED);
	reason_is(f, id, "nobody decided within 7 days");
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 0);
}

static void
what_nobody_fetches_is_refused(void **state)
{
	struct sf *f = *state;
	int64_t id = waits(f, 1);

	clock_offset_set(LIFE_MS / 1000 - 1); /* at the last moment */
	decide(f, id, HOLD_APPROVED);
	clock_offset_set(LIFE_MS / 1000 + 1);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(polled(f, 1, NULL), HOLD_APPROVED);
	clock_offset_set(2 * LIFE_MS / 1000);
	assert_int_equal(polled(f, 1, NULL), HOLD_ENDED);
	assert_int_equal(sweep(f), 1);
	reason_is(f, id, "approved, but not fetched within 7 days");
	assert_int_equal(sf_begin(f, 1, TX_RECEIVED), id);
	assert_int_equal(held(f, id), HOLD_PENDING);
}

static void
rows_go_when_nobody_needs_them(void **state)
{
	struct sf *f = *state;
	int64_t done = waits(f, 1), no = waits(f, 2);

	waits(f, 3);
	decide(f, done, HOLD_APPROVED);
	to_delivered(f, done, 1);
	decide(f, no, HOLD_DENIED);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM approval"), 3);
	clock_offset_set(LIFE_MS / 1000 + 1);
	assert_int_equal(sweep(f), 1);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM approval"), 2); /* not what was issued */
	assert_int_equal(sf_state(f, done), TX_DELIVERED);
	clock_offset_set((LIFE_MS + STORE_HOLD_KEPT_MS) / 1000 - 1);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM approval"), 2);
	clock_offset_set((LIFE_MS + STORE_HOLD_KEPT_MS) / 1000 + 1);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM approval"), 0);
}

/* Many at once: some hundred a call, and all in the end. */
static void
a_sweep_is_bounded_and_comes_to_an_end(void **state)
{
	struct sf *f = *state;
	size_t n, all = 0, calls = 0;

	sf_sql(f,
	    "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 1000) SELECT i FROM n;"
	    "INSERT INTO tx(id, key, state, attempt, created, changed, csr_sha256, signer_sha256,"
	    " endpoint, transaction_id) SELECT i, CAST(i AS BLOB), 1, 1, 1, 1, zeroblob(32),"
	    " zeroblob(32), 'corp', 'x' || i FROM n;"
	    "INSERT INTO approval(tx_id, verdict, held, expires, lifetime, endpoint,"
	    " transaction_id, signer_sha256) SELECT i, 1 + i % 2, 1, 2, 1, 'corp', 'x' || i,"
	    " zeroblob(32) FROM n");
	do {
		n = sweep(f);
		assert_in_range(n, 0, 500);
		all += n;
		calls++;
	} while (n > 0);
	assert_int_equal(all, 1000);
	assert_in_range(calls, 3, 20);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx WHERE state = 7"), 1000);
}

/* ---- lists ---- */

struct seen {
	int64_t ids[40];
	size_t n, stop_at;
};

static int
on_row(void *arg, const struct store_hold *h)
{
	struct seen *s = arg;

	assert_in_range(s->n, 0, 39);
	s->ids[s->n++] = h->id;
	return s->n == s->stop_at;
}

static size_t
listed(struct sf *f, struct store_hold_filter filter, size_t max, struct seen *s)
{
	s->n = 0;
	ok(f, store_hold_each(f->s, &filter, max, on_row, s, &f->err));
	return s->n;
}

static void
lists_are_filtered_and_paged(void **state)
{
	struct sf *f = *state;
	struct seen s = { .n = 0 };
	int64_t id[9];

	for (unsigned i = 1; i < 9; i++)
		id[i] = waits(f, i);
	decide(f, id[2], HOLD_APPROVED);
	decide(f, id[3], HOLD_DENIED);
	ok(f, store_tx_refused(f->s, id[4], "other", false, 0, &f->err));
	sf_sql(f, "UPDATE approval SET endpoint = 'lab' WHERE transaction_id = 'TX5'");
	sf_sql(f, "UPDATE approval SET expires = 1 WHERE transaction_id = 'TX6'"); /* not swept */
	assert_int_equal(listed(f, (struct store_hold_filter){ 0 }, 100, &s), 8);
	assert_int_equal(s.ids[0], id[1]);
	assert_int_equal(s.ids[7], id[8]);
	assert_int_equal(listed(f, (struct store_hold_filter){ .endpoint = "lab" }, 100, &s), 1);
	assert_int_equal(s.ids[0], id[5]);
	assert_int_equal(
	    listed(f, (struct store_hold_filter){ .verdict = HOLD_PENDING }, 100, &s), 4);
	assert_int_equal(
	    listed(f, (struct store_hold_filter){ .verdict = HOLD_APPROVED }, 100, &s), 1);
	assert_int_equal(
	    listed(f, (struct store_hold_filter){ .verdict = HOLD_DENIED }, 100, &s), 1);
	assert_int_equal(
	    listed(f, (struct store_hold_filter){ .verdict = HOLD_ENDED }, 100, &s), 2);
	assert_int_equal(s.ids[0], id[4]);
	assert_int_equal(s.ids[1], id[6]);
	/* A page is full of what fits, not of what was looked at. */
	assert_int_equal(
	    listed(f, (struct store_hold_filter){ .verdict = HOLD_PENDING }, 2, &s), 2);
	assert_int_equal(s.ids[1], id[5]);
	assert_int_equal(
	    listed(
		f, (struct store_hold_filter){ .verdict = HOLD_PENDING, .after_id = id[5] }, 2, &s),
	    2);
	assert_int_equal(s.ids[0], id[7]);
	s.stop_at = 3;
	assert_int_equal(listed(f, (struct store_hold_filter){ 0 }, 100, &s), 3);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(a_request_waits_over_a_restart),
		T(recovery_leaves_it_alone_and_takes_the_others),
		T(it_waits_once),
		T(only_what_was_received_can_wait),
		T(who_asks_nobody_writes_nothing),
		T(what_is_too_long_to_be_read_does_not_wait),
		T(each_endpoint_has_room_for_so_many),
		T(an_approved_request_becomes_a_certificate),
		T(a_denied_request_is_refused_in_the_same_commit),
		T(nobody_decides_twice),
		T(a_denial_stands_however_often_the_device_asks),
		T(an_approval_outlives_an_attempt_that_failed),
		T(an_approval_is_good_for_one_certificate),
		T(what_is_refused_for_another_reason_waits_no_more),
		T(begin_tells_of_a_request_that_waits),
		T(a_tool_decides_beside_the_daemon),
		T(test_R35_a_poll_of_an_unknown_transaction_finds_none),
		T(test_S13_a_poll_with_another_key_finds_none),
		T(a_poll_finds_the_newest_of_its_own),
		T(a_poll_gets_request_and_certificate),
		T(what_was_being_issued_is_approved_after_a_crash),
		T(a_tool_disturbs_nothing_that_is_being_issued),
		T(it_goes_back_when_it_could_not_be_issued),
		T(what_nobody_decides_is_refused),
		T(what_nobody_fetches_is_refused),
		T(rows_go_when_nobody_needs_them),
		T(a_sweep_is_bounded_and_comes_to_an_end),
		T(lists_are_filtered_and_paged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
