/*
 * key_agree.c - agreeing on a secret: ECDH on the curves of key_kind.c.
 */
#include <openssl/ec.h>

#include "ossl/der.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"

enum rc
key_generate_alike(struct key **out, const struct key *k, struct err *err)
{
	EVP_PKEY *pkey;

	if (k->parts.group == NULL)
		return fail(err, RC_ALG, "a key of kind %s is on no curve", k->info.name);
	if ((pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->parts.group)) == NULL)
		return fail_crypto(err, RC_CRYPTO, "cannot make a key");
	return key_from_private(out, pkey, err);
}

/* SubjectPublicKeyInfo (RFC 5480 2) with the algorithm of `k`; libcrypto looks whether the point is on
 * the curve, which is what makes an agreement with it safe. */
enum rc
key_from_point(
    struct key **out, const struct key *k, const void *point, size_t len, struct err *err)
{
	struct der in = { k->spki, k->spki_len }, seq, alg;
	struct buf b;
	size_t mark;
	enum rc rc;

	if (k->info.type != KEY_EC || !der_take(&in, DER_SEQUENCE, &seq) ||
	    !der_take_whole(&seq, DER_SEQUENCE, &alg))
		return fail(err, RC_ALG, "a key of kind %s is on no curve", k->info.name);
	buf_init(&b, k->spki_len + len + 16);
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, alg.p, alg.len);
	der_add_octet_bits(&b, point, len);
	der_close(&b, mark);
	if ((rc = buf_ok(&b, "public key", err)) == RC_OK)
		rc = key_parse_spki(out, b.data, b.len, err);
	buf_done(&b);
	return rc;
}

enum rc
key_agree(uint8_t z[static KEY_AGREED_MAX], size_t *len, const struct key *k,
    const struct key *peer, struct err *err)
{
	EVP_PKEY_CTX *ctx;
	size_t n = KEY_AGREED_MAX;
	enum rc rc = RC_OK;

	/* The names of curves are those of one table. */
	if (k->place != &key_place_memory || k->parts.group == NULL ||
	    k->parts.group != peer->parts.group)
		return fail(
		    err, RC_ALG, "no agreement between %s and %s", k->info.name, peer->info.name);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer->pkey) != 1 || EVP_PKEY_derive(ctx, z, &n) != 1 ||
	    n != (k->info.bits + 7) / 8)
		rc = fail_crypto(err, RC_CRYPTO, "cannot agree on a secret");
	EVP_PKEY_CTX_free(ctx);
	if (rc == RC_OK)
		*len = n;
	return rc;
}
