/*
 * evp.h - what the files of this folder share about libcrypto: fetched-once algorithms, its error
 * queue.  Nothing outside src/ossl includes this.
 *
 * OpenSSL 3.0 looks up every algorithm by name at each use unless it is given a fetched one; that
 * look-up costs more than hashing a CSR.
 */
#ifndef SCEPD_OSSL_EVP_H
#define SCEPD_OSSL_EVP_H

#include <openssl/evp.h>

#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/der.h"
#include "ossl/key.h"

/* Fetched once for the life of the process; NULL for DIGEST_NONE or when the provider has none. */
EVP_MD *evp_digest(enum digest d);
EVP_CIPHER *evp_cipher(enum cipher c);

/* fail() with libcrypto's last reason behind the text; empties its queue. RC_NOMEM when it ran out
 * of memory. */
enum rc fail_crypto(struct err *err, enum rc rc, const char *what);

#endif
