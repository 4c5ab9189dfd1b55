/*
 * init_test.c - what ca_init() makes, seen with the eyes of the openssl command.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fixture.h"

static void
assert_mode(const char *path, mode_t want)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	if ((st.st_mode & 07777) != want)
		print_error("%s: ", path);
	assert_int_equal(st.st_mode & 07777, want);
}

/* Run `openssl ...` in the fixture's CA folder; true when it says `want`. */
static bool
openssl_says(const struct fixture *f, const char *args, const char *want)
{
	char cmd[512], out[8192];
	size_t n;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "cd %s/ca && openssl %s 2>&1", f->dir, args);
	p = popen(cmd, "r");
	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	(void)pclose(p);
	if (strstr(out, want) != NULL)
		return true;
	print_error("openssl %s: no \"%s\" in:\n%s\n", args, want, out);
	return false;
}

static void
keys_are_private_and_certificates_public(void **state)
{
	struct fixture *f = *state;

	assert_mode(in_dir(f, "ca"), 0700);
	assert_mode(in_dir(f, "ca/root.key"), 0600);
	assert_mode(in_dir(f, "ca/issuing.key"), 0600);
	assert_mode(in_dir(f, "ca/ra.key"), 0600);
	assert_mode(in_dir(f, "ca/root.pem"), 0644);
	assert_mode(in_dir(f, "ca/issuing.pem"), 0644);
	assert_mode(in_dir(f, "ca/ra.pem"), 0644);
}

static void
modes_do_not_depend_on_the_umask(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "umask"));
	mode_t before;

	in.root_key = in.issuing_key = "ec:p256";
	before = umask(0);
	assert_ok(ca_init(&in, err));
	(void)umask(before);
	assert_mode(in_dir(f, "umask"), 0700);
	assert_mode(in_dir(f, "umask/root.key"), 0600);
	assert_mode(in_dir(f, "umask/root.pem"), 0644);
}

static void
openssl_verifies_the_chain(void **state)
{
	assert_true(
	    openssl_says(*state, "verify -x509_strict -CAfile root.pem root.pem", "root.pem: OK"));
	assert_true(openssl_says(
	    *state, "verify -x509_strict -CAfile root.pem issuing.pem", "issuing.pem: OK"));
	assert_true(openssl_says(*state,
	    "verify -x509_strict -CAfile root.pem -untrusted issuing.pem ra.pem", "ra.pem: OK"));
}

static void
ca_certificates_may_sign_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	assert_true(openssl_says(f, "x509 -in root.pem -noout -ext basicConstraints", "CA:TRUE\n"));
	assert_true(openssl_says(
	    f, "x509 -in issuing.pem -noout -ext basicConstraints", "CA:TRUE, pathlen:0\n"));
	assert_true(
	    openssl_says(f, "x509 -in issuing.pem -noout -ext basicConstraints", "critical"));
	assert_true(openssl_says(f, "x509 -in root.pem -noout -ext keyUsage",
	    "critical\n    Certificate Sign, CRL Sign\n"));
	assert_true(openssl_says(f, "x509 -in issuing.pem -noout -ext keyUsage",
	    "critical\n    Certificate Sign, CRL Sign\n"));
	assert_true(
	    openssl_says(f, "x509 -in root.pem -noout -ext extendedKeyUsage", "No extensions"));
	assert_true(
	    openssl_says(f, "x509 -in issuing.pem -noout -ext extendedKeyUsage", "No extensions"));
	assert_true(openssl_says(f,
	    "x509 -in issuing.pem -noout -ext subjectKeyIdentifier,authorityKeyIdentifier",
	    "Authority Key Identifier"));
	assert_true(openssl_says(
	    f, "x509 -in issuing.pem -noout -subject", "O = Contoso, CN = Contoso Issuing CA"));
}

static void
ra_certificate_is_what_windows_wants(void **state)
{
	struct fixture *f = *state;

	assert_true(openssl_says(f, "x509 -in ra.pem -noout -ext keyUsage",
	    "critical\n    Digital Signature, Key Encipherment\n"));
	assert_true(openssl_says(
	    f, "x509 -in ra.pem -noout -ext extendedKeyUsage", "1.3.6.1.4.1.311.20.2.1"));
	assert_true(openssl_says(f, "x509 -in ra.pem -noout -ext basicConstraints", "CA:FALSE"));
	assert_true(openssl_says(f, "x509 -in ra.pem -noout -text", "Public-Key: (2048 bit)"));
}

static void
keys_belong_to_the_certificates(void **state)
{
	static const char *const names[] = { "root", "issuing", "ra" };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		char file[32];
		struct cert *c = NULL;
		struct key *k = NULL;

		snprintf(file, sizeof(file), "ca/%s.pem", names[i]);
		assert_ok(cert_load(&c, in_dir(f, file), err));
		snprintf(file, sizeof(file), "ca/%s.key", names[i]);
		assert_ok(key_load(&k, in_dir(f, file), err));
		assert_true(key_same_public(k, cert_key0(c)));
		cert_free(c);
		key_free(k);
	}
}

