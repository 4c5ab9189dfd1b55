/*
 * wait_test.c - requests that an administrator decides: PENDING, CertPoll, and who gets what of it.
 */
#include "pipeline_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "scepd/upkeep.h"

static const char yaml[] =
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] },\n"
    "    keys: { ec: [ p256 ] } }\n"
    "endpoints:\n"
    "  wait: { ca: issuing, profile: lab, challenge: approval, decide_within: 7d,\n"
    "    renewal: { ask: always, revoke_replaced: 1h } }\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  next: { ca: issuing, profile: lab, challenge: approval, decide_within: 7d }\n"
    "  slow: { ca: other, profile: lab, challenge: approval, decide_within: 7d }\n";

#define PC1 "CN=pc1.lab.example"

static struct rig rig;
static struct device self, stranger;

static int
open_rig(void **state)
{
	rig_open(&rig, yaml);
	self = throw_away(&rig, rig.keys[0], PC1);
	stranger = throw_away(&rig, rig.keys[1], PC1);
	return 0;
}

static int
close_rig(void **state)
{
	device_done(&self);
	device_done(&stranger);
	rig_close(&rig);
	return 0;
}

static void
ask(struct heard *h, const char *tx)
{
	const struct said m = { .endpoint = "wait",
		.signer = &self,
		.wish = { .subject = PC1 },
		.transaction_id = tx };

	say(&rig, h, &m);
}

static void
poll_by(struct heard *h, const struct device *who, const char *endpoint, const char *tx)
{
	const struct queried q = {
		.endpoint = endpoint, .type = SCEP_CERT_POLL, .signer = who, .transaction_id = tx
	};

	query(&rig, h, &q);
}

static void
assert_pending(const struct heard *h)
{
	if (h->http != 200 || h->status != SCEP_PENDING)
		print_error("%s\n", h->log);
	assert_int_equal(h->status, SCEP_PENDING);
	assert_non_null(strstr(h->log, "result=PENDING"));
	assert_int_equal(h->n_certs, 0);
}

static int
take_id(void *arg, const struct store_hold *row)
{
	*(int64_t *)arg = row->id;
	return 0;
}

/* The newest that waits. */
static int64_t
waiting(void)
{
	struct store_hold_filter f = { .verdict = HOLD_PENDING };
	int64_t id = 0;

	assert_ok(store_hold_each(rig.s->store, &f, 100, take_id, &id, err));
	return id;
}

static void
decide(enum hold_verdict v, const char *reason)
{
	assert_ok(store_hold_decide(rig.s->store, waiting(), v, "jane", reason, err));
}

/* R10, R32: nothing is issued, and the answer holds nothing. */
static void
test_R10_a_request_waits_and_is_issued_when_approved(void **state)
{
	struct heard h, again;

	ask(&h, "t1");
	assert_pending(&h);
	poll_by(&h, &self, "wait", "t1");
	assert_pending(&h);
	assert_int_equal(rig_certs(&rig), 0);
	decide(HOLD_APPROVED, NULL);
	poll_by(&h, &self, "wait", "t1");
	assert_success(&h);
	assert_string_equal(name_get0(cert_subject0(h.cert), "CN", 0), "pc1.lab.example");
	assert_true(key_same_public(cert_key0(h.cert), rig.keys[0]));
	for (int i = 0; i < 3; i++) { /* R33: each poll is a message of its own */
		if (i < 2)
			poll_by(&again, &self, "wait", "t1");
		else
			ask(&again, "t1");
		assert_success(&again);
		assert_true(serial_same(cert_serial0(again.cert), cert_serial0(h.cert)));
		heard_done(&again);
	}
	assert_int_equal(rig_certs(&rig), 1);
	heard_done(&h);
}

/* A repeated request is the same one: it waits, and gets its certificate as a poll does. */
static void
test_a_repeated_request_waits_on(void **state)
{
	uint64_t n;
	struct heard h;

	for (int i = 0; i < 3; i++) {
		ask(&h, "t1");
		assert_pending(&h);
		assert_null(strstr(h.log, "repeated=yes"));
	}
	assert_ok(store_hold_count(rig.s->store, "wait", &n, err));
	assert_int_equal(n, 1);
	decide(HOLD_APPROVED, NULL);
	ask(&h, "t1");
	assert_success(&h);
	heard_done(&h);
}

