/* ra_set.c - see ra_set.h. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scepd/ra_set.h"

/* libscep's numbers are ours (alg.h): one set of names for the same algorithms. */
_Static_assert((int)SCEP_SHA1 == (int)DIGEST_SHA1 && (int)SCEP_SHA512 == (int)DIGEST_SHA512,
    "digests have the same numbers");
_Static_assert((int)SCEP_RSA_OAEP == (int)TRANSPORT_OAEP, "transports have the same numbers");

static int
ra_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	const struct ra_key *ra = ctx;
	struct buf out;
	struct err err;
	int failed = 1;

	buf_init(&out, *sig_len);
	if (signer_sign_certrep(
		ra->signer, ra->name, (enum digest)digest, tbs, tbs_len, &out, &err) == RC_OK) {
		memcpy(sig, out.data, out.len);
		*sig_len = out.len;
		failed = 0;
	} else {
		log_msg(
		    LOG_ERROR, "signer", "%s", err.msg); /* libscep only learns that it failed */
	}
	buf_done(&out);
	return failed;
}

static int
ra_unwrap(void *ctx, const struct scep_transport *t, const uint8_t *wrapped, size_t wrapped_len,
    uint8_t *cek, size_t cek_len)
{
	const struct ra_key *ra = ctx;
	struct transport transport = { (enum transport_kind)t->kind, (enum digest)t->oaep_digest,
		(enum digest)t->mgf1_digest };
	struct err err;
	enum rc rc = signer_unwrap(
	    ra->signer, ra->name, &transport, wrapped, wrapped_len, cek, cek_len, &err);

	if (rc != RC_OK && rc != RC_PARSE && rc != RC_ALG) /* those are the peer's doing */
		log_msg(LOG_ERROR, "signer", "%s", err.msg);
	return rc != RC_OK;
}

static const struct scep_key_ops ra_ops = { ra_sign, ra_unwrap };

enum rc
ra_set_new(
    struct ra_set **out, struct cert *const *certs, size_t n, struct ra_key *key, struct err *err)
{
	struct ra_set *r = calloc(1, sizeof(*r));
	struct scep_error se;

	if (r == NULL)
		return fail(err, RC_NOMEM, "RA certificates of %s", key->name);
	atomic_init(&r->refs, 1);
	for (; r->n < n && r->n < SIGNER_RAS_MAX; r->n++) {
		size_t len;
		const uint8_t *der = cert_der0(certs[r->n], &len);

		if (scep_identity_new(&r->id[r->n], der, len, &ra_ops, key, &se) != SCEP_OK) {
			ra_set_release(r);
			return fail(err, RC_CONFIG, "RA certificate of %s: %s", key->name, se.text);
		}
	}
	if (r->n == 0) {
		ra_set_release(r);
		return fail(err, RC_CONFIG, "the CA %s has no RA certificate", key->name);
	}
	*out = r;
	return RC_OK;
}

struct ra_set *
ra_set_ref(struct ra_set *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void
ra_set_release(struct ra_set *r)
{
	if (r == NULL || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < r->n; i++)
		scep_identity_free(r->id[i]);
	free(r);
}

bool
ra_set_is(const struct ra_set *r, struct cert *const *certs, size_t n)
{
	if (r->n != (n < SIGNER_RAS_MAX ? n : SIGNER_RAS_MAX))
		return false;
	for (size_t i = 0; i < r->n; i++) {
		size_t len, have_len;
		const uint8_t *der = cert_der0(certs[i], &len),
			      *have = scep_identity_cert(r->id[i], &have_len);

		if (len != have_len || memcmp(der, have, len) != 0)
			return false;
	}
	return true;
}
