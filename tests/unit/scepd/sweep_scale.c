/*
 * sweep_scale.c - what rules cost with a hundred thousand certificates: a round where nothing is new, a sweep that is
 * stopped, and carrying it out while certificates are issued.  Prints time and memory; no test.
 *
 *	sweep_scale [CERTIFICATES [FOLDER]]     FOLDER: where the database is made, and left
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "scepd/sweep.h"
#include "scepd/sweep_plan.h"
#include "store/store_directory.h"

struct scale {
	struct store *s;
	struct config config;
	struct directory_rule rules[6];
	struct metrics *metrics;
	struct sweeper *w;
	unsigned n;
	char path[300];
	atomic_bool stop, issuing;
	/* Of the thread that issues beside it: microseconds. */
	uint64_t issued, sum_us, worst_us;
};

static struct err err;

static void
must(enum rc rc, const char *what)
{
	if (rc == RC_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, err.msg);
	exit(1);
}

static void
sql(struct scale *b, const char *text)
{
	char *why = NULL;
	sqlite3 *db;

	if (sqlite3_open(b->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) {
		(void)fprintf(stderr, "%s\n", why);
		exit(1);
	}
	sqlite3_close(db);
}

/* Certificates of N users with a device each, as large as real ones, and everybody well. */
static void
people_the_database(struct scale *b)
{
	char text[6000];

	(void)snprintf(text, sizeof(text),
	    "PRAGMA synchronous = OFF; BEGIN;"
	    "CREATE TEMP TABLE n(i INTEGER PRIMARY KEY);"
	    "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < %u)"
	    " INSERT INTO n SELECT i FROM k;"
	    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca, "
	    "endpoint,"
	    " profile, subject, thumbprint, der) SELECT i, CAST(x'7E' || randomblob(15) AS BLOB), "
	    "0, 0, 1, 1, 4000000000,"
	    " 'issuing', 'wifi', 'device', 'CN=device-' || i, '00', randomblob(1200) FROM n;"
	    "INSERT INTO binding SELECT i, 2, 'contoso', "
	    "printf('%%08x-0000-4000-8000-00000000000a', i),"
	    " printf('%%08x-0000-4000-8000-00000000000b', i), "
	    "printf('%%08x-0000-4000-8000-00000000000c',"
	    " i), printf('%%08x-0000-4000-8000-00000000000d', i), 'user' || i || '@contoso.com', "
	    "'', '',"
	    " 'Windows', 'company', 1, 0, 0 FROM n;"
	    "INSERT INTO dir_object(tenant, kind, id, presence, enabled, compliant, compliance,"
	    " management, risk, name, platform, owner, enrolled, last_seen, known, risk_known)"
	    " SELECT 'contoso', k.kind, printf('%%08x-0000-4000-8000-00000000000%%s', i, k.c), 1, "
	    "1, 1,"
	    " 'compliant', 'managed', 'none', 'name-' || i, 'Windows', 'company', 1, %lld, %lld, "
	    "%lld"
	    " FROM n, (SELECT 1 AS kind, 'a' AS c UNION SELECT 2, 'c' UNION SELECT 3, 'd') k;"
	    "COMMIT;",
	    b->n, (long long)clock_now(), (long long)clock_now(), (long long)clock_now());
	sql(b, text);
}

static void
report(const char *what, int64_t began, uint64_t n)
{
	static double before;
	double cpu;
	struct rusage u;
	int64_t ms = clock_mono_ms() - began;

	(void)getrusage(RUSAGE_SELF, &u);
	cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	(void)printf("%-58s %8lld ms  %6.2f s of a core  %6.1f us each  peak %ld MiB\n", what,
	    (long long)ms, cpu - before, n > 0 ? 1e6 * (cpu - before) / (double)n : 0.0,
	    u.ru_maxrss / 1024);
	before = cpu;
	(void)fflush(stdout);
}

static void
plan(struct scale *b, const char *what)
{
	const struct plan_ask ask = {
		.store = b->s, .rules = b->rules, .n_rules = b->config.n_rules, .now = clock_now()
	};
	struct sweep_plan *p = calloc(1, sizeof(*p));
	int64_t began = clock_mono_ms();

	must(sweep_plan_make(p, &ask, &err), what);
	(void)printf("  %llu certificates, %zu turns\n", (unsigned long long)p->of, p->n);
	report(what, began, b->n);
	sweep_plan_done(p);
	free(p);
}

/* Enrolments as the store sees them: three commits that are waited for. */
static void *
issue(void *arg)
{
	struct scale *b = arg;
	struct err why;

	for (unsigned i = 1; b->issuing; i++) {
		int64_t began = clock_mono_ms();
		uint8_t csr[32] = { 0 }, signer[32] = { 0 };
		char tx[32], serial[48];
		struct store_tx row;
		struct tx_key key = { "wifi", tx, csr, signer };
		struct store_cert c = { .ca = "issuing",
			.endpoint = "wifi",
			.profile = "device",
			.serial = serial,
			.thumbprint = "00",
			.der = csr,
			.der_len = 32,
			.not_after = 4000000000 };
		uint64_t us;
		bool fresh;

		(void)snprintf(tx, sizeof(tx), "T%u", i);
		(void)snprintf(serial, sizeof(serial), "7F%030X", i);
		memcpy(csr, &i, sizeof(i));
		if (store_tx_begin(b->s, &key, csr, 32, &row, &fresh, &why) != RC_OK ||
		    store_tx_reserve(b->s, row.id, "issuing", serial, NULL, &why) != RC_OK ||
		    store_tx_signed(b->s, row.id, &c, true, &why) != RC_OK ||
		    store_tx_notified(b->s, row.id, &why) != RC_OK) {
			(void)fprintf(stderr, "issue: %s\n", why.msg);
			exit(1);
		}
		store_tx_done(&row);
		us = (uint64_t)(clock_mono_ms() - began) * 1000;
		b->issued++;
		b->sum_us += us;
		b->worst_us = us > b->worst_us ? us : b->worst_us;
		(void)usleep(10000);
	}
	return NULL;
}

static void
carry_out(struct scale *b)
{
	struct store_sweep s = { 0 };
	pthread_t thread;
	int64_t began;

	must(store_sweep_current(b->s, &s, &err), "sweep");
	(void)printf("  %s\n", s.why);
	must(store_sweep_decide(b->s, s.id, SWEEP_APPROVED, "jane", &err), "approve");
	b->issuing = true;
	(void)pthread_create(&thread, NULL, issue, b);
	began = clock_mono_ms();
	sweeper_run(b->w, clock_now_ms(), &b->stop);
	report("approved sweep carried out, certificates issued meanwhile", began, s.turns);
	b->issuing = false;
	(void)pthread_join(thread, NULL);
	(void)printf("  %llu certificates issued meanwhile: %.1f ms on average, %.1f ms at worst\n",
	    (unsigned long long)b->issued,
	    b->issued > 0 ? (double)b->sum_us / 1000.0 / (double)b->issued : 0.0,
	    (double)b->worst_us / 1000.0);
	store_sweep_done(&s);
	must(store_sweep_get(b->s, s.id == 0 ? 1 : s.id, &s, &err), "sweep");
	(void)printf("  sweep is %s, %llu of %llu turns made\n", sweep_state_name(s.state),
	    (unsigned long long)s.applied, (unsigned long long)s.turns);
	store_sweep_done(&s);
}

static void
set_up(struct scale *b, const char *dir)
{
	static const enum rule_when whens[] = { WHEN_DEVICE_WIPED, WHEN_NOT_COMPLIANT,
		WHEN_USER_DISABLED, WHEN_USER_DELETED, WHEN_DEVICE_DISABLED, WHEN_DEVICE_DELETED };
	struct sweeper_conf conf;
	char url[320];

	for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++)
		b->rules[i] = (struct directory_rule){ .name = rule_when_name(whens[i]),
			.when = whens[i],
			.then = CAUSE_HOLD,
			.max_age = 7 * 86400 };
	b->config.rules = b->rules;
	b->config.n_rules = sizeof(whens) / sizeof(whens[0]);
	b->config.revocation.brake = (struct conf_brake){ 10, 500, 10, 3600 };
	(void)snprintf(b->path, sizeof(b->path), "%s/scepd.db", dir);
	(void)snprintf(url, sizeof(url), "sqlite:%s", b->path);
	must(store_open(&b->s, url, &err), "open");
	must(metrics_new(&b->metrics, &err), "metrics");
	conf = (struct sweeper_conf){ .store = b->s, .config = &b->config, .metrics = b->metrics };
	must(sweeper_new(&b->w, &conf, &err), "sweeper");
}

