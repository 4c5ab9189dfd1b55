/*
 * crew.h - the same work for many items, on all cores.
 */
#ifndef SCEPD_BENCH_CREW_H
#define SCEPD_BENCH_CREW_H

#include <stddef.h>

#include "base/err.h"
#include "bench/cpus.h"
#include "bench/progress.h"

/* Called once for each i, in any order, from any of the threads. */
typedef enum rc (*crew_item)(void *ctx, size_t i, struct err *err);

/* Returns when all is done; the first failure, or a signal, ends it early. */
enum rc crew_run(const struct cpus *cpus, const struct progress *p, const char *what, size_t n,
    crew_item item, void *ctx, struct err *err) MUST_CHECK;

#endif
