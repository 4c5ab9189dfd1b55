/*
 * file.h - whole files, bounded; written so that a crash leaves the old or the new.
 */
#ifndef SCEPD_BASE_FILE_H
#define SCEPD_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Where the functions that read get a descriptor for a path: open(2) unless another is set, by a process
 * that may not open files itself and has a process that does it for it, or has opened them before.
 * `fn` returns a descriptor that is read from its current position and then closed, or -1 with errno.
 * To be set before other threads exist; `fn` is called from any thread.  NULL: open(2) again.
 */
typedef int file_opener(void *arg, const char *path);
void file_opener_set(file_opener *fn, void *arg);

/* Append the file at `path` to `out`, at most `max` bytes (RC_LIMIT).  RC_NOTFOUND when absent. */
enum rc file_read(struct buf *out, const char *path, size_t max, struct err *err) MUST_CHECK;
/*
 * As file_read() for a secret: refuses (RC_CONFIG, with a chmod hint) a file that group or others
 * may read or write unless owned by root with mode 0640, and drops one trailing newline.
 */
enum rc file_read_secret(struct buf *out, const char *path, size_t max, struct err *err) MUST_CHECK;
/* Write through a temporary file, fsync, rename, fsync of the folder.  RC_CONFLICT when it exists
 * and !replace. */
enum rc file_write(const char *path, const void *p, size_t len, mode_t mode, int replace,
    struct err *err) MUST_CHECK;
/* Names that were made, moved or removed in this folder are on the disk. */
enum rc folder_sync(const char *dir, struct err *err) MUST_CHECK;
/* mkdir -p for the last component only; an existing folder is fine. */
enum rc dir_make(const char *path, mode_t mode, struct err *err) MUST_CHECK;
/* dir + "/" + name unless name is absolute.  *out is the caller's. */
enum rc path_join(char **out, const char *dir, const char *name, struct err *err) MUST_CHECK;
/* The folder part of a path, "." if none.  *out is the caller's. */
enum rc path_dir(char **out, const char *path, struct err *err) MUST_CHECK;

#endif
