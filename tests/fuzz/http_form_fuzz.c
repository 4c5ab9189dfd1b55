/*
 * http_form_fuzz.c - form fields: the first byte chooses the name's length and what '+' means, then
 * name, then form.  And what was encoded decodes to itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/server.h"

static void
get(const uint8_t *data, size_t size)
{
	size_t n = data[0] & 15, len;
	char name[16], *value;
	struct err err;

	if (size < 1 + n)
		return;
	memcpy(name, data + 1, n);
	name[n] = '\0';
	if (http_form_get(&value, &len, (const char *)data + 1 + n, size - 1 - n, name,
		(data[0] & 128) != 0, &err) == RC_OK) {
		if (value != NULL && strlen(value) != len)
			abort();
		free(value);
	}
}

static void
round_trip(const uint8_t *data, size_t size)
{
	struct buf b;
	char *value;
	size_t len;

	if (memchr(data, 0, size) != NULL)
		return;
	buf_init(&b, 3 * size + 2);
	buf_adds(&b, "x=");
	url_encode_add(&b, (const char *)data, size);
	if (buf_ok(&b, "form", NULL) != RC_OK)
		return;
	if (http_form_get(&value, &len, buf_str(&b), b.len, "x", true, NULL) != RC_OK ||
	    len != size || memcmp(value, data, size) != 0)
		abort();
	free(value);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	get(data, size);
	round_trip(data, size);
	return 0;
}
