/* sweep_int.h - what sweep.c and sweep_stop.c share.  One thread, but for what is under `mu`. */
#ifndef SCEPD_SCEPD_SWEEP_INT_H
#define SCEPD_SCEPD_SWEEP_INT_H

#include <pthread.h>

#include "scepd/sweep.h"
#include "scepd/sweep_plan.h"

/* What a waiting sweep would turn, and what waits with it as it would be too much as well. */
struct waiting {
	uint64_t certs, owners, beside;
};
struct sweeper {
	struct sweeper_conf conf;
	int64_t told_ms, told_id;      /* when it was said that a sweep waits, and which */
	bool told_beside;              /* ... and that there is something beside it */
	int64_t due_ms, rest_until_ms; /* monotonic */
	uint64_t news;                 /* of the server, that the last round has seen */
	pthread_mutex_t mu;            /* over what follows, for /metrics */
	struct plan_count count[RULES_MAX];
	uint64_t seen, seen_owners; /* that rules see */
	struct waiting waiting;
	uint64_t plan_ms;
	int64_t made_ms; /* wall; 0: no plan yet */
};

/* A round, once its plan is made. */
struct round {
	const struct sweep_plan *p;
	struct plan_part all; /* of the plan */
	struct owners lately; /* turned in the brake's window */
	bool too_much;        /* all of it */
	char why[BRAKE_WHY_MAX];
	int64_t now_ms; /* wall */
	const atomic_bool *stop;
};

/* Turns everybody's but those of `but` (NULL: everybody's), who are `part`; `beside` which sweep (0: none waits). */
enum rc sweep_turn(struct sweeper *w, const struct round *r, const struct plan_part *part,
    const struct owners *but, int64_t beside, struct err *err) MUST_CHECK;

void sweep_note_waiting(struct sweeper *w, struct waiting now);
/* All of the plan is written down as a sweep that waits. */
enum rc sweep_halt(struct sweeper *w, const struct round *r, struct err *err) MUST_CHECK;
/*
 * One waits: it is left so, and whom it does not turn is turned if that alone is not too much; or it is over, as the
 * directory speaks otherwise or so much has come up beside it that a larger one is to be written (*over: the round goes
 * on as if there had been none).
 */
enum rc sweep_meet(struct sweeper *w, const struct store_sweep *s, const struct round *r,
    bool *over, struct err *err) MUST_CHECK;

#endif
