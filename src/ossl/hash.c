/* hash.c - a digest over many pieces; see alg.h. */
#include <openssl/evp.h>

#include "ossl/alg.h"
#include "ossl/evp.h"

/* It is nothing but libcrypto's context. */
static EVP_MD_CTX *
ctx_of(struct hash *h)
{
	return (EVP_MD_CTX *)h;
}

enum rc
hash_new(struct hash **out, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex2(ctx, evp_digest(DIGEST_SHA256), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return fail_crypto(err, RC_CRYPTO, "cannot begin a digest");
	}
	*out = (struct hash *)ctx;
	return RC_OK;
}

enum rc
hash_add(struct hash *h, const void *p, size_t len, struct err *err)
{
	if (EVP_DigestUpdate(ctx_of(h), p, len) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot compute a digest");
	return RC_OK;
}

enum rc
hash_end(struct hash *h, uint8_t out[static 32], struct err *err)
{
	if (EVP_DigestFinal_ex(ctx_of(h), out, NULL) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot compute a digest");
	return RC_OK;
}

void
hash_free(struct hash *h)
{
	EVP_MD_CTX_free(ctx_of(h));
}
