/*
 * config_rules_test.c - `rules:` and the brake in scepd.yaml, and files of rules for `scepctl rules try`.
 */
#include "config_folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAY  86400
#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
without_rules_there_are_none_and_the_brake_is_on(void **state)
{
	struct config *c = loaded(*state, WHOLE);

	assert_int_equal(c->n_rules, 0);
	assert_int_equal(c->revocation.brake.percent, 10);
	assert_int_equal(c->revocation.brake.count, 500);
	assert_int_equal(c->revocation.brake.minimum, 10);
	assert_int_equal(c->revocation.brake.window, 3600);
	assert_false(c->revocation.exceptions.second);
	assert_int_equal(c->revocation.exceptions.max, 30 * DAY);
	config_free(c);
}

static void
a_short_rule_has_defaults_that_do_no_harm(void **state)
{
	struct config *c = loaded(*state, WHOLE "rules: { off: { when: user-disabled } }\n");
	const struct directory_rule *r = c->rules;

	assert_int_equal(c->n_rules, 1);
	assert_string_equal(r->name, "off");
	assert_int_equal(r->when, WHEN_USER_DISABLED);
	assert_int_equal(r->then, CAUSE_HOLD);
	assert_int_equal(r->grace, 0);
	assert_int_equal(r->max_age, 7 * DAY);
	assert_int_equal(r->outage, OUTAGE_OPEN);
	assert_int_equal(r->profiles.n + r->endpoints.n + r->tenants.n + r->platforms.n +
		r->ownership.n + r->groups.n,
	    0);
	assert_int_equal(r->except.profiles.n + r->except.endpoints.n + r->except.tenants.n +
		r->except.platforms.n + r->except.ownership.n + r->except.groups.n,
	    0);
	config_free(c);
}

static void
all_keys_reach_the_rule(void **state)
{
	struct config *c = loaded(*state,
	    WHOLE "rules:\n"
		  "  compliance:\n"
		  "    when: not-compliant\n"
		  "    grace: 4h\n"
		  "    profiles: [device]\n"
		  "    endpoints: wifi\n"
		  "    tenants: contoso\n"
		  "    platforms: [Windows, iOS]\n"
		  "    ownership: company\n"
		  "    groups: [ABCDEF01-2345-6789-abcd-ef0123456789]\n"
		  "    except:\n"
		  "      profiles: [device]\n"
		  "      endpoints: wifi\n"
		  "      tenants: contoso\n"
		  "      platforms: [ChromeOS]\n"
		  "      ownership: personal\n"
		  "      groups: [1BCDEF01-2345-6789-ABCD-ef0123456789]\n"
		  "    outage: { max_age: 2d, then: hold }\n"
		  "  unseen: { when: not-seen, days: 45 }\n"
		  "  risk: { when: user-risk, then: revoke, risk: [medium, high] }\n"
		  "revocation:\n"
		  "  brake: { percent: 3, count: 40, minimum: 0, window: 0 }\n"
		  "  exceptions: { second: true, max: 7d }\n");
	const struct directory_rule *r = c->rules;

	assert_int_equal(c->n_rules, 3);
	assert_int_equal(r[0].grace, 4 * 3600);
	assert_string_equal(r[0].profiles.v[0], "device");
	assert_string_equal(r[0].endpoints.v[0], "wifi");
	assert_string_equal(r[0].tenants.v[0], "contoso");
	assert_int_equal(r[0].platforms.n, 2);
	assert_string_equal(r[0].ownership.v[0], "company");
	assert_string_equal(r[0].groups.v[0], "abcdef01-2345-6789-abcd-ef0123456789");
	assert_string_equal(r[0].except.profiles.v[0], "device");
	assert_string_equal(r[0].except.endpoints.v[0], "wifi");
	assert_string_equal(r[0].except.tenants.v[0], "contoso");
	assert_string_equal(r[0].except.platforms.v[0], "ChromeOS");
	assert_string_equal(r[0].except.ownership.v[0], "personal");
	assert_string_equal(r[0].except.groups.v[0], "1bcdef01-2345-6789-abcd-ef0123456789");
	assert_int_equal(r[0].max_age, 2 * DAY);
	assert_int_equal(r[0].outage, OUTAGE_HOLD);
	assert_int_equal(r[1].not_seen, 45 * DAY);
	assert_int_equal(r[2].then, CAUSE_REVOKE);
	assert_int_equal(r[2].risk, RISK_MEDIUM | RISK_HIGH);
	assert_int_equal(c->revocation.brake.percent, 3);
	assert_int_equal(c->revocation.brake.count, 40);
	assert_int_equal(c->revocation.brake.minimum, 0);
	assert_int_equal(c->revocation.brake.window, 0);
	assert_true(c->revocation.exceptions.second);
	assert_int_equal(c->revocation.exceptions.max, 7 * DAY);
	config_free(c);
}

