/*
 * revocation_api_test.c - PkiConnectorFEService, with what is odd about the real one.
 */
#include <stdlib.h>
#include <string.h>

#include "intunesim/revocations.h"
#include "intunesim/services.h"
#include "kit.h"

#define DOWNLOAD REVOCATION_SERVICE_PATH "/CertificateAuthorityRequests/downloadRevocationRequests"
#define UPLOAD   REVOCATION_SERVICE_PATH "/CertificateAuthorityRequests/uploadRevocationResults"
#define VERSION  "5019-05-05"

static void
ask(struct answer *a, const struct kit *k, const char *path, const char *body)
{
	call(a, k,
	    &(struct request){
		.path = path, .body = body, .token = k->token, .api_version = VERSION });
}

/* The array of a download; json_decref(). */
static json_t *
download(const struct kit *k, const char *parameters)
{
	struct answer a;
	char body[256];
	json_t *list;

	snprintf(body, sizeof(body), "{\"downloadParameters\":%s}", parameters);
	ask(&a, k, DOWNLOAD, body);
	if (a.status != 200)
		fail_msg("%s: %d %s", parameters, a.status, buf_str(&a.body));
	assert_string_equal(json_get_str(a.json, "@odata.context"),
	    "https://manage.microsoft.com/RACerts/StatelessPkiConnectorService/"
	    "$metadata#Collection(microsoft.management.services.api.caRevocationRequest)");
	list = json_incref(json_object_get(a.json, "value"));
	assert_true(json_is_array(list));
	answer_done(&a);
	return list;
}

static size_t
waiting(const struct kit *k)
{
	json_t *list = download(k, "{\"maxRequests\":500,\"issuerName\":null}");
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

static void
queue(const struct kit *k, const char *tenant, const char *serial, const char *configuration)
{
	struct certificate c = { .issued = 1 };

	snprintf(c.of.tenant_id, sizeof(c.of.tenant_id), "%s", tenant);
	snprintf(c.serial, sizeof(c.serial), "%s", serial);
	snprintf(c.thumbprint, sizeof(c.thumbprint), "AA%s", serial);
	snprintf(c.issuer, sizeof(c.issuer), "CN=Alpha Issuing CA");
	snprintf(c.ca_configuration, sizeof(c.ca_configuration), "%s", configuration);
	revocations_add(k->sim->revocations, &c, CAUSE_WIPE);
}

/* What an upload of one result answers: 1 true, 0 false, or the HTTP status. */
static int
upload(const struct kit *k, const char *result)
{
	struct answer a;
	char body[1024];
	int said;

	snprintf(body, sizeof(body), "{\"results\":[%s]}", result);
	ask(&a, k, UPLOAD, body);
	said = a.status == 200 ? json_is_true(json_object_get(a.json, "value")) : a.status;
	answer_done(&a);
	return said;
}

/* The newest request's context; free() it. */
static char *
context_of(const struct kit *k, const char *serial)
{
	json_t *list = download(k, "{\"maxRequests\":500,\"issuerName\":null}"), *o;
	char *context = NULL;
	size_t i;

	json_array_foreach(list, i, o)
	{
		if (strcmp(json_get_str(o, "serialNumber"), serial) == 0)
			context = strdup(json_get_str(o, "requestContext"));
	}
	json_decref(list);
	assert_non_null(context);
	return context;
}

static void
requests_repeat_until_a_result_comes(void **state)
{
	const struct kit *k = *state;
	char result[256], *context;

	assert_int_equal(waiting(k), 0);
	queue(k, ALPHA_ID, "0A01", "");
	queue(k, BETA_ID, "0B01", ""); /* another tenant's is not ours to see */
	assert_int_equal(waiting(k), 1);
	assert_int_equal(waiting(k), 1);
	context = context_of(k, "0A01");
	snprintf(result, sizeof(result),
	    "{\"requestContext\":\"%s\",\"succeeded\":true,\"errorCode\":\"None\"}", context);
	assert_int_equal(upload(k, result), 1);
	assert_int_equal(waiting(k), 0);
	free(context);
}

static void
the_filter_looks_at_ca_configuration_after_the_cut(void **state)
{
	const struct kit *k = *state;
	json_t *list;

	queue(k, ALPHA_ID, "01", "wifi");
	queue(k, ALPHA_ID, "02", "vpn");
	list = download(k, "{\"maxRequests\":500,\"issuerName\":\"vpn\"}");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_get_str(json_array_get(list, 0), "caConfiguration"), "vpn");
	json_decref(list);
	/* an issuer's name matches nothing */
	list = download(k, "{\"maxRequests\":500,\"issuerName\":\"CN=Alpha Issuing CA\"}");
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	/* cut first: an empty list does not prove that nothing waits */
	list = download(k, "{\"maxRequests\":1,\"issuerName\":\"vpn\"}");
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(waiting(k), 2);
}

