/*
 * scepctl_test.c - the program, run as an administrator runs it: what it makes, prints and answers
 *with.
 *
 *	scepctl_test PATH-OF-SCEPCTL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "json/json.h"
#include "ossl/cert.h"
#include "kit.h"
#include "store/store.h"

/* Certificates as the daemon would have left them; the RA's serves as any other. */
static void
add_certs(const struct box *b, const char *dir, size_t n)
{
	char url[256], path[256];
	struct store *s = NULL;
	struct cert *c = NULL;
	size_t i, len;
	const uint8_t *der;

	snprintf(url, sizeof(url), "sqlite:%s/%s/scepd.db", b->dir, dir);
	snprintf(path, sizeof(path), "%s/ca/ra.pem", dir);
	assert_int_equal(cert_load(&c, in(b, path), NULL), RC_OK);
	der = cert_der0(c, &len);
	assert_int_equal(store_open(&s, url, NULL), RC_OK);
	for (i = 0; i < n; i++) {
		uint8_t csr[32] = { (uint8_t)i }, signer[32] = { 0 };
		char tx[16], serial[40], subject[64];
		struct tx_key key = { "lab", tx, csr, signer };
		struct store_cert sc = { .serial = serial,
			.ca = "issuing",
			.endpoint = "lab",
			.profile = "lab",
			.subject = subject,
			.san = "dns:a.lab.contoso.com",
			.thumbprint = "00",
			.der = der,
			.der_len = len,
			.not_before = clock_now() - 100,
			.not_after = clock_now() + (i == 0 ? -50 : 86400) };
		struct store_tx row = { 0 };
		bool fresh;

		snprintf(tx, sizeof(tx), "tx%zu", i);
		snprintf(serial, sizeof(serial), "4A6F00112233445566778899AABBCC%02zX", i);
		snprintf(subject, sizeof(subject), "CN=pc%zu.lab.contoso.com", i);
		assert_int_equal(
		    store_tx_begin(s, &key, csr, sizeof(csr), &row, &fresh, NULL), RC_OK);
		assert_int_equal(store_tx_reserve(s, row.id, "static", serial, NULL, NULL), RC_OK);
		assert_int_equal(store_tx_signed(s, row.id, &sc, false, NULL), RC_OK);
		store_tx_done(&row);
	}
	store_close(s);
	cert_free(c);
}

/* ---- init
 * ------------------------------------------------------------------------------------------------------------
 */

static void
init_makes_a_whole_state_folder_with_right_modes(void **state)
{
	struct box *b = *state;
	char *yaml;

	assert_run(b, 0, INIT "--dir x");
	assert_int_equal(mode_of(b, "x"), 0700);
	assert_int_equal(mode_of(b, "x/ca"), 0700);
	assert_int_equal(mode_of(b, "x/ca/root.key"), 0600);
	assert_int_equal(mode_of(b, "x/ca/issuing.key"), 0600);
	assert_int_equal(mode_of(b, "x/ca/ra.key"), 0600);
	assert_int_equal(mode_of(b, "x/ca/issuing.pem"), 0644);
	assert_int_equal(mode_of(b, "x/tenant.properties"), 0600);
	assert_int_equal(mode_of(b, "x/scepd.db"), 0600);
	assert_int_equal(mode_of(b, "x/scepd.yaml"), 0644);
	assert_int_equal(mode_of(b, "x/lab.secret"), 0);
	yaml = content(b, "x/scepd.yaml");
	assert_non_null(strstr(yaml, "public_url: \"http://ca.contoso.com\""));
	assert_non_null(strstr(
	    yaml, "default: { ca: issuing, profile: intune, challenge: intune, tenant: tenant }"));
	free(yaml);
}

static void
init_says_which_certificate_intune_wants_and_what_to_do_next(void **state)
{
	struct box *b = *state;
	char sha1[41];
	struct cert *c = NULL;

	assert_run(b, 0, INIT "--dir x");
	assert_int_equal(cert_load(&c, in(b, "x/ca/issuing.pem"), NULL), RC_OK);
	assert_int_equal(cert_thumbprint_sha1(sha1, c, NULL), RC_OK);
	cert_free(c);
	assert_says(b, sha1);
	assert_says(b, "Windows             the issuing CA");
	assert_says(b, "Android             the root CA");
	assert_says(b, "http://ca.contoso.com/certsrv/mscep/mscep.dll");
	assert_says(b, "edit x/tenant.properties");
	assert_says(b, "scepd --config x/scepd.yaml");
}

