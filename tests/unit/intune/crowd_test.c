/*
 * crowd_test.c - 64 threads on one client while the other side fails in every way it can: each call
 * ends with a status that says what happened, and neither Entra nor Graph is stormed.
 */
#include "base/breaker.h"
#include "crowd.h"
#include "kit.h"

#define THREADS 64
#define ROUNDS  6
#define CALLS   ((size_t)THREADS * ROUNDS)
#define PERIOD  8 /* every so many-th answer is a fault: never enough in a row for an outage */

static uint64_t
refused(struct intune_client *c)
{
	struct intune_service_state s;
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < INTUNE_SERVICE__MAX; i++) {
		intune_client_service(c, (enum intune_service)i, &s);
		n += s.refused;
	}
	return n;
}

/* Faults among good answers, for the whole run; how many there are. */
static size_t
play_faults(struct peer *p)
{
	static const struct play faults[] = {
		{ 500, NULL, "", 0, 0 },
		{ 429, "Retry-After: 0\r\n", "", 0, 0 },
		{ 0, NULL, NULL, 0, 0 }, /* closes */
		{ 503, "Retry-After: 0\r\n", "", 0, 0 },
		{ 200, NULL, "{\"code\":\"Success\",\"errorDescription\":\"\"}", 0, 150 },
		{ 401, NULL, "", 0, 0 },
		{ 404, NULL, "", 0, 0 },
		{ 502, NULL, "<html>", 0, 0 },
		{ 200, NULL, "not JSON", 0, 0 },
	};
	static const struct play good = { 200, NULL,
		"{\"code\":\"Success\",\"errorDescription\":\"\"}", 0, 0 };
	size_t i, n = 0;

	for (i = 0; i < CALLS; i++) {
		if (i % PERIOD == PERIOD / 2)
			peer_play(p, ROUTE_ACTION, &faults[n++ % COUNT(faults)]);
		else
			peer_play(p, ROUTE_ACTION, &good);
	}
	return n;
}

static void
list_elsewhere(struct peer *p)
{
	char body[300];

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"http://"
	    "127.0.0.1:%u/gone\"}]}",
	    port_closed());
	peer_answer(p, ROUTE_LIST, 200, body);
}

static void
sixty_four_threads_survive_every_kind_of_fault(void **state)
{
	const struct play busy = { 429, "Retry-After: 0\r\n", "", 0, 0 };
	struct fixture *f = *state;
	struct crowd c = { .threads = THREADS, .client = f->client, .rounds = ROUNDS };
	size_t faults = play_faults(f->peer), bad;

	peer_play(f->peer, ROUTE_TOKEN, &busy);
	peer_answer(f->peer, ROUTE_LIST, 502, "");
	list_elsewhere(f->peer);
	crowd_run(&c);
	bad = c.by_status[INTUNE_E_UNAVAILABLE] + c.by_status[INTUNE_E_PERMISSION] +
	    c.by_status[INTUNE_E_PROTOCOL];
	assert_int_equal(c.by_status[INTUNE_OK] + bad, CALLS);
	/* Bad news is shared by the threads that waited for it, at most once each: token, list, and
	 * the address that was gone. */
	assert_true(c.by_status[INTUNE_E_PERMISSION] <= faults);
	assert_true(c.answered <= faults);
	assert_true(bad <= faults + refused(f->client));
	assert_in_range(peer_count(f->peer, ROUTE_TOKEN), 2, 2 + faults / 2);
	assert_in_range(peer_count(f->peer, ROUTE_LIST), 3, 3 + faults / 2);
	assert_in_range(
	    peer_count(f->peer, ROUTE_ACTION), c.by_status[INTUNE_OK], CALLS + 2 * faults);
}

static void
an_outage_costs_the_service_one_wave_of_requests(void **state)
{
	const struct play busy = { 503, "Retry-After: 60\r\n", "", 0, 0 };
	struct fixture *f = *state;
	struct crowd c = { .threads = THREADS, .client = f->client, .rounds = ROUNDS };

	peer_always(f->peer, ROUTE_ACTION, &busy);
	crowd_run(&c);
	assert_int_equal(c.by_status[INTUNE_E_UNAVAILABLE], CALLS);
	assert_in_range(peer_count(f->peer, ROUTE_ACTION), BREAKER_ROW, THREADS + BREAKER_ROW);
	assert_true(refused(f->client) >= CALLS - THREADS - BREAKER_ROW);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 1);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 2);
}

static void
a_stalled_service_ends_every_call_by_its_deadline(void **state)
{
	const struct play stall = { 200, NULL, "{}", 0, 60000 };
	struct fixture *f = *state;
	struct crowd c = { .threads = THREADS, .rounds = 1 };
	struct intune_config conf;

	intune_client_free(f->client);
	peer_config(f->peer, &conf);
	conf.total_ms = 1000;
	assert_int_equal(intune_client_new(&f->client, &conf, NULL), INTUNE_OK);
	c.client = f->client;
	peer_always(f->peer, ROUTE_ACTION, &stall);
	crowd_run(&c);
	/* Nothing was answered: each ended without the peer's help, before it spoke. */
	assert_int_equal(c.by_status[INTUNE_E_UNAVAILABLE], THREADS);
	assert_int_equal(c.answered, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(sixty_four_threads_survive_every_kind_of_fault),
		T(an_outage_costs_the_service_one_wave_of_requests),
		T(a_stalled_service_ends_every_call_by_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
