/*
 * ca_certs.h - degenerate SignedData as a list of certificates (internal).
 */
#ifndef SCEPD_SCEP_CA_CERTS_H
#define SCEPD_SCEP_CA_CERTS_H

#include "ossl/cms.h"
#include "scep.h"

/* *out is the caller's (scep_bytes_list_free()); in the order of the message, one at least. */
enum rc certs_only_parse(
    struct scep_bytes **out, size_t *n, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* The first CRL (RFC 8894 3.3.2.1 table 6); certificates beside it are passed over. */
enum rc crl_parse(
    struct scep_bytes *out, const void *bytes, size_t len, struct err *err) MUST_CHECK;

#endif
