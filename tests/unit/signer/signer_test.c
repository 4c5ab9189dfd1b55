/*
 * signer_test.c - opening, revocation lists, unwrapping, and many threads at once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"

#include "../ossl/crl_kit.h"
#include "fixture.h"

/* ---- open ---- */

static void
not_opened(struct kit *k, const struct signer_ca *ca, const char *part)
{
	struct signer_conf conf = { .cas = ca, .n_cas = 1 };
	struct signer *s = NULL;
	enum rc rc = signer_open(&s, &conf, &k->err);

	if (rc != RC_CONFIG || strstr(k->err.msg, part) == NULL)
		fail_msg("%s: %s", rc_name(rc), k->err.msg);
	assert_int_equal(k->err.rc, RC_CONFIG);
	assert_null(s);
}

static void
a_key_that_belongs_to_another_certificate_is_refused(void **state)
{
	struct kit *k = *state;
	struct signer_ca cas[2];

	kit_ca_conf(k, cas);
	cas[0].key.key = k->ra.key_file;
	not_opened(k, &cas[0], k->ra.key_file);
	kit_ca_conf(k, cas);
	cas[0].ra_key.key = k->rsa.key_file;
	not_opened(k, &cas[0], k->rsa.key_file);
}

static void
a_certificate_of_the_wrong_kind_is_refused(void **state)
{
	struct kit *k = *state;
	struct signer_ca cas[2];

	kit_ca_conf(k, cas);
	cas[0].cert_file = k->ra.cert_file;
	cas[0].key.key = k->ra.key_file;
	not_opened(k, &cas[0], "is not the certificate of a CA");
	kit_ca_conf(k, cas);
	cas[0].ra_cert_file = k->ec.cert_file;
	cas[0].ra_key.key = k->ec.key_file;
	not_opened(k, &cas[0], "is the certificate of a CA");
	kit_ca_conf(k, cas);
	cas[0].ocsp_key.key = k->rsa.key_file;
	not_opened(k, &cas[0], "is the key of the CA, too");
}

static void
missing_and_unreadable_files_are_named(void **state)
{
	struct kit *k = *state;
	struct signer_ca cas[2];

	kit_ca_conf(k, cas);
	cas[0].cert_file = "/nowhere/ca.crt";
	not_opened(k, &cas[0], "/nowhere/ca.crt");
	kit_ca_conf(k, cas);
	cas[0].key.key = "/nowhere/ca.key";
	not_opened(k, &cas[0], "/nowhere/ca.key");
	kit_ca_conf(k, cas);
	cas[0].key.key = k->rsa.cert_file; /* not a key, and not secret either */
	not_opened(k, &cas[0], k->rsa.cert_file);
}

static void
a_key_file_open_to_others_is_refused(void **state)
{
	struct kit *k = *state;
	struct signer_ca cas[2];

	kit_ca_conf(k, cas);
	assert_int_equal(chmod(k->rsa.key_file, 0604), 0);
	not_opened(k, &cas[0], k->rsa.key_file);
	assert_int_equal(chmod(k->rsa.key_file, 0600), 0);
}

static void
a_signer_without_keys_opens_and_knows_nobody(void **state)
{
	struct kit *k = *state;
	struct signer *s;
	struct buf out;

	ok(k, signer_open(&s, &(struct signer_conf){ .n_cas = 0 }, &k->err));
	buf_init(&out, 1000);
	assert_int_equal(
	    signer_sign_cert(s, "rsa", (const uint8_t *)"", 0, &out, &k->err), RC_NOTFOUND);
	signer_close(s);
	signer_close(NULL);
}

static void
the_default_validity_is_825_days_and_one_of_backdating(void **state)
{
	struct kit *k = *state;
	struct signer_ca cas[2];
	struct cert_fields f;
	struct buf tbs, out;
	struct signer *s;

	kit_ca_conf(k, cas);
	cas[1].max_validity = 0;
	ok(k, signer_open(&s, &(struct signer_conf){ .cas = cas, .n_cas = 2 }, &k->err));
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	kit_fields(k, &k->ec, &f);
	f.not_after = f.not_before + 826 * DAY;
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	ok(k, signer_sign_cert(s, "ec", tbs.data, tbs.len, &out, &k->err));
	buf_reset(&tbs);
	f.not_after++;
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	assert_int_equal(signer_sign_cert(s, "ec", tbs.data, tbs.len, &out, &k->err), RC_DENIED);
	buf_done(&tbs);
	buf_done(&out);
	signer_close(s);
}

