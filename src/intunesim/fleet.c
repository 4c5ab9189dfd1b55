/*
 * fleet.c - the days of a fleet.
 */
#include "intunesim/fleet.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/thread.h"
#include "intunesim/sim.h"

#define DAY        86400
#define TICK_MS    200        /* between two looks at the work, and of the line on a terminal */
#define TELL_MS    10000      /* between two lines elsewhere */
#define LINE_START "\r\033[K" /* ECMA-48: back to column 1, erase to the end */

/* A device's own plan. */
struct plan {
	unsigned next; /* the day of its next check-in */
	bool came;     /* its first day has been */
};

struct fleet {
	struct sim *sim;
	const struct fleet_conf *conf;
	struct plan *plans; /* one for each id */
	struct key **keys;
	sigset_t signals;
	bool terminal;
	int64_t began, told; /* monotonic ms */
	uint64_t busy_ms;    /* of the days, while there was something to do */
	unsigned day;

	size_t *work; /* devices of the day */
	size_t n_work;
	_Atomic size_t next, done;
	atomic_bool stop;

	pthread_mutex_t lock; /* of what follows */
	struct fleet_result r;
	uint32_t *samples; /* microseconds; a ring */
	uint64_t n_samples;
};

bool
fleet_went_well(const struct fleet_result *r)
{
	return !r->stopped && r->broken == 0 && r->by[PLAYED_REFUSED] == 0 &&
	    r->by[PLAYED_FAILED] == 0 && r->not_delivered == 0 && r->by[PLAYED_ENROLLED] > 0;
}

/* ---- one device ---- */

static void
took(void *arg, uint64_t us)
{
	struct fleet *f = arg;

	pthread_mutex_lock(&f->lock);
	f->samples[f->n_samples++ % FLEET_SAMPLES_MAX] =
	    us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	pthread_mutex_unlock(&f->lock);
}

/* Returns whether something went wrong, which the next day gets to mend. */
static bool
count(struct fleet *f, size_t i, enum rc rc, const struct player_counts *c, const struct err *err)
{
	const char *why = rc != RC_OK ? err->msg : c->why;

	pthread_mutex_lock(&f->lock);
	f->r.check_ins++;
	f->r.broken += rc != RC_OK;
	f->r.devices += !f->plans[i].came;
	f->plans[i].came = true;
	if (rc == RC_OK) {
		for (int k = 0; k < PLAYED__MAX; k++)
			f->r.by[k] += c->by[k];
		f->r.not_delivered += c->not_delivered;
	}
	if (f->r.why[0] == '\0' && why[0] != '\0')
		(void)snprintf(f->r.why, sizeof(f->r.why), "day %u, device %s: %.300s", f->day,
		    f->conf->ids.v[i], why);
	pthread_mutex_unlock(&f->lock);
	return why[0] != '\0';
}

static void
visit(struct fleet *f, size_t i)
{
	struct player_counts c = { .gone = false };
	struct err err;
	enum rc rc = player_sync(f->sim, f->conf->ids.v[i], &c, &err);
	bool wrong = count(f, i, rc, &c, &err);

	f->plans[i].next = f->day + (wrong ? 1 : f->conf->check_in);
}

static void *
hand(void *arg)
{
	struct fleet *f = arg;
	size_t i;

	while (!atomic_load(&f->stop) && (i = atomic_fetch_add(&f->next, 1)) < f->n_work) {
		visit(f, f->work[i]);
		atomic_fetch_add(&f->done, 1);
	}
	return NULL;
}

/* ---- telling ---- */

static void
tell(struct fleet *f, bool now)
{
	int64_t at = clock_mono_ms();
	struct fleet_result r;

	if (!f->terminal && !now && at - f->told < TELL_MS)
		return;
	f->told = at;
	pthread_mutex_lock(&f->lock);
	r = f->r;
	pthread_mutex_unlock(&f->lock);
	fprintf(stderr,
	    "%sday %u of %u: %zu of %zu devices, %llu enrolled, %llu renewed, %llu refused, %llu "
	    "failed, %zu to visit today%s",
	    f->terminal ? LINE_START : "", f->day, f->conf->days, r.devices, f->conf->ids.n,
	    (unsigned long long)r.by[PLAYED_ENROLLED], (unsigned long long)r.by[PLAYED_RENEWED],
	    (unsigned long long)r.by[PLAYED_REFUSED],
	    (unsigned long long)(r.by[PLAYED_FAILED] + r.broken), f->n_work - atomic_load(&f->done),
	    f->terminal ? "" : "\n");
	fflush(stderr);
}

/* Wait, at most a tick, for a signal. */
static void
pause_for(struct fleet *f, int64_t ms)
{
	const struct timespec t = { .tv_nsec = (ms < TICK_MS ? ms : TICK_MS) * 1000000L };

	if (sigtimedwait(&f->signals, NULL, &t) > 0)
		atomic_store(&f->stop, true);
}

/* ---- one day ---- */

