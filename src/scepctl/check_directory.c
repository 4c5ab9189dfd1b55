/*
 * check_directory.c - scepctl check --online: may the app ask the directory what rules, bindings and the SID guard need?
 */
#include <string.h>

#include "scepctl/report.h"
#include "scepd/tenant.h"

/* Nobody has it, so the answer is short; whether one may ask is told first. */
#define NOBODY "00000000-0000-0000-0000-000000000000"

static enum intune_status
ask_user(struct intune_client *c, const char *key, struct intune_error *e)
{
	struct intune_user u;

	return intune_find_user(c, key, &u, e);
}

static enum intune_status
ask_device(struct intune_client *c, const char *key, struct intune_error *e)
{
	struct intune_device d;

	return intune_find_device(c, key, &d, e);
}

static enum intune_status
ask_managed(struct intune_client *c, const char *key, struct intune_error *e)
{
	struct intune_managed_device d;

	return intune_find_managed_device(c, key, &d, e);
}

static enum intune_status
ask_risk(struct intune_client *c, const char *key, struct intune_error *e)
{
	struct intune_risk r;

	return intune_find_risk(c, key, &r, e);
}

static int
first_will_do(const struct intune_member *member, void *arg)
{
	return 1;
}

static enum intune_status
ask_group(struct intune_client *c, const char *key, struct intune_error *e)
{
	return intune_list_group_members(c, key, first_will_do, NULL, e);
}

static const struct question {
	const char *what;
	enum intune_status (*ask)(struct intune_client *c, const char *key, struct intune_error *e);
} always[] = {
	{ "users", ask_user },
	{ "devices", ask_device },
	{ "managed devices", ask_managed },
}, risk = { "risky users", ask_risk }, group = { "a group", ask_group };

struct asking {
	struct report *r;
	const char *tenant;
	struct intune_client *client;
	bool rules; /* some are about this tenant */
	unsigned failed;
};

static void
put(struct asking *a, const struct question *q, const char *key)
{
	struct intune_error e;
	struct err err = { 0 };
	bool named = strcmp(key, NOBODY) != 0;

	if (q->ask(a->client, key, &e) == INTUNE_OK)
		return;
	a->failed++;
	(void)fail(&err, RC_IO, "the directory does not tell about %s%s%s, so %s: %s", q->what,
	    named ? " " : "", named ? key : "",
	    a->rules ? "rules that need it change nothing"
		     : "new certificates may be bound to nobody",
	    e.message);
	if (e.hint[0] != '\0')
		(void)err_hint(&err, "%s", e.hint);
	report_err(a->r, a->rules ? FINDING_FAIL : FINDING_WARN, a->tenant, &err);
}

/* What a rule asks beyond what all of them do. */
static void
put_extras(struct asking *a, const struct directory_rule *rule, bool *risk_asked)
{
	if (rule_when_asks_risk(rule->when) && !*risk_asked) {
		put(a, &risk, NOBODY);
		*risk_asked = true;
	}
	for (size_t i = 0; i < rule->groups.n; i++)
		put(a, &group, rule->groups.v[i]);
	for (size_t i = 0; i < rule->except.groups.n; i++)
		put(a, &group, rule->except.groups.v[i]);
}

void
check_directory(struct report *r, const struct config *c, const struct conf_tenant *conf,
    struct intune_client *client)
{
	struct asking a = { .r = r, .tenant = conf->name, .client = client };
	bool risk_asked = false;

	if (!conf->directory)
		return;
	for (size_t i = 0; i < c->n_rules; i++)
		a.rules = a.rules || check_rule_is_about(&c->rules[i], conf->name);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		put(&a, &always[i], NOBODY);
	for (size_t i = 0; i < c->n_rules; i++)
		if (check_rule_is_about(&c->rules[i], conf->name))
			put_extras(&a, &c->rules[i], &risk_asked);
	if (a.failed == 0)
		report(r, FINDING_OK, conf->name, "the directory tells about users and devices%s",
		    risk_asked ? ", and who is at risk" : "");
}
