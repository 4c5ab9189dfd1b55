/*
 * status_test.c - scepctl revoke, hold, release, and what list and show say of it.
 *
 *	scepctl_status_test PATH-OF-SCEPCTL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "kit.h"
#include "ossl/cert.h"
#include "store/store_directory.h"
#include "store/store_foreign.h"

#define JANE   "aaaaaaaa-0000-0000-0000-000000000001"
#define OTHER  "aaaaaaaa-0000-0000-0000-000000000002"
#define LAPTOP "bbbbbbbb-0000-0000-0000-000000000001"
#define PHONE  "bbbbbbbb-0000-0000-0000-000000000002"
#define CONF   " --config x/scepd.yaml "

static void
serial_of(char out[static 41], size_t i)
{
	snprintf(out, 41, "4A6F00112233445566778899AABB%04zX", i);
}

/* Certificate i of `n`; bound to a user and a device, "" for nobody. */
static void
add_cert(const struct box *b, struct store *s, size_t i, const char *user, const char *managed)
{
	struct store_binding bound = { .state = BINDING_BOUND, .tenant = "contoso" };
	uint8_t csr[32] = { (uint8_t)i, (uint8_t)(i >> 8) }, signer[32] = { 0 };
	char tx[16], serial[41], subject[64];
	struct tx_key key = { "lab", tx, csr, signer };
	struct store_tx row = { 0 };
	struct cert *c = NULL;
	struct store_cert sc = { .serial = serial,
		.ca = "issuing",
		.endpoint = "lab",
		.profile = "lab",
		.subject = subject,
		.thumbprint = "00",
		.not_before = clock_now() - 100,
		.not_after = clock_now() + 86400,
		.binding = &bound };
	bool fresh;

	assert_int_equal(cert_load(&c, in(b, "x/ca/ra.pem"), NULL), RC_OK);
	sc.der = cert_der0(c, &sc.der_len);
	snprintf(tx, sizeof(tx), "tx%zu", i);
	serial_of(serial, i);
	snprintf(subject, sizeof(subject), "CN=pc%zu", i);
	snprintf(bound.user, sizeof(bound.user), "%s", user);
	snprintf(bound.managed, sizeof(bound.managed), "%s", managed);
	if (user[0] != '\0')
		snprintf(bound.upn, sizeof(bound.upn), "jane@contoso.com");
	if (strcmp(managed, LAPTOP) == 0)
		snprintf(bound.serial_number, sizeof(bound.serial_number), "PF-4711");
	assert_int_equal(store_tx_begin(s, &key, csr, sizeof(csr), &row, &fresh, NULL), RC_OK);
	assert_int_equal(store_tx_reserve(s, row.id, "static", serial, NULL, NULL), RC_OK);
	assert_int_equal(store_tx_signed(s, row.id, &sc, false, NULL), RC_OK);
	store_tx_done(&row);
	cert_free(c);
}

/* What the directory has said: without it a number in a binding is no more than what its holder has written. */
static void
add_laptop(struct store *s)
{
	struct store_object o = { .kind = DIR_MANAGED,
		.tenant = "contoso",
		.id = LAPTOP,
		.presence = DIR_FOUND,
		.enabled = DIR_UNSAID,
		.compliant = DIR_YES,
		.name = "LAPTOP-7",
		.known = clock_now() };
	size_t changed = 0;

	assert_int_equal(store_objects_put(s, &o, 1, &changed, NULL), RC_OK);
	assert_int_equal(changed, 1);
}

/* Jane has two certificates on a laptop and one on a phone; a fourth has nobody. */
static int
setup(void **state)
{
	int rc = box_new(state);
	struct box *b = *state;
	struct store *s;

	assert_run(b, 0, LAB "--dir x");
	s = opened(b);
	add_cert(b, s, 1, JANE, LAPTOP);
	add_cert(b, s, 2, JANE, LAPTOP);
	add_cert(b, s, 3, JANE, PHONE);
	add_cert(b, s, 4, "", "");
	add_laptop(s);
	store_close(s);
	return rc;
}

#define C1 "4A6F00112233445566778899AABB0001 "
#define C3 "4A6F00112233445566778899AABB0003 "
#define C4 "4A6F00112233445566778899AABB0004 "

/* Of all four, how many are so: --status hold and the like. */
static size_t
listed(struct box *b, const char *args)
{
	char line[300];
	json_t *v = NULL;
	size_t n;

	snprintf(line, sizeof(line), "list --json" CONF "%s", args);
	assert_run(b, 0, line);
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	n = json_array_size(v);
	json_decref(v);
	return n;
}

