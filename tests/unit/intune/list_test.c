/*
 * list_test.c - lists of the directory: what is asked, that a page is told as a whole or not at all,
 * and that every list comes to an end.
 */
#include "kit.h"

#define ID_A   "aaaaaaaa-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define ID_B   "bbbbbbbb-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define ID_C   "cccccccc-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define GROUP  "99999999-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define OBJ(i) "{\"id\":\"" i "\"}"
#define SINCE  1780000000 /* 2026-05-28T20:26:40Z */

#define ODATA(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"

/* What the callbacks saw, as "aaaa;bbbb;". */
struct log {
	char text[512];
	int n, stop_at; /* this one is the last one wanted; 0: all are */
	struct intune_managed_device device;
	struct intune_risk risk;
};

static int
note(struct log *l, const char *id, enum intune_presence presence, const char *more)
{
	size_t at = strlen(l->text);

	assert_int_equal(presence, INTUNE_PRESENCE_FOUND);
	(void)snprintf(l->text + at, sizeof(l->text) - at, "%.4s%s;", id, more);
	return ++l->n == l->stop_at;
}

static int
on_device(const struct intune_managed_device *d, void *arg)
{
	struct log *l = arg;

	l->device = *d;
	return note(l, d->id, d->presence, "");
}

static int
on_member(const struct intune_member *m, void *arg)
{
	static const char *const kinds[] = { " other", " user", " device" };

	return note(arg, m->id, m->presence, kinds[m->kind]);
}

static int
on_risk(const struct intune_risk *r, void *arg)
{
	struct log *l = arg;

	l->risk = *r;
	return note(l, r->id, r->presence, "");
}

/* ---- every list behind one face ---- */

typedef enum intune_status (*lister)(
    struct intune_client *c, int64_t since, struct log *l, struct intune_error *e);

static enum intune_status
devices(struct intune_client *c, int64_t since, struct log *l, struct intune_error *e)
{
	return intune_list_managed_devices(c, since, on_device, l, e);
}

static enum intune_status
members(struct intune_client *c, int64_t since, struct log *l, struct intune_error *e)
{
	return intune_list_group_members(c, GROUP, on_member, l, e);
}

static enum intune_status
risks(struct intune_client *c, int64_t since, struct log *l, struct intune_error *e)
{
	return intune_list_risky_users(c, since, on_risk, l, e);
}

static const struct {
	const char *name;
	lister f;
	const char *tail; /* of what is noted */
	const char *permission;
	bool has_beta;
} lists[] = {
	{ "devices", devices, "", "DeviceManagementManagedDevices.Read.All", true },
	{ "members", members, " other", "GroupMember.Read.All", false },
	{ "risks", risks, "", "IdentityRiskyUser.Read.All", false },
};

/* Queue a page with these entries and, unless NULL, a link to the next. */
static void
page(struct fixture *f, const char *entries, const char *next)
{
	char body[2048], link[256] = "";

	if (next != NULL)
		(void)snprintf(
		    link, sizeof(link), ",\"@odata.nextLink\":\"%s%s\"", peer_url(f->peer), next);
	(void)snprintf(body, sizeof(body), "{\"value\":[%s]%s}", entries, link);
	peer_answer(f->peer, ROUTE_OTHER, 200, body);
}

static struct fixture *
fresh(void **own)
{
	assert_int_equal(kit_setup(own), 0);
	return *own;
}

#define MANAGED_HEAD                                                                               \
	"?$select=id,azureADDeviceId,userId,userPrincipalName,deviceName,serialNumber,imei,"       \
	"wiFiMacAddress,operatingSystem,osVersion,managedDeviceOwnerType,complianceState,"
#define MANAGED_TAIL "deviceRegistrationState,enrolledDateTime,lastSyncDateTime"
#define RISK_SELECT                                                                                \
	"?$select=id,userPrincipalName,riskLevel,riskState,isDeleted,riskLastUpdatedDateTime"

