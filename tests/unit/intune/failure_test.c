/*
 * failure_test.c - the ways in which Intune fails for administrators, each produced by the peer,
 * and what the error says of it: which step, which code, whose number, what to do.
 */
#include "kit.h"

#include "base/text.h"

enum call { VALIDATE, SUCCESS, FAILURE, DOWNLOAD, UPLOAD };
enum place { AT_PEER, AT_CLOSED_PORT, AT_TLS_ON_PLAIN_PORT, BEHIND_CLOSED_PROXY, IN_A_HURRY };

struct row {
	const char *what;
	enum call call;
	enum place place;
	enum route route;
	struct play play;  /* at every request of the route */
	const char *token; /* claims of the tokens, base64url; NULL: opaque ones */

	enum intune_status status;
	enum intune_step step;
	enum intune_code code;
	const char *code_text;
	int http_status;
	long aadsts;
	const char *request_id;
	long retry_after;
	const char *description, *message, *hint; /* parts of */
};

#define ENTRA(name, num)                                                                           \
	"{\"error\":\"" name "\",\"error_description\":\"AADSTS" #num                              \
	": No.\\r\\nTrace ID: t\\r\\nCorrelation ID: c\",\"error_codes\":[" #num                   \
	"],\"trace_id\":\"t-1\"}"
#define CODE(name) "{\"code\":\"" name "\",\"errorDescription\":\"It is so.\"}"
#define INTERNAL                                                                                   \
	"{\"error\":{\"code\":\"InternalError\",\"message\":\"{\\r\\n  \\\"_version\\\": "         \
	"3,\\r\\n "                                                                                \
	" \\\"Message\\\": \\\"An error has occurred - Operation ID (for customer support): "      \
	"11\\\"\\r\\n}\"}}"
#define DENIED                                                                                     \
	"{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient "         \
	"privileges to complete the operation.\",\"innerError\":{\"request-id\":\"r-9\"}}}"
#define GATEWAY "<html><head><title>502 Bad Gateway</title></head></html>"
#define DEAD                                                                                       \
	{                                                                                          \
		.status = 0                                                                        \
	}
#define GOOD                                                                                       \
	{                                                                                          \
		.status = 200                                                                      \
	}
#define LONG_AGO "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
#define ROLES    "eyJyb2xlcyI6WyJEaXJlY3RvcnkuUmVhZC5BbGwiXX0" /* {"roles":["Directory.Read.All"]} */
/* {"roles":["A.Read","scep_challenge_provider"]} */
#define ROLES_SCEP "eyJyb2xlcyI6WyJBLlJlYWQiLCJzY2VwX2NoYWxsZW5nZV9wcm92aWRlciJdfQ"
/* {"roles":["scep_challenge_provider2","A"]} */
#define ROLES_LONGER "eyJyb2xlcyI6WyJzY2VwX2NoYWxsZW5nZV9wcm92aWRlcjIiLCJBIl19"
/* {"roles":[...]}: User, Device, Directory, DeviceManagementManagedDevices and Group.Read.All */
#define ROLES_MANY                                                                                 \
	"eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIiwiRGV2aWNlLlJlYWQuQWxsIiwiRGlyZWN0b3J5LlJlYWQu"         \
	"QWxsIiwiRGV2aWNlTWFuYWdlbWVudE1hbmFnZWREZXZpY2VzLlJlYWQuQWxsIiwiR3JvdXAuUmVhZC5BbGwiXX0"

/* One that Entra refuses. */
#define AUTH(what, http, name, num, hint)                                                          \
	{                                                                                          \
		what, VALIDATE, AT_PEER, ROUTE_TOKEN, { http, NULL, ENTRA(name, num), 0, 0 },      \
		    NULL, INTUNE_E_AUTH, INTUNE_STEP_TOKEN, 0, name, http, num, "t-1", -1,         \
		    "AADSTS" #num, "tenant contoso.example, app 11111111-2222", hint               \
	}
