/*
 * alg_test.c - digests, ciphers and their names, against published vectors.
 */
#include "fixture.h"

#include <string.h>

#include "base/text.h"
#include "ossl/evp.h"
#include "ossl/sig_alg.h"

static void
names_lead_to_their_algorithm(void **state)
{
	int i;

	for (i = DIGEST_SHA1; i < DIGEST__MAX; i++)
		assert_int_equal(digest_by_name(digest_name((enum digest)i)), i);
	assert_int_equal(digest_by_name("SHA-256"), DIGEST_SHA256);
	assert_int_equal(digest_by_name("md5"), DIGEST_NONE);
	assert_int_equal(digest_by_name("none"), DIGEST_NONE);
}

static void
sizes_are_those_of_the_standards(void **state)
{
	assert_int_equal(digest_size(DIGEST_SHA1), 20);
	assert_int_equal(digest_size(DIGEST_SHA384), 48);
	assert_int_equal(digest_size(DIGEST_SHA512), DIGEST_SIZE_MAX);
	assert_int_equal(cipher_key_size(CIPHER_DES3), 24);
	assert_int_equal(cipher_key_size(CIPHER_AES256), CEK_SIZE_MAX);
	assert_int_equal(cipher_block_size(CIPHER_DES3), 8);
	assert_int_equal(cipher_block_size(CIPHER_AES192), 16);
	assert_int_equal(digest_size((enum digest)99), 0);
	assert_int_equal(cipher_key_size((enum cipher)99), 0);
}

static void
oids_in_errors_have_names(void **state)
{
	char out[80];

	assert_string_equal(oid_label("1.3.14.3.2.7", out, sizeof out), "1.3.14.3.2.7 (DES-CBC)");
	assert_string_equal(
	    oid_label("1.2.840.113549.2.5", out, sizeof out), "1.2.840.113549.2.5 (MD5)");
	assert_string_equal(oid_label("1.2.3", out, sizeof out), "1.2.3");
	assert_string_equal(oid_label("1.2.840.113549.2.5", out, 6), "1.2.8");
}

static void
transports_have_names(void **state)
{
	static const struct transport rsa = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE },
				      sha1 = { TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 },
				      mixed = { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 };
	char out[40];

	assert_string_equal(transport_name(&rsa, out, sizeof out), "rsa");
	assert_string_equal(transport_name(&sha1, out, sizeof out), "oaep-sha1");
	assert_string_equal(transport_name(&mixed, out, sizeof out), "oaep-sha256/sha1");
}

static void
assert_hex(const uint8_t *p, size_t len, const char *want)
{
	char hex[2 * DIGEST_SIZE_MAX + 1];

	hex_lower(hex, p, len);
	assert_string_equal(hex, want);
}

