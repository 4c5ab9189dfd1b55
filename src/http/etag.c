/*
 * etag.c - see etag.h.
 */
#include "http/etag.h"

#include <string.h>

/* The tag at *at, with its quotes and without W/; *at moves behind it.  0: there is none. */
static size_t
next_tag(const char **at, const char **tag)
{
	const char *p = *at + strspn(*at, " \t,"), *end;

	if (strncmp(p, "W/", 2) == 0)
		p += 2;
	if (*p != '"' || (end = strchr(p + 1, '"')) == NULL)
		return 0;
	*tag = p;
	*at = end + 1;
	return (size_t)(*at - p);
}

bool
http_etag_listed(const char *field, const char *etag)
{
	size_t len, want = strlen(etag);
	const char *tag = NULL;

	if (strcmp(field, "*") == 0)
		return true;
	while ((len = next_tag(&field, &tag)) != 0) {
		if (len == want && memcmp(tag, etag, len) == 0)
			return true;
		field += strspn(field, " \t");
		if (*field != ',' && *field != '\0')
			return false;
	}
	return false;
}
