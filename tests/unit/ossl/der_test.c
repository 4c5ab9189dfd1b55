/*
 * der_test.c - the DER reader takes DER and nothing else; the writer writes it.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/der_text.h"

struct bytes {
	const char *p;
	size_t len;
};
#define B(s)                                                                                       \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

static struct der
slice(const struct bytes *b)
{
	return (struct der){ (const uint8_t *)b->p, b->len };
}

static void
elements_that_are_not_der_are_refused(void **state)
{
	static const struct bytes bad[] = {
		B(""),
		B("\x30"),
		B("\x30\x01"),
		B("\x30\x80\x00\x00"), /* indefinite */
		B("\x04\x81\x01z"),    /* long form for a short length */
		B("\x04\x82\x00\x80"), /* leading zero in the length */
		B("\x1f\x81\x01\x00"),
		B("\xbf\x20\x00"), /* high tag numbers */
		B("\x04\x84\xff\xff\xff\xff"),
		B("\x04\x85\x00\x00\x00\x00\x00"),
		B("\x04\x89"),
		B("\x04\xff"),
		B("\x04\x02z"),
	};
	struct der in, body;
	uint8_t tag;
	size_t i;

	for (i = 0; i < N(bad); i++) {
		in = slice(&bad[i]);
		if (der_any(&in, &tag, &body, NULL))
			fail_msg("case %zu is taken", i);
		assert_int_equal(in.len, bad[i].len);
	}
}

static void
a_length_with_a_leading_zero_is_refused(void **state)
{
	uint8_t der[4 + 0x80] = { DER_OCTET_STRING, 0x82, 0x00, 0x80 };
	struct der in = { der, sizeof der }, body;

	assert_false(der_take(&in, DER_OCTET_STRING, &body));
}

static void
an_element_is_taken_only_by_its_tag(void **state)
{
	const struct bytes two = B("\x04\x01z\x05\x00");
	struct der in = slice(&two), body, whole;

	assert_false(der_take(&in, DER_NULL, &body));
	assert_true(der_take_whole(&in, DER_OCTET_STRING, &whole));
	assert_int_equal(whole.len, 3);
	assert_true(der_take(&in, DER_NULL, &body));
	assert_int_equal(in.len, 0);
	assert_false(der_take(&in, DER_NULL, &body));
}

static void
lengths_of_every_form_come_back(void **state)
{
	static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 100000 };
	struct der in, body;
	struct buf b;
	size_t i, mark;

	for (i = 0; i < N(lens); i++) {
		buf_init(&b, 1 << 20);
		mark = der_open(&b, DER_SEQUENCE);
		memset(lens[i] > 0 ? buf_grow(&b, lens[i]) : (uint8_t[1]){ 0 }, 'x',
		    lens[i] > 0 ? lens[i] : 1);
		der_close(&b, mark);
		in = (struct der){ b.data, b.len };
		assert_true(der_take(&in, DER_SEQUENCE, &body));
		assert_int_equal(body.len, lens[i]);
		assert_int_equal(in.len, 0);
		if (lens[i] > 0)
			assert_true(body.p[0] == 'x' && body.p[lens[i] - 1] == 'x');
		buf_done(&b);
	}
}

static void
writing_into_a_full_buf_is_an_error_and_nothing_worse(void **state)
{
	struct err err = { 0 };
	struct buf b;
	size_t max, outer, inner;

	for (max = 0; max < 139; max++) {
		buf_init(&b, max);
		outer = der_open(&b, DER_SEQUENCE);
		inner = der_open(&b, DER_SET);
		der_add_u64(&b, 1234567);
		buf_add(&b, (uint8_t[128]){ 0 }, 128);
		der_sort(&b, inner + 2);
		der_close(&b, inner);
		der_close(&b, outer);
		assert_int_equal(buf_ok(&b, "it", &err), RC_LIMIT);
		buf_done(&b);
	}
}

