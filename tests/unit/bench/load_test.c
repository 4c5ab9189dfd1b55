/* load_test.c - every message is sent once and answered where it was asked. */
#include "../ossl/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench/load.h"
#include "http/server.h"

#define SHOTS 300

static struct http_server *server;
static _Atomic unsigned handled;
static _Atomic unsigned close_every; /* 0: never */
static char url[64];

/* Sends back what came, and a mark. */
static void
echo(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	unsigned n = ++handled;

	if (strcmp(req->target, "/load?operation=PKIOperation") != 0)
		reply->status = 404;
	buf_add(&reply->body, req->body, req->body_len);
	buf_adds(&reply->body, "!");
	reply->close = close_every != 0 && n % close_every == 0;
}

static int
set_up(void **state)
{
	struct http_server_conf conf = { .handler = echo };
	struct err err;
	uint16_t port;

	assert_ok(http_server_new(&server, &conf, &err), err);
	assert_ok(http_listen(server, "127.0.0.1:0", NULL, NULL, &port, &err), err);
	assert_ok(http_server_start(server, &err), err);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/load", port);
	return 0;
}

static int
tear_down(void **state)
{
	http_server_stop(server, 0);
	http_server_free(server);
	return 0;
}

static char bodies[SHOTS][32];

static void
fire(struct load_result *r, struct shot *shots, unsigned concurrency)
{
	const struct progress quiet = { false };
	struct target t;
	struct err err;

	handled = 0;
	memset(shots, 0, SHOTS * sizeof(*shots));
	for (size_t i = 0; i < SHOTS; i++) {
		shots[i].len = (size_t)snprintf(bodies[i], sizeof(bodies[i]), "message %zu", i);
		shots[i].body = (const uint8_t *)bodies[i];
	}
	assert_ok(target_parse(&t, url, &err), err);
	assert_ok(load_run(r, &t, shots, SHOTS, concurrency, &quiet, "", &err), err);
}

static void
expect_echoes(struct shot *shots)
{
	char want[40];

	for (size_t i = 0; i < SHOTS; i++) {
		(void)snprintf(want, sizeof(want), "message %zu!", i);
		assert_int_equal(shots[i].status, 200);
		assert_string_equal(buf_str(&shots[i].reply), want);
		assert_true(shots[i].us > 0);
	}
}

static void
each_message_gets_its_own_answer(void **state)
{
	static const unsigned at_once[] = { 1, 7, 32, SHOTS + 1 };
	struct shot shots[SHOTS];
	struct load_result r;

	for (size_t i = 0; i < N(at_once); i++) {
		fire(&r, shots, at_once[i]);
		assert_int_equal(r.answered, SHOTS);
		assert_int_equal(handled, SHOTS);
		assert_int_equal(r.reconnects, 0);
		expect_echoes(shots);
		shots_done(shots, SHOTS);
	}
}

static void
a_server_that_closes_connections_is_connected_to_again(void **state)
{
	struct shot shots[SHOTS];
	struct load_result r;

	close_every = 10;
	fire(&r, shots, 4);
	close_every = 0;
	assert_int_equal(r.answered, SHOTS);
	assert_int_equal(handled, SHOTS);
	assert_true(r.reconnects > 0);
	expect_echoes(shots);
	shots_done(shots, SHOTS);
}

static void
nobody_there_answers_nothing_and_says_so(void **state)
{
	struct shot shots[SHOTS];
	struct load_result r;
	char real[sizeof(url)];

	memcpy(real, url, sizeof(url));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:1/load"); /* tcpmux: nobody */
	fire(&r, shots, 8);
	memcpy(url, real, sizeof(url));
	assert_int_equal(r.answered, 0);
	for (size_t i = 0; i < SHOTS; i++)
		assert_int_equal(shots[i].status, 0);
	shots_done(shots, SHOTS);
}

static void
targets_are_http_urls(void **state)
{
	static const struct {
		const char *url, *host, *path; /* host NULL: refused */
	} rows[] = {
		{ "http://127.0.0.1:8080/scep/x", "127.0.0.1:8080", "/scep/x" },
		{ "http://127.0.0.1", "127.0.0.1", "/" },
		{ "http://[::1]:80/a", "[::1]:80", "/a" },
		{ "https://127.0.0.1/", NULL, NULL },
		{ "127.0.0.1:80", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http://:80/", NULL, NULL },
		{ "http://[::1/", NULL, NULL },
		{ "http://127.0.0.1/a?b", NULL, NULL },
		{ "http://127.0.0.1/a b", NULL, NULL },
		{ "http://u@127.0.0.1/", NULL, NULL },
		{ "http://127.0.0.1:99999999/", NULL, NULL },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct target t;
		enum rc rc = target_parse(&t, rows[i].url, NULL);

		if ((rc == RC_OK) != (rows[i].host != NULL))
			fail_msg("%s: %s", rows[i].url, rc_name(rc));
		if (rc == RC_OK) {
			assert_string_equal(t.host, rows[i].host);
			assert_string_equal(t.path, rows[i].path);
		}
	}
}

static void
load_ends_early_when_it_is_enough(void **state)
{
	static atomic_bool enough;
	static struct shot shots[SHOTS];
	const struct progress quiet = { false };
	struct load_result r;
	struct target t;
	struct err err;
	size_t answered = 0;

	close_every = 0;
	assert_ok(target_parse(&t, url, &err), err);
	for (size_t i = 0; i < SHOTS; i++) {
		shots[i].body = (const uint8_t *)"body";
		shots[i].len = 4;
	}
	enough = true;
	assert_ok(load_run_while(&r, &t, shots, SHOTS, 8, &enough, &quiet, "load", &err), err);
	assert_true(r.sent == 8 && r.answered == 8);
	for (size_t i = 0; i < SHOTS; i++) {
		assert_true((shots[i].status == 200) == (shots[i].at_us != 0));
		answered += shots[i].status == 200;
	}
	assert_int_equal(answered, 8);
	shots_done(shots, SHOTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_gets_its_own_answer),
		cmocka_unit_test(a_server_that_closes_connections_is_connected_to_again),
		cmocka_unit_test(nobody_there_answers_nothing_and_says_so),
		cmocka_unit_test(targets_are_http_urls),
		cmocka_unit_test(load_ends_early_when_it_is_enough),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
