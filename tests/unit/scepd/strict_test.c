/*
 * strict_test.c - endpoints that take RFC 8894 to the letter, those that take what devices send, and who may
 * sign for a key that cannot be encrypted to.
 */
#include "pipeline_rig.h"

#include <string.h>

#include "base/clock.h"

static const char yaml[] =
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] },\n"
    "    keys: { ec: [ p256 ] } }\n"
    "  rsa: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] } }\n"
    "endpoints:\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  strict: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    compat: strict }\n"
    "  twokeys: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    transient_signer: true }\n"
    "  rsaonly: { ca: issuing, profile: rsa, challenge: static, challenge_file: lab.secret }\n";

static struct rig rig;
static struct device self;
static const struct wish pc1 = { .subject = "CN=pc1.lab.example", .challenge = CHALLENGE };

static int
open_rig(void **state)
{
	rig_open(&rig, yaml);
	self = throw_away(&rig, rig.keys[0], "CN=x");
	return 0;
}

static int
close_rig(void **state)
{
	device_done(&self);
	rig_close(&rig);
	return 0;
}

/* ---- strict ---- */

static bool
offers(const char *endpoint, const char *keyword)
{
	struct offer *o = endpoint_offer(scepd_endpoint(rig.s, endpoint, strlen(endpoint)));
	bool yes = memmem(o->caps_text.data, o->caps_text.len, keyword, strlen(keyword)) != NULL;

	offer_release(o);
	return yes;
}

static void
test_S38_a_strict_endpoint_neither_offers_nor_takes_what_is_weak(void **state)
{
	static const struct {
		struct scep_algorithms alg;
		bool strict; /* taken there */
	} rows[] = {
		{ { SCEP_SHA256, SCEP_AES128, { SCEP_RSA_PKCS1V15, 0, 0 } }, true },
		{ { SCEP_SHA512, SCEP_AES256, { SCEP_RSA_OAEP, SCEP_SHA256, SCEP_SHA256 } }, true },
		{ { SCEP_SHA256, SCEP_AES128, { SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1 } }, true },
		{ { SCEP_SHA1, SCEP_AES128, { SCEP_RSA_PKCS1V15, 0, 0 } }, false },
		{ { SCEP_SHA256, SCEP_DES3, { SCEP_RSA_PKCS1V15, 0, 0 } }, false },
		{ { SCEP_SHA1, SCEP_DES3, { SCEP_RSA_PKCS1V15, 0, 0 } }, false },
	};

	assert_false(offers("strict", "DES3") || offers("strict", "SHA-1"));
	assert_true(offers("strict", "AES") && offers("strict", "SHA-256"));
	assert_true(offers("lab", "DES3") && offers("lab", "SHA-1"));
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct said m = { .endpoint = i % 2 == 0 ? "lab" : "strict",
			.signer = &self,
			.wish = pc1,
			.alg = &rows[i / 2].alg };
		struct heard h;

		say(&rig, &h, &m);
		if (i % 2 == 0 || rows[i / 2].strict)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_ALG, "step=strict");
		heard_done(&h);
	}
}

static void
test_R26_a_skewed_clock_is_badtime_where_it_is_strict(void **state)
{
	static const struct {
		int64_t ago;
		bool strict;
	} rows[] = { { 0, true }, { 590, true }, { 620, false }, { -590, true }, { -620, false },
		{ 9 * 3600, false } };

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct said m = { .endpoint = i % 2 == 0 ? "lab" : "strict",
			.signer = &self,
			.wish = pc1,
			.ago = rows[i / 2].ago };
		struct heard h;

		say(&rig, &h, &m);
		if (i % 2 == 0 || rows[i / 2].strict)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_TIME, "signingTime");
		heard_done(&h);
	}
}

/* S14: the same certificate for a day; then never another one, and not after a revocation either. */
static void
test_S14_a_strict_endpoint_issues_once_for_a_request(void **state)
{
	for (int i = 0; i < 4; i++) {
		bool strict = i % 2 == 1, revoke = i >= 2;
		struct said m = { .endpoint = strict ? "strict" : "lab",
			.signer = &self,
			.wish = pc1,
			.transaction_id = revoke ? "revoked" : "old" };
		char serial[2 * SERIAL_MAX + 1];
		struct heard first, h;

		clock_offset_set(0);
		say(&rig, &first, &m);
		assert_success(&first);
		say(&rig, &h, &m);
		assert_success(&h);
		assert_true(serial_same(cert_serial0(h.cert), cert_serial0(first.cert)));
		heard_done(&h);
		serial_hex(serial, cert_serial0(first.cert));
		if (revoke)
			assert_ok(store_cert_revoke(rig.s->store, serial, NULL, 1, "test", err));
		else
			clock_offset_set(3 * DAY);
		say(&rig, &h, &m);
		if (strict)
			assert_failure(&h, SCEP_BAD_REQUEST, "answers no more");
		else
			assert_success(&h);
		heard_done(&h);
		heard_done(&first);
	}
}

