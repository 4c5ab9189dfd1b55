/*
 * outbox_test.c - what still has to be told to Intune is told once, and the right thing.
 */
#include <stdint.h>
#include <string.h>

#include "base/clock.h"

#include "fixture.h"

#define FOR_EVER INT64_MAX

static size_t
due(struct sf *f, int64_t now, struct outbox_row **rows)
{
	size_t n = 0;

	ok(f, outbox_due(f->s, now, 100, rows, &n, &f->err));
	return n;
}

static size_t
due_count(struct sf *f, int64_t now)
{
	struct outbox_row *rows;
	size_t n = due(f, now, &rows);

	outbox_rows_free(rows, n);
	return n;
}

static uint64_t
outbox_size(struct sf *f)
{
	struct store_stats st;

	ok(f, store_stats(f->s, &st, &f->err));
	return st.outbox;
}

static void
a_success_is_in_the_outbox_until_it_is_told(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_SIGNED);

	sf_restart(f);
	assert_int_equal(outbox_size(f), 1);
	/* The pipeline's and recovery's business, not the worker's. */
	assert_int_equal(due_count(f, FOR_EVER), 0);
	ok(f, store_tx_notified(f->s, id, &f->err));
	assert_int_equal(outbox_size(f), 0);
}

static void
a_certificate_that_nobody_waits_for_is_not_in_the_outbox(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RESERVED);
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
	assert_int_equal(outbox_size(f), 0);
}

static void
a_failure_is_due_with_all_that_is_needed_to_tell_it(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RESERVED), before = clock_now_ms();
	struct outbox_row *r;
	struct sf_tx t;

	ok(f, store_tx_refused(f->s, id, "the signer is gone", true, -2147024891, &f->err));
	sf_restart(f);
	sf_tx(&t, 1);
	assert_int_equal(due(f, clock_now_ms(), &r), 1);
	assert_int_equal(r->tx_id, id);
	assert_int_equal(r->kind, OUTBOX_FAILURE);
	assert_int_equal(r->attempts, 0);
	assert_int_equal(r->hresult, -2147024891);
	assert_true(r->due >= before && r->due <= clock_now_ms());
	assert_string_equal(r->text, "the signer is gone");
	assert_string_equal(r->endpoint, "corp");
	assert_string_equal(r->transaction_id, "TX1");
	assert_int_equal(r->csr_len, sizeof(t.csr));
	assert_memory_equal(r->csr, t.csr, sizeof(t.csr));
	outbox_rows_free(r, 1);
}

static void
a_failure_that_was_told_is_gone_with_its_request(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RECEIVED);
	struct outbox_row *r;

	ok(f, store_tx_refused(f->s, id, "no", true, 1, &f->err));
	assert_int_equal(due(f, FOR_EVER, &r), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 1);
	ok(f, outbox_done(f->s, r->id, &f->err));
	assert_int_equal(outbox_done(f->s, r->id, &f->err), RC_NOTFOUND);
	assert_int_equal(outbox_retry(f->s, r->id, 1, &f->err), RC_NOTFOUND);
	outbox_rows_free(r, 1);
	assert_int_equal(due_count(f, FOR_EVER), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 0);
	assert_int_equal(sf_state(f, id), TX_REFUSED);
}

static void
a_retry_is_counted_and_waits_for_its_time(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RECEIVED), later = clock_now_ms() + 60000;
	struct outbox_row *r;

	ok(f, store_tx_refused(f->s, id, "no", true, 1, &f->err));
	assert_int_equal(due(f, FOR_EVER, &r), 1);
	ok(f, outbox_retry(f->s, r->id, later, &f->err));
	outbox_rows_free(r, 1);
	assert_int_equal(due_count(f, later - 1), 0);
	assert_int_equal(due(f, later, &r), 1);
	assert_int_equal(r->attempts, 1);
	assert_int_equal(r->due, later);
	outbox_rows_free(r, 1);
}

