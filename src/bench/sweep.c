/*
 * sweep.c - see sweep.h.  The certificates, and what the directory says of their devices, are put into the database by
 * the program sqlite3 while scepd is down: enrolling and asking for a hundred thousand would take hours.
 */
#include "bench/sweep.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "bench/program.h"
#include "bench/server.h"
#include "bench/stop.h"
#include "bench/workdir.h"

#define FILL_MS  (30 * 60 * 1000)
#define SWEEP_MS (60 * 60 * 1000) /* a million certificates on a slow disk */
#define TOOL_MS  60000
#define LOOK_MS  5

struct run {
	const struct sweep_spec *spec;
	struct sweep_figures *figures;
	struct cpus cpus;
	struct progress progress;
	char *dir, *scepd, *scepctl, *db, *config, *log, *tool_log;
	struct keys keys;
	struct intune_stub *stub;
	struct server server;
	FILE *seen; /* the log, read on */
};

/* ---- what is there before scepd starts ---- */

/* The configuration with `line` before the first that begins with `key`, as far in as that. */
static enum rc
put_before(struct buf *b, const char *key, const char *line, struct err *err)
{
	struct buf made;
	const char *text = buf_str(b), *at = strstr(text, key), *begin = at;
	enum rc rc;

	if (at == NULL)
		return fail(err, RC_BUG, "the configuration has no \"%s\"", key);
	while (begin > text && begin[-1] != '\n')
		begin--;
	buf_init(&made, LIMIT_CONFIG);
	buf_add(&made, text, (size_t)(at - text));
	buf_addf(&made, "%s\n%.*s%s", line, (int)(at - begin), begin, at);
	rc = buf_ok(&made, "configuration", err);
	buf_done(b);
	*b = made;
	return rc;
}

/* One rule, and a directory that is not asked: what it says is in the database.  Rules are judged at the start and
 * when an administrator has decided, so that nothing but the sweep is beside the enrolments. */
static enum rc
configure(struct run *r, struct err *err)
{
	static const char rules[] = "\nrevocation: { interval: 1h }\n"
				    "rules:\n  gone: { when: device-deleted, then: revoke }\n";
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_CONFIG);
	rc = file_read(&b, r->config, LIMIT_CONFIG, err);
	if (rc == RC_OK)
		rc = put_before(&b, "properties:", "directory: false", err);
	if (rc == RC_OK) /* the load is more than what devices need in an hour */
		rc = put_before(&b, "ra_certificate:", "max_per_hour: 10000000", err);
	buf_adds(&b, rules);
	if (rc == RC_OK)
		rc = buf_ok(&b, "configuration", err);
	if (rc == RC_OK)
		rc = file_write(r->config, b.data, b.len, 0600, 1, err);
	buf_done(&b);
	return rc;
}

/* Certificates as large as real ones, each of a device that is gone for good (presence 4). */
static enum rc
fill(struct run *r, struct err *err)
{
	static const char form[] =
	    "BEGIN;"
	    "CREATE TEMP TABLE n(i INTEGER PRIMARY KEY);"
	    "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < %llu)"
	    " INSERT INTO n SELECT i FROM k;"
	    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca, "
	    "endpoint,"
	    " profile, subject, thumbprint, der) SELECT i,"
	    " CAST(x'7E' || randomblob(15) AS BLOB), 0, 0, 1, 1, 4000000000, 'issuing', 'default',"
	    " 'device', 'CN=device-' || i, '00', randomblob(1200) FROM n;"
	    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn,"
	    " serial_number, sid, platform, owner, enrolled, asked, tries) SELECT i, 2, 'bench',"
	    " printf('%%08x-0000-4000-8000-00000000000a', i), '', '',"
	    " printf('%%08x-0000-4000-8000-00000000000d', i), '', '', '', 'Windows', 'company', 1,"
	    " 1, 0 FROM n;"
	    "INSERT INTO dir_object(tenant, kind, id, presence, enabled, compliant, compliance,"
	    " management, risk, name, platform, owner, enrolled, last_seen, known, risk_known)"
	    " SELECT 'bench', 3, printf('%%08x-0000-4000-8000-00000000000d', i), 4, -1, 1,"
	    " 'compliant', 'managed', '', 'device-' || i, 'Windows', 'company', 1, %lld, %lld, 0"
	    " FROM n;"
	    "COMMIT";
	long long now = (long long)clock_now();
	const char *argv[] = { "sqlite3", r->db, NULL, NULL };
	struct child_spec child = { "sqlite3", argv, &r->cpus.all, r->tool_log };
	char *text;
	enum rc rc = str_format(&text, err, form, (unsigned long long)r->spec->certs, now, now);

	if (rc != RC_OK)
		return rc;
	argv[2] = text;
	rc = child_run(&child, FILL_MS, err);
	free(text);
	return rc;
}

