/*
 * entra_token_fuzz.c - access tokens as services get them.  None that we did not sign opens
 * anything.
 */
#include "sim_actor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_header bearer = { "Authorization", NULL };
	char *value = malloc(size + 8);

	if (value == NULL)
		return 0;
	memcpy(value, "Bearer ", 7);
	memcpy(value + 7, data, size);
	value[size + 7] = '\0';
	bearer.value = value;
	if (sim_ask("GET",
		"/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints",
		&bearer, 1, "", 0) != 401)
		abort();
	free(value);
	return 0;
}
