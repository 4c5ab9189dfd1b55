/*
 * key_test.c - which keys are taken, and what they sign.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

/* SubjectPublicKeyInfo of an RSA key with these numbers. */
static void
rsa_spki(struct buf *b, const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len)
{
	size_t spki = der_open(b, DER_SEQUENCE), mark = der_open(b, DER_SEQUENCE);

	assert_true(der_add_oid(b, "1.2.840.113549.1.1.1"));
	der_add(b, DER_NULL, NULL, 0);
	der_close(b, mark);
	mark = der_open(b, DER_BIT_STRING);
	buf_addc(b, '\0');
	{
		size_t seq = der_open(b, DER_SEQUENCE);

		der_add_magnitude(b, n, n_len);
		der_add_magnitude(b, e, e_len);
		der_close(b, seq);
	}
	der_close(b, mark);
	der_close(b, spki);
}

static enum rc
take_rsa(unsigned bits, uint8_t last, uint64_t exponent, struct err *err)
{
	uint8_t n[1100], e[8];
	size_t len = (bits + 7) / 8, i;
	struct key *k;
	struct buf b;
	enum rc rc;

	memset(n, 0xa5, len);
	n[0] = (uint8_t)(0xffu >> (8 * len - bits));
	n[len - 1] = last;
	for (i = 0; i < 8; i++)
		e[i] = (uint8_t)(exponent >> (8 * (7 - i)));
	buf_init(&b, 1 << 12);
	rsa_spki(&b, n, len, e, sizeof e);
	rc = key_parse_spki(&k, b.data, b.len, err);
	buf_done(&b);
	if (rc == RC_OK) {
		assert_int_equal(key_info0(k)->type, KEY_RSA);
		assert_int_equal(key_info0(k)->bits, bits);
		assert_false(key_is_private(k));
		key_free(k);
	}
	return rc;
}

static void
rsa_keys_follow_the_size_rules(void **state)
{
	static const struct {
		unsigned bits;
		uint8_t last;
		uint64_t e;
		enum rc want;
	} cases[] = {
		{ 1024, 1, 3, RC_OK },
		{ 1030, 1, 65537, RC_OK },
		{ 2048, 0xff, 65537, RC_OK },
		{ 8192, 1, 65537, RC_OK },
		{ 2048, 1, (1ULL << 32) + 1, RC_OK },
		{ 1023, 1, 65537, RC_ALG },
		{ 512, 1, 65537, RC_ALG },
		{ 8193, 1, 65537, RC_ALG },
		{ 2048, 2, 65537, RC_ALG },
		{ 2048, 1, 65536, RC_ALG },
		{ 2048, 1, 1, RC_ALG },
		{ 2048, 1, 0, RC_ALG },
		{ 2048, 1, (1ULL << 33) + 1, RC_ALG },
	};
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < N(cases); i++)
		if (take_rsa(cases[i].bits, cases[i].last, cases[i].e, &err) != cases[i].want)
			fail_msg("case %zu: %s", i, err.msg);
}

