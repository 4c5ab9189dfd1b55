/*
 * cert_rules_test.c - one claim a rule: what the signer refuses to make a certificate of.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

#include "fixture.h"

/* ---- asking ---- */

/* Ask `ca` to sign; the certificate is thrown away. */
static enum rc
ask(struct kit *k, const char *ca, const uint8_t *tbs, size_t len)
{
	struct buf cert;
	enum rc rc;

	buf_init(&cert, LIMIT_CERT);
	k->err = (struct err){ 0 };
	rc = signer_sign_cert(k->s, ca, tbs, len, &cert, &k->err);
	if (rc != RC_OK)
		assert_int_equal(cert.len, 0);
	buf_done(&cert);
	return rc;
}

static void
want(struct kit *k, enum rc rc, enum rc expected, const char *part)
{
	if (rc != expected || strstr(k->err.msg, part) == NULL)
		fail_msg("%s \"%s\", expected \"%s\"", rc_name(rc), k->err.msg, part);
}

/* Denied with a message that names the rule. */
static void
denied(struct kit *k, const char *ca, const struct cert_fields *f, const char *rule)
{
	struct buf tbs;

	buf_init(&tbs, LIMIT_CERT);
	ok(k, cert_tbs_build(&tbs, f, &k->err));
	want(k, ask(k, ca, tbs.data, tbs.len), RC_DENIED, rule);
	buf_done(&tbs);
}

/* ---- changing a TBSCertificate ---- */

/* The parts of one, by position (RFC 5280 4.1); the last are the extensions, one by one. */
enum { VERSION, SERIAL, SIG_ALG, ISSUER, TBS_VALIDITY, SUBJECT, SPKI, PARTS };
struct parts {
	struct buf tbs;
	struct der part[PARTS];
	struct der ext[16];
	size_t n_ext;
	struct der tail; /* after the extensions */
};

static void
parts_of(struct kit *k, struct parts *p, const struct party *ca)
{
	struct der all, in, tagged, list;
	uint8_t tag;
	struct cert_fields f;

	p->tail = (struct der){ NULL, 0 };
	kit_fields(k, ca, &f);
	buf_init(&p->tbs, LIMIT_CERT);
	ok(k, cert_tbs_build(&p->tbs, &f, &k->err));
	all = (struct der){ p->tbs.data, p->tbs.len };
	assert_true(der_take(&all, DER_SEQUENCE, &in));
	for (int i = 0; i < PARTS; i++)
		assert_true(der_any(&in, &tag, NULL, &p->part[i]));
	assert_true(der_take(&in, DER_CTX_CONS(3), &tagged));
	assert_true(der_take(&tagged, DER_SEQUENCE, &list));
	for (p->n_ext = 0; list.len > 0; p->n_ext++)
		assert_true(der_any(&list, &tag, NULL, &p->ext[p->n_ext]));
}

static void
put(struct buf *b, struct der d)
{
	buf_add(b, d.p, d.len);
}

/* Put them together again (parts with p == NULL are left out), ask, and drop them. */
static enum rc
ask_parts(struct kit *k, const char *ca, struct parts *p)
{
	struct buf b;
	size_t tbs, tagged, list;
	enum rc rc;

	buf_init(&b, LIMIT_CERT);
	tbs = der_open(&b, DER_SEQUENCE);
	for (int i = 0; i < PARTS; i++)
		put(&b, p->part[i]);
	if (p->n_ext > 0) {
		tagged = der_open(&b, DER_CTX_CONS(3));
		list = der_open(&b, DER_SEQUENCE);
		for (size_t i = 0; i < p->n_ext; i++)
			put(&b, p->ext[i]);
		der_close(&b, list);
		der_close(&b, tagged);
	}
	put(&b, p->tail);
	der_close(&b, tbs);
	ok(k, buf_ok(&b, "tbs", &k->err));
	rc = ask(k, ca, b.data, b.len);
	buf_done(&b);
	buf_done(&p->tbs);
	return rc;
}

