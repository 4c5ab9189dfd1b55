/*
 * queue_judge_test.c - what a request of Intune's queue comes to: whose certificates a queue may revoke,
 * what is answered, and what is left to another CA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scepd/queue_judge.h"

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define give_up(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))

#define ISSUING "CN=Contoso Issuing CA,O=Contoso"
#define BRANCH  "CN=Contoso Branch CA,O=Contoso"

static const struct queue_ca cas[] = { { "issuing", ISSUING }, { "branch", BRANCH } };

static const struct queue_known unknown = { .found = false };
static const struct queue_known good = { true, "issuing", true, CERT_GOOD, false, 0 };
static const struct queue_known held = { true, "issuing", true, CERT_HELD, false, 1780000000 };
static const struct queue_known by_this = { true, "issuing", true, CERT_REVOKED, true, 1780000000 };
static const struct queue_known by_other = { true, "issuing", true, CERT_REVOKED, false,
	1780000000 };
static const struct queue_known foreign = { true, "issuing", false, CERT_GOOD, false, 0 };
static const struct queue_known foreign_revoked = { true, "issuing", false, CERT_REVOKED, true,
	1780000000 };
static const struct queue_known retired = { true, "old", true, CERT_GOOD, false, 0 };

static void
each_request_comes_to_what_it_should(void **state)
{
	static const struct {
		const char *what;
		const char *issuer, *config;
		const struct queue_known *known;
		enum queue_verdict verdict;
		int code;
	} rows[] = {
		{ "one of ours", ISSUING, "issuing", &good, QUEUE_REVOKE, 0 },
		{ "a held one", ISSUING, "issuing", &held, QUEUE_REVOKE, 0 },
		{ "by the issuer's name alone", ISSUING, NULL, &good, QUEUE_REVOKE, 0 },
		{ "by caConfiguration alone", NULL, "issuing", &good, QUEUE_REVOKE, 0 },
		{ "without names", NULL, NULL, &good, QUEUE_REVOKE, 0 },
		{ "with empty names", "", "", &good, QUEUE_REVOKE, 0 },
		{ "the issuer's name written anew", "O=Contoso, CN=Contoso Issuing CA", "issuing",
		    &good, QUEUE_REVOKE, 0 },
		{ "caConfiguration in another case", NULL, "ISSUING", &good, QUEUE_REVOKE, 0 },
		{ "the CA was renamed since", ISSUING, "before", &good, QUEUE_REVOKE, 0 },
		{ "a CA that left the configuration", "CN=Old", "old", &retired, QUEUE_REVOKE, 0 },
		{ "again", ISSUING, "issuing", &by_this, QUEUE_ANSWER, 0 },
		{ "revoked for another cause", ISSUING, "issuing", &by_other, QUEUE_ANSWER, 4005 },
		{ "no such serial number", ISSUING, "issuing", &unknown, QUEUE_ANSWER, 4004 },
		{ "likewise, by caConfiguration", NULL, "branch", &unknown, QUEUE_ANSWER, 4004 },
		{ "an odd serial number", ISSUING, "issuing", NULL, QUEUE_ANSWER, 4002 },
		{ "another CA of ours", BRANCH, "branch", &good, QUEUE_ANSWER, 4004 },
		{ "another tenant's", ISSUING, "issuing", &foreign, QUEUE_ANSWER, 4004 },
		{ "another tenant's, without names", NULL, NULL, &foreign, QUEUE_ANSWER, 4004 },
		{ "another tenant's, revoked", ISSUING, "issuing", &foreign_revoked, QUEUE_ANSWER,
		    4004 },
		{ "another CA of the tenant", "CN=Other", "other", &unknown, QUEUE_LEAVE, 0 },
		{ "another CA of the same name in its configuration", "CN=Other", "issuing",
		    &unknown, QUEUE_LEAVE, 0 },
		{ "another CA, an odd serial number", "CN=Other", "other", NULL, QUEUE_LEAVE, 0 },
		{ "another CA, a serial number of ours", "CN=Other", "other", &good, QUEUE_LEAVE,
		    0 },
		{ "nobody knows whose", NULL, NULL, &unknown, QUEUE_LEAVE, 0 },
		{ "nobody can read it", NULL, NULL, NULL, QUEUE_LEAVE, 0 },
	};
	struct intune_revocation_request r = { "c", "01", NULL, NULL };
	struct queue_judgement j;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		r.issuer_name = rows[i].issuer;
		r.ca_configuration = rows[i].config;
		queue_judge(&j, &r, cas, COUNT(cas), rows[i].known);
		if (j.verdict != rows[i].verdict || (int)j.code != rows[i].code)
			give_up("%s: verdict %d, code %d", rows[i].what, j.verdict, j.code);
		assert_true((j.why[0] == '\0') == (j.code == INTUNE_REVOCATION_NONE));
		assert_true(
		    j.foreign == (rows[i].known == &foreign || rows[i].known == &foreign_revoked));
	}
}

/* A tenant learns nothing of another's certificates, not even that there is one. */
static void
what_is_another_tenant_s_is_as_if_it_were_not_there(void **state)
{
	const struct intune_revocation_request r = { "c", "01", ISSUING, "issuing" };
	struct queue_judgement theirs, none;

	queue_judge(&theirs, &r, cas, COUNT(cas), &foreign_revoked);
	queue_judge(&none, &r, cas, COUNT(cas), &unknown);
	assert_int_equal(theirs.code, none.code);
	assert_string_equal(theirs.why, none.why);
}

