/*
 * key_pem.c - private keys as PEM that are encrypted at rest.
 */
#include "ossl/key_pem.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"
#include "ossl/key_source.h"

#define OID_PBES2  "1.2.840.113549.1.5.13"
#define OID_PBKDF2 "1.2.840.113549.1.5.12"
#define OID_SCRYPT "1.3.6.1.4.1.11591.4.11"
#define PBKDF2_MAX 5000000u    /* rounds: some seconds, more is a mistake or an attack */
#define SCRYPT_MAX (1u << 22)  /* N * r * p: the same */
#define MEMORY_MAX (32u * MIB) /* 128 * N * r: what libcrypto takes */
#define BLOCKS_MAX 4u          /* PEM blocks before the key: EC PARAMETERS, a certificate */

/* What is written: 16 MiB and five passes, which costs some 0.2 s. */
#define SCRYPT_N  (1u << 14)
#define SCRYPT_R  8
#define SCRYPT_P  5
#define SALT_SIZE 16

/* RFC 8018 B.2.2, RFC 3565 4.1 */
static const char *const encryptions[] = { "2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.22",
	"2.16.840.1.101.3.4.1.42" };

static enum rc
weak(const char *what, const char *oid, struct err *err)
{
	char label[128];
	enum rc rc = fail(err, RC_ALG, "the key is encrypted with %s%s, which is not taken", what,
	    oid != NULL ? oid_label(oid, label, sizeof label) : "");

	err_hint(err, "openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc -in OLD -out NEW");
	return rc;
}

/* RFC 8018 A.2: salt, rounds; the rest is libcrypto's to judge. */
static enum rc
check_pbkdf2(struct der params, struct err *err)
{
	struct der salt;
	uint64_t rounds;

	if (!der_take(&params, DER_OCTET_STRING, &salt) || !der_take_u64(&params, &rounds))
		return fail(err, RC_PARSE, "the parameters of PBKDF2 are malformed");
	if (rounds == 0 || rounds > PBKDF2_MAX)
		return fail(err, RC_LIMIT, "PBKDF2 with %llu rounds is not taken (at most %u)",
		    (unsigned long long)rounds, PBKDF2_MAX);
	return RC_OK;
}

/* RFC 7914 7.1 */
static enum rc
check_scrypt(struct der params, struct err *err)
{
	struct der salt;
	uint64_t n, r, p;

	if (!der_take(&params, DER_OCTET_STRING, &salt) || !der_take_u64(&params, &n) ||
	    !der_take_u64(&params, &r) || !der_take_u64(&params, &p))
		return fail(err, RC_PARSE, "the parameters of scrypt are malformed");
	if (n > SCRYPT_MAX || r > SCRYPT_MAX || p > SCRYPT_MAX || n * r > MEMORY_MAX / 128 ||
	    n * r * p > SCRYPT_MAX)
		return fail(err, RC_LIMIT, "scrypt with these parameters costs too much");
	return RC_OK;
}

static const struct {
	const char *oid;
	enum rc (*check)(struct der, struct err *);
} derivations[] = { { OID_PBKDF2, check_pbkdf2 }, { OID_SCRYPT, check_scrypt } };

/* One AlgorithmIdentifier: its OID, and what follows that inside. */
static bool
take_alg(struct der *in, char *oid, struct der *params)
{
	struct der alg;

	if (!der_take(in, DER_SEQUENCE, &alg) || !der_take_oid(&alg, oid))
		return false;
	*params = alg;
	return true;
}

/* PBES2-params (RFC 8018 A.4): neither weak nor costlier than it may be. */
static enum rc
check_pbes2(struct der params, struct err *err)
{
	char kdf[OID_TEXT_MAX], cipher[OID_TEXT_MAX];
	struct der seq, kdf_params, inner, iv;
	size_t i;

	if (!der_take(&params, DER_SEQUENCE, &seq) || !take_alg(&seq, kdf, &kdf_params) ||
	    !take_alg(&seq, cipher, &iv) || !der_take(&kdf_params, DER_SEQUENCE, &inner))
		return fail(err, RC_PARSE, "the key's encryption is malformed");
	for (i = 0; i < sizeof encryptions / sizeof encryptions[0]; i++)
		if (strcmp(cipher, encryptions[i]) == 0)
			break;
	if (i == sizeof encryptions / sizeof encryptions[0])
		return weak("", cipher, err);
	for (i = 0; i < sizeof derivations / sizeof derivations[0]; i++)
		if (strcmp(kdf, derivations[i].oid) == 0)
			return derivations[i].check(inner, err);
	return weak("", kdf, err);
}

/* EncryptedPrivateKeyInfo (RFC 5958 3). */
static enum rc
check_locked(const uint8_t *der, size_t len, struct err *err)
{
	struct der rest = { der, len }, seq, params, content;
	char oid[OID_TEXT_MAX];

	if (!der_take(&rest, DER_SEQUENCE, &seq) || rest.len != 0 ||
	    !take_alg(&seq, oid, &params) || !der_take(&seq, DER_OCTET_STRING, &content) ||
	    seq.len != 0)
		return fail(err, RC_PARSE, "the encrypted key is malformed");
	if (strcmp(oid, OID_PBES2) != 0)
		return weak("", oid, err);
	return check_pbes2(params, err);
}

