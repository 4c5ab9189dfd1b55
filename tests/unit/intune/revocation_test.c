/*
 * revocation_test.c - revocation requests come in whole or not at all, and results are only taken
 * when the service says so.
 */
#include "kit.h"

#include <jansson.h>

#include "base/text.h"
#include "intune/reply.h"
#include "intune/wire.h"

static enum intune_status
download(struct fixture *f, struct intune_revocation_list **out)
{
	return intune_download_revocation_requests(f->client, "tx-1", 10, NULL, out, &f->e);
}

static enum intune_status
upload(struct fixture *f)
{
	static const struct intune_revocation_result one = { "ctx", true, INTUNE_REVOCATION_NONE,
		NULL };

	return intune_upload_revocation_results(f->client, "tx-1", &one, 1, &f->e);
}

static void
the_list_is_what_the_service_sent(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;
	const struct intune_revocation_request *r;

	peer_answer(f->peer, ROUTE_DOWNLOAD, 200,
	    "{\"@odata.context\":\"x\",\"value\":["
	    "{\"requestContext\":\"c/1+=\",\"serialNumber\":\"0A\",\"issuerName\":\"CN=\xc3\xb6\","
	    "\"caConfiguration\":\"conf\"},"
	    "{\"requestContext\":\"c2\",\"serialNumber\":\"0B\",\"issuerName\":null},"
	    "{\"requestContext\":\"c3\",\"serialNumber\":\"0C\",\"issuerName\":7,"
	    "\"caConfiguration\":[]}]}");
	assert_int_equal(download(f, &l), INTUNE_OK);
	assert_int_equal(f->e.step, INTUNE_STEP_DOWNLOAD);
	assert_string_equal(f->e.message, "");
	assert_int_equal(intune_revocation_list_count(l), 3);
	r = intune_revocation_list_get(l, 0);
	assert_string_equal(r->request_context, "c/1+=");
	assert_string_equal(r->serial_number, "0A");
	assert_string_equal(r->issuer_name, "CN=\xc3\xb6");
	assert_string_equal(r->ca_configuration, "conf");
	r = intune_revocation_list_get(l, 1);
	assert_null(r->issuer_name);
	assert_null(r->ca_configuration);
	r = intune_revocation_list_get(l, 2);
	assert_string_equal(r->serial_number, "0C");
	assert_null(r->issuer_name);
	assert_null(r->ca_configuration);
	assert_null(intune_revocation_list_get(l, 3));
	intune_revocation_list_free(l);
}

static void
an_empty_list_is_a_list(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;

	assert_int_equal(download(f, &l), INTUNE_OK);
	assert_int_equal(intune_revocation_list_count(l), 0);
	assert_null(intune_revocation_list_get(l, 0));
	assert_int_equal(f->e.http_status, 200);
	intune_revocation_list_free(l);
	intune_revocation_list_free(NULL);
	assert_int_equal(intune_revocation_list_count(NULL), 0);
	assert_null(intune_revocation_list_get(NULL, 0));
}

static void
odd_entries_are_passed_over_and_told(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;

	peer_answer(f->peer, ROUTE_DOWNLOAD, 200,
	    "{\"value\":[null,5,[],{},{\"requestContext\":\"c\"},{\"serialNumber\":\"01\"},"
	    "{\"requestContext\":\"\",\"serialNumber\":\"01\"},"
	    "{\"requestContext\":\"c\",\"serialNumber\":\"\"},"
	    "{\"requestContext\":1,\"serialNumber\":\"01\"},"
	    "{\"requestContext\":\"good\",\"serialNumber\":\"02\"}]}");
	assert_int_equal(download(f, &l), INTUNE_OK);
	assert_int_equal(intune_revocation_list_count(l), 1);
	assert_string_equal(intune_revocation_list_get(l, 0)->request_context, "good");
	assert_non_null(strstr(f->e.message, "9 of 10 entries"));
	assert_non_null(strstr(f->e.hint, f->e.activity_id));
	assert_int_equal(f->e.status, INTUNE_OK);
	intune_revocation_list_free(l);
}

