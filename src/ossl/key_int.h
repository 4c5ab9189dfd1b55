/*
 * key_int.h - what a struct key holds; for key.c and key_ops.c only.
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

#endif
