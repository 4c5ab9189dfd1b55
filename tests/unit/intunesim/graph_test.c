/*
 * graph_test.c - Graph's directory: who may look, what a look-up proves, pages, and what changed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/graph.h"
#include "kit.h"

#define JANE     "00000000-0000-4000-8000-00000000000a"
#define WIN_1    "10000000-0000-4000-8000-000000000001"
#define WIN_1_AD "20000000-0000-4000-8000-000000000001"
#define ABSENT   "99999999-0000-4000-8000-000000000009"

struct fixture {
	struct kit *k;
	char *token;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *kit;

	assert_non_null(f);
	kit_new(&kit);
	f->k = kit;
	f->token = kit_token(f->k, "alpha.example", READER_APP, GRAPH);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	void *kit = f->k;

	kit_free(&kit);
	free(f->token);
	free(f);
	return 0;
}

/* An object or a collection that must be there; json_decref(). */
static json_t *
fetch(const struct fixture *f, const char *path)
{
	struct answer a;
	json_t *o;

	get(&a, f->k, path, f->token);
	if (a.status != 200)
		fail_msg("%s: %d %s", path, a.status, buf_str(&a.body));
	o = json_incref(a.json);
	answer_done(&a);
	return o;
}

static void
expect(const struct fixture *f, const char *path, int status, const char *code)
{
	struct answer a;

	get(&a, f->k, path, f->token);
	if (a.status != status || strcmp(answer_code(&a), code) != 0)
		fail_msg("%s: %d %s", path, a.status, buf_str(&a.body));
	answer_done(&a);
}

static size_t
how_many(const struct fixture *f, const char *path)
{
	json_t *o = fetch(f, path);
	size_t n = json_array_size(json_object_get(o, "value"));

	assert_true(json_is_array(json_object_get(o, "value")));
	json_decref(o);
	return n;
}

static void
expect_text(const json_t *o, const char *name, const char *want)
{
	const char *got = json_get_str(o, name);

	if (got == NULL || strcmp(got, want) != 0)
		fail_msg("%s is %s and not %s", name, got != NULL ? got : "(none)", want);
}

static void
a_user_is_found_by_id_and_by_name(void **state)
{
	const struct fixture *f = *state;
	json_t *o = fetch(f, "/v1.0/users/JANE@alpha.example"), *same;

	expect_text(o, "id", JANE);
	expect_text(o, "displayName", "Jane Doe");
	/* not in the default set: a caller who forgets $select must not read "enabled" */
	assert_null(json_object_get(o, "accountEnabled"));
	same = fetch(f,
	    "/v1.0/users/" JANE "?$select=id,accountEnabled,deletedDateTime,"
	    "signInSessionsValidFromDateTime,onPremisesSecurityIdentifier");
	assert_true(json_is_true(json_object_get(same, "accountEnabled")));
	assert_true(json_is_null(json_object_get(same, "deletedDateTime")));
	expect_text(same, "onPremisesSecurityIdentifier", "S-1-5-21-1-2-3-1104");
	assert_non_null(json_get_str(same, "signInSessionsValidFromDateTime"));
	assert_null(json_object_get(same, "displayName"));
	assert_non_null(
	    strstr(json_get_str(same, "@odata.context"), "/v1.0/$metadata#users/$entity"));
	json_decref(o);
	json_decref(same);
}

static void
what_is_not_there_is_404_in_graphs_words(void **state)
{
	const struct fixture *f = *state;

	expect(f, "/v1.0/users/" ABSENT, 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/users/nobody@alpha.example", 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/devices/" ABSENT, 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/devices(deviceId='" ABSENT "')", 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/deviceManagement/managedDevices/" ABSENT, 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/deviceManagement/managedDevices/win-1", 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/directory/deletedItems/microsoft.graph.user/" JANE, 404,
	    "Request_ResourceNotFound");
	expect(f, "/beta/deviceManagement/deviceConfigurations/" ABSENT, 404,
	    "Request_ResourceNotFound");
	assert_int_equal(how_many(f, "/v1.0/users?$filter=userPrincipalName%20eq%20'nobody'"), 0);
}

