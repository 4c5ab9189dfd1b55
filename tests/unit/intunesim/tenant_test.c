/*
 * tenant_test.c - tenant files: what loads, and what is wrong with the others.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#include "kit.h"

static void
example_of_the_manual_loads(void **state)
{
	const char *path = getenv("CONTOSO_YAML");
	struct tenant *t;
	struct err e;

	(void)state;
	assert_non_null(path);
	assert_ok(tenant_load(&t, path, NULL, 0, &e), e);
	assert_int_equal(t->n_devices, 4);
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];
		size_t n = 0;

		for (size_t j = 0; j < t->n_profiles; j++)
			n += t->profiles[j].conf->platform == d->conf->platform &&
			    tenant_assigns(t, d, &t->profiles[j].conf->groups);
		assert_int_equal(n, 1);
	}
	tenant_free(t);
}

static void
things_are_found_by_every_name(void **state)
{
	const struct kit *k = *state;
	const struct tenant *t = k->view->tenants[0];

	assert_ptr_equal(view_tenant(k->view, ALPHA_ID), t);
	assert_ptr_equal(view_tenant(k->view, "Alpha.OnMicrosoft.com"), t);
	assert_null(view_tenant(k->view, "gamma.example"));
	assert_ptr_equal(tenant_device(t, "WIN-1"), &t->devices[0]);
	assert_ptr_equal(tenant_device(t, "10000000-0000-4000-8000-000000000001"), &t->devices[0]);
	assert_null(tenant_device(t, "win-2"));
	assert_ptr_equal(tenant_user(t, "JANE@alpha.example"), t->file.users.v);
	assert_null(tenant_user(t, "x"));
	assert_null(tenant_app(t, "x"));
	assert_null(tenant_profile(t, "x"));
}

static void
groups_reach_devices_and_their_users(void **state)
{
	static const struct {
		const char *group, *device;
		bool in;
	} rows[] = {
		{ "Laptops", "win-1", true },
		{ "laptops", "win-1", true },
		{ "Laptops", "phone-1", false },
		{ "Jane", "phone-1", true },
		{ "Jane", "droid-1", false },
		{ "All users", "droid-1", true },
		{ "All users", "mac-1", false },
		{ "All devices", "mac-1", true },
		{ "Empty", "win-1", false },
		{ "no such group", "win-1", false },
	};
	const struct kit *k = *state;
	const struct tenant *t = k->view->tenants[0];

	for (size_t i = 0; i < N(rows); i++) {
		const char *group = rows[i].group;
		struct conf_strs groups = { &group, 1 };

		assert_int_equal(
		    tenant_assigns(t, tenant_device(t, rows[i].device), &groups), rows[i].in);
	}
}

static void
profile_is_resolved(void **state)
{
	const struct kit *k = *state;
	const struct profile *p = tenant_profile(k->view->tenants[0], PROFILE_DEVICE);

	assert_int_equal(p->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(p->key_bits, 2048);
	assert_int_equal(p->n_eku, 2);
	assert_string_equal(p->eku[0], "1.3.6.1.5.5.7.3.2");
	assert_string_equal(p->eku[1], "1.2.3.4");
	assert_string_equal(p->root->conf->name, "Root W");
}

static void
wrong_file_names_line_and_key(void **state)
{
	/* One change each; `want` is a piece of the message. */
	static const struct {
		const char *from, *to, *want;
	} rows[] = {
		{ "id: " ALPHA_ID, "id: alpha", "no GUID" },
		{ "domain: [alpha.example,", "domain: [alpha,", "no domain" },
		{ "name: Alpha}", "name: Alpha, nmae: x}", "nmae" },
		{ "value: '" SECRET "'}", "value: ''}", "empty" },
		{ "expires: 2020-01-01T00:00:00Z", "expires: tomorrow", "expires" },
		{ "permissions: [scep_challenge_provider,", "permissions: [scep,", "permissions" },
		{ "upn: bob@alpha.example", "upn: bob", "'@'" },
		{ "upn: bob@alpha.example", "upn: JANE@alpha.example", "twice" },
		{ "id: 00000000-0000-4000-8000-00000000000b",
		    "id: 00000000-0000-4000-8000-00000000000a", "twice" },
		{ "users: [jane@alpha.example]", "users: [joan@alpha.example]", "no user" },
		{ "devices: [win-1]", "devices: [win-9]", "no device" },
		{ "name: phone-1", "name: win-1", "twice" },
		{ "name: phone-1, platform: ios", "name: phone-1, platform: symbian", "platform" },
		{ "name: phone-1, platform: ios", "name: phone-1, platform: ios, enrollment: aosp",
		    "android only" },
		{ "user: bob@alpha.example", "user: rob@alpha.example", "no user" },
		{ "registered_keys: ['", "registered_keys: ['0", "40 hex digits" },
		{ "{name: Empty}", "{name: Laptops}", "twice" },
		{ "root: Root W, groups: [Laptops]", "root: Root X, groups: [Laptops]",
		    "no trusted root" },
		{ "root: Root W, groups: [Laptops]", "root: Root I, groups: [Laptops]",
		    "is for ios" },
		{ "root: Root W, groups: [Laptops]", "root: Root W, groups: [Desktops]",
		    "no group" },
		{ "subject: 'CN={{AAD_Device_ID}},O=Alpha'", "subject: 'CN={{UserName}}'",
		    "device certificate" },
		{ "value: '{{FullyQualifiedDomainName}}'", "value: '{{FQDN}}'", "no variable" },
		{ "eku: [clientAuth, 1.2.3.4]", "eku: [clientAuht]", "OID" },
		{ "key_usage: digitalSignature,", "key_usage: certSign,", "key_usage" },
		{ "validity: {period: months, units: 6}", "validity: {period: eons, units: 6}",
		    "period" },
		{ "id: " PROFILE_DEVICE, "id: 17", "no GUID" },
		{ "name: Nobody", "name: Device", "twice" },
		{ "validity: {period: months", "key_size: 4096, validity: {period: months",
		    "software" },
		{ "validity: {period: months", "ca_thumbprint: abc, validity: {period: months",
		    "40 hex digits" },
		{ "subject: 'CN={{UserName}}', groups: [Hello]", "groups: [Hello]", "subject" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct err e = { 0 };
		enum rc rc = kit_try_tenant(k, rows[i].from, rows[i].to, &e);

		if (rc != RC_CONFIG)
			fail_msg("row %zu (%s): %s", i, rows[i].to, rc_name(rc));
		if (strstr(e.msg, rows[i].want) == NULL || strstr(e.msg, "t.yaml:") == NULL)
			fail_msg("row %zu (%s): %s", i, rows[i].to, e.msg);
	}
}

