/*
 * cms_password_test.c - what is sealed with a passphrase opens with it alone, whole or not at all;
 * the openssl command is the second opinion.
 */
#include "cms_kit.h"

#include <string.h>

#include "ossl/aead.h"
#include "ossl/cms_password.h"

static struct dir dir;
static const char pass[] = "correct horse battery staple";

static int
setup(void **state)
{
	dir_make_temp(&dir);
	return 0;
}

static int
teardown(void **state)
{
	dir_done(&dir);
	return fixture_done(state);
}

static enum rc
to_buf(void *arg, const void *p, size_t len, struct err *err)
{
	buf_add(arg, p, len);
	return buf_ok(arg, "test", err);
}

struct bytes {
	const uint8_t *p;
	size_t len, step; /* bytes a read */
};

static enum rc
from_bytes(void *arg, void *p, size_t size, size_t *n, struct err *err)
{
	struct bytes *b = arg;

	*n = b->len < size ? b->len : size;
	if (b->step > 0 && *n > b->step)
		*n = b->step;
	memcpy(p, b->p, *n);
	b->p += *n;
	b->len -= *n;
	return RC_OK;
}

/* `len` bytes of a pattern, handed over in pieces of `piece`. */
static struct buf
sealed(size_t len, size_t piece, unsigned rounds)
{
	struct cms_sealer *s;
	uint8_t chunk[5000];
	struct err err;
	struct buf b;

	buf_init(&b, 16u << 20);
	assert_int_equal(cms_sealer_new(&s, pass, strlen(pass), rounds, to_buf, &b, &err), RC_OK);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < piece ? len - at : piece;

		for (size_t i = 0; i < n; i++)
			chunk[i] = (uint8_t)((at + i) * 31 >> 3);
		assert_int_equal(cms_sealer_add(s, chunk, n, &err), RC_OK);
		at += n;
	}
	assert_int_equal(cms_sealer_end(s, &err), RC_OK);
	cms_sealer_free(s);
	return b;
}

static enum rc
opened(struct buf *out, const void *p, size_t len, const char *with, size_t step, struct err *err)
{
	struct bytes from = { p, len, step };
	struct cms_opener *o = NULL;
	uint8_t chunk[777];
	size_t n = 1;
	enum rc rc = cms_opener_new(&o, with, strlen(with), from_bytes, &from, err);

	while (rc == RC_OK && n > 0) {
		rc = cms_opener_read(o, chunk, sizeof(chunk), &n, err);
		if (rc == RC_OK)
			buf_add(out, chunk, n);
	}
	cms_opener_free(o);
	return rc;
}

static void
assert_pattern(const struct buf *b, size_t len)
{
	assert_int_equal(b->len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(b->data[i], (uint8_t)(i * 31 >> 3));
}

static void
any_size_comes_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 16383, 16384, 16385, 300000 };

	for (size_t i = 0; i < N(sizes); i++) {
		struct buf b = sealed(sizes[i], 4999, 10), out;
		struct err err = { 0 };

		buf_init(&out, 1u << 20);
		assert_int_equal(opened(&out, b.data, b.len, pass, i % 2 ? 7 : 0, &err), RC_OK);
		assert_pattern(&out, sizes[i]);
		buf_done(&out);
		buf_done(&b);
	}
}

static void
the_openssl_command_opens_it(void **state)
{
	struct buf b = sealed(100000, 5000, CMS_PASSWORD_ROUNDS), out = new_buf(), got;

	dir_put(&dir, "sealed", b.data, b.len, 0600);
	if (dir_run(&dir, &out,
		"openssl cms -decrypt -binary -inform DER -in sealed -out plain "
		"-pwri_password 'correct horse battery staple'") != 0)
		fail_msg("%s", buf_str(&out));
	buf_init(&got, 1u << 20);
	dir_get(&dir, "plain", &got);
	assert_pattern(&got, 100000);
	buf_done(&got);
	buf_done(&out);
	buf_done(&b);
}

static void
another_passphrase_is_denied(void **state)
{
	struct buf b = sealed(100, 100, 10), out;
	struct err err;

	buf_init(&out, 1000);
	assert_int_equal(opened(&out, b.data, b.len, "correct horse", 0, &err), RC_DENIED);
	assert_int_equal(out.len, 0);
	assert_int_equal(cms_opener_new(NULL, "", 0, from_bytes, NULL, &err), RC_CONFIG);
	buf_done(&b);
}

static void
every_cut_and_every_changed_bit_is_refused(void **state)
{
	struct buf b = sealed(40, 40, 10), out;
	struct err err;

	buf_init(&out, 1000);
	for (size_t n = 0; n < b.len; n++) {
		assert_int_not_equal(opened(&out, b.data, n, pass, 0, &err), RC_OK);
		buf_reset(&out);
	}
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (opened(&out, b.data, b.len, pass, 0, &err) == RC_OK)
			fail_msg("bit %zu of byte %zu does not count", bit % 8, bit / 8);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		buf_reset(&out);
	}
	buf_addc(&b, '\0');
	assert_int_equal(opened(&out, b.data, b.len, pass, 0, &err), RC_INTEGRITY);
	buf_done(&out);
	buf_done(&b);
}

static void
an_absurd_number_of_rounds_costs_nothing(void **state)
{
	struct buf b = sealed(1, 1, CMS_PASSWORD_ROUNDS), out;
	static const uint8_t rounds[] = { 0x02, 0x03, 0x09, 0x27, 0xc0 };
	uint8_t *at = memmem(b.data, b.len, rounds, sizeof(rounds));
	struct err err;

	assert_non_null(at);
	at[2] = 0x7f;
	buf_init(&out, 1000);
	assert_int_equal(opened(&out, b.data, b.len, pass, 0, &err), RC_LIMIT);
	buf_done(&out);
	buf_done(&b);
}

static void
one_secret_opens_with_its_key_and_place_alone(void **state)
{
	uint8_t key[AEAD_KEY_SIZE] = { 1 }, other[AEAD_KEY_SIZE] = { 2 };
	struct buf b = new_buf(), out = new_buf();
	struct err err;

	assert_int_equal(aead_seal(&b, key, "row 1", 5, "secret", 6, &err), RC_OK);
	assert_int_equal(b.len, 6 + AEAD_OVERHEAD);
	assert_int_equal(aead_open(&out, key, "row 1", 5, b.data, b.len, &err), RC_OK);
	assert_string_equal(buf_str(&out), "secret");
	assert_int_equal(aead_open(&out, key, "row 2", 5, b.data, b.len, &err), RC_INTEGRITY);
	assert_int_equal(aead_open(&out, other, "row 1", 5, b.data, b.len, &err), RC_INTEGRITY);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(aead_open(&out, key, "row 1", 5, b.data, n, &err), RC_INTEGRITY);
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    aead_open(&out, key, "row 1", 5, b.data, b.len, &err), RC_INTEGRITY);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(out.len, 6);
	buf_done(&out);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_size_comes_back),
		cmocka_unit_test(the_openssl_command_opens_it),
		cmocka_unit_test(another_passphrase_is_denied),
		cmocka_unit_test(every_cut_and_every_changed_bit_is_refused),
		cmocka_unit_test(an_absurd_number_of_rounds_costs_nothing),
		cmocka_unit_test(one_secret_opens_with_its_key_and_place_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
