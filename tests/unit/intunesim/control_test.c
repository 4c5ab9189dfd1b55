/*
 * control_test.c - who may use the control API, and the simulator's clock.
 */
#include <string.h>

#include "base/clock.h"

#include "kit.h"

static void
browsers_of_other_pages_are_kept_out(void **state)
{
	static const struct {
		const char *method, *path, *host, *origin, *type, *body;
		int status;
	} rows[] = {
		/* no browser, or our own page */
		{ "GET", "/sim/tenants", NULL, NULL, NULL, NULL, 200 },
		{ "GET", "/sim/tenants", "127.0.0.1:8090", "http://127.0.0.1:8090", NULL, NULL,
		    200 },
		{ "GET", "/sim/tenants", "[::1]:8090", "http://[::1]:8090", NULL, NULL, 200 },
		{ "GET", "/sim/tenants", "192.0.2.1", NULL, NULL, NULL, 200 },
		{ "GET", "/sim/report", "localhost", NULL, NULL, NULL, 200 },
		/* a name that was made to point here */
		{ "GET", "/sim/tenants", "evil.example", NULL, NULL, NULL, 421 },
		{ "GET", "/sim/tenants", "evil.example:8090", "http://evil.example:8090", NULL,
		    NULL, 421 },
		{ "GET", "/sim/requests", "evil.example", NULL, NULL, NULL, 421 },
		{ "GET", "/sim/report", "127.0.0.1.evil.example", NULL, NULL, NULL, 421 },
		{ "GET", "/sim/report", "localhost.evil.example", NULL, NULL, NULL, 421 },
		{ "GET", "/sim/report", "[", NULL, NULL, NULL, 421 },
		/* another page */
		{ "GET", "/sim/tenants", "127.0.0.1:8090", "https://evil.example", NULL, NULL,
		    403 },
		{ "GET", "/sim/tenants", "127.0.0.1:8090", "null", NULL, NULL, 403 },
		{ "GET", "/sim/tenants", "127.0.0.1:8090", "http://127.0.0.1:9999", NULL, NULL,
		    403 },
		{ "POST", "/sim/tenants/alpha.example/devices/mac-1/wipe", "127.0.0.1:8090",
		    "https://evil.example", NULL, NULL, 403 },
		/* a form */
		{ "PUT", "/sim/clock", NULL, NULL, "text/plain", "{\"offset\":\"1h\"}", 415 },
		{ "PUT", "/sim/clock", NULL, NULL, "application/x-www-form-urlencoded", "x=1",
		    415 },
		{ "PUT", "/sim/clock", NULL, NULL, "application/jsonx", "{\"offset\":\"1h\"}",
		    415 },
		{ "POST", "/sim/tenants/alpha.example/devices/mac-1/wipe", NULL, NULL, "text/plain",
		    NULL, 415 },
		{ "PUT", "/sim/clock", NULL, NULL, "application/json; charset=utf-8",
		    "{\"offset\":\"0s\"}", 200 },
	};
	const struct kit *k = *state;
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		call(&a, k,
		    &(struct request){ .method = rows[i].method,
			.path = rows[i].path,
			.host = rows[i].host,
			.origin = rows[i].origin,
			.content_type = rows[i].type,
			.body = rows[i].body });
		if (a.status != rows[i].status)
			fail_msg("row %zu: %d", i, a.status);
		answer_done(&a);
	}
}

/* Even one whose name was made to point here: the answer to a check-in holds challenges. */
static void
no_page_speaks_for_a_device(void **state)
{
	static const char *const paths[] = { "/sim/devices/mac-1/checkin",
		"/sim/devices/mac-1/installed", "/sim/devices/mac-1/failed" };
	static const char *const origins[] = { "https://evil.example", "http://evil.example:8090",
		"null", "http://127.0.0.1:8090" };
	const struct kit *k = *state;
	struct answer a;

	for (size_t i = 0; i < N(paths) * N(origins); i++) {
		call(&a, k,
		    &(struct request){ .method = "POST",
			.path = paths[i / N(origins)],
			.host = "evil.example:8090",
			.origin = origins[i % N(origins)] });
		assert_int_equal(a.status, 403);
		answer_done(&a);
	}
	call(&a, k,
	    &(struct request){ .method = "POST", .path = paths[0], .host = "intunesim:8090" });
	assert_int_equal(a.status, 200);
	answer_done(&a);
}

static void
services_of_Microsoft_are_not_concerned(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	call(&a, k,
	    &(struct request){ .method = "GET",
		.path = "/alpha.example/discovery/v2.0/keys",
		.host = "login.example",
		.origin = "https://login.example" });
	assert_int_equal(a.status, 200);
	answer_done(&a);
}

static void
clock_is_set(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	assert_int_equal(deed(&a, k, "PUT", "/sim/clock", "{\"offset\":\"-2h\"}"), 200);
	assert_string_equal(json_get_str(a.json, "offset"), "-2h");
	answer_done(&a);
	assert_int_equal(clock_offset(), -7200);
	assert_int_equal(deed(&a, k, "GET", "/sim/clock", NULL), 200);
	assert_string_equal(json_get_str(a.json, "offset"), "-2h");
	answer_done(&a);
	assert_int_equal(deed(NULL, k, "PUT", "/sim/clock", "{\"offset\":\"4000d\"}"), 400);
	assert_int_equal(deed(NULL, k, "PUT", "/sim/clock", "{\"offset\":2}"), 400);
	assert_int_equal(deed(NULL, k, "PUT", "/sim/clock", "{\"offset\":\"--1h\"}"), 400);
	assert_int_equal(clock_offset(), -7200);
	clock_offset_set(0);
}

static void
tenants_are_listed_with_counts(void **state)
{
	const struct kit *k = *state;
	const json_t *t;
	struct answer a;

	assert_int_equal(deed(&a, k, "GET", "/sim/tenants", NULL), 200);
	t = json_array_get(json_object_get(a.json, "tenants"), 0);
	assert_string_equal(json_get_str(t, "id"), ALPHA_ID);
	assert_int_equal(json_integer_value(json_object_get(t, "users")), 2);
	assert_int_equal(json_integer_value(json_object_get(t, "devices")), 6);
	answer_done(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(browsers_of_other_pages_are_kept_out),
		cmocka_unit_test(no_page_speaks_for_a_device),
		cmocka_unit_test(services_of_Microsoft_are_not_concerned),
		cmocka_unit_test(clock_is_set),
		cmocka_unit_test(tenants_are_listed_with_counts),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
