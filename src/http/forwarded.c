/*
 * forwarded.c - see forwarded.h.
 */
#include "http/forwarded.h"

#include <string.h>

#include "base/text.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
parse_element(struct address *out, const char *text, size_t len)
{
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (; len > 0 && is_blank(text[0]); len--)
		text++;
	return address_parse(out, text, len);
}

/* From the end of one header line towards its beginning.  True: that is who it is. */
static bool
walk_back(struct address *a, const char *value, const struct net *nets, size_t n)
{
	size_t end = strlen(value), from;
	struct address next;

	for (;; end = from - 1) {
		for (from = end; from > 0 && value[from - 1] != ','; from--)
			;
		if (!parse_element(&next, value + from, end - from))
			return true;
		*a = next;
		if (!address_in(a, nets, n))
			return true;
		if (from == 0)
			return false;
	}
}

void
address_forwarded(
    struct address *a, const struct http_request *req, const struct net *nets, size_t n)
{
	/* A proxy adds to the line that is there, or a line of its own at the end. */
	for (size_t i = req->n_headers; i-- > 0;)
		if (str_eq_nocase(req->headers[i].name, "X-Forwarded-For") &&
		    walk_back(a, req->headers[i].value, nets, n))
			return;
}
