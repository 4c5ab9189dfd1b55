/*
 * bundle_test.c - certificates and keys in the files that other authorities make: PKCS#7 and
 * PKCS#12, all by the openssl command.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "ossl/pkcs12.h"

#define EXPORT "openssl pkcs12 -export -inkey ca.key -in ca.pem "

static struct dir d;

static int
make_files(void **state)
{
	static const char *const cmds[] = {
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj "
		"/CN=Root -days 100",
		"openssl req -newkey rsa:2048 -nodes -keyout ca.key -out ca.csr -subj /CN=Issuing",
		"openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -CAcreateserial -out "
		"ca.pem -days 50",
		"openssl crl2pkcs7 -nocrl -certfile ca.pem -certfile root.pem -outform DER -out "
		"x.p7b",
		"openssl crl2pkcs7 -nocrl -certfile ca.pem -certfile root.pem -out pem.p7b",
		"sed 's/PKCS7/CERTIFICATE/' pem.p7b >adcs.p7b; cat ca.pem root.pem >both.pem",
		"openssl x509 -in ca.pem -outform DER -out ca.der",
		EXPORT "-certfile root.pem -passout pass:sesam -out modern.p12 -name x",
		EXPORT "-certfile root.pem -legacy -passout pass:sesam -out old.p12",
		EXPORT "-passout pass: -out empty.p12",
		"openssl pkcs12 -export -nokeys -in ca.pem -passout pass:sesam -out nokey.p12",
		EXPORT "-nomac -passout pass:sesam -out nomac.p12",
		EXPORT "-certfile root.pem -passout pass:sesam -keypbe NONE -certpbe NONE "
		       "-nomaciter -out cheap.p12",
	};
	size_t i;
	int status = 0;

	dir_make_temp(&d);
	for (i = 0; status == 0 && i < N(cmds); i++)
		status = dir_run(&d, NULL, cmds[i]);
	return status;
}

static int
drop_files(void **state)
{
	dir_done(&d);
	return fixture_done(state);
}

static void
get(struct buf *b, const char *name)
{
	buf_init(b, 1 << 20);
	dir_get(&d, name, b);
}

static enum rc
certs_door(const void *p, size_t len)
{
	struct cert *c[4];
	size_t n = 0;
	enum rc rc = certs_parse_any(c, N(c), &n, p, len, NULL);

	while (n > 0)
		cert_free(c[--n]);
	return rc;
}

static void
certificates_come_in_every_form_that_authorities_use(void **state)
{
	static const struct {
		const char *file;
		size_t n;
	} files[] = { { "ca.pem", 1 }, { "ca.der", 1 }, { "both.pem", 2 }, { "x.p7b", 2 },
		{ "pem.p7b", 2 }, { "adcs.p7b", 2 } };
	struct cert *c[4];
	struct err err = { 0 };
	size_t i, n = 0;
	char path[128];

	for (i = 0; i < N(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", d.path, files[i].file);
		assert_ok(certs_load_any(c, N(c), &n, path, &err), err);
		assert_int_equal(n, files[i].n);
		while (n > 0)
			cert_free(c[--n]);
		n = 7;
		if (files[i].n > 1)
			assert_int_equal(certs_load_any(c, 1, &n, path, &err), RC_LIMIT);
		else
			assert_int_equal(certs_load_any(c, 0, &n, path, &err), RC_LIMIT);
		assert_int_equal(n, 7);
	}
	(void)snprintf(path, sizeof path, "%s/ca.key", d.path);
	assert_int_equal(certs_load_any(c, N(c), &n, path, &err), RC_PARSE);
}

static void
no_half_of_a_bundle_is_taken(void **state)
{
	struct buf b;

	get(&b, "x.p7b");
	sweep_prefixes(certs_door, b.data, b.len, 1);
	sweep_flips(certs_door, b.data, b.len, 3);
	buf_done(&b);
}

static void
a_pkcs12_of_either_age_gives_key_certificate_and_chain(void **state)
{
	static const char *const files[] = { "modern.p12", "old.p12" };
	struct err err = { 0 };
	struct pkcs12 p;
	struct buf b;
	size_t i;

	for (i = 0; i < N(files); i++) {
		get(&b, files[i]);
		assert_ok(pkcs12_parse(&p, b.data, b.len, "sesam", &err), err);
		assert_string_equal(name_get0(cert_subject0(p.cert), "CN", 0), "Issuing");
		assert_true(key_is_private(p.key));
		assert_true(key_same_public(p.key, cert_key0(p.cert)));
		assert_int_equal(p.n_others, 1);
		assert_string_equal(name_get0(cert_subject0(p.others[0]), "CN", 0), "Root");
		pkcs12_done(&p);
		assert_int_equal(pkcs12_parse(&p, b.data, b.len, "Sesam", &err), RC_INTEGRITY);
		assert_non_null(strstr(err.msg, "passphrase"));
		assert_int_equal(pkcs12_parse(&p, b.data, b.len, "", &err), RC_INTEGRITY);
		buf_done(&b);
	}
	get(&b, "empty.p12");
	assert_ok(pkcs12_parse(&p, b.data, b.len, "", &err), err);
	pkcs12_done(&p);
	buf_done(&b);
}

static void
a_pkcs12_that_lacks_something_is_refused_by_name(void **state)
{
	static const struct {
		const char *file, *says;
	} files[] = { { "nokey.p12", "no private key" }, { "nomac.p12", "no MAC" },
		{ "ca.der", "no PKCS#12" } };
	struct err err = { 0 };
	struct pkcs12 p;
	struct buf b;
	size_t i;

	for (i = 0; i < N(files); i++) {
		get(&b, files[i].file);
		assert_int_equal(pkcs12_parse(&p, b.data, b.len, "sesam", &err), RC_PARSE);
		assert_non_null(strstr(err.msg, files[i].says));
		buf_done(&b);
	}
}

static enum rc
pkcs12_door(const void *p, size_t len)
{
	struct pkcs12 got;
	enum rc rc = pkcs12_parse(&got, p, len, "sesam", NULL);

	if (rc == RC_OK)
		pkcs12_done(&got);
	return rc;
}

static void
no_half_of_a_pkcs12_is_taken(void **state)
{
	struct buf b;

	get(&b, "cheap.p12");
	sweep_prefixes(pkcs12_door, b.data, b.len, 7);
	sweep_flips(pkcs12_door, b.data, b.len, 37);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_come_in_every_form_that_authorities_use),
		cmocka_unit_test(no_half_of_a_bundle_is_taken),
		cmocka_unit_test(a_pkcs12_of_either_age_gives_key_certificate_and_chain),
		cmocka_unit_test(a_pkcs12_that_lacks_something_is_refused_by_name),
		cmocka_unit_test(no_half_of_a_pkcs12_is_taken),
	};

	return cmocka_run_group_tests(tests, make_files, drop_files);
}
