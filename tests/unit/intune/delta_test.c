/*
 * delta_test.c - following the directory's changes: page by page, with a token that goes nowhere
 * else, to an end in any case.
 */
#include "kit.h"

#define ID_A   "aaaaaaaa-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define ID_B   "bbbbbbbb-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define ID_C   "cccccccc-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define ID_D   "dddddddd-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define OBJ(i) "{\"id\":\"" i "\"}"

#define ODATA(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"

/* What the callback saw, as "user aaaa found;". */
struct log {
	char text[1024];
	int stop_at; /* this change is the last one wanted; 0: all are */
	int n;
};

static int
note(const struct intune_change *change, void *arg)
{
	struct log *l = arg;
	size_t at = strlen(l->text);

	assert_true((change->user == NULL) != (change->device == NULL));
	(void)snprintf(l->text + at, sizeof(l->text) - at, "%s %.4s %s;",
	    change->user != NULL ? "user" : "device",
	    change->user != NULL ? change->user->id : change->device->id,
	    intune_presence_name(
		change->user != NULL ? change->user->presence : change->device->presence));
	return ++l->n == l->stop_at;
}

static char unwritten[] = "unwritten";

struct outcome {
	enum intune_status st;
	char *link;
	struct log log;
};

static struct outcome
follow(struct fixture *f, enum intune_delta kind, const char *link, int stop_at)
{
	struct outcome o = { .link = unwritten, .log.stop_at = stop_at };

	o.st = intune_follow_changes(f->client, kind, link, note, &o.log, &o.link, &f->e);
	assert_int_equal(f->e.status, o.st);
	if (o.st != INTUNE_OK)
		assert_ptr_equal(o.link, unwritten);
	return o;
}

/* Queue a page with these entries and one link. */
static void
page(struct fixture *f, const char *entries, const char *link_name, const char *path)
{
	char body[2048];

	(void)snprintf(body, sizeof(body), "{\"value\":[%s],\"@odata.%s\":\"%s%s\"}", entries,
	    link_name, peer_url(f->peer), path);
	peer_answer(f->peer, ROUTE_OTHER, 200, body);
}

static void
all_pages_are_followed_to_the_delta_link(void **state)
{
	struct fixture *f = *state;
	char want[256];
	struct outcome o;

	page(f, OBJ(ID_A), "nextLink", "/v1.0/users/delta?$skiptoken=1");
	page(f, "", "nextLink", "/v1.0/users/delta?$skiptoken=2");
	page(f,
	    "{\"id\":\"" ID_B "\",\"@removed\":{\"reason\":\"changed\"}},"
	    "{\"@removed\":{\"reason\":\"deleted\"},\"id\":\"" ID_C
	    "\",\"userPrincipalName\":\"x\"},"
	    "{\"id\":\"" ID_D "\",\"@removed\":{\"reason\":7}}",
	    "deltaLink", "/v1.0/users/delta?$deltatoken=3");
	o = follow(f, INTUNE_DELTA_USERS, NULL, 0);
	assert_int_equal(o.st, INTUNE_OK);
	assert_string_equal(
	    o.log.text, "user aaaa found;user bbbb deleted;user cccc gone;user dddd deleted;");
	(void)snprintf(want, sizeof(want), "%s/v1.0/users/delta?$deltatoken=3", peer_url(f->peer));
	assert_string_equal(o.link, want);
	free(o.link);
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 0),
	    "GET /v1.0/users/delta?$select=id,userPrincipalName,accountEnabled,"
	    "signInSessionsValidFromDateTime,onPremisesSecurityIdentifier HTTP/1.1\r\n");
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 1), "GET /v1.0/users/delta?$skiptoken=1 ");
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 2), "GET /v1.0/users/delta?$skiptoken=2 ");
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 3);

	/* and the next time */
	page(f, "", "deltaLink", "/v1.0/users/delta?$deltatoken=4");
	assert_int_equal(
	    intune_follow_changes(f->client, INTUNE_DELTA_USERS, want, note, &o.log, &o.link, NULL),
	    INTUNE_OK);
	expect_start(
	    peer_recorded(f->peer, ROUTE_OTHER, 3), "GET /v1.0/users/delta?$deltatoken=3 ");
	free(o.link);
}

