/*
 * bounds_test.c - subject keys, dates, rates, retired CAs; OCSP answers; the next CA; renewals.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "ossl/cms.h"
#include "signer/signer_check.h"
#include "signer/signer_rate.h"
#include "base/siphash.h"

#include "../ossl/crl_kit.h"
#include "fixture.h"

static void
want(struct kit *k, enum rc rc, enum rc expected, const char *part)
{
	if (rc != expected || strstr(k->err.msg, part) == NULL)
		fail_msg("%s \"%s\", expected %s \"%s\"", rc_name(rc), k->err.msg,
		    rc_name(expected), part);
}

/* ---- certificates ---- */

static enum rc
ask(struct kit *k, struct signer *s, const struct cert_fields *f)
{
	struct buf tbs, out;
	enum rc rc;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	ok(k, cert_tbs_build(&tbs, f, &k->err));
	k->err = (struct err){ 0 };
	rc = signer_sign_cert(s, "rsa", tbs.data, tbs.len, &out, &k->err);
	buf_done(&tbs);
	buf_done(&out);
	return rc;
}

static void
open_with(struct kit *k, const struct signer_ca *cas, size_t n, struct signer **s)
{
	struct signer_conf conf = { .cas = cas, .n_cas = n };

	ok(k, signer_open(s, &conf, &k->err));
}

static void
subject_keys_are_of_the_cas_types_and_sizes(void **state)
{
	static const struct {
		unsigned min, max, curves;
		const char *key;
		enum rc rc;
		const char *part;
	} t[] = {
		{ 2048, 4096, 0, "rsa:2048", RC_OK, "" },
		{ 2048, 2048, 0, "rsa:2048", RC_OK, "" },
		{ 2049, 4096, 0, "rsa:2048", RC_DENIED, "2048 bits is outside" },
		{ 1024, 2047, 0, "rsa:2048", RC_DENIED, "2048 bits is outside" },
		{ 0, 0, 7, "rsa:2048", RC_DENIED, "no RSA keys" },
		{ 0, 0, SIGNER_P256, "ec:p256", RC_OK, "" },
		{ 0, 0, SIGNER_P384, "ec:p384", RC_OK, "" },
		{ 0, 0, SIGNER_P384, "ec:p256", RC_DENIED, "no keys on P-256" },
		{ 2048, 4096, 0, "ec:p256", RC_DENIED, "no keys on P-256" },
		{ 0, 0, SIGNER_P256 | SIGNER_P521, "ec:p384", RC_DENIED, "no keys on P-384" },
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct signer_ca cas[2];
		struct cert_fields f;
		struct signer *s;
		struct key *key;

		kit_ca_conf(k, cas);
		cas[0].rsa_min = t[i].min;
		cas[0].rsa_max = t[i].max;
		cas[0].ec_curves = t[i].curves;
		open_with(k, cas, 1, &s);
		ok(k, key_generate(&key, t[i].key, &k->err));
		kit_fields(k, &k->rsa, &f);
		f.subject_key = key;
		want(k, ask(k, s, &f), t[i].rc, t[i].part);
		key_free(key);
		signer_close(s);
	}
}

