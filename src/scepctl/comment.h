/*
 * comment.h - what an administrator writes into the audit chain, where it is kept for ever.
 */
#ifndef SCEPD_SCEPCTL_COMMENT_H
#define SCEPD_SCEPCTL_COMMENT_H

#include <stddef.h>

#include "base/err.h"

/* Text of an option ("--reason") in UTF-8, of `max` bytes at most; NULL: there is none. */
enum rc ctl_text_check(
    const char *option, const char *text, size_t max, struct err *err) MUST_CHECK;

#define CTL_COMMENT_MAX 200 /* bytes */
/* The same of --comment. */
enum rc ctl_comment_check(const char *comment, struct err *err) MUST_CHECK;

#endif
