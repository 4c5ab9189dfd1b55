/*
 * key_source_test.c - keys in files: encrypted at rest, or not.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/key_pem.h"
#include "ossl/key_source.h"

static struct dir d;

static int
enter(void **state)
{
	dir_make_temp(&d);
	return 0;
}

static int
leave(void **state)
{
	dir_done(&d);
	return fixture_done(state);
}

/* A path in the folder of these tests. */
static const char *
in(const char *name)
{
	static char path[160];

	snprintf(path, sizeof path, "%s/%s", d.path, name);
	return path;
}

static enum rc
open_as(struct key **out, const char *name, const char *passphrase, struct err *err)
{
	struct key_source src = { .key = in(name), .passphrase = passphrase };

	return key_open(out, &src, err);
}

static void
a_key_is_made_and_opened_again(void **state)
{
	static const struct {
		const char *spec, *passphrase;
	} cases[] = { { "rsa:2048", NULL }, { "ec:p256", NULL }, { "ec:p384", "correct horse" },
		{ "rsa:2048", "p\xc3\xa4ss" } };
	struct key *made, *opened;
	struct err err = { 0 };
	struct stat st;
	char name[16];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		struct key_source src = { .key = NULL, .passphrase = cases[i].passphrase };

		snprintf(name, sizeof name, "made%zu", i);
		src.key = in(name);
		assert_ok(key_create(&made, cases[i].spec, &src, &err), err);
		assert_int_equal(stat(in(name), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_ok(open_as(&opened, name, cases[i].passphrase, &err), err);
		assert_true(key_same_public(made, opened));
		assert_true(key_is_private(opened));
		key_free(opened);
		key_free(made);
		assert_int_equal(key_create(&made, cases[i].spec, &src, &err), RC_CONFLICT);
	}
	assert_int_equal(dir_run(&d, NULL,
			     "openssl pkey -in made2 -passin 'pass:correct horse' -noout && "
			     "openssl asn1parse -in made2 | grep -q scrypt && "
			     "openssl asn1parse -in made2 | grep -q aes-256-cbc"),
	    0);
}

static void
what_is_wrong_with_a_file_is_one_sentence_and_what_to_do(void **state)
{
	static const struct {
		const char *name, *passphrase, *word;
	} cases[] = { { "locked", NULL, "no passphrase" }, { "locked", "wrong", "does not open" },
		{ "locked", "", "does not open" }, { "gone", NULL, "does not exist" },
		{ "junk", "x", "no private key" } };
	struct err err = { 0 };
	struct key *k;
	struct buf pem;
	size_t i;

	buf_init(&pem, 1 << 16);
	assert_ok(key_private_pem_locked(&pem, fixture_key("ec:p256"), "right", &err), err);
	dir_put(&d, "locked", pem.data, pem.len, 0600);
	dir_put(&d, "junk", "junk", 4, 0600);
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(open_as(&k, cases[i].name, cases[i].passphrase, &err), RC_CONFIG);
		assert_int_equal(err.rc, RC_CONFIG);
		assert_non_null(strstr(err.msg, in(cases[i].name)));
		assert_non_null(strstr(err.msg, cases[i].word));
	}
	assert_ok(open_as(&k, "locked", "right", &err), err);
	key_free(k);
	assert_int_equal(key_private_pem_locked(&pem, fixture_key("ec:p256"), "", &err), RC_CONFIG);
	buf_wipe(&pem);
}

/* What other programs have encrypted: read when it is strong, refused by its name when it is not. */
static void
encryptions_off_the_list_are_named_in_the_error(void **state)
{
	static const struct {
		const char *how, *word;
	} cases[] = {
		{ "pkcs8 -topk8 -v2 aes-256-cbc -iter 1000", NULL },
		{ "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512", NULL },
		{ "pkcs8 -topk8 -scrypt -v2 aes-192-cbc", NULL },
		{ "pkcs8 -topk8 -v2 des3", "DES-EDE3-CBC" },
		{ "pkcs8 -topk8 -v1 PBE-SHA1-3DES", "1.2.840.113549.1.12.1.3" },
		{ "ec -aes128", "traditional" },
	};
	struct err err = { 0 };
	char cmd[200];
	struct key *k;
	size_t i;

	assert_int_equal(
	    dir_run(&d, NULL, "openssl ecparam -genkey -name prime256v1 -noout -out plain"), 0);
	for (i = 0; i < N(cases); i++) {
		snprintf(cmd, sizeof cmd,
		    "openssl %s -passout pass:x -in plain -out enc && chmod 600 enc", cases[i].how);
		assert_int_equal(dir_run(&d, NULL, cmd), 0);
		if (cases[i].word == NULL) {
			assert_ok(open_as(&k, "enc", "x", &err), err);
			key_free(k);
			continue;
		}
		assert_int_equal(open_as(&k, "enc", "x", &err), RC_CONFIG);
		assert_non_null(strstr(err.msg, cases[i].word));
		assert_non_null(strstr(err.hint, "openssl pkcs8 -topk8"));
	}
}

static void
an_unencrypted_key_needs_no_passphrase_and_takes_one(void **state)
{
	struct err err = { 0 };
	struct buf pem;
	struct key *k;
	bool locked = true;

	buf_init(&pem, 1 << 16);
	assert_ok(key_private_pem_locked(&pem, fixture_key("ec:p256"), NULL, &err), err);
	assert_ok(key_parse_pem_locked(&k, &locked, pem.data, pem.len, "unused", &err), err);
	assert_false(locked);
	key_free(k);
	buf_wipe(&pem);
}

