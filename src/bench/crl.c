/*
 * crl.c - see crl.h.  Revoking a million certificates one by one would take an hour of enrolments; the rows
 * that they would leave are put into the database by the program sqlite3 while scepd is down.
 */
#include "bench/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "bench/program.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/server.h"
#include "bench/stop.h"
#include "bench/usage.h"
#include "bench/workdir.h"
#include "json/json.h"

#define ROW          "  %-24s"
#define GOAL_SECONDS 1.0
#define GOAL_BYTES   (100 * 1000 * 1000)
#define FILL_MS      (30 * 60 * 1000) /* a million rows on a slow disk */
#define LIST_MS      (5 * 60 * 1000)
#define LOOK_MS      50
#define LOG_MAX      (8u << 20)

struct run {
	const struct crl_spec *spec;
	struct crl_figures *figures;
	struct cpus cpus;
	struct progress progress;
	char *dir, *scepd, *scepctl, *db, *log, *sql_log;
	struct server server;
	uint64_t seen; /* lists in the log so far */
};

/* ---- the database ---- */

static enum rc
sql(struct run *r, const char *text, struct err *err)
{
	const char *argv[] = { "sqlite3", r->db, text, NULL };
	struct child_spec child = { "sqlite3", argv, &r->cpus.all, r->sql_log };

	return child_run(&child, FILL_MS, err);
}

/* Serial numbers as scepd makes them, 16 random octets of which the first is not 0; half of them for a reason,
 * which half of the lists' size is. */
static enum rc
fill(struct run *r, struct err *err)
{
	static const char form[] =
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %llu)"
	    " INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked,"
	    " reason, ca, endpoint, profile, thumbprint, der)"
	    " SELECT randomblob(16), 0, 1, 1700000000, 1700000000, 4000000000, 1700000000 + i,"
	    " (i %% 2) * 4, 'issuing', 'lab', 'lab', '', x'30' FROM n;"
	    "UPDATE cert SET serial = randomblob(16) WHERE substr(hex(serial), 1, 2) = '00';"
	    "UPDATE cert SET serial = randomblob(16) WHERE substr(hex(serial), 1, 2) = '00';"
	    "DELETE FROM cert WHERE substr(hex(serial), 1, 2) = '00';"
	    "INSERT INTO status_change(cert_id, number, at) SELECT id, id, 1700000000 FROM cert "
	    "WHERE revoked <> 0";
	char *text;
	enum rc rc = str_format(&text, err, form, (unsigned long long)r->spec->entries);

	if (rc == RC_OK)
		rc = sql(r, text, err);
	free(text);
	return rc;
}

/* One more, as by scepctl. */
static enum rc
one_more(struct run *r, struct err *err)
{
	return sql(r,
	    "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked,"
	    " reason, ca, endpoint, profile, thumbprint, der) VALUES (x'4111111111', 0, 1,"
	    " 1700000000, 1700000000, 4000000000, 1700000000, 4, 'issuing', 'lab', 'lab', '',"
	    " x'30');"
	    "INSERT INTO status_change(cert_id, number, at) SELECT id, id, 1700000000 FROM cert "
	    "WHERE serial = x'4111111111'",
	    err);
}

/* ---- lists ---- */

/* "key=number" behind `line`. */
static uint64_t
number_of(const char *line, const char *key)
{
	const char *end = strchr(line, '\n'), *at = strstr(line, key);

	return at != NULL && (end == NULL || at < end) ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The lines about complete lists in the log; the last one goes to *out. */
static enum rc
read_log(struct run *r, struct crl_pass *out, uint64_t *n, struct err *err)
{
	static const char words[] = "crl ca=issuing list=full ";
	struct buf b;
	enum rc rc;

	buf_init(&b, LOG_MAX);
	*n = 0;
	rc = file_read(&b, r->log, LOG_MAX, err);
	for (const char *at = buf_str(&b); rc == RC_OK && (at = strstr(at, words)) != NULL; at++) {
		out->entries = number_of(at, " entries=");
		out->bytes = number_of(at, " bytes=");
		out->seconds = (double)number_of(at, " ms=") / 1e3;
		++*n;
	}
	buf_done(&b);
	return rc;
}

static enum rc
await_list(struct run *r, struct crl_pass *out, struct err *err)
{
	int64_t until = clock_mono_ms() + LIST_MS;
	uint64_t n = 0;
	enum rc rc;

	while ((rc = read_log(r, out, &n, err)) == RC_OK && n <= r->seen) {
		if (!child_running(r->server.child))
			return child_ended(r->server.child, err);
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "scepd makes no list");
		stop_sleep_ms(LOOK_MS);
	}
	r->seen = n;
	return rc;
}

