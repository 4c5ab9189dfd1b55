/*
 * signer_remote.c - a signer in another process: calls over channels, which may break at any moment
 * and be replaced.
 *
 * A call takes a channel that nobody uses, writes a frame and waits for another.  If the channel
 * breaks, the call goes out again on the next one: whatever was done already is done again with the
 * same outcome (signer.h), so nothing is lost by a signer that dies, and no caller sees it.
 */
#include "signer/signer_remote.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/limits.h"
#include "signer/signer_int.h"
#include "signer/signer_ops.h"

#define ROOM          8192 /* of a channel: any answer but certificates and OCSP fits at once */
#define LIVES_MAX     3    /* a request that breaks three signers is not tried on a fourth */
#define SLICE_MS      250  /* how long recv() waits at most, until deadlines are looked at again */
#define STATS_WAIT_MS 2000 /* numbers are asked for by whoever looks whether anything is wrong */
#define ASK_EVERY_MS                                                                               \
	1000 /* channels in place of broken ones: a signer may break them as fast as they come */

struct channel {
	int fd;
	uint64_t life;       /* of the signer: r->oldest when it came */
	uint64_t generation; /* r->generation when it came */
	uint32_t id;         /* of the last request, as is: */
	enum ipc_op op;
	bool owes; /* its answer is still to come, as nobody had the patience */
	uint8_t *in;
	size_t room, have;
};

struct remote {
	struct signer base;
	pthread_mutex_t lock;
	pthread_cond_t changed;                    /* a channel became idle */
	struct channel *idle[SIGNER_CHANNELS_MAX]; /* the last that was used comes first: warm */
	size_t n_idle;
	uint64_t generation; /* how often channels have come */
	uint64_t oldest;     /* what came before is another signer's */
	uint64_t restarts;
	size_t whole,
	    wanted; /* channels that came with this signer, and those that it has broken since */
	signer_wanted_fn *ask;
	void *ask_arg;
	int64_t ask_at_ms;
	int64_t wait_ms;
};

static struct remote *
remote_of(struct signer *s)
{
	return (struct remote *)s; /* `base` comes first */
}

/* ---- channels ---- */

static void
channel_free(struct channel *c)
{
	close(c->fd);
	if (c->in != NULL)
		wipe_free(c->in, c->room);
	free(c);
}

/* Under the lock.  0: nothing is wanted, or somebody has just said so. */
static size_t
to_be_asked_for(struct remote *r, int64_t now)
{
	if (r->wanted == 0 || r->ask == NULL || now < r->ask_at_ms)
		return 0;
	r->ask_at_ms = now + ASK_EVERY_MS;
	return r->wanted;
}

/* Channels that broke are asked for by whoever comes next, and again while they are waited for. */
static void
ask_if_wanted(struct remote *r)
{
	size_t n = to_be_asked_for(r, clock_mono_ms());

	if (n == 0)
		return;
	pthread_mutex_unlock(&r->lock);
	r->ask(r->ask_arg, n);
	pthread_mutex_lock(&r->lock);
}

/* Under the lock; some at a time, as channels may have to be asked for again. */
static bool
wait_some(struct remote *r, int64_t deadline)
{
	int64_t now = clock_mono_ms(), end = now + ASK_EVERY_MS;

	if (now >= deadline)
		return false;
	(void)cond_wait_until(&r->changed, &r->lock, end < deadline ? end : deadline);
	return true;
}

/* NULL: none became free until the deadline.  *began: when channels last came before the call. */
static struct channel *
channel_take(struct remote *r, int64_t deadline, uint64_t *began)
{
	struct channel *c = NULL;

	pthread_mutex_lock(&r->lock);
	if (*began == 0)
		*began = r->generation;
	do {
		if (r->wanted > 0)
			ask_if_wanted(r);
	} while (r->n_idle == 0 && wait_some(r, deadline));
	if (r->n_idle > 0)
		c = r->idle[--r->n_idle];
	pthread_mutex_unlock(&r->lock);
	return c;
}

/* One that owes an answer is the last to be taken: its taker has to wait for that first. */
static void
put_idle(struct remote *r, struct channel *c)
{
	size_t at = c->owes ? 0 : r->n_idle;

	memmove(r->idle + at + 1, r->idle + at, (r->n_idle - at) * sizeof(r->idle[0]));
	r->idle[at] = c;
	r->n_idle++;
}

static void
channel_give(struct remote *r, struct channel *c, bool broken)
{
	pthread_mutex_lock(&r->lock);
	if (c->life == r->oldest && broken) {
		r->wanted += r->wanted < r->whole;
	} else if (c->life == r->oldest && r->n_idle < SIGNER_CHANNELS_MAX) {
		put_idle(r, c);
		c = NULL;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	if (c != NULL)
		channel_free(c);
}

static struct channel *
channel_new(int fd, const struct remote *r)
{
	const struct timeval slice = { .tv_usec = SLICE_MS * 1000L };
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->in = malloc(ROOM);
	/* Without its timeout recv() would wait for a signer that hangs, past any deadline. */
	if (c->in == NULL || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof(slice)) != 0) {
		free(c->in);
		free(c);
		return NULL;
	}
	c->room = ROOM;
	c->fd = fd;
	c->life = r->oldest;
	c->generation = r->generation;
	return c;
}

