/*
 * cms_test.c - SignedData proves what it should, EnvelopedData opens for its recipient, and the
 * doors refuse what they must before any key is used.
 */
#include "cms_kit.h"

#include <stdlib.h>
#include <string.h>

static struct actor rsa, other, ec;
static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
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

/* ---- SignedData ---------------------------------------------------------------------------------
 */

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
certificates_keep_their_order(void **state)
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
signed_attributes_are_written_sorted(void **state)
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
attributes_in_another_order_verify_over_either_order(void **state)
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
the_signature_is_bound_to_the_content(void **state)
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
parameters_of_algorithms_may_be_absent_or_null(void **state)
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
algorithms_that_are_not_taken_are_named(void **state)
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
signed_data_of_the_wrong_shape_is_refused(void **state)
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
ber_is_taken_like_der(void **state)
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
signed_data_cut_or_changed_is_refused(void **state)
{
	struct buf b = sign(&rsa, BYTES("x"), DIGEST_SHA256, NULL, 0);

	sweep_prefixes(signed_door, b.data, b.len, 1);
	/* What may change unseen: versions, the set of digests, the certificate but for its key,
	 * NULL. */
	sweep_flips(signed_door, b.data, b.len, 1);
	buf_done(&b);
}

/* ---- EnvelopedData
 * ------------------------------------------------------------------------------- */

static enum rc
open_with(
    struct buf *plain, const struct cms_enveloped *e, const struct actor *who, struct err *err)
{
	uint8_t cek[CEK_SIZE_MAX];
	size_t i, len = cipher_key_size(cms_enveloped_cipher(e));
	struct der wrapped;
	enum rc rc;

	assert_int_equal(cms_enveloped_match(e, &who->c, &i), CMS_MATCH_EXACT);
	wrapped = cms_enveloped_key0(e, i);
	if ((rc = key_unwrap(cek, len, who->key, cms_enveloped_transport0(e, i), wrapped.p,
		 wrapped.len, err)) != RC_OK)
		return rc;
	return cms_enveloped_open(plain, e, cek, len, err);
}

static void
assert_opens(const struct buf *b, const struct actor *who, struct der want)
{
	struct cms_enveloped *e;
	struct buf plain = new_buf();
	struct err err = { 0 };

	assert_ok(cms_enveloped_parse(&e, b->data, b->len, &err), err);
	assert_ok(open_with(&plain, e, who, &err), err);
	assert_int_equal(plain.len, want.len);
	if (want.len > 0)
		assert_memory_equal(plain.data, want.p, want.len);
	buf_done(&plain);
	cms_enveloped_free(e);
}

static void
what_is_enveloped_opens_for_every_cipher_and_transport(void **state)
{
	static const struct transport transports[] = {
		{ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE },
		{ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 },
		{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 },
		{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 },
		{ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA384 },
		{ TRANSPORT_OAEP, DIGEST_SHA512, DIGEST_SHA512 },
	};
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096 };
	static const uint8_t content[4096] = { 1, 2, 3 };
	struct cms_enveloped *e;
	struct err err = { 0 };
	struct buf b;
	size_t t, s = 0;
	int c;

	for (c = CIPHER_DES3; c < CIPHER__MAX; c++) {
		for (t = 0; t < N(transports); t++, s++) {
			struct der plain = { content, sizes[s % N(sizes)] };
			b = envelop(&rsa, plain, (enum cipher)c, transports[t], s % 2);
			assert_ok(cms_enveloped_parse(&e, b.data, b.len, &err), err);
			assert_int_equal(cms_enveloped_cipher(e), c);
			assert_memory_equal(
			    cms_enveloped_transport0(e, 0), &transports[t], sizeof(transports[t]));
			cms_enveloped_free(e);
			assert_opens(&b, &rsa, plain);
			buf_done(&b);
		}
	}
}

static void
every_one_of_several_recipients_can_open(void **state)
{
	struct cms_recipient to[] = { { .cert = &rsa.c, .transport = v15 },
		{ .cert = &other.c,
		    .by_ski = true,
		    .transport = { TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 } } };
	struct cms_enveloped_build build = { .content = BYTES("for two"),
		.cipher = CIPHER_AES128,
		.recipients = to,
		.n_recipients = 2 };
	struct buf b = new_buf();
	struct err err = { 0 };

	assert_ok(cms_enveloped_build(&b, &build, &err), err);
	assert_opens(&b, &rsa, build.content);
	assert_opens(&b, &other, build.content);
	to[0].cert = &ec.c;
	assert_int_equal(cms_enveloped_build(&b, &build, &err), RC_ALG);
	buf_done(&b);
}