static void
init_says_it_to_a_script_too(void **state)
{
	struct box *b = *state;
	char sha256[65];
	struct cert *c = NULL;
	json_t *v;

	assert_run(b, 0, INIT "--dir x --json 2>/dev/null");
	v = parsed(b);
	assert_int_equal(cert_load(&c, in(b, "x/ca/root.pem"), NULL), RC_OK);
	assert_int_equal(cert_thumbprint_sha256(sha256, c, NULL), RC_OK);
	cert_free(c);
	assert_string_equal(member(json_object_get(v, "root"), "sha256"), sha256);
	assert_int_equal(access(in(b, member(v, "config")), F_OK), 0);
	assert_int_equal(access(in(b, member(v, "database")), F_OK), 0);
	assert_int_equal(access(in(b, member(v, "rootKey")), F_OK), 0);
	assert_int_equal(access(in(b, member(v, "tenantProperties")), F_OK), 0);
	assert_true(json_is_true(json_object_get(v, "toBeFilledIn")));
	assert_string_equal(
	    member(v, "intuneUrl"), "http://ca.contoso.com/certsrv/mscep/mscep.dll");
	assert_true(json_is_null(json_object_get(v, "staticChallengeFile")));
	json_decref(v);

	assert_run(b, 0,
	    "init --dir y --name Lab --issuing-key ec:p256 --root-key ec:p256 --static-challenge "
	    "--json 2>/dev/null");
	v = parsed(b);
	assert_int_equal(access(in(b, member(v, "staticChallengeFile")), F_OK), 0);
	assert_true(json_is_null(json_object_get(v, "staticUrl"))); /* no --url */
	assert_true(json_is_null(json_object_get(v, "tenantProperties")));
	assert_true(json_is_false(json_object_get(v, "toBeFilledIn")));
	json_decref(v);
}

static void
init_never_overwrites_and_leaves_what_it_finds(void **state)
{
	static const char *const found[] = { "scepd.yaml", "scepd.db", "lab.secret",
		"tenant.properties", "ca" };
	struct box *b = *state;
	size_t i;

	for (i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		char name[32], args[512], path[64];
		struct stat st;

		snprintf(name, sizeof(name), "d%zu", i);
		assert_int_equal(mkdir(in(b, name), 0700), 0);
		snprintf(path, sizeof(path), "%s/%s", name, found[i]);
		put(b, path, "precious", 0600);
		snprintf(args, sizeof(args), LAB "--dir %s", name);
		if (strcmp(found[i], "tenant.properties") == 0)
			snprintf(args, sizeof(args), INIT "--dir %s", name);
		assert_run(b, 73, args);
		assert_says(b, found[i]);
		assert_int_equal(stat(in(b, path), &st), 0);
		assert_int_equal(st.st_size, 8);
		assert_int_equal(unlink(in(b, path)), 0);
		assert_int_equal(rmdir(in(b, name)), 0); /* nothing else was made */
	}
}

static void
init_takes_over_properties_and_names_the_tenant_after_them(void **state)
{
	struct box *b = *state;
	char *text;

	put(b, "Fabrikam.de.properties", "AAD_APP_ID=1\n", 0600);
	assert_run(b, 0, INIT "--dir x --tenant-properties Fabrikam.de.properties");
	assert_int_equal(mode_of(b, "x/fabrikam.properties"), 0600);
	text = content(b, "x/fabrikam.properties");
	assert_string_equal(text, "AAD_APP_ID=1\n");
	free(text);
	assert_silent_on(b, "FILLED IN");
	assert_int_equal(mode_of(b, "x/tenant.properties"), 0);
	assert_run(b, 66, INIT "--dir y --tenant-properties nowhere.properties");
	assert_int_equal(mode_of(b, "y/scepd.yaml"), 0);
	assert_int_equal(mode_of(b, "y/ca"), 0);
}

