/*
 * cert_build_test.c - certificates and lists as they are made, in the eyes of the `openssl`
 * command.
 */
#include "crl_kit.h"
#include "fixture.h"

#include "ossl/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const eku[] = { "1.3.6.1.5.5.7.3.2" };
static const char *const crl_urls[] = { "http://pki.contoso.com/crl/a.crl", "http://b/a.crl" };
static const char *const ca_urls[] = { "http://pki.contoso.com/ca/a.crt" };
static const char *const ocsp_urls[] = { "http://pki.contoso.com/ocsp/a" };

static struct san sans[] = {
	{ SAN_EMAIL, (char *)"jane@contoso.com" },
	{ SAN_UPN, (char *)"j\xc3\xa4ne@contoso.com" },
	{ SAN_DNS, (char *)"pc1.contoso.com" },
	{ SAN_URI, (char *)"tag:microsoft.com,2022-09-14:sid:S-1-5-21" },
};
static const struct san_list san = { sans, N(sans) };

static struct cert *
make_ca(const char *spec)
{
	struct name n = fixture_name("CN=Test CA,O=Contoso");
	struct serial serial = fixture_serial("01");
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = 0,
		.not_after = 4000000000,
		.subject_key = fixture_key(spec),
		.issuer_key = fixture_key(spec),
		.digest = DIGEST_SHA256,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.is_ca = true,
		.path_len = 0 };
	struct err err = { 0 };
	struct cert *c;

	assert_ok(cert_make(&c, &f, fixture_key(spec), &err), err);
	name_done(&n);
	return c;
}

/* Everything a leaf can hold. The names and the serial must outlive it. */
static struct cert_fields
leaf_fields(const struct serial *serial, const struct name *subject, const struct cert *ca)
{
	return (struct cert_fields){ .serial = serial,
		.issuer = cert_subject0(ca),
		.subject = subject,
		.not_before = 1700000000,
		.not_after = 2600000000,
		.subject_key = fixture_other_key("ec:p256"),
		.issuer_key = cert_key0(ca),
		.digest = DIGEST_SHA256,
		.san = &san,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = eku,
		.n_eku = 1,
		.path_len = -1,
		.crl_urls = crl_urls,
		.n_crl_urls = 2,
		.ca_issuer_urls = ca_urls,
		.n_ca_issuer_urls = 1,
		.ocsp_urls = ocsp_urls,
		.n_ocsp_urls = 1 };
}

/* Write PEM and let openssl show it. */
static void
show(const struct dir *d, const struct cert *c, const char *name, struct buf *text)
{
	struct buf pem;
	char cmd[128];

	buf_init(&pem, 1 << 16);
	cert_pem(&pem, c);
	dir_put(d, name, pem.data, pem.len, 0600);
	buf_done(&pem);
	snprintf(cmd, sizeof cmd, "openssl x509 -in %s -noout -text", name);
	assert_int_equal(dir_run(d, text, cmd), 0);
}

static void
assert_says(const struct buf *text, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strstr(buf_str(text), words[i]) == NULL)
			fail_msg("\"%s\" is not in\n%s", words[i], buf_str(text));
}

static void
a_leaf_holds_what_it_was_given_and_its_chain_verifies(void **state)
{
	static const char *const specs[] = { "rsa:2048", "ec:p256", "ec:p384" };
	static const char *const words[] = { "Version: 3",
		"X509v3 Basic Constraints: critical\n                CA:FALSE",
		"X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment",
		"TLS Web Client Authentication", "X509v3 Subject Key Identifier",
		"X509v3 Authority Key Identifier", "X509v3 Subject Alternative Name: \n",
		"email:jane@contoso.com", "DNS:pc1.contoso.com",
		"URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21", "othername: UPN",
		"URI:http://pki.contoso.com/crl/a.crl",
		"CA Issuers - URI:http://pki.contoso.com/ca/a.crt",
		"OCSP - URI:http://pki.contoso.com/ocsp/a", "Not After : May 22 14:13:20 2052 GMT",
		"Serial Number: 43981 (0xabcd)" };
	struct serial serial = fixture_serial("abcd");
	struct name subject = fixture_name("CN=Jane");
	struct err err = { 0 };
	struct cert_fields f;
	struct cert *ca, *leaf;
	struct buf text;
	struct dir d;
	size_t i;

	dir_make_temp(&d);
	for (i = 0; i < N(specs); i++) {
		ca = make_ca(specs[i]);
		f = leaf_fields(&serial, &subject, ca);
		assert_ok(cert_make(&leaf, &f, fixture_key(specs[i]), &err), err);
		assert_ok(cert_verify_by(leaf, ca, &err), err);
		assert_false(cert_self_issued(leaf));
		buf_init(&text, 1 << 16);
		show(&d, leaf, "leaf", &text);
		assert_says(&text, words, N(words));
		buf_reset(&text);
		show(&d, ca, "ca", &text);
		assert_int_equal(
		    dir_run(&d, NULL, "openssl verify -x509_strict -check_ss_sig -CAfile ca leaf"),
		    0);
		buf_done(&text);
		cert_free(ca);
		cert_free(leaf);
	}
	dir_done(&d);
	name_done(&subject);
}

