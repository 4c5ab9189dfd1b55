/*
 * cms_pwri.c - see cms_pwri.h.
 */
#include "ossl/cms_pwri.h"

#include <string.h>

#include <openssl/evp.h>

#include "ossl/cms_alg.h"
#include "ossl/cms_password.h"
#include "ossl/evp.h"

#define OID_PBKDF2   "1.2.840.113549.1.5.12"
#define OID_PWRI_KEK "1.2.840.113549.1.9.16.3.9"

#define SALT_SIZE 16
#define BLOCK_MAX 16
/* RFC 3211 2.3.1: a length octet, three check octets, the key, padding to whole blocks. */
#define WRAP_HEAD   4u
#define WRAPPED_MAX 64u /* 48 for the longest key; a sender may pad more */

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The pseudo-random functions of PBKDF2 (RFC 8018 B.1). */
static const struct {
	const char *oid;
	enum digest digest;
} prfs[] = {
	{ "1.2.840.113549.2.7", DIGEST_SHA1 },
	{ "1.2.840.113549.2.9", DIGEST_SHA256 },
	{ "1.2.840.113549.2.10", DIGEST_SHA384 },
	{ "1.2.840.113549.2.11", DIGEST_SHA512 },
};
#define OID_HMAC_SHA256 (prfs[1].oid)

/* How the password becomes the key that encrypts the key. */
struct derivation {
	struct der salt;
	uint64_t rounds;
	enum digest prf;
};

/* One key-encryption key at work. */
struct kek {
	enum cipher cipher;
	size_t block;
	uint8_t key[CEK_SIZE_MAX];
};

