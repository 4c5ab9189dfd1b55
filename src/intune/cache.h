/*
 * cache.h - one value that many threads share and one fetches: the two tokens and the service map.
 *
 * A value has a time from which it is better fetched anew, and one from which it is of no use.
 * Between the two the thread that notices fetches while the others go on with what there is, and a
 * failure of that fetch is no failure of the call.  Threads that have nothing wait for the one that
 * fetches and share its outcome, bad news included. A failure with Retry-After is repeated to
 * callers, without asking, until that time has passed.
 */
#ifndef SCEPD_INTUNE_CACHE_H
#define SCEPD_INTUNE_CACHE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "intune.h"

struct op;

/* First member of every shared value. */
struct shared {
	atomic_uint refs; /* 1 at birth */
	void (*destroy)(struct shared *s);
};
void shared_release(struct shared *s); /* NULL is allowed */

struct fetched {
	struct shared *value;           /* with the reference that goes to the cache */
	int64_t refresh_ms, useless_ms; /* from now */
};
/* Fill *out or say in op->err why not.  Called without the lock. */
typedef enum intune_status (*cache_fetch)(struct op *op, void *arg, struct fetched *out);

struct cache {
	pthread_mutex_t mu;
	pthread_cond_t done; /* a fetch ended */
	enum intune_step step;
	cache_fetch fetch;
	void *arg;
	struct shared *value;
	int64_t refresh_at, useless_at; /* monotonic milliseconds */
	bool fetching;
	uint64_t rounds;             /* fetches ended */
	struct intune_error failure; /* of the last fetch; status INTUNE_OK if it went well */
	int64_t hold_until;          /* do not ask again before */
};

bool cache_init(struct cache *c, enum intune_step step, cache_fetch fetch, void *arg);
void cache_done(struct cache *c);
/* A reference to the value; give it back with shared_release(). */
enum intune_status cache_get(struct cache *c, struct op *op, struct shared **out);
/* The peer did not take this value: forget it, unless another thread has replaced it already. */
void cache_drop(struct cache *c, const struct shared *value);

#endif
