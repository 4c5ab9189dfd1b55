/*
 * signer_channel.c - taking and giving channels, and those that come in place of others.
 */
#include "signer/signer_channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"

#define ROOM 8192 /* of a channel: any answer but certificates and OCSP fits at once */
#define ASK_EVERY_MS                                                                               \
	1000 /* channels in place of broken ones: a signer may break them as fast as they come */

/* ---- one channel ---- */

static void
channel_free(struct channel *c)
{
	close(c->fd);
	if (c->in != NULL)
		wipe_free(c->in, c->room);
	free(c);
}

static struct channel *
channel_new(int fd, const struct channel_pool *p)
{
	const struct timeval slice = { .tv_usec = CHANNEL_SLICE_MS * 1000L };
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
	c->life = p->oldest;
	c->generation = p->generation;
	return c;
}

/* ---- taking and giving ---- */

/* Under the lock.  0: nothing is wanted, or somebody has just said so. */
static size_t
to_be_asked_for(struct channel_pool *p, int64_t now)
{
	if (p->wanted == 0 || p->ask == NULL || now < p->ask_at_ms)
		return 0;
	p->ask_at_ms = now + ASK_EVERY_MS;
	return p->wanted;
}

/* Channels that broke are asked for by whoever comes next, and again while they are waited for. */
static void
ask_if_wanted(struct channel_pool *p)
{
	size_t n = to_be_asked_for(p, clock_mono_ms());

	if (n == 0)
		return;
	pthread_mutex_unlock(&p->lock);
	p->ask(p->ask_arg, n);
	pthread_mutex_lock(&p->lock);
}

/* Under the lock; some at a time, as channels may have to be asked for again. */
static bool
wait_some(struct channel_pool *p, int64_t deadline)
{
	int64_t now = clock_mono_ms(), end = now + ASK_EVERY_MS;

	if (now >= deadline)
		return false;
	(void)cond_wait_until(&p->changed, &p->lock, end < deadline ? end : deadline);
	return true;
}

struct channel *
channel_take(struct channel_pool *p, int64_t deadline, uint64_t *began)
{
	struct channel *c = NULL;

	pthread_mutex_lock(&p->lock);
	if (*began == 0)
		*began = p->generation;
	do {
		if (p->wanted > 0)
			ask_if_wanted(p);
	} while (p->n_idle == 0 && wait_some(p, deadline));
	if (p->n_idle > 0)
		c = p->idle[--p->n_idle];
	pthread_mutex_unlock(&p->lock);
	return c;
}

/* One that owes an answer is the last to be taken: its taker has to wait for that first. */
static void
put_idle(struct channel_pool *p, struct channel *c)
{
	size_t at = c->owes ? 0 : p->n_idle;

	memmove(p->idle + at + 1, p->idle + at, (p->n_idle - at) * sizeof(p->idle[0]));
	p->idle[at] = c;
	p->n_idle++;
}

void
channel_give(struct channel_pool *p, struct channel *c, bool broken)
{
	pthread_mutex_lock(&p->lock);
	if (c->life == p->oldest && broken) {
		p->wanted += p->wanted < p->whole;
	} else if (c->life == p->oldest && p->n_idle < SIGNER_CHANNELS_MAX) {
		put_idle(p, c);
		c = NULL;
		pthread_cond_signal(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	if (c != NULL)
		channel_free(c);
}

/* ---- coming and going ---- */

/* Under the lock. */
static void
take_in(struct channel_pool *p, const int *fds, size_t n)
{
	p->generation++;
	for (size_t i = 0; i < n; i++) {
		struct channel *c = p->n_idle < SIGNER_CHANNELS_MAX ? channel_new(fds[i], p) : NULL;

		if (c != NULL)
			p->idle[p->n_idle++] = c;
		else
			close(fds[i]);
	}
	pthread_cond_broadcast(&p->changed);
}

void
channel_pool_attach(struct channel_pool *p, const int *fds, size_t n)
{
	pthread_mutex_lock(&p->lock);
	while (p->n_idle > 0)
		channel_free(p->idle[--p->n_idle]);
	p->restarts += p->oldest > 0;
	p->oldest = p->generation + 1;
	p->whole = n;
	p->wanted = 0;
	take_in(p, fds, n);
	pthread_mutex_unlock(&p->lock);
}

void
channel_pool_add(struct channel_pool *p, const int *fds, size_t n)
{
	pthread_mutex_lock(&p->lock);
	p->wanted -= n < p->wanted ? n : p->wanted;
	take_in(p, fds, n);
	pthread_mutex_unlock(&p->lock);
}

uint64_t
channel_pool_restarts(struct channel_pool *p)
{
	uint64_t n;

	pthread_mutex_lock(&p->lock);
	n = p->restarts;
	pthread_mutex_unlock(&p->lock);
	return n;
}

bool
channel_pool_init(struct channel_pool *p)
{
	if (!cond_init(&p->changed))
		return false;
	(void)pthread_mutex_init(&p->lock, NULL);
	return true;
}

void
channel_pool_done(struct channel_pool *p)
{
	while (p->n_idle > 0)
		channel_free(p->idle[--p->n_idle]);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
}