static void
each_list_is_asked_as_graph_s_reference_has_it(void **state)
{
	static const struct {
		lister f;
		int64_t since;
		const char *want;
	} rows[] = {
		{ devices, 0,
		    "GET /beta/deviceManagement/managedDevices" MANAGED_HEAD
		    "managementState," MANAGED_TAIL " HTTP/1.1\r\n" },
		{ devices, SINCE,
		    "GET /beta/deviceManagement/managedDevices" MANAGED_HEAD
		    "managementState," MANAGED_TAIL
		    "&$filter=lastSyncDateTime%20ge%202026-05-28T20%3A26%3A40Z HTTP/1.1\r\n" },
		{ members, 0,
		    "GET /v1.0/groups/" GROUP "/transitiveMembers?$select=id&$top=999 "
		    "HTTP/1.1\r\n" },
		{ risks, 0,
		    "GET /v1.0/identityProtection/riskyUsers" RISK_SELECT
		    "&$top=500 HTTP/1.1\r\n" },
		{ risks, SINCE,
		    "GET /v1.0/identityProtection/riskyUsers" RISK_SELECT "&$top=500"
		    "&$filter=riskLastUpdatedDateTime%20ge%202026-05-28T20%3A26%3A40Z "
		    "HTTP/1.1\r\n" },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct log l = { 0 };

		peer_forget(f->peer);
		page(f, "", NULL);
		assert_int_equal(rows[i].f(f->client, rows[i].since, &l, &f->e), INTUNE_OK);
		expect_start(peer_recorded(f->peer, ROUTE_OTHER, 0), rows[i].want);
		expect_line(peer_recorded(f->peer, ROUTE_OTHER, 0), "Authorization",
		    "Bearer graph-token-1");
		assert_string_equal(l.text, "");
	}
}

static void
all_pages_are_followed_to_the_last(void **state)
{
	struct fixture *f;
	char want[128];
	size_t i;
	void *own;

	for (i = 0; i < COUNT(lists); i++) {
		struct log l = { 0 };

		f = fresh(&own);
		page(f, OBJ(ID_A), "/2");
		page(f, "", "/3"); /* an empty page in the middle ends nothing */
		page(f, OBJ(ID_B) ",{},5,null,{\"id\":\"odd\"}", "/4");
		page(f, OBJ(ID_C) ",{\"id\":\"" ID_A "\",\"@removed\":{}}", NULL);
		assert_int_equal(lists[i].f(f->client, 0, &l, &f->e), INTUNE_OK);
		(void)snprintf(want, sizeof(want), "aaaa%s;bbbb%s;cccc%s;", lists[i].tail,
		    lists[i].tail, lists[i].tail);
		assert_string_equal(l.text, want);
		assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 4);
		kit_teardown(&own);
	}
}

static void
the_callback_can_end_each_list(void **state)
{
	struct fixture *f;
	size_t i;
	void *own;

	for (i = 0; i < COUNT(lists); i++) {
		struct log l = { .stop_at = 2 };

		f = fresh(&own);
		page(f, OBJ(ID_A) "," OBJ(ID_B) "," OBJ(ID_C), "/2");
		assert_int_equal(lists[i].f(f->client, 0, &l, &f->e), INTUNE_OK);
		assert_int_equal(l.n, 2);
		assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 1);
		kit_teardown(&own);
	}
}

/* Graph answering anything but a list: no member, no device, no INTUNE_OK, and the hint names what is
 * missing. */
static void
what_is_no_list_is_a_failure(void **state)
{
	static const struct {
		struct play play;
		enum intune_status want;
	} rows[] = {
		{ { 401, NULL, ODATA("InvalidAuthenticationToken"), 0, 0 }, INTUNE_E_PERMISSION },
		{ { 403, NULL, ODATA("Authorization_RequestDenied"), 0, 0 }, INTUNE_E_PERMISSION },
		{ { 429, "Retry-After: 600\r\n", ODATA("TooManyRequests"), 0, 0 },
		    INTUNE_E_UNAVAILABLE },
		{ { 500, NULL, "", 0, 0 }, INTUNE_E_UNAVAILABLE },
		{ { 503, NULL, "<html>", 0, 0 }, INTUNE_E_UNAVAILABLE },
		{ { 404, NULL, "<html>Not Found</html>", 0, 0 }, INTUNE_E_UNAVAILABLE },
		{ { 400, NULL, ODATA("BadRequest"), 0, 0 }, INTUNE_E_REFUSED },
		{ { 302, NULL, "", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL, "", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL, "{}", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL, "{\"value\":null}", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL, "{\"value\":{\"id\":\"" ID_A "\"}}", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL, "{\"value\":[" OBJ(ID_A), 0, 0 }, INTUNE_E_PROTOCOL }, /* half */
		{ { 200, NULL, "[" OBJ(ID_A) "]", 0, 0 }, INTUNE_E_PROTOCOL },
		{ { 200, NULL,
		      "{\"value\":[" OBJ(ID_A) "],\"@odata.nextLink\":\"https://evil.example/\"}",
		      0, 0 },
		    INTUNE_E_PROTOCOL },
	};
	struct fixture *f;
	size_t i, k;
	void *own;

	for (i = 0; i < COUNT(rows); i++) {
		for (k = 0; k < COUNT(lists); k++) {
			struct log l = { 0 };
			enum intune_status st;

			f = fresh(&own);
			peer_always(f->peer, ROUTE_OTHER, &rows[i].play);
			st = lists[k].f(f->client, 0, &l, &f->e);
			if (st != rows[i].want || l.n != 0)
				give_up("row %zu, %s: %s, %d told: %s\n", i, lists[k].name,
				    intune_status_name(st), l.n, f->e.message);
			if (st == INTUNE_E_PERMISSION)
				assert_non_null(strstr(f->e.hint, lists[k].permission));
			kit_teardown(&own);
		}
	}
}

