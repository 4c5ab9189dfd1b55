/*
 * crowd.h - many threads that validate by one client at once.
 */
#ifndef SCEPD_TESTS_INTUNE_CROWD_H
#define SCEPD_TESTS_INTUNE_CROWD_H

#include <stdatomic.h>

#include "intune.h"

#define CROWD_MAX 64u /* threads */

struct crowd {
	struct intune_client *client;
	unsigned threads, rounds; /* rounds: calls of each thread */
	atomic_uint by_status[16];
	atomic_uint answered; /* bad ends with an HTTP status */
};

/* All calls have returned. */
void crowd_run(struct crowd *c);

#endif