/* One that Intune refuses. */
#define SAYS(what, c, name, hint)                                                                  \
	{                                                                                          \
		what, VALIDATE, AT_PEER, ROUTE_ACTION,                                             \
		    { 200, "request-id: q-1\r\n", CODE(name), 0, 0 }, NULL, INTUNE_E_REFUSED,      \
		    INTUNE_STEP_VALIDATE, c, name, 200, 0, "q-1", -1, "It is so.",                 \
		    "Intune says " name, hint                                                      \
	}
static const struct row rows[] = {
	AUTH("F1 secret expired", 401, "invalid_client", 7000222, "has expired: make a new one"),
	AUTH("F1 secret wrong", 401, "invalid_client", 7000215, "value of the app's client secret"),
	AUTH("F1 no secret", 401, "invalid_client", 7000218, "AAD_APP_KEY"),
	AUTH("F2 no such tenant", 400, "invalid_request", 90002, "check TENANT"),
	AUTH("F2 tenant malformed", 400, "invalid_request", 900023, "GUID or one of its domains"),
	AUTH("F2 no such app", 400, "unauthorized_client", 700016, "check AAD_APP_ID and TENANT"),
	AUTH("app disabled", 400, "unauthorized_client", 7000112, "enable its enterprise app"),
	AUTH("F8 assertion outside its time", 401, "invalid_client", 700024, "machine's clock"),
	AUTH("F25 other cloud's scope", 400, "invalid_scope", 70011, "the cloud of the tenant"),
	AUTH("F25 other cloud's resource", 400, "invalid_resource", 500011, "INTUNE_RESOURCE_URL"),
	AUTH("policy", 400, "access_denied", 53003, "Conditional Access policy"),
	{ "Entra passes over", VALIDATE, AT_PEER, ROUTE_TOKEN,
	    { 503, "Retry-After: 60\r\n", ENTRA("temporarily_unavailable", 90033), 0, 0 }, NULL,
	    INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "temporarily_unavailable", 503, 90033,
	    "t-1", 60, "AADSTS90033", "HTTP 503", "try again later" },
	{ "F8 clock ahead", VALIDATE, AT_PEER, ROUTE_TOKEN,
	    { 401, LONG_AGO, ENTRA("invalid_client", 700024), 0, 0 }, NULL, INTUNE_E_AUTH,
	    INTUNE_STEP_TOKEN, 0, "invalid_client", 401, 700024, "t-1", -1, "AADSTS700024", "",
	    "s ahead of the server's" },
	{ "a gateway before Entra", VALIDATE, AT_PEER, ROUTE_TOKEN, { 502, NULL, GATEWAY, 0, 0 },
	    NULL, INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "", 502, 0, "", -1, "502 Bad Gateway",
	    "HTTP 502: <html>", "if it lasts" },
	{ "a stranger answers for Entra", VALIDATE, AT_PEER, ROUTE_TOKEN,
	    { 403, NULL, "blocked by policy", 0, 0 }, NULL, INTUNE_E_PROTOCOL, INTUNE_STEP_TOKEN, 0,
	    "", 403, 0, "", -1, "blocked by policy", "HTTP 403: blocked", "not Entra's answer" },

	{ "F3 permission missing", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 403, "x-ms-request-id: q-3\r\n", "", 0, 0 }, ROLES, INTUNE_E_PERMISSION,
	    INTUNE_STEP_VALIDATE, 0, "", 403, 0, "q-3", -1, "", "HTTP 403",
	    "grant the app Intune scep_challenge_provider (application permission) and admin "
	    "consent; roles in the token: Directory.Read.All" },
	{ "F3 permission there, refused all the same", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 403, NULL, "", 0, 0 }, ROLES_SCEP, INTUNE_E_PERMISSION, INTUNE_STEP_VALIDATE, 0, "",
	    403, 0, "", -1, "", "HTTP 403",
	    "the token has Intune scep_challenge_provider and is refused all the same" },
	{ "F3 a role whose name only begins so", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 403, NULL, "", 0, 0 }, ROLES_LONGER, INTUNE_E_PERMISSION, INTUNE_STEP_VALIDATE, 0, "",
	    403, 0, "", -1, "", "HTTP 403", "grant the app Intune scep_challenge_provider" },
	{ "F8 clock wrong, and more roles than a hint holds", VALIDATE, AT_PEER, ROUTE_LIST,
	    { 401, LONG_AGO, DENIED, 0, 0 }, ROLES_MANY, INTUNE_E_PERMISSION, INTUNE_STEP_DISCOVERY,
	    0, "Authorization_RequestDenied", 401, 0, "r-9", -1, "Insufficient", "HTTP 401",
	    "s ahead of the server's; grant the app" },
	{ "F3 for revocation", DOWNLOAD, AT_PEER, ROUTE_DOWNLOAD, { 401, NULL, "", 0, 0 }, NULL,
	    INTUNE_E_PERMISSION, INTUNE_STEP_DOWNLOAD, 0, "", 401, 0, "", -1, "", "HTTP 401",
	    "scep_challenge_provider" },
	{ "F4 Graph permission missing", VALIDATE, AT_PEER, ROUTE_LIST, { 403, NULL, DENIED, 0, 0 },
	    NULL, INTUNE_E_PERMISSION, INTUNE_STEP_DISCOVERY, 0, "Authorization_RequestDenied", 403,
	    0, "r-9", -1, "Insufficient privileges", "HTTP 403 Authorization_RequestDenied",
	    "grant the app Microsoft Graph Application.Read.All" },
	{ "F5 empty list", VALIDATE, AT_PEER, ROUTE_LIST, { 200, NULL, "{\"value\":[]}", 0, 0 },
	    NULL, INTUNE_E_DISCOVERY, INTUNE_STEP_DISCOVERY, 0, "", 200, 0, "", -1, "",
	    "ScepRequestValidationFEService is not among the 0 endpoints", "Intune licence" },
	{ "F5 other services", VALIDATE, AT_PEER, ROUTE_LIST,
	    { 200, NULL,
		"{\"value\":[{\"providerName\":\"A\",\"uri\":\"https://a/\"},"
		"{\"providerName\":\"B\",\"uri\":\"https://b/\"}]}",
		0, 0 },
	    NULL, INTUNE_E_DISCOVERY, INTUNE_STEP_DISCOVERY, 0, "", 200, 0, "", -1, "",
	    "not among the 2 endpoints of the tenant: A, B", "TENANT is the right one" },
	{ "F5 listed without an address", VALIDATE, AT_PEER, ROUTE_LIST,
	    { 200, NULL,
		"{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\"},"
		"{\"providerName\":\"B\",\"uri\":\"https://b/\"}]}",
		0, 0 },
	    NULL, INTUNE_E_DISCOVERY, INTUNE_STEP_DISCOVERY, 0, "", 200, 0, "", -1, "",
	    "endpoints of the tenant: ScepRequestValidationFEService (no usable uri), B",
	    "TENANT is the right one" },
	{ "F5 no Intune at all", VALIDATE, AT_PEER, ROUTE_LIST,
	    { 404, NULL,
		"{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"Resource x\"}}", 0,
		0 },
	    NULL, INTUNE_E_DISCOVERY, INTUNE_STEP_DISCOVERY, 0, "Request_ResourceNotFound", 404, 0,
	    "", -1, "Resource x", "HTTP 404", "no Intune service principal" },
	{ "Graph is something else", VALIDATE, AT_PEER, ROUTE_LIST, { 200, NULL, GATEWAY, 0, 0 },
	    NULL, INTUNE_E_PROTOCOL, INTUNE_STEP_DISCOVERY, 0, "", 200, 0, "", -1, "", "JSON",
	    "check MS_GRAPH_RESOURCE_URL" },
	{ "F6 moved, and not found again", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 404, NULL, GATEWAY, 0, 0 }, NULL, INTUNE_E_UNAVAILABLE, INTUNE_STEP_VALIDATE, 0, "",
	    404, 0, "", -1, "502 Bad Gateway", "HTTP 404", "activity id" },
	{ "F7 and F8 token not taken, clock wrong", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 401, LONG_AGO, "", 0, 0 }, NULL, INTUNE_E_PERMISSION, INTUNE_STEP_VALIDATE, 0, "",
	    401, 0, "", -1, "", "HTTP 401", "s ahead of the server's" },
	{ "F10 too slow", VALIDATE, IN_A_HURRY, ROUTE_ACTION,
	    { 200, NULL, CODE("Success"), 0, 60000 }, NULL, INTUNE_E_UNAVAILABLE,
	    INTUNE_STEP_VALIDATE, 0, "", 0, 0, "", -1, "", "validate: 127.0.0.1",
	    "slow or cuts connections" },
	{ "F10 and F20 slow to take the success", SUCCESS, IN_A_HURRY, ROUTE_ACTION,
	    { 200, NULL, CODE("Success"), 0, 60000 }, NULL, INTUNE_E_UNAVAILABLE,
	    INTUNE_STEP_SUCCESS, 0, "", 0, 0, "", -1, "", "success: 127.0.0.1",
	    "must not be handed out" },
	{ "F11 too many", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 429, "Retry-After: 120\r\n", "", 0, 0 }, NULL, INTUNE_E_UNAVAILABLE,
	    INTUNE_STEP_VALIDATE, 0, "", 429, 0, "", 120, "", "HTTP 429", "asks to wait" },
	{ "F11 busy", DOWNLOAD, AT_PEER, ROUTE_DOWNLOAD, { 503, "Retry-After: 90\r\n", "", 0, 0 },
	    NULL, INTUNE_E_UNAVAILABLE, INTUNE_STEP_DOWNLOAD, 0, "", 503, 0, "", 90, "", "HTTP 503",
	    "activity id" },
	{ "F12 error inside", FAILURE, AT_PEER, ROUTE_ACTION,
	    { 500, "request-id: q-2\r\n", INTERNAL, 0, 0 }, NULL, INTUNE_E_UNAVAILABLE,
	    INTUNE_STEP_FAILURE, 0, "InternalError", 500, 0, "q-2", -1,
	    "An error has occurred - Operation ID (for customer support): 11",
	    "HTTP 500 InternalError: An error", "give Microsoft support the activity id" },
	{ "a gateway before Intune", UPLOAD, AT_PEER, ROUTE_UPLOAD, { 502, NULL, GATEWAY, 0, 0 },
	    NULL, INTUNE_E_UNAVAILABLE, INTUNE_STEP_UPLOAD, 0, "", 502, 0, "", -1,
	    "502 Bad Gateway", "HTTP 502", "activity id" },
	{ "a stranger answers for Intune", VALIDATE, AT_PEER, ROUTE_ACTION,
	    { 200, NULL, "<p>Please log in</p>", 0, 0 }, NULL, INTUNE_E_PROTOCOL,
	    INTUNE_STEP_VALIDATE, 0, "", 200, 0, "", -1, "Please log in", "HTTP 200",
	    "what stands between here and 127.0.0.1" },
	{ "F13 nothing answers", VALIDATE, AT_CLOSED_PORT, ROUTE_OTHER, GOOD, NULL,
	    INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "", 0, 0, "", -1, "", "token: 127.0.0.1",
	    "nothing answers there: check firewall" },
	{ "F13 TLS fails", VALIDATE, AT_TLS_ON_PLAIN_PORT, ROUTE_OTHER, GOOD, NULL,
	    INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "", 0, 0, "", -1, "", "token: 127.0.0.1",
	    "whether something inspects TLS" },
	{ "F13 the proxy is down", VALIDATE, BEHIND_CLOSED_PROXY, ROUTE_OTHER, GOOD, NULL,
	    INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "", 0, 0, "", -1, "", "token: 127.0.0.1",
	    "by way of the proxy 127.0.0.1:" },
	{ "F13 a proxy that wants a password", VALIDATE, AT_PEER, ROUTE_TOKEN,
	    { 407, NULL, "", 0, 0 }, NULL, INTUNE_E_UNAVAILABLE, INTUNE_STEP_TOKEN, 0, "", 407, 0,
	    "", -1, "", "HTTP 407", "wants PROXY_USER and PROXY_PASS" },
	{ "F13 cut off", SUCCESS, AT_PEER, ROUTE_ACTION, DEAD, NULL, INTUNE_E_UNAVAILABLE,
	    INTUNE_STEP_SUCCESS, 0, "", 0, 0, "", -1, "", "success: 127.0.0.1",
	    "must not be handed out" },

	SAYS("F14", INTUNE_CODE_CHALLENGE_EXPIRED, "ChallengeExpired", "lives 60 minutes"),
	SAYS("F15", INTUNE_CODE_CHALLENGE_DECRYPTION_ERROR, "ChallengeDecryptionError",
	    "request: 7 bytes, SHA-256 "),
	SAYS("F15", INTUNE_CODE_CHALLENGE_DECODING_ERROR, "ChallengeDecodingError",
	    "not made by this tenant's Intune"),
	SAYS("F15", INTUNE_CODE_CHALLENGE_DESERIALIZATION_ERROR, "ChallengeDeserializationError",
	    "not made by this tenant's Intune"),
	SAYS("F15", INTUNE_CODE_SIGNATURE_VALIDATION_FAILED, "SignatureValidationFailed",
	    "request: 7 bytes, SHA-256 "),
	SAYS("F16", INTUNE_CODE_CHALLENGE_PASSWORD_MISSING, "ChallengePasswordMissing",
	    "no challenge password"),
	SAYS("F16", INTUNE_CODE_CERTIFICATE_REQUEST_DECODING_FAILED,
	    "CertificateRequestDecodingFailed", "request: 7 bytes, SHA-256 "),
	SAYS("F17", INTUNE_CODE_SUBJECT_NAME_MISSING, "SubjectNameMissing", "has no subject"),
	SAYS("F17", INTUNE_CODE_SUBJECT_NAME_MISMATCH, "SubjectNameMismatch", "quote the CN"),
	SAYS("F17", INTUNE_CODE_SUBJECT_ALT_NAME_MISSING, "SubjectAltNameMissing",
	    "no alternative name"),
	SAYS("F17", INTUNE_CODE_SUBJECT_ALT_NAME_MISMATCH, "SubjectAltNameMismatch",
	    "alternative name"),
	SAYS("F17", INTUNE_CODE_KEY_USAGE_MISMATCH, "KeyUsageMismatch", "another key usage"),
	SAYS("F17", INTUNE_CODE_KEY_LENGTH_MISMATCH, "KeyLengthMismatch", "compare its size"),
	SAYS("F17", INTUNE_CODE_ENHANCED_KEY_USAGE_MISSING, "EnhancedKeyUsageMissing",
	    "no extended key usage"),
	SAYS("F17", INTUNE_CODE_ENHANCED_KEY_USAGE_MISMATCH, "EnhancedKeyUsageMismatch",
	    "another extended key usage"),
	SAYS("F18", INTUNE_CODE_SCEP_PROFILE_NO_LONGER_TARGETED_TO_THE_CLIENT,
	    "ScepProfileNoLongerTargetedToTheClient", "no longer assigned"),
	SAYS("F19", INTUNE_CODE_BAD_DEVICE_ID_IN_CHALLENGE, "BadDeviceIdInChallenge",
	    "enrolled anew"),
	SAYS("F19", INTUNE_CODE_BAD_USER_ID_IN_CHALLENGE, "BadUserIdInChallenge",
	    "account deleted or changed"),
	SAYS("F19", INTUNE_CODE_BAD_TENANT_ID_IN_CHALLENGE, "BadTenantIdInChallenge",
	    "another tenant than the app"),
	SAYS("F19", INTUNE_CODE_BAD_CERTIFICATE_REQUEST_ID_IN_CHALLENGE,
	    "BadCertificateRequestIdInChallenge", "request: 7 bytes, SHA-256 "),
	SAYS("F19", INTUNE_CODE_AAD_KEY_IDENTIFIER_LIST_MISSING, "AadKeyIdentifierListMissing",
	    "Windows Hello key"),
	SAYS("F19", INTUNE_CODE_REGISTERED_KEY_MISMATCH, "RegisteredKeyMismatch",
	    "Windows Hello key"),
	SAYS("F19", INTUNE_CODE_SIGNING_CERT_THUMBPRINT_MISMATCH, "SigningCertThumbprintMismatch",
	    "not made by this tenant's Intune"),
	SAYS("F19", INTUNE_CODE_CHALLENGE_INVALID_TIMESTAMP, "ChallengeInvalidTimestamp",
	    "times are not valid"),
	SAYS("F19 unknown", INTUNE_CODE_UNKNOWN, "BadDeviceTypeInChallenge",
	    "not in its published list"),
	{ "F20 the success is refused", SUCCESS, AT_PEER, ROUTE_ACTION,
	    { 200, NULL, CODE("ChallengeExpired"), 0, 0 }, NULL, INTUNE_E_REFUSED,
	    INTUNE_STEP_SUCCESS, INTUNE_CODE_CHALLENGE_EXPIRED, "ChallengeExpired", 200, 0, "", -1,
	    "It is so.", "success: Intune says ChallengeExpired", "must not be handed out" },
	{ "F24 results not taken", UPLOAD, AT_PEER, ROUTE_UPLOAD,
	    { 200, "request-id: q-4\r\n", "{\"value\":false}", 0, 0 }, NULL, INTUNE_E_REFUSED,
	    INTUNE_STEP_UPLOAD, 0, "", 200, 0, "q-4", -1, "", "did not take the results",
	    "come again with the next download" },
};

