/*
 * sim.c - putting the simulator together, and the view that changes with every deed.
 */
#include "intunesim/sim.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

/* ---- views ---- */

const struct tenant *
view_tenant(const struct view *v, const char *id_or_domain)
{
	for (size_t i = 0; i < v->n_tenants; i++) {
		if (tenant_is(v->tenants[i], id_or_domain))
			return v->tenants[i];
	}
	return NULL;
}

const struct device *
view_device(const struct view *v, const char *id_or_name)
{
	const struct device *d = NULL;

	for (size_t i = 0; d == NULL && i < v->n_tenants; i++)
		d = tenant_device(v->tenants[i], id_or_name);
	return d;
}

static enum rc
view_new(struct view **out, struct err *err)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	atomic_init(&v->refs, 1);
	*out = v;
	return RC_OK;
}

const struct view *
sim_view(struct sim *s)
{
	struct view *v;

	pthread_mutex_lock(&s->lock);
	v = s->current;
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	return v;
}

void
view_done(const struct view *v)
{
	struct view *mine = (struct view *)(uintptr_t)v;

	if (v == NULL || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < mine->n_tenants; i++)
		tenant_free(mine->tenants[i]);
	free(mine);
}

static void
replace_view(struct sim *s, struct view *next)
{
	struct view *old;

	pthread_mutex_lock(&s->lock);
	old = s->current;
	s->current = next;
	pthread_mutex_unlock(&s->lock);
	view_done(old);
}

enum rc
sim_put(struct sim *s, struct tenant *t, const struct deed_effect *effect, struct err *err)
{
	const struct view *old = sim_view(s);
	struct view *next = NULL;
	enum rc rc;

	if ((rc = view_new(&next, err)) == RC_OK)
		rc = state_follow(s->state, old->tenants[t->index], t, effect, err);
	if (rc != RC_OK) {
		free(next);
		tenant_free(t);
	} else {
		next->n_tenants = old->n_tenants;
		for (size_t i = 0; i < old->n_tenants; i++)
			next->tenants[i] = i == t->index ? t : tenant_ref(old->tenants[i]);
		replace_view(s, next);
	}
	view_done(old);
	return rc;
}

/* ---- making the simulator ---- */

static enum rc
fail_shared(const struct tenant *t, const char *name, struct err *err)
{
	return fail(err, RC_CONFIG, "two tenants are called \"%s\" (tenant id %s)", name, t->id);
}

/* Entra finds a tenant by its id or a domain: no name may mean two. */
static enum rc
check_names(const struct view *v, const struct tenant *t, struct err *err)
{
	if (view_tenant(v, t->id) != NULL)
		return fail_shared(t, t->id, err);
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (view_tenant(v, t->file.tenant.domains.v[i]) != NULL)
			return fail_shared(t, t->file.tenant.domains.v[i], err);
	}
	return RC_OK;
}

static enum rc
add_tenants(struct view *v, struct tenant *const *tenants, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	/* All of them change hands first, so that a failure leaks none. */
	for (size_t i = 0; i < n; i++)
		v->tenants[i] = tenants[i];
	for (size_t i = 0; i < n; i++) {
		if (rc == RC_OK)
			rc = check_names(v, tenants[i], err);
		tenants[i]->index = i;
		v->n_tenants = i + 1;
	}
	return rc;
}

static enum rc
make_parts(struct sim *s, struct err *err)
{
	enum rc rc;

	if ((rc = revocations_new(&s->revocations, err)) != RC_OK ||
	    (rc = changes_new(&s->changes, err)) != RC_OK ||
	    (rc = state_new(&s->state, s->revocations, err)) != RC_OK ||
	    (rc = memo_new(&s->opened, err)) != RC_OK || (rc = spent_new(&s->spent, err)) != RC_OK)
		return rc;
	if ((rc = requests_new(&s->requests, err)) != RC_OK)
		return rc;
	if ((rc = faults_new(&s->faults, err)) != RC_OK)
		return rc;
	return player_new(&s->player, err);
}

static enum rc
fill(struct sim *s, struct tenant *const *tenants, size_t n, struct err *err)
{
	enum rc rc;

	if ((rc = add_tenants(s->current, tenants, n, err)) != RC_OK ||
	    (rc = make_parts(s, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if ((rc = state_follow(s->state, NULL, tenants[i], NULL, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
allocate(struct sim **out, struct err *err)
{
	struct sim *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	if ((rc = view_new(&s->current, err)) != RC_OK) {
		free(s);
		return rc;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->deeds, NULL);
	*out = s;
	return RC_OK;
}

enum rc
sim_new(struct sim **out, const struct sim_options *options, struct tenant *const *tenants,
    size_t n, struct err *err)
{
	struct sim *s = NULL;
	enum rc rc;

	if (n > TENANTS_MAX)
		rc = fail(err, RC_LIMIT, "more than %d tenants", TENANTS_MAX);
	else
		rc = allocate(&s, err);
	if (rc != RC_OK) {
		for (size_t i = 0; i < n; i++)
			tenant_free(tenants[i]);
		return rc;
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
	revocations_free(s->revocations);
	changes_free(s->changes);
	memo_free(s->opened);
	spent_free(s->spent);
	requests_free(s->requests);
	faults_free(s->faults);
	player_free(s->player);
	view_done(s->current);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->deeds);
	free(s);
}

#define OFFSET_MAX (3650LL * 86400) /* what certificates and times may still be computed with */

enum rc
sim_clock_set(const char *offset, struct err *err)
{
	bool behind = offset[0] == '-';
	int64_t seconds;
	enum rc rc;

	if ((rc = parse_duration(&seconds, offset + behind, err)) != RC_OK)
		return rc;
	if (seconds > OFFSET_MAX)
		return fail(err, RC_CONFIG, "\"%s\" is more than 3650 days", offset);
	clock_offset_set(behind ? -seconds : seconds);
	return RC_OK;
}
