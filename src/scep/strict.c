/*
 * strict.c - RFC 8894 to the letter, for endpoints that are told to take nothing else.  Everywhere
 * else a message is read as devices write it.
 */
#include "scep/message.h"

#include <string.h>

#include "scep/error.h"

static enum scep_status
check_algorithms(const struct scep_message *m, struct scep_error *err)
{
	struct scep_algorithms alg;

	scep_message_algorithms(m, &alg);
	if (alg.digest != SCEP_SHA256 && alg.digest != SCEP_SHA384 && alg.digest != SCEP_SHA512)
		return scep_fail(err, SCEP_E_ALG, STEP_STRICT,
		    "digest %s: this endpoint takes SHA-2 only", scep_digest_name(alg.digest));
	if (m->envelope == NULL && m->envelope_err.rc == RC_ALG)
		return scep_fail_from(err, STEP_STRICT, &m->envelope_err);
	if (m->envelope != NULL && alg.cipher != SCEP_AES128 && alg.cipher != SCEP_AES192 &&
	    alg.cipher != SCEP_AES256)
		return scep_fail(err, SCEP_E_ALG, STEP_STRICT,
		    "content cipher %s: this endpoint takes AES only",
		    scep_cipher_name(alg.cipher));
	return SCEP_OK;
}

static enum scep_status
check_time(const struct scep_message *m, int64_t now, unsigned max_skew, struct scep_error *err)
{
	struct cms_value v;
	int64_t skew;
	enum rc rc = cms_signed_attr(m->cms, OID_SIGNING_TIME, &v, NULL);

	if (rc == RC_NOTFOUND)
		return SCEP_OK; /* optional: RFC 8894 asks for none */
	if (rc != RC_OK || m->signing_time == 0)
		return scep_fail(err, SCEP_E_PARSE, STEP_STRICT, "malformed signingTime");
	skew = m->signing_time > now ? m->signing_time - now : now - m->signing_time;
	if (skew > (int64_t)max_skew)
		return scep_fail(err, SCEP_E_TIME, STEP_STRICT,
		    "signingTime is %lld s %s our clock (RFC 8894 3.2.1.4)", (long long)skew,
		    m->signing_time > now ? "ahead of" : "behind");
	return SCEP_OK;
}

static enum scep_status
check_printable(
    const struct scep_message *m, const char *oid, const char *name, struct scep_error *err)
{
	struct cms_value v;

	if (cms_signed_attr(m->cms, oid, &v, NULL) != RC_OK || v.tag != DER_PRINTABLE)
		return scep_fail(err, SCEP_E_PARSE, STEP_STRICT,
		    "%s is not one PrintableString (RFC 8894 3.2.1)", name);
	return SCEP_OK;
}

static enum scep_status
check_nonce(const struct scep_message *m, struct scep_error *err)
{
	if (m->nonce_malformed || m->t.sender_nonce.len != NONCE_SIZE)
		return scep_fail(err, SCEP_E_PARSE, STEP_STRICT,
		    "senderNonce is not %d octets (RFC 8894 3.2.1.5)", NONCE_SIZE);
	return SCEP_OK;
}

enum scep_status
scep_message_strict(
    const struct scep_message *m, int64_t now, unsigned max_skew_seconds, struct scep_error *err)
{
	enum scep_status st;

	if ((st = check_algorithms(m, err)) != SCEP_OK ||
	    (st = check_printable(m, OID_TRANSACTION_ID, "transactionID", err)) != SCEP_OK ||
	    (st = check_printable(m, OID_MESSAGE_TYPE, "messageType", err)) != SCEP_OK ||
	    (st = check_nonce(m, err)) != SCEP_OK ||
	    (st = check_time(m, now, max_skew_seconds, err)) != SCEP_OK)
		return st;
	if (!cms_signed_attrs_in_der(m->cms))
		return scep_fail(err, SCEP_E_PARSE, STEP_STRICT,
		    "the signed attributes are not in DER (RFC 5652 5.3)");
	return SCEP_OK;
}
