/*
 * queue_test.c - what queues a revocation and what does not, and how the queue goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#include "kit.h"

/* A serial number for each enrolment of this process. */
static const char *
next_serial(void)
{
	static char serial[16];
	static int n;

	snprintf(serial, sizeof(serial), "00A%05d", ++n);
	return serial;
}

/* The newest item of a certificate. */
static bool
queued(const struct kit *k, const char *serial, struct revocation *out)
{
	return revocations_find(k->sim->revocations, ALPHA_ID, serial, out);
}

struct row {
	const char *name, *device, *profile;
	const char *method, *path, *body;
	bool checkin;      /* the device checks in afterwards */
	const char *cause; /* NULL: nothing is queued */
};

static const struct row rows[] = {
	/* leaving Intune */
	{ "wipe", "win-1", "Device", "POST", "devices/win-1/wipe", NULL, true, "wipe" },
	{ "retire", "win-1", "Device", "POST", "devices/win-1/retire", NULL, true, "retire" },
	{ "wipe before check-in", "win-1", "Device", "POST", "devices/win-1/wipe", NULL, false,
	    NULL },
	{ "unenrol", "win-1", "Device", "POST", "devices/win-1/unenrol", NULL, false, "unenrol" },
	{ "unmanaged by hand", "win-1", "Device", "PATCH", "devices/win-1", "{\"managed\":false}",
	    false, "unenrol" },
	/* leaving the group */
	{ "device leaves", "win-1", "Device", "DELETE", "groups/Laptops/members",
	    "{\"devices\":[\"win-1\"]}", false, "leftGroup" },
	{ "members replaced", "win-1", "Device", "PATCH", "groups/Laptops",
	    "{\"devices\":[\"hello-1\"]}", false, "leftGroup" },
	{ "user leaves", "phone-1", "User", "DELETE", "groups/Jane/members",
	    "{\"users\":[\"jane@alpha.example\"]}", false, "leftGroup" },
	{ "device gets another user", "phone-1", "User", "PATCH", "devices/phone-1",
	    "{\"user\":\"bob@alpha.example\"}", false, "leftGroup" },
	{ "another device leaves", "hello-1", "Passport", "DELETE", "groups/Hello/members",
	    "{\"devices\":[\"hello-2\"]}", false, NULL },
	/* the profile goes */
	{ "unassigned", "win-1", "Device", "PATCH", "profiles/Device", "{\"groups\":[]}", false,
	    "unassigned" },
	{ "assigned elsewhere", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"groups\":[\"Hello\"]}", false, "unassigned" },
	{ "profile deleted", "win-1", "Device", "DELETE", "profiles/Device", NULL, false,
	    "unassigned" },
	{ "assigned to one more", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"groups\":[\"Hello\",\"Laptops\"]}", false, NULL },
	{ "one of two ways stays", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"groups\":[\"All devices\"]}", false, NULL },
	/* the profile changes */
	{ "subject", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"subject\":\"CN={{DeviceId}}\"}", false, "profileChanged" },
	{ "alternative names", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"san\":[{\"type\":\"dns\",\"value\":\"{{DeviceName}}\"}]}", false,
	    "profileChanged" },
	{ "validity", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"validity\":{\"period\":\"days\",\"units\":30}}", false, "profileChanged" },
	{ "extended key usage", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"eku\":[\"clientAuth\"]}", false, "profileChanged" },
	{ "name", "win-1", "Device", "PATCH", "profiles/Device", "{\"name\":\"New name\"}", false,
	    NULL },
	{ "key size", "win-1", "Device", "PATCH", "profiles/Device", "{\"key_size\":\"any\"}",
	    false, NULL },
	{ "threshold", "win-1", "Device", "PATCH", "profiles/Device", "{\"renewal_threshold\":30}",
	    false, NULL },
	{ "address", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"scep_urls\":[\"http://other.example/scep\"]}", false, NULL },
	{ "the same again", "win-1", "Device", "PATCH", "profiles/Device",
	    "{\"subject\":\"CN={{AAD_Device_ID}},O=Alpha\"}", false, NULL },
	/* what happens in Entra */
	{ "user deleted", "phone-1", "User", "DELETE", "users/jane@alpha.example", NULL, true,
	    NULL },
	{ "user deleted for good", "phone-1", "User", "DELETE",
	    "users/jane@alpha.example?permanent=true", NULL, true, NULL },
	{ "user disabled", "phone-1", "User", "PATCH", "users/jane@alpha.example",
	    "{\"enabled\":false}", true, NULL },
	{ "group deleted", "win-1", "Device", "DELETE", "groups/Laptops", NULL, true, NULL },
	{ "group renamed", "win-1", "Device", "PATCH", "groups/Laptops", "{\"name\":\"Notebooks\"}",
	    true, NULL },
	{ "device deleted", "win-1", "Device", "DELETE", "devices/win-1", NULL, false, NULL },
	{ "device disabled", "win-1", "Device", "PATCH", "devices/win-1", "{\"enabled\":false}",
	    true, NULL },
	{ "device not compliant", "win-1", "Device", "PATCH", "devices/win-1",
	    "{\"compliance\":\"noncompliant\"}", true, NULL },
	/* Android of the organisation */
	{ "corporate: unenrol", "corp-1", "Imei", "POST", "devices/corp-1/unenrol", NULL, false,
	    NULL },
	{ "corporate: wipe", "corp-1", "Imei", "POST", "devices/corp-1/wipe", NULL, true, NULL },
	{ "corporate: unassigned", "corp-1", "Imei", "PATCH", "profiles/Imei", "{\"groups\":[]}",
	    false, NULL },
	{ "corporate: profile changed", "corp-1", "Imei", "PATCH", "profiles/Imei",
	    "{\"subject\":\"CN={{DeviceId}}\"}", false, NULL },
};

