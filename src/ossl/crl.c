/*
 * crl.c - see crl.h.
 */
#include "ossl/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/evp.h"
#include "ossl/ext.h"
#include "ossl/sig_alg.h"

#define TIME_FIRST INT64_C(-631152000)   /* 1950-01-01T00:00:00Z */
#define TIME_LAST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DAY        86400
#define ROOM_FROM  1048576 /* bytes */
#define ENTRY_MAX  64      /* octets: 2 + 23 of the number, 17 of the date, 14 of the reason */

/* ---- the head ---- */

static enum rc
add_head(struct buf *b, const struct crl_scope *s, struct err *err)
{
	const struct name *issuer = cert_subject0(s->issuer);
	enum rc rc;

	der_add_u64(b, 1); /* v2 */
	rc = sig_alg_add(b, key_info0(cert_key0(s->issuer))->type, s->digest, err);
	if (rc != RC_OK)
		return rc;
	buf_add(b, issuer->der, issuer->der_len);
	if (s->next_update < s->this_update || !der_add_time(b, s->this_update) ||
	    !der_add_time(b, s->next_update))
		return fail(
		    err, RC_BUG, "a list whose updates are no span of time between 1950 and 9999");
	return buf_ok(b, "revocation list", err);
}

enum rc
crl_begin(struct crl_writer *w, struct buf *out, const struct crl_scope *s, struct err *err)
{
	enum rc rc;

	*w = (struct crl_writer){ .scope = s, .out = out };
	buf_init(&w->head, LIMIT_CERT);
	rc = out->len == 0 ? add_head(&w->head, s, err)
			   : fail(err, RC_BUG, "a list behind something else");
	if (rc != RC_OK) {
		crl_abandon(w);
		return rc;
	}
	/* Before it: the headers of the whole, of what is signed, and of the entries. */
	w->entries = w->tail = w->head.len + (size_t)3 * DER_HEADER_MAX;
	(void)buf_grow(out, w->entries);
	return RC_OK;
}

void
crl_abandon(struct crl_writer *w)
{
	buf_done(&w->head);
}

/* ---- entries ---- */

/* A million dates in no order: gmtime() and printf() would take half of all the time.  The proleptic Gregorian
 * calendar in eras of 400 years that begin on the 1st of March, so that a leap day is the last of its year. */
struct civil {
	unsigned year, month, day;
};

