/*
 * client_test.c - the client against our own server, and against servers and proxies that misbehave
 * on purpose.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"
#include "http/server.h"
#include "net.h"
#include "stub.h"

static struct http_server *server;
static uint16_t port, tls_port;
static struct cert_dir cert;

static void
answer_about(const struct http_request *q, struct http_reply *r)
{
	const char *type = http_header0(q, "Content-Type"), *mine = http_header0(q, "X-Mine");

	http_reply_text(r, 200, "%s %s type=%s mine=%s expect=%s agent=%s body=%.*s", q->method,
	    q->target, type != NULL ? type : "none", mine != NULL ? mine : "none",
	    http_header0(q, "Expect") != NULL ? "yes" : "no", http_header0(q, "User-Agent"),
	    (int)q->body_len, (const char *)q->body);
}

static void
answer_slow(const struct http_request *q, struct http_reply *r)
{
	nap_ms(400);
	http_reply_text(r, 200, "slow");
}

static void
answer_later(const struct http_request *q, struct http_reply *r)
{
	http_reply_text(r, 429, "later");
	r->retry_after = 17;
	http_reply_header(r, "X-One", "1");
}

static void
answer_away(const struct http_request *q, struct http_reply *r)
{
	http_reply_text(r, 302, "elsewhere");
	http_reply_header(r, "Location", "/");
}

static void
answer_big(const struct http_request *q, struct http_reply *r)
{
	memset(buf_grow(&r->body, 100000), 'b', 100000);
}

static void
handle(void *ctx, const struct http_request *q, struct http_reply *r)
{
	static const struct {
		const char *path;
		void (*answer)(const struct http_request *, struct http_reply *);
	} routes[] = {
		{ "/slow", answer_slow },
		{ "/later", answer_later },
		{ "/away", answer_away },
		{ "/big", answer_big },
	};
	size_t i;

	for (i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(routes[i].path, q->path) == 0) {
			routes[i].answer(q, r);
			return;
		}
	answer_about(q, r);
}

static int
set_up(void **state)
{
	struct http_server_conf conf = { .handler = handle };
	struct tls_ctx *ctx;
	struct err err;

	cert_dir_make(&cert);
	/* The client must not look at these. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(tls_ctx_server(&ctx, cert.cert, cert.key, &err), RC_OK);
	assert_int_equal(http_server_new(&server, &conf, &err), RC_OK);
	assert_int_equal(http_listen(server, "127.0.0.1:0", NULL, NULL, &port, &err), RC_OK);
	assert_int_equal(http_listen(server, "127.0.0.1:0", ctx, NULL, &tls_port, &err), RC_OK);
	tls_ctx_free(ctx);
	assert_int_equal(http_server_start(server, &err), RC_OK);
	return 0;
}

static int
tear_down(void **state)
{
	http_server_free(server);
	cert_dir_remove(&cert);
	return 0;
}

static struct http_client *
new_client(const struct http_client_conf *conf)
{
	struct http_client_conf c = *conf;
	struct http_client *client;
	struct err err;

	if (c.user_agent == NULL)
		c.user_agent = "unit/1";
	assert_int_equal(http_client_new(&client, &c, &err), RC_OK);
	return client;
}

static const struct http_client_conf plain;

/* "http://127.0.0.1:<port><path>" in a buffer that lasts until the next call. */
static const char *
url(const char *scheme, uint16_t p, const char *path)
{
	static _Thread_local char text[300];

	snprintf(text, sizeof text, "%s://127.0.0.1:%u%s", scheme, p, path);
	return text;
}

static enum rc
get(struct http_client *c, const char *u, struct http_result *r, struct err *err)
{
	struct http_call call = { .method = "GET", .url = u };

	return http_call(c, &call, r, err);
}

