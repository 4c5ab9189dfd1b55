/*
 * der_text.c - the character string types of ASN.1, as UTF-8.
 */
#include "ossl/der_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Take one code point; false at malformed input. */
typedef bool next_fn(struct der *in, uint32_t *cp);

static bool
next_ascii(struct der *in, uint32_t *cp)
{
	*cp = in->p[0];
	in->p++;
	in->len--;
	return *cp < 0x80;
}

static bool
next_latin1(struct der *in, uint32_t *cp)
{
	*cp = in->p[0];
	in->p++;
	in->len--;
	return true;
}

static bool
next_utf8(struct der *in, uint32_t *cp)
{
	size_t n = utf8_next(cp, in->p, in->len);

	in->p += n;
	in->len -= n;
	return n > 0;
}

static bool
take_unit(struct der *in, uint32_t *unit)
{
	if (in->len < 2)
		return false;
	*unit = (uint32_t)in->p[0] << 8 | in->p[1];
	in->p += 2;
	in->len -= 2;
	return true;
}

/* X.680 says UCS-2; Windows writes UTF-16. */
static bool
next_bmp(struct der *in, uint32_t *cp)
{
	uint32_t low;

	if (!take_unit(in, cp))
		return false;
	if (*cp < 0xd800 || *cp > 0xdfff)
		return true;
	if (*cp > 0xdbff || !take_unit(in, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool
next_universal(struct der *in, uint32_t *cp)
{
	uint32_t high, low;

	if (!take_unit(in, &high) || !take_unit(in, &low))
		return false;
	*cp = high << 16 | low;
	return *cp <= 0x10ffff && (*cp < 0xd800 || *cp > 0xdfff);
}

/* PrintableString in the field holds '@', '*' and '_' too, so ASCII is what is checked. */
static const struct {
	uint8_t tag;
	next_fn *next;
} types[] = {
	{ DER_UTF8, next_utf8 },
	{ DER_PRINTABLE, next_ascii },
	{ DER_IA5, next_ascii },
	{ DER_NUMERIC, next_ascii },
	{ DER_VISIBLE, next_ascii },
	{ DER_T61, next_latin1 },
	{ DER_BMP, next_bmp },
	{ DER_UNIVERSAL, next_universal },
};

static next_fn *
decoder(uint8_t tag)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].tag == tag)
			return types[i].next;
	return NULL;
}

static bool
allowed(uint32_t cp, enum text_rules rules)
{
	if (cp >= 0x20 && cp < 0x7f)
		return true;
	if (rules == TEXT_LINES && (cp == '\r' || cp == '\n' || cp == '\t'))
		return true;
	/*
	 * Line separators, and what turns the order of its neighbours round for whoever reads the
	 * name.  (Joiners and marks of direction belong to the names of many people.)
	 */
	if (rules == TEXT_NAME &&
	    ((cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069)))
		return false;
	return cp >= 0xa0; /* neither C0 nor DEL nor C1 */
}

static size_t
put_utf8(char *out, uint32_t cp)
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;

	if (n == 1) {
		out[0] = (char)cp;
		return 1;
	}
	for (i = n - 1; i > 0; i--, cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[0] = (char)(lead[n] | cp);
	return n;
}

/* No early exit, so that the compiler can look at many octets at a time: a challenge has thousands.
 */
static bool
plain_ascii(const uint8_t *p, size_t len)
{
	unsigned bad = 0;
	size_t i;

	for (i = 0; i < len; i++)
		bad |= (uint8_t)(p[i] - 0x20) > 0x7e - 0x20;
	return bad == 0;
}

static bool
convert(char *out, size_t *out_len, next_fn *next, struct der in, enum text_rules rules)
{
	uint32_t cp;
	size_t n = 0;

	while (in.len > 0) {
		if (!next(&in, &cp) || !allowed(cp, rules))
			return false;
		n += put_utf8(out + n, cp);
	}
	*out_len = n;
	return true;
}

enum rc
der_text(char **out, uint8_t tag, const struct der *body, enum text_rules rules, const char *what,
    struct err *err)
{
	next_fn *next = decoder(tag);
	size_t n = body->len;
	char *s;

	if (next == NULL)
		return fail(err, RC_PARSE, "%s is no character string (tag %#x)", what, tag);
	s = malloc(
	    body->len * 2 + 1); /* Latin-1 and BMP grow most: one octet into two, two into three */
	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for %s", what);
	if (tag != DER_BMP && tag != DER_UNIVERSAL && plain_ascii(body->p, body->len)) {
		if (n > 0)
			memcpy(s, body->p, n);
	} else if (!convert(s, &n, next, *body, rules)) {
		wipe_free(s, body->len * 2 + 1);
		return fail(err, RC_PARSE, "%s is malformed or holds control characters", what);
	}
	s[n] = '\0';
	*out = s;
	return RC_OK;
}

bool
text_is_printable_string(const char *s)
{
	static const char others[] = " '()+,-./:=?";

	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr(others, *s) != NULL))
			return false;
	return true;
}

bool
text_is_ascii(const char *s)
{
	return plain_ascii((const uint8_t *)s, strlen(s));
}

bool
text_is_clean(const char *s)
{
	struct der in = { (const uint8_t *)s, strlen(s) };
	uint32_t cp;

	while (in.len > 0)
		if (!next_utf8(&in, &cp) || !allowed(cp, TEXT_NAME))
			return false;
	return true;
}
