/*
 * state_rows.c - which rows there are: a book is made anew for each snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
book_done(struct book *b)
{
	free(b->rows);
	free(b->order);
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

static void
add_target(struct book *b, const struct book *old, const struct device *d, const struct profile *p)
{
	struct deployment *row = &b->rows[b->n++], *before;

	if ((before = book_find(old, d->conf->id, p->id)) != NULL)
		*row = *before;
	subject_of(&row->of, d, p);
	row->targeted = true;
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

/*
 * Rows of the old book that the new one does not target.  Those that ended before stand in front of
 * those that end now, because targeted rows are looked at second.
 */
static void
add_ended(struct book *b, const struct book *old, size_t room)
{
	struct book targets = { b->rows, b->order, b->n };
	size_t n = 0, skip;

	for (size_t i = 0; i < old->n; i++)
		n += !is_blank(&old->rows[i]) &&
		    book_find(&targets, old->rows[i].of.device_id, old->rows[i].of.profile_id) ==
			NULL;
	skip = n > room ? n - room : 0;
	for (int targeted = 0; targeted <= 1; targeted++) {
		for (size_t i = 0; i < old->n; i++) {
			const struct deployment *row = &old->rows[i];

			if (row->targeted != targeted || is_blank(row) ||
			    book_find(&targets, row->of.device_id, row->of.profile_id) != NULL)
				continue;
			if (skip > 0) {
				skip--;
				continue;
			}
			b->rows[b->n] = *row;
			b->rows[b->n++].targeted = false;
		}
	}
}

enum rc
book_follow(struct book *out, const struct book *old, const struct tenant *t, struct err *err)
{
	size_t n = count_targets(t), room = n + ENDED_MAX;
	struct book b = { 0 };

	if (n > DEPLOYMENTS_MAX)
		return fail(err, RC_LIMIT, "more than %d assignments of profiles to devices",
		    DEPLOYMENTS_MAX);
	if (room > n + old->n)
		room = n + old->n;
	b.rows = calloc(room + 1, sizeof(*b.rows));
	b.order = calloc(room + 1, sizeof(*b.order));
	if (b.rows == NULL || b.order == NULL) {
		book_done(&b);
		return fail(err, RC_NOMEM, "out of memory");
	}
	add_targets(&b, old, t);
	put_in_order(&b);
	add_ended(&b, old, room - n);
	put_in_order(&b);
	*out = b;
	return RC_OK;
}
