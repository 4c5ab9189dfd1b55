/*
 * actions_test.c - what surrounds the verdict: permissions, bodies, notifications, the report.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "kit.h"

#define THUMB "0123456789ABCDEF0123456789ABCDEF01234567"

/* A notification about the request that `scep` asked for, with these further members. */
static void
notify(struct answer *a, const struct kit *k, const char *action, const json_t *scep,
    const char *members)
{
	char path[256];
	struct buf der, body;

	buf_init(&der, 1 << 18);
	buf_init(&body, 1 << 20);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	buf_adds(&body, "{\"notification\":{\"transactionId\":\"tx-7\",\"certificateRequest\":\"");
	base64_add(&body, der.data, der.len);
	buf_addf(&body, "\",\"callerInfo\":\"unit test\",%s}}", members);
	snprintf(path, sizeof(path), SERVICE "%s", action);
	call(a, k, &(struct request){ .path = path, .body = buf_str(&body), .token = k->token });
	buf_done(&der);
	buf_done(&body);
}

#define SUCCESS_MEMBERS                                                                            \
	"\"certificateThumbprint\":\"" THUMB "\",\"certificateSerialNumber\":\"4F00AB\","          \
	"\"certificateExpirationDateUtc\":\"2027-11-21T06:20:57.000Z\","                           \
	"\"issuingCertificateAuthority\":\"Alpha Issuing CA\",\"caConfiguration\":null"

static void
expect_status(const struct kit *k, const char *device, const char *profile, const char *status)
{
	json_t *row = kit_report_row(k, device, profile);

	assert_string_equal(json_get_str(row, "status"), status);
	json_decref(row);
}

static void
device_installs(const struct kit *k, const char *device, const json_t *scep, int status)
{
	struct buf body;
	const uint8_t *der;
	struct answer a;
	char path[128];
	size_t len;

	der = cert_der0(k->view->tenants[0]->signer.cert, &len);
	buf_init(&body, 65536);
	buf_addf(
	    &body, "{\"profileId\":\"%s\",\"certificate\":\"", json_get_str(scep, "profileId"));
	base64_add(&body, der, len);
	buf_adds(&body, "\"}");
	snprintf(path, sizeof(path), "/sim/devices/%s/installed", device);
	post(&a, k, path, buf_str(&body));
	assert_int_equal(a.status, status);
	answer_done(&a);
	buf_done(&body);
}

/* ---- the flow ---- */

static void
report_follows_a_deployment_to_its_end(void **state)
{
	const struct kit *k = *state;
	const json_t *certs, *cert;
	struct answer a;
	json_t *scep;

	expect_status(k, "win-1", "Device", "pending");
	scep = kit_checkin(k, "win-1", "Device");
	expect_status(k, "win-1", "Device", "challengeIssued");
	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ .no_san = true }), "SubjectAltNameMissing");
	expect_status(k, "win-1", "Device", "refused: SubjectAltNameMissing");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	expect_status(k, "win-1", "Device", "validated");
	notify(&a, k, "successNotification", scep, SUCCESS_MEMBERS);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	expect_status(k, "win-1", "Device", "issued");
	device_installs(k, "win-1", scep, 204);
	expect_status(k, "win-1", "Device", "installed");

	get(&a, k, "/sim/report", NULL);
	certs = json_object_get(a.json, "certificates");
	assert_int_equal(json_array_size(certs), 1);
	cert = json_array_get(certs, 0);
	assert_string_equal(json_get_str(cert, "thumbprint"), THUMB);
	assert_string_equal(json_get_str(cert, "serialNumber"), "4F00AB");
	assert_string_equal(json_get_str(cert, "expires"), "2027-11-21T06:20:57.000Z");
	assert_string_equal(json_get_str(cert, "issuer"), "Alpha Issuing CA");
	assert_string_equal(json_get_str(cert, "device"), "win-1");
	assert_string_equal(json_get_str(cert, "transactionId"), "tx-7");
	assert_string_equal(
	    json_get_str(cert, "subject"), "CN=20000000-0000-4000-8000-000000000001,O=Alpha");
	assert_true(json_is_null(json_object_get(cert, "caConfiguration")));
	answer_done(&a);
	json_decref(scep);
}

