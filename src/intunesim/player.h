/*
 * player.h - the devices of the simulator, played: they check in, enrol over SCEP, report and keep
 * what they got.
 *
 * A played device does what scep(1) does in the role of a device, over the same code; only its
 * check-in and its reports go to the simulator without a socket.  What it holds, a private key and a
 * certificate for each profile, lives in memory and nowhere else.
 *
 * A device enrols a profile when it has no certificate of it, when the profile's revision is another
 * one (docs/intunesim-api.md), or when no more than the profile's threshold of the certificate's
 * life is left.  A certificate whose profile is no longer assigned is thrown away, and all of them
 * when the device is gone from Intune.
 *
 * Threads: any number of devices at once, each by one thread at a time.
 */
#ifndef SCEPD_INTUNESIM_PLAYER_H
#define SCEPD_INTUNESIM_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* That have ever been played; as many as all tenants of a simulator can have.  A kept certificate
 * and its key take about 10 KiB. */
#define PLAYER_DEVICES_MAX 65536

struct key;
struct player;
struct sim;

struct player_options {
	const char *ca_file; /* PEM trust anchors of https SCEP servers; NULL: the system's */
	/* Keys that devices share, in turn; lent.  Without any, each enrolment makes its own, which
	 * is what devices do. */
	struct key *const *keys;
	size_t n_keys;
	unsigned visits_max; /* of player_enter() */
	/* The time that each successful enrolment took, from the first byte to the SCEP server to
	 * the certificate; on the thread of player_sync().  NULL: nobody wants to know. */
	void (*took)(void *arg, uint64_t us);
	void *took_arg;
};

enum played { PLAYED_ENROLLED, PLAYED_RENEWED, PLAYED_REFUSED, PLAYED_FAILED, PLAYED__MAX };

/* What one visit came to, in profiles. */
struct player_counts {
	unsigned by[PLAYED__MAX];
	unsigned kept;          /* has a certificate that is good for longer */
	unsigned removed;       /* certificates thrown away */
	unsigned not_delivered; /* the device lacks what the profile asks for */
	bool gone;              /* the device is not Intune's any more */
	char why[ERR_MSG_MAX];  /* of the first that was refused or failed, or "" */
};

enum rc player_new(struct player **out, struct err *err) MUST_CHECK;
void player_free(struct player *p);
/* Before the first visit.  The options' pointers outlive the player. */
void player_setup(struct player *p, const struct player_options *o);
/*
 * The calendar of the devices runs this many seconds ahead of the simulator's clock: certificates
 * age by it.  Challenges and tokens do not, since the CA lives in the other time.
 */
void player_calendar(struct player *p, int64_t ahead);

/*
 * Let a device visit: check in, enrol what is due, report.  `id` is its Intune id.  Blocks for as
 * long as the SCEP servers take, at most half a minute an exchange.  RC_OK also when enrolments were refused
 * or failed: see the counts.  RC_CONFLICT: it is being played already.  RC_IO: the check-in was not
 * answered as one.  RC_LIMIT: PLAYER_DEVICES_MAX.
 */
enum rc player_sync(
    struct sim *s, const char *id, struct player_counts *out, struct err *err) MUST_CHECK;
/*
 * Room for a visit that a request asks for, which holds a worker of the simulator while the CA needs
 * others: false when options.visits_max are under way.  player_leave() when it was true.
 */
bool player_enter(struct player *p);
void player_leave(struct player *p);
/* A certificate that it holds is due for renewal.  False for a device that holds none. */
bool player_due(struct player *p, const char *id);

#endif
