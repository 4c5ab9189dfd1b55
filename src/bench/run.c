/* run.c - see run.h. */
#include "bench/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "bench/program.h"
#include "bench/server.h"
#include "bench/stop.h"
#include "bench/workdir.h"

/* The comparison needs fewer for a steady figure: it takes several times as long for each. */
#define MICROMDM_PART 4
#define MICROMDM_MIN  100

struct bench {
	const struct run_spec *spec;
	struct figures *figures;
	struct cpus cpus;
	struct progress progress;
	char *dir, *scepd, *scepctl, *scepserver;
	struct keys keys;
};

static enum rc
measure_server(
    struct measured *out, struct bench *b, const struct server *s, size_t n, struct err *err)
{
	struct measure_spec ms = { .url = s->url,
		.subject = s->subject,
		.challenge = s->challenge.len > 0 ? buf_str(&s->challenge) : NULL,
		.server = s->child,
		.keys = &b->keys,
		.n = n,
		.concurrency = (unsigned)b->spec->concurrency,
		.cpus = &b->cpus,
		.progress = &b->progress };

	return measure(out, &ms, err);
}

/* ---- scepd */

static enum rc
bound(struct bench *b, const char *what, struct err *err)
{
	struct figures *f = b->figures;
	enum rc rc;

	progress_show(&b->progress, what, 0, 0);
	rc = speed_measure(
	    &f->bounds[f->n_bounds], b->dir, &b->cpus, (unsigned)b->spec->seconds, err);
	progress_clear(&b->progress);
	f->n_bounds += rc == RC_OK;
	return rc;
}

static enum rc
measure_round(struct bench *b, struct server_spec *ss, struct round *r, struct err *err)
{
	struct server s;
	enum rc rc;

	ss->single = r->mode == MODE_SINGLE;
	progress_show(&b->progress, "starting scepd", 0, 0);
	rc = server_start_scepd(&s, ss, err);
	progress_clear(&b->progress);
	if (rc == RC_OK)
		rc = measure_server(&r->m, b, &s, r->count, err);
	server_stop(&s);
	return rc;
}

/* The bound is taken on both sides of the load, and in its middle: a machine that gets slower
 * meanwhile shows. */