/* Under the lock. */
static void
take_in(struct remote *r, const int *fds, size_t n)
{
	r->generation++;
	for (size_t i = 0; i < n; i++) {
		struct channel *c = r->n_idle < SIGNER_CHANNELS_MAX ? channel_new(fds[i], r) : NULL;

		if (c != NULL)
			r->idle[r->n_idle++] = c;
		else
			close(fds[i]);
	}
	pthread_cond_broadcast(&r->changed);
}

void
signer_remote_attach(struct signer *s, const int *fds, size_t n)
{
	struct remote *r = remote_of(s);

	pthread_mutex_lock(&r->lock);
	while (r->n_idle > 0)
		channel_free(r->idle[--r->n_idle]);
	r->restarts += r->oldest > 0;
	r->oldest = r->generation + 1;
	r->whole = n;
	r->wanted = 0;
	take_in(r, fds, n);
	pthread_mutex_unlock(&r->lock);
}

void
signer_remote_add(struct signer *s, const int *fds, size_t n)
{
	struct remote *r = remote_of(s);

	pthread_mutex_lock(&r->lock);
	r->wanted -= n < r->wanted ? n : r->wanted;
	take_in(r, fds, n);
	pthread_mutex_unlock(&r->lock);
}

void
signer_remote_on_wanted(struct signer *s, signer_wanted_fn *fn, void *arg)
{
	struct remote *r = remote_of(s);

	r->ask = fn;
	r->ask_arg = arg;
}

/* ---- one exchange ---- */

enum outcome { ANSWERED, BROKEN, LATE };

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
	bool soon = deadline - clock_mono_ms() < SLICE_MS;
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

/* A request as it goes out: parameters, and the caller's bytes where they are. */
struct call {
	enum ipc_op op;
	uint8_t params[IPC_PARAMS_MAX];
	size_t params_len;
	struct der data;
	int64_t deadline;
};

static enum outcome
exchange(struct channel *c, const struct call *q, size_t *len)
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

/* ---- calls ---- */

/* What to do with the result, while it is in the channel's memory. */
typedef enum rc take_fn(void *to, struct der result, struct err *err);

static enum rc
take_answer(struct channel *c, size_t len, take_fn *take, void *to, struct err *err)
{
	struct der result;
	enum rc rc = ipc_answer_take(&result, c->in + IPC_HEADER_LEN, len, err);

	if (rc == RC_OK)
		rc = take(to, result, err);
	wipe(c->in, c->have); /* a content-encryption key, perhaps */
	c->have = 0;
	return rc;
}

/* How many signers a call has broken. */
struct toll {
	uint64_t life, newest;
	unsigned lives;
};

/*
 * A dead signer's channels break one after the other as they are tried, and count as one.  They are
 * gone then, so there is an end to it.  What came in place of closed channels while this call was at it counts
 * again: a request that a living signer will not have must not use up channels for ever.
 */
static bool
may_try(struct toll *t, const struct channel *c)
{
	t->lives += c->life != t->life || c->generation > t->newest;
	t->life = c->life;
	if (c->generation > t->newest)
		t->newest = c->generation;
	return t->lives <= LIVES_MAX;
}

static enum rc
send_until_answered(
    struct remote *r, const struct call *q, take_fn *take, void *to, struct err *err)
{
	struct toll toll = { 0 };

	for (;;) {
		struct channel *c = channel_take(r, q->deadline, &toll.newest);
		size_t len = 0;
		enum outcome o;
		enum rc rc;

		if (c == NULL)
			return fail(err, RC_IO, "signer: no channel to it became free in time");
		if (!may_try(&toll, c)) {
			channel_give(r, c, false);
			return fail(err, RC_IO, "signer: %d of them ended during %s", LIVES_MAX,
			    op_row0(q->op)->name);
		}
		o = exchange(c, q, &len);
		if (o == ANSWERED) {
			rc = take_answer(c, len, take, to, err);
			channel_give(r, c, false);
			return rc;
		}
		/* Half a request is of no use to the next one. */
		channel_give(r, c, o == BROKEN || !c->owes);
		if (o == LATE)
			return fail(
			    err, RC_IO, "signer: no answer to %s in time", op_row0(q->op)->name);
	}
}

static enum rc
call(struct remote *r, enum ipc_op op, const char *ca, const struct ipc_request *params,
    struct der data, take_fn *take, void *to, struct err *err)
{
	struct call q = { .op = op, .data = data };
	int64_t wait = op == IPC_STATS && r->wait_ms > STATS_WAIT_MS ? STATS_WAIT_MS : r->wait_ms;
	enum rc rc;

	q.deadline = clock_mono_ms() + wait;
	rc = ipc_params_put(q.params, &q.params_len, ca, params, err);
	if (rc != RC_OK)
		return rc;
	if (data.len > op_row0(op)->request_max - q.params_len)
		return fail(err, RC_LIMIT, "signer: %zu bytes are too many to %s", data.len,
		    op_row0(op)->name);
	return send_until_answered(r, &q, take, to, err);
}