static enum rc
usage_now(struct run *r, struct usage *out, struct err *err)
{
	return usage_read(out, child_pid(r->server.child), err);
}

static enum rc
start(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, r->scepd, r->scepctl, NULL, false };

	return server_start_scepd(&r->server, &ss, err);
}

/* An empty server, after its first list. */
static enum rc
measure_idle(struct run *r, struct err *err)
{
	struct crl_pass ignored;
	struct usage u;
	enum rc rc;

	if ((rc = start(r, err)) == RC_OK && (rc = await_list(r, &ignored, err)) == RC_OK &&
	    (rc = usage_now(r, &u, err)) == RC_OK)
		r->figures->idle = u.peak;
	server_stop(&r->server);
	return rc;
}

static void
note(struct crl_pass *p, const struct usage *before0, const struct usage *after, uint64_t idle)
{
	p->cpu = after->user + after->system;
	if (before0 != NULL)
		p->cpu -= before0->user + before0->system;
	p->above = (int64_t)after->peak - (int64_t)idle;
}

/* Both lists of one server: peaks are of its whole life, so the second one's is above what was there when the
 * first one was out. */
static enum rc
measure_lists(struct run *r, struct err *err)
{
	struct crl_pass *first = &r->figures->by[CRL_FIRST], *again = &r->figures->by[CRL_AGAIN];
	struct usage served, after;
	enum rc rc;

	if ((rc = start(r, err)) == RC_OK && (rc = await_list(r, first, err)) == RC_OK &&
	    (rc = usage_now(r, &served, err)) == RC_OK) {
		note(first, NULL, &served, r->figures->idle);
		if ((rc = one_more(r, err)) == RC_OK && (rc = await_list(r, again, err)) == RC_OK &&
		    (rc = usage_now(r, &after, err)) == RC_OK)
			note(again, &served, &after, served.rss);
	}
	server_stop(&r->server);
	return rc;
}

/* ---- the run ---- */

static enum rc
measure_hash(struct run *r, struct err *err)
{
	size_t len = (size_t)r->figures->by[CRL_AGAIN].bytes;
	uint8_t md[32], *bytes = calloc(1, len + 1);
	uint64_t began;
	enum rc rc;

	if (bytes == NULL)
		return fail(err, RC_NOMEM, "as many bytes as the list has");
	memset(bytes, 1, len); /* the pages are there */
	began = clock_mono_us();
	rc = digest_bytes(md, DIGEST_SHA256, bytes, len, err);
	r->figures->hash = (double)(clock_mono_us() - began) / 1e6;
	free(bytes);
	return rc;
}

static enum rc
measure_all(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, r->scepd, r->scepctl, NULL, false };
	enum rc rc;

	progress_show(&r->progress, "making a CA and starting scepd", 0, 0);
	if ((rc = server_init_scepd(&ss, err)) == RC_OK)
		rc = measure_idle(r, err);
	progress_show(&r->progress, "making a database", 0, 0);
	if (rc == RC_OK)
		rc = fill(r, err);
	progress_show(&r->progress, "making lists", 0, 0);
	if (rc == RC_OK)
		rc = measure_lists(r, err);
	progress_clear(&r->progress);
	return rc == RC_OK ? measure_hash(r, err) : rc;
}

