/*
 * directory_test.c - looking for users and devices: what is asked, what each kind of answer proves,
 * and that nothing but Graph's own word makes anybody gone.
 */
#include "kit.h"

#define ID     "9bd5f4a2-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define OTHER  "00000001-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define UPN    "jane@contoso.com"
#define NOUGHT "00000000-0000-0000-0000-000000000000"

#define ODATA(code)                                                                                \
	"{\"error\":{\"code\":\"" code                                                             \
	"\",\"message\":\"m\",\"innerError\":{\"request-id\":\"r-1\"}}}"
#define NO_SUCH ODATA("Request_ResourceNotFound")

#define USER_SELECT                                                                                \
	"?$select=id,userPrincipalName,accountEnabled,deletedDateTime,"                            \
	"signInSessionsValidFromDateTime,onPremisesSecurityIdentifier"
#define DEVICE_SELECT                                                                              \
	"?$select=id,deviceId,displayName,operatingSystem,operatingSystemVersion,trustType,"       \
	"onPremisesSecurityIdentifier,"                                                            \
	"accountEnabled,isCompliant,isManaged,approximateLastSignInDateTime,registrationDateTime"
#define MANAGED_HEAD                                                                               \
	"?$select=id,azureADDeviceId,userId,userPrincipalName,deviceName,serialNumber,imei,"       \
	"wiFiMacAddress,operatingSystem,osVersion,managedDeviceOwnerType,complianceState,"
#define MANAGED_TAIL   "deviceRegistrationState,enrolledDateTime,lastSyncDateTime"
#define MANAGED_SELECT MANAGED_HEAD MANAGED_TAIL
#define BETA_SELECT    MANAGED_HEAD "managementState," MANAGED_TAIL

/* ---- every look-up behind one face ---- */

struct seen {
	enum intune_presence presence;
	char id[40];
	char name[256];
	char state[32];
};

typedef enum intune_status (*look_up)(
    struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e);

static enum intune_status
user(struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e)
{
	struct intune_user u;
	enum intune_status st;

	memset(&u, 0x55, sizeof(u));
	st = intune_find_user(c, what, &u, e);
	seen->presence = u.presence;
	memcpy(seen->id, u.id, sizeof(seen->id));
	memcpy(seen->name, u.user_principal_name, sizeof(seen->name));
	return st;
}

static enum intune_status
device(struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e)
{
	struct intune_device d;
	enum intune_status st;

	memset(&d, 0x55, sizeof(d));
	st = intune_find_device(c, what, &d, e);
	seen->presence = d.presence;
	memcpy(seen->id, d.id, sizeof(seen->id));
	memcpy(seen->name, d.display_name, sizeof(seen->name));
	return st;
}

static enum intune_status
keep_managed(enum intune_status st, const struct intune_managed_device *m, struct seen *seen)
{
	seen->presence = m->presence;
	memcpy(seen->id, m->id, sizeof(seen->id));
	memcpy(seen->name, m->device_name, sizeof(seen->name));
	memcpy(seen->state, m->management_state, sizeof(seen->state));
	return st;
}

static enum intune_status
managed(struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e)
{
	struct intune_managed_device m;

	memset(&m, 0x55, sizeof(m));
	return keep_managed(intune_find_managed_device(c, what, &m, e), &m, seen);
}

static enum intune_status
by_device(struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e)
{
	struct intune_managed_device m;

	memset(&m, 0x55, sizeof(m));
	return keep_managed(
	    intune_find_managed_device_by(c, INTUNE_BY_ENTRA_DEVICE_ID, what, &m, e), &m, seen);
}

static enum intune_status
by_serial(struct intune_client *c, const char *what, struct seen *seen, struct intune_error *e)
{
	struct intune_managed_device m;

	memset(&m, 0x55, sizeof(m));
	return keep_managed(
	    intune_find_managed_device_by(c, INTUNE_BY_SERIAL_NUMBER, what, &m, e), &m, seen);
}

static const struct {
	const char *name;
	look_up f;
	const char *what; /* a usual argument */
	bool is_list;     /* a filter, not an address */
	const char *permission;
} calls[] = {
	{ "user by id", user, ID, false, "Microsoft Graph User.Read.All" },
	{ "user by name", user, UPN, false, "Microsoft Graph User.Read.All" },
	{ "device", device, ID, false, "Microsoft Graph Device.Read.All" },
	{ "managed device", managed, ID, false,
	    "Microsoft Graph DeviceManagementManagedDevices.Read.All" },
	{ "by Entra's id", by_device, ID, true,
	    "Microsoft Graph DeviceManagementManagedDevices.Read.All" },
	{ "by serial number", by_serial, "S1", true,
	    "Microsoft Graph DeviceManagementManagedDevices.Read.All" },
};

