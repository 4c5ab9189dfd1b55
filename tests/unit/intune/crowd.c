/*
 * crowd.c - see crowd.h.
 */
#include "crowd.h"

#include <pthread.h>

#include "kit.h"

static void *
member(void *arg)
{
	struct crowd *c = arg;
	struct intune_error e;
	unsigned i, st;

	for (i = 0; i < c->rounds; i++) {
		st = (unsigned)intune_validate_request(c->client, "tx", csr, CSR_LEN, &e);
		atomic_fetch_add(&c->by_status[st % COUNT(c->by_status)], 1);
		if (st != INTUNE_OK && e.http_status != 0)
			atomic_fetch_add(&c->answered, 1);
	}
	return NULL;
}

void
crowd_run(struct crowd *c)
{
	pthread_t t[CROWD_MAX];
	unsigned i;

	assert_true(c->threads <= CROWD_MAX);
	for (i = 0; i < c->threads; i++)
		assert_int_equal(pthread_create(&t[i], NULL, member, c), 0);
	for (i = 0; i < c->threads; i++)
		pthread_join(t[i], NULL);
}
