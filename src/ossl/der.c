/*
 * der.c - reading DER.  See der_write.c for the other direction.
 */
#include "ossl/der.h"

#include <string.h>
#include <time.h>

static bool
read_length(const struct der *in, size_t *header, size_t *len)
{
	size_t n, i, v = 0;

	if (in->p[1] < 0x80) {
		*header = 2;
		*len = in->p[1];
		return true;
	}
	n = in->p[1] & 0x7f;
	if (n == 0 || n > 4 || in->len < 2 + n || in->p[2] == 0)
		return false;
	for (i = 0; i < n; i++)
		v = v << 8 | in->p[2 + i];
	*header = 2 + n;
	*len = v;
	return v >= 0x80;
}

bool
der_any(struct der *in, uint8_t *tag, struct der *body, struct der *whole)
{
	size_t header, len;

	if (in->len < 2 || (in->p[0] & 0x1f) == 0x1f || !read_length(in, &header, &len) ||
	    len > in->len - header)
		return false;
	if (tag != NULL)
		*tag = in->p[0];
	if (body != NULL)
		*body = (struct der){ in->p + header, len };
	if (whole != NULL)
		*whole = (struct der){ in->p, header + len };
	in->p += header + len;
	in->len -= header + len;
	return true;
}

bool
der_next_is(const struct der *in, uint8_t tag)
{
	return in->len > 0 && in->p[0] == tag;
}

bool
der_take(struct der *in, uint8_t tag, struct der *body)
{
	uint8_t got;

	return der_next_is(in, tag) && der_any(in, &got, body, NULL);
}

bool
der_take_whole(struct der *in, uint8_t tag, struct der *whole)
{
	uint8_t got;

	return der_next_is(in, tag) && der_any(in, &got, NULL, whole);
}

bool
der_count(const struct der *in, size_t *n)
{
	struct der rest = *in;
	uint8_t tag;
	size_t count = 0;

	while (rest.len > 0) {
		if (!der_any(&rest, &tag, NULL, NULL))
			return false;
		count++;
	}
	*n = count;
	return true;
}

bool
der_take_magnitude(struct der *in, struct der *mag)
{
	struct der rest = *in, v;

	if (!der_take(&rest, DER_INTEGER, &v) || v.len == 0 || (v.p[0] & 0x80) != 0)
		return false;
	if (v.len > 1 && v.p[0] == 0) {
		if ((v.p[1] & 0x80) == 0)
			return false;
		v.p++;
		v.len--;
	}
	*mag = v;
	*in = rest;
	return true;
}

bool
der_take_u64(struct der *in, uint64_t *v)
{
	struct der rest = *in, mag;
	size_t i;

	if (!der_take_magnitude(&rest, &mag) || mag.len > sizeof *v)
		return false;
	for (*v = 0, i = 0; i < mag.len; i++)
		*v = *v << 8 | mag.p[i];
	*in = rest;
	return true;
}

bool
der_take_bool(struct der *in, bool *v)
{
	struct der rest = *in, b;

	if (!der_take(&rest, DER_BOOLEAN, &b) || b.len != 1 || (b.p[0] != 0 && b.p[0] != 0xff))
		return false;
	*v = b.p[0] != 0;
	*in = rest;
	return true;
}

bool
der_take_octet_bits(struct der *in, struct der *octets)
{
	struct der rest = *in, b;

	if (!der_take(&rest, DER_BIT_STRING, &b) || b.len == 0 || b.p[0] != 0)
		return false;
	*octets = (struct der){ b.p + 1, b.len - 1 };
	*in = rest;
	return true;
}

bool
der_take_named_bits(struct der *in, unsigned *bits)
{
	struct der rest = *in, b;
	size_t i, n;
	unsigned v = 0;

	if (!der_take(&rest, DER_BIT_STRING, &b) || b.len == 0 || b.len > 3 || b.p[0] > 7 ||
	    (b.len == 1 && b.p[0] != 0))
		return false;
	n = (b.len - 1) * 8 - b.p[0];
	for (i = 0; i < n; i++)
		if (b.p[1 + i / 8] & (0x80 >> (i % 8)))
			v |= 1u << i;
	*bits = v;
	*in = rest;
	return true;
}

/* Append ".<v>" or "<v>" in decimal; 0 when it does not fit. */
static size_t
put_arc(char *out, size_t at, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	if (at + n + 2 > OID_TEXT_MAX)
		return 0;
	if (at > 0)
		out[at++] = '.';
	while (n > 0)
		out[at++] = digits[--n];
	return at;
}

/* The first octet group holds two arcs (X.690 8.19.4). */
static size_t
put_first_arcs(char *out, uint64_t v)
{
	uint64_t top = v >= 80 ? 2 : v / 40;
	size_t at = put_arc(out, 0, top);

	return put_arc(out, at, v - top * 40);
}

static bool
oid_text(const struct der *oid, char *out)
{
	uint64_t v = 0;
	size_t i, at = 0;
	bool fresh = true;

	for (i = 0; i < oid->len; i++) {
		if ((fresh && oid->p[i] == 0x80) || v >> 57 != 0)
			return false;
		v = v << 7 | (oid->p[i] & 0x7f);
		fresh = (oid->p[i] & 0x80) == 0;
		if (!fresh)
			continue;
		at = at == 0 ? put_first_arcs(out, v) : put_arc(out, at, v);
		if (at == 0)
			return false;
		v = 0;
	}
	if (at == 0 || !fresh)
		return false;
	out[at] = '\0';
	return true;
}

bool
der_take_oid(struct der *in, char *out)
{
	struct der rest = *in, oid;

	if (!der_take(&rest, DER_OID, &oid) || !oid_text(&oid, out))
		return false;
	*in = rest;
	return true;
}

/* `n` decimal digits, or -1. */
static int
digits(const uint8_t *p, size_t n)
{
	int v = 0;

	for (; n > 0; n--, p++) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p - '0');
	}
	return v;
}

/* MMDDHHMMSSZ after the year. */
static bool
time_rest(const uint8_t *p, int year, int64_t *t)
{
	struct tm tm = { .tm_year = year - 1900 }, back;
	time_t secs;

	tm.tm_mon = digits(p, 2) - 1;
	tm.tm_mday = digits(p + 2, 2);
	tm.tm_hour = digits(p + 4, 2);
	tm.tm_min = digits(p + 6, 2);
	tm.tm_sec = digits(p + 8, 2);
	if (p[10] != 'Z' || tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 ||
	    tm.tm_sec < 0 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return false;
	back = tm;
	secs = timegm(&back);
	/* timegm() carries 31 June over into July; that is not a date. */
	if (back.tm_mon != tm.tm_mon)
		return false;
	*t = secs;
	return true;
}

bool
der_take_time(struct der *in, int64_t *t)
{
	struct der rest = *in, b;
	uint8_t tag;
	int year;

	if (!der_any(&rest, &tag, &b, NULL))
		return false;
	if (tag == DER_UTCTIME && b.len == 13) {
		year = digits(b.p, 2);
		if (year < 0)
			return false;
		year += year < 50 ? 2000 : 1900;
	} else if (tag == DER_GENERALIZEDTIME && b.len == 15) {
		year = digits(b.p, 4);
		if (year < 0)
			return false;
	} else
		return false;
	if (!time_rest(b.p + b.len - 11, year, t))
		return false;
	*in = rest;
	return true;
}

bool
der_same(const struct der *a, const struct der *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}
