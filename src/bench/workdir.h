/*
 * workdir.h - the temporary folder that holds everything which a run makes.
 */
#ifndef SCEPD_BENCH_WORKDIR_H
#define SCEPD_BENCH_WORKDIR_H

#include "base/err.h"

/* Below $TMPDIR or /tmp, mode 0700.  *out is the caller's. */
enum rc workdir_make(char **out, struct err *err) MUST_CHECK;
/* With everything in it. NULL-safe; frees. */
void workdir_remove(char *dir);
/* "ext4", "tmpfs" ...: what a durable write costs depends on it. Static. */
const char *workdir_filesystem(const char *dir);

#endif
