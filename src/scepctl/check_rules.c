/*
 * check_rules.c - scepctl check: rules that can never say anything, a brake that is off, a sweep that waits.
 */
#include <string.h>

#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "store/store_sweep.h"

static bool
about(const struct directory_rule *r, const char *tenant)
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
		if (t[i].directory && about(r, t[i].name))
			return true;
	return false;
}

static void
check_rule(struct report *r, const struct config *c, const struct directory_rule *rule)
{
	if (!somebody_is_asked(c, rule))
		report(r, FINDING_WARN, rule->name,
		    "no directory is asked about whom this rule is for (tenants.NAME.directory), "
		    "so it "
		    "never says anything");
	else
		report(r, FINDING_OK, rule->name, "when %s: %s", rule_when_name(rule->when),
		    rule->then == CAUSE_REVOKE ? "revoke" : "hold");
}

static void
check_brake(struct report *r, const struct conf_brake *b)
{
	if (b->percent == 100 && b->count == 1000000)
		report(r, FINDING_WARN, "brake",
		    "is off: one wrong answer of a directory may turn every certificate");
	else
		report(r, FINDING_OK, "brake",
		    "rules turn up to %llu %% or %llu certificates unasked",
		    (unsigned long long)b->percent, (unsigned long long)b->count);
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
		    "sweep %lld waits for an administrator, and rules do nothing meanwhile: %s "
		    "(" PROG " sweep show %lld)",
		    (long long)s.id, s.why, (long long)s.id);
	store_sweep_done(&s);
	store_close(store);
}

void
check_rules(struct report *r, const struct config *c)
{
	if (c->n_rules == 0)
		return;
	for (size_t i = 0; i < c->n_rules; i++)
		check_rule(r, c, &c->rules[i]);
	check_brake(r, &c->revocation.brake);
	check_waiting(r, c);
}
