/*
 * otp_test.c - one-time passwords: what they look like, how they are known again, what a pattern says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "ca/otp.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

#define MANY 2000

static void
passwords_have_the_form_that_was_asked_for(void **state)
{
	struct otp o;

	for (int i = 0; i < MANY; i++) {
		assert_int_equal(otp_make(&o, OTP_GROUPS, NULL), RC_OK);
		assert_int_equal(strlen(o.text), 34);
		for (size_t k = 0; k < 34; k++)
			if (k % 5 == 4)
				assert_int_equal(o.text[k], '-');
			else
				assert_non_null(
				    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", o.text[k]));
		assert_int_equal(otp_make(&o, OTP_HEX, NULL), RC_OK);
		assert_int_equal(strlen(o.text), 32);
		assert_int_equal(strspn(o.text, "0123456789ABCDEF"), 32);
	}
	otp_done(&o);
	assert_int_equal(o.text[0], '\0');
}

/* Every character of every place occurs: no bits are lost on the way from the random ones. */
static void
all_places_take_all_characters(void **state)
{
	static bool seen[34][128];
	struct otp o;

	for (int i = 0; i < MANY; i++) {
		assert_int_equal(otp_make(&o, OTP_GROUPS, NULL), RC_OK);
		for (size_t k = 0; k < 34; k++)
			seen[k][(unsigned char)o.text[k]] = true;
	}
	for (size_t k = 0; k < 34; k++) {
		unsigned n = 0;

		for (size_t c = 0; c < 128; c++)
			n += seen[k][c];
		assert_int_equal(n, k % 5 == 4 ? 1 : 32);
	}
}

static void
no_two_are_the_same(void **state)
{
	static struct otp all[MANY];

	for (int i = 0; i < MANY; i++) {
		assert_int_equal(otp_make(&all[i], i % 2 ? OTP_HEX : OTP_GROUPS, NULL), RC_OK);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(all[i].sha256, all[k].sha256, 32);
	}
}

