/*
 * cms_openssl_test.c - a second opinion: the openssl command reads what we write, and we read what
 * it writes.
 */
#include "cms_kit.h"

#include <stdio.h>
#include <string.h>

static struct actor rsa, ec;
static struct dir dir;
static const uint8_t text[] = "What is sent.\nIn two lines.";
static const struct der content = { text, sizeof(text) - 1 };

static int
setup(void **state)
{
	dir_make_temp(&dir);
	actor_make(&rsa, "Device", "rsa:2048", 0, "0A0B");
	actor_make(&ec, "Curve", "ec:p256", 0, "0D");
	actor_put(&rsa, &dir, "rsa");
	actor_put(&ec, &dir, "ec");
	dir_put(&dir, "text", content.p, content.len, 0600);
	return 0;
}

static int
teardown(void **state)
{
	actor_done(&rsa);
	actor_done(&ec);
	dir_done(&dir);
	return fixture_done(state);
}

static void
run(const char *cmd)
{
	struct buf out = new_buf();

	if (dir_run(&dir, &out, cmd) != 0)
		fail_msg("%s: %s", cmd, buf_str(&out));
	buf_done(&out);
}

static void
assert_file_is_content(const char *name)
{
	struct buf b = new_buf();

	dir_get(&dir, name, &b);
	assert_int_equal(b.len, content.len);
	assert_memory_equal(b.data, content.p, content.len);
	buf_done(&b);
}

static void
openssl_verifies_what_we_sign(void **state)
{
	const struct actor *who[] = { &rsa, &ec };
	struct buf b;
	size_t i;
	int d;

	for (i = 0; i < N(who); i++) {
		for (d = DIGEST_SHA1; d < DIGEST__MAX; d++) {
			b = sign(who[i], content, (enum digest)d, NULL, 0);
			dir_put(&dir, "signed", b.data, b.len, 0600);
			run("openssl cms -verify -noverify -binary -inform DER -in signed -out "
			    "got");
			assert_file_is_content("got");
			buf_done(&b);
		}
	}
}

static void
openssl_decrypts_what_we_envelop(void **state)
{
	static const struct transport transports[] = {
		{ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE },
		{ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 },
		{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 },
		{ TRANSPORT_OAEP, DIGEST_SHA512, DIGEST_SHA1 },
	};
	struct buf b;
	size_t t;
	int c;

	for (c = CIPHER_DES3; c < CIPHER__MAX; c++) {
		for (t = 0; t < N(transports); t++) {
			b = envelop(&rsa, content, (enum cipher)c, transports[t], t % 2);
			dir_put(&dir, "enveloped", b.data, b.len, 0600);
			run("openssl cms -decrypt -binary -inform DER -in enveloped -recip rsa.pem "
			    "-inkey rsa.key -out got");
			assert_file_is_content("got");
			buf_done(&b);
		}
	}
}

static void
openssl_lists_the_certificates_we_send(void **state)
{
	const struct der certs[] = { rsa.c.der, ec.c.der };
	struct buf b = new_buf(), out = new_buf();
	struct err err = { 0 };
	const char *first, *second;

	assert_ok(cms_certs_only_build(&b, certs, 2, &err), err);
	dir_put(&dir, "certs", b.data, b.len, 0600);
	assert_int_equal(
	    dir_run(&dir, &out, "openssl pkcs7 -inform DER -in certs -print_certs -noout"), 0);
	first = strstr(buf_str(&out), "Device");
	second = strstr(buf_str(&out), "Curve");
	assert_true(first != NULL && second != NULL && first < second);
	buf_done(&b);
	buf_done(&out);
}

static void
we_verify_what_openssl_signs(void **state)
{
	static const struct {
		const char *who, *options;
		enum digest digest;
	} cases[] = {
		{ "rsa", "-md sha1", DIGEST_SHA1 },
		{ "rsa", "-md sha256", DIGEST_SHA256 },
		{ "rsa", "-md sha384 -keyid", DIGEST_SHA384 },
		{ "rsa", "-md sha512 -stream", DIGEST_SHA512 },
		{ "rsa", "-md sha256 -nosmimecap -certfile ec.pem", DIGEST_SHA256 },
		{ "ec", "-md sha256", DIGEST_SHA256 },
		{ "ec", "-md sha384 -keyid -stream", DIGEST_SHA384 },
	};
	struct err err = { 0 };
	struct cms_signed *s;
	struct der got;
	struct buf b;
	char cmd[256];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -sign -binary -nodetach -signer %s.pem -inkey %s.key -in text "
		    "-outform DER -out signed %s",
		    cases[i].who, cases[i].who, cases[i].options);
		run(cmd);
		b = new_buf();
		dir_get(&dir, "signed", &b);
		assert_ok(cms_signed_parse(&s, b.data, b.len, &err), err);
		assert_int_equal(cms_signed_digest(s), cases[i].digest);
		assert_non_null(cms_signed_signer0(s));
		assert_ok(cms_signed_verify(s, *cases[i].who == 'r' ? rsa.key : ec.key, &err), err);
		got = cms_signed_content0(s);
		assert_true(der_same(&got, &content));
		cms_signed_free(s);
		buf_done(&b);
	}
}

