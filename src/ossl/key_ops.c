/*
 * key_ops.c - signing, verifying, wrapping and unwrapping.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"

#define MODULUS_MAX (LIMIT_RSA_BITS / 8)
#define SIG_MAX     MODULUS_MAX /* an ECDSA signature on P-521 has 139 bytes */

/* Sign a digest with a context that is set up; appends. */
static enum rc
sign_digest(struct buf *sig, EVP_PKEY_CTX *ctx, const uint8_t *md, size_t md_len, struct err *err)
{
	uint8_t out[SIG_MAX];
	size_t len = sizeof out;

	if (EVP_PKEY_sign(ctx, out, &len, md, md_len) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot sign");
	buf_add(sig, out, len);
	return buf_ok(sig, "signature", err);
}

static enum rc
sign_with(struct buf *sig, const struct key *k, enum digest d, int padding, const void *tbs,
    size_t len, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	EVP_PKEY_CTX *ctx = NULL;
	enum rc rc;

	if (!k->is_private)
		return fail(err, RC_BUG, "a public key cannot sign");
	if ((rc = digest_bytes(md, d, tbs, len, err)) != RC_OK)
		return rc;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1) ||
	    EVP_PKEY_CTX_set_signature_md(ctx, evp_digest(d)) != 1 ||
	    (padding == RSA_PKCS1_PSS_PADDING &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to sign");
	else
		rc = sign_digest(sig, ctx, md, digest_size(d), err);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

enum rc
key_sign(struct buf *sig, const struct key *k, enum digest d, const void *tbs, size_t len,
    struct err *err)
{
	return sign_with(sig, k, d, k->info.type == KEY_RSA ? RSA_PKCS1_PADDING : 0, tbs, len, err);
}

enum rc
key_sign_pss(struct buf *sig, const struct key *k, enum digest d, const void *tbs, size_t len,
    struct err *err)
{
	if (k->info.type != KEY_RSA)
		return fail(err, RC_ALG, "RSASSA-PSS needs an RSA key, this is %s", k->info.name);
	return sign_with(sig, k, d, RSA_PKCS1_PSS_PADDING, tbs, len, err);
}

static bool
verify_init(EVP_PKEY_CTX *ctx, enum digest d, int padding)
{
	return ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1) &&
	    EVP_PKEY_CTX_set_signature_md(ctx, evp_digest(d)) == 1 &&
	    (padding != RSA_PKCS1_PSS_PADDING ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static enum rc
verify_with(const struct key *k, enum digest d, int padding, const void *tbs, size_t len,
    const void *sig, size_t sig_len, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	EVP_PKEY_CTX *ctx = NULL;
	enum rc rc;

	if ((rc = digest_bytes(md, d, tbs, len, err)) != RC_OK)
		return rc;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (!verify_init(ctx, d, padding)) {
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to verify");
	} else if (EVP_PKEY_verify(ctx, sig, sig_len, md, digest_size(d)) != 1) {
		ERR_clear_error();
		rc = fail(err, RC_INTEGRITY, "the signature does not verify");
	}
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

enum rc
key_verify(const struct key *k, enum digest d, const void *tbs, size_t len, const void *sig,
    size_t sig_len, struct err *err)
{
	return verify_with(
	    k, d, k->info.type == KEY_RSA ? RSA_PKCS1_PADDING : 0, tbs, len, sig, sig_len, err);
}

enum rc
key_verify_pss(const struct key *k, enum digest d, const void *tbs, size_t len, const void *sig,
    size_t sig_len, struct err *err)
{
	if (k->info.type != KEY_RSA)
		return fail(err, RC_ALG, "RSASSA-PSS needs an RSA key, this is %s", k->info.name);
	return verify_with(k, d, RSA_PKCS1_PSS_PADDING, tbs, len, sig, sig_len, err);
}

/* RFC 8017 7.1.1: what OAEP leaves room for. */
static enum rc
check_transport(const struct key *k, const struct transport *t, size_t cek_len, struct err *err)
{
	size_t modulus = k->parts.n.len, overhead = 11;

	if (k->info.type != KEY_RSA)
		return fail(
		    err, RC_ALG, "key transport needs an RSA key, this is %s", k->info.name);
	if (t->kind == TRANSPORT_OAEP) {
		if (evp_digest(t->oaep_digest) == NULL || evp_digest(t->mgf1_digest) == NULL)
			return fail(err, RC_ALG, "OAEP with unknown digests");
		overhead = 2 * digest_size(t->oaep_digest) + 2;
	} else if (t->kind != TRANSPORT_PKCS1V15)
		return fail(err, RC_ALG, "no such key transport");
	if (cek_len == 0 || cek_len > CEK_SIZE_MAX || cek_len + overhead > modulus)
		return fail(err, RC_ALG, "a key of %zu bytes does not fit %s under %s", cek_len,
		    t->kind == TRANSPORT_OAEP ? "OAEP" : "PKCS#1 v1.5", k->info.name);
	return RC_OK;
}

static bool
set_oaep(EVP_PKEY_CTX *ctx, const struct transport *t)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, evp_digest(t->oaep_digest)) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, evp_digest(t->mgf1_digest)) == 1;
}

enum rc
key_wrap(struct buf *out, const struct key *k, const struct transport *t, const uint8_t *cek,
    size_t cek_len, struct err *err)
{
	uint8_t wrapped[MODULUS_MAX];
	size_t len = sizeof wrapped;
	EVP_PKEY_CTX *ctx;
	enum rc rc = check_transport(k, t, cek_len, err);
	bool ok;

	if (rc != RC_OK)
		return rc;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    (t->kind == TRANSPORT_OAEP
		    ? set_oaep(ctx, t)
		    : EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1) &&
	    EVP_PKEY_encrypt(ctx, wrapped, &len, cek, cek_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return fail_crypto(err, RC_CRYPTO, "cannot wrap a key");
	buf_add(out, wrapped, len);
	return buf_ok(out, "wrapped key", err);
}

/* 0xff when v == 0, else 0, without a branch; the empty asm keeps the compiler from finding one. */
static uint8_t
mask_zero(uint32_t v)
{
	__asm__("" : "+r"(v));
	return (uint8_t)(((v | (0u - v)) >> 31) - 1u);
}

/*
 * EM = 00 02 PS 00 M with a PS of non-zero octets (RFC 8017 7.2.2).  M's length is known, so every
 * position is too, and nothing here depends on the content but the mask.
 */
static uint8_t
pkcs1_mask(const uint8_t *em, size_t em_len, size_t cek_len)
{
	size_t sep = em_len - cek_len - 1, i;
	uint8_t good = mask_zero(em[0]) & mask_zero(em[1] ^ 2u) & mask_zero(em[sep]);

	for (i = 2; i < sep; i++)
		good &= (uint8_t)~mask_zero(em[i]);
	return good;
}

/* cek = good ? from : what it was. */
static void
select_bytes(uint8_t *cek, const uint8_t *from, size_t len, uint8_t good)
{
	size_t i;

	for (i = 0; i < len; i++)
		cek[i] = (uint8_t)((from[i] & good) | (cek[i] & (uint8_t)~good));
}

static enum rc
unwrap_pkcs1(uint8_t *cek, size_t cek_len, EVP_PKEY_CTX *ctx, const uint8_t *wrapped,
    size_t wrapped_len, struct err *err)
{
	uint8_t em[MODULUS_MAX];
	size_t len = sizeof em;

	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
	    EVP_PKEY_decrypt(ctx, em, &len, wrapped, wrapped_len) != 1 || len != wrapped_len)
		return fail_crypto(err, RC_CRYPTO, "the private key cannot decrypt");
	select_bytes(cek, em + len - cek_len, cek_len, pkcs1_mask(em, len, cek_len));
	wipe(em, sizeof em);
	return RC_OK;
}

static enum rc
unwrap_oaep(uint8_t *cek, size_t cek_len, EVP_PKEY_CTX *ctx, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, struct err *err)
{
	uint8_t m[MODULUS_MAX] = { 0 }, good;
	size_t len = sizeof m;
	int ok;

	if (!set_oaep(ctx, t))
		return fail_crypto(err, RC_ALG, "OAEP with these digests is not available");
	ok = EVP_PKEY_decrypt(ctx, m, &len, wrapped, wrapped_len);
	ERR_clear_error();
	/* libcrypto's OAEP check is constant-time up to this result; keep it so. */
	good = mask_zero((uint32_t)ok ^ 1u) & mask_zero((uint32_t)(len ^ cek_len));
	select_bytes(cek, m, cek_len, good);
	wipe(m, sizeof m);
	return RC_OK;
}

enum rc
key_unwrap(uint8_t *cek, size_t cek_len, const struct key *k, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, struct err *err)
{
	uint8_t out[CEK_SIZE_MAX];
	EVP_PKEY_CTX *ctx = NULL;
	enum rc rc;

	if (!k->is_private)
		return fail(err, RC_BUG, "a public key cannot unwrap");
	if ((rc = check_transport(k, t, cek_len, err)) != RC_OK)
		return rc;
	/* Length and range are plain to everyone who sees the message, so they may be told. */
	if (wrapped_len != k->parts.n.len || memcmp(wrapped, k->parts.n.p, wrapped_len) >= 0)
		return fail(err, RC_PARSE, "the wrapped key is not a number below the %s modulus",
		    k->info.name);
	if ((rc = random_bytes(out, cek_len, err)) != RC_OK)
		return rc;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1)
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to decrypt");
	else if (t->kind == TRANSPORT_OAEP)
		rc = unwrap_oaep(out, cek_len, ctx, t, wrapped, wrapped_len, err);
	else
		rc = unwrap_pkcs1(out, cek_len, ctx, wrapped, wrapped_len, err);
	EVP_PKEY_CTX_free(ctx);
	if (rc == RC_OK)
		memcpy(cek, out, cek_len);
	wipe(out, sizeof out);
	return rc;
}
