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

void
exchange_reply_over(struct exchange *x, bool sent)
{
	if (x->on_done != NULL)
		x->on_done(x->on_done_arg, sent);
	x->on_done = NULL;
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
	free(c->x->in);
	free(c->x);
	c->x = NULL;
}

bool
exchange_room(struct exchange *x)
{
	size_t cap = x->cap;
	uint8_t *in;

	if (x->parse.phase == HTTP_PHASE_BODY && cap < http_parse_want(&x->parse))
		cap = http_parse_want(&x->parse);
	else if (x->len == cap)
		cap = cap == 0 ? READ_FIRST : cap * 2;
	if (cap == x->cap)
		return true;
	in = realloc(x->in, cap);
	if (in == NULL)
		return false;
	x->in = in;
	x->cap = cap;
	return true;
}