static void
a_ca_is_marked_as_one(void **state)
{
	static const char *const words[] = {
		"X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
		"X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign"
	};
	struct cert *ca = make_ca("rsa:2048");
	struct buf text;
	struct dir d;

	assert_true(cert_is_ca(ca));
	dir_make_temp(&d);
	buf_init(&text, 1 << 16);
	show(&d, ca, "ca", &text);
	assert_says(&text, words, N(words));
	buf_done(&text);
	dir_done(&d);
	cert_free(ca);
}

static void
alternative_names_are_critical_when_the_subject_is_empty(void **state)
{
	static const char *const words[] = { "X509v3 Subject Alternative Name: critical" };
	struct serial serial = fixture_serial("02");
	struct name empty = fixture_name("");
	struct cert *ca = make_ca("ec:p256"), *leaf;
	struct cert_fields f = leaf_fields(&serial, &empty, ca);
	struct err err = { 0 };
	struct buf text;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&text, 1 << 16);
	assert_ok(cert_make(&leaf, &f, fixture_key("ec:p256"), &err), err);
	show(&d, leaf, "leaf", &text);
	assert_says(&text, words, N(words));
	buf_done(&text);
	dir_done(&d);
	cert_free(leaf);
	cert_free(ca);
	name_done(&empty);
}

static void
what_was_not_asked_for_is_not_there(void **state)
{
	struct serial serial = fixture_serial("02");
	struct name n = fixture_name("CN=a");
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = 0,
		.not_after = 1,
		.subject_key = fixture_key("ec:p256"),
		.issuer_key = fixture_key("ec:p256"),
		.digest = DIGEST_SHA256,
		.path_len = -1 };
	static const char *const words[] = { "Key Usage", "Alternative", "CRL Distribution",
		"Authority Information" };
	struct err err = { 0 };
	struct buf text;
	struct cert *c;
	struct dir d;
	unsigned ku;
	size_t i, len;

	dir_make_temp(&d);
	buf_init(&text, 1 << 16);
	assert_ok(cert_make(&c, &f, fixture_key("ec:p256"), &err), err);
	assert_false(cert_has_key_usage(c, &ku));
	cert_eku0(c, &len);
	assert_int_equal(len, 0);
	show(&d, c, "c", &text);
	for (i = 0; i < N(words); i++)
		assert_null(strstr(buf_str(&text), words[i]));
	buf_done(&text);
	dir_done(&d);
	cert_free(c);
	name_done(&n);
}

static void
what_is_to_be_signed_reads_back_before_it_is_signed(void **state)
{
	struct serial serial = fixture_serial("abcd");
	struct name subject = fixture_name("CN=Jane");
	struct cert *ca = make_ca("rsa:2048"), *c;
	struct cert_fields f = leaf_fields(&serial, &subject, ca);
	struct err err = { 0 };
	enum digest digest;
	struct buf tbs;

	buf_init(&tbs, 1 << 16);
	assert_ok(cert_tbs_build(&tbs, &f, &err), err);
	assert_ok(cert_parse_tbs(&c, &digest, tbs.data, tbs.len, &err), err);
	assert_int_equal(digest, DIGEST_SHA256);
	assert_true(name_same(cert_issuer0(c), cert_subject0(ca)));
	assert_true(cert_not_after(c) == 2600000000);
	assert_int_equal(cert_san0(c)->n, N(sans));
	assert_int_equal(cert_verify_by(c, ca, &err), RC_INTEGRITY); /* its signature is empty */
	cert_free(c);
	assert_int_equal(cert_parse_tbs(&c, &digest, tbs.data, tbs.len - 1, &err), RC_PARSE);
	assert_int_equal(cert_parse(&c, tbs.data, tbs.len, &err), RC_PARSE);
	buf_done(&tbs);
	cert_free(ca);
	name_done(&subject);
}

