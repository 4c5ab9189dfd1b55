/*
 * name.h - X.500 distinguished names and subject alternative names.
 */
#ifndef SCEPD_OSSL_NAME_H
#define SCEPD_OSSL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* One AttributeTypeAndValue. Value is UTF-8 without NUL. */
struct name_attr {
	char oid[64];      /* dotted */
	const char *label; /* "CN", "O", "E", "SERIALNUMBER"..., static; the dotted form when
			      unknown (points at oid) */
	char *value;
	bool new_rdn; /* starts a new RDN; false: joined by '+' to the one before */
};

/* A decoded name, in the order of encoding (first = most significant, e.g. C, O, CN). */
struct name {
	struct name_attr *attrs;
	size_t n;
	uint8_t *der; /* exactly as received, or as name_from_text() made it */
	size_t der_len;
};

#define NAME_ATTRS_MAX 64

/* The door.  RC_PARSE for bad string types, NUL or control characters, malformed UTF-8 (S35), too
 * many attributes. */
enum rc name_parse(struct name *out, const void *der, size_t len, struct err *err) MUST_CHECK;
/*
 * From text in the syntax of Intune profiles (CertStrToName): "CN=Jane Doe,E=j@x.y,OU=\"A, B\"",
 * ',' or ';' between RDNs,
 * '+' within, quoted values with "" for a quote, backslash escapes as RFC 4514, keys CN
 * E/emailAddress OU O L ST/S C DC SN (surname) G/GN (given name) SERIALNUMBER T/title UID STREET
 * I(initials) or a dotted OID.  Encoded in the order written.
 */
enum rc name_from_text(struct name *out, const char *text, struct err *err) MUST_CHECK;
void name_done(struct name *n);
/* "CN=Jane Doe,O=Contoso" in the order of encoding, RFC 4514 escapes; appended. */
void name_text(struct buf *out, const struct name *n);
/* Same attributes with same values in the same order; string types may differ, case and inner white
 * space not. */
bool name_same(const struct name *a, const struct name *b);
/* The i-th value (0 = first) of a label, or NULL. */
const char *name_get0(const struct name *n, const char *label, size_t i);

enum san_type {
	SAN_EMAIL,
	SAN_UPN,
	SAN_DNS,
	SAN_URI,
	SAN_OTHER,
	SAN__MAX
}; /* SAN_OTHER: IP, dirName, unknown otherName...: never issued */
struct san {
	enum san_type type;
	char *value; /* UTF-8; for SAN_OTHER a description */
};
struct san_list {
	struct san *v;
	size_t n;
};
const char *san_type_name(enum san_type t);    /* "email" "upn" "dns" "uri" "other" */
enum san_type san_type_by_name(const char *s); /* SAN__MAX when unknown */
enum rc san_list_add(
    struct san_list *l, enum san_type t, const char *value, struct err *err) MUST_CHECK;
void san_list_done(struct san_list *l);
/*
 * Appends "dns:a uri:b".  A space inside a value is written as \20 and a backslash as \5c, so that one name
 * never reads as two.
 */
void san_list_text(struct buf *out, const struct san_list *l);

#define OID_UPN "1.3.6.1.4.1.311.20.2.3"
#define OID_SID_EXTENSION                                                                          \
	"1.3.6.1.4.1.311.25.2" /* szOID_NTDS_CA_SECURITY_EXT: never issued from a CSR (S18) */
#define OID_NAME_VALUE_PAIR "1.3.6.1.4.1.311.13.2.1" /* enrollmentNameValuePair */

#endif
