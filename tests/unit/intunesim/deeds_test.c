/*
 * deeds_test.c - the administrator's deeds over the control API.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/deeds.h"
#include "kit.h"

#define JANE "00000000-0000-4000-8000-00000000000a"

static int
put_back(void **state)
{
	kit_put_back(*state);
	return 0;
}

/* A member of the object at `path`; static. */
static const char *
member(const struct kit *k, const char *path, const char *key)
{
	static char text[512];
	struct answer a;
	char *dump;

	assert_int_equal(deed(&a, k, "GET", path, NULL), 200);
	dump = json_dumps(json_object_get(a.json, key), JSON_COMPACT | JSON_ENCODE_ANY);
	snprintf(text, sizeof(text), "%s", dump != NULL ? dump : "absent");
	free(dump);
	answer_done(&a);
	return text;
}

static size_t
count(const struct kit *k, const char *path)
{
	struct answer a;
	size_t n;

	assert_int_equal(deed(&a, k, "GET", path, NULL), 200);
	n = json_array_size(json_object_get(a.json, "value"));
	answer_done(&a);
	return n;
}

/* ---- making, changing, deleting ---- */

/* One object of each kind, the least that can be said of it, and a change. */
static const struct {
	const char *kind, *body, *name, *patch, *key, *value;
} objects[] = {
	{ "users", "{\"upn\":\"eve@alpha.example\"}", "eve@alpha.example",
	    "{\"department\":\"IT\"}", "department", "\"IT\"" },
	{ "groups", "{\"name\":\"New\",\"users\":[\"bob@alpha.example\"]}", "New", "{\"users\":[]}",
	    "users", "[]" },
	{ "devices", "{\"name\":\"new-1\",\"platform\":\"macos\"}", "new-1",
	    "{\"compliance\":\"noncompliant\"}", "compliance", "\"noncompliant\"" },
	{ "apps", "{\"name\":\"New app\"}", "New app", "{\"enabled\":false}", "enabled", "false" },
	{ "roots", "{\"name\":\"New root\",\"platform\":\"ios\"}", "New root",
	    "{\"groups\":[\"Jane\"]}", "groups", "[\"Jane\"]" },
	{ "profiles",
	    "{\"name\":\"New profile\",\"platform\":\"ios\",\"certificate_type\":\"device\","
	    "\"root\":\"Root I\",\"subject\":\"CN={{DeviceId}}\"}",
	    "New profile", "{\"key_size\":\"4096\"}", "key_size", "\"4096\"" },
};

static void
every_kind_is_made_changed_and_deleted(void **state)
{
	const struct kit *k = *state;
	char path[128];
	struct answer a;
	size_t before;

	for (size_t i = 0; i < N(objects); i++) {
		before = count(k, objects[i].kind);
		assert_int_equal(deed(&a, k, "POST", objects[i].kind, objects[i].body), 201);
		assert_true(guid_valid(json_get_str(a.json, "id")));
		snprintf(path, sizeof(path), "%s/%s", objects[i].kind, json_get_str(a.json, "id"));
		answer_done(&a);
		assert_int_equal(count(k, objects[i].kind), before + 1);
		/* The same name again. */
		if (strcmp(objects[i].kind, "apps") != 0)
			assert_int_equal(
			    deed(NULL, k, "POST", objects[i].kind, objects[i].body), 409);
		assert_int_equal(deed(NULL, k, "PATCH", path, objects[i].patch), 200);
		assert_string_equal(member(k, path, objects[i].key), objects[i].value);
		snprintf(path, sizeof(path), "%s/%s", objects[i].kind, objects[i].name);
		assert_string_equal(member(k, path, objects[i].key), objects[i].value);
		assert_int_equal(deed(NULL, k, "DELETE", path, NULL), 204);
		assert_int_equal(deed(NULL, k, "GET", path, NULL), 404);
		assert_int_equal(deed(NULL, k, "DELETE", path, NULL), 404);
		assert_int_equal(deed(NULL, k, "PATCH", path, objects[i].patch), 404);
		assert_int_equal(count(k, objects[i].kind), before);
	}
}

