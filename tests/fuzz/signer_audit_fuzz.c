/*
 * signer_audit_fuzz.c - the text of an audit, as it is read at a start and by `scepctl audit verify`.
 */
#include "signer/signer_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain c;
	struct err err;
	size_t used;

	chain_begin(&c);
	(void)!chain_follow(&c, data, size, &used, 1, NULL, NULL, &err);
	(void)chain_last(&c, data, size);
	return 0;
}