/* Enrolments of hello-1 need its own key. */
static void
enrol(struct kit *k, const char *device, const char *profile, const char *serial)
{
	struct key *own = k->key;

	if (strcmp(profile, "Passport") == 0)
		k->key = k->hello_key;
	kit_enrol(k, device, profile, serial);
	k->key = own;
}

static void
run(struct kit *k, const struct row *r)
{
	char serial[16], path[64];
	struct revocation item;
	struct answer a;
	int status;

	kit_put_back(k);
	snprintf(serial, sizeof(serial), "%s", next_serial());
	if (strcmp(r->device, "corp-1") == 0)
		assert_int_equal(deed(NULL, k, "POST", "devices",
				     "{\"name\":\"corp-1\",\"platform\":\"android\",\"enrollment\":"
				     "\"fully_managed\",\"imei\":\"350000000000009\"}"),
		    201);
	enrol(k, r->device, r->profile, serial);
	assert_false(queued(k, serial, &item));
	status = deed(NULL, k, r->method, r->path, r->body);
	if (status / 100 != 2)
		fail_msg("%s: status %d", r->name, status);
	if (r->checkin) {
		snprintf(path, sizeof(path), "/sim/devices/%s/checkin", r->device);
		post(&a, k, path, NULL);
		answer_done(&a);
	}
	if (!queued(k, serial, &item)) {
		if (r->cause != NULL)
			fail_msg("%s: not queued", r->name);
		return;
	}
	if (r->cause == NULL || strcmp(revocation_cause_name(item.cause), r->cause) != 0)
		fail_msg("%s: queued as %s", r->name, revocation_cause_name(item.cause));
}

static void
only_the_right_deeds_queue(void **state)
{
	for (size_t i = 0; i < N(rows); i++)
		run(*state, &rows[i]);
	kit_put_back(*state);
}

static void
certificate_that_nobody_reported_is_not_queued(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "San only");
	struct revocation *items;
	struct err e;
	size_t n;

	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	assert_int_equal(deed(NULL, k, "POST", "devices/phone-1/unenrol", NULL), 204);
	assert_ok(revocations_list(k->sim->revocations, &items, &n, &e), e);
	for (size_t i = 0; i < n; i++)
		assert_string_not_equal(items[i].certificate.of.profile, "San only");
	free(items);
	kit_put_back(k);
	json_decref(scep);
}

static void
certificate_reported_after_the_end_is_queued_at_once(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	const char *serial = next_serial();
	struct revocation item;

	assert_int_equal(deed(NULL, k, "PATCH", "profiles/Device", "{\"groups\":[]}"), 200);
	kit_report(k, scep, serial);
	assert_true(queued(k, serial, &item));
	assert_int_equal(item.cause, CAUSE_UNASSIGNED);
	kit_put_back(k);
	json_decref(scep);
}

static void
end_by_deletion_and_then_unenrolment_queues(void **state)
{
	const struct kit *k = *state;
	const char *serial = next_serial();
	struct revocation item;

	kit_enrol(k, "phone-1", "User", serial);
	assert_int_equal(deed(NULL, k, "DELETE", "users/jane@alpha.example", NULL), 204);
	assert_false(queued(k, serial, &item));
	assert_int_equal(deed(NULL, k, "POST", "devices/phone-1/unenrol", NULL), 204);
	assert_true(queued(k, serial, &item));
	kit_put_back(k);
}

static void
administrator_revokes_once(void **state)
{
	const struct kit *k = *state;
	const char *serial = next_serial();
	char body[64];
	struct revocation item;
	struct answer a;

	kit_enrol(k, "win-1", "Device", serial);
	snprintf(body, sizeof(body), "{\"serialNumber\":\"%s\"}", serial);
	assert_int_equal(deed(NULL, k, "POST", "/sim/revocations", body), 204);
	assert_true(queued(k, serial, &item));
	assert_int_equal(item.cause, CAUSE_ADMINISTRATOR);
	assert_int_equal(deed(NULL, k, "POST", "/sim/revocations", body), 409);
	assert_int_equal(
	    deed(NULL, k, "POST", "/sim/revocations", "{\"thumbprint\":\"FFFF\"}"), 404);
	assert_int_equal(deed(NULL, k, "POST", "/sim/revocations", "{}"), 400);
	assert_int_equal(deed(&a, k, "GET", "/sim/revocations", NULL), 200);
	assert_string_equal(json_get_str(json_array_get(json_object_get(a.json, "value"),
					     json_array_size(json_object_get(a.json, "value")) - 1),
				"cause"),
	    "administrator");
	answer_done(&a);
}