static void
a_call_says_what_was_asked_and_nothing_else(void **state)
{
	static const char *const headers[] = { "X-Mine: yes", "Content-Type: application/json",
		NULL };
	static const struct {
		struct http_call call;
		const char *reply;
	} rows[] = {
		{ { .method = "GET" },
		    "GET /a?b=c type=none mine=none expect=no agent=unit/1 body=\n" },
		{ { .method = "POST", .body = "xyz", .body_len = 3 },
		    "POST /a?b=c type=none mine=none expect=no agent=unit/1 body=xyz\n" },
		{ { .method = "POST" },
		    "POST /a?b=c type=none mine=none expect=no agent=unit/1 body=\n" },
		{ { .method = "POST", .body = "{}", .body_len = 2, .headers = headers },
		    "POST /a?b=c type=application/json mine=yes expect=no agent=unit/1 body={}\n" },
		{ { .method = "PATCH", .body = "p", .body_len = 1 },
		    "PATCH /a?b=c type=none mine=none expect=no agent=unit/1 body=p\n" },
		{ { .method = "DELETE" },
		    "DELETE /a?b=c type=none mine=none expect=no agent=unit/1 body=\n" },
		{ { .method = "HEAD" }, "" },
		{ { .method = "GET" },
		    "GET /a?b=c type=none mine=none expect=no agent=unit/1 body=\n" },
	};
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct http_call call;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		call = rows[i].call;
		call.url = url("http", port, "/a?b=c");
		assert_int_equal(http_call(c, &call, &r, &err), RC_OK);
		assert_int_equal(r.status, 200);
		assert_string_equal(buf_str(&r.body), rows[i].reply);
		assert_int_equal(r.failed, HTTP_STEP_NONE);
		http_result_done(&r);
	}
	http_client_free(c);
}

static void
headers_retry_after_and_date_are_read(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct err err;
	char v[4];

	assert_int_equal(get(c, url("http", port, "/later"), &r, &err), RC_OK);
	assert_int_equal(r.status, 429);
	assert_int_equal(r.retry_after, 17);
	assert_true(r.server_date > 1700000000);
	assert_string_equal(http_result_header(&r, "x-one", v, sizeof v), "1");
	assert_string_equal(http_result_header(&r, "x-on", v, sizeof v), "");
	assert_string_equal(
	    http_result_header(&r, "Content-Type", v, sizeof v), "tex"); /* cut, not overrun */
	assert_true(r.elapsed_us > 0);
	http_result_done(&r);
	http_client_free(c);
}

static void
redirects_are_not_followed(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct err err;

	assert_int_equal(get(c, url("http", port, "/away"), &r, &err), RC_OK);
	assert_int_equal(r.status, 302);
	http_result_done(&r);
	http_client_free(c);
}

static void
connections_are_kept(void **state)
{
	struct http_client_conf conf = { .ca_file = cert.cert };
	struct http_client *c = new_client(&conf);
	struct http_server_stats before, after;
	struct http_result r;
	struct err err;
	int i;

	http_server_stats(server, &before);
	for (i = 0; i < 20; i++) {
		assert_int_equal(
		    get(c, i % 2 ? url("https", tls_port, "/") : url("http", port, "/"), &r, &err),
		    RC_OK);
		http_result_done(&r);
	}
	http_server_stats(server, &after);
	assert_int_equal(after.accepted - before.accepted, 2);
	http_client_free(c);
}

static void
urls_that_are_none_or_none_of_ours_are_the_admins_mistake(void **state)
{
	static const char *const bad[] = { "", "ftp://127.0.0.1/", "file:///etc/passwd", "http://",
		"http://u:p@127.0.0.1/", "gopher://127.0.0.1/", "http://127.0.0.1:99999/" };
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(get(c, bad[i], &r, &err), RC_CONFIG);
		http_result_done(&r);
	}
	http_client_free(c);
}

static void
a_header_of_two_lines_is_refused(void **state)
{
	static const char *const headers[] = { "X-Mine: a\r\nX-Injected: b", NULL };
	struct http_client *c = new_client(&plain);
	struct http_call call = {
		.method = "GET", .url = url("http", port, "/"), .headers = headers
	};
	struct http_result r;
	struct err err;

	assert_int_equal(http_call(c, &call, &r, &err), RC_CONFIG);
	http_result_done(&r);
	http_client_free(c);
}

