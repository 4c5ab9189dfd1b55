/*
 * crl.c - making certificate revocation lists (RFC 5280 5).
 */
#include "ossl/cert.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"
#include "ossl/ext.h"
#include "ossl/x509_build.h"

static enum rc
add_entry(struct buf *b, const struct crl_entry *e, struct err *err)
{
	size_t entry = der_open(b, DER_SEQUENCE), exts;
	uint8_t reason = (uint8_t)e->reason;
	struct ext_mark m;

	der_add_magnitude(b, e->serial.v, e->serial.len);
	if (!der_add_time(b, e->when))
		return fail(err, RC_BUG, "a revocation outside the years 1950 to 9999");
	if (e->reason >= 0) {
		exts = der_open(b, DER_SEQUENCE);
		m = ext_open(b, OID_EXT_CRL_REASON, false);
		der_add(b, DER_ENUMERATED, &reason, 1);
		ext_close(b, m);
		der_close(b, exts);
	}
	der_close(b, entry);
	return RC_OK;
}

static enum rc
add_entries(struct buf *b, const struct crl_fields *f, struct err *err)
{
	size_t list, i;
	enum rc rc;

	if (f->n_entries == 0)
		return RC_OK; /* an empty SEQUENCE is not allowed there */
	list = der_open(b, DER_SEQUENCE);
	for (i = 0; i < f->n_entries; i++)
		if ((rc = add_entry(b, &f->entries[i], err)) != RC_OK)
			return rc;
	der_close(b, list);
	return RC_OK;
}

static enum rc
add_extensions(struct buf *b, const struct crl_fields *f, struct err *err)
{
	size_t tagged = der_open(b, DER_CTX_CONS(0)), seq = der_open(b, DER_SEQUENCE), len;
	const uint8_t *ski = cert_ski0(f->issuer, &len);
	uint8_t id[20];
	struct ext_mark m;
	enum rc rc;

	if (ski == NULL) {
		if ((rc = key_identifier(id, cert_key0(f->issuer), err)) != RC_OK)
			return rc;
		ski = id;
		len = sizeof id;
	}
	ext_add_aki(b, ski, len);
	m = ext_open(b, OID_EXT_CRL_NUMBER, false);
	der_add_u64(b, f->number);
	ext_close(b, m);
	der_close(b, seq);
	der_close(b, tagged);
	return RC_OK;
}

static enum rc
add_tbs(struct buf *b, const struct crl_fields *f, struct err *err)
{
	const struct name *issuer = cert_subject0(f->issuer);
	size_t tbs = der_open(b, DER_SEQUENCE);
	enum rc rc;

	der_add_u64(b, 1); /* v2 */
	if ((rc = sig_alg_add(b, key_info0(cert_key0(f->issuer))->type, f->digest, err)) != RC_OK)
		return rc;
	buf_add(b, issuer->der, issuer->der_len);
	if (f->next_update < f->this_update || !der_add_time(b, f->this_update) ||
	    !der_add_time(b, f->next_update))
		return fail(
		    err, RC_BUG, "a list whose updates are no span of time between 1950 and 9999");
	if ((rc = add_entries(b, f, err)) != RC_OK || (rc = add_extensions(b, f, err)) != RC_OK)
		return rc;
	der_close(b, tbs);
	return buf_ok(b, "revocation list", err);
}

enum rc
crl_tbs_build(struct buf *tbs, const struct crl_fields *f, struct err *err)
{
	size_t start = tbs->len;
	enum rc rc = add_tbs(tbs, f, err);

	if (rc != RC_OK)
		tbs->len = start;
	return rc;
}

enum rc
crl_assemble(struct buf *der, const void *tbs, size_t tbs_len, const void *sig, size_t sig_len,
    struct err *err)
{
	return x509_assemble(der, tbs, tbs_len, sig, sig_len, err);
}
