/*
 * csr_test.c - what a PKCS#10 request must be, and that what is built is read back.
 */
#include "csr_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* What a Windows device sends, with the fixture's key of this kind. */
static void
full_csr(struct buf *out, const char *spec, enum digest d)
{
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4" };
	struct name n = fixture_name("CN=Jane Doe,E=jane@contoso.com,O=Contoso");
	struct csr_build b = { .subject = &n,
		.challenge = "secret+/=",
		.eku = eku,
		.n_eku = 2,
		.digest = d,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.validity_period = "Months",
		.validity_units = "2" };
	struct err err = { 0 };

	assert_ok(san_list_add(&b.san, SAN_UPN, "jane@contoso.com", &err), err);
	assert_ok(san_list_add(&b.san, SAN_EMAIL, "jane@contoso.com", &err), err);
	assert_ok(san_list_add(&b.san, SAN_DNS, "pc1.contoso.com", &err), err);
	assert_ok(
	    san_list_add(&b.san, SAN_URI, "tag:microsoft.com,2022-09-14:sid:S-1-5-21", &err), err);
	assert_ok(csr_build(out, &b, fixture_key(spec), &err), err);
	san_list_done(&b.san);
	name_done(&n);
}

static void
everything_that_is_built_is_read_back(void **state)
{
	static const struct {
		const char *spec;
		enum digest digest;
	} cases[] = { { "rsa:2048", DIGEST_SHA1 }, { "rsa:2048", DIGEST_SHA256 },
		{ "rsa:2048", DIGEST_SHA384 }, { "rsa:2048", DIGEST_SHA512 },
		{ "ec:p256", DIGEST_SHA256 }, { "ec:p384", DIGEST_SHA384 },
		{ "ec:p256", DIGEST_SHA512 } };
	const struct csr_wishes *w;
	const char *challenge;
	struct err err = { 0 };
	uint8_t md[32];
	struct csr *c;
	struct buf der;
	size_t i, len;

	for (i = 0; i < N(cases); i++) {
		buf_init(&der, 1 << 16);
		full_csr(&der, cases[i].spec, cases[i].digest);
		assert_ok(csr_parse(&c, der.data, der.len, &err), err);
		assert_int_equal(csr_digest(c), cases[i].digest);
		assert_memory_equal(csr_der0(c, &len), der.data, der.len);
		assert_int_equal(len, der.len);
		assert_ok(digest_bytes(md, DIGEST_SHA256, der.data, der.len, &err), err);
		assert_memory_equal(csr_sha256(c), md, 32);
		assert_true(key_same_public(csr_key0(c), fixture_key(cases[i].spec)));
		assert_string_equal(name_get0(csr_subject0(c), "E", 0), "jane@contoso.com");
		assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_ONE);
		assert_string_equal(challenge, "secret+/=");
		w = csr_wishes0(c);
		assert_true(w->has_san && w->has_key_usage && w->has_eku);
		assert_false(w->wants_ca || w->has_sid_extension);
		assert_int_equal(w->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
		assert_int_equal(w->n_eku, 2);
		assert_string_equal(w->eku[1], "1.3.6.1.5.5.7.3.4");
		assert_int_equal(w->san.n, 4);
		assert_int_equal(w->san.v[0].type, SAN_UPN);
		assert_string_equal(w->san.v[0].value, "jane@contoso.com");
		assert_int_equal(w->san.v[3].type, SAN_URI);
		assert_true(w->validity_seconds == 60 * 86400);
		assert_int_equal(w->n_ignored, 0);
		csr_free(c);
		buf_done(&der);
	}
}

static void
a_bare_request_has_no_wishes(void **state)
{
	const struct csr_wishes *w;
	const char *challenge = "untouched";
	struct err err = { 0 };
	struct csr *c;
	struct buf attrs;
	int pass;

	buf_init(&attrs, 64);
	for (pass = 0; pass < 2; pass++) {
		/* with an empty [0], and without any */
		assert_ok(parse_raw(&c, pass == 0 ? &attrs : NULL, &err), err);
		w = csr_wishes0(c);
		assert_false(w->has_san || w->has_key_usage || w->has_eku || w->wants_ca);
		assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_NONE);
		assert_string_equal(challenge, "untouched");
		csr_free(c);
	}
	buf_done(&attrs);
}