int
main(int argc, char **argv)
{
	static struct scale b;
	char dir[256] = "/tmp/scepd-sweep-scale.XXXXXX";
	int64_t began;

	b.n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	if (argc > 2)
		(void)snprintf(dir, sizeof(dir), "%s", argv[2]);
	else if (mkdtemp(dir) == NULL)
		return 1;
	log_setup(LOG_LEVEL__MAX, LOG_TEXT, 2);
	set_up(&b, dir);
	people_the_database(&b);
	plan(&b, "rules judged, nothing is new");
	plan(&b, "the same again");
	sql(&b, "UPDATE dir_object SET compliant = 0, compliance = 'noncompliant' WHERE kind = 3");
	plan(&b, "rules judged, everybody not compliant");
	began = clock_mono_ms();
	sweeper_run(b.w, clock_now_ms(), &b.stop);
	report("sweep stopped and written", began, b.n);
	began = clock_mono_ms();
	sweeper_run(b.w, clock_now_ms(), &b.stop);
	report("a round while it waits", began, b.n);
	carry_out(&b);
	plan(&b, "rules judged, everybody held");
	sweeper_free(b.w);
	metrics_free(b.metrics);
	store_close(b.s);
	if (argc <= 2)
		(void)printf("database: %s\n", dir);
	return 0;
}