static const struct {
	const char *method, *path, *body;
	int status;
	const char *want;
} wrong_deeds[] = {
	{ "PATCH", "devices/win-1", "{\"platform\":\"symbian\"}", 400, "platform" },
	{ "PATCH", "devices/win-1", "{\"nmae\":\"x\"}", 400, "nmae" },
	{ "PATCH", "devices/win-1", "{\"user\":\"nobody@x\"}", 400, "user" },
	{ "PATCH", "devices/win-1", "{\"name\":null}", 400, "name" },
	{ "PATCH", "devices/win-1", "{\"name\":\"phone-1\"}", 409, "name" },
	{ "PATCH", "devices/win-1", "{\"id\":\"" ALPHA_ID "\"}", 400, "id" },
	{ "PATCH", "devices/win-1", "{\"serial\":[1]}", 400, "serial" },
	{ "PATCH", "devices/win-1", "[]", 400, "object" },
	{ "PATCH", "devices/win-1", "{", 400, "JSON" },
	{ "PATCH", "devices/win-1", "{\"enrolled\":\"tomorrow\"}", 400, "enrolled" },
	{ "POST", "devices", "{\"name\":\"x\"}", 400, "platform" },
	{ "POST", "devices", "{\"id\":\"17\",\"name\":\"x\",\"platform\":\"ios\"}", 400, "id" },
	{ "POST", "users", "{\"upn\":\"eve\"}", 400, "upn" },
	{ "POST", "users", "{\"upn\":\"e@x\",\"deleted\":\"2026-01-01T00:00:00Z\"}", 400,
	    "deleted" },
	{ "POST", "groups", "{\"name\":\"x\",\"users\":[\"eve@x\"]}", 400, "users" },
	{ "POST", "roots", "{\"name\":\"x\",\"platform\":\"ios\",\"file\":\"/etc/passwd\"}", 400,
	    "file" },
	{ "POST", "roots", "{\"name\":\"x\",\"platform\":\"ios\",\"pem\":\"x\"}", 400, "pem" },
	{ "PATCH", "apps/CA", "{\"certificates\":[{\"file\":\"/etc/passwd\"}]}", 400, "file" },
	{ "PATCH", "apps/CA", "{\"secrets\":[{\"hint\":\"xyz\"}]}", 400, "secrets" },
	{ "PATCH", "profiles/Device", "{\"subject\":\"CN={{Nobody}}\"}", 400, "subject" },
	{ "PATCH", "profiles/Device", "{\"groups\":[\"No such\"]}", 400, "groups" },
	{ "DELETE", "roots/Root W", NULL, 409, "Root W" },
	{ "POST", "groups/Empty/members", "{\"users\":[\"x\"]}", 404, "x" },
	{ "POST", "groups/Empty/members", "{\"groups\":[\"x\"]}", 400, "groups" },
	{ "POST", "groups/Empty/members", "{\"users\":[7]}", 400, "users" },
	{ "POST", "groups/No such/members", "{}", 404, "No such" },
	{ "POST", "devices/win-9/wipe", NULL, 404, "win-9" },
	{ "POST", "deleted/" JANE "/restore", NULL, 404, JANE },
	{ "GET", "nothings", NULL, 404, "nothings" },
	{ "GET", "/sim/tenants/gamma.example/users", NULL, 404, "gamma" },
	{ "POST", "/sim/tenants/gamma.example/users", "{}", 404, "gamma" },
};

