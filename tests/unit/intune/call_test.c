/*
 * call_test.c - what goes over the wire, and what every kind of answer leads to.
 */
#include "kit.h"

#include <jansson.h>
#include <zlib.h>

#include "base/text.h"

static void
expect_guid(const char *s)
{
	size_t i;

	assert_non_null(s);
	assert_int_equal(strlen(s), 36);
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(s[i], '-');
		else
			assert_non_null(strchr("0123456789abcdef", s[i]));
	}
	assert_int_equal(s[14], '4');
}

/* The body has exactly these string members, in this order; "#5" stands for a number. */
static void
expect_body(const char *raw, const char *wrapper, const char *const (*want)[2], size_t n)
{
	json_t *body = json_loads(raw_body(raw), JSON_REJECT_DUPLICATES, NULL), *inner, *v;
	const char *key;
	size_t i = 0;

	assert_non_null(body);
	assert_int_equal(json_object_size(body), 1);
	inner = json_object_get(body, wrapper);
	json_object_foreach(inner, key, v)
	{
		assert_true(i < n);
		assert_string_equal(key, want[i][0]);
		if (want[i][1][0] == '#')
			assert_true(json_integer_value(v) == strtoll(want[i][1] + 1, NULL, 10));
		else
			assert_string_equal(json_string_value(v), want[i][1]);
		i++;
	}
	assert_int_equal(i, n);
	json_decref(body);
}