/* Replace one run of bytes of the SPKI of a good key and see. */
static enum rc
take_patched(const char *spec, size_t at, const void *p, size_t len, struct err *err)
{
	uint8_t der[1024];
	size_t der_len;
	const uint8_t *good = key_spki0(fixture_key(spec), &der_len);
	struct key *k;
	enum rc rc;

	memcpy(der, good, der_len);
	memcpy(der + at, p, len);
	rc = key_parse_spki(&k, der, der_len, err);
	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static void
ec_points_off_the_curve_are_refused(void **state)
{
	uint8_t zero[64] = { 0 }, ones[64];
	struct err err = { 0 };

	memset(ones, 0xff, sizeof ones);
	assert_int_equal(take_patched("ec:p256", 91 - 64, zero, 64, &err), RC_PARSE);
	assert_int_equal(take_patched("ec:p256", 91 - 64, ones, 64, &err), RC_PARSE);
	/* hybrid form (X9.62 4.3.6); one of the two has the right parity */
	assert_int_equal(take_patched("ec:p256", 91 - 65, "\x06", 1, &err), RC_PARSE);
	assert_int_equal(take_patched("ec:p256", 91 - 65, "\x07", 1, &err), RC_PARSE);
	assert_int_equal(take_patched("ec:p256", 91 - 65, "\x04", 1, &err), RC_OK);
}

static void
curves_and_types_off_the_list_are_named_in_the_error(void **state)
{
	static const struct {
		const char *cmd, *word;
	} cases[] = {
		{ "openssl ecparam -genkey -name secp256k1 -noout -out k", "secp256k1" },
		{ "openssl ecparam -genkey -name secp224r1 -noout -out k", "P-224" },
		{ "openssl ecparam -genkey -name prime256v1 -param_enc explicit -noout -out k",
		    "named curve" },
		{ "openssl genpkey -algorithm ed448 -out k", "Ed448" },
		{ "openssl genpkey -algorithm RSA-PSS -out k", "RSASSA-PSS" },
	};
	struct err err = { 0 };
	struct buf b;
	struct dir d;
	struct key *k;
	size_t i;

	dir_make_temp(&d);
	for (i = 0; i < N(cases); i++) {
		buf_init(&b, 1 << 16);
		assert_int_equal(dir_run(&d, NULL, cases[i].cmd), 0);
		assert_int_equal(
		    dir_run(&d, NULL, "openssl pkey -in k -pubout -outform DER -out k.der"), 0);
		dir_get(&d, "k.der", &b);
		assert_int_equal(key_parse_spki(&k, b.data, b.len, &err), RC_ALG);
		assert_non_null(strstr(err.msg, cases[i].word));
		buf_reset(&b);
		dir_get(&d, "k", &b);
		assert_int_equal(key_parse_pem(&k, b.data, b.len, &err), RC_ALG);
		buf_done(&b);
	}
	dir_done(&d);
}

static void
keys_of_every_kind_are_made_and_read_back(void **state)
{
	static const struct {
		const char *spec, *name;
		enum key_type type;
		unsigned bits;
	} cases[] = { { "rsa:2048", "rsa2048", KEY_RSA, 2048 },
		{ "ec:p256", "ec-p256", KEY_EC, 256 }, { "ec:p384", "ec-p384", KEY_EC, 384 },
		{ "ed25519", "ed25519", KEY_ED25519, 256 } };
	struct key *k, *again;
	struct err err = { 0 };
	struct buf pem;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		k = fixture_key(cases[i].spec);
		assert_int_equal(key_info0(k)->type, cases[i].type);
		assert_int_equal(key_info0(k)->bits, cases[i].bits);
		assert_string_equal(key_info0(k)->name, cases[i].name);
		assert_true(key_is_private(k));
		buf_init(&pem, 1 << 16);
		assert_ok(key_private_pem(&pem, k, &err), err);
		assert_ok(key_parse_pem(&again, pem.data, pem.len, &err), err);
		assert_true(key_same_public(k, again));
		assert_true(key_is_private(again));
		key_free(again);
		buf_wipe(&pem);
	}
}

static void
specs_off_the_list_are_refused(void **state)
{
	static const char *const bad[] = { "", "rsa", "rsa:1024", "rsa:2049", "rsa:8192", "ec:p224",
		"ec:p521", "RSA:2048", "ed448", "ml-dsa", "ml-dsa-66" };
	struct err err = { 0 };
	struct key *k;
	size_t i;

	for (i = 0; i < N(bad); i++) {
		assert_int_equal(key_generate(&k, bad[i], &err), RC_ALG);
		assert_string_not_equal(err.hint, "");
	}
}

