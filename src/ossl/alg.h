/*
 * alg.h - the algorithms by name, as rows: OID, libcrypto name, sizes.  Whatever is not in a
 * table here is not taken; DES and MD5 are known by name only so that errors can say them.
 */
#ifndef SCEPD_OSSL_ALG_H
#define SCEPD_OSSL_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum digest { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST__MAX };
enum cipher {
	CIPHER_NONE,
	CIPHER_DES3,
	CIPHER_AES128,
	CIPHER_AES192,
	CIPHER_AES256,
	CIPHER__MAX
}; /* all CBC */
enum transport_kind { TRANSPORT_NONE, TRANSPORT_PKCS1V15, TRANSPORT_OAEP };

/* RSA key transport. For OAEP the digest of the label hash and of MGF1 (RFC 8017 A.2.1; both SHA-1
 * when absent). */
struct transport {
	enum transport_kind kind;
	enum digest oaep_digest, mgf1_digest;
};

#define DIGEST_SIZE_MAX 64
#define CEK_SIZE_MAX    32

const char *digest_name(enum digest d);    /* "sha256"; static */
enum digest digest_by_name(const char *s); /* "sha256" "SHA-256"; DIGEST_NONE when unknown */
size_t digest_size(enum digest d);         /* bytes */
const char *cipher_name(enum cipher c);    /* "aes128cbc" "des3cbc" */
size_t cipher_key_size(enum cipher c);     /* bytes */
const char *transport_name(
    const struct transport *t, char *out, size_t len); /* "rsa", "oaep-sha1", "oaep-sha256/sha1" */

/* Names for OIDs that appear in errors ("1.3.14.3.2.7 (DES-CBC)"), or the dotted form alone. */
const char *oid_label(const char *dotted, char *out, size_t len);

/* One-shot digest; `out` holds digest_size(). */
enum rc digest_bytes(
    uint8_t *out, enum digest d, const void *p, size_t len, struct err *err) MUST_CHECK;
/* The same over many pieces; SHA-256. */
struct hash;
enum rc hash_new(struct hash **out, struct err *err) MUST_CHECK;
enum rc hash_add(struct hash *h, const void *p, size_t len, struct err *err) MUST_CHECK;
enum rc hash_end(struct hash *h, uint8_t out[static 32], struct err *err) MUST_CHECK;
void hash_free(struct hash *h); /* NULL is allowed */
/* HMAC-SHA256. */
enum rc hmac_sha256(uint8_t out[static 32], const void *key, size_t key_len, const void *p,
    size_t len, struct err *err) MUST_CHECK;
/* From the system's generator, through libcrypto. */
enum rc random_bytes(void *out, size_t len, struct err *err) MUST_CHECK;
/* CBC with PKCS#7 padding (RFC 5652 6.3); appends to `out`. */
struct buf;
enum rc cbc_encrypt(struct buf *out, enum cipher c, const uint8_t *key, const uint8_t *iv,
    const void *p, size_t len, struct err *err) MUST_CHECK;
/*
 * Lets nobody tell a wrong padding from a wrong content: RC_OK in either case and in the same time.  With
 * *good false all of the decrypted bytes are appended; whoever calls goes on with them as if they were right,
 * and refuses at the end.  RC_INTEGRITY: no whole number of blocks.
 */
enum rc cbc_decrypt_blind(struct buf *out, bool *good, enum cipher c, const uint8_t *key,
    const uint8_t *iv, const void *p, size_t len, struct err *err) MUST_CHECK;
size_t cipher_block_size(enum cipher c); /* also the IV's size */

#endif
