/*
 * sim.h - the simulator as a value: tenants, memory, and the one door for requests.
 *
 * Threads: sim_handle() may run on any number of threads at once.
 */
#ifndef SCEPD_INTUNESIM_SIM_H
#define SCEPD_INTUNESIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/server.h"
#include "intunesim/memo.h"
#include "intunesim/requests.h"
#include "intunesim/state.h"
#include "intunesim/tenant.h"

#define TENANTS_MAX    16
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

struct sim {
	struct sim_options options;
	struct tenant *tenants[TENANTS_MAX];
	size_t n_tenants;
	struct state *state;
	struct memo *opened;
	struct spent *spent;
	struct requests *requests;
};

/*
 * Takes the tenants over, also when it fails.  RC_CONFIG when two of them share an id or a domain.
 * *out is the caller's.
 */
enum rc sim_new(struct sim **out, const struct sim_options *options, struct tenant *const *tenants,
    size_t n, struct err *err) MUST_CHECK;
void sim_free(struct sim *s);
/* By GUID or domain; NULL when unknown. */
const struct tenant *sim_tenant(const struct sim *s, const char *id_or_domain);

/* An http_handler; ctx is the struct sim. */
void sim_handle(void *ctx, const struct http_request *req, struct http_reply *reply);

#endif