/* ---- lists ---- */

static void
crl_make(struct kit *k, struct buf *tbs, const struct party *ca)
{
	static const struct crl_entry entries[] = { { { { 1, 2, 3 }, 3 }, BEGIN, 1 },
		{ { { 4, 5, 6 }, 3 }, BEGIN, -1 } };
	struct crl_fields f = { .issuer = ca->cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + DAY,
		.number = 7,
		.entries = entries,
		.n_entries = 2 };

	buf_init(tbs, LIMIT_CERT);
	crl_kit_tbs(tbs, &f);
}

static enum rc
ask_crl(struct kit *k, const char *ca, const uint8_t *tbs, size_t len)
{
	struct buf crl;
	enum rc rc;

	buf_init(&crl, LIMIT_CERT);
	rc = signer_sign_crl(k->s, ca, tbs, len, &crl, &k->err);
	buf_done(&crl);
	return rc;
}

static void
a_list_of_the_ca_is_signed_and_verifies(void **state)
{
	struct kit *k = *state;
	struct buf tbs, sig;

	crl_make(k, &tbs, &k->rsa);
	buf_init(&sig, LIMIT_CERT);
	ok(k, signer_sign_crl(k->s, "rsa", tbs.data, tbs.len, &sig, &k->err));
	ok(k, key_verify(k->rsa.key, DIGEST_SHA256, tbs.data, tbs.len, sig.data, sig.len, &k->err));
	buf_done(&tbs);
	buf_done(&sig);
}

static void
a_list_of_another_ca_is_denied(void **state)
{
	struct kit *k = *state;
	struct buf tbs;

	crl_make(k, &tbs, &k->ec);
	assert_int_equal(ask_crl(k, "rsa", tbs.data, tbs.len), RC_DENIED);
	buf_done(&tbs);
	/* Of the same key type, so that only the name differs. */
	crl_make(k, &tbs, &k->ra);
	assert_int_equal(ask_crl(k, "rsa", tbs.data, tbs.len), RC_DENIED);
	assert_non_null(strstr(k->err.msg, "issuer"));
	buf_done(&tbs);
}

static void
a_certificate_is_no_list_and_a_list_no_certificate(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;
	struct buf tbs, out;

	crl_make(k, &tbs, &k->ec);
	buf_init(&out, LIMIT_CERT);
	assert_int_not_equal(signer_sign_cert(k->s, "ec", tbs.data, tbs.len, &out, &k->err), RC_OK);
	buf_reset(&tbs);
	kit_fields(k, &k->ec, &f);
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	assert_int_not_equal(ask_crl(k, "ec", tbs.data, tbs.len), RC_OK);
	buf_done(&tbs);
	buf_done(&out);
}

static void
a_list_cut_short_or_too_long_is_refused(void **state)
{
	struct kit *k = *state;
	struct buf tbs;

	crl_make(k, &tbs, &k->ec);
	for (size_t len = 0; len < tbs.len; len++)
		assert_int_equal(ask_crl(k, "ec", tbs.data, len), RC_PARSE);
	buf_addc(&tbs, '\0');
	assert_int_equal(ask_crl(k, "ec", tbs.data, tbs.len), RC_PARSE);
	buf_done(&tbs);
}

/* ---- extensions of lists ---- */

/* A list of k->ec with these extensions after its own authorityKeyIdentifier and number 7. */
static enum rc
ask_with(struct kit *k, const char *hex)
{
	static const struct crl_scope none;
	struct crl_scope s = none;
	struct buf out, tbs;
	struct crl_writer w;
	struct der whole, in, part, exts;
	size_t seq, tagged, list, len = strlen(hex) / 2;
	uint8_t more[400];
	enum rc rc;

	s.issuer = k->ec.cert;
	s.digest = DIGEST_SHA256;
	s.this_update = BEGIN;
	s.next_update = BEGIN + DAY;
	buf_init(&out, LIMIT_CERT);
	buf_init(&tbs, LIMIT_CERT);
	ok(k, crl_begin(&w, &out, &s, &k->err));
	ok(k, crl_tbs(&w, 7, &whole, &k->err));
	assert_true(len <= sizeof(more));
	ok(k, hex_decode(more, len, hex, 2 * len, &k->err));
	/* The same TBSCertList, with `more` behind its extensions. */
	assert_true(der_take(&whole, DER_SEQUENCE, &in));
	seq = der_open(&tbs, DER_SEQUENCE);
	while (!der_next_is(&in, DER_CTX_CONS(0))) {
		assert_true(der_any(&in, NULL, NULL, &part));
		buf_add(&tbs, part.p, part.len);
	}
	assert_true(der_take(&in, DER_CTX_CONS(0), &part));
	assert_true(der_take(&part, DER_SEQUENCE, &exts));
	tagged = der_open(&tbs, DER_CTX_CONS(0));
	list = der_open(&tbs, DER_SEQUENCE);
	buf_add(&tbs, exts.p, exts.len);
	buf_add(&tbs, more, len);
	der_close(&tbs, list);
	der_close(&tbs, tagged);
	der_close(&tbs, seq);
	rc = ask_crl(k, "ec", tbs.data, tbs.len);
	crl_abandon(&w);
	buf_done(&out);
	buf_done(&tbs);
	return rc;
}