/* ---- the log ---- */

static uint64_t
number_after(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void
note_list(struct run *r, const char *line)
{
	struct sweep_lists *l = &r->figures->lists;
	uint64_t entries = number_after(line, " entries=");
	double seconds = (double)number_after(line, " ms=") / 1e3;

	l->n++;
	l->seconds = seconds > l->seconds ? seconds : l->seconds;
	if (entries >= l->entries) {
		l->entries = entries;
		l->bytes = number_after(line, " bytes=");
	}
}

/* What came since the last look, up to a line with all of `words`; *found: there was one, and it is in `line`. */
static void
look(struct run *r, const char *const words[2], char line[static 1024], bool *found)
{
	*found = false;
	while (!*found && fgets(line, 1024, r->seen) != NULL) {
		if (strstr(line, " crl ca=issuing list=full ") != NULL)
			note_list(r, line);
		*found = strstr(line, words[0]) != NULL && strstr(line, words[1]) != NULL;
	}
	clearerr(r->seen);
}

static enum rc
await(struct run *r, const char *a, const char *b, char line[static 1024], struct err *err)
{
	const char *const words[2] = { a, b };
	int64_t until = clock_mono_ms() + SWEEP_MS;
	bool found;
	enum rc rc;

	for (;;) {
		look(r, words, line, &found);
		if (found)
			return RC_OK;
		if (!child_running(r->server.child))
			return child_ended(r->server.child, err);
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "scepd does not say \"%s ... %s\"", a, b);
		stop_sleep_ms(LOOK_MS);
	}
}

/* ---- load beside it ---- */

struct beside {
	struct run *r;
	struct session *session;
	struct batch *batch;
	pthread_t thread;
	bool running;
	atomic_bool enough;
	struct load_result result;
	enum rc rc;
	struct err err;
	uint64_t first_us, last_us; /* the sweep's */
};

static void *
load(void *arg)
{
	const struct progress quiet = { false };
	struct beside *b = arg;
	struct target t;

	b->rc = target_parse(&t, b->r->server.url, &b->err);
	if (b->rc == RC_OK)
		b->rc = load_run_while(&b->result, &t, batch_shots(b->batch),
		    (size_t)b->r->spec->count, (unsigned)b->r->spec->concurrency, &b->enough,
		    &quiet, "enrolling", &b->err);
	return NULL;
}

static enum rc
beside_prepare(struct beside *b, struct run *r, struct err *err)
{
	const struct session_conf sc = { .url = r->server.url };
	struct batch_spec bs = {
		.keys = &r->keys, .n = (size_t)r->spec->count, .subject = r->server.subject
	};
	enum rc rc = session_open(&b->session, &sc, err);

	b->r = r;
	bs.session = b->session;
	return rc == RC_OK ? batch_build(&b->batch, &bs, &r->cpus, &r->progress, err) : rc;
}

static enum rc
beside_start(struct beside *b, struct err *err)
{
	if (pthread_create(&b->thread, NULL, load, b) != 0)
		return fail(err, RC_NOMEM, "no thread for the load");
	b->running = true;
	return RC_OK;
}

static void
beside_end(struct beside *b)
{
	b->enough = true;
	if (b->running)
		(void)pthread_join(b->thread, NULL);
	b->running = false;
}

static void
beside_done(struct beside *b)
{
	beside_end(b);
	batch_free(b->batch);
	session_free(b->session);
}

