/*
 * csr_fuzz.c - csr_parse() on anything.
 */
#include "ossl/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *challenge;
	struct csr *c;
	size_t len;

	if (csr_parse(&c, data, size, NULL) != RC_OK)
		return 0;
	if (csr_challenge0(c, &challenge) == CSR_CHALLENGE_ONE && challenge[0] == '\0')
		__builtin_trap();
	if (csr_der0(c, &len) == NULL || len != size)
		__builtin_trap();
	csr_free(c);
	return 0;
}
