/*
 * proxy_test.c - the client through an HTTP proxy that wants a password: CONNECT for https,
 * absolute-form for http.
 */
#include "unit.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
handle(void *ctx, const struct http_request *q, struct http_reply *r)
{
	/* The proxy's password is for the proxy. */
	http_reply_text(r, 200, "%s %.*s %s", q->method, (int)q->body_len, (const char *)q->body,
	    http_header0(q, "Proxy-Authorization") != NULL ? "leaked" : "clean");
}

static int
set_up(void **state)
{
	struct http_server_conf conf = { .handler = handle };
	struct tls_ctx *ctx;
	struct err err;

	cert_dir_make(&cert);
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

/* How a proxy asks, and what it then accepts. */
struct policy {
	const char *challenge; /* NULL: no password wanted */
	const char *accepted;  /* the Proxy-Authorization header must contain this */
	atomic_int asked, connects, absolutes;
};

static bool
copy_once(int from, int to)
{
	char b[4096];
	ssize_t n = recv(from, b, sizeof b, 0);

	if (n <= 0)
		return false;
	send_bytes(to, b, (size_t)n);
	return true;
}

static void
tunnel(int client, int target)
{
	struct pollfd p[2] = { { .fd = client, .events = POLLIN },
		{ .fd = target, .events = POLLIN } };

	while (poll(p, 2, 5000) > 0) {
		if ((p[0].revents != 0 && !copy_once(client, target)) ||
		    (p[1].revents != 0 && !copy_once(target, client)))
			return;
	}
}

/*
 * "METHOD http://127.0.0.1:port/path HTTP/1.1" goes on as "METHOD /path HTTP/1.1", without the line
 * that is for us.
 */
static void
forward(const char *head, const char *body, size_t body_len, int client)
{
	const char *target = strstr(head, "http://"), *path = strchr(target + 7, '/'), *line, *end;
	int fd = dial((uint16_t)atoi(strchr(target + 7, ':') + 1));

	send_bytes(fd, head, (size_t)(target - head));
	for (line = path; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		if (strncasecmp(line, "Proxy-", 6) != 0)
			send_bytes(fd, line, (size_t)(end - line) + 2);
	}
	send_bytes(fd, body, body_len);
	tunnel(client, fd);
	close(fd);
}

static void
serve_proxy(struct stub *s, int fd)
{
	struct policy *p = s->arg;
	char head[4096], body[200], text[300];
	const char *auth;
	size_t n;
	int target;

	while (read_message(fd, head, sizeof head, body, sizeof body, &n)) {
		auth = strcasestr(head, "\r\nProxy-Authorization:");
		if (p->challenge != NULL && (auth == NULL || strstr(auth, p->accepted) == NULL)) {
			atomic_fetch_add(&p->asked, 1);
			snprintf(text, sizeof text,
			    "HTTP/1.1 407 Proxy\r\nProxy-Authenticate: %s\r\nX-From: "
			    "proxy\r\nContent-Length: 0\r\n\r\n",
			    p->challenge);
			send_text(fd, text);
			continue;
		}
		if (strncmp(head, "CONNECT ", 8) != 0) {
			atomic_fetch_add(&p->absolutes, 1);
			forward(head, body, n, fd);
			return;
		}
		atomic_fetch_add(&p->connects, 1);
		target = dial((uint16_t)atoi(strchr(head, ':') + 1));
		send_text(fd, "HTTP/1.1 200 Connected\r\nX-From: proxy\r\n\r\n");
		tunnel(fd, target);
		close(target);
		return;
	}
}

static enum rc
post(struct stub *proxy, const char *user, const char *pass, bool tls, struct http_result *r,
    struct err *err)
{
	struct http_client_conf conf = { .ca_file = cert.cert,
		.proxy_host = "127.0.0.1",
		.proxy_port = proxy->port,
		.proxy_user = user,
		.proxy_pass = pass };
	struct http_client *c;
	char url[100];
	struct http_call call = {
		.method = "POST", .url = url, .body = "hello", .body_len = 5, .total_ms = 5000
	};
	enum rc rc;

	snprintf(
	    url, sizeof url, "%s://127.0.0.1:%u/x", tls ? "https" : "http", tls ? tls_port : port);
	assert_int_equal(http_client_new(&c, &conf, err), RC_OK);
	rc = http_call(c, &call, r, err);
	http_client_free(c);
	return rc;
}

static void
expect_hello(struct policy *policy, const char *user, const char *pass)
{
	struct http_result r;
	struct stub proxy;
	struct err err;
	char v[16];
	int tls;

	stub_start(&proxy, serve_proxy, policy);
	for (tls = 0; tls < 2; tls++) {
		assert_int_equal(post(&proxy, user, pass, tls, &r, &err), RC_OK);
		assert_int_equal(r.status, 200);
		assert_string_equal(buf_str(&r.body), "POST hello clean\n");
		assert_string_equal(http_result_header(&r, "X-From", v, sizeof v), "");
		http_result_done(&r);
	}
	assert_int_equal(atomic_load(&policy->absolutes), 1);
	assert_int_equal(atomic_load(&policy->connects), 1);
	stub_stop(&proxy);
}

static void
a_proxy_without_password_is_used(void **state)
{
	struct policy policy = { .challenge = NULL };

	expect_hello(&policy, NULL, NULL);
	assert_int_equal(atomic_load(&policy.asked), 0);
}

static void
a_proxy_that_asks_gets_basic_credentials(void **state)
{
	struct policy policy = { .challenge = "Basic realm=\"x\"",
		.accepted = " Basic dXNlcjpwQHNzOnc=\r\n" };

	expect_hello(&policy, "user", "p@ss:w");
	assert_int_equal(atomic_load(&policy.asked), 2);
}

static void
a_proxy_that_asks_for_digest_gets_that(void **state)
{
	struct policy policy = {
		.challenge = "Digest realm=\"x\", nonce=\"abc\", qop=\"auth\", algorithm=MD5",
		.accepted = " Digest username=\"user\""
	};

	expect_hello(&policy, "user", "secret");
	assert_int_equal(atomic_load(&policy.asked), 2);
}

static void
wrong_credentials_are_told_apart_from_a_server_that_fails(void **state)
{
	struct policy policy = { .challenge = "Basic realm=\"x\"", .accepted = "never" };
	struct http_result r;
	struct stub proxy;
	struct err err;

	stub_start(&proxy, serve_proxy, &policy);
	assert_int_equal(post(&proxy, "user", "wrong-secret", true, &r, &err), RC_IO);
	assert_int_equal(r.failed, HTTP_STEP_PROXY);
	assert_null(strstr(err.msg, "wrong-secret"));
	http_result_done(&r);
	assert_int_equal(post(&proxy, "user", "wrong", false, &r, &err), RC_OK);
	assert_int_equal(r.status, 407);
	http_result_done(&r);
	stub_stop(&proxy);
}

static void
a_dead_proxy_is_named_as_the_failing_step(void **state)
{
	struct stub dead = { .fd = -1 };
	struct http_result r;
	struct err err;

	close(listen_free(&dead.port));
	assert_int_equal(post(&dead, NULL, NULL, true, &r, &err), RC_IO);
	assert_int_equal(r.failed, HTTP_STEP_PROXY);
	http_result_done(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_without_password_is_used),
		cmocka_unit_test(a_proxy_that_asks_gets_basic_credentials),
		cmocka_unit_test(a_proxy_that_asks_for_digest_gets_that),
		cmocka_unit_test(wrong_credentials_are_told_apart_from_a_server_that_fails),
		cmocka_unit_test(a_dead_proxy_is_named_as_the_failing_step),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
