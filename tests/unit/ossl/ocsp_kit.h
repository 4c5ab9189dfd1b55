/*
 * ocsp_kit.h - requests that a client might send, and a responder that signs without asking: for
 * the tests of ossl/ocsp.h and of those who use it.
 */
#ifndef SCEPD_TESTS_OSSL_OCSP_KIT_H
#define SCEPD_TESTS_OSSL_OCSP_KIT_H

#include "fixture.h"

#include "ossl/ocsp.h"

/* A self-signed CA, and a responder of it (RFC 6960 4.2.2.2).  cert_free() them. */
struct cert *ocsp_kit_ca(const char *name, struct key *key);
struct cert *ocsp_kit_responder(const struct cert *ca, const struct key *ca_key, struct key *key);

struct ocsp_kit_id {
	const struct cert *issuer;
	enum digest digest;
	const char *serial; /* hex of the INTEGER's content */
};
/* Append an OCSPRequest; nonce NULL: none. */
void ocsp_kit_request(
    struct buf *out, const struct ocsp_kit_id *ids, size_t n, const void *nonce, size_t nonce_len);
void ocsp_kit_id_add(struct buf *out, const struct ocsp_kit_id *id);
/* Append a BasicOCSPResponse over ResponseData. */
void ocsp_kit_sign(struct buf *basic, const struct key *key, const struct cert *responder,
    const void *data, size_t len);

#endif
