/*
 * target.h - from the request target (RFC 9112 3.2) to path and query, and percent-encoding.
 */
#ifndef SCEPD_HTTP_TARGET_H
#define SCEPD_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decode %XX of in[len] into out (room for `len` bytes; may be `in`), and '+' to a space when
 * asked.  The new length, or -1: a bad escape or a NUL.
 */
long http_percent_decode(char *out, const char *in, size_t len, bool plus_is_space);

/*
 * Split a NUL-terminated target.  *origin: where the path begins (past the scheme and authority of
 * absolute-form); for absolute-form without a path it is "/".  `path` holds strlen(target) + 2
 * bytes and gets the decoded path.  *query: the text after
 * '?', in `target`, or "".  NULL, or why it is refused.
 */
const char *http_target_split(
    const char *target, const char **origin, char *path, const char **query);

#endif