/* The door itself, on keys that no library makes. */
static void
keys_that_are_none_are_refused(void **state)
{
	const struct sign_rules r = { .rsa_min = 9, .rsa_max = 4096, .ec_curves = 7 };
	static const struct {
		const char *spki;
		size_t len;
		enum rc rc;
	} t[] = {
#define RSA_ALG "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define EC_ALG                                                                                     \
	"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		{ RSA_ALG "\x03\x0c\x00\x30\x09\x02\x04\x71\x00\x00\x01\x02\x01\x03", 29, RC_OK },
		{ RSA_ALG "\x03\x0c\x00\x30\x09\x02\x04\x71\x00\x00\x02\x02\x01\x03", 29,
		    RC_DENIED },
		{ RSA_ALG "\x03\x0c\x00\x30\x09\x02\x04\x71\x00\x00\x01\x02\x01\x02", 29,
		    RC_DENIED },
		{ RSA_ALG "\x03\x0c\x00\x30\x09\x02\x04\x71\x00\x00\x01\x02\x01\x01", 29,
		    RC_DENIED },
		{ RSA_ALG "\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x03", 26, RC_DENIED },
		{ RSA_ALG "\x03\x09\x00\x30\x06\x02\x01\x00\x02\x01\x03", 26, RC_DENIED },
		{ RSA_ALG "\x03\x03\x00\x30\x00", 20, RC_PARSE },
		{ EC_ALG "\x03\x03\x00\x04\x01", 26, RC_DENIED },
		{ EC_ALG "\x03\x01\x00", 24, RC_DENIED },
		{ "\x30\x05\x06\x03\x2b\x65\x70\x03\x02\x00\x01", 11, RC_DENIED }, /* Ed25519 */
		{ "", 0, RC_PARSE },
		{ "\x30\x00", 2, RC_PARSE },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t *exact = malloc(t[i].len + 1);
		struct err err = { 0 };
		enum rc rc;

		assert_non_null(exact);
		memcpy(exact, t[i].spki, t[i].len);
		rc = check_spki(&r, (struct der){ exact, t[i].len }, &err);
		if (rc != t[i].rc)
			fail_msg("%zu: %s %s", i, rc_name(rc), err.msg);
		free(exact);
	}
}

static void
validity_begins_within_a_week(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.not_before = clock_now() + 7 * DAY + 60;
	f.not_after = f.not_before + DAY;
	want(k, ask(k, k->s, &f), RC_DENIED, "begins more than 7 days");
	f.not_before = clock_now() + 7 * DAY - 60;
	want(k, ask(k, k->s, &f), RC_OK, "");
}

static void
a_retired_ca_signs_lists_and_nothing_new(void **state)
{
	struct kit *k = *state;
	struct crl_fields list = { .issuer = k->rsa.cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + DAY,
		.number = 7 };
	struct signer_certs certs;
	struct signer_ca cas[2];
	struct cert_fields f;
	struct signer *s;
	struct buf tbs, out;

	kit_ca_conf(k, cas);
	cas[0].issues = false;
	open_with(k, cas, 1, &s);
	kit_fields(k, &k->rsa, &f);
	want(k, ask(k, s, &f), RC_DENIED, "retired");
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	crl_kit_tbs(&tbs, &list);
	ok(k, signer_sign_crl(s, "rsa", tbs.data, tbs.len, &out, &k->err));
	ok(k, signer_certs(s, "rsa", &certs, &k->err));
	assert_non_null(certs.ocsp);
	signer_certs_done(&certs);
	buf_done(&tbs);
	buf_done(&out);
	signer_close(s);
}

static void
a_list_for_later_is_not_signed_now(void **state)
{
	struct kit *k = *state;
	struct crl_fields list = { .issuer = k->rsa.cert,
		.digest = DIGEST_SHA256,
		.this_update = clock_now() + 3600,
		.next_update = clock_now() + DAY,
		.number = 1000 };
	struct buf tbs, out;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	crl_kit_tbs(&tbs, &list);
	want(k, signer_sign_crl(k->s, "rsa", tbs.data, tbs.len, &out, &k->err), RC_DENIED,
	    "still to come");
	buf_done(&tbs);
	buf_done(&out);
}

/* ---- rates ---- */

static void
past_the_rate_nothing_is_signed(void **state)
{
	struct kit *k = *state;
	struct signer_stats stats;
	struct signer_ca cas[2];
	struct cert_fields f;
	struct signer *s;

	kit_ca_conf(k, cas);
	cas[0].max_per_hour = 2;
	open_with(k, cas, 1, &s);
	for (int i = 0; i < 2; i++) {
		kit_fields(k, &k->rsa, &f);
		want(k, ask(k, s, &f), RC_OK, "");
	}
	kit_fields(k, &k->rsa, &f);
	want(k, ask(k, s, &f), RC_LIMIT, "past its rate of 2 certificates an hour");
	assert_non_null(strstr(k->err.hint, "max_per_hour"));
	/* What is denied takes nothing from the others. */
	f.is_ca = true;
	want(k, ask(k, s, &f), RC_DENIED, "basicConstraints");
	ok(k, signer_stats(s, &stats, &k->err));
	assert_int_equal(stats.certs, 2);
	assert_int_equal(stats.limited, 1);
	assert_int_equal(stats.denied, 1);
	signer_close(s);
}