static void
a_later_page_that_fails_fails_the_list(void **state)
{
	static const struct play busy = { 429, "Retry-After: 600\r\n", ODATA("TooManyRequests"), 0,
		0 };
	struct fixture *f;
	size_t i;
	void *own;

	for (i = 0; i < COUNT(lists); i++) {
		struct log l = { 0 };

		f = fresh(&own);
		page(f, OBJ(ID_A), "/2");
		peer_play(f->peer, ROUTE_OTHER, &busy);
		assert_int_equal(lists[i].f(f->client, 0, &l, &f->e), INTUNE_E_UNAVAILABLE);
		assert_int_equal(f->e.retry_after, 600);
		assert_int_equal(l.n, 1); /* who was told of is there */
		kit_teardown(&own);
	}
}

static void
pages_in_a_circle_come_to_an_end(void **state)
{
	struct fixture *f;
	struct play again = { .status = 200 };
	char body[256];
	size_t i;
	void *own;

	for (i = 0; i < COUNT(lists); i++) {
		struct log l = { 0 };

		f = fresh(&own);
		(void)snprintf(body, sizeof(body), "{\"value\":[],\"@odata.nextLink\":\"%s/c\"}",
		    peer_url(f->peer));
		again.body = body;
		peer_always(f->peer, ROUTE_OTHER, &again);
		assert_int_equal(lists[i].f(f->client, 0, &l, &f->e), INTUNE_E_PROTOCOL);
		assert_non_null(strstr(f->e.message, "circle"));
		kit_teardown(&own);
	}
}

/* ---- Intune's devices ---- */

static void
all_that_is_told_of_a_device_is_kept(void **state)
{
	struct fixture *f = *state;
	struct log l = { 0 };

	page(f,
	    "{\"id\":\"" ID_A "\",\"azureADDeviceId\":\"" ID_B "\",\"userId\":\"" ID_C
	    "\",\"serialNumber\":\"S1\",\"operatingSystem\":\"Windows\","
	    "\"managedDeviceOwnerType\":\"company\",\"complianceState\":\"noncompliant\","
	    "\"managementState\":\"wipePending\",\"lastSyncDateTime\":\"2026-05-28T20:26:40Z\"}",
	    NULL);
	assert_int_equal(devices(f->client, 0, &l, &f->e), INTUNE_OK);
	assert_string_equal(l.device.entra_device_id, ID_B);
	assert_string_equal(l.device.user_id, ID_C);
	assert_string_equal(l.device.serial_number, "S1");
	assert_string_equal(l.device.owner_type, "company");
	assert_string_equal(l.device.compliance_state, "noncompliant");
	assert_string_equal(l.device.management_state, "wipePending");
	assert_int_equal(l.device.last_sync, SINCE);
}

/* A page of n devices, each with `bytes` of a name. */
static void
page_of(struct fixture *f, unsigned n, size_t bytes, const char *next)
{
	struct play play = { .status = 200 };
	char *body, *p, *name = malloc(bytes + 1);

	assert_non_null(name);
	memset(name, 'x', bytes);
	name[bytes] = '\0';
	assert_non_null(p = body = malloc(n * (bytes + 100) + 200));
	p += sprintf(p, "{\"value\":[");
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p,
		    "%s{\"id\":\"%08x-0000-0000-0000-000000000000\",\"deviceName\":\"%s\"}",
		    i > 0 ? "," : "", i + 1, name);
	p += sprintf(p, "]");
	if (next != NULL)
		p += sprintf(p, ",\"@odata.nextLink\":\"%s%s\"", peer_url(f->peer), next);
	(void)sprintf(p, "}");
	play.body = body;
	peer_play(f->peer, ROUTE_OTHER, &play);
	free(name);
	free(body);
}

