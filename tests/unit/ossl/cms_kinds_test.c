/*
 * cms_kinds_test.c - EnvelopedData for keys that only agree (KeyAgreeRecipientInfo) and for passwords
 * (PasswordRecipientInfo): there and back, with the openssl command on either side, and changed on the
 * way.
 */
#include "cms_kit.h"

#include <stdio.h>
#include <string.h>

#include "ossl/cms_kari.h"
#include "ossl/cms_pwri.h"

#define PASSWORD "secret-challenge"
#define BYTES(s) ((struct der){ (const uint8_t *)(s), sizeof(s) - 1 })

static struct actor rsa, p256, p384, other;
static struct dir dir;
static const struct der content = { (const uint8_t *)"What is sent.\nIn two lines.", 27 };

static int
setup(void **state)
{
	const unsigned agree = KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT;

	dir_make_temp(&dir);
	actor_make(&rsa, "Device", "rsa:2048", 0, "0A0B");
	actor_make_for(&p256, "p256", "ec:p256", 0, "0D", agree);
	actor_make_for(&p384, "p384", "ec:p384", 0, "0E", agree);
	actor_make_for(&other, "other", "ec:p256", 1, "0F", agree);
	actor_put(&p256, &dir, "p256");
	actor_put(&p384, &dir, "p384");
	dir_put(&dir, "text", content.p, content.len, 0600);
	return 0;
}

static int
teardown(void **state)
{
	actor_done(&rsa);
	actor_done(&p256);
	actor_done(&p384);
	actor_done(&other);
	dir_done(&dir);
	return fixture_done(state);
}

static struct buf
build(const struct cms_recipient *r, size_t n, enum cipher c)
{
	struct cms_enveloped_build b = {
		.content = content, .cipher = c, .recipients = r, .n_recipients = n
	};
	struct buf out = new_buf();
	struct err err = { 0 };

	assert_ok(cms_enveloped_build(&out, &b, &err), err);
	return out;
}

static struct buf
for_curve(const struct actor *to, enum cipher c, bool by_ski)
{
	struct cms_recipient r = { .kind = CMS_KEY_AGREE, .cert = &to->c, .by_ski = by_ski };

	return build(&r, 1, c);
}

static struct buf
for_password(enum cipher c, unsigned rounds)
{
	const struct pwri under = { PASSWORD, strlen(PASSWORD), rounds, c };
	struct cms_recipient r = { .kind = CMS_PASSWORD, .password = &under };

	return build(&r, 1, c);
}

/* What EnvelopedData says of itself (RFC 5652 6.1). */
static uint64_t
version_of(const struct buf *b)
{
	struct enveloped_parts p;
	uint64_t version;

	enveloped_take_apart(&p, b);
	assert_true(der_take_u64(&p.version, &version));
	return version;
}

/* ---- opening ---------------------------------------------------------------------------- */

#define ALL (CMS_KEY_TRANS | CMS_KEY_AGREE | CMS_PASSWORD)

static enum rc
cek_by_curve(uint8_t *cek, size_t len, const struct cms_enveloped *e, const struct actor *me,
    struct err *err)
{
	const struct cms_kari *k;
	uint8_t z[KEY_AGREED_MAX];
	struct key *peer;
	size_t i, n;
	enum rc rc;

	if (cms_enveloped_match(e, &me->c, &i) == CMS_MATCH_NONE ||
	    (k = cms_enveloped_kari0(e, i)) == NULL)
		return RC_NOTFOUND;
	if ((rc = key_from_point(&peer, me->key, k->point.p, k->point.len, err)) != RC_OK)
		return rc;
	if ((rc = key_agree(z, &n, me->key, peer, err)) == RC_OK)
		rc = kari_unwrap(cek, len, k, z, n, err);
	key_free(peer);
	return rc;
}

static enum rc
cek_by_password(
    uint8_t *cek, size_t len, const struct cms_enveloped *e, const char *password, struct err *err)
{
	const struct pwri under = { .password = password, .len = strlen(password) };
	struct der info = cms_enveloped_password0(e, 0);

	return info.p != NULL ? pwri_open(cek, len, info, &under, err) : RC_NOTFOUND;
}