static void
a_request_beyond_the_limit_is_refused_unread(void **state)
{
	uint8_t *p = calloc(1, LIMIT_CSR + 1);
	struct csr *c;

	assert_non_null(p);
	assert_int_equal(csr_parse(&c, p, LIMIT_CSR + 1, NULL), RC_LIMIT);
	assert_int_equal(csr_parse(&c, p, LIMIT_CSR, NULL), RC_PARSE);
	assert_int_equal(csr_parse(&c, NULL, 0, NULL), RC_PARSE);
	free(p);
}

static void
S12_signatures_are_checked_against_the_key_inside(void **state)
{
	struct err err = { 0 };
	struct buf der;
	struct csr *c;
	size_t len;
	const uint8_t *good = key_spki0(fixture_key("rsa:2048"), &len), *at;
	const uint8_t *other = key_spki0(fixture_other_key("rsa:2048"), &len);

	buf_init(&der, 1 << 16);
	full_csr(&der, "rsa:2048", DIGEST_SHA256);
	at = memmem(der.data, der.len, good, len);
	assert_non_null(at);
	memcpy(der.data + (at - der.data), other, len);
	assert_int_equal(csr_parse(&c, der.data, der.len, &err), RC_INTEGRITY);
	buf_done(&der);
}

static void
a_known_key_is_shared_only_when_it_is_the_one_inside(void **state)
{
	struct key *same = fixture_key("ec:p256"), *other = fixture_other_key("ec:p256");
	struct err err = { 0 };
	struct buf der;
	struct csr *c;

	buf_init(&der, 1 << 16);
	full_csr(&der, "ec:p256", DIGEST_SHA256);
	assert_ok(csr_parse_known(&c, der.data, der.len, same, &err), err);
	assert_ptr_equal(csr_key0(c), same);
	csr_free(c);
	assert_ok(csr_parse_known(&c, der.data, der.len, other, &err), err);
	assert_true(key_same_public(csr_key0(c), same));
	csr_free(c);
	der.data[der.len - 1] ^= 1;
	assert_int_equal(csr_parse_known(&c, der.data, der.len, same, &err), RC_INTEGRITY);
	buf_done(&der);
}

static void
R13_S30_signature_algorithms_off_the_list_are_named(void **state)
{
	static const struct {
		const char *oid, *word;
		enum rc want;
	} cases[] = {
		{ "1.2.840.113549.1.1.4", "md5WithRSAEncryption", RC_ALG },
		{ "1.2.840.10045.4.1", "ecdsa-with-SHA1", RC_ALG },
		{ "1.2.840.113549.1.1.10", "RSASSA-PSS", RC_ALG },
		{ "1.2.3.4", "1.2.3.4", RC_ALG },
		{ "1.2.840.113549.1.1.11", "does not fit", RC_ALG }, /* RSA over an EC key */
		{ "1.2.840.10045.4.3.3", "not signed", RC_INTEGRITY },
	};
	struct err err = { 0 };
	struct buf der;
	struct csr *c;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&der, 1 << 12);
		raw_csr(&der, NULL, 0, cases[i].oid);
		assert_int_equal(csr_parse(&c, der.data, der.len, &err), cases[i].want);
		if (strstr(err.msg, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].oid, err.msg);
		buf_done(&der);
	}
}

