/*
 * crowd_test.c - many callers on few channels.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "wire.h"

#define THREADS  64
#define CHANNELS 4
#define EACH     5

struct member {
	const struct kit *k;
	struct signer *r;
	atomic_uint *wrong;
};

static void *
call(void *arg)
{
	const struct member *m = arg;

	for (int i = 0; i < EACH; i++)
		if (!wire_round(m->k, m->r))
			atomic_fetch_add(m->wrong, 1);
	return NULL;
}

static void
sixty_four_threads_share_four_channels(void **state)
{
	struct kit *k = *state;
	atomic_uint wrong = 0;
	struct signer_server *v;
	pthread_t t[THREADS];
	struct member m = { k, NULL, &wrong };

	wire_both(k, k->s, CHANNELS, &m.r, &v);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, call, &m), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(wrong, 0);
	signer_close(m.r);
	signer_server_free(v);
}

/* Channels change hands while calls are under way. */
static void
channels_are_replaced_under_way(void **state)
{
	struct kit *k = *state;
	atomic_uint wrong = 0;
	struct signer_server *v;
	pthread_t t[8];
	struct member m = { k, NULL, &wrong };

	wire_both(k, k->s, CHANNELS, &m.r, &v);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&t[i], NULL, call, &m), 0);
	for (int i = 0; i < 10; i++) {
		int near[CHANNELS], far[CHANNELS];

		wire_pairs(near, far, CHANNELS);
		ok(k, signer_server_attach(v, far, CHANNELS, &k->err));
		signer_remote_attach(m.r, near, CHANNELS);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(wrong, 0);
	signer_close(m.r);
	signer_server_free(v);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixty_four_threads_share_four_channels),
		cmocka_unit_test(channels_are_replaced_under_way),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
