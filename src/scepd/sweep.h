/*
 * sweep.h - rules about the directory, carried out: what they turn is turned, unless it is too much to be done
 * unasked (the brake, sweep_brake.h).  Then it is left as it is and an administrator is asked; causes of administrators
 * and of Intune's queue go on meanwhile, and so does what rules say of whomever that sweep does not turn, as long as the
 * brake lets it pass: in no window more is turned unasked than the brake allows.
 *
 * A sweep that waits is over by itself once the directory speaks so that the brake would let it pass, or wants nothing
 * of it any more; and once too much has come up beside it, which makes a larger one of both under a new number.  One that
 * was approved is carried out in batches: of what was approved, what is still so.  A crash loses nothing of it; the next
 * round goes on.  What was discarded is not done before the rule has let go of it.
 *
 * Threads: sweeper_run() from one; sweeper_metrics() from any.
 */
#ifndef SCEPD_SCEPD_SWEEP_H
#define SCEPD_SCEPD_SWEEP_H

#include <stdatomic.h>

#include "scepd/config.h"
#include "scepd/metrics.h"
#include "store/store.h"

struct sweeper;
struct sweeper_conf {
	struct store *store;
	const struct config *config;
	struct metrics *metrics;
	/* Statuses were changed; may be NULL. */
	void (*changed)(void *arg);
	void *arg;
};
enum rc sweeper_new(
    struct sweeper **out, const struct sweeper_conf *conf, struct err *err) MUST_CHECK;
void sweeper_free(struct sweeper *w);
/* One round.  Failures are logged; begins nothing more once *stop is true. */
void sweeper_run(struct sweeper *w, int64_t now_ms, const atomic_bool *stop);
/* What each rule says of how many certificates, and what waits. */
void sweeper_metrics(struct sweeper *w, struct buf *out);

/*
 * The server's own, to be called about once a second: a round is made when a directory has said something new,
 * when an administrator has approved, and each revocation.interval, as time itself makes rules speak.  Rounds take
 * no more than a fifth of the time of their thread, but for approved sweeps.
 */
struct scepd;
void sweep_run(struct scepd *s, int64_t now_ms, const atomic_bool *stop);
/* A directory has said something new of `n` objects.  From any thread. */
void sweep_news(struct scepd *s, size_t n);

#endif
