/*
 * breaker.h - when a service does not answer, stop asking it for a while.
 *
 * Closed: every exchange passes.  After BREAKER_ROW outages in a row it opens: exchanges are refused
 * at once, so an outage costs callers microseconds and not a worker for the whole time limit.  When
 * the hold has passed it is half open: one exchange at a time goes through; its answer closes, its
 * outage opens for about twice as long.
 *
 * What counts is decided by who asks the service.  Time comes in from outside, in monotonic milliseconds, and the
 * jitter by `dice`, so tests need no sleep.  Any number of threads may use one breaker.
 */
#ifndef SCEPD_BASE_BREAKER_H
#define SCEPD_BASE_BREAKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* More than one device's bad luck, fewer calls than a small site makes in a minute. */
#define BREAKER_ROW 5u
/* A device waits about 30 s and asks about three times: the first hold loses none, the longest one
 * only its first try.  At the longest, a dead service costs one call every half minute. */
#define BREAKER_HOLD_MIN_MS 1000
#define BREAKER_HOLD_MAX_MS 30000
/* Believe a Retry-After up to this: a wrong one must not end enrolment for a day. */
#define BREAKER_RETRY_AFTER_MAX_S 300

enum outcome {
	OUTCOME_NONE,   /* proves nothing about the service */
	OUTCOME_ANSWER, /* it is there, whatever it said */
	OUTCOME_OUTAGE,
};

struct breaker {
	pthread_mutex_t mu;
	uint32_t (*dice)(void); /* uniform; jitter */
	uint64_t generation;    /* outcomes of exchanges begun before a change are old news */
	unsigned row;           /* outages without an answer between */
	unsigned streak;        /* holds without an answer between */
	bool open, probing;
	int64_t until;   /* end of the hold */
	char cause[128]; /* the last outage, for messages */
	uint64_t opened, refused;
};

bool breaker_init(struct breaker *b);
void breaker_done(struct breaker *b);

/* One exchange, from enter to leave. */
struct breaker_pass {
	uint64_t generation;
	bool probe;
};
/* Why not. */
struct breaker_refusal {
	int64_t wait_ms; /* until it is worth asking again; at least 1 */
	unsigned row;
	char cause[128];
};
/* True: go on, and call breaker_leave() in any case.  False: *why is filled in. */
bool breaker_enter(
    struct breaker *b, int64_t now, struct breaker_pass *pass, struct breaker_refusal *why);
/* retry_after: seconds, -1: not said.  cause: one line, used with OUTCOME_OUTAGE only. */
void breaker_leave(struct breaker *b, int64_t now, const struct breaker_pass *pass, enum outcome o,
    long retry_after, const char *cause);
/* The service is somewhere else now: what was seen of the old place says nothing about the new. */
void breaker_reset(struct breaker *b);

enum circuit {
	CIRCUIT_CLOSED,
	CIRCUIT_OPEN,
	CIRCUIT_HALF_OPEN, /* the next exchange is let through */
};
/* For metrics and logs. */
struct breaker_state {
	enum circuit circuit;
	unsigned row;      /* outages without an answer between */
	unsigned retry_ms; /* CIRCUIT_OPEN: until the next exchange is let through */
	uint64_t opened;   /* how often; a probe that fails counts */
	uint64_t refused;  /* exchanges that were not made */
};
void breaker_look(struct breaker *b, int64_t now, struct breaker_state *out);

#endif
