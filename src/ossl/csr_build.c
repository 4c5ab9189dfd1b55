/*
 * csr_build.c - making PKCS#10 requests: what a device does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/attr_build.h"
#include "ossl/csr_int.h"
#include "ossl/der_text.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"

static enum rc
add_challenge(struct buf *b, const char *challenge, struct err *err)
{
	uint8_t tag = text_is_printable_string(challenge) ? DER_PRINTABLE : DER_UTF8;
	struct attr_mark m;

	if (!utf8_valid((const uint8_t *)challenge, strlen(challenge)))
		return fail(err, RC_PARSE, "the challenge is no UTF-8");
	m = attr_open(b, OID_CHALLENGE);
	der_add_text(b, tag, challenge);
	attr_close(b, m);
	return RC_OK;
}

/* BMPString of ASCII text. */
static void
add_bmp(struct buf *b, const char *s)
{
	size_t mark = der_open(b, DER_BMP);

	for (; *s != '\0'; s++)
		buf_add(b, (uint8_t[]){ 0, (uint8_t)*s }, 2);
	der_close(b, mark);
}

static enum rc
add_pair(struct buf *b, const char *name, const char *value, struct err *err)
{
	struct attr_mark m;
	size_t seq;

	if (!text_is_ascii(value))
		return fail(err, RC_PARSE, "%s is not ASCII", name);
	m = attr_open(b, OID_NAME_VALUE_PAIR);
	seq = der_open(b, DER_SEQUENCE);
	add_bmp(b, name);
	add_bmp(b, value);
	der_close(b, seq);
	attr_close(b, m);
	return RC_OK;
}

static enum rc
add_extra(struct buf *b, const struct csr_build *c, struct err *err)
{
	struct buf probe;
	struct ext_mark m;
	bool ok;

	buf_init(&probe, 2 * OID_TEXT_MAX);
	ok = der_add_oid(&probe, c->extra_ext_oid);
	buf_done(&probe);
	if (!ok)
		return fail(err, RC_PARSE, "\"%s\" is no OID of an extension", c->extra_ext_oid);
	m = ext_open(b, c->extra_ext_oid, false);
	buf_add(b, c->extra_ext, c->extra_ext_len);
	ext_close(b, m);
	return RC_OK;
}

static enum rc
add_ca(struct buf *b, const struct csr_build *c, const struct key *key, struct err *err)
{
	enum rc rc;

	ext_add_basic(b, true, c->path_len);
	if ((rc = ext_add_ski(b, key, err)) == RC_OK &&
	    (rc = ext_add_constraints(b, c->constraints, err)) == RC_OK)
		rc = ext_add_policies(b, c->policies, err);
	return rc;
}

static enum rc
add_extensions(struct buf *b, const struct csr_build *c, const struct key *key, struct err *err)
{
	struct attr_mark m = attr_open(b, OID_EXTENSION_REQUEST);
	size_t seq = der_open(b, DER_SEQUENCE);
	enum rc rc = RC_OK;

	if (c->is_ca)
		rc = add_ca(b, c, key, err);
	if (c->key_usage != 0)
		ext_add_key_usage(b, c->key_usage);
	if (rc == RC_OK && c->n_eku > 0)
		rc = ext_add_eku(b, c->eku, c->n_eku, err);
	if (rc == RC_OK && c->san.n > 0)
		rc = ext_add_san(b, &c->san, c->subject->n == 0, err);
	if (rc == RC_OK && c->extra_ext_oid != NULL)
		rc = add_extra(b, c, err);
	der_close(b, seq);
	attr_close(b, m);
	return rc;
}

static enum rc
add_attrs(struct buf *b, const struct csr_build *c, const struct key *key, struct err *err)
{
	size_t set = der_open(b, DER_CTX_CONS(0));
	enum rc rc = RC_OK;

	if (c->challenge != NULL)
		rc = add_challenge(b, c->challenge, err);
	if (rc == RC_OK &&
	    (c->is_ca || c->key_usage != 0 || c->n_eku > 0 || c->san.n > 0 ||
		c->extra_ext_oid != NULL))
		rc = add_extensions(b, c, key, err);
	if (rc == RC_OK && c->validity_period != NULL)
		rc = add_pair(b, "ValidityPeriod", c->validity_period, err);
	if (rc == RC_OK && c->validity_units != NULL)
		rc = add_pair(b, "ValidityPeriodUnits", c->validity_units, err);
	der_sort(b, set + 2); /* a SET OF; der_open() wrote two octets */
	der_close(b, set);
	return rc;
}

static enum rc
add_info(struct buf *b, const struct csr_build *c, const struct key *key, struct err *err)
{
	size_t info = der_open(b, DER_SEQUENCE), len;
	const uint8_t *spki = key_spki0(key, &len);
	enum rc rc;

	der_add_u64(b, 0);
	buf_add(b, c->subject->der, c->subject->der_len);
	buf_add(b, spki, len);
	rc = add_attrs(b, c, key, err);
	der_close(b, info);
	return rc != RC_OK ? rc : buf_ok(b, "request", err);
}

enum rc
csr_build(struct buf *der, const struct csr_build *c, const struct key *key, struct err *err)
{
	struct buf req, sig;
	size_t mark, info;
	enum rc rc;

	buf_init(&req, LIMIT_CSR);
	buf_init(&sig, KEY_SIG_MAX);
	mark = der_open(&req, DER_SEQUENCE);
	info = req.len;
	if ((rc = add_info(&req, c, key, err)) != RC_OK ||
	    (rc = key_sign(&sig, key, c->digest, req.data + info, req.len - info, err)) != RC_OK ||
	    (rc = sig_alg_add(&req, key_info0(key)->type, c->digest, err)) != RC_OK)
		goto out;
	der_add_octet_bits(&req, sig.data, sig.len);
	der_close(&req, mark);
	if ((rc = buf_ok(&req, "request", err)) != RC_OK)
		goto out;
	buf_add(der, req.data, req.len);
	rc = buf_ok(der, "request", err);
out:
	buf_wipe(&req); /* holds the challenge */
	buf_done(&sig);
	return rc;
}
