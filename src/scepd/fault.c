/* fault.c - see fault.h. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scepd/fault.h"

#ifdef SCEPD_FAULT_POINTS
/* SIGKILL, as a power cut or the kernel's OOM killer would: no handler runs, nothing is flushed. */
void
fault_point(const char *name)
{
	const char *want = getenv("SCEPD_FAULT");

	if (want != NULL && strcmp(want, name) == 0)
		(void)kill(getpid(), SIGKILL);
}
#endif