/* Follows the test above: win-1 has its certificate. */
static void
refusal_does_not_take_a_certificate_away(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device"), *row;

	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ .subject = "CN=x" }), "SubjectNameMismatch");
	row = kit_report_row(k, "win-1", "Device");
	assert_string_equal(json_get_str(row, "status"), "installed");
	assert_string_equal(json_get_str(row, "lastError"), "SubjectNameMismatch");
	assert_int_equal(json_integer_value(json_object_get(row, "refusals")), 2);
	json_decref(row);
	json_decref(scep);
}

static void
failure_notification_says_why(void **state)
{
	static const struct {
		const char *hresult, *shown;
	} rows[] = {
		{ "2147549183", "failed: disk full (0x8000ffff)" },
		{ "-2147418113", "failed: disk full (0x8000ffff)" },
		{ "\"4294967295\"", "failed: disk full (0xffffffff)" },
		{ "8589934592", "failed: disk full (0x00000000)" },
	};
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "User");

	for (size_t i = 0; i < N(rows); i++) {
		char members[128];
		struct answer a;

		snprintf(members, sizeof(members),
		    "\"hResult\":%s,\"errorDescription\":\"disk full\"", rows[i].hresult);
		notify(&a, k, "failureNotification", scep, members);
		assert_int_equal(a.status, 200);
		assert_string_equal(answer_code(&a), "Success");
		assert_string_equal(json_get_str(a.json, "errorDescription"), "");
		answer_done(&a);
		expect_status(k, "phone-1", "User", rows[i].shown);
	}
	json_decref(scep);
}

/* What was validated in time may take its time to be issued. */
static void
notification_may_come_after_the_challenge_s_end(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "San only");
	struct answer a;

	clock_offset_set(3700);
	notify(&a, k, "successNotification", scep, SUCCESS_MEMBERS);
	clock_offset_set(0);
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	expect_status(k, "phone-1", "San only", "issued");
	json_decref(scep);
}

static void
notification_without_a_good_challenge_is_refused(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "User"), *other = json_deep_copy(scep);
	struct answer a;

	json_object_set_new(other, "challenge", json_string("c3RhdGlj"));
	notify(&a, k, "successNotification", other, SUCCESS_MEMBERS);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_code(&a), "ChallengeDeserializationError");
	answer_done(&a);
	json_decref(other);
	json_decref(scep);
}

/* ---- who may, and with what ---- */

static void
expect_http(const struct kit *k, const struct request *r, int status, const char *code)
{
	struct answer a;

	call(&a, k, r);
	assert_int_equal(a.status, status);
	assert_string_equal(answer_code(&a), code);
	/* The message is JSON in a string, as the gateway writes it. */
	if (status != 200) {
		const char *text = json_get_str(json_object_get(a.json, "error"), "message");
		json_t *inner;
		struct err e;

		assert_ok(json_parse(&inner, text, strlen(text), &e), e);
		assert_non_null(strstr(json_get_str(inner, "Message"), "Activity ID: "));
		json_decref(inner);
	}
	answer_done(&a);
}

static void
caller_without_the_right_token_gets_401(void **state)
{
	const struct kit *k = *state;
	char *bare = kit_token(k, "alpha.example", BARE_APP, INTUNE);
	char *graph = kit_token(k, "alpha.example", APP_ID, GRAPH);
	const char *tokens[] = { NULL, "rubbish", bare, graph };
	static const char *const actions[] = { "validateRequest", "successNotification",
		"failureNotification" };

	for (size_t i = 0; i < N(tokens); i++) {
		for (size_t j = 0; j < N(actions); j++) {
			char path[256];

			snprintf(path, sizeof(path), SERVICE "%s", actions[j]);
			expect_http(k, &(struct request){ .path = path, .token = tokens[i] }, 401,
			    "Unauthorized");
		}
	}
	free(bare);
	free(graph);
}