static void
the_token_request_is_entra_s(void **state)
{
	struct fixture *f = *state;
	const char *raw;

	assert_int_equal(validate(f), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_TOKEN, 0);
	expect_start(raw, "POST /contoso.example/oauth2/v2.0/token HTTP/1.1\r\n");
	expect_line(raw, "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
	expect_guid(raw_header(raw, "client-request-id"));
	assert_null(raw_header(raw, "Authorization"));
	assert_non_null(strstr(raw_body(raw),
	    "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555&client_"
	    "secret="
	    "s3cret~key%2Fwith%2Bsigns%26more&scope=http%3A%2F%2F127.0.0.1%3A"));
	raw = peer_recorded(f->peer, ROUTE_TOKEN, 1);
	assert_non_null(strstr(raw_body(raw),
	    "&scope=https%3A%2F%2Fapi.manage.microsoft.com%2F%2F.default&client_info=1"));
}

static void
discovery_asks_graph_first(void **state)
{
	struct fixture *f = *state;
	const char *raw;

	assert_int_equal(validate(f), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_LIST, 0);
	expect_start(raw,
	    "GET /v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/"
	    "endpoints HTTP/1.1\r\n");
	expect_line(raw, "Authorization", "Bearer graph-token-1");
	expect_guid(raw_header(raw, "client-request-id"));
	assert_null(strstr(raw_body(peer_recorded(f->peer, ROUTE_TOKEN, 0)), "manage.microsoft"));
}

static void
validate_request_is_as_recorded(void **state)
{
	static const char *const want[][2] = {
		{ "transactionId", "tx \"1\"\\ \xc3\xb6" },
		{ "certificateRequest", CSR_BASE64 },
		{ "callerInfo", "UnitCA 1.0" },
	};
	struct fixture *f = *state;
	char id[40];
	const char *raw;

	assert_int_equal(
	    intune_validate_request(f->client, want[0][1], csr, sizeof(csr), &f->e), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_ACTION, 0);
	expect_start(raw, "POST /svc/Stateless/ScepActions/validateRequest HTTP/1.1\r\n");
	expect_line(raw, "Authorization", "Bearer intune-token-2");
	expect_line(raw, "content-type", "application/json");
	expect_line(raw, "api-version", "2018-02-20");
	expect_line(raw, "UserAgent", "UnitCA 1.0");
	assert_null(raw_header(raw, "Expect"));
	assert_null(raw_header(raw, "Transfer-Encoding"));
	expect_guid(raw_header(raw, "client-request-id"));
	expect_body(raw, "request", want, COUNT(want));
	assert_non_null(strstr(raw_body(raw), "\xc3\xb6")); /* UTF-8, not an escape, not Latin-1 */
	assert_string_equal(f->e.activity_id, raw_header(raw, "client-request-id"));
	assert_string_equal(f->e.code_text, "Success");
	assert_int_equal(f->e.code, INTUNE_CODE_SUCCESS);
	assert_int_equal(f->e.http_status, 200);
	assert_int_equal(f->e.step, INTUNE_STEP_VALIDATE);
	assert_string_equal(f->e.message, "");
	assert_string_equal(f->e.transaction_id, want[0][1]);

	strcpy(id, f->e.activity_id);
	assert_int_equal(validate(f), INTUNE_OK);
	assert_string_not_equal(f->e.activity_id, id);
}

static void
success_notification_is_as_recorded(void **state)
{
	static const char *const want[][2] = {
		{ "transactionId", "tx-1" },
		{ "certificateRequest", CSR_BASE64 },
		{ "certificateThumbprint", "AA" },
		{ "certificateSerialNumber", "01" },
		{ "certificateExpirationDateUtc", "2027-11-21T06:20:57.000Z" },
		{ "issuingCertificateAuthority", "CN=Issuing" },
		{ "callerInfo", "UnitCA 1.0" },
		{ "caConfiguration", "conf" },
		{ "certificateAuthority", "ca" },
	};
	struct intune_success s = { "tx-1", csr, sizeof(csr), "AA", "01",
		"2027-11-21T06:20:57.000Z", "CN=Issuing", "conf", "ca" };
	struct fixture *f = *state;
	const char *raw;

	assert_int_equal(intune_send_success_notification(f->client, &s, &f->e), INTUNE_OK);
	raw = peer_recorded(f->peer, ROUTE_ACTION, 0);
	expect_start(raw, "POST /svc/Stateless/ScepActions/successNotification HTTP/1.1\r\n");
	expect_line(raw, "api-version", "2018-02-20");
	expect_body(raw, "notification", want, 9);
	assert_int_equal(f->e.step, INTUNE_STEP_SUCCESS);
	s.ca_configuration = s.certificate_authority =
	    NULL; /* left out, as the Java library does */
	assert_int_equal(intune_send_success_notification(f->client, &s, &f->e), INTUNE_OK);
	expect_body(peer_recorded(f->peer, ROUTE_ACTION, 1), "notification", want, 7);
}

static void
failure_notification_is_as_recorded(void **state)
{
	static const struct {
		int64_t hresult;
		const char *text;
	} rows[] = { { -2147418113, "#-2147418113" }, { 2147549183, "#2147549183" },
		{ INT64_MAX, "#9223372036854775807" } };
	const char *want[][2] = {
		{ "transactionId", "tx-1" },
		{ "certificateRequest", CSR_BASE64 },
		{ "hResult", NULL },
		{ "errorDescription", "no \"key\"\n" },
		{ "callerInfo", "UnitCA 1.0" },
	};
	struct fixture *f = *state;
	char longer[301];
	const char *raw;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(intune_send_failure_notification(f->client, "tx-1", csr,
				     sizeof(csr), rows[i].hresult, want[3][1], &f->e),
		    INTUNE_OK);
		raw = peer_recorded(f->peer, ROUTE_ACTION, i);
		expect_start(
		    raw, "POST /svc/Stateless/ScepActions/failureNotification HTTP/1.1\r\n");
		want[2][1] = rows[i].text;
		expect_body(raw, "notification", want, COUNT(want));
	}
	memset(longer, 'x', 300);
	longer[300] = '\0';
	assert_int_equal(intune_send_failure_notification(
			     f->client, "tx-1", csr, sizeof(csr), rows[2].hresult, longer, &f->e),
	    INTUNE_OK);
	longer[255] = '\0';
	want[3][1] = longer;
	expect_body(peer_recorded(f->peer, ROUTE_ACTION, i), "notification", want, COUNT(want));
}

