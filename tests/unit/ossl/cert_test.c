/*
 * cert_test.c - certificates: the door, what is read, and files.
 */
#include "fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Self-signed, with everything that is read back. */
static struct cert *
make(const char *spec, const char *subject)
{
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.2" };
	struct name n = fixture_name(subject);
	struct serial serial = fixture_serial("80AB01");
	struct san dns = { SAN_DNS, (char *)"a.example" };
	struct san_list san = { &dns, 1 };
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = 1000,
		.not_after = 2000000000,
		.subject_key = fixture_key(spec),
		.issuer_key = fixture_key(spec),
		.digest = DIGEST_SHA256,
		.san = &san,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = eku,
		.n_eku = 1,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;

	assert_ok(cert_make(&c, &f, fixture_key(spec), &err), err);
	name_done(&n);
	return c;
}

static void
what_a_certificate_says_is_read(void **state)
{
	struct cert *c = make("rsa:2048", "CN=Jane,O=Contoso");
	char serial[2 * SERIAL_MAX + 1];
	struct err err = { 0 };
	const uint8_t *ski;
	uint8_t id[20];
	unsigned ku = 0;
	size_t n;

	serial_hex(serial, cert_serial0(c));
	assert_string_equal(serial, "80AB01");
	assert_string_equal(name_get0(cert_subject0(c), "CN", 0), "Jane");
	assert_string_equal(name_get0(cert_issuer0(c), "O", 0), "Contoso");
	assert_true(key_same_public(cert_key0(c), fixture_key("rsa:2048")));
	assert_true(cert_not_before(c) == 1000 && cert_not_after(c) == 2000000000);
	assert_false(cert_is_ca(c));
	assert_true(cert_has_key_usage(c, &ku));
	assert_int_equal(ku, KU_DIGITAL_SIGNATURE);
	assert_string_equal(cert_eku0(c, &n)[0], "1.3.6.1.5.5.7.3.2");
	assert_int_equal(n, 1);
	assert_int_equal(cert_san0(c)->n, 1);
	assert_string_equal(cert_san0(c)->v[0].value, "a.example");
	assert_ok(key_identifier(id, fixture_key("rsa:2048"), &err), err);
	ski = cert_ski0(c, &n);
	assert_int_equal(n, 20);
	assert_memory_equal(ski, id, 20);
	assert_true(cert_self_issued(c));
	cert_free(c);
}

static enum rc
door(const void *p, size_t len)
{
	struct cert *c;
	enum rc rc = cert_parse(&c, p, len, NULL);

	if (rc == RC_OK)
		cert_free(c);
	return rc;
}

static void
no_prefix_of_a_certificate_is_taken_and_no_flip_breaks_the_door(void **state)
{
	static const char *const specs[] = { "rsa:2048", "ec:p256" };
	const uint8_t *der;
	struct cert *c;
	struct buf b;
	size_t i, len;

	for (i = 0; i < N(specs); i++) {
		c = make(specs[i], "CN=a");
		der = cert_der0(c, &len);
		sweep_prefixes(door, der, len, 1);
		sweep_flips(door, der, len, 1);
		buf_init(&b, 1 << 16);
		buf_add(&b, der, len);
		buf_addc(&b, '\0');
		assert_int_equal(door(b.data, b.len), RC_PARSE);
		buf_done(&b);
		cert_free(c);
	}
}

static void
a_certificate_is_the_same_as_its_copy_and_as_no_other(void **state)
{
	struct cert *a = make("ec:p256", "CN=a"), *again = make("ec:p256", "CN=a"), *copy;
	struct err err;
	size_t len;
	const uint8_t *der = cert_der0(a, &len);

	assert_ok(cert_parse(&copy, der, len, &err), err);
	assert_true(cert_same(a, a));
	assert_true(cert_same(a, copy));
	/* All that it says is what the first one says; the signature is its own. */
	assert_false(cert_same(a, again));
	cert_free(a);
	cert_free(again);
	cert_free(copy);
}

/* A certificate of others, with `n` names and a signature of nobody. */
static void
put_many(struct buf *der, size_t n)
{
	static struct san dns[LIMIT_SAN + 20];
	struct name subject = fixture_name("CN=a");
	struct serial serial = fixture_serial("80AB01");
	struct san_list san = { dns, n };
	struct cert_fields f = { .serial = &serial,
		.issuer = &subject,
		.subject = &subject,
		.not_before = 1000,
		.not_after = 2000000000,
		.subject_key = fixture_key("ec:p256"),
		.issuer_key = fixture_key("ec:p256"),
		.digest = DIGEST_SHA256,
		.san = &san,
		.path_len = -1 };
	struct err err = { 0 };
	struct buf tbs;

	for (size_t i = 0; i < n; i++)
		dns[i] =
		    (struct san){ SAN_DNS, (char *)(i < LIMIT_SAN ? "a.example" : "z.example") };
	buf_init(&tbs, 1 << 16);
	assert_ok(cert_tbs_build(&tbs, &f, &err), err);
	assert_ok(cert_assemble(der, tbs.data, tbs.len, "\x30", 1, &err), err);
	buf_done(&tbs);
	name_done(&subject);
}