static void
crl_and_issuer_addresses_stand_in_the_issuing_certificate_alone(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "urls"));

	in.root_key = in.issuing_key = "ec:p256";
	in.crl_url = "http://pki.contoso.com/root.crl";
	in.aia_url = "http://pki.contoso.com/root.crt";
	assert_ok(ca_init(&in, err));
	assert_true(openssl_says(
	    f, "x509 -in ../urls/issuing.pem -noout -text", "URI:http://pki.contoso.com/root.crl"));
	assert_true(openssl_says(f, "x509 -in ../urls/issuing.pem -noout -text",
	    "CA Issuers - URI:http://pki.contoso.com/root.crt"));
	assert_true(openssl_says(
	    f, "x509 -in ../urls/root.pem -noout -ext crlDistributionPoints", "No extensions"));
	assert_true(openssl_says(
	    f, "x509 -in ../urls/ra.pem -noout -ext crlDistributionPoints", "No extensions"));
}

static void
elliptic_ca_with_p384_signs_with_sha384(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "p384"));

	in.root_key = in.issuing_key = "ec:p384";
	assert_ok(ca_init(&in, err));
	assert_true(
	    openssl_says(f, "x509 -in ../p384/issuing.pem -noout -text", "ecdsa-with-SHA384"));
	assert_true(openssl_says(f,
	    "verify -x509_strict -CAfile ../p384/root.pem -untrusted ../p384/issuing.pem "
	    "../p384/ra.pem",
	    "ra.pem: OK"));
}

static void
nothing_is_ever_overwritten(void **state)
{
	static const char *const files[] = { "root.pem", "root.key", "issuing.pem", "issuing.key",
		"ra.pem", "ra.key" };
	struct fixture *f = *state;
	size_t i, k;

	for (i = 0; i < 6; i++) {
		char dir[32], file[64];
		struct ca_init in;

		snprintf(dir, sizeof(dir), "taken%zu", i);
		assert_ok(dir_make(in_dir(f, dir), 0700, err));
		snprintf(file, sizeof(file), "%s/%s", dir, files[i]);
		assert_ok(file_write(in_dir(f, file), "precious", 8, 0600, 0, err));
		in = small_ca(in_dir(f, dir));
		assert_fails(ca_init(&in, err), RC_CONFLICT, files[i]);
		for (k = 0; k < 6; k++) {
			struct stat st;

			snprintf(file, sizeof(file), "%s/%s", dir, files[k]);
			assert_int_equal(stat(in_dir(f, file), &st), k == i ? 0 : -1);
			if (k == i)
				assert_int_equal(st.st_size, 8);
		}
	}
}

static void
odd_settings_are_refused_before_anything_is_made(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "odd"));
	struct stat st;

	in.ra_key = "ec:p256";
	assert_fails(ca_init(&in, err), RC_CONFIG, "the RA key cannot be ec:p256");
	in = small_ca(in_dir(f, "odd"));
	in.name = " ";
	assert_fails(ca_init(&in, err), RC_CONFIG, "is empty");
	in.name = "A name of an organisation that is longer than fits beside it";
	assert_fails(ca_init(&in, err), RC_CONFIG, "longer than 53 characters");
	in = small_ca(in_dir(f, "odd"));
	in.issuing_validity = in.root_validity + 1;
	assert_fails(ca_init(&in, err), RC_CONFIG, "the Issuing CA would outlive the Root CA");
	in = small_ca(in_dir(f, "odd"));
	in.ra_validity = in.issuing_validity + 1;
	assert_fails(ca_init(&in, err), RC_CONFIG, "the SCEP RA would outlive the Issuing CA");
	assert_int_equal(stat(in_dir(f, "odd"), &st), -1);
}

static void
failure_half_way_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "half"));
	struct stat st;

	in.issuing_key = "rsa:1";
	assert_int_not_equal(ca_init(&in, NULL), RC_OK);
	assert_int_equal(stat(in_dir(f, "half/root.key"), &st), -1);
	assert_int_equal(stat(in_dir(f, "half/root.pem"), &st), -1);
}

static void
odd_characters_in_the_name_are_kept(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "name"));
	struct cert *c = NULL;

	in.root_key = in.issuing_key = "ec:p256";
	in.name = "Müller, \"Söhne\" + Co=KG\\";
	assert_ok(ca_init(&in, err));
	assert_ok(cert_load(&c, in_dir(f, "name/issuing.pem"), err));
	assert_int_equal(cert_subject0(c)->n, 2);
	assert_string_equal(name_get0(cert_subject0(c), "O", 0), in.name);
	cert_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_private_and_certificates_public),
		cmocka_unit_test(modes_do_not_depend_on_the_umask),
		cmocka_unit_test(openssl_verifies_the_chain),
		cmocka_unit_test(ca_certificates_may_sign_and_nothing_else),
		cmocka_unit_test(ra_certificate_is_what_windows_wants),
		cmocka_unit_test(keys_belong_to_the_certificates),
		cmocka_unit_test(crl_and_issuer_addresses_stand_in_the_issuing_certificate_alone),
		cmocka_unit_test(elliptic_ca_with_p384_signs_with_sha384),
		cmocka_unit_test(nothing_is_ever_overwritten),
		cmocka_unit_test(odd_settings_are_refused_before_anything_is_made),
		cmocka_unit_test(failure_half_way_leaves_nothing_behind),
		cmocka_unit_test(odd_characters_in_the_name_are_kept),
	};

	return cmocka_run_group_tests_name("init", tests, fixture_new, fixture_free);
}
