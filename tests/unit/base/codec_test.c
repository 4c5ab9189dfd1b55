/*
 * codec_test.c - hex and base64: RFC 4648, and what SCEP clients send instead.
 */
#include "unit.h"

#include "base/text.h"

#define MAX 4096

/* Decode NUL-terminated text; the result's length, or -1. */
static int
decode(struct buf *b, const char *s, enum base64_mode mode)
{
	buf_reset(b);
	return base64_decode(b, s, strlen(s), mode, NULL) == RC_OK ? (int)b->len : -1;
}

static void
hex_goes_both_ways(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
	uint8_t back[4];
	char text[9];

	hex_lower(text, bytes, 4);
	assert_string_equal(text, "000fa5ff");
	hex_upper(text, bytes, 4);
	assert_string_equal(text, "000FA5FF");
	assert_int_equal(hex_decode(back, 4, "000fA5Ff", 8, NULL), RC_OK);
	assert_memory_equal(back, bytes, 4);
	hex_lower(text, NULL, 0);
	assert_string_equal(text, "");
}

static void
hex_refuses_all_but_pairs_of_digits(void **state)
{
	static const char *const bad[] = { "0", "000", "0g", "g0", " 0", "0x", "00 0" };
	uint8_t out[2] = { 7, 7 };
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    hex_decode(out, strlen(bad[i]) / 2, bad[i], strlen(bad[i]), NULL), RC_PARSE);
	assert_int_equal(hex_decode(out, 1, "0000", 4, NULL), RC_PARSE);
	assert_int_equal(out[0], 7);
}

/* RFC 4648 section 10 */
static void
base64_gives_the_vectors_of_the_standard(void **state)
{
	static const struct {
		const char *plain, *text, *url;
	} rows[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/", "-_-_" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, MAX);
	for (i = 0; i < COUNT(rows); i++) {
		const uint8_t *p = (const uint8_t *)rows[i].plain;
		size_t len = strlen(rows[i].plain);

		buf_reset(&b);
		base64_add(&b, p, len);
		assert_string_equal(buf_str(&b), rows[i].text);
		buf_reset(&b);
		base64url_add(&b, p, len);
		assert_string_equal(buf_str(&b), rows[i].url);
		assert_int_equal(decode(&b, rows[i].text, BASE64_STRICT), len);
		assert_string_equal(buf_str(&b), rows[i].plain);
		assert_int_equal(decode(&b, rows[i].text, BASE64_FIELD), len);
		assert_int_equal(decode(&b, rows[i].url, BASE64_FIELD), len);
		assert_string_equal(buf_str(&b), rows[i].plain);
	}
	buf_done(&b);
}

static void
pem_has_lines_of_64_characters_and_a_shorter_one(void **state)
{
	static const struct {
		size_t octets, lines, last;
	} rows[] = { { 1, 1, 4 }, { 47, 1, 64 }, { 48, 1, 64 }, { 49, 2, 4 }, { 96, 2, 64 } };
	static const uint8_t bytes[96] = { 0 };
	const char *at;
	struct buf b;
	size_t n, len;

	buf_init(&b, 2 * MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		pem_add(&b, "X", bytes, rows[i].octets);
		at = buf_str(&b);
		assert_memory_equal(at, "-----BEGIN X-----\n", 18);
		for (n = 0, len = 0, at += 18; *at != '-'; at += len + 1, n++) {
			len = strcspn(at, "\n");
			assert_true(len == 64 || n + 1 == rows[i].lines);
		}
		assert_int_equal(n, rows[i].lines);
		assert_int_equal(len, rows[i].last);
		assert_string_equal(at, "-----END X-----\n");
	}
	buf_done(&b);
}

static void
field_mode_takes_what_clients_send(void **state)
{
	static const char *const same[] = { "+/+/Zg==", "-_-_Zg==", "+_-/Zg",
		" / /Zg==", "+/+/\nZg==\n", "+/\r\n+/Zg\r\n==", "\n+/+/Zg=\n=", "+/+/Zg=" };
	struct buf b;
	size_t i;

	buf_init(&b, MAX);
	for (i = 0; i < COUNT(same); i++) {
		assert_int_equal(decode(&b, same[i], BASE64_FIELD), 4);
		assert_memory_equal(b.data, "\xfb\xff\xbf\x66", 4);
		if (i > 0)
			assert_int_equal(decode(&b, same[i], BASE64_STRICT), -1);
	}
	buf_done(&b);
}

static void
no_mode_takes_anything_else(void **state)
{
	static const char *const bad[] = { "A", "AAAAA", "Zg===", "Zg====", "Zg==Zg==", "=",
		"====", "Z=g=", "Zh==", "Zo==", "Zm+=", "Zm9=", "Zg==\t", "Zg%3D%3D",
		"Z\xc3\xbc==", "Zm9v,", "Zm9v=" };
	struct buf b;
	size_t i;

	buf_init(&b, MAX);
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(decode(&b, bad[i], BASE64_STRICT), -1);
		assert_int_equal(decode(&b, bad[i], BASE64_FIELD), -1);
		assert_int_equal(b.len, 0);
	}
	assert_int_equal(base64_decode(&b, "Zm\0v", 4, BASE64_FIELD, NULL), RC_PARSE);
	buf_done(&b);
}