static void
every_resource_asks_for_its_permission(void **state)
{
	static const char *const paths[] = { "/v1.0/users", "/v1.0/users/" JANE,
		"/v1.0/users/delta", "/v1.0/devices", "/v1.0/devices/delta",
		"/v1.0/devices(deviceId='" WIN_1_AD "')", "/v1.0/deviceManagement/managedDevices",
		"/v1.0/deviceManagement/managedDevices/" WIN_1,
		"/v1.0/directory/deletedItems/microsoft.graph.user",
		"/v1.0/identityProtection/riskyUsers", "/v1.0/groups", "/v1.0/groups/" GROUP_MIXED,
		"/v1.0/groups/" GROUP_MIXED "/transitiveMembers",
		"/beta/deviceManagement/deviceConfigurations",
		"/beta/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates" };
	const struct fixture *f = *state;
	char *bare = kit_token(f->k, "alpha.example", BARE_APP, GRAPH);
	struct answer a;

	for (size_t i = 0; i < N(paths); i++) {
		get(&a, f->k, paths[i], bare);
		assert_int_equal(a.status, 403);
		assert_string_equal(answer_code(&a), "Authorization_RequestDenied");
		answer_done(&a);
		get(&a, f->k, paths[i], NULL);
		assert_int_equal(a.status, 401);
		assert_string_equal(answer_code(&a), "InvalidAuthenticationToken");
		answer_done(&a);
		get(&a, f->k, paths[i], f->k->token); /* Intune's audience */
		assert_int_equal(a.status, 401);
		answer_done(&a);
		json_decref(fetch(f, paths[i]));
	}
	free(bare);
}

static void
a_device_is_found_by_each_of_its_names(void **state)
{
	const struct fixture *f = *state;
	json_t *by_id = fetch(f, "/v1.0/devices(deviceId='" WIN_1_AD "')"), *by_object, *list;
	char path[128];

	expect_text(by_id, "displayName", "win-1");
	expect_text(by_id, "operatingSystem", "Windows");
	expect_text(by_id, "trustType", "ServerAd");
	assert_true(json_is_true(json_object_get(by_id, "accountEnabled")));
	assert_true(json_is_true(json_object_get(by_id, "isCompliant")));
	snprintf(path, sizeof(path), "/v1.0/devices/%s", json_get_str(by_id, "id"));
	by_object = fetch(f, path);
	expect_text(by_object, "deviceId", WIN_1_AD);
	list = fetch(f, "/v1.0/devices?$filter=deviceId%20eq%20'" WIN_1_AD "'&$select=id,deviceId");
	assert_int_equal(json_array_size(json_object_get(list, "value")), 1);
	json_decref(by_id);
	json_decref(by_object);
	json_decref(list);
	/* the others have no Entra device at all */
	assert_int_equal(how_many(f, "/v1.0/devices"), 1);
}

static void
managed_devices_show_their_state_in_beta_only(void **state)
{
	const struct fixture *f = *state;
	json_t *v1 = fetch(f, "/v1.0/deviceManagement/managedDevices/" WIN_1);
	json_t *beta = fetch(f, "/beta/deviceManagement/managedDevices('" WIN_1 "')");

	expect_text(v1, "azureADDeviceId", WIN_1_AD);
	expect_text(v1, "serialNumber", "WIN1SERIAL");
	expect_text(v1, "userPrincipalName", "jane@alpha.example");
	expect_text(v1, "complianceState", "compliant");
	expect_text(v1, "managedDeviceOwnerType", "company");
	assert_null(json_object_get(v1, "managementState"));
	expect_text(beta, "managementState", "managed");
	json_decref(v1);
	json_decref(beta);
	assert_int_equal(
	    how_many(f,
		"/v1.0/deviceManagement/managedDevices?$filter=serialNumber%20eq%20'win1serial'"),
	    1);
	assert_int_equal(
	    how_many(f,
		"/v1.0/deviceManagement/managedDevices?$filter=azureADDeviceId%20eq%20'" WIN_1_AD
		"'"),
	    1);
	assert_int_equal(how_many(f, "/v1.0/deviceManagement/managedDevices"), 6);
}