static void
openssl_key_files_of_every_form_are_read(void **state)
{
	static const struct {
		const char *cmd;
		enum rc want;
	} cases[] = {
		{ "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k", RC_OK },
		{ "openssl genrsa -traditional -out k 2048", RC_OK },
		{ "openssl ecparam -genkey -name prime256v1 -out k", RC_OK },
		{ "openssl ecparam -genkey -name secp521r1 -noout -out k", RC_OK },
		{ "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out k", RC_OK },
		{ "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -aes128 -pass "
		  "pass:x -out k",
		    RC_PARSE },
		{ "openssl ecparam -genkey -name prime256v1 -noout | openssl ec -aes128 -passout "
		  "pass:x -out k",
		    RC_PARSE },
		{ "openssl ecparam -genkey -name prime256v1 -noout | openssl pkey -pubout -out k",
		    RC_PARSE },
		{ "openssl ecparam -genkey -name prime256v1 -noout | openssl pkey -outform DER "
		  "-out k",
		    RC_PARSE },
		{ "openssl genrsa -out k 512", RC_ALG },
		{ "echo hello > k", RC_PARSE },
		{ ": > k", RC_PARSE },
	};
	struct err err = { 0 };
	struct key *k;
	struct dir d;
	struct buf b;
	size_t i;
	enum rc rc;

	dir_make_temp(&d);
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(dir_run(&d, NULL, cases[i].cmd), 0);
		buf_init(&b, 1 << 16);
		dir_get(&d, "k", &b);
		rc = key_parse_pem(&k, b.data, b.len, &err);
		if (rc != cases[i].want)
			fail_msg("%s: %s", cases[i].cmd, err.msg);
		if (rc == RC_OK)
			key_free(k);
		buf_done(&b);
	}
	dir_done(&d);
}

static void
a_key_file_that_others_may_read_is_refused(void **state)
{
	char path[96];
	struct err err = { 0 };
	struct key *k;
	struct buf pem;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&pem, 1 << 16);
	assert_ok(key_private_pem(&pem, fixture_key("ec:p256"), &err), err);
	dir_put(&d, "open", pem.data, pem.len, 0644);
	dir_put(&d, "closed", pem.data, pem.len, 0600);
	snprintf(path, sizeof path, "%s/open", d.path);
	assert_int_equal(key_load(&k, path, &err), RC_CONFIG);
	snprintf(path, sizeof path, "%s/closed", d.path);
	assert_ok(key_load(&k, path, &err), err);
	assert_true(key_same_public(k, fixture_key("ec:p256")));
	key_free(k);
	buf_wipe(&pem);
	dir_done(&d);
}

static enum rc
pem_door(const void *p, size_t len)
{
	struct key *k;
	enum rc rc = key_parse_pem(&k, p, len, NULL);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static void
damaged_key_files_do_no_harm(void **state)
{
	static const char *const specs[] = { "ec:p256", "rsa:2048", "ed25519" };
	struct err err = { 0 };
	struct buf pem;
	size_t i;

	for (i = 0; i < N(specs); i++) {
		buf_init(&pem, 1 << 16);
		assert_ok(key_private_pem(&pem, fixture_key(specs[i]), &err), err);
		/* libcrypto takes an END line without its newline, so that one is no strict prefix.
		 */
		sweep_prefixes(pem_door, pem.data, pem.len - 1, i == 0 ? 1 : 13);
		sweep_flips(pem_door, pem.data, pem.len, i == 0 ? 3 : 61);
		buf_wipe(&pem);
	}
}

/* The fixture's key with `len` bytes of its public half replaced by those of the other key. */
static void
mismatched_pem(struct buf *pem, const char *spec, size_t at, size_t len)
{
	size_t spki_len;
	const uint8_t *good = key_spki0(fixture_key(spec), &spki_len), *found;
	const uint8_t *other = key_spki0(fixture_other_key(spec), &spki_len);
	struct err err = { 0 };
	struct dir d;
	struct buf b;

	dir_make_temp(&d);
	buf_init(&b, 1 << 16);
	assert_ok(key_private_pem(&b, fixture_key(spec), &err), err);
	dir_put(&d, "k.pem", b.data, b.len, 0600);
	buf_wipe(&b);
	assert_int_equal(
	    dir_run(&d, NULL, "openssl pkcs8 -topk8 -nocrypt -in k.pem -outform DER -out k.der"),
	    0);
	dir_get(&d, "k.der", &b);
	found = memmem(b.data, b.len, good + at, len);
	assert_non_null(found);
	memcpy(b.data + (found - b.data), other + at, len);
	dir_put(&d, "k.der", b.data, b.len, 0600);
	assert_int_equal(dir_run(&d, NULL,
			     "{ echo -----BEGIN PRIVATE KEY-----; openssl base64 -in k.der; "
			     "echo -----END PRIVATE KEY-----; } > bad.pem"),
	    0);
	dir_get(&d, "bad.pem", pem);
	buf_wipe(&b);
	dir_done(&d);
}

static void
a_private_key_whose_halves_do_not_match_is_refused(void **state)
{
	static const struct {
		const char *spec;
		size_t at, len; /* in the SPKI */
	} cases[] = { { "ec:p256", 91 - 64, 64 }, { "rsa:2048", 33, 256 } };
	struct err err = { 0 };
	struct buf pem;
	struct key *k;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&pem, 1 << 16);
		mismatched_pem(&pem, cases[i].spec, cases[i].at, cases[i].len);
		assert_int_equal(key_parse_pem(&k, pem.data, pem.len, &err), RC_PARSE);
		buf_wipe(&pem);
	}
}

