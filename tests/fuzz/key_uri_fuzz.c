/*
 * key_uri_fuzz.c - token_uri_parse() on anything.
 */
#include <string.h>

#include "ossl/token_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_uri u;
	struct err err = { 0 };

	if (token_uri_parse(&u, (const char *)data, size, &err) != RC_OK) {
		if (err.rc != RC_CONFIG || err.msg[0] == '\0')
			__builtin_trap();
		return 0;
	}
	/* It names a key, and no text ends before its bytes did. */
	if (u.object[0] == '\0' && u.id_len == 0)
		__builtin_trap();
	if (u.id_len > sizeof u.id || memchr(u.token, '\0', sizeof u.token) == NULL ||
	    memchr(u.serial, '\0', sizeof u.serial) == NULL ||
	    memchr(u.object, '\0', sizeof u.object) == NULL)
		__builtin_trap();
	if (u.pin_source[0] != '\0' && u.pin_source[0] != '/' &&
	    strncmp(u.pin_source, "credential:", 11) != 0)
		__builtin_trap();
	return 0;
}
