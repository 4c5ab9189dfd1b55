/*
 * state.c - the rows of the report, and how events move them.
 */
#include "intunesim/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* The rows of one device lie side by side. */
struct span {
	size_t first, n;
};

struct state {
	pthread_mutex_t lock;
	struct deployment *rows;
	size_t n_rows;
	struct span **spans; /* [tenant->index][device->index] */
	size_t n_tenants;
	struct certificate *ring;
	uint64_t n_issued; /* ever; the newest is at (n_issued - 1) % CERTIFICATES_MAX */
	struct state_counts counts;
};

#define BIT(s) (1u << DEPLOYMENT_##s)

static const struct {
	const char *name;
	unsigned stays; /* events that do not move a row out of this status */
} statuses[DEPLOYMENT__MAX] = {
	[DEPLOYMENT_PENDING] = { "pending", 0 },
	[DEPLOYMENT_CHALLENGE_ISSUED] = { "challengeIssued", 0 },
	[DEPLOYMENT_VALIDATED] = { "validated", 0 },
	[DEPLOYMENT_ISSUED] = { "issued", BIT(CHALLENGE_ISSUED) | BIT(VALIDATED) | BIT(REFUSED) },
	[DEPLOYMENT_INSTALLED] = { "installed",
	    BIT(CHALLENGE_ISSUED) | BIT(VALIDATED) | BIT(REFUSED) | BIT(FAILED) },
	[DEPLOYMENT_REFUSED] = { "refused", 0 },
	[DEPLOYMENT_FAILED] = { "failed", 0 },
};

const char *
deployment_status_name(enum deployment_status s)
{
	return (unsigned)s < DEPLOYMENT__MAX ? statuses[s].name : "unknown";
}

/* ---- making the rows ---- */

static bool
is_assigned(const struct tenant *t, const struct device *d, const struct profile *p)
{
	return p->conf->platform == d->conf->platform && tenant_assigns(t, d, &p->conf->groups);
}

/* Count, or with `out` write, the rows of one device. */
static size_t
rows_of(const struct tenant *t, const struct device *d, struct deployment *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_profiles; i++) {
		if (!is_assigned(t, d, &t->profiles[i]))
			continue;
		if (out != NULL)
			out[n] = (struct deployment){ .tenant = t,
				.device = d,
				.profile = &t->profiles[i],
				.targeted = true };
		n++;
	}
	return n;
}

