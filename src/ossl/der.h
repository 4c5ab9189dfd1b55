/*
 * der.h - a strict reader and a writer of DER (X.690), on slices of memory.
 *
 * libcrypto's d2i functions fetch algorithms and build objects for everything they meet; for the
 * two dozen fields that an enrolment needs this is both faster and easier to bound.  Reading
 * refuses what is not DER: indefinite or padded lengths, tags above 30, integers with superfluous
 * octets.
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_DER_H
#define SCEPD_OSSL_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DER_BOOLEAN         0x01
#define DER_INTEGER         0x02
#define DER_BIT_STRING      0x03
#define DER_OCTET_STRING    0x04
#define DER_NULL            0x05
#define DER_OID             0x06
#define DER_ENUMERATED      0x0a
#define DER_UTF8            0x0c
#define DER_NUMERIC         0x12
#define DER_PRINTABLE       0x13
#define DER_T61             0x14
#define DER_IA5             0x16
#define DER_UTCTIME         0x17
#define DER_GENERALIZEDTIME 0x18
#define DER_VISIBLE         0x1a
#define DER_UNIVERSAL       0x1c
#define DER_BMP             0x1e
#define DER_SEQUENCE        0x30
#define DER_SET             0x31
#define DER_CTX(n)          (0x80 | (n)) /* context-specific, primitive */
#define DER_CTX_CONS(n)     (0xa0 | (n)) /* context-specific, constructed */

#define OID_TEXT_MAX 64 /* dotted form with its NUL; longer ones are refused */

/* Bytes that are still to be read, or the content of one element.  Borrowed. */
struct der {
	const uint8_t *p;
	size_t len;
};

/* Take the next element, whatever it is.  `tag`, `body` and `whole` may be NULL.  On false
 * nothing is taken. */
bool der_any(struct der *in, uint8_t *tag, struct der *body, struct der *whole);
/* Take the next element if it has this tag. */
bool der_take(struct der *in, uint8_t tag, struct der *body);
/* The same, but lend it with its header. */
bool der_take_whole(struct der *in, uint8_t tag, struct der *whole);
bool der_next_is(const struct der *in, uint8_t tag);
/* How many elements `in` holds; false when it is not a run of elements. */
bool der_count(const struct der *in, size_t *n);

/* Magnitude of a positive or zero INTEGER, without leading zeros (zero is one octet). */
bool der_take_magnitude(struct der *in, struct der *mag);
bool der_take_u64(struct der *in, uint64_t *v);
bool der_take_bool(struct der *in, bool *v);
/* BIT STRING with whole octets only. */
bool der_take_octet_bits(struct der *in, struct der *octets);
/* BIT STRING of named bits, bit i of the string as 1 << i; more than 16 bits: false. */
bool der_take_named_bits(struct der *in, unsigned *bits);
/* OBJECT IDENTIFIER in dotted form; `out` holds OID_TEXT_MAX. */
bool der_take_oid(struct der *in, char *out);
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 profiles them, into seconds since 1970. */
bool der_take_time(struct der *in, int64_t *t);
bool der_same(const struct der *a, const struct der *b);

/* Begin an element; der_close() with the returned mark fills in its length. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);
void der_add(struct buf *b, uint8_t tag, const void *p, size_t len);
void der_add_text(struct buf *b, uint8_t tag, const char *s);
void der_add_bool(struct buf *b, bool v);
void der_add_u64(struct buf *b, uint64_t v);
void der_add_magnitude(struct buf *b, const uint8_t *p, size_t len);
/* BIT STRING of whole octets. */
void der_add_octet_bits(struct buf *b, const uint8_t *p, size_t len);
/* BIT STRING of named bits without trailing zero bits (X.690 11.2.2). */
void der_add_named_bits(struct buf *b, unsigned bits);
/* False, and nothing added, when `dotted` is no OID. */
bool der_add_oid(struct buf *b, const char *dotted);
/* UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5).  False outside the years
 * 1950..9999. */
bool der_add_time(struct buf *b, int64_t t);
/* GeneralizedTime in any year, as OCSP has it (RFC 6960 4.2.2.1). */
bool der_add_generalized_time(struct buf *b, int64_t t);
/* Tag and length alone, for what is put in front of a content that is there; how many octets. */
#define DER_HEADER_MAX 6 /* lengths up to 4 GiB */
size_t der_header(uint8_t out[static DER_HEADER_MAX], uint8_t tag, size_t len);
/* Put the elements from `start` to the end of `b` into the order that X.690 11.6 asks of a SET OF.
 */
void der_sort(struct buf *b, size_t start);

#endif
