/*
 * request.c - from a message to a request: verify, classify, check the structure, find the
 * recipient, decrypt. The order is the security of it: no private key is used before everything
 * that can be checked without one was.
 */
#include "scep/message.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/csr.h"
#include "scep/error.h"
#include "scep/identity.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* What scep_request_open() passes from step to step. */
struct opening {
	struct scep_request *r;
	const struct scep_message *m;
	struct scep_identity *const *ids;
	size_t n_ids;
	size_t recipient; /* index in the envelope */
	enum content_form form;
	bool padded; /* as it should be; nobody may be able to tell */
	struct scep_error *err;
};

static enum scep_status
verify(struct opening *o)
{
	const struct cms_cert *signer = cms_signed_signer0(o->m->cms);
	struct scep_request *r = o->r;
	struct err e = { 0 };

	buf_init(&r->signer_der, LIMIT_CERT);
	buf_add(&r->signer_der, signer->der.p, signer->der.len);
	if (buf_ok(&r->signer_der, "signer certificate", &e) != RC_OK ||
	    cms_cert_peek(&r->signer, r->signer_der.data, r->signer_der.len, &e) != RC_OK ||
	    key_parse_spki(&r->signer_key, r->signer.spki.p, r->signer.spki.len, &e) != RC_OK ||
	    cms_signed_verify(o->m->cms, r->signer_key, &e) != RC_OK ||
	    cms_signed_attrs_plain(o->m->cms, &e) != RC_OK)
		return scep_fail_from(o->err, STEP_VERIFY, &e);
	r->t = o->m->t;
	return SCEP_OK;
}

static enum scep_status
classify(struct opening *o)
{
	const struct scep_message *m = o->m;

	if (content_form_of(&o->form, m->type, NULL) != RC_OK)
		return scep_fail(o->err, SCEP_E_TYPE, STEP_TYPE,
		    "messageType \"%s\" is no request (RFC 8894 3.2.1.2)", m->type_text);
	if (m->nonce_malformed)
		return scep_fail(
		    o->err, SCEP_E_PARSE, STEP_TYPE, "malformed senderNonce (RFC 8894 3.2.1.5)");
	if (strcmp(cms_signed_content_type(m->cms), OID_DATA) != 0)
		return scep_fail(
		    o->err, SCEP_E_PARSE, STEP_TYPE, "eContentType is not data (RFC 8894 3.2)");
	o->r->type = (enum scep_message_type)m->type;
	return SCEP_OK;
}

static enum scep_status
check_structure(struct opening *o)
{
	const struct scep_message *m = o->m;

	if (m->envelope == NULL)
		return scep_fail_from(o->err, STEP_STRUCTURE, &m->envelope_err);
	if (strcmp(cms_enveloped_content_type(m->envelope), OID_DATA) != 0)
		return scep_fail(o->err, SCEP_E_PARSE, STEP_STRUCTURE,
		    "encryptedContentInfo's contentType is not data (RFC 8894 3.2.2)");
	return SCEP_OK;
}

static enum cms_match
match(const struct cms_enveloped *envelope, const struct scep_identity *id, size_t *index)
{
	if (id->ops.unwrap == NULL || id->modulus.p == NULL)
		return CMS_MATCH_NONE;
	return cms_enveloped_match(envelope, &id->cert, index);
}

/* An exact match wins over one by issuer only, which is how a renewed RA certificate looks to old
 * devices.  *recipient: its index in the envelope. */
static enum cms_match
best_match(const struct scep_identity **out, size_t *recipient,
    const struct cms_enveloped *envelope, struct scep_identity *const *ids, size_t n_ids)
{
	enum cms_match best = CMS_MATCH_NONE, is;
	size_t i, index = 0;

	for (i = 0; i < n_ids && best != CMS_MATCH_EXACT; i++) {
		if ((is = match(envelope, ids[i], &index)) <= best)
			continue;
		best = is;
		*recipient = index;
		*out = ids[i];
	}
	return best;
}

static enum scep_status
find_recipient(struct opening *o)
{
	struct scep_request *r = o->r;
	enum cms_match best =
	    best_match(&r->recipient, &o->recipient, o->m->envelope, o->ids, o->n_ids);

	if (best == CMS_MATCH_NONE)
		return scep_fail(o->err, SCEP_E_RECIPIENT, STEP_RECIPIENT,
		    "enveloped to a certificate that is not ours; the client should repeat "
		    "GetCACert");
	r->stale = best == CMS_MATCH_ISSUER;
	scep_message_algorithms(o->m, &r->alg);
	r->alg.transport =
	    transport_to_scep(cms_enveloped_transport0(o->m->envelope, o->recipient));
	return SCEP_OK;
}

const struct scep_identity *
scep_message_recipient(const struct scep_message *m, struct scep_identity *const *ids, size_t n_ids)
{
	const struct scep_identity *id = NULL;
	size_t index;

	if (m->envelope != NULL)
		(void)best_match(&id, &index, m->envelope, ids, n_ids);
	return id;
}