/* FIPS 180-4 examples */
static void
digests_of_abc_are_right(void **state)
{
	struct err err = { 0 };
	uint8_t md[DIGEST_SIZE_MAX];

	assert_ok(digest_bytes(md, DIGEST_SHA1, "abc", 3, &err), err);
	assert_hex(md, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_ok(digest_bytes(md, DIGEST_SHA256, "abc", 3, &err), err);
	assert_hex(md, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_bytes(md, DIGEST_NONE, "abc", 3, &err), RC_ALG);
	assert_int_equal(digest_bytes(md, (enum digest)99, "abc", 3, &err), RC_ALG);
}

/* RFC 4231 4.3 */
static void
hmac_of_rfc4231_is_right(void **state)
{
	struct err err = { 0 };
	uint8_t md[32], empty[32];

	assert_ok(hmac_sha256(md, "Jefe", 4, "what do ya want for nothing?", 28, &err), err);
	assert_hex(md, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_ok(hmac_sha256(empty, NULL, 0, "", 0, &err), err);
	assert_hex(empty, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
random_bytes_differ(void **state)
{
	struct err err = { 0 };
	uint8_t a[16] = { 0 }, b[16] = { 0 };

	assert_ok(random_bytes(a, sizeof a, &err), err);
	assert_ok(random_bytes(b, sizeof b, &err), err);
	assert_memory_not_equal(a, b, sizeof a);
}

static const enum cipher ciphers[] = { CIPHER_DES3, CIPHER_AES128, CIPHER_AES192, CIPHER_AES256 };
static const uint8_t cbc_key[CEK_SIZE_MAX] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25 };
static const uint8_t cbc_iv[16] = { 9, 8, 7 };

static void
what_is_encrypted_decrypts(void **state)
{
	static const size_t lens[] = { 0, 1, 7, 8, 15, 16, 17, 1000 };
	struct err err = { 0 };
	struct buf enc, dec;
	uint8_t text[1000];
	size_t i, j;
	bool good;

	memset(text, 'q', sizeof text);
	for (i = 0; i < N(ciphers); i++)
		for (j = 0; j < N(lens); j++) {
			buf_init(&enc, 2000);
			buf_init(&dec, 2000);
			buf_adds(&enc, "pre");
			buf_adds(&dec, "pre");
			assert_ok(
			    cbc_encrypt(&enc, ciphers[i], cbc_key, cbc_iv, text, lens[j], &err),
			    err);
			assert_int_equal((enc.len - 3) % cipher_block_size(ciphers[i]), 0);
			assert_true(enc.len - 3 > lens[j]);
			good = false;
			assert_ok(cbc_decrypt_blind(&dec, &good, ciphers[i], cbc_key, cbc_iv,
				      enc.data + 3, enc.len - 3, &err),
			    err);
			assert_true(good);
			assert_int_equal(dec.len, 3 + lens[j]);
			assert_memory_equal(dec.data, "pre", 3);
			assert_memory_equal(dec.data + 3, text, lens[j]);
			buf_done(&enc);
			buf_done(&dec);
		}
}

/* NIST SP 800-38A F.2.1, first block */
static void
aes128_cbc_matches_the_published_vector(void **state)
{
	struct err err = { 0 };
	uint8_t key[16], iv[16], plain[16];
	struct buf enc;

	assert_ok(hex_decode(key, 16, "2b7e151628aed2a6abf7158809cf4f3c", 32, &err), err);
	assert_ok(hex_decode(iv, 16, "000102030405060708090a0b0c0d0e0f", 32, &err), err);
	assert_ok(hex_decode(plain, 16, "6bc1bee22e409f96e93d7e117393172a", 32, &err), err);
	buf_init(&enc, 64);
	assert_ok(cbc_encrypt(&enc, CIPHER_AES128, key, iv, plain, 16, &err), err);
	assert_hex(enc.data, 16, "7649abac8119b246cee98e9b12e9197d");
	buf_done(&enc);
}

/* Whose padding is wrong is decrypted all the same (scep/uniform has every padding). */
static void
a_wrong_ciphertext_is_no_error_unless_it_has_no_whole_blocks(void **state)
{
	struct err err = { 0 };
	struct buf enc, dec;
	bool good = true;
	uint8_t iv[16];

	buf_init(&enc, 256);
	buf_init(&dec, 256);
	buf_adds(&dec, "keep");
	assert_ok(cbc_encrypt(&enc, CIPHER_AES128, cbc_key, cbc_iv, "hello", 5, &err), err);
	for (size_t len = 0; len < 16; len += 5)
		assert_int_equal(cbc_decrypt_blind(&dec, &good, CIPHER_AES128, cbc_key, cbc_iv,
				     enc.data, len, &err),
		    RC_INTEGRITY);
	assert_int_equal(dec.len, 4);
	/* The last octet of the padding, 11, by way of the IV: 0x4b is none. */
	memcpy(iv, cbc_iv, sizeof(iv));
	iv[15] ^= 0x40;
	assert_ok(
	    cbc_decrypt_blind(&dec, &good, CIPHER_AES128, cbc_key, iv, enc.data, 16, &err), err);
	assert_false(good);
	assert_int_equal(dec.len, 4 + 16);
	assert_memory_equal(dec.data, "keephello", 9);
	buf_done(&enc);
	buf_done(&dec);
}

static void
ciphers_that_are_none_are_refused(void **state)
{
	struct err err = { 0 };
	bool good = true;
	struct buf b;

	buf_init(&b, 64);
	assert_int_equal(cbc_encrypt(&b, CIPHER_NONE, cbc_key, cbc_iv, "x", 1, &err), RC_ALG);
	assert_int_equal(
	    cbc_decrypt_blind(&b, &good, (enum cipher)99, cbc_key, cbc_iv, "x", 1, &err), RC_ALG);
	buf_done(&b);
	buf_init(&b, 8);
	assert_int_equal(cbc_encrypt(&b, CIPHER_AES128, cbc_key, cbc_iv, "x", 1, &err), RC_LIMIT);
	buf_done(&b);
}

static void
signature_algorithms_are_taken_with_their_own_parameters_only(void **state)
{
#define RSA256 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define EC256  "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	static const struct {
		const char *p;
		size_t len;
		enum rc want;
	} cases[] = { { RSA256, 11, RC_OK }, { RSA256 "\x05\x00", 13, RC_OK },
		{ RSA256 "\x05\x00\x05\x00", 15, RC_PARSE }, { RSA256 "\x30\x00", 13, RC_PARSE },
		{ EC256, 10, RC_OK }, { EC256 "\x05\x00", 12, RC_PARSE },
		{ "\x05\x00", 2, RC_PARSE }, { "\x06\x02\x2a\x03", 4, RC_ALG },
		{ "", 0, RC_PARSE } };
	const struct sig_alg *alg;
	struct der in;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		in = (struct der){ (const uint8_t *)cases[i].p, cases[i].len };
		if (sig_alg_parse(&alg, &in, NULL) != cases[i].want)
			fail_msg("case %zu", i);
		if (cases[i].want == RC_OK)
			assert_int_equal(alg->digest, DIGEST_SHA256);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_their_algorithm),
		cmocka_unit_test(sizes_are_those_of_the_standards),
		cmocka_unit_test(oids_in_errors_have_names),
		cmocka_unit_test(transports_have_names),
		cmocka_unit_test(digests_of_abc_are_right),
		cmocka_unit_test(hmac_of_rfc4231_is_right),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(what_is_encrypted_decrypts),
		cmocka_unit_test(aes128_cbc_matches_the_published_vector),
		cmocka_unit_test(a_wrong_ciphertext_is_no_error_unless_it_has_no_whole_blocks),
		cmocka_unit_test(ciphers_that_are_none_are_refused),
		cmocka_unit_test(signature_algorithms_are_taken_with_their_own_parameters_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
