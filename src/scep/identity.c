/*
 * identity.c - a certificate with the use of its private key.
 */
#include "scep/identity.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/key.h"
#include "scep/error.h"

struct scep_transport
transport_to_scep(const struct transport *t)
{
	return (struct scep_transport){ (enum scep_transport_kind)t->kind,
		(enum scep_digest)t->oaep_digest, (enum scep_digest)t->mgf1_digest };
}

struct transport
transport_from_scep(const struct scep_transport *t)
{
	return (struct transport){ (enum transport_kind)t->kind, (enum digest)t->oaep_digest,
		(enum digest)t->mgf1_digest };
}

/* SubjectPublicKeyInfo { algorithm, BIT STRING { RSAPublicKey { modulus, exponent } } } (RFC 8017
 * A.1.1) */
static struct der
find_modulus(const struct cms_cert *c)
{
	struct der spki = c->spki, seq, alg, bits, rsa, modulus, none = { 0 };

	if (c->key_type != KEY_RSA || !der_take(&spki, DER_SEQUENCE, &seq) ||
	    !der_take(&seq, DER_SEQUENCE, &alg) || !der_take_octet_bits(&seq, &bits) ||
	    !der_take(&bits, DER_SEQUENCE, &rsa) || !der_take_magnitude(&rsa, &modulus))
		return none;
	return modulus;
}

static enum rc
identity_fill(struct scep_identity *id, const uint8_t *cert_der, size_t len, struct err *err)
{
	enum rc rc;

	if (!(id->der = malloc(len > 0 ? len : 1)))
		return fail(err, RC_NOMEM, "identity: out of memory");
	if (len > 0)
		memcpy(id->der, cert_der, len);
	if ((rc = cms_cert_peek(&id->cert, id->der, len, err)) != RC_OK)
		return rc;
	id->modulus = find_modulus(&id->cert);
	return key_parse_spki(&id->key, id->cert.spki.p, id->cert.spki.len, err);
}

enum scep_status
scep_identity_new(struct scep_identity **out, const uint8_t *cert_der, size_t len,
    const struct scep_key_ops *ops, void *ctx, struct scep_error *err)
{
	struct scep_identity *id;
	struct err e = { 0 };
	enum rc rc;

	if (!(id = calloc(1, sizeof(*id))))
		return scep_fail(err, SCEP_E_NOMEM, STEP_PARSE, "identity: out of memory");
	id->ops = *ops;
	id->ctx = ctx;
	if ((rc = identity_fill(id, cert_der, len, &e)) != RC_OK) {
		scep_identity_free(id);
		return scep_fail_from(err, STEP_PARSE, &e);
	}
	*out = id;
	return SCEP_OK;
}

void
scep_identity_free(struct scep_identity *id)
{
	if (id == NULL)
		return;
	key_free(id->key);
	key_free(id->own);
	free(id->der);
	free(id);
}

const uint8_t *
scep_identity_cert(const struct scep_identity *id, size_t *len)
{
	*len = id->cert.der.len;
	return id->cert.der.p;
}

/* ---- operations on a key in memory ---- */

static int
own_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	struct buf b;
	int ok;

	buf_init(&b, *sig_len);
	ok = key_sign(&b, ctx, (enum digest)digest, tbs, tbs_len, NULL) == RC_OK && b.rc == RC_OK;
	if (ok) {
		memcpy(sig, b.data, b.len);
		*sig_len = b.len;
	}
	buf_done(&b);
	return ok ? 0 : -1;
}

static int
own_unwrap(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len)
{
	struct transport t = transport_from_scep(transport);

	return key_unwrap(cek, cek_len, ctx, &t, wrapped, wrapped_len, NULL) == RC_OK ? 0 : -1;
}

static int
own_agree(void *ctx, const uint8_t *peer_spki, size_t peer_len, uint8_t *z, size_t *z_len)
{
	struct key *peer = NULL;
	int ok;

	ok = *z_len >= KEY_AGREED_MAX &&
	    key_parse_spki(&peer, peer_spki, peer_len, NULL) == RC_OK &&
	    key_agree(z, z_len, ctx, peer, NULL) == RC_OK;
	key_free(peer);
	return ok ? 0 : -1;
}

enum scep_status
scep_identity_from_pem(struct scep_identity **out, const uint8_t *cert_der, size_t len,
    const char *key_pem, size_t key_pem_len, struct scep_error *err)
{
	static const struct scep_key_ops ops = {
		.sign = own_sign, .unwrap = own_unwrap, .agree = own_agree
	};
	struct scep_identity *id;
	struct key *own = NULL;
	struct err e = { 0 };
	enum scep_status st;

	if (key_parse_pem(&own, key_pem, key_pem_len, &e) != RC_OK)
		return scep_fail_from(err, STEP_PARSE, &e);
	if ((st = scep_identity_new(&id, cert_der, len, &ops, own, err)) != SCEP_OK) {
		key_free(own);
		return st;
	}
	id->own = own;
	if (!key_same_public(own, id->key)) {
		scep_identity_free(id);
		return scep_fail(err, SCEP_E_PARSE, STEP_PARSE,
		    "the private key is not that of the certificate");
	}
	*out = id;
	return SCEP_OK;
}

/* ---- use ---- */

enum rc
identity_sign(
    void *ctx, enum digest d, const void *tbs, size_t len, struct buf *sig, struct err *err)
{
	const struct scep_identity *id = ctx;
	uint8_t room[SCEP_SIGNATURE_MAX];
	size_t n = sizeof(room);

	if (id->ops.sign == NULL)
		return fail(err, RC_CRYPTO, "this key does not sign");
	if (id->ops.sign(id->ctx, (enum scep_digest)d, tbs, len, room, &n) != 0 || n > sizeof(room))
		return fail(err, RC_CRYPTO, "the key operation to sign failed");
	buf_add(sig, room, n);
	return buf_ok(sig, "signature", err);
}

enum rc
identity_unwrap(const struct scep_identity *id, const struct transport *t, struct der wrapped,
    uint8_t *cek, size_t cek_len, struct err *err)
{
	struct scep_transport transport = transport_to_scep(t);

	if (id->ops.unwrap(id->ctx, &transport, wrapped.p, wrapped.len, cek, cek_len) != 0)
		return fail(err, RC_CRYPTO, "the key operation to unwrap failed");
	return RC_OK;
}

enum rc
identity_agree(const struct scep_identity *id, struct der point, uint8_t z[static SCEP_AGREED_MAX],
    size_t *z_len, struct err *err)
{
	struct key *peer = NULL;
	size_t len = SCEP_AGREED_MAX, spki_len;
	const uint8_t *spki;
	enum rc rc;

	if (id->ops.agree == NULL)
		return fail(err, RC_ALG, "this key does not agree on secrets");
	if ((rc = key_from_point(&peer, id->key, point.p, point.len, err)) != RC_OK)
		return rc;
	spki = key_spki0(peer, &spki_len);
	if (id->ops.agree(id->ctx, spki, spki_len, z, &len) != 0 || len > SCEP_AGREED_MAX)
		rc = fail(err, RC_CRYPTO, "the key operation to agree on a secret failed");
	key_free(peer);
	if (rc == RC_OK)
		*z_len = len;
	return rc;
}

bool
identity_could_unwrap(const struct scep_identity *id, struct der wrapped)
{
	return id->ops.unwrap != NULL && id->modulus.p != NULL && wrapped.len == id->modulus.len &&
	    memcmp(wrapped.p, id->modulus.p, wrapped.len) < 0;
}
