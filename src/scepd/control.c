/* control.c - see control.h. */
#include "scepd/control.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define MAGIC 0x53434331u /* "SCC1": both ends are the same program, so this only finds bugs */

struct head {
	uint32_t magic, kind;
	int64_t number;
	uint32_t len, n_fds;
};

static const struct {
	const char *name;
	enum control_side from;
	size_t len_max, fds_max;
} kinds[CONTROL__MAX] = {
	[CONTROL_CHANNELS] = { "channels", CONTROL_FROM_SUPERVISOR, 0, CONTROL_FDS_MAX },
	[CONTROL_SECRET] = { "secret", CONTROL_FROM_SUPERVISOR, CONTROL_TEXT_MAX, 0 },
	[CONTROL_RELOAD] = { "reload", CONTROL_FROM_SUPERVISOR, 0, 0 },
	[CONTROL_STOP] = { "stop", CONTROL_FROM_SUPERVISOR, 0, 0 },
	[CONTROL_PING] = { "ping", CONTROL_FROM_SUPERVISOR, 0, 0 },
	[CONTROL_OPENED] = { "opened", CONTROL_FROM_SUPERVISOR, 0, 1 },
	[CONTROL_PONG] = { "pong", CONTROL_FROM_CHILD, 0, 0 },
	[CONTROL_READY] = { "ready", CONTROL_FROM_CHILD, CONTROL_TEXT_MAX, 0 },
	[CONTROL_OPEN] = { "open", CONTROL_FROM_CHILD, 4096, 0 },
	[CONTROL_WANTED] = { "wanted", CONTROL_FROM_CHILD, 0, 0 },
};

enum rc
control_pair(int fds[static 2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return fail_errno(err, "cannot make a pair of sockets");
	return RC_OK;
}

/* ---- sending ---- */

union ancillary {
	char space[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
	struct cmsghdr align;
};

static void
attach_fds(struct msghdr *mh, union ancillary *a, const struct control_msg *m)
{
	struct cmsghdr *c;

	if (m->n_fds == 0)
		return;
	memset(a, 0, sizeof(*a));
	mh->msg_control = a->space;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * m->n_fds);
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * m->n_fds);
	memcpy(CMSG_DATA(c), m->fds, sizeof(int) * m->n_fds);
}

/* poll() for one descriptor that signals do not disturb.  1, 0 after the time, -1 with errno. */
static int
wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t until = clock_mono_ms() + timeout_ms;
	int n;

	while ((n = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR) {
		if (timeout_ms >= 0) {
			int64_t left = until - clock_mono_ms();

			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
	return n;
}

enum rc
control_send(int fd, const struct control_msg *m, struct err *err)
{
	struct head h = { MAGIC, m->kind, m->number, (uint32_t)m->len, (uint32_t)m->n_fds };
	struct iovec iov[] = { { &h, sizeof(h) },
		{ (void *)(uintptr_t)m->text, m->len } }; /* sendmsg() only reads it */
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	union ancillary a;
	ssize_t n;

	attach_fds(&mh, &a, m);
	while ((n = sendmsg(fd, &mh, MSG_NOSIGNAL)) < 0 && (errno == EINTR || errno == EAGAIN)) {
		if (errno == EAGAIN && wait_for(fd, POLLOUT, CONTROL_WAIT_MS) == 0)
			return fail(err, RC_TIMEOUT, "control: nobody takes the message %s",
			    kinds[m->kind].name);
	}
	return n >= 0 ? RC_OK : fail_errno(err, "control: cannot send %s", kinds[m->kind].name);
}

enum rc
control_say(
    int fd, enum control_kind kind, int64_t number, const void *text, size_t len, struct err *err)
{
	struct control_msg m = { .kind = kind, .number = number };
	enum rc rc;

	if (len > CONTROL_TEXT_MAX)
		return fail(err, RC_LIMIT, "control: %zu bytes are too long a message", len);
	if (len > 0)
		memcpy(m.text, text, len);
	m.len = len;
	rc = control_send(fd, &m, err);
	wipe(m.text, len);
	return rc;
}

/* ---- receiving ---- */

static void
take_fds(struct control_msg *m, struct msghdr *mh)
{
	m->n_fds = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n && m->n_fds < CONTROL_FDS_MAX; i++)
			memcpy(&m->fds[m->n_fds++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

static enum rc
judge(const struct head *h, size_t got, int flags, enum control_side from, size_t n_fds,
    struct err *err)
{
	if (got < sizeof(*h) || h->magic != MAGIC || (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return fail(err, RC_PARSE, "control: a packet of %zu bytes is no message", got);
	if (h->kind == 0 || h->kind >= CONTROL__MAX || kinds[h->kind].from != from)
		return fail(err, RC_PARSE, "control: kind %u is not for this direction", h->kind);
	if (h->len != got - sizeof(*h) || h->len > kinds[h->kind].len_max)
		return fail(
		    err, RC_PARSE, "control: %s with %u bytes", kinds[h->kind].name, h->len);
	if (h->n_fds != n_fds || n_fds > kinds[h->kind].fds_max)
		return fail(
		    err, RC_PARSE, "control: %s with %zu descriptors", kinds[h->kind].name, n_fds);
	return RC_OK;
}

static enum rc
receive(int fd, enum control_side from, struct control_msg *m, struct err *err)
{
	struct head h = { 0 };
	struct iovec iov[] = { { &h, sizeof(h) }, { m->text, CONTROL_TEXT_MAX } };
	union ancillary a;
	struct msghdr mh = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = a.space,
		.msg_controllen = sizeof(a.space) };
	ssize_t n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	enum rc rc;

	if (n < 0)
		return errno == ECONNRESET
		    ? fail(err, RC_NOTFOUND, "control: the other side is gone")
		    : fail_errno(err, "control: cannot receive");
	if (n == 0)
		return fail(err, RC_NOTFOUND, "control: the other side is gone");
	take_fds(m, &mh);
	rc = judge(&h, (size_t)n, mh.msg_flags, from, m->n_fds, err);
	m->kind = (enum control_kind)h.kind;
	m->number = h.number;
	m->len = rc == RC_OK ? h.len : 0;
	m->text[m->len] = '\0';
	if (rc != RC_OK)
		control_drop(m);
	return rc;
}

enum rc
control_recv(int fd, enum control_side from, struct control_msg *m, int timeout_ms, struct err *err)
{
	int n = wait_for(fd, POLLIN, timeout_ms);

	m->n_fds = 0;
	m->len = 0;
	if (n == 0)
		return fail(err, RC_TIMEOUT, "control: no message within %d ms", timeout_ms);
	if (n < 0)
		return fail_errno(err, "control: cannot wait");
	return receive(fd, from, m, err);
}

void
control_drop(struct control_msg *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		(void)close(m->fds[i]);
	m->n_fds = 0;
	wipe(m->text, m->len);
	m->len = 0;
}
