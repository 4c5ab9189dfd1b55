/*
 * exchange.c - the memory of one request and its reply.
 */
#include "http/server_int.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the first read buffer: a GET, or a POST of a usual SCEP message, in one read. */
#define READ_FIRST 8192u

bool
exchange_new(struct conn *c)
{
	struct exchange *x = malloc(sizeof *x);

	if (x == NULL)
		return false;
	memset((char *)x + offsetof(struct exchange, req), 0,
	    sizeof *x - offsetof(struct exchange, req));
	http_parse_begin(&x->parse, &c->loop->server->limits);
	c->x = x;
	return true;
}

const uint8_t *
exchange_unsent(const struct exchange *x, size_t *len)
{
	size_t from = x->written, all = x->head.len;
	const uint8_t *p = x->head.data;

	if (from >= all) {
		from -= all;
		p = x->rest.data;
		all = x->rest.len;
		if (x->shared != NULL)
			p = http_shared_bytes(x->shared, &all);
	}
	*len = all - from;
	return *len > 0 ? p + from : NULL;
}

size_t
exchange_size(const struct exchange *x)
{
	size_t body = x->rest.len;

	if (x->shared != NULL)
		(void)http_shared_bytes(x->shared, &body);
	return x->head.len + body;
}

void
exchange_reply_over(struct exchange *x, bool sent)
{
	if (x->on_done != NULL)
		x->on_done(x->on_done_arg, sent);
	x->on_done = NULL;
	trouble_free(x->trouble);
	x->trouble = NULL;
	buf_done(&x->head);
	buf_done(&x->rest);
	http_shared_free(x->shared);
	x->shared = NULL;
	x->written = 0;
	free(x->req_mem);
	x->req_mem = NULL;
}

void
exchange_free(struct conn *c)
{
	if (c->x == NULL)
		return;
	exchange_reply_over(c->x, false);
	if (c->x->cap > READ_FIRST) {
		atomic_fetch_sub(&c->loop->server->buffered, c->x->cap - READ_FIRST);
		(void)peer_buffer(
		    c->loop->server->peers, c->who, -(ptrdiff_t)(c->x->cap - READ_FIRST));
	}
	conn_leave(c);
	free(c->x->in);
	free(c->x);
	c->x = NULL;
}

/*
 * Doubling, and not at once what a Content-Length promises: memory is for bytes that have come. All
 * buffers above the first size together are bounded, or a few thousand connections that each send
 * most of a body would take it all; and so are those of one address, or it would leave none to others.
 */
bool
exchange_room(struct conn *c)
{
	struct http_server *s = c->loop->server;
	struct exchange *x = c->x;
	size_t want = http_parse_want(&x->parse), cap = x->cap * 2, more;
	uint8_t *in;

	if (x->len < x->cap)
		return true;
	if (cap == 0)
		cap = READ_FIRST;
	else if (x->parse.phase == HTTP_PHASE_BODY && want > x->len && cap > want)
		cap = want;
	more = x->cap > 0 ? cap - x->cap : 0;
	if (!peer_buffer(s->peers, c->who, (ptrdiff_t)more))
		return false;
	if (atomic_fetch_add(&s->buffered, more) + more > HTTP_BUFFERED_BODIES * s->limits.body ||
	    (in = realloc(x->in, cap)) == NULL) {
		atomic_fetch_sub(&s->buffered, more);
		(void)peer_buffer(s->peers, c->who, -(ptrdiff_t)more);
		return false;
	}
	x->in = in;
	x->cap = cap;
	return true;
}
