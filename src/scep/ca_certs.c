/*
 * ca_certs.c - GetCACert's answer (RFC 8894 4.2.1), and lists of certificates.
 */
#include "scep/ca_certs.h"

#include <stdlib.h>
#include <string.h>

#include "scep/error.h"

static enum rc
encode(struct buf *b, const struct scep_bytes *certs, size_t n, struct err *err)
{
	struct der list[LIMIT_MSG_CERTS];
	size_t i;

	if (n == 0 || n > LIMIT_MSG_CERTS)
		return fail(err, RC_LIMIT, "%zu certificates in GetCACert's answer", n);
	for (i = 0; i < n; i++)
		list[i] = (struct der){ certs[i].data, certs[i].len };
	if (n > 1)
		return cms_certs_only_build(b, list, n, err);
	buf_add(b, list[0].p, list[0].len);
	return buf_ok(b, "certificates", err);
}

enum scep_status
scep_ca_certs_encode(
    struct scep_bytes *out, const struct scep_bytes *certs, size_t n, struct scep_error *err)
{
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_CHAIN);
	if (encode(&b, certs, n, &e) != RC_OK) {
		buf_done(&b);
		return scep_fail_from(err, STEP_REPLY, &e);
	}
	out->data = buf_take(&b, &out->len);
	return SCEP_OK;
}

static enum rc
copy(struct scep_bytes *out, struct der from, struct err *err)
{
	if (!(out->data = malloc(from.len > 0 ? from.len : 1)))
		return fail(err, RC_NOMEM, "certificates: out of memory");
	memcpy(out->data, from.p, from.len);
	out->len = from.len;
	return RC_OK;
}

/* Copies of certificates that at least look like some. */
static enum rc
copy_certs(struct scep_bytes **out, const struct der *certs, size_t n, struct err *err)
{
	struct scep_bytes *list;
	struct cms_cert c;
	enum rc rc = RC_OK;
	size_t i;

	if (n == 0)
		return fail(err, RC_PARSE, "no certificate");
	if (!(list = calloc(n, sizeof(*list))))
		return fail(err, RC_NOMEM, "certificates: out of memory");
	for (i = 0; i < n && rc == RC_OK; i++)
		if ((rc = cms_cert_peek(&c, certs[i].p, certs[i].len, err)) == RC_OK)
			rc = copy(&list[i], certs[i], err);
	if (rc != RC_OK) {
		scep_bytes_list_free(list, n);
		return rc;
	}
	*out = list;
	return RC_OK;
}

static enum rc
copy_list(struct scep_bytes **out, size_t *n, const struct cms_signed *s, struct err *err)
{
	struct der certs[LIMIT_MSG_CERTS];
	size_t i, count = cms_signed_n_certs(s);
	enum rc rc;

	if (cms_signed_has_signer(s))
		return fail(err, RC_PARSE, "certificates in a SignedData that has a signer");
	for (i = 0; i < count; i++)
		certs[i] = cms_signed_cert0(s, i);
	if ((rc = copy_certs(out, certs, count, err)) == RC_OK)
		*n = count;
	return rc;
}

enum rc
certs_only_parse(struct scep_bytes **out, size_t *n, const void *bytes, size_t len, struct err *err)
{
	struct cms_signed *s;
	enum rc rc;

	if ((rc = cms_signed_parse(&s, bytes, len, err)) != RC_OK)
		return rc;
	rc = copy_list(out, n, s, err);
	cms_signed_free(s);
	return rc;
}

enum rc
crl_parse(struct scep_bytes *out, const void *bytes, size_t len, struct err *err)
{
	struct cms_signed *s;
	struct der crl;
	enum rc rc;

	if ((rc = cms_signed_parse(&s, bytes, len, err)) != RC_OK)
		return rc;
	crl = cms_signed_crl0(s);
	if (cms_signed_has_signer(s))
		rc = fail(err, RC_PARSE, "a CRL in a SignedData that has a signer");
	else
		rc = crl.p != NULL ? copy(out, crl, err) : fail(err, RC_PARSE, "no CRL");
	cms_signed_free(s);
	return rc;
}

enum scep_status
scep_ca_certs_parse(
    struct scep_bytes **certs, size_t *n, const uint8_t *bytes, size_t len, struct scep_error *err)
{
	struct cms_cert single;
	struct err e = { 0 };
	enum rc rc;

	if (cms_cert_peek(&single, bytes, len, NULL) == RC_OK) {
		if ((rc = copy_certs(certs, &single.der, 1, &e)) == RC_OK)
			*n = 1;
	} else {
		rc = certs_only_parse(certs, n, bytes, len, &e);
	}
	return rc == RC_OK ? SCEP_OK : scep_fail_from(err, STEP_PARSE, &e);
}
