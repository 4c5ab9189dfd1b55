/*
 * writer_test.c - many threads, one writer: grouped, each step for itself, in order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fixture.h"

#define THREADS 32

/* cmocka's asserts belong to the main thread: a thread counts what went wrong. */
struct crowd {
	struct sf *f;
	unsigned n; /* threads; 0: THREADS */
	pthread_barrier_t start;
	void (*fn)(struct crowd *c, unsigned i);
	_Atomic unsigned wrong, hits;
	int64_t id;
};
struct member {
	struct crowd *c;
	unsigned i;
};

static void *
member_main(void *arg)
{
	struct member *m = arg;

	pthread_barrier_wait(&m->c->start);
	m->c->fn(m->c, m->i);
	return NULL;
}

/* Run fn in n threads at once. */
static void
crowd_run(struct crowd *c)
{
	unsigned n = c->n == 0 ? THREADS : c->n;
	struct member *m = calloc(n, sizeof(*m));
	pthread_t *t = calloc(n, sizeof(*t));
	pthread_attr_t small;

	assert_true(m != NULL && t != NULL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	assert_int_equal(pthread_barrier_init(&c->start, NULL, n), 0);
	for (unsigned i = 0; i < n; i++) {
		m[i] = (struct member){ c, i };
		assert_int_equal(pthread_create(&t[i], &small, member_main, &m[i]), 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&c->start);
	pthread_attr_destroy(&small);
	free(m);
	free(t);
}

static void
begin_same(struct crowd *c, unsigned i)
{
	struct store_tx row;
	struct err err;
	struct sf_tx t;
	bool fresh;

	sf_tx(&t, 1);
	if (store_tx_begin(c->f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &err) != RC_OK) {
		c->wrong++;
		return;
	}
	c->hits += fresh;
	if (row.id != 1 || row.state != TX_RECEIVED)
		c->wrong++;
	store_tx_done(&row);
}

static void
one_request_from_many_threads_is_one_row(void **state)
{
	struct crowd c = { .f = *state, .fn = begin_same };

	crowd_run(&c);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.hits, 1);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM tx"), 1);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM pending"), 1);
}

static void
reserve_same(struct crowd *c, unsigned i)
{
	struct err err;
	struct sf_tx t;
	enum rc rc;

	sf_tx(&t, i);
	c->wrong += store_tx_reserve(c->f->s, c->id, "static", t.serial, NULL, &err) != RC_OK;
	rc = store_tx_signed(c->f->s, c->id, &t.cert, true, &err);
	c->hits += rc == RC_OK;
	c->wrong += rc != RC_OK && rc != RC_CONFLICT;
}

static void
one_thread_of_many_wins_a_transaction(void **state)
{
	struct crowd c = { .f = *state, .fn = reserve_same };

	c.id = sf_begin(c.f, 1, TX_RECEIVED);
	crowd_run(&c);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.hits, 1);
	assert_int_equal(sf_state(c.f, c.id), TX_SIGNED);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM cert"), 1);
}

/* A whole enrolment; every third thread does what must fail in the middle of it. */
static void
enrol_or_fail(struct crowd *c, unsigned i)
{
	struct store *s = c->f->s;
	struct store_tx row;
	struct sf_tx t, first;
	struct err err;
	bool fresh;

	sf_tx(&t, 100 + i);
	sf_tx(&first, 1);
	if (store_tx_begin(s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &err) != RC_OK ||
	    !fresh) {
		c->wrong++;
		return;
	}
	if (i % 3 == 0) {
		/* Moved, audited, and only then found to use a serial number twice. */
		c->wrong +=
		    store_tx_reserve(s, row.id, "static", first.serial, NULL, &err) != RC_OK;
		c->wrong += store_tx_signed(s, row.id, &first.cert, true, &err) != RC_CONFLICT;
	} else {
		c->wrong += store_tx_reserve(s, row.id, "static", t.serial, NULL, &err) != RC_OK;
		c->wrong += store_tx_signed(s, row.id, &t.cert, true, &err) != RC_OK;
		c->wrong += store_tx_notified(s, row.id, &err) != RC_OK;
		store_tx_delivered(s, row.id);
		c->hits++;
	}
	store_tx_done(&row);
}

