/*
 * sweep_world.h - for the tests of sweeps: a database with MANY certificates, each of a user and a device of its own that
 * are well, three rules (compliance holds, off holds, wiped revokes), a brake of 10 % or 3, and a sweeper.
 */
#ifndef SCEPD_TESTS_SWEEP_WORLD_H
#define SCEPD_TESTS_SWEEP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "../store/fixture.h"
#include "scepd/sweep.h"
#include "scepd/sweep_plan.h"
#include "store/store_directory.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DAY  86400
#define MANY 40

struct world {
	struct sf f;
	atomic_bool stop; /* the server ends */
	struct config config;
	struct directory_rule rules[4];
	struct metrics *metrics;
	struct sweeper *w;
	unsigned changed;
	int64_t now;
};

int setup(void **state);
int teardown(void **state);

/* ---- what the directory says ---- */

/* "KIND-N", the ids of certificate N's user, device and managed device; static, for eight calls. */
const char *id(const char *kind, unsigned n);
/* That is well. */
struct store_object object(enum dir_kind kind, unsigned n, int64_t known);
void tell(struct world *w, const struct store_object *o);
void all_are_well(struct world *w);
/* The user of certificate N is enabled, or not. */
void user_is(struct world *w, unsigned n, enum dir_said enabled);
/* The devices of certificates first to last are said to be compliant, or not. */
void compliant(struct world *w, unsigned first, unsigned last, enum dir_said said);
/* Behind the store's back: certificates first to last are of the device (and the user) of the first. */
void same_owner(struct world *w, unsigned first, unsigned last);

/* ---- rounds ---- */

/* A sweeper that has just started. */
void start(struct world *w);
void sweep(struct world *w);
/* So many seconds after w->now. */
void round_at(struct world *w, int64_t secs);
/* The devices of certificates first to last are not compliant, a round: too many.  The sweep that waits. */
int64_t stopped(struct world *w, unsigned first, unsigned last);
/* Jane decides on it. */
void decided(struct world *w, int64_t which, enum sweep_state verdict);
/* ... and it is too late for that. */
void not_decided(struct world *w, int64_t which);

/* ---- what became of it ---- */

const char *serial(unsigned n); /* static */
enum cert_state state_of(struct world *w, unsigned n);
/* Certificates 1 to MANY that are so. */
unsigned how_many(struct world *w, enum cert_state is);
/* The sweep that waits or is carried out; it is in that state. */
int64_t current(struct world *w, enum sweep_state want);
void nothing_waits(struct world *w);
enum sweep_state sweep_state(struct world *w, int64_t which);

#endif