static enum rc
span_tenant(struct state *s, const struct tenant *t, struct err *err)
{
	struct span *spans = calloc(t->n_devices + 1, sizeof(*spans));

	if (spans == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	s->spans[t->index] = spans;
	for (size_t i = 0; i < t->n_devices; i++) {
		spans[i].first = s->n_rows;
		spans[i].n = rows_of(t, &t->devices[i], NULL);
		s->n_rows += spans[i].n;
	}
	return RC_OK;
}

static enum rc
make_rows(struct state *s, struct tenant *const *tenants, struct err *err)
{
	enum rc rc;

	if ((s->spans = calloc(s->n_tenants + 1, sizeof(*s->spans))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n_tenants; i++) {
		if ((rc = span_tenant(s, tenants[i], err)) != RC_OK)
			return rc;
	}
	s->rows = calloc(s->n_rows + 1, sizeof(*s->rows));
	s->ring = calloc(CERTIFICATES_MAX, sizeof(*s->ring));
	if (s->rows == NULL || s->ring == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n_tenants; i++) {
		const struct tenant *t = tenants[i];

		for (size_t j = 0; j < t->n_devices; j++)
			rows_of(t, &t->devices[j], s->rows + s->spans[i][j].first);
	}
	return RC_OK;
}

enum rc
state_new(struct state **out, struct tenant *const *tenants, size_t n, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	s->n_tenants = n;
	if ((rc = make_rows(s, tenants, err)) != RC_OK) {
		state_free(s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
state_free(struct state *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->spans != NULL && i < s->n_tenants; i++)
		free(s->spans[i]);
	free(s->spans);
	free(s->rows);
	free(s->ring);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- events ---- */

static struct deployment *
find_row(struct state *s, const struct device *d, const struct profile *p)
{
	const struct span *span;

	if (d == NULL || p == NULL)
		return NULL;
	span = &s->spans[d->tenant->index][d->index];
	for (size_t i = 0; i < span->n; i++) {
		if (s->rows[span->first + i].profile == p)
			return &s->rows[span->first + i];
	}
	return NULL;
}

static void
copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
	str_printable(out);
}

static void
move_row(struct deployment *row, enum deployment_status event, const char *detail)
{
	row->changed = clock_now();
	if (event == DEPLOYMENT_REFUSED || event == DEPLOYMENT_FAILED)
		copy_text(row->last_error, sizeof(row->last_error), detail);
	if ((statuses[row->status].stays & 1u << event) != 0)
		return;
	row->status = event;
	copy_text(row->detail, sizeof(row->detail), detail);
}

/* Everything that an event changes, under the lock. */
static void
record(struct state *s, const struct device *d, const struct profile *p,
    enum deployment_status event, const char *detail, const char *thumbprint)
{
	struct deployment *row;

	pthread_mutex_lock(&s->lock);
	s->counts.validated += event == DEPLOYMENT_VALIDATED;
	s->counts.refused += event == DEPLOYMENT_REFUSED;
	s->counts.reported += event == DEPLOYMENT_ISSUED;
	s->counts.failed += event == DEPLOYMENT_FAILED;
	row = find_row(s, d, p);
	s->counts.unattributed += row == NULL && event == DEPLOYMENT_REFUSED;
	if (row != NULL) {
		row->challenges += event == DEPLOYMENT_CHALLENGE_ISSUED;
		row->refusals += event == DEPLOYMENT_REFUSED;
		if (thumbprint != NULL)
			copy_text(row->thumbprint, sizeof(row->thumbprint), thumbprint);
		move_row(row, event, detail);
	}
	pthread_mutex_unlock(&s->lock);
}

bool
state_targeted(struct state *s, const struct device *d, const struct profile *p)
{
	const struct deployment *row;
	bool yes;

	pthread_mutex_lock(&s->lock);
	row = find_row(s, d, p);
	yes = row != NULL && row->targeted;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

void
state_challenge(struct state *s, const struct device *d, const struct profile *p)
{
	record(s, d, p, DEPLOYMENT_CHALLENGE_ISSUED, "", NULL);
}

void
state_validated(struct state *s, const struct device *d, const struct profile *p)
{
	record(s, d, p, DEPLOYMENT_VALIDATED, "", NULL);
}

void
state_refused(struct state *s, const struct device *d, const struct profile *p, enum scep_code code)
{
	record(s, d, p, DEPLOYMENT_REFUSED, scep_code_name(code), NULL);
}

void
state_failed(struct state *s, const struct device *d, const struct profile *p, const char *why)
{
	record(s, d, p, DEPLOYMENT_FAILED, why, NULL);
}

void
state_installed(
    struct state *s, const struct device *d, const struct profile *p, const char *thumbprint)
{
	record(s, d, p, DEPLOYMENT_INSTALLED, "", thumbprint);
}

void
state_issued(struct state *s, const struct certificate *c)
{
	record(s, c->device, c->profile, DEPLOYMENT_ISSUED, "", c->thumbprint);
	pthread_mutex_lock(&s->lock);
	s->ring[s->n_issued++ % CERTIFICATES_MAX] = *c;
	pthread_mutex_unlock(&s->lock);
}

/* ---- reading ---- */

enum rc
state_deployments(struct state *s, struct deployment **rows, size_t *n, struct err *err)
{
	struct deployment *copy = calloc(s->n_rows + 1, sizeof(*copy));

	if (copy == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_lock(&s->lock);
	memcpy(copy, s->rows, s->n_rows * sizeof(*copy));
	pthread_mutex_unlock(&s->lock);
	*rows = copy;
	*n = s->n_rows;
	return RC_OK;
}

enum rc
state_certificates(struct state *s, struct certificate **rows, size_t *n, struct err *err)
{
	struct certificate *copy;
	size_t count;
	uint64_t first;

	pthread_mutex_lock(&s->lock);
	count = s->n_issued < CERTIFICATES_MAX ? (size_t)s->n_issued : CERTIFICATES_MAX;
	first = s->n_issued - count;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++)
		copy[i] = s->ring[(first + i) % CERTIFICATES_MAX];
	pthread_mutex_unlock(&s->lock);
	if (copy == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	*rows = copy;
	*n = count;
	return RC_OK;
}

void
state_counts(struct state *s, struct state_counts *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->counts;
	out->certificates = s->n_issued < CERTIFICATES_MAX ? (size_t)s->n_issued : CERTIFICATES_MAX;
	for (size_t i = 0; i < s->n_rows; i++)
		out->by_status[s->rows[i].status] += s->rows[i].targeted;
	pthread_mutex_unlock(&s->lock);
}