static void
a_step_that_fails_takes_no_other_with_it(void **state)
{
	struct crowd c = { .f = *state, .fn = enrol_or_fail };
	uint64_t rows;

	sf_drive(c.f, 1, TX_SIGNED);
	crowd_run(&c);
	assert_int_equal(c.wrong, 0);
	sf_restart(c.f);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM cert"), c.hits + 1);
	assert_int_equal(sf_number(c.f, "SELECT count(*) FROM tx WHERE state = 6"), c.hits);
	assert_int_equal(
	    sf_number(c.f, "SELECT count(*) FROM tx WHERE state = 3"), THREADS - c.hits);
	assert_int_equal(
	    sf_number(c.f, "SELECT count(*) FROM audit WHERE event = 'issue'"), c.hits + 1);
	ok(c.f, store_audit_verify(c.f->s, &rows, &c.f->err));
	assert_int_equal(rows, c.hits + 1);
}

static void
audit_some(struct crowd *c, unsigned i)
{
	struct err err;

	for (unsigned k = 0; k < 4; k++)
		c->wrong += store_audit(c->f->s, "load", "", &err) != RC_OK;
}

static void
waiting_threads_share_a_commit(void **state)
{
	struct crowd c = { .f = *state, .fn = audit_some };
	struct store_stats st = { 0 };

	/* While one commits, others come; on a machine where they do not, they get more chances. */
	for (int tries = 0; tries < 50 && st.writes == st.commits; tries++) {
		crowd_run(&c);
		ok(c.f, store_stats(c.f->s, &st, &c.f->err));
	}
	assert_int_equal(c.wrong, 0);
	assert_true(st.writes > st.commits);
}

static void
a_lone_step_is_committed_alone(void **state)
{
	struct sf *f = *state;
	struct store_stats st;

	for (unsigned i = 1; i <= 5; i++) {
		ok(f, store_audit(f->s, "one", "", &f->err));
		ok(f, store_stats(f->s, &st, &f->err));
		assert_int_equal(st.writes, i);
		assert_int_equal(st.commits, i);
	}
}

static void
deliveries_are_written_by_themselves_at_the_latest_when_closing(void **state)
{
	struct sf *f = *state;
	int64_t id[3];

	for (unsigned i = 0; i < 3; i++)
		id[i] = sf_drive(f, i, TX_NOTIFIED);
	store_tx_delivered(f->s, id[0]);
	for (int tries = 0; tries < 6000 && sf_state(f, id[0]) != TX_DELIVERED; tries++)
		usleep(10000);
	assert_int_equal(sf_state(f, id[0]), TX_DELIVERED);
	store_tx_delivered(f->s, id[1]);
	store_tx_delivered(f->s, id[2]);
	sf_restart(f);
	assert_int_equal(sf_state(f, id[1]), TX_DELIVERED);
	assert_int_equal(sf_state(f, id[2]), TX_DELIVERED);
}

static void
no_number_of_deliveries_blocks_or_breaks(void **state)
{
	struct sf *f = *state;
	int64_t id = sf_drive(f, 1, TX_NOTIFIED);

	for (int i = 0; i < 20000; i++)
		store_tx_delivered(f->s, i % 2 == 0 ? id : 1000 + i);
	sf_restart(f);
	assert_int_equal(sf_state(f, id), TX_DELIVERED);
}

/* Readers beside writers: what is read is always a committed state. */
static void
read_or_write(struct crowd *c, unsigned i)
{
	struct store_stats st;
	uint64_t rows;
	struct err err;

	for (unsigned k = 0; k < 3; k++) {
		if (i % 2 == 0) {
			enrol_or_fail(c, 1 + 3 * (i * 10 + k));
			continue;
		}
		c->wrong += store_stats(c->f->s, &st, &err) != RC_OK;
		c->wrong += st.certs < st.tx[TX_SIGNED] + st.tx[TX_NOTIFIED] + st.tx[TX_DELIVERED];
		c->wrong += store_audit_verify(c->f->s, &rows, &err) != RC_OK;
	}
}

