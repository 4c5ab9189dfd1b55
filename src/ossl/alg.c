/*
 * alg.c - digests, ciphers and their names.
 */
#include "ossl/alg.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "ossl/evp.h"

#define CANNOT_DECRYPT "the content cannot be decrypted"

static const struct {
	const char *name, *dashed, *ossl;
	size_t size;
} digests[DIGEST__MAX] = {
	[DIGEST_NONE] = { "none", "none", NULL, 0 },
	[DIGEST_SHA1] = { "sha1", "SHA-1", "SHA1", 20 },
	[DIGEST_SHA256] = { "sha256", "SHA-256", "SHA256", 32 },
	[DIGEST_SHA384] = { "sha384", "SHA-384", "SHA384", 48 },
	[DIGEST_SHA512] = { "sha512", "SHA-512", "SHA512", 64 },
};

static const struct {
	const char *name, *ossl;
	size_t key, block;
} ciphers[CIPHER__MAX] = {
	[CIPHER_NONE] = { "none", NULL, 0, 0 },
	[CIPHER_DES3] = { "des3cbc", "DES-EDE3-CBC", 24, 8 },
	[CIPHER_AES128] = { "aes128cbc", "AES-128-CBC", 16, 16 },
	[CIPHER_AES192] = { "aes192cbc", "AES-192-CBC", 24, 16 },
	[CIPHER_AES256] = { "aes256cbc", "AES-256-CBC", 32, 16 },
};

