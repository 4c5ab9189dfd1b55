/*
 * signer.c - the calls of signer.h: to the keys here or in another process, and what both have in
 * common.
 */
#include "signer/signer.h"

#include "base/limits.h"
#include "signer/signer_int.h"

enum rc
signer_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *cert,
    struct err *err)
{
	size_t start = cert->len;
	struct buf sig;
	enum rc rc;

	if (len > LIMIT_CERT)
		return fail(err, RC_LIMIT, "signer: a certificate of %zu bytes is too long", len);
	buf_init(&sig, SIGNATURE_MAX);
	rc = s->ops->sign_cert(s, ca, tbs, len, &sig, err);
	if (rc == RC_OK)
		rc = cert_assemble(cert, tbs, len, sig.data, sig.len, err);
	if (rc != RC_OK)
		cert->len = start;
	buf_done(&sig);
	return rc;
}

enum rc
signer_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	size_t start = sig->len;
	enum rc rc = s->ops->sign_crl(s, ca, tbs, len, sig, err);

	if (rc == RC_OK)
		rc = buf_ok(sig, "signature", err);
	if (rc != RC_OK)
		sig->len = start;
	return rc;
}

enum rc
signer_sign_certrep(struct signer *s, const char *ca, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err)
{
	if (digest_size(d) == 0)
		return fail(err, RC_ALG, "signer: no digest that is taken");
	return s->ops->sign_certrep(s, ca, d, attrs, len, sig, err);
}

enum rc
signer_unwrap(struct signer *s, const char *ca, const struct transport *t, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len, struct err *err)
{
	if (cek_len > CEK_SIZE_MAX)
		return fail(err, RC_ALG, "signer: no cipher has keys of %zu bytes", cek_len);
	return s->ops->unwrap(s, ca, t, wrapped, wrapped_len, cek, cek_len, err);
}

enum rc
signer_sign_ocsp(struct signer *s, const char *ca, const uint8_t *response_data, size_t len,
    struct buf *basic, struct err *err)
{
	return s->ops->sign_ocsp(s, ca, response_data, len, basic, err);
}

enum rc
signer_next_ca(struct signer *s, const char *ca, struct buf *der, struct err *err)
{
	return s->ops->next_ca(s, ca, der, err);
}

enum rc
signer_certs(struct signer *s, const char *ca, struct signer_certs *out, struct err *err)
{
	return s->ops->certs(s, ca, out, err);
}

void
signer_certs_done(struct signer_certs *c)
{
	for (size_t i = 0; i < c->n_ra; i++)
		cert_free(c->ra[i]);
	cert_free(c->ocsp);
	*c = (struct signer_certs){ .n_ra = 0 };
}

enum rc
signer_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err)
{
	return s->ops->take_responder(s, ca, der, len, err);
}

void
signer_tick(struct signer *s, int64_t now)
{
	s->ops->tick(s, now);
}

enum rc
signer_stats(struct signer *s, struct signer_stats *out, struct err *err)
{
	return s->ops->stats(s, out, err);
}

void
signer_close(struct signer *s)
{
	if (s != NULL)
		s->ops->close(s);
}