static void
a_bucket_fills_again_and_does_not_overflow(void **state)
{
	struct rate r;
	int n = 0;

	rate_init(&r, 3600, 1000);
	while (rate_take(&r, 1000))
		n++;
	assert_int_equal(n, 3600);
	assert_false(rate_take(&r, 1999));
	assert_true(rate_take(&r, 2000)); /* one a second */
	assert_false(rate_take(&r, 2000));
	assert_false(rate_take(&r, 500)); /* a clock that goes back */
	for (n = 0; rate_take(&r, INT64_C(1) << 60); n++)
		;
	assert_int_equal(n, 3600);
	rate_init(&r, UINT64_MAX, 0);
	assert_true(rate_take(&r, 0));
	rate_init(&r, 0, 0);
	assert_false(rate_take(&r, INT64_MAX));
}

static void
siphash_is_siphash(void **state)
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t in[15];

	for (uint8_t i = 0; i < 15; i++)
		in[i] = i;
	/* Appendix A of the paper, and the first of its authors' vectors. */
	assert_int_equal(siphash24(key, in, 15), UINT64_C(0xa129ca6149be45e5));
	assert_int_equal(siphash24(key, in, 0), UINT64_C(0x726fdb47dd0e0e31));
}

/* ---- OCSP ---- */

struct response {
	uint8_t name[32], key[32], responder[20];
	int64_t produced, from, to;
	unsigned n; /* answers */
	bool by_name, no_next, critical, sha512;
};

static void
gen_time(struct buf *b, int64_t t)
{
	char text[TIME_TEXT_MAX], g[16];
	size_t n = 0;

	time_rfc3339(text, t); /* 2026-11-21T06:20:57Z */
	for (const char *p = text; *p != '\0'; p++)
		if (strchr("-T:", *p) == NULL)
			g[n++] = *p;
	der_add(b, DER_GENERALIZEDTIME, g, n);
}

static void
response_make(struct buf *b, const struct response *r)
{
	static const uint8_t serial[] = { 2, 2, 1, 1 };
	size_t all, list, single, id, alg, x, y, ext;

	buf_init(b, LIMIT_CERT);
	all = der_open(b, DER_SEQUENCE);
	x = der_open(b, DER_CTX_CONS(r->by_name ? 1 : 2));
	der_add(b, DER_OCTET_STRING, r->responder, 20);
	der_close(b, x);
	gen_time(b, r->produced);
	list = der_open(b, DER_SEQUENCE);
	for (unsigned i = 0; i < r->n; i++) {
		single = der_open(b, DER_SEQUENCE);
		id = der_open(b, DER_SEQUENCE);
		alg = der_open(b, DER_SEQUENCE);
		assert_true(der_add_oid(b, r->sha512 ? "1.3.6.1.4.1.1" : "2.16.840.1.101.3.4.2.1"));
		der_close(b, alg);
		der_add(b, DER_OCTET_STRING, r->name, 32);
		der_add(b, DER_OCTET_STRING, r->key, 32);
		buf_add(b, serial, sizeof(serial));
		der_close(b, id);
		der_add(b, DER_CTX(0), NULL, 0); /* good */
		gen_time(b, r->from);
		if (!r->no_next) {
			x = der_open(b, DER_CTX_CONS(0));
			gen_time(b, r->to);
			der_close(b, x);
		}
		der_close(b, single);
	}
	der_close(b, list);
	if (r->critical) {
		x = der_open(b, DER_CTX_CONS(1));
		y = der_open(b, DER_SEQUENCE);
		ext = der_open(b, DER_SEQUENCE);
		assert_true(der_add_oid(b, "1.3.6.1.5.5.7.48.1.2"));
		der_add_bool(b, true);
		der_add(b, DER_OCTET_STRING, "n", 1);
		der_close(b, ext);
		der_close(b, y);
		der_close(b, x);
	}
	der_close(b, all);
	assert_int_equal(b->rc, RC_OK);
}