static void
devices_are_followed_likewise(void **state)
{
	struct fixture *f = *state;
	struct outcome o;

	page(f, OBJ(ID_A) ",{\"id\":\"" ID_B "\",\"@removed\":{\"reason\":\"deleted\"}}",
	    "deltaLink", "/d");
	o = follow(f, INTUNE_DELTA_DEVICES, NULL, 0);
	assert_int_equal(o.st, INTUNE_OK);
	assert_string_equal(o.log.text, "device aaaa found;device bbbb gone;");
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 0),
	    "GET /v1.0/devices/delta?$select=id,deviceId,displayName,operatingSystem,"
	    "operatingSystemVersion,trustType,onPremisesSecurityIdentifier,accountEnabled,"
	    "isCompliant,isManaged,"
	    "registrationDateTime HTTP/1.1\r\n");
	free(o.link);
}

static void
the_callback_can_end_the_walk(void **state)
{
	struct fixture *f = *state;
	struct outcome o;

	page(f, OBJ(ID_A) "," OBJ(ID_B) "," OBJ(ID_C), "nextLink", "/p2");
	o = follow(f, INTUNE_DELTA_USERS, NULL, 2);
	assert_int_equal(o.st, INTUNE_OK);
	assert_null(o.link);
	assert_int_equal(o.log.n, 2);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 1);
	/* on the last page, too, what was not told is not passed over by a link */
	page(f, OBJ(ID_A) "," OBJ(ID_B), "deltaLink", "/d");
	o = follow(f, INTUNE_DELTA_USERS, NULL, 2);
	assert_int_equal(o.st, INTUNE_OK);
	assert_null(o.link);
}