/* ---- keys that cannot be encrypted to ---- */

/* R15: by the elliptic key of the signer itself; where it can only sign, under the challenge. */
static void
test_R15_an_elliptic_key_gets_its_reply(void **state)
{
	static const struct {
		unsigned ku;
		enum scep_way way;
	} rows[] = { { 0, SCEP_BY_ECDH }, { KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT, SCEP_BY_ECDH },
		{ KU_DIGITAL_SIGNATURE, SCEP_BY_PASSWORD } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct device ec = throw_away_for(&rig, rig.f->p256, "CN=x", rows[i].ku);
		struct said m = { .signer = &ec, .wish = pc1, .password = CHALLENGE };
		struct heard h;

		say(&rig, &h, &m);
		assert_success(&h);
		assert_int_equal(h.way, rows[i].way);
		assert_true(key_same_public(cert_key0(h.cert), rig.f->p256));
		heard_done(&h);
		m.endpoint = "rsaonly"; /* whose profile takes none */
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_ALG, "is not among the keys");
		device_done(&ec);
	}
}

/* A holder whose key can only sign, and who renews without a challenge, cannot be answered: before it is issued. */
static void
test_R15_nothing_to_encrypt_with_is_badalg(void **state)
{
	struct wish w = pc1;
	struct device old = { rig.f->p256, NULL };
	struct device ec = throw_away_for(&rig, rig.f->p256, "CN=x", 0);
	struct said m = { .signer = &ec };
	struct heard h;

	w.key_usage = KU_DIGITAL_SIGNATURE;
	m.wish = w;
	say(&rig, &h, &m);
	assert_success(&h);
	old.cert = h.cert;
	clock_offset_set(300 * DAY);
	m.signer = &old;
	m.wish.challenge = NULL;
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_ALG, "can only sign");
	assert_int_equal(rig_certs(&rig), 1);
	m.wish.challenge = CHALLENGE;
	m.password = CHALLENGE;
	say(&rig, &h, &m);
	assert_success(&h);
	assert_int_equal(h.way, SCEP_BY_PASSWORD);
	heard_done(&h);
	device_done(&old);
	device_done(&ec);
}

/* An RSA key that is thrown away, for an elliptic one: only where the endpoint says so, and for nothing else (S11). */
static void
test_S11_a_transient_signer_is_for_elliptic_keys_alone(void **state)
{
	const struct {
		const char *endpoint;
		const struct key *key;
		const char *part; /* NULL: it works */
	} rows[] = {
		{ "twokeys", rig.f->p256, NULL },
		{ "twokeys", rig.keys[1], "another key than the one in the" },
		{ "lab", rig.f->p256, "another key than the one in the" },
		{ "strict", rig.f->p256, "another key than the one in the" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct said m = { .endpoint = rows[i].endpoint, .signer = &self, .wish = pc1 };
		struct heard h;

		m.wish.key = rows[i].key;
		say(&rig, &h, &m);
		if (rows[i].part == NULL) {
			assert_success(&h);
			assert_true(key_same_public(cert_key0(h.cert), rows[i].key));
		} else {
			assert_failure(&h, SCEP_BAD_REQUEST, rows[i].part);
		}
		heard_done(&h);
		if (i > 0)
			continue;
		m.wish.challenge = "wrong challenge"; /* it changes nothing else */
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_REQUEST, "challenge password is wrong");
		m.wish.challenge = CHALLENGE;
		m.type = SCEP_RENEWAL_REQ;
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_REQUEST, "proves nothing");
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		T(test_S38_a_strict_endpoint_neither_offers_nor_takes_what_is_weak),
		T(test_R26_a_skewed_clock_is_badtime_where_it_is_strict),
		T(test_S14_a_strict_endpoint_issues_once_for_a_request),
		T(test_R15_an_elliptic_key_gets_its_reply),
		T(test_R15_nothing_to_encrypt_with_is_badalg),
		T(test_S11_a_transient_signer_is_for_elliptic_keys_alone),
	};

	return cmocka_run_group_tests(tests, rig_cas_new, rig_cas_free);
}
