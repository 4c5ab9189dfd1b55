/*
 * key.h - asymmetric keys.  A struct key is either a private key or a public key that has
 * passed the size rules: RSA 1024..8192 bits with an odd exponent of at most 33 bits, EC on
 * P-256, P-384 or P-521; Ed25519 (RFC 8410) and ML-DSA (RFC 9881) have one size each.  (What a *profile* takes is stricter; these are the bounds of work.)
 *
 * Threads: immutable once made; may be shared.  key_ref()/key_free() count references atomically.
 */
#ifndef SCEPD_OSSL_KEY_H
#define SCEPD_OSSL_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"

struct key;

enum key_type { KEY_RSA = 1, KEY_EC, KEY_ED25519, KEY_ML_DSA_44, KEY_ML_DSA_65, KEY_ML_DSA_87 };
struct key_info {
	enum key_type type;
	unsigned bits; /* RSA modulus bits, EC field bits; of others the bits of the public key */
	char name[16]; /* "rsa2048", "ec-p256": as logs and profiles write it */
};

#define KEY_SIG_MAX                                                                                \
	4627u /* octets of any signature: ML-DSA-87 (FIPS 204 4); RSA has 1024 at most */
#define KEY_AGREED_MAX 66  /* octets of an x coordinate: P-521 */
#define KEY_SPECS_MAX  160 /* all words of key_specs() */
/* Every word that key_generate() knows; which of them this OpenSSL can make, key_specs() tells. */
#define KEY_SPECS     "rsa:2048|rsa:3072|rsa:4096|ec:p256|ec:p384|ed25519|ml-dsa-44|ml-dsa-65|ml-dsa-87"
#define KEY_SPECS_RSA "rsa:2048|rsa:3072|rsa:4096"

/* Only RSA and EC keys sign a digest; the others sign the message, and take no choice of one. */
bool key_type_has_digest(enum key_type type);

/*
 * One of KEY_SPECS; ML-DSA where OpenSSL has it (3.5).  RC_ALG for other words, with those there are as
 * a hint.
 */
enum rc key_generate(struct key **out, const char *spec, struct err *err) MUST_CHECK;
/* Those words, as this OpenSSL has them, with `between` between them.  Returns `out`. */
const char *key_specs(char out[static KEY_SPECS_MAX], char between);
/* PEM: PKCS#8 or traditional, unencrypted. The door for key files. */
enum rc key_parse_pem(struct key **out, const void *pem, size_t len, struct err *err) MUST_CHECK;
enum rc key_load(struct key **out, const char *path,
    struct err *err) MUST_CHECK; /* file_read_secret() + key_parse_pem() */
/* SubjectPublicKeyInfo DER, any origin: a door. RC_ALG for a type or size outside the rules. */
enum rc key_parse_spki(struct key **out, const void *der, size_t len, struct err *err) MUST_CHECK;
struct key *key_ref(struct key *k);
void key_free(struct key *k);

bool key_is_private(const struct key *k);
const struct key_info *key_info0(const struct key *k);
/* Borrow the SubjectPublicKeyInfo DER, as it was received where it was received. */
const uint8_t *key_spki0(const struct key *k, size_t *len);
bool key_same_public(const struct key *a, const struct key *b);
/* RFC 5280 4.2.1.2 method 1: SHA-1 of the BIT STRING's content. */
enum rc key_identifier(uint8_t out[static 20], const struct key *k, struct err *err) MUST_CHECK;
/* PKCS#8 PEM of a private key; wipe the buf. */
enum rc key_private_pem(struct buf *out, const struct key *k, struct err *err) MUST_CHECK;

/*
 * Digest-and-sign: PKCS#1 v1.5 for RSA, ECDSA (DER) for EC.  Appends the signature.  For a key that signs
 * messages (key_type_has_digest()) `d` says nothing, and may be DIGEST_NONE.
 */
enum rc key_sign(struct buf *sig, const struct key *k, enum digest d, const void *tbs, size_t len,
    struct err *err) MUST_CHECK;
/* The same of bytes whose digest `d` is `md`.  RC_ALG: keys of this kind sign the bytes themselves. */
enum rc key_sign_digest(struct buf *sig, const struct key *k, enum digest d, const uint8_t *md,
    struct err *err) MUST_CHECK;
/* RSASSA-PSS with salt as long as the digest (PS256 of JWTs). */
enum rc key_sign_pss(struct buf *sig, const struct key *k, enum digest d, const void *tbs,
    size_t len, struct err *err) MUST_CHECK;
/* RC_OK or RC_INTEGRITY. */
enum rc key_verify(const struct key *k, enum digest d, const void *tbs, size_t len, const void *sig,
    size_t sig_len, struct err *err) MUST_CHECK;

/* The reverse of key_sign_pss(): any other length of salt is refused too.  RC_ALG for an EC key. */
enum rc key_verify_pss(const struct key *k, enum digest d, const void *tbs, size_t len,
    const void *sig, size_t sig_len, struct err *err) MUST_CHECK;

/* A new private key in memory, on the curve of this one.  RC_ALG when that has none. */
enum rc key_generate_alike(struct key **out, const struct key *k, struct err *err) MUST_CHECK;
/* The public key on the curve of `k` that is this point (SEC 1 2.3.3, uncompressed): a door. */
enum rc key_from_point(struct key **out, const struct key *k, const void *point, size_t len,
    struct err *err) MUST_CHECK;
/*
 * ECDH (SEC 1 3.3.1): the x coordinate of the shared point, *len octets, as many as the field has.
 * RC_ALG unless both keys are on one curve, and the private one is in memory.
 */
enum rc key_agree(uint8_t z[static KEY_AGREED_MAX], size_t *len, const struct key *k,
    const struct key *peer, struct err *err) MUST_CHECK;

/* Wrap a content-encryption key for an RSA public key (RFC 8017 7.1.1 / 7.2.1). Appends. */
enum rc key_wrap(struct buf *out, const struct key *k, const struct transport *t,
    const uint8_t *cek, size_t cek_len, struct err *err) MUST_CHECK;
/*
 * The reverse.  Always yields cek_len bytes: when the padding or the length inside is wrong these
 * are random, and the caller fails later at the content exactly as with a wrong key.  So neither
 * result nor time tells an attacker what was wrong (RFC 8017 7.2.2 note; Bleichenbacher, Manger).
 * Fails only for causes that do not depend on the ciphertext's plaintext: RC_PARSE when its length
 * is not the modulus', RC_ALG, RC_CRYPTO; RC_IO when the token that has the key is not there.
 */
enum rc key_unwrap(uint8_t *cek, size_t cek_len, const struct key *k, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, struct err *err) MUST_CHECK;

#endif