/* A right one, from `s`. */
static void
response_right(struct kit *k, struct signer *s, struct response *r)
{
	const struct name *subject = cert_subject0(k->rsa.cert);
	struct ocsp_names names;
	struct signer_certs c;

	ok(k, signer_certs(s, "rsa", &c, &k->err));
	ok(k, ocsp_names_make(&names, k->rsa.cert, cert_key0(c.ocsp), &k->err));
	signer_certs_done(&c);
	*r = (struct response){ .n = 1 };
	ok(k, digest_bytes(r->name, DIGEST_SHA256, subject->der, subject->der_len, &k->err));
	memcpy(r->key, names.issuer.key[DIGEST_SHA256], 32);
	memcpy(r->responder, names.responder, 20);
	r->produced = r->from = clock_now();
	r->to = r->from + DAY;
}

static enum rc
ask_ocsp(struct kit *k, struct signer *s, const struct response *r, struct buf *out)
{
	struct buf data;
	enum rc rc;

	response_make(&data, r);
	buf_init(out, LIMIT_CERT);
	k->err = (struct err){ 0 };
	rc = signer_sign_ocsp(s, "rsa", data.data, data.len, out, &k->err);
	if (rc != RC_OK)
		assert_int_equal(out->len, 0);
	buf_done(&data);
	return rc;
}

static void
an_answer_is_signed_by_the_responder_and_carries_its_certificate(void **state)
{
	struct kit *k = *state;
	struct der in, body, data, alg, sig, tagged, list, cert;
	struct response r;
	struct cert *c;
	struct buf out;
	const char *const *eku;
	size_t n;

	response_right(k, k->s, &r);
	ok(k, ask_ocsp(k, k->s, &r, &out));
	in = (struct der){ out.data, out.len };
	assert_true(der_take(&in, DER_SEQUENCE, &body) && in.len == 0);
	assert_true(der_take_whole(&body, DER_SEQUENCE, &data));
	assert_true(der_take(&body, DER_SEQUENCE, &alg));
	assert_true(der_take_octet_bits(&body, &sig));
	assert_true(der_take(&body, DER_CTX_CONS(0), &tagged) && body.len == 0);
	assert_true(der_take(&tagged, DER_SEQUENCE, &list));
	assert_true(der_take_whole(&list, DER_SEQUENCE, &cert) && list.len == 0);
	ok(k, cert_parse(&c, cert.p, cert.len, &k->err));
	ok(k, cert_verify_by(c, k->rsa.cert, &k->err));
	ok(k, key_verify(cert_key0(c), DIGEST_SHA256, data.p, data.len, sig.p, sig.len, &k->err));
	eku = cert_eku0(c, &n);
	assert_int_equal(n, 1);
	assert_string_equal(eku[0], "1.3.6.1.5.5.7.3.9");
	assert_true(cert_not_after(c) - clock_now() <= 30 * DAY);
	assert_non_null(
	    memmem(cert.p, cert.len, "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x05", 11));
	cert_free(c);
	buf_done(&out);
}

