/*
 * signer_server.c - the end of the channels where the keys are: a thread for each, which reads a
 * request, has it answered by the message table, and writes the answer.
 *
 * In the steady state a thread calls read(), write() and futex(), and nothing else of the kernel but
 * what the operation itself needs.  A frame that is none ends its channel, and only that.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "signer/signer_ops.h"
#include "signer/signer_remote.h"

#define STACK   (512 * 1024) /* libcrypto and PKCS#11 modules; ours needs 20 KiB */
#define ROOM    (16 * 1024)  /* of a channel at first: any request but a list fits */
#define OUT_MAX (2 << 20)    /* an answer; the table's maxima are below */

struct channel {
	struct signer_server *server;
	int fd;
	pthread_t thread;
	bool used;          /* under server->lock */
	atomic_bool ended;  /* the thread is at its end */
	atomic_llong since; /* monotonic ms, when the operation in progress began; 0: none */
	uint8_t *in;
	size_t room, have;
	struct buf out;
};

struct signer_server {
	struct signer *signer;
	pthread_mutex_t lock; /* `channels`, while threads are started and joined */
	pthread_mutex_t large;
	atomic_uint state; /* OPS_* */
	struct channel channels[SIGNER_CHANNELS_MAX];
};

/* ---- reading ---- */