/* One answer for what is not there and for what is somebody else's. */
static void
test_R34_R35_S13_polls_for_what_is_not_theirs(void **state)
{
	struct heard h, first;

	ask(&h, "t1");
	poll_by(&first, &self, "wait", "t2");
	assert_failure(&first, SCEP_BAD_CERT_ID, "no request of this transactionID and signer");
	poll_by(&h, &stranger, "wait", "t1"); /* the names in it are right: R34 */
	assert_failure(&h, SCEP_BAD_CERT_ID, "no request of this transactionID and signer");
	assert_string_equal(h.text, first.text);
	decide(HOLD_APPROVED, NULL);
	poll_by(&h, &stranger, "wait", "t1");
	assert_failure(&h, SCEP_BAD_CERT_ID, "no request of this transactionID and signer");
	assert_int_equal(rig_certs(&rig), 0);
	poll_by(&h, &self, "next", "t1"); /* of another endpoint */
	assert_failure(&h, SCEP_BAD_CERT_ID, "no request of this transactionID and signer");
	poll_by(&h, &self, "lab", "t1"); /* where nothing waits */
	assert_failure(&h, SCEP_BAD_CERT_ID, "is not offered here");
}

static void
test_a_denied_request_fails(void **state)
{
	struct heard h;

	ask(&h, "t1");
	decide(HOLD_DENIED, "not one of ours");
	poll_by(&h, &self, "wait", "t1");
	assert_failure(&h, SCEP_BAD_REQUEST, "step=poll");
	assert_non_null(strstr(h.log, "not one of ours")); /* for the administrators alone */
	assert_string_equal(h.text, "an administrator has refused the request");
	ask(&h, "t1");
	assert_failure(&h, SCEP_BAD_REQUEST, "an administrator has refused");
	assert_int_equal(rig_certs(&rig), 0);
}

static void
test_nobody_decides_in_time(void **state)
{
	const atomic_bool stop = false;
	struct heard h;

	ask(&h, "t1");
	clock_offset_set(8 * DAY);
	self.cert = (device_done(&self), throw_away(&rig, rig.keys[0], PC1).cert);
	upkeep_run(rig.s, clock_now_ms(), &stop);
	poll_by(&h, &self, "wait", "t1");
	assert_failure(&h, SCEP_BAD_REQUEST, "step=poll");
	ask(&h, "t1"); /* and waits anew when it comes again */
	assert_pending(&h);
}

static void
test_it_waits_across_a_restart(void **state)
{
	struct heard h;

	ask(&h, "t1");
	rig_restart(&rig);
	assert_ok(pipeline_recover(rig.s, err));
	poll_by(&h, &self, "wait", "t1");
	assert_pending(&h);
	decide(HOLD_APPROVED, NULL);
	rig_restart(&rig);
	assert_ok(pipeline_recover(rig.s, err));
	poll_by(&h, &self, "wait", "t1");
	assert_success(&h);
	heard_done(&h);
}

/* The signer's rate is a trouble that passes: the approval stands, and the device asks on. */
static void
test_a_trouble_of_ours_does_not_end_an_approval(void **state)
{
	struct heard h;

	for (int i = 0; i < 4; i++) {
		char tx[8];
		const struct said m = { .endpoint = "slow",
			.signer = &self,
			.wish = { .subject = PC1 },
			.transaction_id = tx,
			.to_other = true };

		(void)snprintf(tx, sizeof(tx), "s%d", i);
		say(&rig, &h, &m);
		assert_pending(&h);
		decide(HOLD_APPROVED, NULL);
		say(&rig, &h, &m);
		if (i < 3)
			assert_success(&h);
		else
			assert_pending(&h);
		heard_done(&h);
		if (i < 3)
			continue;
		rig_restart(&rig); /* with an hour's worth of signatures */
		say(&rig, &h, &m);
		assert_success(&h);
		heard_done(&h);
	}
}