static enum rc
unwrap_and_open(struct opening *o, struct err *err)
{
	const struct cms_enveloped *env = o->m->envelope;
	struct scep_request *r = o->r;
	struct der wrapped = cms_enveloped_key0(env, o->recipient);
	uint8_t cek[CEK_SIZE_MAX];
	size_t cek_len = cipher_key_size(cms_enveloped_cipher(env));
	enum rc rc;

	if (!identity_could_unwrap(r->recipient, wrapped))
		return fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
	rc = identity_unwrap(
	    r->recipient, cms_enveloped_transport0(env, o->recipient), wrapped, cek, cek_len, err);
	if (rc == RC_OK)
		rc = cms_enveloped_open_blind(&r->content, &o->padded, env, cek, cek_len, err);
	wipe(cek, sizeof(cek));
	return rc;
}

static enum scep_status
decrypt(struct opening *o)
{
	enum scep_status st;
	struct err e = { 0 };

	buf_init(&o->r->content, LIMIT_SCEP_MESSAGE);
	if (unwrap_and_open(o, &e) == RC_OK)
		return SCEP_OK;
	st = scep_fail_from(o->err, STEP_DECRYPT, &e);
	if (o->err != NULL) /* to the client all of them are one */
		o->err->fail_info = SCEP_BAD_MESSAGE_CHECK;
	return st;
}

bool
request_is_senders_own(const struct scep_request *r)
{
	return memmem(r->content.data, r->content.len, r->signer.spki.p, r->signer.spki.len) !=
	    NULL;
}

static enum scep_status
check_content(struct opening *o)
{
	struct scep_request *r = o->r;
	struct err e = { 0 };
	bool own;

	/* Words are for the author of the content, and made when it is clear that it is he. */
	if (content_parse(&r->parts, o->form, r->content.data, r->content.len, NULL) == RC_OK &&
	    o->padded)
		return SCEP_OK;
	own = o->form == FORM_CSR ? request_csr_in_vain(r) : request_is_senders_own(r);
	if (!own || !o->padded)
		return scep_fail(o->err, SCEP_E_INTEGRITY, STEP_DECRYPT, "%s", CMS_OPEN_FAILED);
	(void)!content_parse(&r->parts, o->form, r->content.data, r->content.len, &e);
	return scep_fail(o->err, SCEP_E_TYPE, STEP_DECRYPT,
	    "the content does not match messageType %s (RFC 8894 3.2): %s", o->m->type_text, e.msg);
}

enum scep_status
scep_request_open(struct scep_request **out, const struct scep_message *m,
    struct scep_identity *const *ids, size_t n_ids, struct scep_error *err)
{
	static enum scep_status (*const steps[])(struct opening *) = { verify, classify,
		check_structure, find_recipient, decrypt, check_content };
	struct opening o = { .m = m, .ids = ids, .n_ids = n_ids, .err = err };
	enum scep_status st = SCEP_OK;
	size_t i;

	if (!(o.r = calloc(1, sizeof(*o.r))))
		return scep_fail(err, SCEP_E_NOMEM, STEP_PARSE, "request: out of memory");
	for (i = 0; i < N(steps) && st == SCEP_OK; i++)
		st = steps[i](&o);
	if (st != SCEP_OK) {
		scep_request_free(o.r);
		return st;
	}
	*out = o.r;
	return SCEP_OK;
}

void
scep_request_free(struct scep_request *r)
{
	if (r == NULL)
		return;
	buf_wipe(&r->content);
	buf_done(&r->signer_der);
	key_free(r->signer_key);
	free(r);
}

enum scep_message_type
scep_request_type(const struct scep_request *r)
{
	return r->type;
}

const char *
scep_request_transaction_id(const struct scep_request *r)
{
	return r->t.id;
}

const uint8_t *
scep_request_content(const struct scep_request *r, size_t *len)
{
	*len = r->content.len;
	return r->content.data;
}

const uint8_t *
scep_request_signer(const struct scep_request *r, size_t *len)
{
	*len = r->signer_der.len;
	return r->signer_der.data;
}

const struct scep_identity *
scep_request_recipient(const struct scep_request *r)
{
	return r->recipient;
}

int
scep_request_recipient_stale(const struct scep_request *r)
{
	return r->stale;
}

void
scep_request_algorithms(const struct scep_request *r, struct scep_algorithms *out)
{
	*out = r->alg;
}

static struct scep_slice
slice(struct der d)
{
	return (struct scep_slice){ d.p, d.len };
}

enum scep_status
scep_request_issuer_subject(
    const struct scep_request *r, struct scep_slice *issuer, struct scep_slice *subject)
{
	if (r->parts.subject.p == NULL)
		return SCEP_E_TYPE;
	*issuer = slice(r->parts.issuer);
	*subject = slice(r->parts.subject);
	return SCEP_OK;
}

enum scep_status
scep_request_issuer_serial(
    const struct scep_request *r, struct scep_slice *issuer, struct scep_slice *serial)
{
	if (r->parts.serial.p == NULL)
		return SCEP_E_TYPE;
	*issuer = slice(r->parts.issuer);
	*serial = slice(r->parts.serial);
	return SCEP_OK;
}

enum scep_way
scep_request_way(const struct scep_request *r)
{
	const struct cms_cert *c = &r->signer;

	if (c->key_type == KEY_RSA)
		return SCEP_BY_RSA;
	return !c->has_key_usage || (c->key_usage & KU_KEY_AGREEMENT) != 0 ? SCEP_BY_ECDH
									   : SCEP_BY_PASSWORD;
}
