/*
 * exchange.c - the memory of one request and its reply.
 */
#include "http/server_int.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the first read buffer: a GET, or a POST of a usual SCEP message, in one read. */
#define READ_FIRST 8192u
/* All larger buffers together: as many as this of the largest body (256 MiB by default). */
#define BUFFERED_BODIES 256u

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
	const struct buf *part = x->written < x->head.len ? &x->head : &x->rest;
	size_t from = part == &x->head ? x->written : x->written - x->head.len;

	*len = part->len - from;
	return *len > 0 ? part->data + from : NULL;
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
	if (c->x->cap > READ_FIRST)
		atomic_fetch_sub(&c->loop->server->buffered, c->x->cap - READ_FIRST);
	free(c->x->in);
	free(c->x);
	c->x = NULL;
}

/*
 * Doubling, and not at once what a Content-Length promises: memory is for bytes that have come. All
 * buffers above the first size together are bounded, or a few thousand connections that each send
 * most of a body would take it all.
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
	if (atomic_fetch_add(&s->buffered, more) + more > BUFFERED_BODIES * s->limits.body ||
	    (in = realloc(x->in, cap)) == NULL) {
		atomic_fetch_sub(&s->buffered, more);
		return false;
	}
	x->in = in;
	x->cap = cap;
	return true;
}
