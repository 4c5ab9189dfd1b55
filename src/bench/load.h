/*
 * load.h - send prebuilt messages, so many at a time, over connections that stay open.
 *
 * One thread and one epoll: cheap enough that the server is what is measured.
 */
#ifndef SCEPD_BENCH_LOAD_H
#define SCEPD_BENCH_LOAD_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "bench/progress.h"
#include "bench/target.h"

/* One PKIOperation. */
struct shot {
	const uint8_t *body; /* borrowed */
	size_t len;
	int status;       /* HTTP; 0: no answer came */
	struct buf reply; /* made by load_run() */
	uint64_t us;      /* from the first byte sent to the last received */
	uint64_t at_us;   /* when that was, clock_mono_us() */
};

struct load_result {
	uint64_t elapsed_us;
	size_t sent, answered;
	size_t reconnects; /* connections that the server closed and that were opened again */
};

/* RC_OK even when answers are missing or bad: look at the shots.  RC_IO when nothing can be
 * reached, RC_TIMEOUT after a signal. */
enum rc load_run(struct load_result *out, const struct target *t, struct shot *shots, size_t n,
    unsigned concurrency, const struct progress *p, const char *what, struct err *err) MUST_CHECK;
/* The same until all are sent or *enough is true; what is under way then is waited for. */
enum rc load_run_while(struct load_result *out, const struct target *t, struct shot *shots,
    size_t n, unsigned concurrency, const atomic_bool *enough, const struct progress *p,
    const char *what, struct err *err) MUST_CHECK;
void shots_done(struct shot *shots, size_t n);

#endif
