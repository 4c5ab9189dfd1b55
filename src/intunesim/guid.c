/*
 * guid.c - making and recognising GUIDs.
 */
#include "intunesim/guid.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ossl/alg.h"

static const char form[GUID_TEXT_MAX] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

bool
guid_valid(const char *s)
{
	if (strlen(s) != GUID_TEXT_MAX - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

/* RFC 9562 4: version in the high half of octet 6, variant 10 in octet 8. */
static void
guid_print(char out[static GUID_TEXT_MAX], uint8_t v[static 16], unsigned version)
{
	v[6] = (uint8_t)((v[6] & 0x0f) | version << 4);
	v[8] = (uint8_t)((v[8] & 0x3f) | 0x80);
	snprintf(out, GUID_TEXT_MAX,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", v[0], v[1],
	    v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14],
	    v[15]);
}

enum rc
guid_random(char out[static GUID_TEXT_MAX], struct err *err)
{
	uint8_t v[16];
	enum rc rc;

	if ((rc = random_bytes(v, sizeof(v), err)) != RC_OK)
		return rc;
	guid_print(out, v, 4);
	return RC_OK;
}

enum rc
guid_derive(char out[static GUID_TEXT_MAX], const char *scope, const char *name, struct err *err)
{
	uint8_t hash[DIGEST_SIZE_MAX];
	struct buf b;
	enum rc rc;

	buf_init(&b, 64 * 1024);
	buf_adds(&b, scope);
	buf_addc(&b, '\n');
	buf_adds(&b, name);
	if ((rc = buf_ok(&b, "name", err)) == RC_OK)
		rc = digest_bytes(hash, DIGEST_SHA256, b.data, b.len, err);
	buf_done(&b);
	if (rc == RC_OK)
		guid_print(out, hash, 8);
	return rc;
}
