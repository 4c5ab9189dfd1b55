/*
 * cms_signed_test.c - SignedData proves what it should, and the door refuses the rest.
 */
#include "cms_kit.h"

#include <stdlib.h>
#include <string.h>

static struct actor rsa, other, ec;
#define BYTES(s) ((struct der){ (const uint8_t *)(s), sizeof(s) - 1 })

static int
setup(void **state)
{
	actor_make(&rsa, "Device", "rsa:2048", 0, "0A0B");
	actor_make(&other, "Other", "rsa:2048", 1, "0C");
	actor_make(&ec, "Curve", "ec:p256", 0, "0D");
	return 0;
}

static int
teardown(void **state)
{
	actor_done(&rsa);
	actor_done(&other);
	actor_done(&ec);
	return fixture_done(state);
}

static enum rc
parse_signed(const struct buf *b, struct cms_signed **s, struct err *err)
{
	return cms_signed_parse(s, b->data, b->len, err);
}

/* Parse and verify with this key; frees `b`. */
static enum rc
verifies(struct buf *b, const struct key *key, struct err *err)
{
	struct cms_signed *s = NULL;
	enum rc rc;

	if ((rc = parse_signed(b, &s, err)) == RC_OK)
		rc = cms_signed_verify(s, key, err);
	cms_signed_free(s);
	buf_done(b);
	return rc;
}

static void
what_is_signed_verifies_for_every_digest_and_key(void **state)
{
	const struct actor *who[] = { &rsa, &ec };
	const struct der contents[] = { { 0 }, BYTES(""), BYTES("some content") };
	struct err err = { 0 };
	struct cms_signed *s;
	struct buf b;
	size_t i, j;
	int d;

	for (i = 0; i < N(who); i++) {
		for (d = DIGEST_SHA1; d < DIGEST__MAX; d++) {
			for (j = 0; j < N(contents); j++) {
				b = sign(who[i], contents[j], (enum digest)d, NULL, 0);
				assert_ok(parse_signed(&b, &s, &err), err);
				assert_int_equal(cms_signed_digest(s), d);
				assert_ok(cms_signed_verify(s, who[i]->key, &err), err);
				assert_int_equal(
				    cms_signed_content0(s).p == NULL, contents[j].p == NULL);
				assert_int_equal(cms_signed_content0(s).len, contents[j].len);
				assert_non_null(cms_signed_signer0(s));
				assert_true(cms_signed_is_by(s, &who[i]->c));
				assert_false(cms_signed_is_by(s, &other.c));
				cms_signed_free(s);
				assert_int_equal(
				    verifies(&b, other.key, &err), i == 0 ? RC_INTEGRITY : RC_ALG);
			}
		}
	}
}

static void
the_signer_may_be_named_by_subject_key_identifier(void **state)
{
	struct cms_signed_build b = { .content = BYTES("x"),
		.digest = DIGEST_SHA256,
		.signer = &rsa.c,
		.signer_by_ski = true,
		.sign = cms_sign_with_key,
		.sign_ctx = rsa.key,
		.certs = &rsa.c.der,
		.n_certs = 1 };
	struct buf out = new_buf();
	struct err err = { 0 };
	struct cms_signed *s;

	assert_ok(cms_signed_build(&out, &b, &err), err);
	assert_ok(parse_signed(&out, &s, &err), err);
	assert_non_null(cms_signed_signer0(s));
	assert_ok(cms_signed_verify(s, rsa.key, &err), err);
	cms_signed_free(s);
	buf_done(&out);
}

static void
quirk27_certificates_keep_their_order(void **state)
{
	const struct der forward[] = { rsa.c.der, other.c.der, ec.c.der };
	const struct der backward[] = { ec.c.der, other.c.der, rsa.c.der };
	const struct der *orders[] = { forward, backward };
	struct err err = { 0 };
	struct cms_signed *s;
	struct buf b;
	struct der got;
	size_t i, j;

	for (i = 0; i < N(orders); i++) {
		b = new_buf();
		assert_ok(cms_certs_only_build(&b, orders[i], 3, &err), err);
		assert_ok(parse_signed(&b, &s, &err), err);
		assert_int_equal(cms_signed_n_certs(s), 3);
		assert_false(cms_signed_has_signer(s));
		assert_null(cms_signed_content0(s).p);
		for (j = 0; j < 3; j++) {
			got = cms_signed_cert0(s, j);
			assert_true(der_same(&got, &orders[i][j]));
		}
		assert_int_equal(cms_signed_verify(s, rsa.key, &err), RC_PARSE);
		cms_signed_free(s);
		buf_done(&b);
	}
}