static void
integers_with_superfluous_octets_or_a_sign_are_refused(void **state)
{
	static const struct {
		struct bytes der;
		bool ok;
		uint64_t v;
	} cases[] = {
		{ B("\x02\x01\x00"), true, 0 },
		{ B("\x02\x01\x7f"), true, 127 },
		{ B("\x02\x02\x00\x80"), true, 128 },
		{ B("\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"), true, UINT64_MAX },
		{ B("\x02\x00"), false, 0 },
		{ B("\x02\x01\x80"), false, 0 },
		{ B("\x02\x02\x00\x7f"), false, 0 },
		{ B("\x02\x02\x00\x00"), false, 0 },
		{ B("\x02\x0a\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"), false, 0 },
	};
	struct der in;
	struct buf b;
	uint64_t v;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		in = slice(&cases[i].der);
		assert_int_equal(der_take_u64(&in, &v), cases[i].ok);
		if (!cases[i].ok)
			continue;
		assert_true(v == cases[i].v);
		buf_init(&b, 64);
		der_add_u64(&b, v);
		assert_int_equal(b.len, cases[i].der.len);
		assert_memory_equal(b.data, cases[i].der.p, b.len);
		buf_done(&b);
	}
}

static void
booleans_and_bit_strings_are_strict(void **state)
{
	static const struct bytes bad_bool[] = { B("\x01\x01\x01"), B("\x01\x00"),
		B("\x01\x02\x00\x00"), B("\x02\x01\x00") };
	static const struct bytes bad_bits[] = { B("\x03\x00"), B("\x03\x01\x01"),
		B("\x03\x02\x08\x80"), B("\x03\x04\x00\x80\x80\x80") };
	struct der in, octets;
	unsigned bits;
	bool v;
	size_t i;

	for (i = 0; i < N(bad_bool); i++) {
		in = slice(&bad_bool[i]);
		assert_false(der_take_bool(&in, &v));
	}
	for (i = 0; i < N(bad_bits); i++) {
		in = slice(&bad_bits[i]);
		assert_false(der_take_named_bits(&in, &bits));
	}
	in = (struct der){ (const uint8_t *)"\x03\x02\x01\x02", 4 };
	assert_false(der_take_octet_bits(&in, &octets));
}

static void
named_bits_come_back_without_trailing_zeros(void **state)
{
	static const struct {
		unsigned bits;
		struct bytes der;
	} cases[] = {
		{ 0, B("\x03\x01\x00") },
		{ 1u << 0, B("\x03\x02\x07\x80") },
		{ 1u << 0 | 1u << 2, B("\x03\x02\x05\xa0") },
		{ 1u << 5 | 1u << 6, B("\x03\x02\x01\x06") },
		{ 1u << 7, B("\x03\x02\x00\x01") },
		{ 1u << 8, B("\x03\x03\x07\x00\x80") },
	};
	struct der in;
	struct buf b;
	unsigned bits;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, 64);
		der_add_named_bits(&b, cases[i].bits);
		assert_int_equal(b.len, cases[i].der.len);
		assert_memory_equal(b.data, cases[i].der.p, b.len);
		in = (struct der){ b.data, b.len };
		assert_true(der_take_named_bits(&in, &bits));
		assert_int_equal(bits, cases[i].bits);
		buf_done(&b);
	}
}

static void
oids_come_back_and_bad_ones_are_refused(void **state)
{
	static const char *const good[] = { "0.0", "0.39", "1.2.840.113549.1.9.7", "2.5.29.17",
		"2.999", "2.100.3", "1.3.6.1.4.1.311.25.2", "2.16.840.1.101.3.4.2.1" };
	static const char *const bad[] = { "", "1", "1.", ".1", "1..2", "3.1", "1.40", "1.2.x",
		"1.2.03", "1.2.-3", "1.2.99999999999999999999", "a.b", "1.2 ",
		"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26" };
	static const struct bytes bad_der[] = { B("\x06\x00"), B("\x06\x01\x80"),
		B("\x06\x02\x55\x80"), B("\x06\x03\x55\x80\x01"),
		B("\x06\x0b\x55\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f") };
	char text[OID_TEXT_MAX];
	struct der in;
	struct buf b;
	size_t i;

	for (i = 0; i < N(good); i++) {
		buf_init(&b, 256);
		assert_true(der_add_oid(&b, good[i]));
		in = (struct der){ b.data, b.len };
		assert_true(der_take_oid(&in, text));
		assert_string_equal(text, good[i]);
		buf_done(&b);
	}
	buf_init(&b, 256);
	for (i = 0; i < N(bad); i++)
		if (der_add_oid(&b, bad[i]))
			fail_msg("\"%s\" is taken for an OID", bad[i]);
	assert_int_equal(b.len, 0);
	buf_done(&b);
	for (i = 0; i < N(bad_der); i++) {
		in = slice(&bad_der[i]);
		assert_false(der_take_oid(&in, text));
	}
}

