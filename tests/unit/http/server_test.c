/*
 * server_test.c - the server on a real socket: what it answers, when it gives up, and how it ends.
 */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/server.h"
#include "net.h"

struct rig {
	struct http_server *server;
	uint16_t port;
	sem_t entered, go; /* "/hold" posts the first and waits for the second */
	atomic_int done_sent, done_failed, refused_status, refused;
};

static void
on_done(void *arg, bool sent)
{
	struct rig *rig = arg;

	atomic_fetch_add(sent ? &rig->done_sent : &rig->done_failed, 1);
}

static void
answer_echo(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	r->content_type = "application/octet-stream";
	buf_add(&r->body, q->body, q->body_len);
}

static void
answer_about(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	http_reply_text(r, 200, "%s %s %s %s %zu %s 1.%d %s", q->method, q->target, q->path,
	    q->query, q->body_len, q->peer, q->minor, q->tls != NULL ? q->tls : "plain");
}

static void
answer_hold(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	sem_post(&rig->entered);
	while (sem_wait(&rig->go) != 0)
		;
	http_reply_text(r, 200, "held");
}

static void
answer_big(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	uint8_t *p = buf_grow(&r->body, 8 * MIB);

	if (p != NULL)
		memset(p, 'b', 8 * MIB);
	r->on_done = on_done;
	r->on_done_arg = rig;
}

static void
answer_headers(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	http_reply_header(r, "X-Good", "yes");
	http_reply_header(r, "X-Bad", "a\r\nX-Injected: b");
	http_reply_header(r, "X-Bad\r\nX-Injected", "b");
	http_reply_text(r, 429, "two\nlines");
	r->retry_after = 7;
	r->on_done = on_done;
	r->on_done_arg = rig;
}

static void
answer_close(struct rig *rig, const struct http_request *q, struct http_reply *r)
{
	r->status = 204;
	r->close = true;
}

static void
handle(void *ctx, const struct http_request *q, struct http_reply *r)
{
	static const struct {
		const char *path;
		void (*answer)(struct rig *, const struct http_request *, struct http_reply *);
	} routes[] = {
		{ "/echo", answer_echo },
		{ "/hold", answer_hold },
		{ "/big", answer_big },
		{ "/headers", answer_headers },
		{ "/close", answer_close },
	};
	size_t i;

	for (i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(routes[i].path, q->path) == 0) {
			routes[i].answer(ctx, q, r);
			return;
		}
	answer_about(ctx, q, r);
}

static void
on_refused(void *ctx, const char *peer, int status, const char *why)
{
	struct rig *rig = ctx;

	assert_string_equal(peer, "127.0.0.1");
	assert_true(strlen(why) > 0);
	atomic_store(&rig->refused_status, status);
	atomic_fetch_add(&rig->refused, 1);
}

static void
rig_start(struct rig *rig, const struct http_server_conf *conf)
{
	struct http_server_conf c = *conf;
	struct err err;

	memset(rig, 0, sizeof *rig);
	sem_init(&rig->entered, 0, 0);
	sem_init(&rig->go, 0, 0);
	c.handler = handle;
	c.ctx = rig;
	c.on_refused = on_refused;
	assert_int_equal(http_server_new(&rig->server, &c, &err), RC_OK);
	assert_int_equal(
	    http_listen(rig->server, "127.0.0.1:0", NULL, NULL, &rig->port, &err), RC_OK);
	assert_int_equal(http_server_start(rig->server, &err), RC_OK);
}

static void
rig_stop(struct rig *rig)
{
	http_server_free(rig->server);
	sem_destroy(&rig->entered);
	sem_destroy(&rig->go);
}

static void
sem_take(sem_t *s)
{
	while (sem_wait(s) != 0)
		;
}

static const struct http_server_conf defaults;

#define HOST "Host: a\r\n"

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
limits_hold_on_the_wire_too(void **state)
{
	struct rig rig;
	struct reply r;
	char *big = malloc(LIMIT_HTTP_BODY + 1000);
	int fd, extra, n;

	assert_non_null(big);
	rig_start(&rig, &defaults);
	for (extra = 0; extra < 2; extra++) {
		fd = dial(rig.port);
		n = sprintf(big, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n",
		    LIMIT_HTTP_BODY + extra);
		memset(big + n, 'x', LIMIT_HTTP_BODY + extra);
		send_bytes(fd, big, (size_t)n + LIMIT_HTTP_BODY + extra);
		read_reply(fd, &r, false);
		assert_int_equal(r.status, extra ? 413 : 200);
		assert_int_equal(r.body_len, extra ? strlen("body too large\n") : LIMIT_HTTP_BODY);
		close(fd);

		fd = dial(rig.port);
		memcpy(big, "GET /", 5);
		memset(big + 5, 'u', LIMIT_HTTP_URL - 1);
		n = (int)LIMIT_HTTP_URL + 4 + extra;
		big[n - 1] = 'u';
		n += sprintf(big + n, " HTTP/1.1\r\n" HOST "\r\n");
		send_bytes(fd, big, (size_t)n);
		read_reply(fd, &r, false);
		assert_int_equal(r.status, extra ? 414 : 200);
		close(fd);

		fd = dial(rig.port);
		n = sprintf(big, "GET / HTTP/1.1\r\n" HOST "X:");
		memset(big + n, 'h', LIMIT_HTTP_HEADER - 15 + extra);
		n += (int)LIMIT_HTTP_HEADER - 15 + extra;
		n += sprintf(big + n, "\r\n\r\n");
		send_bytes(fd, big, (size_t)n);
		read_reply(fd, &r, false);
		assert_int_equal(r.status, extra ? 431 : 200);
		close(fd);
	}
	rig_stop(&rig);
	free(big);
}

