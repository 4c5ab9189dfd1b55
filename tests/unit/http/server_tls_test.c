/*
 * server_tls_test.c - the same server over TLS, with openssl's s_client and our own client on the
 * other side.
 */
#include "unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/client.h"
#include "http/server.h"
#include "net.h"

static struct cert_dir cert, other;
static struct http_server *server;
static uint16_t port;
static struct tls_ctx *ctx;
static int listener_tag;
static atomic_int tls_refused;

static void
handle(void *arg, const struct http_request *q, struct http_reply *r)
{
	assert_ptr_equal(q->listener, &listener_tag);
	if (strcmp(q->path, "/echo") == 0)
		buf_add(&r->body, q->body, q->body_len);
	else
		http_reply_text(r, 200, "version=%s", q->tls);
}

static void
on_refused(void *arg, const char *peer, int status, const char *why, uint64_t unsaid)
{
	if (status == 0)
		atomic_fetch_add(&tls_refused, 1);
}

static int
set_up(void **state)
{
	struct http_server_conf conf = {
		.handler = handle, .on_refused = on_refused, .tls_ms = 300
	};
	struct err err;

	cert_dir_make(&cert);
	cert_dir_make(&other);
	assert_int_equal(tls_ctx_server(&ctx, cert.cert, cert.key, &err), RC_OK);
	assert_int_equal(http_server_new(&server, &conf, &err), RC_OK);
	assert_int_equal(
	    http_listen(server, "127.0.0.1:0", ctx, &listener_tag, &port, &err), RC_OK);
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
	cert_dir_remove(&other);
	return 0;
}

/* What s_client prints when it asks for "/" with the given options. */
static void
s_client(const char *options, char *out, size_t room)
{
	char cmd[600];
	FILE *f;
	size_t n;

	snprintf(cmd, sizeof cmd,
	    "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | timeout 5 "
	    "openssl s_client -quiet -ign_eof "
	    "-CAfile %s %s -connect 127.0.0.1:%u 2>&1",
	    cert.cert, options, port);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(out, 1, room - 1, f);
	out[n] = '\0';
	pclose(f);
}

static void
tls_1_2_and_1_3_are_served_and_older_ones_refused(void **state)
{
	char out[8192];

	s_client("-tls1_3", out, sizeof out);
	assert_non_null(strstr(out, "version=TLSv1.3\n"));
	s_client("-tls1_2", out, sizeof out);
	assert_non_null(strstr(out, "version=TLSv1.2\n"));
	atomic_store(&tls_refused, 0);
	s_client("-tls1_1 -cipher DEFAULT@SECLEVEL=0", out, sizeof out);
	assert_null(strstr(out, "version="));
	assert_int_equal(atomic_load(&tls_refused), 1);
}

static struct http_client *
new_client(const char *ca)
{
	struct http_client_conf conf = { .ca_file = ca };
	struct http_client *c;
	struct err err;

	assert_int_equal(http_client_new(&c, &conf, &err), RC_OK);
	return c;
}

static void
large_bodies_pass_both_ways(void **state)
{
	struct http_client *c = new_client(cert.cert);
	char url[64], *body = malloc(LIMIT_HTTP_BODY);
	struct http_result r;
	struct err err;
	size_t i;
	int turn;

	assert_non_null(body);
	for (i = 0; i < LIMIT_HTTP_BODY; i++)
		body[i] = (char)(i * 31 >> 3);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/echo", port);
	for (turn = 0; turn < 3; turn++) {
		struct http_call call = {
			.method = "POST", .url = url, .body = body, .body_len = LIMIT_HTTP_BODY
		};

		assert_int_equal(http_call(c, &call, &r, &err), RC_OK);
		assert_int_equal(r.status, 200);
		assert_int_equal(r.body.len, LIMIT_HTTP_BODY);
		assert_memory_equal(r.body.data, body, LIMIT_HTTP_BODY);
		http_result_done(&r);
	}
	http_client_free(c);
	free(body);
}

static enum rc
get(struct http_client *c, enum http_step *failed)
{
	char url[64];
	struct http_call call = { .method = "GET", .url = url };
	struct http_result r;
	enum rc rc;

	snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
	rc = http_call(c, &call, &r, NULL);
	*failed = r.failed;
	http_result_done(&r);
	return rc;
}

static void
a_new_certificate_is_used_for_new_connections_only(void **state)
{
	struct http_client *old = new_client(cert.cert), *new = new_client(other.cert);
	enum http_step failed;
	struct tls_ctx *next;
	struct err err;

	assert_int_equal(get(old, &failed), RC_OK);
	assert_int_equal(get(new, &failed), RC_IO);
	assert_int_equal(failed, HTTP_STEP_TLS);
	assert_int_equal(tls_ctx_server(&next, other.cert, other.key, &err), RC_OK);
	http_listen_tls_set(server, &listener_tag, next);
	tls_ctx_free(next);
	assert_int_equal(get(old, &failed), RC_OK); /* over the connection it has */
	assert_int_equal(get(new, &failed), RC_OK);
	http_listen_tls_set(server, &listener_tag, ctx);
	http_client_free(old);
	http_client_free(new);
}

static void
a_handshake_that_does_not_come_is_cut_off(void **state)
{
	int64_t begin = now_ms();
	int fd = dial(port), n;
	char c;

	send_bytes(fd, "\x16\x03\x01\x02\x00", 5);
	for (n = 0; n < 12000 && recv(fd, &c, 1, MSG_DONTWAIT) != 0; n++) {
		send_bytes(fd, "\x01", 1);
		nap_ms(5);
	}
	assert_in_range(now_ms() - begin, 100, 60000);
	close(fd);
}

static void
http_on_a_tls_port_is_refused(void **state)
{
	int fd = dial(port);
	char out[200];

	atomic_store(&tls_refused, 0);
	send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	read_all(fd, out, sizeof out);
	assert_null(strstr(out, "version="));
	assert_int_equal(atomic_load(&tls_refused), 1);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_1_2_and_1_3_are_served_and_older_ones_refused),
		cmocka_unit_test(large_bodies_pass_both_ways),
		cmocka_unit_test(a_new_certificate_is_used_for_new_connections_only),
		cmocka_unit_test(a_handshake_that_does_not_come_is_cut_off),
		cmocka_unit_test(http_on_a_tls_port_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
