/*
 * crash_status_test.c - kill -9 while statuses change, with scepctl's way in beside the daemon's: a batch is there
 * whole or not at all, and each row says what its causes say.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store_status.h"

#include "fixture.h"

#define ROUNDS  3
#define BATCHES 3  /* of certificates, each held and released as a whole */
#define SIZE    20 /* certificates of a batch */
#define ACKS    10 /* batches acknowledged before the kill, about */

/* What a child says before and after a batch: smaller than PIPE_BUF, so it arrives whole. */
struct note {
	unsigned batch;
	bool held, done;
};

static enum rc
set_batch(struct store *s, unsigned batch, const char *rule, bool held, struct err *err)
{
	static struct sf_tx t[SIZE];
	struct store_cause_set v[SIZE];

	for (unsigned i = 0; i < SIZE; i++) {
		sf_tx(&t[i], 1 + batch * SIZE + i);
		v[i] = (struct store_cause_set){ .serial = t[i].serial,
			.source = rule != NULL ? CAUSE_RULE : CAUSE_MANUAL,
			.rule = rule,
			.effect = held ? CAUSE_HOLD : CAUSE_GONE,
			.who = "jane" };
	}
	return store_causes_set(s, v, SIZE, NULL, err);
}

/* By turns as the daemon and as scepctl, each with a connection and a writer of its own. */
static void
child_main(struct sf *f, int fd)
{
	struct store *s[2];

	if (store_open(&s[0], f->url, &f->err) != RC_OK ||
	    store_open_shared(&s[1], f->url, &f->err) != RC_OK)
		_exit(1);
	for (unsigned n = 0; n < 10000; n++) {
		struct note a = { n % BATCHES, n / BATCHES % 2 == 0, false };

		if (write(fd, &a, sizeof(a)) != sizeof(a))
			_exit(2);
		if (set_batch(s[n % 2], a.batch, "r", a.held, &f->err) != RC_OK)
			_exit(3);
		a.done = true;
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			_exit(2);
	}
	_exit(0);
}

/* The last note about each batch. */
static void
run_and_kill(struct sf *f, unsigned acks, struct note *last)
{
	int fd[2], status;
	unsigned got = 0;
	struct note a;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		child_main(f, fd[1]);
	}
	close(fd[1]);
	while (read(fd[0], &a, sizeof(a)) == sizeof(a)) {
		last[a.batch] = a;
		if (!a.done && ++got == acks) {
			usleep(1000 * (acks % 7)); /* into the middle of it */
			assert_int_equal(kill(pid, SIGKILL), 0);
		}
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Each of these counts rows that are half of a change. */
static const char *const halves[] = {
	"SELECT count(*) FROM cert c WHERE (revoked <> 0) <>"
	" EXISTS (SELECT 1 FROM cause k WHERE k.cert_id = c.id)",
	"SELECT count(*) FROM cert c WHERE revoked <> 0 AND revoked <>"
	" (SELECT min(since) FROM cause k WHERE k.cert_id = c.id)",
	"SELECT count(*) FROM cert c WHERE revoked <> 0 AND NOT EXISTS"
	" (SELECT 1 FROM status_change s WHERE s.cert_id = c.id)",
	"SELECT (SELECT coalesce(max(number), 0) FROM status_change) - (SELECT count(*) FROM audit"
	" WHERE event IN ('cert-hold', 'cert-release'))",
	"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

static void
check(struct sf *f, const struct note *last)
{
	uint64_t rows;

	ok(f, store_open(&f->s, f->url, &f->err));
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		if (sf_number(f, halves[i]) != 0)
			fail_msg("%lld rows: %s", (long long)sf_number(f, halves[i]), halves[i]);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	for (unsigned b = 0; b < BATCHES; b++) {
		char sql[160];
		int64_t held;

		snprintf(sql, sizeof(sql),
		    "SELECT count(*) FROM cert WHERE revoked <> 0 AND id BETWEEN %u AND %u",
		    1 + b * SIZE, (b + 1) * SIZE);
		held = sf_number(f, sql);
		assert_true(held == 0 || held == SIZE);
		if (last[b].done)
			assert_int_equal(held, last[b].held ? SIZE : 0);
	}
	store_close(f->s);
	f->s = NULL;
}

static void
a_batch_survives_a_kill_whole_or_not_at_all(void **state)
{
	struct sf *f = *state;
	struct note last[BATCHES] = { { 0 } };

	ok(f, store_open(&f->s, f->url, &f->err));
	for (unsigned n = 1; n <= BATCHES * SIZE; n++)
		(void)sf_drive(f, n, TX_SIGNED);
	store_close(f->s);
	f->s = NULL;
	for (unsigned round = 0; round < ROUNDS; round++) {
		run_and_kill(f, ACKS + 5 * round, last);
		check(f, last);
		/* What is repeated comes to the same. */
		for (unsigned b = 0; b < BATCHES; b++)
			last[b] = (struct note){ b, false, false };
	}
}

/* A tool and the daemon, each with causes of its own on the same certificates. */
static void
two_processes_agree_on_the_status(void **state)
{
	struct sf *f = *state;
	struct store_status s;
	int status, turns = 12;
	struct sf_tx t;
	pid_t pid;

	ok(f, store_open(&f->s, f->url, &f->err));
	for (unsigned n = 1; n <= SIZE; n++)
		(void)sf_drive(f, n, TX_SIGNED);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *shared;
		bool fine = store_open_shared(&shared, f->url, &f->err) == RC_OK;

		for (int i = 0; fine && i < turns; i++)
			fine = set_batch(shared, 0, NULL, i % 2 == 0, &f->err) == RC_OK;
		fine = fine && set_batch(shared, 0, NULL, true, &f->err) == RC_OK;
		_exit(fine ? 0 : 1);
	}
	for (int i = 0; i <= turns; i++)
		ok(f, set_batch(f->s, 0, "r", i % 2 == 0, &f->err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (unsigned n = 1; n <= SIZE; n++) {
		sf_tx(&t, n);
		ok(f, store_status_get(f->s, t.serial, NULL, &s, &f->err));
		assert_int_equal(s.state, CERT_HELD);
		assert_int_equal(s.n_causes, 2);
		store_status_done(&s);
	}
	/* Theirs goes, ours stays. */
	ok(f, set_batch(f->s, 0, NULL, false, &f->err));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert WHERE reason = 6"), SIZE);
	ok(f, set_batch(f->s, 0, "r", false, &f->err));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cert WHERE revoked <> 0"), 0);
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		assert_int_equal(sf_number(f, halves[i]), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_batch_survives_a_kill_whole_or_not_at_all, sf_setup_closed, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    two_processes_agree_on_the_status, sf_setup_closed, sf_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
