/*
 * cert_stream_fuzz.c - cert_stream_read() on anything; what it finds goes to cert_parse_known().
 */
#include <stdio.h>

#include "ca/cert_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc
found(void *arg, const struct cert_found *c, struct err *err)
{
	struct cert *cert;

	if ((c->der != NULL) + (c->serial != NULL) + (c->why != NULL) != 1 ||
	    (c->serial != NULL && (c->serial->len == 0 || c->serial->len > SERIAL_MAX)))
		__builtin_trap();
	if (c->der != NULL && cert_parse_known(&cert, c->der, c->der_len, NULL) == RC_OK)
		cert_free(cert);
	return RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f = size > 0 ? fmemopen((void *)data, size, "r") : NULL;
	size_t rows;

	if (f == NULL)
		return 0;
	(void)!cert_stream_read(f, &rows, found, NULL, NULL);
	(void)fclose(f);
	return 0;
}
