/*
 * attrs_test.c - an RA key signs the signed attributes of a CertRep and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/cms.h"

#include "fixture.h"

#define MESSAGE_TYPE   "2.16.840.1.113733.1.9.2"
#define PKI_STATUS     "2.16.840.1.113733.1.9.3"
#define TRANSACTION_ID "2.16.840.1.113733.1.9.7"

/* One attribute with one value, DER. */
struct attr {
	const char *oid;
	const void *value;
	size_t len;
};

static const uint8_t data_oid[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1 };
static const uint8_t digest32[34] = { 4, 32, 1, 2, 3 };

#define CONTENT_TYPE_ATTR                                                                          \
	{                                                                                          \
		OID_CONTENT_TYPE, data_oid, sizeof(data_oid)                                       \
	}
#define DIGEST_ATTR                                                                                \
	{                                                                                          \
		OID_MESSAGE_DIGEST, digest32, sizeof(digest32)                                     \
	}
#define TYPE_ATTR(text)                                                                            \
	{                                                                                          \
		MESSAGE_TYPE, text, sizeof(text) - 1                                               \
	}
#define STATUS_ATTR                                                                                \
	{                                                                                          \
		PKI_STATUS,                                                                        \
		    "\x13\1"                                                                       \
		    "0",                                                                           \
		    3                                                                              \
	}
#define TRANSACTION_ATTR                                                                           \
	{                                                                                          \
		TRANSACTION_ID,                                                                    \
		    "\x13\3"                                                                       \
		    "ABC",                                                                         \
		    5                                                                              \
	}
#define CERTREP                                                                                    \
	TYPE_ATTR("\x13\1"                                                                         \
		  "3")

static void
attr_add(struct buf *b, const struct attr *a)
{
	size_t seq = der_open(b, DER_SEQUENCE), set;

	assert_true(der_add_oid(b, a->oid));
	set = der_open(b, DER_SET);
	buf_add(b, a->value, a->len);
	der_close(b, set);
	der_close(b, seq);
}

/* A SET OF them, in DER order. */
static void
set_make(struct buf *b, const struct attr *a, size_t n)
{
	size_t set, start;

	buf_init(b, 4000);
	set = der_open(b, DER_SET);
	start = b->len;
	for (size_t i = 0; i < n && a[i].oid != NULL; i++)
		attr_add(b, &a[i]);
	der_sort(b, start);
	der_close(b, set);
	assert_int_equal(b->rc, RC_OK);
}

static enum rc
ask(struct kit *k, const uint8_t *attrs, size_t len)
{
	struct buf sig;
	enum rc rc;

	buf_init(&sig, 1024);
	k->err = (struct err){ 0 };
	rc = signer_sign_certrep(k->s, "rsa", DIGEST_SHA256, attrs, len, &sig, &k->err);
	if (rc == RC_OK)
		ok(k, key_verify(k->ra.key, DIGEST_SHA256, attrs, len, sig.data, sig.len, &k->err));
	else
		assert_int_equal(sig.len, 0);
	buf_done(&sig);
	return rc;
}

#define ATTRS 8
static const struct {
	const char *what;
	enum rc rc;
	const char *part; /* of the error */
	struct attr a[ATTRS];
} sets[] = {
	{ "a success", RC_OK, "",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP, STATUS_ATTR, TRANSACTION_ATTR,
		{ "2.16.840.1.113733.1.9.5", "\4\1N", 3 },
		{ "2.16.840.1.113733.1.9.6", "\4\1N", 3 } } },
	{ "a failure", RC_OK, "",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP, STATUS_ATTR, TRANSACTION_ATTR,
		{ "2.16.840.1.113733.1.9.4",
		    "\x13\1"
		    "2",
		    3 },
		{ "1.3.6.1.5.5.7.24.1", "\x0c\2no", 4 },
		{ OID_SIGNING_TIME,
		    "\x17\x0d"
		    "260101000000Z",
		    15 } } },
	{ "a PKCSReq", RC_DENIED, "messageType",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR,
		TYPE_ATTR("\x13\2"
			  "19"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "type 3 in another string type", RC_DENIED, "messageType",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR,
		TYPE_ATTR("\x0c\1"
			  "3"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "type 4", RC_DENIED, "messageType",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR,
		TYPE_ATTR("\x13\1"
			  "4"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "type 33", RC_DENIED, "messageType",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR,
		TYPE_ATTR("\x13\2"
			  "33"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "an empty type", RC_DENIED, "messageType",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, TYPE_ATTR("\x13\0"), STATUS_ATTR,
		TRANSACTION_ATTR } },
	{ "two types", RC_DENIED, "messageType comes twice",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP,
		TYPE_ATTR("\x13\1"
			  "4"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "a type with two values", RC_DENIED, "messageType has not one value",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR,
		TYPE_ATTR("\x13\1"
			  "3\x13\2"
			  "19"),
		STATUS_ATTR, TRANSACTION_ATTR } },
	{ "a type without a value", RC_DENIED, "messageType has not one value",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, TYPE_ATTR(""), STATUS_ATTR, TRANSACTION_ATTR } },
	{ "no type", RC_DENIED, "messageType is absent",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, STATUS_ATTR, TRANSACTION_ATTR } },
	{ "no digest", RC_DENIED, "messageDigest is absent",
	    { CONTENT_TYPE_ATTR, CERTREP, STATUS_ATTR, TRANSACTION_ATTR } },
	{ "a digest of another size", RC_DENIED, "messageDigest",
	    { CONTENT_TYPE_ATTR, { OID_MESSAGE_DIGEST, "\4\2ab", 4 }, CERTREP, STATUS_ATTR,
		TRANSACTION_ATTR } },
	{ "no content type", RC_DENIED, "contentType is absent",
	    { DIGEST_ATTR, CERTREP, STATUS_ATTR, TRANSACTION_ATTR } },
	{ "another content type", RC_DENIED, "contentType",
	    { { OID_CONTENT_TYPE, "\6\3\x55\4\3", 5 }, DIGEST_ATTR, CERTREP, STATUS_ATTR,
		TRANSACTION_ATTR } },
	{ "no transactionID", RC_DENIED, "transactionID is absent",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP, STATUS_ATTR } },
	{ "no status", RC_DENIED, "pkiStatus is absent",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP, TRANSACTION_ATTR } },
	{ "an attribute of other protocols", RC_DENIED, "no attribute 1.2.840.113549.1.9.16.2.47",
	    { CONTENT_TYPE_ATTR, DIGEST_ATTR, CERTREP, STATUS_ATTR, TRANSACTION_ATTR,
		{ "1.2.840.113549.1.9.16.2.47", "\x30\0", 2 } } },
	{ "nothing", RC_DENIED, "is absent", { { NULL, NULL, 0 } } },
};