static void
devices_are_listed_by_when_they_synchronised(void **state)
{
	const struct fixture *f = *state;
	char path[160], time[TIME_TEXT_MAX];

	state_synced(
	    f->k->sim->state, tenant_device(view_tenant(f->k->view, "alpha.example"), WIN_1));
#define SINCE "/v1.0/deviceManagement/managedDevices?$filter=lastSyncDateTime%%20ge%%20%s"
	time_rfc3339(time, clock_now() - 60);
	snprintf(path, sizeof(path), SINCE, time);
	assert_int_equal(how_many(f, path), 1);
	time_rfc3339(time, clock_now() + 60);
	snprintf(path, sizeof(path), SINCE, time);
	assert_int_equal(how_many(f, path), 0);
#undef SINCE
}

static void
a_group_tells_its_members_that_entra_knows(void **state)
{
	const struct fixture *f = *state;
	json_t *list =
	    fetch(f, "/v1.0/groups/" GROUP_MIXED "/transitiveMembers?$select=id&$top=999");
	json_t *all = json_object_get(list, "value"), *device;

	assert_int_equal(json_array_size(all), 2); /* mac-1 is no object of Entra */
	expect_text(json_array_get(all, 0), "@odata.type", "#microsoft.graph.user");
	expect_text(json_array_get(all, 0), "id", JANE);
	expect_text(json_array_get(all, 1), "@odata.type", "#microsoft.graph.device");
	device = fetch(f, "/v1.0/devices(deviceId='" WIN_1_AD "')");
	expect_text(json_array_get(all, 1), "id", json_get_str(device, "id"));
	json_decref(device);
	json_decref(list);
	expect(f, "/v1.0/groups/" ABSENT "/transitiveMembers", 404, "Request_ResourceNotFound");
	expect(f, "/v1.0/groups/Mixed/transitiveMembers", 404, "Request_ResourceNotFound");
	list = fetch(f, "/v1.0/groups/" GROUP_MIXED);
	expect_text(list, "displayName", "Mixed");
	json_decref(list);
}

static void
bad_queries_are_refused_and_not_ignored(void **state)
{
	static const char *const bad[] = { "/v1.0/users?$filter=nope%20eq%20'x'",
		"/v1.0/users?$select=nope", "/v1.0/users?$expand=manager", "/v1.0/users?$top=0",
		"/v1.0/users?$filter=startswith(displayName,'J')",
		"/v1.0/deviceManagement/managedDevices?$select=managementState",
		"/v1.0/users/delta?$filter=id%20eq%20'x'" };
	const struct fixture *f = *state;
	struct answer a;

	for (size_t i = 0; i < N(bad); i++) {
		get(&a, f->k, bad[i], f->token);
		if (a.status != 400)
			fail_msg("%s: %d", bad[i], a.status);
		answer_done(&a);
	}
}

/* The part of a link behind the host. */
static const char *
path_of(const json_t *o, const char *link)
{
	const char *s = json_get_str(o, link);

	return s != NULL ? strstr(s + strlen("https://"), "/") : NULL;
}

static void
pages_bring_everybody_once(void **state)
{
	const struct fixture *f = *state;
	char path[2048] = "/v1.0/deviceManagement/managedDevices?$top=2&$select=id,deviceName";
	json_t *seen = json_object(), *o, *v;
	const char *next;
	size_t i, pages = 0;

	do {
		o = fetch(f, path);
		json_array_foreach(json_object_get(o, "value"), i, v)
		{
			assert_null(json_object_get(seen, json_get_str(v, "id")));
			json_object_set_new(seen, json_get_str(v, "id"), json_true());
			assert_int_equal(json_object_size(v), 2);
		}
		next = path_of(o, "@odata.nextLink");
		if (next != NULL)
			snprintf(path, sizeof(path), "%s", next);
		pages++;
		json_decref(o);
	} while (next != NULL && pages < 10);
	assert_int_equal(json_object_size(seen), 6);
	assert_int_equal(pages, 3);
	json_decref(seen);
}