/* The words of config_rules.c are in the order of the enums. */
static void
every_when_is_read_and_only_what_is_final_may_revoke(void **state)
{
	for (int w = 0; w < WHEN__MAX; w++) {
		const char *more = w == WHEN_NOT_SEEN ? ", days: 1"
		    : w == WHEN_USER_RISK             ? ", risk: high"
						      : "";
		bool may = rule_when_may_revoke((enum rule_when)w);
		struct folder *f = *state;
		struct config *c = NULL;
		struct err err = { 0 };
		char yaml[1024];
		enum rc rc;

		(void)snprintf(yaml, sizeof(yaml), WHOLE "rules: { r: { when: %s%s } }\n",
		    rule_when_name((enum rule_when)w), more);
		c = loaded(f, yaml);
		assert_int_equal(c->rules[0].when, w);
		config_free(c);
		(void)snprintf(yaml, sizeof(yaml),
		    WHOLE "rules: { r: { when: %s, then: revoke%s } }\n",
		    rule_when_name((enum rule_when)w), more);
		rc = load(f, &c, yaml, &err);
		assert_int_equal(rc, may ? RC_OK : RC_CONFIG);
		if (rc == RC_OK)
			config_free(c);
		else
			assert_non_null(strstr(err.msg, "rules.r.then: what passes again"));
	}
}

static void
a_wrong_rule_is_answered_with_its_line_and_key(void **state)
{
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{ "rules: { r: {} }\n", "rules.r.when" },
		{ "rules: { r: { when: often } }\n", "rules.r.when" },
		{ "rules: { r: { when: user-disabled, then: delete } }\n", "rules.r.then" },
		{ "rules: { r: { when: not-seen } }\n", "rules.r.days: required" },
		{ "rules: { r: { when: user-disabled, days: 3 } }\n", "rules.r.days: only with" },
		{ "rules: { r: { when: user-risk } }\n", "rules.r.risk: required" },
		{ "rules: { r: { when: unknown-to-directory, outage: { max_age: 1d } } }\n",
		    "rules.r.outage.max_age: 2d or more" },
		{ "rules: { r: { when: unknown-to-directory, then: revoke } }\n", "rules.r.then" },
		{ "rules: { r: { when: not-compliant, risk: high } }\n",
		    "rules.r.risk: only with" },
		{ "rules: { r: { when: user-risk, risk: hidden } }\n", "rules.r.risk" },
		{ "rules: { r: { when: user-disabled, profiles: x } }\n",
		    "scepd.yaml:6: rules.r.profiles: there is no \"x\" under profiles" },
		{ "rules: { r: { when: user-disabled, endpoints: x } }\n",
		    "rules.r.endpoints: there is no \"x\" under endpoints" },
		{ "rules: { r: { when: user-disabled, tenants: x } }\n",
		    "rules.r.tenants: there is no \"x\" under tenants" },
		{ "rules: { r: { when: user-disabled, groups: staff } }\n",
		    "rules.r.groups: \"staff\" is no object id of a group" },
		{ "rules: { r: { when: user-disabled, ownership: mine } }\n", "rules.r.ownership" },
		{ "foreign_cas: { device: { certificate: a } }\n",
		    "foreign_cas.device: a profile of this name" },
		{ "rules: { R: { when: user-disabled } }\n", "a name here is" },
		{ "rules: { r: { when: user-disabled, outage: { then: revoke } } }\n",
		    "rules.r.outage.then" },
		{ "rules: { r: { when: user-disabled, except: { profiles: x } } }\n",
		    "rules.r.except.profiles: there is no \"x\" under profiles" },
		{ "rules: { r: { when: user-disabled, except: { groups: staff } } }\n",
		    "rules.r.except.groups: \"staff\" is no object id of a group" },
		{ "rules: { r: { when: user-disabled, except: { ownership: mine } } }\n",
		    "rules.r.except.ownership" },
		{ "rules: { r: { when: user-disabled, except: [kiosks] } }\n", "rules.r.except" },
		{ "revocation: { brake: { percent: 0 } }\n", "revocation.brake.percent" },
		{ "revocation: { brake: { percent: 101 } }\n", "revocation.brake.percent" },
		{ "revocation: { brake: { count: 0 } }\n", "revocation.brake.count" },
		{ "revocation: { exceptions: { max: 91d } }\n", "revocation.exceptions.max" },
	};
	struct folder *f = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct config *c = NULL;
		struct err err = { 0 };
		char yaml[1024];

		(void)snprintf(yaml, sizeof(yaml), WHOLE "%s", rows[i].yaml);
		if (load(f, &c, yaml, &err) != RC_CONFIG || strstr(err.msg, rows[i].says) == NULL)
			print_error("%s -> %s\n", rows[i].yaml, err.msg);
		assert_int_equal(err.rc, RC_CONFIG);
		assert_non_null(strstr(err.msg, rows[i].says));
	}
}

