/*
 * buf_test.c - growth, the maximum, sticky failure, wiping, constant-time comparison.
 */
#include "unit.h"

#include "base/buf.h"

static void
appends_are_kept_and_terminated(void **state)
{
	struct buf b;

	buf_init(&b, 100);
	assert_string_equal(buf_str(&b), "");
	buf_adds(&b, "one");
	buf_addc(&b, ' ');
	buf_addf(&b, "%d %s", 22, "three");
	buf_add(&b, NULL, 0);
	assert_string_equal(buf_str(&b), "one 22 three");
	assert_int_equal(b.len, 12);
	assert_int_equal(buf_ok(&b, "text", NULL), RC_OK);
	buf_done(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 100);
}

static void
content_survives_growth(void **state)
{
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	for (i = 0; i < 100000; i++)
		buf_addc(&b, (char)(i * 7));
	assert_int_equal(buf_ok(&b, "bytes", NULL), RC_OK);
	for (i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
	assert_in_range(b.cap, b.len + 1, 100001);
	buf_done(&b);
}

static void
the_maximum_is_exact(void **state)
{
	struct err err;
	struct buf b;

	buf_init(&b, 5);
	buf_adds(&b, "12345");
	assert_int_equal(buf_ok(&b, "text", NULL), RC_OK);
	buf_addc(&b, '6');
	assert_int_equal(buf_ok(&b, "the text", &err), RC_LIMIT);
	assert_string_equal(err.msg, "the text is longer than 5 bytes");
	assert_string_equal(buf_str(&b), "12345");
	buf_done(&b);
}

static void
failure_is_sticky_until_reset(void **state)
{
	struct buf b;

	buf_init(&b, 4);
	buf_adds(&b, "ab");
	buf_adds(&b, "long one");
	buf_addc(&b, 'c');
	buf_addf(&b, "%s", "d");
	assert_null(buf_grow(&b, 1));
	assert_int_equal(b.len, 2);
	assert_int_equal(b.rc, RC_LIMIT);
	buf_reset(&b);
	buf_adds(&b, "ok");
	assert_int_equal(buf_ok(&b, "text", NULL), RC_OK);
	assert_string_equal(buf_str(&b), "ok");
	buf_done(&b);
}

static void
formatted_text_past_the_maximum_fails_whole(void **state)
{
	struct buf b;

	buf_init(&b, 8);
	buf_addf(&b, "%s", "123456789");
	assert_int_equal(b.rc, RC_LIMIT);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void
sizes_near_the_top_do_not_wrap(void **state)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_adds(&b, "x");
	assert_null(buf_grow(&b, SIZE_MAX));
	assert_int_not_equal(b.rc, RC_OK);
	assert_int_equal(b.len, 1);
	buf_reset(&b);
	assert_null(buf_grow(&b, SIZE_MAX - 1));
	assert_int_not_equal(b.rc, RC_OK);
	buf_done(&b);
}

static void
a_zeroed_buf_takes_nothing(void **state)
{
	struct buf b = { 0 };

	buf_addc(&b, 'x');
	assert_int_equal(b.rc, RC_LIMIT);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
}

static void
consume_drops_from_the_front(void **state)
{
	struct buf b;

	buf_init(&b, 100);
	buf_consume(&b, 3);
	buf_adds(&b, "abcdef");
	buf_consume(&b, 2);
	assert_string_equal(buf_str(&b), "cdef");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
}

static void
take_hands_over_whole_content_only(void **state)
{
	struct buf b;
	uint8_t *p;
	size_t len = 99;

	buf_init(&b, 4);
	assert_null(buf_take(&b, &len));
	assert_int_equal(len, 0);
	buf_adds(&b, "abc");
	p = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_string_equal((char *)p, "abc");
	free(p);
	assert_int_equal(b.len, 0);
	buf_adds(&b, "ab");
	buf_adds(&b, "too long");
	assert_null(buf_take(&b, &len));
	assert_int_equal(len, 0);
	buf_done(&b);
}

static void
wipe_clears_every_byte(void **state)
{
	uint8_t secret[16];
	size_t i;

	memset(secret, 0xaa, sizeof(secret));
	wipe(secret, sizeof(secret));
	for (i = 0; i < sizeof(secret); i++)
		assert_int_equal(secret[i], 0);
	wipe(NULL, 0);
	wipe_free(NULL, 10);
}

static void
comparison_sees_length_and_every_bit(void **state)
{
	uint8_t a[9] = "secret-1", b[9];
	size_t i;

	memcpy(b, a, sizeof(b));
	assert_true(bytes_eq_ct(a, 9, b, 9));
	assert_true(bytes_eq_ct("", 0, NULL, 0));
	assert_false(bytes_eq_ct(a, 9, b, 8));
	for (i = 0; i < 9 * 8; i++) {
		b[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(bytes_eq_ct(a, 9, b, 9));
		b[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_are_kept_and_terminated),
		cmocka_unit_test(content_survives_growth),
		cmocka_unit_test(the_maximum_is_exact),
		cmocka_unit_test(failure_is_sticky_until_reset),
		cmocka_unit_test(formatted_text_past_the_maximum_fails_whole),
		cmocka_unit_test(sizes_near_the_top_do_not_wrap),
		cmocka_unit_test(a_zeroed_buf_takes_nothing),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(take_hands_over_whole_content_only),
		cmocka_unit_test(wipe_clears_every_byte),
		cmocka_unit_test(comparison_sees_length_and_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
