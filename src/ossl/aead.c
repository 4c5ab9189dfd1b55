/* aead.c - see aead.h. */
#include "ossl/aead.h"

#include <limits.h>

#include <openssl/evp.h>

#include "ossl/alg.h"
#include "ossl/evp.h"

#define NONCE_SIZE 12
#define TAG_SIZE   16

static bool
encrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key, const void *aad, size_t aad_len, const void *p,
    size_t len, uint8_t *sealed)
{
	uint8_t *text = sealed + NONCE_SIZE;
	int n;

	return EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1 &&
	    EVP_EncryptUpdate(ctx, text, &n, p, (int)len) == 1 && (size_t)n == len &&
	    EVP_EncryptFinal_ex(ctx, text + len, &n) == 1 && n == 0 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + len) == 1;
}

static bool
decrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key, const void *aad, size_t aad_len,
    const uint8_t *sealed, size_t len, uint8_t *plain)
{
	const uint8_t *text = sealed + NONCE_SIZE;
	int n;

	return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1 &&
	    EVP_DecryptUpdate(ctx, plain, &n, text, (int)len) == 1 && (size_t)n == len &&
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, (void *)(uintptr_t)(text + len)) == 1 &&
	    EVP_DecryptFinal_ex(ctx, plain + len, &n) == 1;
}

enum rc
aead_seal(struct buf *out, const uint8_t key[static AEAD_KEY_SIZE], const void *aad, size_t aad_len,
    const void *p, size_t len, struct err *err)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t *sealed;
	enum rc rc;
	bool done;

	if (len > INT_MAX - AEAD_OVERHEAD || aad_len > INT_MAX)
		return fail(err, RC_LIMIT, "%zu bytes are too many to seal", len);
	sealed = buf_grow(out, len + AEAD_OVERHEAD);
	if ((rc = buf_ok(out, "sealed bytes", err)) != RC_OK ||
	    (rc = random_bytes(sealed, NONCE_SIZE, err)) != RC_OK)
		return rc;
	ctx = EVP_CIPHER_CTX_new();
	done = ctx != NULL && encrypt(ctx, key, aad, aad_len, p, len, sealed);
	EVP_CIPHER_CTX_free(ctx);
	return done ? RC_OK : fail_crypto(err, RC_CRYPTO, "cannot seal");
}

enum rc
aead_open(struct buf *out, const uint8_t key[static AEAD_KEY_SIZE], const void *aad, size_t aad_len,
    const void *p, size_t len, struct err *err)
{
	size_t start = out->len;
	EVP_CIPHER_CTX *ctx;
	uint8_t *plain;
	enum rc rc;
	bool done;

	if (len < AEAD_OVERHEAD || len > INT_MAX || aad_len > INT_MAX)
		return fail(err, RC_INTEGRITY, "%zu bytes are no sealed secret", len);
	len -= AEAD_OVERHEAD;
	/* One byte more: libcrypto writes nothing there, but gets a place to. */
	plain = buf_grow(out, len + 1);
	if ((rc = buf_ok(out, "opened bytes", err)) != RC_OK)
		return rc;
	ctx = EVP_CIPHER_CTX_new();
	done = ctx != NULL && decrypt(ctx, key, aad, aad_len, p, len, plain);
	EVP_CIPHER_CTX_free(ctx);
	plain[len] = '\0';
	if (!done)
		wipe(plain, len);
	out->len = start + (done ? len : 0);
	if (done)
		return RC_OK;
	(void)fail_crypto(NULL, RC_INTEGRITY, "tag");
	return fail(err, RC_INTEGRITY, "a sealed secret does not open: another key, or changed");
}