static enum rc
spki_door(const void *p, size_t len)
{
	struct key *k;
	enum rc rc = key_parse_spki(&k, p, len, NULL);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static void
no_prefix_of_a_public_key_is_taken_and_no_flip_breaks_the_door(void **state)
{
	static const char *const specs[] = { "rsa:2048", "ec:p256", "ec:p384", "ed25519" };
	const uint8_t *der;
	size_t i, len;

	for (i = 0; i < N(specs); i++) {
		der = key_spki0(fixture_key(specs[i]), &len);
		sweep_prefixes(spki_door, der, len, 1);
		sweep_flips(spki_door, der, len, 1);
	}
}

static void
every_flip_in_an_ec_point_is_refused(void **state)
{
	size_t len;
	const uint8_t *der = key_spki0(fixture_key("ec:p256"), &len);

	assert_int_equal(sweep_flips(spki_door, der, len, 1), 0);
}

static void
the_received_encoding_is_kept(void **state)
{
	size_t len, again_len;
	const uint8_t *der = key_spki0(fixture_key("rsa:2048"), &len), *again;
	struct err err = { 0 };
	struct key *k;

	assert_ok(key_parse_spki(&k, der, len, &err), err);
	again = key_spki0(k, &again_len);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, der, len);
	assert_ptr_not_equal(again, der);
	assert_true(key_same_public(k, fixture_key("rsa:2048")));
	assert_false(key_same_public(k, fixture_other_key("rsa:2048")));
	assert_false(key_same_public(k, fixture_key("ec:p256")));
	key_free(k);
}

static void
a_key_lives_until_its_last_reference_goes(void **state)
{
	size_t len;
	const uint8_t *der = key_spki0(fixture_key("ec:p256"), &len);
	struct err err = { 0 };
	struct key *k;

	assert_ok(key_parse_spki(&k, der, len, &err), err);
	assert_ptr_equal(key_ref(k), k);
	key_free(k);
	assert_string_equal(key_info0(k)->name, "ec-p256");
	key_free(k);
	key_free(NULL);
}

