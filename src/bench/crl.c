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
#define CONFIG_MAX   65536

struct run {
	const struct crl_spec *spec;
	struct crl_figures *figures;
	struct cpus cpus;
	struct progress progress;
	char *dir, *scepd, *scepctl, *config, *db, *log, *sql_log;
	struct server server;
	uint64_t seen[CRL__KINDS]; /* lists in the log so far */
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

/* All certificates change at once: what changed since a complete list is all of it. */
static enum rc
all_change(struct run *r, struct err *err)
{
	return sql(r,
	    "UPDATE cert SET reason = 5 WHERE revoked <> 0;"
	    "UPDATE status_change SET number = number + (SELECT max(number) FROM "
	    "status_change)",
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

static enum crl_kind
kind_of(const char *name)
{
	return str_starts(name, "full ") ? CRL_FULL
	    : str_starts(name, "delta ") ? CRL_DELTA
					 : CRL_PARTS;
}

/* Lines of lists that were not there before are added up by kind; the time of lists that were made in one walk is
 * that of the last one. */
static enum rc
read_log(struct run *r, struct crl_pass out[static CRL__KINDS], uint64_t n[static CRL__KINDS],
    struct err *err)
{
	static const char words[] = "crl ca=issuing list=";
	struct buf b;
	enum rc rc;

	buf_init(&b, LOG_MAX);
	memset(out, 0, CRL__KINDS * sizeof(out[0]));
	memset(n, 0, CRL__KINDS * sizeof(n[0]));
	rc = file_read(&b, r->log, LOG_MAX, err);
	for (const char *at = buf_str(&b); rc == RC_OK && (at = strstr(at, words)) != NULL;) {
		enum crl_kind kind = kind_of(at += strlen(words));
		double seconds = (double)number_of(at, " ms=") / 1e3;

		if (++n[kind] <= r->seen[kind])
			continue;
		out[kind].entries += number_of(at, " entries=");
		out[kind].bytes += number_of(at, " bytes=");
		if (seconds > out[kind].seconds)
			out[kind].seconds = seconds;
	}
	buf_done(&b);
	return rc;
}

/* Until there are so many new lists of each kind. */
static enum rc
await_lists(struct run *r, struct crl_pass out[static CRL__KINDS],
    const uint64_t want[static CRL__KINDS], struct err *err)
{
	int64_t until = clock_mono_ms() + LIST_MS;
	uint64_t n[CRL__KINDS];
	bool all = false;
	enum rc rc;

	while ((rc = read_log(r, out, n, err)) == RC_OK && !all) {
		all = true;
		for (enum crl_kind k = 0; k < CRL__KINDS; k++)
			all &= n[k] >= r->seen[k] + want[k];
		if (!child_running(r->server.child))
			return child_ended(r->server.child, err);
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "scepd makes no list");
		if (!all)
			stop_sleep_ms(LOOK_MS);
	}
	memcpy(r->seen, n, sizeof(n));
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

/* The lists of a start, and those that one change makes. */
static void
lists_of(uint64_t want[static CRL__KINDS], const struct run *r, bool at_start)
{
	uint64_t parts = r->spec->partitions;

	want[CRL_FULL] = 1;
	want[CRL_DELTA] = parts > 0 ? 1 : 0;
	want[CRL_PARTS] = at_start ? parts : parts > 0 ? 1 : 0;
}

/* An empty server, after its first lists. */
static enum rc
measure_idle(struct run *r, struct err *err)
{
	struct crl_pass ignored[CRL__KINDS];
	uint64_t want[CRL__KINDS];
	struct usage u;
	enum rc rc;

	lists_of(want, r, true);
	if ((rc = start(r, err)) == RC_OK && (rc = await_lists(r, ignored, want, err)) == RC_OK &&
	    (rc = usage_now(r, &u, err)) == RC_OK)
		r->figures->idle = u.peak;
	server_stop(&r->server);
	return rc;
}

/* What making the lists of `i` took, from before0 (NULL: a start) on.  Peaks are of a process's whole life: of a
 * later pass it is what lies above the memory that was in use before it. */
static enum rc
measure_pass(struct run *r, enum crl_which i, const uint64_t want[static CRL__KINDS],
    const struct usage *before0, struct usage *after, struct err *err)
{
	struct crl_pass *p = r->figures->by[i];
	enum rc rc = await_lists(r, p, want, err);

	if (rc != RC_OK || (rc = usage_now(r, after, err)) != RC_OK)
		return rc;
	p->cpu = after->user + after->system;
	if (before0 != NULL)
		p->cpu -= before0->user + before0->system;
	p->above =
	    (int64_t)after->peak - (int64_t)(before0 != NULL ? before0->rss : r->figures->idle);
	return RC_OK;
}

static enum rc
measure_lists(struct run *r, struct err *err)
{
	uint64_t first[CRL__KINDS], again[CRL__KINDS];
	struct usage was, is;
	enum rc rc;

	lists_of(first, r, true);
	lists_of(again, r, false);
	if ((rc = start(r, err)) == RC_OK &&
	    (rc = measure_pass(r, CRL_FIRST, first, NULL, &was, err)) == RC_OK &&
	    (rc = one_more(r, err)) == RC_OK)
		rc = measure_pass(r, CRL_AGAIN, again, &was, &is, err);
	if (rc == RC_OK && r->spec->partitions > 0 && (rc = usage_now(r, &was, err)) == RC_OK &&
	    (rc = all_change(r, err)) == RC_OK)
		rc = measure_pass(r, CRL_BURST, first, &was, &is, err);
	server_stop(&r->server);
	return rc;
}

/* ---- the run ---- */

static enum rc
measure_hash(struct run *r, struct err *err)
{
	size_t len = (size_t)r->figures->by[CRL_AGAIN][CRL_FULL].bytes;
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

/* Keys of the issuing CA, in front of one that scepctl init writes. */
static enum rc
want_parts(struct run *r, struct err *err)
{
	static const char key[] = "    crl_validity:";
	struct buf b;
	char *text = NULL;
	const char *at;
	enum rc rc;

	buf_init(&b, CONFIG_MAX);
	if ((rc = file_read(&b, r->config, CONFIG_MAX, err)) == RC_OK) {
		if ((at = strstr(buf_str(&b), key)) == NULL)
			rc = fail(err, RC_PARSE, "%s: it has no crl_validity", r->config);
		else
			rc = str_format(&text, err,
			    "%.*s    crl_delta: true\n    crl_partitions: %llu\n%s",
			    (int)(at - buf_str(&b)), buf_str(&b),
			    (unsigned long long)r->spec->partitions, at);
	}
	if (rc == RC_OK)
		rc = file_write(r->config, text, strlen(text), 0640, -1, err);
	free(text);
	buf_done(&b);
	return rc;
}

static enum rc
measure_all(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, r->scepd, r->scepctl, NULL, false };
	enum rc rc;

	progress_show(&r->progress, "making a CA and starting scepd", 0, 0);
	if ((rc = server_init_scepd(&ss, err)) == RC_OK && r->spec->partitions > 0)
		rc = want_parts(r, err);
	if (rc == RC_OK)
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
	} rows[] = { { &r->config, "scepd/scepd.yaml" }, { &r->db, "scepd/scepd.db" },
		{ &r->log, "scepd.log" }, { &r->sql_log, "sqlite3.log" } };
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

	if ((spec->partitions & (spec->partitions - 1)) != 0)
		return fail(err, RC_CONFIG, "--partitions is a power of two");
	*out = (struct crl_figures){ .partitions = spec->partitions };
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
	free(r.config);
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
	[CRL_BURST] = { "all certificates change at once", "burst" },
};
static const struct {
	const char *name, *json;
} kinds[CRL__KINDS] = {
	[CRL_FULL] = { "complete list", "full" },
	[CRL_DELTA] = { "delta", "delta" },
	[CRL_PARTS] = { "partitions", "partitions" },
};

static const char *
reached(bool yes)
{
	return yes ? "reached" : "MISSED";
}

static uint64_t
bytes_of(const struct crl_pass p[static CRL__KINDS])
{
	return p[CRL_FULL].bytes + p[CRL_DELTA].bytes + p[CRL_PARTS].bytes;
}

/* The goals are those of a complete list by itself. */
static void
print_goals(const struct crl_figures *f, enum crl_which i)
{
	const struct crl_pass *p = f->by[i];

	printf(ROW "%.3f s, goal %.0f s: %s; %.1f times SHA-256 of the list\n",
	    "store to signed list", p->seconds, GOAL_SECONDS, reached(p->seconds < GOAL_SECONDS),
	    p->seconds / f->hash);
	printf(ROW "%.3f s%s\n", "CPU time", p->cpu, i == CRL_FIRST ? ", with the start" : "");
	printf(ROW "%.1f MB above %s, goal %d MB: %s; %.2f times the list\n", "memory",
	    (double)p->above / 1e6, i == CRL_FIRST ? "an idle server" : "before",
	    GOAL_BYTES / 1000000, reached(p->above < GOAL_BYTES),
	    (double)p->above / (double)p->bytes);
}

static void
print_kinds(const struct crl_figures *f, enum crl_which i)
{
	const struct crl_pass *p = f->by[i];

	for (enum crl_kind k = 0; k < CRL__KINDS; k++)
		printf(ROW "%llu entries, %.1f MB, %.3f s from the store to the signature\n",
		    kinds[k].name, (unsigned long long)p[k].entries, (double)p[k].bytes / 1e6,
		    p[k].seconds);
	printf(ROW "%.3f s%s\n", "CPU time", p->cpu, i == CRL_FIRST ? ", with the start" : "");
	printf(ROW "%.1f MB above %s, %.2f times these lists\n", "memory", (double)p->above / 1e6,
	    i == CRL_FIRST ? "an idle server" : "before", (double)p->above / (double)bytes_of(p));
}

void
crl_print(const struct crl_figures *f)
{
	printf("scepd on one core of %d, %.1f MB when idle\n", f->cores, (double)f->idle / 1e6);
	for (enum crl_which i = 0; i < CRL__PASSES; i++) {
		const struct crl_pass *p = f->by[i];

		if (p->bytes == 0)
			continue;
		printf("\n%s\n", passes[i].name);
		if (f->partitions > 0) {
			print_kinds(f, i);
			continue;
		}
		printf(ROW "%llu entries, %.1f MB\n", "list", (unsigned long long)p->entries,
		    (double)p->bytes / 1e6);
		print_goals(f, i);
	}
}

static json_t *
pass_json(const struct crl_figures *f, enum crl_which i)
{
	const struct crl_pass *p = f->by[i];
	json_t *v = json_pack("{s:I, s:I, s:f, s:f, s:f, s:I, s:f}", "entries",
	    (json_int_t)p->entries, "bytes", (json_int_t)p->bytes, "seconds", p->seconds,
	    "toSha256", p->seconds / f->hash, "cpuSeconds", p->cpu, "bytesAbove",
	    (json_int_t)p->above, "memoryToList", (double)p->above / (double)bytes_of(p));

	for (enum crl_kind k = CRL_DELTA; f->partitions > 0 && k < CRL__KINDS; k++)
		(void)json_object_set_new(v, kinds[k].json,
		    json_pack("{s:I, s:I, s:f}", "entries", (json_int_t)p[k].entries, "bytes",
			(json_int_t)p[k].bytes, "seconds", p[k].seconds));
	return v;
}

int
crl_print_json(const struct crl_figures *f)
{
	json_t *v = json_pack("{s:s, s:i, s:I, s:f, s:f, s:I, s:I}", "program", "scepd", "cores",
	    f->cores, "idleBytes", (json_int_t)f->idle, "sha256Seconds", f->hash, "goalSeconds",
	    GOAL_SECONDS, "goalBytes", (json_int_t)GOAL_BYTES, "partitions",
	    (json_int_t)f->partitions);

	for (enum crl_which i = 0; i < CRL__PASSES; i++)
		if (f->by[i][CRL_FULL].bytes > 0)
			(void)json_object_set_new(v, passes[i].json, pass_json(f, i));
	return report_json(v);
}