static void
wrong_deeds_name_the_key_and_change_nothing(void **state)
{
	const struct kit *k = *state;
	struct answer before, after, a;

	for (size_t i = 0; i < N(wrong_deeds); i++) {
		int status;

		deed(&before, k, "GET", "devices", NULL);
		status =
		    deed(&a, k, wrong_deeds[i].method, wrong_deeds[i].path, wrong_deeds[i].body);
		if (status != wrong_deeds[i].status)
			fail_msg("row %zu (%s): %d %s", i, wrong_deeds[i].path, status,
			    buf_str(&a.body));
		if (strstr(answer_code(&a), wrong_deeds[i].want) == NULL)
			fail_msg("row %zu: %s", i, answer_code(&a));
		deed(&after, k, "GET", "devices", NULL);
		assert_int_equal(json_equal(before.json, after.json), 1);
		answer_done(&before);
		answer_done(&after);
		answer_done(&a);
	}
}

static void
unknown_words_in_names_survive(void **state)
{
	/* Quotes, backslash, emoji, what YAML takes for line breaks, a look-alike of null. */
	static const char *const names[] = { "a \\\"b\\\" \\\\ c", "\xf0\x9f\x93\xb1 phone",
		"x\\u2028y\\u0085z", "null", "~", "- a: b", "{{x}}", "#1", "tab\\there" };
	const struct kit *k = *state;
	char body[256];
	json_t *want;
	struct answer a;
	struct err e;

	for (size_t i = 0; i < N(names); i++) {
		snprintf(body, sizeof(body), "{\"department\":\"%s\"}", names[i]);
		assert_ok(json_parse(&want, body, strlen(body), &e), e);
		assert_int_equal(deed(&a, k, "PATCH", "users/" JANE, body), 200);
		assert_string_equal(
		    json_get_str(a.json, "department"), json_get_str(want, "department"));
		answer_done(&a);
		json_decref(want);
	}
}

/* ---- references ---- */

static void
renaming_breaks_no_reference(void **state)
{
	const struct kit *k = *state;

	assert_int_equal(deed(NULL, k, "PATCH", "groups/Laptops", "{\"name\":\"Notebooks\"}"), 200);
	assert_string_equal(member(k, "profiles/Device", "groups"), "[\"Notebooks\"]");
	assert_int_equal(deed(NULL, k, "PATCH", "roots/Root W", "{\"name\":\"Root V\"}"), 200);
	assert_string_equal(member(k, "profiles/Device", "root"), "\"Root V\"");
	assert_int_equal(
	    deed(NULL, k, "PATCH", "users/" JANE, "{\"upn\":\"jane.roe@alpha.example\"}"), 200);
	assert_string_equal(member(k, "groups/Jane", "users"), "[\"jane.roe@alpha.example\"]");
	assert_string_equal(member(k, "devices/win-1", "user"), "\"jane.roe@alpha.example\"");
	assert_int_equal(deed(NULL, k, "PATCH", "devices/win-1", "{\"name\":\"win-one\"}"), 200);
	assert_string_equal(member(k, "groups/Notebooks", "devices"), "[\"win-one\"]");
	assert_int_equal(deed(NULL, k, "GET", "devices/win-1", NULL), 404);
	/* An app may have had no name. */
	assert_int_equal(deed(NULL, k, "PATCH", "apps/" APP_ID, "{\"name\":\"\"}"), 200);
	assert_int_equal(deed(NULL, k, "PATCH", "apps/" APP_ID, "{\"name\":\"CA\"}"), 200);
}

static void
a_root_can_be_written_as_it_was_read(void **state)
{
	const struct kit *k = *state;
	struct answer shown;
	char *text;

	assert_int_equal(deed(&shown, k, "GET", "roots/Root W", NULL), 200);
	assert_non_null(json_object_get(shown.json, "thumbprint"));
	text = json_dumps(shown.json, 0);
	assert_non_null(text);
	assert_int_equal(deed(NULL, k, "PATCH", "roots/Root W", text), 200);
	free(text);
	answer_done(&shown);
}

