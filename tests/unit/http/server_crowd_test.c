/*
 * server_crowd_test.c - many hosts at one server: what one may take, and that the others are served. Hosts
 * are addresses of 127.0.0.0/8.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/limits.h"
#include "net.h"
#include "rig.h"

struct crowd {
	struct http_server *server;
	uint16_t port;
	sem_t entered, go;
	struct http_shared *shared;
	atomic_int lines, last_status;
	atomic_ullong unsaid;
};

/* /hold, /bad (refused at some cost), /good, /shared; what is dear is not done for who is over. */
static void
handle(void *ctx, const struct http_request *q, struct http_reply *r)
{
	struct crowd *c = ctx;

	if (strcmp(q->path, "/hold") == 0) {
		sem_post(&c->entered);
		sem_take(&c->go);
	}
	if (strcmp(q->path, "/shared") == 0) {
		http_reply_share(r, c->shared);
		return;
	}
	if (q->over && strcmp(q->path, "/cheap") != 0) {
		http_reply_over(r);
		return;
	}
	http_reply_text(r, 200, "%s", q->peer);
	if (strcmp(q->path, "/bad") == 0)
		r->blame = HTTP_BLAME_DEAR;
	if (strcmp(q->path, "/good") == 0)
		r->blame = HTTP_BLAME_CREDIT;
}

static void
on_refused(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid)
{
	struct crowd *c = ctx;

	assert_true(strncmp(peer, "127.0.0.", 8) == 0 || strcmp(peer, "192.0.2.9") == 0);
	assert_true(strlen(why) > 0);
	atomic_fetch_add(&c->lines, 1);
	atomic_fetch_add(&c->unsaid, unsaid);
	atomic_store(&c->last_status, status);
}

static void
open_crowd(struct crowd *c, const struct http_server_conf *conf)
{
	struct http_server_conf hc = *conf;
	struct err err;

	memset(c, 0, sizeof *c);
	sem_init(&c->entered, 0, 0);
	sem_init(&c->go, 0, 0);
	hc.handler = handle;
	hc.ctx = c;
	hc.on_refused = on_refused;
	assert_int_equal(http_server_new(&c->server, &hc, &err), RC_OK);
	assert_int_equal(http_listen(c->server, "127.0.0.1:0", NULL, NULL, &c->port, &err), RC_OK);
	assert_int_equal(http_server_start(c->server, &err), RC_OK);
}

static void
close_crowd(struct crowd *c)
{
	http_server_stop(c->server, 0);
	http_server_free(c->server);
	http_shared_free(c->shared);
	sem_destroy(&c->entered);
	sem_destroy(&c->go);
}