static int
count_device(const struct intune_managed_device *d, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static void
a_page_with_the_longest_names_is_read(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	page_of(f, 1000, 3000, NULL);
	assert_int_equal(
	    intune_list_managed_devices(f->client, 0, count_device, &n, &f->e), INTUNE_OK);
	assert_int_equal(n, 1000);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 1);
}

static void
a_page_that_is_too_large_is_asked_for_in_parts(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	page_of(f, 1, 10, "/2");
	page_of(f, 1000, 4300, NULL);
	page_of(f, 500, 8600, NULL);
	page_of(f, 250, 8600, "/2");
	page_of(f, 250, 8600, NULL);
	assert_int_equal(
	    intune_list_managed_devices(f->client, 0, count_device, &n, &f->e), INTUNE_OK);
	assert_int_equal(n, 501); /* one was told before */
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 5);
	assert_null(strstr(peer_recorded(f->peer, ROUTE_OTHER, 0), "$top"));
	assert_non_null(strstr(peer_recorded(f->peer, ROUTE_OTHER, 2), "&$top=500 "));
	assert_non_null(strstr(peer_recorded(f->peer, ROUTE_OTHER, 3), "&$top=250 "));
	/* It is remembered. */
	peer_forget(f->peer);
	page_of(f, 1, 10, NULL);
	assert_int_equal(
	    intune_list_managed_devices(f->client, SINCE, count_device, &n, &f->e), INTUNE_OK);
	assert_non_null(strstr(peer_recorded(f->peer, ROUTE_OTHER, 0), "&$top=250&$filter="));
}

/* Who answers like that is not Intune: an end, and no circle. */
static void
pages_that_stay_too_large_are_a_failure(void **state)
{
	struct fixture *f = *state;
	struct play large = { .status = 200, .len = 4 * 1024 * 1024 + 1 };
	unsigned n = 0;

	assert_non_null(large.body = calloc(1, large.len));
	peer_always(f->peer, ROUTE_OTHER, &large);
	assert_int_equal(
	    intune_list_managed_devices(f->client, 0, count_device, &n, &f->e), INTUNE_E_PROTOCOL);
	assert_int_equal(n, 0);
	/* Of beta its own size, 500, 250, 125, 62, 31, 15; of v1.0 the last of these. */
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 8);
	free((void *)(uintptr_t)large.body);
}

/* Beta is nobody's promise. */
static void
where_beta_fails_the_list_is_that_of_v1_0(void **state)
{
	static const struct {
		struct play play;
		bool v1; /* v1.0 is asked */
	} rows[] = {
		{ { 500, NULL, "", 0, 0 }, true },
		{ { 404, NULL, ODATA("ResourceNotFound"), 0, 0 }, true },
		{ { 400, NULL, ODATA("BadRequest"), 0, 0 }, true },
		{ { 200, NULL, "{\"value\":5}", 0, 0 }, true },
		{ { 403, NULL, ODATA("Authorization_RequestDenied"), 0, 0 }, false },
		{ { 429, "Retry-After: 600\r\n", "", 0, 0 }, false },
	};
	struct fixture *f;
	size_t i, k, at;
	void *own;

	for (i = 0; i < COUNT(rows); i++) {
		struct log l = { 0 };

		f = fresh(&own);
		page(f, "{\"id\":\"" ID_A "\",\"managementState\":\"managed\"}", "/beta/2");
		peer_play(f->peer, ROUTE_OTHER, &rows[i].play);
		for (k = 1; k < 3 && rows[i].play.status == 500; k++) /* again, after pauses */
			peer_play(f->peer, ROUTE_OTHER, &rows[i].play);
		page(f, OBJ(ID_A) "," OBJ(ID_B), NULL);
		assert_int_equal(devices(f->client, SINCE, &l, &f->e) == INTUNE_OK, rows[i].v1);
		at = peer_count(f->peer, ROUTE_OTHER) - 1;
		if (!rows[i].v1) {
			assert_string_equal(l.text, "aaaa;");
		} else {
			assert_string_equal(l.text, "aaaa;aaaa;bbbb;");
			assert_string_equal(l.device.management_state, "");
			expect_start(peer_recorded(f->peer, ROUTE_OTHER, at),
			    "GET /v1.0/deviceManagement/managedDevices" MANAGED_HEAD MANAGED_TAIL
			    "&$filter=lastSyncDateTime%20ge%202026-05-28T20%3A26%3A40Z ");
		}
		kit_teardown(&own);
	}
}

