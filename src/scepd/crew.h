/*
 * crew.h - pieces of work that come round again and again, each by its own clock, and threads for all of them: as many as
 * there are pieces, up to a bound.  A piece that hangs keeps a thread, and no other piece waits for it as long as a
 * thread is left.  No piece runs twice at once.
 *
 * Threads: from any; a piece runs on one of the crew's.
 */
#ifndef SCEPD_SCEPD_CREW_H
#define SCEPD_SCEPD_CREW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct crew;
/* Piece `part` at `now_ms` (clock_mono_ms()); returns when it is due next, and begins nothing more once *stop is true. */
typedef int64_t crew_fn(void *arg, size_t part, int64_t now_ms, const atomic_bool *stop);

/* All pieces are due at once.  `parts` 0: there is nothing to do, and no thread. */
enum rc crew_start(struct crew **out, size_t parts, size_t threads_max, crew_fn *fn, void *arg,
    struct err *err) MUST_CHECK;
/* Every piece is due now; one that is under way comes again after it. */
void crew_wake(struct crew *c);
/* Ask to end, and return at once; NULL is allowed. */
void crew_stop(struct crew *c);
/* Stop, and wait until all have ended; NULL is allowed. */
void crew_free(struct crew *c);

#endif
