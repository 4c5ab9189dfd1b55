/*
 * locked.h - memory for a secret that is kept: never swapped, in no core file, wiped when it goes.
 *
 * Threads: any.
 */
#ifndef SCEPD_BASE_LOCKED_H
#define SCEPD_BASE_LOCKED_H

#include <stddef.h>

#include "base/err.h"

#define LOCKED_MAX (16u * 1024u) /* bytes of one secret; RLIMIT_MEMLOCK is often 64 KiB in all */

/*
 * A copy of `len` bytes and a NUL, in pages of its own; locked_free() it.  Where the system refuses to
 * lock them (RLIMIT_MEMLOCK) the copy is made all the same: it is still left out of core files.
 */
enum rc locked_copy(char **out, const void *p, size_t len, struct err *err) MUST_CHECK;
/* NULL is allowed.  `len` as it was. */
void locked_free(char *p, size_t len);

#endif
