/*
 * transport_test.c - wrapping content-encryption keys: what is wrong inside is never told apart.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#ifdef KEY_IN_TOKEN
#include "ossl/key_source.h"
#include "softhsm.h"
#endif

#define K 256 /* octets of the modulus of the fixture key */

/* The one half of the fixture's RSA key that matters here.  The same tests are built twice: where it
 * lives must not show. */
static struct key *the_key;

static const struct transport pkcs1 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
static const struct transport transports[] = {
	{ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE },
	{ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 },
	{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 },
	{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 },
	{ TRANSPORT_OAEP, DIGEST_SHA512, DIGEST_SHA512 },
};
static const uint8_t cek[CEK_SIZE_MAX] = "0123456789abcdef0123456789abcde";

static void
what_is_wrapped_unwraps(void **state)
{
	static const size_t lens[] = { 1, 16, 24, 32 };
	struct key *k = the_key;
	struct err err = { 0 };
	uint8_t out[CEK_SIZE_MAX];
	struct buf w;
	size_t i, j;

	for (i = 0; i < N(transports); i++)
		for (j = 0; j < N(lens); j++) {
			buf_init(&w, 1024);
			buf_adds(&w, "pre");
			assert_ok(key_wrap(&w, k, &transports[i], cek, lens[j], &err), err);
			assert_int_equal(w.len, 3 + K);
			assert_ok(
			    key_unwrap(out, lens[j], k, &transports[i], w.data + 3, K, &err), err);
			assert_memory_equal(out, cek, lens[j]);
			buf_done(&w);
		}
}

/* Unwrapping yields RC_OK, not `cek`, and something else each time. */
static void
assert_random(
    const struct key *k, const struct transport *t, const uint8_t *wrapped, size_t cek_len)
{
	uint8_t a[CEK_SIZE_MAX], b[CEK_SIZE_MAX];
	struct err err = { 0 };

	assert_ok(key_unwrap(a, cek_len, k, t, wrapped, K, &err), err);
	assert_ok(key_unwrap(b, cek_len, k, t, wrapped, K, &err), err);
	assert_memory_not_equal(a, b, cek_len);
	assert_memory_not_equal(a, cek, cek_len);
}

/* RSAEP of a chosen encoded message. */
static void
encrypt_raw(uint8_t out[K], const uint8_t em[K])
{
	size_t len, n = K;
	const uint8_t *spki = key_spki0(the_key, &len);
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &spki, (long)len);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, out, &n, em, K), 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

/* 00 02 FF.. 00 M */
static void
good_em(uint8_t em[K], size_t cek_len)
{
	memset(em, 0xff, K);
	em[0] = 0;
	em[1] = 2;
	em[K - cek_len - 1] = 0;
	memcpy(em + K - cek_len, cek, cek_len);
}

/* RFC 8017 7.2.2 step 3 and its note: Bleichenbacher's oracle. */
static void
S24_wrong_pkcs1_padding_yields_random_keys(void **state)
{
	static const struct {
		size_t at;
		uint8_t v;
	} changes[] = {
		{ 0, 1 }, { 1, 1 }, { 1, 0 }, { 1, 3 }, /* block type */
		{ 2, 0 }, { 5, 0 }, { 9, 0 },
		{ 100, 0 }, /* a zero in the padding: M would be longer */
		{ K - 16 - 2, 0 }, { K - 16 - 1, 1 }, { K - 16 - 1, 0xff }, /* separator */
	};
	struct key *k = the_key;
	struct err err = { 0 };
	uint8_t em[K], c[K], out[16];
	size_t i;

	good_em(em, 16);
	encrypt_raw(c, em);
	assert_ok(key_unwrap(out, 16, k, &pkcs1, c, K, &err), err);
	assert_memory_equal(out, cek, 16);
	for (i = 0; i < N(changes); i++) {
		good_em(em, 16);
		em[changes[i].at] = changes[i].v;
		encrypt_raw(c, em);
		assert_random(k, &pkcs1, c, 16);
	}
}

static void
S24_a_key_of_another_length_yields_random_keys(void **state)
{
	struct key *k = the_key;
	struct err err = { 0 };
	struct buf w;
	size_t i;

	for (i = 0; i < N(transports); i++) {
		buf_init(&w, 1024);
		assert_ok(key_wrap(&w, k, &transports[i], cek, 24, &err), err);
		assert_random(k, &transports[i], w.data, 16);
		assert_random(k, &transports[i], w.data, 32);
		buf_done(&w);
	}
}

