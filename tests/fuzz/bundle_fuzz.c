/*
 * bundle_fuzz.c - certs_parse_any() and pkcs12_parse() on anything.
 */
#include "ossl/pkcs12.h"

#define CERTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert *certs[CERTS];
	struct pkcs12 p;
	size_t n = 0;

	if (certs_parse_any(certs, CERTS, &n, data, size, NULL) == RC_OK) {
		if (n == 0 || n > CERTS)
			__builtin_trap();
		while (n > 0)
			cert_free(certs[--n]);
	}
	if (pkcs12_parse(&p, data, size, "sesam", NULL) == RC_OK)
		pkcs12_done(&p);
	return 0;
}
