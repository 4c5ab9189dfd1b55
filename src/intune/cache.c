/*
 * cache.c - one value, fetched by one thread, shared by many.
 */
#include "intune/cache.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "intune/op.h"

#define REFRESH_PAUSE_MS 30000 /* after a refresh failed while the old value is still good */
#define HOLD_MAX_S       300   /* believe a Retry-After up to this */

void
shared_release(struct shared *s)
{
	if (s != NULL && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		s->destroy(s);
}

static struct shared *
shared_ref(struct shared *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

bool
cache_init(struct cache *c, enum intune_step step, cache_fetch fetch, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->step = step;
	c->fetch = fetch;
	c->arg = arg;
	if (!cond_init(&c->done))
		return false;
	if (pthread_mutex_init(&c->mu, NULL) == 0)
		return true;
	pthread_cond_destroy(&c->done);
	return false;
}

void
cache_done(struct cache *c)
{
	shared_release(c->value);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->mu);
}

static bool
is_useful(const struct cache *c, int64_t now)
{
	return c->value != NULL && now < c->useless_at;
}

static enum intune_status
share_failure(const struct cache *c, struct op *op)
{
	int64_t now = clock_mono_ms();
	char id[sizeof(op->err->transaction_id)];

	memcpy(id, op->err->transaction_id, sizeof(id));
	*op->err = c->failure;
	memcpy(op->err->transaction_id, id, sizeof(id));
	if (op->err->retry_after > 0 && c->hold_until > now)
		op->err->retry_after = (long)((c->hold_until - now + 999) / 1000);
	return c->failure.status;
}

/* Wait for the fetch in progress to end.  False: the call's time is up. */
static bool
await(struct cache *c, const struct op *op)
{
	uint64_t round = c->rounds;

	while (c->fetching && c->rounds == round) {
		if (!cond_wait_until(&c->done, &c->mu, (int64_t)op->deadline))
			return c->rounds != round;
	}
	return true;
}

static void
install(struct cache *c, const struct fetched *f)
{
	int64_t now = clock_mono_ms();

	shared_release(c->value);
	c->value = f->value;
	c->refresh_at = now + f->refresh_ms;
	c->useless_at = now + f->useless_ms;
	c->hold_until = 0;
	error_reset(&c->failure);
}

static void
note_failure(struct cache *c, const struct op *op)
{
	int64_t now = clock_mono_ms(), hold = op->err->retry_after;

	c->failure = *op->err;
	c->refresh_at = now + REFRESH_PAUSE_MS;
	if (hold > 0)
		c->hold_until = now + (hold < HOLD_MAX_S ? hold : HOLD_MAX_S) * 1000;
}

/*
 * This thread fetches.  Enters and leaves with the lock held.  While an old value is good, the
 * fetch may use no more than half of the caller's time, and its failure is only remembered.
 */
static enum intune_status
lead(struct cache *c, struct op *op)
{
	struct fetched f = { 0 };
	int64_t deadline = op->deadline, now = clock_mono_ms();
	enum intune_status st;

	c->fetching = true;
	if (is_useful(c, now))
		op->deadline = now + (deadline - now) / 2;
	pthread_mutex_unlock(&c->mu);
	st = c->fetch(op, c->arg, &f);
	op->deadline = deadline;
	pthread_mutex_lock(&c->mu);
	if (st == INTUNE_OK)
		install(c, &f);
	else
		note_failure(c, op);
	c->fetching = false;
	c->rounds++;
	pthread_cond_broadcast(&c->done);
	return st;
}

/* The one that fetched had less time left than this call has: its time-out is not ours. */
static bool
is_other_ones_timeout(const struct cache *c, const struct op *op)
{
	return c->failure.status == INTUNE_E_UNAVAILABLE && c->failure.http_status == 0 &&
	    clock_mono_ms() < op->deadline;
}

static enum intune_status
obtain(struct cache *c, struct op *op)
{
	bool waited = false;
	int64_t now;

	for (;;) {
		now = clock_mono_ms();
		if (is_useful(c, now) && (now < c->refresh_at || c->fetching))
			return INTUNE_OK;
		if (c->fetching) {
			if (!await(c, op))
				return op_timed_out(op, c->step);
			if (c->value == NULL && c->failure.status != INTUNE_OK &&
			    (waited || !is_other_ones_timeout(c, op)))
				return share_failure(c, op);
			waited = true;
			continue;
		}
		if (now < c->hold_until && !is_useful(c, now))
			return share_failure(c, op);
		if (lead(c, op) == INTUNE_OK || is_useful(c, clock_mono_ms()))
			return INTUNE_OK;
		return op->err->status;
	}
}

enum intune_status
cache_get(struct cache *c, struct op *op, struct shared **out)
{
	enum intune_status st;

	pthread_mutex_lock(&c->mu);
	st = obtain(c, op);
	if (st == INTUNE_OK)
		*out = shared_ref(c->value);
	pthread_mutex_unlock(&c->mu);
	return st;
}

void
cache_drop(struct cache *c, const struct shared *value)
{
	pthread_mutex_lock(&c->mu);
	if (c->value == value) {
		shared_release(c->value);
		c->value = NULL;
	}
	pthread_mutex_unlock(&c->mu);
}
