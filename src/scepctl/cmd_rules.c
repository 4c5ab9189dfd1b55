/*
 * cmd_rules.c - scepctl rules list | try FILE: rules about the directory, and what a changed one would do.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/ctl.h"
#include "scepctl/platforms.h"
#include "scepctl/report.h"
#include "scepd/sweep_plan.h"

struct options {
	const char *config;
	uint64_t max;
	bool json;
};
static const struct options defaults = { .max = 100 };

static const char *
effect_word(enum cause_effect e)
{
	static const char *const words[] = {
		[CAUSE_GONE] = "release", [CAUSE_HOLD] = "hold", [CAUSE_REVOKE] = "revoke"
	};

	return words[e];
}

/* ---- list ---- */

struct standing {
	const struct config *c;
	uint64_t held[RULES_MAX], revoked[RULES_MAX], orphans;
};

static int
on_cause(void *arg, const struct store_rule_mark *m)
{
	struct standing *s = arg;

	for (size_t i = 0; i < s->c->n_rules; i++) {
		if (strcmp(s->c->rules[i].name, m->rule) != 0)
			continue;
		s->held[i] += m->effect == CAUSE_HOLD;
		s->revoked[i] += m->effect == CAUSE_REVOKE;
		return 0;
	}
	s->orphans += m->effect == CAUSE_HOLD;
	return 0;
}

static bool
rule_json(const struct standing *s, size_t i, bool first)
{
	const struct directory_rule *r = &s->c->rules[i];
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_str(o, "name", r->name) &&
	    ctl_json_str(o, "when", rule_when_name(r->when)) &&
	    ctl_json_str(o, "then", effect_word(r->then)) && ctl_json_int(o, "grace", r->grace) &&
	    ctl_json_int(o, "maxAge", r->max_age) &&
	    ctl_json_str(o, "outage", r->outage == OUTAGE_HOLD ? "hold" : "open") &&
	    ctl_json_int(o, "held", (int64_t)s->held[i]) &&
	    ctl_json_int(o, "revoked", (int64_t)s->revoked[i]);

	if (!built) {
		json_decref(o);
		o = NULL;
	}
	return ctl_json_item(o, first);
}

static enum rc
print_rules(const struct standing *s, bool json, struct err *err)
{
	if (!json && s->c->n_rules > 0)
		(void)printf(
		    "%-24s  %-20s  %-7s  %10s  %10s\n", "RULE", "WHEN", "THEN", "HELD", "REVOKED");
	for (size_t i = 0; i < s->c->n_rules; i++) {
		const struct directory_rule *r = &s->c->rules[i];

		if (json && !rule_json(s, i, i == 0))
			return fail(err, RC_NOMEM, "out of memory for JSON");
		if (!json)
			(void)printf("%-24s  %-20s  %-7s  %10llu  %10llu\n", r->name,
			    rule_when_name(r->when), effect_word(r->then),
			    (unsigned long long)s->held[i], (unsigned long long)s->revoked[i]);
	}
	return RC_OK;
}

static int
run_list(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct standing s = { 0 };
	struct config *c = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(&c, &store, o->config, &err);

	s.c = c;
	if (rc == RC_OK)
		rc = store_rule_causes_each(store, on_cause, &s, &err);
	if (rc == RC_OK)
		rc = print_rules(&s, o->json, &err);
	if (rc == RC_OK && o->json)
		(void)printf("%s]\n", c->n_rules > 0 ? "" : "[");
	if (rc == RC_OK && !o->json && c->n_rules == 0)
		(void)printf("no rules\n");
	if (rc == RC_OK && !o->json && s.orphans > 0)
		(void)printf(
		    "%llu certificates are held by rules that there are no more, and are let go "
		    "within a minute.\n",
		    (unsigned long long)s.orphans);
	store_close(store);
	config_free(c);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

/* ---- try ---- */

struct person {
	char id[40];
};
struct trying {
	const struct options *o;
	uint64_t printed;
	struct person *people; /* of everybody who is touched, with repeats */
	size_t n_people, room;
	struct platforms platforms; /* of all that rules see */
	bool failed;
};

static void
on_seen(void *arg, const struct store_subject *c)
{
	platforms_note(&((struct trying *)arg)->platforms, c);
}

static void
note_person(struct trying *t, const char *id)
{
	if (id[0] == '\0' || t->failed)
		return;
	if (t->n_people > 0 && strcmp(t->people[t->n_people - 1].id, id) == 0)
		return;
	if (t->n_people == t->room) {
		size_t more = t->room == 0 ? 1024 : 2 * t->room;
		struct person *grown = realloc(t->people, more * sizeof(*grown));

		if (grown == NULL) {
			t->failed = true;
			return;
		}
		t->people = grown;
		t->room = more;
	}
	(void)snprintf(t->people[t->n_people++].id, sizeof(t->people[0].id), "%s", id);
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct person *)a)->id, ((const struct person *)b)->id);
}

