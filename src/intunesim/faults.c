/*
 * faults.c - the rules in force, and which request meets which.
 */
#include "intunesim/faults.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/fault_kinds.h"

struct entry {
	struct fault_rule rule;
	uint64_t hits[SIM_STEP__MAX]; /* per step, so that `times` does not depend on the others */
};

struct faults {
	pthread_mutex_t lock;
	uint64_t seed;
	struct entry *entries; /* FAULT_RULES_MAX */
	size_t n;
	uint64_t seen[SIM_STEP__MAX];
	bool moved;
	char moved_to[FAULT_TEXT_MAX];
};

enum rc
faults_new(struct faults **out, struct err *err)
{
	struct faults *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->entries = calloc(FAULT_RULES_MAX, sizeof(*f->entries))) == NULL) {
		free(f);
		return fail(err, RC_NOMEM, "out of memory");
	}
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return RC_OK;
}

void
faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->entries);
	free(f);
}

static void
set_locked(struct faults *f, uint64_t seed, const struct fault_rule *rules, size_t n)
{
	memset(f->entries, 0, FAULT_RULES_MAX * sizeof(*f->entries));
	for (size_t i = 0; i < n; i++)
		f->entries[i].rule = rules[i];
	memset(f->seen, 0, sizeof(f->seen));
	f->moved = false;
	f->seed = seed;
	f->n = n;
}

void
faults_set(struct faults *f, uint64_t seed, const struct fault_rule *rules, size_t n)
{
	pthread_mutex_lock(&f->lock);
	set_locked(f, seed, rules, n < FAULT_RULES_MAX ? n : FAULT_RULES_MAX);
	pthread_mutex_unlock(&f->lock);
}

/* ---- which request meets which ---- */

/* Steele, Lea, Flood: SplitMix64.  Not for secrets. */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* From 0 up to, and without, 1. */
static double
draw(uint64_t seed, size_t place, enum sim_step step, uint64_t ordinal)
{
	uint64_t x = mix(mix(mix(seed) ^ (uint64_t)place << 8 ^ step) ^ ordinal);

	return (double)(x >> 11) * 0x1.0p-53;
}

static bool
fits(const struct faults *f, size_t place, enum sim_step step, bool moved)
{
	const struct entry *e = &f->entries[place];
	const struct fault_rule *r = &e->rule;

	if (r->step != SIM_STEP_ANY && r->step != (int)step)
		return false;
	if (r->kind->steps != 0 && (r->kind->steps & (1u << step)) == 0)
		return false;
	/* What has moved is well where it is now. */
	if (moved && (r->kind->params & FAULT_URI) != 0)
		return false;
	if (f->seen[step] <= r->after || (r->times > 0 && e->hits[step] >= r->times))
		return false;
	return draw(f->seed, place, step, f->seen[step]) < r->share;
}

/* Once a service has been found gone, discovery tells the new place. */
static void
remember_move(struct faults *f, const struct fault_rule *r, enum sim_step step)
{
	if ((r->kind->params & FAULT_URI) == 0 || step == SIM_STEP_DISCOVERY)
		return;
	f->moved = true;
	memcpy(f->moved_to, r->uri, FAULT_TEXT_MAX);
}

bool
faults_draw(struct faults *f, enum sim_step step, bool moved, struct fault_rule *out, size_t *place)
{
	bool hit = false;

	if (step == SIM_STEP_NONE)
		return false;
	pthread_mutex_lock(&f->lock);
	f->seen[step]++;
	for (size_t i = 0; i < f->n && !hit; i++) {
		if (!fits(f, i, step, moved))
			continue;
		hit = true;
		f->entries[i].hits[step]++;
		remember_move(f, &f->entries[i].rule, step);
		*out = f->entries[i].rule;
		*place = i;
	}
	pthread_mutex_unlock(&f->lock);
	return hit;
}

bool
faults_moved(struct faults *f, char uri[static FAULT_TEXT_MAX])
{
	bool moved;

	pthread_mutex_lock(&f->lock);
	moved = f->moved;
	memcpy(uri, f->moved_to, FAULT_TEXT_MAX);
	pthread_mutex_unlock(&f->lock);
	return moved;
}

/* ---- JSON ---- */

static enum rc
read_seed(uint64_t *out, const json_t *o, struct err *err)
{
	const json_t *seed = json_object_get(o, "seed");

	if (seed == NULL)
		return RC_OK;
	if (!json_is_integer(seed) || json_integer_value(seed) < 0)
		return fail(err, RC_CONFIG, "seed: is no number");
	*out = (uint64_t)json_integer_value(seed);
	return RC_OK;
}

static enum rc
read_rules(struct fault_rule *rules, size_t *n, const json_t *o, struct err *err)
{
	const json_t *list = json_object_get(o, "rules"), *r;
	enum rc rc;
	size_t i;

	if (!json_is_array(list))
		return fail(err, RC_CONFIG, "rules: is no list");
	if (json_array_size(list) > FAULT_RULES_MAX)
		return fail(err, RC_CONFIG, "rules: more than %d", FAULT_RULES_MAX);
	json_array_foreach(list, i, r)
	{
		if ((rc = fault_rule_read(&rules[i], r, err)) != RC_OK) {
			if (err != NULL)
				err_context(err, "rules: %zu", i);
			return rc;
		}
	}
	*n = json_array_size(list);
	return RC_OK;
}

static enum rc
check_keys(const json_t *o, struct err *err)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o))
		return fail(err, RC_CONFIG, "the body is no object");
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		if (strcmp(key, "seed") != 0 && strcmp(key, "rules") != 0 &&
		    strcmp(key, "requests") != 0)
			return fail(err, RC_CONFIG, "%.40s: there is no such key", key);
	}
	return RC_OK;
}

enum rc
faults_read(struct faults *f, const json_t *o, struct err *err)
{
	struct fault_rule *rules;
	uint64_t seed;
	size_t n = 0;
	enum rc rc;

	if ((rc = check_keys(o, err)) != RC_OK)
		return rc;
	if ((rules = calloc(FAULT_RULES_MAX, sizeof(*rules))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_lock(&f->lock);
	seed = f->seed;
	if ((rc = read_seed(&seed, o, err)) == RC_OK &&
	    (rc = read_rules(rules, &n, o, err)) == RC_OK)
		set_locked(f, seed, rules, n);
	pthread_mutex_unlock(&f->lock);
	free(rules);
	return rc;
}

static json_t *
entry_json(const struct entry *e)
{
	json_t *o = fault_rule_json(&e->rule);
	uint64_t hits = 0;

	for (size_t i = 0; i < SIM_STEP__MAX; i++)
		hits += e->hits[i];
	if (o != NULL)
		json_object_set_new(o, "hits", json_integer((json_int_t)hits));
	return o;
}

json_t *
faults_json(struct faults *f)
{
	json_t *rules = json_array(), *requests = json_object();
	uint64_t seed;

	pthread_mutex_lock(&f->lock);
	seed = f->seed;
	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(rules, entry_json(&f->entries[i]));
	for (int i = SIM_STEP_NONE + 1; i < SIM_STEP__MAX; i++)
		json_object_set_new(
		    requests, sim_step_name(i), json_integer((json_int_t)f->seen[i]));
	pthread_mutex_unlock(&f->lock);
	return json_pack(
	    "{s:I, s:o, s:o}", "seed", (json_int_t)seed, "rules", rules, "requests", requests);
}