static struct intune_client *
client_at(struct peer *p, enum place place)
{
	struct intune_client *cl = NULL;
	struct intune_config c;
	struct intune_error e;
	char url[64], port[8];

	peer_config(p, &c);
	if (place == AT_CLOSED_PORT) {
		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port_closed());
		c.auth_authority = url;
	} else if (place == AT_TLS_ON_PLAIN_PORT) {
		(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u", peer_port(p));
		c.auth_authority = url;
	} else if (place == BEHIND_CLOSED_PROXY) {
		(void)snprintf(port, sizeof(port), "%u", port_closed());
		c.proxy_host = "127.0.0.1";
		c.proxy_port = port;
	} else if (place == IN_A_HURRY) {
		c.total_ms = 2000;
	}
	if (intune_client_new(&cl, &c, &e) != INTUNE_OK)
		give_up("%s\n", e.message);
	return cl;
}

static void
make_call(struct fixture *f, enum call call)
{
	static const struct intune_revocation_result one = { "c", true, INTUNE_REVOCATION_NONE,
		NULL };
	struct intune_revocation_list *l;

	switch (call) {
	case VALIDATE:
		(void)validate(f);
		break;
	case SUCCESS:
		(void)notify_success(f);
		break;
	case FAILURE:
		(void)notify_failure(f);
		break;
	case DOWNLOAD:
		(void)intune_download_revocation_requests(f->client, "tx-1", 1, NULL, &l, &f->e);
		break;
	case UPLOAD:
		(void)intune_upload_revocation_results(f->client, "tx-1", &one, 1, &f->e);
		break;
	}
}

