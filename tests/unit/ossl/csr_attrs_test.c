/*
 * csr_attrs_test.c - the attributes of a request: challenge, wished extensions, wished validity.
 */
#include "csr_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static void
quirk41_a_challenge_of_every_string_type_is_read(void **state)
{
	static const struct {
		uint8_t tag;
		const char *p;
		size_t len;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ DER_PRINTABLE, "abc+/=", 6, "abc+/=" },
		{ DER_UTF8, "Zo\xc3\xab", 4, "Zo\xc3\xab" },
		{ DER_IA5, "a@b", 3, "a@b" },
		{ DER_T61, "Zo\xeb", 3, "Zo\xc3\xab" },
		{ DER_BMP, "\0a\0b", 4, "ab" },
		{ DER_UNIVERSAL, "\0\0\0a", 4, "a" },
		{ DER_OCTET_STRING, "abc", 3, "abc" },
		{ DER_PRINTABLE, "a\r\nb\t", 5, "a\r\nb\t" },
		{ DER_PRINTABLE, " a ", 3, " a " },
		{ DER_PRINTABLE, "a\0b", 3, NULL },
		{ DER_OCTET_STRING, "\xff\xfe", 2, NULL },
		{ DER_BMP, "a", 1, NULL },
		{ DER_INTEGER, "a", 1, NULL },
		{ DER_SEQUENCE, "", 0, NULL },
	};
	struct err err = { 0 };
	const char *challenge;
	struct buf attrs, value;
	struct csr *c;
	size_t i;
	enum rc rc;

	for (i = 0; i < N(cases); i++) {
		buf_init(&attrs, 256);
		buf_init(&value, 256);
		der_add(&value, cases[i].tag, cases[i].p, cases[i].len);
		add_attr(&attrs, OID_CHALLENGE, value.data, value.len);
		rc = parse_raw(&c, &attrs, &err);
		if (rc != (cases[i].want != NULL ? RC_OK : RC_PARSE))
			fail_msg("case %zu: %s", i, err.msg);
		if (rc == RC_OK) {
			assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_ONE);
			assert_string_equal(challenge, cases[i].want);
			csr_free(c);
		}
		buf_done(&attrs);
		buf_done(&value);
	}
}

static void
quirk41_a_challenge_without_its_set_is_read(void **state)
{
	struct err err = { 0 };
	const char *challenge;
	struct buf attrs;
	struct csr *c;
	size_t seq;

	buf_init(&attrs, 256);
	seq = der_open(&attrs, DER_SEQUENCE);
	assert_true(der_add_oid(&attrs, OID_CHALLENGE));
	der_add_text(&attrs, DER_OCTET_STRING, "abc");
	der_close(&attrs, seq);
	assert_ok(parse_raw(&c, &attrs, &err), err);
	assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_ONE);
	assert_string_equal(challenge, "abc");
	csr_free(c);
	buf_done(&attrs);
}

static void
quirk40_a_blank_challenge_counts_as_none(void **state)
{
	static const char *const blanks[] = { "", " ", "\t \r\n" };
	struct err err = { 0 };
	const char *challenge;
	struct buf attrs, value;
	struct csr *c;
	size_t i;

	for (i = 0; i < N(blanks); i++) {
		buf_init(&attrs, 256);
		buf_init(&value, 256);
		der_add_text(&value, DER_PRINTABLE, blanks[i]);
		add_attr(&attrs, OID_CHALLENGE, value.data, value.len);
		assert_ok(parse_raw(&c, &attrs, &err), err);
		assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_NONE);
		csr_free(c);
		buf_done(&attrs);
		buf_done(&value);
	}
}

