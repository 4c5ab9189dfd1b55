/* rounds.c - see rounds.h. */
#include "bench/rounds.h"

#include <string.h>

static const enum mode turns[ROUNDS_MAX] = { MODE_SEPARATE, MODE_SINGLE, MODE_SINGLE,
	MODE_SEPARATE };
static const char *const names[MODE__MAX] = {
	[MODE_SEPARATE] = "separate",
	[MODE_SINGLE] = "single",
};

void
rounds_plan(struct rounds *out, bool compare, size_t count)
{
	memset(out, 0, sizeof(*out));
	out->n = compare ? ROUNDS_MAX : 1;
	for (size_t i = 0; i < out->n; i++) {
		out->v[i].mode = turns[i];
		out->v[i].count = compare ? count / 2 + count % 2 : count;
	}
}

const char *
mode_name(enum mode m)
{
	return names[m];
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
add_usage(struct usage *to, const struct usage *u)
{
	to->user += u->user;
	to->system += u->system;
	to->disk += u->disk;
	to->rss = larger(to->rss, u->rss);
	to->peak = larger(to->peak, u->peak);
	to->processes = u->processes;
}

static void
add_verdict(struct verdict *to, const struct verdict *v)
{
	to->ok += v->ok;
	to->unopened += v->unopened;
	to->twice += v->twice;
	if (to->first_fault[0] == '\0')
		memcpy(to->first_fault, v->first_fault, sizeof(to->first_fault));
}

static void
add(struct measured *to, const struct measured *m)
{
	to->n += m->n;
	to->warm += m->warm;
	to->concurrency = m->concurrency;
	to->elapsed += m->elapsed;
	to->answered += m->answered;
	to->reconnects += m->reconnects;
	to->p50_us = larger(to->p50_us, m->p50_us);
	to->p99_us = larger(to->p99_us, m->p99_us);
	to->max_us = larger(to->max_us, m->max_us);
	to->has_usage = m->has_usage;
	add_verdict(&to->verdict, &m->verdict);
	add_usage(&to->used, &m->used);
}

void
rounds_sum(struct measured *out, const struct rounds *r, enum mode m)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < r->done; i++)
		if (r->v[i].mode == m)
			add(out, &r->v[i].m);
	if (out->elapsed > 0)
		out->per_second = (double)out->answered / out->elapsed;
}

bool
separation_of(
    struct separation *out, const struct measured *separate, const struct measured *single)
{
	if (separate->n == 0 || single->n == 0 || measured_cpu(single) <= 0 ||
	    single->per_second <= 0)
		return false;
	out->cpu = measured_cpu(separate) / measured_cpu(single);
	out->throughput = separate->per_second / single->per_second;
	return true;
}