static void
we_decrypt_what_openssl_encrypts(void **state)
{
	static const struct {
		const char *options;
		enum cipher cipher;
		struct transport transport;
	} cases[] = {
		{ "-aes128", CIPHER_AES128, { TRANSPORT_PKCS1V15 } },
		{ "-aes192 -keyid", CIPHER_AES192, { TRANSPORT_PKCS1V15 } },
		{ "-aes256 -stream", CIPHER_AES256, { TRANSPORT_PKCS1V15 } },
		{ "-des3", CIPHER_DES3, { TRANSPORT_PKCS1V15 } },
		{ "-des3 -stream -keyid", CIPHER_DES3, { TRANSPORT_PKCS1V15 } },
		{ "-aes256 -recip rsa.pem -keyopt rsa_padding_mode:oaep", CIPHER_AES256,
		    { TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 } },
		{ "-aes128 -recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt "
		  "rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256",
		    CIPHER_AES128, { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 } },
		{ "-aes128 -stream -recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt "
		  "rsa_oaep_md:sha384 -keyopt rsa_mgf1_md:sha1",
		    CIPHER_AES128, { TRANSPORT_OAEP, DIGEST_SHA384, DIGEST_SHA1 } },
	};
	uint8_t cek[CEK_SIZE_MAX];
	struct cms_enveloped *e;
	struct err err = { 0 };
	struct buf b, plain;
	struct der key, got;
	char cmd[320];
	size_t i, index, len;

	for (i = 0; i < N(cases); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -encrypt -binary -in text -outform DER -out enveloped %s%s",
		    cases[i].options, strstr(cases[i].options, "-recip") ? "" : " rsa.pem");
		run(cmd);
		b = new_buf();
		plain = new_buf();
		dir_get(&dir, "enveloped", &b);
		assert_ok(cms_enveloped_parse(&e, b.data, b.len, &err), err);
		assert_int_equal(cms_enveloped_cipher(e), cases[i].cipher);
		assert_int_equal(cms_enveloped_match(e, &rsa.c, &index), CMS_MATCH_EXACT);
		assert_memory_equal(cms_enveloped_transport0(e, index), &cases[i].transport,
		    sizeof(cases[i].transport));
		key = cms_enveloped_key0(e, index);
		len = cipher_key_size(cases[i].cipher);
		assert_ok(key_unwrap(cek, len, rsa.key, cms_enveloped_transport0(e, index), key.p,
			      key.len, &err),
		    err);
		assert_ok(cms_enveloped_open(&plain, e, cek, len, &err), err);
		got = der_of(&plain);
		assert_true(der_same(&got, &content));
		cms_enveloped_free(e);
		buf_done(&b);
		buf_done(&plain);
	}
}

static void
we_refuse_what_openssl_should_not_send(void **state)
{
	static const char *const options[] = {
		"-des rsa.pem",
		"-rc2-40 rsa.pem",
		"-aes-128-gcm rsa.pem",
		"-aes128 ec.pem",
		"-aes128 -pwri_password x",
		"-aes128 -secretkey 00112233445566778899aabbccddeeff -secretkeyid 01",
	};
	struct cms_enveloped *e;
	struct buf b;
	char cmd[256];
	size_t i, made = 0;

	for (i = 0; i < N(options); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -encrypt -binary -in text -outform DER -out refused %s",
		    options[i]);
		if (dir_run(&dir, NULL, cmd) != 0)
			continue; /* not in this build of openssl */
		made++;
		b = new_buf();
		dir_get(&dir, "refused", &b);
		assert_int_equal(cms_enveloped_parse(&e, b.data, b.len, NULL), RC_ALG);
		buf_done(&b);
	}
	assert_true(made >= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_what_we_sign),
		cmocka_unit_test(openssl_decrypts_what_we_envelop),
		cmocka_unit_test(openssl_lists_the_certificates_we_send),
		cmocka_unit_test(we_verify_what_openssl_signs),
		cmocka_unit_test(we_decrypt_what_openssl_encrypts),
		cmocka_unit_test(we_refuse_what_openssl_should_not_send),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