static enum rc
tbs_door(const void *p, size_t len)
{
	enum digest digest;
	struct cert *c;
	enum rc rc = cert_parse_tbs(&c, &digest, p, len, NULL);

	if (rc == RC_OK)
		cert_free(c);
	return rc;
}

static void
no_prefix_of_what_is_to_be_signed_is_taken(void **state)
{
	struct serial serial = fixture_serial("abcd");
	struct name subject = fixture_name("CN=Jane");
	struct cert *ca = make_ca("ec:p256");
	struct cert_fields f = leaf_fields(&serial, &subject, ca);
	struct err err = { 0 };
	struct buf tbs;

	buf_init(&tbs, 1 << 16);
	assert_ok(cert_tbs_build(&tbs, &f, &err), err);
	sweep_prefixes(tbs_door, tbs.data, tbs.len, 1);
	sweep_flips(tbs_door, tbs.data, tbs.len, 1);
	buf_done(&tbs);
	cert_free(ca);
	name_done(&subject);
}

static void
fields_that_cannot_be_encoded_are_refused_and_leave_nothing(void **state)
{
	static const char *const bad_oid[] = { "x" }, *const bad_url[] = { "http://\xc3\xa4" },
				 *const no_url[] = { "" };
	struct san other = { SAN_OTHER, (char *)"ip 1.2.3.4" },
		   mail = { SAN_EMAIL, (char *)"\xc3\xa4@b" };
	const struct san_list other_list = { &other, 1 }, mail_list = { &mail, 1 };
	struct serial serial = fixture_serial("01");
	struct name n = fixture_name("CN=a");
	struct cert *ca = make_ca("ec:p256");
	struct cert_fields good = leaf_fields(&serial, &n, ca), f[8];
	struct err err = { 0 };
	struct buf tbs;
	size_t i;

	for (i = 0; i < N(f); i++)
		f[i] = good;
	f[0].eku = bad_oid;
	f[1].crl_urls = bad_url;
	f[1].n_crl_urls = 1;
	f[2].ocsp_urls = no_url;
	f[3].san = &other_list;
	f[4].san = &mail_list;
	f[5].not_after = f[5].not_before - 1;
	f[6].not_after = 253402300800;
	f[7].digest = DIGEST_SHA1; /* no ecdsa-with-SHA1 */
	buf_init(&tbs, 1 << 16);
	buf_adds(&tbs, "keep");
	for (i = 0; i < N(f); i++) {
		if (cert_tbs_build(&tbs, &f[i], &err) == RC_OK)
			fail_msg("case %zu is built", i);
		assert_int_equal(tbs.len, 4);
	}
	assert_int_equal(cert_assemble(&tbs, "garbage", 7, "s", 1, &err), RC_BUG);
	assert_int_equal(tbs.len, 4);
	buf_done(&tbs);
	cert_free(ca);
	name_done(&n);
}

static void
make_crl(struct buf *der, const struct cert *ca, const char *spec, const struct crl_entry *entries,
    size_t n)
{
	struct crl_fields f = { .issuer = ca,
		.digest = DIGEST_SHA256,
		.this_update = 1700000000,
		.next_update = 2600000000,
		.number = 300,
		.entries = entries,
		.n_entries = n };

	crl_kit(der, &f, fixture_key(spec));
}

