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

/* How a key of this type signs what is to become a part of a certificate or message. */
static enum sign_scheme
scheme_of(enum key_type type)
{
	if (!key_type_has_digest(type))
		return SIGN_MESSAGE;
	return type == KEY_RSA ? SIGN_PKCS1 : SIGN_ECDSA;
}

static enum rc
sign_with(struct buf *sig, const struct key *k, enum sign_scheme scheme, enum digest d,
    const void *tbs, size_t len, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	enum rc rc;

	if (k->place == NULL)
		return fail(err, RC_BUG, "a public key cannot sign");
	if (scheme == SIGN_MESSAGE)
		return k->place->sign(sig, k, scheme, DIGEST_NONE, tbs, len, err);
	if ((rc = digest_bytes(md, d, tbs, len, err)) != RC_OK)
		return rc;
	return k->place->sign(sig, k, scheme, d, md, digest_size(d), err);
}

enum rc
key_sign(struct buf *sig, const struct key *k, enum digest d, const void *tbs, size_t len,
    struct err *err)
{
	return sign_with(sig, k, scheme_of(k->info.type), d, tbs, len, err);
}

enum rc
key_sign_digest(
    struct buf *sig, const struct key *k, enum digest d, const uint8_t *md, struct err *err)
{
	if (!key_type_has_digest(k->info.type))
		return fail(err, RC_ALG, "%s keys sign no digest", k->info.name);
	if (k->place == NULL)
		return fail(err, RC_BUG, "a public key cannot sign");
	return k->place->sign(sig, k, scheme_of(k->info.type), d, md, digest_size(d), err);
}

enum rc
key_sign_pss(struct buf *sig, const struct key *k, enum digest d, const void *tbs, size_t len,
    struct err *err)
{
	if (k->info.type != KEY_RSA)
		return fail(err, RC_ALG, "RSASSA-PSS needs an RSA key, this is %s", k->info.name);
	return sign_with(sig, k, SIGN_PSS, d, tbs, len, err);
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
verify_message(const struct key *k, const void *tbs, size_t len, const void *sig, size_t sig_len,
    struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum rc rc = RC_OK;

	if (ctx == NULL ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1) {
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to verify");
	} else if (EVP_DigestVerify(ctx, sig, sig_len, tbs, len) != 1) {
		ERR_clear_error();
		rc = fail(err, RC_INTEGRITY, "the signature does not verify");
	}
	EVP_MD_CTX_free(ctx);
	return rc;
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
	if (!key_type_has_digest(k->info.type))
		return verify_message(k, tbs, len, sig, sig_len, err);
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

/* MGF1 (RFC 8017 B.2.1), XORed onto `to`. */
static enum rc
mgf1_xor(
    uint8_t *to, size_t len, const uint8_t *seed, size_t seed_len, enum digest d, struct err *err)
{
	uint8_t in[MODULUS_MAX + 4], md[DIGEST_SIZE_MAX];
	size_t at = 0, i, step = digest_size(d);
	uint32_t counter = 0;
	enum rc rc = RC_OK;

	memcpy(in, seed, seed_len);
	for (; rc == RC_OK && at < len; at += step, counter++) {
		for (i = 0; i < 4; i++)
			in[seed_len + i] = (uint8_t)(counter >> (24 - 8 * i));
		rc = digest_bytes(md, d, in, seed_len + 4, err);
		for (i = 0; rc == RC_OK && i < step && at + i < len; i++)
			to[at + i] ^= md[i];
	}
	wipe(in, sizeof in);
	wipe(md, sizeof md);
	return rc;
}

/* DB = lHash PS 01 M with a PS of zeros (RFC 8017 7.1.2); M's length is known here as well. */
static uint8_t
oaep_db_mask(const uint8_t *db, size_t len, size_t cek_len, const uint8_t *label, size_t h)
{
	size_t sep = len - cek_len - 1, i;
	uint8_t good = mask_zero(db[sep] ^ 1u);

	for (i = 0; i < h; i++)
		good &= mask_zero((uint32_t)(db[i] ^ label[i]));
	for (; i < sep; i++)
		good &= mask_zero(db[i]);
	return good;
}

/* EM = 00 seed DB, both masked.  Undone in place; *good tells, as a mask, whether it is one. */
static enum rc
oaep_undo(uint8_t *em, size_t len, size_t cek_len, const struct transport *t, uint8_t *good,
    struct err *err)
{
	uint8_t label[DIGEST_SIZE_MAX], *seed = em + 1, *db;
	size_t h = digest_size(t->oaep_digest);
	enum rc rc = digest_bytes(label, t->oaep_digest, "", 0, err);

	db = seed + h;
	if (rc == RC_OK)
		rc = mgf1_xor(seed, h, db, len - 1 - h, t->mgf1_digest, err);
	if (rc == RC_OK)
		rc = mgf1_xor(db, len - 1 - h, seed, h, t->mgf1_digest, err);
	if (rc == RC_OK)
		*good = mask_zero(em[0]) & oaep_db_mask(db, len - 1 - h, cek_len, label, h);
	return rc;
}

/*
 * Padding is undone here, whatever does the private operation: so a token gives no more of an oracle
 * than a file does.
 */
static enum rc
unwrap_padded(uint8_t *cek, size_t cek_len, const struct key *k, const struct transport *t,
    const uint8_t *wrapped, size_t len, struct err *err)
{
	uint8_t em[MODULUS_MAX], good = 0;
	enum rc rc = k->place->decrypt(em, k, wrapped, len, err);

	if (rc == RC_OK && t->kind == TRANSPORT_OAEP)
		rc = oaep_undo(em, len, cek_len, t, &good, err);
	else if (rc == RC_OK)
		good = pkcs1_mask(em, len, cek_len);
	if (rc == RC_OK)
		select_bytes(cek, em + len - cek_len, cek_len, good);
	wipe(em, sizeof em);
	return rc;
}

enum rc
key_unwrap(uint8_t *cek, size_t cek_len, const struct key *k, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, struct err *err)
{
	uint8_t out[CEK_SIZE_MAX];
	enum rc rc;

	if (k->place == NULL)
		return fail(err, RC_BUG, "a public key cannot unwrap");
	if ((rc = check_transport(k, t, cek_len, err)) != RC_OK)
		return rc;
	/* Length and range are plain to everyone who sees the message, so they may be told. */
	if (wrapped_len != k->parts.n.len || memcmp(wrapped, k->parts.n.p, wrapped_len) >= 0)
		return fail(err, RC_PARSE, "the wrapped key is not a number below the %s modulus",
		    k->info.name);
	if ((rc = random_bytes(out, cek_len, err)) != RC_OK)
		return rc;
	rc = unwrap_padded(out, cek_len, k, t, wrapped, wrapped_len, err);
	if (rc == RC_OK)
		memcpy(cek, out, cek_len);
	wipe(out, sizeof out);
	return rc;
}