/* An EncryptedPrivateKeyInfo with these numbers; what is encrypted in it is nothing. */
static void
costly_pem(struct buf *pem, bool scrypt, uint64_t a, uint64_t r, uint64_t p)
{
	size_t top, alg, params, kdf, inner, cipher;
	struct buf b;

	buf_init(&b, 1000);
	top = der_open(&b, DER_SEQUENCE);
	alg = der_open(&b, DER_SEQUENCE);
	assert_true(der_add_oid(&b, "1.2.840.113549.1.5.13"));
	params = der_open(&b, DER_SEQUENCE);
	kdf = der_open(&b, DER_SEQUENCE);
	assert_true(der_add_oid(&b, scrypt ? "1.3.6.1.4.1.11591.4.11" : "1.2.840.113549.1.5.12"));
	inner = der_open(&b, DER_SEQUENCE);
	der_add(&b, DER_OCTET_STRING, "saltsalt", 8);
	der_add_u64(&b, a);
	if (scrypt) {
		der_add_u64(&b, r);
		der_add_u64(&b, p);
	}
	der_close(&b, inner);
	der_close(&b, kdf);
	cipher = der_open(&b, DER_SEQUENCE);
	assert_true(der_add_oid(&b, "2.16.840.1.101.3.4.1.42"));
	der_add(&b, DER_OCTET_STRING, "0123456789abcdef", 16);
	der_close(&b, cipher);
	der_close(&b, params);
	der_close(&b, alg);
	der_add(&b, DER_OCTET_STRING, "0123456789abcdef", 16);
	der_close(&b, top);
	buf_adds(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
	for (size_t i = 0; i < b.len; i += 48) {
		base64_add(pem, b.data + i, b.len - i < 48 ? b.len - i : 48);
		buf_addc(pem, '\n');
	}
	buf_adds(pem, "-----END ENCRYPTED PRIVATE KEY-----\n");
	buf_done(&b);
}

static void
a_key_file_cannot_ask_for_work_without_end(void **state)
{
	static const struct {
		bool scrypt;
		uint64_t a, r, p;
		enum rc want;
	} cases[] = {
		{ false, 1000, 0, 0, RC_CONFIG }, /* that is: tried, and the passphrase is wrong */
		{ false, 0, 0, 0, RC_LIMIT },
		{ false, 5000001, 0, 0, RC_LIMIT },
		{ false, UINT64_MAX / 2, 0, 0, RC_LIMIT },
		{ true, 1024, 8, 1, RC_CONFIG },
		{ true, 1 << 20, 8, 1, RC_LIMIT },
		{ true, 1024, 8, 1 << 20, RC_LIMIT },
		{ true, 1ULL << 32, 1ULL << 32, 1, RC_LIMIT },
		{ true, UINT64_MAX / 2, UINT64_MAX / 2, UINT64_MAX / 2, RC_LIMIT },
	};
	struct err err = { 0 };
	struct key *k;
	struct buf pem;
	bool locked;
	size_t i;

	buf_init(&pem, 4000);
	for (i = 0; i < N(cases); i++) {
		buf_reset(&pem);
		costly_pem(&pem, cases[i].scrypt, cases[i].a, cases[i].r, cases[i].p);
		assert_int_equal(
		    key_parse_pem_locked(&k, &locked, pem.data, pem.len, "x", &err), cases[i].want);
	}
	buf_done(&pem);
}

static enum rc
locked_door(const void *p, size_t len)
{
	struct key *k;
	bool locked;
	enum rc rc = key_parse_pem_locked(&k, &locked, p, len, "x", NULL);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static void
damaged_encrypted_files_do_no_harm(void **state)
{
	struct buf pem;

	buf_init(&pem, 1 << 16);
	assert_int_equal(dir_run(&d, NULL,
			     "openssl ecparam -genkey -name prime256v1 -noout | openssl pkcs8 "
			     "-topk8 -v2 aes-256-cbc -iter 2 -passout pass:x -out few"),
	    0);
	dir_get(&d, "few", &pem);
	assert_int_equal(locked_door(pem.data, pem.len), RC_OK);
	sweep_prefixes(locked_door, pem.data, pem.len - 1, 1);
	sweep_flips(locked_door, pem.data, pem.len, 3);
	buf_wipe(&pem);
}

static void
a_uri_is_known_by_its_scheme(void **state)
{
	assert_true(key_source_is_token("pkcs11:token=ca"));
	assert_false(key_source_is_token("pkcs11"));
	assert_false(key_source_is_token("/etc/pkcs11:x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_made_and_opened_again),
		cmocka_unit_test(what_is_wrong_with_a_file_is_one_sentence_and_what_to_do),
		cmocka_unit_test(encryptions_off_the_list_are_named_in_the_error),
		cmocka_unit_test(an_unencrypted_key_needs_no_passphrase_and_takes_one),
		cmocka_unit_test(a_key_file_cannot_ask_for_work_without_end),
		cmocka_unit_test(damaged_encrypted_files_do_no_harm),
		cmocka_unit_test(a_uri_is_known_by_its_scheme),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
