/*
 * store_check.c - what every argument has to be.
 */
#include "store/store_check.h"

#include <string.h>

#include "base/text.h"

/* A text of a row; NULL is fine where the column may be empty. */
enum rc
check_text(const char *s, size_t max, bool needed, const char *what, struct err *err)
{
	size_t len;

	if (s == NULL)
		return needed ? fail(err, RC_BUG, "%s is missing", what) : RC_OK;
	len = strnlen(s, max + 1);
	if (len > max)
		return fail(err, RC_LIMIT, "%s is longer than %zu bytes", what, max);
	if (needed && len == 0)
		return fail(err, RC_BUG, "%s is empty", what);
	return RC_OK;
}

enum rc
check_bytes(const void *p, size_t len, size_t max, const char *what, struct err *err)
{
	if (p == NULL || len == 0)
		return fail(err, RC_BUG, "%s is missing", what);
	if (len > max)
		return fail(
		    err, RC_LIMIT, "%s has %zu bytes, at most %zu are taken", what, len, max);
	return RC_OK;
}

/* Leading zero octets do not count: an INTEGER is a number. */
enum rc
check_serial(struct store_serial *out, const char *hex, struct err *err)
{
	size_t len;

	if (hex == NULL)
		return fail(err, RC_BUG, "serial number is missing");
	while (hex[0] == '0' && hex[1] == '0')
		hex += 2;
	len = strnlen(hex, 2 * STORE_SERIAL_MAX + 1);
	if (len == 0 || len > 2 * STORE_SERIAL_MAX)
		return fail(err, RC_PARSE, "a serial number has 1 to %d octets", STORE_SERIAL_MAX);
	out->len = len / 2;
	return hex_decode(out->v, out->len, hex, len, err);
}

enum rc
check_name(struct store_cert_name *out, const char *hex, const char *ca, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, false, "CA", err);

	out->ca = ca;
	return rc != RC_OK ? rc : check_serial(&out->serial, hex, err);
}