static void
members_come_and_go(void **state)
{
	const struct kit *k = *state;
	static const char both[] = "{\"users\":[\"" JANE "\"],\"devices\":[\"win-1\",\"mac-1\"]}";

	assert_int_equal(deed(NULL, k, "POST", "groups/Empty/members", both), 200);
	assert_int_equal(deed(NULL, k, "POST", "groups/Empty/members", both), 200);
	assert_string_equal(member(k, "groups/Empty", "devices"), "[\"win-1\",\"mac-1\"]");
	assert_string_equal(member(k, "groups/Empty", "users"), "[\"jane@alpha.example\"]");
	assert_int_equal(
	    deed(NULL, k, "DELETE", "groups/Empty/members", "{\"devices\":[\"WIN-1\"]}"), 200);
	assert_string_equal(member(k, "groups/Empty", "devices"), "[\"mac-1\"]");
}

static void
assignment_reaches_the_next_checkin(void **state)
{
	const struct kit *k = *state;
	struct answer a;
	json_t *scep;

	assert_int_equal(
	    deed(NULL, k, "PATCH", "profiles/Nobody", "{\"groups\":[\"Laptops\"]}"), 200);
	scep = kit_checkin(k, "win-1", "Nobody");
	json_decref(scep);
	assert_int_equal(deed(&a, k, "GET", "devices/win-1", NULL), 200);
	assert_non_null(json_get_str(a.json, "last_sync"));
	answer_done(&a);
}

/* ---- secrets ---- */

static void
secrets_never_leave(void **state)
{
	const struct kit *k = *state;
	struct answer a;
	char *text;

	assert_int_equal(deed(NULL, k, "PATCH", "apps/" APP_ID,
			     "{\"secrets\":[{\"hint\":\"t/=\"},{\"value\":\"brand-new-secret\"}],"
			     "\"identity_header\":\"the-header-of-it\"}"),
	    200);
	assert_int_equal(deed(&a, k, "GET", "apps", NULL), 200);
	assert_null(strstr(buf_str(&a.body), SECRET));
	assert_null(strstr(buf_str(&a.body), "brand-new"));
	assert_null(strstr(buf_str(&a.body), "the-header"));
	assert_non_null(strstr(buf_str(&a.body), "\"hint\":\"ret\""));
	answer_done(&a);
	deed(&a, k, "GET", "/sim/requests", NULL);
	assert_null(strstr(buf_str(&a.body), "brand-new"));
	answer_done(&a);
	/* The one that was named by its end is still good; the expired one is gone. */
	text = kit_token(k, "alpha.example", APP_ID, INTUNE);
	free(text);
	assert_string_equal(
	    member(k, "apps/" APP_ID, "secrets"), "[{\"hint\":\"t/=\"},{\"hint\":\"ret\"}]");
}

/* ---- the recycle bin ---- */

static void
deleted_user_waits_in_the_bin(void **state)
{
	const struct kit *k = *state;

	assert_int_equal(deed(NULL, k, "DELETE", "users/jane@alpha.example", NULL), 204);
	assert_int_equal(deed(NULL, k, "GET", "users/" JANE, NULL), 404);
	assert_int_equal(count(k, "deleted"), 1);
	/* Its name is free for another, and then stands in the way of its return. */
	assert_int_equal(deed(NULL, k, "POST", "users", "{\"upn\":\"jane@alpha.example\"}"), 201);
	assert_int_equal(deed(NULL, k, "POST", "deleted/" JANE "/restore", NULL), 409);
	assert_int_equal(
	    deed(NULL, k, "DELETE", "users/jane@alpha.example?permanent=true", NULL), 204);
	assert_int_equal(count(k, "deleted"), 1);
	assert_int_equal(deed(NULL, k, "POST", "deleted/" JANE "/restore", NULL), 200);
	assert_int_equal(count(k, "deleted"), 0);
	/* With its groups and devices. */
	assert_string_equal(member(k, "groups/Jane", "users"), "[\"jane@alpha.example\"]");
	assert_string_equal(member(k, "devices/phone-1", "user"), "\"jane@alpha.example\"");
}

