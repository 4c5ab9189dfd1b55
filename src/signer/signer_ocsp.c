/*
 * signer_ocsp.c - the rule for what an OCSP responder's key signs: a ResponseData (RFC 6960 4.2.1)
 * of this CA, of this moment.
 *
 * What an answer says about a certificate is the front's word; the signer bounds whose answers these
 * are and for how long a false one can be shown.
 */
#include <string.h>

#include "signer/signer.h"
#include "signer/signer_check.h"

#define CLOCK_SLACK 300 /* seconds: front and signer have the same clock, and a call may wait */
#define SINGLES_MAX 64  /* answers in one; a request may ask for several certificates */
#define EXTS_MAX    8   /* in a response or an answer; ours have one, the nonce */

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum rc
ocsp_names_make(
    struct ocsp_names *out, const struct cert *ca, const struct key *responder, struct err *err)
{
	enum rc rc = ocsp_issuer_of(&out->issuer, ca, err);

	return rc == RC_OK ? key_identifier(out->responder, responder, err) : rc;
}

/* ---- CertIDs ---- */

static const struct {
	const char *oid;
	enum digest digest;
} hashes[] = {
	{ "1.3.14.3.2.26", DIGEST_SHA1 }, /* RFC 5019 2.1.1 has no other; it signs nothing here */
	{ "2.16.840.1.101.3.4.2.1", DIGEST_SHA256 },
	{ "2.16.840.1.101.3.4.2.2", DIGEST_SHA384 },
	{ "2.16.840.1.101.3.4.2.3", DIGEST_SHA512 },
};

static enum digest
hash_of(struct der alg)
{
	char oid[OID_TEXT_MAX];

	if (!der_take_oid(&alg, oid))
		return DIGEST_NONE;
	for (size_t i = 0; i < N(hashes); i++)
		if (strcmp(oid, hashes[i].oid) == 0)
			return hashes[i].digest;
	return DIGEST_NONE;
}

static bool
is_hash(struct der h, const uint8_t *want, enum digest d)
{
	return h.len == digest_size(d) && memcmp(h.p, want, h.len) == 0;
}

static enum rc
judge_cert_id(const struct ocsp_names *names, struct der id, struct err *err)
{
	struct der alg, name, key, serial;
	enum digest d;

	if (!der_take(&id, DER_SEQUENCE, &alg) || !der_take(&id, DER_OCTET_STRING, &name) ||
	    !der_take(&id, DER_OCTET_STRING, &key) || !der_take(&id, DER_INTEGER, &serial) ||
	    id.len != 0)
		return fail(err, RC_PARSE, "signer: a CertID is malformed");
	d = hash_of(alg);
	if (d == DIGEST_NONE)
		return fail(err, RC_DENIED, "signer: a CertID has a digest that is not taken");
	if (!is_hash(name, names->issuer.name[d], d) || !is_hash(key, names->issuer.key[d], d))
		return fail(err, RC_DENIED, "signer: a CertID is of another CA");
	return RC_OK;
}

/* ---- answers ---- */

/* Optional [tag] Extensions; none of them critical. */
static enum rc
judge_exts(struct der *in, uint8_t tag, struct err *err)
{
	struct der tagged, list;
	struct ext e;
	enum rc rc = RC_OK;

	if (!der_next_is(in, tag))
		return RC_OK;
	if (!der_take(in, tag, &tagged) || !der_take(&tagged, DER_SEQUENCE, &list) ||
	    tagged.len != 0)
		return fail(err, RC_PARSE, "signer: extensions of the answer are malformed");
	for (size_t n = 0; list.len > 0 && rc == RC_OK; n++) {
		if (n == EXTS_MAX)
			return fail(err, RC_DENIED, "signer: more than %d extensions", EXTS_MAX);
		rc = check_take_ext(&e, &list, err);
		if (rc == RC_OK && e.critical)
			rc = fail(err, RC_DENIED, "signer: unknown critical extension %s", e.oid);
	}
	return rc;
}

/* certStatus: good [0], revoked [1], unknown [2] (RFC 6960 4.2.1). */
static bool
take_status(struct der *in)
{
	struct der body;

	return der_take(in, DER_CTX(0), &body) || der_take(in, DER_CTX_CONS(1), &body) ||
	    der_take(in, DER_CTX(2), &body);
}

