/*
 * child.h - programs that a run starts: pinned, their output in a file, stopped by their pid, and
 * gone when scepbench is.
 */
#ifndef SCEPD_BENCH_CHILD_H
#define SCEPD_BENCH_CHILD_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct child;

struct child_spec {
	const char *name;        /* for errors */
	const char *const *argv; /* NULL-terminated; argv[0] is looked for in PATH */
	const cpu_set_t *cpus;
	const char *log; /* file for standard output and error */
};

/* *out is the caller's. RC_IO; RC_NOTFOUND when there is no such program. */
enum rc child_start(struct child **out, const struct child_spec *spec, struct err *err) MUST_CHECK;
bool child_running(struct child *c);
/* "NAME ended: last line it wrote". */
enum rc child_ended(struct child *c, struct err *err);
/* SIGTERM, patience, SIGKILL.  NULL-safe; frees. */
void child_stop(struct child *c);
/* Start and wait. */
enum rc child_run(const struct child_spec *spec, unsigned timeout_ms, struct err *err) MUST_CHECK;

pid_t child_pid(const struct child *c);

#endif