static void
bin_empties_itself_after_30_days(void **state)
{
	const struct kit *k = *state;

	assert_int_equal(deed(NULL, k, "DELETE", "users/" JANE, NULL), 204);
	clock_offset_set(31 * 86400);
	assert_int_equal(count(k, "deleted"), 0);
	assert_int_equal(deed(NULL, k, "POST", "deleted/" JANE "/restore", NULL), 404);
	/* The next deed takes it out of everything. */
	assert_int_equal(deed(NULL, k, "PATCH", "devices/mac-1", "{\"serial\":\"1\"}"), 200);
	clock_offset_set(0);
	assert_int_equal(count(k, "deleted"), 0);
	assert_string_equal(member(k, "devices/phone-1", "user"), "absent");
	assert_string_equal(member(k, "groups/Jane", "users"), "[]");
}

static void
deletion_for_good_leaves_nothing(void **state)
{
	const struct kit *k = *state;

	assert_int_equal(deed(NULL, k, "DELETE", "users/" JANE, NULL), 204);
	assert_int_equal(deed(NULL, k, "DELETE", "users/" JANE "?permanent=true", NULL), 204);
	assert_int_equal(count(k, "deleted"), 0);
	assert_string_equal(member(k, "groups/Jane", "users"), "[]");
}

/* ---- wipe, retire, unenrol ---- */

static void
wipe_is_carried_out_at_checkin(void **state)
{
	static const struct {
		const char *deed, *state;
	} both[] = { { "devices/win-1/wipe", "\"wipePending\"" },
		{ "devices/win-1/retire", "\"retirePending\"" } };
	const struct kit *k = *state;
	struct answer a;

	for (size_t i = 0; i < N(both); i++) {
		kit_put_back(k);
		assert_int_equal(deed(NULL, k, "POST", both[i].deed, NULL), 204);
		assert_string_equal(member(k, "devices/win-1", "management_state"), both[i].state);
		post(&a, k, "/sim/devices/win-1/checkin", NULL);
		assert_int_equal(a.status, 410);
		answer_done(&a);
		assert_string_equal(member(k, "devices/win-1", "managed"), "false");
		post(&a, k, "/sim/devices/win-1/checkin", NULL);
		assert_int_equal(a.status, 404);
		answer_done(&a);
		assert_int_equal(deed(NULL, k, "POST", both[i].deed, NULL), 409);
	}
	/* It may come back. */
	assert_int_equal(deed(NULL, k, "PATCH", "devices/win-1", "{\"managed\":true}"), 200);
	json_decref(kit_checkin(k, "win-1", "Device"));
}

/* A check-in's view may be older than the administrator's second thought. */
static void
wipe_that_was_taken_back_is_not_carried_out(void **state)
{
	const struct kit *k = *state;
	enum revocation_cause done;
	const struct view *before;
	struct err e;

	kit_put_back(k);
	assert_int_equal(deed(NULL, k, "POST", "devices/win-1/wipe", NULL), 204);
	before = sim_view(k->sim);
	assert_int_equal(
	    deed(NULL, k, "PATCH", "devices/win-1", "{\"management_state\":\"managed\"}"), 200);
	assert_ok(device_carry_out(&done, k->sim, view_device(before, "win-1"), &e), e);
	assert_int_equal(done, CAUSE_NONE);
	assert_string_equal(member(k, "devices/win-1", "managed"), "true");
	/* ... or made it a retirement */
	assert_int_equal(deed(NULL, k, "POST", "devices/win-1/retire", NULL), 204);
	assert_ok(device_carry_out(&done, k->sim, view_device(before, "win-1"), &e), e);
	assert_int_equal(done, CAUSE_RETIRE);
	/* ... and one who comes second hears the same */
	assert_ok(device_carry_out(&done, k->sim, view_device(before, "win-1"), &e), e);
	assert_int_equal(done, CAUSE_WIPE);
	view_done(before);
}

/* ---- the change log ---- */

