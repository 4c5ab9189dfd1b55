/* properties_fuzz.c - Microsoft's properties file. */
#include <stdint.h>

#include "scepd/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct properties *p;
	struct err err;

	if (properties_parse(&p, "fuzz", data, len, &err) == RC_OK)
		properties_free(p);
	return 0;
}