static void
request_that_is_none_gets_400(void **state)
{
	static const struct {
		const char *version, *body;
	} rows[] = {
		{ "", "{}" },
		{ "2011-11-11", "{}" },
		{ NULL, "" },
		{ NULL, "[]" },
		{ NULL, "{\"request\":" },
		{ NULL, "{}" },
		{ NULL, "{\"request\":{}}" },
		{ NULL,
		    "{\"request\":{\"transactionId\":1,\"certificateRequest\":\"\","
		    "\"callerInfo\":\"\"}}" },
		{ NULL,
		    "{\"request\":{\"transactionId\":\"\",\"certificateRequest\":\"\","
		    "\"callerInfo\":\"\"}}" },
		{ NULL,
		    "{\"request\":{\"transactionId\":\"1\",\"certificateRequest\":null,"
		    "\"callerInfo\":\"\"}}" },
		{ NULL, "{\"request\":{\"transactionId\":\"1\",\"certificateRequest\":\"\"}}" },
		{ NULL,
		    "{\"notification\":{\"transactionId\":\"1\",\"certificateRequest\":\"\","
		    "\"callerInfo\":\"\"}}" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++)
		expect_http(k,
		    &(struct request){ .path = SERVICE "validateRequest",
			.token = k->token,
			.api_version = rows[i].version,
			.body = rows[i].body },
		    400, "BadRequest");
}

static void
doubled_slash_of_a_joined_url_is_forgiven(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	call(&a, k,
	    &(struct request){ .path = "/RACerts/ScepRequestValidationFEService/Gateway/"
				       "StatelessScepRequestValidationService//ScepActions/"
				       "validateRequest",
		.token = k->token,
		.body = "{}" });
	assert_int_equal(a.status, 400);
	answer_done(&a);
}

static void
unknown_paths_and_methods_are_told(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = {
		{ "GET", "/nothing", 404 },
		{ "GET", "/sim/nothing", 404 },
		{ "GET", "/sim/report/x", 404 },
		{ "POST", "/sim/report", 405 },
		{ "GET", "/sim/devices/win-1/checkin", 405 },
		{ "POST", "/sim/devices//checkin", 404 },
		{ "GET", SERVICE "validateRequest", 405 },
		{ "POST", SERVICE "validate", 404 },
		{ "GET", "/v1.0/servicePrincipals/appId=/endpoints", 404 },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct answer a;

		call(&a, k, &(struct request){ .method = rows[i].method, .path = rows[i].path });
		if (a.status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].method, rows[i].path, a.status);
		answer_done(&a);
	}
}

static void
caller_s_request_id_is_echoed(void **state)
{
	static const char id[] = "deadbeef-0000-4000-8000-000000000001";
	const struct kit *k = *state;
	struct answer a;

	call(&a, k,
	    &(struct request){ .path = SERVICE "validateRequest",
		.token = k->token,
		.body = "{}",
		.client_request_id = id });
	assert_non_null(strstr(buf_str(&a.headers), id));
	assert_non_null(strstr(buf_str(&a.body), id));
	answer_done(&a);
	/* What is no GUID is not repeated. */
	call(&a, k,
	    &(struct request){ .path = SERVICE "validateRequest",
		.token = k->token,
		.body = "{}",
		.client_request_id = "<script>" });
	assert_null(strstr(buf_str(&a.headers), "script"));
	assert_null(strstr(buf_str(&a.body), "script"));
	answer_done(&a);
}

/* ---- devices ---- */

static void
checkin_says_what_the_device_must_ask_for(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device"),
	       *phone = kit_checkin(k, "phone-1", "User");
	int64_t expires;
	struct err e;

	assert_string_equal(json_get_str(scep, "profileId"), PROFILE_DEVICE);
	assert_string_equal(
	    json_get_str(scep, "subject"), "CN=20000000-0000-4000-8000-000000000001,O=Alpha");
	assert_int_equal(json_array_size(json_object_get(scep, "san")), 3);
	assert_int_equal(json_array_size(json_object_get(scep, "keyUsage")), 2);
	assert_int_equal(json_array_size(json_object_get(scep, "eku")), 2);
	assert_int_equal(json_integer_value(json_object_get(scep, "keySize")), 2048);
	assert_string_equal(json_get_str(scep, "hash"), "sha256");
	assert_string_equal(json_get_str(json_object_get(scep, "validity"), "period"), "Months");
	assert_string_equal(json_get_str(json_object_get(scep, "validity"), "units"), "6");
	assert_string_equal(json_string_value(json_array_get(json_object_get(scep, "urls"), 0)),
	    "http://ca.alpha.example/scep");
	assert_ok(time_parse_rfc3339(&expires, json_get_str(scep, "expires"), &e), e);
	assert_in_range(expires - clock_now(), 3598, 3600);

	/* An iPhone has no say in these. */
	assert_null(json_object_get(phone, "validity"));
	assert_int_equal(json_array_size(json_object_get(phone, "eku")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(phone, "eku"), 0)),
	    "1.3.6.1.5.5.7.3.2");
	assert_string_equal(json_get_str(phone, "hash"), "sha256");
	assert_string_equal(json_get_str(phone, "subject"), "CN=jane,E=jane.doe@alpha.example");
	json_decref(scep);
	json_decref(phone);
}