static void
attributes_are_found_and_must_be_single(void **state)
{
	const struct cms_attr_build attrs[] = {
		{ "1.2.3.4", BYTES("\x04\x02hi") },
		{ "1.2.3.5", BYTES("\x05\x00") },
		{ "1.2.3.5", BYTES("\x05\x00") },
		{ "1.2.3.6", BYTES("\x05\x00\x05\x00") },
		{ "1.2.3.7", BYTES("") },
	};
	struct buf b = sign(&rsa, BYTES("x"), DIGEST_SHA256, attrs, N(attrs));
	struct err err = { 0 };
	struct cms_signed *s;
	struct cms_value v;

	assert_ok(parse_signed(&b, &s, &err), err);
	assert_int_equal(cms_signed_n_attrs(s), 3 + N(attrs));
	assert_ok(cms_signed_attr(s, "1.2.3.4", &v, &err), err);
	assert_int_equal(v.tag, DER_OCTET_STRING);
	assert_int_equal(v.body.len, 2);
	assert_int_equal(cms_signed_attr(s, "1.2.3.5", &v, &err), RC_PARSE);
	assert_int_equal(cms_signed_attr(s, "1.2.3.6", &v, &err), RC_PARSE);
	assert_int_equal(cms_signed_attr(s, "1.2.3.7", &v, &err), RC_PARSE);
	assert_int_equal(cms_signed_attr(s, "1.2.3.8", &v, &err), RC_NOTFOUND);
	assert_int_equal(cms_signed_attrs_plain(s, &err), RC_PARSE);
	/* They do not keep the signature from being right. */
	assert_ok(cms_signed_verify(s, rsa.key, &err), err);
	cms_signed_free(s);
	buf_done(&b);
}

static void
quirk52_signed_attributes_are_written_sorted(void **state)
{
	const struct cms_attr_build attrs[] = { { "2.5.4.3", BYTES("\x0c\x01z") },
		{ "1.2.3.4", BYTES("\x0c\x01z") } };
	struct buf b = sign(&rsa, BYTES("x"), DIGEST_SHA256, attrs, N(attrs));
	struct signed_parts p;
	struct buf sorted = new_buf();
	struct der set, whole;

	signed_take_apart(&p, &b);
	whole = p.attrs;
	assert_true(der_take(&whole, DER_CTX_CONS(0), &set));
	buf_add(&sorted, set.p, set.len);
	der_sort(&sorted, 0);
	assert_memory_equal(sorted.data, set.p, set.len);
	buf_done(&sorted);
	buf_done(&b);
}

/* `attrs` as a [0], in reverse order. */
static struct buf
reversed_attrs(struct der attrs)
{
	struct der set, items[LIMIT_ATTRS];
	struct buf out = new_buf();
	size_t n = 0, mark;
	uint8_t tag;

	assert_true(der_take(&attrs, DER_CTX_CONS(0), &set));
	while (set.len > 0)
		assert_true(der_any(&set, &tag, NULL, &items[n++]));
	mark = der_open(&out, DER_CTX_CONS(0));
	while (n-- > 0)
		buf_add(&out, items[n].p, items[n].len);
	der_close(&out, mark);
	return out;
}

static struct buf
signature_over(const struct actor *a, const struct buf *attrs)
{
	struct buf sig = new_buf(), out = new_buf();
	struct err err = { 0 };

	attrs->data[0] = DER_SET;
	assert_ok(key_sign(&sig, a->key, DIGEST_SHA256, attrs->data, attrs->len, &err), err);
	attrs->data[0] = DER_CTX_CONS(0);
	der_add(&out, DER_OCTET_STRING, sig.data, sig.len);
	buf_done(&sig);
	return out;
}

static void
quirk32_attributes_in_another_order_verify_over_either_order(void **state)
{
	struct buf good = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0), attrs, sig, b;
	struct err err = { 0 };
	struct signed_parts p;

	signed_take_apart(&p, &good);
	attrs = reversed_attrs(p.attrs);
	p.attrs = der_of(&attrs);
	b = signed_put_together(&p); /* sent reversed, signed as DER */
	assert_ok(verifies(&b, rsa.key, &err), err);
	sig = signature_over(&rsa, &attrs);
	p.signature = der_of(&sig);
	b = signed_put_together(&p); /* sent and signed reversed */
	assert_ok(verifies(&b, rsa.key, &err), err);
	attrs.data[attrs.len - 1] ^= 1;
	b = signed_put_together(&p);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_INTEGRITY);
	buf_done(&attrs);
	buf_done(&sig);
	buf_done(&good);
}