static enum rc
derive(struct kek *kek, enum cipher cipher, const struct derivation *d, const struct pwri *how,
    struct err *err)
{
	kek->cipher = cipher;
	kek->block = cipher_block_size(cipher);
	if (PKCS5_PBKDF2_HMAC(how->password, (int)how->len, d->salt.p, (int)d->salt.len,
		(int)d->rounds, evp_digest(d->prf), (int)cipher_key_size(cipher), kek->key) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot derive a key from the passphrase");
	return RC_OK;
}

/* CBC over whole blocks, without padding. */
static enum rc
cbc(uint8_t *out, const uint8_t *in, size_t len, const struct kek *kek, const uint8_t *iv,
    bool encrypt, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, ok;

	ok = ctx != NULL &&
	    EVP_CipherInit_ex(ctx, evp_cipher(kek->cipher), NULL, kek->key, iv, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && (size_t)n == len;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? RC_OK : fail_crypto(err, RC_CRYPTO, "cannot wrap a key");
}

/* RFC 3211 2.3.1: whole blocks, and two of them at least. */
static size_t
wrapped_size(size_t cek_len, size_t block)
{
	size_t len = (WRAP_HEAD + cek_len + block - 1) / block * block;

	return len < 2 * block ? 2 * block : len;
}

/* RFC 3211 2.3.1: encrypt, and encrypt the outcome again with its last block as the IV. */
static enum rc
wrap(uint8_t out[static WRAPPED_MAX], size_t len, const uint8_t *cek, size_t cek_len,
    const struct kek *kek, const uint8_t *iv, struct err *err)
{
	uint8_t plain[WRAPPED_MAX], once[WRAPPED_MAX];
	enum rc rc = random_bytes(plain, len, err);

	if (rc != RC_OK)
		return rc;
	plain[0] = (uint8_t)cek_len;
	for (size_t i = 0; i < 3; i++)
		plain[1 + i] = cek[i] ^ 0xff;
	memcpy(plain + WRAP_HEAD, cek, cek_len);
	if ((rc = cbc(once, plain, len, kek, iv, true, err)) == RC_OK)
		rc = cbc(out, once, len, kek, once + len - kek->block, true, err);
	wipe(plain, sizeof(plain));
	return rc;
}

/* The reverse: the last block of the first pass comes out by itself, and is the IV of the rest. */
static enum rc
unwrap(uint8_t *cek, size_t cek_len, struct der in, const struct kek *kek, const uint8_t *iv,
    struct err *err)
{
	uint8_t once[WRAPPED_MAX], plain[WRAPPED_MAX], last[BLOCK_MAX], wrong;
	size_t block = kek->block;
	enum rc rc;

	if ((rc = cbc(last, in.p + in.len - block, block, kek, in.p + in.len - 2 * block, false,
		 err)) != RC_OK ||
	    (rc = cbc(once, in.p, in.len, kek, last, false, err)) != RC_OK ||
	    (rc = cbc(plain, once, in.len, kek, iv, false, err)) != RC_OK)
		return rc;
	wrong = plain[0] ^ (uint8_t)cek_len;
	for (size_t i = 0; i < 3; i++)
		wrong |= plain[1 + i] ^ plain[WRAP_HEAD + i] ^ 0xff;
	if (wrong == 0)
		memcpy(cek, plain + WRAP_HEAD, cek_len);
	wipe(plain, sizeof(plain));
	return wrong == 0 ? RC_OK : fail(err, RC_DENIED, "the passphrase does not open this");
}

/* ---- writing ---- */

static void
derivation_add(struct buf *b, const struct derivation *d)
{
	size_t alg = der_open(b, DER_CTX_CONS(0)), params, prf;

	(void)der_add_oid(b, OID_PBKDF2);
	params = der_open(b, DER_SEQUENCE);
	der_add(b, DER_OCTET_STRING, d->salt.p, d->salt.len);
	der_add_u64(b, d->rounds);
	prf = der_open(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_HMAC_SHA256);
	der_add(b, DER_NULL, NULL, 0);
	der_close(b, prf);
	der_close(b, params);
	der_close(b, alg);
}

static void
info_add(struct buf *b, const struct derivation *d, enum cipher cipher, const uint8_t *iv,
    struct der wrapped)
{
	size_t info = der_open(b, DER_CTX_CONS(3)), alg;

	der_add_u64(b, 0);
	derivation_add(b, d);
	alg = der_open(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_PWRI_KEK);
	cms_cipher_add(b, cipher, iv);
	der_close(b, alg);
	der_add(b, DER_OCTET_STRING, wrapped.p, wrapped.len);
	der_close(b, info);
}

enum rc
pwri_add(struct buf *b, const uint8_t *cek, size_t cek_len, const struct pwri *how, struct err *err)
{
	uint8_t fresh[SALT_SIZE + BLOCK_MAX], wrapped[WRAPPED_MAX], *iv = fresh + SALT_SIZE;
	struct derivation d = { { fresh, SALT_SIZE }, how->rounds, DIGEST_SHA256 };
	size_t len = wrapped_size(cek_len, cipher_block_size(how->cipher));
	struct kek kek;
	enum rc rc;

	if ((rc = random_bytes(fresh, sizeof(fresh), err)) != RC_OK ||
	    (rc = derive(&kek, how->cipher, &d, how, err)) != RC_OK)
		return rc;
	if ((rc = wrap(wrapped, len, cek, cek_len, &kek, iv, err)) == RC_OK)
		info_add(b, &d, how->cipher, iv, (struct der){ wrapped, len });
	wipe(&kek, sizeof(kek));
	return rc;
}

/* ---- reading ---- */

/* AlgorithmIdentifier DEFAULT HMAC with SHA-1 (RFC 8018 A.2). */
static enum rc
take_prf(struct der *in, enum digest *digest, struct err *err)
{
	struct cms_alg prf;
	enum rc rc;

	*digest = DIGEST_SHA1;
	if (in->len == 0)
		return RC_OK;
	if ((rc = cms_alg_take(in, &prf, "pseudo-random function", err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < N(prfs); i++) {
		if (strcmp(prf.oid, prfs[i].oid) != 0)
			continue;
		*digest = prfs[i].digest;
		if (prf.params.len != 2 || prf.params.p[0] != DER_NULL || in->len > 0)
			return fail(
			    err, RC_PARSE, "PasswordRecipientInfo: malformed PBKDF2-params");
		return RC_OK;
	}
	return cms_alg_refuse("pseudo-random function", prf.oid, err);
}

/* A keyLength may be there, and says what the cipher says (RFC 8018 A.2). */
static enum rc
take_derivation(struct der *in, struct derivation *d, uint64_t *key_len, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der alg, params;

	if (!der_take(in, DER_CTX_CONS(0), &alg) || !der_take_oid(&alg, oid) ||
	    !der_take(&alg, DER_SEQUENCE, &params) || alg.len > 0)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: no keyDerivationAlgorithm");
	if (strcmp(oid, OID_PBKDF2) != 0)
		return cms_alg_refuse("key derivation", oid, err);
	if (!der_take(&params, DER_OCTET_STRING, &d->salt) || !der_take_u64(&params, &d->rounds) ||
	    d->salt.len < 8 || d->salt.len > 64 ||
	    (der_next_is(&params, DER_INTEGER) && !der_take_u64(&params, key_len)))
		return fail(err, RC_PARSE, "PasswordRecipientInfo: malformed PBKDF2-params");
	return take_prf(&params, &d->prf, err);
}

static enum rc
take_kek_alg(struct der *in, enum cipher *cipher, struct der *iv, struct err *err)
{
	struct cms_alg alg, inner;
	struct der params;
	enum rc rc;

	if ((rc = cms_alg_take(in, &alg, "keyEncryptionAlgorithm", err)) != RC_OK)
		return rc;
	if (strcmp(alg.oid, OID_PWRI_KEK) != 0)
		return cms_alg_refuse("keyEncryptionAlgorithm", alg.oid, err);
	params = alg.params;
	if (params.p == NULL)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: no cipher");
	if ((rc = cms_alg_take(&params, &inner, "key cipher", err)) != RC_OK)
		return rc;
	return cms_cipher_of(&inner, cipher, iv, err);
}

/* What came, taken apart. */
struct received {
	struct derivation d;
	enum cipher cipher;
	struct der iv, wrapped;
};

/* CVE-2025-9230 was a length that was not compared with the block here. */
static bool
plausible(const struct received *r, size_t cek_len)
{
	size_t block = cipher_block_size(r->cipher), len = r->wrapped.len;

	return len % block == 0 && len >= 2 * block && len >= WRAP_HEAD + cek_len &&
	    len <= WRAPPED_MAX;
}

static enum rc
take_info(struct received *r, size_t cek_len, struct der *body, struct err *err)
{
	uint64_t key_len = 0;
	enum rc rc;

	if ((rc = take_derivation(body, &r->d, &key_len, err)) != RC_OK ||
	    (rc = take_kek_alg(body, &r->cipher, &r->iv, err)) != RC_OK)
		return rc;
	if (key_len != 0 && key_len != cipher_key_size(r->cipher))
		return fail(err, RC_PARSE, "PasswordRecipientInfo: the length of the key is wrong");
	if (!der_take(body, DER_OCTET_STRING, &r->wrapped) || body->len > 0 ||
	    !plausible(r, cek_len))
		return fail(err, RC_PARSE, "PasswordRecipientInfo: malformed encryptedKey");
	return RC_OK;
}

enum rc
pwri_open(uint8_t *cek, size_t cek_len, struct der in, const struct pwri *how, struct err *err)
{
	unsigned most = how->rounds != 0 ? how->rounds : CMS_PASSWORD_ROUNDS_MAX;
	struct received r = { .cipher = CIPHER_NONE };
	struct der body;
	uint64_t version;
	struct kek kek;
	enum rc rc;

	if (!der_take(&in, DER_CTX_CONS(3), &body) || in.len > 0 ||
	    !der_take_u64(&body, &version) || version != 0)
		return fail(err, RC_PARSE, "no PasswordRecipientInfo");
	if ((rc = take_info(&r, cek_len, &body, err)) != RC_OK)
		return rc;
	if (r.d.rounds < 1 || r.d.rounds > most)
		return fail(err, RC_LIMIT, "PasswordRecipientInfo: not 1 to %u rounds", most);
	if ((rc = derive(&kek, r.cipher, &r.d, how, err)) != RC_OK)
		return rc;
	rc = unwrap(cek, cek_len, r.wrapped, &kek, r.iv.p, err);
	wipe(&kek, sizeof(kek));
	return rc;
}
