/*
 * csr_fixture.h - requests put together by hand, for what csr_build() would not write.
 */
#ifndef SCEPD_TESTS_OSSL_CSR_FIXTURE_H
#define SCEPD_TESTS_OSSL_CSR_FIXTURE_H

#include "fixture.h"

#define OID_CHALLENGE  "1.2.840.113549.1.9.7"
#define OID_EXTENSIONS "1.2.840.113549.1.9.14"
#define OID_MS_EXTS    "1.3.6.1.4.1.311.2.1.14"

/* Signed by the fixture's P-256 key with SHA-256; `attrs` is the content of the attributes' SET,
 * NULL: no [0]. */
void raw_csr(struct buf *out, const struct buf *attrs, uint64_t version, const char *sig_oid);
/* Build such a request and parse it. */
enum rc parse_raw(struct csr **out, const struct buf *attrs, struct err *err);
/* The same with one extensionRequest that holds these Extension elements, or this one extension. */
enum rc parse_with_exts(struct csr **out, const struct buf *exts, struct err *err);
enum rc parse_with_ext(
    struct csr **out, const char *oid, const void *value, size_t len, struct err *err);
/* Append an Attribute with one SET around the given content; an Extension with this value. */
void add_attr(struct buf *b, const char *oid, const void *values, size_t len);
void add_ext(struct buf *b, const char *oid, const void *value, size_t len);

#endif
