/*
 * server_test.c - the server on a real socket: what it answers.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "net.h"
#include "rig.h"

static const struct http_server_conf defaults;

static void
a_request_is_answered_and_the_connection_kept(void **state)
{
	struct rig rig;
	struct reply r;
	int fd, i;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	for (i = 0; i < 3; i++) {
		send_text(
		    fd, "POST http://a/x%20y?q=1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
		read_reply(fd, &r, false);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, "POST /x%20y?q=1 /x y q=1 3 127.0.0.1 1.1 plain\n");
		assert_non_null(strstr(r.head, "\r\nContent-Type: text/plain\r\n"));
		assert_non_null(strstr(r.head, "\r\nDate: "));
		assert_non_null(strstr(r.head, " GMT\r\n"));
		assert_false(r.close);
	}
	close(fd);
	rig_stop(&rig);
}

static void
dates_are_written_in_the_one_form(void **state)
{
	static const struct {
		int64_t t;
		const char *text; /* "": it is no date */
	} rows[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110 5.6.7 */
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ 253402300800, "" },
		{ INT64_MAX, "" },
		{ INT64_MIN, "" },
	};
	char date[HTTP_DATE_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http_date(date, rows[i].t), rows[i].text[0] != '\0');
		assert_string_equal(date, rows[i].text);
	}
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	struct rig rig;
	struct reply r;
	char want[16];
	int fd, i;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	for (i = 0; i < 50; i++) {
		char req[200];

		snprintf(req, sizeof req,
		    i % 2 ? "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n%02d"
			  : "POST /echo HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: chunked\r\n\r\n2\r\n%02d\r\n0\r\n\r\n",
		    i);
		send_text(fd, req);
	}
	for (i = 0; i < 50; i++) {
		read_reply(fd, &r, false);
		assert_int_equal(r.status, 200);
		snprintf(want, sizeof want, "%02d", i);
		assert_string_equal(r.body, want);
	}
	close(fd);
	rig_stop(&rig);
}