static void
compare(const struct row *r, const struct intune_error *e)
{
	bool same = e->status == r->status && e->step == r->step && e->code == r->code &&
	    e->http_status == r->http_status && e->aadsts == r->aadsts &&
	    e->retry_after == r->retry_after && strcmp(e->code_text, r->code_text) == 0 &&
	    strcmp(e->request_id, r->request_id) == 0 &&
	    strstr(e->description, r->description) != NULL &&
	    (r->description[0] != '\0' || e->description[0] == '\0') &&
	    strstr(e->message, r->message) != NULL && strstr(e->hint, r->hint) != NULL;

	if (!same)
		give_up("%s: %s at %s, code %d %s, HTTP %d, AADSTS%ld, request %s, retry %ld\n"
			"  description: %s\n  message: %s\n  hint: %s\n",
		    r->what, intune_status_name(e->status), intune_step_name(e->step), (int)e->code,
		    e->code_text, e->http_status, e->aadsts, e->request_id, e->retry_after,
		    e->description, e->message, e->hint);
	assert_string_equal(e->transaction_id, "tx-1");
	assert_int_equal(strlen(e->activity_id), 36);
}

static void
play_row(const struct row *r)
{
	struct fixture f = { .peer = peer_start() };
	char body[300];

	if (r->token != NULL) {
		const struct play token = { .status = 200, .body = body };

		(void)snprintf(body, sizeof(body),
		    "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"e30.%s."
		    "c2ln\"}",
		    r->token);
		peer_always(f.peer, ROUTE_TOKEN, &token);
	}
	if (r->route != ROUTE_OTHER)
		peer_always(f.peer, r->route, &r->play);
	f.client = client_at(f.peer, r->place);
	make_call(&f, r->call);
	compare(r, &f.e);
	intune_client_free(f.client);
	peer_stop(f.peer);
}