static void
a_page_belongs_to_its_query(void **state)
{
	const struct fixture *f = *state;
	json_t *o = fetch(f, "/v1.0/deviceManagement/managedDevices?$top=2");
	const char *token = strstr(json_get_str(o, "@odata.nextLink"), "$skiptoken=");
	char path[2048];

	snprintf(path, sizeof(path), "/v1.0/deviceManagement/managedDevices?$top=3&%s", token);
	expect(f, path, 400, "Request_BadRequest");
	snprintf(path, sizeof(path), "/v1.0/users?$top=2&%s", token);
	expect(f, path, 400, "Request_BadRequest");
	expect(f, "/v1.0/users?$skiptoken=AAAA", 400, "Request_BadRequest");
	json_decref(o);
}

static void
profiles_have_the_type_of_their_platform(void **state)
{
	static const struct {
		const char *name, *type;
	} want[] = {
		{ "Device", "#microsoft.graph.windows81SCEPCertificateProfile" },
		{ "User", "#microsoft.graph.iosScepCertificateProfile" },
		{ "Mac user", "#microsoft.graph.macOSScepCertificateProfile" },
		{ "Imei", "#microsoft.graph.androidForWorkScepCertificateProfile" },
		{ "Root W", "#microsoft.graph.windows81TrustedRootCertificate" },
	};
	const struct fixture *f = *state;
	json_t *list = fetch(f, "/beta/deviceManagement/deviceConfigurations"), *o;
	size_t i, j, found = 0;

	json_array_foreach(json_object_get(list, "value"), i, o)
	{
		for (j = 0; j < N(want); j++) {
			if (strcmp(json_get_str(o, "displayName"), want[j].name) != 0)
				continue;
			expect_text(o, "@odata.type", want[j].type);
			found++;
		}
	}
	assert_int_equal(found, N(want));
	json_decref(list);
}

static void
a_profile_says_what_the_console_shows(void **state)
{
	const struct fixture *f = *state;
	json_t *o = fetch(f, "/beta/deviceManagement/deviceConfigurations/" PROFILE_DEVICE), *san,
	       *eku;
	json_t *list;

	expect_text(o, "subjectNameFormat", "custom");
	expect_text(o, "subjectNameFormatString", "CN={{AAD_Device_ID}},O=Alpha");
	expect_text(o, "keyUsage", "keyEncipherment,digitalSignature");
	expect_text(o, "keySize", "size2048");
	expect_text(o, "hashAlgorithm", "sha2");
	expect_text(o, "certificateValidityPeriodScale", "months");
	assert_int_equal(
	    json_integer_value(json_object_get(o, "certificateValidityPeriodValue")), 6);
	assert_int_equal(json_integer_value(json_object_get(o, "renewalThresholdPercentage")), 20);
	expect_text(o, "keyStorageProvider", "useTpmKspOtherwiseUseSoftwareKsp");
	expect_text(o, "certificateStore", "machine");
	san = json_object_get(o, "customSubjectAlternativeNames");
	assert_int_equal(json_array_size(san), 3);
	expect_text(json_array_get(san, 0), "sanType", "domainNameService");
	expect_text(json_array_get(san, 1), "name", "IntuneDeviceId://{{DeviceId}}");
	eku = json_object_get(o, "extendedKeyUsages");
	expect_text(json_array_get(eku, 0), "objectIdentifier", "1.3.6.1.5.5.7.3.2");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "scepServerUrls"), 0)),
	    "http://ca.alpha.example/scep");
	json_decref(o);
	list =
	    fetch(f, "/beta/deviceManagement/deviceConfigurations/" PROFILE_DEVICE "/assignments");
	assert_int_equal(json_array_size(json_object_get(list, "value")), 1);
	json_decref(list);
	/* not in v1.0 */
	expect(f, "/v1.0/deviceManagement/deviceConfigurations", 404, "there is nothing here");
}

/* ---- delta ---- */

