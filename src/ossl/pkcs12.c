/*
 * pkcs12.c - reading PKCS#12.
 */
#include "ossl/pkcs12.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "base/limits.h"
#include "ossl/evp.h"

/* Rounds of the MAC that are tried: seconds of work.  What is inside is not touched before the MAC
 * holds, so who knows the passphrase alone can ask for more. */
#define ROUNDS_MAX 10000000

/* A libcrypto of its own, with the old ciphers in it, for as long as one file is read. */
struct corner {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *modern, *legacy; /* legacy NULL: this machine has none */
};

static enum rc
corner_open(struct corner *c, struct err *err)
{
	c->lib = OSSL_LIB_CTX_new();
	c->modern = c->lib != NULL ? OSSL_PROVIDER_load(c->lib, "default") : NULL;
	if (c->modern == NULL)
		return fail_crypto(err, RC_CRYPTO, "cannot set up libcrypto for PKCS#12");
	c->legacy = OSSL_PROVIDER_load(c->lib, "legacy");
	ERR_clear_error();
	return RC_OK;
}

static void
corner_close(struct corner *c)
{
	if (c->legacy != NULL)
		(void)OSSL_PROVIDER_unload(c->legacy);
	if (c->modern != NULL)
		(void)OSSL_PROVIDER_unload(c->modern);
	OSSL_LIB_CTX_free(c->lib);
}

static enum rc
decode(PKCS12 **out, const struct corner *c, const void *der, size_t len, struct err *err)
{
	PKCS12 *p = PKCS12_init_ex(NID_pkcs7_data, c->lib, NULL);
	const unsigned char *at = der;

	if (p == NULL)
		return fail_crypto(err, RC_NOMEM, "cannot read PKCS#12");
	if (d2i_PKCS12(&p, &at, (long)len) == NULL) /* has freed p */
		return fail_crypto(err, RC_PARSE, "this is no PKCS#12");
	if (at != (const unsigned char *)der + len) {
		PKCS12_free(p);
		return fail(err, RC_PARSE, "there is something after the PKCS#12");
	}
	*out = p;
	return RC_OK;
}

static enum rc
check_mac(PKCS12 *p, const char *passphrase, struct err *err)
{
	const ASN1_INTEGER *rounds = NULL;
	int64_t n = 1; /* absent: one round */

	if (PKCS12_mac_present(p) != 1)
		return fail(err, RC_PARSE, "the PKCS#12 has no MAC that a passphrase could open");
	PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p);
	if (rounds != NULL && (ASN1_INTEGER_get_int64(&n, rounds) != 1 || n < 1 || n > ROUNDS_MAX))
		return fail(err, RC_LIMIT, "the PKCS#12 asks for more than %d rounds", ROUNDS_MAX);
	/* No passphrase is written in two ways. */
	if (PKCS12_verify_mac(p, passphrase, -1) == 1 ||
	    (passphrase[0] == '\0' && PKCS12_verify_mac(p, NULL, 0) == 1)) {
		ERR_clear_error();
		return RC_OK;
	}
	ERR_clear_error();
	return fail(err, RC_INTEGRITY, "the passphrase is wrong, or the PKCS#12 is damaged");
}

/* By way of its encoding, as the corner it is in goes away. */
static enum rc
take_key(struct key **out, EVP_PKEY *pkey, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long len = 0;
	enum rc rc;

	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    (len = BIO_get_mem_data(bio, &text)) <= 0)
		rc = fail_crypto(err, RC_CRYPTO, "cannot encode the private key");
	else
		rc = key_parse_pem(out, text, (size_t)len, err);
	if (text != NULL && len > 0)
		wipe(text, (size_t)len);
	BIO_free(bio);
	return rc;
}

static enum rc
take_cert(struct cert **out, X509 *x, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	enum rc rc;

	if (len <= 0)
		return fail_crypto(err, RC_PARSE, "a certificate of the PKCS#12 is malformed");
	rc = cert_parse(out, der, (size_t)len, err);
	OPENSSL_free(der);
	return rc;
}

static enum rc
take_others(struct pkcs12 *p, STACK_OF(X509) * others, struct err *err)
{
	int i, n = others != NULL ? sk_X509_num(others) : 0;
	enum rc rc = RC_OK;

	if (n > PKCS12_CERTS_MAX)
		return fail(err, RC_LIMIT, "the PKCS#12 holds more than %d certificates",
		    PKCS12_CERTS_MAX + 1);
	for (i = 0; rc == RC_OK && i < n; i++) {
		rc = take_cert(&p->others[i], sk_X509_value(others, i), err);
		if (rc == RC_OK)
			p->n_others++;
	}
	return rc;
}

static enum rc
take_all(
    struct pkcs12 *out, PKCS12 *p, const char *passphrase, const struct corner *c, struct err *err)
{
	STACK_OF(X509) *others = NULL;
	EVP_PKEY *pkey = NULL;
	X509 *x = NULL;
	enum rc rc;

	if (PKCS12_parse(p, passphrase, &pkey, &x, &others) != 1) {
		rc = fail_crypto(err, RC_ALG, "the PKCS#12 cannot be decrypted");
		if (c->legacy == NULL)
			(void)err_hint(err,
			    "it may be of old ciphers, and OpenSSL's legacy provider is missing on "
			    "this machine");
		return rc;
	}
	if (pkey == NULL)
		rc = fail(err, RC_PARSE, "the PKCS#12 holds no private key");
	else if (x == NULL)
		rc = fail(err, RC_PARSE, "the PKCS#12 holds no certificate of its key");
	else if ((rc = take_key(&out->key, pkey, err)) == RC_OK &&
	    (rc = take_cert(&out->cert, x, err)) == RC_OK)
		rc = take_others(out, others, err);
	EVP_PKEY_free(pkey);
	X509_free(x);
	sk_X509_pop_free(others, X509_free);
	return rc;
}

enum rc
pkcs12_parse(
    struct pkcs12 *out, const void *der, size_t len, const char *passphrase, struct err *err)
{
	struct corner c = { 0 };
	struct pkcs12 got = { 0 };
	PKCS12 *p = NULL;
	enum rc rc;

	if (len == 0 || len > PKCS12_SIZE_MAX)
		return fail(err, RC_LIMIT, "a PKCS#12 of %zu bytes is not taken", len);
	rc = corner_open(&c, err);
	if (rc == RC_OK)
		rc = decode(&p, &c, der, len, err);
	if (rc == RC_OK)
		rc = check_mac(p, passphrase, err);
	if (rc == RC_OK)
		rc = take_all(&got, p, passphrase, &c, err);
	PKCS12_free(p);
	ERR_clear_error();
	corner_close(&c);
	if (rc != RC_OK) {
		pkcs12_done(&got);
		return rc;
	}
	*out = got;
	return RC_OK;
}

void
pkcs12_done(struct pkcs12 *p)
{
	size_t i;

	key_free(p->key);
	cert_free(p->cert);
	for (i = 0; i < p->n_others; i++)
		cert_free(p->others[i]);
	*p = (struct pkcs12){ 0 };
}