static struct civil
civil_of(int64_t day)
{
	int64_t z = day + 719468; /* since 0000-03-01; never negative here */
	unsigned era = (unsigned)(z / 146097), of_era = (unsigned)(z % 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153; /* 0 is March */

	return (struct civil){ year + 400 * era + (month >= 10), month < 10 ? month + 3 : month - 9,
		of_year - (153 * month + 2) / 5 + 1 };
}

static uint8_t *
put_two(uint8_t *p, unsigned v)
{
	*p++ = (uint8_t)('0' + v / 10);
	*p++ = (uint8_t)('0' + v % 10);
	return p;
}

/* As der_add_time(); NULL outside the years 1950 to 9999. */
static uint8_t *
put_time(uint8_t *p, int64_t when)
{
	int64_t day = when / DAY - (when % DAY < 0);
	unsigned s = (unsigned)(when - day * DAY);
	struct civil c;
	bool utc;

	if (when < TIME_FIRST || when > TIME_LAST)
		return NULL;
	c = civil_of(day);
	utc = c.year < 2050;
	*p++ = utc ? DER_UTCTIME : DER_GENERALIZEDTIME;
	*p++ = utc ? 13 : 15;
	if (!utc)
		p = put_two(p, c.year / 100);
	p = put_two(p, c.year % 100);
	p = put_two(put_two(p, c.month), c.day);
	p = put_two(put_two(put_two(p, s / 3600), s / 60 % 60), s % 60);
	*p++ = 'Z';
	return p;
}

static uint8_t *
put_serial(uint8_t *p, const uint8_t *serial, size_t len)
{
	bool pad = serial[0] >= 0x80;

	*p++ = DER_INTEGER;
	*p++ = (uint8_t)(len + pad);
	if (pad)
		*p++ = 0;
	memcpy(p, serial, len);
	return p + len;
}

/* crlEntryExtensions with the reason alone (RFC 5280 5.3.1). */
static uint8_t *
put_reason(uint8_t *p, int reason)
{
	static const uint8_t before[] = { DER_SEQUENCE, 12, DER_SEQUENCE, 10, DER_OID, 3, 0x55,
		0x1d, 0x15, DER_OCTET_STRING, 3, DER_ENUMERATED, 1 };

	memcpy(p, before, sizeof(before));
	p[sizeof(before)] = (uint8_t)reason;
	return p + sizeof(before) + 1;
}

/*
 * A buf grows by copying, since it wipes what it leaves: so a list of 40 MB would have been there one and a half
 * times.  There is no secret in a list, and what the system hands out in pages it moves without a copy.
 */
static void
make_room(struct buf *b)
{
	size_t cap = b->cap + b->cap / 2;
	uint8_t *data;

	if (b->rc != RC_OK || b->cap < ROOM_FROM || b->len + ENTRY_MAX + 1 <= b->cap)
		return;
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	if (cap > b->cap && (data = realloc(b->data, cap)) != NULL) {
		b->data = data;
		b->cap = cap;
	}
}

void
crl_add(struct crl_writer *w, const uint8_t *serial, size_t len, int64_t when, int reason)
{
	uint8_t entry[ENTRY_MAX], *p;

	if (len == 0 || len > SERIAL_MAX || reason > 10) {
		w->bad = true;
		return;
	}
	p = put_time(put_serial(entry + 2, serial, len), when);
	if (p == NULL) {
		w->bad = true;
		return;
	}
	if (reason > 0)
		p = put_reason(p, reason);
	make_room(w->out);
	entry[0] = DER_SEQUENCE;
	entry[1] = (uint8_t)(p - entry - 2);
	buf_add(w->out, entry, (size_t)(p - entry));
	w->tail = w->out->len;
	w->n++;
}

struct der
crl_entries(const struct crl_writer *w)
{
	if (w->out->rc != RC_OK)
		return (struct der){ NULL, 0 };
	return (struct der){ w->out->data + w->entries, w->tail - w->entries };
}

/* ---- extensions ---- */

static enum rc
add_aki(struct buf *b, const struct cert *issuer, struct err *err)
{
	size_t len;
	const uint8_t *ski = cert_ski0(issuer, &len);
	uint8_t id[20];
	enum rc rc;

	if (ski == NULL) {
		if ((rc = key_identifier(id, cert_key0(issuer), err)) != RC_OK)
			return rc;
		ski = id;
		len = sizeof id;
	}
	ext_add_aki(b, ski, len);
	return RC_OK;
}

static void
add_number(struct buf *b, const char *oid, bool critical, uint64_t number)
{
	struct ext_mark m = ext_open(b, oid, critical);

	der_add_u64(b, number);
	ext_close(b, m);
}

/* IssuingDistributionPoint { distributionPoint [0] } (RFC 5280 5.2.5). */
static enum rc
add_points(struct buf *b, const struct crl_scope *s, struct err *err)
{
	struct ext_mark m = ext_open(b, OID_EXT_IDP, true);
	size_t point = der_open(b, DER_SEQUENCE);
	enum rc rc = ext_add_point_name(b, s->points, s->n_points, err);

	der_close(b, point);
	ext_close(b, m);
	return rc;
}

static enum rc
add_extensions(struct buf *b, const struct crl_scope *s, uint64_t number, struct err *err)
{
	size_t tagged = der_open(b, DER_CTX_CONS(0)), seq = der_open(b, DER_SEQUENCE);
	enum rc rc = add_aki(b, s->issuer, err);

	add_number(b, OID_EXT_CRL_NUMBER, false, number);
	if (s->delta)
		add_number(b, OID_EXT_DELTA, true, s->base);
	if (rc == RC_OK && s->n_points > 0)
		rc = add_points(b, s, err);
	if (rc == RC_OK && s->n_freshest > 0)
		rc = ext_add_points(b, OID_EXT_FRESHEST, s->freshest, s->n_freshest, err);
	der_close(b, seq);
	der_close(b, tagged);
	return rc;
}

/* ---- the whole ---- */

/* Put a tag and a length in front of `at`; returns where it begins. */
static size_t
put_before(uint8_t *data, size_t at, size_t len)
{
	uint8_t header[DER_HEADER_MAX];
	size_t n = der_header(header, DER_SEQUENCE, len);

	memcpy(data + at - n, header, n);
	return at - n;
}

enum rc
crl_tbs(struct crl_writer *w, uint64_t number, struct der *tbs, struct err *err)
{
	struct buf *b = w->out;
	size_t at = w->entries;
	enum rc rc;

	if (w->bad)
		return fail(err, RC_BUG, "an entry of a list without a number or a date");
	rc = add_extensions(b, w->scope, number, err);
	if (rc == RC_OK)
		rc = buf_ok(b, "revocation list", err);
	if (rc != RC_OK)
		return rc;
	if (w->n > 0) /* an empty SEQUENCE is not allowed there */
		at = put_before(b->data, at, w->tail - w->entries);
	at -= w->head.len;
	memcpy(b->data + at, w->head.data, w->head.len);
	w->tbs = put_before(b->data, at, b->len - at);
	*tbs = (struct der){ b->data + w->tbs, b->len - w->tbs };
	return RC_OK;
}

enum rc
crl_finish(struct crl_writer *w, const void *sig, size_t sig_len, size_t *entries, struct err *err)
{
	struct buf *b = w->out;
	size_t start;
	enum rc rc =
	    sig_alg_add(b, key_info0(cert_key0(w->scope->issuer))->type, w->scope->digest, err);

	if (rc == RC_OK) {
		der_add_octet_bits(b, sig, sig_len);
		rc = buf_ok(b, "revocation list", err);
	}
	if (rc == RC_OK) {
		start = put_before(b->data, w->tbs, b->len - w->tbs);
		buf_consume(b, start);
		if (entries != NULL)
			*entries = w->entries - start;
	}
	crl_abandon(w);
	return rc;
}
