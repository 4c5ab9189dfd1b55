/*
 * origin.c - see origin.h.
 */
#include "unit.h"

#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin origin;

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
	nap_ms(3000); /* longer than whoever does not wait for it needs, on a busy machine too */
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

int
origin_start(void **state)
{
	struct http_server_conf conf = { .handler = handle };
	struct tls_ctx *ctx;
	struct err err;

	cert_dir_make(&origin.cert);
	/* The client must not look at these. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(tls_ctx_server(&ctx, origin.cert.cert, origin.cert.key, &err), RC_OK);
	assert_int_equal(http_server_new(&origin.server, &conf, &err), RC_OK);
	assert_int_equal(
	    http_listen(origin.server, "127.0.0.1:0", NULL, NULL, &origin.port, &err), RC_OK);
	assert_int_equal(
	    http_listen(origin.server, "127.0.0.1:0", ctx, NULL, &origin.tls_port, &err), RC_OK);
	tls_ctx_free(ctx);
	assert_int_equal(http_server_start(origin.server, &err), RC_OK);
	return 0;
}

int
origin_stop(void **state)
{
	http_server_free(origin.server);
	cert_dir_remove(&origin.cert);
	return 0;
}

struct http_client *
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

const struct http_client_conf plain;

const char *
url(const char *scheme, uint16_t p, const char *path)
{
	static _Thread_local char text[300];

	snprintf(text, sizeof text, "%s://127.0.0.1:%u%s", scheme, p, path);
	return text;
}

enum rc
get(struct http_client *c, const char *u, struct http_result *r, struct err *err)
{
	struct http_call call = { .method = "GET", .url = u };

	return http_call(c, &call, r, err);
}