static const struct {
	const char *oid, *name;
} oid_names[] = {
	{ "1.3.14.3.2.7", "DES-CBC" },
	{ "1.2.840.113549.2.5", "MD5" },
	{ "1.2.840.113549.1.1.4", "md5WithRSAEncryption" },
	{ "1.2.840.113549.1.1.2", "md2WithRSAEncryption" },
	{ "1.2.840.113549.1.1.10", "RSASSA-PSS" },
	{ "1.2.840.113549.1.1.7", "RSAES-OAEP" },
	{ "1.2.840.113549.1.1.1", "rsaEncryption" },
	{ "1.2.840.113549.3.7", "DES-EDE3-CBC" },
	{ "1.2.840.113549.3.2", "RC2-CBC" },
	{ "1.2.840.113549.3.4", "RC4" },
	{ "1.2.840.10045.2.1", "EC public key" },
	{ "1.2.840.10045.4.1", "ecdsa-with-SHA1" },
	{ "1.2.840.10040.4.1", "DSA" },
	{ "1.2.840.10040.4.3", "dsa-with-SHA1" },
	{ "1.3.132.0.10", "secp256k1" },
	{ "1.3.132.0.33", "P-224" },
	{ "1.2.840.10045.3.1.1", "P-192" },
	{ "1.3.101.110", "X25519" },
	{ "1.3.101.112", "Ed25519" },
	{ "1.3.101.113", "Ed448" },
	{ "2.16.840.1.101.3.4.3.17", "ML-DSA-44" },
	{ "2.16.840.1.101.3.4.3.18", "ML-DSA-65" },
	{ "2.16.840.1.101.3.4.3.19", "ML-DSA-87" },
	{ "1.2.840.113549.1.12.1.3", "PBE with SHA-1 and 3DES" },
	{ "1.3.14.3.2.26", "SHA-1" },
	{ "2.16.840.1.101.3.4.1.2", "AES-128-CBC" },
	{ "2.16.840.1.101.3.4.1.22", "AES-192-CBC" },
	{ "2.16.840.1.101.3.4.1.42", "AES-256-CBC" },
	{ "2.16.840.1.101.3.4.1.6", "AES-128-GCM" },
	{ "2.16.840.1.101.3.4.1.46", "AES-256-GCM" },
	{ "2.16.840.1.101.3.4.2.1", "SHA-256" },
	{ "2.16.840.1.101.3.4.2.2", "SHA-384" },
	{ "2.16.840.1.101.3.4.2.3", "SHA-512" },
	{ "2.16.840.1.101.3.4.2.4", "SHA-224" },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static EVP_MD *fetched_digest[DIGEST__MAX];
static EVP_CIPHER *fetched_cipher[CIPHER__MAX];
static EVP_MAC *fetched_hmac;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
/* Each thread's EVP_MD_CTX, freed when the thread ends. */
static pthread_key_t digest_key;
static bool has_digest_key;

static void
free_digest_ctx(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void
fetch_all(void)
{
	size_t i;

	for (i = DIGEST_NONE + 1; i < DIGEST__MAX; i++)
		fetched_digest[i] = EVP_MD_fetch(NULL, digests[i].ossl, NULL);
	for (i = CIPHER_NONE + 1; i < CIPHER__MAX; i++)
		fetched_cipher[i] = EVP_CIPHER_fetch(NULL, ciphers[i].ossl, NULL);
	fetched_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	has_digest_key = pthread_key_create(&digest_key, free_digest_ctx) == 0;
	ERR_clear_error();
}

EVP_MD *
evp_digest(enum digest d)
{
	pthread_once(&fetch_once, fetch_all);
	return (unsigned)d < DIGEST__MAX ? fetched_digest[d] : NULL;
}

EVP_CIPHER *
evp_cipher(enum cipher c)
{
	pthread_once(&fetch_once, fetch_all);
	return (unsigned)c < CIPHER__MAX ? fetched_cipher[c] : NULL;
}

enum rc
fail_crypto(struct err *err, enum rc rc, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e != 0 ? ERR_reason_error_string(e) : NULL;
	bool no_memory = e != 0 && ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;

	ERR_clear_error();
	if (no_memory)
		return fail(err, RC_NOMEM, "%s: out of memory", what);
	return fail(
	    err, rc, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

const char *
digest_name(enum digest d)
{
	return digests[(unsigned)d < DIGEST__MAX ? d : DIGEST_NONE].name;
}

enum digest
digest_by_name(const char *s)
{
	size_t i;

	for (i = DIGEST_NONE + 1; i < DIGEST__MAX; i++)
		if (strcasecmp(s, digests[i].name) == 0 || strcasecmp(s, digests[i].dashed) == 0)
			return (enum digest)i;
	return DIGEST_NONE;
}

size_t
digest_size(enum digest d)
{
	return digests[(unsigned)d < DIGEST__MAX ? d : DIGEST_NONE].size;
}

const char *
cipher_name(enum cipher c)
{
	return ciphers[(unsigned)c < CIPHER__MAX ? c : CIPHER_NONE].name;
}

size_t
cipher_key_size(enum cipher c)
{
	return ciphers[(unsigned)c < CIPHER__MAX ? c : CIPHER_NONE].key;
}

size_t
cipher_block_size(enum cipher c)
{
	return ciphers[(unsigned)c < CIPHER__MAX ? c : CIPHER_NONE].block;
}

const char *
transport_name(const struct transport *t, char *out, size_t len)
{
	if (t->kind == TRANSPORT_PKCS1V15)
		snprintf(out, len, "rsa");
	else if (t->kind != TRANSPORT_OAEP)
		snprintf(out, len, "none");
	else if (t->oaep_digest == t->mgf1_digest)
		snprintf(out, len, "oaep-%s", digest_name(t->oaep_digest));
	else
		snprintf(out, len, "oaep-%s/%s", digest_name(t->oaep_digest),
		    digest_name(t->mgf1_digest));
	return out;
}

const char *
oid_label(const char *dotted, char *out, size_t len)
{
	size_t i;

	for (i = 0; i < N(oid_names); i++) {
		if (strcmp(dotted, oid_names[i].oid) != 0)
			continue;
		snprintf(out, len, "%s (%s)", dotted, oid_names[i].name);
		return out;
	}
	snprintf(out, len, "%s", dotted);
	return out;
}

/* This thread's context, made at its first digest.  NULL: none to be had. */
static EVP_MD_CTX *
own_digest_ctx(void)
{
	EVP_MD_CTX *ctx;

	if (!has_digest_key)
		return NULL;
	ctx = pthread_getspecific(digest_key);
	if (ctx != NULL)
		return ctx;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || pthread_setspecific(digest_key, ctx) == 0)
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

/*
 * A context that last had the same digest is started anew without an allocation; what it keeps is
 * that digest's value, not its input.
 */
static bool
digest_with(EVP_MD_CTX *ctx, uint8_t *out, const EVP_MD *md, const void *p, size_t len)
{
	return EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, p, len) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

enum rc
digest_bytes(uint8_t *out, enum digest d, const void *p, size_t len, struct err *err)
{
	EVP_MD *md = evp_digest(d);
	EVP_MD_CTX *ctx;

	if (md == NULL)
		return fail(err, RC_ALG, "no digest %s", digest_name(d));
	ctx = own_digest_ctx();
	if (ctx != NULL ? !digest_with(ctx, out, md, p, len)
			: EVP_Digest(p, len, out, NULL, md, NULL) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot compute a digest");
	return RC_OK;
}

enum rc
hmac_sha256(uint8_t out[static 32], const void *key, size_t key_len, const void *p, size_t len,
    struct err *err)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC_CTX *ctx;
	size_t n = 0;
	int ok;

	pthread_once(&fetch_once, fetch_all);
	ctx = fetched_hmac != NULL ? EVP_MAC_CTX_new(fetched_hmac) : NULL;
	/* A NULL key means "keep the key there is"; an empty key is not that. */
	ok = ctx != NULL && EVP_MAC_init(ctx, key_len > 0 ? key : "", key_len, params) == 1 &&
	    EVP_MAC_update(ctx, p, len) == 1 && EVP_MAC_final(ctx, out, &n, 32) == 1 && n == 32;
	EVP_MAC_CTX_free(ctx);
	if (!ok)
		return fail_crypto(err, RC_CRYPTO, "cannot compute HMAC-SHA256");
	return RC_OK;
}

enum rc
random_bytes(void *out, size_t len, struct err *err)
{
	if (len > INT_MAX)
		return fail(err, RC_LIMIT, "%zu random bytes are too many", len);
	if (RAND_bytes(out, (int)len) != 1)
		return fail_crypto(err, RC_CRYPTO, "no random bytes");
	return RC_OK;
}

enum rc
cbc_encrypt(struct buf *out, enum cipher c, const uint8_t *key, const uint8_t *iv, const void *p,
    size_t len, struct err *err)
{
	EVP_CIPHER *cipher = evp_cipher(c);
	size_t start = out->len;
	EVP_CIPHER_CTX *ctx;
	int n = 0, last = 0, ok;
	uint8_t *to;

	if (cipher == NULL)
		return fail(err, RC_ALG, "no cipher %s", cipher_name(c));
	if (len > INT_MAX - EVP_MAX_BLOCK_LENGTH)
		return fail(err, RC_LIMIT, "%zu bytes are too many to encrypt", len);
	to = buf_grow(out, len + cipher_block_size(c) - len % cipher_block_size(c));
	if (to == NULL)
		return buf_ok(out, "encrypted content", err);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx != NULL && EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
	    EVP_EncryptUpdate(ctx, to, &n, p, (int)len) == 1 &&
	    EVP_EncryptFinal_ex(ctx, to + n, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		return RC_OK;
	out->len = start;
	return fail_crypto(err, RC_CRYPTO, "cannot encrypt");
}

/* 0xff..ff when a < b, else 0, without a branch; for numbers below 2^31. */
static uint32_t
mask_less(uint32_t a, uint32_t b)
{
	uint32_t v = (a - b) >> 31;

	__asm__("" : "+r"(v)); /* keeps the compiler from finding a branch */
	return 0u - v;
}

/*
 * PKCS#7 padding (RFC 5652 6.3) looked at in the same time whatever it is: libcrypto's own check ends at
 * the first wrong octet and writes an error record, which is a clock for whoever sends changed blocks
 * (Vaudenay 2002).  Returns how many bytes to keep: all of them when it is wrong.
 */
static size_t
unpad(const uint8_t *p, size_t len, size_t block, uint32_t *good)
{
	uint32_t pad = p[len - 1], wrong = mask_less(pad, 1) | mask_less((uint32_t)block, pad), in;
	size_t i;

	for (i = 0; i < block; i++) {
		in = mask_less((uint32_t)i, pad);
		wrong |= in & (p[len - 1 - i] ^ pad);
	}
	*good = ((wrong | (0u - wrong)) >> 31) - 1u;
	return len - (pad & *good);
}

/* Decrypt into `to`, which has room for len; padding and all. */
static bool
decrypt_into(uint8_t *to, EVP_CIPHER_CTX *ctx, const void *p, size_t len)
{
	int n = 0, last = 0;

	return EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_DecryptUpdate(ctx, to, &n, p, (int)len) == 1 &&
	    EVP_DecryptFinal_ex(ctx, to + n, &last) == 1 && (size_t)n + (size_t)last == len;
}

enum rc
cbc_decrypt_blind(struct buf *out, bool *good, enum cipher c, const uint8_t *key, const uint8_t *iv,
    const void *p, size_t len, struct err *err)
{
	EVP_CIPHER *cipher = evp_cipher(c);
	size_t start = out->len, block = cipher_block_size(c);
	enum rc rc = RC_OK;
	EVP_CIPHER_CTX *ctx;
	uint32_t right = 0;
	uint8_t *to;

	if (cipher == NULL)
		return fail(err, RC_ALG, "no cipher %s", cipher_name(c));
	if (len > INT_MAX - EVP_MAX_BLOCK_LENGTH)
		return fail(err, RC_LIMIT, "%zu bytes are too many to decrypt", len);
	if (len == 0 || len % block != 0)
		return fail(err, RC_INTEGRITY, CANNOT_DECRYPT);
	to = buf_grow(out, len);
	if (to == NULL)
		return buf_ok(out, "decrypted content", err);
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || EVP_DecryptInit_ex2(ctx, cipher, key, iv, NULL) != 1 ||
	    !decrypt_into(to, ctx, p, len))
		rc = fail_crypto(err, RC_CRYPTO, "cannot decrypt");
	EVP_CIPHER_CTX_free(ctx);
	out->len = start;
	if (rc != RC_OK) {
		wipe(to, len);
	} else {
		out->len += unpad(to, len, block, &right);
		*good = right != 0;
	}
	out->data[out->len] = '\0';
	return rc;
}
