/*
 * conn.c - a connection's life, as a table of steps, one for each phase.
 *
 *	TLS -> IDLE -> HEAD -> BODY -> HANDLE -> (TROUBLE) -> WRITE -> IDLE ...
 *	                 \       \                              \-> LINGER -> closed
 *	                  \-------\-- refused -------------------^
 *
 * A step does what it can and says what next.  HANDLE happens on a worker, and so does the WRITE
 * after it: the reply goes out, and the connection is idle again, without the loop having been
 * woken.
 */
#include "http/server_int.h"

#include <string.h>

#include "base/clock.h"
#include "http/forwarded.h"
#include "http/reply.h"

#define LINGER_MS    2000 /* for a refused client to read why */
#define BUSY_RETRY_S 5    /* Retry-After when too many requests are in flight */

void
conn_phase(struct conn *c, enum conn_phase phase, unsigned ms)
{
	c->phase = phase;
	atomic_store_explicit(
	    &c->deadline_ms, ms > 0 ? clock_mono_ms() + ms : 0, memory_order_relaxed);
}

static const struct http_server_conf *
conf(const struct conn *c)
{
	return &c->loop->server->conf;
}

static enum step
start_reply(struct conn *c, struct http_reply *r, const struct http_reply_ctx *ctx)
{
	struct exchange *x = c->x;
	enum rc rc;

	x->close_after = !ctx->keep_alive;
	rc = http_reply_write(r, ctx, &x->head, &x->rest, NULL);
	if (!ctx->head) {
		x->shared = r->shared;
		r->shared = NULL;
	}
	x->on_done = r->on_done;
	x->on_done_arg = r->on_done_arg;
	http_reply_done(r);
	if (trouble_new(c, &r->trouble))
		conn_phase(c, CONN_TROUBLE,
		    r->trouble.limit_ms != 0 ? r->trouble.limit_ms : conf(c)->write_ms);
	else
		conn_phase(c, CONN_WRITE, conf(c)->write_ms);
	return rc == RC_OK ? STEP_AGAIN : STEP_END;
}

/* Tell the log, if it is not too often. */
static void
conn_tell(struct conn *c, int status, const char *why)
{
	struct http_server *s = c->loop->server;
	bool asked = c->x != NULL && c->x->asker != NULL;
	uint64_t unsaid;

	if (s->conf.on_refused != NULL &&
	    peer_may_speak(s->peers, asked ? c->x->asker : c->who, clock_mono_ms(), &unsaid))
		s->conf.on_refused(s->conf.ctx, asked ? c->x->peer : c->peer, status, why, unsaid);
}

/* The client's doing, and not that of a slow line or of our own bounds. */
static bool
is_rubbish(int status)
{
	return status != 408 && status != 429 && status != 503;
}

/*
 * Answer without the handler.  `stay`: the request was whole and well-formed, and the connection
 * may go on, if its client waits for answers: one that sends request after request unread would
 * keep this thread busy.
 */
static enum step
refuse(struct conn *c, int status, const char *why, bool stay)
{
	struct http_server *s = c->loop->server;
	struct http_reply_ctx ctx = { .minor = 1,
		.keep_alive =
		    stay && c->x->parse.keep_alive && c->x->len == http_parse_used(&c->x->parse) };
	struct http_reply r;

	atomic_fetch_add_explicit(&s->refused, 1, memory_order_relaxed);
	conn_tell(c, status, why);
	if (is_rubbish(status))
		peer_blame(s->peers, c->who, HTTP_BLAME_CHEAP, clock_mono_ms());
	http_reply_init(&r);
	http_reply_text(&r, status, "%s", why);
	r.retry_after = status == 503 || status == 429 ? BUSY_RETRY_S : 0;
	c->x->linger_after = true; /* what it still sends must not turn our answer into a reset */
	return start_reply(c, &r, &ctx);
}

/* Who asks.  False: that address has its share of the requests in flight. */
static bool
know_asker(struct conn *c, unsigned *n)
{
	struct http_server *s = c->loop->server;
	struct exchange *x = c->x;
	struct address a = c->address;

	if (c->proxy)
		address_forwarded(&a, &x->req, s->conf.trusted, s->conf.n_trusted);
	address_text(x->peer, &a);
	x->asker = peer_request(s->peers, &a, n);
	if (x->asker == NULL)
		return false;
	x->req.peer = x->peer;
	x->req.over = x->over = peer_is_over(s->peers, x->asker, clock_mono_ms());
	return true;
}

