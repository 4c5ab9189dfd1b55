/*
 * key.c - making, reading and describing keys.  What keys do is in key_ops.c.
 */
#include "ossl/key.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/limits.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"

#define RSA_BITS_MIN  1024u
#define RSA_BYTES_MAX (LIMIT_RSA_BITS / 8)
#define RSA_EXP_BYTES 5 /* LIMIT_RSA_EXP_BITS and a bit */

static const struct curve {
	const char *oid, *group, *name, *spec;
	unsigned bits;
} curves[] = {
	{ "1.2.840.10045.3.1.7", "P-256", "ec-p256", "ec:p256", 256 },
	{ "1.3.132.0.34", "P-384", "ec-p384", "ec:p384", 384 },
	{ "1.3.132.0.35", "P-521", "ec-p521", NULL, 521 },
};

static const struct {
	const char *spec;
	unsigned bits;
} rsa_specs[] = { { "rsa:2048", 2048 }, { "rsa:3072", 3072 }, { "rsa:4096", 4096 } };

#define N(a) (sizeof(a) / sizeof((a)[0]))

static unsigned
magnitude_bits(const struct der *v)
{
	unsigned bits = (unsigned)v->len * 8, top = v->p[0], lead = 0x80;

	while (lead != 0 && (top & lead) == 0) {
		lead >>= 1;
		bits--;
	}
	return bits;
}

/* RSAPublicKey (RFC 8017 A.1.1), and the rules of key.h. */
static enum rc
read_rsa(struct spki *s, struct key_info *info, struct der params, struct err *err)
{
	struct der rest = s->bits, null, seq;

	if (!der_take(&params, DER_NULL, &null) || null.len != 0 || params.len != 0)
		return fail(err, RC_PARSE, "the RSA key has parameters other than NULL");
	if (!der_take(&rest, DER_SEQUENCE, &seq) || rest.len != 0 ||
	    !der_take_magnitude(&seq, &s->n) || !der_take_magnitude(&seq, &s->e) || seq.len != 0)
		return fail(err, RC_PARSE, "the RSA key is malformed");
	info->type = KEY_RSA;
	info->bits = magnitude_bits(&s->n);
	snprintf(info->name, sizeof info->name, "rsa%u", info->bits);
	if (info->bits < RSA_BITS_MIN || info->bits > LIMIT_RSA_BITS)
		return fail(err, RC_ALG, "RSA keys of %u bits are not taken (%u to %u)", info->bits,
		    RSA_BITS_MIN, LIMIT_RSA_BITS);
	if ((s->n.p[s->n.len - 1] & 1) == 0)
		return fail(err, RC_ALG, "the RSA modulus is even");
	if (magnitude_bits(&s->e) > LIMIT_RSA_EXP_BITS || (s->e.p[s->e.len - 1] & 1) == 0 ||
	    (s->e.len == 1 && s->e.p[0] < 3))
		return fail(err, RC_ALG, "the RSA exponent is even, below 3 or above 2^%u",
		    LIMIT_RSA_EXP_BITS);
	return RC_OK;
}

/* RFC 5480 2.1.1: a named curve; 2.2: an uncompressed point. */
static enum rc
read_ec(struct spki *s, struct key_info *info, struct der params, struct err *err)
{
	char oid[OID_TEXT_MAX], label[128];
	size_t i;

	if (!der_take_oid(&params, oid) || params.len != 0)
		return fail(err, RC_ALG, "the EC key is not on a named curve");
	for (i = 0; i < N(curves); i++)
		if (strcmp(oid, curves[i].oid) == 0)
			break;
	if (i == N(curves))
		return fail(
		    err, RC_ALG, "curve %s is not taken", oid_label(oid, label, sizeof label));
	info->type = KEY_EC;
	info->bits = curves[i].bits;
	snprintf(info->name, sizeof info->name, "%s", curves[i].name);
	s->group = curves[i].group;
	s->point = s->bits;
	if (s->point.len != 1 + 2 * ((curves[i].bits + 7) / 8) || s->point.p[0] != 4)
		return fail(
		    err, RC_PARSE, "the EC point is not an uncompressed point of its curve");
	return RC_OK;
}

