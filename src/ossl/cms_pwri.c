/*
 * cms_pwri.c - see cms_pwri.h.
 */
#include "ossl/cms_pwri.h"

#include <string.h>

#include <openssl/evp.h>

#include "ossl/cms_alg.h"
#include "ossl/cms_password.h"
#include "ossl/evp.h"

#define OID_PBKDF2      "1.2.840.113549.1.5.12"
#define OID_HMAC_SHA256 "1.2.840.113549.2.9"
#define OID_PWRI_KEK    "1.2.840.113549.1.9.16.3.9"

#define SALT_SIZE 16
#define KEK_SIZE  32
#define BLOCK     16
/* RFC 3211 2.3.1: a length octet, three check octets, the key, padding to whole blocks. */
#define WRAPPED_SIZE (3 * BLOCK)

/* What the passphrase becomes the key with. */
struct derivation {
	struct der salt;
	uint64_t rounds;
};

static enum rc
derive(uint8_t kek[static KEK_SIZE], const struct derivation *d, const void *passphrase, size_t len,
    struct err *err)
{
	if (PKCS5_PBKDF2_HMAC(passphrase, (int)len, d->salt.p, (int)d->salt.len, (int)d->rounds,
		evp_digest(DIGEST_SHA256), KEK_SIZE, kek) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot derive a key from the passphrase");
	return RC_OK;
}

/* AES-256-CBC over whole blocks, without padding. */
static enum rc
cbc(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *kek, const uint8_t *iv,
    bool encrypt, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, ok;

	ok = ctx != NULL &&
	    EVP_CipherInit_ex(ctx, evp_cipher(CIPHER_AES256), NULL, kek, iv, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && (size_t)n == len;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? RC_OK : fail_crypto(err, RC_CRYPTO, "cannot wrap a key");
}

/* RFC 3211 2.3.1: encrypt, and encrypt the outcome again with its last block as the IV. */
static enum rc
wrap(uint8_t out[static WRAPPED_SIZE], const uint8_t *cek, const uint8_t *kek, const uint8_t *iv,
    struct err *err)
{
	uint8_t plain[WRAPPED_SIZE], once[WRAPPED_SIZE];
	enum rc rc = random_bytes(plain, sizeof(plain), err);

	if (rc != RC_OK)
		return rc;
	plain[0] = PWRI_CEK_SIZE;
	for (size_t i = 0; i < 3; i++)
		plain[1 + i] = cek[i] ^ 0xff;
	memcpy(plain + 4, cek, PWRI_CEK_SIZE);
	if ((rc = cbc(once, plain, sizeof(plain), kek, iv, true, err)) == RC_OK)
		rc = cbc(out, once, sizeof(once), kek, once + WRAPPED_SIZE - BLOCK, true, err);
	wipe(plain, sizeof(plain));
	return rc;
}

/* The reverse: the last block of the first pass comes out by itself, and is the IV of the rest. */
static enum rc
unwrap(uint8_t *cek, const uint8_t in[static WRAPPED_SIZE], const uint8_t *kek, const uint8_t *iv,
    struct err *err)
{
	uint8_t once[WRAPPED_SIZE], plain[WRAPPED_SIZE], last[BLOCK], wrong;
	enum rc rc;

	if ((rc = cbc(last, in + WRAPPED_SIZE - BLOCK, BLOCK, kek, in + WRAPPED_SIZE - 2 * BLOCK,
		 false, err)) != RC_OK ||
	    (rc = cbc(once, in, sizeof(once), kek, last, false, err)) != RC_OK ||
	    (rc = cbc(plain, once, sizeof(plain), kek, iv, false, err)) != RC_OK)
		return rc;
	wrong = plain[0] ^ PWRI_CEK_SIZE;
	for (size_t i = 0; i < 3; i++)
		wrong |= plain[1 + i] ^ plain[4 + i] ^ 0xff;
	if (wrong == 0)
		memcpy(cek, plain + 4, PWRI_CEK_SIZE);
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
info_add(struct buf *b, const struct derivation *d, const uint8_t *iv, const uint8_t *wrapped)
{
	size_t info = der_open(b, DER_CTX_CONS(3)), alg;

	der_add_u64(b, 0);
	derivation_add(b, d);
	alg = der_open(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_PWRI_KEK);
	cms_cipher_add(b, CIPHER_AES256, iv);
	der_close(b, alg);
	der_add(b, DER_OCTET_STRING, wrapped, WRAPPED_SIZE);
	der_close(b, info);
}

enum rc
pwri_add(struct buf *b, const uint8_t cek[static PWRI_CEK_SIZE], const void *passphrase, size_t len,
    unsigned rounds, struct err *err)
{
	uint8_t salt[SALT_SIZE], iv[BLOCK], kek[KEK_SIZE], wrapped[WRAPPED_SIZE];
	struct derivation d = { { salt, sizeof(salt) }, rounds };
	enum rc rc;

	if ((rc = random_bytes(salt, sizeof(salt), err)) != RC_OK ||
	    (rc = random_bytes(iv, sizeof(iv), err)) != RC_OK ||
	    (rc = derive(kek, &d, passphrase, len, err)) != RC_OK)
		return rc;
	if ((rc = wrap(wrapped, cek, kek, iv, err)) == RC_OK)
		info_add(b, &d, iv, wrapped);
	wipe(kek, sizeof(kek));
	return rc;
}

/* ---- reading ---- */

static enum rc
take_prf(struct der *in, struct err *err)
{
	struct cms_alg prf;
	enum rc rc = cms_alg_take(in, &prf, "pseudo-random function", err);

	if (rc != RC_OK)
		return rc;
	if (strcmp(prf.oid, OID_HMAC_SHA256) != 0)
		return cms_alg_refuse("pseudo-random function", prf.oid, err);
	if (prf.params.len != 2 || prf.params.p[0] != DER_NULL || in->len > 0)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: malformed PBKDF2-params");
	return RC_OK;
}

static enum rc
take_derivation(struct der *in, struct derivation *d, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der alg, params;

	if (!der_take(in, DER_CTX_CONS(0), &alg) || !der_take_oid(&alg, oid) ||
	    !der_take(&alg, DER_SEQUENCE, &params) || alg.len > 0)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: no keyDerivationAlgorithm");
	if (strcmp(oid, OID_PBKDF2) != 0)
		return cms_alg_refuse("key derivation", oid, err);
	if (!der_take(&params, DER_OCTET_STRING, &d->salt) || !der_take_u64(&params, &d->rounds) ||
	    d->salt.len < 8 || d->salt.len > 64)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: malformed PBKDF2-params");
	if (d->rounds < 1 || d->rounds > CMS_PASSWORD_ROUNDS_MAX)
		return fail(err, RC_LIMIT, "PasswordRecipientInfo: more than %u rounds",
		    CMS_PASSWORD_ROUNDS_MAX);
	return take_prf(&params, err);
}

static enum rc
take_kek_alg(struct der *in, struct der *iv, struct err *err)
{
	enum cipher cipher = CIPHER_NONE;
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
	if ((rc = cms_alg_take(&params, &inner, "key cipher", err)) != RC_OK ||
	    (rc = cms_cipher_of(&inner, &cipher, iv, err)) != RC_OK)
		return rc;
	return cipher == CIPHER_AES256 ? RC_OK : cms_alg_refuse("key cipher", inner.oid, err);
}

enum rc
pwri_open(uint8_t cek[static PWRI_CEK_SIZE], struct der in, const void *passphrase, size_t len,
    struct err *err)
{
	struct der body, iv, wrapped;
	uint8_t kek[KEK_SIZE];
	struct derivation d;
	uint64_t version;
	enum rc rc;

	if (!der_take(&in, DER_CTX_CONS(3), &body) || in.len > 0 ||
	    !der_take_u64(&body, &version) || version != 0)
		return fail(err, RC_PARSE, "no PasswordRecipientInfo");
	if ((rc = take_derivation(&body, &d, err)) != RC_OK ||
	    (rc = take_kek_alg(&body, &iv, err)) != RC_OK)
		return rc;
	if (!der_take(&body, DER_OCTET_STRING, &wrapped) || body.len > 0 ||
	    wrapped.len != WRAPPED_SIZE)
		return fail(err, RC_PARSE, "PasswordRecipientInfo: malformed encryptedKey");
	if ((rc = derive(kek, &d, passphrase, len, err)) != RC_OK)
		return rc;
	rc = unwrap(cek, wrapped.p, kek, iv.p, err);
	wipe(kek, sizeof(kek));
	return rc;
}