/*
 * Two addresses with a share of half each could take all there is.  So the last quarter is for those
 * that have next to nothing in flight.
 */
static unsigned
room_for(const struct http_server *s, unsigned n)
{
	bool shares = s->conf.address_share != 0 && s->conf.address_share < 100;

	return s->conf.in_flight_max - (shares && n > HTTP_MODEST ? s->conf.in_flight_max / 4 : 0);
}

void
conn_leave(struct conn *c)
{
	if (c->x->asker != NULL)
		peer_request_over(c->loop->server->peers, c->x->asker);
	c->x->asker = NULL;
}

/* The request is complete. */
static enum step
dispatch(struct conn *c)
{
	struct http_server *s = c->loop->server;
	struct exchange *x = c->x;
	unsigned n = 0;
	enum step r;

	if (!http_parse_request(&x->parse, x->in, &x->req, &x->req_mem))
		return refuse(c, x->parse.status, x->parse.why, false);
	x->req.tls = c->tls != NULL ? tls_conn_version(c->tls) : NULL;
	x->req.listener = c->listener->tag;
	if (!know_asker(c, &n))
		return refuse(c, 429, "too many requests of this address at a time", true);
	if (atomic_fetch_add(&s->in_flight, 1) >= room_for(s, n)) {
		atomic_fetch_sub(&s->in_flight, 1);
		r = refuse(c, 503, "too many requests in flight", true);
		conn_leave(c);
		return r;
	}
	atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
	conn_phase(c, CONN_HANDLE, 0);
	return STEP_HAND;
}

/* RFC 9110 10.1.1.  A socket with nothing in its send buffer takes these few bytes. */
static enum step
send_continue(struct conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t n;

	if (conn_write(c, text, sizeof text - 1, false, &n) != IO_OK || n < sizeof text - 1)
		return STEP_END;
	return STEP_WAIT;
}

static enum step
body_begins(struct conn *c)
{
	struct exchange *x = c->x;

	conn_phase(c, CONN_BODY, conf(c)->body_ms);
	if (x->parse.expect_continue && x->len == x->parse.head_len)
		return send_continue(c);
	return STEP_WAIT;
}

/* More bytes are in the buffer.  STEP_WAIT: not enough. */
static enum step
advance(struct conn *c)
{
	struct exchange *x = c->x;

	switch (http_parse(&x->parse, x->in, &x->len)) {
	case HTTP_PARSE_DONE:
		return dispatch(c);
	case HTTP_PARSE_REFUSED:
		return refuse(c, x->parse.status, x->parse.why, false);
	case HTTP_PARSE_MORE:
		break;
	}
	if (x->parse.phase == HTTP_PHASE_BODY && c->phase == CONN_HEAD)
		return body_begins(c);
	return STEP_WAIT;
}

/* One read; STEP_WAIT: not enough yet, or nothing there. */
static enum step
read_some(struct conn *c)
{
	struct exchange *x = c->x;
	enum io io;
	size_t n;

	if (!exchange_room(c))
		return refuse(c, 503, "no memory for the request", false);
	io = conn_read(c, x->in + x->len, x->cap - x->len, &n);
	if (io == IO_WAIT)
		return STEP_WAIT;
	if (io != IO_OK)
		return STEP_END;
	if (c->phase == CONN_IDLE)
		conn_phase(c, CONN_HEAD, conf(c)->header_ms);
	x->len += n;
	return advance(c);
}

static enum step
step_read(struct conn *c)
{
	enum step r = STEP_WAIT;

	if (c->x == NULL && !c->readable)
		return STEP_WAIT;
	if (c->x == NULL && !exchange_new(c))
		return STEP_END;
	if (c->x->len > 0) /* the next request came with the one before */
		r = advance(c);
	while (r == STEP_WAIT && c->readable && c->writable)
		r = read_some(c);
	if (r == STEP_WAIT && c->phase == CONN_IDLE)
		exchange_free(c);
	return r;
}

