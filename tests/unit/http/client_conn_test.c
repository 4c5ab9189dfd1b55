/*
 * client_conn_test.c - connections of the client: stale ones, TLS, sharing between threads, the
 * end.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "origin.h"
#include "stub.h"

static void
answer_text(int fd, const char *body)
{
	char text[300];

	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	send_text(fd, text);
}

/* Answers once and closes, though it never said so. */
static void
serve_once(struct stub *s, int fd)
{
	char head[2000], body[10];
	size_t n;

	if (read_message(fd, head, sizeof head, body, sizeof body, &n))
		answer_text(fd, "once");
}

/* Answers the first request; at the second one it hangs up without a word. */
static void
serve_once_and_hang_up(struct stub *s, int fd)
{
	char head[2000], body[10];
	size_t n;

	serve_once(s, fd);
	(void)!read_message(fd, head, sizeof head, body, sizeof body, &n);
}

static void
expect_posts_to_work(void (*serve)(struct stub *, int), int pause_ms)
{
	struct http_client *c = new_client(&plain);
	struct http_call call = { .method = "POST", .body = "abc", .body_len = 3 };
	struct http_result r;
	struct stub s;
	struct err err;
	int i;

	stub_start(&s, serve, NULL);
	call.url = url("http", s.port, "/");
	for (i = 0; i < 8; i++) {
		if (http_call(c, &call, &r, &err) != RC_OK)
			print_error("call %d: %s\n", i, err.msg);
		assert_string_equal(buf_str(&r.body), "once");
		http_result_done(&r);
		nap_ms(pause_ms);
	}
	assert_int_equal(atomic_load(&s.connections), 8);
	http_client_free(c);
	stub_stop(&s);
}

static void
a_kept_connection_that_has_gone_stale_is_no_error(void **state)
{
	expect_posts_to_work(serve_once, 5);
	expect_posts_to_work(serve_once, 0);
	expect_posts_to_work(serve_once_and_hang_up, 0);
}

static void
a_certificate_that_does_not_check_out_is_refused(void **state)
{
	struct http_client_conf conf = { .ca_file = origin.cert.cert };
	struct http_client *system = new_client(&plain), *right = new_client(&conf);
	struct http_result r;
	struct err err;
	char text[100];

	assert_int_equal(
	    get(system, url("https", origin.tls_port, "/"), &r, &err), RC_IO); /* unknown issuer */
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	http_result_done(&r);
	assert_int_equal(get(right, url("https", origin.tls_port, "/"), &r, &err), RC_OK);
	http_result_done(&r);
	snprintf(text, sizeof text, "https://localhost:%u/", origin.tls_port);
	assert_int_equal(get(right, text, &r, &err), RC_IO); /* another name */
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	http_result_done(&r);
	http_client_free(system);
	http_client_free(right);
}

struct configured {
	atomic_int calls;
	int answer;
};

static int
configure(void *ssl_ctx, void *arg)
{
	struct configured *c = arg;

	assert_non_null(ssl_ctx);
	atomic_fetch_add(&c->calls, 1);
	return c->answer;
}

static void
the_callers_tls_function_is_asked_for_each_connection(void **state)
{
	struct configured yes = { .answer = 0 }, no = { .answer = 1 };
	struct http_client_conf conf = {
		.ca_file = origin.cert.cert, .tls_configure = configure, .tls_arg = &yes
	};
	struct http_client *c = new_client(&conf);
	struct http_result r;
	struct err err;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(get(c, url("https", origin.tls_port, "/"), &r, &err), RC_OK);
		http_result_done(&r);
	}
	assert_int_equal(atomic_load(&yes.calls), 1);
	assert_int_equal(http_client_tls_set(c, origin.cert.cert, configure, &no, &err), RC_OK);
	assert_int_equal(get(c, url("https", origin.tls_port, "/"), &r, &err), RC_IO);
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	assert_int_equal(atomic_load(&no.calls), 1);
	http_result_done(&r);
	http_client_free(c);
}

