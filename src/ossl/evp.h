/*
 * evp.h - what the files of this folder share about libcrypto: fetched-once algorithms, its error
 * queue, and the signature algorithms of X.509.  Nothing outside src/ossl includes this.
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

/* A signature AlgorithmIdentifier that certificates and requests may carry. */
struct sig_alg {
	const char *oid;
	enum digest digest;
	enum key_type key;
};
/* Read one AlgorithmIdentifier (content of its SEQUENCE). RC_ALG names the OID, RC_PARSE for bad
 * parameters. */
enum rc sig_alg_parse(
    const struct sig_alg **out, const struct der *alg, struct err *err) MUST_CHECK;
/* Append the AlgorithmIdentifier for a key of this type and this digest. */
enum rc sig_alg_add(struct buf *b, enum key_type key, enum digest d, struct err *err) MUST_CHECK;

#endif