static void
decoding_appends_and_honours_the_maximum(void **state)
{
	struct err err;
	struct buf b;

	buf_init(&b, 6);
	buf_adds(&b, "foo");
	assert_int_equal(base64_decode(&b, "YmFy", 4, BASE64_STRICT, &err), RC_OK);
	assert_string_equal(buf_str(&b), "foobar");
	assert_int_equal(base64_decode(&b, "YmFy", 4, BASE64_STRICT, &err), RC_LIMIT);
	assert_string_equal(buf_str(&b), "foobar");
	buf_done(&b);
}

/* Exactly sized heap copies, so that the sanitizer sees any byte read past the length. */
static void
every_prefix_and_bit_flip_is_survived(void **state)
{
	static const char text[] = "TWFu IGlz-IGRp_c3Rp\r\nbmd1aXNoZWQ=\n";
	size_t len = sizeof(text) - 1, i;
	struct buf b;

	buf_init(&b, MAX);
	for (i = 0; i <= len * 8; i++) {
		size_t n = i <= len ? i : len;
		char *copy = malloc(n + (n == 0));

		memcpy(copy, text, n);
		if (i > len)
			copy[i / 8 % len] ^= (char)(1u << i % 8);
		buf_reset(&b);
		if (base64_decode(&b, copy, n, BASE64_FIELD, NULL) == RC_OK)
			assert_in_range(b.len, 0, (n + 3) / 4 * 3);
		buf_reset(&b);
		if (base64_decode(&b, copy, n, BASE64_STRICT, NULL) == RC_OK)
			assert_int_equal(n % 4, 0);
		free(copy);
	}
	buf_done(&b);
}

static void
random_bytes_come_back(void **state)
{
	struct buf text, back;
	uint8_t bytes[97];
	uint32_t seed = 12345;
	size_t i, n;

	buf_init(&text, MAX);
	buf_init(&back, MAX);
	for (n = 0; n <= sizeof(bytes); n++) {
		for (i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		buf_reset(&text);
		base64_add(&text, bytes, n);
		assert_int_equal(decode(&back, buf_str(&text), BASE64_STRICT), n);
		if (n > 0)
			assert_memory_equal(back.data, bytes, n);
		buf_reset(&text);
		base64url_add(&text, bytes, n);
		assert_int_equal(decode(&back, buf_str(&text), BASE64_FIELD), n);
		if (n > 0)
			assert_memory_equal(back.data, bytes, n);
	}
	buf_done(&text);
	buf_done(&back);
}

static void
percent_encoding_keeps_unreserved_characters_only(void **state)
{
	struct buf b;

	buf_init(&b, 100);
	url_encode_add(&b, "aZ09-._~ +/=&%\xc3\xa9\0", 17);
	assert_string_equal(buf_str(&b), "aZ09-._~%20%2B%2F%3D%26%25%C3%A9%00");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(hex_refuses_all_but_pairs_of_digits),
		cmocka_unit_test(base64_gives_the_vectors_of_the_standard),
		cmocka_unit_test(pem_has_lines_of_64_characters_and_a_shorter_one),
		cmocka_unit_test(field_mode_takes_what_clients_send),
		cmocka_unit_test(no_mode_takes_anything_else),
		cmocka_unit_test(decoding_appends_and_honours_the_maximum),
		cmocka_unit_test(every_prefix_and_bit_flip_is_survived),
		cmocka_unit_test(random_bytes_come_back),
		cmocka_unit_test(percent_encoding_keeps_unreserved_characters_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