static void
init_makes_another_secret_each_time(void **state)
{
	struct box *b = *state;
	char *one, *two, *yaml;

	assert_run(b, 0, LAB "--dir x");
	assert_run(b, 0, LAB "--dir y");
	one = content(b, "x/lab.secret");
	two = content(b, "y/lab.secret");
	assert_int_equal(mode_of(b, "x/lab.secret"), 0600);
	assert_int_equal(strlen(one), 25);
	assert_string_not_equal(one, two);
	assert_silent_on(b, one);
	yaml = content(b, "x/scepd.yaml");
	assert_null(strstr(yaml, "tenants:"));
	assert_non_null(strstr(yaml, "CN=*.lab.contoso.com"));
	free(yaml);
	free(one);
	free(two);
}

static void
init_refuses_what_it_could_not_write_down(void **state)
{
	struct box *b = *state;

	assert_run(b, 64, "init --dir x");
	assert_run(b, 64, INIT "--dir x --root-key rsa:1024");
	assert_run(b, 64, INIT "--dir x --ra-key ec:p256");
	assert_run(b, 78, "init --dir x --name Contoso --url 'http://a\"b'");
	assert_run(b, 78, "init --dir x --name Contoso --url ca.contoso.com --root-key ec:p256");
	assert_run(b, 78, INIT "--dir x --listen nonsense");
	assert_run(b, 78, LAB "--dir x --static-domain 'a b'");
	assert_run(b, 78, INIT "--dir x --issuing-validity 25y");
	assert_int_equal(mode_of(b, "x/scepd.yaml"), 0);
	assert_int_equal(mode_of(b, "x/scepd.db"), 0);
	assert_int_equal(mode_of(b, "x/tenant.properties"), 0);
}

/* ---- check
 * -----------------------------------------------------------------------------------------------------------
 */

static void
check_is_content_with_a_fresh_ca(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	assert_run(b, 0, "check --config x/scepd.yaml");
	/* Root is told once to have accounts for the two processes. */
	if (geteuid() == 0)
		assert_says(b, "started as root, scepd would serve the network as root");
	assert_says(b, geteuid() == 0 ? "1 warning, 0 failures" : "0 warnings, 0 failures");
	assert_run(b, 0, "check --config x/scepd.yaml --quiet");
	if (geteuid() != 0)
		assert_string_equal(b->out, "");
	else /* nothing but the warning */
		assert_null(strstr(b->out, "\nok "));
}

static void
check_sees_credentials_that_are_not_filled_in(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, INIT "--dir x");
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "fail  tenant");
	assert_says(b, "still has to be filled in");
}

static void
check_sees_keys_that_others_can_read_or_that_belong_elsewhere(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	assert_run(b, 0, LAB "--dir y");
	assert_int_equal(chmod(in(b, "x/ca/issuing.key"), 0644), 0);
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "x/ca/issuing.key holds a secret and has mode 0644");
	assert_says(b, "chmod 600");
	assert_int_equal(rename(in(b, "y/ca/issuing.key"), in(b, "x/ca/issuing.key")), 0);
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "fail  issuing");
	assert_int_equal(rename(in(b, "y/ca/ra.pem"), in(b, "x/ca/ra.pem")), 0);
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "the RA certificate was signed neither by");
	assert_int_equal(chmod(in(b, "x/scepd.yaml"), 0666), 0);
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "can be changed by others");
}

static void
check_sees_a_database_that_is_gone(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	assert_int_equal(unlink(in(b, "x/scepd.db")), 0);
	assert_run(b, 78, "check --config x/scepd.yaml --quiet");
	assert_says(b, "fail  store");
	assert_int_equal(mode_of(b, "x/scepd.db"), 0); /* and does not make one */
}

static void
check_as_json_is_json(void **state)
{
	struct box *b = *state;
	json_t *v = NULL;

	assert_run(b, 0, LAB "--dir x");
	assert_run(b, 0, "check --config x/scepd.yaml --json");
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	assert_true(json_array_size(v) > 10);
	assert_string_equal(json_get_str(json_array_get(v, 0), "result"), "ok");
	json_decref(v);
}

/* ---- ca
 * --------------------------------------------------------------------------------------------------------------
 */