static void
signatures_verify_with_their_key_text_and_digest_only(void **state)
{
	static const char *const specs[] = { "rsa:2048", "ec:p256", "ec:p384" };
	static const enum digest digests[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
		DIGEST_SHA512 };
	struct err err = { 0 };
	struct buf sig;
	size_t i, j;

	for (i = 0; i < N(specs); i++)
		for (j = 0; j < N(digests); j++) {
			struct key *k = fixture_key(specs[i]);

			buf_init(&sig, 1024);
			assert_ok(key_sign(&sig, k, digests[j], "text", 4, &err), err);
			assert_ok(
			    key_verify(k, digests[j], "text", 4, sig.data, sig.len, &err), err);
			assert_int_equal(
			    key_verify(k, digests[j], "test", 4, sig.data, sig.len, &err),
			    RC_INTEGRITY);
			assert_int_equal(
			    key_verify(k, digests[(j + 1) % 4], "text", 4, sig.data, sig.len, &err),
			    RC_INTEGRITY);
			assert_int_equal(key_verify(fixture_other_key(specs[i]), digests[j], "text",
					     4, sig.data, sig.len, &err),
			    RC_INTEGRITY);
			assert_int_equal(
			    key_verify(k, digests[j], "text", 4, sig.data, sig.len - 1, &err),
			    RC_INTEGRITY);
			assert_int_equal(
			    key_verify(k, digests[j], "text", 4, NULL, 0, &err), RC_INTEGRITY);
			sig.data[sig.len / 2] ^= 1;
			assert_int_equal(
			    key_verify(k, digests[j], "text", 4, sig.data, sig.len, &err),
			    RC_INTEGRITY);
			buf_done(&sig);
		}
}

/* Whatever digest is named: the key's own algorithm is the only one it has. */
static void
message_signatures_hold(const char *spec, size_t sig_len)
{
	struct key *k = fixture_key(spec);
	struct err err = { 0 };
	struct buf sig;

	assert_false(key_type_has_digest(key_info0(k)->type));
	buf_init(&sig, KEY_SIG_MAX);
	assert_ok(key_sign(&sig, k, DIGEST_NONE, "text", 4, &err), err);
	assert_int_equal(sig.len, sig_len);
	assert_ok(key_verify(k, DIGEST_NONE, "text", 4, sig.data, sig.len, &err), err);
	assert_ok(key_verify(k, DIGEST_SHA256, "text", 4, sig.data, sig.len, &err), err);
	assert_int_equal(
	    key_verify(k, DIGEST_NONE, "test", 4, sig.data, sig.len, &err), RC_INTEGRITY);
	assert_int_equal(
	    key_verify(k, DIGEST_NONE, "text", 4, sig.data, sig.len - 1, &err), RC_INTEGRITY);
	assert_int_equal(
	    key_verify(fixture_other_key(spec), DIGEST_NONE, "text", 4, sig.data, sig.len, &err),
	    RC_INTEGRITY);
	sig.data[sig.len / 2] ^= 1;
	assert_int_equal(
	    key_verify(k, DIGEST_NONE, "text", 4, sig.data, sig.len, &err), RC_INTEGRITY);
	assert_int_equal(key_sign_pss(&sig, k, DIGEST_SHA256, "text", 4, &err), RC_ALG);
	buf_done(&sig);
}

static void
ed25519_signs_the_message_itself(void **state)
{
	message_signatures_hold("ed25519", 64);
}

static void
ml_dsa_signs_the_message_itself(void **state)
{
	static const struct {
		const char *spec;
		size_t sig_len; /* FIPS 204 table 2 */
	} cases[] = { { "ml-dsa-44", 2420 }, { "ml-dsa-65", 3309 }, { "ml-dsa-87", 4627 } };
	struct err err = { 0 };
	struct buf pem;
	struct key *k, *again;
	size_t i, len;
	const uint8_t *der;

	for (i = 0; i < N(cases); i++) {
		if (key_generate(&k, cases[i].spec, &err) != RC_OK) {
			assert_int_equal(err.rc, RC_ALG);
			assert_non_null(strstr(err.hint, "3.5"));
			print_message("skipped: %s\n", err.msg);
			skip();
		}
		assert_string_equal(key_info0(k)->name, cases[i].spec);
		buf_init(&pem, 1 << 16);
		assert_ok(key_private_pem(&pem, k, &err), err);
		assert_ok(key_parse_pem(&again, pem.data, pem.len, &err), err);
		assert_true(key_same_public(k, again));
		key_free(again);
		der = key_spki0(k, &len);
		sweep_prefixes(spki_door, der, len, 7);
		buf_wipe(&pem);
		key_free(k);
		message_signatures_hold(cases[i].spec, cases[i].sig_len);
	}
}

