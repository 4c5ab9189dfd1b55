/*
 * comment.h - an administrator's --comment.
 */
#ifndef SCEPD_SCEPCTL_COMMENT_H
#define SCEPD_SCEPCTL_COMMENT_H

#include "base/err.h"

#define CTL_COMMENT_MAX 200 /* bytes; it is kept for ever in the audit chain */

/* Text in UTF-8 that is not too long; NULL: there is none. */
enum rc ctl_comment_check(const char *comment, struct err *err) MUST_CHECK;

#endif
