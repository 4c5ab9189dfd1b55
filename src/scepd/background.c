/* background.c - see background.h. */
#include "scepd/background.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "scepd/crew.h"
#include "scepd/dir_sync.h"
#include "scepd/foreign_crl.h"
#include "scepd/intune_queue.h"
#include "scepd/pipeline.h"
#include "scepd/publish.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"
#include "scepd/upkeep.h"

static int64_t
outbox(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	(void)pipeline_outbox(s, clock_now_ms(), stop);
	return clock_mono_ms() + 5000;
}

/* Beside the outbox, which may wait for a tenant's Intune. */
static int64_t
upkeep(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	scepd_refresh_rollover(s);
	upkeep_run(s, clock_now_ms(), stop);
	return clock_mono_ms() + 5000;
}

static size_t
directories(const struct scepd *s)
{
	return dir_sync_count(s->dir_sync);
}

/* New certificates are bound within seconds; what is asked for is due by its own clocks. */
static int64_t
directory(struct scepd *s, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	dir_sync_round(s->dir_sync, i, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

static size_t
queues(const struct scepd *s)
{
	return intune_queue_count(s->queue);
}

static int64_t
queue(struct scepd *s, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	return intune_queue_poll(s->queue, i, now_ms, stop);
}

static int64_t
publish(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	publish_round(s, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

static size_t
foreign_lists(const struct scepd *s)
{
	return foreign_crl_count(s->foreign_crl);
}

static int64_t
foreign(struct scepd *s, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	return foreign_crl_round(s->foreign_crl, i, now_ms, stop);
}

/* Beside the directory, as an approved sweep may take long.  A look costs one query where nothing is new. */
static int64_t
rules(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	sweep_run(s, clock_now_ms(), stop);
	return clock_mono_ms() + 1000;
}

/* Tenants that may hang at once while the others' directories, or queues, are asked, and CAs while others' lists are (foreign_crl.h).  Each keeps a thread for the time limits
 * of its questions, and the memory of a page of answers: some 10 MiB while a list of 1,000 devices is looked at. */
#define PARTS_MAX 8

/* A round begins at `now_ms` (clock_mono_ms()) and returns when the next one is due; it begins nothing more
 * once *stop is true. */
static const struct duty_row {
	int64_t (*round)(struct scepd *s, int64_t now_ms, const atomic_bool *stop);
	/* Instead, where one must not wait for another: so many parts, each by itself. */
	size_t (*parts)(const struct scepd *s);
	int64_t (*part)(struct scepd *s, size_t i, int64_t now_ms, const atomic_bool *stop);
} duties[DUTY__MAX] = {
	[DUTY_OUTBOX] = { .round = outbox },
	[DUTY_UPKEEP] = { .round = upkeep },
	[DUTY_DIRECTORY] = { .parts = directories, .part = directory },
	[DUTY_QUEUE] = { .parts = queues, .part = queue },
	[DUTY_RULES] = { .round = rules },
	[DUTY_PUBLISH] = { .round = publish },
	[DUTY_FOREIGN] = { .parts = foreign_lists, .part = foreign },
};

struct on_duty {
	struct scepd *s;
	const struct duty_row *row;
};
struct background {
	struct on_duty on[DUTY__MAX];
	struct crew *crews[DUTY__MAX];
};

static int64_t
turn(void *arg, size_t part, int64_t now_ms, const atomic_bool *stop)
{
	const struct on_duty *o = arg;

	return o->row->part != NULL ? o->row->part(o->s, part, now_ms, stop)
				    : o->row->round(o->s, now_ms, stop);
}

enum rc
background_start(struct background **out, struct scepd *s, struct err *err)
{
	struct background *b = calloc(1, sizeof(*b));
	enum rc rc = RC_OK;

	if (b == NULL)
		return fail(err, RC_NOMEM, "no memory for background threads");
	for (size_t d = 0; d < DUTY__MAX && rc == RC_OK; d++) {
		const struct duty_row *row = &duties[d];

		b->on[d] = (struct on_duty){ s, row };
		rc = crew_start(&b->crews[d], row->parts != NULL ? row->parts(s) : 1, PARTS_MAX,
		    turn, &b->on[d], err);
	}
	if (rc == RC_OK)
		*out = b;
	else
		background_free(b);
	return rc;
}

void
background_wake(struct background *b, enum duty d)
{
	if (b != NULL)
		crew_wake(b->crews[d]);
}

void
background_stop(struct background *b)
{
	for (size_t d = 0; b != NULL && d < DUTY__MAX; d++)
		crew_stop(b->crews[d]);
	if (b != NULL)
		foreign_crl_stop(b->on[0].s->foreign_crl);
}

void
background_free(struct background *b)
{
	if (b == NULL)
		return;
	background_stop(b);
	for (size_t d = 0; d < DUTY__MAX; d++)
		crew_free(b->crews[d]);
	free(b);
}
