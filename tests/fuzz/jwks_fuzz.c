/*
 * jwks_fuzz.c - JSON Web Keys.
 */
#include <stdint.h>
#include <stdlib.h>

#include "intunesim/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwks keys;

	if (jwks_parse(&keys, data, size, NULL) != RC_OK)
		return 0;
	if (keys.n == 0 || keys.n > JWKS_KEYS_MAX)
		abort();
	jwks_done(&keys);
	return 0;
}