/* false: the other side has closed, or cannot be heard. */
static bool
read_more(struct channel *c)
{
	ssize_t n;

	do {
		n = read(c->fd, c->in + c->have, c->room - c->have);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	c->have += (size_t)n;
	return true;
}

static bool
make_room(struct channel *c, size_t len)
{
	uint8_t *in;

	if (len <= c->room)
		return true;
	in = realloc(c->in, len);
	if (in == NULL)
		return false;
	c->in = in;
	c->room = len;
	return true;
}

/* Usually all of a request comes with the first read(). */
static enum rc
read_header(struct channel *c, struct ipc_header *h, struct err *err)
{
	enum rc rc;

	c->have = 0;
	while (c->have < IPC_HEADER_LEN)
		if (!read_more(c))
			return fail(err, RC_IO, "channel: closed");
	rc = ipc_header_take(h, c->in, err);
	return rc == RC_OK ? ops_admit(h, atomic_load(&c->server->state), err) : rc;
}

static enum rc
read_body(struct channel *c, const struct ipc_header *h, struct err *err)
{
	size_t len = IPC_HEADER_LEN + (size_t)h->len;

	if (!make_room(c, len))
		return fail(err, RC_NOMEM, "channel: no memory for %zu bytes", len);
	while (c->have < len)
		if (!read_more(c))
			return fail(err, RC_IO, "channel: closed within a request");
	/* Whoever waits for an answer has nothing to say before it. */
	return c->have == len ? RC_OK
			      : fail(err, RC_PARSE, "channel: something comes after a request");
}

/* ---- answering ---- */

static enum rc
write_answer(struct channel *c, struct err *err)
{
	size_t done = 0;

	while (done < c->out.len) {
		ssize_t n = write(c->fd, c->out.data + done, c->out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, RC_IO, "channel: closed before the answer");
		done += (size_t)n;
	}
	return RC_OK;
}

static enum rc
answer(struct channel *c, const struct ipc_header *h, struct err *err)
{
	enum rc rc = read_body(c, h, err);

	if (rc != RC_OK)
		return rc;
	atomic_store(&c->since, clock_mono_ms());
	ops_answer(&c->out, c->server->signer, h, c->in + IPC_HEADER_LEN);
	atomic_store(&c->since, 0);
	rc = write_answer(c, err);
	wipe(c->out.data, c->out.len); /* a content-encryption key, perhaps */
	return rc;
}

/* Large ones wait for each other, and leave no memory behind. */
static enum rc
answer_large(struct channel *c, const struct ipc_header *h, struct err *err)
{
	enum rc rc;

	pthread_mutex_lock(&c->server->large);
	rc = answer(c, h, err);
	free(c->in);
	c->room = 0;
	c->in = NULL;
	pthread_mutex_unlock(&c->server->large);
	if (rc == RC_OK && !make_room(c, ROOM))
		rc = fail(err, RC_NOMEM, "channel: no memory");
	return rc;
}

static enum rc
serve_one(struct channel *c, struct err *err)
{
	struct ipc_header h;
	enum rc rc = read_header(c, &h, err);

	if (rc != RC_OK)
		return rc;
	return h.len > OPS_LARGE ? answer_large(c, &h, err) : answer(c, &h, err);
}

static void *
serve(void *arg)
{
	struct channel *c = arg;
	struct err err = { 0 };
	enum rc rc;

	do {
		rc = serve_one(c, &err);
	} while (rc == RC_OK);
	/* RC_IO: the front's end is closed. RC_CONFLICT: this server is ending. */
	if (rc != RC_IO && rc != RC_CONFLICT)
		log_msg(LOG_ERROR, "signer-channel", "%s: the channel is closed", err.msg);
	shutdown(c->fd, SHUT_RDWR);
	atomic_store(&c->ended, true);
	return NULL;
}

/* ---- the server ---- */

enum rc
signer_server_new(struct signer_server **out, struct signer *s, struct err *err)
{
	struct signer_server *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for the signer's channels");
	v->signer = s;
	atomic_init(&v->state, OPS_SERVING);
	if (pthread_mutex_init(&v->lock, NULL) != 0 || pthread_mutex_init(&v->large, NULL) != 0) {
		free(v);
		return fail(err, RC_NOMEM, "no memory for the signer's channels");
	}
	*out = v;
	return RC_OK;
}

static void
channel_done(struct channel *c)
{
	free(c->in);
	buf_wipe(&c->out);
	c->used = false;
}

static void
channel_join(struct channel *c)
{
	pthread_join(c->thread, NULL);
	close(c->fd);
	channel_done(c);
}

/* A place whose thread has ended, or that was never used. */
static struct channel *
free_place(struct signer_server *v)
{
	for (size_t i = 0; i < SIGNER_CHANNELS_MAX; i++) {
		struct channel *c = &v->channels[i];

		if (c->used && atomic_load(&c->ended))
			channel_join(c);
		if (!c->used)
			return c;
	}
	return NULL;
}

/* Signals are main()'s; and SIGPIPE must not be, when the front is gone. */
static int
start_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc = pthread_attr_init(&attr);

	if (rc != 0)
		return rc;
	(void)pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(t, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

static enum rc
channel_start(struct signer_server *v, int fd, struct err *err)
{
	struct channel *c = free_place(v);
	int rc;

	if (c == NULL)
		return fail(err, RC_LIMIT, "more than %d channels", SIGNER_CHANNELS_MAX);
	c->server = v;
	c->fd = fd;
	c->in = NULL;
	c->room = 0;
	buf_init(&c->out, OUT_MAX);
	atomic_store(&c->ended, false);
	atomic_store(&c->since, 0);
	if (!make_room(c, ROOM) || !ipc_answer_room(&c->out)) {
		channel_done(c);
		return fail(err, RC_NOMEM, "no memory for a channel");
	}
	rc = start_thread(&c->thread, serve, c);
	if (rc != 0) {
		channel_done(c);
		errno = rc;
		return fail_errno(err, "cannot start a thread for a channel");
	}
	c->used = true;
	return RC_OK;
}

enum rc
signer_server_attach(struct signer_server *v, const int *fds, size_t n, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i = 0;

	pthread_mutex_lock(&v->lock);
	for (; rc == RC_OK && i < n; i++)
		rc = channel_start(v, fds[i], err);
	pthread_mutex_unlock(&v->lock);
	/* The one that was not started, and those after it. */
	for (i -= rc != RC_OK; i < n; i++)
		close(fds[i]);
	return rc;
}

int64_t
signer_server_busy_ms(struct signer_server *v)
{
	int64_t now = clock_mono_ms(), most = 0;

	for (size_t i = 0; i < SIGNER_CHANNELS_MAX; i++) {
		int64_t since = atomic_load(&v->channels[i].since);

		if (since != 0 && now - since > most)
			most = now - since;
	}
	return most;
}

void
signer_server_free(struct signer_server *v)
{
	if (v == NULL)
		return;
	atomic_store(&v->state, OPS_ENDING);
	pthread_mutex_lock(&v->lock);
	/* What waits for a request sees its end; what is within an operation answers first. */
	for (size_t i = 0; i < SIGNER_CHANNELS_MAX; i++)
		if (v->channels[i].used)
			(void)shutdown(v->channels[i].fd, SHUT_RD);
	for (size_t i = 0; i < SIGNER_CHANNELS_MAX; i++)
		if (v->channels[i].used)
			channel_join(&v->channels[i]);
	pthread_mutex_unlock(&v->lock);
	pthread_mutex_destroy(&v->lock);
	pthread_mutex_destroy(&v->large);
	free(v);
}