/* ---- what is asked ---- */

static void
requests_cannot_be_broken_out_of(void **state)
{
	static const struct {
		look_up f;
		const char *what;
		const char *want; /* the request's target */
		size_t n;         /* which request of the call */
	} rows[] = {
		{ user, ID, "/v1.0/users/" ID USER_SELECT " ", 0 },
		{ user, UPN, "/v1.0/users/jane%40contoso.com" USER_SELECT " ", 0 },
		{ user, "o'brien+a/b?c=d#e&f%41;,\xc3\xb6@contoso.com",
		    "/v1.0/users/"
		    "o%27brien%2Ba%2Fb%3Fc%3Dd%23e%26f%2541%3B%2C%C3%B6%40contoso.com" USER_SELECT
		    " ",
		    0 },
		{ user, "a_b.com#EXT#@contoso.com",
		    "/v1.0/users/a_b.com%23EXT%23%40contoso.com" USER_SELECT " ", 0 },
		{ user, "..@x", "/v1.0/users/..%40x" USER_SELECT " ", 0 },
		{ user, "$o'b@contoso.com",
		    "/v1.0/users(%27%24o%27%27b%40contoso.com%27)" USER_SELECT " ", 0 },
		{ device, ID, "/v1.0/devices(deviceId=%27" ID "%27)" DEVICE_SELECT " ", 0 },
		{ managed, ID, "/beta/deviceManagement/managedDevices/" ID BETA_SELECT " ", 0 },
		{ managed, ID, "/v1.0/deviceManagement/managedDevices/" ID MANAGED_SELECT " ", 1 },
		{ by_device, ID,
		    "/beta/deviceManagement/managedDevices" BETA_SELECT
		    "&$filter=azureADDeviceId%20eq%20%27" ID "%27 ",
		    0 },
		{ by_serial, "S1' or serialNumber ne '",
		    "/beta/deviceManagement/managedDevices" BETA_SELECT
		    "&$filter=serialNumber%20eq%20%27S1%27%27%20or%20serialNumber%20ne%20%27%27%"
		    "27 ",
		    0 },
		{ by_serial, "x&y=1#",
		    "/v1.0/deviceManagement/managedDevices" MANAGED_SELECT
		    "&$filter=serialNumber%20eq%20%27x%26y%3D1%23%27 ",
		    1 },
	};
	const struct play no = { .status = 400, .body = ODATA("BadRequest") };
	struct fixture *f = *state;
	struct seen seen;
	const char *raw;
	size_t i;

	peer_always(f->peer, ROUTE_OTHER, &no);
	for (i = 0; i < COUNT(rows); i++) {
		peer_forget(f->peer);
		assert_int_equal(
		    rows[i].f(f->client, rows[i].what, &seen, &f->e), INTUNE_E_REFUSED);
		assert_int_equal(seen.presence, INTUNE_PRESENCE_UNKNOWN);
		raw = peer_recorded(f->peer, ROUTE_OTHER, rows[i].n);
		assert_non_null(raw);
		expect_start(raw, "GET ");
		expect_start(raw + 4, rows[i].want);
		expect_line(raw, "Authorization", "Bearer graph-token-1");
		assert_string_equal(raw_header(raw, "Accept"), "application/json");
	}
	assert_int_equal(peer_count_scope(f->peer, "manage.microsoft"), 0);
}

static void
arguments_are_checked_and_nothing_is_sent(void **state)
{
	static const char long_name[] =
#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    X32 X32 X32 X32 X32 X32 X32 X32 "@x";
	static const struct {
		look_up f;
		const char *what;
		const char *says;
	} rows[] = {
		{ user, NULL, "id_or_upn is missing" },
		{ user, "", "id_or_upn is missing" },
		{ user, "jane", "id_or_upn is neither" },
		{ user, "..", "id_or_upn is neither" },
		{ user, "@contoso.com", "id_or_upn is neither" },
		{ user, "jane@", "id_or_upn is neither" },
		{ user, "ja\nne@x", "id_or_upn is neither" },
		{ user, "ja\xffne@x", "id_or_upn is neither" },
		{ user, long_name, "id_or_upn is neither" },
		{ device, NULL, "device_id is missing" },
		{ device, "1", "device_id is no GUID" },
		{ device, ID "x", "device_id is no GUID" },
		{ device, "9bd5f4a2-93a6-4f2a-8f13-1d0a1b2c3d4g", "device_id is no GUID" },
		{ device, "9bd5f4a2093a6-4f2a-8f13-1d0a1b2c3d4e", "device_id is no GUID" },
		{ managed, "x') or (1 eq 1", "id is no GUID" },
		{ managed, NULL, "id is missing" },
		{ by_device, "S1", "value is no GUID" },
		{ by_serial, "", "value is missing" },
		{ by_serial, "S\t1", "value is too long, or not printable" },
		{ by_serial, long_name, "value is too long, or not printable" },
	};
	struct fixture *f = *state;
	struct intune_user u;
	struct seen seen;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    rows[i].f(f->client, rows[i].what, &seen, &f->e), INTUNE_E_ARGUMENT);
		assert_int_equal(seen.presence, INTUNE_PRESENCE_UNKNOWN);
		assert_string_equal(seen.id, "");
		if (strstr(f->e.message, rows[i].says) == NULL)
			give_up("%s\nwant %s\n", f->e.message, rows[i].says);
	}
	assert_int_equal(intune_find_user(NULL, UPN, &u, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_find_user(f->client, UPN, NULL, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_find_managed_device_by(
			     f->client, (enum intune_managed_device_key)7, "x", NULL, NULL),
	    INTUNE_E_ARGUMENT);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 0);
}