/* The index of an extension by its OID. */
static size_t
ext_find(const struct parts *p, const char *oid)
{
	for (size_t i = 0; i < p->n_ext; i++) {
		struct der e = p->ext[i], body;
		char text[OID_TEXT_MAX];

		assert_true(der_take(&e, DER_SEQUENCE, &body));
		assert_true(der_take_oid(&body, text));
		if (strcmp(text, oid) == 0)
			return i;
	}
	fail_msg("no extension %s", oid);
	return 0;
}

/* Write an extension into `b`. */
static struct der
ext_make(struct buf *b, const char *oid, bool critical, const void *value, size_t len)
{
	size_t seq;

	buf_init(b, 1000);
	seq = der_open(b, DER_SEQUENCE);
	assert_true(der_add_oid(b, oid));
	if (critical)
		der_add_bool(b, true);
	der_add(b, DER_OCTET_STRING, value, len);
	der_close(b, seq);
	return (struct der){ b->data, b->len };
}

/* ---- claims ---- */

static void
what_a_profile_makes_is_signed_and_verifies(void **state)
{
	struct kit *k = *state;
	const struct {
		const char *name;
		const struct party *p;
		enum digest d;
	} t[] = {
		{ "rsa", &k->rsa, DIGEST_SHA256 },
		{ "rsa", &k->rsa, DIGEST_SHA512 },
		{ "ec", &k->ec, DIGEST_SHA256 },
		{ "ec", &k->ec, DIGEST_SHA384 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct cert_fields f;
		struct buf tbs, der;
		struct cert *c;

		buf_init(&tbs, LIMIT_CERT);
		buf_init(&der, LIMIT_CERT);
		kit_fields(k, t[i].p, &f);
		f.digest = t[i].d;
		ok(k, cert_tbs_build(&tbs, &f, &k->err));
		ok(k, signer_sign_cert(k->s, t[i].name, tbs.data, tbs.len, &der, &k->err));
		ok(k, cert_parse(&c, der.data, der.len, &k->err));
		ok(k, cert_verify_by(c, t[i].p->cert, &k->err));
		cert_free(c);
		buf_done(&tbs);
		buf_done(&der);
	}
}

static void
an_unknown_ca_is_not_found(void **state)
{
	struct kit *k = *state;

	want(k, ask(k, "root", (const uint8_t *)"0", 1), RC_NOTFOUND, "root");
	want(k, ask(k, "ra", (const uint8_t *)"0", 1), RC_NOTFOUND, "ra");
}

static void
a_foreign_issuer_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.issuer = cert_subject0(k->ec.cert);
	denied(k, "rsa", &f, "issuer");
	f.issuer = &k->leaf_name;
	denied(k, "rsa", &f, "issuer");
}

static void
a_ca_certificate_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.is_ca = true;
	denied(k, "rsa", &f, "basicConstraints");
	f.path_len = 0;
	denied(k, "rsa", &f, "basicConstraints");
}

static void
absent_basic_constraints_are_denied(void **state)
{
	struct kit *k = *state;
	struct parts p;

	parts_of(k, &p, &k->rsa);
	p.ext[ext_find(&p, "2.5.29.19")] = (struct der){ NULL, 0 };
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "basicConstraints is absent");
}

static void
an_extension_that_comes_twice_is_denied(void **state)
{
	static const char *const oids[] = { "2.5.29.19", "2.5.29.15", "2.5.29.37" };
	struct kit *k = *state;

	for (size_t i = 0; i < 3; i++) {
		struct parts p;

		parts_of(k, &p, &k->rsa);
		p.ext[p.n_ext] = p.ext[ext_find(&p, oids[i])];
		p.n_ext++;
		want(k, ask_parts(k, "rsa", &p), RC_DENIED, "comes twice");
	}
}

static void
key_usage_of_a_ca_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN;
	denied(k, "rsa", &f, "keyCertSign");
	f.key_usage = KU_CRL_SIGN;
	denied(k, "rsa", &f, "cRLSign");
}

static void
key_usage_outside_the_list_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
	denied(k, "rsa", &f, "outside this CA's");
	f.key_usage = 0; /* left out: everything would be allowed */
	denied(k, "rsa", &f, "keyUsage is absent");
}

