/*
 * usage.h - what a process and its children have used so far, from /proc.
 */
#ifndef SCEPD_BENCH_USAGE_H
#define SCEPD_BENCH_USAGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct usage {
	double user, system; /* seconds of CPU */
	uint64_t rss, peak;  /* bytes now, and the sum of each process's most */
	uint64_t disk;       /* bytes sent towards the disk */
	unsigned processes;
};

/* The process and those it started itself (a supervisor's signer and front). */
enum rc usage_read(struct usage *out, pid_t pid, struct err *err) MUST_CHECK;
/* Of those that a supervisor started, the one whose first argument is `role`: "front", "signer". */
enum rc usage_read_role(
    struct usage *out, pid_t supervisor, const char *role, struct err *err) MUST_CHECK;

#endif