static void
more_than_the_bound_is_cut_and_told(void **state)
{
	struct intune_revocation_list *l;
	struct buf body;
	size_t i;

	buf_init(&body, 1u << 20);
	buf_adds(&body, "{\"value\":[");
	for (i = 0; i < INTUNE_REVOCATION_MAX + 7; i++)
		buf_addf(&body, "%s{\"requestContext\":\"%zu\",\"serialNumber\":\"01\"}",
		    i > 0 ? "," : "", i);
	buf_adds(&body, "]}");
	assert_int_equal(reply_revocation_list(&l, body.data, body.len, NULL), RC_OK);
	assert_int_equal(intune_revocation_list_count(l), INTUNE_REVOCATION_MAX);
	assert_int_equal(l->skipped, 7);
	assert_string_equal(
	    intune_revocation_list_get(l, INTUNE_REVOCATION_MAX - 1)->request_context, "499");
	intune_revocation_list_free(l);
	buf_done(&body);
}

/* What is handed to the caller must be what the upload takes back. */
static void
a_context_too_long_to_send_back_is_passed_over(void **state)
{
	struct intune_revocation_list *l;
	struct buf body;
	size_t i, over;

	for (over = 0; over < 2; over++) {
		buf_init(&body, 1u << 20);
		buf_adds(&body, "{\"value\":[{\"serialNumber\":\"01\",\"requestContext\":\"");
		for (i = 0; i < CONTEXT_MAX + over; i++)
			buf_addc(&body, 'a');
		buf_adds(&body, "\"}]}");
		assert_int_equal(reply_revocation_list(&l, body.data, body.len, NULL), RC_OK);
		assert_int_equal(intune_revocation_list_count(l), 1 - over);
		intune_revocation_list_free(l);
		buf_done(&body);
	}
}

struct answer_row {
	int status;
	const char *body;
	enum intune_status want;
};

static void
only_a_list_is_a_list(void **state)
{
	static const struct answer_row rows[] = {
		{ 200, "", INTUNE_E_PROTOCOL },
		{ 200, "<html>", INTUNE_E_PROTOCOL },
		{ 200, "[]", INTUNE_E_PROTOCOL },
		{ 200, "{}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":null}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":{}}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":[]", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":[],\"value\":[]}", INTUNE_E_PROTOCOL },
		{ 204, "", INTUNE_E_PROTOCOL },
		{ 302, "", INTUNE_E_PROTOCOL },
		{ 400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"m\"}}",
		    INTUNE_E_REFUSED },
		{ 403, "", INTUNE_E_PERMISSION },
		{ 500, "{\"value\":[]}", INTUNE_E_UNAVAILABLE },
		{ 503, "", INTUNE_E_UNAVAILABLE },
	};
	struct intune_revocation_list *const untouched =
	    (struct intune_revocation_list *)(void *)state;
	struct fixture *f = *state;
	struct intune_revocation_list *l = untouched;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct play play = { .status = rows[i].status, .body = rows[i].body };

		peer_always(f->peer, ROUTE_DOWNLOAD, &play);
		if (download(f, &l) != rows[i].want)
			give_up(
			    "row %zu: %s (%s)\n", i, intune_status_name(f->e.status), f->e.message);
		assert_ptr_equal(l, untouched);
		assert_int_equal(f->e.step, INTUNE_STEP_DOWNLOAD);
		assert_int_equal(f->e.http_status, rows[i].status);
	}
}