/* ---- what an answer proves ---- */

/* What every request of a call is answered with, and what the call says then. */
static const struct {
	struct play play;
	enum intune_status want, want_list;
	bool is_page; /* a well-formed empty list: for a filter it is an answer */
} answers[] = {
#define ROW(status, body, want)                                                                    \
	{                                                                                          \
		{ status, NULL, body, 0, 0 }, want, want, false                                    \
	}
	ROW(500, "<html>Internal Server Error</html>", INTUNE_E_UNAVAILABLE),
	ROW(502, "", INTUNE_E_UNAVAILABLE),
	ROW(503, ODATA("ServiceUnavailable"), INTUNE_E_UNAVAILABLE),
	ROW(504, NO_SUCH, INTUNE_E_UNAVAILABLE),
	ROW(0, NULL, INTUNE_E_UNAVAILABLE),
	ROW(404, "", INTUNE_E_UNAVAILABLE),
	ROW(404, "<html>Not Found</html>", INTUNE_E_UNAVAILABLE),
	ROW(404, "{}", INTUNE_E_UNAVAILABLE),
	ROW(404, "{\"error\":\"Request_ResourceNotFound\"}", INTUNE_E_UNAVAILABLE),
	ROW(404, "{\"code\":\"Request_ResourceNotFound\"}", INTUNE_E_UNAVAILABLE),
	ROW(404, ODATA("UnknownError"), INTUNE_E_UNAVAILABLE),
	ROW(404, ODATA("request_resourcenotfound"), INTUNE_E_UNAVAILABLE),
	ROW(404, ODATA("Request_ResourceNotFoundX"), INTUNE_E_UNAVAILABLE),
	ROW(410, NO_SUCH, INTUNE_E_REFUSED),
	ROW(410, "", INTUNE_E_PROTOCOL),
	ROW(400, NO_SUCH, INTUNE_E_REFUSED),
	ROW(400, ODATA("BadRequest"), INTUNE_E_REFUSED),
	ROW(403, NO_SUCH, INTUNE_E_PERMISSION),
	ROW(403, "", INTUNE_E_PERMISSION),
	ROW(401, NO_SUCH, INTUNE_E_PERMISSION),
	ROW(407, "", INTUNE_E_UNAVAILABLE),
	ROW(302, "", INTUNE_E_PROTOCOL),
	ROW(200, "", INTUNE_E_PROTOCOL),
	ROW(204, "", INTUNE_E_PROTOCOL),
	ROW(200, "<html>Log in to the guest network</html>", INTUNE_E_PROTOCOL),
	ROW(200, "{\"id\":\"" ID "\"", INTUNE_E_PROTOCOL),
	ROW(200, "{\"value\":[{\"id\":\"" ID "\"}", INTUNE_E_PROTOCOL),
	ROW(200, NO_SUCH, INTUNE_E_PROTOCOL),
	ROW(200, "{}", INTUNE_E_PROTOCOL),
	ROW(200, "null", INTUNE_E_PROTOCOL),
	ROW(200, "[]", INTUNE_E_PROTOCOL),
	ROW(200, "[{\"id\":\"" ID "\"}]", INTUNE_E_PROTOCOL),
	ROW(200, "{\"id\":null}", INTUNE_E_PROTOCOL),
	ROW(200, "{\"id\":\"x\",\"value\":null}", INTUNE_E_PROTOCOL),
	ROW(200, "{\"id\":\"" ID "\",\"@removed\":{\"reason\":\"deleted\"}}", INTUNE_E_PROTOCOL),
	{ { 200, NULL, "{\"value\":[]}", 0, 0 }, INTUNE_E_PROTOCOL, INTUNE_OK, true },
#undef ROW
};

