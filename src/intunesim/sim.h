/*
 * sim.h - the simulator as a value: tenants, memory, and the one door for requests.
 *
 * What the administrator can change is a view: all tenants as they were at one moment, immutable.
 * A request takes the current one when it begins and looks at nothing newer until it ends, so that
 * it never meets a deed half done; the pointers it gets from there are good as long as it holds the
 * view.
 *
 * Threads: sim_handle(), sim_view() and sim_put() may run on any number of threads at once.
 */
#ifndef SCEPD_INTUNESIM_SIM_H
#define SCEPD_INTUNESIM_SIM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/server.h"
#include "intunesim/changes.h"
#include "intunesim/faults.h"
#include "intunesim/memo.h"
#include "intunesim/player.h"
#include "intunesim/requests.h"
#include "intunesim/revocations.h"
#include "intunesim/state.h"
#include "intunesim/tenant.h"

#define CHALLENGE_LIFE 3600 /* seconds; what the real service does */
#define TOKEN_LIFE     3599 /* seconds */

struct sim_options {
	const char *const *scep_urls; /* instead of those of every profile; borrowed */
	size_t n_scep_urls;
	const char
	    *public_url; /* how others reach us, without '/' at the end; NULL: the Host header */
	int64_t challenge_life; /* seconds; 0: CHALLENGE_LIFE */
	bool single_use;        /* a challenge that led to Success is refused from then on */
};

struct view {
	atomic_uint refs;
	struct tenant *tenants[TENANTS_MAX]; /* references */
	size_t n_tenants;
};

struct sim {
	struct sim_options options;
	pthread_mutex_t lock; /* of `current` only */
	struct view *current;
	pthread_mutex_t deeds; /* one deed at a time; taken before `lock` and that of the state */
	struct state *state;
	struct revocations *revocations;
	struct changes *changes;
	struct memo *opened;
	struct spent *spent;
	struct requests *requests;
	struct faults *faults;
	struct player *player;
};

/*
 * Takes the tenants over, also when it fails.  RC_CONFIG when two of them share an id or a domain.
 * *out is the caller's.
 */
enum rc sim_new(struct sim **out, const struct sim_options *options, struct tenant *const *tenants,
    size_t n, struct err *err) MUST_CHECK;
void sim_free(struct sim *s);
/* The current view, a reference: view_done() it. */
const struct view *sim_view(struct sim *s);
void view_done(const struct view *v);
/* By GUID or domain; NULL when unknown. */
const struct tenant *view_tenant(const struct view *v, const char *id_or_domain);
/* By Intune id or name, in any tenant; NULL when unknown. */
const struct device *view_device(const struct view *v, const char *id_or_name);
/*
 * Put a new snapshot of a tenant into the place of the one with its index, its deployments into the
 * report, and what is to be revoked into the queue.  The caller holds s->deeds.  Takes the tenant
 * over, also when it fails.  deeds.h is how to get one.
 */
enum rc sim_put(
    struct sim *s, struct tenant *t, const struct deed_effect *effect, struct err *err) MUST_CHECK;

/*
 * The simulator's clock, ahead of the real one or with '-' behind it: "2h", "-30d"; at most 3650
 * days.  RC_CONFIG.
 */
enum rc sim_clock_set(const char *offset, struct err *err) MUST_CHECK;

/* An http_handler; ctx is the struct sim. */
void sim_handle(void *ctx, const struct http_request *req, struct http_reply *reply);

#endif
