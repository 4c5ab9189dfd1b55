/* stop.c - see stop.h. */
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"
#include "bench/stop.h"

#define TICK_MS 20 /* how late a signal may be noticed: nobody feels it */

static void
ours(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

void
stop_block(void)
{
	sigset_t set;

	ours(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void
stop_unblock(void)
{
	sigset_t set;

	ours(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool
stop_requested(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	    (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

enum rc
stop_check(struct err *err)
{
	return stop_requested() ? fail(err, RC_TIMEOUT, "stopped by a signal") : RC_OK;
}

void
stop_sleep_ms(unsigned ms)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until && !stop_requested())
		(void)nanosleep(&tick, NULL);
}
