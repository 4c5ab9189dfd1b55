/*
 * ca_test.c - scepctl ca: bringing CAs in, as an administrator does it, with the mistakes that are
 * made.
 *
 *	ca_test PATH-OF-SCEPCTL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "kit.h"

#define EC   "--kind ec:p256 "
#define CONF "--config x/scepd.yaml "

/* A server with its first CA. */
static void
first_ca(struct box *b)
{
	assert_run(b, 0, LAB "--dir x");
}

/* ---- ca init ---- */

static void
another_ca_is_made_and_written_down(void **state)
{
	struct box *b = *state;
	char *before, *after;

	first_ca(b);
	before = content(b, "x/scepd.yaml");
	assert_run(
	    b, 0, "ca init " CONF EC "--name wifi --org Contoso --root-kind ec:p256 --write");
	assert_says(b, "warning: the CA issuing has the same subject");
	assert_says(b, "--subject");
	assert_int_equal(mode_of(b, "x/ca/wifi"), 0700);
	assert_int_equal(mode_of(b, "x/ca/wifi/issuing.key"), 0600);
	assert_int_equal(mode_of(b, "x/ca/wifi/ra.key"), 0600);
	assert_int_equal(mode_of(b, "x/ca/wifi/root.pem"), 0644);
	assert_int_equal(mode_of(b, "x/scepd.yaml"), 0644);
	assert_int_equal(mode_of(b, "x/scepd.yaml.new"), 0);
	after = content(b, "x/scepd.yaml");
	assert_non_null(strstr(after, "  wifi:\n    certificate: \"ca/wifi/issuing.pem\"\n"));
	/* All that was there is there, in one piece before and one behind. */
	assert_int_equal(
	    strncmp(before, after, (size_t)(strstr(before, "cas:\n") - before) + 5), 0);
	assert_non_null(strstr(after, strstr(before, "  issuing:\n")));
	free(before);
	free(after);
	assert_run(b, 0, "check " CONF);
	assert_run(b, 0, "ca show " CONF);
	assert_says(b, "CA wifi");
	assert_run(b, 0,
	    "ca init " CONF EC "--name lan --subject 'O=Contoso,CN=Contoso LAN' --self-signed "
	    "--dir x/lan");
	assert_false(says(b, "same subject"));
	assert_run(b, 73, "ca init " CONF EC "--name wifi --org Contoso");
	assert_says(b, "has a CA wifi already");
}