static void
quirk41_S03_several_challenges_are_told(void **state)
{
	struct err err = { 0 };
	const char *challenge;
	struct buf attrs, value;
	struct csr *c;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		buf_init(&attrs, 256);
		buf_init(&value, 256);
		der_add_text(&value, DER_PRINTABLE, "a");
		if (pass == 0) {
			der_add_text(&value, DER_PRINTABLE, "b"); /* two values */
		} else {
			add_attr(&attrs, OID_CHALLENGE, value.data, value.len); /* two attributes */
		}
		add_attr(&attrs, OID_CHALLENGE, value.data, value.len);
		assert_ok(parse_raw(&c, &attrs, &err), err);
		assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_SEVERAL);
		csr_free(c);
		buf_done(&attrs);
		buf_done(&value);
	}
}

static void
quirk42_S29_a_challenge_may_have_64_kib_and_no_more(void **state)
{
	struct name n = fixture_name("CN=a");
	struct csr_build b = { .subject = &n, .digest = DIGEST_SHA256 };
	char *text = malloc(LIMIT_CHALLENGE + 2);
	struct err err = { 0 };
	const char *challenge;
	struct csr *c;
	struct buf der;

	assert_non_null(text);
	memset(text, 'A', LIMIT_CHALLENGE + 1);
	text[LIMIT_CHALLENGE + 1] = '\0';
	buf_init(&der, 1 << 20);
	b.challenge = text;
	assert_ok(csr_build(&der, &b, fixture_key("ec:p256"), &err), err);
	assert_int_equal(csr_parse(&c, der.data, der.len, &err), RC_LIMIT);
	text[LIMIT_CHALLENGE] = '\0';
	buf_reset(&der);
	assert_ok(csr_build(&der, &b, fixture_key("ec:p256"), &err), err);
	assert_ok(csr_parse(&c, der.data, der.len, &err), err);
	assert_int_equal(csr_challenge0(c, &challenge), CSR_CHALLENGE_ONE);
	assert_int_equal(strlen(challenge), LIMIT_CHALLENGE);
	csr_free(c);
	free(text);
	buf_done(&der);
	name_done(&n);
}

static void
more_attributes_than_the_limit_are_refused(void **state)
{
	struct err err = { 0 };
	struct buf attrs;
	struct csr *c;
	size_t i;

	buf_init(&attrs, 1 << 12);
	for (i = 0; i < LIMIT_ATTRS; i++)
		add_attr(&attrs, "1.2.3.4", "\x05\x00", 2);
	assert_ok(parse_raw(&c, &attrs, &err), err);
	csr_free(c);
	add_attr(&attrs, "1.2.3.4", "\x05\x00", 2);
	assert_int_equal(parse_raw(&c, &attrs, &err), RC_LIMIT);
	buf_done(&attrs);
}

/* S16, S18: what must never be copied is told, not obeyed. */
static void
S16_S18_wishes_to_be_a_ca_or_another_user_are_told(void **state)
{
	static const struct {
		const char *oid;
		const char *value;
		size_t len;
		bool ca, sid;
	} cases[] = {
		{ "2.5.29.19", "\x30\x03\x01\x01\xff", 5, true, false },
		{ "2.5.29.19", "\x30\x06\x01\x01\xff\x02\x01\x00", 8, true, false },
		{ "2.5.29.19", "\x30\x00", 2, false, false },
		{ "2.5.29.15", "\x03\x02\x02\x04", 4, true, false }, /* keyCertSign */
		{ "2.5.29.15", "\x03\x02\x01\x02", 4, true, false }, /* cRLSign */
		{ "2.5.29.15", "\x03\x02\x07\x80", 4, false, false },
		{ OID_SID_EXTENSION, "\x30\x00", 2, false, true },
	};
	struct err err = { 0 };
	struct csr *c;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		assert_ok(
		    parse_with_ext(&c, cases[i].oid, cases[i].value, cases[i].len, &err), err);
		assert_int_equal(csr_wishes0(c)->wants_ca, cases[i].ca);
		assert_int_equal(csr_wishes0(c)->has_sid_extension, cases[i].sid);
		csr_free(c);
	}
}

