/*
 * attempts.h - the ways out that are tried: each returns 0 when it has got out, or why not.
 */
#ifndef SCEPD_TESTS_SANDBOX_ATTEMPTS_H
#define SCEPD_TESTS_SANDBOX_ATTEMPTS_H

#include "kit.h"

#define ANY    (-1) /* without the sandbox: up to the machine and the user */
#define TRACES (-2) /* works without the sandbox, where Yama lets one process look into another */

/* One group each.  ways_memory: into world.sibling, when that is the one in the sandbox; naked alone. */
struct way {
	const char *claim; /* "the front, the signer cannot ..." */
	attempt *fn;
	int naked, front, signer; /* how it ends: 0, errno, KILLED, ANY */
	int abi;                  /* of Landlock, below which the row says nothing */
};
extern const struct way ways_files[], ways_processes[], ways_sockets[], ways_kernel[],
    ways_memory[];
extern const size_t n_ways_files, n_ways_processes, n_ways_sockets, n_ways_kernel, n_ways_memory;

#endif
