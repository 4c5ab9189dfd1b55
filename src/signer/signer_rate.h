/*
 * signer_rate.h - how often: token buckets.
 *
 * An hour's worth at once, then as many an hour as they come in again.  What an attacker who has
 * the front can take away is bounded by this, and what an honest fleet does is not.
 */
#ifndef SCEPD_SIGNER_SIGNER_RATE_H
#define SCEPD_SIGNER_SIGNER_RATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t per_hour;
	uint64_t level;  /* in parts: an hour's milliseconds make one */
	int64_t last_ms; /* monotonic */
};
void rate_init(struct rate *r, uint64_t per_hour, int64_t now_ms);
/* false: past the rate. */
bool rate_take(struct rate *r, int64_t now_ms);

#endif
