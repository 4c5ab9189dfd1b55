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
	struct key *key;    /* public */
	struct der modulus; /* RSA, big-endian without leading zeros; p == NULL otherwise */
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
/* ECDH with that point of its curve; *z_len is written.  RC_PARSE, RC_ALG for another point or key. */
enum rc identity_agree(const struct scep_identity *id, struct der point,
    uint8_t z[static SCEP_AGREED_MAX], size_t *z_len, struct err *err) MUST_CHECK;
/*
 * Whether this key could have wrapped that: it is RSA, may unwrap, and the number is as long as the
 * modulus and below it.  All of it is public, so saying no costs no operation and tells nothing.
 */
bool identity_could_unwrap(const struct scep_identity *id, struct der wrapped);

struct scep_transport transport_to_scep(const struct transport *t);
struct transport transport_from_scep(const struct scep_transport *t);

#endif