/* One call, whose every request gets the answer. */
static void
expect_nobody_gone(struct peer *p, size_t row, size_t k)
{
	bool found_empty = answers[row].is_page && calls[k].is_list;
	enum intune_status st, want = calls[k].is_list ? answers[row].want_list : answers[row].want;
	struct intune_client *cl = peer_client(p);
	struct intune_error e;
	struct seen seen;

	st = calls[k].f(cl, calls[k].what, &seen, &e);
	if (st != want || e.status != want ||
	    seen.presence != (found_empty ? INTUNE_PRESENCE_NOT_LISTED : INTUNE_PRESENCE_UNKNOWN))
		give_up("row %zu, %s: %s, %s: %s\n", row, calls[k].name, intune_status_name(st),
		    intune_presence_name(seen.presence), e.message);
	assert_int_equal(e.http_status, answers[row].play.status);
	assert_int_equal(e.step, INTUNE_STEP_DIRECTORY);
	assert_true((e.message[0] == '\0') == (st == INTUNE_OK));
	assert_string_equal(seen.id, "");
	intune_client_free(cl);
}

static void
nothing_but_graph_s_own_word_makes_anybody_gone(void **state)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct peer *p = peer_start();

		peer_always(p, ROUTE_OTHER, &answers[i].play);
		for (size_t k = 0; k < COUNT(calls); k++)
			expect_nobody_gone(p, i, k);
		peer_stop(p);
	}
}

#define V1_FOUND(id) "{\"id\":\"" id "\",\"deviceId\":\"" id "\",\"deviceName\":\"v1\"}"
#define LIST(rows)   "{\"value\":[" rows "]}"

/* What comes after what, and what it proves together. */
struct sequence {
	const char *what;
	look_up f;
	const char *key;
	struct play plays[4];
	size_t n;
	enum intune_status st;
	enum intune_presence presence;
	const char *id, *state;
};

#define GONE404                                                                                    \
	{                                                                                          \
		404, NULL, NO_SUCH, 0, 0                                                           \
	}
#define INTUNE404                                                                                  \
	{                                                                                          \
		404, NULL, ODATA("ResourceNotFound"), 0, 0                                         \
	}
#define PAGE404                                                                                    \
	{                                                                                          \
		404, NULL, "<html></html>", 0, 0                                                   \
	}
#define OK(b)                                                                                      \
	{                                                                                          \
		200, NULL, b, 0, 0                                                                 \
	}
#define FAILED(st)                                                                                 \
	{                                                                                          \
		400, NULL, ODATA(st), 0, 0                                                         \
	}

static const struct sequence of_users[] = {
	{ "no user, not in the bin", user, ID, { GONE404, GONE404 }, 2, INTUNE_OK,
	    INTUNE_PRESENCE_GONE, "", "" },
	{ "no user, in the bin", user, ID, { GONE404, OK("{\"id\":\"" ID "\"}") }, 2, INTUNE_OK,
	    INTUNE_PRESENCE_DELETED, ID, "" },
	{ "the bin has another one", user, ID, { GONE404, OK("{\"id\":\"" OTHER "\"}") }, 2,
	    INTUNE_E_PROTOCOL, INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "no user, the bin's 404 is a proxy's", user, ID, { GONE404, PAGE404 }, 2,
	    INTUNE_E_UNAVAILABLE, INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "no user, the bin is closed to us", user, ID,
	    { GONE404, { 403, NULL, ODATA("Authorization_RequestDenied"), 0, 0 } }, 2,
	    INTUNE_E_PERMISSION, INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "another user's object", user, ID, { OK("{\"id\":\"" OTHER "\"}") }, 1, INTUNE_E_PROTOCOL,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "the user of another name", user, UPN,
	    { OK("{\"id\":\"" OTHER "\",\"userPrincipalName\":\"eve@contoso.com\"}") }, 1,
	    INTUNE_E_PROTOCOL, INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "a user of no name", user, UPN, { OK("{\"id\":\"" OTHER "\"}") }, 1, INTUNE_E_PROTOCOL,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "the name in other letters", user, UPN,
	    { OK("{\"id\":\"" ID "\",\"userPrincipalName\":\"Jane@Contoso.com\"}") }, 1, INTUNE_OK,
	    INTUNE_PRESENCE_FOUND, ID, "" },
	{ "no such name anywhere", user, UPN, { GONE404, OK(LIST("")) }, 2, INTUNE_OK,
	    INTUNE_PRESENCE_NOT_LISTED, "", "" },
	{ "the name is in the bin, as Entra writes it there", user, UPN,
	    { GONE404,
		OK(LIST("{\"id\":\"" ID "\",\"userPrincipalName\":"
			"\"9BD5f4a293a64f2a8f131d0a1b2c3d4eJane@contoso.com\"}")) },
	    2, INTUNE_OK, INTUNE_PRESENCE_DELETED, ID, "" },
	{ "a name that only ends alike", user, UPN,
	    { GONE404,
		OK(LIST("{\"id\":\"" ID "\",\"userPrincipalName\":\"mary-jane@contoso.com\"}")) },
	    2, INTUNE_OK, INTUNE_PRESENCE_NOT_LISTED, "", "" },
	{ "a name behind another one's id", user, UPN,
	    { GONE404,
		OK(LIST("{\"id\":\"" OTHER "\",\"userPrincipalName\":"
			"\"9bd5f4a293a64f2a8f131d0a1b2c3d4ejane@contoso.com\"}")) },
	    2, INTUNE_OK, INTUNE_PRESENCE_NOT_LISTED, "", "" },
	{ "two in the bin: the later", user, UPN,
	    { GONE404,
		OK(LIST("{\"id\":\"" OTHER "\",\"userPrincipalName\":\"" UPN
			"\",\"deletedDateTime\":\"2026-01-02T00:00:00Z\"},"
			"{\"id\":\"" ID "\",\"userPrincipalName\":\"" UPN
			"\",\"deletedDateTime\":\"2026-01-03T00:00:00Z\"},"
			"{\"id\":\"" OTHER "\",\"userPrincipalName\":\"" UPN "\"}")) },
	    2, INTUNE_OK, INTUNE_PRESENCE_DELETED, ID, "" },
};

