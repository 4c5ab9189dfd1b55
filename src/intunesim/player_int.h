/*
 * player_int.h - what played devices hold; inside of player.h.
 */
#ifndef SCEPD_INTUNESIM_PLAYER_INT_H
#define SCEPD_INTUNESIM_PLAYER_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "intunesim/guid.h"
#include "intunesim/player.h"
#include "ossl/cert.h"
#include "ossl/key.h"
#include "scep-client/device.h"

#define REVISION_MAX 32
#define BUCKETS      8192 /* a power of two */

/* A certificate, its key, and when to get the next one. */
struct held {
	struct held *next;
	char profile_id[GUID_TEXT_MAX], revision[REVISION_MAX];
	struct key *key; /* a reference */
	struct cert *cert;
	int64_t renew_at; /* of the devices' calendar */
	bool seen;        /* named in the check-in that is being looked at */
};

/* Its certificates belong to whoever has it busy. */
struct played_device {
	struct played_device *next; /* in its bucket */
	char id[GUID_TEXT_MAX];
	bool busy;
	struct held *held;
	int64_t renew_at; /* the soonest of them; INT64_MAX: none */
};

struct player {
	struct player_options options;
	_Atomic int64_t ahead; /* seconds */
	_Atomic size_t next_key;
	_Atomic unsigned visits; /* of player_enter() */
	pthread_mutex_t lock;    /* of the table, `busy` and a device's renew_at */
	size_t n;
	struct played_device *buckets[BUCKETS];
};

/* Take a device for a visit, or RC_CONFLICT; keep_release() it. */
enum rc keep_take(
    struct played_device **out, struct player *p, const char *id, struct err *err) MUST_CHECK;
/* Forgets a device that holds nothing. */
void keep_release(struct player *p, struct played_device *d);

struct held *keep_find(const struct played_device *d, const char *profile_id);
/* In the place of what it holds of this profile, if anything.  Takes cert over, and a reference of
 * the key. */
enum rc keep_put(struct played_device *d, const struct device_profile *profile, struct key *key,
    struct cert *cert, int64_t renew_at, struct err *err) MUST_CHECK;
/* Throw away what was not seen; returns how many.  Leaves the others unseen. */
unsigned keep_sweep(struct played_device *d);
/*
 * When a certificate that came at `now` of the calendar is to be replaced.  `ca_now` is the CA's
 * idea of the time.
 */
int64_t keep_renew_at(const struct cert *c, unsigned threshold, int64_t ca_now, int64_t now);

#endif