static void
anything_but_success_is_refused(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum intune_status want;
		const char *code;
	} rows[] = {
		{ 200, "{\"code\":\"ChallengeExpired\",\"errorDescription\":\"old\"}",
		    INTUNE_E_REFUSED, "ChallengeExpired" },
		{ 200, "{\"code\":\"success\"}", INTUNE_E_REFUSED, "success" },
		{ 200, "{\"code\":\"1\"}", INTUNE_E_REFUSED, "1" },
		{ 200, "{\"code\":\"Unknown,Success\"}", INTUNE_E_REFUSED, "Unknown,Success" },
		{ 200, "{\"code\":1}", INTUNE_E_PROTOCOL, "" },
		{ 200, "{\"errorDescription\":\"\"}", INTUNE_E_PROTOCOL, "" },
		{ 200, "Success", INTUNE_E_PROTOCOL, "" },
		{ 200, "<html>Success</html>", INTUNE_E_PROTOCOL, "" },
		{ 200, "", INTUNE_E_PROTOCOL, "" },
		{ 204, "", INTUNE_E_PROTOCOL, "" },
		{ 302, "{\"code\":\"Success\"}", INTUNE_E_PROTOCOL, "" },
		{ 400, "{\"code\":\"Success\"}", INTUNE_E_PROTOCOL, "" },
		{ 400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"m\"}}", INTUNE_E_REFUSED,
		    "BadRequest" },
		{ 409, "", INTUNE_E_PROTOCOL, "" },
		{ 500, "{\"code\":\"Success\"}", INTUNE_E_UNAVAILABLE, "" },
		{ 500, "{\"error\":{\"code\":\"InternalError\",\"message\":\"m\"}}",
		    INTUNE_E_UNAVAILABLE, "InternalError" },
	};
	enum intune_status (*const calls[])(
	    struct fixture *) = { validate, notify_success, notify_failure };
	struct fixture *f = *state;
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		const struct play play = { .status = rows[i].status, .body = rows[i].body };

		peer_always(f->peer, ROUTE_ACTION, &play);
		for (k = 0; k < COUNT(calls); k++) {
			if (calls[k](f) != rows[i].want)
				give_up("row %zu, call %zu: %s (%s)\n", i, k,
				    intune_status_name(f->e.status), f->e.message);
			assert_string_equal(f->e.code_text, rows[i].code);
			assert_int_equal(f->e.status, rows[i].want);
			assert_int_equal(f->e.http_status, rows[i].status);
			assert_true(f->e.message[0] != '\0');
			assert_true(f->e.activity_id[0] != '\0');
		}
	}
}

static void
unknown_codes_keep_their_text_and_known_ones_have_hints(void **state)
{
	struct fixture *f = *state;
	char body[200];
	unsigned c;

	peer_answer(f->peer, ROUTE_ACTION, 200,
	    "{\"code\":\"BadDeviceTypeInChallenge\",\"errorDescription\":\"Not \\r\\n this\"}");
	assert_int_equal(validate(f), INTUNE_E_REFUSED);
	assert_int_equal(f->e.code, INTUNE_CODE_UNKNOWN);
	assert_string_equal(f->e.code_text, "BadDeviceTypeInChallenge");
	assert_string_equal(f->e.description, "Not this");
	for (c = INTUNE_CODE_SUCCESS + 1; c < INTUNE_CODE__MAX; c++) {
		(void)snprintf(body, sizeof(body), "{\"code\":\"%s\",\"errorDescription\":\"d\"}",
		    intune_code_name((enum intune_code)c));
		peer_answer(f->peer, ROUTE_ACTION, 200, body);
		assert_int_equal(validate(f), INTUNE_E_REFUSED);
		assert_int_equal(f->e.code, c);
		assert_non_null(strstr(f->e.message, intune_code_name((enum intune_code)c)));
		assert_true(strlen(f->e.hint) > 20);
		assert_true(strlen(f->e.hint) < sizeof(f->e.hint) - 1);
	}
}

static void
a_compressed_bomb_is_no_success(void **state)
{
	struct fixture *f = *state;
	size_t plain_len = 16u << 20, len = 1u << 16;
	uint8_t *plain = malloc(plain_len), *packed = malloc(len);
	z_stream z = { 0 };

	memset(plain, ' ', plain_len);
	memcpy(plain, "{\"code\":\"Success\"}", 18);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.avail_in = (uInt)plain_len;
	z.next_out = packed;
	z.avail_out = (uInt)len;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	const struct play play = { 200, "Content-Encoding: gzip\r\n", packed, z.total_out, 0 };

	deflateEnd(&z);
	peer_always(f->peer, ROUTE_ACTION, &play);
	assert_int_not_equal(validate(f), INTUNE_OK);
	assert_int_not_equal(notify_success(f), INTUNE_OK);
	free(plain);
	free(packed);
}

/* {"roles":["Directory.Read.All"]} */
#define JWT "e30.eyJyb2xlcyI6WyJEaXJlY3RvcnkuUmVhZC5BbGwiXX0.c2ln"