static void
a_list_says_what_it_is_of_and_no_more(void **state)
{
	static const struct {
		const char *hex;
		enum rc rc;
		const char *why;
	} rows[] = {
		{ "30160603551d1c0101ff040c300aa008a006860461626364", RC_OK, "" },
		{ "301c0603551d1c0101ff04123010a00ea00c860461626364860465666768", RC_OK, "" },
		{ "30130603551d1c040c300aa008a006860461626364", RC_DENIED, "not critical" },
		{ "300c0603551d1c0101ff04023000", RC_DENIED, "more or less than names" },
		{ "300f0603551d1c0101ff040530038401ff", RC_DENIED,
		    "more or less" }, /* indirectCRL */
		{ "300f0603551d1c0101ff040530038101ff", RC_DENIED,
		    "more or less" }, /* onlyContainsUserCerts */
		{ "30190603551d1c0101ff040f300da008a0068604616263648401ff", RC_DENIED,
		    "more or less" }, /* indirectCRL */
		{ "301a0603551d1c0101ff0410300ea008a00686046162636483020780", RC_DENIED,
		    "more or less" }, /* onlySomeReasons */
		{ "30100603551d1c0101ff04063004a002a100", RC_DENIED,
		    "more or less" }, /* a relative name */
		{ "30100603551d1c0101ff04063004a002a000", RC_DENIED, "more or less" }, /* no name */
		{ "30120603551d1c0101ff04083006a004a0028600", RC_PARSE, "name" },
		{ "300c0603551d1c0101ff04020500", RC_PARSE, "malformed" },
		{ "30130603551d1c0101ff04093007a005a00386016130130603551d1c0101ff04093007a005a00386"
		  "0161",
		    RC_DENIED, "two of" },
		{ "300d0603551d1b0101ff0403020106", RC_OK, "" },
		{ "300d0603551d1b0101ff0403020107", RC_DENIED, "no earlier list" },
		{ "300d0603551d1b0101ff0403020108", RC_DENIED, "no earlier list" },
		{ "300e0603551d1b0101ff040402020101", RC_DENIED, "no earlier list" },
		{ "300d0603551d1b0101ff04030201ff", RC_PARSE, "base is malformed" },
		{ "300a0603551d1b0403020106", RC_DENIED, "not critical" },
		{ "300d0603551d1b0101ff0403020106300d0603551d1b0101ff0403020106", RC_DENIED,
		    "two of" },
		{ "300a0603551d140403020109", RC_DENIED, "two of" },
		{ "30090603551d2e04023000", RC_OK, "" },
		{ "300c0603551d2e0101ff04023000", RC_DENIED, "is critical" },
		{ "30090603551d2e04023000300d0603551d1b0101ff0403020106", RC_DENIED,
		    "names deltas" },
		{ "30160603551d1c0101ff040c300aa008a006860461626364300d0603551d1b0101ff0403020106",
		    RC_OK, "" },
		{ "300c06032a03040101ff04020500", RC_DENIED, "unknown critical" },
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum rc rc = ask_with(k, rows[i].hex);

		/* Of two that are signed the second has the first one's number. */
		if (rc == RC_DENIED && strstr(k->err.msg, "does not come after") != NULL)
			rc = RC_OK;
		if (rc != rows[i].rc || (rc != RC_OK && strstr(k->err.msg, rows[i].why) == NULL))
			fail_msg("%zu: %s: %s", i, rc_name(rc), k->err.msg);
	}
}

