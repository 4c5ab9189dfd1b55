/*
 * cert_bundle.c - certificates as authorities hand them out: DER, PEM, or PKCS#7 (.p7b).
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "base/limits.h"
#include "ossl/cert.h"
#include "ossl/cms.h"
#include "ossl/evp.h"

/* What has been found so far. */
struct found {
	struct cert **certs;
	size_t max, n;
};

static enum rc
found_one(struct found *f, const void *der, size_t len, struct err *err)
{
	enum rc rc;

	if (f->n == f->max)
		return fail(err, RC_LIMIT, "more than %zu certificates", f->max);
	rc = cert_parse(&f->certs[f->n], der, len, err);
	if (rc == RC_OK)
		f->n++;
	return rc;
}

static enum rc
found_pkcs7(struct found *f, const void *der, size_t len, struct err *err)
{
	struct cms_signed *s = NULL;
	enum rc rc = cms_signed_parse(&s, der, len, err);
	size_t i;

	for (i = 0; rc == RC_OK && i < cms_signed_n_certs(s); i++) {
		struct der c = cms_signed_cert0(s, i);

		rc = found_one(f, c.p, c.len, err);
	}
	cms_signed_free(s);
	return rc;
}

/* ContentInfo begins with an OID, a certificate with another SEQUENCE.  Its length may be BER. */
static bool
is_pkcs7(const uint8_t *p, size_t len)
{
	size_t header = len > 1 && p[1] > 0x80 ? 2u + (p[1] & 0x7fu) : 2;

	return len > header && p[0] == DER_SEQUENCE && p[header] == DER_OID;
}

/* Some authorities write CERTIFICATE over PKCS#7, so labels are not believed. */
static enum rc
found_any(struct found *f, const uint8_t *p, size_t len, struct err *err)
{
	return is_pkcs7(p, len) ? found_pkcs7(f, p, len, err) : found_one(f, p, len, err);
}

static bool
of_certificates(const char *label)
{
	static const char *const labels[] = { "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS" };
	size_t i;

	for (i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (strcmp(label, labels[i]) == 0)
			return true;
	}
	return false;
}

static enum rc
found_pem(struct found *f, const void *text, size_t len, struct err *err)
{
	char *label = NULL, *header = NULL;
	enum rc rc = RC_OK;
	uint8_t *der = NULL;
	unsigned long e;
	long der_len;
	BIO *bio = BIO_new_mem_buf(text, (int)len);

	if (bio == NULL)
		return fail_crypto(err, RC_NOMEM, "cannot read PEM");
	while (rc == RC_OK && PEM_read_bio(bio, &label, &header, &der, &der_len) == 1) {
		if (of_certificates(label))
			rc = found_any(f, der, (size_t)der_len, err);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)der_len); /* the block may have been a key */
	}
	BIO_free(bio);
	e = ERR_peek_last_error();
	if (rc == RC_OK &&
	    (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE))
		return fail_crypto(err, RC_PARSE, "the PEM text is damaged");
	ERR_clear_error();
	return rc;
}

enum rc
certs_parse_any(
    struct cert **certs, size_t max, size_t *n, const void *p, size_t len, struct err *err)
{
	struct found f = { certs, max, 0 };
	enum rc rc;

	if (len == 0 || len > LIMIT_CHAIN)
		return fail(err, RC_PARSE, "holds no certificate");
	if (((const uint8_t *)p)[0] == DER_SEQUENCE)
		rc = found_any(&f, p, len, err);
	else
		rc = found_pem(&f, p, len, err);
	if (rc == RC_OK && f.n == 0)
		rc = fail(err, RC_PARSE, "holds no certificate");
	if (rc == RC_OK)
		*n = f.n;
	while (rc != RC_OK && f.n > 0) {
		cert_free(certs[--f.n]);
		certs[f.n] = NULL; /* as certs_parse_pem() */
	}
	return rc;
}

enum rc
certs_load_any(struct cert **certs, size_t max, size_t *n, const char *path, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CHAIN);
	rc = file_read(&text, path, LIMIT_CHAIN, err);
	if (rc == RC_OK && (rc = certs_parse_any(certs, max, n, text.data, text.len, err)) != RC_OK)
		(void)err_context(err, "%s", path);
	buf_done(&text);
	return rc;
}
