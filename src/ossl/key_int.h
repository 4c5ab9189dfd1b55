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
};

struct key {
	atomic_uint refs;
	bool is_private;
	struct key_info info;
	EVP_PKEY *pkey;
	struct spki parts; /* point into spki[] */
	size_t spki_len;
	uint8_t spki[];
};

/* A private key of libcrypto's, which is taken over in any case. */
enum rc key_from_private(struct key **out, EVP_PKEY *pkey, struct err *err) MUST_CHECK;
/* Sign and verify once: RC_PARSE when the halves do not belong together. */
enum rc key_check_pair(const struct key *k, struct err *err) MUST_CHECK;

#endif