static void
only_true_means_that_results_were_taken(void **state)
{
	static const struct answer_row rows[] = {
		{ 200, "{\"@odata.context\":\"x\",\"value\":true}", INTUNE_OK },
		{ 200, "{\"value\":\"true\"}", INTUNE_OK },
		{ 200, "{\"value\":\"True\"}", INTUNE_OK },
		{ 200, "{\"value\":false}", INTUNE_E_REFUSED },
		{ 200, "{\"value\":\"False\"}", INTUNE_E_REFUSED },
		{ 200, "{\"value\":1}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":\"true \"}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":null}", INTUNE_E_PROTOCOL },
		{ 200, "{\"value\":[true]}", INTUNE_E_PROTOCOL },
		{ 200, "true", INTUNE_E_PROTOCOL },
		{ 200, "{}", INTUNE_E_PROTOCOL },
		{ 200, "", INTUNE_E_PROTOCOL },
		{ 401, "", INTUNE_E_PERMISSION },
		{ 500, "{\"value\":true}", INTUNE_E_UNAVAILABLE },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct play play = { .status = rows[i].status, .body = rows[i].body };

		peer_always(f->peer, ROUTE_UPLOAD, &play);
		if (upload(f) != rows[i].want)
			give_up(
			    "row %zu: %s (%s)\n", i, intune_status_name(f->e.status), f->e.message);
		assert_int_equal(f->e.step, INTUNE_STEP_UPLOAD);
		assert_int_equal(f->e.http_status, rows[i].status);
	}
}

static void
a_download_is_asked_for_again_where_the_service_is_now(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;

	peer_answer(f->peer, ROUTE_DOWNLOAD, 500, "");
	assert_int_equal(download(f, &l), INTUNE_OK);
	intune_revocation_list_free(l);
	assert_int_equal(peer_count(f->peer, ROUTE_DOWNLOAD), 2);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
}

static void
an_upload_that_may_have_arrived_is_not_repeated(void **state)
{
	struct fixture *f = *state;

	peer_answer(f->peer, ROUTE_UPLOAD, 500, "");
	assert_int_equal(upload(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(peer_count(f->peer, ROUTE_UPLOAD), 1);
	assert_int_equal(upload(f), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
}

static void
a_tenant_without_the_revocation_service_still_validates(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;
	char body[300];

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"%s/svc/"
	    "Stateless\"}]}",
	    peer_url(f->peer));
	peer_answer(f->peer, ROUTE_LIST, 200, body);
	assert_int_equal(validate(f), INTUNE_OK);
	assert_int_equal(download(f, &l), INTUNE_E_DISCOVERY);
	assert_int_equal(f->e.step, INTUNE_STEP_DISCOVERY);
	assert_non_null(strstr(f->e.message, "PkiConnectorFEService is not among the 1"));
	assert_non_null(strstr(f->e.message, "ScepRequestValidationFEService"));
	assert_int_equal(peer_count(f->peer, ROUTE_DOWNLOAD), 0);
	/* the list is read again, and now it is there */
	assert_int_equal(download(f, &l), INTUNE_OK);
	intune_revocation_list_free(l);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
}

static void
a_list_that_stays_without_it_is_not_read_at_every_call(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;
	char body[300];
	int i;

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"%s/svc/"
	    "Stateless\"}]}",
	    peer_url(f->peer));
	const struct play play = { .status = 200, .body = body };

	peer_always(f->peer, ROUTE_LIST, &play);
	for (i = 0; i < 20; i++) {
		assert_int_equal(download(f, &l), INTUNE_E_DISCOVERY);
		assert_int_equal(validate(f), INTUNE_OK);
	}
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
}

static void
a_service_is_found_although_a_later_page_fails(void **state)
{
	struct fixture *f = *state;
	char body[400];

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"%s/svc/"
	    "Stateless\"}],\"@odata.nextLink\":\"http://127.0.0.2:80/endpoints\"}",
	    peer_url(f->peer));
	peer_answer(f->peer, ROUTE_LIST, 200, body);
	assert_int_equal(validate(f), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 1);
}

