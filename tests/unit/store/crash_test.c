/*
 * crash_test.c - kill -9 at any moment: every acknowledged step is there, no half step is.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define ROUNDS   4
#define THREADS  4
#define ACKS     150 /* steps acknowledged before the kill, about */
#define TX_MAX_N 4000

/* What a child says when a step has returned: smaller than PIPE_BUF, so it arrives whole. */
struct ack {
	unsigned n;
	enum tx_state state;
};

struct child {
	struct store *s;
	int fd;
	unsigned first;
};

static void
say(int fd, unsigned n, enum tx_state state)
{
	struct ack a = { n, state };

	if (write(fd, &a, sizeof(a)) != sizeof(a))
		_exit(2);
}

/* The first steps do not wait; of every third transaction they are waited for all the same. */
static void
early_step_done(struct child *c, unsigned n, enum tx_state state)
{
	struct err err;

	if (n % 3 != 0)
		return;
	if (store_flush(c->s, &err) != RC_OK)
		_exit(8);
	say(c->fd, n, state);
}

/* Every fourth transaction ends badly. */
static void
enrol(struct child *c, unsigned n)
{
	struct store_tx row;
	struct sf_tx t;
	struct err err;
	bool fresh;

	sf_tx(&t, n);
	if (store_tx_begin(c->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &err) != RC_OK)
		_exit(3);
	early_step_done(c, n, TX_RECEIVED);
	if (store_tx_reserve(c->s, row.id, "static", t.serial, NULL, &err) != RC_OK)
		_exit(4);
	early_step_done(c, n, TX_RESERVED);
	if (store_tx_signed(c->s, row.id, &t.cert, true, &err) != RC_OK)
		_exit(5);
	say(c->fd, n, TX_SIGNED);
	if (n % 4 == 0) {
		if (store_tx_undelivered(c->s, row.id, "no", true, 1, &err) != RC_OK)
			_exit(6);
		say(c->fd, n, TX_UNDELIVERED);
	} else {
		if (store_tx_notified(c->s, row.id, &err) != RC_OK)
			_exit(7);
		say(c->fd, n, TX_NOTIFIED);
		store_tx_delivered(c->s, row.id);
	}
	store_tx_done(&row);
}

static void *
child_thread(void *arg)
{
	struct child *c = arg;

	for (unsigned n = c->first; n < TX_MAX_N * (unsigned)ROUNDS; n += THREADS)
		enrol(c, n);
	return NULL;
}

static void
child_main(struct sf *f, int fd, unsigned first)
{
	struct child c[THREADS];
	pthread_t t[THREADS];
	struct store *s;

	if (store_open(&s, f->url, &f->err) != RC_OK)
		_exit(1);
	for (unsigned i = 0; i < THREADS; i++) {
		c[i] = (struct child){ s, fd, first + i };
		if (pthread_create(&t[i], NULL, child_thread, &c[i]) != 0)
			_exit(1);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	_exit(0);
}

/* Let a child work, kill it in the middle, and note what it was told. */
static void
run_and_kill(struct sf *f, unsigned first, unsigned acks, enum tx_state *told)
{
	int fd[2], status;
	struct ack a;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		child_main(f, fd[1], first);
	}
	close(fd[1]);
	for (unsigned got = 0; read(fd[0], &a, sizeof(a)) == sizeof(a); got++) {
		assert_in_range(a.n, 1, TX_MAX_N - 1);
		told[a.n] = a.state;
		if (got == acks)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The state after an acknowledged one: what may have been on its way. */
static bool
fits(unsigned n, enum tx_state told, enum tx_state found)
{
	static const enum tx_state next[TX__MAX] = {
		[TX_RECEIVED] = TX_RESERVED,
		[TX_RESERVED] = TX_SIGNED,
		[TX_NOTIFIED] = TX_DELIVERED,
		[TX_UNDELIVERED] = TX_UNDELIVERED,
	};

	if (found == told)
		return true;
	if (told == TX_SIGNED)
		return found == (n % 4 == 0 ? TX_UNDELIVERED : TX_NOTIFIED);
	return found == next[told];
}

static enum tx_state
state_of(struct sf *f, unsigned n)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT state FROM tx WHERE transaction_id = 'TX%u'", n);
	return (enum tx_state)sf_number(f, sql);
}

/* Each of these counts rows that are half of a step. */
static const char *const halves[] = {
	"SELECT count(*) FROM tx t WHERE state IN (4,5,6,8)"
	" AND NOT EXISTS (SELECT 1 FROM cert c WHERE c.tx_id = t.id AND c.serial = t.serial)",
	"SELECT count(*) FROM cert c WHERE NOT EXISTS"
	" (SELECT 1 FROM tx t WHERE t.id = c.tx_id AND t.state IN (4,5,6,8))",
	"SELECT count(*) FROM cert c WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.seq = c.audit"
	" AND a.event = 'issue' AND a.detail LIKE 'serial=' || hex(c.serial) || '%')",
	"SELECT (SELECT count(*) FROM cert) - (SELECT count(*) FROM audit WHERE event = 'issue')",
	"SELECT count(*) FROM tx t WHERE state = 8 AND NOT EXISTS (SELECT 1 FROM cert c"
	" WHERE c.tx_id = t.id AND c.revoked <> 0 AND c.reason = 5)",
	"SELECT count(*) FROM tx t WHERE state = 8"
	" AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.tx_id = t.id)",
	"SELECT count(*) FROM cert WHERE revoked <> 0 AND (SELECT state FROM tx WHERE id = tx_id) "
	"<> 8",
	"SELECT count(*) FROM tx t WHERE state <> 6"
	" AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.tx_id = t.id)",
	"SELECT count(*) FROM tx t WHERE state = 6"
	" AND EXISTS (SELECT 1 FROM pending p WHERE p.tx_id = t.id)",
	"SELECT count(*) FROM tx WHERE (state = 4) <> (notify = 1)",
};

static void
no_half_steps(struct sf *f)
{
	uint64_t rows;

	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		if (sf_number(f, halves[i]) != 0)
			fail_msg("%lld rows: %s", (long long)sf_number(f, halves[i]), halves[i]);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check <> 'ok'"),
	    0);
}