static void
http_1_0_is_closed_unless_it_asks_otherwise(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /cgi-bin/pkiclient.exe?operation=GetCACert&message=tp HTTP/1.0\r\n\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_true(r.close);
	assert_true(at_end(fd));
	close(fd);
	fd = dial(rig.port);
	send_text(fd, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	read_reply(fd, &r, false);
	assert_non_null(strstr(r.head, "\r\nConnection: keep-alive\r\n"));
	send_text(fd, "GET /b HTTP/1.0\r\n\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_true(at_end(fd));
	close(fd);
	rig_stop(&rig);
}

static void
head_has_the_length_and_no_body(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "HEAD /big HTTP/1.1\r\n" HOST "\r\nGET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, true);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 8 * MIB);
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	close(fd);
	rig_stop(&rig);
}

static void
expect_100_is_answered_when_the_body_has_not_come(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(
	    fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	read_reply(fd, &r, true);
	assert_int_equal(r.status, 100);
	send_text(fd, "abc");
	read_reply(fd, &r, false);
	assert_string_equal(r.body, "abc");
	/* And not when it has. */
	send_text(fd,
	    "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	/* Nor when it would be too large. */
	send_text(fd,
	    "POST /echo HTTP/1.1\r\n" HOST
	    "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 413);
	close(fd);
	rig_stop(&rig);
}

static void
reply_headers_cannot_be_injected(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /headers HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 429);
	assert_non_null(strstr(r.head, "\r\nX-Good: yes\r\n"));
	assert_null(strstr(r.head, "X-Bad"));
	assert_null(strstr(r.head, "X-Injected"));
	assert_non_null(strstr(r.head, "\r\nRetry-After: 7\r\n"));
	assert_string_equal(r.body, "two lines\n");
	close(fd);
	rig_stop(&rig);
	assert_int_equal(atomic_load(&rig.done_sent), 1);
	assert_int_equal(atomic_load(&rig.done_failed), 0);
}

static void
a_refusal_is_a_line_of_text_and_closes(void **state)
{
	static const struct {
		const char *request;
		int status;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\n" HOST "\r\n", 400 },
		{ "GET /../etc HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		    400 },
		{ "POST / HTTP/1.1\r\n" HOST
		  "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    400 },
		{ "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
	};
	struct rig rig;
	struct reply r;
	size_t i;
	int fd;

	rig_start(&rig, &defaults);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fd = dial(rig.port);
		send_text(fd, rows[i].request);
		read_reply(fd, &r, false);
		assert_int_equal(r.status, rows[i].status);
		assert_non_null(strstr(r.head, "\r\nContent-Type: text/plain\r\n"));
		assert_ptr_equal(strchr(r.body, '\n'), r.body + r.body_len - 1);
		assert_null(strchr(r.body, '<'));
		assert_true(r.close);
		assert_true(at_end(fd));
		assert_int_equal(atomic_load(&rig.refused_status), rows[i].status);
		close(fd);
	}
	rig_stop(&rig);
}

static void
a_busy_port_is_named(void **state)
{
	struct rig rig;
	struct http_server *second;
	struct http_server_conf conf = { .handler = rig_handle };
	char address[32];
	struct err err;

	rig_start(&rig, &defaults);
	assert_int_equal(http_server_new(&second, &conf, &err), RC_OK);
	snprintf(address, sizeof address, "127.0.0.1:%u", rig.port);
	assert_int_equal(http_listen(second, address, NULL, NULL, NULL, &err), RC_IO);
	assert_non_null(strstr(err.msg, address));
	assert_non_null(strstr(err.msg, "port busy"));
	http_server_free(second);
	rig_stop(&rig);
}

static void
addresses_are_checked(void **state)
{
	static const char *const bad[] = { "", "80", ":80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "::1:80", "[::1]", "[::1]80",
		"300.0.0.1:80" };
	static const char *const good[] = { "127.0.0.1:0", "127.0.0.2:0" };
	struct http_server_conf conf = { .handler = rig_handle };
	struct http_server *s;
	struct err err;
	uint16_t port;
	size_t i;

	assert_int_equal(http_server_new(&s, &conf, &err), RC_OK);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(http_listen(s, bad[i], NULL, NULL, &port, &err), RC_CONFIG);
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		port = 0;
		assert_int_equal(http_listen(s, good[i], NULL, NULL, &port, &err), RC_OK);
		assert_true(port > 0);
	}
	http_server_free(s);
}

static void
a_client_that_is_gone_does_no_harm(void **state)
{
	struct rig rig;
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct reply r;
	int fd, i;

	rig_start(&rig, &defaults);
	for (i = 0; i < 20; i++) {
		fd = dial(rig.port);
		send_text(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
	}
	fd = dial(rig.port);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	close(fd);
	rig_stop(&rig);
	/*
	 * Requests whose client was gone before they were read were never handled; each handled one
	 * was told.
	 */
	assert_in_range(atomic_load(&rig.done_failed) + atomic_load(&rig.done_sent), 0, 20);
}

static void
a_half_closed_client_still_gets_its_answer(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	shutdown(fd, SHUT_WR);
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_true(at_end(fd)); /* at once, not after the idle time */
	close(fd);
	fd = dial(rig.port);
	send_text(fd, "GET /close HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, true);
	assert_int_equal(r.status, 204);
	assert_true(at_end(fd));
	close(fd);
	rig_stop(&rig);
}

struct many {
	uint16_t port;
	atomic_int *good;
};

static void *
send_many(void *arg)
{
	struct many *m = arg;
	struct reply r;
	int fd = -1, i;

	for (i = 0; i < 60; i++) {
		if (fd < 0)
			fd = dial(m->port);
		if (i % 10 == 3) {
			send_text(fd, "GET /close HTTP/1.1\r\n" HOST "\r\n");
			read_reply(fd, &r, true);
		} else {
			send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n");
			send_text(fd, "hi");
			read_reply(fd, &r, false);
		}
		atomic_fetch_add(m->good, r.status == 200 || r.status == 204);
		if (r.close) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void
many_clients_on_two_loops_are_all_served(void **state)
{
	struct http_server_conf conf = { .io_threads = 2 };
	atomic_int good = 0;
	struct rig rig;
	struct many m;
	pthread_t t[16];
	int i;

	rig_start(&rig, &conf);
	m = (struct many){ .port = rig.port, .good = &good };
	for (i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&t[i], NULL, send_many, &m), 0);
	for (i = 0; i < 16; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&good), 16 * 60);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_and_the_connection_kept),
		cmocka_unit_test(dates_are_written_in_the_one_form),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(http_1_0_is_closed_unless_it_asks_otherwise),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(expect_100_is_answered_when_the_body_has_not_come),
		cmocka_unit_test(reply_headers_cannot_be_injected),
		cmocka_unit_test(a_refusal_is_a_line_of_text_and_closes),
		cmocka_unit_test(a_busy_port_is_named),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(a_client_that_is_gone_does_no_harm),
		cmocka_unit_test(a_half_closed_client_still_gets_its_answer),
		cmocka_unit_test(many_clients_on_two_loops_are_all_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