static void
an_oid_too_long_for_its_text_is_refused(void **state)
{
	uint8_t der[2 + 60];
	char text[OID_TEXT_MAX];
	struct der in = { der, sizeof der };

	memset(der, 0x7f, sizeof der);
	der[0] = DER_OID;
	der[1] = sizeof der - 2;
	assert_false(der_take_oid(&in, text));
}

static const struct {
	int64_t t;
	struct bytes der;
} good_times[] = {
	{ 0,
	    B("\x17\x0d"
	      "700101000000Z") },
	{ -631152000,
	    B("\x17\x0d"
	      "500101000000Z") },
	{ 951782400,
	    B("\x17\x0d"
	      "000229000000Z") },
	{ 2524607999,
	    B("\x17\x0d"
	      "491231235959Z") },
	{ 2524608000,
	    B("\x18\x0f"
	      "20500101000000Z") },
	{ 253402300799,
	    B("\x18\x0f"
	      "99991231235959Z") },
};

static const struct bytes bad_times[] = { B("\x17\x0b"
					    "7001010000Z"),
	B("\x17\x0d"
	  "700101000000z"),
	B("\x17\x0d"
	  "701301000000Z"),
	B("\x17\x0d"
	  "700100000000Z"),
	B("\x17\x0d"
	  "700230000000Z"),
	B("\x17\x0d"
	  "700101240000Z"),
	B("\x17\x0d"
	  "700101006000Z"),
	B("\x17\x0d"
	  "70010100006-Z"),
	B("\x17\x0d"
	  "010229000000Z"),
	B("\x17\x11"
	  "700101000000+0100"),
	B("\x18\x0f"
	  "2050010100000aZ"),
	B("\x18\x11"
	  "20500101000000.1Z"),
	B("\x18\x0d"
	  "500101000000Z") };

static void
times_follow_rfc5280(void **state)
{
	struct der in;
	struct buf b;
	int64_t t;
	size_t i;

	for (i = 0; i < N(good_times); i++) {
		buf_init(&b, 64);
		assert_true(der_add_time(&b, good_times[i].t));
		assert_int_equal(b.len, good_times[i].der.len);
		assert_memory_equal(b.data, good_times[i].der.p, b.len);
		in = slice(&good_times[i].der);
		assert_true(der_take_time(&in, &t));
		assert_true(t == good_times[i].t);
		buf_done(&b);
	}
	for (i = 0; i < N(bad_times); i++) {
		in = slice(&bad_times[i]);
		if (der_take_time(&in, &t))
			fail_msg("time %zu is taken", i);
	}
	buf_init(&b, 64);
	assert_false(der_add_time(&b, 253402300800));
	assert_false(der_add_time(&b, -631152001));
	assert_false(der_add_time(&b, INT64_MAX));
	buf_done(&b);
}

static void
a_set_is_sorted_by_its_octets(void **state)
{
	static const char want[] = "\x04\x01"
				   "a"
				   "\x04\x01"
				   "b"
				   "\x04\x02"
				   "aa"
				   "\x05\x00";
	struct buf b;

	buf_init(&b, 64);
	buf_adds(&b, "head");
	der_add(&b, DER_NULL, NULL, 0);
	der_add_text(&b, DER_OCTET_STRING, "aa");
	der_add_text(&b, DER_OCTET_STRING, "b");
	der_add_text(&b, DER_OCTET_STRING, "a");
	der_sort(&b, 4);
	assert_int_equal(b.len, 4 + sizeof want - 1);
	assert_memory_equal(b.data + 4, want, sizeof want - 1);
	buf_done(&b);
}

