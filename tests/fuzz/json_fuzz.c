/*
 * json_fuzz.c - any bytes at the JSON door; what it takes must survive being written and read
 * again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *v = NULL, *again = NULL;
	struct err err;
	struct buf b;
	int64_t n;

	if (json_parse(&v, data, size, &err) != RC_OK)
		return 0;
	(void)json_get_str(v, "a");
	if (json_get_i64(&n, v, "n", 0, &err) != RC_OK && err.rc != RC_PARSE)
		abort();
	/* Escapes may make the text longer than what came in. */
	buf_init(&b, 8 * (size_t)LIMIT_JSON);
	if (json_add_text(&b, v, &err) != RC_OK)
		abort();
	if (b.len <= LIMIT_JSON && json_parse(&again, b.data, b.len, &err) != RC_OK)
		abort();
	if (again != NULL && !json_equal(v, again))
		abort();
	json_decref(again);
	json_decref(v);
	buf_done(&b);
	return 0;
}