static void
answers_that_break_a_rule_are_denied(void **state)
{
	struct kit *k = *state;
	struct response right, r;
	struct buf out;

	response_right(k, k->s, &right);
#define DENIED(change, part)                                                                       \
	do {                                                                                       \
		r = right;                                                                         \
		change;                                                                            \
		want(k, ask_ocsp(k, k->s, &r, &out), RC_DENIED, part);                             \
		buf_done(&out);                                                                    \
	} while (0)
	DENIED(r.name[0] ^= 1, "of another CA");
	DENIED(r.key[31] ^= 1, "of another CA");
	DENIED(r.responder[0] ^= 1, "not this responder's");
	DENIED(r.by_name = true, "not named by its key");
	DENIED(r.produced += 400, "producedAt is not now");
	DENIED(r.produced -= 400, "producedAt is not now");
	DENIED(r.no_next = true, "no nextUpdate");
	DENIED(r.to = clock_now() + SIGNER_OCSP_VALIDITY_MAX + 60, "holds longer");
	DENIED(r.from += 400, "no span from now");
	DENIED(r.to = r.from - 1, "no span from now");
	DENIED(r.n = 0, "answers nothing");
	DENIED(r.n = 65, "more than 64");
	DENIED(r.critical = true, "critical");
	DENIED(r.sha512 = true, "digest that is not taken");
	r = right;
	r.n = 64;
	want(k, ask_ocsp(k, k->s, &r, &out), RC_OK, "");
	buf_done(&out);
}

static void
an_answer_cut_short_or_changed_gets_round_no_rule(void **state)
{
	struct kit *k = *state;
	struct ocsp_names names;
	struct signer_certs c;
	struct response r;
	struct buf data;
	unsigned accepted = 0;

	response_right(k, k->s, &r);
	ok(k, signer_certs(k->s, "rsa", &c, &k->err));
	ok(k, ocsp_names_make(&names, k->rsa.cert, cert_key0(c.ocsp), &k->err));
	signer_certs_done(&c);
	response_make(&data, &r);
	for (size_t len = 0; len < data.len; len++) {
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, data.data, len);
		assert_int_equal(check_ocsp_data(&names, r.produced, cut, len, NULL), RC_PARSE);
		free(cut);
	}
	for (size_t bit = 0; bit < 8 * data.len; bit++) {
		data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		accepted += check_ocsp_data(&names, r.produced, data.data, data.len, NULL) == RC_OK;
		data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* The serial number, the status, digits of seconds. */
	assert_true(accepted > 16 && accepted < 100);
	buf_done(&data);
}

/* ---- the next CA ---- */

static void
the_next_ca_is_announced_in_the_words_of_this_one(void **state)
{
	struct kit *k = *state;
	struct cms_signed *outer, *inner;
	struct signer_ca cas[2];
	struct signer *s;
	struct buf der;
	struct der content;
	size_t len;
	const uint8_t *own = cert_der0(k->ec.cert, &len);

	kit_ca_conf(k, cas);
	cas[1].replaces = "rsa";
	open_with(k, cas, 2, &s);
	buf_init(&der, LIMIT_CHAIN);
	ok(k, signer_next_ca(s, "rsa", &der, &k->err));
	ok(k, cms_signed_parse(&outer, der.data, der.len, &k->err));
	ok(k, cms_signed_verify(outer, cert_key0(k->rsa.cert), &k->err));
	content = cms_signed_content0(outer);
	ok(k, cms_signed_parse(&inner, content.p, content.len, &k->err));
	assert_false(cms_signed_has_signer(inner));
	assert_int_equal(cms_signed_n_certs(inner), 1);
	assert_int_equal(cms_signed_cert0(inner, 0).len, len);
	assert_memory_equal(cms_signed_cert0(inner, 0).p, own, len);
	cms_signed_free(inner);
	cms_signed_free(outer);
	buf_reset(&der);
	assert_int_equal(signer_next_ca(s, "ec", &der, &k->err), RC_NOTFOUND);
	assert_int_equal(signer_next_ca(s, "nobody", &der, &k->err), RC_NOTFOUND);
	assert_int_equal(der.len, 0);
	buf_done(&der);
	signer_close(s);
}

/* ---- renewals ---- */

#define YEAR (365 * (int64_t)DAY)

