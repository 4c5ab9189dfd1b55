/*
 * retry_test.c - what a call does when it does not go well at once: new token, new address,
 * waiting, giving up; and the way to the service: time limits, proxy, TLS.
 */
#include "kit.h"

static void
a_rejected_token_is_replaced_once(void **state)
{
	static const int statuses[] = { 401, 403 };
	struct fixture *f = *state;
	size_t i;

	assert_int_equal(validate(f), INTUNE_OK);
	for (i = 0; i < COUNT(statuses); i++) {
		peer_forget(f->peer);
		peer_answer(f->peer, ROUTE_ACTION, statuses[i], "");
		assert_int_equal(validate(f), INTUNE_OK);
		assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 2);
		assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 1);
		assert_int_equal(peer_count(f->peer, ROUTE_LIST), 0);
		assert_string_equal(f->e.hint, "");
	}
}

static void
list_at(struct fixture *f, const char *uri)
{
	char body[300];

	(void)snprintf(body, sizeof(body),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"%s\"}]}",
	    uri);
	peer_answer(f->peer, ROUTE_LIST, 200, body);
}

static void
a_slash_at_the_end_of_the_service_address_is_not_doubled(void **state)
{
	struct fixture *f = *state;
	char uri[100];

	(void)snprintf(uri, sizeof(uri), "%s/svc/", peer_url(f->peer));
	list_at(f, uri);
	assert_int_equal(validate(f), INTUNE_OK);
	expect_start(peer_recorded(f->peer, ROUTE_ACTION, 0),
	    "POST /svc/ScepActions/validateRequest HTTP/1.1");
}

static void
a_service_that_moved_is_found_again(void **state)
{
	enum intune_status (*const calls[])(
	    struct fixture *) = { validate, notify_success, notify_failure };
	struct fixture *f = *state;
	char uri[100];
	size_t i;

	for (i = 0; i < COUNT(calls); i++) {
		intune_client_free(f->client);
		f->client = peer_client(f->peer);
		peer_forget(f->peer);
		(void)snprintf(uri, sizeof(uri), "http://127.0.0.1:%u/gone", port_closed());
		list_at(f, uri);
		assert_int_equal(calls[i](f), INTUNE_OK);
		assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
		assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 1);

		intune_client_free(f->client);
		f->client = peer_client(f->peer);
		peer_forget(f->peer);
		peer_answer(f->peer, ROUTE_ACTION, 404, "");
		assert_int_equal(calls[i](f), INTUNE_OK);
		assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
	}
}

static void
a_service_that_stays_down_is_looked_for_once(void **state)
{
	const struct play down = { .status = 500, .body = "" };
	struct fixture *f = *state;

	peer_always(f->peer, ROUTE_ACTION, &down);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 2);
	assert_int_equal(f->e.step, INTUNE_STEP_VALIDATE);
	assert_int_equal(f->e.http_status, 500);
	assert_non_null(strstr(f->e.hint, f->e.activity_id));
	/* Graph has just confirmed the address: the next calls do not ask it again. */
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 2);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 3);
}

static void
a_notification_is_not_repeated_after_it_may_have_arrived(void **state)
{
	const struct play broken = { .status = 0 };
	struct fixture *f = *state;

	assert_int_equal(validate(f), INTUNE_OK);
	peer_forget(f->peer);
	peer_answer(f->peer, ROUTE_ACTION, 500, "");
	assert_int_equal(notify_success(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 1);
	/* The failure made the address doubtful: the next call asks. */
	assert_int_equal(notify_failure(f), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_LIST), 1);
	peer_always(f->peer, ROUTE_ACTION, &broken);
	assert_int_equal(notify_success(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(f->e.http_status, 0);
}

static void
a_short_retry_after_is_waited_for_once(void **state)
{
	static const int statuses[] = { 429, 503 };
	enum intune_status (*const calls[])(
	    struct fixture *) = { validate, notify_success, notify_failure };
	struct fixture *f = *state;
	struct play busy = { 0, "Retry-After: 0\r\n", "", 0, 0 };
	size_t i, k;

	assert_int_equal(validate(f), INTUNE_OK);
	for (i = 0; i < COUNT(statuses); i++) {
		busy.status = statuses[i];
		for (k = 0; k < COUNT(calls); k++) {
			peer_forget(f->peer);
			peer_play(f->peer, ROUTE_ACTION, &busy);
			assert_int_equal(calls[k](f), INTUNE_OK);
			assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 2);
			peer_forget(f->peer);
			peer_play(f->peer, ROUTE_ACTION, &busy);
			peer_play(f->peer, ROUTE_ACTION, &busy);
			assert_int_equal(calls[k](f), INTUNE_E_UNAVAILABLE);
			assert_int_equal(f->e.retry_after, 0);
			assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 2);
			assert_int_equal(peer_count(f->peer, ROUTE_LIST), 0);
		}
	}
}

static void
a_long_retry_after_is_told_and_not_waited_for(void **state)
{
	const struct play busy = { 429, "Retry-After: 120\r\n", "", 0, 0 };
	struct fixture *f = *state;

	peer_play(f->peer, ROUTE_ACTION, &busy);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(f->e.retry_after, 120);
	assert_int_equal(peer_count(f->peer, ROUTE_ACTION), 1);
	assert_true(f->e.elapsed_ms < 120000);
}