/* From 127.0.0.`host`. */
static int
dial_from(const struct crowd *c, unsigned host)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval t = { .tv_sec = 120 }; /* for what hangs */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static int
ask(int fd, const char *path)
{
	struct reply r;

	(void)dprintf(fd, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
	read_reply(fd, &r, false);
	return r.status;
}

static void
hold(struct crowd *c, int fd)
{
	send_text(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	sem_take(&c->entered);
}

static void
one_address_may_have_its_share_of_connections(void **state)
{
	struct http_server_conf conf = { .connections_max = 8, .address_share = 50 };
	struct http_server_stats st;
	struct crowd c;
	int fd[5], other;

	open_crowd(&c, &conf);
	for (int i = 0; i < 5; i++)
		fd[i] = dial_from(&c, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(fd[i], "/"), 200);
	assert_true(at_end(fd[4]));
	other = dial_from(&c, 3);
	assert_int_equal(ask(other, "/"), 200);
	http_server_stats(c.server, &st);
	assert_int_equal(st.crowded, 1);
	assert_int_equal(st.connections, 5);
	assert_int_equal(st.addresses, 2);
	for (int i = 0; i < 5; i++)
		close(fd[i]);
	close(other);
	close_crowd(&c);
}

static void
one_address_may_have_its_share_of_requests_in_flight(void **state)
{
	struct http_server_conf conf = {
		.in_flight_max = 4, .address_share = 50, .workers_min = 1
	};
	struct crowd c;
	int fd[3], other;

	open_crowd(&c, &conf);
	for (int i = 0; i < 3; i++)
		fd[i] = dial_from(&c, 2);
	hold(&c, fd[0]);
	hold(&c, fd[1]);
	assert_int_equal(ask(fd[2], "/"), 429);
	assert_int_equal(atomic_load(&c.last_status), 429);
	other = dial_from(&c, 3);
	assert_int_equal(ask(other, "/"), 200);
	sem_post(&c.go);
	sem_post(&c.go);
	for (int i = 0; i < 2; i++) {
		struct reply r;

		read_reply(fd[i], &r, false);
		assert_int_equal(r.status, 200);
	}
	assert_int_equal(ask(fd[2], "/"), 200); /* its turn */
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	close(other);
	close_crowd(&c);
}

/* Two hosts with half of it each could hold everything: the last quarter is not for them. */
static void
the_last_quarter_in_flight_is_for_the_modest(void **state)
{
	struct http_server_conf conf = {
		.in_flight_max = 8, .address_share = 50, .workers_min = 1
	};
	struct crowd c;
	struct reply r;
	int fd[6], late, other;

	open_crowd(&c, &conf);
	for (int i = 0; i < 6; i++) {
		fd[i] = dial_from(&c, 2 + (unsigned)i % 2);
		hold(&c, fd[i]);
	}
	late = dial_from(&c, 2);
	assert_int_equal(ask(late, "/"), 503);
	other = dial_from(&c, 4);
	assert_int_equal(ask(other, "/"), 200);
	for (int i = 0; i < 6; i++)
		sem_post(&c.go);
	for (int i = 0; i < 6; i++) {
		read_reply(fd[i], &r, false);
		assert_int_equal(r.status, 200);
		close(fd[i]);
	}
	close(late);
	close(other);
	close_crowd(&c);
}

/* How many the server has closed. */
static int
n_ended(const int *fd, int n)
{
	int ended = 0;

	for (int i = 0; i < n; i++)
		ended += recv(fd[i], &(char){ 0 }, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
	return ended;
}

/* Where all connections are taken, whoever has most of them gives one up, until they are even. */
static void
whoever_has_most_makes_room(void **state)
{
	struct http_server_conf conf = { .connections_max = 6 };
	struct crowd c;
	struct reply r;
	int many[6], few[3], late, closed = 0;

	open_crowd(&c, &conf);
	for (int i = 0; i < 6; i++)
		many[i] = dial_from(&c, 2);
	for (int i = 1; i < 6; i++)
		assert_int_equal(ask(many[i], "/"), 200);
	hold(&c, many[0]); /* is worked on: not this one */
	for (int i = 0; i < 3; i++) {
		few[i] = dial_from(&c, 3);
		assert_int_equal(ask(few[i], "/"), 200);
	}
	/* The end of a connection may come later than an answer on another. */
	for (int i = 0; i < 12000 && (closed = n_ended(many + 1, 5)) < 3; i++)
		nap_ms(5);
	assert_int_equal(closed, 3);
	late = dial_from(&c, 2); /* would be its fourth, where the other has three */
	assert_true(at_end(late));
	close(late);
	late = dial_from(&c, 4);
	assert_int_equal(ask(late, "/"), 200);
	sem_post(&c.go);
	read_reply(many[0], &r, false);
	assert_int_equal(r.status, 200);
	for (int i = 0; i < 6; i++)
		close(many[i]);
	for (int i = 0; i < 3; i++)
		close(few[i]);
	close(late);
	close_crowd(&c);
}

/* A host that holds half of what is sent, again and again, and one honest request. */
static void
silent_connections_do_not_keep_others_out(void **state)
{
	struct http_server_conf conf = { .connections_max = 50, .address_share = 50 };
	struct crowd c;
	int flood[60], honest;

	open_crowd(&c, &conf);
	for (int i = 0; i < 60; i++) /* two hosts fill it */
		flood[i] = dial_from(&c, 2 + (unsigned)i % 2);
	for (unsigned i = 0; i < 20; i++) {
		honest = dial_from(&c, 10 + i);
		assert_int_equal(ask(honest, "/"), 200);
		close(honest);
	}
	for (int i = 0; i < 60; i++)
		close(flood[i]);
	close_crowd(&c);
}

/* As many refusals, of `max` a minute, as were forgiven since `begin`: a busy machine takes its time. */
static int
n_forgiven(int64_t begin, int max)
{
	return (int)((now_ms() - begin) * max / 60000) + 1;
}

static void
who_is_refused_too_often_is_answered_429_and_no_one_else(void **state)
{
	struct http_server_conf conf = { .refusals_max = 5 };
	struct http_server_stats st;
	struct crowd c;
	struct reply r;
	int bad, good, n = 0;
	int64_t begin = now_ms();

	open_crowd(&c, &conf);
	bad = dial_from(&c, 2);
	good = dial_from(&c, 3);
	while ((r.status = ask(bad, "/bad")) == 200)
		n++;
	assert_int_equal(r.status, 429);
	assert_in_range(n, 5, 5 + n_forgiven(begin, 5));
	send_text(bad, "GET /good HTTP/1.1\r\n" HOST "\r\n");
	read_reply(bad, &r, false);
	assert_int_equal(r.status, 429);
	assert_non_null(strstr(r.head, "\r\nRetry-After: 30\r\n"));
	assert_int_equal(ask(bad, "/cheap"), 200); /* what costs nothing is answered */
	for (int i = 0; i < 30; i++) {
		assert_int_equal(ask(good, "/good"), 200);
		assert_int_equal(ask(good, "/bad"), 200);
	}
	http_server_stats(c.server, &st);
	assert_int_equal(st.over, 2);
	close(bad);
	close(good);
	close_crowd(&c);
}

static void
rubbish_counts_a_tenth_and_the_log_is_spared(void **state)
{
	struct http_server_conf conf = { .refusals_max = 5 };
	struct crowd c;
	struct reply r;
	int64_t begin = now_ms();
	int fd;

	open_crowd(&c, &conf);
	for (int i = 0; i < 50 + n_forgiven(begin, 50); i++) {
		fd = dial_from(&c, 2);
		send_text(fd, "rubbish\r\n\r\n");
		read_reply(fd, &r, false);
		assert_int_equal(r.status, 400);
		close(fd);
	}
	fd = dial_from(&c, 2);
	assert_int_equal(ask(fd, "/good"), 429);
	close(fd);
	assert_int_equal(atomic_load(&c.lines), 20);
	close_crowd(&c);
}

static int
ask_for(int fd, const char *path, const char *client)
{
	struct reply r;

	(void)dprintf(fd, "GET %s HTTP/1.1\r\n" HOST "X-Forwarded-For: %s\r\n\r\n", path, client);
	read_reply(fd, &r, false);
	return r.status;
}

/* S31: the header counts from a proxy that is named, and is nothing from anybody else. */
static void
test_S31_forwarded_for_counts_from_trusted_proxies_alone(void **state)
{
	struct net proxy;
	struct http_server_conf conf = { .refusals_max = 3,
		.connections_max = 4,
		.address_share = 25,
		.trusted = &proxy,
		.n_trusted = 1 };
	struct crowd c;
	struct reply r;
	struct err err;
	int fd[2], stranger;

	assert_int_equal(net_parse(&proxy, "127.0.0.2/32", &err), RC_OK);
	open_crowd(&c, &conf);
	for (int i = 0; i < 2; i++) /* a share of 1 is not the proxy's */
		fd[i] = dial_from(&c, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_for(fd[i % 2], "/bad", "192.0.2.9"), 200);
	assert_int_equal(ask_for(fd[0], "/bad", "192.0.2.9"), 429);
	assert_int_equal(ask_for(fd[0], "/good", "192.0.2.10"), 200);
	assert_int_equal(ask_for(fd[1], "/good", "192.0.2.9, 192.0.2.11"), 200);

	stranger = dial_from(&c, 3);
	(void)dprintf(stranger, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.10\r\n\r\n");
	read_reply(stranger, &r, false);
	assert_string_equal(r.body, "127.0.0.3\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_for(stranger, "/bad", "192.0.2.77"), 200);
	assert_int_equal(ask_for(stranger, "/bad", "192.0.2.78"), 429);
	close(fd[0]);
	close(fd[1]);
	close(stranger);
	close_crowd(&c);
}

/* Buffers for bodies: 256 MiB for all, and no address may have all of it. */
static void
memory_for_bodies_is_shared_too(void **state)
{
	struct http_server_conf conf = {
		.address_share = 1, .body_max = 1 * MIB, .body_ms = 300000
	};
	struct pollfd answer[4];
	struct crowd c;
	struct reply r;
	char *half = malloc(MIB - 1);
	int fd[4], other, refused = 0;

	assert_non_null(half);
	memset(half, 'x', MIB - 1);
	open_crowd(&c, &conf);
	for (int i = 0; i < 4; i++) { /* 1 %: 2.56 MiB */
		fd[i] = dial_from(&c, 2);
		(void)dprintf(
		    fd[i], "POST / HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n", 1 * MIB);
		send_bytes(fd[i], half, MIB - 1);
		answer[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	}
	/* None of them is whole, so what is answered is refused; and one is, once the server has read so far. */
	assert_in_range(poll(answer, 4, 120000), 1, 3);
	for (int i = 0; i < 4; i++) {
		send_bytes(fd[i], half, 1);
		read_reply(fd[i], &r, false);
		refused += r.status == 503;
	}
	assert_in_range(refused, 1, 3);
	other = dial_from(&c, 3);
	(void)dprintf(other, "POST / HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n", MIB - 1);
	send_bytes(other, half, MIB - 1);
	read_reply(other, &r, false);
	assert_int_equal(r.status, 200);
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	close(other);
	free(half);
	close_crowd(&c);
}

static void
many_slow_readers_share_one_body(void **state)
{
	struct http_server_conf conf = { .workers_min = 1, .write_ms = 300000 };
	struct crowd c;
	struct reply r;
	struct buf b;
	uint8_t *p, first;
	int fd[40];

	open_crowd(&c, &conf);
	buf_init(&b, 16 * MIB);
	p = buf_grow(&b, 16 * MIB);
	assert_non_null(p);
	memset(p, 's', 16 * MIB);
	c.shared = http_shared_new(&b);
	assert_non_null(c.shared);
	for (int i = 0; i < 40; i++) {
		fd[i] = dial_from(&c, 2);
		send_text(fd[i], "GET /shared HTTP/1.1\r\n" HOST "\r\n");
	}
	/* Each has a reference when its answer has begun. */
	for (int i = 0; i < 40; i++)
		assert_int_equal(recv(fd[i], &first, 1, MSG_PEEK), 1);
	/* the server lets go of it meanwhile, as when a new list is made */
	read_reply(fd[0], &r, false);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 16 * MIB);
	http_shared_free(c.shared);
	c.shared = NULL;
	for (int i = 1; i < 4; i++) {
		read_reply(fd[i], &r, false);
		assert_int_equal(r.body_len, 16 * MIB);
		assert_int_equal(r.body[0], 's');
	}
	for (int i = 0; i < 40; i++)
		close(fd[i]);
	close_crowd(&c);
}

static void
a_shared_body_goes_out_like_any_other(void **state)
{
	struct crowd c;
	struct reply r;
	struct buf b;
	int fd;

	open_crowd(&c, &(struct http_server_conf){ .workers_min = 1 });
	buf_init(&b, 100);
	buf_adds(&b, "shared");
	c.shared = http_shared_new(&b);
	assert_non_null(c.shared);
	fd = dial_from(&c, 2);
	send_text(fd, "HEAD /shared HTTP/1.1\r\n" HOST "\r\n");
	read_reply(fd, &r, true);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.head, "\r\nContent-Length: 6\r\n"));
	for (int i = 0; i < 2; i++) {
		send_text(fd, "GET /shared HTTP/1.1\r\n" HOST "\r\n");
		read_reply(fd, &r, false);
		assert_string_equal(r.body, "shared");
	}
	assert_int_equal(ask(fd, "/"), 200);
	close(fd);
	close_crowd(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_may_have_its_share_of_connections),
		cmocka_unit_test(one_address_may_have_its_share_of_requests_in_flight),
		cmocka_unit_test(the_last_quarter_in_flight_is_for_the_modest),
		cmocka_unit_test(whoever_has_most_makes_room),
		cmocka_unit_test(silent_connections_do_not_keep_others_out),
		cmocka_unit_test(who_is_refused_too_often_is_answered_429_and_no_one_else),
		cmocka_unit_test(rubbish_counts_a_tenth_and_the_log_is_spared),
		cmocka_unit_test(test_S31_forwarded_for_counts_from_trusted_proxies_alone),
		cmocka_unit_test(memory_for_bodies_is_shared_too),
		cmocka_unit_test(many_slow_readers_share_one_body),
		cmocka_unit_test(a_shared_body_goes_out_like_any_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
