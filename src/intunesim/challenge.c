/*
 * challenge.c - sealing and opening.
 */
#include "intunesim/challenge.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/cms.h"

#define CONTAINER_MAX (64u * KIB)

static struct der
der_of(const struct cert *c)
{
	struct der d;

	d.p = cert_der0(c, &d.len);
	return d;
}

static enum rc
peek(struct cms_cert *out, const struct cert *c, struct err *err)
{
	struct der d = der_of(c);

	return cms_cert_peek(out, d.p, d.len, err);
}

/* ---- sealing ---- */

static enum rc
encrypt(struct buf *out, const struct tenant *t, const void *payload, size_t len, struct err *err)
{
	struct cms_cert cert;
	struct cms_recipient to = {
		.cert = &cert,
		.key = t->recipient.key,
		.transport = { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 },
	};
	struct cms_enveloped_build b = {
		.content = { payload, len },
		.cipher = CIPHER_AES256,
		.recipients = &to,
		.n_recipients = 1,
	};
	enum rc rc;

	if ((rc = peek(&cert, t->recipient.cert, err)) != RC_OK)
		return rc;
	return cms_enveloped_build(out, &b, err);
}

static enum rc
sign(struct buf *out, const struct tenant *t, const struct buf *envelope, struct err *err)
{
	struct der own = der_of(t->signer.cert);
	struct cms_cert cert;
	struct cms_signed_build b = {
		.content = { envelope->data, envelope->len },
		.digest = DIGEST_SHA256,
		.signer = &cert,
		.sign = cms_sign_with_key,
		.sign_ctx = t->signer.key,
		.certs = &own,
		.n_certs = 1,
	};
	enum rc rc;

	if ((rc = peek(&cert, t->signer.cert, err)) != RC_OK)
		return rc;
	return cms_signed_build(out, &b, err);
}

enum rc
challenge_seal(
    struct buf *out, const struct tenant *t, const void *payload, size_t len, struct err *err)
{
	struct buf envelope, container;
	enum rc rc;

	buf_init(&envelope, CONTAINER_MAX);
	buf_init(&container, CONTAINER_MAX);
	if ((rc = encrypt(&envelope, t, payload, len, err)) != RC_OK ||
	    (rc = sign(&container, t, &envelope, err)) != RC_OK)
		goto out;
	base64_add(out, container.data, container.len);
	rc = buf_ok(out, "challenge", err);
out:
	buf_done(&envelope);
	buf_done(&container);
	return rc;
}

/* ---- opening ---- */

/* One challenge on its way in. */
struct opening {
	const struct view *view;
	struct buf container;
	struct cms_signed *message;
	const struct tenant *tenant; /* whose key signed it */
	struct cms_enveloped *envelope;
};

/* The cause is the challenge, unless memory or libcrypto gave out. */
static enum rc
blame(enum rc rc, enum scep_code *out, enum scep_code code)
{
	if (rc == RC_OK || rc == RC_NOMEM || rc == RC_CRYPTO || rc == RC_BUG)
		return rc;
	*out = code;
	return RC_DENIED;
}

static enum rc
parse_container(struct opening *o, struct err *err)
{
	enum rc rc;

	rc = cms_signed_parse(&o->message, o->container.data, o->container.len, err);
	if (rc == RC_OK && cms_signed_content0(o->message).p == NULL)
		rc = fail(err, RC_PARSE, "the container is empty");
	return rc;
}

static enum rc
find_signer(struct opening *o, struct err *err)
{
	const struct cms_cert *signer = cms_signed_signer0(o->message);

	for (size_t i = 0; signer != NULL && i < o->view->n_tenants; i++) {
		struct der own = der_of(o->view->tenants[i]->signer.cert);

		if (der_same(&own, &signer->der)) {
			o->tenant = o->view->tenants[i];
			return RC_OK;
		}
	}
	return fail(err, RC_DENIED, "the signing certificate is not one of this service");
}

static enum rc
verify(struct opening *o, struct err *err)
{
	return cms_signed_verify(o->message, o->tenant->signer.key, err);
}

static enum rc
unwrap(uint8_t *cek, size_t len, const struct opening *o, struct err *err)
{
	struct cms_cert own;
	struct der wrapped;
	size_t i;
	enum rc rc;

	if ((rc = peek(&own, o->tenant->recipient.cert, err)) != RC_OK)
		return rc;
	if (cms_enveloped_match(o->envelope, &own, &i) != CMS_MATCH_EXACT)
		return fail(err, RC_INTEGRITY, "the challenge is encrypted to somebody else");
	wrapped = cms_enveloped_key0(o->envelope, i);
	return key_unwrap(cek, len, o->tenant->recipient.key,
	    cms_enveloped_transport0(o->envelope, i), wrapped.p, wrapped.len, err);
}

static enum rc
decrypt(struct buf *payload, struct opening *o, struct err *err)
{
	struct der content = cms_signed_content0(o->message);
	uint8_t cek[CEK_SIZE_MAX];
	size_t len;
	enum rc rc;

	if ((rc = cms_enveloped_parse(&o->envelope, content.p, content.len, err)) != RC_OK)
		return rc;
	len = cipher_key_size(cms_enveloped_cipher(o->envelope));
	if ((rc = unwrap(cek, len, o, err)) == RC_OK)
		rc = cms_enveloped_open(payload, o->envelope, cek, len, err);
	wipe(cek, sizeof(cek));
	return rc;
}

/* Step by step, each with the code that its failure has. */
static const struct {
	enum rc (*step)(struct opening *o, struct err *err);
	enum scep_code code;
} steps[] = {
	{ parse_container, CODE_CHALLENGE_DESERIALIZATION_ERROR },
	{ find_signer, CODE_SIGNING_CERT_THUMBPRINT_MISMATCH },
	{ verify, CODE_SIGNATURE_VALIDATION_FAILED },
};

static enum rc
open_container(struct buf *payload, enum scep_code *code, struct opening *o, struct err *err)
{
	enum rc rc;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if ((rc = steps[i].step(o, err)) != RC_OK)
			return blame(rc, code, steps[i].code);
	}
	return blame(decrypt(payload, o, err), code, CODE_CHALLENGE_DECRYPTION_ERROR);
}

enum rc
challenge_open(struct buf *payload, enum scep_code *code, const struct sim *s, const struct view *v,
    const char *text, struct err *err)
{
	struct opening o = { .view = v };
	uint8_t key[DIGEST_SIZE_MAX];
	size_t len = strlen(text);
	enum rc rc;

	if ((rc = digest_bytes(key, DIGEST_SHA256, text, len, err)) != RC_OK)
		return rc;
	if (memo_get(s->opened, key, payload))
		return buf_ok(payload, "challenge", err);
	buf_init(&o.container, CONTAINER_MAX);
	rc = base64_decode(&o.container, text, len, BASE64_STRICT, err);
	if (rc != RC_OK)
		rc = blame(rc, code, CODE_CHALLENGE_DECODING_ERROR);
	else
		rc = open_container(payload, code, &o, err);
	if (rc == RC_OK)
		memo_put(s->opened, key, payload->data, payload->len);
	cms_enveloped_free(o.envelope);
	cms_signed_free(o.message);
	buf_done(&o.container);
	return rc;
}
