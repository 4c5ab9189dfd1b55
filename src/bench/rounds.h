/*
 * rounds.h - the same load on scepd with its signer in a process of its own and with everything in one
 * process, in turns, and what the separation costs.
 */
#ifndef SCEPD_BENCH_ROUNDS_H
#define SCEPD_BENCH_ROUNDS_H

#include "bench/measure.h"

#define ROUNDS_MAX 4

enum mode { MODE_SEPARATE, MODE_SINGLE, MODE__MAX };

struct round {
	enum mode mode;
	size_t count;
	struct measured m;
};
struct rounds {
	size_t n, done;
	struct round v[ROUNDS_MAX];
};

/*
 * `compare`: separate, single, single, separate, so that a machine that gets slower or faster at a
 * steady rate harms both alike, with half of `count` (rounded up) each.  Else one round of all.
 */
void rounds_plan(struct rounds *out, bool compare, size_t count);
const char *mode_name(enum mode m);
/* All rounds of a mode as one: sums; of times to the answer and memory the largest. */
void rounds_sum(struct measured *out, const struct rounds *r, enum mode m);

/* In units of what one process does; 1 costs nothing. */
struct separation {
	double cpu;        /* of an enrolment */
	double throughput; /* enrolments a second */
};
/* false: one of the two was not measured, or used no CPU time that can be seen. */
bool separation_of(
    struct separation *out, const struct measured *separate, const struct measured *single);

#endif
