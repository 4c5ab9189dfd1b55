/*
 * signer_exchange.c - a request and its answer over one channel, within a deadline.
 */
#include "signer/signer_exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "signer/signer_ops.h"

/* Until the socket is ready for `events`. */
static enum outcome
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n > 0)
			return ANSWERED;
		if (n == 0)
			return LATE;
		if (errno != EINTR)
			return BROKEN;
	}
}

static void
skip(struct iovec *v, size_t n, size_t done)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = done < v[i].iov_len ? done : v[i].iov_len;

		if (k == 0) /* of nothing, perhaps, which has no address */
			continue;
		v[i].iov_base = (uint8_t *)v[i].iov_base + k;
		v[i].iov_len -= k;
		done -= k;
	}
}

static enum outcome
send_all(int fd, struct iovec *v, size_t n, size_t len, int64_t deadline)
{
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n };

	while (len > 0) {
		ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		enum outcome o = ANSWERED;

		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			o = wait_for(fd, POLLOUT, deadline);
		else if (sent < 0 && errno != EINTR)
			o = BROKEN;
		if (o != ANSWERED)
			return o;
		if (sent > 0) {
			skip(v, n, (size_t)sent);
			len -= (size_t)sent;
		}
	}
	return ANSWERED;
}

/*
 * What has come, or nothing for now (0 in *n).  recv() does the waiting by itself, as a channel's socket
 * has a timeout: poll() before it would be a system call more for each answer.  That is left for the last
 * moments before the deadline.
 */
static enum outcome
receive_some(struct channel *c, size_t *n, int64_t deadline)
{
	bool soon = deadline - clock_mono_ms() < CHANNEL_SLICE_MS;
	enum outcome o = soon ? wait_for(c->fd, POLLIN, deadline) : ANSWERED;
	ssize_t got;

	*n = 0;
	if (o != ANSWERED)
		return o;
	got = recv(c->fd, c->in + c->have, c->room - c->have, soon ? MSG_DONTWAIT : 0);
	if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
		return BROKEN;
	if (got > 0)
		*n = (size_t)got;
	return ANSWERED;
}

static enum outcome
receive_up_to(struct channel *c, size_t want, int64_t deadline)
{
	while (c->have < want) {
		size_t n;
		enum outcome o = receive_some(c, &n, deadline);

		if (o != ANSWERED)
			return o;
		c->have += n;
	}
	return ANSWERED;
}

static bool
make_room(struct channel *c, size_t len)
{
	uint8_t *in;

	if (len <= c->room)
		return true;
	in = malloc(len);
	if (in == NULL)
		return false;
	memcpy(in, c->in, c->have);
	wipe_free(c->in, c->room);
	c->in = in;
	c->room = len;
	return true;
}

/* The answer to the last request, from where the last call left off.  Whatever does not follow the protocol is as
 * good as broken. */
static enum outcome
receive(struct channel *c, size_t *len, int64_t deadline)
{
	struct ipc_header h;
	enum outcome o;

	o = receive_up_to(c, IPC_HEADER_LEN, deadline);
	if (o != ANSWERED)
		return o;
	if (ipc_header_take(&h, c->in, NULL) != RC_OK || h.kind != IPC_ANSWER || h.op != c->op ||
	    h.id != c->id || h.len > op_row0(c->op)->answer_max ||
	    !make_room(c, IPC_HEADER_LEN + (size_t)h.len))
		return BROKEN;
	o = receive_up_to(c, IPC_HEADER_LEN + (size_t)h.len, deadline);
	if (o == ANSWERED && c->have != IPC_HEADER_LEN + (size_t)h.len)
		o = BROKEN;
	if (o == ANSWERED)
		c->owes = false;
	*len = h.len;
	return o;
}

/*
 * An answer that came too late for its call is nobody's.  Its channel stays in use all the same: a rush would
 * leave none of them.
 */
static enum outcome
settle(struct channel *c, int64_t deadline)
{
	enum outcome o = ANSWERED;
	size_t len;

	if (c->owes)
		o = receive(c, &len, deadline);
	if (o == ANSWERED && c->have > 0)
		wipe(c->in, c->have); /* a content-encryption key, perhaps */
	if (o == ANSWERED)
		c->have = 0;
	return o;
}

enum outcome
signer_exchange(struct channel *c, const struct call *q, size_t *len)
{
	struct ipc_header h = { q->op, IPC_REQUEST, c->id + 1,
		(uint32_t)(q->params_len + q->data.len) };
	uint8_t head[IPC_HEADER_LEN];
	struct iovec v[3] = {
		{ head, sizeof(head) },
		{ (void *)q->params, q->params_len },
		{ (void *)q->data.p, q->data.len },
	};
	enum outcome o = settle(c, q->deadline);

	if (o != ANSWERED)
		return o;
	ipc_header_put(head, &h);
	o = send_all(c->fd, v, 3, sizeof(head) + h.len, q->deadline);
	if (o != ANSWERED)
		return o;
	c->op = q->op;
	c->id = h.id;
	c->owes = true;
	return receive(c, len, q->deadline);
}
