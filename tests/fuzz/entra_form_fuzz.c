/*
 * entra_form_fuzz.c - what is posted to the token endpoints; the first byte chooses which.
 */
#include "sim_actor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_header form = { "Content-Type",
		"application/x-www-form-urlencoded" };

	if (size < 1)
		return 0;
	sim_ask("POST",
	    (data[0] & 1) != 0 ? "/fuzz.example/oauth2/token" : "/fuzz.example/oauth2/v2.0/token",
	    &form, 1, data + 1, size - 1);
	return 0;
}
