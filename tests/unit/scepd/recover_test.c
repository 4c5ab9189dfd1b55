/* recover_test.c - what a crash or an outage left, finished or undone; endpoints that are no longer
 * configured stand for an Intune that is not asked. */
#include "../store/fixture.h"

#include "base/clock.h"
#include "scepd/pipeline.h"

/* The outbox as the background thread sees it. */
static size_t
due(struct sf *f)
{
	struct outbox_row *rows;
	size_t n;

	ok(f, outbox_due(f->s, clock_now_ms() + 1000, 16, &rows, &n, &f->err));
	outbox_rows_free(rows, n);
	return n;
}

/* A transaction that was refused after Intune's yes. */
static void
leave_a_failure(struct sf *f, unsigned n)
{
	int64_t id = sf_begin(f, n, TX_RECEIVED);

	ok(f, store_tx_refused(f->s, id, "no", true, 0x80094001, &f->err));
	assert_int_equal(due(f), 1);
}

static void
what_was_not_signed_is_undone_at_start(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s };
	int64_t received = sf_drive(f, 1, TX_RECEIVED), reserved = sf_drive(f, 2, TX_RESERVED),
		signed_ = sf_drive(f, 3, TX_SIGNED), notified = sf_drive(f, 4, TX_NOTIFIED);

	ok(f, pipeline_recover(&s, &f->err));
	assert_int_equal(sf_state(f, received), TX_REFUSED);
	assert_int_equal(sf_state(f, reserved), TX_REFUSED);
	assert_int_equal(sf_state(f, signed_), TX_SIGNED);
	assert_int_equal(sf_state(f, notified), TX_NOTIFIED);
	assert_int_equal(due(f), 0); /* Intune hears nothing of it */
}

static void
a_certificate_that_nobody_can_report_is_revoked(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s, .started_ms = clock_now_ms() + 1000 };
	const atomic_bool stop = false;
	int64_t id = sf_drive(f, 1, TX_SIGNED);

	ok(f, inflight_new(&s.inflight, &f->err));
	assert_int_equal(pipeline_outbox(&s, clock_now_ms(), &stop), 0);
	assert_int_equal(sf_state(f, id), TX_UNDELIVERED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert WHERE revoked > 0"), 1);
	inflight_free(s.inflight);
}

/* A device that asks again has taken the transaction up: its worker finishes it, and nobody else. */
static void
a_transaction_that_is_being_worked_on_is_left_alone(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s, .started_ms = clock_now_ms() + 1000 };
	const atomic_bool stop = false;
	int64_t id = sf_drive(f, 1, TX_SIGNED);
	struct store_tx *list;
	uint8_t key[32];
	size_t n;

	ok(f, inflight_new(&s.inflight, &f->err));
	ok(f, store_tx_unfinished(f->s, 16, &list, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f,
	    inflight_key(
		key, list[0].endpoint, list[0].transaction_id, list[0].csr_sha256, &f->err));
	store_tx_list_free(list, n);
	ok(f, inflight_enter(s.inflight, key, 0, &f->err));
	assert_int_equal(pipeline_outbox(&s, clock_now_ms(), &stop), 0);
	assert_int_equal(sf_state(f, id), TX_SIGNED);
	inflight_leave(s.inflight, key);
	assert_int_equal(pipeline_outbox(&s, clock_now_ms(), &stop), 0);
	assert_int_equal(sf_state(f, id), TX_UNDELIVERED);
	inflight_free(s.inflight);
}

static void
a_certificate_that_a_worker_has_is_left_alone(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s, .started_ms = clock_now_ms() - 1000 };
	const atomic_bool stop = false;
	int64_t id = sf_drive(f, 1, TX_SIGNED);

	assert_int_equal(pipeline_outbox(&s, clock_now_ms(), &stop), 0);
	assert_int_equal(sf_state(f, id), TX_SIGNED);
}

static void
a_failure_of_an_endpoint_that_is_gone_is_given_up(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s };
	const atomic_bool stop = false;

	leave_a_failure(f, 1);
	assert_int_equal(pipeline_outbox(&s, clock_now_ms() + 1000, &stop), 0);
	assert_int_equal(due(f), 0);
}

/* With an Intune that does not answer each row takes seconds: SIGTERM cannot wait for all. */
static void
nothing_is_begun_after_the_stop(void **state)
{
	struct sf *f = *state;
	struct scepd s = { .store = f->s, .started_ms = clock_now_ms() + 1000 };
	const atomic_bool stop = true;
	int64_t id = sf_drive(f, 2, TX_SIGNED);

	leave_a_failure(f, 1);
	(void)pipeline_outbox(&s, clock_now_ms() + 1000, &stop);
	assert_int_equal(sf_state(f, id), TX_SIGNED);
	assert_int_equal(due(f), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_signed_is_undone_at_start),
		TEST(a_certificate_that_nobody_can_report_is_revoked),
		TEST(a_transaction_that_is_being_worked_on_is_left_alone),
		TEST(a_certificate_that_a_worker_has_is_left_alone),
		TEST(a_failure_of_an_endpoint_that_is_gone_is_given_up),
		TEST(nothing_is_begun_after_the_stop),
	};

	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