static void
a_hold_is_seen_and_can_be_taken_back(void **state)
{
	struct box *b = *state;
	json_t *v = NULL, *status;

	assert_run(b, 0, "hold" CONF C1 "--comment 'left in a taxi'");
	assert_says(b, ": held: CN=pc1; it is held since ");
	assert_int_equal(listed(b, "--status hold"), 1);
	assert_int_equal(listed(b, "--status good"), 3);
	assert_int_equal(listed(b, "--status revoked"), 0);
	assert_int_equal(listed(b, "--valid"), 3);
	assert_run(b, 0, "list" CONF);
	assert_says(b, "  hold     ");
	assert_run(b, 0, "show" CONF C1);
	assert_says(b, "State         hold\n");
	assert_says(b, "(left in a taxi)");
	assert_says(b, "Reason        certificateHold\n");
	assert_says(b, "Intune id     " LAPTOP "\n");
	assert_run(b, 0, "show --json" CONF C1);
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	status = json_object_get(v, "status");
	assert_string_equal(json_get_str(status, "state"), "hold");
	assert_string_equal(
	    json_get_str(json_array_get(json_object_get(status, "causes"), 0), "source"), "manual");
	assert_string_equal(json_get_str(json_object_get(v, "bound"), "user"), JANE);
	json_decref(v);
	assert_run(b, 0, "release" CONF C1 "--comment found");
	assert_says(b, ": released: CN=pc1; it is good");
	assert_int_equal(listed(b, "--status good"), 4);
	assert_run(b, 0, "release" CONF C1);
	assert_says(b, ": not held: CN=pc1");
	assert_run(b, 0, "audit list" CONF);
	assert_says(b, "cert-hold");
	assert_says(b, "cert-release");
	assert_run(b, 0, "audit verify" CONF);
}

static void
by_rule(const struct box *b, const char *serial, enum cause_effect effect)
{
	struct store *s = opened(b);
	struct store_cause_set v = { .serial = serial,
		.source = CAUSE_RULE,
		.rule = "not-compliant",
		.effect = effect,
		.comment = "Intune says noncompliant" };

	assert_int_equal(store_causes_set(s, &v, 1, NULL, NULL), RC_OK);
	store_close(s);
}

static void
what_a_rule_holds_is_not_released_by_hand(void **state)
{
	struct box *b = *state;
	char serial[41];

	serial_of(serial, 1);
	by_rule(b, serial, CAUSE_HOLD);
	assert_run(b, 73, "release" CONF C1);
	assert_says(b, "still held: CN=pc1; it is held since ");
	assert_says(b, "by rule not-compliant (Intune says noncompliant)");
	assert_says(b, "scepctl exception add --certificate SERIAL");
	assert_run(b, 0, "hold" CONF C1);
	assert_run(b, 0, "show" CONF C1);
	assert_says(b, "; 1 more cause\n");
	/* Ours comes off, and it stays held. */
	assert_run(b, 73, "release" CONF C1);
	assert_says(b, "still held");
	assert_int_equal(listed(b, "--status hold"), 1);
	by_rule(b, serial, CAUSE_GONE);
	assert_int_equal(listed(b, "--status hold"), 0);
}

static void
what_is_revoked_stays_revoked(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, "hold" CONF C1);
	assert_run(b, 0, "revoke --reason superseded" CONF C1);
	assert_run(b, 73, "hold" CONF C1);
	assert_says(b, "revoked, and that is for good");
	assert_run(b, 73, "release" CONF C1);
	assert_run(b, 73, "revoke --reason superseded" CONF C1);
	assert_says(b, "revoked already");
	assert_int_equal(listed(b, "--status revoked"), 1);
	assert_int_equal(listed(b, "--status hold"), 0);
	assert_run(b, 66, "hold" CONF "77");
	assert_says(b, "77: no certificate of ours");
}

/* A certificate of a foreign CA with the number of ours, bound to the same laptop. */
static void
add_theirs(struct box *b, size_t i)
{
	struct store_binding bound = { .state = BINDING_BOUND, .tenant = "contoso", .user = JANE };
	struct store_foreign_cert c = { .binding = &bound };
	struct store *s = opened(b);
	enum foreign_outcome o;
	char serial[41];

	serial_of(serial, i);
	c.serial = serial;
	assert_int_equal(store_foreign_add(s, "adcs", "jane", &c, 1, &o, NULL), RC_OK);
	assert_int_equal(o, FOREIGN_ADDED);
	store_close(s);
}

