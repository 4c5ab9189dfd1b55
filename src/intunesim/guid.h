/*
 * guid.h - GUIDs as text: 8-4-4-4-12 hex digits.
 */
#ifndef SCEPD_INTUNESIM_GUID_H
#define SCEPD_INTUNESIM_GUID_H

#include <stdbool.h>

#include "base/err.h"

#define GUID_TEXT_MAX 37 /* with its NUL */

/* The form only; either case, no braces. */
bool guid_valid(const char *s);
/* A random one (RFC 9562 version 4), lower case. */
enum rc guid_random(char out[static GUID_TEXT_MAX], struct err *err) MUST_CHECK;
/* The same for the same two texts, always (RFC 9562 version 8); for objects that a file gives no
 * id. */
enum rc guid_derive(char out[static GUID_TEXT_MAX], const char *scope, const char *name,
    struct err *err) MUST_CHECK;

#endif
