/*
 * request_csr.h - from a SCEP request to the CSR inside it (internal; needs ossl).
 *
 * RFC 8894 2.3: a PKCSReq is signed with the key that is being certified, under a self-signed
 * certificate (any subject); a signer with another key on a first enrolment would have the answer
 * encrypted to somebody else (S11).
 */
#ifndef SCEPD_SCEP_REQUEST_CSR_H
#define SCEPD_SCEP_REQUEST_CSR_H

#include "base/err.h"
#include "ossl/csr.h"
#include "scep.h"

/*
 * *out is the caller's.  RC_PARSE: content is not a PKCS#10 (or the type carries none).  RC_ALG,
 * RC_INTEGRITY as csr_parse(). *signer_is_requester: the signer's public key is the CSR's.
 */
enum rc scep_request_csr(struct csr **out, bool *signer_is_requester, const struct scep_request *r,
    struct err *err) MUST_CHECK;

/* scep_error -> err, keeping text and kind. */
enum rc scep_error_to_err(struct err *err, const struct scep_error *e);

#endif
