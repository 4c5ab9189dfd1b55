/*
 * entra_test.c - the token endpoint, and what its tokens open.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/jwt.h"

#include "kit.h"

#define FORM(app, secret, scope)                                                                   \
	"grant_type=client_credentials&client_id=" app "&client_secret=" secret "&scope=" scope
#define SECRET_ENC  "alpha%2Bsecret%2F%3D" /* SECRET in a form */
#define ENDPOINTS   "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"
#define CORRELATION "c0ffee00-1111-4222-8333-444444444444"

static json_t *
claims_of(const struct kit *k, const char *token)
{
	const struct tenant *t;
	json_t *claims;
	struct err e;

	assert_ok(jwt_verify(&claims, &t, k->view, token, strlen(token), &e), e);
	return claims;
}

/* ---- tokens ---- */

static void
token_body_is_entra_s(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	ask_token(&a, k, ALPHA_ID, FORM(APP_ID, SECRET_ENC, INTUNE));
	assert_int_equal(a.status, 200);
	assert_int_equal(json_object_size(a.json), 4);
	assert_string_equal(json_get_str(a.json, "token_type"), "Bearer");
	/* A number in v2, a string in v1. */
	assert_true(json_is_integer(json_object_get(a.json, "expires_in")));
	assert_int_equal(json_integer_value(json_object_get(a.json, "expires_in")), 3599);
	assert_int_equal(json_integer_value(json_object_get(a.json, "ext_expires_in")), 3599);
	assert_non_null(strstr(buf_str(&a.headers), "no-store"));
	answer_done(&a);
}