static void
a_link_that_leads_elsewhere_is_not_followed(void **state)
{
	static const char *const rows[] = {
		"{\"value\":[" OBJ(ID_A) "],\"@odata.nextLink\":\"https://evil.example/p\"}",
		"{\"value\":[" OBJ(ID_A) "],\"@odata.deltaLink\":\"https://evil.example/p\"}",
		"{\"value\":[" OBJ(ID_A) "],\"@odata.nextLink\":\"/v1.0/p\"}",
		"{\"value\":[" OBJ(ID_A) "],\"@odata.deltaLink\":\"\"}",
		"{\"value\":[" OBJ(ID_A) "],\"@odata.deltaLink\":7}",
		"{\"value\":[" OBJ(ID_A) "]}",
		"{\"value\":{\"id\":\"" ID_A "\"}}",
		/* Of whom? */
		"{\"value\":[" OBJ(ID_A) ",{\"accountEnabled\":false}],"
					 "\"@odata.deltaLink\":\"http://127.0.0.1/\"}",
		"{\"@odata.deltaLink\":\"http://127.0.0.1/\"}",
	};
	struct fixture *f = *state;
	struct outcome o;
	char link[128];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		peer_answer(f->peer, ROUTE_OTHER, 200, rows[i]);
		o = follow(f, INTUNE_DELTA_USERS, NULL, 0);
		if (o.st != INTUNE_E_PROTOCOL || o.log.n != 0)
			give_up("row %zu: %s, %d\n", i, intune_status_name(o.st), o.log.n);
	}
	peer_forget(f->peer);
	(void)snprintf(link, sizeof(link), "http://127.0.0.1:%u/v1.0/users/delta?$deltatoken=1",
	    port_closed());
	o = follow(f, INTUNE_DELTA_USERS, link, 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	o = follow(f, INTUNE_DELTA_USERS, "file:///etc/passwd", 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	(void)snprintf(link, sizeof(link), "%s/v1.0/users/delta?$deltatoken=1", peer_url(f->peer));
	o = follow(f, INTUNE_DELTA_DEVICES, link, 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	(void)snprintf(link, sizeof(link), "%s/v1.0/devices/delta?$deltatoken=/users/delta",
	    peer_url(f->peer));
	o = follow(f, INTUNE_DELTA_USERS, link, 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	o = follow(f, INTUNE_DELTA_USERS, "", 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	o = follow(f, (enum intune_delta)9, NULL, 0);
	assert_int_equal(o.st, INTUNE_E_ARGUMENT);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 0);
}

/* An entry way of two pages, then round and round. */
static void
queue_circle(struct fixture *f, unsigned length)
{
	char path[32];
	unsigned i;

	page(f, "", "nextLink", "/in");
	page(f, "", "nextLink", "/c0");
	for (i = 0; i < 8; i++) {
		(void)snprintf(path, sizeof(path), "/c%u", (i + 1) % length);
		page(f, "", "nextLink", path);
	}
	page(f, "", "deltaLink", "/too-late");
}

static void
a_circle_of_any_length_comes_to_an_end(void **state)
{
	struct fixture *f;
	struct outcome o;
	unsigned length;
	void *own;

	for (length = 1; length <= 4; length++) {
		assert_int_equal(kit_setup(&own), 0);
		f = own;
		queue_circle(f, length);
		o = follow(f, INTUNE_DELTA_USERS, NULL, 0);
		assert_int_equal(o.st, INTUNE_E_PROTOCOL);
		assert_non_null(strstr(f->e.message, "circle"));
		kit_teardown(&own);
	}
}

static void
a_link_that_is_too_old_says_so(void **state)
{
	static const struct {
		int status;
		const char *headers, *body;
		bool resync;
	} rows[] = {
		{ 410, "Location: https://graph.microsoft.com/v1.0/users/delta?$deltatoken=\r\n",
		    ODATA("resyncRequired"), true },
		{ 410, NULL, "", true },
		{ 400, NULL, ODATA("syncStateNotFound"), true },
		{ 400, NULL, ODATA("SyncStateInvalid"), true },
		{ 400, NULL, ODATA("Directory_ExpiredPageToken"), true },
		{ 400, NULL, ODATA("BadRequest"), false },
		{ 404, NULL, ODATA("Request_ResourceNotFound"), false },
		{ 500, NULL, ODATA("resyncRequired"), false },
	};
	struct fixture *f = *state;
	struct outcome o;
	char link[128];
	size_t i;

	(void)snprintf(link, sizeof(link), "%s/v1.0/users/delta?$deltatoken=1", peer_url(f->peer));
	for (i = 0; i < COUNT(rows); i++) {
		const struct play play = { rows[i].status, rows[i].headers, rows[i].body, 0, 0 };

		peer_always(f->peer, ROUTE_OTHER, &play);
		o = follow(f, INTUNE_DELTA_USERS, link, 0);
		assert_int_not_equal(o.st, INTUNE_OK);
		if ((o.st == INTUNE_E_REFUSED && strcmp(f->e.code_text, "resyncRequired") == 0) !=
		    rows[i].resync)
			give_up("row %zu: %s\n", i, f->e.message);
		if (rows[i].resync)
			assert_non_null(strstr(f->e.hint, "begin anew"));
		assert_int_equal(f->e.http_status, rows[i].status);
		/* to begin anew would be no cure for what comes at the beginning */
		o = follow(f, INTUNE_DELTA_USERS, NULL, 0);
		assert_true(o.st != INTUNE_OK && strstr(f->e.hint, "begin anew") == NULL);
	}
}

static void
a_failure_on_a_later_page_gives_no_link(void **state)
{
	struct fixture *f = *state;
	struct outcome o;

	page(f, OBJ(ID_A), "nextLink", "/p2");
	peer_answer(f->peer, ROUTE_OTHER, 403, ODATA("Authorization_RequestDenied"));
	o = follow(f, INTUNE_DELTA_DEVICES, NULL, 0);
	assert_int_equal(o.st, INTUNE_E_PERMISSION);
	assert_non_null(strstr(f->e.hint, "Device.Read.All"));
	assert_string_equal(o.log.text, "device aaaa found;");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(all_pages_are_followed_to_the_delta_link),
		T(devices_are_followed_likewise),
		T(the_callback_can_end_the_walk),
		T(a_link_that_leads_elsewhere_is_not_followed),
		T(a_circle_of_any_length_comes_to_an_end),
		T(a_link_that_is_too_old_says_so),
		T(a_failure_on_a_later_page_gives_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