/* One that is only to be known is read as far as names count, and nowhere else. */
static void
of_too_many_names_the_first_are_known(void **state)
{
	struct cert *c = NULL;
	struct err err = { 0 };
	struct buf der;

	buf_init(&der, 1 << 16);
	put_many(&der, LIMIT_SAN);
	assert_ok(cert_parse_known(&c, der.data, der.len, &err), err);
	assert_int_equal(cert_san0(c)->n, LIMIT_SAN);
	assert_int_equal(cert_san_left_out(c), 0);
	cert_free(c);
	buf_reset(&der);
	put_many(&der, LIMIT_SAN + 7);
	assert_int_equal(cert_parse(&c, der.data, der.len, &err), RC_LIMIT);
	assert_ok(cert_parse_known(&c, der.data, der.len, &err), err);
	assert_int_equal(cert_san0(c)->n, LIMIT_SAN);
	assert_string_equal(cert_san0(c)->v[LIMIT_SAN - 1].value, "a.example");
	assert_int_equal(cert_san_left_out(c), 7);
	cert_free(c);
	buf_done(&der);
}

static enum rc
known_door(const void *p, size_t len)
{
	struct cert *c;
	enum rc rc = cert_parse_known(&c, p, len, NULL);

	if (rc == RC_OK)
		cert_free(c);
	return rc;
}

static void
no_prefix_of_one_with_too_many_names_is_taken(void **state)
{
	struct buf der;

	buf_init(&der, 1 << 16);
	put_many(&der, LIMIT_SAN + 7);
	sweep_prefixes(known_door, der.data, der.len, 1);
	sweep_flips(known_door, der.data, der.len, 1);
	buf_done(&der);
}

static struct cert *flipped_issuer;

static enum rc
verified_door(const void *p, size_t len)
{
	struct cert *c;
	enum rc rc = cert_parse(&c, p, len, NULL);

	if (rc != RC_OK)
		return rc;
	rc = cert_verify_by(c, flipped_issuer, NULL);
	cert_free(c);
	return rc;
}

static void
no_changed_bit_survives_the_signature(void **state)
{
	const uint8_t *der;
	size_t len;

	flipped_issuer = make("ec:p256", "CN=a");
	der = cert_der0(flipped_issuer, &len);
	assert_int_equal(verified_door(der, len), RC_OK);
	assert_int_equal(sweep_flips(verified_door, der, len, 1), 0);
	cert_free(flipped_issuer);
}

static void
a_certificate_beyond_the_limit_is_refused(void **state)
{
	uint8_t *p = calloc(1, LIMIT_CERT + 1);

	assert_non_null(p);
	assert_int_equal(door(p, LIMIT_CERT + 1), RC_LIMIT);
	assert_int_equal(door(p, LIMIT_CERT), RC_PARSE);
	assert_int_equal(door(NULL, 0), RC_PARSE);
	free(p);
}

/* The DER of `c` with one run of bytes replaced by another of the same length. */
static enum rc
patched(const struct cert *c, const void *from, const void *to, size_t n, struct err *err)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len), *at = memmem(der, len, from, n);
	uint8_t *copy = malloc(len);
	struct cert *again;
	enum rc rc;

	assert_true(at != NULL && copy != NULL);
	memcpy(copy, der, len);
	memcpy(copy + (at - der), to, n);
	rc = cert_parse(&again, copy, len, err);
	free(copy);
	if (rc == RC_OK)
		cert_free(again);
	return rc;
}