static void
each_checkin_has_its_own_challenge(void **state)
{
	const struct kit *k = *state;
	json_t *a = kit_checkin(k, "win-1", "Device"), *b = kit_checkin(k, "win-1", "Device");

	assert_string_not_equal(json_get_str(a, "challenge"), json_get_str(b, "challenge"));
	assert_string_not_equal(json_get_str(a, "requestId"), json_get_str(b, "requestId"));
	/* An earlier one stays good. */
	assert_string_equal(kit_verdict(k, a, &(struct tweak){ 0 }), "Success");
	json_decref(a);
	json_decref(b);
}

static void
profile_that_the_device_cannot_fill_is_not_delivered(void **state)
{
	static const struct {
		const char *device, *profile, *why;
	} rows[] = {
		{ "droid-1", "Imei",
		    "failed: the way this device is managed gives {{IMEINumber}} no" },
		{ "mac-1", "Mac user", "failed: the device has no user" },
		{ "mac-1", "Mac rootless", "failed: the trusted root profile" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		char path[128];
		struct answer a;
		json_t *row;

		snprintf(path, sizeof(path), "/sim/devices/%s/checkin", rows[i].device);
		post(&a, k, path, "");
		assert_int_equal(a.status, 200);
		assert_int_equal(json_array_size(json_object_get(a.json, "scep")), 0);
		assert_true(json_array_size(json_object_get(a.json, "notDelivered")) > 0);
		answer_done(&a);
		row = kit_report_row(k, rows[i].device, rows[i].profile);
		if (!str_starts(json_get_str(row, "status"), rows[i].why))
			fail_msg("%s", json_get_str(row, "status"));
		json_decref(row);
	}
}

static void
device_may_say_what_went_wrong(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "User");
	struct answer a;
	char body[256];

	snprintf(body, sizeof(body), "{\"profileId\":\"%s\",\"error\":\"no\\nroute\"}",
	    json_get_str(scep, "profileId"));
	post(&a, k, "/sim/devices/phone-1/failed", body);
	assert_int_equal(a.status, 204);
	answer_done(&a);
	expect_status(k, "phone-1", "User", "failed: no?route");
	json_decref(scep);
}

static void
a_refusal_stays_one_when_the_device_tells_of_it(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "hello-2", "Passport"), *row;
	struct answer a;
	char body[256];

	assert_string_not_equal(
	    kit_verdict(k, scep, &(struct tweak){ .subject = "CN=x" }), "Success");
	snprintf(body, sizeof(body), "{\"profileId\":\"%s\",\"error\":\"the CA said no\"}",
	    json_get_str(scep, "profileId"));
	post(&a, k, "/sim/devices/hello-2/failed", body);
	answer_done(&a);
	row = kit_report_row(k, "hello-2", "Passport");
	assert_true(strncmp(json_get_str(row, "status"), "refused: ", 9) == 0);
	assert_string_equal(json_get_str(row, "lastError"), "the CA said no");
	json_decref(row);
	json_decref(scep);
}

static void
device_must_name_what_is_there(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
	} rows[] = {
		{ "/sim/devices/nobody/checkin", "", 404 },
		{ "/sim/devices/nobody/installed", "{}", 404 },
		{ "/sim/devices/win-1/installed", "{}", 404 },
		{ "/sim/devices/win-1/installed", "", 400 },
		{ "/sim/devices/win-1/failed", "{\"profileId\":\"" ALPHA_ID "\"}", 404 },
		{ "/sim/devices/phone-1/failed", "{\"profileId\":\"" PROFILE_DEVICE "\"}", 404 },
		{ "/sim/devices/win-1/installed", "{\"profileId\":\"" PROFILE_DEVICE "\"}", 400 },
		{ "/sim/devices/win-1/installed",
		    "{\"profileId\":\"" PROFILE_DEVICE "\",\"certificate\":\"AAAA\"}", 400 },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct answer a;

		post(&a, k, rows[i].path, rows[i].body);
		if (a.status != rows[i].status)
			fail_msg("row %zu: %d %s", i, a.status, buf_str(&a.body));
		assert_non_null(answer_code(&a));
		answer_done(&a);
	}
}

/* ---- what people read ---- */

