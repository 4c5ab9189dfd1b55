/*
 * ocsp_cache.c - see ocsp_cache.h.  A table of places, one for each key by its first octets; who
 * comes to a taken place takes it over.  Keys are hashes of what peers sent: one who makes them
 * collide gets the place of an answer at the price of a question that has to be signed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "scepd/ocsp_cache.h"

#define ANSWER_MAX 16384 /* bytes; 32 certificates and the responder's take about 9000 */

struct ocsp_slot {
	uint8_t key[OCSP_KEY_SIZE];
	bool making;      /* the answer to `key` is being made */
	bool made;        /* and is here */
	int64_t begun_ms; /* monotonic: before it was looked up what the answer says */
	struct ocsp_kept kept;
	struct buf der;
};
struct ocsp_cache {
	pthread_mutex_t lock;
	pthread_cond_t made; /* some answer, or the attempt has failed */
	struct ocsp_slot slots[OCSP_KEPT];
};

enum rc
ocsp_cache_new(struct ocsp_cache **out, struct err *err)
{
	struct ocsp_cache *c = calloc(1, sizeof(*c));

	if (c == NULL || !cond_init(&c->made)) {
		free(c);
		return fail(err, RC_NOMEM, "OCSP answers");
	}
	(void)pthread_mutex_init(&c->lock, NULL);
	for (size_t i = 0; i < OCSP_KEPT; i++)
		buf_init(&c->slots[i].der, ANSWER_MAX);
	*out = c;
	return RC_OK;
}

void
ocsp_cache_free(struct ocsp_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < OCSP_KEPT; i++)
		buf_done(&c->slots[i].der);
	(void)pthread_cond_destroy(&c->made);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static bool
holds(const struct ocsp_slot *s, const uint8_t *key)
{
	return memcmp(s->key, key, OCSP_KEY_SIZE) == 0;
}

static bool
is_fresh(const struct ocsp_slot *s)
{
	return s->made && clock_mono_ms() - s->begun_ms < OCSP_AGE_MS;
}

/* With the lock held: wait while somebody makes this answer; false when that takes too long. */
static bool
wait_for_maker(struct ocsp_cache *c, struct ocsp_slot *s, const uint8_t *key)
{
	const int64_t until = clock_mono_ms() + OCSP_WAIT_MS;

	while (s->making && holds(s, key))
		if (!cond_wait_until(&c->made, &c->lock, until))
			return !(s->making && holds(s, key));
	return true;
}

static enum ocsp_found
look(struct ocsp_cache *c, struct ocsp_slot *s, const uint8_t *key, struct buf *der,
    struct ocsp_kept *kept, struct ocsp_slot **slot)
{
	if (!wait_for_maker(c, s, key))
		return OCSP_BUSY;
	if (holds(s, key) && is_fresh(s)) {
		buf_add(der, s->der.data, s->der.len);
		*kept = s->kept;
		return OCSP_FOUND;
	}
	if (!s->making) { /* else the answer to another question */
		memcpy(s->key, key, OCSP_KEY_SIZE);
		s->making = true;
		s->made = false;
		s->begun_ms = clock_mono_ms();
		*slot = s;
	}
	return OCSP_MAKE;
}

enum ocsp_found
ocsp_cache_get(struct ocsp_cache *c, const uint8_t key[static OCSP_KEY_SIZE], struct buf *der,
    struct ocsp_kept *kept, struct ocsp_slot **slot)
{
	struct ocsp_slot *s = &c->slots[(key[0] << 8 | key[1]) % OCSP_KEPT];
	enum ocsp_found found;

	*slot = NULL;
	(void)pthread_mutex_lock(&c->lock);
	found = look(c, s, key, der, kept, slot);
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

void
ocsp_cache_put(struct ocsp_cache *c, struct ocsp_slot *slot, const void *der, size_t len,
    const struct ocsp_kept *kept)
{
	if (slot == NULL)
		return;
	(void)pthread_mutex_lock(&c->lock);
	buf_reset(&slot->der);
	if (der != NULL)
		buf_add(&slot->der, der, len);
	if (der != NULL && buf_ok(&slot->der, "OCSP answer", NULL) == RC_OK) {
		slot->kept = *kept;
		slot->made = true;
	} else {
		buf_done(&slot->der);
		buf_init(&slot->der, ANSWER_MAX);
	}
	slot->making = false;
	(void)pthread_cond_broadcast(&c->made);
	(void)pthread_mutex_unlock(&c->lock);
}