static void
token_is_for_the_scope_s_resource(void **state)
{
	static const struct {
		const char *scope, *aud, *role;
	} rows[] = {
		{ "https://api.manage.microsoft.com//.default", "https://api.manage.microsoft.com/",
		    "scep_challenge_provider" },
		{ "https://api.manage.microsoft.com/.default", "https://api.manage.microsoft.com",
		    "scep_challenge_provider" },
		{ "openid profile offline_access https://api.manage.microsoft.com//.default",
		    "https://api.manage.microsoft.com/", "scep_challenge_provider" },
		{ "0000000a-0000-0000-c000-000000000000/.default",
		    "0000000a-0000-0000-c000-000000000000", "scep_challenge_provider" },
		{ "https://graph.microsoft.com/.default", "https://graph.microsoft.com",
		    "Application.Read.All" },
		{ "openid profile offline_access https://graph.microsoft.com/.default",
		    "https://graph.microsoft.com", "Application.Read.All" },
		{ "http://" HOST "/.default", "http://" HOST, "Application.Read.All" },
		{ "http://" HOST "//.default", "http://" HOST "/", "Application.Read.All" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		char *token = kit_token(k, "alpha.example", APP_ID, rows[i].scope);
		json_t *c = claims_of(k, token), *roles = json_object_get(c, "roles");

		assert_string_equal(json_get_str(c, "aud"), rows[i].aud);
		assert_string_equal(json_get_str(c, "tid"), ALPHA_ID);
		assert_string_equal(json_get_str(c, "appid"), APP_ID);
		assert_string_equal(
		    json_get_str(c, "iss"), "https://sts.windows.net/" ALPHA_ID "/");
		assert_int_equal(json_array_size(roles), 1);
		assert_string_equal(json_string_value(json_array_get(roles, 0)), rows[i].role);
		assert_int_equal(json_integer_value(json_object_get(c, "exp")) -
			json_integer_value(json_object_get(c, "iat")),
		    3599);
		json_decref(c);
		free(token);
	}
}

static void
app_without_consent_gets_a_token_without_roles(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", BARE_APP, INTUNE);
	json_t *c = claims_of(k, token);

	assert_null(json_object_get(c, "roles"));
	json_decref(c);
	free(token);
}

/* Every row of the AADSTS table. */
static void
refusals_have_their_number_name_and_status(void **state)
{
	static const struct {
		const char *tenant, *form;
		int code, status;
		const char *error;
	} rows[] = {
		{ ALPHA_ID, FORM(APP_ID, "wrong", INTUNE), 7000215, 401, "invalid_client" },
		{ ALPHA_ID, FORM(APP_ID, "alpha%2Bsecret%2F", INTUNE), 7000215, 401,
		    "invalid_client" },
		{ ALPHA_ID, FORM(APP_ID, OLD_SECRET, INTUNE), 7000222, 401, "invalid_client" },
		{ ALPHA_ID, "grant_type=client_credentials&client_id=" APP_ID "&scope=" INTUNE,
		    7000216, 401, "invalid_client" },
		{ ALPHA_ID,
		    "grant_type=client_credentials&client_id=" APP_ID "&scope=" INTUNE
		    "&client_assertion=x.y.z&client_assertion_type="
		    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		    50027, 400, "invalid_request" },
		{ ALPHA_ID, FORM(BETA_ID, SECRET_ENC, INTUNE), 700016, 400, "unauthorized_client" },
		{ ALPHA_ID, FORM(OFF_APP, SECRET_ENC, INTUNE), 7000112, 400,
		    "unauthorized_client" },
		{ "nowhere.example", FORM(APP_ID, SECRET_ENC, INTUNE), 90002, 400,
		    "invalid_request" },
		{ "33333333-cccc-4ccc-8ccc-000000000003", FORM(APP_ID, SECRET_ENC, INTUNE), 90002,
		    400, "invalid_request" },
		{ "alpha", FORM(APP_ID, SECRET_ENC, INTUNE), 900023, 400, "invalid_request" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, "openid"), 70011, 400, "invalid_scope" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, INTUNE "+" GRAPH), 70011, 400,
		    "invalid_scope" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, "https://graph.microsoft.com/User.Read"),
		    1002012, 400, "invalid_scope" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, "/.default"), 1002012, 400, "invalid_scope" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, "https://vault.azure.net/.default"), 500011,
		    400, "invalid_resource" },
		{ ALPHA_ID, FORM(APP_ID, SECRET_ENC, "https://graph.microsoft.com///.default"),
		    500011, 400, "invalid_resource" },
		{ ALPHA_ID, "grant_type=password&client_id=" APP_ID, 70003, 400,
		    "unsupported_grant_type" },
		{ ALPHA_ID, "client_id=" APP_ID, 900144, 400, "invalid_request" },
		{ ALPHA_ID, "grant_type=client_credentials", 900144, 400, "invalid_request" },
		{ ALPHA_ID, "grant_type=client_credentials&client_secret=x&client_id=" APP_ID,
		    900144, 400, "invalid_request" },
		{ ALPHA_ID, "", 900144, 400, "invalid_request" },
		{ ALPHA_ID, "grant_type=%zz", 900144, 400, "invalid_request" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct answer a;
		json_t *codes;

		ask_token(&a, k, rows[i].tenant, rows[i].form);
		codes = json_object_get(a.json, "error_codes");
		if (json_integer_value(json_array_get(codes, 0)) != rows[i].code)
			fail_msg("row %zu: %s", i, buf_str(&a.body));
		assert_int_equal(a.status, rows[i].status);
		assert_string_equal(answer_code(&a), rows[i].error);
		answer_done(&a);
	}
}

static void
error_body_has_entra_s_layout(void **state)
{
	const struct kit *k = *state;
	const char *text, *trace;
	char want[512], uri[128];
	struct answer a;

	call(&a, k,
	    &(struct request){ .path = "/alpha.example/oauth2/v2.0/token",
		.body = FORM(APP_ID, "wrong", INTUNE),
		.content_type = "application/x-www-form-urlencoded",
		.client_request_id = CORRELATION });
	assert_int_equal(json_object_size(a.json), 7);
	text = json_get_str(a.json, "error_description");
	trace = json_get_str(a.json, "trace_id");
	assert_true(guid_valid(trace));
	assert_string_equal(json_get_str(a.json, "correlation_id"), CORRELATION);
	assert_true(str_starts(text, "AADSTS7000215: Invalid client secret provided."));
	snprintf(want, sizeof(want), " Trace ID: %s Correlation ID: " CORRELATION " Timestamp: %s",
	    trace, json_get_str(a.json, "timestamp"));
	assert_string_equal(text + strlen(text) - strlen(want), want);
	snprintf(uri, sizeof(uri), "https://login.microsoftonline.com/error?code=7000215");
	assert_string_equal(json_get_str(a.json, "error_uri"), uri);
	/* "2023-05-06 06:03:00Z" */
	assert_int_equal(strlen(json_get_str(a.json, "timestamp")), 20);
	assert_int_equal(json_get_str(a.json, "timestamp")[10], ' ');
	assert_non_null(strstr(buf_str(&a.headers), CORRELATION));
	answer_done(&a);
}

