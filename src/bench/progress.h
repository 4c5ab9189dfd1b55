/*
 * progress.h - one line on a terminal that says what is being done; nothing elsewhere.
 */
#ifndef SCEPD_BENCH_PROGRESS_H
#define SCEPD_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool on;
};

/* On when standard error is a terminal. */
void progress_init(struct progress *p);
/* total 0: no count. */
void progress_show(const struct progress *p, const char *what, size_t done, size_t total);
void progress_clear(const struct progress *p);

#endif
