/*
 * server_limit_test.c - the bounds of the server: sizes, times, numbers, and how it ends.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "net.h"
#include "rig.h"

#define BUSY_MS 60000 /* what a busy machine may need for anything: the least is what counts */

static const struct http_server_conf defaults;

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
	while (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && n++ < 12000) {
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
	struct http_server_conf conf = { .header_ms = 150, .body_ms = 200, .idle_ms = 600000 };
	struct rig rig;

	rig_start(&rig, &conf);
	drip(rig.port, "GET /", 408, 130, BUSY_MS);
	drip(rig.port, "GET / HTTP/1.1\r\nX: ", 408, 130, BUSY_MS);
	drip(rig.port, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n", 408, 180,
	    BUSY_MS);
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
	assert_in_range(now_ms() - begin, 80, BUSY_MS);
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
	for (i = 0; i < 3000 && atomic_load(&rig.done_failed) == 0; i++)
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

/* Answers from the I/O thread must not become a way to keep it from the others. */
static void
a_flood_past_the_bound_is_cut_off(void **state)
{
	struct http_server_conf conf = { .in_flight_max = 1 };
	struct rig rig;
	struct reply r;
	int held, flood;

	rig_start(&rig, &conf);
	held = dial(rig.port);
	flood = dial(rig.port);
	send_text(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	sem_take(&rig.entered);
	send_text(flood,
	    "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\nGET /3 HTTP/1.1\r\n" HOST
	    "\r\n");
	read_reply(flood, &r, false);
	assert_int_equal(r.status, 503);
	assert_true(r.close);
	assert_true(at_end(flood));
	sem_post(&rig.go);
	read_reply(held, &r, false);
	assert_int_equal(r.status, 200);
	close(held);
	close(flood);
	rig_stop(&rig);
}

/* Each sends nearly all of a body and then waits: together they must not take more than the bound.
 */
static void
unfinished_bodies_are_bounded_together(void **state)
{
	enum { N = 300, BODY = 64 * 1024 };
	struct http_server_conf conf = { .body_max = BODY, .body_ms = 300000 };
	static char part[BODY - 1];
	char head[100];
	struct rig rig;
	struct reply r;
	int fd[N], i, refused;

	rig_start(&rig, &conf);
	snprintf(
	    head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", BODY);
	for (i = 0; i < N; i++) {
		fd[i] = dial(rig.port);
		send_text(fd[i], head);
		send_bytes(fd[i], part, sizeof part);
	}
	for (i = 0; i < 3000 && atomic_load(&rig.refused) == 0; i++)
		nap_ms(10);
	refused = atomic_load(&rig.refused);
	assert_in_range(refused, 1, N / 2);
	assert_int_equal(atomic_load(&rig.refused_status), 503);
	i = dial(rig.port); /* small requests need none of it */
	send_text(i, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(i, &r, false);
	assert_int_equal(r.status, 200);
	close(i);
	send_bytes(fd[0], part, 1);
	read_reply(fd[0], &r, false);
	assert_int_equal(r.status, 200);
	for (i = 0; i < N; i++)
		close(fd[i]);
	rig_stop(&rig);
}

/* The loop may end before it has seen that the listeners are to go: freeing them must take them out of it. */
static void
a_server_that_stops_at_once_leaves_no_listener_in_its_loop(void **state)
{
	struct http_server_conf conf = { 0 };
	struct rig rig;

	for (int i = 0; i < 200; i++) {
		rig_start(&rig, &conf);
		rig_stop(&rig);
	}
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

	http_server_stop(rig->server, BUSY_MS);
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
	half = dial(rig.port);
	send_text(half, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	/* Later, on the same thread: when this one is in, so is the half. */
	held = dial(rig.port);
	send_text(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	sem_take(&rig.entered);
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
	struct reply r;
	int64_t begin;
	int fd, later;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	later = dial(rig.port); /* when this is answered, the half request is in */
	send_text(later, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(later, &r, false);
	assert_int_equal(r.status, 200);
	close(later);
	begin = now_ms();
	http_server_stop(rig.server, 100);
	assert_in_range(now_ms() - begin, 90, BUSY_MS);
	assert_true(at_end(fd));
	close(fd);
	rig_stop(&rig);
}

/*
 * With no descriptor left accept() fails and the socket stays readable: that must cost next to
 * nothing, and end by itself.
 */
static void
running_out_of_descriptors_does_not_spin(void **state)
{
	struct rig rig;
	struct rlimit old, low;
	struct rusage before, after;
	struct http_server_stats st;
	struct reply r;
	int fd, spare;
	int64_t ms;

	rig_start(&rig, &defaults);
	fd = dial(rig.port);
	send_text(fd, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, false);
	close(fd);
	do {
		nap_ms(5);
		http_server_stats(rig.server, &st);
	} while (st.connections > 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold_on_the_wire_too),
		cmocka_unit_test(a_client_that_drips_is_closed_at_the_deadline),
		cmocka_unit_test(a_silent_client_is_closed_without_a_word),
		cmocka_unit_test(a_client_that_does_not_read_is_closed_at_the_deadline),
		cmocka_unit_test(a_large_reply_arrives_whole),
		cmocka_unit_test(past_the_bound_of_requests_in_flight_503_comes_at_once),
		cmocka_unit_test(a_flood_past_the_bound_is_cut_off),
		cmocka_unit_test(unfinished_bodies_are_bounded_together),
		cmocka_unit_test(a_server_that_stops_at_once_leaves_no_listener_in_its_loop),
		cmocka_unit_test(past_the_bound_of_connections_the_newest_is_closed),
		cmocka_unit_test(draining_finishes_what_is_in_flight_and_takes_nothing_new),
		cmocka_unit_test(the_grace_time_of_draining_ends),
		cmocka_unit_test(running_out_of_descriptors_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
