/*
 * authorization_test.c - nobody gets an authorization who should not.
 */
#include <string.h>

#include "fixture.h"

#include "ca/otp.h"

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

/* ---- one-time passwords ---- */

#define OTP_TEXT "K7QM-2VXA-9DTP-3HCE"

static struct one_time_password
otp_for(const char *subject, const char *san)
{
	struct one_time_password o = { .id = 42, .subject = subject, .san = san };

	assert_ok(otp_hash(o.sha256, OTP_TEXT, strlen(OTP_TEXT), err));
	return o;
}

static void
test_S15_one_time_password_is_for_its_subject_and_names_alone(void **state)
{
	static const struct {
		const char *subject, *san;    /* of the password */
		const char *asked, *names[3]; /* of the request */
		const char *why;              /* NULL: taken */
	} rows[] = {
		{ "CN=pc1.contoso.com", NULL, "CN=pc1.contoso.com", { NULL }, NULL },
		{ "CN=pc?.contoso.com", NULL, "CN=pc1.contoso.com", { NULL }, NULL },
		{ "CN=pc1.contoso.com", NULL, "CN=pc2.contoso.com", { NULL },
		    "not for this subject" },
		{ "CN=pc1", NULL, "CN=pc1,CN=admin", { NULL }, "not for this subject" },
		{ "CN=pc1", NULL, "CN=pc1,OU=Admins", { NULL }, "not for this subject" },
		{ "CN=pc1,OU=*", NULL, "CN=pc1,OU=Admins", { NULL }, NULL },
		{ "CN=pc1,OU=*", NULL, "CN=pc1", { NULL }, "not for this subject" },
		{ "CN=pc1", "dns:pc1.x", "CN=pc1", { "dns:pc1.x" }, NULL },
		{ "CN=pc1", "dns:pc1.x", "CN=pc1", { NULL }, NULL },
		{ "CN=pc1", "dns:pc1.x", "CN=pc1", { "dns:dc.x" }, "not for the name dns:dc.x" },
		{ "CN=pc1", "dns:pc1.x upn:a@x", "CN=pc1", { "dns:pc1.x", "upn:a@x" }, NULL },
		{ "CN=pc1", "dns:pc1.x", "CN=pc1", { "dns:pc1.x", "upn:a@x" },
		    "not for the name upn:a@x" },
		{ "CN=pc1", "dns:*.x", "CN=pc1", { "dns:*.x" }, "not for the name dns:*.x" },
		/* S18: an account only by a pattern that spells the tag out */
		{ "CN=pc1", "uri:t*", "CN=pc1",
		    { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1" },
		    "not for the name uri:tag" },
		{ "CN=pc1", "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1", "CN=pc1",
		    { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1" }, NULL },
	};
	struct profile p = sane_profile();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish w = { .subject = rows[i].asked, .challenge = OTP_TEXT };
		struct one_time_password o = otp_for(rows[i].subject, rows[i].san);
		struct authorization *a = NULL;
		struct csr *csr;

		memcpy(w.san, rows[i].names, sizeof(rows[i].names));
		csr = request(*state, &w);
		if (rows[i].why != NULL) {
			assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, rows[i].why);
			assert_null(a);
		} else {
			assert_ok(authorise_otp(&a, &o, &p, csr, err));
			assert_string_equal(authorization_authority(a), "otp:42");
			assert_true(authorization_covers(a, csr));
		}
		authorization_free(a);
		csr_free(csr);
	}
}

static void
one_time_password_is_known_as_people_type_it_and_no_other_is(void **state)
{
	static const char *const same[] = { "K7QM2VXA9DTP3HCE", "k7qm-2vxa-9dtp-3hce",
		"K7QM 2VXA 9DTP 3HCE" };
	struct one_time_password o = otp_for("CN=pc1.contoso.com", NULL);
	struct profile p = sane_profile();
	struct authorization *a = NULL;
	struct csr *csr;
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		csr = request(*state, &(struct wish){ .challenge = same[i] });
		assert_ok(authorise_otp(&a, &o, &p, csr, err));
		authorization_free(a);
		csr_free(csr);
	}
	csr = request(*state, &(struct wish){ .challenge = "K7QM-2VXA-9DTP-3HCF" });
	a = NULL;
	assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, "another one");
	csr_free(csr);
	csr = request(*state, &(struct wish){ 0 });
	assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, "no challenge");
	csr_free(csr);
	csr = request_with_challenges(*state, 2);
	assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, "more than one");
	assert_null(a);
	csr_free(csr);
}