/* By the key of `me`, or by the password when that is NULL; *same: it is what was sent. */
static enum rc
open_bytes(const void *p, size_t len, const struct actor *me, const char *password, bool *same,
    struct err *err)
{
	struct cms_enveloped *e = NULL;
	struct buf out = new_buf();
	uint8_t cek[CEK_SIZE_MAX];
	size_t cek_len;
	enum rc rc;

	if ((rc = cms_enveloped_parse_kinds(&e, p, len, ALL, err)) != RC_OK)
		return rc;
	cek_len = cipher_key_size(cms_enveloped_cipher(e));
	rc = me != NULL ? cek_by_curve(cek, cek_len, e, me, err)
			: cek_by_password(cek, cek_len, e, password, err);
	if (rc == RC_OK)
		rc = cms_enveloped_open(&out, e, cek, cek_len, err);
	*same =
	    rc == RC_OK && out.len == content.len && memcmp(out.data, content.p, content.len) == 0;
	cms_enveloped_free(e);
	buf_done(&out);
	return rc;
}

static void
assert_opens(const struct buf *b, const struct actor *me)
{
	struct err err = { 0 };
	bool same;

	assert_ok(open_bytes(b->data, b->len, me, PASSWORD, &same, &err), err);
	assert_true(same);
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
assert_openssl_opens(struct buf *b, const char *how)
{
	char cmd[300];

	dir_put(&dir, "env", b->data, b->len, 0600);
	snprintf(cmd, sizeof(cmd),
	    "openssl cms -decrypt -binary -inform DER -in env -out plain %s && cmp plain text",
	    how);
	run(cmd);
}

/* ---- there and back --------------------------------------------------------------------- */

static void
every_curve_and_cipher_comes_back_and_openssl_opens_it(void **state)
{
	const struct actor *who[] = { &p256, &p384 };
	const char *how[] = { "-recip p256.pem -inkey p256.key",
		"-recip p384.pem -inkey p384.key" };
	struct buf b;
	int c, ski;
	size_t i;

	for (i = 0; i < N(who); i++) {
		for (c = CIPHER_DES3; c <= CIPHER_AES256; c++) {
			for (ski = 0; ski <= 1; ski++) {
				b = for_curve(who[i], (enum cipher)c, ski != 0);
				assert_int_equal(version_of(&b), 2);
				assert_opens(&b, who[i]);
				assert_openssl_opens(&b, how[i]);
				buf_done(&b);
			}
		}
	}
}

static void
every_cipher_comes_back_under_a_password_and_openssl_opens_it(void **state)
{
	struct buf b;
	int c;

	for (c = CIPHER_DES3; c <= CIPHER_AES256; c++) {
		b = for_password((enum cipher)c, 10);
		assert_int_equal(version_of(&b), 3);
		assert_opens(&b, NULL);
		assert_openssl_opens(&b, "-pwri_password " PASSWORD);
		buf_done(&b);
	}
}

static void
the_version_follows_the_recipients(void **state)
{
	const struct pwri under = { PASSWORD, strlen(PASSWORD), 1, CIPHER_AES128 };
	const struct cms_recipient trans = { .cert = &rsa.c, .transport = { TRANSPORT_PKCS1V15 } },
				   ski = { .cert = &rsa.c,
					   .by_ski = true,
					   .transport = { TRANSPORT_PKCS1V15 } },
				   agree = { .kind = CMS_KEY_AGREE, .cert = &p256.c },
				   password = { .kind = CMS_PASSWORD, .password = &under };
	const struct {
		struct cms_recipient r[3];
		size_t n;
		uint64_t version;
	} cases[] = {
		{ { trans }, 1, 0 },
		{ { ski }, 1, 2 },
		{ { trans, agree }, 2, 2 },
		{ { agree, password, trans }, 3, 3 },
		{ { trans, password }, 2, 3 },
	};
	struct buf b;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		b = build(cases[i].r, cases[i].n, CIPHER_AES128);
		assert_int_equal(version_of(&b), cases[i].version);
		buf_done(&b);
	}
}

