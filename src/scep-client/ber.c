/* ber.c - see ber.h. */
#include "scep-client/ber.h"

#include "base/clock.h"
#include "base/limits.h"
#include "ossl/cms.h"
#include "scep/attrs.h"
#include "scep/identity.h"

#define PIECE 1000 /* octets of one piece: as BouncyCastle cuts them */

static void
begin(struct buf *b, uint8_t tag)
{
	buf_addc(b, (char)tag);
	buf_addc(b, (char)0x80);
}

static void
end(struct buf *b, unsigned levels)
{
	while (levels-- > 0)
		buf_add(b, "\0\0", 2);
}

/* Constructed, whatever the octets were in before. */
static void
pieces(struct buf *b, uint8_t tag, struct der octets)
{
	begin(b, tag);
	while (octets.len > 0) {
		size_t n = octets.len < PIECE ? octets.len : PIECE;

		der_add(b, DER_OCTET_STRING, octets.p, n);
		octets.p += n;
		octets.len -= n;
	}
	end(b, 1);
}

/* ContentInfo { contentType, [0] SEQUENCE { what is left in `in` ... */
static bool
take_info(struct buf *out, struct der *in, const void *der, size_t len)
{
	struct der all = { der, len }, info, oid, content;

	if (!der_take(&all, DER_SEQUENCE, &info) || all.len > 0 ||
	    !der_take_whole(&info, DER_OID, &oid) || !der_take(&info, DER_CTX_CONS(0), &content) ||
	    info.len > 0 || !der_take(&content, DER_SEQUENCE, in) || content.len > 0)
		return false;
	begin(out, DER_SEQUENCE);
	buf_add(out, oid.p, oid.len);
	begin(out, DER_CTX_CONS(0));
	begin(out, DER_SEQUENCE);
	return true;
}

/* Copy the next element as it is. */
static bool
copy(struct buf *out, struct der *in, uint8_t tag)
{
	struct der whole;

	if (!der_take_whole(in, tag, &whole))
		return false;
	buf_add(out, whole.p, whole.len);
	return true;
}

/* EncapsulatedContentInfo (RFC 5652 5.2) */
static bool
encap(struct buf *out, struct der *in)
{
	struct der info, explicit, octets;

	if (!der_take(in, DER_SEQUENCE, &info))
		return false;
	begin(out, DER_SEQUENCE);
	if (!copy(out, &info, DER_OID) || !der_take(&info, DER_CTX_CONS(0), &explicit) ||
	    info.len > 0 || !der_take(&explicit, DER_OCTET_STRING, &octets) || explicit.len > 0)
		return false;
	begin(out, DER_CTX_CONS(0));
	pieces(out, DER_OCTET_STRING | 0x20, octets);
	end(out, 2);
	return true;
}

static bool
certificates(struct buf *out, struct der *in)
{
	struct der certs;

	if (!der_take(in, DER_CTX_CONS(0), &certs))
		return false;
	begin(out, DER_CTX_CONS(0));
	buf_add(out, certs.p, certs.len);
	end(out, 1);
	return true;
}

enum rc
ber_signed(struct buf *out, const void *der, size_t len, struct err *err)
{
	struct der in;

	/* SignerInfos stay DER: their attributes are what is signed (RFC 5652 5.4). */
	if (!take_info(out, &in, der, len) || !copy(out, &in, DER_INTEGER) ||
	    !copy(out, &in, DER_SET) || !encap(out, &in) || !certificates(out, &in) ||
	    !copy(out, &in, DER_SET) || in.len > 0)
		return fail(err, RC_PARSE, "no SignedData of a request, in DER");
	end(out, 3);
	return buf_ok(out, "message", err);
}

enum rc
ber_enveloped(struct buf *out, const void *der, size_t len, struct err *err)
{
	struct der in, info, octets;
	bool ok = take_info(out, &in, der, len) && copy(out, &in, DER_INTEGER) &&
	    copy(out, &in, DER_SET) && der_take(&in, DER_SEQUENCE, &info) && in.len == 0;

	if (ok) {
		begin(out, DER_SEQUENCE);
		ok = copy(out, &info, DER_OID) && copy(out, &info, DER_SEQUENCE) &&
		    der_take(&info, DER_CTX(0), &octets) && info.len == 0;
	}
	if (!ok)
		return fail(err, RC_PARSE, "no EnvelopedData of a request, in DER");
	pieces(out, DER_CTX_CONS(0), octets);
	end(out, 4);
	return buf_ok(out, "envelope", err);
}

/* The same attributes over another form of the content. */
static enum rc
sign_again(struct buf *out, const struct cms_signed *s, const struct buf *content,
    const struct scep_identity *signer, struct err *err)
{
	static const char *const oids[] = { OID_TRANSACTION_ID, OID_MESSAGE_TYPE,
		OID_SENDER_NONCE };
	struct cms_attr_build attrs[sizeof(oids) / sizeof(oids[0])];
	struct der cert = cms_signed_cert0(s, 0);
	struct cms_signed_build b = { .content = { content->data, content->len },
		.digest = cms_signed_digest(s),
		.signer = cms_signed_signer0(s),
		.sign = identity_sign,
		.sign_ctx = (void *)(uintptr_t)signer,
		.signing_time = clock_now(),
		.attrs = attrs,
		.n_attrs = sizeof(oids) / sizeof(oids[0]),
		.certs = &cert,
		.n_certs = 1 };
	struct cms_value v;
	enum rc rc;

	for (size_t i = 0; i < b.n_attrs; i++) {
		if ((rc = cms_signed_attr(s, oids[i], &v, err)) != RC_OK)
			return rc;
		attrs[i] = (struct cms_attr_build){ oids[i], v.whole };
	}
	return cms_signed_build(out, &b, err);
}

enum rc
ber_message(struct scep_bytes *message, const struct scep_identity *signer, struct err *err)
{
	struct cms_signed *s = NULL;
	struct buf envelope, der, ber;
	struct der content;
	enum rc rc;

	buf_init(&envelope, LIMIT_SCEP_MESSAGE);
	buf_init(&der, LIMIT_SCEP_MESSAGE);
	buf_init(&ber, LIMIT_SCEP_MESSAGE);
	if ((rc = cms_signed_parse(&s, message->data, message->len, err)) == RC_OK) {
		content = cms_signed_content0(s);
		if ((rc = ber_enveloped(&envelope, content.p, content.len, err)) == RC_OK &&
		    (rc = sign_again(&der, s, &envelope, signer, err)) == RC_OK)
			rc = ber_signed(&ber, der.data, der.len, err);
	}
	if (rc == RC_OK) {
		scep_bytes_free(message);
		message->data = buf_take(&ber, &message->len);
	}
	cms_signed_free(s);
	buf_done(&envelope);
	buf_done(&der);
	buf_done(&ber);
	return rc;
}
