/*
 * breaker.c - a circuit breaker.
 */
#include "base/breaker.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Without entropy the hold is the shortest of its range. */
static uint32_t
random_dice(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return r;
}

bool
breaker_init(struct breaker *b)
{
	memset(b, 0, sizeof(*b));
	b->dice = random_dice;
	return pthread_mutex_init(&b->mu, NULL) == 0;
}

void
breaker_done(struct breaker *b)
{
	pthread_mutex_destroy(&b->mu);
}

/* Between half and all of 1, 2, 4 ... 30 s, or what the service asked for if that is more: servers
 * that saw the same outage do not come back together. */
static int64_t
hold_ms(const struct breaker *b, long retry_after)
{
	int64_t hold = BREAKER_HOLD_MAX_MS, asked = retry_after;

	if (b->streak < 5 && ((int64_t)BREAKER_HOLD_MIN_MS << b->streak) < hold)
		hold = (int64_t)BREAKER_HOLD_MIN_MS << b->streak;
	hold = hold / 2 + (int64_t)((uint64_t)hold / 2 * b->dice() / UINT32_MAX);
	if (asked > BREAKER_RETRY_AFTER_MAX_S)
		asked = BREAKER_RETRY_AFTER_MAX_S;
	return asked * 1000 > hold ? asked * 1000 : hold;
}

static void
open_it(struct breaker *b, int64_t now, long retry_after)
{
	b->until = now + hold_ms(b, retry_after);
	b->open = true;
	b->streak++;
	b->opened++;
	b->generation++;
}

static void
close_it(struct breaker *b)
{
	b->open = b->probing = false;
	b->row = b->streak = 0;
	b->generation++;
}

static bool
refuse(struct breaker *b, int64_t now, struct breaker_refusal *why)
{
	b->refused++;
	why->wait_ms = b->until > now ? b->until - now : 1;
	why->row = b->row;
	memcpy(why->cause, b->cause, sizeof(why->cause));
	return false;
}

bool
breaker_enter(
    struct breaker *b, int64_t now, struct breaker_pass *pass, struct breaker_refusal *why)
{
	bool go = true;

	pthread_mutex_lock(&b->mu);
	if (b->open && (now < b->until || b->probing))
		go = refuse(b, now, why);
	else
		*pass = (struct breaker_pass){ b->generation, b->probing = b->open };
	pthread_mutex_unlock(&b->mu);
	return go;
}

static void
note_outage(struct breaker *b, int64_t now, long retry_after, const char *cause)
{
	if (b->row < UINT32_MAX)
		b->row++;
	(void)snprintf(b->cause, sizeof(b->cause), "%s", cause);
	if (b->open || b->row >= BREAKER_ROW)
		open_it(b, now, retry_after);
}

void
breaker_leave(struct breaker *b, int64_t now, const struct breaker_pass *pass, enum outcome o,
    long retry_after, const char *cause)
{
	pthread_mutex_lock(&b->mu);
	if (pass->generation == b->generation) {
		if (pass->probe)
			b->probing = false;
		if (o == OUTCOME_OUTAGE)
			note_outage(b, now, retry_after, cause);
		else if (o == OUTCOME_ANSWER && b->open)
			close_it(b);
		else if (o == OUTCOME_ANSWER)
			b->row = 0;
	}
	pthread_mutex_unlock(&b->mu);
}

void
breaker_reset(struct breaker *b)
{
	pthread_mutex_lock(&b->mu);
	close_it(b);
	pthread_mutex_unlock(&b->mu);
}

void
breaker_look(struct breaker *b, int64_t now, struct breaker_state *out)
{
	pthread_mutex_lock(&b->mu);
	out->circuit = !b->open ? CIRCUIT_CLOSED
	    : now < b->until    ? CIRCUIT_OPEN
				: CIRCUIT_HALF_OPEN;
	out->row = b->row;
	out->retry_ms = b->open && b->until > now ? (unsigned)(b->until - now) : 0;
	out->opened = b->opened;
	out->refused = b->refused;
	pthread_mutex_unlock(&b->mu);
}