/* A renewal that waits stays one: polled with the certificate, and within its identity. */
static void
test_S07_a_renewal_that_waits_stays_one(void **state)
{
	struct device old = { rig.keys[0], NULL };
	struct said m = { .endpoint = "wait", .signer = &old, .transaction_id = "renew" };
	struct store_renewal r;
	struct heard h;
	char serial[2 * SERIAL_MAX + 1];

	ask(&h, "t1");
	decide(HOLD_APPROVED, NULL);
	poll_by(&h, &self, "wait", "t1");
	assert_success(&h);
	old.cert = h.cert;
	serial_hex(serial, cert_serial0(old.cert));
	m.wish = (struct wish){ .subject = "CN=pc2.lab.example", .key = rig.keys[2] };
	say(&rig, &h, &m);
	assert_pending(&h);
	decide(HOLD_APPROVED, NULL);
	poll_by(&h, &self, "wait", "renew"); /* the same key, and not its certificate */
	assert_failure(&h, SCEP_BAD_REQUEST, "another key than the one in the");
	poll_by(&h, &old, "wait", "renew");
	assert_failure(&h, SCEP_BAD_REQUEST, "the subject is not that");
	m.wish.subject = PC1;
	m.transaction_id = "renew2";
	say(&rig, &h, &m);
	assert_pending(&h);
	decide(HOLD_APPROVED, NULL);
	poll_by(&h, &old, "wait", "renew2");
	assert_success(&h);
	assert_true(key_same_public(cert_key0(h.cert), rig.keys[2]));
	heard_done(&h);
	assert_ok(store_renewal_get(rig.s->store, serial, NULL, &r, err));
	assert_int_equal(r.times, 1);
	assert_true(r.revoke_at > clock_now());
	store_renewal_done(&r);
	device_done(&old);
}

/* What is kept of a request holds its challenge, and nobody reads that in the database. */
static void
test_R49_what_waits_is_sealed(void **state)
{
	struct said m = { .endpoint = "wait",
		.signer = &self,
		.wish = { .subject = PC1, .challenge = "a challenge to be found" } };
	static const char *const suffixes[] = { "", "-wal" };
	char path[512];
	struct heard h;

	say(&rig, &h, &m);
	assert_pending(&h);
	for (size_t i = 0; i < 2; i++) {
		struct buf b;

		(void)snprintf(path, sizeof(path), "%s%s",
		    rig.s->config->store.url + sizeof("sqlite:") - 1, suffixes[i]);
		buf_init(&b, 64u << 20);
		assert_ok(file_read(&b, path, 64u << 20, err));
		assert_null(memmem(b.data, b.len, "a challenge to be found", 23));
		buf_done(&b);
	}
}

/* An approval is for what was seen: a name that does not fit into the list would be issued all the same. */
static void
test_S13_what_cannot_be_shown_whole_does_not_wait(void **state)
{
	char uri[5][1100], subject[5000];
	struct said m = { .endpoint = "wait", .signer = &self, .wish = { .subject = PC1 } };
	struct heard h;
	uint64_t n;

	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(uri[i], sizeof(uri[i]), "uri:%zu:", i);
		memset(uri[i] + 6, 'a', 1000);
		uri[i][1006] = '\0';
		m.wish.san[i] = uri[i];
	}
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "the alternative names: more than an administrator");
	m.wish = (struct wish){ .subject = subject };
	(void)snprintf(subject, sizeof(subject), PC1 ",OU=");
	memset(subject + strlen(subject), 'a', 4200);
	subject[4200] = '\0';
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "the subject: more than an administrator");
	assert_ok(store_hold_count(rig.s->store, "wait", &n, err));
	assert_int_equal(n, 0);
}

static void
test_S13_one_name_does_not_read_as_two(void **state)
{
	struct said m = { .endpoint = "wait",
		.signer = &self,
		.wish = { .subject = PC1, .san = { "uri:a dns:b\\c", "dns:pc1" } } };
	struct store_hold row;
	struct heard h;

	say(&rig, &h, &m);
	assert_pending(&h);
	assert_ok(store_hold_get(rig.s->store, waiting(), &row, err));
	assert_string_equal(row.san, "uri:a\\20dns:b\\5cc dns:pc1");
	store_hold_done(&row);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		T(test_R10_a_request_waits_and_is_issued_when_approved),
		T(test_a_repeated_request_waits_on),
		T(test_R34_R35_S13_polls_for_what_is_not_theirs),
		T(test_a_denied_request_fails),
		T(test_nobody_decides_in_time),
		T(test_it_waits_across_a_restart),
		T(test_a_trouble_of_ours_does_not_end_an_approval),
		T(test_S07_a_renewal_that_waits_stays_one),
		T(test_R49_what_waits_is_sealed),
		T(test_S13_what_cannot_be_shown_whole_does_not_wait),
		T(test_S13_one_name_does_not_read_as_two),
	};

	return cmocka_run_group_tests(tests, rig_cas_new, rig_cas_free);
}