static void
the_oldest_failure_comes_first_and_no_more_than_asked_for(void **state)
{
	struct sf *f = *state;
	struct outbox_row *r;
	size_t n;

	for (unsigned i = 0; i < 5; i++) {
		int64_t id = sf_drive(f, i, TX_RECEIVED);

		ok(f, store_tx_refused(f->s, id, "no", true, i, &f->err));
		assert_int_equal(due(f, FOR_EVER, &r), i + 1);
		/* Against the order of ids. */
		for (size_t k = 0; k <= i; k++)
			if (r[k].tx_id == id)
				ok(f, outbox_retry(f->s, r[k].id, 1000 - i, &f->err));
		outbox_rows_free(r, i + 1);
	}
	ok(f, outbox_due(f->s, FOR_EVER, 3, &r, &n, &f->err));
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(r[i].hresult, 4 - (int64_t)i);
	outbox_rows_free(r, n);
}

static void
undelivered_replaces_the_success_by_a_failure(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_SIGNED);
	struct outbox_row *r;

	assert_int_equal(outbox_size(f), 1);
	ok(f, store_tx_undelivered(f->s, id, "not told in time", true, 42, &f->err));
	assert_int_equal(outbox_size(f), 1);
	assert_int_equal(due(f, FOR_EVER, &r), 1);
	assert_int_equal(r->hresult, 42);
	ok(f, outbox_done(f->s, r->id, &f->err));
	outbox_rows_free(r, 1);
	id = sf_drive(f, 2, TX_SIGNED);
	ok(f, store_tx_undelivered(f->s, id, "Intune said no", false, 0, &f->err));
	assert_int_equal(outbox_size(f), 0);
}

static void
a_failure_waits_while_the_device_tries_again(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RECEIVED);

	ok(f, store_tx_refused(f->s, id, "first", true, 1, &f->err));
	assert_int_equal(due_count(f, FOR_EVER), 1);
	sf_begin(f, 1, TX_RECEIVED);
	assert_int_equal(due_count(f, FOR_EVER), 0);
	/* This one has nothing to tell: the first one still has. */
	ok(f, store_tx_refused(f->s, id, "second", false, 0, &f->err));
	assert_int_equal(due_count(f, FOR_EVER), 1);
}

static void
a_certificate_silences_the_failure_before_it(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RECEIVED);
	struct outbox_row *r;
	struct sf_tx t;

	sf_tx(&t, 1);
	ok(f, store_tx_refused(f->s, id, "first", true, 1, &f->err));
	assert_int_equal(due(f, FOR_EVER, &r), 1);
	sf_begin(f, 1, TX_RECEIVED);
	ok(f, store_tx_reserve(f->s, id, "static", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &t.cert, true, &f->err));
	/* The worker that had begun to tell it comes too late and takes nothing away. */
	assert_int_equal(outbox_done(f->s, r->id, &f->err), RC_NOTFOUND);
	outbox_rows_free(r, 1);
	assert_int_equal(outbox_size(f), 1);
	assert_int_equal(sf_state(f, id), TX_SIGNED);
}

static void
done_takes_away_no_later_failure(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_RECEIVED);
	struct outbox_row *first, *second;

	ok(f, store_tx_refused(f->s, id, "first", true, 1, &f->err));
	assert_int_equal(due(f, FOR_EVER, &first), 1);
	sf_begin(f, 1, TX_RECEIVED);
	ok(f, store_tx_refused(f->s, id, "second", true, 2, &f->err));
	assert_int_equal(outbox_done(f->s, first->id, &f->err), RC_NOTFOUND);
	assert_int_equal(due(f, FOR_EVER, &second), 1);
	assert_string_equal(second->text, "second");
	outbox_rows_free(first, 1);
	outbox_rows_free(second, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_success_is_in_the_outbox_until_it_is_told),
		T(a_certificate_that_nobody_waits_for_is_not_in_the_outbox),
		T(a_failure_is_due_with_all_that_is_needed_to_tell_it),
		T(a_failure_that_was_told_is_gone_with_its_request),
		T(a_retry_is_counted_and_waits_for_its_time),
		T(the_oldest_failure_comes_first_and_no_more_than_asked_for),
		T(undelivered_replaces_the_success_by_a_failure),
		T(a_failure_waits_while_the_device_tries_again),
		T(a_certificate_silences_the_failure_before_it),
		T(done_takes_away_no_later_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
