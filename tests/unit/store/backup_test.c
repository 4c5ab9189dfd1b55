/*
 * backup_test.c - a copy is the database of one moment, whatever is written meanwhile, and goes on where it
 * stopped.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store_status.h"

#include "fixture.h"

static void
copy_of(struct sf *f, char out[400])
{
	snprintf(out, 400, "%s/copy.db", f->dir);
}

/* The copy as a store of its own, in place of the first one. */
static struct store *
copy_opened(struct sf *f, const char *path)
{
	struct store *s = NULL;
	char url[420];

	snprintf(url, sizeof(url), "sqlite:%s", path);
	ok(f, store_open(&s, url, &f->err));
	return s;
}

static void
a_copy_has_everything_and_its_chain_is_whole(void **state)
{
	struct sf *f = *state;
	struct store_stats a, b;
	uint64_t rows = 0, of_copy = 0;
	struct store *copy;
	struct stat st;
	char path[400];

	for (unsigned n = 1; n <= 50; n++)
		sf_drive(f, n, n % 2 ? TX_DELIVERED : TX_SIGNED);
	ok(f, store_flush(f->s, &f->err));
	copy_of(f, path);
	ok(f, store_backup(f->s, path, NULL, NULL, &f->err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	copy = copy_opened(f, path);
	ok(f, store_stats(f->s, &a, &f->err));
	ok(f, store_stats(copy, &b, &f->err));
	assert_int_equal(a.certs, b.certs);
	assert_memory_equal(a.tx, b.tx, sizeof(a.tx));
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	ok(f, store_audit_verify(copy, &of_copy, &f->err));
	assert_int_equal(rows, of_copy);
	store_close(copy);
}

/* Who comes back from a backup knows why, and whose; and numbers changes from where it was. */
static void
a_copy_knows_causes_and_bindings(void **state)
{
	struct store_binding bound = { .state = BINDING_BOUND, .tenant = "contoso", .user = "u" };
	struct store_binding got;
	struct sf *f = *state;
	struct store_status s;
	struct store *copy;
	uint64_t number;
	struct sf_tx t;
	char path[400];

	sf_drive(f, 1, TX_DELIVERED);
	sf_tx(&t, 1);
	ok(f,
	    store_causes_set(f->s,
		&(struct store_cause_set){ .serial = t.serial,
		    .source = CAUSE_RULE,
		    .rule = "not-compliant",
		    .effect = CAUSE_HOLD,
		    .comment = "Intune says noncompliant" },
		1, NULL, &f->err));
	ok(f, store_binding_set(f->s, t.serial, NULL, &bound, &f->err));
	copy_of(f, path);
	ok(f, store_backup(f->s, path, NULL, NULL, &f->err));
	copy = copy_opened(f, path);
	ok(f, store_status_get(copy, t.serial, NULL, &s, &f->err));
	assert_int_equal(s.state, CERT_HELD);
	assert_string_equal(s.causes[0].rule, "not-compliant");
	assert_string_equal(s.causes[0].comment, "Intune says noncompliant");
	store_status_done(&s);
	ok(f, store_binding_get(copy, t.serial, NULL, &got, &f->err));
	assert_string_equal(got.user, "u");
	ok(f, store_status_number(copy, &number, &f->err));
	assert_int_equal(number, 1);
	store_close(copy);
}

static void
what_is_there_is_not_overwritten(void **state)
{
	struct sf *f = *state;

	assert_int_equal(store_backup(f->s, f->path, NULL, NULL, &f->err), RC_CONFLICT);
	sf_drive(f, 1, TX_SIGNED);
}

struct writer {
	struct sf *f;
	atomic_bool stop;
	unsigned n;
};

static void *
write_on(void *arg)
{
	struct writer *w = arg;

	for (w->n = 1000; !w->stop; w->n++)
		sf_drive(w->f, w->n, TX_SIGNED);
	return NULL;
}

/* From another process's point of view: a connection of its own. */
static void
a_copy_ends_although_a_daemon_writes(void **state)
{
	struct sf *f = *state;
	struct writer w = { .f = f };
	struct store *shared = NULL, *copy;
	uint64_t rows = 0;
	pthread_t thread;
	char path[400];

	for (unsigned n = 1; n <= 200; n++)
		sf_drive(f, n, TX_SIGNED);
	ok(f, store_open_shared(&shared, f->url, &f->err));
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	copy_of(f, path);
	for (int i = 0; i < 5; i++) {
		(void)unlink(path);
		ok(f, store_backup(shared, path, NULL, NULL, &f->err));
	}
	w.stop = true;
	(void)pthread_join(thread, NULL);
	copy = copy_opened(f, path);
	ok(f, store_audit_verify(copy, &rows, &f->err));
	assert_true(rows >= 200);
	store_close(copy);
	store_close(shared);
}

static void
numbers_of_lists_go_on_beyond_what_was_left_out(void **state)
{
	struct sf *f = *state;
	uint64_t number;

	ok(f, store_crl_numbers(f->s, "issuing", 1, &number, &f->err));
	assert_int_equal(number, 1);
	ok(f, store_crl_skip(f->s, "issuing", 1000, "from a backup", &f->err));
	ok(f, store_crl_skip(f->s, "other", 1000, "from a backup", &f->err));
	ok(f, store_crl_numbers(f->s, "issuing", 1, &number, &f->err));
	assert_int_equal(number, 1002);
	ok(f, store_crl_numbers(f->s, "other", 1, &number, &f->err));
	assert_int_equal(number, 1001);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'restored'"), 2);
	assert_int_equal(
	    store_crl_skip(f->s, "issuing", STORE_SKIP_MAX + 1, "x", &f->err), RC_LIMIT);
}

/* A password or an approval of the past may have been spent by the copy that is gone. */
static void
what_may_have_been_spent_elsewhere_is_good_no_more(void **state)
{
	static const struct store_hold_ask ask = { .subject = "CN=x", .lifetime_ms = 3600000 };
	struct store_otp o = {
		.endpoint = "corp", .expires = clock_now_ms() + 3600000, .uses = 1, .who = "jane"
	};
	struct sf *f = *state;
	uint64_t otps, holds, rows;
	int64_t otp[3], approved, issued, waiting, failed;
	struct store_otp_row r;
	struct store_hold h;
	struct sf_tx t;

	ok(f, store_spent_elsewhere(f->s, "from a backup", &otps, &holds, &f->err));
	assert_int_equal(otps, 0);
	assert_int_equal(holds, 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), 0);
	for (unsigned i = 0; i < 3; i++) {
		o.sha256[0] = (uint8_t)i;
		ok(f, store_otp_add(f->s, &o, 1, &otp[i], &f->err));
	}
	ok(f, store_otp_take(f->s, otp[0], sf_begin(f, 1, TX_RECEIVED), &f->err));
	waiting = sf_begin(f, 2, TX_RECEIVED);
	approved = sf_begin(f, 3, TX_RECEIVED);
	issued = sf_begin(f, 4, TX_RECEIVED);
	failed = sf_begin(f, 5, TX_RECEIVED);
	for (int64_t id = waiting; id <= failed; id++) {
		ok(f, store_hold(f->s, id, &ask, &h, &f->err));
		store_hold_done(&h);
	}
	ok(f, store_hold_decide(f->s, approved, HOLD_APPROVED, "jane", "known", &f->err));
	ok(f, store_hold_decide(f->s, issued, HOLD_APPROVED, "jane", "known", &f->err));
	ok(f, store_hold_decide(f->s, failed, HOLD_APPROVED, "jane", "known", &f->err));
	ok(f, store_tx_refused(f->s, failed, "the signer is gone", false, 0, &f->err));
	sf_tx(&t, 4);
	ok(f, store_tx_reserve(f->s, issued, "approval", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, issued, &t.cert, false, &f->err));
	ok(f, store_spent_elsewhere(f->s, "from a backup", &otps, &holds, &f->err));
	assert_int_equal(otps, 2);
	assert_int_equal(holds, 2);
	assert_int_equal(sf_begin(f, 5, TX_RECEIVED), failed);
	ok(f, store_hold(f->s, failed, &ask, &h, &f->err));
	assert_int_equal(h.verdict, HOLD_PENDING);
	store_hold_done(&h);
	ok(f, store_otp_get(f->s, otp[1], &r, &f->err));
	assert_int_equal(r.state, OTP_REVOKED);
	store_otp_row_done(&r);
	ok(f, store_hold_get(f->s, approved, &h, &f->err));
	assert_int_equal(h.verdict, HOLD_PENDING);
	assert_null(h.who);
	assert_int_equal(h.decided, 0);
	store_hold_done(&h);
	ok(f, store_hold_get(f->s, issued, &h, &f->err));
	assert_int_equal(h.verdict, HOLD_APPROVED);
	store_hold_done(&h);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'restored'"), 1);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup, sf_teardown)
	const struct CMUnitTest tests[] = {
		T(a_copy_has_everything_and_its_chain_is_whole),
		T(a_copy_knows_causes_and_bindings),
		T(what_is_there_is_not_overwritten),
		T(a_copy_ends_although_a_daemon_writes),
		T(numbers_of_lists_go_on_beyond_what_was_left_out),
		T(what_may_have_been_spent_elsewhere_is_good_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
