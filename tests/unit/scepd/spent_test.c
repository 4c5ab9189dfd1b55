/* spent_test.c - a challenge belongs to one request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours is base/err.h's */

#include "scepd/spent.h"

static struct spent *spent;

static int
make(void **state)
{
	struct err err;

	return spent_new(&spent, &err);
}

static int
end(void **state)
{
	spent_free(spent);
	return 0;
}

/* SHA-256 values that are known by a number; many share a chain. */
static const uint8_t *
hash(uint8_t out[32], uint32_t n)
{
	memset(out, 0, 32);
	out[1] = (uint8_t)(n % 7);
	memcpy(out + 4, &n, sizeof(n));
	return out;
}

static enum rc
claim(uint32_t challenge, uint32_t request, int64_t now)
{
	uint8_t c[32], r[32];
	struct err err;

	return spent_claim(spent, hash(c, challenge), hash(r, request), now, &err);
}

static void
release(uint32_t challenge, uint32_t request)
{
	uint8_t c[32], r[32];

	spent_release(spent, hash(c, challenge), hash(r, request));
}

static void
test_S14_a_challenge_belongs_to_one_request(void **state)
{
	assert_int_equal(claim(1, 1, 1), RC_OK);
	assert_int_equal(claim(1, 1, 2), RC_OK); /* the same request again */
	assert_int_equal(claim(1, 2, 3), RC_DENIED);
	assert_int_equal(claim(8, 2, 3), RC_OK); /* another challenge, in the same chain */
	assert_int_equal(claim(8, 1, 3), RC_DENIED);
}

static void
what_got_no_certificate_gives_its_challenge_back(void **state)
{
	assert_int_equal(claim(1, 1, 1), RC_OK);
	release(1, 2); /* is not its */
	assert_int_equal(claim(1, 2, 1), RC_DENIED);
	release(1, 1);
	release(1, 1);
	assert_int_equal(claim(1, 2, 1), RC_OK);
}

static void
it_ends(void **state)
{
	assert_int_equal(claim(1, 1, 1), RC_OK);
	assert_int_equal(claim(1, 2, SPENT_MS), RC_DENIED);
	assert_int_equal(claim(1, 2, SPENT_MS + 1), RC_OK);
	assert_int_equal(claim(1, 1, SPENT_MS + 2), RC_DENIED);
}

/* Numbers in short chains: this is about the ring. */
static enum rc
claim_spread(uint32_t challenge, uint32_t request)
{
	uint8_t c[32], r[32];
	struct err err;

	hash(c, challenge);
	c[0] = (uint8_t)(challenge >> 8);
	c[1] = (uint8_t)challenge;
	return spent_claim(spent, c, hash(r, request), 1, &err);
}

/* Bounded: the oldest is forgotten, and no other. */
static void
the_oldest_makes_room(void **state)
{
	for (uint32_t n = 0; n < SPENT_MAX; n++)
		assert_int_equal(claim_spread(n, n), RC_OK);
	assert_int_equal(claim_spread(0, 7), RC_DENIED);
	assert_int_equal(claim_spread(SPENT_MAX, 7), RC_OK);
	for (uint32_t n = 1; n < SPENT_MAX; n += 1000)
		assert_int_equal(claim_spread(n, n + 1), RC_DENIED);
	assert_int_equal(claim_spread(0, 7), RC_OK);
	assert_int_equal(claim_spread(1, 7), RC_OK); /* which was the next to go */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, end)
	const struct CMUnitTest tests[] = {
		T(test_S14_a_challenge_belongs_to_one_request),
		T(what_got_no_certificate_gives_its_challenge_back),
		T(it_ends),
		T(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