static enum rc
judge_updates(struct der *in, int64_t now, struct err *err)
{
	int64_t from, to;
	struct der tagged;

	if (!der_take_time(in, &from))
		return fail(err, RC_PARSE, "signer: an answer's thisUpdate is malformed");
	/* Without one, how long an answer holds would be the client's guess. */
	if (!der_take(in, DER_CTX_CONS(0), &tagged))
		return fail(err, RC_DENIED, "signer: an answer has no nextUpdate");
	if (!der_take_time(&tagged, &to) || tagged.len != 0)
		return fail(err, RC_PARSE, "signer: an answer's nextUpdate is malformed");
	if (from > now + CLOCK_SLACK || to < from)
		return fail(err, RC_DENIED, "signer: an answer's updates are no span from now");
	if (to > now + SIGNER_OCSP_VALIDITY_MAX)
		return fail(err, RC_DENIED, "signer: an answer holds longer than %d s",
		    SIGNER_OCSP_VALIDITY_MAX);
	return RC_OK;
}

static enum rc
judge_single(const struct ocsp_names *names, int64_t now, struct der single, struct err *err)
{
	struct der id;
	enum rc rc;

	if (!der_take(&single, DER_SEQUENCE, &id))
		return fail(err, RC_PARSE, "signer: an answer is malformed");
	rc = judge_cert_id(names, id, err);
	if (rc != RC_OK)
		return rc;
	if (!take_status(&single))
		return fail(err, RC_PARSE, "signer: an answer's status is malformed");
	rc = judge_updates(&single, now, err);
	if (rc == RC_OK)
		rc = judge_exts(&single, DER_CTX_CONS(1), err);
	if (rc == RC_OK && single.len != 0)
		rc = fail(err, RC_PARSE, "signer: something comes after an answer");
	return rc;
}

static enum rc
judge_singles(const struct ocsp_names *names, int64_t now, struct der list, struct err *err)
{
	struct der single;
	enum rc rc = RC_OK;

	if (list.len == 0)
		return fail(err, RC_DENIED, "signer: the response answers nothing");
	for (size_t n = 0; list.len > 0 && rc == RC_OK; n++) {
		if (n == SINGLES_MAX)
			return fail(err, RC_DENIED, "signer: more than %d answers", SINGLES_MAX);
		if (!der_take(&list, DER_SEQUENCE, &single))
			return fail(err, RC_PARSE, "signer: an answer is malformed");
		rc = judge_single(names, now, single, err);
	}
	return rc;
}

/* responderID [2] KeyHash and producedAt; the version is v1, which DER leaves out. */
static enum rc
judge_head(const struct ocsp_names *names, int64_t now, struct der *in, struct err *err)
{
	struct der by_key, hash;
	int64_t produced;

	if (!der_take(in, DER_CTX_CONS(2), &by_key))
		return fail(err, RC_DENIED, "signer: the responder is not named by its key");
	if (!der_take(&by_key, DER_OCTET_STRING, &hash) || by_key.len != 0)
		return fail(err, RC_PARSE, "signer: the responderID is malformed");
	if (hash.len != sizeof(names->responder) || memcmp(hash.p, names->responder, hash.len) != 0)
		return fail(err, RC_DENIED, "signer: the responderID is not this responder's");
	if (!der_take_time(in, &produced))
		return fail(err, RC_PARSE, "signer: producedAt is malformed");
	if (produced > now + CLOCK_SLACK || produced < now - CLOCK_SLACK)
		return fail(err, RC_DENIED, "signer: producedAt is not now");
	return RC_OK;
}

enum rc
check_ocsp_data(
    const struct ocsp_names *names, int64_t now, const uint8_t *data, size_t len, struct err *err)
{
	struct der whole = { data, len }, in, list;
	enum rc rc;

	if (!der_take(&whole, DER_SEQUENCE, &in) || whole.len != 0)
		return fail(err, RC_PARSE, "signer: this is no ResponseData");
	rc = judge_head(names, now, &in, err);
	if (rc != RC_OK)
		return rc;
	if (!der_take(&in, DER_SEQUENCE, &list))
		return fail(err, RC_PARSE, "signer: the answers are malformed");
	rc = judge_singles(names, now, list, err);
	if (rc == RC_OK)
		rc = judge_exts(&in, DER_CTX_CONS(1), err);
	if (rc == RC_OK && in.len != 0)
		rc = fail(err, RC_PARSE, "signer: something comes after the answers");
	return rc;
}