static void
arguments_of_the_download_are_checked(void **state)
{
	struct fixture *f = *state;
	struct intune_revocation_list *l;
	char issuer[2000];
	size_t i;

	memset(issuer, 'x', sizeof(issuer) - 1);
	issuer[sizeof(issuer) - 1] = '\0';
	const struct {
		struct intune_client *client;
		const char *tx;
		unsigned max;
		const char *issuer;
		struct intune_revocation_list **out;
		const char *says;
	} rows[] = {
		{ NULL, "t", 1, NULL, &l, "client" },
		{ f->client, NULL, 1, NULL, &l, "transactionId is missing" },
		{ f->client, "", 1, NULL, &l, "transactionId is missing" },
		{ f->client, "\xff", 1, NULL, &l, "transactionId is not UTF-8" },
		{ f->client, "t", 0, NULL, &l, "maxCARequestsToDownload" },
		{ f->client, "t", 501, NULL, &l, "maxCARequestsToDownload" },
		{ f->client, "t", 1, NULL, NULL, "out is missing" },
		{ f->client, "t", 1, issuer, &l, "issuerName is too long" },
		{ f->client, "t", 1, "\xff", &l, "issuerName is not UTF-8" },
	};

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(intune_download_revocation_requests(rows[i].client, rows[i].tx,
				     rows[i].max, rows[i].issuer, rows[i].out, &f->e),
		    INTUNE_E_ARGUMENT);
		assert_int_equal(f->e.step, INTUNE_STEP_DOWNLOAD);
		assert_non_null(strstr(f->e.message, rows[i].says));
	}
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
}