static void
what_openssl_sends_is_opened(void **state)
{
	static const struct {
		const char *how;
		const struct actor *me; /* NULL: by the password */
	} cases[] = {
		{ "-aes128 -recip p256.pem", &p256 },
		{ "-aes256 -recip p384.pem", &p384 },
		{ "-aes-192-cbc -recip p256.pem -keyid", &p256 },
		{ "-aes128 -recip p256.pem -keyopt ecdh_kdf_md:sha256", &p256 },
		{ "-aes256 -recip p256.pem -keyopt ecdh_kdf_md:sha384 -aes256-wrap", &p256 },
		{ "-aes256 -recip p384.pem -keyopt ecdh_kdf_md:sha512 -aes192-wrap", &p384 },
		{ "-aes256 -recip p256.pem -aes256-wrap", &p256 }, /* SHA-1's KDF, twice round */
		{ "-aes128 -pwri_password " PASSWORD, NULL },
		{ "-aes-192-cbc -pwri_password " PASSWORD, NULL },
		{ "-aes256 -pwri_password " PASSWORD, NULL },
		{ "-des3 -pwri_password " PASSWORD, NULL },
	};
	char cmd[300];
	struct buf b;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -encrypt -binary -in text -outform DER -out theirs %s",
		    cases[i].how);
		run(cmd);
		b = new_buf();
		dir_get(&dir, "theirs", &b);
		assert_opens(&b, cases[i].me);
		buf_done(&b);
	}
}

/* The longest secret, 521 bits in 66 octets with zeros in front as a rule. */
static void
the_largest_curve_works_as_well(void **state)
{
	struct buf pem = new_buf(), b;
	struct err err = { 0 };
	struct actor big;
	size_t len;

	run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -keyout p521.key "
	    "-out p521.pem -subj /CN=p521 -days 1");
	dir_get(&dir, "p521.pem", &pem);
	assert_ok(certs_parse_pem(&big.cert, 1, &len, pem.data, pem.len, &err), err);
	buf_reset(&pem);
	dir_get(&dir, "p521.key", &pem);
	assert_ok(key_parse_pem(&big.key, pem.data, pem.len, &err), err);
	const uint8_t *der = cert_der0(big.cert, &len);
	assert_ok(cms_cert_peek(&big.c, der, len, &err), err);
	b = for_curve(&big, CIPHER_AES256, false);
	assert_opens(&b, &big);
	assert_openssl_opens(&b, "-recip p521.pem -inkey p521.key");
	buf_done(&b);
	buf_wipe(&pem);
	key_free(big.key);
	cert_free(big.cert);
}

/* ---- not for us ------------------------------------------------------------------------- */

static void
another_key_or_password_opens_nothing(void **state)
{
	struct buf b = for_curve(&p256, CIPHER_AES128, false);
	struct cms_recipient r = { .kind = CMS_KEY_AGREE, .cert = &p256.c, .key = other.key };
	struct err err = { 0 };
	bool same;

	assert_int_equal(open_bytes(b.data, b.len, &other, NULL, &same, &err), RC_NOTFOUND);
	buf_done(&b);
	/* In the name of one, for the key of another. */
	b = build(&r, 1, CIPHER_AES128);
	assert_int_equal(open_bytes(b.data, b.len, &p256, NULL, &same, &err), RC_INTEGRITY);
	assert_string_equal(err.msg, CMS_OPEN_FAILED);
	buf_done(&b);
	b = for_password(CIPHER_AES256, 1);
	assert_int_equal(open_bytes(b.data, b.len, NULL, "secret", &same, &err), RC_DENIED);
	buf_done(&b);
}

