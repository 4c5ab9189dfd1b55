/*
 * csr.c - reading PKCS#10 requests.  Attributes and extensions are in csr_attrs.c.
 */
#include "ossl/csr.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/csr_int.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"

/* CertificationRequestInfo (RFC 2986 4.1). */
static enum rc
parse_info(struct csr *c, struct der info, struct key *known, struct err *err)
{
	struct der subject, spki, known_spki = { 0 }, attrs = { 0 };
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(&info, &version) || version != 0)
		return fail(err, RC_PARSE, "the request's version is not 0");
	if (!der_take_whole(&info, DER_SEQUENCE, &subject))
		return fail(err, RC_PARSE, "the request's subject is malformed");
	if (!der_take_whole(&info, DER_SEQUENCE, &spki))
		return fail(err, RC_PARSE, "the request's public key is malformed");
	/* Some hand-made clients leave an empty [0] out. */
	(void)der_take(&info, DER_CTX_CONS(0), &attrs);
	if (info.len != 0)
		return fail(err, RC_PARSE, "the request's attributes are malformed");
	if ((rc = name_parse(&c->subject, subject.p, subject.len, err)) != RC_OK)
		return rc;
	if (known != NULL)
		known_spki.p = key_spki0(known, &known_spki.len);
	if (known != NULL && der_same(&known_spki, &spki))
		c->key = key_ref(known);
	else if ((rc = key_parse_spki(&c->key, spki.p, spki.len, err)) != RC_OK)
		return rc;
	return csr_read_attrs(c, attrs, err);
}

/* Proof that the sender holds the private key. */
static enum rc
check_signature(struct csr *c, const struct der *info, const struct der *alg, const struct der *sig,
    struct err *err)
{
	const struct sig_alg *sa;
	enum rc rc = sig_alg_parse(&sa, alg, err);

	if (rc != RC_OK)
		return rc;
	if (sa->key != key_info0(c->key)->type)
		return fail(err, RC_ALG,
		    "the request's signature algorithm does not fit its %s key",
		    key_info0(c->key)->name);
	c->digest = sa->digest;
	rc = key_verify(c->key, sa->digest, info->p, info->len, sig->p, sig->len, err);
	if (rc == RC_INTEGRITY)
		return fail(
		    err, RC_INTEGRITY, "the request is not signed by the key that it holds");
	return rc;
}

static enum rc
parse(struct csr *c, struct key *known, struct err *err)
{
	struct der in = { c->der, c->der_len }, req, info, body, alg, sig;
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &req) || in.len != 0 ||
	    !der_take_whole(&req, DER_SEQUENCE, &info) || !der_take(&req, DER_SEQUENCE, &alg) ||
	    !der_take_octet_bits(&req, &sig) || req.len != 0)
		return fail(err, RC_PARSE, "the request is no PKCS#10 in DER");
	in = info;
	if (!der_take(&in, DER_SEQUENCE, &body))
		return fail(err, RC_PARSE, "the request is no PKCS#10 in DER");
	/* The digest first: who hears how long this took shall not hear that the signature was right. */
	if ((rc = parse_info(c, body, known, err)) != RC_OK ||
	    (rc = digest_bytes(c->sha256, DIGEST_SHA256, c->der, c->der_len, err)) != RC_OK)
		return rc;
	return check_signature(c, &info, &alg, &sig, err);
}

enum rc
csr_parse(struct csr **out, const void *der, size_t len, struct err *err)
{
	return csr_parse_known(out, der, len, NULL, err);
}

enum rc
csr_parse_known(struct csr **out, const void *der, size_t len, struct key *known, struct err *err)
{
	struct csr *c;
	enum rc rc;

	if (len > LIMIT_CSR)
		return fail(
		    err, RC_LIMIT, "a request of %zu bytes is longer than %u", len, LIMIT_CSR);
	if (len == 0)
		return fail(err, RC_PARSE, "the request is empty");
	if ((c = calloc(1, sizeof *c)) == NULL || (c->der = malloc(len)) == NULL) {
		free(c);
		return fail(err, RC_NOMEM, "no memory for a request");
	}
	memcpy(c->der, der, len);
	c->der_len = len;
	if ((rc = parse(c, known, err)) != RC_OK) {
		csr_free(c);
		return rc;
	}
	*out = c;
	return RC_OK;
}

void
csr_free(struct csr *c)
{
	if (c == NULL)
		return;
	if (c->challenge != NULL)
		wipe_free(c->challenge, strlen(c->challenge));
	wipe_free(c->der, c->der_len); /* holds the challenge */
	name_done(&c->subject);
	key_free(c->key);
	san_list_done(&c->wishes.san);
	oid_list_done(&c->eku);
	oid_list_done(&c->ignored);
	free(c);
}

const uint8_t *
csr_der0(const struct csr *c, size_t *len)
{
	*len = c->der_len;
	return c->der;
}

const uint8_t *
csr_sha256(const struct csr *c)
{
	return c->sha256;
}

const struct name *
csr_subject0(const struct csr *c)
{
	return &c->subject;
}

struct key *
csr_key0(const struct csr *c)
{
	return c->key;
}

enum digest
csr_digest(const struct csr *c)
{
	return c->digest;
}

const struct csr_wishes *
csr_wishes0(const struct csr *c)
{
	return &c->wishes;
}

enum csr_challenge
csr_challenge0(const struct csr *c, const char **value)
{
	if (c->n_challenges > 1)
		return CSR_CHALLENGE_SEVERAL;
	/* A blank one is what clients send that have none (renewals). */
	if (c->challenge == NULL || c->challenge[strspn(c->challenge, " \t\r\n")] == '\0')
		return CSR_CHALLENGE_NONE;
	*value = c->challenge;
	return CSR_CHALLENGE_ONE;
}
