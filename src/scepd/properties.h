/*
 * properties.h - Microsoft's properties file (java.util.Properties text) as the admin got it from
 * Microsoft's library: KEY=value lines.
 */
#ifndef SCEPD_SCEPD_PROPERTIES_H
#define SCEPD_SCEPD_PROPERTIES_H

#include <stddef.h>

#include "base/err.h"

struct properties;
/* The file holds a secret: file_read_secret() rules. RC_CONFIG names file and line. */
enum rc properties_load(struct properties **out, const char *path, struct err *err) MUST_CHECK;
/* The door: '#' and '!' comments, '=' or ':' or white space between key and value, backslash
 * escapes, continuation lines, \uXXXX; UTF-8 (and Latin-1 where it is not UTF-8). */
enum rc properties_parse(struct properties **out, const char *name, const void *bytes, size_t len,
    struct err *err) MUST_CHECK;
size_t properties_count(const struct properties *p);
void properties_get(
    const struct properties *p, size_t i, const char **key, const char **value, int *line);
void properties_free(struct properties *p); /* wipes */

#endif
