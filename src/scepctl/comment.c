/*
 * comment.c - see comment.h.
 */
#include "scepctl/comment.h"

#include <string.h>

#include "base/text.h"

enum rc
ctl_text_check(const char *option, const char *text, size_t max, struct err *err)
{
	if (text == NULL)
		return RC_OK;
	if (strlen(text) > max)
		return fail(err, RC_CONFIG, "%s is longer than %zu bytes", option, max);
	if (!utf8_valid((const uint8_t *)text, strlen(text)))
		return fail(err, RC_CONFIG, "%s is not UTF-8 text", option);
	return RC_OK;
}

enum rc
ctl_comment_check(const char *comment, struct err *err)
{
	return ctl_text_check("--comment", comment, CTL_COMMENT_MAX, err);
}