static void
a_refused_connection_is_told_without_the_query(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct err err;
	uint16_t dead;

	close(listen_free(&dead));
	assert_int_equal(get(c, url("http", dead, "/p?secret=1"), &r, &err), RC_IO);
	assert_int_equal(r.failed, HTTP_STEP_CONNECT);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(err.msg, "http://127.0.0.1:"));
	assert_non_null(strstr(err.msg, "/p"));
	assert_null(strstr(err.msg, "secret"));
	http_result_done(&r);
	http_client_free(c);
}

static void
time_limits_hold(void **state)
{
	struct http_client_conf conf = { .ca_file = cert.cert };
	struct http_client *c = new_client(&conf);
	struct http_call slow = {
		.method = "GET", .url = url("http", port, "/slow"), .total_ms = 100
	};
	struct http_call deaf = { .method = "GET", .connect_ms = 100, .total_ms = 5000 };
	struct http_result r;
	struct err err;
	char text[100];
	uint16_t deaf_port;
	int64_t begin = now_ms();
	int fd;

	assert_int_equal(http_call(c, &slow, &r, &err), RC_TIMEOUT);
	assert_int_equal(r.failed, HTTP_STEP_TRANSFER);
	assert_in_range(now_ms() - begin, 90, 1000);
	http_result_done(&r);

	fd = listen_free(&deaf_port); /* connects, and no TLS ever comes */
	snprintf(text, sizeof text, "https://127.0.0.1:%u/", deaf_port);
	deaf.url = text;
	begin = now_ms();
	assert_int_equal(http_call(c, &deaf, &r, &err), RC_TIMEOUT);
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	assert_in_range(now_ms() - begin, 90, 1000);
	http_result_done(&r);
	close(fd);
	http_client_free(c);
}

static void
a_reply_past_the_bound_is_refused(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_call call = {
		.method = "GET", .url = url("http", port, "/big"), .reply_max = 99999
	};
	struct http_result r;
	struct err err;

	assert_int_equal(http_call(c, &call, &r, &err), RC_LIMIT);
	http_result_done(&r);
	call.reply_max = 100000;
	assert_int_equal(http_call(c, &call, &r, &err), RC_OK);
	assert_int_equal(r.body.len, 100000);
	http_result_done(&r);
	http_client_free(c);
}

struct gzip {
	unsigned char bytes[8192];
	size_t len;
};

static void
serve_gzip(struct stub *s, int fd)
{
	struct gzip *z = s->arg;
	char head[2000], text[200];
	size_t n;

	while (read_message(fd, head, sizeof head, NULL, 0, &n)) {
		assert_non_null(strstr(head, "Accept-Encoding: gzip, deflate\r\n"));
		snprintf(text, sizeof text,
		    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		    z->len);
		send_text(fd, text);
		send_bytes(fd, z->bytes, z->len);
	}
}

static void
the_bound_is_on_what_unpacks(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_call call = { .method = "GET", .reply_max = 999999 };
	struct http_result r;
	struct gzip z;
	struct stub s;
	struct err err;
	FILE *f = popen("head -c 1000000 /dev/zero | gzip -9", "r");

	assert_non_null(f);
	z.len = fread(z.bytes, 1, sizeof z.bytes, f);
	pclose(f);
	assert_in_range(z.len, 100, sizeof z.bytes - 1);
	stub_start(&s, serve_gzip, &z);
	call.url = url("http", s.port, "/");
	assert_int_equal(http_call(c, &call, &r, &err), RC_LIMIT);
	http_result_done(&r);
	call.reply_max = 1000000;
	assert_int_equal(http_call(c, &call, &r, &err), RC_OK);
	assert_int_equal(r.body.len, 1000000);
	http_result_done(&r);
	http_client_free(c);
	stub_stop(&s);
}

static void
serve_interim(struct stub *s, int fd)
{
	char head[2000];
	size_t n;

	if (read_message(fd, head, sizeof head, NULL, 0, &n))
		send_text(fd,
		    "HTTP/1.1 103 Early Hints\r\nX-One: early\r\n\r\nHTTP/1.1 200 "
		    "OK\r\nContent-Length: 2\r\n"
		    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:07 "
		    "GMT\r\n\r\nhi");
}