static void
no_brake_is_answered_with_how_to_write_it(void **state)
{
	static const char *const rows[] = { "revocation: { brake: 0 }\n",
		"revocation: { brake: { percent: 0 } }\n",
		"revocation: { brake: { count: 0 } }\n" };
	struct folder *f = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct config *c = NULL;
		struct err err = { 0 };
		char yaml[1024];

		(void)snprintf(yaml, sizeof(yaml), WHOLE "%s", rows[i]);
		assert_int_equal(load(f, &c, yaml, &err), RC_CONFIG);
		assert_non_null(strstr(err.hint, "percent: 1, count: 1, minimum: 0"));
		assert_non_null(strstr(err.hint, "percent: 100, count: 1000000"));
	}
}

static void
what_a_foreign_ca_has_issued_is_named_by_the_ca(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f,
	    WHOLE "foreign_cas: { adcs: { certificate: a, tenant: contoso } }\n"
		  "rules: { r: { when: user-disabled, profiles: [adcs, device] } }\n");

	assert_int_equal(c->rules[0].profiles.n, 2);
	assert_string_equal(c->rules[0].profiles.v[0], "adcs");
	config_free(c);
}

/* ---- files for `rules try` ---- */

static void
a_file_of_rules_alone_is_read_by_the_names_of_the_configuration(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f, WHOLE), *r = NULL;
	struct err err = { 0 };

	put(f, "other.yaml",
	    "rules: { r: { when: user-disabled, profiles: device } }\n"
	    "revocation: { brake: { count: 7 } }\n",
	    0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_OK);
	assert_int_equal(r->n_rules, 1);
	assert_int_equal(r->revocation.brake.count, 7);
	assert_int_equal(r->revocation.brake.percent, 10);
	config_free(r);
	put(f, "other.yaml", /* as it stands in a whole scepd.yaml */
	    "rules: {}\n"
	    "revocation: { interval: 5m, recheck: 2h, sid_guard: false, denied_sids: "
	    "[S-1-5-21-1],\n"
	    "  queue_interval: 90s, brake: { count: 8 }, exceptions: { max: 1d } }\n",
	    0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_OK);
	assert_int_equal(r->revocation.brake.count, 8);
	config_free(r);
	put(f, "other.yaml", "rules: { r: { when: user-disabled, profiles: other } }\n", 0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "there is no \"other\" under profiles"));
	put(f, "other.yaml", "rules: { r: { when: user-disabled, profiles: devise } }\n", 0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_CONFIG);
	assert_string_equal(err.hint, "did you mean \"device\"?");
	put(f, "other.yaml", "rules: {}\n", 0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_OK);
	assert_int_equal(r->n_rules, 0);
	config_free(r);
	config_free(c);
}

static void
a_whole_file_is_read_as_one(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f, WHOLE), *r = NULL;
	struct err err = { 0 };

	put(f, "other.yaml", "# changed\n" WHOLE "rules: { r: { when: user-disabled } }\n", 0600);
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_OK);
	assert_int_equal(r->n_rules, 1);
	assert_int_equal(r->endpoints.n, 1);
	config_free(r);
	config_free(c);
}

static void
what_is_neither_is_refused(void **state)
{
	static const char *const texts[] = { "", "listeners: []\n", "rules: 3\n",
		"rules: { r: { when: user-disabled } }\nstore: { url: x }\n", "endpoints:\n" };
	struct folder *f = *state;
	struct config *c = loaded(f, WHOLE), *r = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < N(texts); i++) {
		put(f, "other.yaml", texts[i], 0600);
		assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_CONFIG);
	}
	(void)unlink(in(f, "other.yaml"));
	assert_int_equal(config_load_rules(&r, in(f, "other.yaml"), c, &err), RC_NOTFOUND);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_there_are_none_and_the_brake_is_on),
		cmocka_unit_test(a_short_rule_has_defaults_that_do_no_harm),
		cmocka_unit_test(all_keys_reach_the_rule),
		cmocka_unit_test(every_when_is_read_and_only_what_is_final_may_revoke),
		cmocka_unit_test(a_wrong_rule_is_answered_with_its_line_and_key),
		cmocka_unit_test(no_brake_is_answered_with_how_to_write_it),
		cmocka_unit_test(what_a_foreign_ca_has_issued_is_named_by_the_ca),
		cmocka_unit_test(a_file_of_rules_alone_is_read_by_the_names_of_the_configuration),
		cmocka_unit_test(a_whole_file_is_read_as_one),
		cmocka_unit_test(what_is_neither_is_refused),
	};

	return cmocka_run_group_tests(tests, folder_new, folder_free);
}