static const struct sequence of_devices[] = {
	{ "no device", device, ID, { GONE404 }, 1, INTUNE_OK, INTUNE_PRESENCE_GONE, "", "" },
	{ "Intune's code is not Entra's", device, ID, { INTUNE404 }, 1, INTUNE_E_UNAVAILABLE,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "another device's object", device, ID, { OK(V1_FOUND(OTHER)) }, 1, INTUNE_E_PROTOCOL,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
};

static const struct sequence of_managed_devices[] = {
	{ "managed, by beta", managed, ID,
	    { OK("{\"id\":\"" ID "\",\"managementState\":\"wipePending\"}") }, 1, INTUNE_OK,
	    INTUNE_PRESENCE_FOUND, ID, "wipePending" },
	{ "managed, wrapped in value", managed, ID,
	    { OK("{\"value\":{\"id\":\"" ID "\",\"managementState\":\"managed\"}}") }, 1, INTUNE_OK,
	    INTUNE_PRESENCE_FOUND, ID, "managed" },
	{ "beta refuses, v1.0 has it", managed, ID, { FAILED("BadRequest"), OK(V1_FOUND(ID)) }, 2,
	    INTUNE_OK, INTUNE_PRESENCE_FOUND, ID, "" },
	{ "beta talks nonsense, v1.0 has it", managed, ID, { OK("<html>"), OK(V1_FOUND(ID)) }, 2,
	    INTUNE_OK, INTUNE_PRESENCE_FOUND, ID, "" },
	{ "beta has another one, v1.0 has none", managed, ID,
	    { OK("{\"id\":\"" OTHER "\"}"), INTUNE404, OK(LIST("{\"id\":\"" OTHER "\"}")) }, 3,
	    INTUNE_OK, INTUNE_PRESENCE_GONE, "", "" },
	{ "not in beta, but in v1.0", managed, ID, { INTUNE404, OK(V1_FOUND(ID)) }, 2, INTUNE_OK,
	    INTUNE_PRESENCE_FOUND, ID, "" },
	{ "not in beta, v1.0 fails", managed, ID, { INTUNE404, FAILED("x") }, 2, INTUNE_E_REFUSED,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
	{ "in neither, and the list answers", managed, ID,
	    { INTUNE404, INTUNE404, OK(LIST("{\"id\":\"" OTHER "\"}")) }, 3, INTUNE_OK,
	    INTUNE_PRESENCE_GONE, "", "" },
	{ "in neither, and the list is not there either", managed, ID,
	    { INTUNE404, INTUNE404, INTUNE404 }, 3, INTUNE_E_UNAVAILABLE, INTUNE_PRESENCE_UNKNOWN,
	    "", "" },
	{ "in neither, and the list is empty", managed, ID, { INTUNE404, INTUNE404, OK(LIST("")) },
	    3, INTUNE_OK, INTUNE_PRESENCE_NOT_LISTED, "", "" },
};

static const struct sequence of_lists[] = {
	{ "a filter that was not applied", by_device, ID,
	    { OK(LIST("{\"id\":\"" ID "\",\"azureADDeviceId\":\"" OTHER "\"}")) }, 1, INTUNE_OK,
	    INTUNE_PRESENCE_NOT_LISTED, "", "" },
	{ "the one that synchronised last", by_serial, "S1",
	    { OK(LIST("{\"id\":\"" OTHER "\",\"serialNumber\":\"s1\",\"lastSyncDateTime\":"
		      "\"2026-01-01T00:00:00Z\"},"
		      "{\"id\":\"" ID "\",\"serialNumber\":\"S1\",\"lastSyncDateTime\":"
		      "\"2026-01-01T00:00:01.5Z\",\"managementState\":\"managed\"},"
		      "{\"id\":\"" OTHER "\",\"serialNumber\":\"S1\"}")) },
	    1, INTUNE_OK, INTUNE_PRESENCE_FOUND, ID, "managed" },
	{ "beta cannot list, v1.0 can", by_serial, "S1",
	    { FAILED("x"), OK(LIST("{\"id\":\"" ID "\",\"serialNumber\":\"S1\"}")) }, 2, INTUNE_OK,
	    INTUNE_PRESENCE_FOUND, ID, "" },
	{ "neither can list", by_serial, "S1", { FAILED("x"), FAILED("x") }, 2, INTUNE_E_REFUSED,
	    INTUNE_PRESENCE_UNKNOWN, "", "" },
};

static void
check_sequence(struct fixture *f, const struct sequence *s)
{
	struct seen seen = { 0 };
	enum intune_status st;

	peer_forget(f->peer);
	for (size_t k = 0; k < s->n; k++)
		peer_play(f->peer, ROUTE_OTHER, &s->plays[k]);
	st = s->f(f->client, s->key, &seen, &f->e);
	if (st != s->st || seen.presence != s->presence || strcmp(seen.id, s->id) != 0 ||
	    strcmp(seen.state, s->state) != 0)
		give_up("%s: %s, %s, %s, %s: %s\n", s->what, intune_status_name(st),
		    intune_presence_name(seen.presence), seen.id, seen.state, f->e.message);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), s->n);
}

