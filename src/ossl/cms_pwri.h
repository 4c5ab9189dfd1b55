/*
 * cms_pwri.h - PasswordRecipientInfo (RFC 5652 6.2.4): a content-encryption key under a password, by
 * PBKDF2 (RFC 8018) and the double encryption of RFC 3211.  For cms_password.c, and for answers to
 * clients whose key can only sign (RFC 8894 3.1).
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_CMS_PWRI_H
#define SCEPD_OSSL_CMS_PWRI_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/der.h"

struct pwri {
	const void *password;
	size_t len;
	unsigned
	    rounds; /* of PBKDF2; for pwri_open() the most that are taken, 0: CMS_PASSWORD_ROUNDS_MAX */
	enum cipher cipher; /* that encrypts the key; for pwri_add() */
};

/* Append the RecipientInfo.  cek_len: at most CEK_SIZE_MAX. */
enum rc pwri_add(struct buf *b, const uint8_t *cek, size_t cek_len, const struct pwri *how,
    struct err *err) MUST_CHECK;
/*
 * Take a key of this size from `in`, which holds a RecipientInfo and nothing else.  RC_DENIED: wrong
 * password.  Of pseudo-random functions HMAC with SHA-1, which is PBKDF2's default, and SHA-2 are
 * taken; pwri_add() writes SHA-256.
 */
enum rc pwri_open(uint8_t *cek, size_t cek_len, struct der in, const struct pwri *how,
    struct err *err) MUST_CHECK;

#endif