/* ---- groups ---- */

static void
members_are_told_by_what_they_are(void **state)
{
	struct fixture *f = *state;
	struct log l = { 0 };

	page(f,
	    "{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" ID_A "\"},"
	    "{\"@odata.type\":\"#microsoft.graph.device\",\"id\":\"" ID_B "\"},"
	    "{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" ID_C "\"},"
	    "{\"@odata.type\":7,\"id\":\"" ID_C "\"}",
	    NULL);
	assert_int_equal(members(f->client, 0, &l, &f->e), INTUNE_OK);
	assert_string_equal(l.text, "aaaa user;bbbb device;cccc other;cccc other;");
}

static void
only_graph_s_own_word_says_that_there_is_no_such_group(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool none;
	} rows[] = {
		{ 404, ODATA(INTUNE_NO_SUCH_OBJECT), true },
		{ 404, ODATA("UnknownError"), false },
		{ 404, "", false },
		{ 400, ODATA(INTUNE_NO_SUCH_OBJECT), false },
		{ 403, ODATA(INTUNE_NO_SUCH_OBJECT), false },
	};
	struct fixture *f = *state;
	enum intune_status st;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct log l = { 0 };

		peer_answer(f->peer, ROUTE_OTHER, rows[i].status, rows[i].body);
		st = members(f->client, 0, &l, &f->e);
		assert_int_not_equal(st, INTUNE_OK);
		if ((st == INTUNE_E_REFUSED && f->e.http_status == 404 &&
			strcmp(f->e.code_text, INTUNE_NO_SUCH_OBJECT) == 0) != rows[i].none)
			give_up("row %zu: %s\n", i, f->e.message);
	}
	/* of a later page it would be another matter */
	struct log l = { 0 };

	page(f, OBJ(ID_A), "/2");
	peer_answer(f->peer, ROUTE_OTHER, 404, ODATA(INTUNE_NO_SUCH_OBJECT));
	assert_int_equal(members(f->client, 0, &l, &f->e), INTUNE_E_UNAVAILABLE);
}

/* ---- risk ---- */

static enum intune_status
find_risk(struct fixture *f, const char *id, struct intune_risk *r)
{
	memset(r, 0x55, sizeof(*r));
	return intune_find_risk(f->client, id, r, &f->e);
}

static void
a_user_s_risk_is_found_by_his_id(void **state)
{
	struct fixture *f = *state;
	struct intune_risk r;

	peer_answer(f->peer, ROUTE_OTHER, 200,
	    "{\"id\":\"" ID_A "\",\"userPrincipalName\":\"j@x\",\"riskLevel\":\"high\","
	    "\"riskState\":\"atRisk\",\"isDeleted\":false,"
	    "\"riskLastUpdatedDateTime\":\"2026-05-28T20:26:40.1234567Z\"}");
	assert_int_equal(find_risk(f, ID_A, &r), INTUNE_OK);
	assert_int_equal(r.presence, INTUNE_PRESENCE_FOUND);
	assert_string_equal(r.risk_level, "high");
	assert_string_equal(r.risk_state, "atRisk");
	assert_int_equal(r.is_deleted, INTUNE_NO);
	assert_int_equal(r.updated, SINCE);
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 0),
	    "GET /v1.0/identityProtection/riskyUsers/" ID_A RISK_SELECT " HTTP/1.1\r\n");

	peer_answer(f->peer, ROUTE_OTHER, 200, OBJ(ID_B));
	assert_int_equal(find_risk(f, ID_A, &r), INTUNE_E_PROTOCOL); /* somebody else */
	assert_int_equal(r.presence, INTUNE_PRESENCE_UNKNOWN);
	assert_string_equal(r.id, "");
}