static void
recipients_match_exactly_or_by_issuer_when_alone(void **state)
{
	struct actor renewed, renamed;
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false);
	struct buf ski = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, true);
	struct cms_enveloped *e, *f;
	struct err err = { 0 };
	size_t i = 99;

	actor_make(&renewed, "Device", "rsa:2048", 0, "0A0C");
	actor_make(&renamed, "Somebody", "rsa:2048", 0, "0A0B");
	assert_ok(cms_enveloped_parse(&e, b.data, b.len, &err), err);
	assert_ok(cms_enveloped_parse(&f, ski.data, ski.len, &err), err);
	assert_int_equal(cms_enveloped_match(e, &other.c, &i), CMS_MATCH_NONE);
	assert_int_equal(cms_enveloped_match(e, &renamed.c, &i), CMS_MATCH_NONE);
	assert_int_equal(i, 99);
	assert_int_equal(cms_enveloped_match(e, &rsa.c, &i), CMS_MATCH_EXACT);
	assert_int_equal(cms_enveloped_match(e, &renewed.c, &i), CMS_MATCH_ISSUER);
	assert_int_equal(i, 0);
	/* The same key has the same identifier, whatever the certificate says. */
	assert_int_equal(cms_enveloped_match(f, &renamed.c, &i), CMS_MATCH_EXACT);
	assert_int_equal(cms_enveloped_match(f, &other.c, &i), CMS_MATCH_NONE);
	cms_enveloped_free(e);
	cms_enveloped_free(f);
	actor_done(&renewed);
	actor_done(&renamed);
	buf_done(&b);
	buf_done(&ski);
}

/* The issuer of the lone recipient as UTF8String where the certificate has PrintableString, or the
 * reverse. */
static void
an_issuer_in_another_string_type_is_the_same(void **state)
{
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false);
	struct cms_enveloped *e;
	struct err err = { 0 };
	uint8_t *cn = memmem(b.data, b.len, "\x06\x03\x55\x04\x03", 5);
	size_t i;

	assert_non_null(cn);
	assert_true(cn[5] == DER_UTF8 || cn[5] == DER_PRINTABLE);
	cn[5] = cn[5] == DER_UTF8 ? DER_PRINTABLE : DER_UTF8;
	assert_ok(cms_enveloped_parse(&e, b.data, b.len, &err), err);
	assert_int_equal(cms_enveloped_match(e, &rsa.c, &i), CMS_MATCH_EXACT);
	cms_enveloped_free(e);
	buf_done(&b);
}

static void
every_failure_to_open_says_the_same(void **state)
{
	static const uint8_t plain[64];
	struct buf b = envelop(&rsa, (struct der){ plain, 64 }, CIPHER_AES128, v15, false), out;
	uint8_t cek[CEK_SIZE_MAX] = { 0 };
	struct cms_enveloped *e;
	struct err err = { 0 };
	size_t i, failures = 0;

	assert_ok(cms_enveloped_parse(&e, b.data, b.len, &err), err);
	for (i = 0; i < 64; i++) {
		cek[0] = (uint8_t)i;
		out = new_buf();
		if (cms_enveloped_open(&out, e, cek, 16, &err) == RC_OK) {
			buf_done(&out);
			continue; /* one wrong key in 256 has right padding */
		}
		failures++;
		assert_int_equal(err.rc, RC_INTEGRITY);
		assert_string_equal(err.msg, CMS_OPEN_FAILED);
		assert_int_equal(out.len, 0);
		buf_done(&out);
	}
	assert_true(failures > 50);
	out = new_buf();
	assert_int_equal(cms_enveloped_open(&out, e, cek, 24, &err), RC_BUG);
	cms_enveloped_free(e);
	buf_done(&b);
}

static enum rc
enveloped_door(const void *p, size_t len)
{
	struct cms_enveloped *e = NULL;
	enum rc rc = cms_enveloped_parse(&e, p, len, NULL);

	cms_enveloped_free(e);
	return rc;
}