/* ---- the queue by itself ---- */

static void
add(struct revocations *q, const char *tenant, const char *serial)
{
	struct certificate c = { 0 };

	snprintf(c.of.tenant_id, sizeof(c.of.tenant_id), "%s", tenant);
	snprintf(c.serial, sizeof(c.serial), "%s", serial);
	snprintf(c.thumbprint, sizeof(c.thumbprint), "%s", serial);
	revocations_add(q, &c, CAUSE_WIPE);
}

static void
items_repeat_until_a_result(void **state)
{
	struct revocations *q;
	struct revocation out[4];
	struct revocation_result r = { .succeeded = true };
	struct err e;

	(void)state;
	assert_ok(revocations_new(&q, &e), e);
	add(q, ALPHA_ID, "1");
	add(q, ALPHA_ID, "2");
	add(q, BETA_ID, "3");
	assert_int_equal(revocations_take(q, ALPHA_ID, out, 1), 1);
	assert_string_equal(out[0].certificate.serial, "1");
	assert_int_equal(out[0].downloads, 1);
	assert_int_equal(revocations_take(q, ALPHA_ID, out, 4), 2);
	assert_int_equal(out[0].downloads, 2);
	assert_int_equal(out[1].downloads, 1);
	assert_string_not_equal(out[0].context, out[1].context);
	r.context = out[0].context;
	assert_false(revocations_result(q, BETA_ID, &r));
	assert_true(revocations_result(q, ALPHA_ID, &r));
	assert_int_equal(revocations_take(q, ALPHA_ID, out, 4), 1);
	assert_string_equal(out[0].certificate.serial, "2");
	r.context = "nobody";
	assert_false(revocations_result(q, ALPHA_ID, &r));
	revocations_free(q);
}

static void
results_decide_as_they_say(void **state)
{
	static const struct {
		bool succeeded, retry;
		enum revocation_status status;
	} steps[] = {
		{ false, true, REVOCATION_PENDING },
		{ false, false, REVOCATION_FAILED },
		{ true, false, REVOCATION_REVOKED },
		{ false, false, REVOCATION_REVOKED },
	};
	struct revocations *q;
	struct revocation out;
	struct err e;

	(void)state;
	assert_ok(revocations_new(&q, &e), e);
	add(q, ALPHA_ID, "1");
	assert_int_equal(revocations_take(q, ALPHA_ID, &out, 1), 1);
	for (size_t i = 0; i < N(steps); i++) {
		struct revocation_result r = { .context = out.context,
			.succeeded = steps[i].succeeded,
			.retry = steps[i].retry,
			.error = "E" };

		assert_true(revocations_result(q, ALPHA_ID, &r));
		assert_true(revocations_find(q, ALPHA_ID, "1", &out));
		assert_int_equal(out.status, steps[i].status);
	}
	revocations_free(q);
}

static void
full_queue_forgets_what_is_decided_first(void **state)
{
	struct revocation_result r = { .succeeded = true };
	struct revocations *q;
	struct revocation out[2];
	char serial[16];
	struct err e;

	(void)state;
	assert_ok(revocations_new(&q, &e), e);
	log_setup(LOG_ERROR, LOG_TEXT, 2);
	for (int i = 0; i < REVOCATIONS_MAX; i++) {
		snprintf(serial, sizeof(serial), "%d", i);
		add(q, ALPHA_ID, serial);
	}
	assert_int_equal(revocations_take(q, ALPHA_ID, out, 2), 2);
	r.context = out[1].context;
	assert_true(revocations_result(q, ALPHA_ID, &r));
	add(q, ALPHA_ID, "new");
	assert_false(revocations_find(q, ALPHA_ID, "1", out));
	assert_true(revocations_find(q, ALPHA_ID, "0", out));
	add(q, ALPHA_ID, "newer");
	assert_false(revocations_find(q, ALPHA_ID, "0", out));
	log_setup(LOG_INFO, LOG_TEXT, 2);
	revocations_free(q);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_right_deeds_queue),
		cmocka_unit_test(certificate_that_nobody_reported_is_not_queued),
		cmocka_unit_test(certificate_reported_after_the_end_is_queued_at_once),
		cmocka_unit_test(end_by_deletion_and_then_unenrolment_queues),
		cmocka_unit_test(administrator_revokes_once),
		cmocka_unit_test(items_repeat_until_a_result),
		cmocka_unit_test(results_decide_as_they_say),
		cmocka_unit_test(full_queue_forgets_what_is_decided_first),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