static void
text_report_is_a_table(void **state)
{
	const struct kit *k = *state;
	size_t columns = 0;
	struct answer a;
	char *line, *save = NULL, *text;

	get(&a, k, "/sim/report.txt", NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.content_type, "text/plain; charset=utf-8");
	text = strdup(buf_str(&a.body));
	assert_non_null(strstr(text, "DEVICE"));
	assert_non_null(strstr(text, "win-1"));
	assert_non_null(strstr(text, "Certificates reported"));
	assert_non_null(strstr(text, THUMB));
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);

		assert_true(len == 0 || line[len - 1] != ' ');
		/* Statuses stand under their heading. */
		if (strstr(line, "  STATUS") != NULL && columns == 0)
			columns = (size_t)(strstr(line, "STATUS") - line);
		if (str_starts(line, "  win-1  ") && strstr(line, "installed") != NULL)
			assert_int_equal(strstr(line, "installed") - line, columns);
	}
	assert_true(columns > 0);
	free(text);
	answer_done(&a);
}

static void
requests_are_kept_without_their_tokens(void **state)
{
	const struct kit *k = *state;
	const json_t *list, *last, *headers;
	struct answer a;

	call(&a, k,
	    &(struct request){
		.path = SERVICE "validateRequest", .token = k->token, .body = "{\"seen\":1}" });
	answer_done(&a);
	get(&a, k, "/sim/requests", NULL);
	list = json_object_get(a.json, "requests");
	last = json_array_get(list, json_array_size(list) - 1);
	headers = json_object_get(last, "headers");
	assert_string_equal(
	    json_get_str(last, "request"), "POST " SERVICE "validateRequest HTTP/1.1");
	assert_string_equal(json_get_str(headers, "Authorization"), "Bearer (cut)");
	assert_string_equal(json_get_str(headers, "api-version"), "2018-02-20");
	assert_string_equal(json_get_str(last, "body"), "{\"seen\":1}");
	assert_int_equal(json_integer_value(json_object_get(last, "status")), 400);
	assert_null(strstr(buf_str(&a.body), k->token));
	answer_done(&a);
}

static void
requests_are_kept_without_certificate_requests(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", NULL);
	const char *challenge = json_get_str(scep, "challenge");
	struct answer a;
	struct buf der;
	char part[65];

	buf_init(&der, 1 << 20);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	validate_csr(&a, k, NULL, &der);
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	get(&a, k, "/sim/requests", NULL);
	assert_non_null(strstr(buf_str(&a.body), "characters of base64: not kept)"));
	assert_non_null(strstr(buf_str(&a.body), "transactionId"));
	/* no piece of the challenge: base64 of base64 would hide it, so of the request too */
	snprintf(part, sizeof(part), "%.64s", challenge + 100);
	assert_null(strstr(buf_str(&a.body), part));
	assert_null(strstr(buf_str(&a.body), "certificateRequest\\\":\\\"MII"));
	answer_done(&a);
	json_decref(scep);
	buf_done(&der);
}

static void
requests_are_bounded(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	for (int i = 0; i < 300; i++) {
		get(&a, k, "/nothing", NULL);
		answer_done(&a);
	}
	get(&a, k, "/sim/requests", NULL);
	assert_int_equal(json_array_size(json_object_get(a.json, "requests")), 128);
	answer_done(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_follows_a_deployment_to_its_end),
		cmocka_unit_test(refusal_does_not_take_a_certificate_away),
		cmocka_unit_test(failure_notification_says_why),
		cmocka_unit_test(notification_may_come_after_the_challenge_s_end),
		cmocka_unit_test(notification_without_a_good_challenge_is_refused),
		cmocka_unit_test(caller_without_the_right_token_gets_401),
		cmocka_unit_test(request_that_is_none_gets_400),
		cmocka_unit_test(doubled_slash_of_a_joined_url_is_forgiven),
		cmocka_unit_test(unknown_paths_and_methods_are_told),
		cmocka_unit_test(caller_s_request_id_is_echoed),
		cmocka_unit_test(checkin_says_what_the_device_must_ask_for),
		cmocka_unit_test(each_checkin_has_its_own_challenge),
		cmocka_unit_test(profile_that_the_device_cannot_fill_is_not_delivered),
		cmocka_unit_test(device_may_say_what_went_wrong),
		cmocka_unit_test(a_refusal_stays_one_when_the_device_tells_of_it),
		cmocka_unit_test(device_must_name_what_is_there),
		cmocka_unit_test(text_report_is_a_table),
		cmocka_unit_test(requests_are_kept_without_their_tokens),
		cmocka_unit_test(requests_are_kept_without_certificate_requests),
		cmocka_unit_test(requests_are_bounded),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
