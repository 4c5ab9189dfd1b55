/*
 * signer_channel.h - the caller's channels to the signer: who has which, which are broken, and others in their place.
 *
 * A channel belongs to one call at a time.  Those that nobody uses lie in the pool, whose lock every function of
 * the pool takes by itself.
 */
#ifndef SCEPD_SIGNER_SIGNER_CHANNEL_H
#define SCEPD_SIGNER_SIGNER_CHANNEL_H

#include <pthread.h>

#include "signer/signer_ipc.h"
#include "signer/signer_remote.h"

#define CHANNEL_SLICE_MS                                                                           \
	250 /* how long recv() waits at most, until deadlines are looked at again */

struct channel {
	int fd;
	uint64_t life;       /* of the signer: the pool's `oldest` when it came */
	uint64_t generation; /* the pool's when it came */
	uint32_t id;         /* of the last request, as is: */
	enum ipc_op op;
	bool owes; /* its answer is still to come, as nobody had the patience */
	uint8_t *in;
	size_t room, have;
};

struct channel_pool {
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
};

/* `p` is all zeros.  False: no memory. */
bool channel_pool_init(struct channel_pool *p) MUST_CHECK;
/* When no channel is taken. */
void channel_pool_done(struct channel_pool *p);
/* signer_remote_attach() and signer_remote_add(). */
void channel_pool_attach(struct channel_pool *p, const int *fds, size_t n);
void channel_pool_add(struct channel_pool *p, const int *fds, size_t n);
/* How often channels of another signer have come. */
uint64_t channel_pool_restarts(struct channel_pool *p);

/*
 * NULL: none became free until the deadline (monotonic ms).  *began: when channels last came before the call; 0
 * says that this is its first.
 */
struct channel *channel_take(struct channel_pool *p, int64_t deadline, uint64_t *began);
/* Broken: it is closed, and another is asked for. */
void channel_give(struct channel_pool *p, struct channel *c, bool broken);

#endif