static void
a_revocation_list_verifies_and_revokes(void **state)
{
	static const char *const words[] = { "Version 2",
		"X509v3 CRL Number: \n                300", "Serial Number: ABCD", "Key Compromise",
		"Serial Number: 80", "verify OK", "X509v3 Authority Key Identifier",
		"Next Update: May 22 14:13:20 2052 GMT" };
	const struct crl_entry entries[] = { { fixture_serial("abcd"), 1700000000, 1 },
		{ fixture_serial("80"), 1700000001, -1 } };
	struct serial serial = fixture_serial("abcd");
	struct name subject = fixture_name("CN=Jane");
	struct cert *ca = make_ca("rsa:2048"), *leaf;
	struct cert_fields f = leaf_fields(&serial, &subject, ca);
	struct err err = { 0 };
	struct buf der, text;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&der, 1 << 20);
	buf_init(&text, 1 << 16);
	make_crl(&der, ca, "rsa:2048", entries, N(entries));
	dir_put(&d, "crl", der.data, der.len, 0600);
	assert_ok(cert_make(&leaf, &f, fixture_key("rsa:2048"), &err), err);
	show(&d, ca, "ca", NULL);
	show(&d, leaf, "leaf", NULL);
	assert_int_equal(
	    dir_run(&d, &text, "openssl crl -inform DER -in crl -noout -text -CAfile ca"), 0);
	assert_says(&text, words, N(words));
	buf_reset(&text);
	assert_int_not_equal(
	    dir_run(&d, &text,
		"openssl crl -inform DER -in crl -out crl.pem; openssl verify -crl_check "
		"-CRLfile crl.pem -CAfile ca leaf"),
	    0);
	assert_non_null(strstr(buf_str(&text), "certificate revoked"));
	buf_done(&der);
	buf_done(&text);
	dir_done(&d);
	cert_free(ca);
	cert_free(leaf);
	name_done(&subject);
}

static void
an_empty_revocation_list_is_one_too(void **state)
{
	struct cert *ca = make_ca("ec:p256");
	struct buf der, text;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&der, 1 << 16);
	buf_init(&text, 1 << 16);
	make_crl(&der, ca, "ec:p256", NULL, 0);
	/* revokedCertificates is left out, not empty (RFC 5280 5.1.2.6) */
	assert_null(memmem(der.data, der.len, "\x30\x00", 2));
	dir_put(&d, "crl", der.data, der.len, 0600);
	show(&d, ca, "ca", NULL);
	assert_int_equal(
	    dir_run(&d, &text, "openssl crl -inform DER -in crl -noout -text -CAfile ca"), 0);
	assert_non_null(strstr(buf_str(&text), "verify OK"));
	assert_non_null(strstr(buf_str(&text), "No Revoked Certificates"));
	buf_done(&der);
	buf_done(&text);
	dir_done(&d);
	cert_free(ca);
}

/* Entry by entry, signed, with what it is of. */
static void
write_list(struct buf *der, const struct crl_scope *scope, size_t n, size_t *entries)
{
	struct crl_writer w;
	struct err err = { 0 };
	struct der tbs;
	struct buf sig;

	buf_init(&sig, KEY_SIG_MAX);
	assert_ok(crl_begin(&w, der, scope, &err), err);
	for (size_t i = 0; i < n; i++) {
		const uint8_t serial[] = { 0x80, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			(uint8_t)i };

		crl_add(&w, serial, sizeof(serial), 1700000000 + (int64_t)i, (int)(i % 7));
	}
	assert_int_equal(w.n, n);
	assert_ok(crl_tbs(&w, 301, &tbs, &err), err);
	assert_ok(key_sign(&sig, fixture_key("ec:p256"), DIGEST_SHA256, tbs.p, tbs.len, &err), err);
	assert_ok(crl_finish(&w, sig.data, sig.len, entries, &err), err);
	buf_done(&sig);
}

static struct crl_scope
scope_of(const struct cert *ca)
{
	return (struct crl_scope){ .issuer = ca,
		.digest = DIGEST_SHA256,
		.this_update = 1700000000,
		.next_update = 1800000000 };
}

