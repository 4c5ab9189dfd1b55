/* admin_tokens_fuzz.c - a tokens file: whatever is taken has names and rights that there are. */
#include <stdint.h>
#include <stdlib.h>

#include "scepd/admin_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct admin_tokens t;
	struct err err;

	if (admin_tokens_parse(&t, data, len, &err) != RC_OK)
		return 0;
	for (size_t i = 0; i < t.n; i++)
		if (!admin_name_ok(t.v[i].name) || t.v[i].may == 0 || t.v[i].may > ADMIN_MAY_ALL)
			abort();
	return 0;
}
