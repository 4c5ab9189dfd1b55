/*
 * share_test.c - many threads on one client: one fetch for all, early refresh, shared bad news.
 */
#include "crowd.h"
#include "kit.h"

#include <time.h>

#define THREADS 32

static void
sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void
a_crowd_makes_one_discovery_and_one_token_for_each_scope(void **state)
{
	struct peer *p = peer_start();
	struct crowd c = { .threads = THREADS, .client = peer_client(p), .rounds = 3 };

	crowd_run(&c);
	assert_int_equal(c.by_status[INTUNE_OK], THREADS * 3);
	assert_int_equal(peer_count_scope(p, "manage.microsoft"), 1);
	assert_int_equal(peer_count(p, ROUTE_TOKEN), 2);
	assert_int_equal(peer_count(p, ROUTE_LIST), 1);
	assert_int_equal(peer_count(p, ROUTE_ACTION), THREADS * 3);
	intune_client_free(c.client);
	peer_stop(p);
}

static void
a_crowd_with_a_rejected_token_fetches_one_new_one(void **state)
{
	struct peer *p = peer_start();
	struct crowd c = { .threads = THREADS, .client = peer_client(p), .rounds = 1 };
	size_t i;

	assert_int_equal(intune_check(c.client, NULL), INTUNE_OK);
	peer_forget(p);
	for (i = 0; i < 8; i++)
		peer_answer(p, ROUTE_ACTION, 401, "");
	crowd_run(&c);
	/* Calls that got their 401 late, with the new token, may have asked for a third. */
	assert_int_equal(c.by_status[INTUNE_OK] + c.by_status[INTUNE_E_PERMISSION], THREADS);
	assert_true(c.by_status[INTUNE_OK] >= THREADS - 4);
	assert_in_range(peer_count(p, ROUTE_TOKEN), 1, 4);
	intune_client_free(c.client);
	peer_stop(p);
}

static void
a_crowd_shares_a_refusal_of_entra_s(void **state)
{
	const struct play no = { 401, NULL,
		"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: expired\","
		"\"error_codes\":[7000222]}",
		0, 2000 };
	struct peer *p = peer_start();
	struct crowd c = { .threads = THREADS, .client = peer_client(p), .rounds = 1 };

	peer_always(p, ROUTE_TOKEN, &no);
	crowd_run(&c);
	assert_int_equal(c.by_status[INTUNE_E_AUTH], THREADS);
	assert_in_range(peer_count(p, ROUTE_TOKEN), 1, 3);
	intune_client_free(c.client);
	peer_stop(p);
}

static void
a_failed_refresh_does_no_harm_while_the_token_lasts(void **state)
{
	const struct play down = { .status = 500, .body = "" };
	struct peer *p = peer_start();
	struct intune_client *cl = peer_client(p);
	struct intune_error e;

	/* Long enough that a machine on which this waits for a second still asks within its last quarter. */
	peer_token_life(p, 6);
	assert_int_equal(intune_validate_request(cl, "t", csr, CSR_LEN, &e), INTUNE_OK);
	peer_always(p, ROUTE_TOKEN, &down);
	sleep_ms(4600);
	assert_int_equal(intune_validate_request(cl, "t", csr, CSR_LEN, &e), INTUNE_OK);
	assert_int_equal(e.status, INTUNE_OK);
	assert_string_equal(e.message, "");
	assert_int_equal(peer_count_scope(p, "manage.microsoft"), 3); /* the refresh tried twice */
	sleep_ms(1500);
	assert_int_equal(intune_validate_request(cl, "t", csr, CSR_LEN, &e), INTUNE_E_UNAVAILABLE);
	assert_int_equal(e.step, INTUNE_STEP_TOKEN);
	intune_client_free(cl);
	peer_stop(p);
}

static void
one_refreshes_before_the_token_s_end_while_others_go_on(void **state)
{
	struct peer *p = peer_start();
	const struct play slow = { 200, NULL,
		"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"new\"}", 0,
		150 };
	struct crowd c = { .threads = THREADS, .client = peer_client(p), .rounds = 1 };

	peer_token_life(p, 2);
	assert_int_equal(intune_check(c.client, NULL), INTUNE_OK);
	peer_forget(p);
	peer_always(p, ROUTE_TOKEN, &slow);
	sleep_ms(1550); /* three quarters of the life: still good, better replaced */
	crowd_run(&c);
	assert_int_equal(c.by_status[INTUNE_OK], THREADS);
	assert_int_equal(peer_count_scope(p, "manage.microsoft"), 1);
	intune_client_free(c.client);
	peer_stop(p);
}

static void
waiting_for_another_thread_s_fetch_ends_with_the_time_limit(void **state)
{
	const struct play slow = { 200, NULL, "{}", 0, 60000 };
	struct peer *p = peer_start();
	struct crowd c = { .threads = THREADS, .rounds = 1 };
	struct intune_config conf;
	struct timespec a, b;

	peer_config(p, &conf);
	conf.total_ms = 200;
	assert_int_equal(intune_client_new(&c.client, &conf, NULL), INTUNE_OK);
	peer_always(p, ROUTE_TOKEN, &slow);
	clock_gettime(CLOCK_MONOTONIC, &a);
	crowd_run(&c);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(c.by_status[INTUNE_E_UNAVAILABLE], THREADS);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 30000);
	intune_client_free(c.client);
	peer_stop(p);
}

static void
a_crowd_whose_service_moved_asks_graph_once(void **state)
{
	struct peer *p = peer_start();
	struct crowd c = { .threads = THREADS, .client = peer_client(p), .rounds = 1 };
	char body[300];

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"http://"
	    "127.0.0.1:%u/gone\"}]}",
	    port_closed());
	peer_answer(p, ROUTE_LIST, 200, body);
	assert_int_equal(intune_check(c.client, NULL), INTUNE_OK);
	peer_forget(p);
	crowd_run(&c);
	assert_int_equal(c.by_status[INTUNE_OK], THREADS);
	assert_int_equal(peer_count(p, ROUTE_LIST), 1);
	intune_client_free(c.client);
	peer_stop(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_makes_one_discovery_and_one_token_for_each_scope),
		cmocka_unit_test(a_crowd_with_a_rejected_token_fetches_one_new_one),
		cmocka_unit_test(a_crowd_shares_a_refusal_of_entra_s),
		cmocka_unit_test(a_failed_refresh_does_no_harm_while_the_token_lasts),
		cmocka_unit_test(one_refreshes_before_the_token_s_end_while_others_go_on),
		cmocka_unit_test(waiting_for_another_thread_s_fetch_ends_with_the_time_limit),
		cmocka_unit_test(a_crowd_whose_service_moved_asks_graph_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
