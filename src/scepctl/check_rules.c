/*
 * check_rules.c - scepctl check: rules that can never say anything, a brake that is off, a sweep that waits, an endpoint whose
 * certificates nobody revokes.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "store/store_sweep.h"

#define GRACE_SHORT                                                                                \
	300 /* seconds; a device that has just enrolled takes longer to be found compliant */

bool
check_grace_is_short(const struct directory_rule *r)
{
	return r->grace > 0 && r->grace < GRACE_SHORT;
}

bool
check_rule_is_about(const struct directory_rule *r, const char *tenant)
{
	for (size_t i = 0; i < r->tenants.n; i++)
		if (strcmp(r->tenants.v[i], tenant) == 0)
			return true;
	return r->tenants.n == 0;
}

static bool
somebody_is_asked(const struct config *c, const struct directory_rule *r)
{
	const struct conf_tenant *t = c->tenants.v;

	for (size_t i = 0; i < c->tenants.n; i++)
		if (t[i].directory && check_rule_is_about(r, t[i].name))
			return true;
	return false;
}

/* In full, so that a grace of 48 is seen to be seconds. */
static const char *
grace_text(char out[static 32], int64_t secs)
{
	static const struct {
		int64_t secs;
		const char *name;
	} units[] = { { 86400, "days" }, { 3600, "hours" }, { 60, "minutes" }, { 1, "seconds" } };
	size_t i = 0;

	out[0] = '\0';
	if (secs <= 0)
		return out;
	while (secs % units[i].secs != 0)
		i++;
	(void)snprintf(out, 32, "%lld %s", (long long)(secs / units[i].secs), units[i].name);
	return out;
}

/* Intune may call a platform what nobody here has heard of: a warning, and no failure. */
static void
check_platforms(struct report *r, const struct directory_rule *rule, const struct rule_words *words,
    const char *key)
{
	static const char *const known[] = { "Windows", "iOS", "iPadOS", "macOS", "Android",
		"AndroidForWork", "AndroidEnterprise", "Linux", "ChromeOS", "visionOS", "tvOS" };
	struct nearest near;
	bool is;

	for (size_t i = 0; i < words->n; i++) {
		is = false;
		nearest_begin(&near, words->v[i]);
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
			is = is || str_eq_nocase(known[k], words->v[i]);
			nearest_offer(&near, known[k]);
		}
		if (!is)
			report(r, FINDING_WARN, rule->name,
			    "%s: Intune is not known to call a system \"%.40s\", and no device is "
			    "meant that it calls otherwise%s%s%s",
			    key, words->v[i], near.best != NULL ? "; did you mean " : "",
			    near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
	}
}

static void
check_rule(struct report *r, const struct config *c, const struct directory_rule *rule)
{
	char grace[32];

	if (!somebody_is_asked(c, rule))
		report(r, FINDING_WARN, rule->name,
		    "no directory is asked about whom this rule is for (tenants.NAME.directory), "
		    "so it "
		    "never says anything");
	else
		report(r, FINDING_OK, rule->name, "when %s: %s%s%s", rule_when_name(rule->when),
		    rule->then == CAUSE_REVOKE ? "revoke" : "hold",
		    rule->grace > 0 ? ", with a grace of " : "", grace_text(grace, rule->grace));
	if (check_grace_is_short(rule))
		report(r, FINDING_WARN, rule->name, CHECK_GRACE_SHORT, rule->name,
		    (long long)rule->grace);
	check_platforms(r, rule, &rule->platforms, "platforms");
	check_platforms(r, rule, &rule->except.platforms, "except.platforms");
	if (rule->when == WHEN_UNKNOWN_TO_DIRECTORY &&
	    (rule->platforms.n > 0 || rule->ownership.n > 0))
		report(r, FINDING_WARN, rule->name,
		    "of a device that the directory does not know, nobody tells platform or owner: "
		    "with platforms or ownership this rule leaves its certificates alone");
}

static void
check_brake(struct report *r, const struct conf_brake *b)
{
	if (b->percent == 100 && b->count == 1000000)
		report(r, FINDING_WARN, "brake",
		    "is off: one wrong answer of a directory may turn every certificate");
	else if (b->minimum >= b->count)
		report(r, FINDING_WARN, "brake",
		    "count is never heard: up to %llu devices and users (minimum) are turned "
		    "unasked, and count is %llu",
		    (unsigned long long)b->minimum, (unsigned long long)b->count);
	else
		report(r, FINDING_OK, "brake",
		    "rules turn up to %llu %% or %llu devices and users unasked, whichever is "
		    "less, "
		    "and %llu in any case",
		    (unsigned long long)b->percent, (unsigned long long)b->count,
		    (unsigned long long)b->minimum);
}