static enum rc
put_and_parse(const struct enveloped_parts *p, char msg[static ERR_MSG_MAX])
{
	struct buf b = enveloped_put_together(p);
	struct cms_enveloped *e = NULL;
	struct err err = { 0 };
	enum rc rc = cms_enveloped_parse(&e, b.data, b.len, &err);

	memcpy(msg, err.msg, ERR_MSG_MAX);
	cms_enveloped_free(e);
	buf_done(&b);
	return rc;
}

static void
other_kinds_of_recipient_are_refused_by_name(void **state)
{
	static const struct {
		uint8_t tag;
		const char *name;
	} kinds[] = { { 0xa1, "KeyAgree" }, { 0xa2, "KEK" }, { 0xa3, "Password" },
		{ 0xa4, "Other" } };
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false), two = new_buf();
	struct enveloped_parts p, q;
	char msg[ERR_MSG_MAX];
	size_t i;

	enveloped_take_apart(&p, &b);
	for (i = 0; i < N(kinds); i++) {
		buf_reset(&two);
		buf_add(&two, p.recipients.p, p.recipients.len);
		buf_add(&two, p.recipients.p, p.recipients.len);
		two.data[p.recipients.len] = kinds[i].tag; /* also beside a good one */
		q = p, q.recipients = der_of(&two);
		assert_int_equal(put_and_parse(&q, msg), RC_ALG);
		assert_non_null(strstr(msg, kinds[i].name));
		q.recipients.p += p.recipients.len, q.recipients.len = p.recipients.len;
		assert_int_equal(put_and_parse(&q, msg), RC_ALG);
	}
	two.data[p.recipients.len] = 0xa5;
	assert_int_equal(put_and_parse(&q, msg), RC_PARSE);
	buf_reset(&two);
	for (i = 0; i <= LIMIT_RECIPIENTS; i++)
		buf_add(&two, p.recipients.p, p.recipients.len);
	q.recipients = der_of(&two);
	assert_int_equal(put_and_parse(&q, msg), RC_LIMIT);
	q.recipients = (struct der){ two.data, 0 };
	assert_int_equal(put_and_parse(&q, msg), RC_PARSE);
	buf_done(&two);
	buf_done(&b);
}

static void
content_that_is_no_whole_blocks_is_refused(void **state)
{
	static const struct der wrong[] = { { 0 }, BYTES("\x80\x00"), BYTES("\x80\x01x"),
		BYTES("\x80\x0f"
		      "012345678901234"),
		BYTES("\x80\x11"
		      "01234567890123456"),
		BYTES("\xa0\x00"), BYTES("\xa0\x02\x04\x00"), BYTES("\xa0\x02\x05\x00"),
		BYTES("\x04\x10"
		      "0123456789012345"),
		BYTES("\x80\x10"
		      "0123456789012345\x05\x00") };
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false);
	struct enveloped_parts p;
	char msg[ERR_MSG_MAX];
	size_t i;

	enveloped_take_apart(&p, &b);
	for (i = 0; i < N(wrong); i++) {
		p.encrypted = wrong[i];
		if (put_and_parse(&p, msg) != RC_PARSE)
			fail_msg("case %zu: %s", i, msg);
	}
	p.encrypted = BYTES("\xa0\x14\x04\x08"
			    "01234567\x04\x08"
			    "89abcdef");
	assert_int_equal(put_and_parse(&p, msg), RC_OK);
	buf_done(&b);
}

static void
ciphers_that_are_not_taken_are_named(void **state)
{
	static const struct {
		const char *oid;
		struct der params;
		enum rc rc;
		const char *label;
	} cases[] = {
		{ "1.3.14.3.2.7",
		    BYTES("\x04\x08"
			  "01234567"),
		    RC_ALG, "DES-CBC" },
		{ "1.2.840.113549.3.2",
		    BYTES("\x30\x0d\x02\x01\x3a\x04\x08"
			  "01234567"),
		    RC_ALG, "RC2" },
		{ "1.2.840.113549.3.4", BYTES("\x05\x00"), RC_ALG, "RC4" },
		{ "2.16.840.1.101.3.4.1.6", BYTES("\x30\x00"), RC_ALG, "GCM" },
		{ "2.16.840.1.101.3.4.1.2",
		    BYTES("\x04\x08"
			  "01234567"),
		    RC_PARSE, "IV" },
		{ "2.16.840.1.101.3.4.1.2", { 0 }, RC_PARSE, "IV" },
		{ "2.16.840.1.101.3.4.1.2", BYTES("\x05\x00"), RC_PARSE, "IV" },
		{ "1.2.840.113549.3.7",
		    BYTES("\x04\x10"
			  "0123456789012345"),
		    RC_PARSE, "IV" },
	};
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false), alg;
	struct enveloped_parts p;
	char msg[ERR_MSG_MAX];
	size_t i;

	enveloped_take_apart(&p, &b);
	for (i = 0; i < N(cases); i++) {
		alg = alg_der(cases[i].oid, cases[i].params);
		p.alg = der_of(&alg);
		assert_int_equal(put_and_parse(&p, msg), cases[i].rc);
		assert_non_null(strstr(msg, cases[i].label));
		buf_done(&alg);
	}
	buf_done(&b);
}

