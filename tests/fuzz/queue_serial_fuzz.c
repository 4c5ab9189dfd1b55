/* queue_serial_fuzz.c - the serial number and the context of a request of Intune's revocation queue: a line each. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scepd/queue_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is taken is a serial number as the store writes it, and taken again as itself. */
static void
look(const char *serial)
{
	char out[QUEUE_SERIAL_MAX], again[QUEUE_SERIAL_MAX];

	if (queue_serial(out, serial) && (!queue_serial(again, out) || strcmp(out, again) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), *context, comment[QUEUE_COMMENT_MAX];
	struct err err;

	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	context = strchr(text, '\n');
	if (context != NULL)
		*context++ = '\0';
	look(text);
	if (context != NULL && queue_comment(comment, context, &err) == RC_OK &&
	    strlen(comment) >= sizeof(comment))
		abort();
	free(text);
	return 0;
}
