/* progress.c - see progress.h. */
#include <stdio.h>
#include <unistd.h>

#include "bench/progress.h"

#define LINE_START "\r\033[K" /* ECMA-48: back to column 1, erase to the end */

void
progress_init(struct progress *p)
{
	p->on = isatty(STDERR_FILENO) == 1;
}

void
progress_show(const struct progress *p, const char *what, size_t done, size_t total)
{
	if (!p->on)
		return;
	if (total > 0)
		fprintf(stderr, LINE_START "%s: %zu of %zu", what, done, total);
	else
		fprintf(stderr, LINE_START "%s", what);
	fflush(stderr);
}

void
progress_clear(const struct progress *p)
{
	if (p->on)
		fputs(LINE_START, stderr);
}