/* The CA of the kit with an RA of its own that ends at `end`, and a folder. */
static void
open_renewing(struct kit *k, struct signer **s, const char *dir, int64_t end)
{
	static const struct serial serial = { { 0x44, 2, 3, 4, 5, 6, 7, 8 }, 8 };
	static const char *const eku[] = { "1.3.6.1.4.1.311.20.2.1" };
	struct cert_fields f = { .serial = &serial,
		.issuer = cert_subject0(k->rsa.cert),
		.subject = &k->leaf_name,
		.not_before = end - YEAR,
		.not_after = end,
		.subject_key = k->ra.key,
		.issuer_key = k->rsa.key,
		.digest = DIGEST_SHA256,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = eku,
		.n_eku = 1,
		.path_len = -1 };
	struct signer_conf conf = { .n_cas = 1, .state_dir = dir };
	struct signer_ca cas[2];
	struct cert *ra;
	struct buf pem;
	char file[400];

	snprintf(file, sizeof(file), "%s/ra-short.pem", k->dir);
	ok(k, cert_make(&ra, &f, k->rsa.key, &k->err));
	buf_init(&pem, LIMIT_CERT);
	cert_pem(&pem, ra);
	ok(k, file_write(file, pem.data, pem.len, 0644, 1, &k->err));
	buf_done(&pem);
	cert_free(ra);
	kit_ca_conf(k, cas);
	cas[0].ra_cert_file = file;
	cas[0].ra_validity = YEAR;
	conf.cas = cas;
	ok(k, signer_open(s, &conf, &k->err));
	unlink(file);
}

