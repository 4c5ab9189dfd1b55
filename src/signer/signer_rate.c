/*
 * signer_rate.c - token buckets.
 */
#include "signer/signer_rate.h"

#define HOUR_MS      3600000
#define PER_HOUR_MAX UINT64_C(1000000000) /* so that a full bucket fits: 3.6e15 parts */

void
rate_init(struct rate *r, uint64_t per_hour, int64_t now_ms)
{
	r->per_hour = per_hour < PER_HOUR_MAX ? per_hour : PER_HOUR_MAX;
	r->level = r->per_hour * HOUR_MS;
	r->last_ms = now_ms;
}

bool
rate_take(struct rate *r, int64_t now_ms)
{
	uint64_t full = r->per_hour * HOUR_MS, gone = 0;

	if (now_ms > r->last_ms)
		gone = (uint64_t)(now_ms - r->last_ms);
	r->last_ms = now_ms;
	if (gone >= HOUR_MS || r->per_hour * gone >= full - r->level)
		r->level = full;
	else
		r->level += r->per_hour * gone;
	if (r->level < HOUR_MS)
		return false;
	r->level -= HOUR_MS;
	return true;
}
