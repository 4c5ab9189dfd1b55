/*
 * cms_der.h - a small reader and writer of ASN.1 TLVs (X.690), for CMS and the SCEP attributes.
 *
 * Reading: a cursor over borrowed bytes.  Lengths are definite and inside what encloses them, tags
 * are of one octet; nothing is read past the end.  Indefinite lengths and segmented OCTET STRINGs
 * never get here: ber_normalise() has removed them at the door. Writing: appends to a struct buf;
 * its sticky failure is checked once at the end (buf_ok()).
 */
#ifndef SCEPD_OSSL_CMS_DER_H
#define SCEPD_OSSL_CMS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Borrowed bytes.  p == NULL: absent (as opposed to empty). */
struct span {
	const uint8_t *p;
	size_t len;
};

bool span_eq(struct span a, struct span b);

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CONTEXT(n) (0x80 + (n)) /* [n] IMPLICIT, primitive */
#define DER_CONTEXT_CONSTRUCTED(n)                                                                 \
	(0xa0 + (n)) /* [n] EXPLICIT, or IMPLICIT of something constructed */

#define OID_TEXT_MAX                                                                               \
	64 /* room for any OID in dotted form that is looked at; longer ones are refused */

/* ---- reading --------------------------------------------------------------------------------- */

struct der {
	const uint8_t *p, *end;
};

struct tlv {
	uint8_t tag;
	struct span content;
	struct span whole; /* with tag and length */
};

struct der der_over(struct span s);
bool der_done(const struct der *d);
/* Tag of the next element, 0 at the end. */
uint8_t der_peek(const struct der *d);
/* The next element, whatever its tag. */
enum rc der_next(struct der *d, struct tlv *out, const char *what, struct err *err) MUST_CHECK;
/* The next element, which must have this tag.  `what` names it in the error. */
enum rc der_expect(
    struct der *d, uint8_t tag, struct tlv *out, const char *what, struct err *err) MUST_CHECK;
/* As der_expect(), giving a cursor over the content.  `inner` may be `d` itself only when d is not
 * used again. */
enum rc der_enter(
    struct der *d, uint8_t tag, struct der *inner, const char *what, struct err *err) MUST_CHECK;
/* Nothing may be left. */
enum rc der_finish(const struct der *d, const char *what, struct err *err) MUST_CHECK;
/* INTEGER of 0..max. */
enum rc der_small_uint(
    struct der *d, unsigned max, unsigned *out, const char *what, struct err *err) MUST_CHECK;
/* OBJECT IDENTIFIER in dotted form. */
enum rc der_oid(
    struct der *d, char out[static OID_TEXT_MAX], const char *what, struct err *err) MUST_CHECK;
/* UTCTime or GeneralizedTime as DER writes them (with seconds, Z); seconds since 1970. */
enum rc der_time(const struct tlv *t, int64_t *out, struct err *err) MUST_CHECK;
/* The same INTEGER: leading zero octets do not count. */
bool der_same_integer(struct span a, struct span b);

/*
 * A door.  BER in, definite lengths and primitive OCTET STRINGs out; everything else byte for byte
 * as it came.  `out` (empty, with a maximum) receives a copy.  `bytes` must be one element and
 * nothing after it.  Depth and number of elements are limited.
 */
enum rc ber_normalise(
    struct buf *out, const void *bytes, size_t len, const char *what, struct err *err) MUST_CHECK;

#define BER_DEPTH_MAX    24    /* a certificate inside SignedData needs 11 */
#define BER_ELEMENTS_MAX 16384 /* bounds the time; a PKIMessage with a chain has about 500 */

/* ---- writing --------------------------------------------------------------------------------- */

/* Begin an element; returns what der_close() needs. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);
/* As der_close(), putting the elements written since der_open() into the order of DER's SET OF
 * (X.690 11.6). */
void der_close_set_of(struct buf *b, size_t mark);
void der_add(struct buf *b, uint8_t tag, const void *p, size_t len);
void der_add_text(struct buf *b, uint8_t tag, const char *s);
void der_add_uint(struct buf *b, unsigned v);
/* From dotted form, which must be right (RC_BUG otherwise). */
void der_add_oid(struct buf *b, const char *dotted);
/* UTCTime through 2049, then GeneralizedTime (RFC 5652 11.3). */
void der_add_time(struct buf *b, int64_t t);

#endif
