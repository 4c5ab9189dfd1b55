/* spent.c - a ring of entries, the oldest given up first, and chains to find them by. */
#include "scepd/spent.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536 /* by the first two octets of a SHA-256, which spread evenly */

struct entry {
	uint8_t challenge[32], request[32];
	int64_t until_ms; /* monotonic; 0: free */
	uint32_t next;    /* of its chain; index + 1, 0: none */
};

struct spent {
	pthread_mutex_t mu;
	uint32_t bucket[BUCKETS]; /* index + 1 of the first; 0: none */
	uint32_t at;              /* where the next one goes */
	struct entry ring[SPENT_MAX];
};

enum rc
spent_new(struct spent **out, struct err *err)
{
	struct spent *s = calloc(1, sizeof(*s)); /* pages that are not used take no memory */

	if (s == NULL)
		return fail(err, RC_NOMEM, "table of used challenges");
	(void)pthread_mutex_init(&s->mu, NULL);
	*out = s;
	return RC_OK;
}

void
spent_free(struct spent *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_destroy(&s->mu);
	free(s);
}

static uint32_t *
chain_of(struct spent *s, const uint8_t *challenge)
{
	return &s->bucket[challenge[0] << 8 | challenge[1]];
}

static struct entry *
find(struct spent *s, const uint8_t *challenge)
{
	uint32_t i = *chain_of(s, challenge);

	while (i != 0 && memcmp(s->ring[i - 1].challenge, challenge, 32) != 0)
		i = s->ring[i - 1].next;
	return i == 0 ? NULL : &s->ring[i - 1];
}

/* Out of its chain; the place in the ring is free. */
static void
drop(struct spent *s, struct entry *e)
{
	uint32_t self = (uint32_t)(e - s->ring) + 1, *p = chain_of(s, e->challenge);

	while (*p != self)
		p = &s->ring[*p - 1].next;
	*p = e->next;
	memset(e, 0, sizeof(*e));
}

static void
add(struct spent *s, const uint8_t *challenge, const uint8_t *request, int64_t now_ms)
{
	struct entry *e = &s->ring[s->at];
	uint32_t *first = chain_of(s, challenge);

	if (e->until_ms != 0)
		drop(s, e);
	memcpy(e->challenge, challenge, 32);
	memcpy(e->request, request, 32);
	e->until_ms = now_ms + SPENT_MS;
	e->next = *first;
	*first = s->at + 1;
	s->at = (s->at + 1) % SPENT_MAX;
}

enum rc
spent_claim(struct spent *s, const uint8_t challenge[static 32], const uint8_t request[static 32],
    int64_t now_ms, struct err *err)
{
	struct entry *e;
	bool taken = false;

	(void)pthread_mutex_lock(&s->mu);
	e = find(s, challenge);
	if (e != NULL && e->until_ms <= now_ms) {
		drop(s, e);
		e = NULL;
	}
	if (e == NULL)
		add(s, challenge, request, now_ms);
	else
		taken = memcmp(e->request, request, 32) != 0;
	(void)pthread_mutex_unlock(&s->mu);
	if (!taken)
		return RC_OK;
	return fail(err, RC_DENIED, "the challenge has led to a certificate for another request");
}

void
spent_release(struct spent *s, const uint8_t challenge[static 32], const uint8_t request[static 32])
{
	struct entry *e;

	(void)pthread_mutex_lock(&s->mu);
	e = find(s, challenge);
	if (e != NULL && memcmp(e->request, request, 32) == 0)
		drop(s, e);
	(void)pthread_mutex_unlock(&s->mu);
}
