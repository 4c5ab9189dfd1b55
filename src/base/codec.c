/*
 * codec.c - hex and base64, both ways; percent-encoding.
 */
#include <string.h>

#include "base/text.h"

#define B64_STD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define B64_URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void
hex_with(char *out, const uint8_t *p, size_t len, const char *digits)
{
	size_t i;

	for (i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

void
hex_lower(char *out, const uint8_t *p, size_t len)
{
	hex_with(out, p, len, "0123456789abcdef");
}

void
hex_upper(char *out, const uint8_t *p, size_t len)
{
	hex_with(out, p, len, "0123456789ABCDEF");
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum rc
hex_decode(uint8_t *out, size_t outlen, const char *s, size_t len, struct err *err)
{
	size_t i;

	if (len % 2 != 0 || outlen != len / 2)
		return fail(err, RC_PARSE, "hex text has %zu digits, want %zu", len, outlen * 2);
	for (i = 0; i < len; i++) {
		if (hex_digit(s[i]) < 0)
			return fail(err, RC_PARSE, "hex text has no hex digit at offset %zu", i);
	}
	for (i = 0; i < outlen; i++)
		out[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return RC_OK;
}

/* The last one or two octets, and their padding. */
static void
base64_tail(char *to, const uint8_t *p, size_t n, const char *alphabet)
{
	uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0);

	to[0] = alphabet[v >> 18 & 63];
	to[1] = alphabet[v >> 12 & 63];
	to[2] = n > 1 ? alphabet[v >> 6 & 63] : '=';
	to[3] = '=';
}

static void
base64_with(struct buf *b, const uint8_t *p, size_t len, const char *alphabet, bool pad)
{
	size_t rest = len % 3, whole = len / 3 * 4;
	char tail[4], *to;

	if (len == 0)
		return;
	to = (char *)buf_grow(b, whole);
	for (; to != NULL && len >= 3; p += 3, len -= 3, to += 4) {
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		to[0] = alphabet[v >> 18];
		to[1] = alphabet[v >> 12 & 63];
		to[2] = alphabet[v >> 6 & 63];
		to[3] = alphabet[v & 63];
	}
	if (to == NULL || rest == 0)
		return;
	base64_tail(tail, p, rest, alphabet);
	buf_add(b, tail, pad ? 4 : rest + 1);
}

void
base64_add(struct buf *b, const uint8_t *p, size_t len)
{
	base64_with(b, p, len, B64_STD, true);
}

#define PEM_OCTETS 48 /* of a line: 64 characters (RFC 7468 2) */

void
pem_add(struct buf *b, const char *label, const uint8_t *p, size_t len)
{
	buf_addf(b, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < len; i += PEM_OCTETS) {
		base64_add(b, p + i, len - i < PEM_OCTETS ? len - i : PEM_OCTETS);
		buf_addc(b, '\n');
	}
	buf_addf(b, "-----END %s-----\n", label);
}

void
base64url_add(struct buf *b, const uint8_t *p, size_t len)
{
	base64_with(b, p, len, B64_URL, false);
}

/* What a byte of base64 text is: 0..63, or one of these. */
enum { B64_BAD = -1, B64_PAD = -2, B64_SKIP = -3 };

static int
base64_symbol(char c, enum base64_mode mode)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	if (c == '=')
		return B64_PAD;
	if (mode == BASE64_STRICT)
		return B64_BAD;
	if (c == '-' || c == ' ') /* base64url; a '+' that a query decoder ate */
		return 62;
	if (c == '_')
		return 63;
	return c == '\r' || c == '\n' ? B64_SKIP : B64_BAD;
}

/* Look at every byte before any is decoded; *symbols counts those that carry bits. */
static enum rc
base64_check(size_t *symbols, const char *s, size_t len, enum base64_mode mode, struct err *err)
{
	size_t i, n = 0, pads = 0;
	int v, last = 0;

	for (i = 0; i < len; i++) {
		v = base64_symbol(s[i], mode);
		if (v == B64_SKIP)
			continue;
		if (v == B64_BAD || (v >= 0 && pads > 0))
			return fail(err, RC_PARSE,
			    "base64 text has a wrong byte 0x%02x at offset %zu",
			    (unsigned char)s[i], i);
		if (v == B64_PAD) {
			pads++;
			continue;
		}
		n++;
		last = v;
	}
	if (n % 4 == 1)
		return fail(err, RC_PARSE, "base64 text is cut short (%zu symbols)", n);
	if (pads > (4 - n % 4) % 4 || (mode == BASE64_STRICT && (n + pads) % 4 != 0))
		return fail(err, RC_PARSE, "base64 text has wrong padding");
	if ((n % 4 == 2 && (last & 15) != 0) || (n % 4 == 3 && (last & 3) != 0))
		return fail(err, RC_PARSE, "base64 text has stray bits at its end");
	*symbols = n;
	return RC_OK;
}

enum rc
base64_decode(struct buf *out, const char *s, size_t len, enum base64_mode mode, struct err *err)
{
	size_t i, n = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	uint8_t *to;
	enum rc rc;

	rc = base64_check(&n, s, len, mode, err);
	if (rc != RC_OK || n == 0)
		return rc;
	to = buf_grow(out, n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0));
	if (to == NULL)
		return buf_ok(out, "decoded base64", err);
	for (i = 0; i < len; i++) {
		int v = base64_symbol(s[i], mode);

		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to++ = (uint8_t)(bits >> have);
		}
	}
	return RC_OK;
}

static bool
is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("-._~", c) != NULL);
}

void
url_encode_add(struct buf *b, const char *s, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	char esc[3] = "%";
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_unreserved(s[i])) {
			buf_addc(b, s[i]);
			continue;
		}
		esc[1] = digits[(uint8_t)s[i] >> 4];
		esc[2] = digits[(uint8_t)s[i] & 15];
		buf_add(b, esc, sizeof esc);
	}
}