static void
keys_of_the_wrong_kind_are_not_encrypted_to(void **state)
{
	const struct {
		struct cms_recipient r;
	} cases[] = {
		{ { .kind = CMS_KEY_AGREE, .cert = &rsa.c } },
		{ { .kind = CMS_KEY_TRANS, .cert = &p256.c, .transport = { TRANSPORT_PKCS1V15 } } },
	};
	struct cms_enveloped_build b = {
		.content = content, .cipher = CIPHER_AES128, .n_recipients = 1
	};
	struct buf out = new_buf();
	struct err err;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		b.recipients = &cases[i].r;
		assert_int_equal(cms_enveloped_build(&out, &b, &err), RC_ALG);
	}
	buf_done(&out);
}

/* S27: what did not ask for these kinds does not look into them, however well they are made. */
static void
S27_whoever_wants_key_transport_gets_nothing_else(void **state)
{
	struct buf all[] = { for_curve(&p256, CIPHER_AES128, false),
		for_password(CIPHER_AES128, 1) };
	static const unsigned other_kinds[] = { CMS_KEY_TRANS | CMS_PASSWORD,
		CMS_KEY_TRANS | CMS_KEY_AGREE };
	struct cms_enveloped *e = NULL;
	size_t i;

	for (i = 0; i < N(all); i++) {
		assert_int_equal(cms_enveloped_parse(&e, all[i].data, all[i].len, NULL), RC_ALG);
		assert_int_equal(
		    cms_enveloped_parse_kinds(&e, all[i].data, all[i].len, other_kinds[i], NULL),
		    RC_ALG);
		assert_null(e);
		buf_done(&all[i]);
	}
}

/* ---- changed on the way ----------------------------------------------------------------- */

static enum rc
curve_door(const void *p, size_t len)
{
	bool same;
	enum rc rc = open_bytes(p, len, &p256, NULL, &same, NULL);

	return rc == RC_OK && !same ? RC_INTEGRITY : rc;
}

static enum rc
password_door(const void *p, size_t len)
{
	bool same;
	enum rc rc = open_bytes(p, len, NULL, PASSWORD, &same, NULL);

	return rc == RC_OK && !same ? RC_INTEGRITY : rc;
}

static void
no_prefix_and_hardly_a_changed_bit_is_opened(void **state)
{
	struct buf b = for_curve(&p256, CIPHER_AES128, false);
	/* The version of EnvelopedData and the type of what is inside are for others to judge. */
	const size_t free_bits = 8 + 9 * 8;

	sweep_prefixes(curve_door, b.data, b.len, 1);
	/* And a lone recipient's serial number may be an old one. */
	assert_true(sweep_flips(curve_door, b.data, b.len, 1) <= free_bits + 8);
	buf_done(&b);
	b = for_password(CIPHER_AES128, 1);
	sweep_prefixes(password_door, b.data, b.len, 1);
	assert_true(sweep_flips(password_door, b.data, b.len, 1) <= free_bits);
	buf_done(&b);
}

/* ---- made by hand ----------------------------------------------------------------------- */

#define VERSION "\x02\x01\x03"
#define POINT   "\xa0\x12\xa1\x10\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x03\x03\x00\x04\x01"
#define WRAP    "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x05"
#define SCHEME  "\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x01" WRAP
#define ID      "\xa0\x03\x04\x01\x6b"
#define NINE                                                                                       \
	"\x04\x09"                                                                                 \
	"123456789"
#define KEYS "\x30\x12\x30\x10" ID NINE

