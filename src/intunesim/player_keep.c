/*
 * player_keep.c - what played devices hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/player_int.h"

/* Ids come from tenant files and the administrator: nobody aims at one bucket. */
static struct played_device **
bucket_of(struct player *p, const char *id)
{
	uint32_t h = 0x811c9dc5u; /* FNV-1a */

	for (; *id != '\0'; id++)
		h = (h ^ (uint8_t)*id) * 0x01000193u;
	return &p->buckets[h % BUCKETS];
}

static struct played_device *
find(struct player *p, const char *id)
{
	struct played_device *d = *bucket_of(p, id);

	while (d != NULL && strcmp(d->id, id) != 0)
		d = d->next;
	return d;
}

static enum rc
add(struct played_device **out, struct player *p, const char *id, struct err *err)
{
	struct played_device *d, **at = bucket_of(p, id);

	if (strlen(id) >= sizeof(d->id))
		return fail(err, RC_PARSE, "\"%.60s\" is no device id", id);
	if (p->n == PLAYER_DEVICES_MAX)
		return fail(err, RC_LIMIT, "more than %d devices are played", PLAYER_DEVICES_MAX);
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	memcpy(d->id, id, strlen(id) + 1);
	d->renew_at = INT64_MAX;
	d->next = *at;
	*at = d;
	p->n++;
	*out = d;
	return RC_OK;
}

enum rc
keep_take(struct played_device **out, struct player *p, const char *id, struct err *err)
{
	struct played_device *d;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&p->lock);
	if ((d = find(p, id)) == NULL)
		rc = add(&d, p, id, err);
	else if (d->busy)
		rc = fail(err, RC_CONFLICT, "the device is syncing already");
	if (rc == RC_OK) {
		d->busy = true;
		*out = d;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static void
held_free(struct held *h)
{
	key_free(h->key);
	cert_free(h->cert);
	free(h);
}

static void
forget(struct player *p, struct played_device *d)
{
	struct played_device **at = bucket_of(p, d->id);

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	p->n--;
	free(d);
}

void
keep_release(struct player *p, struct played_device *d)
{
	int64_t soonest = INT64_MAX;

	for (const struct held *h = d->held; h != NULL; h = h->next)
		soonest = h->renew_at < soonest ? h->renew_at : soonest;
	pthread_mutex_lock(&p->lock);
	d->renew_at = soonest;
	d->busy = false;
	if (d->held == NULL)
		forget(p, d);
	pthread_mutex_unlock(&p->lock);
}

struct held *
keep_find(const struct played_device *d, const char *profile_id)
{
	struct held *h = d->held;

	while (h != NULL && strcmp(h->profile_id, profile_id) != 0)
		h = h->next;
	return h;
}

enum rc
keep_put(struct played_device *d, const struct device_profile *profile, struct key *key,
    struct cert *cert, int64_t renew_at, struct err *err)
{
	struct held *h = keep_find(d, profile->id);

	if (h == NULL) {
		if (strlen(profile->id) >= sizeof(h->profile_id) ||
		    (h = calloc(1, sizeof(*h))) == NULL) {
			cert_free(cert);
			return fail(err, RC_NOMEM, "out of memory");
		}
		h->next = d->held;
		d->held = h;
	}
	key_free(h->key);
	cert_free(h->cert);
	h->key = key_ref(key);
	h->cert = cert;
	h->renew_at = renew_at;
	h->seen = true;
	(void)snprintf(h->profile_id, sizeof(h->profile_id), "%s", profile->id);
	(void)snprintf(h->revision, sizeof(h->revision), "%s", profile->revision);
	return RC_OK;
}

unsigned
keep_sweep(struct played_device *d)
{
	struct held **at = &d->held, *h;
	unsigned n = 0;

	while ((h = *at) != NULL) {
		if (h->seen) {
			h->seen = false;
			at = &h->next;
			continue;
		}
		*at = h->next;
		held_free(h);
		n++;
	}
	return n;
}

int64_t
keep_renew_at(const struct cert *c, unsigned threshold, int64_t ca_now, int64_t now)
{
	int64_t life = cert_not_after(c) - cert_not_before(c), left = cert_not_after(c) - ca_now;

	/* A CA whose clock is far off: its certificate is as good as new. */
	if (left < 0 || left > life)
		left = life;
	return now + left - life / 100 * (int64_t)threshold;
}

bool
player_due(struct player *p, const char *id)
{
	const struct played_device *d;
	bool due;

	pthread_mutex_lock(&p->lock);
	d = find(p, id);
	due = d != NULL && !d->busy && d->renew_at <= clock_now() + atomic_load(&p->ahead);
	pthread_mutex_unlock(&p->lock);
	return due;
}

bool
player_enter(struct player *p)
{
	if (atomic_fetch_add(&p->visits, 1) < p->options.visits_max)
		return true;
	player_leave(p);
	return false;
}

void
player_leave(struct player *p)
{
	atomic_fetch_sub(&p->visits, 1);
}

void
player_calendar(struct player *p, int64_t ahead)
{
	atomic_store(&p->ahead, ahead);
}

void
player_setup(struct player *p, const struct player_options *o)
{
	p->options = *o;
}

enum rc
player_new(struct player **out, struct err *err)
{
	struct player *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return RC_OK;
}

void
player_free(struct player *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct played_device *d, *next;

		for (d = p->buckets[i]; d != NULL; d = next) {
			next = d->next;
			for (struct held *h = d->held; h != NULL; h = h->next)
				h->seen = false;
			(void)keep_sweep(d);
			free(d);
		}
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