static void
rsa_signature_parameters_may_be_absent(void **state)
{
	static const uint8_t with[] =
	    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
	static const uint8_t without[] = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
	struct der in, body;
	struct err err = { 0 };
	struct buf der, out;
	struct csr *c;
	const uint8_t *at;
	size_t mark;

	buf_init(&der, 1 << 16);
	buf_init(&out, 1 << 16);
	full_csr(&der, "rsa:2048", DIGEST_SHA256);
	in = (struct der){ der.data, der.len };
	assert_true(der_take(&in, DER_SEQUENCE, &body));
	at = memmem(body.p, body.len, with, sizeof with - 1);
	assert_non_null(at);
	mark = der_open(&out, DER_SEQUENCE);
	buf_add(&out, body.p, (size_t)(at - body.p));
	buf_add(&out, without, sizeof without - 1);
	at += sizeof with - 1;
	buf_add(&out, at, (size_t)(body.p + body.len - at));
	der_close(&out, mark);
	assert_ok(csr_parse(&c, out.data, out.len, &err), err);
	csr_free(c);
	buf_done(&der);
	buf_done(&out);
}

static void
quirk43_another_version_is_refused(void **state)
{
	struct err err = { 0 };
	struct buf der;
	struct csr *c;

	buf_init(&der, 1 << 12);
	raw_csr(&der, NULL, 1, "1.2.840.10045.4.3.2");
	assert_int_equal(csr_parse(&c, der.data, der.len, &err), RC_PARSE);
	buf_done(&der);
}

static enum rc
door(const void *p, size_t len)
{
	struct csr *c;
	enum rc rc = csr_parse(&c, p, len, NULL);

	if (rc == RC_OK)
		csr_free(c);
	return rc;
}

static void
no_prefix_and_no_changed_bit_is_taken(void **state)
{
	static const char *const specs[] = { "rsa:2048", "ec:p256" };
	struct buf der;
	size_t i;

	for (i = 0; i < N(specs); i++) {
		buf_init(&der, 1 << 16);
		full_csr(&der, specs[i], DIGEST_SHA256);
		sweep_prefixes(door, der.data, der.len, 1);
		assert_int_equal(sweep_flips(door, der.data, der.len, 1), 0);
		buf_addc(&der, '\0');
		assert_int_equal(door(der.data, der.len), RC_PARSE);
		buf_done(&der);
	}
}

static void
what_cannot_be_encoded_is_not_built(void **state)
{
	static const char *const bad_eku[] = { "not an oid" };
	struct san other = { SAN_OTHER, (char *)"ip 1.2.3.4" },
		   dns = { SAN_DNS, (char *)"\xc3\xa4.de" }, empty = { SAN_URI, (char *)"" };
	struct name n = fixture_name("CN=a");
	const struct csr_build bad[] = {
		{ .subject = &n, .digest = DIGEST_SHA256, .eku = bad_eku, .n_eku = 1 },
		{ .subject = &n, .digest = DIGEST_SHA256, .san = { &other, 1 } },
		{ .subject = &n, .digest = DIGEST_SHA256, .san = { &dns, 1 } },
		{ .subject = &n, .digest = DIGEST_SHA256, .san = { &empty, 1 } },
		{ .subject = &n, .digest = DIGEST_SHA256, .challenge = "\xff" },
		{ .subject = &n, .digest = DIGEST_SHA256, .extra_ext_oid = "x" },
		{ .subject = &n, .digest = DIGEST_SHA256, .validity_period = "\xc3\xa4" },
		{ .subject = &n, .digest = DIGEST_NONE },
		{ .subject = &n, .digest = DIGEST_SHA1 }, /* no ecdsa-with-SHA1 */
	};
	struct err err = { 0 };
	struct buf der;
	size_t i;

	buf_init(&der, 1 << 12);
	for (i = 0; i < N(bad); i++)
		if (csr_build(&der, &bad[i], fixture_key("ec:p256"), &err) == RC_OK)
			fail_msg("case %zu is built", i);
	assert_int_equal(der.len, 0);
	buf_done(&der);
	name_done(&n);
}