/* Follow a round to its delta link, counting; the link's path, free() it. */
static char *
follow(const struct fixture *f, const char *path, json_t *objects)
{
	char *at = strdup(path), *next;
	json_t *o;

	for (int pages = 0; pages < 100; pages++) {
		o = fetch(f, at);
		json_array_extend(objects, json_object_get(o, "value"));
		free(at);
		next = (char *)(uintptr_t)path_of(o, "@odata.deltaLink");
		at = strdup(next != NULL ? next : path_of(o, "@odata.nextLink"));
		json_decref(o);
		if (next != NULL)
			return at;
	}
	fail_msg("a round without end");
	return NULL;
}

static void
a_round_begins_with_everybody(void **state)
{
	const struct fixture *f = *state;
	json_t *first = json_array(), *second = json_array();
	char *link = follow(f, "/v1.0/users/delta?$select=id,accountEnabled", first), *again;

	assert_int_equal(json_array_size(first), 2);
	assert_true(json_is_true(json_object_get(json_array_get(first, 0), "accountEnabled")));
	again = follow(f, link, second);
	assert_int_equal(json_array_size(second), 0);
	free(link);
	free(again);
	json_decref(first);
	json_decref(second);
}

static void
a_link_brings_what_happened_since(void **state)
{
	const struct fixture *f = *state;
	struct changes *log = f->k->sim->changes;
	json_t *before = json_array(), *after = json_array(), *o;
	char *link = follow(f, "/v1.0/users/delta?$select=id,accountEnabled", before), *next;

	changes_add(log, 0, CHANGE_USER, CHANGE_WRITTEN, JANE);
	changes_add(log, 0, CHANGE_USER, CHANGE_BINNED, "00000000-0000-4000-8000-00000000000b");
	changes_add(log, 0, CHANGE_USER, CHANGE_GONE, ABSENT);
	changes_add(log, 0, CHANGE_DEVICE, CHANGE_GONE, WIN_1_AD);
	changes_add(log, 1, CHANGE_USER, CHANGE_GONE, ABSENT); /* another tenant's */
	next = follow(f, link, after);
	assert_int_equal(json_array_size(after), 3);
	o = json_array_get(after, 0);
	expect_text(o, "id", JANE);
	assert_true(json_is_true(json_object_get(o, "accountEnabled"))); /* $select travelled */
	assert_null(json_object_get(o, "displayName"));
	expect_text(json_object_get(json_array_get(after, 1), "@removed"), "reason", "changed");
	expect_text(json_object_get(json_array_get(after, 2), "@removed"), "reason", "deleted");
	json_array_clear(after);
	free(link);
	link = follow(f, next, after);
	assert_int_equal(json_array_size(after), 0);
	free(next);
	free(link);
	json_decref(before);
	json_decref(after);
}

static void
many_changes_come_in_pages(void **state)
{
	const struct fixture *f = *state;
	json_t *before = json_array(), *after = json_array();
	char *link = follow(f, "/v1.0/devices/delta", before), *next, id[GUID_TEXT_MAX];

	for (int i = 0; i < 250; i++) {
		snprintf(id, sizeof(id), "99999999-0000-4000-8000-%012d", i);
		changes_add(f->k->sim->changes, 0, CHANGE_DEVICE, CHANGE_GONE, id);
	}
	next = follow(f, link, after);
	assert_int_equal(json_array_size(after), 250);
	free(link);
	free(next);
	json_decref(before);
	json_decref(after);
}

static void
a_link_that_is_too_old_says_so(void **state)
{
	const struct fixture *f = *state;
	json_t *before = json_array();
	char *link = follow(f, "/v1.0/devices/delta", before);
	struct answer a;

	for (int i = 0; i < CHANGES_MAX + 10; i++)
		changes_add(f->k->sim->changes, 0, CHANGE_DEVICE, CHANGE_GONE, ABSENT);
	get(&a, f->k, link, f->token);
	assert_int_equal(a.status, 410);
	assert_string_equal(answer_code(&a), "resyncRequired");
	assert_non_null(strstr(buf_str(&a.headers), "Location: "));
	answer_done(&a);
	free(link);
	json_decref(before);
}