/* One byte every few milliseconds, for ever: an idle limit would never see it, a deadline does. */
static void
drip(uint16_t port, const char *start, int status, int64_t least, int64_t most)
{
	int fd = dial(port), n = 0;
	int64_t begin = now_ms();
	struct reply r;
	char c;

	send_text(fd, start);
	while (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && n++ < 1000) {
		send_text(fd, "x");
		nap_ms(5);
	}
	assert_in_range(now_ms() - begin, least, most);
	read_reply(fd, &r, false);
	assert_int_equal(r.status, status);
	close(fd);
}

static void
a_client_that_drips_is_closed_at_the_deadline(void **state)
{
	struct http_server_conf conf = { .header_ms = 150, .body_ms = 200, .idle_ms = 5000 };
	struct rig rig;

	rig_start(&rig, &conf);
	drip(rig.port, "GET /", 408, 130, 1500);
	drip(rig.port, "GET / HTTP/1.1\r\nX: ", 408, 130, 1500);
	drip(rig.port, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n", 408, 180, 1500);
	assert_int_equal(atomic_load(&rig.refused), 3);
	rig_stop(&rig);
}

static void
a_silent_client_is_closed_without_a_word(void **state)
{
	struct http_server_conf conf = { .idle_ms = 100 };
	struct rig rig;
	struct reply r;
	int64_t begin;
	int fd;

	rig_start(&rig, &conf);
	begin = now_ms();
	fd = dial(rig.port);
	assert_true(at_end(fd));
	assert_in_range(now_ms() - begin, 80, 1500);
	close(fd);
	fd = dial(rig.port);
	send_text(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_true(at_end(fd)); /* idle again */
	close(fd);
	assert_int_equal(atomic_load(&rig.refused), 0);
	rig_stop(&rig);
}

static void
a_client_that_does_not_read_is_closed_at_the_deadline(void **state)
{
	struct http_server_conf conf = { .write_ms = 200 };
	struct rig rig;
	int fd, i;

	rig_start(&rig, &conf);
	fd = dial(rig.port);
	send_text(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	for (i = 0; i < 200 && atomic_load(&rig.done_failed) == 0; i++)
		nap_ms(10);
	assert_int_equal(atomic_load(&rig.done_failed), 1);
	assert_int_equal(atomic_load(&rig.done_sent), 0);
	close(fd);
	rig_stop(&rig);
}

static void
a_large_reply_arrives_whole(void **state)
{
	struct rig rig;
	struct reply r;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	nap_ms(20); /* so that the socket fills */
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 8 * MIB);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	close(fd);
	rig_stop(&rig);
	assert_int_equal(atomic_load(&rig.done_sent), 1);
}

static void
past_the_bound_of_requests_in_flight_503_comes_at_once(void **state)
{
	struct http_server_conf conf = { .in_flight_max = 3, .workers_min = 1 };
	struct rig rig;
	struct http_server_stats st;
	struct reply r;
	int fd[4], i;

	rig_start(&rig, &conf);
	for (i = 0; i < 4; i++)
		fd[i] = dial(rig.port);
	for (i = 0; i < 3; i++) {
		send_text(fd[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
		sem_take(&rig.entered);
	}
	send_text(fd[3], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd[3], &r, false);
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.head, "\r\nRetry-After: "));
	assert_false(r.close);
	http_server_stats(rig.server, &st);
	assert_int_equal(st.in_flight, 3);
	assert_int_equal(st.connections, 4);
	assert_int_equal(st.requests, 3);
	assert_int_equal(st.refused, 1);
	assert_true(st.workers >= 3);
	for (i = 0; i < 3; i++)
		sem_post(&rig.go);
	for (i = 0; i < 3; i++) {
		read_reply(fd[i], &r, false);
		assert_int_equal(r.status, 200);
	}
	send_text(fd[3], "GET /a HTTP/1.1\r\n" HOST "\r\n"); /* the refused one may try again */
	read_reply(fd[3], &r, false);
	assert_int_equal(r.status, 200);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	rig_stop(&rig);
}

static void
past_the_bound_of_connections_the_newest_is_closed(void **state)
{
	struct http_server_conf conf = { .connections_max = 2 };
	struct rig rig;
	struct reply r;
	int fd[3], i;

	rig_start(&rig, &conf);
	for (i = 0; i < 2; i++) {
		fd[i] = dial(rig.port);
		send_text(fd[i], "GET /a HTTP/1.1\r\n" HOST "\r\n");
		read_reply(fd[i], &r, false);
		assert_int_equal(r.status, 200);
	}
	fd[2] = dial(rig.port);
	assert_true(at_end(fd[2]));
	send_text(fd[0], "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd[0], &r, false);
	assert_int_equal(r.status, 200);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	rig_stop(&rig);
}

static void *
stop_server(void *arg)
{
	struct rig *rig = arg;

	http_server_stop(rig->server, 5000);
	return NULL;
}

static void
draining_finishes_what_is_in_flight_and_takes_nothing_new(void **state)
{
	struct http_server_conf conf = { .workers_min = 1 };
	struct rig rig;
	struct reply r;
	pthread_t t;
	int held, half, idle;

	rig_start(&rig, &conf);
	idle = dial(rig.port);
	held = dial(rig.port);
	half = dial(rig.port);
	send_text(half, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	send_text(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	sem_take(&rig.entered);
	nap_ms(20); /* so that the half request is in */
	assert_int_equal(pthread_create(&t, NULL, stop_server, &rig), 0);
	assert_true(at_end(idle));
	send_text(half, "bc");
	read_reply(half, &r, false);
	assert_int_equal(r.status, 200);
	assert_true(r.close);
	sem_post(&rig.go);
	read_reply(held, &r, false);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "held\n");
	assert_true(r.close);
	pthread_join(t, NULL);
	close(idle);
	close(half);
	close(held);
	rig_stop(&rig);
}

static void
the_grace_time_of_draining_ends(void **state)
{
	struct rig rig;
	int64_t begin;
	int fd;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	nap_ms(20);
	begin = now_ms();
	http_server_stop(rig.server, 100);
	assert_in_range(now_ms() - begin, 90, 1500);
	assert_true(at_end(fd));
	close(fd);
	rig_stop(&rig);
}

static void
a_busy_port_is_named(void **state)
{
	struct rig rig;
	struct http_server *second;
	struct http_server_conf conf = { .handler = handle };
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
	static const char *const good[] = { "127.0.0.1:0", "*:0", "localhost:0" };
	struct http_server_conf conf = { .handler = handle };
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

/* With no descriptor left accept() fails and the socket stays readable: that must cost next to
 * nothing, and end by itself. */
static void
running_out_of_descriptors_does_not_spin(void **state)
{
	struct rig rig;
	struct rlimit old, low;
	struct rusage before, after;
	struct reply r;
	int fd, spare;
	int64_t ms;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	close(fd);
	nap_ms(50);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	spare = dup(0);
	close(spare);
	low = old;
	low.rlim_cur = (rlim_t)spare + 1; /* room for the client's end only */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	fd = dial(rig.port);
	getrusage(RUSAGE_SELF, &before);
	nap_ms(300);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	ms = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
		 before.ru_stime.tv_sec) *
		1000 +
	    (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
		before.ru_stime.tv_usec) /
		1000;
	assert_in_range(ms, 0, 100);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	assert_int_equal(r.status, 200);
	close(fd);
	rig_stop(&rig);
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
	/* Requests whose client was gone before they were read were never handled; each handled one
	 * was told. */
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
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(http_1_0_is_closed_unless_it_asks_otherwise),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(expect_100_is_answered_when_the_body_has_not_come),
		cmocka_unit_test(reply_headers_cannot_be_injected),
		cmocka_unit_test(a_refusal_is_a_line_of_text_and_closes),
		cmocka_unit_test(limits_hold_on_the_wire_too),
		cmocka_unit_test(a_client_that_drips_is_closed_at_the_deadline),
		cmocka_unit_test(a_silent_client_is_closed_without_a_word),
		cmocka_unit_test(a_client_that_does_not_read_is_closed_at_the_deadline),
		cmocka_unit_test(a_large_reply_arrives_whole),
		cmocka_unit_test(past_the_bound_of_requests_in_flight_503_comes_at_once),
		cmocka_unit_test(past_the_bound_of_connections_the_newest_is_closed),
		cmocka_unit_test(draining_finishes_what_is_in_flight_and_takes_nothing_new),
		cmocka_unit_test(the_grace_time_of_draining_ends),
		cmocka_unit_test(a_busy_port_is_named),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(running_out_of_descriptors_does_not_spin),
		cmocka_unit_test(a_client_that_is_gone_does_no_harm),
		cmocka_unit_test(a_half_closed_client_still_gets_its_answer),
		cmocka_unit_test(many_clients_on_two_loops_are_all_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
