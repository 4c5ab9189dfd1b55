/*
 * server_trouble_test.c - replies that go wrong on purpose, seen from the socket.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"
#include "http/server.h"
#include "net.h"

#define BODY "0123456789abcdefghijklmnopqrstuvwxyz"
#define GET  "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct http_server *server;
static uint16_t port, tls_port;
static struct tls_ctx *ctx;
static struct cert_dir cert;
/* What the next reply suffers. */
static pthread_mutex_t want_lock = PTHREAD_MUTEX_INITIALIZER;
static struct http_trouble want;

static void
set_want(const struct http_trouble *t)
{
	pthread_mutex_lock(&want_lock);
	want = *t;
	pthread_mutex_unlock(&want_lock);
}

static void
handle(void *arg, const struct http_request *q, struct http_reply *r)
{
	buf_adds(&r->body, BODY);
	r->content_type = "text/plain";
	if (strcmp(q->path, "/well") == 0)
		return;
	pthread_mutex_lock(&want_lock);
	r->trouble = want;
	pthread_mutex_unlock(&want_lock);
}

static int
set_up(void **state)
{
	struct http_server_conf conf = { .handler = handle, .write_ms = 120000 };
	struct err err;

	cert_dir_make(&cert);
	assert_int_equal(tls_ctx_server(&ctx, cert.cert, cert.key, &err), RC_OK);
	assert_int_equal(http_server_new(&server, &conf, &err), RC_OK);
	assert_int_equal(http_listen(server, "127.0.0.1:0", NULL, NULL, &port, &err), RC_OK);
	assert_int_equal(http_listen(server, "127.0.0.1:0", ctx, NULL, &tls_port, &err), RC_OK);
	assert_int_equal(http_server_start(server, &err), RC_OK);
	return 0;
}

static int
tear_down(void **state)
{
	http_server_stop(server, 500);
	http_server_free(server);
	tls_ctx_free(ctx);
	cert_dir_remove(&cert);
	return 0;
}

static int
ask(const struct http_trouble *t)
{
	int fd = dial(port);

	set_want(t);
	send_text(fd, GET);
	return fd;
}

/* What stays the same however slowly it comes. */
static void
expect_whole(int fd)
{
	struct reply r;

	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, BODY);
	assert_false(r.close);
	/* And the connection is as good as any. */
	send_text(fd, "GET /well HTTP/1.1\r\nHost: a\r\n\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	close(fd);
}

static void
late_reply_is_whole(void **state)
{
	int64_t began = now_ms();
	int fd = ask(&(struct http_trouble){ .wait_ms = 150 });

	expect_whole(fd);
	assert_true(now_ms() - began >= 150);
}

static void
reply_in_drips_is_whole(void **state)
{
	int64_t began = now_ms();
	int fd = ask(&(struct http_trouble){ .piece = 10, .piece_ms = 5 });

	expect_whole(fd);
	/* More than 100 bytes: at least ten pauses. */
	assert_true(now_ms() - began >= 50);
	expect_whole(ask(&(struct http_trouble){ .piece = 1 }));
}

/* Two requests in one write: the second is not lost while the first one's reply drips. */
static void
pipelined_request_waits_for_the_drips(void **state)
{
	int fd = dial(port);
	struct reply r;

	set_want(&(struct http_trouble){ .piece = 40, .piece_ms = 2 });
	send_text(fd, GET GET);
	for (int i = 0; i < 2; i++) {
		read_reply(fd, &r, false);
		assert_string_equal(r.body, BODY);
	}
	close(fd);
}

static void
cut_reply_ends_in_the_middle(void **state)
{
	int fd = ask(&(struct http_trouble){ .end = HTTP_END_CUT, .percent = 90 });
	char text[1024];
	size_t n = read_all(fd, text, sizeof text);

	assert_true(n > 0);
	assert_non_null(strstr(text, "\r\n\r\n0123"));
	assert_null(strstr(text, BODY));
	close(fd);
	fd = ask(&(struct http_trouble){ .end = HTTP_END_CUT });
	assert_true(at_end(fd));
	close(fd);
}

