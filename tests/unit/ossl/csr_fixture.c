/*
 * csr_fixture.c - requests put together by hand.
 */
#include "csr_fixture.h"

void
raw_csr(struct buf *out, const struct buf *attrs, uint64_t version, const char *sig_oid)
{
	struct key *k = fixture_key("ec:p256");
	size_t len, req = der_open(out, DER_SEQUENCE), info = der_open(out, DER_SEQUENCE), mark;
	const uint8_t *spki = key_spki0(k, &len);
	struct name n = fixture_name("CN=raw");
	struct err err = { 0 };
	struct buf sig;

	der_add_u64(out, version);
	buf_add(out, n.der, n.der_len);
	buf_add(out, spki, len);
	if (attrs != NULL) {
		mark = der_open(out, DER_CTX_CONS(0));
		buf_add(out, attrs->data, attrs->len);
		der_close(out, mark);
	}
	der_close(out, info);
	buf_init(&sig, 256);
	assert_ok(key_sign(&sig, k, DIGEST_SHA256, out->data + info, out->len - info, &err), err);
	mark = der_open(out, DER_SEQUENCE);
	assert_true(der_add_oid(out, sig_oid));
	der_close(out, mark);
	der_add_octet_bits(out, sig.data, sig.len);
	der_close(out, req);
	assert_ok(buf_ok(out, "request", &err), err);
	buf_done(&sig);
	name_done(&n);
}

enum rc
parse_raw(struct csr **out, const struct buf *attrs, struct err *err)
{
	struct buf der;
	enum rc rc;

	buf_init(&der, 1 << 20);
	raw_csr(&der, attrs, 0, "1.2.840.10045.4.3.2");
	rc = csr_parse(out, der.data, der.len, err);
	buf_done(&der);
	return rc;
}

/* Attribute with one SET around the given content. */
void
add_attr(struct buf *b, const char *oid, const void *values, size_t len)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert_true(der_add_oid(b, oid));
	der_add(b, DER_SET, values, len);
	der_close(b, seq);
}

void
add_ext(struct buf *b, const char *oid, const void *value, size_t len)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert_true(der_add_oid(b, oid));
	der_add(b, DER_OCTET_STRING, value, len);
	der_close(b, seq);
}

/* A request with one extensionRequest that holds the given Extension elements. */
enum rc
parse_with_exts(struct csr **out, const struct buf *exts, struct err *err)
{
	struct buf attrs, value;
	enum rc rc;

	buf_init(&attrs, 1 << 16);
	buf_init(&value, 1 << 16);
	der_add(&value, DER_SEQUENCE, exts->data, exts->len);
	add_attr(&attrs, OID_EXTENSIONS, value.data, value.len);
	rc = parse_raw(out, &attrs, err);
	buf_done(&attrs);
	buf_done(&value);
	return rc;
}

enum rc
parse_with_ext(struct csr **out, const char *oid, const void *value, size_t len, struct err *err)
{
	struct buf exts;
	enum rc rc;

	buf_init(&exts, 1 << 16);
	add_ext(&exts, oid, value, len);
	rc = parse_with_exts(out, &exts, err);
	buf_done(&exts);
	return rc;
}