static size_t
distinct(struct trying *t)
{
	size_t n = 0;

	if (t->n_people > 1)
		qsort(t->people, t->n_people, sizeof(t->people[0]), by_id);
	for (size_t i = 0; i < t->n_people; i++)
		n += i == 0 || by_id(&t->people[i - 1], &t->people[i]) != 0;
	return n;
}

static const char *
device_name(const struct store_subject *c)
{
	return c->managed != NULL && c->managed->name[0] != '\0' ? c->managed->name
	    : c->device != NULL                                  ? c->device->name
								 : "";
}

static const char *
person_name(const struct store_subject *c)
{
	return c->user != NULL && c->user->name[0] != '\0' ? c->user->name : c->binding->upn;
}

static json_t *
turn_json(const struct store_subject *c, const struct planned *p, const char *rule)
{
	const struct {
		const char *key, *value;
	} strs[] = { { "serial", p->serial }, { "ca", p->ca }, { "rule", rule },
		{ "effect", effect_word(p->effect) }, { "why", p->comment },
		{ "subject", c->subject }, { "endpoint", c->endpoint }, { "profile", c->profile },
		{ "user", person_name(c) }, { "userId", c->binding->user },
		{ "device", device_name(c) },
		{ "deviceId",
		    c->binding->managed[0] != '\0' ? c->binding->managed : c->binding->device } };
	json_t *o = json_object();
	bool built = o != NULL;

	for (size_t i = 0; built && i < sizeof(strs) / sizeof(strs[0]); i++)
		built = ctl_json_str(o, strs[i].key, strs[i].value);
	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static void
print_turn(const struct trying *t, const struct store_subject *c, const struct planned *p,
    const char *name)
{
	char who[64], device[64], rule[CAUSE_RULE_MAX], why[RULE_COMMENT_MAX];

	if (t->printed == 0)
		(void)printf("%-40s  %-20s  %-7s  %-32s  %-20s  %s\n", "CERTIFICATE", "RULE",
		    "EFFECT", "PERSON", "DEVICE", "WHY");
	(void)printf("%-40s  %-20s  %-7s  %-32s  %-20s  %s\n", p->serial,
	    ctl_safe(rule, sizeof(rule), name), effect_word(p->effect),
	    ctl_safe(who, sizeof(who), person_name(c)),
	    ctl_safe(device, sizeof(device), device_name(c)),
	    ctl_safe(why, sizeof(why), p->comment));
}

static void
on_turn(void *arg, const struct store_subject *c, const struct planned *p, const char *rule)
{
	struct trying *t = arg;

	note_person(t, c->binding->user);
	if (t->o->json && !t->failed)
		t->failed = !ctl_json_item(turn_json(c, p, rule), t->printed == 0);
	else if (t->printed < t->o->max)
		print_turn(t, c, p, rule);
	t->printed++;
}

static void
print_counts(const struct sweep_plan *p)
{
	(void)printf("\n%-24s  %8s  %8s  %8s  %8s  %9s  %8s  %8s  %8s\n", "RULE", "HOLD", "REVOKE",
	    "RELEASE", "EXCEPTED", "DISCARDED", "GRACE", "UNKNOWN", "OUTAGE");
	for (size_t i = 0; i < p->n_names; i++) {
		const struct plan_count *n = &p->count[i];

		if (i >= p->n_rules && n->release == 0)
			continue;
		(void)printf("%-24s  %8llu  %8llu  %8llu  %8llu  %9llu  %8llu  %8llu  %8llu\n",
		    p->names[i], (unsigned long long)n->hold, (unsigned long long)n->revoke,
		    (unsigned long long)n->release, (unsigned long long)n->excepted,
		    (unsigned long long)n->discarded, (unsigned long long)n->says[RULE_GRACE],
		    (unsigned long long)n->says[RULE_UNKNOWN],
		    (unsigned long long)n->says[RULE_OUTAGE]);
	}
}

/* What of the rules themselves may not be as it was meant. */
static void
print_doubts(const struct trying *t, const struct config *rules)
{
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct directory_rule *r = &rules->rules[i];

		platforms_print_unknown(stdout, &t->platforms, r);
		if (check_grace_is_short(r))
			(void)printf(CHECK_GRACE_SHORT "\n", r->name, (long long)r->grace);
	}
}