/* What cannot be opened check_store() has told of. */
static void
check_waiting(struct report *r, const struct config *c)
{
	struct store_sweep s = { 0 };
	struct store *store = NULL;

	if (store_open_shared(&store, c->store.url, NULL) != RC_OK)
		return;
	if (store_sweep_current(store, &s, NULL) == RC_OK && s.state == SWEEP_WAITING)
		report(r, FINDING_WARN, "sweep",
		    "sweep %lld waits for an administrator, and whom it would turn is left as is: "
		    "%s "
		    "(" PROG " sweep show %lld)",
		    (long long)s.id, s.why, (long long)s.id);
	store_sweep_done(&s);
	store_close(store);
}

/* Whoever names nobody whom the directory knows is seen by no rule but the one that is about that. */
static void
check_strangers_of(
    struct report *r, struct store *store, const struct config *c, const char *tenant)
{
	uint64_t n = 0;
	bool ruled = false;

	for (size_t i = 0; i < c->n_rules; i++)
		ruled = ruled ||
		    (c->rules[i].when == WHEN_UNKNOWN_TO_DIRECTORY &&
			check_rule_is_about(&c->rules[i], tenant));
	if (store_binding_count(store, tenant, BINDING_UNKNOWN, clock_now(), &n, NULL) == RC_OK &&
	    n > 0)
		report(r, FINDING_WARN, tenant,
		    "%llu certificates name nobody whom the directory knows, so %s (" PROG
		    " list --valid --binding unknown)",
		    (unsigned long long)n,
		    ruled ? "the rule unknown-to-directory alone sees them" : "no rule sees them");
}

static void
check_strangers(struct report *r, const struct config *c)
{
	const struct conf_tenant *t = c->tenants.v;
	struct store *store = NULL;

	if (store_open_shared(&store, c->store.url, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < c->tenants.n; i++)
		if (t[i].directory)
			check_strangers_of(r, store, c, t[i].name);
	store_close(store);
}

/* ---- who revokes what an endpoint issues ---- */

static bool
has(const struct rule_words *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i], name) == 0)
			return true;
	return w->n == 0;
}

/* It is for them, and does not leave them out. */
static bool
is_for(const struct directory_rule *r, const struct conf_endpoint *e, const char *profile)
{
	const struct rule_filter *x = &r->except;

	if ((x->endpoints.n > 0 && has(&x->endpoints, e->name)) ||
	    (x->tenants.n > 0 && has(&x->tenants, e->tenant)) ||
	    (x->profiles.n > 0 && has(&x->profiles, profile)))
		return false;
	return has(&r->endpoints, e->name) && has(&r->tenants, e->tenant) &&
	    has(&r->profiles, profile);
}

static bool
some_rule_is_about(const struct config *c, const struct conf_endpoint *e)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	size_t n = config_endpoint_profiles(names, e);

	for (size_t i = 0; i < c->n_rules; i++)
		for (size_t k = 0; k < n; k++)
			if (is_for(&c->rules[i], e, names[k]))
				return true;
	return false;
}

static void
check_who_revokes(struct report *r, const struct config *c, const struct conf_endpoint *e)
{
	const struct conf_tenant *t = e->tenant == NULL ? NULL : config_tenant(c, e->tenant);
	bool rules = t != NULL && t->directory && some_rule_is_about(c, e);

	if (t == NULL)
		report(r, FINDING_OK, e->name,
		    "administrators alone revoke what is issued here (" PROG
		    " revoke): no tenant is asked about it");
	else if (!rules && !t->revocation_queue)
		report(r, FINDING_WARN, e->name,
		    "nobody but an administrator revokes what is issued here: revocation_queue of "
		    "tenant %s is false, and no rule is about it",
		    t->name);
	else if (!rules)
		report(r, FINDING_OK, e->name,
		    "Intune's queue revokes what is issued here; no rule is about it, so who is "
		    "disabled, deleted in Entra or not compliant stays good (rules in "
		    "scepd.yaml(5))");
}

void
check_rules(struct report *r, const struct config *c)
{
	const struct conf_endpoint *e = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++)
		check_who_revokes(r, c, &e[i]);
	check_strangers(r, c);
	if (c->n_rules == 0)
		return;
	for (size_t i = 0; i < c->n_rules; i++)
		check_rule(r, c, &c->rules[i]);
	check_brake(r, &c->revocation.brake);
	check_waiting(r, c);
}