static void
secret_never_stands_in_an_answer_or_the_request_log(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	ask_token(&a, k, ALPHA_ID, FORM(APP_ID, "hunter2hunter2", INTUNE));
	assert_null(strstr(buf_str(&a.body), "hunter2"));
	answer_done(&a);
	get(&a, k, "/sim/requests", NULL);
	assert_null(strstr(buf_str(&a.body), "hunter2"));
	assert_null(strstr(buf_str(&a.body), "alpha%2Bsecret"));
	assert_null(strstr(buf_str(&a.body), k->token));
	answer_done(&a);
}

static void
get_on_the_token_endpoint_is_AADSTS900561(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	get(&a, k, "/alpha.example/oauth2/v2.0/token", NULL);
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(buf_str(&a.body), "AADSTS900561"));
	answer_done(&a);
}

static void
body_that_is_no_form_has_no_parameters(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	post(&a, k, "/alpha.example/oauth2/v2.0/token", FORM(APP_ID, SECRET_ENC, INTUNE));
	assert_non_null(strstr(buf_str(&a.body), "AADSTS900144"));
	answer_done(&a);
}

/* ---- Graph ---- */

static void
discovery_points_back_here(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	const json_t *list, *entry;
	const char *uri = NULL;
	struct answer a;
	size_t i;

	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 200);
	list = json_object_get(a.json, "value");
	assert_true(json_array_size(list) >= 3);
	json_array_foreach(list, i, entry)
	{
		/* One that is no string would end discovery in Microsoft's Java library. */
		assert_non_null(json_get_str(entry, "providerName"));
		assert_non_null(json_get_str(entry, "uri"));
		if (strcmp(json_get_str(entry, "providerName"), "ScepRequestValidationFEService") ==
		    0)
			uri = json_get_str(entry, "uri");
	}
	assert_string_equal(uri,
	    "http://" HOST "/RACerts/ScepRequestValidationFEService/Gateway/"
	    "StatelessScepRequestValidationService");
	answer_done(&a);
	get(&a, k,
	    "/v1.0/servicePrincipals(appId='0000000A-0000-0000-C000-000000000000')/endpoints",
	    token);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	free(token);
}

static void
tenant_without_intune_lacks_the_service(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "beta.example", APP_ID, GRAPH);
	struct answer a;

	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 200);
	assert_true(json_array_size(json_object_get(a.json, "value")) > 0);
	assert_null(strstr(buf_str(&a.body), "ScepRequestValidationFEService"));
	answer_done(&a);
	free(token);
}

static void
unknown_service_principal_is_not_found(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	struct answer a;

	get(&a, k, "/v1.0/servicePrincipals/appId=" BETA_ID "/endpoints", token);
	assert_int_equal(a.status, 404);
	assert_string_equal(answer_code(&a), "Request_ResourceNotFound");
	answer_done(&a);
	free(token);
}

/* A token with one claim or letter that is not right. */
static char *
forged(const struct kit *k, const char *member, json_t *value)
{
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	json_t *claims = claims_of(k, token);
	struct buf out;
	struct err e;

	json_object_set_new(claims, member, value);
	buf_init(&out, JWT_MAX);
	assert_ok(jwt_sign(&out, k->view->tenants[0], claims, &e), e);
	free(token);
	token = strdup(buf_str(&out));
	buf_done(&out);
	json_decref(claims);
	return token;
}

static void
expect_graph(const struct kit *k, char *token, int status, const char *code, const char *message)
{
	const json_t *error;
	struct answer a;

	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, status);
	assert_string_equal(answer_code(&a), code);
	error = json_object_get(a.json, "error");
	if (strstr(json_get_str(error, "message"), message) == NULL)
		fail_msg("%s", json_get_str(error, "message"));
	assert_true(guid_valid(json_get_str(json_object_get(error, "innerError"), "request-id")));
	assert_int_equal(strstr(buf_str(&a.headers), "WWW-Authenticate") != NULL, status == 401);
	answer_done(&a);
	free(token);
}