static void
sequences_of_answers_prove_what_they_prove(void **state)
{
	static const struct {
		const struct sequence *v;
		size_t n;
	} tables[] = { { of_users, COUNT(of_users) }, { of_devices, COUNT(of_devices) },
		{ of_managed_devices, COUNT(of_managed_devices) }, { of_lists, COUNT(of_lists) } };

	for (size_t i = 0; i < COUNT(tables); i++)
		for (size_t k = 0; k < tables[i].n; k++)
			check_sequence(*state, &tables[i].v[k]);
}

static void
the_recycle_bin_is_asked_by_id_or_by_the_name_s_end(void **state)
{
	const struct play gone = GONE404, empty = OK(LIST(""));
	struct fixture *f = *state;
	struct seen seen;
	const char *raw;

	peer_play(f->peer, ROUTE_OTHER, &gone);
	peer_play(f->peer, ROUTE_OTHER, &gone);
	assert_int_equal(user(f->client, ID, &seen, &f->e), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_OTHER, 1);
	expect_start(
	    raw, "GET /v1.0/directory/deletedItems/" ID "/microsoft.graph.user" USER_SELECT " ");
	assert_null(raw_header(raw, "ConsistencyLevel"));
	peer_forget(f->peer);
	peer_play(f->peer, ROUTE_OTHER, &gone);
	peer_play(f->peer, ROUTE_OTHER, &empty);
	assert_int_equal(user(f->client, "o'b@contoso.com", &seen, &f->e), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_OTHER, 1);
	expect_start(raw,
	    "GET /v1.0/directory/deletedItems/microsoft.graph.user" USER_SELECT
	    "&$count=true&$filter=endsWith(userPrincipalName,%27o%27%27b%40contoso.com%27) ");
	expect_line(raw, "ConsistencyLevel", "eventual");
}

static void
lists_are_followed_over_pages_of_graph_s_own_only(void **state)
{
	static const char *const bad[] = {
		"{\"value\":[],\"@odata.nextLink\":\"https://elsewhere.example/p2\"}",
		"{\"value\":[],\"@odata.nextLink\":\"not a url\"}",
		"{\"value\":[],\"@odata.nextLink\":\"\"}",
	};
	struct fixture *f = *state;
	char page[512];
	struct seen seen;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		const struct play play = { .status = 200, .body = bad[i] };

		peer_always(f->peer, ROUTE_OTHER, &play);
		assert_int_equal(by_serial(f->client, "S1", &seen, &f->e), INTUNE_E_PROTOCOL);
		assert_int_equal(seen.presence, INTUNE_PRESENCE_UNKNOWN);
		assert_non_null(strstr(f->e.message, "another host"));
	}
	/* an empty page with a link is no end */
	(void)snprintf(page, sizeof(page), "{\"value\":[],\"@odata.nextLink\":\"%s/p2?x=y\"}",
	    peer_url(f->peer));
	peer_forget(f->peer);
	peer_answer(f->peer, ROUTE_OTHER, 200, page);
	peer_answer(f->peer, ROUTE_OTHER, 200, LIST("{\"id\":\"" ID "\",\"serialNumber\":\"S1\"}"));
	assert_int_equal(by_serial(f->client, "S1", &seen, &f->e), INTUNE_OK);
	assert_int_equal(seen.presence, INTUNE_PRESENCE_FOUND);
	expect_start(peer_recorded(f->peer, ROUTE_OTHER, 1), "GET /p2?x=y ");
	/* the same page again and again */
	const struct play circle = { .status = 200, .body = page };

	peer_always(f->peer, ROUTE_OTHER, &circle);
	assert_int_equal(by_serial(f->client, "S1", &seen, &f->e), INTUNE_E_PROTOCOL);
	assert_non_null(strstr(f->e.message, "circle"));
}