static void
readers_see_whole_steps_only(void **state)
{
	struct crowd c = { .f = *state, .fn = read_or_write };

	crowd_run(&c);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.hits, THREADS / 2 * 3);
}

/* Another program that holds the database for a while. */
static void *
hold(void *arg)
{
	usleep(50000);
	(void)sqlite3_exec(arg, "COMMIT", NULL, NULL, NULL);
	return NULL;
}

static void
hold_begin(struct sf *f, sqlite3 **db, pthread_t *t)
{
	assert_int_equal(sqlite3_open(f->path, db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(*db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(pthread_create(t, NULL, hold, *db), 0);
}

static void
hold_end(sqlite3 *db, pthread_t t)
{
	pthread_join(t, NULL);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
a_locked_database_is_waited_for(void **state)
{
	struct sf *f = *state;
	pthread_t t;
	sqlite3 *db;

	hold_begin(f, &db, &t);
	ok(f, store_audit(f->s, "after", "", &f->err));
	hold_end(db, t);
}

static void
audit_one(struct crowd *c, unsigned i)
{
	struct err err;

	c->wrong += store_audit(c->f->s, "one", "", &err) != RC_OK;
}

static void
more_callers_than_the_queue_holds_are_all_served(void **state)
{
	struct crowd c = { .f = *state, .n = STORE_QUEUE_MAX + 200, .fn = audit_one };
	uint64_t rows;
	pthread_t t;
	sqlite3 *db;

	/* Meanwhile they pile up: in several groups, in the queue, and outside it. */
	hold_begin(c.f, &db, &t);
	crowd_run(&c);
	hold_end(db, t);
	assert_int_equal(c.wrong, 0);
	ok(c.f, store_audit_verify(c.f->s, &rows, &c.f->err));
	assert_int_equal(rows, c.n);
}

/* ---- steps that nobody waits for ---- */

/* Begin without looking at the row behind the store's back, which would wait for it. */
static int64_t
begin_left(struct sf *f, struct sf_tx *t, unsigned n, bool *fresh)
{
	struct store_tx row;
	int64_t id;

	sf_tx(t, n);
	ok(f, store_tx_begin(f->s, &t->key, t->csr, sizeof(t->csr), &row, fresh, &f->err));
	id = row.id;
	assert_int_equal(row.state, TX_RECEIVED);
	store_tx_done(&row);
	return id;
}

static void
what_is_left_is_written_by_itself(void **state)
{
	struct sf *f = *state;
	struct store_stats st = { 0 };
	struct sf_tx t;
	bool fresh;
	int64_t id = begin_left(f, &t, 1, &fresh);

	assert_true(fresh);
	ok(f, store_tx_reserve(f->s, id, "static", t.serial, NULL, &f->err));
	for (int tries = 0; tries < 6000 && st.tx[TX_RESERVED] == 0; tries++) {
		usleep(10000);
		ok(f, store_stats(f->s, &st, &f->err));
	}
	assert_int_equal(st.tx[TX_RESERVED], 1);
}

static void
what_is_left_is_written_when_closing(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	bool fresh;
	int64_t id = begin_left(f, &t, 1, &fresh);

	ok(f, store_tx_reserve(f->s, id, "static", t.serial, "{}", &f->err));
	sf_restart(f);
	assert_int_equal(sf_state(f, id), TX_RESERVED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 1);
	assert_int_equal(begin_left(f, &t, 2, &fresh), id + 1);
}

static void
what_is_left_is_durable_with_what_is_awaited_after_it(void **state)
{
	struct sf *f = *state;
	struct sf_tx t[3];
	int64_t id[3];
	bool fresh;

	for (unsigned i = 0; i < 3; i++)
		id[i] = begin_left(f, &t[i], i, &fresh);
	for (unsigned i = 0; i < 3; i++)
		ok(f, store_tx_reserve(f->s, id[i], "static", t[i].serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id[2], &t[2].cert, true, &f->err));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sf_state(f, id[i]), i == 2 ? TX_SIGNED : TX_RESERVED);
}

/* Whatever the moment: in the same commit, or when the failure is long over. */
static void
a_row_that_cannot_be_written_fails_its_transaction(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	bool fresh;
	int64_t id, first = 0;

	sf_sql(f, "CREATE TRIGGER no BEFORE INSERT ON tx BEGIN SELECT RAISE(ABORT, 'no'); END");
	for (int flush = 0; flush < 2; flush++) {
		id = begin_left(f, &t, 1, &fresh);
		assert_true(fresh);
		assert_true(id > first);
		first = id;
		if (flush)
			ok(f, store_flush(f->s, &f->err));
		ok(f, store_tx_reserve(f->s, id, "static", t.serial, NULL, &f->err));
		assert_int_equal(store_tx_signed(f->s, id, &t.cert, true, &f->err), RC_NOTFOUND);
		assert_int_equal(store_tx_refused(f->s, id, "no", true, 1, &f->err), RC_NOTFOUND);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), 0);
	sf_sql(f, "DROP TRIGGER no");
	id = begin_left(f, &t, 1, &fresh);
	assert_true(fresh && id > first); /* nobody else's number */
	ok(f, store_tx_reserve(f->s, id, "static", t.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &t.cert, true, &f->err));
}

static void
a_reservation_that_cannot_be_written_fails_its_transaction(void **state)
{
	struct sf *f = *state;
	struct sf_tx t, other;
	bool fresh;
	int64_t id;

	sf_sql(f,
	    "CREATE TRIGGER no BEFORE UPDATE ON tx WHEN new.state = 3"
	    " BEGIN SELECT RAISE(ABORT, 'no'); END");
	sf_drive(f, 7, TX_RECEIVED);
	id = begin_left(f, &t, 1, &fresh);
	ok(f, store_tx_reserve(f->s, id, "static", t.serial, NULL, &f->err));
	assert_int_equal(store_tx_signed(f->s, id, &t.cert, true, &f->err), RC_CONFLICT);
	assert_int_equal(sf_state(f, id), TX_RECEIVED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit"), 0);
	sf_sql(f, "DROP TRIGGER no");
	/* The number that was not reserved stays out, another one can be. */
	assert_int_equal(store_tx_signed(f->s, id, &t.cert, true, &f->err), RC_CONFLICT);
	sf_tx(&other, 2);
	ok(f, store_tx_reserve(f->s, id, "static", other.serial, NULL, &f->err));
	ok(f, store_tx_signed(f->s, id, &other.cert, true, &f->err));
}

static void
more_new_rows_than_the_queue_holds_are_all_written(void **state)
{
	struct sf *f = *state;
	pthread_t t;
	sqlite3 *db;

	hold_begin(f, &db, &t);
	for (unsigned i = 0; i < STORE_QUEUE_MAX + 300; i++) {
		struct sf_tx tx;
		bool fresh = false;

		(void)begin_left(f, &tx, i, &fresh);
		assert_true(fresh);
	}
	hold_end(db, t);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM tx"), STORE_QUEUE_MAX + 300);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM pending"), STORE_QUEUE_MAX + 300);
}

#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(one_request_from_many_threads_is_one_row),
		T(one_thread_of_many_wins_a_transaction),
		T(a_step_that_fails_takes_no_other_with_it),
		T(waiting_threads_share_a_commit),
		T(a_lone_step_is_committed_alone),
		T(deliveries_are_written_by_themselves_at_the_latest_when_closing),
		T(no_number_of_deliveries_blocks_or_breaks),
		T(readers_see_whole_steps_only),
		T(a_locked_database_is_waited_for),
		T(more_callers_than_the_queue_holds_are_all_served),
		T(what_is_left_is_written_by_itself),
		T(what_is_left_is_written_when_closing),
		T(what_is_left_is_durable_with_what_is_awaited_after_it),
		T(a_row_that_cannot_be_written_fails_its_transaction),
		T(a_reservation_that_cannot_be_written_fails_its_transaction),
		T(more_new_rows_than_the_queue_holds_are_all_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
