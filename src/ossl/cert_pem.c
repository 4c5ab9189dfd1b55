/*
 * cert_pem.c - certificates in PEM and in files.
 */
#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/cert.h"
#include "ossl/evp.h"

void
cert_pem(struct buf *out, const struct cert *c)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	pem_add(out, "CERTIFICATE", der, len);
}

/* The next block of any kind; false at the end. */
static bool
next_block(BIO *bio, bool *is_cert, uint8_t **der, long *len)
{
	char *name = NULL, *header = NULL;
	bool got = PEM_read_bio(bio, &name, &header, der, len) == 1;

	if (got)
		*is_cert =
		    strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0;
	OPENSSL_free(name);
	OPENSSL_free(header);
	return got;
}

/* After the last block libcrypto says "no start line"; anything else is damage. */
static enum rc
end_of_pem(struct err *err)
{
	unsigned long e = ERR_peek_last_error();

	if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
		return fail_crypto(err, RC_PARSE, "the PEM text is damaged");
	ERR_clear_error();
	return RC_OK;
}

typedef enum rc parse_fn(struct cert **out, const void *der, size_t len, struct err *err);

static enum rc
parse_pem(struct cert **certs, size_t max, size_t *n, parse_fn *parse, const void *pem, size_t len,
    struct err *err)
{
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(len > 0 ? pem : "", (int)len) : NULL;
	enum rc rc = RC_OK;
	uint8_t *der = NULL;
	size_t count = 0;
	long der_len;
	bool is_cert;

	if (bio == NULL)
		return fail_crypto(err, RC_NOMEM, "cannot read PEM");
	while (rc == RC_OK && next_block(bio, &is_cert, &der, &der_len)) {
		if (is_cert && count == max)
			rc = fail(err, RC_LIMIT, "more than %zu certificates", max);
		else if (is_cert && (rc = parse(&certs[count], der, (size_t)der_len, err)) == RC_OK)
			count++;
		OPENSSL_free(der);
		der = NULL;
	}
	if (rc == RC_OK)
		rc = end_of_pem(err);
	BIO_free(bio);
	if (rc == RC_OK)
		*n = count;
	while (rc != RC_OK && count > 0) {
		cert_free(certs[--count]);
		certs[count] = NULL; /* the caller may free what he has */
	}
	return rc;
}

enum rc
certs_parse_pem(
    struct cert **certs, size_t max, size_t *n, const void *pem, size_t len, struct err *err)
{
	return parse_pem(certs, max, n, cert_parse, pem, len, err);
}

enum rc
certs_parse_pem_known(
    struct cert **certs, size_t max, size_t *n, const void *pem, size_t len, struct err *err)
{
	return parse_pem(certs, max, n, cert_parse_known, pem, len, err);
}

static enum rc
parse_one(struct cert **out, const struct buf *text, struct err *err)
{
	struct cert *c[1];
	size_t n = 0;
	enum rc rc;

	if (text->len > 0 && text->data[0] == DER_SEQUENCE)
		return cert_parse(out, text->data, text->len, err);
	rc = certs_parse_pem(c, 1, &n, text->data, text->len, err);
	if (rc == RC_LIMIT)
		return fail(err, RC_PARSE, "holds more than one certificate");
	if (rc == RC_OK && n == 0)
		return fail(err, RC_PARSE, "holds no certificate");
	if (rc == RC_OK)
		*out = c[0];
	return rc;
}

enum rc
cert_load(struct cert **out, const char *path, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, 2 * LIMIT_CERT);
	rc = file_read(&text, path, 2 * LIMIT_CERT, err);
	if (rc == RC_OK && (rc = parse_one(out, &text, err)) != RC_OK)
		(void)err_context(err, "%s", path);
	buf_done(&text);
	return rc;
}
