/*
 * cms_enveloped_test.c - EnvelopedData opens for its recipient, and the door refuses what it must
 * before any key is used.
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
quirk35_recipients_match_exactly_or_by_issuer_when_alone(void **state)
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
quirk35_an_issuer_in_another_string_type_is_the_same(void **state)
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
S24_every_failure_to_open_says_the_same(void **state)
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
S27_S29_other_kinds_of_recipient_are_refused_by_name(void **state)
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
S25_content_that_is_no_whole_blocks_is_refused(void **state)
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
R13_quirk33_ciphers_that_are_not_taken_are_named(void **state)
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
quirk31_key_transports_are_read_and_others_refused(void **state)
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
S27_other_content_types_are_refused_by_name(void **state)
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
	assert_int_equal(cms_signed_parse(&s, b.data, b.len, &err), RC_PARSE);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_enveloped_opens_for_every_cipher_and_transport),
		cmocka_unit_test(every_one_of_several_recipients_can_open),
		cmocka_unit_test(quirk35_recipients_match_exactly_or_by_issuer_when_alone),
		cmocka_unit_test(quirk35_an_issuer_in_another_string_type_is_the_same),
		cmocka_unit_test(S24_every_failure_to_open_says_the_same),
		cmocka_unit_test(S27_S29_other_kinds_of_recipient_are_refused_by_name),
		cmocka_unit_test(S25_content_that_is_no_whole_blocks_is_refused),
		cmocka_unit_test(R13_quirk33_ciphers_that_are_not_taken_are_named),
		cmocka_unit_test(quirk31_key_transports_are_read_and_others_refused),
		cmocka_unit_test(S27_other_content_types_are_refused_by_name),
		cmocka_unit_test(enveloped_data_cut_or_changed_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
