/*
 * key_kind.c - the kinds of key there are: by the words of key_generate(), and as a
 * SubjectPublicKeyInfo.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

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

/*
 * Keys that sign a message by themselves, with nothing to choose: the algorithm is the key's (RFC 8410 3,
 * RFC 9881 2).  libcrypto knows them by name, and has them or has not.
 */
static const struct raw_kind {
	enum key_type type;
	const char *oid, *ossl, *name;
	size_t octets; /* of the public key */
} raw_kinds[] = {
	{ KEY_ED25519, "1.3.101.112", "ED25519", "ed25519", 32 },
	{ KEY_ML_DSA_44, "2.16.840.1.101.3.4.3.17", "ML-DSA-44", "ml-dsa-44", 1312 },
	{ KEY_ML_DSA_65, "2.16.840.1.101.3.4.3.18", "ML-DSA-65", "ml-dsa-65", 1952 },
	{ KEY_ML_DSA_87, "2.16.840.1.101.3.4.3.19", "ML-DSA-87", "ml-dsa-87", 2592 },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Does the libcrypto that runs have keys of this kind? */
static bool
raw_available(const struct raw_kind *kind)
{
	EVP_KEYMGMT *m = EVP_KEYMGMT_fetch(NULL, kind->ossl, NULL);
	bool there = m != NULL;

	EVP_KEYMGMT_free(m);
	ERR_clear_error();
	return there;
}

static enum rc
fail_absent(struct err *err, const struct raw_kind *kind)
{
	enum rc rc = fail(err, RC_ALG, "keys of kind %s are not in this OpenSSL (%s)", kind->name,
	    OpenSSL_version(OPENSSL_VERSION));

	err_hint(err, "OpenSSL 3.5 and later have ML-DSA");
	return rc;
}

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

/* RFC 8410 4, RFC 9881 4: the octets themselves, and no parameters. */
static enum rc
read_raw(struct spki *s, struct key_info *info, const struct raw_kind *kind, struct der params,
    struct err *err)
{
	if (params.len != 0 || s->bits.len != kind->octets)
		return fail(err, RC_PARSE, "the %s key is malformed", kind->name);
	if (!raw_available(kind))
		return fail_absent(err, kind);
	info->type = kind->type;
	info->bits = (unsigned)kind->octets * 8;
	snprintf(info->name, sizeof info->name, "%s", kind->name);
	s->raw = kind->ossl;
	return RC_OK;
}

static const struct {
	const char *oid;
	enum rc (*read)(struct spki *, struct key_info *, struct der, struct err *);
} key_types[] = {
	{ "1.2.840.113549.1.1.1", read_rsa },
	{ "1.2.840.10045.2.1", read_ec },
};

enum rc
key_read_spki(struct spki *s, struct key_info *info, const void *der, size_t len, struct err *err)
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
	for (i = 0; i < N(raw_kinds); i++)
		if (strcmp(oid, raw_kinds[i].oid) == 0)
			return read_raw(s, info, &raw_kinds[i], alg, err);
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
rsa_public(const struct spki *s)
{
	uint8_t n[RSA_BYTES_MAX], e[RSA_EXP_BYTES];
	OSSL_PARAM params[3];

	native_order(n, &s->n);
	native_order(e, &s->e);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, s->n.len);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, s->e.len);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_from("RSA", params);
}

static EVP_PKEY *
ec_public(const struct spki *s)
{
	OSSL_PARAM params[3];

	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)s->group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, (uint8_t *)s->point.p, s->point.len);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_from("EC", params);
}

EVP_PKEY *
key_public(const struct spki *s, enum key_type type)
{
	if (type == KEY_RSA)
		return rsa_public(s);
	if (type == KEY_EC)
		return ec_public(s);
	return EVP_PKEY_new_raw_public_key_ex(NULL, s->raw, NULL, s->bits.p, s->bits.len);
}

bool
key_type_has_digest(enum key_type type)
{
	return type == KEY_RSA || type == KEY_EC;
}

static enum rc
fail_unknown(struct err *err, const char *spec)
{
	char words[KEY_SPECS_MAX];
	enum rc rc = fail(err, RC_ALG, "no kind of key is called \"%s\"", spec);

	err_hint(err, "one of %s", key_specs(words, ' '));
	return rc;
}

static const struct raw_kind *
raw_by_name(const char *spec)
{
	size_t i;

	for (i = 0; i < N(raw_kinds); i++)
		if (strcmp(spec, raw_kinds[i].name) == 0)
			return &raw_kinds[i];
	return NULL;
}

unsigned
key_spec_rsa_bits(const char *spec)
{
	size_t i;

	for (i = 0; i < N(rsa_specs); i++)
		if (strcmp(spec, rsa_specs[i].spec) == 0)
			return rsa_specs[i].bits;
	return 0;
}

const char *
key_spec_curve(const char *spec, const char **oid)
{
	size_t i;

	for (i = 0; i < N(curves); i++) {
		if (curves[i].spec == NULL || strcmp(spec, curves[i].spec) != 0)
			continue;
		*oid = curves[i].oid;
		return curves[i].group;
	}
	return NULL;
}

enum rc
key_make(EVP_PKEY **out, const char *spec, struct err *err)
{
	const struct raw_kind *raw = raw_by_name(spec);
	size_t bits = key_spec_rsa_bits(spec);
	const char *oid, *group = key_spec_curve(spec, &oid);
	EVP_PKEY *pkey;

	if (raw != NULL && !raw_available(raw))
		return fail_absent(err, raw);
	if (bits != 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
	else if (group != NULL)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
	else if (raw != NULL)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, raw->ossl);
	else
		return fail_unknown(err, spec);
	if (pkey == NULL)
		return fail_crypto(err, RC_CRYPTO, "cannot make a key");
	*out = pkey;
	return RC_OK;
}

/* The words, in the order of the tables. */
static const char *
spec_at(size_t i)
{
	if (i < N(rsa_specs))
		return rsa_specs[i].spec;
	i -= N(rsa_specs);
	if (i < N(curves))
		return curves[i].spec;
	i -= N(curves);
	if (i < N(raw_kinds) && raw_available(&raw_kinds[i]))
		return raw_kinds[i].name;
	return NULL;
}

const char *
key_specs(char out[static KEY_SPECS_MAX], char between)
{
	const char *word;
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < N(rsa_specs) + N(curves) + N(raw_kinds); i++) {
		if ((word = spec_at(i)) == NULL || len + strlen(word) + 2 > KEY_SPECS_MAX)
			continue;
		len += (size_t)snprintf(out + len, KEY_SPECS_MAX - len, "%.*s%s", len > 0 ? 1 : 0,
		    (char[]){ between, '\0' }, word);
	}
	return out;
}