/* The recipient of `b` with another keyEncryptionAlgorithm. */
static struct buf
with_transport(struct der recipients, const struct buf *alg)
{
	struct buf out = new_buf();
	struct der in, version, id, old, key;
	size_t mark = der_open(&out, DER_SEQUENCE);

	assert_true(der_take(&recipients, DER_SEQUENCE, &in) &&
	    der_take_whole(&in, DER_INTEGER, &version) && der_take_whole(&in, DER_SEQUENCE, &id) &&
	    der_take_whole(&in, DER_SEQUENCE, &old) && der_take_whole(&in, DER_OCTET_STRING, &key));
	buf_add(&out, version.p, version.len);
	buf_add(&out, id.p, id.len);
	buf_add(&out, alg->data, alg->len);
	buf_add(&out, key.p, key.len);
	der_close(&out, mark);
	return out;
}

static void
key_transports_are_read_and_others_refused(void **state)
{
#define OAEP      "1.2.840.113549.1.1.7"
#define SHA256_ID "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define MD5_ID    "\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05"
#define MGF1_ID   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define PSRC_ID   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09"
	static const struct {
		const char *oid;
		struct der params;
		enum rc rc;
		enum digest oaep, mgf1;
	} cases[] = {
		{ "1.2.840.113549.1.1.1", { 0 }, RC_OK, DIGEST_NONE, DIGEST_NONE },
		{ "1.2.840.113549.1.1.1", BYTES("\x05\x00"), RC_OK, DIGEST_NONE, DIGEST_NONE },
		{ "1.2.840.113549.1.1.1", BYTES("\x30\x00"), RC_PARSE },
		{ OAEP, { 0 }, RC_OK, DIGEST_SHA1, DIGEST_SHA1 },
		{ OAEP, BYTES("\x30\x00"), RC_OK, DIGEST_SHA1, DIGEST_SHA1 },
		{ OAEP, BYTES("\x30\x0f\xa0\x0d\x30\x0b" SHA256_ID), RC_OK, DIGEST_SHA256,
		    DIGEST_SHA1 },
		{ OAEP, BYTES("\x30\x11\xa0\x0f\x30\x0d" SHA256_ID "\x05\x00"), RC_OK,
		    DIGEST_SHA256, DIGEST_SHA1 },
		{ OAEP, BYTES("\x30\x1c\xa1\x1a\x30\x18" MGF1_ID "\x30\x0b" SHA256_ID), RC_OK,
		    DIGEST_SHA1, DIGEST_SHA256 },
		{ OAEP, BYTES("\x30\x11\xa2\x0f\x30\x0d" PSRC_ID "\x04\x00"), RC_OK, DIGEST_SHA1,
		    DIGEST_SHA1 },
		{ OAEP, BYTES("\x30\x12\xa2\x10\x30\x0e" PSRC_ID "\x04\x01z"), RC_ALG },
		{ OAEP, BYTES("\x30\x0e\xa0\x0c\x30\x0a" MD5_ID), RC_ALG },
		{ OAEP, BYTES("\x30\x0f\xa1\x0d\x30\x0b" SHA256_ID), RC_ALG },
		{ OAEP, BYTES("\x30\x02\xa3\x00"), RC_PARSE },
		{ OAEP, BYTES("\x04\x00"), RC_PARSE },
		{ "1.2.840.10045.2.1", { 0 }, RC_ALG },
	};
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false), alg, to, out;
	struct enveloped_parts p, q;
	struct cms_enveloped *e;
	const struct transport *t;
	struct err err = { 0 };
	size_t i;

	enveloped_take_apart(&p, &b);
	for (i = 0; i < N(cases); i++) {
		alg = alg_der(cases[i].oid, cases[i].params);
		to = with_transport(p.recipients, &alg);
		q = p, q.recipients = der_of(&to);
		out = enveloped_put_together(&q);
		if (cms_enveloped_parse(&e, out.data, out.len, &err) != cases[i].rc)
			fail_msg("case %zu: %s", i, err.msg);
		if (cases[i].rc == RC_OK) {
			t = cms_enveloped_transport0(e, 0);
			assert_int_equal(t->oaep_digest, cases[i].oaep);
			assert_int_equal(t->mgf1_digest, cases[i].mgf1);
			cms_enveloped_free(e);
		}
		buf_done(&out);
		buf_done(&to);
		buf_done(&alg);
	}
	buf_done(&b);
}