static void
the_words_for_keys_are_those_that_can_be_made(void **state)
{
	char words[KEY_SPECS_MAX], all[] = KEY_SPECS, *word, *rest = words;
	struct err err = { 0 };
	struct key *k;
	enum rc rc;

	/* Those that need a newer OpenSSL stand at the end. */
	assert_ptr_equal(key_specs(words, '|'), words);
	assert_int_equal(strncmp(words, KEY_SPECS, strlen(words)), 0);
	while ((word = strsep(&rest, "|")) != NULL)
		if (strncmp(word, "rsa:", 4) != 0)
			assert_non_null(fixture_key(word));
	rest = all;
	while ((word = strsep(&rest, "|")) != NULL) {
		if (strncmp(word, "ml-dsa", 6) != 0)
			continue;
		rc = key_generate(&k, word, &err);
		if (rc == RC_OK)
			key_free(k);
		else
			assert_non_null(strstr(err.msg, "not in this OpenSSL"));
	}
}

static void
a_signature_is_appended(void **state)
{
	struct err err = { 0 };
	struct buf sig;

	buf_init(&sig, 1024);
	buf_adds(&sig, "abc");
	assert_ok(key_sign(&sig, fixture_key("rsa:2048"), DIGEST_SHA256, "", 0, &err), err);
	assert_int_equal(sig.len, 3 + 256);
	assert_memory_equal(sig.data, "abc", 3);
	assert_int_equal(key_sign(&sig, fixture_key("rsa:2048"), DIGEST_NONE, "", 0, &err), RC_ALG);
	buf_done(&sig);
}

static void
a_public_key_does_not_sign(void **state)
{
	size_t len;
	const uint8_t *der = key_spki0(fixture_key("rsa:2048"), &len);
	struct err err = { 0 };
	struct key *k;
	struct buf sig;

	buf_init(&sig, 1024);
	assert_ok(key_parse_spki(&k, der, len, &err), err);
	assert_int_equal(key_sign(&sig, k, DIGEST_SHA256, "x", 1, &err), RC_BUG);
	assert_int_equal(key_private_pem(&sig, k, &err), RC_BUG);
	assert_int_equal(sig.len, 0);
	key_free(k);
	buf_done(&sig);
}

/* Another length of salt is another scheme: RFC 7518 3.5 has that of the digest. */
static void
pss_signatures_of_openssl_verify(void **state)
{
	static const char *const salts[] = { "32", "20" };
	struct err err = { 0 };
	struct buf b;
	char cmd[200];
	struct dir d;

	dir_make_temp(&d);
	buf_init(&b, 1 << 16);
	assert_ok(key_private_pem(&b, fixture_key("rsa:2048"), &err), err);
	dir_put(&d, "k", b.data, b.len, 0600);
	dir_put(&d, "text", "jwt", 3, 0600);
	for (size_t i = 0; i < N(salts); i++) {
		snprintf(cmd, sizeof cmd,
		    "openssl dgst -sha256 -sign k -sigopt rsa_padding_mode:pss "
		    "-sigopt rsa_pss_saltlen:%s -out sig text",
		    salts[i]);
		assert_int_equal(dir_run(&d, NULL, cmd), 0);
		buf_wipe(&b);
		dir_get(&d, "sig", &b);
		assert_int_equal(key_verify_pss(fixture_key("rsa:2048"), DIGEST_SHA256, "jwt", 3,
				     b.data, b.len, &err),
		    i == 0 ? RC_OK : RC_INTEGRITY);
	}
	buf_done(&b);
	dir_done(&d);
}

