/* measure.c - see measure.h. */
#include "bench/measure.h"

#include <stdlib.h>
#include <string.h>

#include "bench/stop.h"

#define WARM_MAX  500
#define SETTLE_MS 300 /* what the server still does for the last answers counts too */

size_t
measure_warm(const struct measure_spec *s)
{
	size_t n = s->n / 10;

	if (n < 2 * (size_t)s->concurrency)
		n = 2 * (size_t)s->concurrency;
	return n < WARM_MAX ? n : WARM_MAX;
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static enum rc
latencies(struct measured *out, const struct shot *shots, size_t n, struct err *err)
{
	uint64_t *us = calloc(n, sizeof(*us));

	if (us == NULL)
		return fail(err, RC_NOMEM, "latencies");
	for (size_t i = 0; i < n; i++)
		us[i] = shots[i].us;
	qsort(us, n, sizeof(*us), by_size);
	/* Nearest rank. */
	out->p50_us = us[(n * 50 + 99) / 100 - 1];
	out->p99_us = us[(n * 99 + 99) / 100 - 1];
	out->max_us = us[n - 1];
	free(us);
	return RC_OK;
}

static enum rc
usage_now(struct usage *out, const struct measure_spec *spec, struct err *err)
{
	memset(out, 0, sizeof(*out));
	return spec->server != NULL ? usage_read(out, child_pid(spec->server), err) : RC_OK;
}

static enum rc
aim(struct target *t, const struct measure_spec *spec, struct err *err)
{
	enum rc rc = target_parse(t, spec->url, err);

	if (rc == RC_OK && spec->type != NULL) {
		t->query = "";
		t->type = spec->type;
	}
	return rc;
}

enum rc
measure_shots(struct measured *out, const struct measure_spec *spec, struct shot *shots,
    const char *what, struct err *err)
{
	struct usage before, after;
	struct load_result load;
	struct target t;
	enum rc rc;

	if ((rc = aim(&t, spec, err)) != RC_OK ||
	    (rc = load_run(&load, &t, shots, out->warm, spec->concurrency, spec->progress,
		 "warming up", err)) != RC_OK ||
	    (rc = usage_now(&before, spec, err)) != RC_OK ||
	    (rc = load_run(&load, &t, shots + out->warm, out->n, spec->concurrency, spec->progress,
		 what, err)) != RC_OK)
		return rc;
	stop_sleep_ms(SETTLE_MS);
	if ((rc = usage_now(&after, spec, err)) != RC_OK)
		return rc;
	out->elapsed = (double)load.elapsed_us / 1e6;
	out->answered = load.answered;
	out->per_second = (double)load.answered / out->elapsed;
	out->reconnects = load.reconnects;
	out->has_usage = spec->server != NULL;
	out->used = after;
	out->used.user -= before.user;
	out->used.system -= before.system;
	out->used.disk -= before.disk;
	return latencies(out, shots + out->warm, out->n, err);
}

static enum rc
run_batch(
    struct measured *out, const struct measure_spec *spec, struct session *session, struct err *err)
{
	struct batch_spec bs = { .session = session,
		.keys = spec->keys,
		.n = out->warm + out->n,
		.subject = spec->subject,
		.challenge = spec->challenge };
	struct batch *b;
	enum rc rc;

	if ((rc = batch_build(&b, &bs, spec->cpus, spec->progress, err)) != RC_OK)
		return rc;
	if ((rc = measure_shots(out, spec, batch_shots(b), "enrolling", err)) == RC_OK)
		rc = batch_judge(&out->verdict, b, spec->cpus, spec->progress, err);
	batch_free(b);
	return rc;
}

enum rc
measure(struct measured *out, const struct measure_spec *spec, struct err *err)
{
	struct session_conf sc = { .url = spec->url };
	struct session *session;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->n = spec->n;
	out->warm = measure_warm(spec);
	out->concurrency = spec->concurrency;
	if ((rc = session_open(&session, &sc, err)) != RC_OK)
		return rc;
	rc = run_batch(out, spec, session, err);
	session_free(session);
	return rc;
}

bool
measured_all_ok(const struct measured *m)
{
	return m->verdict.ok == m->n + m->warm && m->verdict.twice == 0;
}

bool
measured_all_answered(const struct measured *m)
{
	return m->verdict.ok + m->verdict.unopened == m->n + m->warm && m->verdict.twice == 0;
}

double
measured_cpu(const struct measured *m)
{
	return (m->used.user + m->used.system) / (double)m->n;
}

double
measured_p99_goal(const struct measured *m)
{
	return 3 * m->concurrency * m->elapsed / (double)m->n;
}