static void
S10_the_signature_is_bound_to_the_content(void **state)
{
	struct buf one = sign(&rsa, BYTES("one"), DIGEST_SHA256, NULL, 0);
	struct buf two = sign(&rsa, BYTES("two"), DIGEST_SHA256, NULL, 0), b;
	struct signed_parts p, q;
	struct err err = { 0 };

	signed_take_apart(&p, &one);
	signed_take_apart(&q, &two);
	p.content = q.content;
	b = signed_put_together(&p);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_INTEGRITY);
	p.signature = q.signature;
	b = signed_put_together(&p);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_INTEGRITY);
	p.attrs = q.attrs;
	b = signed_put_together(&p); /* all of two again */
	assert_ok(verifies(&b, rsa.key, &err), err);
	buf_done(&one);
	buf_done(&two);
}

static void
a_content_type_attribute_of_another_type_is_refused(void **state)
{
	const struct cms_attr_build attrs[] = { { OID_CONTENT_TYPE,
	    BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03") } };
	struct cms_signed_build build = { .content_type = "1.2.3",
		.content = BYTES("x"),
		.digest = DIGEST_SHA256,
		.signer = &rsa.c,
		.sign = cms_sign_with_key,
		.sign_ctx = rsa.key };
	struct buf b = sign(&rsa, BYTES("x"), DIGEST_SHA256, attrs, N(attrs)), out = new_buf();
	struct buf mixed;
	struct signed_parts p, q;
	struct err err = { 0 };

	assert_int_equal(verifies(&b, rsa.key, &err), RC_PARSE); /* two of them */
	assert_ok(cms_signed_build(&out, &build, &err), err);
	b = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0);
	signed_take_apart(&p, &b);
	signed_take_apart(&q, &out);
	q.content = p.content; /* eContentType data, attribute 1.2.3 */
	mixed = signed_put_together(&q);
	assert_int_equal(verifies(&mixed, rsa.key, &err), RC_INTEGRITY);
	assert_ok(verifies(&out, rsa.key, &err), err);
	buf_done(&b);
}

static void
quirk33_parameters_of_algorithms_may_be_absent_or_null(void **state)
{
	struct buf good = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0), b;
	struct buf md_null = alg_der("2.16.840.1.101.3.4.2.1", BYTES("\x05\x00"));
	struct buf md_odd = alg_der("2.16.840.1.101.3.4.2.1", BYTES("\x30\x00"));
	struct buf sig_none = alg_der("1.2.840.113549.1.1.1", (struct der){ 0 });
	struct buf sig_full = alg_der("1.2.840.113549.1.1.11", BYTES("\x05\x00"));
	struct err err = { 0 };
	struct signed_parts p, q;

	signed_take_apart(&p, &good);
	q = p, q.digest_alg = der_of(&md_null), q.signature_alg = der_of(&sig_none);
	b = signed_put_together(&q);
	assert_ok(verifies(&b, rsa.key, &err), err);
	q = p, q.signature_alg = der_of(&sig_full);
	b = signed_put_together(&q);
	assert_ok(verifies(&b, rsa.key, &err), err);
	q = p, q.digest_alg = der_of(&md_odd);
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_ALG);
	buf_done(&md_null);
	buf_done(&md_odd);
	buf_done(&sig_none);
	buf_done(&sig_full);
	buf_done(&good);
}

static void
R13_quirk34_algorithms_that_are_not_taken_are_named(void **state)
{
	static const struct {
		const char *digest, *signature, *label;
	} cases[] = {
		{ "1.2.840.113549.2.5", NULL, "MD5" },
		{ "2.16.840.1.101.3.4.2.4", NULL, "SHA-224" },
		{ NULL, "1.2.840.113549.1.1.4", "md5WithRSA" },
		{ NULL, "1.2.840.113549.1.1.10", "PSS" },
		{ NULL, "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.5" }, /* SHA-1 beside SHA-256 */
		{ NULL, "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.2" },   /* ECDSA by an RSA key */
	};
	struct buf good = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0), alg, b;
	struct err err = { 0 };
	struct signed_parts p, q;
	size_t i;

	signed_take_apart(&p, &good);
	for (i = 0; i < N(cases); i++) {
		q = p;
		alg = alg_der(
		    cases[i].digest ? cases[i].digest : cases[i].signature, (struct der){ 0 });
		*(cases[i].digest ? &q.digest_alg : &q.signature_alg) = der_of(&alg);
		b = signed_put_together(&q);
		assert_int_equal(verifies(&b, rsa.key, &err), RC_ALG);
		assert_non_null(strstr(err.msg, cases[i].label));
		buf_done(&alg);
	}
	buf_done(&good);
}

