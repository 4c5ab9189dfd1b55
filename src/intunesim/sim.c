/*
 * sim.c - putting the simulator together.
 */
#include "intunesim/sim.h"

#include <stdlib.h>

const struct tenant *
sim_tenant(const struct sim *s, const char *id_or_domain)
{
	for (size_t i = 0; i < s->n_tenants; i++) {
		if (tenant_is(s->tenants[i], id_or_domain))
			return s->tenants[i];
	}
	return NULL;
}

static enum rc
fail_shared(const struct tenant *t, const char *name, struct err *err)
{
	return fail(err, RC_CONFIG, "two tenants are called \"%s\" (tenant id %s)", name, t->id);
}

/* Entra finds a tenant by its id or a domain: no name may mean two. */
static enum rc
check_names(const struct sim *s, const struct tenant *t, struct err *err)
{
	if (sim_tenant(s, t->id) != NULL)
		return fail_shared(t, t->id, err);
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (sim_tenant(s, t->file.tenant.domains.v[i]) != NULL)
			return fail_shared(t, t->file.tenant.domains.v[i], err);
	}
	return RC_OK;
}

static enum rc
add_tenants(struct sim *s, struct tenant *const *tenants, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	/* All of them change hands first, so that a failure leaks none. */
	for (size_t i = 0; i < n; i++)
		s->tenants[i] = tenants[i];
	for (size_t i = 0; i < n; i++) {
		if (rc == RC_OK)
			rc = check_names(s, tenants[i], err);
		tenants[i]->index = i;
		s->n_tenants = i + 1;
	}
	return rc;
}

static enum rc
fill(struct sim *s, struct tenant *const *tenants, size_t n, struct err *err)
{
	enum rc rc;

	if ((rc = add_tenants(s, tenants, n, err)) != RC_OK ||
	    (rc = state_new(&s->state, s->tenants, n, err)) != RC_OK ||
	    (rc = memo_new(&s->opened, err)) != RC_OK || (rc = spent_new(&s->spent, err)) != RC_OK)
		return rc;
	return requests_new(&s->requests, err);
}

enum rc
sim_new(struct sim **out, const struct sim_options *options, struct tenant *const *tenants,
    size_t n, struct err *err)
{
	struct sim *s = n <= TENANTS_MAX ? calloc(1, sizeof(*s)) : NULL;
	enum rc rc;

	if (s == NULL) {
		for (size_t i = 0; i < n; i++)
			tenant_free(tenants[i]);
		if (n > TENANTS_MAX)
			return fail(err, RC_LIMIT, "more than %d tenants", TENANTS_MAX);
		return fail(err, RC_NOMEM, "out of memory");
	}
	s->options = *options;
	if (s->options.challenge_life == 0)
		s->options.challenge_life = CHALLENGE_LIFE;
	if ((rc = fill(s, tenants, n, err)) != RC_OK) {
		sim_free(s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	state_free(s->state);
	memo_free(s->opened);
	spent_free(s->spent);
	requests_free(s->requests);
	for (size_t i = 0; i < s->n_tenants; i++)
		tenant_free(s->tenants[i]);
	free(s);
}
