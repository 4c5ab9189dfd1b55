/* load.c - see load.h. */
#include "bench/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "bench/reply_frame.h"
#include "bench/stop.h"

#define PATIENCE_US 30000000 /* without any answer: what a SCEP client waits for one */
#define TICK_MS     100
#define EVENTS      64
#define READ_SIZE   (16u * KIB)

struct conn {
	int fd;            /* -1: closed */
	struct shot *shot; /* NULL: idle */
	struct buf out, in;
	size_t sent;
	uint64_t start;
	bool fresh; /* nothing was answered on it so far */
};

struct load {
	const struct target *target;
	struct shot *shots;
	size_t n, next, finished;
	struct conn *conns;
	unsigned n_conns;
	int epoll;
	uint64_t last;             /* when something was answered */
	const atomic_bool *enough; /* may be NULL */
	struct load_result *result;
};

/* ---- connections */

static enum rc
conn_open(struct load *l, struct conn *c, struct err *err)
{
	const struct sockaddr *to = (const struct sockaddr *)&l->target->addr;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	int one = 1;

	c->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return fail_errno(err, "socket");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fresh = true;
	if ((connect(c->fd, to, l->target->addr_len) != 0 && errno != EINPROGRESS) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		return fail_errno(err, "%s", l->target->host);
	return RC_OK;
}

static void
conn_close(struct conn *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

/* ---- a shot */

static enum rc
aim(struct load *l, struct conn *c, struct shot *s, struct err *err)
{
	c->shot = s;
	c->sent = 0;
	buf_reset(&c->in);
	buf_reset(&c->out);
	buf_addf(&c->out, "%s %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: scepbench\r\n",
	    s->len > 0 ? "POST" : "GET", l->target->path, l->target->query, l->target->host);
	if (s->len > 0)
		buf_addf(&c->out, "Content-Type: %s\r\nContent-Length: %zu\r\n", l->target->type,
		    s->len);
	buf_adds(&c->out, "\r\n");
	buf_add(&c->out, s->body, s->len);
	c->start = clock_mono_us();
	return buf_ok(&c->out, "request", err);
}

static void
finish(struct load *l, struct conn *c, int status)
{
	c->shot->status = status;
	c->shot->at_us = clock_mono_us();
	c->shot->us = c->shot->at_us - c->start;
	c->shot = NULL;
	l->finished++;
	if (status != 0) {
		l->last = clock_mono_us();
		l->result->answered++;
		c->fresh = false;
	}
}

/* false: the connection is of no more use. */
static bool
send_some(struct conn *c)
{
	while (c->shot != NULL && c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == ENOTCONN;
		c->sent += (size_t)n;
	}
	return true;
}

/* A whole reply ends the shot.  false: as above. */
static bool
take_reply(struct load *l, struct conn *c)
{
	struct reply_frame f;
	bool whole;

	if (c->shot == NULL)
		return false; /* nobody asked */
	if (reply_frame_scan(&f, &whole, c->in.data, c->in.len, NULL) != RC_OK)
		return false;
	if (!whole)
		return true;
	buf_init(&c->shot->reply, LIMIT_SCEP_MESSAGE);
	reply_frame_body(&c->shot->reply, &f, c->in.data, c->in.len);
	finish(l, c, f.status);
	return !f.close;
}

static bool
receive_some(struct load *l, struct conn *c)
{
	uint8_t chunk[READ_SIZE];

	for (;;) {
		ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		buf_add(&c->in, chunk, (size_t)n);
		if (buf_ok(&c->in, "reply", NULL) != RC_OK || !take_reply(l, c))
			return false;
	}
}

static bool
more(const struct load *l)
{
	return l->next < l->n && (l->enough == NULL || !*l->enough);
}

/* The connection is gone.  What was under way is sent again if the server may not have seen it: it
 * closed a connection that had been idle. */
static enum rc
reopen(struct load *l, struct conn *c, struct err *err)
{
	struct shot *again = c->shot != NULL && !c->fresh && c->in.len == 0 ? c->shot : NULL;
	enum rc rc;

	if (c->shot != NULL && again == NULL)
		finish(l, c, 0);
	conn_close(c);
	c->shot = NULL;
	if (again == NULL && !more(l))
		return RC_OK;
	l->result->reconnects++;
	if ((rc = conn_open(l, c, err)) == RC_OK && again != NULL)
		rc = aim(l, c, again, err);
	return rc;
}

static enum rc
serve(struct load *l, struct conn *c, uint32_t events, struct err *err)
{
	enum rc rc;

	if (!receive_some(l, c) && (rc = reopen(l, c, err)) != RC_OK)
		return rc;
	if (c->shot == NULL && c->fd >= 0 && more(l) &&
	    (rc = aim(l, c, &l->shots[l->next++], err)) != RC_OK)
		return rc;
	if (c->fd >= 0 && !send_some(c))
		return reopen(l, c, err);
	return RC_OK;
}

/* ---- all of them */

static enum rc
start(struct load *l, struct err *err)
{
	enum rc rc;

	if ((l->conns = calloc(l->n_conns, sizeof(*l->conns))) == NULL)
		return fail(err, RC_NOMEM, "connections");
	for (unsigned i = 0; i < l->n_conns; i++) {
		l->conns[i].fd = -1;
		buf_init(&l->conns[i].in, 2 * LIMIT_SCEP_MESSAGE);
		buf_init(&l->conns[i].out, 2 * LIMIT_SCEP_MESSAGE);
	}
	if ((l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return fail_errno(err, "epoll");
	for (unsigned i = 0; i < l->n_conns; i++)
		if ((rc = conn_open(l, &l->conns[i], err)) != RC_OK ||
		    (rc = aim(l, &l->conns[i], &l->shots[l->next++], err)) != RC_OK)
			return rc;
	return RC_OK;
}

static enum rc
loop(struct load *l, const struct progress *p, const char *what, struct err *err)
{
	struct epoll_event ev[EVENTS];
	uint64_t shown = 0;
	enum rc rc;

	while (more(l) || l->finished < l->next) {
		int n = epoll_wait(l->epoll, ev, EVENTS, TICK_MS);

		if (n < 0 && errno != EINTR)
			return fail_errno(err, "epoll");
		for (int i = 0; i < n; i++)
			if ((rc = serve(l, ev[i].data.ptr, ev[i].events, err)) != RC_OK)
				return rc;
		if (clock_mono_us() - shown > TICK_MS * 1000) {
			shown = clock_mono_us();
			progress_show(p, what, l->finished, l->n);
			if ((rc = stop_check(err)) != RC_OK)
				return rc;
			if (shown > l->last + PATIENCE_US)
				return fail(err, RC_TIMEOUT, "%s has answered nothing for %d s",
				    l->target->host, PATIENCE_US / 1000000);
		}
	}
	return RC_OK;
}

enum rc
load_run(struct load_result *out, const struct target *t, struct shot *shots, size_t n,
    unsigned concurrency, const struct progress *p, const char *what, struct err *err)
{
	return load_run_while(out, t, shots, n, concurrency, NULL, p, what, err);
}

enum rc
load_run_while(struct load_result *out, const struct target *t, struct shot *shots, size_t n,
    unsigned concurrency, const atomic_bool *enough, const struct progress *p, const char *what,
    struct err *err)
{
	struct load l = { .target = t,
		.shots = shots,
		.n = n,
		.n_conns = n < concurrency ? (unsigned)n : concurrency,
		.epoll = -1,
		.enough = enough,
		.result = out };
	uint64_t start_us = clock_mono_us();
	enum rc rc;

	memset(out, 0, sizeof(*out));
	l.last = start_us;
	if ((rc = start(&l, err)) == RC_OK)
		rc = loop(&l, p, what, err);
	out->elapsed_us = clock_mono_us() - start_us;
	out->sent = l.next;
	progress_clear(p);
	for (unsigned i = 0; l.conns != NULL && i < l.n_conns; i++) {
		conn_close(&l.conns[i]);
		buf_done(&l.conns[i].in);
		buf_done(&l.conns[i].out);
	}
	free(l.conns);
	if (l.epoll >= 0)
		(void)close(l.epoll);
	return rc;
}

void
shots_done(struct shot *shots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_done(&shots[i].reply);
}