static const struct {
	const char *what;
	struct der in;
	enum rc rc;
} karis[] = {
	{ "a good one", BYTES(VERSION POINT SCHEME KEYS), RC_OK },
	{ "with a ukm", BYTES(VERSION POINT "\xa1\x03\x04\x01\x75" SCHEME KEYS), RC_OK },
	{ "nothing", BYTES(""), RC_PARSE },
	{ "version 0", BYTES("\x02\x01\x00" POINT SCHEME KEYS), RC_PARSE },
	{ "no originator", BYTES(VERSION SCHEME KEYS), RC_PARSE },
	{ "an originator by name", BYTES(VERSION "\xa0\x05\x30\x03\x02\x01\x01" SCHEME KEYS),
	    RC_PARSE },
	{ "an originator by key identifier", BYTES(VERSION "\xa0\x03\x80\x01\x6b" SCHEME KEYS),
	    RC_PARSE },
	{ "an RSA originator",
	    BYTES(VERSION "\xa0\x14\xa1\x12\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
			  "\x03\x03\x00\x04\x01" SCHEME KEYS),
	    RC_ALG },
	{ "a point of bits",
	    BYTES(VERSION "\xa0\x12\xa1\x10\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
			  "\x03\x03\x01\x04\x00" SCHEME KEYS),
	    RC_PARSE },
	{ "a malformed ukm", BYTES(VERSION POINT "\xa1\x02\x05\x00" SCHEME KEYS), RC_PARSE },
	{ "no scheme", BYTES(VERSION POINT KEYS), RC_PARSE },
	{ "an unknown scheme",
	    BYTES(VERSION POINT "\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x07" WRAP KEYS), RC_ALG },
	{ "a scheme without a wrap",
	    BYTES(VERSION POINT "\x30\x08\x06\x06\x2b\x81\x04\x01\x0b\x01" KEYS), RC_PARSE },
	{ "a wrap that is NULL",
	    BYTES(VERSION POINT "\x30\x0a\x06\x06\x2b\x81\x04\x01\x0b\x01\x05\x00" KEYS),
	    RC_PARSE },
	{ "an unknown wrap",
	    BYTES(VERSION POINT "\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x01"
				"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x06" KEYS),
	    RC_ALG },
	{ "no keys", BYTES(VERSION POINT SCHEME), RC_PARSE },
	{ "an empty list of keys", BYTES(VERSION POINT SCHEME "\x30\x00"), RC_PARSE },
	{ "two keys", BYTES(VERSION POINT SCHEME "\x30\x24\x30\x10" ID NINE "\x30\x10" ID NINE),
	    RC_LIMIT },
	{ "a key for nobody", BYTES(VERSION POINT SCHEME "\x30\x0d\x30\x0b" NINE), RC_PARSE },
	{ "an empty key identifier",
	    BYTES(VERSION POINT SCHEME "\x30\x11\x30\x0f\xa0\x02\x04\x00" NINE), RC_PARSE },
	{ "a key of eight octets",
	    BYTES(VERSION POINT SCHEME "\x30\x11\x30\x0f" ID "\x04\x08"
				       "12345678"),
	    RC_PARSE },
	{ "a key of 41 octets",
	    BYTES(VERSION POINT SCHEME "\x30\x32\x30\x30" ID "\x04\x29"
				       "12345678901234567890123456789012345678901"),
	    RC_PARSE },
	{ "more behind the key", BYTES(VERSION POINT SCHEME "\x30\x14\x30\x12" ID NINE "\x05\x00"),
	    RC_PARSE },
	{ "more behind it all", BYTES(VERSION POINT SCHEME KEYS "\x05\x00"), RC_PARSE },
};

static void
malformed_agreements_are_refused_by_the_door(void **state)
{
	struct cms_kari k;
	struct err err;
	size_t i;

	for (i = 0; i < N(karis); i++) {
		err = (struct err){ 0 };
		if (kari_take(&k, karis[i].in, &err) != karis[i].rc)
			fail_msg("%s: rc %d: %s", karis[i].what, err.rc, err.msg);
	}
	/* The first: what it says. */
	assert_int_equal(kari_take(&k, karis[1].in, &err), RC_OK);
	assert_int_equal(k.kdf, DIGEST_SHA256);
	assert_int_equal(k.kek_len, 16);
	assert_memory_equal(k.point.p, "\x04\x01", 2);
	assert_memory_equal(k.ukm.p, "u", 1);
	assert_memory_equal(k.id.ski.p, "k", 1);
	assert_int_equal(k.wrapped.len, 9);
}

