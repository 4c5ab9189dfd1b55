/*
 * state_rows.c - which rows there are: a book is made anew for each snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/state_int.h"

static void
copy_name(char out[static REPORT_NAME_MAX], const char *text)
{
	snprintf(out, REPORT_NAME_MAX, "%s", text != NULL ? text : "");
	str_printable(out);
}

void
subject_of(struct subject *out, const struct device *d, const struct profile *p)
{
	*out = (struct subject){ .platform = d->conf->platform };
	snprintf(out->tenant_id, sizeof(out->tenant_id), "%s", d->tenant->id);
	snprintf(out->device_id, sizeof(out->device_id), "%s", d->conf->id);
	snprintf(out->profile_id, sizeof(out->profile_id), "%s", p != NULL ? p->id : "");
	copy_name(out->tenant, tenant_domain0(d->tenant));
	copy_name(out->device, d->conf->name);
	copy_name(out->profile, p != NULL ? p->conf->name : NULL);
	copy_name(out->user, d->user != NULL ? d->user->upn : NULL);
}

static int
by_ids(const void *a, const void *b)
{
	const struct deployment *x = *(struct deployment *const *)a,
				*y = *(struct deployment *const *)b;
	int c = strcasecmp(x->of.device_id, y->of.device_id);

	return c != 0 ? c : strcasecmp(x->of.profile_id, y->of.profile_id);
}

struct deployment *
book_find(const struct book *b, const char *device_id, const char *profile_id)
{
	struct deployment key, *at = &key, **found;

	if (b->n == 0)
		return NULL;
	snprintf(key.of.device_id, sizeof(key.of.device_id), "%s", device_id);
	snprintf(key.of.profile_id, sizeof(key.of.profile_id), "%s", profile_id);
	found = bsearch(&at, b->order, b->n, sizeof(struct deployment *), by_ids);
	return found != NULL ? *found : NULL;
}

static int
by_device(const void *a, const void *b)
{
	return strcasecmp(
	    ((const struct visit *)a)->device_id, ((const struct visit *)b)->device_id);
}

struct visit *
book_visit(const struct book *b, const char *device_id)
{
	struct visit key;

	if (b->n_visits == 0)
		return NULL;
	snprintf(key.device_id, sizeof(key.device_id), "%s", device_id);
	return bsearch(&key, b->visits, b->n_visits, sizeof(*b->visits), by_device);
}

void
book_done(struct book *b)
{
	free(b->rows);
	free(b->order);
	free(b->visits);
	*b = (struct book){ 0 };
}

static size_t
count_targets(const struct tenant *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_devices; i++) {
		for (size_t j = 0; j < t->n_profiles; j++)
			n += tenant_targets(&t->devices[i], &t->profiles[j]);
	}
	return n;
}

/* The device has lost its certificate, or has to get another one. */
static void
start_anew(struct deployment *row)
{
	row->status = DEPLOYMENT_PENDING;
	row->detail[0] = '\0';
	row->changed = clock_now();
}

static void
add_target(struct book *b, const struct book *old, const struct device *d, const struct profile *p)
{
	struct deployment *row = &b->rows[b->n++], *before;

	if ((before = book_find(old, d->conf->id, p->id)) != NULL) {
		*row = *before;
		if (!before->targeted || before->edition != p->edition)
			start_anew(row);
	}
	subject_of(&row->of, d, p);
	row->edition = p->edition;
	row->targeted = true;
	row->ended = CAUSE_NONE;
}

static void
add_targets(struct book *b, const struct book *old, const struct tenant *t)
{
	for (size_t i = 0; i < t->n_devices; i++) {
		for (size_t j = 0; j < t->n_profiles; j++) {
			if (tenant_targets(&t->devices[i], &t->profiles[j]))
				add_target(b, old, &t->devices[i], &t->profiles[j]);
		}
	}
}

static void
put_in_order(struct book *b)
{
	for (size_t i = 0; i < b->n; i++)
		b->order[i] = &b->rows[i];
	qsort(b->order, b->n, sizeof(struct deployment *), by_ids);
}

/* Not worth a line: nothing ever happened to it. */
static bool
is_blank(const struct deployment *row)
{
	return row->status == DEPLOYMENT_PENDING && row->changed == 0;
}

static bool
is_ended(const struct book *targets, const struct deployment *row)
{
	return !is_blank(row) && book_find(targets, row->of.device_id, row->of.profile_id) == NULL;
}

/*
 * Rows of the old book that the new one does not target.  Those that ended before stand in front of
 * those that end now, because targeted rows are looked at second.
 */
static void
add_ended(struct book *b, const struct book *old, const struct step *step, size_t room)
{
	const struct book targets = *b;
	size_t n = 0, skip;

	for (size_t i = 0; i < old->n; i++)
		n += is_ended(&targets, &old->rows[i]);
	skip = n > room ? n - room : 0;
	for (int targeted = 0; targeted <= 1; targeted++) {
		for (size_t i = 0; i < old->n; i++) {
			struct deployment row = old->rows[i];

			if (row.targeted != targeted || !is_ended(&targets, &row))
				continue;
			if (skip > 0) {
				skip--;
				continue;
			}
			row.ended = ended_why(step, &row);
			row.targeted = false;
			b->rows[b->n++] = row;
		}
	}
}

static void
add_visits(struct book *b, const struct book *old, const struct tenant *t)
{
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];
		const struct visit *before = book_visit(old, d->conf->id);
		struct visit *v = &b->visits[i];

		snprintf(v->device_id, sizeof(v->device_id), "%s", d->conf->id);
		v->last_sync = before != NULL ? before->last_sync : d->last_sync;
	}
	b->n_visits = t->n_devices;
	qsort(b->visits, b->n_visits, sizeof(*b->visits), by_device);
}

enum rc
book_follow(struct book *out, const struct book *old, const struct step *step, struct err *err)
{
	size_t n = count_targets(step->now), room = old->n < ENDED_MAX ? old->n : ENDED_MAX;
	struct book b = { 0 };

	if (n > DEPLOYMENTS_MAX)
		return fail(err, RC_LIMIT, "more than %d assignments of profiles to devices",
		    DEPLOYMENTS_MAX);
	b.rows = calloc(n + room + 1, sizeof(*b.rows));
	b.order = calloc(n + room + 1, sizeof(*b.order));
	b.visits = calloc(step->now->n_devices + 1, sizeof(*b.visits));
	if (b.rows == NULL || b.order == NULL || b.visits == NULL) {
		book_done(&b);
		return fail(err, RC_NOMEM, "out of memory");
	}
	add_targets(&b, old, step->now);
	put_in_order(&b);
	add_ended(&b, old, step, room);
	put_in_order(&b);
	add_visits(&b, old, step->now);
	*out = b;
	return RC_OK;
}

enum revocation_cause
book_verdict(const struct book *b, const struct certificate *c)
{
	const struct deployment *row;

	if (c->queued || c->corporate)
		return CAUSE_NONE;
	if ((row = book_find(b, c->of.device_id, c->of.profile_id)) == NULL)
		return CAUSE_NONE;
	if (!row->targeted)
		return row->ended;
	return c->edition != row->edition ? CAUSE_PROFILE_CHANGED : CAUSE_NONE;
}