static void
a_delta_of_one_distribution_point_says_so(void **state)
{
	static const char *const words[] = { "verify OK", "X509v3 Delta CRL Indicator: critical",
		"                300", "X509v3 Issuing Distribution Point: critical",
		"URI:http://pki.contoso.com/crl/a.crl", "URI:http://b/a.crl",
		"Serial Number: 80000001", "Serial Number: 80000006", "Certificate Hold" };
	struct cert *ca = make_ca("ec:p256");
	struct crl_scope scope = scope_of(ca);
	struct buf der, text;
	struct dir d;

	scope.delta = true;
	scope.base = 300;
	scope.points = crl_urls;
	scope.n_points = N(crl_urls);
	dir_make_temp(&d);
	buf_init(&der, 1 << 16);
	buf_init(&text, 1 << 16);
	write_list(&der, &scope, 7, NULL);
	dir_put(&d, "crl", der.data, der.len, 0600);
	show(&d, ca, "ca", NULL);
	assert_int_equal(
	    dir_run(&d, &text, "openssl crl -inform DER -in crl -noout -text -CAfile ca"), 0);
	assert_says(&text, words, N(words));
	assert_null(strstr(buf_str(&text), "Freshest"));
	buf_done(&der);
	buf_done(&text);
	dir_done(&d);
	cert_free(ca);
}

/* Every length of entries about which a header grows, and one of megabytes. */
static void
lists_of_any_length_are_der(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 1500, 1700, 1800, 1900,
		50000 };
	struct cert *ca = make_ca("ec:p256");
	struct crl_scope scope = scope_of(ca);
	struct dir d;

	scope.freshest = crl_urls;
	scope.n_freshest = 1;
	dir_make_temp(&d);
	show(&d, ca, "ca", NULL);
	for (size_t i = 0; i < N(lengths); i++) {
		struct der in, list, tbs, whole, entries;
		struct buf der, text;
		size_t at, n;

		buf_init(&der, 8 << 20);
		buf_init(&text, 1 << 16);
		write_list(&der, &scope, lengths[i], &at);
		in = (struct der){ der.data, der.len };
		assert_true(der_take(&in, DER_SEQUENCE, &list) && in.len == 0);
		assert_true(der_take(&list, DER_SEQUENCE, &tbs));
		for (int k = 0; k < 5; k++)
			assert_true(der_any(&tbs, NULL, NULL, &whole));
		if (lengths[i] > 0) {
			assert_true(der_take(&tbs, DER_SEQUENCE, &entries));
			assert_ptr_equal(entries.p, der.data + at);
			assert_true(der_count(&entries, &n) && n == lengths[i]);
		}
		dir_put(&d, "crl", der.data, der.len, 0600);
		assert_int_equal(
		    dir_run(&d, &text, "openssl crl -inform DER -in crl -noout -CAfile ca"), 0);
		assert_non_null(strstr(buf_str(&text), "verify OK"));
		buf_done(&der);
		buf_done(&text);
	}
	dir_done(&d);
	cert_free(ca);
}

/* Each second of interest of each of the years, against gmtime(). */
static void
dates_of_entries_are_those_of_the_calendar(void **state)
{
	struct cert *ca = make_ca("ec:p256");
	struct crl_scope scope = scope_of(ca);
	const uint8_t serial[] = { 1 };
	struct err err = { 0 };

	for (int64_t when = -631152000; when <= 253402300799;
	     when += when < 5000000000 ? 43211 : 8640007) {
		struct crl_writer w;
		struct buf b, want;
		struct der entries;

		buf_init(&b, 4096);
		buf_init(&want, 64);
		assert_true(der_add_time(&want, when));
		assert_ok(crl_begin(&w, &b, &scope, &err), err);
		crl_add(&w, serial, 1, when, 0);
		entries = crl_entries(&w);
		assert_int_equal(entries.len, 2 + 3 + want.len);
		assert_memory_equal(entries.p + 5, want.data, want.len);
		crl_abandon(&w);
		buf_done(&b);
		buf_done(&want);
	}
	cert_free(ca);
}

