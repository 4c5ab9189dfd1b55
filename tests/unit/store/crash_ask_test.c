/*
 * crash_ask_test.c - kill -9 while requests are held and decided, passwords used and certificates
 * renewed: what was acknowledged is there, and nothing is half done.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#include "fixture.h"

#define ROUNDS   4
#define THREADS  4
#define ACKS     120 /* before the kill, about */
#define TX_MAX_N 4000
#define OTPS     3

/* Acknowledged of a transaction: the last of these. */
enum told { NOTHING, HELD, APPROVED, DENIED, TAKEN, GIVEN_BACK, SIGNED };
struct ack {
	unsigned n;
	enum told what;
};

struct child {
	struct store *s;
	int fd;
	unsigned first;
};

static void
say(const struct child *c, unsigned n, enum told what)
{
	struct ack a = { n, what };

	if (write(c->fd, &a, sizeof(a)) != sizeof(a))
		_exit(2);
}

static void
must(enum rc rc, int status)
{
	if (rc != RC_OK)
		_exit(status);
}

static void
sign(struct child *c, unsigned n, int64_t id, const char *replaces)
{
	struct sf_tx t;
	struct err err;

	sf_tx(&t, n);
	t.cert.replaces = replaces;
	t.cert.revoke_replaced = replaces == NULL ? 0 : 1;
	must(store_tx_reserve(c->s, id, "test", t.serial, NULL, &err), 10);
	must(store_tx_signed(c->s, id, &t.cert, false, &err), 11);
	say(c, n, SIGNED);
	must(store_tx_notified(c->s, id, &err), 12);
	store_tx_delivered(c->s, id);
}

static void
decided(struct child *c, unsigned n, int64_t id, bool yes)
{
	static const struct store_hold_ask ask = { .subject = "CN=x", .lifetime_ms = 3600000 };
	struct store_hold h;
	struct err err;

	must(store_hold(c->s, id, &ask, &h, &err), 20);
	store_hold_done(&h);
	say(c, n, HELD);
	must(
	    store_hold_decide(c->s, id, yes ? HOLD_APPROVED : HOLD_DENIED, "jane", NULL, &err), 21);
	say(c, n, yes ? APPROVED : DENIED);
	if (yes)
		sign(c, n, id, NULL);
}

static void
with_password(struct child *c, unsigned n, int64_t id, bool good)
{
	struct err err;

	must(store_otp_take(c->s, 1 + n % OTPS, id, &err), 30);
	say(c, n, TAKEN);
	if (good) {
		sign(c, n, id, NULL);
		return;
	}
	must(store_tx_refused(c->s, id, "no", false, 0, &err), 31);
	say(c, n, GIVEN_BACK);
}

/* The one with a password, two before, if another thread has it ready; and old ones are revoked
 * meanwhile. */
static void
renewed(struct child *c, unsigned n, int64_t id)
{
	struct store_replaced *list;
	struct store_cert_row row;
	struct sf_tx old;
	struct err err;
	size_t gone;

	sf_tx(&old, n - 2);
	if (store_cert_get(c->s, old.serial, NULL, &row, &err) == RC_OK) {
		store_cert_row_done(&row);
		sign(c, n, id, old.serial);
	}
	must(store_flush(c->s, &err), 41); /* delivered */
	must(store_replaced_revoke(c->s, clock_now(), &list, &gone, &err), 40);
	store_replaced_free(list, gone);
}

static void
ask_one(struct child *c, unsigned n)
{
	struct store_tx row;
	struct sf_tx t;
	struct err err;
	bool fresh;

	sf_tx(&t, n);
	must(store_tx_begin(c->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &err), 3);
	if (n % 5 < 2)
		decided(c, n, row.id, n % 5 == 0);
	else if (n % 5 < 4)
		with_password(c, n, row.id, n % 5 == 2);
	else
		renewed(c, n, row.id);
	store_tx_done(&row);
}

static void *
child_thread(void *arg)
{
	struct child *c = arg;

	for (unsigned n = c->first; n < TX_MAX_N; n += THREADS)
		ask_one(c, n);
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

static void
run_and_kill(struct sf *f, unsigned first, unsigned acks, enum told *told)
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
		told[a.n] = a.what;
		if (got == acks)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
}

/* What each acknowledgement promises about transaction TXn, as a number that must not be 0. */
static const char *const promises[] = {
	[HELD] = "SELECT count(*) FROM approval WHERE transaction_id = 'TX%u'",
	[APPROVED] = "SELECT count(*) FROM approval WHERE transaction_id = 'TX%u' AND verdict = 2",
	[DENIED] = "SELECT count(*) FROM approval a, tx t WHERE a.tx_id = t.id"
		   " AND t.transaction_id = 'TX%u' AND a.verdict = 3 AND t.state = 7",
	[TAKEN] = "SELECT count(*) FROM tx t WHERE transaction_id = 'TX%u' AND (state = 7"
		  " OR EXISTS (SELECT 1 FROM otp_use u WHERE u.tx_id = t.id))",
	[GIVEN_BACK] = "SELECT count(*) FROM tx t WHERE transaction_id = 'TX%u' AND state = 7"
		       " AND NOT EXISTS (SELECT 1 FROM otp_use u WHERE u.tx_id = t.id)",
	[SIGNED] = "SELECT count(*) FROM tx WHERE transaction_id = 'TX%u' AND state IN (4,5,6)",
};