static void
token_that_opens_nothing_is_told_why(void **state)
{
	const struct kit *k = *state;
	const int64_t now = clock_now();
	char *tampered = kit_token(k, "alpha.example", APP_ID, GRAPH);

	tampered[strlen(tampered) / 2] ^= 1;
	expect_graph(k, NULL, 401, "InvalidAuthenticationToken", "empty");
	expect_graph(k, strdup("rubbish"), 401, "InvalidAuthenticationToken", "validation failure");
	expect_graph(k, tampered, 401, "InvalidAuthenticationToken", "validation failure");
	expect_graph(k, strdup(k->token), 401, "InvalidAuthenticationToken", "audience");
	expect_graph(k, forged(k, "exp", json_integer(now - 301)), 401,
	    "InvalidAuthenticationToken", "expired");
	expect_graph(k, forged(k, "nbf", json_integer(now + 600)), 401,
	    "InvalidAuthenticationToken", "not yet valid");
	expect_graph(k, kit_token(k, "alpha.example", BARE_APP, GRAPH), 403,
	    "Authorization_RequestDenied", "Insufficient privileges");
}

static void
slow_clock_is_forgiven(void **state)
{
	const struct kit *k = *state;
	char *token = forged(k, "exp", json_integer(clock_now() - 200));
	struct answer a;

	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	free(token);
}

/* ---- the token door ---- */

static bool
verifies(const struct kit *k, const char *token, size_t len)
{
	/* Memory of exactly that size, so that reading on shows. */
	char *copy = malloc(len + (len == 0));
	const struct tenant *t;
	json_t *claims = NULL;
	enum rc rc;

	assert_non_null(copy);
	memcpy(copy, token, len);
	rc = jwt_verify(&claims, &t, k->view, copy, len, NULL);
	json_decref(claims);
	free(copy);
	return rc == RC_OK;
}

static void
cut_or_changed_token_never_verifies(void **state)
{
	const struct kit *k = *state;
	size_t len = strlen(k->token);
	char *token = strdup(k->token);

	assert_true(verifies(k, token, len));
	for (size_t i = 0; i < len; i++)
		assert_false(verifies(k, token, i));
	/* The last character's low bits are no part of the octets. */
	for (size_t i = 0; i + 1 < len; i++) {
		token[i] ^= (char)(1 << (i % 7));
		if (verifies(k, token, len))
			fail_msg("byte %zu changed", i);
		token[i] ^= (char)(1 << (i % 7));
	}
	free(token);
}

static void
token_without_signature_is_refused(void **state)
{
	const struct kit *k = *state;
	struct buf b;
	char *dot = strchr(k->token, '.'), *last = strrchr(k->token, '.');

	/* {"alg":"none"} in front of honest claims. */
	buf_init(&b, JWT_MAX);
	base64url_add(&b, (const uint8_t *)"{\"alg\":\"none\"}", 14);
	buf_add(&b, dot, (size_t)(last - dot) + 1);
	assert_false(verifies(k, (const char *)b.data, b.len));
	buf_done(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_body_is_entra_s),
		cmocka_unit_test(token_is_for_the_scope_s_resource),
		cmocka_unit_test(app_without_consent_gets_a_token_without_roles),
		cmocka_unit_test(refusals_have_their_number_name_and_status),
		cmocka_unit_test(error_body_has_entra_s_layout),
		cmocka_unit_test(secret_never_stands_in_an_answer_or_the_request_log),
		cmocka_unit_test(get_on_the_token_endpoint_is_AADSTS900561),
		cmocka_unit_test(body_that_is_no_form_has_no_parameters),
		cmocka_unit_test(discovery_points_back_here),
		cmocka_unit_test(tenant_without_intune_lacks_the_service),
		cmocka_unit_test(unknown_service_principal_is_not_found),
		cmocka_unit_test(token_that_opens_nothing_is_told_why),
		cmocka_unit_test(slow_clock_is_forgiven),
		cmocka_unit_test(cut_or_changed_token_never_verifies),
		cmocka_unit_test(token_without_signature_is_refused),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
