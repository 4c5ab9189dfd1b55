/* inflight.c - a small table of keys being worked on; bounded by the number of workers. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cond.h"
#include "ossl/alg.h"
#include "scepd/inflight.h"

#define BUCKETS 256 /* keys are SHA-256 values: their first octet spreads evenly */

struct slot {
	uint8_t key[32];
	struct slot *next;
};

struct bucket {
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct slot *slots;
};

struct inflight {
	struct bucket buckets[BUCKETS];
};

enum rc
inflight_new(struct inflight **out, struct err *err)
{
	struct inflight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return fail(err, RC_NOMEM, "table of transactions in flight");
	for (size_t i = 0; i < BUCKETS; i++) {
		(void)pthread_mutex_init(&f->buckets[i].lock, NULL);
		if (!cond_init(&f->buckets[i].left)) {
			free(f);
			return fail(err, RC_NOMEM, "table of transactions in flight");
		}
	}
	*out = f;
	return RC_OK;
}

void
inflight_free(struct inflight *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		(void)pthread_mutex_destroy(&f->buckets[i].lock);
		(void)pthread_cond_destroy(&f->buckets[i].left);
	}
	free(f);
}

enum rc
inflight_key(uint8_t key[static 32], const char *endpoint, const char *transaction_id,
    const uint8_t *csr_sha256, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 1024);
	buf_add(&b, endpoint, strlen(endpoint) + 1);
	buf_add(&b, transaction_id, strlen(transaction_id) + 1);
	buf_add(&b, csr_sha256, 32);
	if ((rc = buf_ok(&b, "transaction key", err)) == RC_OK)
		rc = digest_bytes(key, DIGEST_SHA256, b.data, b.len, err);
	buf_done(&b);
	return rc;
}

static struct slot **
find(struct bucket *b, const uint8_t *key)
{
	struct slot **p = &b->slots;

	while (*p != NULL && memcmp((*p)->key, key, 32) != 0)
		p = &(*p)->next;
	return p;
}

enum rc
inflight_enter(struct inflight *f, const uint8_t key[static 32], int64_t deadline, struct err *err)
{
	struct bucket *b = &f->buckets[key[0]];
	struct slot *s = malloc(sizeof(*s));
	bool late = false;

	if (s == NULL)
		return fail(err, RC_NOMEM, "transaction in flight");
	memcpy(s->key, key, 32);
	(void)pthread_mutex_lock(&b->lock);
	while (*find(b, key) != NULL && !late)
		late = !cond_wait_until(&b->left, &b->lock, deadline);
	late = *find(b, key) != NULL;
	if (!late) {
		s->next = b->slots;
		b->slots = s;
	}
	(void)pthread_mutex_unlock(&b->lock);
	if (!late)
		return RC_OK;
	free(s);
	return fail(err, RC_TIMEOUT, "the same request is still being worked on");
}

void
inflight_leave(struct inflight *f, const uint8_t key[static 32])
{
	struct bucket *b = &f->buckets[key[0]];
	struct slot **p, *s;

	(void)pthread_mutex_lock(&b->lock);
	p = find(b, key);
	s = *p;
	if (s != NULL)
		*p = s->next;
	(void)pthread_cond_broadcast(&b->left);
	(void)pthread_mutex_unlock(&b->lock);
	free(s);
}