static const struct {
	const char *oid;
	enum rc (*read)(struct spki *, struct key_info *, struct der, struct err *);
} key_types[] = {
	{ "1.2.840.113549.1.1.1", read_rsa },
	{ "1.2.840.10045.2.1", read_ec },
};

static enum rc
read_spki(struct spki *s, struct key_info *info, const void *der, size_t len, struct err *err)
{
	struct der rest = { der, len }, seq, alg;
	char oid[OID_TEXT_MAX], label[128];
	size_t i;

	if (!der_take(&rest, DER_SEQUENCE, &seq) || rest.len != 0 ||
	    !der_take(&seq, DER_SEQUENCE, &alg) || !der_take_octet_bits(&seq, &s->bits) ||
	    seq.len != 0 || !der_take_oid(&alg, oid))
		return fail(err, RC_PARSE, "the public key is malformed");
	for (i = 0; i < N(key_types); i++)
		if (strcmp(oid, key_types[i].oid) == 0)
			return key_types[i].read(s, info, alg, err);
	return fail(
	    err, RC_ALG, "keys of type %s are not taken", oid_label(oid, label, sizeof label));
}

/* Big-endian octets into the native order that OSSL_PARAM wants. */
static void
native_order(uint8_t *out, const struct der *v)
{
	size_t i;

	for (i = 0; i < v->len; i++)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		out[i] = v->p[v->len - 1 - i];
#else
		out[i] = v->p[i];
#endif
}

static EVP_PKEY *
pkey_from(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *
pkey_public(const struct spki *s, enum key_type type)
{
	uint8_t n[RSA_BYTES_MAX], e[RSA_EXP_BYTES];
	OSSL_PARAM params[3];

	if (type == KEY_RSA) {
		native_order(n, &s->n);
		native_order(e, &s->e);
		params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, s->n.len);
		params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, s->e.len);
	} else {
		params[0] = OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, (char *)s->group, 0);
		params[1] = OSSL_PARAM_construct_octet_string(
		    OSSL_PKEY_PARAM_PUB_KEY, (uint8_t *)s->point.p, s->point.len);
	}
	params[2] = OSSL_PARAM_construct_end();
	return pkey_from(type == KEY_RSA ? "RSA" : "EC", params);
}

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
	k->is_private = pkey != NULL;
	k->pkey = pkey;
	k->spki_len = len;
	memcpy(k->spki, der, len);
	rc = read_spki(&k->parts, &k->info, k->spki, len, err);
	if (rc == RC_OK && k->pkey == NULL) {
		k->pkey = pkey_public(&k->parts, k->info.type);
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

/* NULL with *known false when nothing is called that. */
static EVP_PKEY *
generate(const char *spec, bool *known)
{
	size_t i;

	*known = true;
	for (i = 0; i < N(rsa_specs); i++)
		if (strcmp(spec, rsa_specs[i].spec) == 0)
			return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)rsa_specs[i].bits);
	for (i = 0; i < N(curves); i++)
		if (curves[i].spec != NULL && strcmp(spec, curves[i].spec) == 0)
			return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i].group);
	*known = false;
	return NULL;
}

enum rc
key_generate(struct key **out, const char *spec, struct err *err)
{
	bool known;
	EVP_PKEY *pkey = generate(spec, &known);

	if (pkey != NULL)
		return key_from_private(out, pkey, err);
	if (known)
		return fail_crypto(err, RC_CRYPTO, "cannot make a key");
	(void)fail(err, RC_ALG, "no kind of key is called \"%s\"", spec);
	return err_hint(err, "one of rsa:2048 rsa:3072 rsa:4096 ec:p256 ec:p384");
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

	buf_init(&sig, RSA_BYTES_MAX + 64);
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
	EVP_PKEY_free(k->pkey);
	free(k);
}

bool
key_is_private(const struct key *k)
{
	return k->is_private;
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

	if (!k->is_private)
		return fail(err, RC_BUG, "this is a public key");
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
