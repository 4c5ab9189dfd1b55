/*
 * key_pem_fuzz.c - key_parse_pem_locked() on anything, with a passphrase and without.
 */
#include <stdint.h>

#include "ossl/key_pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const passphrases[] = { NULL, "x" };
	struct key *k;
	bool locked;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (key_parse_pem_locked(&k, &locked, data, size, passphrases[i], NULL) != RC_OK)
			continue;
		if (!key_is_private(k) || (locked && passphrases[i] == NULL))
			__builtin_trap();
		key_free(k);
	}
	return 0;
}