static void
without_write_the_lines_are_printed(void **state)
{
	struct box *b = *state;
	char *before, *after;

	first_ca(b);
	before = content(b, "x/scepd.yaml");
	assert_run(b, 0, "ca init " CONF EC "--name lone --org Contoso --self-signed --dir y");
	assert_says(b, "Add below cas: of x/scepd.yaml");
	assert_says(b, "/y/issuing.pem\"");
	assert_silent_on(b, "chain:");
	after = content(b, "x/scepd.yaml");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
what_cannot_be_added_leaves_the_configuration_alone(void **state)
{
	struct box *b = *state;
	char *before, *after;

	first_ca(b);
	assert_int_equal(shell(b,
			     "sed -i -z 's|cas:\\n  issuing:\\n|cas: {issuing: {|; s|    "
			     "certificate: ca/issuing.pem\\n.*    crl_validity: 7d\\n|certificate: "
			     "ca/issuing.pem, key: ca/issuing.key, chain: [ca/root.pem], "
			     "ra_certificate: ca/ra.pem, ra_key: ca/ra.key}}\\n|' x/scepd.yaml"),
	    0);
	before = content(b, "x/scepd.yaml");
	assert_run(
	    b, 78, "ca init " CONF EC "--name wifi --org Contoso --root-kind ec:p256 --write");
	assert_says(b, "there is no line \"cas:\"");
	assert_says(b, "    certificate: \"ca/wifi/issuing.pem\""); /* to be added by hand */
	after = content(b, "x/scepd.yaml");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
constraints_policies_and_usages_are_shown_and_checked(void **state)
{
	struct box *b = *state;
	json_t *v = NULL, *ca;

	first_ca(b);
	assert_run(b, 0,
	    "ca init " CONF EC "--name wifi --org Contoso --root-kind ec:p256 --permit-dns "
	    "contoso.com --exclude-email fabrikam.com --permit-dir O=Contoso --policy "
	    "1.2.3.4,http://contoso.com/cps --eku serverAuth --path-len 1 --write");
	assert_says(b, "FreeRADIUS");
	assert_run(b, 0, "ca show " CONF);
	assert_says(b, "path length 1\n");
	assert_says(b, "permits dns:contoso.com\n");
	assert_says(b, "excludes email:fabrikam.com\n");
	assert_says(b, "policy 1.2.3.4 (http://contoso.com/cps)\n");
	assert_says(b, "usage serverAuth\n");
	assert_run(b, 0, "check " CONF);
	assert_says(
	    b, "warn  wifi            the CA certificate's extended key usage lacks clientAuth");
	assert_says(b, "permits dir:O=Contoso: scepd keeps to it");
	assert_run(b, 0, "ca show --json " CONF);
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	ca = json_array_get(v, 0);
	assert_int_equal(json_integer_value(json_object_get(ca, "pathLength")), 1);
	assert_int_equal(json_array_size(json_object_get(ca, "nameConstraints")), 3);
	assert_int_equal(json_array_size(json_object_get(ca, "policies")), 1);
	json_decref(v);
}

static void
keys_are_encrypted_with_the_passphrase_that_is_written_down(void **state)
{
	struct box *b = *state;
	char *key;

	put(b, "pass", "correct horse battery\n", 0600);
	assert_run(b, 0, LAB "--dir x --passphrase-file pass");
	key = content(b, "x/ca/root.key");
	assert_non_null(strstr(key, "ENCRYPTED PRIVATE KEY"));
	free(key);
	assert_run(b, 0,
	    "ca init " CONF EC
	    "--name wifi --org Contoso --root-kind ec:p256 --passphrase-file pass "
	    "--write");
	key = content(b, "x/ca/wifi/ra.key");
	assert_non_null(strstr(key, "ENCRYPTED PRIVATE KEY"));
	free(key);
	key = content(b, "x/scepd.yaml");
	assert_non_null(strstr(key, "/pass\"\n"));
	assert_null(strstr(key, "horse"));
	free(key);
	assert_run(b, 0, "check " CONF);
	assert_run(b, 0, "ca show " CONF);
	assert_says(b, ", passphrase from ");
	put(b, "pass", "another one\n", 0600);
	assert_run(b, 78, "check " CONF);
	assert_says(b, "passphrase");
	assert_silent_on(b, "another one");
	/* What only the service gets is no failure. */
	assert_int_equal(shell(b,
			     "sed -i 's|passphrase_file: .*|passphrase_file: credential:ca|' "
			     "x/scepd.yaml"),
	    0);
	assert_run(b, 0, "check " CONF "</dev/null");
	assert_says(b, "the keys could not be tried: the passphrase is a credential");
	assert_int_equal(shell(b,
			     "sed -i 's|passphrase_file: .*|passphrase_file: prompt|' "
			     "x/scepd.yaml"),
	    0);
	assert_run(b, 0, "check " CONF "</dev/null");
	assert_says(b, "the keys could not be tried: the passphrase is asked for on a terminal");
}

static void
slips_of_the_command_line_are_sentences(void **state)
{
	static const struct {
		int status;
		const char *args, *says;
	} rows[] = {
		{ 64, "ca init " CONF "--org Contoso", "--name" },
		{ 64, "ca init " CONF "--name a --org Contoso --kind rsa:1024", "--kind" },
		{ 64, "ca init " CONF "--name a --org Contoso --ra-kind ec:p256", "--ra-kind" },
		{ 78, "ca init " CONF "--name A_B --org Contoso", "part of a URL" },
		{ 78, "ca init " CONF "--name a", "--org or --subject" },
		{ 78, "ca init " CONF "--name a --org x --path-len 9", "--path-len" },
		{ 78, "ca init " CONF "--name a --org x --permit-dns '*.x'", "no name constraint" },
		{ 78, "ca init " CONF "--name a --org x --policy cps", "no OID" },
		{ 78, "ca init " CONF "--name a --org x --eku clientauthh",
		    "neither a known usage" },
		{ 78, "ca init " CONF "--name a --org x --issuer-cert x/ca/root.pem",
		    "go together" },
		{ 78, "ca init " CONF "--name a --org x --key pkcs11:token=a", "--pkcs11-module" },
		{ 78,
		    "ca init " CONF "--name a --org x --issuer-cert x/ca/root.pem --issuer-key "
		    "x/ca/issuing.key",
		    "is not the key of" },
		{ 78,
		    "ca init " CONF EC
		    "--name a --org x --issuer-cert x/ca/issuing.pem --issuer-key "
		    "x/ca/issuing.key --chain x/ca/root.pem --validity 1y --ra-validity 90d",
		    "its path length is 0" },
		{ 78,
		    "ca init " CONF EC
		    "--name a --org x --issuer-cert x/ca/issuing.pem --issuer-key "
		    "x/ca/issuing.key",
		    "O=Contoso,CN=Contoso Root CA is missing" },
		{ 78,
		    "ca init " CONF EC
		    "--name a --org x --root-kind ec:p256 --permit-dir O=Fabrikam",
		    "permits no subject" },
		{ 66, "ca init --config nowhere.yaml --name a --org x", "nowhere.yaml" },
		{ 78, "ca import " CONF "--name a", "name what to import" },
		{ 78, "ca import " CONF "--name a --pkcs12 x --key y", "either --pkcs12" },
		{ 64, "ca install " CONF "--name a", "--cert" },
		{ 64, "ca frobnicate", "frobnicate" },
	};
	struct box *b = *state;
	size_t i;

	first_ca(b);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_run(b, rows[i].status, rows[i].args);
		assert_says(b, rows[i].says);
		assert_int_equal(mode_of(b, "x/ca/a/issuing.key"), 0);
	}
}

/* ---- ca csr, ca install ---- */

#define ENTERPRISE                                                                                 \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout e.key -out " \
	"e.pem -subj '/O=Enterprise/CN=Enterprise Root' -days 3000 -addext "                       \
	"keyUsage=critical,keyCertSign,cRLSign -addext basicConstraints=critical,CA:TRUE,pathlen:"

/* Sign x/ca/NAME/request.pem with these extensions. */
static void
sign(struct box *b, const char *name, const char *extensions)
{
	char cmd[1024];

	snprintf(cmd, sizeof(cmd),
	    "printf '%s' >ext && openssl x509 -req -in x/ca/%s/request.pem -CA e.pem -CAkey e.key "
	    "-CAcreateserial -days 900 -extfile ext -out %s.pem",
	    extensions, name, name);
	assert_int_equal(shell(b, cmd), 0);
}

#define SUBCA                                                                                      \
	"basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign\\n"   \
	"subjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n"

static void
an_enterprise_root_signs_what_we_ask_for(void **state)
{
	struct box *b = *state;

	first_ca(b);
	assert_int_equal(shell(b, ENTERPRISE "1"), 0);
	assert_run(b, 0, "ca csr " CONF EC "--name ent --org Contoso --permit-dns contoso.com");
	assert_says(b, "scepctl ca install --name ent --cert SIGNED");
	assert_int_equal(mode_of(b, "x/ca/ent/issuing.key"), 0600);
	assert_int_equal(shell(b, "openssl req -in x/ca/ent/request.pem -verify -noout -text"), 0);
	assert_says(b, "CA:TRUE, pathlen:0");
	assert_says(b, "DNS:contoso.com");
	assert_run(b, 73, "ca csr " CONF EC "--name ent --org Contoso");
	assert_says(b, "issuing.key exists already");
	sign(b, "ent", SUBCA);
	assert_run(b, 78, "ca install " CONF "--name ent --cert ent.pem --write");
	assert_says(b, "O=Enterprise,CN=Enterprise Root is missing");
	assert_int_equal(mode_of(b, "x/ca/ent/issuing.pem"), 0);
	assert_run(b, 78, "ca install " CONF "--name ent --cert x/ca/issuing.pem --chain e.pem");
	assert_says(b, "of another key");
	assert_run(b, 78, "ca install " CONF "--name other --cert ent.pem --chain e.pem");
	assert_says(b, "x/ca/other/issuing.key");
	assert_run(b, 0, "ca install " CONF "--name ent --cert ent.pem --chain e.pem --write");
	assert_run(b, 0, "check " CONF);
	assert_int_equal(shell(b,
			     "openssl verify -x509_strict -CAfile e.pem -untrusted "
			     "x/ca/ent/issuing.pem x/ca/ent/ra.pem"),
	    0);
}

static void
what_was_signed_wrongly_is_not_installed(void **state)
{
	static const struct {
		const char *extensions, *says;
	} rows[] = {
		{ "basicConstraints=critical,CA:FALSE\\n", "CA:TRUE is missing" },
		{ "basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,digitalSignature\\n",
		    "lacks keyCertSign" },
		{ "basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign\\n",
		    "lacks cRLSign" },
		{ "basicConstraints=critical,CA:TRUE\\n", "lacks keyCertSign" },
	};
	struct box *b = *state;
	size_t i;

	first_ca(b);
	assert_int_equal(shell(b, ENTERPRISE "1"), 0);
	assert_run(b, 0, "ca csr " CONF EC "--name ent --org Contoso");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sign(b, "ent", rows[i].extensions);
		assert_run(b, 78, "ca install " CONF "--name ent --cert ent.pem --chain e.pem");
		assert_says(b, rows[i].says);
	}
	assert_int_equal(shell(b, ENTERPRISE "0"), 0);
	sign(b, "ent", SUBCA);
	assert_run(b, 78, "ca install " CONF "--name ent --cert ent.pem --chain e.pem");
	assert_says(b, "its path length is 0");
	assert_int_equal(mode_of(b, "x/ca/ent/issuing.pem"), 0);
	assert_int_equal(mode_of(b, "x/ca/ent/issuing.key"), 0600); /* for the next try */
}

