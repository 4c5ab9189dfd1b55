/*
 * rig.c - see rig.h.
 */
#include "unit.h"

#include "rig.h"

#include <string.h>

#include "base/limits.h"

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

void
rig_handle(void *ctx, const struct http_request *q, struct http_reply *r)
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
on_refused(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid)
{
	struct rig *rig = ctx;

	assert_string_equal(peer, "127.0.0.1");
	assert_true(strlen(why) > 0);
	atomic_store(&rig->refused_status, status);
	atomic_fetch_add(&rig->refused, 1);
}

void
rig_start(struct rig *rig, const struct http_server_conf *conf)
{
	struct http_server_conf c = *conf;
	struct err err;

	memset(rig, 0, sizeof *rig);
	sem_init(&rig->entered, 0, 0);
	sem_init(&rig->go, 0, 0);
	c.handler = rig_handle;
	c.ctx = rig;
	c.on_refused = on_refused;
	assert_int_equal(http_server_new(&rig->server, &c, &err), RC_OK);
	assert_int_equal(
	    http_listen(rig->server, "127.0.0.1:0", NULL, NULL, &rig->port, &err), RC_OK);
	assert_int_equal(http_server_start(rig->server, &err), RC_OK);
}

void
rig_stop(struct rig *rig)
{
	http_server_free(rig->server);
	sem_destroy(&rig->entered);
	sem_destroy(&rig->go);
}

void
sem_take(sem_t *s)
{
	while (sem_wait(s) != 0)
		;
}