static void
report_tls(struct conn *c)
{
	char why[160];

	tls_conn_error(c->tls, why, sizeof why);
	conn_tell(c, 0, why);
}

static enum step
step_tls(struct conn *c)
{
	switch (tls_conn_handshake(c->tls)) {
	case TLS_IO_OK:
		conn_phase(c, CONN_IDLE, conf(c)->idle_ms);
		return STEP_AGAIN;
	case TLS_IO_WANT_READ:
	case TLS_IO_WANT_WRITE:
		return STEP_WAIT;
	case TLS_IO_FAILED:
		report_tls(c);
		break;
	case TLS_IO_CLOSED:
		break;
	}
	return STEP_END;
}

/* The reply is out: what now? */
static enum step
after_reply(struct conn *c)
{
	struct exchange *x = c->x;
	size_t used = http_parse_used(&x->parse);
	size_t left = x->parse.phase == HTTP_PHASE_DONE ? x->len - used : 0;

	exchange_reply_over(x, true);
	if (x->close_after && (x->linger_after || left > 0)) {
		if (c->tls != NULL)
			(void)tls_conn_shutdown(c->tls);
		shutdown(c->fd, SHUT_WR);
		conn_phase(c, CONN_LINGER, LINGER_MS);
		return STEP_AGAIN;
	}
	if (x->close_after)
		return STEP_END;
	if (left == 0) {
		exchange_free(c);
		conn_phase(c, CONN_IDLE, conf(c)->idle_ms);
		return atomic_load(&c->loop->server->stage) == SERVER_RUNNING ? STEP_AGAIN
									      : STEP_END;
	}
	memmove(x->in, x->in + used, left);
	x->len = left;
	x->linger_after = false;
	http_parse_begin(&x->parse, &c->loop->server->limits);
	conn_phase(c, CONN_HEAD, conf(c)->header_ms);
	return STEP_AGAIN;
}

static enum step
step_write(struct conn *c)
{
	struct exchange *x = c->x;
	const uint8_t *p;
	size_t n, len;
	enum io io;

	while ((p = exchange_unsent(x, &len)) != NULL) {
		io = conn_write(
		    c, p, len, x->written < x->head.len && exchange_size(x) > x->head.len, &n);
		if (io != IO_OK)
			return io == IO_WAIT ? STEP_WAIT : STEP_END;
		x->written += n;
	}
	return after_reply(c);
}

/*
 * Closing with bytes unread would reset the connection and could take our last answer with it (RFC
 * 9112 9.6).
 */
static enum step
step_linger(struct conn *c)
{
	size_t n, max = 2 * c->loop->server->limits.body;
	uint8_t trash[4096];
	enum io io;

	while (c->readable && c->lingered < max) {
		io = conn_read(c, trash, sizeof trash, &n);
		if (io == IO_WAIT)
			return STEP_WAIT;
		if (io != IO_OK)
			return STEP_END;
		c->lingered += n;
	}
	return c->readable ? STEP_END : STEP_WAIT;
}

static enum step
step_end(struct conn *c)
{
	return STEP_END;
}

/* What happened while somebody owned the connection. */
static void
take_events(struct conn *c, unsigned seen)
{
	c->readable = c->writable = true;
	if (seen & CONN_EOF)
		c->eof = true;
}

/* Give it up.  False: something happened meanwhile, and it is still ours. */
static bool
release(struct conn *c)
{
	unsigned owned = CONN_OWNED;

	if (atomic_compare_exchange_strong(&c->owner, &owned, 0))
		return true;
	take_events(c, atomic_exchange(&c->owner, CONN_OWNED));
	return false;
}

static void
hand_to_worker(struct conn *c, bool on_loop)
{
	struct loop *l = c->loop;

	c->job.next = NULL;
	if (!on_loop) {
		if (!pool_push(l->server->pool, &c->job))
			conn_drop(&c->job);
		return;
	}
	*l->batch_tail = &c->job;
	l->batch_tail = &c->job.next;
}

static void
end(struct conn *c, bool on_loop)
{
	c->phase = CONN_CLOSED;
	if (on_loop)
		conn_free(c);
	else
		loop_post(c->loop, c);
}

