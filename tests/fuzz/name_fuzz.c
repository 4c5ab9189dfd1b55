/*
 * name_fuzz.c - name_parse() and name_from_text() on anything; what one makes the other reads.
 */
#include <stdlib.h>
#include <string.h>

#include "ossl/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text of a name made from text is a text of the same name. */
static void
round_trip(const struct name *n)
{
	struct name again;
	struct buf text;

	buf_init(&text, 1 << 20);
	name_text(&text, n);
	if (name_from_text(&again, buf_str(&text), NULL) == RC_OK) {
		if (!name_same(n, &again))
			__builtin_trap();
		name_done(&again);
	}
	buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct name n;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (name_parse(&n, data, size, NULL) == RC_OK) {
		struct buf shown;

		buf_init(&shown, 1 << 20);
		name_text(&shown, &n);
		if (shown.rc != RC_OK || !name_same(&n, &n))
			__builtin_trap();
		buf_done(&shown);
		name_done(&n);
	}
	if (name_from_text(&n, text, NULL) == RC_OK) {
		round_trip(&n);
		name_done(&n);
	}
	free(text);
	return 0;
}
