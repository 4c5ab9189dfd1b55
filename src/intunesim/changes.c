/*
 * changes.c - a ring for each tenant.
 */
#include "intunesim/changes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/tenant.h"
#include "ossl/alg.h"

struct ring {
	struct change *v; /* CHANGES_MAX; NULL: nothing has changed yet */
	uint64_t last;    /* sequence number of the newest; `first` - 1: none */
	uint64_t first;   /* of the first there ever was */
};

struct changes {
	pthread_mutex_t lock;
	struct ring rings[TENANTS_MAX];
};

enum rc
changes_new(struct changes **out, struct err *err)
{
	struct changes *l = calloc(1, sizeof(*l));
	uint32_t start = 0;
	enum rc rc;

	if (l == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	/* A random beginning, so that a number from another run is out of range. */
	if ((rc = random_bytes(&start, sizeof(start), err)) != RC_OK) {
		free(l);
		return rc;
	}
	for (size_t i = 0; i < TENANTS_MAX; i++) {
		l->rings[i].first = (uint64_t)start * CHANGES_MAX + 1;
		l->rings[i].last = l->rings[i].first - 1;
	}
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return RC_OK;
}

void
changes_free(struct changes *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < TENANTS_MAX; i++)
		free(l->rings[i].v);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Without memory for the ring the number goes on alone: links from before are then too old. */
void
changes_add(
    struct changes *l, size_t tenant, enum change_kind kind, enum change_what what, const char *id)
{
	struct ring *r = &l->rings[tenant];
	struct change *c;

	pthread_mutex_lock(&l->lock);
	if (r->v == NULL)
		r->v = calloc(CHANGES_MAX, sizeof(*r->v));
	r->last++;
	if (r->v == NULL) {
		r->first = r->last + 1;
	} else {
		c = &r->v[r->last % CHANGES_MAX];
		*c = (struct change){ .seq = r->last, .when = clock_now(), kind, what };
		snprintf(c->id, sizeof(c->id), "%s", id);
	}
	pthread_mutex_unlock(&l->lock);
}

uint64_t
changes_now(struct changes *l, size_t tenant)
{
	uint64_t now;

	pthread_mutex_lock(&l->lock);
	now = l->rings[tenant].last;
	pthread_mutex_unlock(&l->lock);
	return now;
}

static bool
remembers(const struct ring *r, uint64_t since)
{
	if (since > r->last || since + 1 < r->first)
		return false;
	return r->last - since <= CHANGES_MAX;
}

/* By object, the newest of each in front. */
static int
by_object(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int c = strcmp(x->id, y->id);

	return c != 0 ? c : (x->seq < y->seq) - (x->seq > y->seq);
}

static int
by_seq(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static size_t
keep_newest(struct change *v, size_t n)
{
	size_t kept = 0;

	qsort(v, n, sizeof(*v), by_object);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(v[kept - 1].id, v[i].id) != 0)
			v[kept++] = v[i];
	}
	qsort(v, kept, sizeof(*v), by_seq);
	return kept;
}

static size_t
copy_since(struct change *out, const struct ring *r, enum change_kind kind, uint64_t since)
{
	size_t n = 0;

	for (uint64_t seq = since + 1; seq <= r->last; seq++) {
		if (r->v[seq % CHANGES_MAX].kind == kind)
			out[n++] = r->v[seq % CHANGES_MAX];
	}
	return n;
}

enum rc
changes_since(struct changes *l, size_t tenant, enum change_kind kind, uint64_t since,
    struct change **out, size_t *n, uint64_t *now, struct err *err)
{
	const struct ring *r = &l->rings[tenant];
	struct change *v = NULL;
	size_t count = 0;
	bool known;

	pthread_mutex_lock(&l->lock);
	if ((known = remembers(r, since))) {
		v = calloc((size_t)(r->last - since) + 1, sizeof(*v));
		if (v != NULL)
			count = copy_since(v, r, kind, since);
		*now = r->last;
	}
	pthread_mutex_unlock(&l->lock);
	if (!known)
		return fail(err, RC_NOTFOUND, "changes from that moment on are not remembered");
	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	*out = v;
	*n = keep_newest(v, count);
	return RC_OK;
}

int64_t
changes_last(struct changes *l, size_t tenant, const char *id, int64_t dflt)
{
	const struct ring *r = &l->rings[tenant];
	const struct change *c;
	uint64_t seq, n = 0;

	pthread_mutex_lock(&l->lock);
	for (seq = r->last; r->v != NULL && seq >= r->first && n++ < CHANGES_MAX; seq--) {
		c = &r->v[seq % CHANGES_MAX];
		if (strcmp(c->id, id) != 0)
			continue;
		dflt = c->when;
		break;
	}
	pthread_mutex_unlock(&l->lock);
	return dflt;
}