/* Answers between the sweep's first and last turn; the load may have been over before. */
static enum rc
beside_count(struct beside *b, struct err *err)
{
	struct sweep_figures *f = b->r->figures;
	const struct shot *v = batch_shots(b->batch);
	struct verdict verdict;
	uint64_t last = 0;
	enum rc rc;

	if (b->rc != RC_OK)
		return fail(err, b->rc, "%s", b->err.msg);
	for (size_t i = 0; i < b->result.sent; i++) {
		f->meanwhile += v[i].at_us >= b->first_us && v[i].at_us <= b->last_us;
		last = v[i].at_us > last ? v[i].at_us : last;
	}
	if (last > b->last_us)
		last = b->last_us;
	f->enrolled = last > b->first_us ? (double)(last - b->first_us) / 1e6 : 0;
	f->per_second = f->enrolled > 0 ? (double)f->meanwhile / f->enrolled : 0;
	rc = batch_judge(&verdict, b->batch, &b->r->cpus, &b->r->progress, err);
	if (rc == RC_OK)
		f->bad = b->result.sent - verdict.ok + verdict.twice;
	if (rc == RC_OK && f->bad > 0) /* what was not sent comes behind it */
		(void)snprintf(f->fault, sizeof(f->fault), "%s", verdict.first_fault);
	return rc;
}

/* ---- the sweep ---- */

static enum rc
usages(struct run *r, struct usage out[SWEEP__PROCESSES], struct err *err)
{
	static const char *const roles[] = { [SWEEP_FRONT] = "front", [SWEEP_SIGNER] = "signer" };
	enum rc rc = RC_OK;

	for (int i = 0; i < SWEEP__PROCESSES && rc == RC_OK; i++)
		rc = usage_read_role(&out[i], child_pid(r->server.child), roles[i], err);
	return rc;
}

static enum rc
approve(struct run *r, struct err *err)
{
	const char *argv[] = { r->scepctl, "sweep", "approve", "--config", r->config, "--yes", "1",
		NULL };
	struct child_spec child = { "scepctl sweep approve", argv, &r->cpus.rest, r->tool_log };

	return child_run(&child, TOOL_MS, err);
}

static void
note_usage(struct run *r, const struct usage before[SWEEP__PROCESSES],
    struct usage after[SWEEP__PROCESSES])
{
	for (int i = 0; i < SWEEP__PROCESSES; i++) {
		r->figures->peak_before[i] = before[i].peak;
		after[i].user -= before[i].user;
		after[i].system -= before[i].system;
		after[i].disk -= before[i].disk;
		r->figures->by[i] = after[i];
	}
}

/* From the approval to the last turn, and to the list that has it. */
static enum rc
carry_out(struct run *r, struct beside *b, struct err *err)
{
	struct usage before[SWEEP__PROCESSES], after[SWEEP__PROCESSES];
	struct sweep_figures *f = r->figures;
	char line[1024], all[40];
	uint64_t approved;
	enum rc rc;

	if ((rc = usages(r, before, err)) != RC_OK)
		return rc;
	approved = clock_mono_us();
	if ((rc = approve(r, err)) != RC_OK ||
	    (rc = await(r, " sweep ", " goes on: ", line, err)) != RC_OK)
		return rc;
	b->first_us = clock_mono_us();
	if ((rc = beside_start(b, err)) != RC_OK)
		return rc;
	f->lists = (struct sweep_lists){ 0 };
	progress_show(&r->progress, "carrying out the sweep", 0, 0);
	if ((rc = await(r, " sweep ", " is done: ", line, err)) != RC_OK)
		return rc;
	b->last_us = clock_mono_us();
	f->revoked = number_after(line, " is done: ");
	f->seconds = (double)(b->last_us - b->first_us) / 1e6;
	if ((rc = usages(r, after, err)) != RC_OK)
		return rc;
	note_usage(r, before, after);
	beside_end(b);
	(void)snprintf(all, sizeof(all), " entries=%llu ", (unsigned long long)f->revoked);
	if (f->lists.entries < f->revoked)
		rc = await(r, " list=full ", all, line, err);
	f->all_listed = (double)(clock_mono_us() - approved) / 1e6;
	return rc;
}

/* ---- the run ---- */

