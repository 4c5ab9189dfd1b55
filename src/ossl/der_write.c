/*
 * der_write.c - writing DER into a struct buf.  A failed buf (no memory, too long) swallows further
 * writes, so only the end has to be checked.
 */
#include "ossl/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

size_t
der_open(struct buf *b, uint8_t tag)
{
	size_t mark = b->len;

	buf_add(b, (uint8_t[]){ tag, 0 }, 2);
	return mark;
}

/* The length octets; how many. */
static size_t
length_octets(uint8_t out[static 5], size_t len)
{
	size_t n = 0, i;

	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	while (len >> (8 * n) != 0 && n < 4)
		n++;
	out[0] = (uint8_t)(0x80 | n);
	for (i = 0; i < n; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	return 1 + n;
}

void
der_close(struct buf *b, size_t mark)
{
	uint8_t octets[5];
	size_t len, n;

	if (b->rc != RC_OK)
		return;
	len = b->len - mark - 2;
	n = length_octets(octets, len);
	if (n > 1 && buf_grow(b, n - 1) == NULL)
		return;
	memmove(b->data + mark + 1 + n, b->data + mark + 2, len);
	memcpy(b->data + mark + 1, octets, n);
}

size_t
der_header(uint8_t out[static DER_HEADER_MAX], uint8_t tag, size_t len)
{
	out[0] = tag;
	return 1 + length_octets(out + 1, len);
}

void
der_add(struct buf *b, uint8_t tag, const void *p, size_t len)
{
	uint8_t octets[5];
	size_t n = length_octets(octets, len);

	buf_add(b, &tag, 1);
	buf_add(b, octets, n);
	if (len > 0)
		buf_add(b, p, len);
}

void
der_add_text(struct buf *b, uint8_t tag, const char *s)
{
	der_add(b, tag, s, strlen(s));
}

void
der_add_bool(struct buf *b, bool v)
{
	der_add(b, DER_BOOLEAN, v ? "\xff" : "\0", 1);
}

void
der_add_magnitude(struct buf *b, const uint8_t *p, size_t len)
{
	size_t mark = der_open(b, DER_INTEGER);

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0 || (p[0] & 0x80) != 0)
		buf_addc(b, '\0');
	if (len > 0)
		buf_add(b, p, len);
	der_close(b, mark);
}

void
der_add_u64(struct buf *b, uint64_t v)
{
	uint8_t octets[8];
	size_t i;

	for (i = 0; i < 8; i++)
		octets[i] = (uint8_t)(v >> (8 * (7 - i)));
	der_add_magnitude(b, octets, sizeof octets);
}

void
der_add_octet_bits(struct buf *b, const uint8_t *p, size_t len)
{
	size_t mark = der_open(b, DER_BIT_STRING);

	buf_addc(b, '\0');
	if (len > 0)
		buf_add(b, p, len);
	der_close(b, mark);
}

void
der_add_named_bits(struct buf *b, unsigned bits)
{
	uint8_t out[3] = { 0 };
	size_t i, top = 0; /* bits in use */

	for (i = 0; i < 16; i++) {
		if ((bits & 1u << i) == 0)
			continue;
		out[1 + i / 8] |= (uint8_t)(0x80 >> (i % 8));
		top = i + 1;
	}
	out[0] = (uint8_t)((8 - top % 8) % 8);
	der_add(b, DER_BIT_STRING, out, 1 + (top + 7) / 8);
}

/* One arc of a dotted OID; false at the end or when it is no number. */
static bool
next_arc(const char **s, uint64_t *v)
{
	const char *p = *s;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (*v = 0; *p >= '0' && *p <= '9'; p++) {
		if (*v > (UINT64_MAX >> 7) / 10)
			return false;
		*v = *v * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.')
		p++;
	else if (*p != '\0')
		return false;
	*s = p;
	return true;
}

static size_t
put_base128(uint8_t *out, uint64_t v)
{
	size_t n = 1, i;

	while (v >> (7 * n) != 0)
		n++;
	for (i = 0; i < n; i++)
		out[i] = (uint8_t)((v >> (7 * (n - 1 - i)) & 0x7f) | (i + 1 < n ? 0x80 : 0));
	return n;
}

bool
der_add_oid(struct buf *b, const char *dotted)
{
	uint8_t out[OID_TEXT_MAX * 2];
	uint64_t first, v;
	size_t n, len = strlen(dotted);

	if (len >= OID_TEXT_MAX || len == 0 || dotted[len - 1] == '.' ||
	    !next_arc(&dotted, &first) || !next_arc(&dotted, &v) || first > 2 ||
	    (first < 2 && v > 39) || v > UINT32_MAX)
		return false;
	n = put_base128(out, first * 40 + v);
	while (*dotted != '\0') {
		if (!next_arc(&dotted, &v))
			return false;
		n += put_base128(out + n, v);
	}
	der_add(b, DER_OID, out, n);
	return true;
}

/* YYYYMMDDHHMMSSZ; false outside the years 1950 to 9999. */
#define TIME_TEXT_SIZE 48
static bool
time_text(char out[static TIME_TEXT_SIZE], int64_t t)
{
	time_t secs = t;
	struct tm tm;
	int year;

	if (gmtime_r(&secs, &tm) == NULL)
		return false;
	year = tm.tm_year + 1900;
	if (year < 1950 || year > 9999)
		return false;
	snprintf(out, TIME_TEXT_SIZE, "%04d%02d%02d%02d%02d%02dZ", year, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return true;
}

bool
der_add_time(struct buf *b, int64_t t)
{
	char text[TIME_TEXT_SIZE];

	if (!time_text(text, t))
		return false;
	if (text[0] == '1' || (text[0] == '2' && text[1] == '0' && text[2] < '5'))
		der_add_text(b, DER_UTCTIME, text + 2);
	else
		der_add_text(b, DER_GENERALIZEDTIME, text);
	return true;
}

bool
der_add_generalized_time(struct buf *b, int64_t t)
{
	char text[TIME_TEXT_SIZE];

	if (!time_text(text, t))
		return false;
	der_add_text(b, DER_GENERALIZEDTIME, text);
	return true;
}

static int
by_octets(const void *x, const void *y)
{
	const struct der *a = x, *b = y;
	size_t n = a->len < b->len ? a->len : b->len;
	int c = memcmp(a->p, b->p, n);

	if (c != 0)
		return c;
	return a->len < b->len ? -1 : a->len > b->len;
}

void
der_sort(struct buf *b, size_t start)
{
	struct der in, *items = NULL;
	uint8_t *copy = NULL, tag;
	size_t n, i, at = start, len;

	if (b->rc != RC_OK || b->len <= start)
		return;
	len = b->len - start;
	in = (struct der){ b->data + start, len };
	if (!der_count(&in, &n) || n < 2)
		return;
	copy = malloc(len);
	items = calloc(n, sizeof *items);
	if (copy == NULL || items == NULL) {
		b->rc = RC_NOMEM;
		goto out;
	}
	memcpy(copy, in.p, len);
	in.p = copy;
	for (i = 0; i < n; i++)
		if (!der_any(&in, &tag, NULL, &items[i]))
			goto out;
	qsort(items, n, sizeof *items, by_octets);
	for (i = 0; i < n; i++) {
		memcpy(b->data + at, items[i].p, items[i].len);
		at += items[i].len;
	}
out:
	free(items);
	if (copy != NULL)
		wipe_free(copy, len); /* attributes hold the challenge */
}