static void
a_delta_with_a_bit_changed_is_another_or_none(void **state)
{
	static const char *const point[] = { "http://a/0-of-4.crl" };
	struct kit *k = *state;
	struct crl_scope s = { .issuer = k->ec.cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + DAY,
		.delta = true,
		.base = 3,
		.points = point,
		.n_points = 1 };
	const uint8_t serial[] = { 1, 2, 3 };
	struct crl_writer w;
	struct der tbs;
	struct buf out;
	uint8_t *bytes;

	buf_init(&out, LIMIT_CERT);
	ok(k, crl_begin(&w, &out, &s, &k->err));
	crl_add(&w, serial, sizeof(serial), BEGIN, 8);
	ok(k, crl_tbs(&w, 7, &tbs, &k->err));
	bytes = malloc(tbs.len);
	assert_non_null(bytes);
	for (size_t len = 0; len < tbs.len; len++)
		assert_int_equal(ask_crl(k, "ec", tbs.p, len), RC_PARSE);
	for (size_t bit = 0; bit < 8 * tbs.len; bit++) {
		memcpy(bytes, tbs.p, tbs.len);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)!ask_crl(k, "ec", bytes, tbs.len); /* neither crashes nor hangs */
	}
	free(bytes);
	crl_abandon(&w);
	buf_done(&out);
}

/* ---- unwrapping ---- */

static void
a_wrapped_key_comes_back(void **state)
{
	static const struct transport transports[] = {
		{ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE },
		{ TRANSPORT_OAEP, DIGEST_SHA1, DIGEST_SHA1 },
		{ TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA256 },
	};
	static const uint8_t cek[16] = "sixteen octets!";
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		const struct transport *t = &transports[i];
		struct buf wrapped;
		uint8_t back[16];

		buf_init(&wrapped, 1024);
		ok(k, key_wrap(&wrapped, cert_key0(k->ra.cert), t, cek, sizeof(cek), &k->err));
		ok(k,
		    signer_unwrap(
			k->s, "rsa", t, wrapped.data, wrapped.len, back, sizeof(back), &k->err));
		assert_memory_equal(back, cek, sizeof(cek));
		assert_int_equal(signer_unwrap(k->s, "ec", t, wrapped.data, wrapped.len, back,
				     sizeof(back), &k->err),
		    RC_NOTFOUND);
		buf_done(&wrapped);
	}
}

/* ---- threads ---- */

#define THREADS 8
#define EACH    20

struct worker {
	struct kit *k;
	_Atomic unsigned *wrong;
	bool ec;
};

static bool
sign_and_verify(struct kit *k, const char *name, const struct party *ca)
{
	struct cert_fields f;
	struct buf tbs, der;
	struct cert *c = NULL;
	bool fine;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&der, LIMIT_CERT);
	kit_fields(k, ca, &f);
	fine = cert_tbs_build(&tbs, &f, NULL) == RC_OK &&
	    signer_sign_cert(k->s, name, tbs.data, tbs.len, &der, NULL) == RC_OK &&
	    cert_parse(&c, der.data, der.len, NULL) == RC_OK &&
	    cert_verify_by(c, ca->cert, NULL) == RC_OK;
	cert_free(c);
	buf_done(&tbs);
	buf_done(&der);
	return fine;
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < EACH; i++)
		if (!sign_and_verify(w->k, w->ec ? "ec" : "rsa", w->ec ? &w->k->ec : &w->k->rsa))
			atomic_fetch_add(w->wrong, 1);
	return NULL;
}

static void
threads_share_one_signer(void **state)
{
	_Atomic unsigned wrong = 0;
	struct worker w[THREADS];
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ *state, &wrong, i % 2 };
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_belongs_to_another_certificate_is_refused),
		cmocka_unit_test(a_certificate_of_the_wrong_kind_is_refused),
		cmocka_unit_test(missing_and_unreadable_files_are_named),
		cmocka_unit_test(a_key_file_open_to_others_is_refused),
		cmocka_unit_test(a_signer_without_keys_opens_and_knows_nobody),
		cmocka_unit_test(the_default_validity_is_825_days_and_one_of_backdating),
		cmocka_unit_test(a_list_of_the_ca_is_signed_and_verifies),
		cmocka_unit_test(a_list_of_another_ca_is_denied),
		cmocka_unit_test(a_certificate_is_no_list_and_a_list_no_certificate),
		cmocka_unit_test(a_list_cut_short_or_too_long_is_refused),
		cmocka_unit_test(a_list_says_what_it_is_of_and_no_more),
		cmocka_unit_test(a_delta_with_a_bit_changed_is_another_or_none),
		cmocka_unit_test(a_wrapped_key_comes_back),
		cmocka_unit_test(threads_share_one_signer),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
