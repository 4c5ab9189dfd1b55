/*
 * message.c - the door for PKIMessages, and what can be told of one before anything is verified.
 */
#include "scep/message.h"

#include <stdlib.h>
#include <string.h>

#include "scep/error.h"
#include "scep/identity.h"

/* A value that is malformed is treated as absent here; scep_request_open() refuses it after the
 * signature. */
static void
read_optional(struct scep_message *m)
{
	struct cms_value v;

	if (attr_number(m->cms, OID_MESSAGE_TYPE, &m->type, m->type_text, NULL) != RC_OK)
		m->type = -1;
	m->nonce_malformed =
	    attr_nonce(m->cms, OID_SENDER_NONCE, &m->t.sender_nonce, NULL) == RC_PARSE;
	if (cms_signed_attr(m->cms, OID_SIGNING_TIME, &v, NULL) != RC_OK ||
	    !der_take_time(&v.whole, &m->signing_time))
		m->signing_time = 0;
}

static enum rc
read_envelope(struct scep_message *m, struct err *err)
{
	struct der content = cms_signed_content0(m->cms);
	enum rc rc;

	if (content.p == NULL) {
		(void)fail(&m->envelope_err, RC_PARSE, "no pkcsPKIEnvelope (RFC 8894 3.2)");
		return RC_OK;
	}
	rc = cms_enveloped_parse(&m->envelope, content.p, content.len, &m->envelope_err);
	if (rc == RC_NOMEM)
		*err = m->envelope_err;
	return rc == RC_NOMEM ? rc : RC_OK;
}

static enum rc
read_message(struct scep_message *m, const uint8_t *bytes, size_t len, struct err *err)
{
	enum rc rc;

	if ((rc = cms_signed_parse(&m->cms, bytes, len, err)) != RC_OK)
		return rc;
	if (!cms_signed_has_signer(m->cms))
		return fail(err, RC_PARSE, "SignedData without a SignerInfo (RFC 8894 3.1)");
	if (cms_signed_signer0(m->cms) == NULL)
		return fail(err, RC_PARSE, "the signer's certificate is not in the message");
	if ((rc = attr_transaction_id(m->cms, &m->t, err)) != RC_OK)
		return rc == RC_NOTFOUND
		    ? fail(err, RC_PARSE, "no transactionID (RFC 8894 3.2.1.1)")
		    : rc;
	read_optional(m);
	return read_envelope(m, err);
}

enum scep_status
scep_message_parse(
    struct scep_message **out, const uint8_t *bytes, size_t len, struct scep_error *err)
{
	struct scep_message *m;
	struct err e = { 0 };

	if (!(m = calloc(1, sizeof(*m))))
		return scep_fail(err, SCEP_E_NOMEM, STEP_PARSE, "message: out of memory");
	if (read_message(m, bytes, len, &e) != RC_OK) {
		scep_message_free(m);
		return scep_fail_from(err, STEP_PARSE, &e);
	}
	*out = m;
	return SCEP_OK;
}

void
scep_message_free(struct scep_message *m)
{
	if (m == NULL)
		return;
	cms_signed_free(m->cms);
	cms_enveloped_free(m->envelope);
	free(m);
}

const char *
scep_message_transaction_id(const struct scep_message *m)
{
	return m->t.id;
}

int
scep_message_type(const struct scep_message *m)
{
	return m->type;
}

const char *
scep_message_type_text(const struct scep_message *m)
{
	return m->type_text;
}

const uint8_t *
scep_message_sender_nonce(const struct scep_message *m, size_t *len)
{
	*len = m->t.sender_nonce.len;
	return *len > 0 ? m->t.sender_nonce.v : NULL;
}

const uint8_t *
scep_message_signer(const struct scep_message *m, size_t *len)
{
	const struct cms_cert *c = cms_signed_signer0(m->cms);

	*len = c->der.len;
	return c->der.p;
}

int64_t
scep_message_signing_time(const struct scep_message *m)
{
	return m->signing_time;
}

void
scep_message_algorithms(const struct scep_message *m, struct scep_algorithms *out)
{
	*out = (struct scep_algorithms){ 0 };
	out->digest = (enum scep_digest)cms_signed_digest(m->cms);
	if (m->envelope == NULL)
		return;
	out->cipher = (enum scep_cipher)cms_enveloped_cipher(m->envelope);
	out->transport = transport_to_scep(cms_enveloped_transport0(m->envelope, 0));
}