static void
a_number_that_several_cas_have_given_needs_the_ca(void **state)
{
	static const char *const alone[] = { "show" CONF C1, "hold" CONF C1, "release" CONF C1,
		"revoke --reason superseded" CONF C1,
		"exception add --for 1d --comment why --certificate " C1 CONF };
	struct box *b = *state;

	add_theirs(b, 1);
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		assert_run(b, 73, alone[i]);
		assert_says(b, "several CAs have issued a certificate with serial number 4A6F");
		assert_says(b, "adcs, issuing");
		assert_says(b, "--ca NAME");
	}
	assert_run(b, 0, "show" CONF C1 "--ca adcs");
	assert_says(b, "its serial number alone is known");
	assert_run(b, 66, "show" CONF C1 "--ca other");
	assert_run(b, 0, "hold" CONF C1 "--ca adcs");
	assert_int_equal(listed(b, "--status hold"), 1);
	assert_int_equal(listed(b, "--status hold --ca adcs"), 1);
	assert_run(
	    b, 0, "exception add --for 1d --comment why --ca issuing --certificate " C1 CONF);
	assert_says(b, "AABB0001 of CA issuing, every rule");
	assert_run(b, 78, "exception add --for 1d --comment why --ca issuing --user " JANE CONF);
	/* All of hers are both, and with a CA those of that one. */
	assert_run(b, 0, "hold --yes --user " JANE " --ca issuing" CONF);
	assert_int_equal(listed(b, "--status hold --ca issuing"), 3);
	assert_run(b, 0, "release --yes --user " JANE CONF);
	assert_says(b, "4 released");
	assert_int_equal(listed(b, "--user " JANE), 4);
	assert_run(b, 66, "hold --user " JANE " --ca other" CONF);
	assert_says(b, "no valid certificate of CA other is bound to user");
}

static void
a_hold_may_have_an_end(void **state)
{
	struct box *b = *state;

	assert_run(b, 0, "hold --for 8h" CONF C1);
	assert_says(b, ", until 2");
	assert_run(b, 0, "hold --until 2099-12-24T08:00:00Z" CONF C1);
	assert_says(b, ", until 2099-12-24T08:00:00Z");
	assert_run(b, 78, "hold --until 2001-12-24T08:00:00Z" CONF C1);
	assert_says(b, "is over already");
	assert_run(b, 0, "hold --until 2099-12-25" CONF C1);
	assert_says(b, ", until 2099-12-25T23:59:59Z");
	assert_run(b, 0, "hold --until 7d" CONF C1);
	assert_says(b, ", until 2");
	assert_run(b, 78, "hold --until tomorrow" CONF C1);
	assert_says(b, "nor a day as 2026-12-24, nor a span");
	assert_run(b, 78, "hold --until 2099" CONF C1);
	assert_run(b, 78, "hold --until 2099-12-24T08:00:00Z --for 1h" CONF C1);
	assert_run(b, 64, "hold --for 5s" CONF C1);
}

static void
all_of_a_device_or_a_user_turn_at_once(void **state)
{
	struct box *b = *state;

	/* Nobody is there to say yes. */
	assert_run(b, 77, "hold --user " JANE CONF "</dev/null");
	assert_says(b, "nobody is here to say yes to 3 certificates");
	assert_run(b, 0, "hold --dry-run --user " JANE CONF);
	assert_says(b, "3 would be held");
	assert_int_equal(listed(b, "--status hold"), 0);
	assert_run(b, 0, "hold --yes --user JANE@contoso.com" CONF);
	assert_says(b, "3 held\n");
	assert_int_equal(listed(b, "--status hold --user " JANE), 3);
	assert_run(b, 0, "release --dry-run --device laptop-7" CONF);
	assert_says(b, "2 would be released");
	assert_run(b, 0, "release --yes --device pf-4711" CONF);
	assert_says(b, "2 released\n");
	assert_int_equal(listed(b, "--status hold"), 1);
	assert_int_equal(listed(b, "--device " LAPTOP), 2);
	assert_run(b, 0, "revoke --yes --reason cessationOfOperation --device " PHONE CONF);
	assert_int_equal(listed(b, "--status revoked --device " PHONE), 1);
	assert_run(b, 0, "revoke --yes --reason cessationOfOperation --user " JANE CONF);
	assert_says(b, "2 revoked\n");
	assert_says(b, "1 revoked already\n");
	assert_int_equal(listed(b, "--status good"), 1);
}

static void
one_of_several_namesakes_has_to_be_named_by_id(void **state)
{
	struct box *b = *state;
	struct store *s = opened(b);

	add_cert(b, s, 5, OTHER, PHONE);
	store_close(s);
	assert_run(b, 78, "hold --yes --user jane@contoso.com" CONF);
	assert_says(b, "2 users are or were called \"jane@contoso.com\"");
	assert_says(b, JANE);
	assert_says(b, OTHER);
	assert_int_equal(listed(b, "--status hold"), 0);
	assert_run(b, 66, "hold --yes --user nobody@contoso.com" CONF);
	assert_run(b, 66, "hold --yes --device cccccccc-0000-0000-0000-000000000001" CONF);
	assert_says(b, "no valid certificate is bound to device");
	assert_run(b, 78, "hold --yes" CONF);
	assert_run(b, 78, "hold --yes --user " JANE " --device " PHONE CONF);
	assert_run(b, 78, "hold --yes --user " JANE CONF C1);
}

