/*
 * state.c - how events move the rows of the report, and the certificates that were reported.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/state_int.h"

struct state {
	pthread_mutex_t lock;
	struct revocations *queue;
	struct book books[TENANTS_MAX]; /* [tenant->index] */
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
	/* A device that was refused says that it failed: Intune's own word is the better one. */
	[DEPLOYMENT_REFUSED] = { "refused", BIT(FAILED) },
	[DEPLOYMENT_FAILED] = { "failed", 0 },
};

const char *
deployment_status_name(enum deployment_status s)
{
	return (unsigned)s < DEPLOYMENT__MAX ? statuses[s].name : "unknown";
}

/* ---- making it ---- */

enum rc
state_new(struct state **out, struct revocations *queue, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->ring = calloc(CERTIFICATES_MAX, sizeof(*s->ring))) == NULL) {
		free(s);
		return fail(err, RC_NOMEM, "out of memory");
	}
	s->queue = queue;
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return RC_OK;
}

void
state_free(struct state *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < TENANTS_MAX; i++)
		book_done(&s->books[i]);
	free(s->ring);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static size_t
count_certificates(const struct state *s)
{
	return s->n_issued < CERTIFICATES_MAX ? (size_t)s->n_issued : CERTIFICATES_MAX;
}

static void
queue_if_due(struct state *s, const struct book *b, struct certificate *c)
{
	enum revocation_cause cause = book_verdict(b, c);

	if (cause == CAUSE_NONE)
		return;
	c->queued = true;
	revocations_add(s->queue, c, cause);
}

/* The oldest first: that is the order of the queue. */
static void
queue_due(struct state *s, const struct tenant *t)
{
	size_t n = count_certificates(s);

	for (uint64_t i = s->n_issued - n; i < s->n_issued; i++) {
		struct certificate *c = &s->ring[i % CERTIFICATES_MAX];

		if (str_eq_nocase(c->of.tenant_id, t->id))
			queue_if_due(s, &s->books[t->index], c);
	}
}

enum rc
state_follow(struct state *s, const struct tenant *old, const struct tenant *t,
    const struct deed_effect *effect, struct err *err)
{
	const struct step step = { old, t, effect };
	struct book *book = &s->books[t->index], next;
	enum rc rc;

	pthread_mutex_lock(&s->lock);
	if ((rc = book_follow(&next, book, &step, err)) == RC_OK) {
		book_done(book);
		*book = next;
		queue_due(s, t);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- events ---- */

static struct deployment *
find_row(struct state *s, const struct device *d, const struct profile *p)
{
	if (d == NULL || p == NULL)
		return NULL;
	return book_find(&s->books[d->tenant->index], d->conf->id, p->id);
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
state_issued(
    struct state *s, const struct device *d, const struct profile *p, const struct certificate *c)
{
	struct certificate *slot;

	record(s, d, p, DEPLOYMENT_ISSUED, "", c->thumbprint);
	pthread_mutex_lock(&s->lock);
	slot = &s->ring[s->n_issued++ % CERTIFICATES_MAX];
	*slot = *c;
	subject_of(&slot->of, d, p);
	slot->edition = p != NULL ? p->edition : 0;
	slot->corporate = device_is_corporate_android(d);
	queue_if_due(s, &s->books[d->tenant->index], slot);
	pthread_mutex_unlock(&s->lock);
}

void
state_synced(struct state *s, const struct device *d)
{
	struct visit *v;

	pthread_mutex_lock(&s->lock);
	if ((v = book_visit(&s->books[d->tenant->index], d->conf->id)) != NULL)
		v->last_sync = clock_now();
	pthread_mutex_unlock(&s->lock);
}

int64_t
state_last_sync(struct state *s, const struct device *d)
{
	const struct visit *v;
	int64_t last;

	pthread_mutex_lock(&s->lock);
	v = book_visit(&s->books[d->tenant->index], d->conf->id);
	last = v != NULL && v->last_sync != 0 ? v->last_sync : d->last_sync;
	pthread_mutex_unlock(&s->lock);
	return last;
}

/* ---- the administrator revokes ---- */

static struct certificate *
find_certificate(struct state *s, const char *serial, const char *thumbprint)
{
	size_t n = count_certificates(s);

	for (uint64_t i = s->n_issued; i > s->n_issued - n; i--) {
		struct certificate *c = &s->ring[(i - 1) % CERTIFICATES_MAX];

		if ((serial == NULL || str_eq_nocase(c->serial, serial)) &&
		    (thumbprint == NULL || str_eq_nocase(c->thumbprint, thumbprint)))
			return c;
	}
	return NULL;
}

enum rc
state_revoke(struct state *s, const char *serial, const char *thumbprint, struct err *err)
{
	struct certificate *c;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&s->lock);
	if ((c = find_certificate(s, serial, thumbprint)) == NULL)
		rc = fail(err, RC_NOTFOUND, "no such certificate has been reported");
	else if (c->corporate)
		rc = fail(err, RC_DENIED,
		    "Intune does not revoke certificates on Android of the organisation");
	else if (c->queued)
		rc = fail(err, RC_CONFLICT, "the certificate is in the queue already");
	if (rc == RC_OK) {
		c->queued = true;
		revocations_add(s->queue, c, CAUSE_ADMINISTRATOR);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- reading ---- */

static size_t
count_rows(const struct state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < TENANTS_MAX; i++)
		n += s->books[i].n;
	return n;
}

enum rc
state_deployments(struct state *s, struct deployment **rows, size_t *n, struct err *err)
{
	struct deployment *copy;
	size_t count, at = 0;

	pthread_mutex_lock(&s->lock);
	count = count_rows(s);
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < TENANTS_MAX; i++) {
		for (size_t j = 0; j < s->books[i].n; j++)
			copy[at++] = s->books[i].rows[j];
	}
	pthread_mutex_unlock(&s->lock);
	if (copy == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	*rows = copy;
	*n = count;
	return RC_OK;
}

enum rc
state_certificates(struct state *s, struct certificate **rows, size_t *n, struct err *err)
{
	struct certificate *copy;
	size_t count;
	uint64_t first;

	pthread_mutex_lock(&s->lock);
	count = count_certificates(s);
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
	out->certificates = count_certificates(s);
	for (size_t i = 0; i < TENANTS_MAX; i++) {
		const struct book *b = &s->books[i];

		for (size_t j = 0; j < b->n; j++)
			out->by_status[b->rows[j].status] += b->rows[j].targeted;
	}
	pthread_mutex_unlock(&s->lock);
}
