/*
 * key_pem.h - private keys as PEM, encrypted or not; for src/ossl only.
 */
#ifndef SCEPD_OSSL_KEY_PEM_H
#define SCEPD_OSSL_KEY_PEM_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/key.h"

/*
 * The door for key files that may be encrypted: PKCS#8 with PBES2, PBKDF2 or scrypt, and AES-CBC
 * (RFC 8018 6.2, RFC 7914 7); other encryptions are refused by name, as they protect little.  NULL: no
 * passphrase, and an encrypted key is RC_CONFIG.  So is a wrong passphrase, as far as it can be told
 * from damage.  A key that is not encrypted is read as by key_parse_pem() even with a passphrase:
 * then *locked is false.
 */
enum rc key_parse_pem_locked(struct key **out, bool *locked, const void *pem, size_t len,
    const char *passphrase, struct err *err) MUST_CHECK;

#endif