static void
arguments_of_the_upload_are_checked(void **state)
{
	static char context[CONTEXT_MAX + 2], text[2000];
	struct fixture *f = *state;
	size_t i;

	memset(context, 'c', sizeof(context) - 1);
	memset(text, 'x', sizeof(text) - 1);
	const struct {
		struct intune_revocation_result r;
		const char *says;
	} rows[] = {
		{ { NULL, true, INTUNE_REVOCATION_NONE, NULL },
		    "results[1].requestContext is missing" },
		{ { "", true, INTUNE_REVOCATION_NONE, NULL },
		    "results[1].requestContext is missing" },
		{ { context, true, INTUNE_REVOCATION_NONE, NULL },
		    "results[1].requestContext is too long" },
		{ { "\xff", true, INTUNE_REVOCATION_NONE, NULL },
		    "results[1].requestContext is not UTF-8" },
		{ { "c", true, INTUNE_REVOCATION_CONFLICT, NULL }, "errorCode must be None" },
		{ { "c", false, INTUNE_REVOCATION_NONE, NULL }, "errorCode must not be None" },
		{ { "c", false, (enum intune_revocation_code)4008, NULL },
		    "errorCode is not one of Microsoft's" },
		{ { "c", true, INTUNE_REVOCATION_NONE, "but" }, "errorMessage must be empty" },
		{ { "c", false, INTUNE_REVOCATION_CONFLICT, text }, "errorMessage is too long" },
		{ { "c", false, INTUNE_REVOCATION_CONFLICT, "\xff" }, "errorMessage is not UTF-8" },
	};
	struct intune_revocation_result two[2] = { { "c", true, INTUNE_REVOCATION_NONE, "" } };

	for (i = 0; i < COUNT(rows); i++) {
		two[1] = rows[i].r;
		assert_int_equal(intune_upload_revocation_results(f->client, "t", two, 2, &f->e),
		    INTUNE_E_ARGUMENT);
		assert_int_equal(f->e.step, INTUNE_STEP_UPLOAD);
		if (strstr(f->e.message, rows[i].says) == NULL)
			give_up("row %zu: %s\n", i, f->e.message);
	}
	assert_int_equal(
	    intune_upload_revocation_results(f->client, "t", NULL, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_upload_revocation_results(f->client, "t", two, 0, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_upload_revocation_results(f->client, "t", two, 501, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_upload_revocation_results(f->client, "", two, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(
	    intune_upload_revocation_results(NULL, "t", two, 1, &f->e), INTUNE_E_ARGUMENT);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
}

static void
a_whole_download_can_be_answered_in_one_upload(void **state)
{
	static struct intune_revocation_result results[INTUNE_REVOCATION_MAX];
	struct fixture *f = *state;
	json_t *body;
	size_t i;

	for (i = 0; i < COUNT(results); i++)
		results[i] = (struct intune_revocation_result){ "c", false,
			INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND, "there is none" };
	assert_int_equal(
	    intune_upload_revocation_results(f->client, "t", results, COUNT(results), &f->e),
	    INTUNE_OK);
	body = json_loads(raw_body(peer_recorded(f->peer, ROUTE_UPLOAD, 0)), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(body, "results")), COUNT(results));
	json_decref(body);
}

static void
codes_have_microsofts_names(void **state)
{
	assert_string_equal(intune_revocation_code_name(INTUNE_REVOCATION_NONE), "None");
	assert_string_equal(intune_revocation_code_name(INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND),
	    "CertificateNotFoundError");
	assert_string_equal(intune_revocation_code_name(INTUNE_REVOCATION_AUTHENTICATION),
	    "AuthenticationException");
	assert_string_equal(
	    intune_revocation_code_name((enum intune_revocation_code)5000), "Unknown");
}

/* Every prefix and every flipped bit: nothing crashes, and no shorter text is a list or a "true".
 */
static void
the_doors_survive_prefixes_and_flipped_bits(void **state)
{
#define LIST                                                                                       \
	"{\"value\":[{\"requestContext\":\"c\xc3\xb6\",\"serialNumber\":\"01\",\"issuerName\":"    \
	"null},{\"requestContext\":\"d\",\"serialNumber\":\"02\"}]}"
	static const char *const bodies[] = {
		LIST,
		"{\"value\":true}",
		"{\"value\":\"true\"}",
	};
	struct intune_revocation_list *l;
	size_t i, k, n, len;
	bool taken;
	char *copy;
	enum rc rc;

	for (i = 0; i < COUNT(bodies); i++) {
		len = strlen(bodies[i]);
		for (k = 0; k < len * 9; k++) {
			n = k < len * 8 ? len : k - len * 8;
			copy = malloc(n + 1);
			memcpy(copy, bodies[i], n);
			if (k < len * 8)
				copy[k / 8] = (char)(copy[k / 8] ^ (1u << (k % 8)));
			if ((rc = reply_revocation_list(&l, copy, n, NULL)) == RC_OK) {
				assert_in_range(l->n + l->skipped, 0, 2);
				intune_revocation_list_free(l);
			}
			if (n < len)
				assert_int_not_equal(rc, RC_OK);
			rc = reply_upload(&taken, copy, n, NULL);
			if (n < len)
				assert_int_not_equal(rc, RC_OK);
			free(copy);
		}
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(the_list_is_what_the_service_sent),
		T(an_empty_list_is_a_list),
		T(odd_entries_are_passed_over_and_told),
		cmocka_unit_test(more_than_the_bound_is_cut_and_told),
		cmocka_unit_test(a_context_too_long_to_send_back_is_passed_over),
		T(only_a_list_is_a_list),
		T(only_true_means_that_results_were_taken),
		T(a_download_is_asked_for_again_where_the_service_is_now),
		T(an_upload_that_may_have_arrived_is_not_repeated),
		T(a_tenant_without_the_revocation_service_still_validates),
		T(a_list_that_stays_without_it_is_not_read_at_every_call),
		T(a_service_is_found_although_a_later_page_fails),
		T(arguments_of_the_download_are_checked),
		T(arguments_of_the_upload_are_checked),
		T(a_whole_download_can_be_answered_in_one_upload),
		cmocka_unit_test(codes_have_microsofts_names),
		cmocka_unit_test(the_doors_survive_prefixes_and_flipped_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
