/* device_fuzz.c - the answer to a simulated device's check-in. */
#include <stdint.h>
#include <stdlib.h>

#include "scep-client/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct managed_device *d = calloc(1, sizeof(*d));
	struct err err;

	if (d != NULL)
		(void)!device_parse(d, data, len, &err);
	device_free(d);
	return 0;
}