static void
string_types_become_utf8(void **state)
{
	static const struct {
		uint8_t tag;
		struct bytes der;
		const char *utf8;
	} cases[] = {
		{ DER_PRINTABLE, B("Jane"), "Jane" },
		{ DER_PRINTABLE, B("jane@x.y_*"), "jane@x.y_*" },
		{ DER_UTF8, B("Zo\xc3\xab"), "Zo\xc3\xab" },
		{ DER_T61, B("Zo\xeb"), "Zo\xc3\xab" },
		{ DER_IA5, B(""), "" },
		{ DER_NUMERIC, B("12 3"), "12 3" },
		{ DER_VISIBLE, B("v"), "v" },
		{ DER_BMP, B("\0Z\0o\0\xeb"), "Zo\xc3\xab" },
		{ DER_BMP, B("\x20\xac"), "\xe2\x82\xac" },
		{ DER_BMP, B("\xd8\x3d\xde\x00"), "\xf0\x9f\x98\x80" },
		{ DER_UNIVERSAL, B("\0\1\xf6\0"), "\xf0\x9f\x98\x80" },
	};
	struct err err = { 0 };
	struct der body;
	char *s;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		body = slice(&cases[i].der);
		assert_ok(der_text(&s, cases[i].tag, &body, TEXT_NAME, "it", &err), err);
		assert_string_equal(s, cases[i].utf8);
		free(s);
	}
}

/* S35 */
static void
nul_control_characters_and_malformed_text_are_refused(void **state)
{
	static const struct {
		uint8_t tag;
		struct bytes der;
	} cases[] = {
		{ DER_PRINTABLE, B("a\0b") },
		{ DER_UTF8, B("a\0b") },
		{ DER_UTF8, B("\0") },
		{ DER_T61, B("a\0") },
		{ DER_BMP, B("\0a\0\0\0b") },
		{ DER_UNIVERSAL, B("\0\0\0\0") },
		{ DER_UTF8, B("\xc0\x80") },
		{ DER_UTF8, B("\xc1\xa1") },
		{ DER_UTF8, B("\xe0\x80\xaf") },
		{ DER_UTF8, B("\xed\xa0\x80") },
		{ DER_UTF8, B("\xf4\x90\x80\x80") },
		{ DER_UTF8, B("\xc3") },
		{ DER_UTF8, B("a\nb") },
		{ DER_UTF8, B("\x7f") },
		{ DER_UTF8, B("\xc2\x85") },
		{ DER_T61, B("\x9b") },
		{ DER_IA5, B("\xe9") },
		{ DER_PRINTABLE, B("\x80") },
		{ DER_IA5, B("\x1b[0m") },
		{ DER_BMP, B("\0") },
		{ DER_BMP, B("\xd8\x3d") },
		{ DER_BMP, B("\xd8\x3d\0a") },
		{ DER_BMP, B("\xde\0\xd8\x3d") },
		{ DER_UNIVERSAL, B("\0\x11\0\0") },
		{ DER_UNIVERSAL, B("\0\0\xd8\0") },
		{ DER_UNIVERSAL, B("\0\0\0") },
		{ DER_OCTET_STRING, B("a") },
		{ DER_BIT_STRING, B("\0a") },
		{ DER_SEQUENCE, B("") },
		{ DER_INTEGER, B("a") },
	};
	struct der body;
	char *s;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		body = slice(&cases[i].der);
		if (der_text(&s, cases[i].tag, &body, TEXT_NAME, "it", NULL) != RC_PARSE)
			fail_msg("case %zu is taken", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_that_are_not_der_are_refused),
		cmocka_unit_test(a_length_with_a_leading_zero_is_refused),
		cmocka_unit_test(an_element_is_taken_only_by_its_tag),
		cmocka_unit_test(lengths_of_every_form_come_back),
		cmocka_unit_test(writing_into_a_full_buf_is_an_error_and_nothing_worse),
		cmocka_unit_test(integers_with_superfluous_octets_or_a_sign_are_refused),
		cmocka_unit_test(booleans_and_bit_strings_are_strict),
		cmocka_unit_test(named_bits_come_back_without_trailing_zeros),
		cmocka_unit_test(oids_come_back_and_bad_ones_are_refused),
		cmocka_unit_test(an_oid_too_long_for_its_text_is_refused),
		cmocka_unit_test(times_follow_rfc5280),
		cmocka_unit_test(a_set_is_sorted_by_its_octets),
		cmocka_unit_test(string_types_become_utf8),
		cmocka_unit_test(nul_control_characters_and_malformed_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