static void
S24_a_changed_or_foreign_ciphertext_yields_random_keys(void **state)
{
	struct key *k = the_key;
	struct err err = { 0 };
	uint8_t small[K] = { 0 };
	struct buf w;
	size_t i;

	small[K - 1] = 2;
	for (i = 0; i < N(transports); i++) {
		buf_init(&w, 1024);
		assert_ok(key_wrap(&w, k, &transports[i], cek, 16, &err), err);
		w.data[K - 1] ^= 1;
		assert_random(k, &transports[i], w.data, 16);
		w.data[K - 1] ^= 1;
		assert_random(k, &transports[(i + 1) % N(transports)], w.data, 16);
		assert_random(k, &transports[i], small, 16);
		buf_done(&w);
	}
}

static void
a_ciphertext_that_is_no_number_below_the_modulus_is_malformed(void **state)
{
	struct key *k = the_key;
	uint8_t c[K + 1], out[16], untouched[16];
	struct err err = { 0 };

	memset(c, 0xff, sizeof c);
	memset(out, 7, sizeof out);
	memset(untouched, 7, sizeof untouched);
	assert_int_equal(key_unwrap(out, 16, k, &pkcs1, c, K, &err), RC_PARSE);
	c[0] = 0;
	assert_int_equal(key_unwrap(out, 16, k, &pkcs1, c, K - 1, &err), RC_PARSE);
	assert_int_equal(key_unwrap(out, 16, k, &pkcs1, c, K + 1, &err), RC_PARSE);
	assert_int_equal(key_unwrap(out, 16, k, &pkcs1, c, 0, &err), RC_PARSE);
	assert_memory_equal(out, untouched, 16);
}

static void
keys_and_transports_that_cannot_are_refused(void **state)
{
	static const struct transport none = { TRANSPORT_NONE, DIGEST_NONE, DIGEST_NONE },
				      no_digest = { TRANSPORT_OAEP, DIGEST_NONE, DIGEST_SHA1 },
				      no_mgf = { TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_NONE };
	struct key *k = the_key, *pub;
	uint8_t c[K] = { 0 }, out[CEK_SIZE_MAX];
	const uint8_t *spki;
	struct err err = { 0 };
	struct buf w;
	size_t len;

	buf_init(&w, 1024);
	assert_int_equal(key_wrap(&w, fixture_key("ec:p256"), &pkcs1, cek, 16, &err), RC_ALG);
	assert_int_equal(key_unwrap(out, 16, fixture_key("ec:p256"), &pkcs1, c, K, &err), RC_ALG);
	assert_int_equal(key_wrap(&w, k, &none, cek, 16, &err), RC_ALG);
	assert_int_equal(key_unwrap(out, 16, k, &none, c, K, &err), RC_ALG);
	assert_int_equal(key_unwrap(out, 16, k, &no_digest, c, K, &err), RC_ALG);
	assert_int_equal(key_unwrap(out, 16, k, &no_mgf, c, K, &err), RC_ALG);
	assert_int_equal(key_wrap(&w, k, &pkcs1, cek, 0, &err), RC_ALG);
	assert_int_equal(key_unwrap(out, CEK_SIZE_MAX + 1, k, &pkcs1, c, K, &err), RC_ALG);
	spki = key_spki0(k, &len);
	assert_ok(key_parse_spki(&pub, spki, len, &err), err);
	assert_int_equal(key_unwrap(out, 16, pub, &pkcs1, c, K, &err), RC_BUG);
	assert_int_equal(w.len, 0);
	key_free(pub);
	buf_done(&w);
}

#ifdef KEY_IN_TOKEN
static struct softhsm hsm;

static int
start(void **state)
{
	struct key_source src = { .key = "pkcs11:token=scepd;object=ra", .pin = SOFTHSM_PIN };
	struct err err = { 0 };

	softhsm_start(&hsm);
	if (hsm.module == NULL)
		exit(77);
	softhsm_import(&hsm, fixture_key("rsa:2048"), "ra", "01");
	assert_ok(key_tokens_open(hsm.module, &err), err);
	assert_ok(key_open(&the_key, &src, &err), err);
	assert_true(key_same_public(the_key, fixture_key("rsa:2048")));
	return 0;
}

static int
stop(void **state)
{
	key_free(the_key);
	key_tokens_close();
	softhsm_stop(&hsm);
	return fixture_done(state);
}
#else
static int
start(void **state)
{
	the_key = fixture_key("rsa:2048");
	return 0;
}
#define stop fixture_done
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrapped_unwraps),
		cmocka_unit_test(S24_wrong_pkcs1_padding_yields_random_keys),
		cmocka_unit_test(S24_a_key_of_another_length_yields_random_keys),
		cmocka_unit_test(S24_a_changed_or_foreign_ciphertext_yields_random_keys),
		cmocka_unit_test(a_ciphertext_that_is_no_number_below_the_modulus_is_malformed),
		cmocka_unit_test(keys_and_transports_that_cannot_are_refused),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