/* "Not at risk" lifts a hold, so it wants as good a proof as its opposite. */
static void
nobody_is_without_risk_because_an_address_is_wrong(void **state)
{
	static const struct {
		int status, list_status;
		const char *body, *list;
		enum intune_status want;
		enum intune_presence presence;
	} rows[] = {
#define UNKNOWN INTUNE_PRESENCE_UNKNOWN
		{ 404, 200, ODATA("ResourceNotFound"), "{\"value\":[]}", INTUNE_OK,
		    INTUNE_PRESENCE_NOT_LISTED },
		{ 404, 200, ODATA("Request_ResourceNotFound"), "{\"value\":[" OBJ(ID_B) "]}",
		    INTUNE_OK, INTUNE_PRESENCE_NOT_LISTED },
		{ 404, 404, ODATA("ResourceNotFound"), ODATA("ResourceNotFound"),
		    INTUNE_E_UNAVAILABLE, UNKNOWN },
		{ 404, 403, ODATA("ResourceNotFound"), ODATA("Forbidden"), INTUNE_E_PERMISSION,
		    UNKNOWN },
		{ 404, 200, ODATA("ResourceNotFound"), "{}", INTUNE_E_PROTOCOL, UNKNOWN },
		{ 404, 200, ODATA("UnknownError"), "{\"value\":[]}", INTUNE_E_UNAVAILABLE,
		    UNKNOWN },
		{ 404, 200, "", "{\"value\":[]}", INTUNE_E_UNAVAILABLE, UNKNOWN },
		{ 403, 200, ODATA("ResourceNotFound"), "{\"value\":[]}", INTUNE_E_PERMISSION,
		    UNKNOWN },
		{ 200, 200, "{\"value\":[]}", "{\"value\":[]}", INTUNE_E_PROTOCOL, UNKNOWN },
#undef UNKNOWN
	};
	struct fixture *f;
	struct intune_risk r;
	enum intune_status st;
	size_t i;
	void *own;

	for (i = 0; i < COUNT(rows); i++) {
		f = fresh(&own);
		peer_answer(f->peer, ROUTE_OTHER, rows[i].status, rows[i].body);
		peer_answer(f->peer, ROUTE_OTHER, rows[i].list_status, rows[i].list);
		st = find_risk(f, ID_A, &r);
		if (st != rows[i].want || r.presence != rows[i].presence)
			give_up("row %zu: %s, %s: %s\n", i, intune_status_name(st),
			    intune_presence_name(r.presence), f->e.message);
		assert_string_equal(r.id, "");
		kit_teardown(&own);
	}
}

static void
arguments_are_checked_and_nothing_is_sent(void **state)
{
	struct fixture *f = *state;
	struct log l = { 0 };
	struct intune_risk r;

#define REFUSED(call) assert_int_equal(call, INTUNE_E_ARGUMENT)
	REFUSED(intune_list_managed_devices(NULL, 0, on_device, &l, &f->e));
	REFUSED(intune_list_managed_devices(f->client, 0, NULL, &l, &f->e));
	REFUSED(intune_list_managed_devices(f->client, -1, on_device, &l, NULL));
	REFUSED(intune_list_group_members(NULL, GROUP, on_member, &l, &f->e));
	REFUSED(intune_list_group_members(f->client, NULL, on_member, &l, &f->e));
	REFUSED(intune_list_group_members(f->client, "Staff", on_member, &l, &f->e));
	REFUSED(intune_list_group_members(f->client, "../" ID_A, on_member, &l, &f->e));
	REFUSED(intune_list_group_members(f->client, GROUP, NULL, &l, &f->e));
	REFUSED(intune_list_risky_users(NULL, 0, on_risk, &l, &f->e));
	REFUSED(intune_list_risky_users(f->client, 0, NULL, &l, &f->e));
	REFUSED(intune_list_risky_users(f->client, INT64_MIN, on_risk, &l, &f->e));
	REFUSED(intune_find_risk(NULL, ID_A, &r, &f->e));
	REFUSED(intune_find_risk(f->client, "jane@contoso.com", &r, &f->e));
	REFUSED(intune_find_risk(f->client, NULL, &r, &f->e));
	REFUSED(intune_find_risk(f->client, ID_A, NULL, &f->e));
#undef REFUSED
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(each_list_is_asked_as_graph_s_reference_has_it),
		T(all_pages_are_followed_to_the_last),
		T(the_callback_can_end_each_list),
		T(what_is_no_list_is_a_failure),
		T(a_later_page_that_fails_fails_the_list),
		T(pages_in_a_circle_come_to_an_end),
		T(all_that_is_told_of_a_device_is_kept),
		T(a_page_with_the_longest_names_is_read),
		T(a_page_that_is_too_large_is_asked_for_in_parts),
		T(pages_that_stay_too_large_are_a_failure),
		T(where_beta_fails_the_list_is_that_of_v1_0),
		T(members_are_told_by_what_they_are),
		T(only_graph_s_own_word_says_that_there_is_no_such_group),
		T(a_user_s_risk_is_found_by_his_id),
		T(nobody_is_without_risk_because_an_address_is_wrong),
		T(arguments_are_checked_and_nothing_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