static void
only_the_last_header_counts_and_a_date_may_say_when_to_retry(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_result r;
	struct stub s;
	struct err err;
	char v[16];

	stub_start(&s, serve_interim, NULL);
	assert_int_equal(get(c, url("http", s.port, "/"), &r, &err), RC_OK);
	assert_int_equal(r.status, 200);
	assert_string_equal(http_result_header(&r, "X-One", v, sizeof v), "");
	assert_int_equal(r.server_date, 784111777);
	assert_int_equal(r.retry_after, 90);
	http_result_done(&r);
	http_client_free(c);
	stub_stop(&s);
}

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
	struct http_client_conf conf = { .ca_file = cert.cert };
	struct http_client *system = new_client(&plain), *right = new_client(&conf);
	struct http_result r;
	struct err err;
	char text[100];

	assert_int_equal(
	    get(system, url("https", tls_port, "/"), &r, &err), RC_IO); /* unknown issuer */
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	http_result_done(&r);
	assert_int_equal(get(right, url("https", tls_port, "/"), &r, &err), RC_OK);
	http_result_done(&r);
	snprintf(text, sizeof text, "https://localhost:%u/", tls_port);
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
		.ca_file = cert.cert, .tls_configure = configure, .tls_arg = &yes
	};
	struct http_client *c = new_client(&conf);
	struct http_result r;
	struct err err;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(get(c, url("https", tls_port, "/"), &r, &err), RC_OK);
		http_result_done(&r);
	}
	assert_int_equal(atomic_load(&yes.calls), 1);
	assert_int_equal(http_client_tls_set(c, cert.cert, configure, &no, &err), RC_OK);
	assert_int_equal(get(c, url("https", tls_port, "/"), &r, &err), RC_IO);
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

	assert_int_equal(get(c, url("https", tls_port, "/"), &r, &err), RC_IO);
	http_result_done(&r);
	assert_int_equal(http_client_tls_set(c, cert.cert, NULL, NULL, &err), RC_OK);
	assert_int_equal(get(c, url("https", tls_port, "/"), &r, &err), RC_OK);
	http_result_done(&r);
	assert_int_equal(http_client_tls_set(c, NULL, NULL, NULL, &err), RC_OK);
	for (i = 0; i < 200; i++) {
		http_server_stats(server, &st);
		if (st.connections == 0)
			break;
		nap_ms(5);
	}
	assert_int_equal(st.connections, 0);
	assert_int_equal(get(c, url("https", tls_port, "/"), &r, &err), RC_IO);
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
	assert_in_range(now_ms() - begin, 0, 1000);
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
		call.url = i % 5 ? url("http", port, path) : url("https", tls_port, path);
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
	struct http_client_conf conf = { .ca_file = cert.cert };
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
		cmocka_unit_test(a_call_says_what_was_asked_and_nothing_else),
		cmocka_unit_test(headers_retry_after_and_date_are_read),
		cmocka_unit_test(redirects_are_not_followed),
		cmocka_unit_test(connections_are_kept),
		cmocka_unit_test(urls_that_are_none_or_none_of_ours_are_the_admins_mistake),
		cmocka_unit_test(a_header_of_two_lines_is_refused),
		cmocka_unit_test(a_refused_connection_is_told_without_the_query),
		cmocka_unit_test(time_limits_hold),
		cmocka_unit_test(a_reply_past_the_bound_is_refused),
		cmocka_unit_test(the_bound_is_on_what_unpacks),
		cmocka_unit_test(only_the_last_header_counts_and_a_date_may_say_when_to_retry),
		cmocka_unit_test(a_kept_connection_that_has_gone_stale_is_no_error),
		cmocka_unit_test(a_certificate_that_does_not_check_out_is_refused),
		cmocka_unit_test(the_callers_tls_function_is_asked_for_each_connection),
		cmocka_unit_test(new_tls_settings_close_kept_connections),
		cmocka_unit_test(freeing_the_client_ends_its_calls),
		cmocka_unit_test(thirty_two_threads_share_a_client),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
