/*
 * conn_trouble.c - replies that go wrong on purpose (struct http_trouble): late, in pieces, in part,
 * never.
 *
 * Waiting is done by a timer of the connection's loop, never by a thread.  The deadline of the phase
 * bounds all of it, and a peer that closes ends it at once.
 */
#include "http/server_int.h"

#include <errno.h>
#include <stdlib.h>

struct trouble {
	struct http_trouble want;
	struct event timer;
	unsigned pause_ms; /* what trouble_arm() sets the timer to */
	bool waited;       /* wait_ms have passed */
	bool armed;        /* loop thread only */
};

static bool
is_wanted(const struct http_trouble *t)
{
	return t->wait_ms > 0 || t->end != HTTP_END_WHOLE || t->piece > 0;
}

bool
trouble_new(struct conn *c, const struct http_trouble *t)
{
	struct trouble *new = is_wanted(t) ? calloc(1, sizeof *new) : NULL;

	if (new == NULL)
		return false;
	new->want = *t;
	c->x->trouble = new;
	return true;
}

void
trouble_free(struct trouble *t)
{
	if (t != NULL && t->armed)
		event_del(&t->timer);
	free(t);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	c->x->trouble->armed = false;
	conn_event(c, 0);
}

void
trouble_arm(struct conn *c)
{
	struct trouble *t = c->x->trouble;
	struct timeval tv = { .tv_sec = t->pause_ms / 1000, .tv_usec = t->pause_ms % 1000 * 1000 };

	/* Should it fail, the reply goes on early: nothing waits for good. */
	t->armed = event_assign(&t->timer, c->loop->base, -1, 0, on_timer, c) == 0 &&
	    event_add(&t->timer, &tv) == 0;
	t->pause_ms = 0;
}

static enum step
pause_for(struct trouble *t, unsigned ms)
{
	t->pause_ms = ms;
	return STEP_PAUSE;
}

/* One write of at most a piece. */
static enum io
write_piece(struct conn *c, size_t stop)
{
	struct exchange *x = c->x;
	size_t piece = x->trouble->want.piece, len, n;
	const uint8_t *p = exchange_unsent(x, &len);
	enum io io;

	if (len > stop - x->written)
		len = stop - x->written;
	if (piece > 0 && len > piece)
		len = piece;
	io = conn_write(c, p, len, false, &n);
	x->written += n;
	return io;
}

static enum step
finish(struct conn *c)
{
	struct linger now = { .l_onoff = 1 };

	switch (c->x->trouble->want.end) {
	case HTTP_END_WHOLE:
		c->phase = CONN_WRITE; /* which has nothing left to write */
		return STEP_AGAIN;
	case HTTP_END_STALL:
		return STEP_WAIT;
	case HTTP_END_CUT:
		break;
	case HTTP_END_RESET:
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		c->reset = true;
		break;
	}
	return STEP_END;
}

/* A reset makes no end of stream: the socket itself has to be asked. */
static bool
peer_has_left(const struct conn *c)
{
	ssize_t n;
	char byte;

	if (c->eof || !c->readable)
		return c->eof;
	n = recv(c->fd, &byte, 1, MSG_PEEK);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

enum step
trouble_step(struct conn *c)
{
	struct exchange *x = c->x;
	struct trouble *t = x->trouble;
	size_t stop = exchange_size(x);
	enum io io;

	if (peer_has_left(c))
		return STEP_END;
	if (t->pause_ms > 0) /* asked for by a worker; now on the loop's thread */
		return STEP_PAUSE;
	if (t->armed)
		return STEP_WAIT;
	if (t->want.wait_ms > 0 && !t->waited) {
		t->waited = true;
		return pause_for(t, t->want.wait_ms);
	}
	if (t->want.end != HTTP_END_WHOLE)
		stop = stop * t->want.percent / 100;
	while (x->written < stop) {
		if ((io = write_piece(c, stop)) != IO_OK)
			return io == IO_WAIT ? STEP_WAIT : STEP_END;
		if (t->want.piece_ms > 0 && x->written < stop)
			return pause_for(t, t->want.piece_ms);
	}
	return finish(c);
}