static void
pss_signatures_verify_with_openssl(void **state)
{
	struct err err = { 0 };
	struct buf b;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&b, 1 << 16);
	assert_ok(key_private_pem(&b, fixture_key("rsa:2048"), &err), err);
	dir_put(&d, "k", b.data, b.len, 0600);
	buf_wipe(&b);
	assert_ok(key_sign_pss(&b, fixture_key("rsa:2048"), DIGEST_SHA256, "jwt", 3, &err), err);
	dir_put(&d, "sig", b.data, b.len, 0600);
	dir_put(&d, "text", "jwt", 3, 0600);
	assert_int_equal(
	    dir_run(&d, NULL,
		"openssl dgst -sha256 -prverify k -signature sig -sigopt rsa_padding_mode:pss "
		"-sigopt rsa_pss_saltlen:32 text"),
	    0);
	assert_ok(
	    key_verify_pss(fixture_key("rsa:2048"), DIGEST_SHA256, "jwt", 3, b.data, b.len, &err),
	    err);
	assert_int_equal(
	    key_verify_pss(fixture_key("rsa:2048"), DIGEST_SHA256, "jwu", 3, b.data, b.len, &err),
	    RC_INTEGRITY);
	assert_int_equal(
	    key_verify_pss(fixture_key("ec:p256"), DIGEST_SHA256, "jwt", 3, b.data, b.len, &err),
	    RC_ALG);
	assert_int_equal(
	    key_verify(fixture_key("rsa:2048"), DIGEST_SHA256, "jwt", 3, b.data, b.len, &err),
	    RC_INTEGRITY);
	assert_int_equal(
	    key_sign_pss(&b, fixture_key("ec:p256"), DIGEST_SHA256, "jwt", 3, &err), RC_ALG);
	buf_done(&b);
	dir_done(&d);
}

static void
the_key_identifier_is_that_of_rfc5280_method_1(void **state)
{
	size_t len;
	const uint8_t *der = key_spki0(fixture_key("ec:p256"), &len);
	struct err err = { 0 };
	uint8_t id[20], want[20];

	assert_ok(key_identifier(id, fixture_key("ec:p256"), &err), err);
	assert_ok(digest_bytes(want, DIGEST_SHA1, der + len - 65, 65, &err), err);
	assert_memory_equal(id, want, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_keys_follow_the_size_rules),
		cmocka_unit_test(ec_points_off_the_curve_are_refused),
		cmocka_unit_test(curves_and_types_off_the_list_are_named_in_the_error),
		cmocka_unit_test(keys_of_every_kind_are_made_and_read_back),
		cmocka_unit_test(specs_off_the_list_are_refused),
		cmocka_unit_test(openssl_key_files_of_every_form_are_read),
		cmocka_unit_test(a_key_file_that_others_may_read_is_refused),
		cmocka_unit_test(damaged_key_files_do_no_harm),
		cmocka_unit_test(a_private_key_whose_halves_do_not_match_is_refused),
		cmocka_unit_test(no_prefix_of_a_public_key_is_taken_and_no_flip_breaks_the_door),
		cmocka_unit_test(every_flip_in_an_ec_point_is_refused),
		cmocka_unit_test(the_received_encoding_is_kept),
		cmocka_unit_test(a_key_lives_until_its_last_reference_goes),
		cmocka_unit_test(signatures_verify_with_their_key_text_and_digest_only),
		cmocka_unit_test(ed25519_signs_the_message_itself),
		cmocka_unit_test(ml_dsa_signs_the_message_itself),
		cmocka_unit_test(the_words_for_keys_are_those_that_can_be_made),
		cmocka_unit_test(a_signature_is_appended),
		cmocka_unit_test(a_public_key_does_not_sign),
		cmocka_unit_test(pss_signatures_verify_with_openssl),
		cmocka_unit_test(pss_signatures_of_openssl_verify),
		cmocka_unit_test(the_key_identifier_is_that_of_rfc5280_method_1),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