static void
reset_reply_is_a_reset(void **state)
{
	int fd = ask(&(struct http_trouble){ .end = HTTP_END_RESET });
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

static void
stalled_reply_stops_and_is_closed_at_its_limit(void **state)
{
	int64_t began = now_ms();
	int fd =
	    ask(&(struct http_trouble){ .end = HTTP_END_STALL, .percent = 50, .limit_ms = 300 });
	char text[1024];

	assert_true(read_all(fd, text, sizeof text) > 0);
	assert_null(strstr(text, BODY));
	assert_true(now_ms() - began >= 250);
	close(fd);
}

static unsigned
connections(void)
{
	struct http_server_stats stats;

	http_server_stats(server, &stats);
	return stats.connections;
}

static void
stalled_reply_ends_when_its_peer_leaves(void **state)
{
	struct linger now = { .l_onoff = 1 };

	for (int reset = 0; reset < 2; reset++) {
		int fd = ask(&(struct http_trouble){
		    .end = HTTP_END_STALL, .percent = 50, .limit_ms = 600000 });
		char byte;

		assert_int_equal(recv(fd, &byte, 1, 0), 1);
		if (reset)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close(fd);
		/* Ends by itself, or the test's own time limit says so. */
		while (connections() > 0)
			nap_ms(5);
	}
}

static void
waiting_replies_hold_no_worker_and_do_not_outlive_the_server(void **state)
{
	struct http_server_conf conf = { .handler = handle, .workers_max = 1, .workers_min = 1 };
	struct http_server *s;
	struct err err;
	struct reply r;
	uint16_t p;
	int fd[8];

	set_want(&(struct http_trouble){ .wait_ms = 600000, .limit_ms = 600000 });
	assert_int_equal(http_server_new(&s, &conf, &err), RC_OK);
	assert_int_equal(http_listen(s, "127.0.0.1:0", NULL, NULL, &p, &err), RC_OK);
	assert_int_equal(http_server_start(s, &err), RC_OK);
	for (int i = 0; i < 8; i++) {
		fd[i] = dial(p);
		send_text(fd[i], i < 7 ? GET : "GET /well HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	read_reply(fd[7], &r, false);
	assert_int_equal(r.status, 200);
	http_server_stop(s, 50);
	http_server_free(s);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
}

static void
chunked_reply_is_whole(void **state)
{
	static const size_t sizes[] = { 1, 7, 36, 1000 };
	struct http_client_conf conf = { 0 };
	struct http_client *client;
	struct http_result result;
	struct err err;
	char url[64], head[4096];
	int fd;

	assert_int_equal(http_client_new(&client, &conf, &err), RC_OK);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
	for (size_t i = 0; i < 4; i++) {
		set_want(&(struct http_trouble){ .chunk = sizes[i], .piece = i == 1 ? 1 : 0 });
		assert_int_equal(
		    http_call(
			client, &(struct http_call){ .method = "GET", .url = url }, &result, &err),
		    RC_OK);
		assert_int_equal(result.body.len, strlen(BODY));
		assert_memory_equal(result.body.data, BODY, strlen(BODY));
		http_result_done(&result);
	}
	http_client_free(client);
	fd = ask(&(struct http_trouble){ .chunk = 16 });
	assert_true(recv(fd, head, sizeof head - 1, 0) > 0);
	assert_non_null(strstr(head, "\r\nTransfer-Encoding: chunked\r\n"));
	assert_null(strstr(head, "Content-Length"));
	close(fd);
	/* HTTP/1.0 knows no chunks. */
	fd = dial(port);
	send_text(fd, "GET / HTTP/1.0\r\n\r\n");
	memset(head, 0, sizeof head);
	read_all(fd, head, sizeof head);
	assert_non_null(strstr(head, "\r\nContent-Length: 36\r\n"));
	close(fd);
}

static void
date_is_as_far_off_as_wanted(void **state)
{
	struct reply now, then;
	int fd = ask(&(struct http_trouble){ .date_offset = -400 * 86400 });

	read_reply(fd, &then, false);
	send_text(fd, "GET /well HTTP/1.1\r\nHost: a\r\n\r\n");
	read_reply(fd, &now, false);
	/* "Sat, 21 Nov 2026 09:10:11 GMT": the years differ. */
	assert_int_not_equal(
	    strncmp(strstr(now.head, "Date: ") + 18, strstr(then.head, "Date: ") + 18, 4), 0);
	close(fd);
}

/* Every kind over TLS too: the client sees an error or the whole body, never half of one as good. */
static void
over_tls_half_a_reply_is_never_taken_for_one(void **state)
{
	static const struct {
		struct http_trouble t;
		bool whole;
	} rows[] = {
		{ { .wait_ms = 20 }, true },
		{ { .piece = 7 }, true },
		{ { .piece = 50, .piece_ms = 1 }, true },
		{ { .chunk = 5 }, true },
		{ { .end = HTTP_END_CUT, .percent = 90 }, false },
		{ { .end = HTTP_END_RESET, .percent = 90 }, false },
		{ { .end = HTTP_END_RESET }, false },
		{ { .end = HTTP_END_STALL, .percent = 90, .limit_ms = 100 }, false },
	};
	struct http_client_conf conf = { .ca_file = cert.cert };
	struct http_client *client;
	struct http_result result;
	struct err err;
	char url[64];

	assert_int_equal(http_client_new(&client, &conf, &err), RC_OK);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", tls_port);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum rc rc;

		set_want(&rows[i].t);
		rc = http_call(
		    client, &(struct http_call){ .method = "GET", .url = url }, &result, &err);
		if ((rc == RC_OK) != rows[i].whole)
			print_error("row %zu: %s\n", i, rc == RC_OK ? "taken" : err.msg);
		assert_true((rc == RC_OK) == rows[i].whole);
		if (rc == RC_OK)
			assert_int_equal(result.body.len, strlen(BODY));
		http_result_done(&result);
	}
	http_client_free(client);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_reply_is_whole),
		cmocka_unit_test(reply_in_drips_is_whole),
		cmocka_unit_test(pipelined_request_waits_for_the_drips),
		cmocka_unit_test(cut_reply_ends_in_the_middle),
		cmocka_unit_test(reset_reply_is_a_reset),
		cmocka_unit_test(stalled_reply_stops_and_is_closed_at_its_limit),
		cmocka_unit_test(stalled_reply_ends_when_its_peer_leaves),
		cmocka_unit_test(waiting_replies_hold_no_worker_and_do_not_outlive_the_server),
		cmocka_unit_test(chunked_reply_is_whole),
		cmocka_unit_test(date_is_as_far_off_as_wanted),
		cmocka_unit_test(over_tls_half_a_reply_is_never_taken_for_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