static void
eku_outside_the_list_is_denied(void **state)
{
	static const char *const ekus[][2] = {
		{ SERVER_AUTH, CLIENT_AUTH },
		{ CLIENT_AUTH, "2.5.29.37.0" }, /* anyExtendedKeyUsage */
	};
	struct kit *k = *state;
	struct cert_fields f;

	for (size_t i = 0; i < 2; i++) {
		kit_fields(k, &k->rsa, &f);
		f.eku = ekus[i];
		f.n_eku = 2;
		denied(k, "rsa", &f, "is not in this CA's list");
	}
}

static void
no_eku_at_all_is_denied(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.eku = NULL;
	f.n_eku = 0;
	denied(k, "rsa", &f, "extendedKeyUsage is absent");
}

static void
validity_is_bounded_to_the_second(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;
	struct buf tbs;

	kit_fields(k, &k->rsa, &f);
	f.not_after = f.not_before + VALIDITY + 1;
	denied(k, "rsa", &f, "is longer than");
	clock_offset_set(CA_END - DAY - clock_now());
	f.not_after = CA_END + 1;
	f.not_before = CA_END - DAY;
	denied(k, "rsa", &f, "past the CA's own end");

	buf_init(&tbs, LIMIT_CERT);
	f.not_after = CA_END;
	f.not_before = CA_END - VALIDITY;
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	want(k, ask(k, "rsa", tbs.data, tbs.len), RC_OK, "");
	buf_done(&tbs);
	clock_offset_set(0);
}

static void
a_validity_that_ends_before_it_begins_is_denied(void **state)
{
	struct kit *k = *state;
	struct parts p;
	struct buf v;
	size_t seq;

	buf_init(&v, 100);
	seq = der_open(&v, DER_SEQUENCE);
	assert_true(der_add_time(&v, BEGIN + 1));
	assert_true(der_add_time(&v, BEGIN));
	der_close(&v, seq);
	parts_of(k, &p, &k->rsa);
	p.part[TBS_VALIDITY] = (struct der){ v.data, v.len };
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "ends before it begins");
	buf_done(&v);
}

static void
a_short_serial_number_is_denied(void **state)
{
	static const struct serial seven = { { 0x7f, 2, 3, 4, 5, 6, 7 }, 7 };
	static const struct serial eight = { { 1, 2, 3, 4, 5, 6, 7, 8 }, 8 };
	struct kit *k = *state;
	struct cert_fields f;
	struct buf tbs;

	kit_fields(k, &k->rsa, &f);
	f.serial = &seven;
	denied(k, "rsa", &f, "serial number has 7 octets");
	f.serial = &eight;
	buf_init(&tbs, LIMIT_CERT);
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	want(k, ask(k, "rsa", tbs.data, tbs.len), RC_OK, "");
	buf_done(&tbs);
}

static void
the_sid_extension_is_denied_however_it_is_marked(void **state)
{
	struct kit *k = *state;

	for (int critical = 0; critical < 2; critical++) {
		struct parts p;
		struct buf b;

		parts_of(k, &p, &k->rsa);
		p.ext[p.n_ext++] = ext_make(&b, OID_SID_EXTENSION, critical, "\x30\0", 2);
		want(k, ask_parts(k, "rsa", &p), RC_DENIED, "SID");
		buf_done(&b);
	}
}

static void
an_unknown_extension_is_denied_when_critical(void **state)
{
	/* nameConstraints, policyConstraints, a private one */
	static const char *const oids[] = { "2.5.29.30", "2.5.29.36", "1.3.6.1.4.1.99999.1" };
	struct kit *k = *state;

	for (size_t i = 0; i < 6; i++) {
		struct parts p;
		struct buf b;

		parts_of(k, &p, &k->rsa);
		p.ext[p.n_ext++] = ext_make(&b, oids[i / 2], i % 2, "\x30\0", 2);
		if (i % 2)
			want(k, ask_parts(k, "rsa", &p), RC_DENIED, oids[i / 2]);
		else
			want(k, ask_parts(k, "rsa", &p), RC_OK, "");
		buf_done(&b);
	}
}