/* A wrong passphrase shows as bad padding, or by chance as something that is no PrivateKeyInfo. */
static enum rc
unlock(struct key **out, const uint8_t *der, size_t len, const char *passphrase, struct err *err)
{
	const unsigned char *p = der;
	X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)len);
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *pkey = NULL;
	enum rc rc;

	if (sealed != NULL)
		info = PKCS8_decrypt(sealed, passphrase, (int)strlen(passphrase));
	if (info != NULL)
		pkey = EVP_PKCS82PKEY(info);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (pkey != NULL)
		return key_from_private(out, pkey, err);
	if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE)
		return fail_crypto(err, RC_NOMEM, "cannot decrypt the private key");
	ERR_clear_error();
	rc = fail(err, RC_CONFIG, "the passphrase does not open the private key");
	err_hint(err, "another passphrase, or the file is damaged");
	return rc;
}

static enum rc
open_locked(
    struct key **out, const uint8_t *der, size_t len, const char *passphrase, struct err *err)
{
	struct key *k = NULL;
	enum rc rc = check_locked(der, len, err);

	if (rc == RC_OK && passphrase == NULL) {
		rc = fail(
		    err, RC_CONFIG, "the private key is encrypted, and there is no passphrase");
		err_hint(err, "say in passphrase_file where the passphrase is");
	}
	if (rc == RC_OK)
		rc = unlock(&k, der, len, passphrase, err);
	if (rc != RC_OK)
		return rc;
	if ((rc = key_check_pair(k, err)) != RC_OK) {
		key_free(k);
		return rc;
	}
	*out = k;
	return RC_OK;
}

/* One block of a PEM file. */
struct block {
	char *name, *header;
	uint8_t *der;
	long len;
};

static void
block_done(struct block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->der, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct block){ 0 };
}

/* The first encrypted key among the first blocks; false when there is none. */
static bool
find_locked(struct block *b, const void *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(len > 0 ? pem : "", (int)len);
	bool found = false;
	size_t i;

	for (i = 0; bio != NULL && !found && i < BLOCKS_MAX; i++) {
		block_done(b);
		if (PEM_read_bio(bio, &b->name, &b->header, &b->der, &b->len) != 1)
			break;
		/* RFC 1421's own encryption: a single round of MD5. */
		found = strcmp(b->name, PEM_STRING_PKCS8) == 0 || b->header[0] != '\0';
	}
	BIO_free(bio);
	ERR_clear_error();
	return found;
}

enum rc
key_parse_pem_locked(struct key **out, bool *locked, const void *pem, size_t len,
    const char *passphrase, struct err *err)
{
	struct block b = { 0 };
	bool found;
	enum rc rc;

	if (len > LIMIT_SECRET_FILE)
		return fail(err, RC_LIMIT, "a private key of %zu bytes is too long", len);
	found = find_locked(&b, pem, len);
	if (!found)
		rc = key_parse_pem(out, pem, len, err);
	else if (b.header[0] != '\0')
		rc = weak("OpenSSL's traditional form", NULL, err);
	else
		rc = open_locked(out, b.der, (size_t)b.len, passphrase, err);
	block_done(&b);
	if (rc == RC_OK)
		*locked = found;
	return rc;
}

/* PBES2 with scrypt and AES-256-CBC. */
static X509_SIG *
seal(EVP_PKEY *pkey, const char *passphrase)
{
	uint8_t salt[SALT_SIZE];
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	X509_ALGOR *how = NULL;
	X509_SIG *sealed = NULL;

	if (info != NULL && random_bytes(salt, sizeof salt, NULL) == RC_OK)
		how = PKCS5_pbe2_set_scrypt(evp_cipher(CIPHER_AES256), salt, sizeof salt, NULL,
		    SCRYPT_N, SCRYPT_R, SCRYPT_P);
	/* On success `how` is part of the result. */
	if (how != NULL)
		sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, how);
	if (sealed == NULL)
		X509_ALGOR_free(how);
	PKCS8_PRIV_KEY_INFO_free(info);
	return sealed;
}

enum rc
key_private_pem_locked(
    struct buf *out, const struct key *k, const char *passphrase, struct err *err)
{
	X509_SIG *sealed;
	BIO *bio;
	char *text;
	enum rc rc;

	if (passphrase == NULL)
		return key_private_pem(out, k, err);
	if (k->place != &key_place_memory)
		return fail(
		    err, RC_BUG, "this is a public key, or one that cannot leave its token");
	if (passphrase[0] == '\0')
		return fail(err, RC_CONFIG, "an empty passphrase protects nothing");
	sealed = seal(k->pkey, passphrase);
	bio = BIO_new(BIO_s_mem());
	if (sealed == NULL || bio == NULL || PEM_write_bio_PKCS8(bio, sealed) != 1) {
		rc = fail_crypto(err, RC_CRYPTO, "cannot encrypt the private key");
	} else {
		long len = BIO_get_mem_data(bio, &text);

		buf_add(out, text, (size_t)len);
		rc = buf_ok(out, "private key", err);
	}
	BIO_free(bio);
	X509_SIG_free(sealed);
	return rc;
}
