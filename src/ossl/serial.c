/*
 * serial.c - certificate serial numbers.
 */
#include <string.h>

#include "base/text.h"
#include "ossl/cert.h"

#define SERIAL_RANDOM 16 /* octets: 128 bits */

enum rc
serial_random(struct serial *out, struct err *err)
{
	struct serial s = { .len = SERIAL_RANDOM };
	enum rc rc;

	do {
		if ((rc = random_bytes(s.v, SERIAL_RANDOM, err)) != RC_OK)
			return rc;
	} while (s.v[0] == 0);
	*out = s;
	return RC_OK;
}

void
serial_hex(char out[static 2 * SERIAL_MAX + 1], const struct serial *s)
{
	hex_upper(out, s->v, s->len);
}

enum rc
serial_from_hex(struct serial *out, const char *hex, struct err *err)
{
	size_t digits = strlen(hex), skip = 0;
	char even[2 * SERIAL_MAX + 2];
	struct serial s = { 0 };
	enum rc rc;

	while (digits > 1 && hex[0] == '0') {
		hex++;
		digits--;
	}
	if (digits == 0 || digits > 2 * SERIAL_MAX)
		return fail(err, RC_PARSE, "a serial number has 1 to %d hexadecimal digits",
		    2 * SERIAL_MAX);
	skip = digits % 2;
	even[0] = '0';
	memcpy(even + skip, hex, digits);
	s.len = (digits + skip) / 2;
	if ((rc = hex_decode(s.v, s.len, even, digits + skip, err)) != RC_OK)
		return rc;
	*out = s;
	return RC_OK;
}

bool
serial_same(const struct serial *a, const struct serial *b)
{
	return a->len == b->len && memcmp(a->v, b->v, a->len) == 0;
}