static size_t
changes_of(const struct kit *k, enum change_kind kind, uint64_t since, struct change *first)
{
	struct change *v;
	uint64_t now;
	struct err e;
	size_t n;

	assert_ok(changes_since(k->sim->changes, 0, kind, since, &v, &n, &now, &e), e);
	if (n > 0)
		*first = v[0];
	free(v);
	return n;
}

static void
changes_are_told_once_each(void **state)
{
	static const struct {
		const char *method, *path, *body;
		enum change_kind kind;
		enum change_what what;
		const char *id; /* NULL: any */
	} steps[] = {
		{ "PATCH", "users/" JANE, "{\"enabled\":false}", CHANGE_USER, CHANGE_WRITTEN,
		    JANE },
		{ "DELETE", "users/" JANE, NULL, CHANGE_USER, CHANGE_BINNED, JANE },
		{ "POST", "deleted/" JANE "/restore", NULL, CHANGE_USER, CHANGE_WRITTEN, JANE },
		{ "DELETE", "users/" JANE "?permanent=true", NULL, CHANGE_USER, CHANGE_GONE, JANE },
		{ "POST", "users", "{\"upn\":\"eve@alpha.example\"}", CHANGE_USER, CHANGE_WRITTEN,
		    NULL },
		{ "PATCH", "devices/win-1", "{\"enabled\":false}", CHANGE_DEVICE, CHANGE_WRITTEN,
		    NULL },
		{ "DELETE", "devices/win-1", NULL, CHANGE_DEVICE, CHANGE_GONE, NULL },
		{ "POST", "groups", "{\"name\":\"New\"}", CHANGE_GROUP, CHANGE_WRITTEN, NULL },
		{ "DELETE", "groups/New", NULL, CHANGE_GROUP, CHANGE_GONE, NULL },
	};
	const struct kit *k = *state;
	uint64_t start = changes_now(k->sim->changes, 0), since;
	struct change c;

	for (size_t i = 0; i < N(steps); i++) {
		since = changes_now(k->sim->changes, 0);
		assert_true(
		    deed(NULL, k, steps[i].method, steps[i].path, steps[i].body) / 100 == 2);
		assert_int_equal(changes_of(k, steps[i].kind, since, &c), 1);
		assert_int_equal(c.what, steps[i].what);
		if (steps[i].id != NULL)
			assert_string_equal(c.id, steps[i].id);
	}
	/* Jane and eve, each once. */
	assert_int_equal(changes_of(k, CHANGE_USER, start, &c), 2);
	/* What changes no object is no change. */
	since = changes_now(k->sim->changes, 0);
	assert_int_equal(deed(NULL, k, "PATCH", "users/bob@alpha.example", "{}"), 200);
	assert_int_equal(changes_now(k->sim->changes, 0), since);
}

static void
old_links_are_too_old(void **state)
{
	struct changes *l;
	struct change *v;
	uint64_t start, now;
	struct err e;
	size_t n;

	(void)state;
	assert_ok(changes_new(&l, &e), e);
	start = changes_now(l, 0);
	for (int i = 0; i < CHANGES_MAX; i++)
		changes_add(l, 0, CHANGE_USER, CHANGE_WRITTEN, JANE);
	assert_ok(changes_since(l, 0, CHANGE_USER, start, &v, &n, &now, &e), e);
	assert_int_equal(n, 1);
	assert_int_equal(now, start + CHANGES_MAX);
	free(v);
	changes_add(l, 0, CHANGE_USER, CHANGE_WRITTEN, JANE);
	assert_int_equal(changes_since(l, 0, CHANGE_USER, start, &v, &n, &now, &e), RC_NOTFOUND);
	assert_int_equal(changes_since(l, 0, CHANGE_USER, now + 2, &v, &n, &now, &e), RC_NOTFOUND);
	changes_free(l);
}

/* ---- together ---- */

struct worker {
	const struct kit *k;
	pthread_t thread;
	int i, done;
};