static void
bad_requests_are_refused(void **state)
{
	static const char *const bodies[] = { "", "[]", "{}", "{\"downloadParameters\":{}}",
		"{\"downloadParameters\":{\"maxRequests\":0}}",
		"{\"downloadParameters\":{\"maxRequests\":501}}",
		"{\"downloadParameters\":{\"maxRequests\":-1}}",
		"{\"downloadParameters\":{\"maxRequests\":true}}" };
	const struct kit *k = *state;
	struct answer a;

	for (size_t i = 0; i < N(bodies); i++) {
		ask(&a, k, DOWNLOAD, bodies[i]);
		assert_int_equal(a.status, 400);
		answer_done(&a);
	}
	call(&a, k, &(struct request){ .path = DOWNLOAD, .token = k->token });
	assert_int_equal(a.status, 400); /* the SCEP service's version */
	answer_done(&a);
	call(&a, k, &(struct request){ .path = DOWNLOAD, .api_version = VERSION });
	assert_int_equal(a.status, 401);
	answer_done(&a);
}

static void
an_error_code_comes_in_three_forms(void **state)
{
	static const struct {
		const char *result; /* behind the context */
		int said;
		size_t left; /* waiting afterwards */
	} rows[] = {
		{ "\"succeeded\":false,\"errorCode\":\"CertificateNotFoundError\"", 1, 0 },
		{ "\"succeeded\":false,\"errorCode\":\"4004\"", 1, 0 },
		{ "\"succeeded\":false,\"errorCode\":4004,\"errorMessage\":null", 1, 0 },
		{ "\"succeeded\":false,\"errorCode\":\"ConflictError\"", 1, 0 },
		{ "\"succeeded\":true,\"errorCode\":\"0\"", 1, 0 },
		{ "\"succeeded\":true", 1, 0 },
		/* the C# library lets these through */
		{ "\"succeeded\":false,\"errorCode\":\"None\"", 1, 0 },
		{ "\"Succeeded\":true,\"ErrorCode\":\"None\",\"ErrorMessage\":null", 1, 0 },
		/* try again */
		{ "\"succeeded\":false,\"errorCode\":\"ServiceUnavailableException\"", 1, 1 },
		{ "\"succeeded\":false,\"errorCode\":\"4100\",\"errorMessage\":\"busy\"", 1, 1 },
		{ "\"succeeded\":false,\"errorCode\":4103", 1, 1 },
		/* no result at all */
		{ "\"succeeded\":\"true\"", 400, 1 },
		{ "\"succeeded\":false,\"errorCode\":\"Nonsense\"", 400, 1 },
		{ "\"succeeded\":false,\"errorCode\":9999", 400, 1 },
		{ "\"succeeded\":true,\"errorCode\":\"ConflictError\"", 400, 1 },
		{ "\"errorCode\":\"None\"", 400, 1 },
	};
	const struct kit *k = *state;
	char serial[16], result[512], *context, done[256];

	for (size_t i = 0; i < N(rows); i++) {
		snprintf(serial, sizeof(serial), "C%02zu", i);
		queue(k, ALPHA_ID, serial, "");
		context = context_of(k, serial);
		snprintf(result, sizeof(result), "{\"%s\":\"%s\",%s}",
		    strstr(rows[i].result, "Succeeded") != NULL ? "RequestContext"
								: "requestContext",
		    context, rows[i].result);
		if (upload(k, result) != rows[i].said || waiting(k) != rows[i].left)
			fail_msg("row %zu: %s", i, rows[i].result);
		snprintf(
		    done, sizeof(done), "{\"requestContext\":\"%s\",\"succeeded\":true}", context);
		assert_int_equal(upload(k, done), 1);
		assert_int_equal(waiting(k), 0);
		free(context);
	}
}

static void
an_unknown_context_says_false_and_spoils_nothing(void **state)
{
	const struct kit *k = *state;
	char two[512], *context;

	queue(k, ALPHA_ID, "D1", "");
	context = context_of(k, "D1");
	snprintf(two, sizeof(two),
	    "{\"requestContext\":\"nobody\",\"succeeded\":true},"
	    "{\"requestContext\":\"%s\",\"succeeded\":true}",
	    context);
	assert_int_equal(upload(k, two), 0);
	assert_int_equal(waiting(k), 0);
	free(context);
	assert_int_equal(upload(k, ""), 400);
}

static void
another_tenants_result_is_unknown(void **state)
{
	const struct kit *k = *state;
	struct revocation row;
	char result[256];

	queue(k, BETA_ID, "E1", "");
	assert_int_equal(revocations_take(k->sim->revocations, BETA_ID, &row, 1), 1);
	snprintf(
	    result, sizeof(result), "{\"requestContext\":\"%s\",\"succeeded\":true}", row.context);
	assert_int_equal(upload(k, result), 0);
	assert_int_equal(revocations_take(k->sim->revocations, BETA_ID, &row, 1), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    requests_repeat_until_a_result_comes, kit_new, kit_free),
		cmocka_unit_test_setup_teardown(
		    the_filter_looks_at_ca_configuration_after_the_cut, kit_new, kit_free),
		cmocka_unit_test_setup_teardown(bad_requests_are_refused, kit_new, kit_free),
		cmocka_unit_test_setup_teardown(
		    an_error_code_comes_in_three_forms, kit_new, kit_free),
		cmocka_unit_test_setup_teardown(
		    an_unknown_context_says_false_and_spoils_nothing, kit_new, kit_free),
		cmocka_unit_test_setup_teardown(
		    another_tenants_result_is_unknown, kit_new, kit_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
