/* http_etag_fuzz.c - If-None-Match: what a cache says that it has. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char etag[] = "\"1f-67a\"";
	char *text = malloc(len + 1), *list = malloc(len + 32);

	if (text == NULL || list == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	/* Who is told that he has it has named it; and in front of a list it is found, whatever follows. */
	if (http_etag_listed(text, etag) && strcmp(text, "*") != 0 && strstr(text, etag) == NULL)
		abort();
	(void)snprintf(list, len + 32, "W/%s ,%s", etag, text);
	if (!http_etag_listed(list, etag))
		abort();
	free(text);
	free(list);
	return 0;
}