static void
a_point_off_the_curve_is_no_key(void **state)
{
	size_t len;
	const uint8_t *spki = key_spki0(p256.key, &len);
	uint8_t point[65], z[KEY_AGREED_MAX];
	struct key *peer = NULL;
	struct err err = { 0 };
	size_t z_len;

	memcpy(point, spki + len - sizeof(point), sizeof(point));
	assert_ok(key_from_point(&peer, other.key, point, sizeof(point), &err), err);
	key_free(peer);
	point[64] ^= 1;
	assert_int_not_equal(key_from_point(&peer, other.key, point, sizeof(point), &err), RC_OK);
	assert_int_not_equal(key_from_point(&peer, other.key, point, 33, &err), RC_OK);
	assert_int_not_equal(key_from_point(&peer, other.key, "\0", 1, &err), RC_OK);
	assert_int_not_equal(key_from_point(&peer, p384.key, point, sizeof(point), &err), RC_OK);
	assert_int_equal(key_from_point(&peer, rsa.key, point, sizeof(point), &err), RC_ALG);
	assert_int_equal(key_generate_alike(&peer, rsa.key, &err), RC_ALG);
	assert_int_equal(key_agree(z, &z_len, p256.key, p384.key, &err), RC_ALG);
	assert_int_equal(key_agree(z, &z_len, rsa.key, rsa.key, &err), RC_ALG);
}

/* The wrapped key, cut and lengthened: CVE-2025-9230 was one of these. */
static void
S27_an_encrypted_key_of_any_length_is_survived(void **state)
{
	struct buf b = for_password(CIPHER_AES128, 1), info = new_buf();
	const struct pwri under = { .password = PASSWORD, .len = strlen(PASSWORD) };
	struct cms_enveloped *e;
	struct der whole, in, body;
	uint8_t cek[CEK_SIZE_MAX];
	struct err err = { 0 };
	size_t n, mark;

	assert_ok(cms_enveloped_parse_kinds(&e, b.data, b.len, ALL, &err), err);
	whole = cms_enveloped_password0(e, 0);
	assert_true(der_take(&whole, DER_CTX_CONS(3), &in));
	for (n = 0; n < 100; n++) {
		whole = in;
		buf_reset(&info);
		mark = der_open(&info, DER_CTX_CONS(3));
		while (!der_next_is(&whole, DER_OCTET_STRING)) {
			struct der one;
			uint8_t tag;
			assert_true(der_any(&whole, &tag, NULL, &one));
			buf_add(&info, one.p, one.len);
		}
		body = (struct der){ b.data, n };
		der_add(&info, DER_OCTET_STRING, body.p, body.len);
		der_close(&info, mark);
		assert_int_not_equal(pwri_open(cek, 16, der_of(&info), &under, &err), RC_OK);
	}
	/* As it came, but for a longer key. */
	assert_int_equal(pwri_open(cek, 32, cms_enveloped_password0(e, 0), &under, &err), RC_PARSE);
	assert_int_equal(
	    pwri_open(cek, 24, cms_enveloped_password0(e, 0), &under, &err), RC_DENIED);
	assert_int_equal(pwri_open(cek, 16, cms_enveloped_password0(e, 0), &under, &err), RC_OK);
	cms_enveloped_free(e);
	buf_done(&info);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_curve_and_cipher_comes_back_and_openssl_opens_it),
		cmocka_unit_test(every_cipher_comes_back_under_a_password_and_openssl_opens_it),
		cmocka_unit_test(the_version_follows_the_recipients),
		cmocka_unit_test(what_openssl_sends_is_opened),
		cmocka_unit_test(the_largest_curve_works_as_well),
		cmocka_unit_test(another_key_or_password_opens_nothing),
		cmocka_unit_test(keys_of_the_wrong_kind_are_not_encrypted_to),
		cmocka_unit_test(S27_whoever_wants_key_transport_gets_nothing_else),
		cmocka_unit_test(no_prefix_and_hardly_a_changed_bit_is_opened),
		cmocka_unit_test(malformed_agreements_are_refused_by_the_door),
		cmocka_unit_test(a_point_off_the_curve_is_no_key),
		cmocka_unit_test(S27_an_encrypted_key_of_any_length_is_survived),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