static void
new_tls_settings_close_kept_connections(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_server_stats st;
	struct http_result r;
	struct err err;
	int i;

	assert_int_equal(get(c, url("https", origin.tls_port, "/"), &r, &err), RC_IO);
	http_result_done(&r);
	assert_int_equal(http_client_tls_set(c, origin.cert.cert, NULL, NULL, &err), RC_OK);
	assert_int_equal(get(c, url("https", origin.tls_port, "/"), &r, &err), RC_OK);
	http_result_done(&r);
	assert_int_equal(http_client_tls_set(c, NULL, NULL, NULL, &err), RC_OK);
	for (i = 0; i < 12000; i++) {
		http_server_stats(origin.server, &st);
		if (st.connections == 0)
			break;
		nap_ms(5);
	}
	assert_int_equal(st.connections, 0);
	assert_int_equal(get(c, url("https", origin.tls_port, "/"), &r, &err), RC_IO);
	http_result_done(&r);
	http_client_free(c);
}

static void
serve_nothing(struct stub *s, int fd)
{
	char c;

	atomic_fetch_add(&s->requests, 1);
	while (recv(fd, &c, 1, 0) > 0)
		;
}

struct waiter {
	struct http_client *client;
	const char *url;
	enum rc rc;
};

static void *
wait_for_nothing(void *arg)
{
	struct waiter *w = arg;
	struct http_result r;
	struct err err;

	w->rc = get(w->client, w->url, &r, &err);
	http_result_done(&r);
	return NULL;
}

static void
freeing_the_client_ends_its_calls(void **state)
{
	struct waiter w = { .client = new_client(&plain) };
	struct stub s;
	char text[100];
	int64_t begin;
	pthread_t t;

	stub_start(&s, serve_nothing, NULL);
	snprintf(text, sizeof text, "http://127.0.0.1:%u/", s.port);
	w.url = text;
	assert_int_equal(pthread_create(&t, NULL, wait_for_nothing, &w), 0);
	while (atomic_load(&s.requests) == 0)
		nap_ms(1);
	begin = now_ms();
	http_client_free(w.client);
	pthread_join(t, NULL);
	assert_in_range(now_ms() - begin, 0, 20000);
	assert_int_equal(w.rc, RC_IO);
	stub_stop(&s);
}

struct caller {
	struct http_client *client;
	int number, good;
};

static void *
call_often(void *arg)
{
	struct caller *me = arg;
	char body[32], want[100], path[32];
	struct http_result r;
	struct err err;
	int i;

	for (i = 0; i < 25; i++) {
		struct http_call call = { .method = "POST", .body = body };

		call.body_len = (size_t)snprintf(body, sizeof body, "%d-%d", me->number, i);
		snprintf(path, sizeof path, "/%d", me->number);
		call.url =
		    i % 5 ? url("http", origin.port, path) : url("https", origin.tls_port, path);
		snprintf(want, sizeof want,
		    "POST /%d type=none mine=none expect=no agent=unit/1 body=%s\n", me->number,
		    body);
		if (http_call(me->client, &call, &r, &err) == RC_OK &&
		    strcmp(buf_str(&r.body), want) == 0)
			me->good++;
		http_result_done(&r);
	}
	return NULL;
}

static void
thirty_two_threads_share_a_client(void **state)
{
	struct http_client_conf conf = { .ca_file = origin.cert.cert };
	struct http_client *c = new_client(&conf);
	struct caller callers[32];
	pthread_t t[32];
	int i;

	for (i = 0; i < 32; i++) {
		callers[i] = (struct caller){ .client = c, .number = i };
		assert_int_equal(pthread_create(&t[i], NULL, call_often, &callers[i]), 0);
	}
	for (i = 0; i < 32; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(callers[i].good, 25);
	}
	http_client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kept_connection_that_has_gone_stale_is_no_error),
		cmocka_unit_test(a_certificate_that_does_not_check_out_is_refused),
		cmocka_unit_test(the_callers_tls_function_is_asked_for_each_connection),
		cmocka_unit_test(new_tls_settings_close_kept_connections),
		cmocka_unit_test(freeing_the_client_ends_its_calls),
		cmocka_unit_test(thirty_two_threads_share_a_client),
	};

	return cmocka_run_group_tests(tests, origin_start, origin_stop);
}