static void
a_hostile_extension_can_be_rehearsed(void **state)
{
	struct name n = fixture_name("CN=a");
	struct csr_build b = { .subject = &n,
		.digest = DIGEST_SHA256,
		.extra_ext_oid = "2.5.29.19",
		.extra_ext = (const uint8_t *)"\x30\x03\x01\x01\xff",
		.extra_ext_len = 5 };
	struct err err = { 0 };
	struct buf der;
	struct csr *c;

	buf_init(&der, 1 << 12);
	assert_ok(csr_build(&der, &b, fixture_key("ec:p256"), &err), err);
	assert_ok(csr_parse(&c, der.data, der.len, &err), err);
	assert_true(csr_wishes0(c)->wants_ca);
	csr_free(c);
	buf_done(&der);
	name_done(&n);
}

static void
openssl_reads_and_verifies_what_is_built(void **state)
{
	struct buf der, out;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&der, 1 << 16);
	buf_init(&out, 1 << 16);
	full_csr(&der, "rsa:2048", DIGEST_SHA256);
	dir_put(&d, "csr", der.data, der.len, 0600);
	assert_int_equal(
	    dir_run(&d, &out, "openssl req -in csr -inform DER -verify -noout -text"), 0);
	assert_non_null(strstr(buf_str(&out), "verify OK"));
	assert_non_null(strstr(buf_str(&out), "secret+/="));
	assert_non_null(strstr(buf_str(&out), "DNS:pc1.contoso.com"));
	assert_non_null(strstr(buf_str(&out), "email:jane@contoso.com"));
	assert_non_null(strstr(buf_str(&out), "Digital Signature, Key Encipherment"));
	buf_done(&der);
	buf_done(&out);
	dir_done(&d);
}

static void
requests_of_openssl_are_read(void **state)
{
	static const char *const cmds[] = {
		"openssl req -new -newkey rsa:2048 -nodes -keyout k -subj '/C=US/CN=x' -addext "
		"'subjectAltName=DNS:x' -outform DER -out csr",
		"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -nodes "
		"-keyout k -subj '/CN=x' -outform DER -out csr",
		"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-521 -sha512 -nodes "
		"-keyout k -subj '/CN=x' -outform DER -out csr",
		"openssl req -new -newkey rsa:1024 -sha1 -nodes -keyout k -subj '/CN=x' -outform "
		"DER -out csr",
	};
	struct err err = { 0 };
	struct buf der;
	struct csr *c;
	struct dir d;
	size_t i;

	dir_make_temp(&d);
	for (i = 0; i < N(cmds); i++) {
		assert_int_equal(dir_run(&d, NULL, cmds[i]), 0);
		buf_init(&der, 1 << 16);
		dir_get(&d, "csr", &der);
		assert_ok(csr_parse(&c, der.data, der.len, &err), err);
		assert_string_equal(name_get0(csr_subject0(c), "CN", 0), "x");
		csr_free(c);
		buf_done(&der);
	}
	assert_int_equal(dir_run(&d, NULL,
			     "openssl req -new -md5 -newkey rsa:2048 -nodes -keyout k -subj "
			     "'/CN=x' -outform DER -out csr"),
	    0);
	buf_init(&der, 1 << 16);
	dir_get(&d, "csr", &der);
	assert_int_equal(csr_parse(&c, der.data, der.len, &err), RC_ALG);
	assert_non_null(strstr(err.msg, "md5"));
	buf_done(&der);
	dir_done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_built_is_read_back),
		cmocka_unit_test(a_bare_request_has_no_wishes),
		cmocka_unit_test(a_request_beyond_the_limit_is_refused_unread),
		cmocka_unit_test(S12_signatures_are_checked_against_the_key_inside),
		cmocka_unit_test(a_known_key_is_shared_only_when_it_is_the_one_inside),
		cmocka_unit_test(R13_S30_signature_algorithms_off_the_list_are_named),
		cmocka_unit_test(rsa_signature_parameters_may_be_absent),
		cmocka_unit_test(quirk43_another_version_is_refused),
		cmocka_unit_test(no_prefix_and_no_changed_bit_is_taken),
		cmocka_unit_test(what_cannot_be_encoded_is_not_built),
		cmocka_unit_test(a_hostile_extension_can_be_rehearsed),
		cmocka_unit_test(openssl_reads_and_verifies_what_is_built),
		cmocka_unit_test(requests_of_openssl_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