static void
folder_remove(const char *dir)
{
	static const char *const files[] = { "lock", "serials", "audit-000000000001", "rsa-ra.pem",
		"rsa-ocsp.pem", "rsa-ocsp.key", "rsa.crl-number" };
	char path[500];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

/* What is seen in the folder is what the signer says: of the RA configured first. */
static void
seen_from_outside(struct kit *k, struct signer *s, const char *dir, const struct cert *ra)
{
	const struct signer_certs_of of = { k->rsa.cert, ra }, foreign = { k->ec.cert, ra };
	struct signer_certs inside, outside;

	ok(k, signer_certs(s, "rsa", &inside, &k->err));
	ok(k, signer_certs_look(&outside, dir, "rsa", &of, &k->err));
	assert_int_equal(outside.n_ra, inside.n_ra);
	for (size_t i = 0; i < inside.n_ra; i++)
		assert_int_equal(cert_not_after(outside.ra[i]), cert_not_after(inside.ra[i]));
	assert_non_null(outside.ocsp);
	assert_int_equal(cert_not_after(outside.ocsp), cert_not_after(inside.ocsp));
	signer_certs_done(&inside);
	signer_certs_done(&outside);

	/* Of another CA, or where there is nothing: the configured one alone. */
	ok(k, signer_certs_look(&outside, dir, "rsa", &foreign, &k->err));
	assert_true(outside.n_ra == 1 && outside.ocsp == NULL);
	signer_certs_done(&outside);
	ok(k, signer_certs_look(&outside, "/nowhere", "rsa", &of, &k->err));
	assert_true(outside.n_ra == 1 && outside.ocsp == NULL);
	signer_certs_done(&outside);
}

static void
ra_and_responder_are_renewed_in_time_with_the_same_keys(void **state)
{
	struct kit *k = *state;
	int64_t end = BEGIN + 2 * YEAR;
	struct signer_certs first, c;
	struct signer *s;
	char dir[400];

	snprintf(dir, sizeof(dir), "%s/renewing", k->dir);
	clock_offset_set(end - YEAR / 4 - DAY - clock_now());
	open_renewing(k, &s, dir, end);
	signer_tick(s, clock_now());
	ok(k, signer_certs(s, "rsa", &first, &k->err));
	assert_int_equal(first.n_ra, 1); /* not yet */
	assert_non_null(first.ocsp);
	seen_from_outside(k, s, dir, first.ra[0]);

	clock_offset_set(end - YEAR / 4 + DAY - clock_now() + clock_offset());
	signer_tick(s, clock_now());
	ok(k, signer_certs(s, "rsa", &c, &k->err));
	assert_int_equal(c.n_ra, 2);
	assert_true(key_same_public(cert_key0(c.ra[0]), k->ra.key));
	assert_true(cert_not_after(c.ra[0]) > end && cert_not_after(c.ra[1]) == end);
	assert_true(name_same(cert_subject0(c.ra[0]), &k->leaf_name));
	ok(k, cert_verify_by(c.ra[0], k->rsa.cert, &k->err));
	assert_false(cert_is_ca(c.ra[0]));
	signer_certs_done(&c);

	/* The responder's: in the second half of its thirty days. */
	clock_offset_set(clock_offset() + 20 * DAY);
	signer_tick(s, clock_now());
	ok(k, signer_certs(s, "rsa", &c, &k->err));
	assert_true(cert_not_after(c.ocsp) > cert_not_after(first.ocsp));
	assert_true(key_same_public(cert_key0(c.ocsp), cert_key0(first.ocsp)));
	signer_certs_done(&c);
	signer_close(s);

	/* A new start takes over what was made, though the configuration has the old one. */
	open_renewing(k, &s, dir, end);
	ok(k, signer_certs(s, "rsa", &c, &k->err));
	assert_int_equal(c.n_ra, 2);
	assert_true(cert_not_after(c.ra[0]) > end);
	assert_true(key_same_public(cert_key0(c.ocsp), cert_key0(first.ocsp)));
	signer_certs_done(&c);
	seen_from_outside(k, s, dir, first.ra[0]);

	/* When the old one has expired it is gone. */
	clock_offset_set(clock_offset() + YEAR / 4);
	signer_tick(s, clock_now());
	ok(k, signer_certs(s, "rsa", &c, &k->err));
	assert_int_equal(c.n_ra, 1);
	signer_certs_done(&c);
	seen_from_outside(k, s, dir, first.ra[0]);
	signer_certs_done(&first);
	signer_close(s);
	clock_offset_set(0);
	folder_remove(dir);
}

static void
no_renewal_goes_past_the_ca_or_gains_nothing(void **state)
{
	struct kit *k = *state;
	struct signer_certs c;
	struct signer *s;
	char dir[400];

	snprintf(dir, sizeof(dir), "%s/ending", k->dir);
	clock_offset_set(CA_END - 10 * DAY - clock_now());
	open_renewing(k, &s, dir, CA_END);
	signer_tick(s, clock_now());
	ok(k, signer_certs(s, "rsa", &c, &k->err));
	assert_int_equal(c.n_ra, 1);
	assert_int_equal(cert_not_after(c.ocsp), CA_END);
	signer_certs_done(&c);
	clock_offset_set(clock_offset() + 9 * DAY);
	signer_tick(s, clock_now());
	signer_close(s);
	clock_offset_set(0);
	folder_remove(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(subject_keys_are_of_the_cas_types_and_sizes),
		cmocka_unit_test(keys_that_are_none_are_refused),
		cmocka_unit_test(validity_begins_within_a_week),
		cmocka_unit_test(a_retired_ca_signs_lists_and_nothing_new),
		cmocka_unit_test(a_list_for_later_is_not_signed_now),
		cmocka_unit_test(past_the_rate_nothing_is_signed),
		cmocka_unit_test(a_bucket_fills_again_and_does_not_overflow),
		cmocka_unit_test(siphash_is_siphash),
		cmocka_unit_test(an_answer_is_signed_by_the_responder_and_carries_its_certificate),
		cmocka_unit_test(answers_that_break_a_rule_are_denied),
		cmocka_unit_test(an_answer_cut_short_or_changed_gets_round_no_rule),
		cmocka_unit_test(the_next_ca_is_announced_in_the_words_of_this_one),
		cmocka_unit_test(ra_and_responder_are_renewed_in_time_with_the_same_keys),
		cmocka_unit_test(no_renewal_goes_past_the_ca_or_gains_nothing),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
