/*
 * comment.c - see comment.h.
 */
#include "scepctl/comment.h"

#include <string.h>

#include "base/text.h"

enum rc
ctl_comment_check(const char *comment, struct err *err)
{
	if (comment == NULL)
		return RC_OK;
	if (strlen(comment) > CTL_COMMENT_MAX)
		return fail(err, RC_CONFIG, "--comment is longer than %d bytes", CTL_COMMENT_MAX);
	if (!utf8_valid((const uint8_t *)comment, strlen(comment)))
		return fail(err, RC_CONFIG, "--comment is not UTF-8 text");
	return RC_OK;
}