static void
a_token_of_something_else_is_refused(void **state)
{
	const struct fixture *f = *state;
	json_t *before = json_array();
	char *link = follow(f, "/v1.0/devices/delta", before), path[2048];

	snprintf(path, sizeof(path), "/v1.0/users/delta%s", strchr(link, '?'));
	expect(f, path, 400, "Request_BadRequest");
	link[strlen(link) - 1] = link[strlen(link) - 1] == 'A' ? 'B' : 'A';
	snprintf(path, sizeof(path), "%s&$select=id", link);
	expect(f, path, 400, "Request_BadRequest");
	expect(f, "/v1.0/users/delta?$deltatoken=latest", 400, "Request_BadRequest");
	free(link);
	json_decref(before);
}

#define BIN "/v1.0/directory/deletedItems/"
static void
a_deleted_user_is_in_the_bin_by_id_and_by_the_end_of_the_name(void **state)
{
#define BY_NAME                                                                                    \
	BIN "microsoft.graph.user?$count=true&$filter=endsWith(userPrincipalName,"                 \
	    "'jane@alpha.example')"
	static const char *const by_id[] = { BIN JANE, BIN JANE "/microsoft.graph.user",
		BIN "microsoft.graph.user/" JANE };
	const struct fixture *f = *state;
	const struct request by_name = {
		.method = "GET", .path = BY_NAME, .token = f->token, .consistency = "eventual"
	};
	struct answer a;
	json_t *o;

	assert_int_equal(deed(NULL, f->k, "DELETE", "users/" JANE, NULL), 204);
	expect(f, "/v1.0/users/jane@alpha.example", 404, "Request_ResourceNotFound");
	for (size_t i = 0; i < N(by_id); i++) {
		o = fetch(f, by_id[i]);
		expect_text(o, "id", JANE);
		expect_text(
		    o, "userPrincipalName", "0000000000004000800000000000000ajane@alpha.example");
		json_decref(o);
	}
	call(&a, f->k, &by_name);
	assert_int_equal(a.status, 200);
	assert_int_equal(json_array_size(json_object_get(a.json, "value")), 1);
	answer_done(&a);
	/* as at Graph's, not without header and $count */
	expect(f, BY_NAME, 400, "Request_UnsupportedQuery");
	assert_int_equal(deed(NULL, f->k, "POST", "deleted/" JANE "/restore", NULL), 200);
	o = fetch(f, "/v1.0/users/" JANE);
	expect_text(o, "userPrincipalName", "jane@alpha.example");
	json_decref(o);
	kit_put_back(f->k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_is_found_by_id_and_by_name),
		cmocka_unit_test(what_is_not_there_is_404_in_graphs_words),
		cmocka_unit_test(every_resource_asks_for_its_permission),
		cmocka_unit_test(a_device_is_found_by_each_of_its_names),
		cmocka_unit_test(managed_devices_show_their_state_in_beta_only),
		cmocka_unit_test(devices_are_listed_by_when_they_synchronised),
		cmocka_unit_test(a_group_tells_its_members_that_entra_knows),
		cmocka_unit_test(bad_queries_are_refused_and_not_ignored),
		cmocka_unit_test(pages_bring_everybody_once),
		cmocka_unit_test(a_page_belongs_to_its_query),
		cmocka_unit_test(profiles_have_the_type_of_their_platform),
		cmocka_unit_test(a_profile_says_what_the_console_shows),
		cmocka_unit_test(a_round_begins_with_everybody),
		cmocka_unit_test(a_link_brings_what_happened_since),
		cmocka_unit_test(many_changes_come_in_pages),
		cmocka_unit_test(a_link_that_is_too_old_says_so),
		cmocka_unit_test(a_token_of_something_else_is_refused),
		cmocka_unit_test(a_deleted_user_is_in_the_bin_by_id_and_by_the_end_of_the_name),
	};

	/* one simulator for all: making its keys takes a second */
	return cmocka_run_group_tests(tests, setup, teardown);
}