/* ---- ca import ---- */

static void
a_ca_of_another_maker_is_imported(void **state)
{
	struct box *b = *state;
	char *key;

	first_ca(b);
	put(b, "p12pass", "sesam\n", 0600);
	put(b, "pass", "correct horse\n", 0600);
	assert_int_equal(shell(b, ENTERPRISE "1"), 0);
	assert_int_equal(shell(b,
			     "openssl pkcs12 -export -legacy -inkey e.key -in e.pem -passout "
			     "pass:sesam -out e.p12"),
	    0);
	assert_run(b, 65, "ca import " CONF "--name old --pkcs12 e.p12");
	assert_says(b, "--pkcs12-passphrase-file");
	assert_run(
	    b, 65, "ca import " CONF "--name old --pkcs12 e.p12 --pkcs12-passphrase-file pass");
	assert_says(b, "e.p12: the passphrase is wrong");
	assert_silent_on(b, "horse");
	assert_run(b, 65, "ca import " CONF "--name old --pkcs12 e.pem");
	assert_int_equal(mode_of(b, "x/ca/old/issuing.key"), 0);
	assert_run(b, 0,
	    "ca import " CONF
	    "--name old --pkcs12 e.p12 --pkcs12-passphrase-file p12pass --passphrase-file pass "
	    "--write");
	key = content(b, "x/ca/old/issuing.key");
	assert_non_null(strstr(key, "ENCRYPTED"));
	free(key);
	assert_run(b, 0, "check " CONF);
	assert_int_equal(
	    shell(b, "openssl ec -in e.key -aes128 -passout pass:sesam -out l.key"), 0);
	assert_run(b, 78, "ca import " CONF "--name pem --cert e.pem --key l.key");
	assert_run(b, 78, "ca import " CONF "--name pem --cert e.pem --key x/ca/issuing.key");
	assert_says(b, "of another key");
	assert_int_equal(shell(b, "chmod 644 e.key"), 0);
	assert_run(b, 78, "ca import " CONF "--name pem --cert e.pem --key e.key");
	assert_says(b, "chmod");
	assert_int_equal(shell(b, "chmod 600 e.key"), 0);
	assert_run(b, 0, "ca import " CONF "--name pem --cert e.pem --key e.key --write");
	assert_run(b, 0, "check " CONF);
}

