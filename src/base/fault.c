/* fault.c - see fault.h. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#ifdef SCEPD_FAULT_POINTS
static bool
wanted(const char *variable, const char *name)
{
	const char *want = getenv(variable);

	return want != NULL && strcmp(want, name) == 0;
}

/* SIGKILL, as a power cut or the kernel's OOM killer would: no handler runs, nothing is flushed. */
void
fault_point(const char *name)
{
	if (wanted("SCEPD_FAULT", name) || wanted("SCEPD_FAULT_FRONT", name) ||
	    wanted("SCEPD_FAULT_SIGNER", name))
		(void)kill(getpid(), SIGKILL);
}

void
fault_stall(const char *name)
{
	const struct timespec time = { .tv_sec = 40 };

	if (wanted("SCEPD_STALL", name))
		(void)nanosleep(&time, NULL);
}

/* The others with it, for a power cut takes all; or the point is passed the next time. */
void
fault_process_ended(int status)
{
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

	if (killed && getenv("SCEPD_FAULT") != NULL)
		(void)kill(getpid(), SIGKILL);
	(void)unsetenv("SCEPD_FAULT_FRONT");
	(void)unsetenv("SCEPD_FAULT_SIGNER");
}
#endif