/* Each of these counts rows that are half of a step. */
static const char *const halves[] = {
	"SELECT count(*) FROM approval a CROSS JOIN tx t ON t.id = a.tx_id"
	" WHERE (a.verdict = 3) <> (t.state = 7)",
	"SELECT count(*) FROM approval a CROSS JOIN tx t ON t.id = a.tx_id"
	" WHERE a.verdict = 1 AND t.state <> 1",
	"SELECT count(*) FROM approval a WHERE a.verdict = 1"
	" AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.tx_id = a.tx_id)",
	"SELECT (SELECT count(*) FROM approval) - (SELECT count(*) FROM audit WHERE event = "
	"'hold')",
	"SELECT (SELECT count(*) FROM approval WHERE verdict = 2)"
	" - (SELECT count(*) FROM audit WHERE event = 'approve')",
	"SELECT (SELECT count(*) FROM approval WHERE verdict = 3)"
	" - (SELECT count(*) FROM audit WHERE event = 'deny')",
	"SELECT count(*) FROM otp o WHERE used <> (SELECT count(*) FROM otp_use WHERE otp_id = "
	"o.id)",
	"SELECT (SELECT count(*) FROM otp_use) + (SELECT count(*) FROM audit"
	" WHERE event = 'otp-back') - (SELECT count(*) FROM audit WHERE event = 'otp-use')",
	"SELECT count(*) FROM otp_use u CROSS JOIN tx t ON t.id = u.tx_id WHERE t.state >= 7",
	"SELECT (SELECT count(*) FROM renewal) - (SELECT count(*) FROM audit"
	" WHERE event = 'issue' AND detail LIKE '% replaces=%')",
	"SELECT count(*) FROM renewal r WHERE NOT EXISTS (SELECT 1 FROM cert WHERE id = r.cert_id)",
	"SELECT (SELECT count(*) FROM cert WHERE revoked <> 0) - (SELECT count(*) FROM audit"
	" WHERE event = 'revoke')",
	"SELECT count(*) FROM renewal r CROSS JOIN cert o ON o.id = r.old_id"
	" WHERE (r.due = 0) <> (o.revoked <> 0)",
};

static void
no_half_steps(struct sf *f)
{
	uint64_t rows;

	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		if (sf_number(f, halves[i]) != 0)
			fail_msg("%lld rows: %s", (long long)sf_number(f, halves[i]), halves[i]);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
}

static void
promises_are_kept(struct sf *f, const enum told *told)
{
	for (unsigned n = 1; n < TX_MAX_N; n++) {
		char sql[300];

		if (told[n] == NOTHING)
			continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(sql, sizeof(sql), promises[told[n]], n);
#pragma GCC diagnostic pop
		if (sf_number(f, sql) == 0)
			fail_msg("transaction %u: %s", n, sql);
	}
}

/* What recovery does at the start of a daemon. */
static void
recover(struct sf *f)
{
	struct store_tx *list;
	size_t n;

	ok(f, store_tx_unfinished(f->s, 10000, &list, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		if (list[i].state < TX_SIGNED)
			ok(f, store_tx_refused(f->s, list[i].id, "restart", false, 0, &f->err));
	store_tx_list_free(list, n);
}

static void
decisions_and_uses_survive_a_kill_whole_or_not_at_all(void **state)
{
	static enum told told[TX_MAX_N];
	struct store_otp o = { .endpoint = "corp",
		.expires = clock_now_ms() + 3600000,
		.uses = STORE_OTP_USES_MAX,
		.who = "jane" };
	struct sf *f = *state;
	int64_t id;

	ok(f, store_open(&f->s, f->url, &f->err));
	for (unsigned i = 0; i < OTPS; i++) {
		o.sha256[0] = (uint8_t)i;
		ok(f, store_otp_add(f->s, &o, 1, &id, &f->err));
		assert_int_equal(id, 1 + i);
	}
	store_close(f->s);
	f->s = NULL;
	for (unsigned round = 0; round < ROUNDS; round++) {
		run_and_kill(f, 1 + round * (TX_MAX_N / ROUNDS), ACKS + 17 * round, told);
		ok(f, store_open(&f->s, f->url, &f->err));
		promises_are_kept(f, told);
		no_half_steps(f);
		recover(f);
		no_half_steps(f);
		promises_are_kept(f, told); /* what is approved is approved still */
		store_close(f->s);
		f->s = NULL;
	}
	/* It was a test of something. */
	assert_true(sf_number(f, "SELECT count(*) FROM renewal WHERE due = 0") > 0);
	assert_true(sf_number(f, "SELECT count(*) FROM otp_use") > 0);
	assert_true(sf_number(f, "SELECT count(*) FROM approval WHERE verdict = 3") > 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    decisions_and_uses_survive_a_kill_whole_or_not_at_all, sf_setup_closed,
		    sf_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
