/*
 * vars_test.c - the variables of SCEP profiles: what each becomes, and who has which.
 */
#include <string.h>

#include "intunesim/vars.h"

#include "kit.h"

static const struct user_conf jane = {
	.id = "u",
	.upn = "jane@contoso.com",
	.email = "jane.doe@contoso.com",
	.given_name = "Jane",
	.surname = "Doe",
	.on_prem_sid = "S-1-5-21-1",
	.on_prem_dn = "CN=Jane,DC=x",
	.sam_account = "janed",
	.department = "Sales",
};

static const struct device_conf laptop = {
	.id = "intune-id",
	.name = "LAPTOP",
	.entra_id = "entra-id",
	.platform = PLATFORM_WINDOWS,
	.serial = "SER",
	.imei = "IME",
	.meid = "MEI",
	.wifi_mac = "MAC",
	.fqdn = "laptop.corp",
	.on_prem_sid = "S-1-5-21-2",
};

static struct profile_conf
profile_of(int platform, int type)
{
	return (struct profile_conf){ .platform = platform, .certificate_type = type };
}

/* "text", or "!reason" when it cannot be filled. */
static void
expect(const char *text, enum var_place place, int type, const struct device_conf *d,
    const struct user_conf *u, const char *want)
{
	struct profile_conf p = profile_of(d->platform, type);
	struct err e = { 0 };
	struct buf b;
	enum rc rc;

	buf_init(&b, 4096);
	rc = vars_expand(&b, text, place, &p, d, u, &e);
	if (want[0] == '!') {
		assert_int_equal(rc, RC_DENIED);
		if (strstr(e.msg, want + 1) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", text, e.msg, want + 1);
	} else {
		if (rc != RC_OK)
			fail_msg("%s: %s", text, e.msg);
		assert_string_equal(buf_str(&b), want);
	}
	buf_done(&b);
}

static void
every_variable_becomes_its_value(void **state)
{
	static const char *const rows[][2] = {
		{ "CN={{UserName}}", "CN=jane" },
		{ "{{UserPrincipalName}}", "jane@contoso.com" },
		{ "{{EmailAddress}}", "jane.doe@contoso.com" },
		{ "{{GivenName}} {{SurName}}", "Jane Doe" },
		{ "{{OnPrem_Distinguished_Name}}", "CN=Jane,DC=x" },
		{ "{{OnPremisesSamAccountName}}", "janed" },
		{ "{{onPremisesSamAccountName}}", "janed" },
		{ "{{Department}}", "Sales" },
		{ "{{AAD_Device_ID}}", "entra-id" },
		{ "{{AzureADDeviceId}}", "entra-id" },
		{ "{{DeviceId}}", "intune-id" },
		{ "{{DeviceName}}", "LAPTOP" },
		{ "{{FullyQualifiedDomainName}}", "laptop.corp" },
		{ "{{SerialNumber}}", "SER" },
		{ "{{SERIALNUMBER}}", "SER" },
		{ "{{Device_Serial}}", "SER" },
		{ "{{IMEI}}", "IME" },
		{ "{{IMEINumber}}", "IME" },
		{ "{{Device_IMEI}}", "IME" },
		{ "{{MEID}}", "MEI" },
		{ "{{WiFiMacAddress}}", "MAC" },
		{ "no variable, at all", "no variable, at all" },
		{ "", "" },
		{ "IntuneDeviceId://{{DeviceId}}", "IntuneDeviceId://intune-id" },
		{ "a{{DeviceId}}b{{UserName}}c", "aintune-idbjanec" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		expect(rows[i][0], PLACE_SUBJECT, CERTIFICATE_USER, &laptop, &jane, rows[i][1]);
}

static void
sid_is_of_whom_the_certificate_names(void **state)
{
	static const char text[] = "{{OnPremisesSecurityIdentifier}}";

	(void)state;
	expect(text, PLACE_SAN_URI, CERTIFICATE_USER, &laptop, &jane,
	    "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1");
	expect(text, PLACE_SAN_URI, CERTIFICATE_DEVICE, &laptop, NULL,
	    "tag:microsoft.com,2022-09-14:sid:S-1-5-21-2");
}

static void
user_name_may_differ_from_the_upn(void **state)
{
	struct user_conf u = jane;

	(void)state;
	u.user_name = "jdoe";
	expect("{{UserName}}", PLACE_SUBJECT, CERTIFICATE_USER, &laptop, &u, "jdoe");
}

static void
missing_value_is_said(void **state)
{
	const struct user_conf bare = { .id = "b", .upn = "b@contoso.com" };
	const struct device_conf mac = { .id = "m", .name = "m", .platform = PLATFORM_MACOS };

	(void)state;
	expect("{{EmailAddress}}", PLACE_SUBJECT, CERTIFICATE_USER, &laptop, &bare,
	    "!the user has no value for {{EmailAddress}}");
	expect("{{IMEI}}", PLACE_SUBJECT, CERTIFICATE_DEVICE, &mac, NULL,
	    "!the device has no value for {{IMEI}}");
	expect("{{UserName}}", PLACE_SUBJECT, CERTIFICATE_USER, &mac, NULL, "!has no user");
}

static void
android_kinds_hide_values(void **state)
{
	static const struct {
		int enrollment;
		const char *text;
		enum var_place place;
		const char *want;
	} rows[] = {
		{ ENROLLMENT_DEFAULT, "{{IMEI}}", PLACE_SUBJECT, "IME" },
		{ ENROLLMENT_PERSONAL_WORK_PROFILE, "{{IMEI}}", PLACE_SUBJECT, "!gives {{IMEI}}" },
		{ ENROLLMENT_PERSONAL_WORK_PROFILE, "{{SerialNumber}}", PLACE_SUBJECT,
		    "!no value" },
		{ ENROLLMENT_PERSONAL_WORK_PROFILE, "{{MEID}}", PLACE_SUBJECT, "!no value" },
		{ ENROLLMENT_CORPORATE_WORK_PROFILE, "{{SerialNumber}}", PLACE_SUBJECT, "SER" },
		{ ENROLLMENT_FULLY_MANAGED, "{{UserName}}", PLACE_SUBJECT, "jane" },
		{ ENROLLMENT_FULLY_MANAGED, "{{UserName}}", PLACE_SAN_UPN, "!in a SAN" },
		{ ENROLLMENT_CORPORATE_WORK_PROFILE, "{{UserName}}", PLACE_SAN_EMAIL, "!in a SAN" },
		{ ENROLLMENT_PERSONAL_WORK_PROFILE, "{{UserName}}", PLACE_SAN_UPN, "jane" },
		{ ENROLLMENT_DEDICATED, "{{UserPrincipalName}}", PLACE_SAN_UPN, "!no value" },
		{ ENROLLMENT_AOSP, "{{UserPrincipalName}}", PLACE_SAN_UPN, "jane@contoso.com" },
		{ ENROLLMENT_AOSP, "{{Department}}", PLACE_SUBJECT, "!no value" },
		{ ENROLLMENT_AOSP, "{{OnPrem_Distinguished_Name}}", PLACE_SUBJECT, "!no value" },
		{ ENROLLMENT_AOSP, "{{OnPremisesSamAccountName}}", PLACE_SUBJECT, "!no value" },
	};
	struct device_conf d = laptop;

	(void)state;
	d.platform = PLATFORM_ANDROID;
	for (size_t i = 0; i < N(rows); i++) {
		d.enrollment = rows[i].enrollment;
		expect(rows[i].text, rows[i].place, CERTIFICATE_USER, &d, &jane, rows[i].want);
	}
}

static void
profile_that_cannot_work_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum var_place place;
		int platform, type;
		const char *want; /* NULL: fine */
	} rows[] = {
		{ "CN={{UserName}},E={{EmailAddress}}", PLACE_SUBJECT, PLATFORM_IOS,
		    CERTIFICATE_USER, NULL },
		{ "CN={{DeviceName}};O=x|y", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_DEVICE,
		    NULL },
		{ "CN={{UserName}}", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_DEVICE,
		    "of the user" },
		{ "CN={{UsrName}}", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_USER,
		    "no variable {{UsrName}}" },
		{ "CN={{}}", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_USER, "no variable" },
		{ "CN={{UserName", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_USER, "without" },
		{ "CN={UserName}", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_USER, "'{'" },
		{ "CN=a}}", PLACE_SUBJECT, PLATFORM_IOS, CERTIFICATE_USER, "'}'" },
		{ "{{OnPremisesSecurityIdentifier}}", PLACE_SUBJECT, PLATFORM_WINDOWS,
		    CERTIFICATE_USER, "URI" },
		{ "{{OnPremisesSecurityIdentifier}}", PLACE_SAN_UPN, PLATFORM_WINDOWS,
		    CERTIFICATE_USER, "URI" },
		{ "{{OnPremisesSecurityIdentifier}}", PLACE_SAN_URI, PLATFORM_MACOS,
		    CERTIFICATE_USER, NULL },
		{ "{{OnPremisesSecurityIdentifier}}", PLACE_SAN_URI, PLATFORM_MACOS,
		    CERTIFICATE_DEVICE, "macos" },
		{ "{{OnPremisesSecurityIdentifier}}", PLACE_SAN_URI, PLATFORM_ANDROID,
		    CERTIFICATE_USER, "android" },
		{ "{{FullyQualifiedDomainName}}", PLACE_SAN_DNS, PLATFORM_IOS, CERTIFICATE_DEVICE,
		    "ios" },
		{ "{{DeviceName}}|x", PLACE_SAN_DNS, PLATFORM_IOS, CERTIFICATE_DEVICE, "'|'" },
		{ "{{DeviceName}};x", PLACE_SAN_DNS, PLATFORM_IOS, CERTIFICATE_DEVICE, "';'" },
		{ "x;{{DeviceName}}", PLACE_SAN_DNS, PLATFORM_IOS, CERTIFICATE_DEVICE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct profile_conf p = profile_of(rows[i].platform, rows[i].type);
		struct err e = { 0 };
		enum rc rc = vars_check(rows[i].text, rows[i].place, &p, &e);

		if (rows[i].want == NULL && rc != RC_OK)
			fail_msg("%s: %s", rows[i].text, e.msg);
		if (rows[i].want != NULL && (rc != RC_CONFIG || !strstr(e.msg, rows[i].want)))
			fail_msg("row %zu, %s: %s", i, rows[i].text, e.msg);
	}
}

static void
misspelt_variable_gets_a_suggestion(void **state)
{
	struct profile_conf p = profile_of(PLATFORM_IOS, CERTIFICATE_USER);
	struct err e;

	(void)state;
	assert_int_equal(vars_check("{{UserNam}}", PLACE_SUBJECT, &p, &e), RC_CONFIG);
	assert_string_equal(e.hint, "did you mean {{UserName}}?");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_variable_becomes_its_value),
		cmocka_unit_test(sid_is_of_whom_the_certificate_names),
		cmocka_unit_test(user_name_may_differ_from_the_upn),
		cmocka_unit_test(missing_value_is_said),
		cmocka_unit_test(android_kinds_hide_values),
		cmocka_unit_test(profile_that_cannot_work_is_refused),
		cmocka_unit_test(misspelt_variable_gets_a_suggestion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
