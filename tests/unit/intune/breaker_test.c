/*
 * breaker_test.c - the circuit breakers of a client (base/breaker.h).
 */
#include "intune/client.h"
#include "kit.h"

static const struct play busy = { 503, "Retry-After: 60\r\n", "", 0, 0 };

static void
an_outage_of_intune_s_is_not_asked_about_again(void **state)
{
	struct fixture *f = *state;
	struct intune_service_state seen;
	unsigned i;

	peer_always(f->peer, ROUTE_ACTION, &busy);
	for (i = 0; i < BREAKER_ROW; i++)
		assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
	assert_int_equal(seen.circuit, INTUNE_CIRCUIT_OPEN);
	assert_int_equal(seen.failures, BREAKER_ROW);
	peer_forget(f->peer);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(notify_success(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 0);
	assert_int_equal(f->e.http_status, 0);
	assert_int_equal(f->e.step, INTUNE_STEP_SUCCESS);
	assert_in_range(f->e.retry_after, 1, 60);
	assert_non_null(strstr(f->e.message, "HTTP 503"));
	assert_non_null(strstr(f->e.hint, "asked again by itself"));
	intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
	assert_true(seen.refused >= 2);
	/* The other services are not concerned. */
	assert_int_equal(intune_check(f->client, &f->e), INTUNE_OK);
}

static void
when_the_hold_has_passed_an_answer_closes_it(void **state)
{
	struct fixture *f = *state;
	struct intune_service_state seen;
	unsigned i;

	assert_int_equal(validate(f), INTUNE_OK);
	for (i = 0; i < BREAKER_ROW; i++) {
		peer_play(f->peer, ROUTE_ACTION, &busy);
		assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	}
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	f->client->breakers[INTUNE_SERVICE_SCEP].until = 0;
	intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
	assert_int_equal(seen.circuit, INTUNE_CIRCUIT_HALF_OPEN);
	assert_int_equal(validate(f), INTUNE_OK);
	intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
	assert_int_equal(seen.circuit, INTUNE_CIRCUIT_CLOSED);
	assert_int_equal(seen.opened, 1);
}

/* A device that sends a request which the service chokes on must not shut out the others. */
static void
answers_about_one_request_are_no_outage(void **state)
{
	static const struct play plays[] = {
		{ 500, NULL, "{\"error\":{\"code\":\"InternalError\",\"message\":\"x\"}}", 0, 0 },
		{ 400, NULL, "", 0, 0 },
		{ 403, NULL, "", 0, 0 },
		{ 404, NULL, "", 0, 0 },
		{ 200, NULL, "{\"code\":\"ChallengeExpired\",\"errorDescription\":\"\"}", 0, 0 },
		{ 200, NULL, "<html>", 0, 0 },
	};
	struct fixture *f = *state;
	struct intune_service_state seen;
	unsigned i, k;

	for (i = 0; i < COUNT(plays); i++) {
		peer_always(f->peer, ROUTE_ACTION, &plays[i]);
		for (k = 0; k < 2 * BREAKER_ROW; k++)
			assert_int_not_equal(validate(f), INTUNE_OK);
		intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
		assert_int_equal(seen.circuit, INTUNE_CIRCUIT_CLOSED);
		assert_int_equal(seen.refused, 0);
	}
	for (k = 0; k < 2 * BREAKER_ROW; k++)
		assert_int_equal(
		    intune_validate_request(f->client, "", csr, CSR_LEN, &f->e), INTUNE_E_ARGUMENT);
	intune_client_service(f->client, INTUNE_SERVICE_SCEP, &seen);
	assert_int_equal(seen.failures, 0);
}

static void
a_broken_connection_is_tried_once_more_where_that_is_safe(void **state)
{
	const struct play cut = { .status = 0 };
	struct fixture *f = *state;

	peer_play(f->peer, ROUTE_LIST, &cut);
	peer_play(f->peer, ROUTE_TOKEN, &cut);
	assert_int_equal(validate(f), INTUNE_OK);
	peer_forget(f->peer);
	peer_always(f->peer, ROUTE_ACTION, &cut);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_in_range(peer_count(f->peer, ROUTE_ACTION), 2, 4); /* libcurl's own, on kept ones */
	assert_non_null(strstr(f->e.message, "127.0.0.1"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(an_outage_of_intune_s_is_not_asked_about_again),
		T(when_the_hold_has_passed_an_answer_closes_it),
		T(answers_about_one_request_are_no_outage),
		T(a_broken_connection_is_tried_once_more_where_that_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