static void
a_signature_algorithm_that_does_not_fit_the_key_is_denied(void **state)
{
	struct kit *k = *state;
	struct parts p, other;

	parts_of(k, &p, &k->rsa);
	parts_of(k, &other, &k->ec);
	p.part[SIG_ALG] = other.part[SIG_ALG];
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "1.2.840.10045.4.3.2");
	buf_done(&other.tbs);
	parts_of(k, &p, &k->ec);
	parts_of(k, &other, &k->rsa);
	p.part[SIG_ALG] = other.part[SIG_ALG];
	want(k, ask_parts(k, "ec", &p), RC_DENIED, "1.2.840.113549.1.1.11");
	buf_done(&other.tbs);
}

static void
weak_and_malformed_signature_algorithms_are_refused(void **state)
{
	/* SHA-1, MD5, PSS; then SHA-256 with parameters absent, not NULL, and with something after
	 */
	static const struct {
		const char *oid;
		const char *params;
		size_t len;
		enum rc rc;
	} t[] = {
		{ "1.2.840.113549.1.1.5", "\5\0", 2, RC_DENIED },
		{ "1.2.840.113549.1.1.4", "\5\0", 2, RC_DENIED },
		{ "1.2.840.113549.1.1.10", "\x30\0", 2, RC_DENIED },
		{ "1.2.840.113549.1.1.11", "", 0, RC_PARSE },
		{ "1.2.840.113549.1.1.11", "\x30\0", 2, RC_PARSE },
		{ "1.2.840.113549.1.1.11", "\5\0\5\0", 4, RC_PARSE },
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct parts p;
		struct buf b;
		size_t seq;

		buf_init(&b, 100);
		seq = der_open(&b, DER_SEQUENCE);
		assert_true(der_add_oid(&b, t[i].oid));
		buf_add(&b, t[i].params, t[i].len);
		der_close(&b, seq);
		parts_of(k, &p, &k->rsa);
		p.part[SIG_ALG] = (struct der){ b.data, b.len };
		want(k, ask_parts(k, "rsa", &p), t[i].rc, "signature algorithm");
		buf_done(&b);
	}
}

static void
only_version_3_is_signed(void **state)
{
	static const uint8_t v2[] = { 0xa0, 3, 2, 1, 1 }, v4[] = { 0xa0, 3, 2, 1, 3 };
	const struct der versions[] = { { NULL, 0 }, { v2, sizeof(v2) }, { v4, sizeof(v4) } };
	struct kit *k = *state;

	for (size_t i = 0; i < 3; i++) {
		struct parts p;

		parts_of(k, &p, &k->rsa);
		p.part[VERSION] = versions[i];
		want(k, ask_parts(k, "rsa", &p), RC_DENIED, "version 3");
	}
}

static void
a_certificate_without_extensions_is_denied(void **state)
{
	struct kit *k = *state;
	struct parts p;

	parts_of(k, &p, &k->rsa);
	p.n_ext = 0;
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "no extensions");
}

static void
unique_identifiers_are_denied(void **state)
{
	static const uint8_t with_uid[] = { 0x81, 2, 0, 0x55 };
	struct kit *k = *state;
	struct parts p;
	struct buf b;

	parts_of(k, &p, &k->rsa);
	buf_init(&b, 1000);
	put(&b, p.part[SPKI]);
	buf_add(&b, with_uid, sizeof(with_uid));
	p.part[SPKI] = (struct der){ b.data, b.len };
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "something beside");
	buf_done(&b);
}

static void
nothing_comes_after_the_extensions(void **state)
{
	static const uint8_t more[] = { 5, 0 };
	struct kit *k = *state;
	struct parts p;

	parts_of(k, &p, &k->rsa);
	p.tail = (struct der){ more, sizeof(more) };
	want(k, ask_parts(k, "rsa", &p), RC_DENIED, "something beside");
}

static void
the_cas_own_name_and_key_are_denied_to_others(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;

	kit_fields(k, &k->rsa, &f);
	f.subject = cert_subject0(k->rsa.cert);
	denied(k, "rsa", &f, "subject is the CA's own");
	kit_fields(k, &k->rsa, &f);
	f.subject_key = k->rsa.key;
	denied(k, "rsa", &f, "public key is the CA's own");
}