static void
serial_numbers_may_come_from_a_file(void **state)
{
	struct box *b = *state;
	json_t *v = NULL;

	put(b, "list.txt",
	    "# stolen\n4a:6f:00:11:22:33:44:55:66:77:88:99:aa:bb:00:01 , jane\n\n" C3 "\n" C3
	    "\n77\n",
	    0600);
	assert_run(b, 66, "hold --yes --file list.txt --json" CONF);
	assert_int_equal(json_parse(&v, b->out, strlen(b->out), NULL), RC_OK);
	assert_int_equal(json_array_size(v), 3);
	assert_string_equal(json_get_str(json_array_get(v, 0), "outcome"), "done");
	assert_string_equal(json_get_str(json_array_get(v, 0), "ca"), "issuing");
	assert_null(json_get_str(json_array_get(v, 2), "ca"));
	assert_string_equal(json_get_str(json_array_get(v, 2), "outcome"), "unknown");
	json_decref(v);
	assert_int_equal(listed(b, "--status hold"), 2);
	put(b, "list.txt", C4 "\nwhat is this\n", 0600);
	assert_run(b, 78, "hold --yes --file list.txt" CONF);
	assert_says(b, "list.txt:2: \"what\" is no serial number");
	assert_says(b, "take out the names of columns");
	assert_int_equal(listed(b, "--status hold"), 2);
	put(b, "list.txt", C1 "\n" C3, 0600);
	assert_run(b, 0, "release --yes --file -" CONF "<list.txt");
	assert_int_equal(listed(b, "--status hold"), 0);
	assert_run(b, 66, "release --yes --file nowhere" CONF);
	/* As a table is saved that was put in quotes: a mark on top, CRLF. */
	put(b, "list.txt", "\xef\xbb\xbf\"" C1 "\",\"CN=pc1\"\r\n\"" C3 "\"\r\n", 0600);
	assert_run(b, 0, "hold --yes --file list.txt" CONF);
	assert_int_equal(listed(b, "--status hold"), 2);
	assert_run(b, 0, "release --yes --file list.txt" CONF);
	put(b, "list.txt", "\xef\xbb\xbfSerial,Subject\r\n" C1 "\r\n", 0600);
	assert_run(b, 78, "hold --yes --file list.txt" CONF);
	assert_says(b, "list.txt:1: \"Serial\" is no serial number");
	put(b, "list.txt", "# nobody\n", 0600);
	assert_run(b, 66, "release --yes --file list.txt" CONF);
	assert_says(b, "list.txt names no certificate");
}

/* More than one commit takes. */
static void
many_turn_and_none_is_forgotten(void **state)
{
	struct box *b = *state;
	size_t n = 2 * STORE_CAUSES_BATCH + 17;
	struct store *s = opened(b);
	char *text = malloc(n * 41 + 1), serial[41];
	struct store_stats st;

	assert_non_null(text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		add_cert(b, s, 100 + i, "", "");
		serial_of(serial, 100 + i);
		strcat(strcat(text + 33 * i, serial), "\n"); /* all are as long */
	}
	store_close(s);
	put(b, "many.txt", text, 0600);
	free(text);
	assert_run(b, 0, "hold --yes --file many.txt" CONF);
	assert_string_equal(b->out,
	    "1017 held\nOCSP and the CRL say so within seconds; relying parties may keep an older "
	    "CRL until its nextUpdate.\n");
	s = opened(b);
	assert_int_equal(store_stats(s, &st, NULL), RC_OK);
	assert_int_equal(st.held, n);
	store_close(s);
	assert_run(b, 0, "audit verify" CONF);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, box_free)
	static const struct CMUnitTest tests[] = {
		T(a_hold_is_seen_and_can_be_taken_back),
		T(what_a_rule_holds_is_not_released_by_hand),
		T(what_is_revoked_stays_revoked),
		T(a_number_that_several_cas_have_given_needs_the_ca),
		T(a_hold_may_have_an_end),
		T(all_of_a_device_or_a_user_turn_at_once),
		T(one_of_several_namesakes_has_to_be_named_by_id),
		T(serial_numbers_may_come_from_a_file),
		T(many_turn_and_none_is_forgotten),
	};

	if (argc != 2)
		return 64;
	if (!kit_program(argv[1]))
		return 66;
	return cmocka_run_group_tests_name("scepctl status", tests, NULL, NULL);
}