static void
a_missing_intune_permission_is_named_with_the_roles_there_are(void **state)
{
	const struct play token = { 200, NULL,
		"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" JWT "\"}", 0,
		0 };
	const struct play denied = { .status = 403, .body = "" };
	struct fixture *f = *state;

	peer_always(f->peer, ROUTE_TOKEN, &token);
	peer_always(f->peer, ROUTE_ACTION, &denied);
	assert_int_equal(validate(f), INTUNE_E_PERMISSION);
	assert_int_equal(f->e.step, INTUNE_STEP_VALIDATE);
	assert_int_equal(f->e.http_status, 403);
	assert_non_null(strstr(f->e.hint, "scep_challenge_provider"));
	assert_non_null(strstr(f->e.hint, "Directory.Read.All"));
	assert_null(strstr(f->e.hint, "e30."));
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 2);
	assert_int_equal(peer_count_scope(f->peer, "manage.microsoft"), 2);
}

static void
a_missing_graph_permission_is_named(void **state)
{
	const struct play denied = { .status = 403,
		.body = "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":"
			"\"Insufficient "
			"privileges to complete the "
			"operation.\",\"innerError\":{\"request-id\":\"r-9\"}}}" };
	struct fixture *f = *state;

	peer_always(f->peer, ROUTE_LIST, &denied);
	assert_int_equal(validate(f), INTUNE_E_PERMISSION);
	assert_int_equal(f->e.step, INTUNE_STEP_DISCOVERY);
	assert_non_null(strstr(f->e.hint, "Application.Read.All"));
	assert_string_equal(f->e.code_text, "Authorization_RequestDenied");
	assert_string_equal(f->e.request_id, "r-9");
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 0);
}

static void
entra_s_refusals_carry_number_and_hint(void **state)
{
	static const struct {
		int status;
		long code;
		enum intune_status want;
		const char *hint;
	} rows[] = {
		{ 401, 7000215, INTUNE_E_AUTH, "AAD_APP_KEY" },
		{ 401, 7000222, INTUNE_E_AUTH, "expired" },
		{ 400, 7000218, INTUNE_E_AUTH, "AAD_APP_KEY" },
		{ 400, 700016, INTUNE_E_AUTH, "AAD_APP_ID" },
		{ 400, 90002, INTUNE_E_AUTH, "TENANT" },
		{ 400, 900023, INTUNE_E_AUTH, "TENANT" },
		{ 400, 70011, INTUNE_E_AUTH, "INTUNE_RESOURCE_URL" },
		{ 400, 1002012, INTUNE_E_AUTH, "INTUNE_RESOURCE_URL" },
		{ 400, 500011, INTUNE_E_AUTH, "INTUNE_RESOURCE_URL" },
		{ 401, 7000112, INTUNE_E_AUTH, "disabled" },
		{ 401, 700024, INTUNE_E_AUTH, "clock" },
		{ 400, 53003, INTUNE_E_AUTH, "Conditional Access" },
		{ 400, 90033, INTUNE_E_UNAVAILABLE, "later" },
		{ 503, 90033, INTUNE_E_UNAVAILABLE, "later" },
		{ 400, 123456789, INTUNE_E_AUTH, "" },
	};
	struct fixture *f = *state;
	char body[512];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(body, sizeof(body),
		    "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS%ld: No. key "
		    "s3cret~key/with+signs&more\\r\\nTrace ID: "
		    "x\",\"error_codes\":[%ld],\"trace_id\":\"t-1\"}",
		    rows[i].code, rows[i].code);
		peer_answer(f->peer, ROUTE_TOKEN, rows[i].status, body);
		if (rows[i].status >= 500) /* is asked once more */
			peer_answer(f->peer, ROUTE_TOKEN, rows[i].status, body);
		assert_int_equal(validate(f), rows[i].want);
		assert_int_equal(f->e.aadsts, rows[i].code);
		assert_int_equal(f->e.step, INTUNE_STEP_TOKEN);
		assert_non_null(strstr(f->e.hint, rows[i].hint));
		assert_non_null(strstr(f->e.message, "contoso.example"));
		assert_string_equal(f->e.request_id, "t-1");
		assert_null(strpbrk(f->e.message, "\r\n"));
		assert_null(strstr(f->e.message, "s3cret~key"));
		assert_null(strstr(f->e.description, "s3cret~key"));
	}
	assert_int_equal(validate(f), INTUNE_OK);
}