static void
everything_cut_short_or_too_long_is_refused(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;
	struct buf tbs;

	buf_init(&tbs, LIMIT_CERT);
	kit_fields(k, &k->ec, &f);
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	for (size_t len = 0; len < tbs.len; len++) {
		/* Memory of just that size, so that a read past it is seen. */
		uint8_t *cut = malloc(len == 0 ? 1 : len);

		assert_non_null(cut);
		memcpy(cut, tbs.data, len);
		want(k, ask(k, "ec", cut, len), RC_PARSE, "");
		free(cut);
	}
	buf_addc(&tbs, '\0');
	want(k, ask(k, "ec", tbs.data, tbs.len), RC_PARSE, "");
	buf_done(&tbs);
}

static void
one_flipped_bit_never_gets_round_a_rule(void **state)
{
	struct kit *k = *state;
	struct cert_fields f;
	struct buf tbs;
	unsigned accepted = 0;

	buf_init(&tbs, LIMIT_CERT);
	kit_fields(k, &k->ec, &f);
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	for (size_t bit = 0; bit < 8 * tbs.len; bit++) {
		struct cert *c;
		enum digest d;
		unsigned ku;
		size_t n;

		tbs.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* With the number of one that was signed, it got past all rules but that. */
		if (ask(k, "ec", tbs.data, tbs.len) == RC_OK ||
		    strstr(k->err.msg, "was signed before") != NULL) {
			accepted++;
			/* Names and keys may have turned into nonsense; what rules are about has
			 * not. */
			if (cert_parse_tbs(&c, &d, tbs.data, tbs.len, NULL) == RC_OK) {
				assert_false(cert_is_ca(c));
				assert_true(cert_has_key_usage(c, &ku));
				assert_int_equal(
				    ku & ~(unsigned)(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT),
				    0);
				assert_string_equal(cert_eku0(c, &n)[0], CLIENT_AUTH);
				assert_int_equal(n, 1);
				assert_true(cert_not_after(c) - cert_not_before(c) <= VALIDITY);
				assert_true(name_same(cert_issuer0(c), cert_subject0(k->ec.cert)));
				cert_free(c);
			}
		}
		tbs.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Serial, subject, key, dates and identifiers may differ; most of the rest may not. */
	assert_true(accepted > 0 && accepted < 8 * tbs.len);
	buf_done(&tbs);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_profile_makes_is_signed_and_verifies),
		cmocka_unit_test(an_unknown_ca_is_not_found),
		cmocka_unit_test(a_foreign_issuer_is_denied),
		cmocka_unit_test(a_ca_certificate_is_denied),
		cmocka_unit_test(absent_basic_constraints_are_denied),
		cmocka_unit_test(an_extension_that_comes_twice_is_denied),
		cmocka_unit_test(key_usage_of_a_ca_is_denied),
		cmocka_unit_test(key_usage_outside_the_list_is_denied),
		cmocka_unit_test(eku_outside_the_list_is_denied),
		cmocka_unit_test(no_eku_at_all_is_denied),
		cmocka_unit_test(validity_is_bounded_to_the_second),
		cmocka_unit_test(a_validity_that_ends_before_it_begins_is_denied),
		cmocka_unit_test(a_short_serial_number_is_denied),
		cmocka_unit_test(the_sid_extension_is_denied_however_it_is_marked),
		cmocka_unit_test(an_unknown_extension_is_denied_when_critical),
		cmocka_unit_test(a_signature_algorithm_that_does_not_fit_the_key_is_denied),
		cmocka_unit_test(weak_and_malformed_signature_algorithms_are_refused),
		cmocka_unit_test(only_version_3_is_signed),
		cmocka_unit_test(a_certificate_without_extensions_is_denied),
		cmocka_unit_test(unique_identifiers_are_denied),
		cmocka_unit_test(nothing_comes_after_the_extensions),
		cmocka_unit_test(the_cas_own_name_and_key_are_denied_to_others),
		cmocka_unit_test(everything_cut_short_or_too_long_is_refused),
		cmocka_unit_test(one_flipped_bit_never_gets_round_a_rule),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