static void
other_extensions_are_counted_and_named_only(void **state)
{
	struct err err = { 0 };
	struct buf exts;
	struct csr *c;

	buf_init(&exts, 256);
	add_ext(&exts, "2.5.29.30", "garbage", 7);
	add_ext(&exts, "1.2.3.4.5", "", 0);
	assert_ok(parse_with_exts(&c, &exts, &err), err);
	assert_int_equal(csr_wishes0(c)->n_ignored, 2);
	assert_string_equal(csr_wishes0(c)->ignored[0], "2.5.29.30");
	assert_string_equal(csr_wishes0(c)->ignored[1], "1.2.3.4.5");
	csr_free(c);
	buf_done(&exts);
}

static void
an_extension_that_is_there_twice_is_refused(void **state)
{
	struct buf exts, value, attrs;
	struct err err = { 0 };
	struct csr *c;

	buf_init(&exts, 256);
	buf_init(&value, 256);
	buf_init(&attrs, 512);
	add_ext(&exts, "2.5.29.19", "\x30\x00", 2);
	der_add(&value, DER_SEQUENCE, exts.data, exts.len);
	add_attr(&attrs, OID_EXTENSIONS, value.data, value.len);
	add_attr(&attrs, OID_MS_EXTS, value.data, value.len); /* over two attributes */
	assert_int_equal(parse_raw(&c, &attrs, &err), RC_PARSE);
	assert_non_null(strstr(err.msg, "twice"));
	add_ext(&exts, "2.5.29.19", "\x30\x00", 2); /* in one */
	assert_int_equal(parse_with_exts(&c, &exts, &err), RC_PARSE);
	assert_non_null(strstr(err.msg, "twice"));
	buf_done(&exts);
	buf_done(&value);
	buf_done(&attrs);
}

