/*
 * sealed_fuzz.c - cms_opener_new() and cms_opener_read() on anything.  The corpus is sealed with "fuzz" and
 * few rounds.
 */
#include "ossl/cms_password.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t len;
};

static enum rc
read_input(void *arg, void *p, size_t size, size_t *n, struct err *err)
{
	struct input *in = arg;

	*n = in->len < size ? in->len : size;
	memcpy(p, in->p, *n);
	in->p += *n;
	in->len -= *n;
	return RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct cms_opener *o;
	uint8_t chunk[512];
	size_t n = 1;

	if (cms_opener_new(&o, "fuzz", 4, read_input, &in, NULL) != RC_OK)
		return 0;
	while (n > 0 && cms_opener_read(o, chunk, sizeof(chunk), &n, NULL) == RC_OK)
		if (n > sizeof(chunk))
			__builtin_trap();
	cms_opener_free(o);
	return 0;
}
