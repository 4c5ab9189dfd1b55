/*
 * next_ca_test.c - what a client believes about the next CA, and from whom.  The current CA is
 * world.curve, the certificates of the next are the RA's and the stranger's.
 */
#include "scep_kit.h"

#include <string.h>

static struct buf
next_certs(void)
{
	const struct der list[] = { world.stranger.c.der, world.ra.c.der };
	struct buf b = new_buf();
	struct err err = { 0 };

	assert_int_equal(cms_certs_only_build(&b, list, 2, &err), RC_OK);
	return b;
}

static struct buf
answer_by(const struct actor *signer)
{
	struct buf inner = next_certs(), out = sign(signer, der_of(&inner), DIGEST_SHA256, NULL, 0);

	buf_done(&inner);
	return out;
}

static enum scep_status
opened(struct scep_bytes **certs, size_t *n, const void *p, size_t len, struct scep_error *err)
{
	struct scep_bytes ca = bytes_of_der(world.curve.c.der);

	return scep_next_ca_open(certs, n, p, len, &ca, 1, err);
}

static void
R45_what_the_current_ca_signed_is_believed_in_its_order(void **state)
{
	struct buf b = answer_by(&world.curve);
	struct scep_bytes *certs;
	struct scep_error err;
	size_t n;

	assert_int_equal(opened(&certs, &n, b.data, b.len, &err), SCEP_OK);
	assert_int_equal(n, 2);
	assert_int_equal(certs[0].len, world.stranger.c.der.len);
	assert_memory_equal(certs[0].data, world.stranger.c.der.p, certs[0].len);
	assert_memory_equal(certs[1].data, world.ra.c.der.p, certs[1].len);
	scep_bytes_list_free(certs, n);
	buf_done(&b);
}

/* The signer's certificate comes with the message, which proves nothing. */
static void
R45_what_anybody_else_signed_is_not(void **state)
{
	struct buf b = answer_by(&world.stranger);
	struct scep_bytes *certs;
	struct scep_error err;
	size_t n;

	assert_int_equal(opened(&certs, &n, b.data, b.len, &err), SCEP_E_INTEGRITY);
	assert_string_equal(err.step, "verify");
	assert_non_null(strstr(err.text, "current CA"));
	buf_done(&b);
}

static void
R45_what_nobody_signed_is_not(void **state)
{
	struct buf b = next_certs();
	struct scep_bytes *certs;
	struct scep_error err;
	size_t n;

	assert_int_equal(opened(&certs, &n, b.data, b.len, &err), SCEP_E_INTEGRITY);
	assert_non_null(strstr(err.text, "not signed"));
	buf_done(&b);
}

static void
signed_nonsense_is_refused_as_such(void **state)
{
	struct buf b = sign(&world.curve, DER_TEXT("hello"), DIGEST_SHA256, NULL, 0);
	struct scep_bytes *certs;
	struct scep_error err;
	size_t n;

	assert_int_equal(opened(&certs, &n, b.data, b.len, &err), SCEP_E_PARSE);
	assert_string_equal(err.step, "structure");
	buf_done(&b);
	assert_int_equal(opened(&certs, &n, "<html>", 6, &err), SCEP_E_PARSE);
	assert_string_equal(err.step, "parse");
}

static enum rc
door(const void *p, size_t len)
{
	struct scep_bytes *certs;
	size_t n;

	if (opened(&certs, &n, p, len, NULL) != SCEP_OK)
		return RC_PARSE;
	if (n != 2 || memcmp(certs[0].data, world.stranger.c.der.p, certs[0].len) != 0)
		fail_msg("other certificates are believed");
	scep_bytes_list_free(certs, n);
	return RC_OK;
}

static void
no_prefix_and_no_changed_bit_is_believed(void **state)
{
	struct buf b = answer_by(&world.curve);

	sweep_prefixes(door, b.data, b.len, 1);
	assert_true(sweep_flips(door, b.data, b.len, 3) < b.len);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R45_what_the_current_ca_signed_is_believed_in_its_order),
		cmocka_unit_test(R45_what_anybody_else_signed_is_not),
		cmocka_unit_test(R45_what_nobody_signed_is_not),
		cmocka_unit_test(signed_nonsense_is_refused_as_such),
		cmocka_unit_test(no_prefix_and_no_changed_bit_is_believed),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