static void
the_microsoft_attribute_is_an_extension_request_too(void **state)
{
	struct buf exts, value, attrs;
	struct err err = { 0 };
	struct csr *c;

	buf_init(&exts, 256);
	buf_init(&value, 256);
	buf_init(&attrs, 512);
	add_ext(&exts, "2.5.29.15", "\x03\x02\x05\xa0", 4);
	der_add(&value, DER_SEQUENCE, exts.data, exts.len);
	add_attr(&attrs, OID_MS_EXTS, value.data, value.len);
	assert_ok(parse_raw(&c, &attrs, &err), err);
	assert_int_equal(csr_wishes0(c)->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	csr_free(c);
	buf_done(&exts);
	buf_done(&value);
	buf_done(&attrs);
}

static const struct {
	const char *p;
	size_t len;
	enum san_type type;
	const char *want; /* NULL: refused */
} alternative_names[] = {
	{ "\x81\x03"
	  "a@b",
	    5, SAN_EMAIL, "a@b" },
	{ "\x82\x03"
	  "a.b",
	    5, SAN_DNS, "a.b" },
	{ "\x86\x03"
	  "u:x",
	    5, SAN_URI, "u:x" },
	{ "\x87\x04\x0a\x00\x00\x01", 6, SAN_OTHER, "ip 10.0.0.1" },
	{ "\xa4\x02\x30\x00", 4, SAN_OTHER, "directoryName" },
	{ "\x88\x02\x2a\x03", 4, SAN_OTHER, "registeredID" },
	{ "\xa0\x12\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x04\x0c\x02"
	  "ab",
	    20, SAN_UPN, "ab" },
	{ "\xa0\x12\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x04\x1e\x02\0a", 20,
	    SAN_UPN, "a" },
	{ "\xa0\x09\x06\x02\x2a\x03\xa0\x03\x0c\x01x", 11, SAN_OTHER, "otherName 1.2.3" },
	{ "\x82\x03"
	  "a\0b",
	    5, SAN_DNS, NULL },
	{ "\x82\x02"
	  "\xc3\xa4",
	    4, SAN_DNS, NULL },
	{ "\x82\x00", 2, SAN_DNS, NULL },
	{ "\x81\x01\n", 3, SAN_EMAIL, NULL },
	{ "\x87\x03"
	  "abc",
	    5, SAN_OTHER, NULL },
	{ "\x89\x01z", 3, SAN_OTHER, NULL },
	{ "\xa2\x01z", 3, SAN_DNS, NULL },
	{ "\x16\x01z", 3, SAN_DNS, NULL },
	{ "\xa0\x12\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x04\x0c\x02"
	  "a\0",
	    20, SAN_UPN, NULL },
	{ "\xa0\x10\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x02\x0c\x00", 18, SAN_UPN,
	    NULL },
	{ "\xa0\x02\x05\x00", 4, SAN_OTHER, NULL },
};

static void
alternative_names_of_every_kind_are_read_or_described(void **state)
{
	struct err err = { 0 };
	struct buf value;
	struct csr *c;
	size_t i;
	enum rc rc;

	for (i = 0; i < N(alternative_names); i++) {
		buf_init(&value, 256);
		der_add(&value, DER_SEQUENCE, alternative_names[i].p, alternative_names[i].len);
		rc = parse_with_ext(&c, "2.5.29.17", value.data, value.len, &err);
		if (rc != (alternative_names[i].want != NULL ? RC_OK : RC_PARSE))
			fail_msg("case %zu: %s", i, rc == RC_OK ? "taken" : err.msg);
		if (rc == RC_OK) {
			assert_int_equal(csr_wishes0(c)->san.n, 1);
			assert_int_equal(csr_wishes0(c)->san.v[0].type, alternative_names[i].type);
			assert_string_equal(
			    csr_wishes0(c)->san.v[0].value, alternative_names[i].want);
			csr_free(c);
		}
		buf_done(&value);
	}
}

static void
malformed_extensions_are_refused(void **state)
{
	static const struct {
		const char *oid, *value;
		size_t len;
	} cases[] = {
		{ "2.5.29.15", "\x03\x01\x01", 3 },
		{ "2.5.29.15", "\x30\x00", 2 },
		{ "2.5.29.15", "\x03\x02\x07\x80z", 5 },
		{ "2.5.29.37", "\x30\x00", 2 },
		{ "2.5.29.37", "\x30\x02\x05\x00", 4 },
		{ "2.5.29.37", "", 0 },
		{ "2.5.29.19", "\x30\x03\x01\x01\x01", 5 },
		{ "2.5.29.19", "\x30\x02\x05\x00", 4 },
		{ "2.5.29.19", "\x30\x06\x01\x01\xff\x02\x01\xff", 8 },
		{ "2.5.29.17", "\x30\x00", 2 },
		{ "2.5.29.17", "\x30\x01\x82", 3 },
		{ "2.5.29.17", "\x31\x00", 2 },
	};
	struct csr *c;
	size_t i;

	for (i = 0; i < N(cases); i++)
		if (parse_with_ext(&c, cases[i].oid, cases[i].value, cases[i].len, NULL) !=
		    RC_PARSE)
			fail_msg("case %zu is taken", i);
}

/* BMPString of ASCII */
static void
add_bmp(struct buf *b, const char *s)
{
	size_t mark = der_open(b, DER_BMP);

	for (; *s != '\0'; s++) {
		buf_addc(b, '\0');
		buf_addc(b, *s);
	}
	der_close(b, mark);
}

static int64_t
validity_of(const char *period, const char *units, bool one_attribute)
{
	struct buf attrs, values;
	struct err err = { 0 };
	struct csr *c;
	int64_t v;
	size_t seq;

	buf_init(&attrs, 1024);
	buf_init(&values, 1024);
	seq = der_open(&values, DER_SEQUENCE);
	add_bmp(&values, "ValidityPeriod");
	add_bmp(&values, period);
	der_close(&values, seq);
	if (!one_attribute) {
		add_attr(&attrs, OID_NAME_VALUE_PAIR, values.data, values.len);
		buf_reset(&values);
	}
	seq = der_open(&values, DER_SEQUENCE);
	add_bmp(&values, "validityperiodunits");
	add_bmp(&values, units);
	der_close(&values, seq);
	add_attr(&attrs, OID_NAME_VALUE_PAIR, values.data, values.len);
	assert_ok(parse_raw(&c, &attrs, &err), err);
	v = csr_wishes0(c)->validity_seconds;
	csr_free(c);
	buf_done(&attrs);
	buf_done(&values);
	return v;
}

static void
the_wished_validity_is_read_in_either_order(void **state)
{
	static const struct {
		const char *period, *units;
		int64_t want;
	} cases[] = {
		{ "Years", "2", 2 * 365 * 86400 },
		{ "2", "Years", 2 * 365 * 86400 },
		{ "months", "6", 6 * 30 * 86400 },
		{ "Weeks", "1", 7 * 86400 },
		{ "Day", "10", 10 * 86400 },
		{ "HOURS", "12", 12 * 3600 },
		{ "Minutes", "90", 90 * 60 },
		{ "Years", "4294967295", 100LL * 365 * 86400 },
		{ "Years", "99999999999999999999", 0 },
		{ "Years", "0", 0 },
		{ "Years", "-1", 0 },
		{ "Years", "", 0 },
		{ "Fortnights", "2", 0 },
		{ "2", "3", 0 },
		{ "Years", "Years", 0 },
		{ "Years", "1.5", 0 },
	};
	size_t i;

	for (i = 0; i < N(cases); i++) {
		assert_true(validity_of(cases[i].period, cases[i].units, false) == cases[i].want);
		assert_true(validity_of(cases[i].period, cases[i].units, true) == cases[i].want);
	}
}

static void
a_nonsensical_name_value_pair_is_no_reason_to_refuse(void **state)
{
	static const struct {
		const char *p;
		size_t len;
	} cases[] = { { "\x30\x00", 2 }, { "\x05\x00", 2 }, { "\x30\x04\x1e\x02\0a", 6 },
		{ "\x30\x06\x05\x00\x1e\x02\0a", 8 },
		{ "\x30\x05\x1e\x01"
		  "a\x05\x00",
		    7 } };
	struct err err = { 0 };
	struct buf attrs;
	struct csr *c;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&attrs, 256);
		add_attr(&attrs, OID_NAME_VALUE_PAIR, cases[i].p, cases[i].len);
		assert_ok(parse_raw(&c, &attrs, &err), err);
		assert_true(csr_wishes0(c)->validity_seconds == 0);
		csr_free(c);
		buf_done(&attrs);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quirk41_a_challenge_of_every_string_type_is_read),
		cmocka_unit_test(quirk41_a_challenge_without_its_set_is_read),
		cmocka_unit_test(quirk40_a_blank_challenge_counts_as_none),
		cmocka_unit_test(quirk41_S03_several_challenges_are_told),
		cmocka_unit_test(quirk42_S29_a_challenge_may_have_64_kib_and_no_more),
		cmocka_unit_test(more_attributes_than_the_limit_are_refused),
		cmocka_unit_test(S16_S18_wishes_to_be_a_ca_or_another_user_are_told),
		cmocka_unit_test(other_extensions_are_counted_and_named_only),
		cmocka_unit_test(an_extension_that_is_there_twice_is_refused),
		cmocka_unit_test(the_microsoft_attribute_is_an_extension_request_too),
		cmocka_unit_test(alternative_names_of_every_kind_are_read_or_described),
		cmocka_unit_test(malformed_extensions_are_refused),
		cmocka_unit_test(the_wished_validity_is_read_in_either_order),
		cmocka_unit_test(a_nonsensical_name_value_pair_is_no_reason_to_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
