/*
 * profile_test.c - profiles that would make bad certificates are refused when the configuration is
 * read.
 */
#include <string.h>

#include "ca/profile.h"
#include "fixture.h"

static void
refused(const struct profile *p, const char *why)
{
	assert_fails(profile_check(p, err), RC_CONFIG, why);
}

static void
sane_profile_is_taken(void **state)
{
	struct profile p = sane_profile();

	assert_ok(profile_check(&p, err));
}

static void
subject_rules_must_make_sense(void **state)
{
	static const char *const unknown[] = { "CN", "FOO" }, *const oid[] = { "CN", "1.2.3.4" };
	static const char *const no_form[] = { "*.contoso.com" }, *const no_value[] = { "CN=" },
				 *const other[] = { "OU=x" };
	static const char *const fine[] = { "CN=a\\,b,O=*", "E=*@contoso.com", "emailAddress=*" };
	struct profile p = sane_profile();

	p.subject_attributes = unknown;
	p.n_subject_attributes = 2;
	refused(&p, "subject.attributes: \"FOO\" is no attribute");
	p.subject_attributes = oid;
	assert_ok(profile_check(&p, err));
	p.n_subject_attributes = 0;
	refused(&p, "subject.attributes: empty");
	p = sane_profile();
	p.n_subject_allow = 1;
	p.subject_allow = no_form;
	refused(&p, "subject.allow: pattern \"*.contoso.com\" is not of the form");
	p.subject_allow = no_value;
	refused(&p, "is not of the form");
	p.subject_allow = other;
	refused(&p, "names OU, which is not among the subject attributes");
	p.subject_allow = fine;
	p.n_subject_allow = 3;
	assert_ok(profile_check(&p, err));
}

static void
alternative_name_rules_must_make_sense(void **state)
{
	static const char *const untyped[] = { "*@contoso.com" }, *const unknown[] = { "ip:10.*" },
				 *const email[] = { "email:*" };
	struct profile p = sane_profile();

	p.n_san_allow = 1;
	p.san_allow = untyped;
	refused(&p, "san.allow: \"*@contoso.com\" is not of the form TYPE:glob");
	p.san_allow = unknown;
	refused(&p, "is not of the form TYPE:glob");
	p.san_allow = email;
	refused(&p, "is for email, which san.types lacks");
	p = sane_profile();
	p.san_types |= 1u << SAN_OTHER;
	refused(&p, "san.types");
	p = sane_profile();
	p.san_types = 0;
	p.san_required = true;
	refused(&p, "san.required");
	p.san_required = false;
	p.subject_empty_ok = true;
	refused(&p, "subject.empty");
}

static void
leaves_sign_no_certificates(void **state)
{
	struct profile p = sane_profile();

	p.key_usage_allowed |= KU_KEY_CERT_SIGN;
	refused(&p, "key_usage.allow");
	p = sane_profile();
	p.key_usage_allowed |= KU_CRL_SIGN;
	refused(&p, "key_usage.allow");
}

static void
default_usage_must_be_allowed_and_fit_the_keys(void **state)
{
	struct profile p = sane_profile();

	p.key_usage_default = 0;
	refused(&p, "key_usage.default");
	p.key_usage_default = KU_NON_REPUDIATION;
	refused(&p, "key_usage.default");
	p.key_usage_default = KU_KEY_ENCIPHERMENT; /* p256 is taken too */
	refused(&p, "key_usage.default: nothing in it fits an EC key");
	p.ec_p256 = false;
	assert_ok(profile_check(&p, err));
	p.key_usage_allowed = p.key_usage_default = KU_KEY_AGREEMENT;
	refused(&p, "key_usage.default: nothing in it fits an RSA key");
}

static void
usages_that_make_an_authority_are_never_allowed(void **state)
{
	static const char *const never[] = { "2.5.29.37.0", "1.3.6.1.5.5.7.3.9",
		"1.3.6.1.5.5.7.3.8", "1.3.6.1.4.1.311.20.2.1" };
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		const char *const list[] = { CLIENT_AUTH, never[i] };
		struct profile p = sane_profile();

		p.eku_allowed = list;
		refused(&p, "is never issued");
	}
}

static void
default_extended_usage_is_never_empty_and_is_allowed(void **state)
{
	static const char *const other[] = { "1.3.6.1.5.5.7.3.4" },
				 *const nonsense[] = { CLIENT_AUTH, "1.2.x" };
	struct profile p = sane_profile();

	p.n_eku_default = 0;
	refused(&p, "eku.default: empty");
	p.eku_default = other;
	p.n_eku_default = 1;
	refused(&p, "eku.default: 1.3.6.1.5.5.7.3.4 is not in eku.allow");
	p = sane_profile();
	p.eku_allowed = nonsense;
	refused(&p, "eku.allow: \"1.2.x\" is no OID");
}

static void
keys_must_be_strong_and_some(void **state)
{
	struct profile p = sane_profile();

	p.rsa_min = 1024;
	refused(&p, "keys.rsa.min: 1024 bits");
	p.rsa_min = 4096;
	refused(&p, "keys.rsa.max");
	p.rsa_min = p.rsa_max = 0;
	assert_ok(profile_check(&p, err));
	p.ec_p256 = false;
	refused(&p, "keys: no key type");
}

static void
life_must_be_positive_and_default_within_cap(void **state)
{
	struct profile p = sane_profile();

	p.validity_default = p.validity_max + 1;
	refused(&p, "validity.default");
	p.validity_default = 0;
	refused(&p, "validity");
	p = sane_profile();
	p.backdate = -1;
	refused(&p, "backdate");
	p = sane_profile();
	p.digest = DIGEST_SHA1;
	refused(&p, "digest");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sane_profile_is_taken),
		cmocka_unit_test(subject_rules_must_make_sense),
		cmocka_unit_test(alternative_name_rules_must_make_sense),
		cmocka_unit_test(leaves_sign_no_certificates),
		cmocka_unit_test(default_usage_must_be_allowed_and_fit_the_keys),
		cmocka_unit_test(usages_that_make_an_authority_are_never_allowed),
		cmocka_unit_test(default_extended_usage_is_never_empty_and_is_allowed),
		cmocka_unit_test(keys_must_be_strong_and_some),
		cmocka_unit_test(life_must_be_positive_and_default_within_cap),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