static void
attributes_of_a_certrep_are_signed_and_no_others(void **state)
{
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct buf b;
		enum rc rc;

		set_make(&b, sets[i].a, ATTRS);
		rc = ask(k, b.data, b.len);
		if (rc != sets[i].rc || strstr(k->err.msg, sets[i].part) == NULL)
			fail_msg("%s: %s: %s", sets[i].what, rc_name(rc), k->err.msg);
		buf_done(&b);
	}
}

static void
what_is_no_set_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;
	struct buf b;

	/* The same bytes as a SEQUENCE, as the [0] that they are inside a SignerInfo, and a
	 * TBSCertificate. */
	set_make(&b, sets[0].a, ATTRS);
	b.data[0] = DER_SEQUENCE;
	assert_int_equal(ask(k, b.data, b.len), RC_DENIED);
	b.data[0] = DER_CTX_CONS(0);
	assert_int_equal(ask(k, b.data, b.len), RC_DENIED);
	buf_done(&b);
	buf_init(&b, LIMIT_CERT);
	kit_fields(k, &k->rsa, &f);
	ok(k, cert_tbs_build(&b, &f, &k->err));
	assert_int_equal(ask(k, b.data, b.len), RC_DENIED);
	buf_done(&b);
}

static void
anything_after_the_set_is_denied(void **state)
{
	struct kit *k = *state;
	struct buf b;

	set_make(&b, sets[0].a, ATTRS);
	buf_addc(&b, '\0');
	assert_int_equal(ask(k, b.data, b.len), RC_DENIED);
	buf_done(&b);
}

static void
attributes_out_of_order_are_denied(void **state)
{
	struct kit *k = *state;
	struct buf b;
	size_t set;

	buf_init(&b, 4000);
	set = der_open(&b, DER_SET);
	for (size_t i = 5; i > 0; i--)
		attr_add(&b, &sets[0].a[i - 1]);
	der_close(&b, set);
	assert_int_equal(ask(k, b.data, b.len), RC_DENIED);
	assert_non_null(strstr(k->err.msg, "order"));
	buf_done(&b);
}

static void
an_unknown_ra_or_digest_is_refused(void **state)
{
	struct kit *k = *state;
	struct buf b, sig;

	set_make(&b, sets[0].a, ATTRS);
	buf_init(&sig, 1024);
	assert_int_equal(
	    signer_sign_certrep(k->s, "ec", DIGEST_SHA256, b.data, b.len, &sig, &k->err),
	    RC_NOTFOUND);
	assert_int_equal(
	    signer_sign_certrep(k->s, "rsa", DIGEST_NONE, b.data, b.len, &sig, &k->err), RC_ALG);
	/* messageDigest is of SHA-256 */
	assert_int_equal(
	    signer_sign_certrep(k->s, "rsa", DIGEST_SHA512, b.data, b.len, &sig, &k->err),
	    RC_DENIED);
	assert_int_equal(sig.len, 0);
	buf_done(&b);
	buf_done(&sig);
}

static void
everything_cut_short_is_refused(void **state)
{
	struct kit *k = *state;
	struct buf b;

	set_make(&b, sets[0].a, ATTRS);
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *cut = malloc(len == 0 ? 1 : len);

		assert_non_null(cut);
		memcpy(cut, b.data, len);
		assert_int_not_equal(ask(k, cut, len), RC_OK);
		free(cut);
	}
	buf_done(&b);
}

/* The digest, nonces, status and transactionID are data: a flip there is another reply.  Nowhere
 * else. */
static void
one_flipped_bit_changes_data_or_is_refused(void **state)
{
	struct kit *k = *state;
	unsigned data_bits = 8 * (32 + 1 + 3 + 1 + 1), accepted = 0;
	struct buf b;

	set_make(&b, sets[0].a, ATTRS);
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		accepted += ask(k, b.data, b.len) == RC_OK;
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Besides those, the tags of values that the signer does not judge, and OIDs that become a
	 * known one. */
	assert_true(accepted >= data_bits / 2);
	assert_true(accepted < data_bits + 60);
	buf_done(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_of_a_certrep_are_signed_and_no_others),
		cmocka_unit_test(what_is_no_set_is_denied),
		cmocka_unit_test(anything_after_the_set_is_denied),
		cmocka_unit_test(attributes_out_of_order_are_denied),
		cmocka_unit_test(an_unknown_ra_or_digest_is_refused),
		cmocka_unit_test(everything_cut_short_is_refused),
		cmocka_unit_test(one_flipped_bit_changes_data_or_is_refused),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
