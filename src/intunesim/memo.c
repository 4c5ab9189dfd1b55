/*
 * memo.c - tables of fixed size with a short probe; the oldest entry in reach gives way.
 *
 * Keys are digests of what this process has authenticated, so nobody can aim at one slot.
 */
#include "intunesim/memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS     16384u /* a power of two; a challenge opens to about 1 KiB, so 16 MiB at most */
#define REACH     8u
#define VALUE_MAX (16u * 1024)

/* What both kinds of slot begin with; stamp 0 is an empty slot. */
struct slot {
	uint8_t key[MEMO_KEY];
	uint64_t stamp; /* memo: order of arrival; spent: end of life */
};

struct memo_slot {
	struct slot head;
	uint8_t *value;
	size_t len;
};

struct memo {
	pthread_mutex_t lock;
	uint64_t arrivals;
	struct memo_slot slots[SLOTS];
};

struct spent {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

static uint32_t
home_of(const uint8_t key[static MEMO_KEY])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return h;
}

static bool
slot_is(const struct slot *s, const uint8_t key[static MEMO_KEY])
{
	return s->stamp != 0 && memcmp(s->key, key, MEMO_KEY) == 0;
}

enum rc
memo_new(struct memo **out, struct err *err)
{
	struct memo *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return RC_OK;
}

void
memo_free(struct memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		wipe_free(m->slots[i].value, m->slots[i].len);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct memo_slot *
memo_find(struct memo *m, const uint8_t key[static MEMO_KEY])
{
	uint32_t home = home_of(key);

	for (uint32_t i = 0; i < REACH; i++) {
		struct memo_slot *s = &m->slots[(home + i) % SLOTS];

		if (slot_is(&s->head, key))
			return s;
	}
	return NULL;
}

bool
memo_get(struct memo *m, const uint8_t key[static MEMO_KEY], struct buf *out)
{
	struct memo_slot *s;

	pthread_mutex_lock(&m->lock);
	if ((s = memo_find(m, key)) != NULL)
		buf_add(out, s->value, s->len);
	pthread_mutex_unlock(&m->lock);
	return s != NULL;
}

static struct memo_slot *
memo_oldest(struct memo *m, const uint8_t key[static MEMO_KEY])
{
	uint32_t home = home_of(key);
	struct memo_slot *oldest = &m->slots[home % SLOTS];

	for (uint32_t i = 1; i < REACH; i++) {
		struct memo_slot *s = &m->slots[(home + i) % SLOTS];

		if (s->head.stamp < oldest->head.stamp)
			oldest = s;
	}
	return oldest;
}

void
memo_put(struct memo *m, const uint8_t key[static MEMO_KEY], const void *p, size_t len)
{
	struct memo_slot *s;
	uint8_t *copy;

	if (len == 0 || len > VALUE_MAX || (copy = malloc(len)) == NULL)
		return;
	memcpy(copy, p, len);
	pthread_mutex_lock(&m->lock);
	if ((s = memo_find(m, key)) == NULL)
		s = memo_oldest(m, key);
	wipe_free(s->value, s->len);
	s->value = copy;
	s->len = len;
	s->head.stamp = ++m->arrivals;
	memcpy(s->head.key, key, MEMO_KEY);
	pthread_mutex_unlock(&m->lock);
}

enum rc
spent_new(struct spent **out, struct err *err)
{
	struct spent *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return RC_OK;
}

void
spent_free(struct spent *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The entry itself, or else the one that ends first. */
static struct slot *
spent_find(struct spent *s, const uint8_t key[static MEMO_KEY], bool *found)
{
	uint32_t home = home_of(key);
	struct slot *first = &s->slots[home % SLOTS];

	for (uint32_t i = 0; i < REACH; i++) {
		struct slot *at = &s->slots[(home + i) % SLOTS];

		if ((*found = slot_is(at, key)))
			return at;
		if (at->stamp < first->stamp)
			first = at;
	}
	return first;
}

bool
spent_take(struct spent *s, const uint8_t key[static MEMO_KEY], int64_t now, int64_t expires)
{
	struct slot *at;
	bool found;

	pthread_mutex_lock(&s->lock);
	at = spent_find(s, key, &found);
	found = found && (int64_t)at->stamp >= now;
	if (!found) {
		memcpy(at->key, key, MEMO_KEY);
		at->stamp = expires > 0 ? (uint64_t)expires : 1;
	}
	pthread_mutex_unlock(&s->lock);
	return !found;
}
