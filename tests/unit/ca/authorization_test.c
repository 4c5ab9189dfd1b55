/*
 * authorization_test.c - nobody gets an authorization who should not.
 */
#include <string.h>

#include "fixture.h"

struct counter {
	unsigned asked;
	enum rc rc;
};

static enum rc
count(void *ctx, const struct csr *csr, const char *transaction_id, struct err *err)
{
	struct counter *c = ctx;

	c->asked++;
	return c->rc == RC_OK ? RC_OK : fail(err, c->rc, "no answer");
}

/* The authority must not even be asked. */
static void
refused_unasked(const struct csr *csr, const char *why)
{
	struct counter c = { 0, RC_OK };
	struct authority a = { "intune:contoso", count, &c };
	struct authorization *out = NULL;

	assert_fails(authorise_by(&out, &a, csr, "tx", err), RC_DENIED, why);
	assert_null(out);
	assert_int_equal(c.asked, 0);
}

static void
absent_challenge_is_refused_before_the_authority_is_asked(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ 0 });

	refused_unasked(csr, "no challenge");
	csr_free(csr);
}

static void
blank_challenge_counts_as_absent(void **state)
{
	static const char *const blanks[] = { "", " ", " \t ", "\n" };
	size_t i;

	for (i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		struct csr *csr = request(*state, &(struct wish){ .challenge = blanks[i] });

		refused_unasked(csr, "no challenge");
		csr_free(csr);
	}
}

static void
two_challenges_are_refused_even_if_both_are_right(void **state)
{
	struct csr *csr = request_with_challenges(*state, 2);

	refused_unasked(csr, "more than one");
	csr_free(csr);
}

static void
one_challenge_made_by_hand_is_taken(void **state)
{
	struct csr *csr = request_with_challenges(*state, 1);

	authorization_free(yes_to(csr));
	authorization_free(static_yes_to(csr));
	csr_free(csr);
}

static void
anything_but_a_yes_gives_no_authorization(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ .challenge = CHALLENGE });
	enum rc rc;

	for (rc = RC_OK + 1; rc < RC__MAX; rc++) {
		struct counter c = { 0, rc };
		struct authority a = { "intune:contoso", count, &c };
		struct authorization *out = NULL;

		assert_fails(authorise_by(&out, &a, csr, "tx", err), rc, "no answer");
		assert_null(out);
		assert_int_equal(c.asked, 1);
	}
	csr_free(csr);
}

static void
yes_names_the_authority(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ .challenge = CHALLENGE });
	struct authorization *a = yes_to(csr), *s = static_yes_to(csr);

	assert_string_equal(authorization_authority(a), "intune:contoso");
	assert_string_equal(authorization_authority(s), "static");
	authorization_free(a);
	authorization_free(s);
	csr_free(csr);
}

static void
authorization_covers_its_request_only(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ .challenge = CHALLENGE });
	struct csr *other = request(
	    *state, &(struct wish){ .challenge = CHALLENGE, .subject = "CN=pc2.contoso.com" });
	struct authorization *a = yes_to(csr);

	assert_true(authorization_covers(a, csr));
	assert_false(authorization_covers(a, other));
	assert_false(authorization_covers(NULL, csr));
	authorization_free(a);
	csr_free(csr);
	csr_free(other);
}

static void
wrong_static_challenge_is_refused(void **state)
{
	static const char *const wrong[] = { "correct horse batterx", "correct horse battery ",
		"Correct horse battery", "x" };
	struct static_challenge c;
	size_t i;

	assert_ok(static_challenge_set(&c, CHALLENGE, strlen(CHALLENGE), err));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct csr *csr = request(*state, &(struct wish){ .challenge = wrong[i] });
		struct authorization *out = NULL;

		assert_fails(authorise_static(&out, &c, csr, err), RC_DENIED, "wrong");
		assert_null(out);
		csr_free(csr);
	}
}

static void
static_endpoint_without_a_secret_lets_nobody_in(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ .challenge = CHALLENGE });
	struct csr *none = request(*state, &(struct wish){ 0 });
	struct static_challenge unset = { { 0 } }, set;
	struct authorization *out = NULL;

	assert_fails(authorise_static(&out, &unset, csr, err), RC_BUG, "no challenge secret");
	assert_ok(static_challenge_set(&set, CHALLENGE, strlen(CHALLENGE), err));
	assert_fails(authorise_static(&out, &set, none, err), RC_DENIED, "no challenge");
	assert_null(out);
	csr_free(csr);
	csr_free(none);
}

static void
short_or_blank_secrets_are_refused(void **state)
{
	static const char *const bad[] = { "", "1234567", "        ", "a      \n\n" };
	struct static_challenge c;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(static_challenge_set(&c, bad[i], strlen(bad[i]), err), RC_CONFIG,
		    "fewer than 8");
	assert_ok(static_challenge_set(&c, "12345678", 8, err));
	assert_fails(static_challenge_set(&c, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 8, err),
	    RC_CONFIG, "UTF-8");
}

static void
intune_challenge_is_known_by_its_form(void **state)
{
	char text[401];
	size_t i;

	memset(text, 'A', 400);
	text[400] = '\0';
	assert_true(challenge_looks_like_intune(text));
	text[7] = '/';
	text[8] = '+';
	assert_true(challenge_looks_like_intune(text));
	text[9] = '-'; /* base64url */
	assert_true(challenge_looks_like_intune(text));
	text[9] = '.'; /* two texts joined */
	assert_true(challenge_looks_like_intune(text));
	text[9] = ' ';
	assert_false(challenge_looks_like_intune(text));
	text[9] = '!';
	assert_false(challenge_looks_like_intune(text));
	text[9] = 'A';
	for (i = 0; i < 256; i += 4) {
		text[i] = '\0';
		assert_false(challenge_looks_like_intune(text));
		text[i] = 'A';
	}
	assert_false(challenge_looks_like_intune(CHALLENGE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_challenge_is_refused_before_the_authority_is_asked),
		cmocka_unit_test(blank_challenge_counts_as_absent),
		cmocka_unit_test(two_challenges_are_refused_even_if_both_are_right),
		cmocka_unit_test(one_challenge_made_by_hand_is_taken),
		cmocka_unit_test(anything_but_a_yes_gives_no_authorization),
		cmocka_unit_test(yes_names_the_authority),
		cmocka_unit_test(authorization_covers_its_request_only),
		cmocka_unit_test(wrong_static_challenge_is_refused),
		cmocka_unit_test(static_endpoint_without_a_secret_lets_nobody_in),
		cmocka_unit_test(short_or_blank_secrets_are_refused),
		cmocka_unit_test(intune_challenge_is_known_by_its_form),
	};

	return cmocka_run_group_tests_name("authorization", tests, fixture_new, fixture_free);
}
