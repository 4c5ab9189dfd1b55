/*
 * key_int.h - what a struct key holds; for the files of this folder that make one or use one.
 */
#ifndef SCEPD_OSSL_KEY_INT_H
#define SCEPD_OSSL_KEY_INT_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include "ossl/der.h"
#include "ossl/key.h"

/* A SubjectPublicKeyInfo taken apart; slices of its DER. */
struct spki {
	struct der bits;   /* content of the BIT STRING */
	struct der n, e;   /* RSA */
	struct der point;  /* EC, 04 x y */
	const char *group; /* EC, libcrypto's name */
	const char *raw;   /* kinds without parameters: libcrypto's name */
};

/* What is done with the private half; all rules of padding but these names are in key_ops.c. */
enum sign_scheme {
	SIGN_PKCS1,  /* RSASSA-PKCS1-v1_5 of a digest */
	SIGN_PSS,    /* RSASSA-PSS of a digest, salt as long as that */
	SIGN_ECDSA,  /* of a digest; r and s in DER */
	SIGN_MESSAGE /* of the message itself: Ed25519, ML-DSA */
};

/* Where a private key lives. */
struct key_place {
	/* Append the signature of `in`: the digest `d`, or the message. */
	enum rc (*sign)(struct buf *sig, const struct key *k, enum sign_scheme scheme,
	    enum digest d, const void *in, size_t len, struct err *err);
	/* RSADP (RFC 8017 5.1.2): len octets in, a number below the modulus, and as many out. */
	enum rc (*decrypt)(
	    uint8_t *em, const struct key *k, const uint8_t *in, size_t len, struct err *err);
	void (*done)(void *own);
};
extern const struct key_place key_place_memory; /* an EVP_PKEY */

struct key {
	atomic_uint refs;
	const struct key_place *place; /* NULL: a public key */
	void *own;                     /* the place's */
	struct key_info info;
	EVP_PKEY *pkey;    /* the public half, at least */
	struct spki parts; /* point into spki[] */
	size_t spki_len;
	uint8_t spki[];
};

/* A private key of libcrypto's, which is taken over in any case. */
enum rc key_from_private(struct key **out, EVP_PKEY *pkey, struct err *err) MUST_CHECK;
/* Sign and verify once: RC_PARSE when the halves do not belong together. */
enum rc key_check_pair(const struct key *k, struct err *err) MUST_CHECK;

/*
 * A key of this public half that lives elsewhere: `own` is the place's, and its done() is called when
 * the key goes, or when this fails.
 */
enum rc key_elsewhere(struct key **out, const void *spki, size_t len, const struct key_place *place,
    void *own, struct err *err) MUST_CHECK;

/* key_kind.c.  `s` borrows from the DER. */
enum rc key_read_spki(
    struct spki *s, struct key_info *info, const void *der, size_t len, struct err *err) MUST_CHECK;
/* NULL when it is no key; libcrypto's queue says more. */
EVP_PKEY *key_public(const struct spki *s, enum key_type type);
/* key_generate()'s words: make one in memory; or what they mean: 0 or NULL for another kind. */
enum rc key_make(EVP_PKEY **out, const char *spec, struct err *err) MUST_CHECK;
unsigned key_spec_rsa_bits(const char *spec);
const char *key_spec_curve(const char *spec, const char **oid);

#endif