static void
odd_answers_of_the_token_endpoint_are_no_tokens(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum intune_status want;
	} rows[] = {
		{ 200, "<html>", INTUNE_E_PROTOCOL },
		{ 200, "", INTUNE_E_PROTOCOL },
		{ 200, "{\"token_type\":\"Bearer\"}", INTUNE_E_PROTOCOL },
		{ 302, "", INTUNE_E_PROTOCOL },
		{ 400, "<html>", INTUNE_E_PROTOCOL },
		{ 404, "", INTUNE_E_UNAVAILABLE },
		{ 429, "", INTUNE_E_UNAVAILABLE },
		{ 502, "<html>", INTUNE_E_UNAVAILABLE },
	};
	struct fixture *f = *state;
	size_t i, again = 0;

	for (i = 0; i < COUNT(rows); i++) {
		peer_answer(f->peer, ROUTE_TOKEN, rows[i].status, rows[i].body);
		if (rows[i].status >= 500) { /* is asked once more */
			peer_answer(f->peer, ROUTE_TOKEN, rows[i].status, rows[i].body);
			again++;
		}
		assert_int_equal(validate(f), rows[i].want);
		assert_int_equal(f->e.step, INTUNE_STEP_TOKEN);
	}
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), COUNT(rows) + again);
}

static void
a_tenant_without_the_service_is_told_what_it_has(void **state)
{
	struct fixture *f = *state;

	peer_answer(f->peer, ROUTE_LIST, 200,
	    "{\"value\":[{\"providerName\":\"PkiConnectorFEService\",\"uri\":\"https://a/\"}]}");
	assert_int_equal(validate(f), INTUNE_E_DISCOVERY);
	assert_non_null(strstr(f->e.message, "ScepRequestValidationFEService"));
	assert_non_null(strstr(f->e.message, "PkiConnectorFEService"));
	peer_answer(f->peer, ROUTE_LIST, 200, "{\"value\":[]}");
	assert_int_equal(validate(f), INTUNE_E_DISCOVERY);
	peer_answer(f->peer, ROUTE_LIST, 404,
	    "{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"m\"}}");
	assert_int_equal(validate(f), INTUNE_E_DISCOVERY);
	peer_answer(f->peer, ROUTE_LIST, 200, "{\"value\":5}");
	assert_int_equal(validate(f), INTUNE_E_PROTOCOL);
	assert_int_equal(validate(f), INTUNE_OK);
}

static void
the_list_is_followed_over_pages_of_the_same_host_only(void **state)
{
	struct fixture *f = *state;
	char body[300];
	int i;

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[],\"@odata.nextLink\":\"%s/v1.0/endpoints?$skiptoken=2\"}",
	    peer_url(f->peer));
	peer_answer(f->peer, ROUTE_LIST, 200, body);
	assert_int_equal(validate(f), INTUNE_OK);
	expect_start(
	    peer_recorded(f->peer, ROUTE_LIST, 1), "GET /v1.0/endpoints?$skiptoken=2 HTTP/1.1");
	expect_line(peer_recorded(f->peer, ROUTE_LIST, 1), "Authorization", "Bearer graph-token-1");

	intune_client_free(f->client);
	f->client = peer_client(f->peer);
	peer_answer(f->peer, ROUTE_LIST, 200,
	    "{\"value\":[],\"@odata.nextLink\":\"http://127.0.0.2:80/endpoints\"}");
	assert_int_equal(validate(f), INTUNE_E_PROTOCOL);
	assert_non_null(strstr(f->e.message, "another host"));

	peer_forget(f->peer);
	for (i = 0; i < 20; i++)
		peer_answer(f->peer, ROUTE_LIST, 200, body);
	assert_int_equal(validate(f), INTUNE_E_PROTOCOL);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 16);
}

