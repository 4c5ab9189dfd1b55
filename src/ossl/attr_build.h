/*
 * attr_build.h - an Attribute with one value, of a SignedData (RFC 5652 5.3) or a request (RFC 2986 4.1).
 */
#ifndef SCEPD_OSSL_ATTR_BUILD_H
#define SCEPD_OSSL_ATTR_BUILD_H

#include "base/buf.h"

/* The value goes between open and close. */
struct attr_mark {
	size_t seq, set;
};

struct attr_mark attr_open(struct buf *b, const char *oid);
void attr_close(struct buf *b, struct attr_mark m);

#endif