/* ---- tokens, permissions, waiting ---- */

static void
a_refused_token_is_replaced_once(void **state)
{
	struct fixture *f = *state;
	struct seen seen;

	peer_answer(f->peer, ROUTE_OTHER, 401, ODATA("InvalidAuthenticationToken"));
	peer_answer(f->peer, ROUTE_OTHER, 200, "{\"id\":\"" ID "\"}");
	assert_int_equal(user(f->client, ID, &seen, &f->e), INTUNE_OK);
	assert_int_equal(seen.presence, INTUNE_PRESENCE_FOUND);
	expect_line(
	    peer_recorded(f->peer, ROUTE_OTHER, 0), "Authorization", "Bearer graph-token-1");
	expect_line(
	    peer_recorded(f->peer, ROUTE_OTHER, 1), "Authorization", "Bearer graph-token-2");
	peer_answer(f->peer, ROUTE_OTHER, 401, ODATA("InvalidAuthenticationToken"));
	peer_answer(f->peer, ROUTE_OTHER, 401, ODATA("InvalidAuthenticationToken"));
	assert_int_equal(user(f->client, ID, &seen, &f->e), INTUNE_E_PERMISSION);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 4);
}

static void
a_missing_permission_is_named_for_each_call(void **state)
{
	const struct play denied = { .status = 403, .body = ODATA("Authorization_RequestDenied") };
	struct fixture *f = *state;
	struct seen seen;
	size_t k;

	peer_always(f->peer, ROUTE_OTHER, &denied);
	for (k = 0; k < COUNT(calls); k++) {
		peer_forget(f->peer);
		assert_int_equal(
		    calls[k].f(f->client, calls[k].what, &seen, &f->e), INTUNE_E_PERMISSION);
		assert_string_equal(f->e.code_text, "Authorization_RequestDenied");
		if (strstr(f->e.hint, calls[k].permission) == NULL)
			give_up("%s: %s\n", calls[k].name, f->e.hint);
		assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 1);
		/* the next call has a new token: the consent may have come since */
		assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 1);
	}
}

static void
retry_after_is_waited_for_within_the_time_limit_only(void **state)
{
	const struct play soon = { 429, "Retry-After: 0\r\n", ODATA("TooManyRequests"), 0, 0 };
	const struct play late = { 429, "Retry-After: 3600\r\n", ODATA("TooManyRequests"), 0, 0 };
	struct fixture *f = *state;
	struct seen seen;

	peer_play(f->peer, ROUTE_OTHER, &soon);
	peer_play(f->peer, ROUTE_OTHER, &soon);
	peer_answer(f->peer, ROUTE_OTHER, 200, "{\"id\":\"" ID "\"}");
	assert_int_equal(user(f->client, ID, &seen, &f->e), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 3);
	peer_forget(f->peer);
	peer_always(f->peer, ROUTE_OTHER, &late);
	assert_int_equal(user(f->client, ID, &seen, &f->e), INTUNE_E_UNAVAILABLE);
	assert_int_equal(seen.presence, INTUNE_PRESENCE_UNKNOWN);
	assert_int_equal(f->e.retry_after, 3600);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), 1);
}

/* ---- what is found ---- */

static void
all_that_is_told_of_a_user_is_kept(void **state)
{
	struct fixture *f = *state;
	struct intune_user u;

	peer_answer(f->peer, ROUTE_OTHER, 200,
	    "{\"@odata.context\":\"x\",\"id\":\"" ID
	    "\",\"userPrincipalName\":\"J\xc3\xb6@x\",\"accountEnabled\":false,"
	    "\"deletedDateTime\":null,\"signInSessionsValidFromDateTime\":\"2026-01-02T03:04:05Z\","
	    "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-1104\"}");
	assert_int_equal(intune_find_user(f->client, ID, &u, &f->e), INTUNE_OK);
	assert_int_equal(u.presence, INTUNE_PRESENCE_FOUND);
	assert_string_equal(u.id, ID);
	assert_string_equal(u.user_principal_name, "J\xc3\xb6@x");
	assert_string_equal(u.on_premises_sid, "S-1-5-21-1-2-3-1104");
	assert_int_equal(u.account_enabled, INTUNE_NO);
	assert_int_equal(u.deleted, 0);
	assert_int_equal(u.sign_in_sessions_valid_from, 1767323045);
	assert_int_equal(f->e.step, INTUNE_STEP_DIRECTORY);
	assert_int_equal(f->e.http_status, 200);
	assert_string_equal(f->e.message, "");
}

