/*
 * client_test.c - what the client sends, what it makes of the reply, and the bounds it keeps.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "origin.h"
#include "stub.h"

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
		call.url = url("http", origin.port, "/a?b=c");
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

	assert_int_equal(get(c, url("http", origin.port, "/later"), &r, &err), RC_OK);
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

	assert_int_equal(get(c, url("http", origin.port, "/away"), &r, &err), RC_OK);
	assert_int_equal(r.status, 302);
	http_result_done(&r);
	http_client_free(c);
}

static void
connections_are_kept(void **state)
{
	struct http_client_conf conf = { .ca_file = origin.cert.cert };
	struct http_client *c = new_client(&conf);
	struct http_server_stats before, after;
	struct http_result r;
	struct err err;
	int i;

	http_server_stats(origin.server, &before);
	for (i = 0; i < 20; i++) {
		assert_int_equal(
		    get(c,
			i % 2 ? url("https", origin.tls_port, "/") : url("http", origin.port, "/"),
			&r, &err),
		    RC_OK);
		http_result_done(&r);
	}
	http_server_stats(origin.server, &after);
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
		.method = "GET", .url = url("http", origin.port, "/"), .headers = headers
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
	struct http_client_conf conf = { .ca_file = origin.cert.cert };
	struct http_client *c = new_client(&conf);
	struct http_call slow = {
		.method = "GET", .url = url("http", origin.port, "/slow"), .total_ms = 100
	};
	struct http_call deaf = { .method = "GET", .connect_ms = 100, .total_ms = 600000 };
	struct http_result r;
	struct err err;
	char text[100];
	uint16_t deaf_port;
	int64_t begin = now_ms();
	int fd;

	assert_int_equal(http_call(c, &slow, &r, &err), RC_TIMEOUT);
	assert_int_equal(r.failed, HTTP_STEP_TRANSFER);
	assert_in_range(now_ms() - begin, 90, 2900);
	http_result_done(&r);

	fd = listen_free(&deaf_port); /* connects, and no TLS ever comes */
	snprintf(text, sizeof text, "https://127.0.0.1:%u/", deaf_port);
	deaf.url = text;
	begin = now_ms();
	assert_int_equal(http_call(c, &deaf, &r, &err), RC_TIMEOUT);
	assert_int_equal(r.failed, HTTP_STEP_TLS);
	assert_in_range(now_ms() - begin, 90, 60000);
	http_result_done(&r);
	close(fd);
	http_client_free(c);
}

static void
a_reply_past_the_bound_is_refused(void **state)
{
	struct http_client *c = new_client(&plain);
	struct http_call call = {
		.method = "GET", .url = url("http", origin.port, "/big"), .reply_max = 99999
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

/* The head of the request to `arg`, 2048 bytes. */
static void
serve_and_keep(struct stub *s, int fd)
{
	static const char reply[] =
	    "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	char *seen = s->arg;
	size_t n = 0;
	ssize_t got;

	while (strstr(seen, "\r\n\r\n") == NULL && n < 2047 &&
	    (got = read(fd, seen + n, 2047 - n)) > 0) {
		n += (size_t)got;
		seen[n] = '\0';
	}
	(void)!write(fd, reply, sizeof reply - 1);
}

/* What old devices ask, and whether a server needs a Host: for those that look at servers. */
static void
http_1_0_is_spoken_for_one_call_and_host_may_be_left_out(void **state)
{
	static const char *const no_host[] = { "Host:", NULL };
	static const struct {
		bool http10;
		const char *const *headers;
		const char *line;
		bool host;
	} rows[] = { { false, NULL, "GET /x HTTP/1.1\r\n", true },
		{ true, NULL, "GET /x HTTP/1.0\r\n", true },
		{ true, no_host, "GET /x HTTP/1.0\r\n", false },
		{ false, NULL, "GET /x HTTP/1.1\r\n", true } };
	struct http_client *c = new_client(&plain);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct http_call call = {
			.method = "GET", .headers = rows[i].headers, .http10 = rows[i].http10
		};
		struct http_result r;
		struct err err;
		char seen[2048] = "";
		struct stub s;

		stub_start(&s, serve_and_keep, seen);
		call.url = url("http", s.port, "/x");
		assert_int_equal(http_call(c, &call, &r, &err), RC_OK);
		http_result_done(&r);
		stub_stop(&s);
		assert_int_equal(strncmp(seen, rows[i].line, strlen(rows[i].line)), 0);
		assert_int_equal(strstr(seen, "\r\nHost: ") != NULL, rows[i].host);
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
		cmocka_unit_test(http_1_0_is_spoken_for_one_call_and_host_may_be_left_out),
		cmocka_unit_test(urls_that_are_none_or_none_of_ours_are_the_admins_mistake),
		cmocka_unit_test(a_header_of_two_lines_is_refused),
		cmocka_unit_test(a_refused_connection_is_told_without_the_query),
		cmocka_unit_test(time_limits_hold),
		cmocka_unit_test(a_reply_past_the_bound_is_refused),
		cmocka_unit_test(the_bound_is_on_what_unpacks),
		cmocka_unit_test(only_the_last_header_counts_and_a_date_may_say_when_to_retry),
	};

	return cmocka_run_group_tests(tests, origin_start, origin_stop);
}
