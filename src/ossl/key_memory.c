/*
 * key_memory.c - private keys in this process, as libcrypto's.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "ossl/evp.h"
#include "ossl/key_int.h"

static bool
sign_init(EVP_PKEY_CTX *ctx, enum sign_scheme scheme, enum digest d)
{
	int padding = scheme == SIGN_PKCS1 ? RSA_PKCS1_PADDING
	    : scheme == SIGN_PSS           ? RSA_PKCS1_PSS_PADDING
					   : 0;

	return ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1) &&
	    EVP_PKEY_CTX_set_signature_md(ctx, evp_digest(d)) == 1 &&
	    (padding != RSA_PKCS1_PSS_PADDING ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static enum rc
sign_digest(uint8_t *out, size_t *out_len, const struct key *k, enum sign_scheme scheme,
    enum digest d, const void *md, size_t len, struct err *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	enum rc rc = RC_OK;

	if (!sign_init(ctx, scheme, d))
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to sign");
	else if (EVP_PKEY_sign(ctx, out, out_len, md, len) != 1)
		rc = fail_crypto(err, RC_CRYPTO, "cannot sign");
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* OpenSSL 3.0 has Ed25519 here alone, not in EVP_PKEY_sign(). */
static enum rc
sign_message(
    uint8_t *out, size_t *out_len, const struct key *k, const void *p, size_t len, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum rc rc = RC_OK;

	if (ctx == NULL || EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1)
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to sign");
	else if (EVP_DigestSign(ctx, out, out_len, p, len) != 1)
		rc = fail_crypto(err, RC_CRYPTO, "cannot sign");
	EVP_MD_CTX_free(ctx);
	return rc;
}

static enum rc
memory_sign(struct buf *sig, const struct key *k, enum sign_scheme scheme, enum digest d,
    const void *in, size_t len, struct err *err)
{
	uint8_t out[KEY_SIG_MAX];
	size_t n = sizeof out;
	enum rc rc;

	rc = scheme == SIGN_MESSAGE ? sign_message(out, &n, k, in, len, err)
				    : sign_digest(out, &n, k, scheme, d, in, len, err);
	if (rc != RC_OK)
		return rc;
	buf_add(sig, out, n);
	return buf_ok(sig, "signature", err);
}

static enum rc
memory_decrypt(uint8_t *em, const struct key *k, const uint8_t *in, size_t len, struct err *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = len;
	enum rc rc = RC_OK;

	if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
	    EVP_PKEY_decrypt(ctx, em, &n, in, len) != 1 || n != len)
		rc = fail_crypto(err, RC_CRYPTO, "the private key cannot decrypt");
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

const struct key_place key_place_memory = { memory_sign, memory_decrypt, NULL };