static void
S25_signed_data_of_the_wrong_shape_is_refused(void **state)
{
	struct buf good = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0), b, many = new_buf();
	struct err err = { 0 };
	struct signed_parts p, q;
	struct cms_signed *s;
	size_t i;

	signed_take_apart(&p, &good);
	q = p, q.n_signers = 2;
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_LIMIT);
	q = p, q.attrs = (struct der){ 0 };
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_PARSE);
	q = p, q.attrs = BYTES("\xa0\x00");
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_PARSE);
	q = p, q.certs = (struct der){ 0 };
	b = signed_put_together(&q);
	assert_ok(parse_signed(&b, &s, &err), err); /* but its signer is unknown */
	assert_null(cms_signed_signer0(s));
	cms_signed_free(s);
	buf_done(&b);
	size_t mark = der_open(&many, DER_CTX_CONS(0));
	for (i = 0; i <= LIMIT_MSG_CERTS; i++)
		buf_add(&many, rsa.c.der.p, rsa.c.der.len);
	der_close(&many, mark);
	q = p, q.certs = der_of(&many);
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_LIMIT);
	q = p, q.certs = BYTES("\xa0\x04\xa1\x02\x05\x00"); /* an attribute certificate */
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_PARSE);
	q = p,
	q.content = BYTES("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x02\x30\x00");
	b = signed_put_together(&q);
	assert_int_equal(verifies(&b, rsa.key, &err), RC_PARSE);
	buf_done(&many);
	buf_done(&good);
}

static void
quirk32_ber_is_taken_like_der(void **state)
{
	struct buf good = sign(&rsa, BYTES("some content"), DIGEST_SHA256, NULL, 0);
	struct buf ber = to_ber(der_of(&good), 5);
	struct err err = { 0 };

	assert_ok(verifies(&ber, rsa.key, &err), err);
	buf_done(&good);
}

static enum rc
signed_door(const void *p, size_t len)
{
	struct cms_signed *s = NULL;
	enum rc rc = cms_signed_parse(&s, p, len, NULL);

	if (rc == RC_OK && (rc = cms_signed_verify(s, rsa.key, NULL)) == RC_OK)
		rc = cms_signed_attrs_plain(s, NULL);
	cms_signed_free(s);
	return rc;
}

static void
S25_signed_data_cut_or_changed_is_refused(void **state)
{
	struct buf b = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0);

	sweep_prefixes(signed_door, b.data, b.len, 1);
	/* What may change unseen: versions, the set of digests, the certificate but for its key,
	 * NULL. */
	sweep_flips(signed_door, b.data, b.len, 1);
	buf_done(&b);
}

/* ---- certificates ----------------------------------------------------------------------- */

static enum rc
peek_door(const void *p, size_t len)
{
	struct cms_cert c;

	return cms_cert_peek(&c, p, len, NULL);
}

static void
certificates_are_read_as_far_as_needed(void **state)
{
	struct der issuer = { cert_issuer0(rsa.cert)->der, cert_issuer0(rsa.cert)->der_len }, ski;

	ski.p = cert_ski0(rsa.cert, &ski.len);
	assert_true(der_same(&rsa.c.issuer, &issuer));
	assert_true(der_same(&rsa.c.ski, &ski));
	assert_int_equal(rsa.c.key_type, KEY_RSA);
	assert_int_equal(ec.c.key_type, KEY_EC);
	assert_memory_equal(rsa.c.serial.p, "\x0a\x0b", 2);
	sweep_prefixes(peek_door, rsa.c.der.p, rsa.c.der.len, 1);
	sweep_flips(peek_door, rsa.c.der.p, rsa.c.der.len, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_verifies_for_every_digest_and_key),
		cmocka_unit_test(the_signer_may_be_named_by_subject_key_identifier),
		cmocka_unit_test(quirk27_certificates_keep_their_order),
		cmocka_unit_test(attributes_are_found_and_must_be_single),
		cmocka_unit_test(quirk52_signed_attributes_are_written_sorted),
		cmocka_unit_test(quirk32_attributes_in_another_order_verify_over_either_order),
		cmocka_unit_test(S10_the_signature_is_bound_to_the_content),
		cmocka_unit_test(a_content_type_attribute_of_another_type_is_refused),
		cmocka_unit_test(quirk33_parameters_of_algorithms_may_be_absent_or_null),
		cmocka_unit_test(R13_quirk34_algorithms_that_are_not_taken_are_named),
		cmocka_unit_test(S25_signed_data_of_the_wrong_shape_is_refused),
		cmocka_unit_test(quirk32_ber_is_taken_like_der),
		cmocka_unit_test(S25_signed_data_cut_or_changed_is_refused),
		cmocka_unit_test(certificates_are_read_as_far_as_needed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