static void
every_acknowledged_step_survives_a_kill_and_no_half_step_does(void **state)
{
	static enum tx_state told[TX_MAX_N];
	struct sf *f = *state;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned first = 1 + round * (TX_MAX_N / ROUNDS);

		run_and_kill(f, first, ACKS + 13 * round, told);
		ok(f, store_open(&f->s, f->url, &f->err));
		for (unsigned n = 1; n < TX_MAX_N; n++)
			if (told[n] != 0 && !fits(n, told[n], state_of(f, n)))
				fail_msg("transaction %u: told %s, found %s", n,
				    tx_state_name(told[n]), tx_state_name(state_of(f, n)));
		no_half_steps(f);
		store_close(f->s);
		f->s = NULL;
	}
}

/* In a child, because limits stay with a process: the disk is full for a while. */
static int
full_disk(struct sf *f)
{
	struct rlimit old, small = { 0 };
	unsigned n = 1;
	struct stat st;
	struct sf_tx t;
	enum rc rc = RC_OK;

	signal(SIGXFSZ, SIG_IGN);
	if (store_open(&f->s, f->url, &f->err) != RC_OK || getrlimit(RLIMIT_FSIZE, &old) != 0)
		return 1;
	if (stat(f->path, &st) != 0)
		return 2;
	small.rlim_cur = (rlim_t)st.st_size + 200000;
	small.rlim_max = old.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &small) != 0)
		return 3;
	for (; n < 5000 && rc == RC_OK; n++) {
		struct store_tx row;
		bool fresh;

		sf_tx(&t, n);
		rc = store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err);
		if (rc != RC_OK)
			break;
		rc = store_flush(f->s, &f->err);
		store_tx_done(&row);
	}
	if (rc != RC_IO)
		return 4;
	if (setrlimit(RLIMIT_FSIZE, &old) != 0)
		return 5;
	/* All that was acknowledged is there, and work goes on. */
	if (sf_number(f, "SELECT count(*) FROM tx") != (int64_t)n - 2)
		return 6;
	sf_drive(f, n, TX_SIGNED);
	store_close(f->s);
	return 0;
}

static void
a_full_disk_fails_the_step_and_nothing_else(void **state)
{
	struct sf *f = *state;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(full_disk(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	ok(f, store_open(&f->s, f->url, &f->err));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert"), 1);
}

/* Many CRL numbers from a process of its own; each is said. */
static void
number_child(struct sf *f, int fd)
{
	struct store *s;
	uint64_t number;

	if (store_open_shared(&s, f->url, &f->err) != RC_OK)
		_exit(1);
	for (int i = 0; i < 20; i++) {
		if (store_crl_numbers(s, "issuing", 1, &number, &f->err) != RC_OK ||
		    store_audit(s, "crl", "", &f->err) != RC_OK ||
		    write(fd, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
	store_close(s);
	_exit(0);
}

static void
crl_numbers_are_given_once_across_processes(void **state)
{
	struct sf *f = *state;
	bool seen[61] = { false };
	uint64_t number, rows;
	pid_t pid[2];
	int fd[2], status;

	ok(f, store_open(&f->s, f->url, &f->err));
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(pipe(fd), 0);
	for (int i = 0; i < 2; i++)
		if ((pid[i] = fork()) == 0)
			number_child(f, fd[1]);
	close(fd[1]);
	ok(f, store_open(&f->s, f->url, &f->err));
	for (int i = 0; i < 20; i++) {
		ok(f, store_crl_numbers(f->s, "issuing", 1, &number, &f->err));
		assert_in_range(number, 1, 60);
		assert_false(seen[number]);
		seen[number] = true;
		ok(f, store_audit(f->s, "crl", "", &f->err));
	}
	while (read(fd[0], &number, sizeof(number)) == sizeof(number)) {
		assert_in_range(number, 1, 60);
		assert_false(seen[number]);
		seen[number] = true;
	}
	close(fd[0]);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, 60);
}

#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup_closed, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(every_acknowledged_step_survives_a_kill_and_no_half_step_does),
		T(a_full_disk_fails_the_step_and_nothing_else),
		T(crl_numbers_are_given_once_across_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