static void
entra_s_retry_after_holds_all_calls_back(void **state)
{
	const struct play busy = { 429, "Retry-After: 120\r\n", "", 0, 0 };
	struct fixture *f = *state;

	peer_play(f->peer, ROUTE_TOKEN, &busy);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(f->e.step, INTUNE_STEP_TOKEN);
	assert_true(f->e.retry_after > 110 && f->e.retry_after <= 120);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 1);
}

static void
the_time_limit_covers_the_whole_call(void **state)
{
	static const enum route routes[] = { ROUTE_TOKEN, ROUTE_LIST, ROUTE_ACTION };
	struct fixture *f = *state;
	const struct play slow = { 200, NULL, "{}", 0, 60000 };
	struct intune_config c;
	size_t i;

	for (i = 0; i < COUNT(routes); i++) {
		intune_client_free(f->client);
		peer_config(f->peer, &c);
		c.total_ms = 200;
		assert_int_equal(intune_client_new(&f->client, &c, NULL), INTUNE_OK);
		peer_play(f->peer, routes[i], &slow);
		assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
		assert_true(f->e.elapsed_ms >= 150);
		assert_int_equal(f->e.http_status, 0); /* the answer was not waited for */
	}
}

static void
nothing_listening_is_unavailable_with_a_hint(void **state)
{
	struct fixture *f = *state;
	struct intune_config c;
	char url[64];

	intune_client_free(f->client);
	peer_config(f->peer, &c);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port_closed());
	c.auth_authority = url;
	assert_int_equal(intune_client_new(&f->client, &c, NULL), INTUNE_OK);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(f->e.step, INTUNE_STEP_TOKEN);
	assert_non_null(strstr(f->e.message, "127.0.0.1"));
	assert_true(f->e.hint[0] != '\0');
}

static void
a_proxy_gets_its_credentials_and_no_one_else(void **state)
{
	const struct play who = { 407, "Proxy-Authenticate: Basic realm=\"p\"\r\n", "", 0, 0 };
	struct fixture *f = *state;
	struct peer *proxy = peer_start();
	struct intune_config c;
	char port[8], line[128];
	const char *raw;

	intune_client_free(f->client);
	peer_config(f->peer, &c);
	(void)snprintf(port, sizeof(port), "%u", peer_port(proxy));
	c.proxy_host = "127.0.0.1";
	c.proxy_port = port;
	c.proxy_user = "jane";
	c.proxy_pass = "pr0xy-secret";
	assert_int_equal(intune_client_new(&f->client, &c, &f->e), INTUNE_OK);
	peer_always(proxy, ROUTE_TOKEN, &who);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_non_null(strstr(f->e.hint, "PROXY_USER"));
	assert_null(strstr(f->e.hint, "pr0xy-secret"));
	assert_null(strstr(f->e.message, "pr0xy-secret"));
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
	(void)snprintf(line, sizeof(line), "POST %s/contoso.example/oauth2/v2.0/token HTTP/1.1\r\n",
	    peer_url(f->peer));
	raw = peer_recorded(proxy, ROUTE_TOKEN, peer_count(proxy, ROUTE_TOKEN) - 1);
	expect_start(raw, line);
	expect_line(raw, "Proxy-Authorization", "Basic amFuZTpwcjB4eS1zZWNyZXQ=");
	peer_stop(proxy);
}

static int
refuse_tls(void *ssl_ctx, void *arg)
{
	unsigned *calls = arg;

	assert_non_null(ssl_ctx);
	++*calls;
	return 1;
}

static void
the_caller_s_tls_context_is_asked_and_may_refuse(void **state)
{
	struct fixture *f = *state;
	struct intune_config c;
	unsigned calls = 0;
	char url[64];

	intune_client_free(f->client);
	peer_config(f->peer, &c);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u", peer_port(f->peer));
	c.auth_authority = url;
	assert_int_equal(intune_client_new(&f->client, &c, &f->e), INTUNE_OK);
	assert_int_equal(
	    intune_client_set_tls_context(f->client, refuse_tls, &calls, &f->e), INTUNE_OK);
	assert_int_equal(validate(f), INTUNE_E_UNAVAILABLE);
	assert_int_equal(calls, 1);
	assert_int_equal(peer_count(f->peer, ROUTE_TOKEN), 0);
	assert_int_equal(
	    intune_client_set_tls_context(NULL, refuse_tls, &calls, &f->e), INTUNE_E_ARGUMENT);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(a_rejected_token_is_replaced_once),
		T(a_slash_at_the_end_of_the_service_address_is_not_doubled),
		T(a_service_that_moved_is_found_again),
		T(a_service_that_stays_down_is_looked_for_once),
		T(a_notification_is_not_repeated_after_it_may_have_arrived),
		T(a_short_retry_after_is_waited_for_once),
		T(a_long_retry_after_is_told_and_not_waited_for),
		T(entra_s_retry_after_holds_all_calls_back),
		T(the_time_limit_covers_the_whole_call),
		T(nothing_listening_is_unavailable_with_a_hint),
		T(a_proxy_gets_its_credentials_and_no_one_else),
		T(the_caller_s_tls_context_is_asked_and_may_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