static void
certificates_that_break_rfc5280_are_refused(void **state)
{
	struct cert *c = make("rsa:2048", "CN=a");
	struct err err = { 0 };

	/* a negative serial number; version 4; a version 1 certificate with extensions; the 30th of
	 * February */
	assert_int_equal(
	    patched(c, "\x02\x04\x00\x80\xab\x01", "\x02\x04\xff\x00\xab\x01", 6, &err), RC_PARSE);
	assert_int_equal(
	    patched(c, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x03", 5, &err), RC_PARSE);
	assert_int_equal(
	    patched(c, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x00", 5, &err), RC_PARSE);
	assert_int_equal(patched(c, "700101001640Z", "700230001640Z", 13, &err), RC_PARSE);
	/* 4.1.1.2: one algorithm inside (the first to be found), another outside */
	assert_int_equal(patched(c, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
			     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9, &err),
	    RC_PARSE);
	assert_non_null(strstr(err.msg, "algorithms"));
	/* 4.2: an extension twice (extKeyUsage made another keyUsage) */
	assert_int_equal(
	    patched(c, "\x06\x03\x55\x1d\x25", "\x06\x03\x55\x1d\x0f", 5, &err), RC_PARSE);
	assert_non_null(strstr(err.msg, "twice"));
	cert_free(c);
}

static void
a_certificate_with_an_unknown_signature_parses_but_does_not_verify(void **state)
{
	struct err err = { 0 };
	struct cert *c;
	struct buf der;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&der, 1 << 16);
	assert_int_equal(
	    dir_run(&d, NULL,
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=a -sha256 "
		"-sigopt rsa_padding_mode:pss -outform DER -out c"),
	    0);
	dir_get(&d, "c", &der);
	assert_ok(cert_parse(&c, der.data, der.len, &err), err);
	assert_int_equal(cert_verify_by(c, c, &err), RC_ALG);
	cert_free(c);
	buf_done(&der);
	dir_done(&d);
}

static void
certificates_of_openssl_are_read(void **state)
{
	static const char *const cmds[] = {
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj '/C=US/O=x/CN=y' -days "
		"30000 -outform DER -out c",
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -sha512 -nodes "
		"-keyout k -subj '/CN=y' -outform DER -out c",
		"openssl req -x509 -newkey rsa:1024 -sha1 -nodes -keyout k -subj '/CN=y' "
		"-set_serial 0 -outform DER -out c",
		"openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=y -out r && openssl "
		"x509 -req -in r -signkey k "
		"-outform DER -out c",
	};
	struct err err = { 0 };
	struct cert *c;
	struct buf der;
	struct dir d;
	size_t i;

	dir_make_temp(&d);
	for (i = 0; i < N(cmds); i++) {
		assert_int_equal(dir_run(&d, NULL, cmds[i]), 0);
		buf_init(&der, 1 << 16);
		dir_get(&d, "c", &der);
		assert_ok(cert_parse(&c, der.data, der.len, &err), err);
		assert_ok(cert_verify_by(c, c, &err), err);
		assert_string_equal(name_get0(cert_subject0(c), "CN", 0), "y");
		cert_free(c);
		buf_done(&der);
	}
	dir_done(&d);
}

static void
only_the_issuer_verifies(void **state)
{
	struct cert *a = make("rsa:2048", "CN=a"), *b = make("rsa:2048", "CN=b"),
		    *ec = make("ec:p256", "CN=a"), *other = make("ec:p384", "CN=a");
	struct err err = { 0 };

	assert_ok(cert_verify_by(a, a, &err), err);
	assert_int_equal(cert_verify_by(a, b, &err), RC_INTEGRITY); /* same key, another name */
	assert_int_equal(cert_verify_by(a, ec, &err), RC_ALG); /* same name, another kind of key */
	assert_int_equal(cert_verify_by(ec, other, &err), RC_INTEGRITY);
	cert_free(a);
	cert_free(b);
	cert_free(ec);
	cert_free(other);
}

static void
thumbprints_are_those_openssl_shows(void **state)
{
	struct cert *c = make("ec:p256", "CN=a");
	char sha1[41], sha256[65], want[128];
	struct err err = { 0 };
	struct buf out;
	struct dir d;
	size_t len, i, n;
	const uint8_t *der = cert_der0(c, &len);

	assert_ok(cert_thumbprint_sha1(sha1, c, &err), err);
	assert_ok(cert_thumbprint_sha256(sha256, c, &err), err);
	dir_make_temp(&d);
	dir_put(&d, "c", der, len, 0600);
	buf_init(&out, 1 << 12);
	assert_int_equal(dir_run(&d, &out, "sha1sum c; sha256sum c"), 0);
	for (i = n = 0; i < 40; i++)
		want[n++] = (char)toupper(out.data[i]);
	want[n] = '\0';
	assert_string_equal(sha1, want);
	assert_non_null(strcasestr(buf_str(&out), sha256));
	buf_done(&out);
	dir_done(&d);
	cert_free(c);
}

static void
pem_goes_out_and_comes_back(void **state)
{
	struct cert *a = make("rsa:2048", "CN=a"), *b = make("ec:p256", "CN=b"), *got[2];
	struct err err = { 0 };
	struct buf pem;
	size_t n, la, lb;
	const uint8_t *da = cert_der0(a, &la), *db = cert_der0(b, &lb), *d;

	buf_init(&pem, 1 << 16);
	buf_adds(&pem, "a comment\n");
	cert_pem(&pem, a);
	buf_adds(&pem, "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n");
	cert_pem(&pem, b);
	assert_ok(certs_parse_pem(got, 2, &n, pem.data, pem.len, &err), err);
	assert_int_equal(n, 2);
	d = cert_der0(got[0], &n);
	assert_int_equal(n, la);
	assert_memory_equal(d, da, la);
	d = cert_der0(got[1], &n);
	assert_int_equal(n, lb);
	assert_memory_equal(d, db, lb);
	cert_free(got[0]);
	cert_free(got[1]);
	/* What was read before the error is the caller's no more: he may free it, and does no harm. */
	assert_int_equal(certs_parse_pem(got, 1, &n, pem.data, pem.len, &err), RC_LIMIT);
	assert_null(got[0]);
	assert_ok(certs_parse_pem(got, 2, &n, "", 0, &err), err);
	assert_int_equal(n, 0);
	pem.data[pem.len - 60] = '*';
	assert_int_equal(certs_parse_pem(got, 2, &n, pem.data, pem.len, &err), RC_PARSE);
	assert_null(got[0]);
	buf_done(&pem);
	cert_free(a);
	cert_free(b);
}

static enum rc
load(const struct dir *d, const char *name, struct err *err)
{
	char path[128];
	struct cert *c;
	enum rc rc;

	snprintf(path, sizeof path, "%s/%s", d->path, name);
	rc = cert_load(&c, path, err);
	if (rc == RC_OK)
		cert_free(c);
	else
		assert_non_null(strstr(err->msg, path));
	return rc;
}

static void
files_hold_one_certificate_in_pem_or_der(void **state)
{
	struct cert *a = make("ec:p256", "CN=a");
	struct err err = { 0 };
	struct buf pem;
	struct dir d;
	size_t len;
	const uint8_t *der = cert_der0(a, &len);

	dir_make_temp(&d);
	buf_init(&pem, 1 << 16);
	cert_pem(&pem, a);
	dir_put(&d, "pem", pem.data, pem.len, 0644);
	dir_put(&d, "der", der, len, 0644);
	cert_pem(&pem, a);
	dir_put(&d, "two", pem.data, pem.len, 0644);
	dir_put(&d, "none", "hello", 5, 0644);
	assert_ok(load(&d, "pem", &err), err);
	assert_ok(load(&d, "der", &err), err);
	assert_int_equal(load(&d, "two", &err), RC_PARSE);
	assert_int_equal(load(&d, "none", &err), RC_PARSE);
	assert_int_equal(load(&d, "absent", &err), RC_NOTFOUND);
	buf_done(&pem);
	dir_done(&d);
	cert_free(a);
}

static void
serials_are_positive_and_128_bits(void **state)
{
	struct serial a, b;
	struct err err = { 0 };

	assert_ok(serial_random(&a, &err), err);
	assert_ok(serial_random(&b, &err), err);
	assert_int_equal(a.len, 16);
	assert_int_not_equal(a.v[0], 0);
	assert_false(serial_same(&a, &b));
}

static void
serials_are_written_and_read_as_hex(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = { { "0", "00" }, { "1", "01" }, { "0001", "01" }, { "abc", "0ABC" },
		{ "80", "80" },
		{ "00ffffffffffffffffffffffffffffffffffffffff",
		    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" } };
	static const char *const bad[] = { "", "xyz", "-1", "0x1", " 1",
		"12345678901234567890123456789012345678901" };
	char hex[2 * SERIAL_MAX + 1];
	struct serial s;
	size_t i;

	for (i = 0; i < N(good); i++) {
		s = fixture_serial(good[i].in);
		serial_hex(hex, &s);
		assert_string_equal(hex, good[i].out);
	}
	for (i = 0; i < N(bad); i++)
		assert_int_equal(serial_from_hex(&s, bad[i], NULL), RC_PARSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_certificate_says_is_read),
		cmocka_unit_test(no_prefix_of_a_certificate_is_taken_and_no_flip_breaks_the_door),
		cmocka_unit_test(of_too_many_names_the_first_are_known),
		cmocka_unit_test(no_prefix_of_one_with_too_many_names_is_taken),
		cmocka_unit_test(a_certificate_is_the_same_as_its_copy_and_as_no_other),
		cmocka_unit_test(no_changed_bit_survives_the_signature),
		cmocka_unit_test(a_certificate_beyond_the_limit_is_refused),
		cmocka_unit_test(certificates_that_break_rfc5280_are_refused),
		cmocka_unit_test(
		    a_certificate_with_an_unknown_signature_parses_but_does_not_verify),
		cmocka_unit_test(certificates_of_openssl_are_read),
		cmocka_unit_test(only_the_issuer_verifies),
		cmocka_unit_test(thumbprints_are_those_openssl_shows),
		cmocka_unit_test(pem_goes_out_and_comes_back),
		cmocka_unit_test(files_hold_one_certificate_in_pem_or_der),
		cmocka_unit_test(serials_are_positive_and_128_bits),
		cmocka_unit_test(serials_are_written_and_read_as_hex),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