static void *
validate_again_and_again(void *arg)
{
	struct worker *w = arg;
	struct buf der;
	struct answer a;
	json_t *scep;

	for (int i = 0; i < 10; i++) {
		scep = kit_checkin(w->k, "win-1", "Device");
		buf_init(&der, 1 << 18);
		kit_csr(&der, w->k, scep, &(struct tweak){ 0 });
		validate_csr(&a, w->k, NULL, &der);
		w->done += a.status == 200;
		answer_done(&a);
		buf_done(&der);
		json_decref(scep);
	}
	return NULL;
}

static void *
change_again_and_again(void *arg)
{
	struct worker *w = arg;
	char body[128], path[64];

	for (int i = 0; i < 10; i++) {
		snprintf(body, sizeof(body), "{\"name\":\"pc-%d-%d\",\"platform\":\"windows\"}",
		    w->i, i);
		w->done += deed(NULL, w->k, "POST", "devices", body) == 201;
		snprintf(body, sizeof(body), "{\"devices\":[\"pc-%d-%d\"]}", w->i, i);
		w->done += deed(NULL, w->k, "POST", "groups/Laptops/members", body) == 200;
		snprintf(path, sizeof(path), "devices/pc-%d-%d", w->i, i);
		w->done += deed(NULL, w->k, "DELETE", path, NULL) == 204;
	}
	return NULL;
}

static void
deeds_and_validations_at_the_same_time(void **state)
{
	const struct kit *k = *state;
	struct worker w[6];

	for (int i = 0; i < (int)N(w); i++) {
		w[i] = (struct worker){ .k = k, .i = i };
		assert_int_equal(
		    pthread_create(&w[i].thread, NULL,
			i % 2 == 0 ? validate_again_and_again : change_again_and_again, &w[i]),
		    0);
	}
	for (int i = 0; i < (int)N(w); i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].done, i % 2 == 0 ? 10 : 30);
	}
	assert_string_equal(member(k, "groups/Laptops", "devices"), "[\"win-1\"]");
}

/* Every object of a tenant file comes out as it went in, and goes in again. */
static void
document_is_what_the_tenant_is_made_of(void **state)
{
	const struct kit *k = *state;
	const struct view *v = sim_view(k->sim);
	json_t *brief = document_make(v->tenants[0], false);
	json_t *a = document_make(v->tenants[0], true), *b;
	struct tenant *t;
	struct buf text;
	struct err e;

	/* What is left out has its default. */
	buf_init(&text, 1 << 20);
	assert_ok(document_text(&text, brief, &e), e);
	json_decref(brief);
	assert_ok(tenant_renew(&t, v->tenants[0], "x", text.data, text.len, &e), e);
	b = document_make(t, true);
	assert_int_equal(json_equal(a, b), 1);
	for (size_t i = 0; i < t->n_profiles; i++)
		assert_true(t->profiles[i].edition == v->tenants[0]->profiles[i].edition);
	tenant_free(t);
	view_done(v);
	buf_done(&text);
	json_decref(a);
	json_decref(b);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, put_back)
	static const struct CMUnitTest tests[] = {
		TEST(every_kind_is_made_changed_and_deleted),
		TEST(wrong_deeds_name_the_key_and_change_nothing),
		TEST(unknown_words_in_names_survive),
		TEST(renaming_breaks_no_reference),
		TEST(a_root_can_be_written_as_it_was_read),
		TEST(members_come_and_go),
		TEST(assignment_reaches_the_next_checkin),
		TEST(secrets_never_leave),
		TEST(deleted_user_waits_in_the_bin),
		TEST(bin_empties_itself_after_30_days),
		TEST(deletion_for_good_leaves_nothing),
		TEST(wipe_is_carried_out_at_checkin),
		TEST(wipe_that_was_taken_back_is_not_carried_out),
		TEST(changes_are_told_once_each),
		TEST(old_links_are_too_old),
		TEST(deeds_and_validations_at_the_same_time),
		TEST(document_is_what_the_tenant_is_made_of),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