static enum rc
measure_rounds(struct bench *b, struct server_spec *ss, struct err *err)
{
	struct rounds *r = &b->figures->rounds;
	enum rc rc;

	for (; r->done < r->n; r->done++) {
		if (r->done == r->n / 2 && r->n > 1 &&
		    (rc = bound(b, "openssl speed, between", err)) != RC_OK)
			return rc;
		if ((rc = measure_round(b, ss, &r->v[r->done], err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
measure_scepd(struct bench *b, struct intune_stub *stub, struct err *err)
{
	struct server_spec ss = { b->dir, &b->cpus, b->scepd, b->scepctl, stub, false };
	struct figures *f = b->figures;
	enum rc rc;

	progress_show(&b->progress, "making a CA", 0, 0);
	rc = server_init_scepd(&ss, err);
	progress_clear(&b->progress);
	rounds_plan(&f->rounds, !b->spec->no_compare, (size_t)b->spec->count);
	if (rc == RC_OK)
		rc = measure_rounds(b, &ss, err);
	rounds_sum(&f->scepd, &f->rounds, MODE_SEPARATE);
	rounds_sum(&f->single, &f->rounds, MODE_SINGLE);
	f->has_separation = separation_of(&f->separation, &f->scepd, &f->single);
	return rc;
}

static enum rc
with_stub(struct bench *b, struct err *err)
{
	struct intune_stub *stub = NULL;
	enum rc rc;

	if (b->figures->intune && (rc = intune_stub_start(&stub, err)) != RC_OK)
		return rc;
	rc = measure_scepd(b, stub, err);
	if (stub != NULL)
		intune_stub_counts(stub, &b->figures->intune_counts);
	intune_stub_stop(stub);
	return rc;
}

static enum rc
local(struct bench *b, struct err *err)
{
	enum rc rc;

	if ((rc = bound(b, "openssl speed, before", err)) != RC_OK ||
	    (rc = with_stub(b, err)) != RC_OK)
		return rc;
	return bound(b, "openssl speed, after", err);
}

/* ---- micromdm */

static enum rc
micromdm(struct bench *b, struct err *err)
{
	struct server_spec ss = { b->dir, &b->cpus, b->scepserver, NULL, NULL, false };
	size_t n = (size_t)b->spec->count / MICROMDM_PART;
	struct server s;
	enum rc rc;

	if (!program_there(b->scepserver)) {
		b->figures->micromdm_absent = "scepserver is not installed (Debian package scep)";
		return RC_OK;
	}
	progress_show(&b->progress, "starting scepserver", 0, 0);
	rc = server_start_micromdm(&s, &ss, err);
	progress_clear(&b->progress);
	if (rc == RC_OK)
		rc = measure_server(
		    &b->figures->micromdm, b, &s, n > MICROMDM_MIN ? n : MICROMDM_MIN, err);
	server_stop(&s);
	b->figures->has_micromdm = rc == RC_OK;
	return rc;
}

/* ---- a server that runs already */

static enum rc
remote(struct bench *b, struct err *err)
{
	struct server s = { .subject = b->spec->subject };
	enum rc rc;

	buf_init(&s.challenge, LIMIT_CHALLENGE);
	if (strlen(b->spec->url) >= sizeof(s.url))
		return fail(err, RC_CONFIG, "--url is longer than %zu characters", sizeof(s.url));
	(void)snprintf(s.url, sizeof(s.url), "%s", b->spec->url);
	rc = file_read_secret(&s.challenge, b->spec->challenge_file, LIMIT_CHALLENGE, err);
	if (rc == RC_OK)
		rc = measure_server(&b->figures->scepd, b, &s, (size_t)b->spec->count, err);
	buf_wipe(&s.challenge);
	return rc;
}

/* ---- all of it */

static enum rc
find_programs(struct bench *b, struct err *err)
{
	enum rc rc;

	if ((rc = program_find(&b->scepd, b->spec->scepd, "scepd", err)) != RC_OK ||
	    (rc = program_find(&b->scepctl, b->spec->scepctl, "scepctl", err)) != RC_OK)
		return rc;
	return program_find(&b->scepserver, b->spec->scepserver, "scepserver", err);
}

static enum rc
prepare(struct bench *b, struct err *err)
{
	size_t n = (size_t)(b->spec->keys < b->spec->count ? b->spec->keys : b->spec->count);
	enum rc rc;

	stop_block();
	progress_init(&b->progress);
	if ((rc = cpus_read(&b->cpus, err)) != RC_OK || (rc = find_programs(b, err)) != RC_OK ||
	    (rc = workdir_make(&b->dir, err)) != RC_OK)
		return rc;
	b->figures->cores = b->cpus.n;
	b->figures->filesystem = workdir_filesystem(b->dir);
	if (b->spec->url == NULL)
		cpus_use(&b->cpus.rest);
	return keys_make(&b->keys, b->spec->key, n, &b->cpus, &b->progress, err);
}

static void
clean_up(struct bench *b)
{
	if (b->dir != NULL && b->spec->keep)
		fprintf(stderr, "scepbench: kept %s\n", b->dir);
	else
		workdir_remove(b->dir);
	if (b->spec->keep)
		free(b->dir);
	keys_done(&b->keys);
	free(b->scepd);
	free(b->scepctl);
	free(b->scepserver);
}

enum rc
run(struct figures *out, const struct run_spec *spec, struct err *err)
{
	struct bench b = { .spec = spec, .figures = out };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->intune = !spec->fixed;
	out->remote = spec->url != NULL;
	out->key = spec->key;
	out->program = spec->url != NULL ? spec->url : "scepd";
	rc = prepare(&b, err);
	if (rc == RC_OK && out->remote)
		rc = remote(&b, err);
	else if (rc == RC_OK && (rc = local(&b, err)) == RC_OK)
		rc = micromdm(&b, err);
	clean_up(&b);
	return rc;
}