static void
ca_show_tells_what_to_enter_in_intune(void **state)
{
	struct box *b = *state;
	json_t *v = NULL;

	assert_run(b, 0, INIT "--dir x");
	assert_run(b, 0, "ca show --config x/scepd.yaml --intune");
	assert_says(b, "http://ca.contoso.com/certsrv/mscep/mscep.dll");
	assert_says(b, "clientAuth");
	assert_says(b, "730 days");
	assert_says(b, "Windows             the issuing CA");
	assert_run(b, 0, "ca show --config x/scepd.yaml");
	assert_says(b, "http://ca.contoso.com/crl/issuing.crl");
	assert_says(b, "http://ca.contoso.com/ocsp/issuing");
	assert_run(b, 0, "ca show --config x/scepd.yaml --json");
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	assert_string_equal(
	    json_get_str(json_object_get(json_array_get(v, 0), "ra"), "key"), "rsa2048");
	json_decref(v);
	assert_run(b, 64, "ca shwo --config x/scepd.yaml");
}

/* ---- certificates
 * ----------------------------------------------------------------------------------------------------
 */

static void
list_shows_states_and_filters_them(void **state)
{
	struct box *b = *state;
	json_t *v = NULL;

	assert_run(b, 0, LAB "--dir x");
	assert_run(b, 0, "list --config x/scepd.yaml");
	assert_string_equal(b->out, "no certificates\n");
	assert_run(b, 0, "list --config x/scepd.yaml --json");
	assert_string_equal(b->out, "[]\n");
	add_certs(b, "x", 3);
	assert_run(b, 0,
	    "revoke --config x/scepd.yaml 4A6F00112233445566778899AABBCC02 --reason superseded");
	assert_run(b, 0, "list --config x/scepd.yaml --json");
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	assert_int_equal(json_array_size(v), 3);
	assert_string_equal(json_get_str(json_array_get(v, 0), "state"), "expired");
	assert_string_equal(json_get_str(json_array_get(v, 1), "state"), "valid");
	assert_string_equal(json_get_str(json_array_get(v, 2), "state"), "revoked");
	assert_string_equal(json_get_str(json_array_get(v, 2), "reason"), "superseded");
	json_decref(v);
	assert_run(b, 0, "list --config x/scepd.yaml --valid");
	assert_says(b, "CN=pc1.lab");
	assert_silent_on(b, "CN=pc0.lab");
	assert_silent_on(b, "CN=pc2.lab");
	assert_run(b, 0, "list --config x/scepd.yaml --revoked");
	assert_says(b, "CN=pc2.lab");
	assert_silent_on(b, "CN=pc1.lab");
	assert_run(b, 78, "list --config x/scepd.yaml --revoked --valid");
}

static void
list_matches_a_word_anywhere_and_a_glob_as_it_is(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	add_certs(b, "x", 3);
	assert_run(b, 0, "list --config x/scepd.yaml --match pc1");
	assert_says(b, "CN=pc1.lab");
	assert_silent_on(b, "CN=pc2.lab");
	assert_run(b, 0, "list --config x/scepd.yaml --match 'CN=pc?.lab.contoso.com'");
	assert_says(b, "CN=pc2.lab");
	assert_run(b, 0, "list --config x/scepd.yaml --match 'pc?'");
	assert_string_equal(b->out, "no certificates\n");
	/* A name that the configuration does not have is a mistake, not an empty list. */
	assert_run(b, 66, "list --config x/scepd.yaml --endpoint other");
	assert_says(b, "there is no endpoint \"other\"");
}

static void
list_goes_on_after_a_page(void **state)
{
	struct box *b = *state;
	json_t *v = NULL;

	/* A page is 100 rows: two whole ones and a rest, none twice and none left out. */
	assert_run(b, 0, LAB "--dir x");
	add_certs(b, "x", 205);
	assert_run(b, 0, "list --config x/scepd.yaml --json");
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	assert_int_equal(json_array_size(v), 205);
	assert_string_equal(
	    json_get_str(json_array_get(v, 100), "subject"), "CN=pc100.lab.contoso.com");
	json_decref(v);
	assert_run(b, 0, "audit list --config x/scepd.yaml --json");
	assert_says(b, "\"seq\":205,");
}