void
conn_run(struct conn *c, bool on_loop)
{
	static enum step (*const steps[])(struct conn *) = {
		[CONN_TLS] = step_tls,
		[CONN_IDLE] = step_read,
		[CONN_HEAD] = step_read,
		[CONN_BODY] = step_read,
		[CONN_HANDLE] = step_end,
		[CONN_WRITE] = step_write,
		[CONN_TROUBLE] = trouble_step,
		[CONN_LINGER] = step_linger,
		[CONN_CLOSED] = step_end,
	};
	enum step r;

	do {
		r = steps[c->phase](c);
		if (r == STEP_PAUSE && on_loop) {
			trouble_arm(c);
			r = STEP_AGAIN;
		}
	} while (r == STEP_AGAIN || (r == STEP_WAIT && !release(c)));
	if (r == STEP_HAND)
		hand_to_worker(c, on_loop);
	else if (r == STEP_PAUSE)
		loop_post(c->loop, c);
	else if (r == STEP_END)
		end(c, on_loop);
}

void
conn_event(struct conn *c, short what)
{
	unsigned seen = CONN_EVENT | (what & EV_CLOSED ? CONN_EOF : 0);

	if (atomic_fetch_or(&c->owner, seen) & CONN_OWNED)
		return; /* release() will see it */
	take_events(c, atomic_exchange(&c->owner, CONN_OWNED));
	conn_run(c, true);
}

/* The deadline of the phase has passed; ours to end.  False: freed. */
static bool
time_out(struct conn *c)
{
	if (c->phase != CONN_HEAD && c->phase != CONN_BODY) {
		conn_free(c);
		return false;
	}
	if (refuse(c, 408, c->phase == CONN_HEAD ? "header took too long" : "body took too long",
		false) == STEP_AGAIN)
		return true;
	conn_free(c);
	return false;
}

void
conn_expire(struct conn *c, int64_t now_ms)
{
	int stage = atomic_load_explicit(&c->loop->server->stage, memory_order_relaxed);
	int64_t deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);

	if (stage == SERVER_RUNNING && (deadline == 0 || deadline > now_ms))
		return;
	if (atomic_load(&c->owner) & CONN_OWNED) {
		if (stage >= SERVER_CLOSING)
			shutdown(c->fd, SHUT_RDWR); /* so that the worker's write ends */
		return;
	}
	/* Only this thread takes unowned connections, so nobody comes between. */
	atomic_exchange(&c->owner, CONN_OWNED);
	deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);
	if (stage >= SERVER_CLOSING || (stage == SERVER_DRAINING && c->phase == CONN_IDLE))
		conn_free(c);
	else if (deadline == 0 || deadline > now_ms || time_out(c))
		conn_run(c, true);
}

/* What the handler made of it goes on the account of who asked. */
static void
settle_account(struct conn *c, const struct http_reply *r)
{
	struct http_server *s = c->loop->server;

	if (r->status == 429 && c->x->over) {
		atomic_fetch_add_explicit(&s->over, 1, memory_order_relaxed);
		conn_tell(c, 429, "too many refused requests of this address");
	}
	peer_blame(s->peers, c->x->asker, r->blame, clock_mono_ms());
	conn_leave(c);
}

void
conn_job(struct pool_job *j)
{
	struct conn *c = (struct conn *)j;
	struct http_server *s = c->loop->server;
	struct exchange *x = c->x;
	struct http_reply_ctx ctx = { .minor = x->req.minor,
		.head = strcmp(x->req.method, "HEAD") == 0 };
	struct http_reply r;

	http_reply_init(&r);
	s->conf.handler(s->conf.ctx, &x->req, &r);
	atomic_fetch_sub(&s->in_flight, 1);
	settle_account(c, &r);
	ctx.keep_alive =
	    x->parse.keep_alive && !r.close && atomic_load(&s->stage) == SERVER_RUNNING;
	if (start_reply(c, &r, &ctx) == STEP_END)
		end(c, false);
	else
		conn_run(c, false);
}

void
conn_drop(struct pool_job *j)
{
	struct conn *c = (struct conn *)j;

	atomic_fetch_sub(&c->loop->server->in_flight, 1);
	conn_leave(c);
	end(c, false);
}
