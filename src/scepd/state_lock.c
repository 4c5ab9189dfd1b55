/*
 * state_lock.c - the lock of the signer's state.
 */
#include "scepd/state_lock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"

#define LOCK_WITHIN_MS 5000 /* processes of a scepd that was killed are gone long before */

/* The time of this start. */
static enum rc
mark_start(int fd, const char *path, struct err *err)
{
	if (futimens(fd, NULL) != 0)
		return fail_errno(err, "cannot write the time to %s", path);
	return RC_OK;
}

static enum rc
lock_within(int fd, const struct config *c, struct err *err)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000000L };
	int64_t until = clock_mono_ms() + LOCK_WITHIN_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_mono_ms() > until) {
			(void)fail(err, RC_CONFIG,
			    "another scepd runs with this configuration's %s and %s", c->store.url,
			    c->processes.signer_state);
			return err_hint(err,
			    "stop it, or give this one another store.url and "
			    "processes.signer_state");
		}
		(void)nanosleep(&tick, NULL);
	}
	return RC_OK;
}

enum rc
state_lock_take(int *fd, const struct config *c, struct err *err)
{
	char *path = NULL;
	enum rc rc = path_join(&path, c->processes.signer_state, "supervisor.lock", err);

	if (rc != RC_OK)
		return rc;
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		rc = fail_errno(err, "cannot open %s", path);
	else if ((rc = lock_within(*fd, c, err)) == RC_OK)
		rc = mark_start(*fd, path, err);
	free(path);
	return rc;
}