static void
every_failure_says_where_what_and_what_to_do(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		play_row(&rows[i]);
}

/* A gateway that echoes what it was sent must not bring the secret into a log. */
static void
an_echoed_secret_is_not_told(void **state)
{
	const struct play echo = { .status = 502,
		.body = "you sent client_secret=s3cret~key%2Fwith%2Bsigns%26more, that is "
			"s3cret~key/with+signs&more" };
	struct fixture *f = *state;

	peer_always(f->peer, ROUTE_TOKEN, &echo);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_string_equal(f->e.description, "you sent client_secret=***, that is ***");
	assert_null(strstr(f->e.message, "s3cret"));
}

/* Real tokens are long enough to be seen as such; a short one is known by what was sent. */
static void
an_echoed_token_is_not_told(void **state)
{
	const struct play echo = { .status = 500, .body = "what shall I do with intune-token-2 ?" };
	struct fixture *f = *state;

	peer_always(f->peer, ROUTE_ACTION, &echo);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_null(strstr(f->e.description, "intune-token"));
	assert_null(strstr(f->e.message, "intune-token"));
	assert_non_null(strstr(f->e.message, "***"));
}

/* Whatever the hint for a code is, it must have come whole. */
static void
no_hint_is_cut(void **state)
{
	struct fixture *f = *state;
	char body[200];
	unsigned c;

	for (c = INTUNE_CODE_SUCCESS + 1; c < INTUNE_CODE__MAX; c++) {
		(void)snprintf(
		    body, sizeof(body), "{\"code\":\"%s\"}", intune_code_name((enum intune_code)c));
		peer_answer(f->peer, ROUTE_ACTION, 200, body);
		peer_answer(f->peer, ROUTE_ACTION, 200, body);
		assert_int_equal(validate(f), INTUNE_E_REFUSED);
		assert_true(strlen(f->e.hint) < sizeof(f->e.hint) - 1);
		assert_int_equal(notify_success(f), INTUNE_E_REFUSED);
		assert_true(str_ends_nocase(f->e.hint, "must not be handed out"));
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_says_where_what_and_what_to_do),
		T(an_echoed_secret_is_not_told),
		T(an_echoed_token_is_not_told),
		T(no_hint_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