static const struct ipc_request no_params;

static enum rc
append(void *to, struct der result, struct err *err)
{
	struct buf *out = to;
	size_t start = out->len;
	enum rc rc;

	buf_add(out, result.p, result.len);
	rc = buf_ok(out, "answer of the signer", err);
	if (rc != RC_OK)
		out->len = start;
	return rc;
}

static enum rc
remote_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	return call(remote_of(s), IPC_SIGN_CERT, ca, &no_params, (struct der){ tbs, len }, append,
	    sig, err);
}

static enum rc
remote_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	return call(
	    remote_of(s), IPC_SIGN_CRL, ca, &no_params, (struct der){ tbs, len }, append, sig, err);
}

static enum rc
remote_sign_certrep(struct signer *s, const char *ca, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err)
{
	struct ipc_request q = { .digest = d };

	return call(
	    remote_of(s), IPC_SIGN_CERTREP, ca, &q, (struct der){ attrs, len }, append, sig, err);
}

struct cek {
	uint8_t *p;
	size_t len;
};

static enum rc
take_cek(void *to, struct der result, struct err *err)
{
	struct cek *cek = to;

	if (result.len != cek->len)
		return fail(err, RC_PARSE, "channel: a key of %zu bytes", result.len);
	if (result.len > 0)
		memcpy(cek->p, result.p, result.len);
	return RC_OK;
}

static enum rc
remote_unwrap(struct signer *s, const char *ca, const struct transport *t, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len, struct err *err)
{
	struct ipc_request q = { .transport = *t, .cek_len = (uint8_t)cek_len };
	struct cek to = { cek, cek_len };

	return call(remote_of(s), IPC_UNWRAP, ca, &q, (struct der){ wrapped, wrapped_len },
	    take_cek, &to, err);
}

static enum rc
remote_sign_ocsp(struct signer *s, const char *ca, const uint8_t *data, size_t len,
    struct buf *basic, struct err *err)
{
	return call(remote_of(s), IPC_SIGN_OCSP, ca, &no_params, (struct der){ data, len }, append,
	    basic, err);
}

static enum rc
remote_next_ca(struct signer *s, const char *ca, struct buf *der, struct err *err)
{
	return call(
	    remote_of(s), IPC_NEXT_CA, ca, &no_params, (struct der){ NULL, 0 }, append, der, err);
}

static enum rc
take_certs(void *to, struct der result, struct err *err)
{
	return ipc_certs_take(to, result.p, result.len, err);
}

static enum rc
remote_certs(struct signer *s, const char *ca, struct signer_certs *out, struct err *err)
{
	return call(
	    remote_of(s), IPC_CERTS, ca, &no_params, (struct der){ NULL, 0 }, take_certs, out, err);
}

static enum rc
take_nothing(void *to, struct der result, struct err *err)
{
	return result.len == 0 ? RC_OK
			       : fail(err, RC_PARSE, "channel: a result where none is to come");
}

static enum rc
remote_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err)
{
	return call(remote_of(s), IPC_TAKE_RESPONDER, ca, &no_params, (struct der){ der, len },
	    take_nothing, NULL, err);
}

static enum rc
take_stats(void *to, struct der result, struct err *err)
{
	return ipc_stats_take(to, result.p, result.len, err);
}

static enum rc
remote_stats(struct signer *s, struct signer_stats *out, struct err *err)
{
	struct remote *r = remote_of(s);
	struct signer_stats stats;
	enum rc rc =
	    call(r, IPC_STATS, "", &no_params, (struct der){ NULL, 0 }, take_stats, &stats, err);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&r->lock);
	stats.restarts = r->restarts;
	pthread_mutex_unlock(&r->lock);
	*out = stats;
	return RC_OK;
}

static void
remote_tick(struct signer *s, int64_t now)
{
	/* The process with the keys has a clock of its own. */
}

static void
remote_close(struct signer *s)
{
	struct remote *r = remote_of(s);

	while (r->n_idle > 0)
		channel_free(r->idle[--r->n_idle]);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static const struct signer_ops remote_ops = {
	.sign_cert = remote_sign_cert,
	.sign_crl = remote_sign_crl,
	.sign_certrep = remote_sign_certrep,
	.unwrap = remote_unwrap,
	.sign_ocsp = remote_sign_ocsp,
	.next_ca = remote_next_ca,
	.certs = remote_certs,
	.take_responder = remote_take_responder,
	.stats = remote_stats,
	.tick = remote_tick,
	.close = remote_close,
};

enum rc
signer_remote_new(struct signer **out, struct err *err)
{
	struct remote *r = calloc(1, sizeof(*r));

	if (r == NULL || !cond_init(&r->changed)) {
		free(r);
		return fail(err, RC_NOMEM, "no memory for a signer");
	}
	(void)pthread_mutex_init(&r->lock, NULL);
	r->base.ops = &remote_ops;
	r->wait_ms = SIGNER_WAIT_MS;
	*out = &r->base;
	return RC_OK;
}

void
signer_remote_wait_set(struct signer *s, int64_t ms)
{
	remote_of(s)->wait_ms = ms;
}
