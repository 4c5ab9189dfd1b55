/*
 * der_text.h - the character string types of ASN.1, as UTF-8.
 */
#ifndef SCEPD_OSSL_DER_TEXT_H
#define SCEPD_OSSL_DER_TEXT_H

#include "ossl/der.h"

enum text_rules {
	TEXT_NAME, /* names: no control characters at all, no line separator, nothing that reorders text */
	TEXT_LINES, /* also CR, LF and TAB: a challenge may be wrapped base64 */
};

/*
 * UTF8String, NumericString, PrintableString, T61String (read as Latin-1, like everybody),
 * IA5String, VisibleString, UniversalString, BMPString (with surrogate pairs, as Windows writes it)
 * into UTF-8.  NUL, control characters and malformed encodings are RC_PARSE; `what` names the
 * thing.  *out is the caller's.
 */
enum rc der_text(char **out, uint8_t tag, const struct der *body, enum text_rules rules,
    const char *what, struct err *err) MUST_CHECK;
/* Does `s` hold only characters of PrintableString (X.680 41.4)? */
bool text_is_printable_string(const char *s);
/* Only ASCII without control characters? */
bool text_is_ascii(const char *s);
/* Well-formed UTF-8 without control characters? */
bool text_is_clean(const char *s);

#endif