static void
roots_come_from_options_by_pattern(void **state)
{
	char path[] = "/tmp/intunesim-root-XXXXXX";
	struct root_option options[] = { { "Root M*", path, false }, { "Router", path, false } };
	const struct kit *k = *state;
	char *text = kit_tenant_text(k);
	struct tenant *t;
	struct buf pem;
	struct err e;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	buf_init(&pem, 65536);
	cert_pem(&pem, k->view->tenants[0]->signer.cert);
	assert_ok(file_write(path, pem.data, pem.len, 0600, 1, &e), e);
	assert_ok(tenant_parse(&t, "a.yaml", text, strlen(text), options, 2, &e), e);
	assert_true(options[0].used);
	assert_false(options[1].used);
	for (size_t i = 0; i < t->n_roots; i++)
		assert_int_equal(
		    t->roots[i].cert != NULL, strncmp(t->roots[i].conf->name, "Root M", 6) == 0);
	for (size_t i = 0; i < t->n_profiles; i++)
		assert_int_equal(t->profiles[i].ca_thumbprint[0] != '\0',
		    t->profiles[i].conf->platform == PLATFORM_MACOS);
	tenant_free(t);
	unlink(path);
	assert_int_not_equal(tenant_parse(&t, "a.yaml", text, strlen(text), options, 2, &e), RC_OK);
	assert_non_null(strstr(e.msg, "trusted root \"Root M\""));
	buf_done(&pem);
	free(text);
}

static void
tenants_that_share_a_name_are_refused(void **state)
{
	const struct kit *k = *state;
	char *text = kit_tenant_text(k);
	struct sim_options o = { 0 };
	struct tenant *t[2];
	struct sim *s;
	struct err e;

	for (size_t i = 0; i < 2; i++)
		assert_ok(tenant_parse(&t[i], "a.yaml", text, strlen(text), NULL, 0, &e), e);
	assert_int_equal(sim_new(&s, &o, t, 2, &e), RC_CONFIG);
	free(text);
}

static void
guids_have_one_form(void **state)
{
	char a[GUID_TEXT_MAX], b[GUID_TEXT_MAX];
	struct err e;

	(void)state;
	assert_true(guid_valid(ALPHA_ID));
	assert_false(guid_valid(""));
	assert_false(guid_valid("{" ALPHA_ID "}"));
	assert_false(guid_valid("11111111-aaaa-4aaa-8aaa-00000000000g"));
	assert_false(guid_valid("11111111xaaaa-4aaa-8aaa-000000000001"));
	assert_ok(guid_derive(a, "x", "y", &e), e);
	assert_ok(guid_derive(b, "x", "y", &e), e);
	assert_true(guid_valid(a));
	assert_string_equal(a, b);
	assert_ok(guid_derive(b, "x", "z", &e), e);
	assert_string_not_equal(a, b);
	assert_ok(guid_random(a, &e), e);
	assert_ok(guid_random(b, &e), e);
	assert_true(guid_valid(a));
	assert_string_not_equal(a, b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_of_the_manual_loads),
		cmocka_unit_test(things_are_found_by_every_name),
		cmocka_unit_test(groups_reach_devices_and_their_users),
		cmocka_unit_test(profile_is_resolved),
		cmocka_unit_test(wrong_file_names_line_and_key),
		cmocka_unit_test(roots_come_from_options_by_pattern),
		cmocka_unit_test(tenants_that_share_a_name_are_refused),
		cmocka_unit_test(guids_have_one_form),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