static void
test_S15_one_time_password_for_anybody_needs_a_profile_that_bounds(void **state)
{
	static const char *const patterns[] = { "CN=*.contoso.com" }, *const open[] = { "CN=*" };
	struct csr *csr = request(*state, &(struct wish){ .challenge = OTP_TEXT });
	struct one_time_password o = otp_for(NULL, NULL);
	struct profile p = sane_profile();
	struct authorization *a = NULL;

	p.san_types = 0;
	assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, "for no particular subject");
	p.subject_allow = open;
	p.n_subject_allow = 1;
	assert_fails(authorise_otp(&a, &o, &p, csr, err), RC_DENIED, "for no particular subject");
	p.subject_allow = patterns;
	assert_ok(authorise_otp(&a, &o, &p, csr, err));
	authorization_free(a);
	csr_free(csr);
}

static void
patterns_of_a_one_time_password_bind_something(void **state)
{
	static const char *const bad_subjects[] = { "CN=*", "pc1", "", "CN=", "CN=*,O=?" };
	static const char *const bad_sans[] = { "", " ", "pc1.x", "dns:", "dns:*", "ip:10.0.0.1",
		"other:x", "dns:a upn:*", "dns:a.x,dns:b.x" };
	char long_text[OTP_SAN_MAX + 8];
	size_t i;

	for (i = 0; i < sizeof(bad_subjects) / sizeof(bad_subjects[0]); i++)
		assert_fails(one_time_password_check(bad_subjects[i], NULL, err), RC_CONFIG, "");
	for (i = 0; i < sizeof(bad_sans) / sizeof(bad_sans[0]); i++)
		assert_fails(one_time_password_check(NULL, bad_sans[i], err), RC_CONFIG, "san");
	memset(long_text, 'a', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	memcpy(long_text, "dns:", 4);
	assert_fails(one_time_password_check(NULL, long_text, err), RC_CONFIG, "more than");
	assert_ok(one_time_password_check("CN=pc1,O=*", "dns:pc1.x  uri:urn:a,*", err));
	assert_ok(one_time_password_check(NULL, NULL, err));
}

static void
authority_that_needs_no_challenge_is_asked_without_one(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ 0 });
	struct counter c = { 0, RC_OK };
	struct authority a = { "approval:jane", count, &c, .no_challenge = true };
	struct authorization *out = NULL;

	assert_ok(authorise_by(&out, &a, csr, "tx", err));
	assert_int_equal(c.asked, 1);
	assert_string_equal(authorization_authority(out), "approval:jane");
	authorization_free(out);
	c.rc = RC_DENIED;
	out = NULL;
	assert_fails(authorise_by(&out, &a, csr, "tx", err), RC_DENIED, "no answer");
	assert_null(out);
	csr_free(csr);
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
		cmocka_unit_test(test_S15_one_time_password_is_for_its_subject_and_names_alone),
		cmocka_unit_test(one_time_password_is_known_as_people_type_it_and_no_other_is),
		cmocka_unit_test(
		    test_S15_one_time_password_for_anybody_needs_a_profile_that_bounds),
		cmocka_unit_test(patterns_of_a_one_time_password_bind_something),
		cmocka_unit_test(authority_that_needs_no_challenge_is_asked_without_one),
	};

	return cmocka_run_group_tests_name("authorization", tests, fixture_new, fixture_free);
}