static void
a_conflict_says_since_when(void **state)
{
	const struct intune_revocation_request r = { "c", "01", ISSUING, "issuing" };
	struct queue_judgement j;

	queue_judge(&j, &r, cas, COUNT(cas), &by_other);
	assert_non_null(strstr(j.why, "2026-05-28T20:26:40Z"));
}

static void
serial_numbers_are_taken_as_people_write_them(void **state)
{
	static const struct {
		const char *sent, *want; /* want NULL: it is none */
	} rows[] = {
		{ "0A1B2C", "0A1B2C" },
		{ "0a1b2c", "0A1B2C" },
		{ "a1b2c", "0A1B2C" },
		{ "000A1B2C", "0A1B2C" },
		{ "00:0a:1b:2c", "0A1B2C" },
		{ " 0A 1B-2C ", "0A1B2C" },
		{ "0x0a1b2c", "0A1B2C" },
		{ "0XA1B2C", "0A1B2C" },
		{ "1", "01" },
		{ "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ "00FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		    "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL },
		{ "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL },
		{ "", NULL },
		{ " ", NULL },
		{ "0x", NULL },
		{ "::", NULL },
		{ "0x0x1", NULL },
		{ "-1-", "01" },
		{ "12G4", NULL },
		{ "12\n34", NULL },
		{ "\xc3\xb6", NULL },
	};
	char out[QUEUE_SERIAL_MAX], long_text[600];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		bool taken = queue_serial(out, rows[i].sent);

		if (taken != (rows[i].want != NULL) || (taken && strcmp(out, rows[i].want) != 0))
			give_up("\"%s\": %s", rows[i].sent, taken ? out : "(none)");
	}
	memset(long_text, '0', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_false(queue_serial(out, long_text));
}

static void
every_prefix_and_bit_flip_of_a_serial_number_is_survived(void **state)
{
	static const char text[] = "0x00:0a-1B 2c";
	char copy[sizeof(text)], out[QUEUE_SERIAL_MAX];
	size_t n;

	for (n = 0; n < sizeof(text); n++) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		(void)queue_serial(out, copy);
	}
	for (n = 0; n < (sizeof(text) - 1) * 8; n++) {
		memcpy(copy, text, sizeof(text));
		copy[n / 8] ^= (char)(1 << n % 8);
		if (queue_serial(out, copy))
			assert_int_equal(strspn(out, "0123456789ABCDEF"), strlen(out));
	}
}

static void
a_comment_knows_its_request_again(void **state)
{
	char one[QUEUE_COMMENT_MAX], other[QUEUE_COMMENT_MAX], text[2048];
	struct err err;

	assert_int_equal(queue_comment(one, "ctx-1", &err), RC_OK);
	assert_string_equal(one, "request ctx-1");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(queue_comment(one, text, &err), RC_OK);
	text[2000] = 'y';
	assert_int_equal(queue_comment(other, text, &err), RC_OK);
	assert_string_not_equal(one, other);
	assert_true(strlen(one) < 120);
	assert_int_equal(queue_comment(one, "line\nbreak", &err), RC_OK);
	assert_null(strchr(one, '\n'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_comes_to_what_it_should),
		cmocka_unit_test(what_is_another_tenant_s_is_as_if_it_were_not_there),
		cmocka_unit_test(a_conflict_says_since_when),
		cmocka_unit_test(serial_numbers_are_taken_as_people_write_them),
		cmocka_unit_test(every_prefix_and_bit_flip_of_a_serial_number_is_survived),
		cmocka_unit_test(a_comment_knows_its_request_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
