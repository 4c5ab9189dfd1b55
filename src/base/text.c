/*
 * text.c - small string helpers: copies, comparisons, numbers, patterns, UTF-8.
 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST_WORD_MAX 64 /* bytes; longer words are not compared */

/* ASCII only: the locale must not change what a URL or a file key means. */
static unsigned char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

enum rc
str_ndup(char **out, const char *s, size_t len, struct err *err)
{
	char *copy = NULL;

	if (len < SIZE_MAX)
		copy = malloc(len + 1);
	if (copy == NULL)
		return fail(err, RC_NOMEM, "out of memory for a string");
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	*out = copy;
	return RC_OK;
}

enum rc
str_dup(char **out, const char *s, struct err *err)
{
	return str_ndup(out, s, strlen(s), err);
}

enum rc
str_format(char **out, struct err *err, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fail(err, RC_NOMEM, "out of memory for a string");
	*out = s;
	return RC_OK;
}

bool
str_eq_nocase(const char *a, const char *b)
{
	for (; *a != '\0' && lower(*a) == lower(*b); a++, b++)
		;
	return lower(*a) == lower(*b);
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends_nocase(const char *s, const char *suffix)
{
	size_t len = strlen(s), slen = strlen(suffix);

	return slen <= len && str_eq_nocase(s + len - slen, suffix);
}

/* Digits at the start of `s`; the number of them, 0 also when the value passes 2^64. */
static size_t
digits_u64(uint64_t *out, const char *s)
{
	uint64_t v = 0;
	size_t n;

	for (n = 0; s[n] >= '0' && s[n] <= '9'; n++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[n] - '0'), &v))
			return 0;
	}
	*out = v;
	return n;
}

enum rc
parse_u64(
    uint64_t *out, const char *s, uint64_t min, uint64_t max, const char *what, struct err *err)
{
	uint64_t v = 0;
	size_t n = digits_u64(&v, s);

	if (n == 0 || s[n] != '\0' || v < min || v > max)
		return fail(err, RC_PARSE, "%s: \"%.40s\" is not a number from %llu to %llu", what,
		    s, (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return RC_OK;
}

enum rc
parse_duration(int64_t *out, const char *s, struct err *err)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'y', 365 * 86400 } };
	uint64_t v = 0;
	size_t i, n = digits_u64(&v, s);
	int64_t seconds;

	for (i = 0; n > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (s[n] != units[i].unit || (s[n] != '\0' && s[n + 1] != '\0'))
			continue;
		if (__builtin_mul_overflow(v, units[i].seconds, &seconds))
			break;
		*out = seconds;
		return RC_OK;
	}
	return fail(
	    err, RC_PARSE, "\"%.40s\" is not a duration such as 90s, 15m, 24h, 365d or 2y", s);
}

void
duration_text(char *out, int64_t seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	size_t i = 0;

	while (units[i].unit != 's' && (seconds == 0 || seconds % units[i].seconds != 0))
		i++;
	snprintf(out, DURATION_TEXT_MAX, "%lld%c", (long long)(seconds / units[i].seconds),
	    units[i].unit);
}

/* Past the character that starts at s (which is not at its end). */
static const char *
char_end(const char *s)
{
	for (s++; ((unsigned char)*s & 0xc0) == 0x80; s++)
		;
	return s;
}

/* One star to return to is enough: a later star makes every earlier one's choice final. */
bool
glob_match(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = s;
		} else if (*pattern == '?') {
			pattern++;
			s = char_end(s);
		} else if (*pattern != '\0' && lower(*pattern) == lower(*s)) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star;
			s = from = char_end(from);
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* RFC 3629 section 4 by length: lead byte, smallest code point that needs this length. */
size_t
utf8_next(uint32_t *cp, const uint8_t *p, size_t len)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };
	size_t i, n;
	uint32_t v;

	for (n = 0; n < 4; n++) {
		if (len > n && (p[0] & forms[n].mask) == forms[n].lead)
			break;
	}
	if (n == 4)
		return 0;
	v = p[0] & (uint8_t)~forms[n].mask;
	for (i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	/* No overlong form, no surrogate, nothing past Unicode. */
	if (v < forms[n].least || (v >= 0xd800 && v <= 0xdfff) || v > 0x10ffff)
		return 0;
	*cp = v;
	return n + 1;
}

bool
utf8_valid(const uint8_t *p, size_t len)
{
	uint32_t cp;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = utf8_next(&cp, p, len);
		if (n == 0 || cp == 0)
			return false;
	}
	return true;
}

bool
utf8_plain(const char *s, size_t max)
{
	size_t i, len = strlen(s);

	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	}
	return len <= max && utf8_valid((const uint8_t *)s, len);
}

bool
utf8_printable(uint32_t cp)
{
	/* What can break a line, hide, or reorder its neighbours on a terminal. */
	static const struct {
		uint32_t first, last;
	} hidden[] = { { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },
		{ 0x061c, 0x061c }, { 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff } };
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (cp >= hidden[i].first && cp <= hidden[i].last)
			return false;
	}
	return true;
}

void
str_printable(char *s)
{
	size_t i, n, len = strlen(s);
	uint32_t cp;

	for (i = 0; i < len; i += n) {
		n = utf8_next(&cp, (const uint8_t *)s + i, len - i);
		if (n == 0) {
			n = 1;
			s[i] = '?';
		} else if (!utf8_printable(cp)) {
			memset(s + i, '?', n);
		}
	}
}

static size_t
least_of(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edits (insert, drop, replace, swap neighbours) from a to b; SIZE_MAX for long words. */
static size_t
distance(const char *a, const char *b)
{
	size_t alen = strlen(a), blen = strlen(b), i, j;
	uint8_t d[3][NEAREST_WORD_MAX + 1]; /* this row and the two before */

	if (alen > NEAREST_WORD_MAX || blen > NEAREST_WORD_MAX)
		return SIZE_MAX;
	for (j = 0; j <= blen; j++)
		d[0][j] = (uint8_t)j;
	for (i = 1; i <= alen; i++) {
		uint8_t *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];

		row[0] = (uint8_t)i;
		for (j = 1; j <= blen; j++) {
			size_t same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
			size_t v = least_of(row[j - 1] + 1u, up[j] + 1u, up[j - 1] + same);

			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && up2[j - 2] + 1u < v)
				v = up2[j - 2] + 1u;
			row[j] = (uint8_t)v;
		}
	}
	return d[alen % 3][blen];
}

void
nearest_begin(struct nearest *n, const char *typed)
{
	*n = (struct nearest){ .typed = typed, .distance = SIZE_MAX };
}

void
nearest_offer(struct nearest *n, const char *word)
{
	size_t len = strlen(n->typed), d = distance(n->typed, word);

	/* A third of the word may be wrong; a beginning of three letters or more is near. */
	if (d > 1 + len / 3 && !(len >= 3 && str_starts(word, n->typed)))
		return;
	if (d < n->distance && d < len + 1) {
		n->best = word;
		n->distance = d;
	}
}