/* ---- ca show ---- */

static void
a_rollover_shows_both_cas(void **state)
{
	struct box *b = *state;

	first_ca(b);
	assert_run(
	    b, 0, "ca init " CONF EC "--name next --org Contoso --root-kind ec:p256 --write");
	assert_int_equal(
	    shell(b, "sed -i 's|^  next:|&\\n    replaces: issuing|' x/scepd.yaml"), 0);
	assert_run(b, 0, "ca show " CONF);
	assert_says(b, "  replaces issuing\n");
	assert_says(b, "  next     next\n");
	assert_run(b, 0, "ca show --intune " CONF);
	assert_says(b, "It is the next CA of issuing");
	assert_says(b, "Its next CA is next: keep these profiles");
	assert_says(b, "/ca/next/issuing.pem");
	assert_says(b, "/ca/issuing.pem");
	assert_int_equal(shell(b, "sed -i 's|^  issuing:|&\\n    issues: false|' x/scepd.yaml"), 0);
	if (run(b, "ca show " CONF) == 0) /* an endpoint may not name a retired CA */
		assert_says(b, "  retired  ");
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_new, box_free)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(another_ca_is_made_and_written_down),
		T(without_write_the_lines_are_printed),
		T(what_cannot_be_added_leaves_the_configuration_alone),
		T(constraints_policies_and_usages_are_shown_and_checked),
		T(keys_are_encrypted_with_the_passphrase_that_is_written_down),
		T(slips_of_the_command_line_are_sentences),
		T(an_enterprise_root_signs_what_we_ask_for),
		T(what_was_signed_wrongly_is_not_installed),
		T(a_ca_of_another_maker_is_imported),
		T(a_rollover_shows_both_cas),
	};

	if (argc != 2)
		return 64;
	if (!kit_program(argv[1]))
		return 66;
	return cmocka_run_group_tests_name("scepctl ca", tests, NULL, NULL);
}