static void
what_cannot_be_an_entry_ends_the_list(void **state)
{
	static const struct {
		size_t len;
		int64_t when;
		int reason;
		size_t max;
		enum rc rc;
	} rows[] = { { 0, 0, 1, 65536, RC_BUG }, { 21, 0, 1, 65536, RC_BUG },
		{ 20, INT64_MAX / 2, 1, 65536, RC_BUG }, { 20, 253402300800, 1, 65536, RC_BUG },
		{ 20, -631152001, 1, 65536, RC_BUG }, { 20, -700000000000, 1, 65536, RC_BUG },
		{ 20, 0, 11, 65536, RC_BUG }, { 20, 0, 1, 200, RC_LIMIT },
		{ 20, 4102444800, 10, 65536, RC_OK }, { 20, -1, -1, 65536, RC_OK } };
	const uint8_t serial[21] = { 0xff };
	struct cert *ca = make_ca("ec:p256");
	struct crl_scope scope = scope_of(ca);

	for (size_t i = 0; i < N(rows); i++) {
		struct crl_writer w;
		struct err err = { 0 };
		struct der tbs;
		struct buf b;

		buf_init(&b, rows[i].max);
		assert_ok(crl_begin(&w, &b, &scope, &err), err);
		crl_add(&w, serial, rows[i].len, rows[i].when, rows[i].reason);
		assert_int_equal(crl_tbs(&w, 1, &tbs, &err), rows[i].rc);
		crl_abandon(&w);
		buf_done(&b);
	}
	cert_free(ca);
}

/* A CA of this kind signs a leaf and a list, both sides believe it, and a changed bit shows. */
static void
ca_of_kind(const char *spec)
{
	const struct crl_entry entries[] = { { fixture_serial("01"), 1700000000, 1 } };
	struct serial serial = fixture_serial("02");
	struct name subject = fixture_name("CN=a");
	struct cert *ca = make_ca(spec), *leaf;
	struct cert_fields f = leaf_fields(&serial, &subject, ca);
	struct err err = { 0 };
	struct buf der, text;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&der, 1 << 20);
	buf_init(&text, 1 << 16);
	assert_ok(cert_make(&leaf, &f, fixture_key(spec), &err), err);
	assert_ok(cert_verify_by(leaf, ca, &err), err);
	assert_ok(cert_verify_by(ca, ca, &err), err);
	make_crl(&der, ca, spec, entries, N(entries));
	dir_put(&d, "crl", der.data, der.len, 0600);
	show(&d, ca, "ca", &text);
	show(&d, leaf, "leaf", &text);
	assert_int_equal(dir_run(&d, &text,
			     "openssl verify -no_check_time -check_ss_sig -CAfile ca leaf && "
			     "openssl crl -inform DER -in crl -CAfile ca -noout 2>&1 | "
			     "grep 'verify OK'"),
	    0);
	buf_done(&text);
	buf_done(&der);
	dir_done(&d);
	cert_free(leaf);
	cert_free(ca);
	name_done(&subject);
}

static void
an_ed25519_ca_signs_certificates_and_lists(void **state)
{
	ca_of_kind("ed25519");
}

static void
an_ml_dsa_ca_signs_where_openssl_has_it(void **state)
{
	static const char *const specs[] = { "ml-dsa-44", "ml-dsa-65", "ml-dsa-87" };
	struct err err = { 0 };
	struct key *probe;

	if (key_generate(&probe, specs[0], &err) != RC_OK) {
		print_message("skipped: %s\n", err.msg);
		skip();
	}
	key_free(probe);
	for (size_t i = 0; i < N(specs); i++)
		ca_of_kind(specs[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_holds_what_it_was_given_and_its_chain_verifies),
		cmocka_unit_test(a_ca_is_marked_as_one),
		cmocka_unit_test(alternative_names_are_critical_when_the_subject_is_empty),
		cmocka_unit_test(what_was_not_asked_for_is_not_there),
		cmocka_unit_test(what_is_to_be_signed_reads_back_before_it_is_signed),
		cmocka_unit_test(no_prefix_of_what_is_to_be_signed_is_taken),
		cmocka_unit_test(fields_that_cannot_be_encoded_are_refused_and_leave_nothing),
		cmocka_unit_test(a_revocation_list_verifies_and_revokes),
		cmocka_unit_test(an_empty_revocation_list_is_one_too),
		cmocka_unit_test(a_delta_of_one_distribution_point_says_so),
		cmocka_unit_test(lists_of_any_length_are_der),
		cmocka_unit_test(dates_of_entries_are_those_of_the_calendar),
		cmocka_unit_test(what_cannot_be_an_entry_ends_the_list),
		cmocka_unit_test(an_ed25519_ca_signs_certificates_and_lists),
		cmocka_unit_test(an_ml_dsa_ca_signs_where_openssl_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
