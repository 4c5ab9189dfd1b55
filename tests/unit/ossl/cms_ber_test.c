/*
 * cms_ber_test.c - the BER door turns BER into DER, changes nothing else, and is bounded.
 */
#include "cms_kit.h"

#include <stdlib.h>
#include <string.h>

#include "ossl/cms_ber.h"

static enum rc
door(const void *p, size_t len)
{
	struct buf out;
	enum rc rc;

	buf_init(&out, MIB);
	rc = ber_normalise(&out, p, len, "test", NULL);
	buf_done(&out);
	return rc;
}

static void
assert_becomes(const char *in, size_t in_len, const char *want, size_t want_len)
{
	struct buf out = new_buf();
	struct err err = { 0 };

	assert_ok(ber_normalise(&out, in, in_len, "test", &err), err);
	assert_int_equal(out.len, want_len);
	assert_memory_equal(out.data, want, want_len);
	buf_done(&out);
}
#define BECOMES(in, want) assert_becomes(in, sizeof(in) - 1, want, sizeof(want) - 1)

static void
der_stays_as_it_is(void **state)
{
	BECOMES("\x30\x00", "\x30\x00");
	BECOMES("\x30\x03\x02\x01\x05", "\x30\x03\x02\x01\x05");
	BECOMES("\x80\x02xy", "\x80\x02xy");
}

static void
indefinite_and_padded_lengths_become_definite(void **state)
{
	BECOMES("\x30\x80\x00\x00", "\x30\x00");
	BECOMES("\x30\x80\x02\x01\x05\x00\x00", "\x30\x03\x02\x01\x05");
	BECOMES("\x30\x80\xa0\x80\x05\x00\x00\x00\x00\x00", "\x30\x04\xa0\x02\x05\x00");
	BECOMES("\x30\x81\x03\x02\x01\x05", "\x30\x03\x02\x01\x05");
	BECOMES("\x30\x05\x02\x83\x00\x00\x00", "\x30\x02\x02\x00");
}

static void
segmented_octet_strings_become_one(void **state)
{
	BECOMES("\x24\x80\x04\x01"
		"a\x04\x02"
		"bc\x00\x00",
	    "\x04\x03"
	    "abc");
	BECOMES("\x24\x00", "\x04\x00");
	BECOMES("\x24\x07\x24\x05\x04\x01"
		"a\x04\x00",
	    "\x04\x01"
	    "a");
	BECOMES("\x30\x80\x24\x80\x04\x01"
		"a\x00\x00\x05\x00\x00\x00",
	    "\x30\x05\x04\x01"
	    "a\x05\x00");
}

static void
S26_malformed_ber_is_refused(void **state)
{
	static const struct {
		const char *p;
		size_t len;
		enum rc rc;
	} bad[] = {
#define B(s) s, sizeof(s) - 1
		{ B(""), RC_PARSE },
		{ B("\x30"), RC_PARSE },
		{ B("\x30\x80"), RC_PARSE },         /* no end */
		{ B("\x30\x80\x00"), RC_PARSE },     /* half an end */
		{ B("\x30\x02\x00\x00"), RC_PARSE }, /* end in a definite length */
		{ B("\x00\x00"), RC_PARSE },         /* an end alone */
		{ B("\x04\x80\x00\x00"), RC_PARSE }, /* indefinite primitive */
		{ B("\x30\x00\x00"), RC_PARSE },     /* trailing byte */
		{ B("\x1f\x81\x00\x00"), RC_PARSE }, /* long tag */
		{ B("\x30\x85\x00\x00\x00\x00\x00"), RC_PARSE },
		{ B("\x30\xff"), RC_PARSE },
		{ B("\x30\x84\xff\xff\xff\xff"), RC_PARSE },
		{ B("\x24\x80\x02\x01\x05\x00\x00"), RC_PARSE }, /* INTEGER as a segment */
		{ B("\x24\x03\x04\x05x"), RC_PARSE },
	};
	size_t i;

	for (i = 0; i < N(bad); i++)
		if (door(bad[i].p, bad[i].len) != bad[i].rc)
			fail_msg("case %zu", i);
}

/* A NULL inside so many SEQUENCEs. */
static enum rc
nested(size_t depth)
{
	struct buf b = new_buf();
	enum rc rc;
	size_t i;

	for (i = 0; i < depth; i++)
		buf_add(&b, "\x30\x80", 2);
	buf_add(&b, "\x05\x00", 2);
	for (i = 0; i < depth; i++)
		buf_add(&b, "\x00\x00", 2);
	rc = door(b.data, b.len);
	buf_done(&b);
	return rc;
}

static void
S26_depth_and_number_are_bounded(void **state)
{
	struct buf b = new_buf();
	size_t i;

	assert_int_equal(nested(BER_DEPTH_MAX), RC_OK);
	assert_int_equal(nested(BER_DEPTH_MAX + 1), RC_LIMIT);

	for (i = 0; i < 100000; i++)
		buf_add(&b, "\x30\x80", 2);
	assert_int_equal(door(b.data, b.len), RC_LIMIT);
	buf_done(&b);
	buf_add(&b, "\x30\x80", 2);
	for (i = 0; i <= BER_ELEMENTS_MAX; i++)
		buf_add(&b, "\x05\x00", 2);
	buf_add(&b, "\x00\x00", 2);
	assert_int_equal(door(b.data, b.len), RC_LIMIT);
	buf_done(&b);
}

static void
what_der_was_made_ber_becomes_the_same_der(void **state)
{
	struct actor a;
	struct buf signed_, ber, back = new_buf();
	struct err err = { 0 };
	size_t segment;

	actor_make(&a, "Device", "rsa:2048", 0, "0102");
	signed_ = sign(&a, (struct der){ (const uint8_t *)"content of some length", 22 },
	    DIGEST_SHA256, NULL, 0);
	for (segment = 1; segment < 300; segment += 100) {
		ber = to_ber(der_of(&signed_), segment);
		assert_true(ber.len > signed_.len);
		assert_ok(ber_normalise(&back, ber.data, ber.len, "test", &err), err);
		assert_int_equal(back.len, signed_.len);
		assert_memory_equal(back.data, signed_.data, back.len);
		buf_done(&back);
		buf_done(&ber);
	}
	ber = to_ber(der_of(&signed_), 50);
	sweep_prefixes(door, ber.data, ber.len, 1);
	sweep_flips(door, ber.data, ber.len, 1);
	buf_done(&ber);
	buf_done(&signed_);
	actor_done(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_stays_as_it_is),
		cmocka_unit_test(indefinite_and_padded_lengths_become_definite),
		cmocka_unit_test(segmented_octet_strings_become_one),
		cmocka_unit_test(S26_malformed_ber_is_refused),
		cmocka_unit_test(S26_depth_and_number_are_bounded),
		cmocka_unit_test(what_der_was_made_ber_becomes_the_same_der),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
