/*
 * identity.h - what struct scep_identity holds (internal).
 */
#ifndef SCEPD_SCEP_IDENTITY_H
#define SCEPD_SCEP_IDENTITY_H

#include "ossl/cms.h"
#include "scep.h"

struct scep_identity {
	uint8_t *der; /* a copy; cert points into it */
	struct cms_cert cert;
	struct key *key; /* public */
	struct scep_key_ops ops;
	void *ctx;
	struct key *own; /* private, when the ops are libscep's own */
};

/* A cms_sign_fn; ctx is the identity. */
enum rc identity_sign(void *ctx, enum digest d, const void *tbs, size_t len, struct buf *sig,
    struct err *err) MUST_CHECK;
/* Recover a content-encryption key.  RC_CRYPTO when the operation itself failed. */
enum rc identity_unwrap(const struct scep_identity *id, const struct transport *t,
    struct der wrapped, uint8_t *cek, size_t cek_len, struct err *err) MUST_CHECK;
/* Bytes of the modulus, which every wrapped key has too; 0 for a key that is not RSA. */
size_t identity_modulus_len(const struct scep_identity *id);

struct scep_transport transport_to_scep(const struct transport *t);
struct transport transport_from_scep(const struct scep_transport *t);

#endif