static enum rc
paths(struct run *r, struct err *err)
{
	const struct {
		char **out;
		const char *name;
	} rows[] = { { &r->db, "scepd/scepd.db" }, { &r->log, "scepd.log" },
		{ &r->sql_log, "sqlite3.log" } };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = path_join(rows[i].out, r->dir, rows[i].name, err);
	return rc;
}

enum rc
crl_run(struct crl_figures *out, const struct crl_spec *spec, struct err *err)
{
	struct run r = { .spec = spec, .figures = out };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	stop_block();
	progress_init(&r.progress);
	if (!program_there("sqlite3"))
		return fail(err, RC_NOTFOUND, "the program sqlite3 is not there");
	if ((rc = cpus_read(&r.cpus, err)) == RC_OK &&
	    (rc = program_find(&r.scepd, spec->scepd, "scepd", err)) == RC_OK &&
	    (rc = program_find(&r.scepctl, spec->scepctl, "scepctl", err)) == RC_OK &&
	    (rc = workdir_make(&r.dir, err)) == RC_OK && (rc = paths(&r, err)) == RC_OK) {
		out->cores = r.cpus.n;
		cpus_use(&r.cpus.rest);
		rc = measure_all(&r, err);
	}
	workdir_remove(r.dir);
	free(r.scepd);
	free(r.scepctl);
	free(r.db);
	free(r.log);
	free(r.sql_log);
	return rc;
}

/* ---- figures ---- */

static const struct {
	const char *name, *json;
} passes[CRL__PASSES] = {
	[CRL_FIRST] = { "the first list after a start", "first" },
	[CRL_AGAIN] = { "the next one, while that is served", "again" },
};

static const char *
reached(bool yes)
{
	return yes ? "reached" : "MISSED";
}

void
crl_print(const struct crl_figures *f)
{
	printf("scepd on one core of %d, %.1f MB when idle\n", f->cores, (double)f->idle / 1e6);
	for (enum crl_which i = 0; i < CRL__PASSES; i++) {
		const struct crl_pass *p = &f->by[i];

		printf("\n%s\n", passes[i].name);
		printf(ROW "%llu entries, %.1f MB\n", "list", (unsigned long long)p->entries,
		    (double)p->bytes / 1e6);
		printf(ROW "%.3f s, goal %.0f s: %s; %.1f times SHA-256 of the list\n",
		    "store to signed list", p->seconds, GOAL_SECONDS,
		    reached(p->seconds < GOAL_SECONDS), p->seconds / f->hash);
		printf(
		    ROW "%.3f s%s\n", "CPU time", p->cpu, i == CRL_FIRST ? ", with the start" : "");
		printf(ROW "%.1f MB above %s, goal %d MB: %s; %.2f times the list\n", "memory",
		    (double)p->above / 1e6, i == CRL_FIRST ? "an idle server" : "before",
		    GOAL_BYTES / 1000000, reached(p->above < GOAL_BYTES),
		    (double)p->above / (double)p->bytes);
	}
}

static json_t *
pass_json(const struct crl_figures *f, enum crl_which i)
{
	const struct crl_pass *p = &f->by[i];

	return json_pack("{s:I, s:I, s:f, s:f, s:f, s:I, s:f}", "entries", (json_int_t)p->entries,
	    "bytes", (json_int_t)p->bytes, "seconds", p->seconds, "toSha256", p->seconds / f->hash,
	    "cpuSeconds", p->cpu, "bytesAbove", (json_int_t)p->above, "memoryToList",
	    (double)p->above / (double)p->bytes);
}

int
crl_print_json(const struct crl_figures *f)
{
	json_t *v = json_pack("{s:s, s:i, s:I, s:f, s:f, s:I}", "program", "scepd", "cores",
	    f->cores, "idleBytes", (json_int_t)f->idle, "sha256Seconds", f->hash, "goalSeconds",
	    GOAL_SECONDS, "goalBytes", (json_int_t)GOAL_BYTES);

	for (enum crl_which i = 0; i < CRL__PASSES; i++)
		(void)json_object_set_new(v, passes[i].json, pass_json(f, i));
	return report_json(v);
}
