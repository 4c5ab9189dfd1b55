/*
 * signer_next.c - the answer to GetNextCACert (RFC 8894 4.7.1): who comes after this CA, in its own
 * words.
 *
 * The content is the degenerate SignedData that GetCACert answers with, of the next CA: RA, issuing
 * CA, chain.  Everything stands in the signer's configuration; the front has no say in it.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "ossl/cms.h"
#include "signer/signer_local.h"

#define LIST_MAX (SIGNER_RAS_MAX + 1 + CHAIN_MAX)

static struct der
der_of(const struct cert *c)
{
	struct der d;

	d.p = cert_der0(c, &d.len);
	return d;
}

/* Apple takes the first certificate: the RA goes first, as in GetCACert's answer. */
static enum rc
list_build(struct buf *out, struct signer_id *next, struct err *err)
{
	struct der list[LIST_MAX];
	size_t n = 0;
	enum rc rc;

	pthread_mutex_lock(&next->lock);
	if (next->n_ra > 0)
		list[n++] = der_of(next->ra[0]);
	list[n++] = der_of(next->cert);
	for (size_t i = 0; i < next->n_chain; i++)
		list[n++] = der_of(next->chain[i]);
	rc = cms_certs_only_build(out, list, n, err);
	pthread_mutex_unlock(&next->lock);
	return rc;
}

enum rc
next_ca_build(struct buf *der, struct signer_local *l, struct signer_id *ca, struct signer_id *next,
    struct err *err)
{
	struct cms_signed_build b = { .digest = digest_for_key(ca->key),
		.sign = cms_sign_with_key,
		.sign_ctx = ca->key,
		.signing_time = clock_now(),
		.n_certs = 1 };
	struct der own = der_of(ca->cert);
	struct cms_cert signer;
	uint8_t sha[32];
	struct buf list;
	enum rc rc;

	buf_init(&list, LIMIT_CHAIN);
	rc = list_build(&list, next, err);
	if (rc == RC_OK)
		rc = cms_cert_peek(&signer, own.p, own.len, err);
	if (rc == RC_OK)
		rc = digest_bytes(sha, DIGEST_SHA256, list.data, list.len, err);
	if (rc == RC_OK)
		rc = state_note(l->state, "next-ca", ca->name, "-", sha, err);
	if (rc == RC_OK) {
		b.content = (struct der){ list.data, list.len };
		b.signer = &signer;
		b.certs = &own;
		rc = cms_signed_build(der, &b, err);
	}
	buf_done(&list);
	return rc;
}
