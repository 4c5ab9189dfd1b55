/*
 * status.c - statuses, errors and the names of things.
 */
#include "scep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "scep/error.h"
#include "scep/request_csr.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The public enums and those of ossl/alg.h are the same numbers, so that a cast converts. */
_Static_assert((int)SCEP_SHA1 == DIGEST_SHA1 && (int)SCEP_SHA256 == DIGEST_SHA256 &&
	(int)SCEP_SHA384 == DIGEST_SHA384 && (int)SCEP_SHA512 == DIGEST_SHA512,
    "digests");
_Static_assert((int)SCEP_DES3 == CIPHER_DES3 && (int)SCEP_AES128 == CIPHER_AES128 &&
	(int)SCEP_AES192 == CIPHER_AES192 && (int)SCEP_AES256 == CIPHER_AES256,
    "ciphers");
_Static_assert((int)SCEP_RSA_PKCS1V15 == TRANSPORT_PKCS1V15 && (int)SCEP_RSA_OAEP == TRANSPORT_OAEP,
    "key transports");

/* What a status means to a client, and to the rest of the tree. */
static const struct {
	enum scep_fail_info fail_info;
	enum rc rc;
} statuses[] = {
	[SCEP_OK] = { SCEP_FAIL_NONE, RC_OK },
	[SCEP_E_NOMEM] = { SCEP_BAD_REQUEST, RC_NOMEM },
	[SCEP_E_LIMIT] = { SCEP_BAD_REQUEST, RC_LIMIT },
	[SCEP_E_PARSE] = { SCEP_BAD_REQUEST, RC_PARSE },
	[SCEP_E_ALG] = { SCEP_BAD_ALG, RC_ALG },
	[SCEP_E_INTEGRITY] = { SCEP_BAD_MESSAGE_CHECK, RC_INTEGRITY },
	[SCEP_E_TYPE] = { SCEP_BAD_REQUEST, RC_DENIED },
	[SCEP_E_RECIPIENT] = { SCEP_BAD_REQUEST, RC_DENIED },
	[SCEP_E_CRYPTO] = { SCEP_BAD_REQUEST, RC_CRYPTO },
	[SCEP_E_TIME] = { SCEP_BAD_TIME, RC_DENIED },
};

static enum scep_status
status_of(enum rc rc)
{
	size_t i;

	/* RC_DENIED has three; none comes from below. */
	for (i = 0; i < N(statuses); i++)
		if (statuses[i].rc == rc && rc != RC_DENIED)
			return (enum scep_status)i;
	return SCEP_E_CRYPTO;
}

enum scep_status
scep_fail(struct scep_error *err, enum scep_status status, const char *step, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return status;
	err->status = status;
	err->fail_info = statuses[status].fail_info;
	err->step = step;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return status;
}

enum scep_status
scep_fail_from(struct scep_error *err, const char *step, const struct err *e)
{
	return scep_fail(err, status_of(e->rc), step, "%s", e->msg);
}

enum rc
scep_error_to_err(struct err *err, const struct scep_error *e)
{
	enum rc rc = (unsigned)e->status < N(statuses) ? statuses[e->status].rc : RC_BUG;

	return fail(err, rc, "%s", e->text);
}

void
scep_bytes_free(struct scep_bytes *b)
{
	if (b == NULL)
		return;
	wipe_free(b->data, b->len);
	*b = (struct scep_bytes){ 0 };
}

void
scep_bytes_list_free(struct scep_bytes *list, size_t n)
{
	size_t i;

	for (i = 0; list != NULL && i < n; i++)
		scep_bytes_free(&list[i]);
	free(list);
}

/* ---- names ---- */

struct named {
	int value;
	const char *name;
};

static const char *
name_of(const struct named *v, size_t n, int value, const char *unknown)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].value == value)
			return v[i].name;
	return unknown;
}

const char *
scep_message_type_name(int type)
{
	static const struct named names[] = {
		{ SCEP_CERT_REP, "CertRep" },
		{ SCEP_RENEWAL_REQ, "RenewalReq" },
		{ SCEP_PKCS_REQ, "PKCSReq" },
		{ SCEP_CERT_POLL, "CertPoll" },
		{ SCEP_GET_CERT, "GetCert" },
		{ SCEP_GET_CRL, "GetCRL" },
	};

	return name_of(names, N(names), type, "unknown");
}

const char *
scep_pki_status_name(enum scep_pki_status s)
{
	static const struct named names[] = {
		{ SCEP_SUCCESS, "SUCCESS" },
		{ SCEP_FAILURE, "FAILURE" },
		{ SCEP_PENDING, "PENDING" },
	};

	return name_of(names, N(names), s, "unknown");
}

const char *
scep_fail_info_name(enum scep_fail_info f)
{
	static const struct named names[] = {
		{ SCEP_BAD_ALG, "badAlg" },
		{ SCEP_BAD_MESSAGE_CHECK, "badMessageCheck" },
		{ SCEP_BAD_REQUEST, "badRequest" },
		{ SCEP_BAD_TIME, "badTime" },
		{ SCEP_BAD_CERT_ID, "badCertId" },
	};

	return name_of(names, N(names), f, "none");
}

const char *
scep_way_name(enum scep_way w)
{
	static const struct named names[] = {
		{ SCEP_BY_RSA, "rsa" },
		{ SCEP_BY_ECDH, "ecdh" },
		{ SCEP_BY_PASSWORD, "password" },
	};

	return name_of(names, N(names), w, "-");
}

const char *
scep_digest_name(enum scep_digest d)
{
	return d == 0 ? "-" : digest_name((enum digest)d);
}

const char *
scep_cipher_name(enum scep_cipher c)
{
	return c == 0 ? "-" : cipher_name((enum cipher)c);
}

const char *
scep_transport_name(const struct scep_transport *t, char *out, size_t len)
{
	struct transport own = { (enum transport_kind)t->kind, (enum digest)t->oaep_digest,
		(enum digest)t->mgf1_digest };

	if (t->kind != 0)
		return transport_name(&own, out, len);
	snprintf(out, len, "-");
	return out;
}
