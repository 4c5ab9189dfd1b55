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
	for (i = 0; i < n && rc == RC_OK; i++) {
		if ((rc = cms_cert_peek(&c, certs[i].p, certs[i].len, err)) != RC_OK)
			break;
		if (!(list[i].data = malloc(certs[i].len)))
			rc = fail(err, RC_NOMEM, "certificates: out of memory");
		else
			memcpy(list[i].data, certs[i].p, list[i].len = certs[i].len);
	}
	if (rc != RC_OK) {
		scep_bytes_list_free(list, n);
		return rc;
	}
	*out = list;
	return RC_OK;
}

enum rc
certs_only_parse(struct scep_bytes **out, size_t *n, const void *bytes, size_t len, struct err *err)
{
	struct der certs[LIMIT_MSG_CERTS];
	struct cms_signed *s;
	size_t i, count;
	enum rc rc;

	if ((rc = cms_signed_parse(&s, bytes, len, err)) != RC_OK)
		return rc;
	count = cms_signed_n_certs(s);
	for (i = 0; i < count; i++)
		certs[i] = cms_signed_cert0(s, i);
	rc = cms_signed_has_signer(s)
	    ? fail(err, RC_PARSE, "certificates in a SignedData that has a signer")
	    : copy_certs(out, certs, count, err);
	if (rc == RC_OK)
		*n = count;
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