static void
plan_day(struct fleet *f)
{
	f->n_work = 0;
	for (size_t i = 0; i < f->conf->ids.n; i++) {
		const struct plan *p = &f->plans[i];

		if (p->next <= f->day || (p->came && player_due(f->sim->player, f->conf->ids.v[i])))
			f->work[f->n_work++] = i;
	}
	atomic_store(&f->next, 0);
	atomic_store(&f->done, 0);
}

static enum rc
work_day(struct fleet *f, struct err *err)
{
	size_t want = f->conf->threads < f->n_work ? f->conf->threads : f->n_work, n = 0;
	pthread_t hands[FLEET_THREADS_MAX];
	int64_t began = clock_mono_ms();
	enum rc rc = RC_OK;

	while (n < want && (rc = thread_start(&hands[n], hand, f, err)) == RC_OK)
		n++;
	/* Fewer threads than wished for do the work as well. */
	while (n > 0 && atomic_load(&f->done) < f->n_work && !atomic_load(&f->stop)) {
		tell(f, false);
		pause_for(f, f->n_work - atomic_load(&f->done) <= want ? 5 : TICK_MS);
	}
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(hands[i], NULL);
	if (f->n_work > 0)
		f->busy_ms += (uint64_t)(clock_mono_ms() - began);
	return n > 0 ? RC_OK : rc;
}

static enum rc
live(struct fleet *f, struct err *err)
{
	int64_t evening;
	enum rc rc;

	for (f->day = 0; f->day < f->conf->days && !atomic_load(&f->stop); f->day++) {
		evening = clock_mono_ms() + f->conf->day_ms;
		player_calendar(f->sim->player, (int64_t)f->day * DAY);
		plan_day(f);
		if ((rc = work_day(f, err)) != RC_OK)
			return rc;
		while (!atomic_load(&f->stop) && clock_mono_ms() < evening) {
			tell(f, false);
			pause_for(f, evening - clock_mono_ms());
		}
		f->r.days += !atomic_load(&f->stop);
	}
	tell(f, true);
	if (f->terminal)
		fputs("\n", stderr);
	return RC_OK;
}

/* ---- the whole ---- */

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
sum_up(struct fleet *f)
{
	size_t n = f->n_samples < FLEET_SAMPLES_MAX ? (size_t)f->n_samples : FLEET_SAMPLES_MAX;

	f->r.stopped = atomic_load(&f->stop);
	f->r.elapsed_ms = (uint64_t)(clock_mono_ms() - f->began);
	if (n == 0)
		return;
	qsort(f->samples, n, sizeof(*f->samples), by_value);
	f->r.p50_us = f->samples[n / 2];
	f->r.p99_us = f->samples[n * 99 / 100];
	f->r.rate = f->busy_ms > 0 ? (double)f->n_samples * 1000 / (double)f->busy_ms : 0;
}

static enum rc
make_keys(struct fleet *f, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->conf->reuse_keys; i++)
		rc = key_generate(&f->keys[i], "rsa:2048", err);
	return rc;
}

static enum rc
prepare(struct fleet *f, struct err *err)
{
	size_t n = f->conf->ids.n;

	f->plans = calloc(n, sizeof(*f->plans));
	f->work = calloc(n, sizeof(*f->work));
	f->samples = calloc(FLEET_SAMPLES_MAX, sizeof(*f->samples));
	f->keys = calloc(f->conf->reuse_keys + 1, sizeof(struct key *));
	if (f->plans == NULL || f->work == NULL || f->samples == NULL || f->keys == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		f->plans[i].next = (unsigned)(i * f->conf->rollout / n);
	sigemptyset(&f->signals);
	sigaddset(&f->signals, SIGINT);
	sigaddset(&f->signals, SIGTERM);
	f->terminal = isatty(STDERR_FILENO) == 1;
	return make_keys(f, err);
}

enum rc
fleet_run(struct fleet_result *out, struct sim *s, const struct fleet_conf *conf, struct err *err)
{
	struct fleet f = { .sim = s, .conf = conf, .began = clock_mono_ms() };
	enum rc rc;

	f.told = f.began;
	pthread_mutex_init(&f.lock, NULL);
	if ((rc = prepare(&f, err)) == RC_OK) {
		/* No visits on request meanwhile: the keys are gone when this returns. */
		player_setup(s->player,
		    &(struct player_options){ .ca_file = conf->ca_file,
			.keys = f.keys,
			.n_keys = conf->reuse_keys,
			.took = took,
			.took_arg = &f });
		f.began = clock_mono_ms();
		rc = live(&f, err);
		sum_up(&f);
	}
	if (rc == RC_OK)
		*out = f.r;
	for (size_t i = 0; f.keys != NULL && i < conf->reuse_keys; i++)
		key_free(f.keys[i]);
	free(f.keys);
	free(f.samples);
	free(f.work);
	free(f.plans);
	pthread_mutex_destroy(&f.lock);
	return rc;
}