static void
all_that_is_told_of_devices_is_kept(void **state)
{
	struct fixture *f = *state;
	struct intune_device d;
	struct intune_managed_device m;

	peer_answer(f->peer, ROUTE_OTHER, 200,
	    "{\"id\":\"" OTHER "\",\"deviceId\":\"" ID
	    "\",\"displayName\":\"PC\",\"operatingSystem\":\"Windows\","
	    "\"operatingSystemVersion\":\"10.0\",\"trustType\":\"AzureAd\",\"accountEnabled\":true,"
	    "\"isCompliant\":null,\"isManaged\":false,"
	    "\"approximateLastSignInDateTime\":\"2026-01-02T03:04:05Z\","
	    "\"registrationDateTime\":\"2026-01-02T03:04:06Z\"}");
	assert_int_equal(intune_find_device(f->client, ID, &d, &f->e), INTUNE_OK);
	assert_string_equal(d.id, OTHER);
	assert_string_equal(d.device_id, ID);
	assert_string_equal(d.display_name, "PC");
	assert_string_equal(d.operating_system, "Windows");
	assert_string_equal(d.operating_system_version, "10.0");
	assert_string_equal(d.trust_type, "AzureAd");
	assert_int_equal(d.account_enabled, INTUNE_YES);
	assert_int_equal(d.is_compliant, INTUNE_UNSAID);
	assert_int_equal(d.is_managed, INTUNE_NO);
	assert_int_equal(d.last_sign_in, 1767323045);
	assert_int_equal(d.registered, 1767323046);

	peer_answer(f->peer, ROUTE_OTHER, 200,
	    "{\"id\":\"" ID "\",\"azureADDeviceId\":\"" NOUGHT "\",\"userId\":\"" OTHER
	    "\",\"userPrincipalName\":\"" UPN "\",\"deviceName\":\"N\",\"serialNumber\":\"S\","
	    "\"imei\":\"I\",\"wiFiMacAddress\":\"W\","
	    "\"operatingSystem\":\"iOS\",\"osVersion\":\"18\",\"managedDeviceOwnerType\":"
	    "\"company\","
	    "\"complianceState\":\"compliant\",\"managementState\":\"managed\","
	    "\"deviceRegistrationState\":\"registered\","
	    "\"enrolledDateTime\":\"2026-01-02T03:04:05.1234567Z\","
	    "\"lastSyncDateTime\":\"0001-01-01T00:00:00Z\"}");
	assert_int_equal(intune_find_managed_device(f->client, ID, &m, &f->e), INTUNE_OK);
	assert_int_equal(m.presence, INTUNE_PRESENCE_FOUND);
	assert_string_equal(m.entra_device_id, ""); /* Intune's zeros: not registered in Entra */
	assert_string_equal(m.user_id, OTHER);
	assert_string_equal(m.user_principal_name, UPN);
	assert_string_equal(m.device_name, "N");
	assert_string_equal(m.serial_number, "S");
	assert_string_equal(m.imei, "I");
	assert_string_equal(m.wifi_mac, "W");
	assert_string_equal(m.operating_system, "iOS");
	assert_string_equal(m.os_version, "18");
	assert_string_equal(m.owner_type, "company");
	assert_string_equal(m.compliance_state, "compliant");
	assert_string_equal(m.management_state, "managed");
	assert_string_equal(m.device_registration_state, "registered");
	assert_int_equal(m.enrolled, 1767323045);
	assert_int_equal(m.last_sync, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(requests_cannot_be_broken_out_of),
		T(arguments_are_checked_and_nothing_is_sent),
		T(nothing_but_graph_s_own_word_makes_anybody_gone),
		T(sequences_of_answers_prove_what_they_prove),
		T(the_recycle_bin_is_asked_by_id_or_by_the_name_s_end),
		T(lists_are_followed_over_pages_of_graph_s_own_only),
		T(a_refused_token_is_replaced_once),
		T(a_missing_permission_is_named_for_each_call),
		T(retry_after_is_waited_for_within_the_time_limit_only),
		T(all_that_is_told_of_a_user_is_kept),
		T(all_that_is_told_of_devices_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