static void
other_content_types_are_refused_by_name(void **state)
{
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false);
	struct cms_signed *s = NULL;
	struct enveloped_parts p;
	char msg[ERR_MSG_MAX];
	struct err err = { 0 };

	enveloped_take_apart(&p, &b);
	p.oid = "1.2.840.113549.1.9.16.1.23";
	assert_int_equal(put_and_parse(&p, msg), RC_ALG);
	assert_non_null(strstr(msg, "AuthEnvelopedData"));
	p.oid = OID_SIGNED_DATA;
	assert_int_equal(put_and_parse(&p, msg), RC_PARSE);
	assert_non_null(strstr(msg, "SignedData instead of EnvelopedData"));
	assert_int_equal(parse_signed(&b, &s, &err), RC_PARSE);
	assert_int_equal(enveloped_door(rsa.c.der.p, rsa.c.der.len), RC_PARSE);
	assert_int_equal(enveloped_door("", 0), RC_PARSE);
	buf_done(&b);
}

static void
enveloped_data_cut_or_changed_is_refused_or_harmless(void **state)
{
	struct buf b = envelop(&rsa, BYTES("x"), CIPHER_AES128, v15, false);
	struct buf ber = to_ber(der_of(&b), 7);

	assert_int_equal(enveloped_door(ber.data, ber.len), RC_OK);
	sweep_prefixes(enveloped_door, b.data, b.len, 1);
	sweep_flips(enveloped_door, b.data, b.len, 1);
	sweep_prefixes(enveloped_door, ber.data, ber.len, 1);
	buf_done(&ber);
	buf_done(&b);
}

/* ---- certificates -------------------------------------------------------------------------------
 */

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
		cmocka_unit_test(certificates_keep_their_order),
		cmocka_unit_test(attributes_are_found_and_must_be_single),
		cmocka_unit_test(signed_attributes_are_written_sorted),
		cmocka_unit_test(attributes_in_another_order_verify_over_either_order),
		cmocka_unit_test(the_signature_is_bound_to_the_content),
		cmocka_unit_test(a_content_type_attribute_of_another_type_is_refused),
		cmocka_unit_test(parameters_of_algorithms_may_be_absent_or_null),
		cmocka_unit_test(algorithms_that_are_not_taken_are_named),
		cmocka_unit_test(signed_data_of_the_wrong_shape_is_refused),
		cmocka_unit_test(ber_is_taken_like_der),
		cmocka_unit_test(signed_data_cut_or_changed_is_refused),
		cmocka_unit_test(what_is_enveloped_opens_for_every_cipher_and_transport),
		cmocka_unit_test(every_one_of_several_recipients_can_open),
		cmocka_unit_test(recipients_match_exactly_or_by_issuer_when_alone),
		cmocka_unit_test(an_issuer_in_another_string_type_is_the_same),
		cmocka_unit_test(every_failure_to_open_says_the_same),
		cmocka_unit_test(other_kinds_of_recipient_are_refused_by_name),
		cmocka_unit_test(content_that_is_no_whole_blocks_is_refused),
		cmocka_unit_test(ciphers_that_are_not_taken_are_named),
		cmocka_unit_test(key_transports_are_read_and_others_refused),
		cmocka_unit_test(other_content_types_are_refused_by_name),
		cmocka_unit_test(enveloped_data_cut_or_changed_is_refused_or_harmless),
		cmocka_unit_test(certificates_are_read_as_far_as_needed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