static void
show_takes_serials_as_tools_print_them(void **state)
{
	static const char *const forms[] = { "4A6F00112233445566778899AABBCC01",
		"4a6f00112233445566778899aabbcc01",
		"4A:6F:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:01",
		"0x4A6F00112233445566778899AABBCC01",
		"'4A 6F 00 11 22 33 44 55 66 77 88 99 AA BB CC 01'" };
	struct box *b = *state;
	size_t i;

	assert_run(b, 0, LAB "--dir x");
	add_certs(b, "x", 2);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char args[256];

		snprintf(args, sizeof(args), "show --config x/scepd.yaml %s", forms[i]);
		assert_run(b, 0, args);
		assert_says(b, "CN=pc1.lab.contoso.com");
	}
	assert_run(b, 66, "show --config x/scepd.yaml 01");
	assert_says(b, "no certificate with serial number 01");
	assert_run(b, 78, "show --config x/scepd.yaml xyz");
	assert_run(b, 0, "show --config x/scepd.yaml 4A6F00112233445566778899AABBCC01 --pem");
	assert_int_equal(strncmp(b->out, "-----BEGIN CERTIFICATE-----\n", 28), 0);
}

static void
revoke_is_for_good_and_says_why(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	add_certs(b, "x", 2);
	assert_run(b, 64, "revoke --config x/scepd.yaml 4A6F00112233445566778899AABBCC01");
	assert_run(b, 64,
	    "revoke --config x/scepd.yaml 4A6F00112233445566778899AABBCC01 --reason "
	    "certificateHold");
	assert_run(b, 66, "revoke --config x/scepd.yaml 77 --reason keyCompromise");
	assert_run(b, 0,
	    "revoke --config x/scepd.yaml 4A6F00112233445566778899AABBCC01 --reason keyCompromise "
	    "--comment 'stolen, ticket 4711'");
	assert_run(b, 73,
	    "revoke --config x/scepd.yaml 4A6F00112233445566778899AABBCC01 --reason keyCompromise");
	assert_run(b, 0, "show --config x/scepd.yaml 4A6F00112233445566778899AABBCC01");
	assert_says(b, "keyCompromise");
	assert_says(b, "stolen, ticket 4711");
	assert_run(b, 0, "audit list --config x/scepd.yaml");
	assert_says(b, "stolen, ticket 4711");
	assert_run(b, 0, "audit verify --config x/scepd.yaml");
	assert_says(b, "audit: 3 rows, chain whole");
}

static void
audit_list_pages_by_number(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, LAB "--dir x");
	add_certs(b, "x", 5);
	assert_run(b, 0, "audit list --config x/scepd.yaml --after 1 --limit 2 --json");
	assert_silent_on(b, "\"seq\":1,");
	assert_says(b, "\"seq\":2,");
	assert_says(b, "\"seq\":3,");
	assert_silent_on(b, "\"seq\":4,");
	assert_run(b, 78, "audit verifi --config x/scepd.yaml");
}

static void
missing_configuration_is_one_clear_sentence(void **state)
{
	struct box *b = *state;

	assert_run(b, 66, "list --config nowhere.yaml");
	assert_string_equal(b->out, "scepctl: nowhere.yaml does not exist\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_new, box_free)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(init_makes_a_whole_state_folder_with_right_modes),
		T(init_says_which_certificate_intune_wants_and_what_to_do_next),
		T(init_says_it_to_a_script_too),
		T(init_never_overwrites_and_leaves_what_it_finds),
		T(init_takes_over_properties_and_names_the_tenant_after_them),
		T(init_makes_another_secret_each_time),
		T(init_refuses_what_it_could_not_write_down),
		T(check_is_content_with_a_fresh_ca),
		T(check_sees_credentials_that_are_not_filled_in),
		T(check_sees_keys_that_others_can_read_or_that_belong_elsewhere),
		T(check_sees_a_database_that_is_gone),
		T(check_as_json_is_json),
		T(ca_show_tells_what_to_enter_in_intune),
		T(list_shows_states_and_filters_them),
		T(list_matches_a_word_anywhere_and_a_glob_as_it_is),
		T(list_goes_on_after_a_page),
		T(show_takes_serials_as_tools_print_them),
		T(revoke_is_for_good_and_says_why),
		T(audit_list_pages_by_number),
		T(missing_configuration_is_one_clear_sentence),
	};

	if (argc != 2)
		return 64;
	if (!kit_program(argv[1]))
		return 66;
	return cmocka_run_group_tests_name("scepctl", tests, NULL, NULL);
}