static enum rc
measure_waiting(struct run *r, struct err *err)
{
	struct measure_spec ms = { .url = r->server.url,
		.subject = r->server.subject,
		.server = r->server.child,
		.keys = &r->keys,
		.n = (size_t)r->spec->count,
		.concurrency = (unsigned)r->spec->concurrency,
		.cpus = &r->cpus,
		.progress = &r->progress };
	char line[1024];
	enum rc rc = await(r, " sweep ", "rules would turn ", line, err);

	return rc == RC_OK ? measure(&r->figures->before, &ms, err) : rc;
}

static enum rc
measure_sweep(struct run *r, struct err *err)
{
	struct beside b = { .r = r };
	enum rc rc = beside_prepare(&b, r, err);

	if (rc == RC_OK)
		rc = carry_out(r, &b, err);
	beside_end(&b);
	progress_clear(&r->progress);
	if (rc == RC_OK)
		rc = beside_count(&b, err);
	beside_done(&b);
	return rc;
}

static enum rc
serve(struct run *r, struct server_spec *ss, struct err *err)
{
	enum rc rc = server_start_scepd(&r->server, ss, err);

	if (rc == RC_OK && (r->seen = fopen(r->log, "re")) == NULL)
		rc = fail_errno(err, "%s", r->log);
	if (rc == RC_OK)
		rc = measure_waiting(r, err);
	if (rc == RC_OK)
		rc = measure_sweep(r, err);
	server_stop(&r->server);
	if (r->seen != NULL)
		(void)fclose(r->seen);
	return rc;
}

/* The first start makes the database; the second finds it full. */
static enum rc
measure_all(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, r->scepd, r->scepctl, NULL, false };
	enum rc rc = intune_stub_start(&r->stub, err);

	ss.stub = r->stub;
	progress_show(&r->progress, "making a CA", 0, 0);
	if (rc == RC_OK && (rc = server_init_scepd(&ss, err)) == RC_OK &&
	    (rc = configure(r, err)) == RC_OK) {
		rc = server_start_scepd(&r->server, &ss, err);
		server_stop(&r->server);
	}
	progress_show(&r->progress, "making a database", 0, 0);
	if (rc == RC_OK)
		rc = fill(r, err);
	progress_clear(&r->progress);
	if (rc == RC_OK)
		rc = serve(r, &ss, err);
	intune_stub_stop(r->stub);
	return rc;
}

static enum rc
prepare(struct run *r, struct err *err)
{
	const struct {
		char **out;
		const char *name;
	} rows[] = { { &r->db, "scepd/scepd.db" }, { &r->config, "scepd/scepd.yaml" },
		{ &r->log, "scepd.log" }, { &r->tool_log, "tools.log" } };
	size_t n = (size_t)(r->spec->keys < r->spec->count ? r->spec->keys : r->spec->count);
	enum rc rc;

	if (!program_there("sqlite3"))
		return fail(err, RC_NOTFOUND, "the program sqlite3 is not there");
	if ((rc = cpus_read(&r->cpus, err)) != RC_OK ||
	    (rc = program_find(&r->scepd, r->spec->scepd, "scepd", err)) != RC_OK ||
	    (rc = program_find(&r->scepctl, r->spec->scepctl, "scepctl", err)) != RC_OK ||
	    (rc = workdir_make(&r->dir, err)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = path_join(rows[i].out, r->dir, rows[i].name, err);
	r->figures->cores = r->cpus.n;
	cpus_use(&r->cpus.rest);
	return rc == RC_OK ? keys_make(&r->keys, "rsa:2048", n, &r->cpus, &r->progress, err) : rc;
}

enum rc
sweep_bench_run(struct sweep_figures *out, const struct sweep_spec *spec, struct err *err)
{
	struct run r = { .spec = spec, .figures = out };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->certs = spec->certs;
	stop_block();
	progress_init(&r.progress);
	if ((rc = prepare(&r, err)) == RC_OK)
		rc = measure_all(&r, err);
	if (spec->keep && r.dir != NULL)
		(void)fprintf(stderr, "scepbench: kept %s\n", r.dir);
	else
		workdir_remove(r.dir);
	keys_done(&r.keys);
	free(r.scepd);
	free(r.scepctl);
	free(r.db);
	free(r.config);
	free(r.log);
	free(r.tool_log);
	return rc;
}
