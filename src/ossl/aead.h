/*
 * aead.h - one small secret under one key: AES-256-GCM.
 */
#ifndef SCEPD_OSSL_AEAD_H
#define SCEPD_OSSL_AEAD_H

#include "base/buf.h"
#include "base/err.h"

#define AEAD_KEY_SIZE 32
/* What sealing adds: a nonce of 12 bytes in front, a tag of 16 behind. */
#define AEAD_OVERHEAD 28

/*
 * Append nonce, ciphertext, tag.  The nonce is random: one key may seal 2^32 times (NIST SP 800-38D 8.3).
 * `aad` says what the secret belongs to and has to be the same at opening.
 */
enum rc aead_seal(struct buf *out, const uint8_t key[static AEAD_KEY_SIZE], const void *aad,
    size_t aad_len, const void *p, size_t len, struct err *err) MUST_CHECK;
/* Append what was sealed; wipe it.  RC_INTEGRITY: another key, another `aad`, or changed bytes. */
enum rc aead_open(struct buf *out, const uint8_t key[static AEAD_KEY_SIZE], const void *aad,
    size_t aad_len, const void *p, size_t len, struct err *err) MUST_CHECK;

#endif
