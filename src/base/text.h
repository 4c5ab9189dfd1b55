/*
 * text.h - hex, base64 and small string helpers.  All decoders are doors:
 * (bytes, length) in, result out, nothing read past the length.
 */
#ifndef SCEPD_BASE_TEXT_H
#define SCEPD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Lower- or upper-case hex of `len` bytes, NUL-terminated.  `out` holds 2 * len + 1. */
void hex_lower(char *out, const uint8_t *p, size_t len);
void hex_upper(char *out, const uint8_t *p, size_t len);
/* Decode exactly `len` digits (either case) into out[outlen]; outlen must be len / 2. */
enum rc hex_decode(
    uint8_t *out, size_t outlen, const char *s, size_t len, struct err *err) MUST_CHECK;

/* Append standard base64 (RFC 4648 section 4), one line, padded. */
void base64_add(struct buf *b, const uint8_t *p, size_t len);
/* Append as PEM (RFC 7468), with this label: "CERTIFICATE". */
void pem_add(struct buf *b, const char *label, const uint8_t *p, size_t len);
/* Append base64url without padding (RFC 4648 section 5). */
void base64url_add(struct buf *b, const uint8_t *p, size_t len);
/* Append percent-encoding of everything but what is unreserved (RFC 3986 2.3). */
void url_encode_add(struct buf *b, const char *s, size_t len);

/*
 * Append the decoding of `s`.  BASE64_STRICT: RFC 4648 section 4 to the letter.
 * BASE64_FIELD takes what SCEP clients are known to send: both alphabets mixed,
 * padding missing, CR and LF anywhere, and a space where a query decoder ate a
 * '+' (Apple, jscep, Cisco, old micromdm).  Never any other byte.
 */
enum base64_mode { BASE64_STRICT, BASE64_FIELD };
enum rc base64_decode(
    struct buf *out, const char *s, size_t len, enum base64_mode mode, struct err *err) MUST_CHECK;

/* strdup/strndup that return RC_NOMEM.  *out is the caller's, free() it. */
enum rc str_dup(char **out, const char *s, struct err *err) MUST_CHECK;
enum rc str_ndup(char **out, const char *s, size_t len, struct err *err) MUST_CHECK;
/* asprintf with our error.  *out is the caller's. */
enum rc str_format(char **out, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;
bool str_eq_nocase(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends_nocase(const char *s, const char *suffix);
/* Decimal digits only, within min..max. `what` names the thing in the error. */
enum rc parse_u64(uint64_t *out, const char *s, uint64_t min, uint64_t max, const char *what,
    struct err *err) MUST_CHECK;
/* "90s" "15m" "24h" "365d" "2y" (y = 365 d) or a bare number of seconds; into seconds. */
enum rc parse_duration(int64_t *out, const char *s, struct err *err) MUST_CHECK;
/* The reverse, in the largest unit that is exact: "24h" is "1d".  `out` holds DURATION_TEXT_MAX. */
#define DURATION_TEXT_MAX 24
void duration_text(char *out, int64_t seconds);
/* Case-insensitive match of a shell-like pattern where only '*' (any run) and '?' (any one) are
 * special. */
bool glob_match(const char *pattern, const char *s);
/* RFC 3629 well-formed, and free of NUL. */
bool utf8_valid(const uint8_t *p, size_t len);
/* A string of at most `max` bytes, of UTF-8 without control characters (C0 and DEL). */
bool utf8_plain(const char *s, size_t max);
/* The character at p: its length in bytes (1..4) and code point, or 0 when ill-formed or len is 0.
 */
size_t utf8_next(uint32_t *cp, const uint8_t *p, size_t len);
/* No control, line separator, bidirectional override or invisible character: fit for a log or
 * terminal. */
bool utf8_printable(uint32_t cp);
/* Replace every byte of `s` that is no part of a printable character by '?'. */
void str_printable(char *s);

/*
 * Guess what was meant: offer every known word, then take `best` (borrowed), which stays
 * NULL when none is near enough.
 */
struct nearest {
	const char *typed;
	const char *best;
	size_t distance;
};
void nearest_begin(struct nearest *n, const char *typed);
void nearest_offer(struct nearest *n, const char *word);

#endif