static void
arguments_are_checked_in_order_and_nothing_is_sent(void **state)
{
	struct fixture *f = *state;
	struct intune_success s = { 0 };
	static uint8_t huge[200 * 1024];
	static char text[2000];

	assert_int_equal(
	    intune_validate_request(f->client, NULL, NULL, 0, &f->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "transactionId"));
	assert_int_equal(intune_validate_request(f->client, "", csr, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_validate_request(f->client, "t\xff", csr, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_validate_request(f->client, "t", NULL, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "certificateRequest"));
	assert_int_equal(intune_validate_request(f->client, "t", csr, 0, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_validate_request(f->client, "t", huge, sizeof(huge), &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_validate_request(NULL, "t", csr, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_send_success_notification(f->client, NULL, &f->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "transactionId"));
	s.transaction_id = "t";
	s.csr = csr;
	s.csr_len = sizeof(csr);
	assert_int_equal(intune_send_success_notification(f->client, &s, &f->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "certThumbprint"));
	s.thumbprint = "AA";
	assert_int_equal(intune_send_success_notification(f->client, &s, NULL), INTUNE_E_ARGUMENT);
	s.serial = "01";
	s.expiration = "x";
	memset(text, 'x', sizeof(text) - 1);
	s.issuer = text;
	assert_int_equal(intune_send_success_notification(f->client, &s, &f->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "certIssuingAuthority"));
	assert_int_equal(intune_send_failure_notification(f->client, "t", csr, 1, 0, "", &f->e),
	    INTUNE_E_ARGUMENT);
	assert_non_null(strstr(f->e.message, "errorDescription"));
	assert_int_equal(intune_check(NULL, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 0);
}

static void
the_check_asks_for_both_tokens_and_the_list_only(void **state)
{
	/* {"aud":"x"} */
	const struct play bare = { 200, NULL,
		"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"e30."
		"eyJhdWQiOiJ4In0.c2ln\"}",
		0, 0 };
	struct fixture *f = *state;

	assert_int_equal(intune_check(f->client, &f->e), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 2);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 1);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 0);
	intune_client_free(f->client);
	f->client = peer_client(f->peer);
	peer_always(f->peer, ROUTE_TOKEN, &bare);
	assert_int_equal(intune_check(f->client, &f->e), INTUNE_E_PERMISSION);
	assert_non_null(strstr(f->e.hint, "scep_challenge_provider"));
}

static void
a_whole_size_request_passes_unchanged(void **state)
{
	struct fixture *f = *state;
	size_t len = 128 * 1024, i;
	uint8_t *big = malloc(len);
	struct buf back;
	const char *at, *end;
	struct err err;

	for (i = 0; i < len; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(intune_validate_request(f->client, "tx-1", big, len, &f->e), INTUNE_OK);
	at = strstr(raw_body(peer_recorded(f->peer, ROUTE_ACTION, 0)), "certificateRequest\":\"");
	assert_non_null(at);
	at += strlen("certificateRequest\":\"");
	end = strchr(at, '"');
	buf_init(&back, len + 16);
	assert_int_equal(base64_decode(&back, at, (size_t)(end - at), BASE64_STRICT, &err), RC_OK);
	assert_int_equal(back.len, len);
	assert_memory_equal(back.data, big, len);
	buf_done(&back);
	free(big);
}

static void
a_compressed_answer_is_understood(void **state)
{
	static const char ok[] = "{\"code\":\"Success\"}";
	struct fixture *f = *state;
	uint8_t packed[128];
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)ok;
	z.avail_in = sizeof(ok) - 1;
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	const struct play play = { 200, "Content-Encoding: gzip\r\n", packed, z.total_out, 0 };

	deflateEnd(&z);
	peer_play(f->peer, ROUTE_ACTION, &play);
	assert_int_equal(validate(f), INTUNE_OK);
}

static void
a_missing_ca_file_is_a_configuration_error(void **state)
{
	struct intune_client *cl = NULL;
	struct fixture *f = *state;
	struct intune_config c;

	peer_config(f->peer, &c);
	c.ca_file = "/nonexistent/ca.pem";
	assert_int_equal(intune_client_new(&cl, &c, &f->e), INTUNE_E_ARGUMENT);
	assert_null(cl);
	assert_non_null(strstr(f->e.message, "ca_file"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(the_token_request_is_entra_s),
		T(discovery_asks_graph_first),
		T(validate_request_is_as_recorded),
		T(success_notification_is_as_recorded),
		T(failure_notification_is_as_recorded),
		T(anything_but_success_is_refused),
		T(unknown_codes_keep_their_text_and_known_ones_have_hints),
		T(a_compressed_bomb_is_no_success),
		T(a_missing_intune_permission_is_named_with_the_roles_there_are),
		T(a_missing_graph_permission_is_named),
		T(entra_s_refusals_carry_number_and_hint),
		T(odd_answers_of_the_token_endpoint_are_no_tokens),
		T(a_tenant_without_the_service_is_told_what_it_has),
		T(the_list_is_followed_over_pages_of_the_same_host_only),
		T(arguments_are_checked_in_order_and_nothing_is_sent),
		T(the_check_asks_for_both_tokens_and_the_list_only),
		T(a_whole_size_request_passes_unchanged),
		T(a_compressed_answer_is_understood),
		T(a_missing_ca_file_is_a_configuration_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
