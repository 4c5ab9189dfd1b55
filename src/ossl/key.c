/*
 * key.c - making, reading and describing keys.  What keys do is in key_ops.c.
 */
#include "ossl/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/limits.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"

/* The common end of every way to get a key: takes `pkey` over, or makes it from the SPKI when NULL.
 */
static enum rc
key_new(struct key **out, const void *der, size_t len, EVP_PKEY *pkey, struct err *err)
{
	struct key *k = len > 0 ? calloc(1, sizeof *k + len) : NULL;
	enum rc rc;

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return len > 0 ? fail(err, RC_NOMEM, "no memory for a key")
			       : fail(err, RC_PARSE, "the public key is empty");
	}
	atomic_init(&k->refs, 1);
	k->place = pkey != NULL ? &key_place_memory : NULL;
	k->pkey = pkey;
	k->spki_len = len;
	memcpy(k->spki, der, len);
	rc = key_read_spki(&k->parts, &k->info, k->spki, len, err);
	if (rc == RC_OK && k->pkey == NULL) {
		k->pkey = key_public(&k->parts, k->info.type);
		if (k->pkey == NULL)
			rc = fail_crypto(err, RC_PARSE, "the public key is not valid");
	}
	if (rc != RC_OK) {
		key_free(k);
		return rc;
	}
	*out = k;
	return RC_OK;
}

enum rc
key_parse_spki(struct key **out, const void *der, size_t len, struct err *err)
{
	return key_new(out, der, len, NULL, err);
}

enum rc
key_elsewhere(struct key **out, const void *spki, size_t len, const struct key_place *place,
    void *own, struct err *err)
{
	struct key *k = NULL;
	enum rc rc = key_new(&k, spki, len, NULL, err);

	if (rc != RC_OK) {
		place->done(own);
		return rc;
	}
	k->place = place;
	k->own = own;
	*out = k;
	return RC_OK;
}

enum rc
key_from_private(struct key **out, EVP_PKEY *pkey, struct err *err)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	enum rc rc;

	if (len <= 0) {
		EVP_PKEY_free(pkey);
		return fail_crypto(err, RC_CRYPTO, "cannot encode the public key");
	}
	rc = key_new(out, der, (size_t)len, pkey, err);
	OPENSSL_free(der);
	return rc;
}

enum rc
key_generate(struct key **out, const char *spec, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	enum rc rc = key_make(&pkey, spec, err);

	return rc == RC_OK ? key_from_private(out, pkey, err) : rc;
}

/* Never ask a terminal for a passphrase. */
static int
no_passphrase(char *buf, int size, int rw, void *u)
{
	return -1;
}

/* A private key whose halves do not belong together signs things that nobody can verify. */
enum rc
key_check_pair(const struct key *k, struct err *err)
{
	static const char probe[] = "pair";
	struct buf sig;
	enum rc rc;

	buf_init(&sig, KEY_SIG_MAX);
	rc = key_sign(&sig, k, DIGEST_SHA256, probe, sizeof probe, err);
	if (rc == RC_OK)
		rc = key_verify(k, DIGEST_SHA256, probe, sizeof probe, sig.data, sig.len, err);
	buf_done(&sig);
	if (rc != RC_OK && rc != RC_NOMEM)
		return fail(
		    err, RC_PARSE, "the private key is damaged: its halves do not belong together");
	return rc;
}

enum rc
key_parse_pem(struct key **out, const void *pem, size_t len, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	struct key *k = NULL;
	BIO *bio = NULL;
	enum rc rc;

	if (len > LIMIT_SECRET_FILE)
		return fail(err, RC_LIMIT, "a private key of %zu bytes is too long", len);
	bio = BIO_new_mem_buf(len > 0 ? pem : "", (int)len);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (pkey == NULL) {
		(void)fail_crypto(err, RC_PARSE, "no private key in PEM");
		return err_hint(err, "PKCS#8 or traditional PEM without a passphrase");
	}
	if ((rc = key_from_private(&k, pkey, err)) != RC_OK)
		return rc;
	if ((rc = key_check_pair(k, err)) != RC_OK) {
		key_free(k);
		return rc;
	}
	*out = k;
	return RC_OK;
}

enum rc
key_load(struct key **out, const char *path, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, LIMIT_SECRET_FILE);
	rc = file_read_secret(&pem, path, LIMIT_SECRET_FILE, err);
	if (rc == RC_OK && (rc = key_parse_pem(out, pem.data, pem.len, err)) != RC_OK)
		(void)err_context(err, "%s", path);
	buf_wipe(&pem);
	return rc;
}

struct key *
key_ref(struct key *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void
key_free(struct key *k)
{
	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (k->place != NULL && k->place->done != NULL)
		k->place->done(k->own);
	EVP_PKEY_free(k->pkey);
	free(k);
}

bool
key_is_private(const struct key *k)
{
	return k->place != NULL;
}

const struct key_info *
key_info0(const struct key *k)
{
	return &k->info;
}

const uint8_t *
key_spki0(const struct key *k, size_t *len)
{
	*len = k->spki_len;
	return k->spki;
}

bool
key_same_public(const struct key *a, const struct key *b)
{
	return a->info.type == b->info.type && a->info.bits == b->info.bits &&
	    der_same(&a->parts.bits, &b->parts.bits);
}

enum rc
key_identifier(uint8_t out[static 20], const struct key *k, struct err *err)
{
	return digest_bytes(out, DIGEST_SHA1, k->parts.bits.p, k->parts.bits.len, err);
}

enum rc
key_private_pem(struct buf *out, const struct key *k, struct err *err)
{
	BIO *bio = NULL;
	char *text;
	long len;
	enum rc rc;

	if (k->place != &key_place_memory)
		return fail(
		    err, RC_BUG, "this is a public key, or one that cannot leave its token");
	bio = BIO_new(BIO_s_mem());
	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		rc = fail_crypto(err, RC_CRYPTO, "cannot encode the private key");
		goto out;
	}
	len = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)len);
	wipe(text, (size_t)len);
	rc = buf_ok(out, "private key", err);
out:
	BIO_free(bio);
	return rc;
}