static void
print_summary(struct trying *t, const struct sweep_plan *p, const struct config *rules, bool stops,
    const char *why)
{
	if (t->printed > t->o->max)
		(void)printf(
		    "... and %llu more (--max)\n", (unsigned long long)(t->printed - t->o->max));
	print_counts(p);
	print_doubts(t, rules);
	(void)printf("\n%llu of %llu certificates, of %zu people, would be turned.\n",
	    (unsigned long long)p->certs, (unsigned long long)p->of, distinct(t));
	if (stops)
		(void)printf("The brake would stop this and ask an administrator: %s.\n", why);
	else if (p->certs > 0)
		(void)printf("The brake would let this pass: %s.\n", why);
	(void)printf("Nothing was changed.\n");
}

static json_t *
count_json(const struct sweep_plan *p, size_t i)
{
	const struct plan_count *n = &p->count[i];
	const struct {
		const char *key;
		uint64_t value;
	} ints[] = { { "hold", n->hold }, { "revoke", n->revoke }, { "release", n->release },
		{ "excepted", n->excepted }, { "discarded", n->discarded },
		{ "clear", n->says[RULE_CLEAR] }, { "notItsOwn", n->says[RULE_NOT_MINE] },
		{ "grace", n->says[RULE_GRACE] }, { "match", n->says[RULE_MATCH] },
		{ "unknown", n->says[RULE_UNKNOWN] }, { "outage", n->says[RULE_OUTAGE] } };
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_str(o, "rule", p->names[i]);

	for (size_t k = 0; built && k < sizeof(ints) / sizeof(ints[0]); k++)
		built = ctl_json_int(o, ints[k].key, (int64_t)ints[k].value);
	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* What comes behind the turns, which were printed as they came. */
static bool
print_rest_json(struct trying *t, const struct sweep_plan *p, const struct plan_part *all,
    bool stops, const char *why)
{
	json_t *brake = json_object(), *platforms = platforms_json(&t->platforms);
	char *text = NULL, *systems = NULL;
	bool good = brake != NULL && ctl_json_str(brake, "why", why) &&
	    json_object_set_new(brake, "stops", json_boolean(stops)) == 0;

	(void)printf("%s],\n\"rules\": ", t->printed > 0 ? "" : "[");
	for (size_t i = 0; good && i < p->n_names; i++)
		good = ctl_json_item(count_json(p, i), i == 0);
	good = good && platforms != NULL && (text = json_dumps(brake, JSON_ENSURE_ASCII)) != NULL &&
	    (systems = json_dumps(platforms, JSON_ENSURE_ASCII)) != NULL;
	if (good)
		(void)printf("%s],\n\"brake\": %s,\n\"platforms\": %s,\n"
			     "\"owners\": %zu, \"ofOwners\": %zu,\n"
			     "\"certificates\": %llu, \"of\": %llu, \"people\": %zu}\n",
		    p->n_names > 0 ? "" : "[", text, systems, all->owners.n, p->seen.n,
		    (unsigned long long)p->certs, (unsigned long long)p->of, distinct(t));
	free(text);
	free(systems);
	json_decref(brake);
	json_decref(platforms);
	return good;
}

static enum rc
finish(struct trying *t, const struct sweep_plan *p, const struct config *rules,
    struct store *store, struct err *err)
{
	const struct conf_brake *b = &rules->revocation.brake;
	char why[BRAKE_WHY_MAX];
	struct plan_part all = { 0 };
	struct owners lately = { 0 };
	bool stops;
	enum rc rc = brake_lately(&lately, store, b, clock_now(), err);

	if (rc == RC_OK)
		rc = plan_part(&all, p, NULL, err);
	if (rc == RC_OK) {
		stops = plan_brake(why, b, p, &all, &lately);
		if (!t->o->json)
			print_summary(t, p, rules, stops, why);
		else if (t->failed || !print_rest_json(t, p, &all, stops, why))
			rc = fail(err, RC_NOMEM, "out of memory for JSON");
	}
	plan_part_done(&all);
	owners_done(&lately);
	return rc;
}

static enum rc
try_rules(const struct options *o, const struct config *rules, struct store *store, struct err *err)
{
	struct trying t = { .o = o };
	const struct plan_ask ask = { .store = store,
		.rules = rules->rules,
		.n_rules = rules->n_rules,
		.now = clock_now(),
		.on_seen = on_seen,
		.on_turn = on_turn,
		.arg = &t };
	struct sweep_plan *p = calloc(1, sizeof(*p));
	enum rc rc;

	if (p == NULL)
		return fail(err, RC_NOMEM, "no memory for a sweep");
	if (o->json)
		(void)printf("{\"turns\": ");
	rc = sweep_plan_make(p, &ask, err);
	if (rc == RC_OK)
		rc = finish(&t, p, rules, store, err);
	if (rc == RC_OK)
		sweep_plan_done(p);
	free(t.people);
	free(p);
	return rc;
}

static int
run_try(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct config *c = NULL, *rules = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(&c, &store, o->config, &err);

	if (rc == RC_OK)
		rc = config_load_rules(&rules, args[0], c, &err);
	if (rc == RC_OK)
		rc = try_rules(o, rules, store, &err);
	config_free(rules);
	store_close(store);
	config_free(c);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

/* ---- the table ---- */

static const struct opt list_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
	{ .name = NULL },
};

static const struct opt try_opts[] = {
	OPT_CONFIG(options),
	{ .name = "max",
	    .type = OPT_U64,
	    .offset = offsetof(struct options, max),
	    .value = "N",
	    .help = "certificates that are listed at most (default 100); the figures are of all",
	    .max = STORE_SWEEP_TURNS_MAX },
	OPT_FLAG_ROW("json", options, json, "as JSON, with all certificates"),
	{ .name = NULL },
};

static const struct command table[] = {
	{ .name = "list",
	    .args = "",
	    .help = "the rules of the configuration, and what they hold now",
	    .opts = list_opts,
	    .size = sizeof(struct options),
	    .run = run_list },
	{ .name = "try",
	    .args = "FILE",
	    .help = "whom changed rules would touch, and whom let go; changes nothing",
	    .about = "FILE is a changed scepd.yaml, or a file that has 'rules:' alone (and "
		     "'revocation:', of which the "
		     "brake counts).  Judged by what\nthe directory was last heard to say.\n\n"
		     "Example:\n  scepctl rules try new-rules.yaml\n",
	    .opts = try_opts,
	    .size = sizeof(struct options),
	    .defaults = &defaults,
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_try },
	{ .name = NULL },
};

const struct command cmd_rules = {
	.name = "rules",
	.help = "rules about the directory: list, try",
	.sub = table,
};