static void
it_is_known_again_as_people_type_it(void **state)
{
	struct otp o;
	uint8_t hash[32];
	char typed[80];
	size_t n = 0;

	assert_int_equal(otp_make(&o, OTP_GROUPS, NULL), RC_OK);
	assert_int_equal(otp_hash(hash, o.text, strlen(o.text), NULL), RC_OK);
	assert_memory_equal(hash, o.sha256, 32);
	for (size_t i = 0; o.text[i] != '\0'; i++) {
		char c = o.text[i];

		if (c == '-')
			typed[n++] = ' ';
		else
			typed[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	assert_int_equal(otp_hash(hash, typed, n, NULL), RC_OK);
	assert_memory_equal(hash, o.sha256, 32);
	for (size_t i = 0; i < n; i++) {
		char was = typed[i];

		if (was == ' ')
			continue;
		typed[i] = was == 'x' ? 'y' : 'x';
		assert_int_equal(otp_hash(hash, typed, n, NULL), RC_OK);
		assert_memory_not_equal(hash, o.sha256, 32);
		typed[i] = was;
	}
	/* And not by a part of it. */
	for (size_t len = 1; len < n; len++) {
		if (typed[len - 1] == ' ' && otp_hash(hash, typed, len, NULL) != RC_OK)
			continue;
		assert_int_equal(otp_hash(hash, typed, len, NULL), RC_OK);
		assert_memory_not_equal(hash, o.sha256, 32);
	}
}

static void
the_hash_is_sha256_of_the_plain_characters(void **state)
{
	/* printf ABC2 | sha256sum */
	static const char want[] =
	    "ee0f4c103cd2b8eea2de4637eb8a5d6bcd08bbd1704b3e1b4151a1013f5bf0bf";
	uint8_t hash[32];
	char hex[65];

	assert_int_equal(otp_hash(hash, "a-b c2", 6, NULL), RC_OK);
	hex_lower(hex, hash, sizeof(hash));
	assert_string_equal(hex, want);
}

static void
what_is_no_password_is_refused(void **state)
{
	static char longest[OTP_SENT_MAX + 1];
	static const char *const blank[] = { "", " ", "-", "- - -  --" };
	uint8_t hash[32];
	struct err err;

	for (size_t i = 0; i < sizeof(blank) / sizeof(blank[0]); i++)
		assert_int_equal(otp_hash(hash, blank[i], strlen(blank[i]), &err), RC_DENIED);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(otp_hash(hash, longest, OTP_SENT_MAX, &err), RC_OK);
	assert_int_equal(otp_hash(hash, longest, OTP_SENT_MAX + 1, &err), RC_DENIED);
}

static void
a_pattern_says_what_it_leaves_free(void **state)
{
	static const struct {
		const char *pattern, *words;
	} rows[] = {
		{ "CN=pc-7", "CN=pc-7" },
		{ "CN=pc-*", "CN=pc-*" },
		{ "CN=pc-?,O=*", "CN=pc-?; any O" },
		{ "CN=*,O=Contoso", "any CN; O=Contoso" },
		{ "CN=??,emailAddress=*@x", "any CN; E=*@x" },
		{ "CN=a\\,b", "CN=a,b" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		otp_subject_words(&b, rows[i].pattern);
		assert_string_equal(buf_str(&b), rows[i].words);
		buf_done(&b);
	}
}

static void
a_pattern_that_would_let_nobody_in_is_refused(void **state)
{
	static const char *const attrs[] = { "CN", "O" };
	const struct profile p = { .subject_attributes = attrs, .n_subject_attributes = 2 };
	struct err err;

	assert_int_equal(otp_subject_check("CN=a,O=b", &p, &err), RC_OK);
	assert_int_equal(otp_subject_check("CN=a,OU=b", &p, &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "names OU"));
	assert_int_equal(otp_subject_check("a", &p, &err), RC_CONFIG);
}

static void
a_name_that_the_profile_refuses_gets_no_password(void **state)
{
	static const char *const attrs[] = { "CN", "O", "OU" };
	static const char *const allow[] = { "CN=*.contoso.com,O=Contoso", "OU=Lab" };
	const struct profile p = { .name = "lab",
		.subject_attributes = attrs,
		.n_subject_attributes = 3,
		.subject_allow = allow,
		.n_subject_allow = 2 };
	static const char *const fine[] = { "CN=pc1.contoso.com,O=Contoso", "o=Contoso,cn=pc*",
		"CN=anybody,OU=Lab", "CN=pc1.contoso.com,O=?ontoso" };
	static const char *const not [] = { "CN=pc1.contoso.con,O=Contoso", "CN=pc1.contoso.com",
		"CN=pc1.contoso.com,O=Fabrikam", "CN=pc1.contoso.com,CN=root,O=Contoso" };
	struct err err;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(otp_subject_check(fine[i], &p, &err), RC_OK);
	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
		assert_int_equal(otp_subject_check(not [i], &p, &err), RC_CONFIG);
		assert_non_null(strstr(err.msg, "fits no subject.allow of profile lab"));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_have_the_form_that_was_asked_for),
		cmocka_unit_test(all_places_take_all_characters),
		cmocka_unit_test(no_two_are_the_same),
		cmocka_unit_test(it_is_known_again_as_people_type_it),
		cmocka_unit_test(the_hash_is_sha256_of_the_plain_characters),
		cmocka_unit_test(what_is_no_password_is_refused),
		cmocka_unit_test(a_pattern_says_what_it_leaves_free),
		cmocka_unit_test(a_pattern_that_would_let_nobody_in_is_refused),
		cmocka_unit_test(a_name_that_the_profile_refuses_gets_no_password),
	};

	return cmocka_run_group_tests_name("otp", tests, NULL, NULL);
}
