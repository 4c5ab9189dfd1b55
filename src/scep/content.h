/*
 * content.h - the messageData of requests (RFC 8894 3.3): three forms, each with its door (internal).
 *
 * A door looks at the form alone: that there is what the type calls for, and nothing behind it.
 * Whose name it is, and whether the name makes sense, is for the caller to find out.
 */
#ifndef SCEPD_SCEP_CONTENT_H
#define SCEPD_SCEP_CONTENT_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/der.h"
#include "scep.h"

enum content_form {
	FORM_CSR,                /* CertificationRequest (RFC 2986 4.2) */
	FORM_ISSUER_AND_SUBJECT, /* RFC 8894 3.3.3 */
	FORM_ISSUER_AND_SERIAL,  /* RFC 5652 10.2.4 */
};

/* Lent by the bytes: names with their header, the serial number without. */
struct content {
	struct der issuer, subject, serial;
};

/* Default-deny: what has no form is no request (RFC 8894 3.2.1.2).  RC_DENIED. */
enum rc content_form_of(enum content_form *form, int message_type, struct err *err) MUST_CHECK;
/* The door.  RC_PARSE, RC_LIMIT.  Of a CSR nothing is lent: csr_parse() is the door to what is inside. */
enum rc content_parse(struct content *out, enum content_form form, const void *bytes, size_t len,
    struct err *err) MUST_CHECK;
/* The reverse, for the two forms that are not a CSR; appends.  RC_PARSE for what the door would refuse. */
enum rc content_add(
    struct buf *out, enum content_form form, const struct content *c, struct err *err) MUST_CHECK;

#endif
