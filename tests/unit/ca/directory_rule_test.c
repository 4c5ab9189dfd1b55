/*
 * directory_rule_test.c - what a rule makes of facts: every `when` by every fact, by age, grace, filter and group.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ca/directory_rule.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

#define NOW    INT64_C(1800000000)
#define HOUR   3600
#define DAY    86400
#define N(a)   (sizeof(a) / sizeof((a)[0]))
#define ISSUED (NOW - 100 * DAY)

/* A certificate whose user and devices are all well, heard of a minute ago. */
struct world {
	struct store_object user, device, managed;
	struct store_binding binding;
	struct store_subject c;
};

static void
object(struct store_object *o, enum dir_kind kind)
{
	*o = (struct store_object){ .kind = kind,
		.presence = DIR_FOUND,
		.enabled = kind == DIR_MANAGED ? DIR_UNSAID : DIR_YES,
		.compliant = kind == DIR_USER ? DIR_UNSAID : DIR_YES,
		.last_seen = kind == DIR_MANAGED ? NOW - HOUR : 0,
		.known = NOW - 60,
		.risk_known = kind == DIR_USER ? NOW - 60 : 0 };
	if (kind == DIR_USER)
		(void)strcpy(o->risk, "none");
	if (kind == DIR_MANAGED) {
		(void)strcpy(o->compliance, "compliant");
		(void)strcpy(o->management, "managed");
		(void)strcpy(o->platform, "Windows");
		(void)strcpy(o->owner, "company");
		o->enrolled = ISSUED;
	}
}

static void
world_make(struct world *w)
{
	*w = (struct world){ .binding = { .state = BINDING_BOUND, .tenant = "contoso" } };
	object(&w->user, DIR_USER);
	object(&w->device, DIR_DEVICE);
	object(&w->managed, DIR_MANAGED);
	w->c = (struct store_subject){ .cert_id = 1,
		.serial = "01",
		.ca = "issuing",
		.endpoint = "wifi",
		.profile = "device",
		.issued = ISSUED,
		.not_after = NOW + 100 * DAY,
		.binding = &w->binding,
		.user = &w->user,
		.device = &w->device,
		.managed = &w->managed };
}

static struct directory_rule
rule(enum rule_when when, enum cause_effect then)
{
	return (struct directory_rule){ .name = "r",
		.when = when,
		.then = then,
		.not_seen = 30 * DAY,
		.risk = RISK_HIGH,
		.max_age = 7 * DAY,
		.outage = OUTAGE_OPEN };
}

/* ---- every fact ---- */

static void
user_in_bin(struct world *w)
{
	w->user.presence = DIR_DELETED;
}
static void
user_gone(struct world *w)
{
	w->user.presence = DIR_GONE;
}
static void
user_not_listed(struct world *w)
{
	w->user.presence = DIR_NOT_LISTED;
}
static void
user_unknown(struct world *w)
{
	w->user.presence = DIR_UNKNOWN;
}
static void
user_never_heard(struct world *w)
{
	w->c.user = NULL;
}
static void
user_disabled(struct world *w)
{
	w->user.enabled = DIR_NO;
}
static void
user_enabled_unsaid(struct world *w)
{
	w->user.enabled = DIR_UNSAID;
}
static void
risk_high(struct world *w)
{
	(void)strcpy(w->user.risk, "high");
}
static void
risk_low(struct world *w)
{
	(void)strcpy(w->user.risk, "low");
}
static void
risk_hidden(struct world *w)
{
	(void)strcpy(w->user.risk, "hidden");
}
static void
risk_never_asked(struct world *w)
{
	w->user.risk[0] = '\0';
	w->user.risk_known = 0;
}
static void
device_gone(struct world *w)
{
	w->device.presence = DIR_GONE;
}
static void
device_in_bin(struct world *w)
{
	w->device.presence = DIR_DELETED;
}
static void
device_not_listed(struct world *w)
{
	w->device.presence = DIR_NOT_LISTED;
}
static void
device_disabled(struct world *w)
{
	w->device.enabled = DIR_NO;
}
static void
device_never_heard(struct world *w)
{
	w->c.device = NULL;
}
static void
managed_gone(struct world *w)
{
	w->managed.presence = DIR_GONE;
}
static void
managed_not_listed(struct world *w)
{
	w->managed.presence = DIR_NOT_LISTED;
}
static void
managed_never_heard(struct world *w)
{
	w->c.managed = NULL;
}
static void
nothing_heard(struct world *w)
{
	w->c.managed = w->c.device = w->c.user = NULL;
}
static void
wipe_pending(struct world *w)
{
	(void)strcpy(w->managed.management, "wipePending");
}
static void
wipe_issued(struct world *w)
{
	(void)strcpy(w->managed.management, "wipeIssued");
}
static void
wipe_failed(struct world *w)
{
	(void)strcpy(w->managed.management, "wipeFailed");
}
static void
wipe_canceled(struct world *w)
{
	(void)strcpy(w->managed.management, "wipeCanceled");
}
static void
retire_pending(struct world *w)
{
	(void)strcpy(w->managed.management, "retirePending");
}
static void
retire_issued(struct world *w)
{
	(void)strcpy(w->managed.management, "retireIssued");
}
static void
delete_pending(struct world *w)
{
	(void)strcpy(w->managed.management, "deletePending");
}
static void
no_management(struct world *w)
{
	w->managed.management[0] = '\0';
}
static void
not_compliant(struct world *w)
{
	w->managed.compliant = DIR_NO;
	(void)strcpy(w->managed.compliance, "noncompliant");
}
static void
in_grace_period(struct world *w)
{
	w->managed.compliant = DIR_YES;
	(void)strcpy(w->managed.compliance, "inGracePeriod");
}
static void
never_evaluated(struct world *w)
{
	w->managed.compliant = w->device.compliant = DIR_UNSAID;
	(void)strcpy(w->managed.compliance, "unknown");
}
static void
entra_not_compliant(struct world *w)
{
	w->managed.compliant = DIR_UNSAID;
	w->device.compliant = DIR_NO;
}
static void
entra_behind(struct world *w)
{
	w->device.compliant = DIR_NO; /* Intune knows better */
}
static void
long_unseen(struct world *w)
{
	w->managed.last_seen = NOW - 60 - 30 * DAY;
}
static void
nearly_unseen(struct world *w)
{
	w->managed.last_seen = NOW - 59 - 30 * DAY;
}
static void
seen_unsaid(struct world *w)
{
	w->managed.last_seen = 0;
}
static void
seen_next_century(struct world *w)
{
	w->managed.last_seen = NOW - 60 + DAY + 1;
}
static void
seen_by_a_fast_clock(struct world *w)
{
	w->managed.last_seen = NOW - 60 + DAY;
}
static void
asked_in_vain(struct world *w, enum binding_state state, unsigned tries)
{
	w->binding.state = state;
	w->binding.tries = tries;
	w->binding.asked = NOW - 60;
	w->binding.due = NOW + DAY;
}
static void
nobody_known(struct world *w)
{
	asked_in_vain(w, BINDING_UNKNOWN, BINDING_TRIES_MAX);
	w->c.user = w->c.device = w->c.managed = NULL;
}
static void
user_not_known(struct world *w)
{
	asked_in_vain(w, BINDING_BOUND, BINDING_TRIES_MAX);
	(void)strcpy(w->binding.upn, "jane@contoso.com");
	w->c.user = NULL;
}
static void
device_not_known(struct world *w)
{
	asked_in_vain(w, BINDING_BOUND, BINDING_TRIES_MAX);
	w->c.device = w->c.managed = NULL;
}
static void
user_not_known_yet(struct world *w)
{
	user_not_known(w);
	w->binding.tries--;
}
static void
all_well(struct world *w)
{
	(void)w;
}

/* What is not in the row of a fact is RULE_CLEAR or RULE_UNKNOWN, as `otherwise` says: the default of a rule whose
 * objects are untouched is clear. */
#define H CAUSE_HOLD
#define R CAUSE_REVOKE
#define G CAUSE_GONE
#define K 9 /* keep */
static const struct fact {
	const char *name;
	void (*set)(struct world *w);
	/* device deleted, disabled, retired, wiped; not compliant, not seen; user deleted, disabled, risk: what
	 * becomes of a rule whose `then` is revoke where it may be, else hold; unknown to the directory, G where the
	 * row ends before. */
	int effect[WHEN__MAX];
} table[] = {
	{ "all well", all_well, { G, G, G, G, G, G, G, G, G } },
	{ "nothing was ever heard", nothing_heard, { K, K, K, K, K, K, K, K, K } },
	{ "user in the recycle bin", user_in_bin, { G, G, G, G, G, G, H, K, K } },
	{ "user gone", user_gone, { G, G, G, G, G, G, R, K, K } },
	{ "user not listed", user_not_listed, { G, G, G, G, G, G, K, K, K } },
	{ "call for the user failed", user_unknown, { G, G, G, G, G, G, K, K, K } },
	{ "user never heard of", user_never_heard, { G, G, G, G, G, G, K, K, K } },
	{ "user disabled", user_disabled, { G, G, G, G, G, G, G, H, G } },
	{ "user's state not told", user_enabled_unsaid, { G, G, G, G, G, G, G, K, G } },
	{ "risk high", risk_high, { G, G, G, G, G, G, G, G, R } },
	{ "risk low, of which the rule does not speak", risk_low, { G, G, G, G, G, G, G, G, G } },
	{ "risk hidden", risk_hidden, { G, G, G, G, G, G, G, G, K } },
	{ "risk never asked", risk_never_asked, { G, G, G, G, G, G, G, G, K } },
	{ "Entra device gone", device_gone, { R, K, G, G, G, G, G, G, G } },
	{ "Entra device in the bin", device_in_bin, { H, K, G, G, G, G, G, G, G } },
	{ "Entra device not listed", device_not_listed, { K, K, G, G, G, G, G, G, G } },
	{ "Entra device never heard of", device_never_heard, { G, K, G, G, G, G, G, G, G } },
	{ "Entra device disabled", device_disabled, { G, H, G, G, G, G, G, G, G } },
	{ "gone from Intune", managed_gone, { R, G, R, R, G, K, G, G, G } },
	{ "not listed in Intune", managed_not_listed, { K, G, K, K, G, K, G, G, G } },
	{ "Intune never heard of it", managed_never_heard, { G, G, K, K, G, K, G, G, G } },
	{ "wipe pending", wipe_pending, { G, G, G, H, G, G, G, G, G } },
	{ "wipe issued", wipe_issued, { G, G, G, R, G, G, G, G, G } },
	{ "wipe failed", wipe_failed, { G, G, G, H, G, G, G, G, G } },
	{ "wipe called off", wipe_canceled, { G, G, G, G, G, G, G, G, G } },
	{ "retire pending", retire_pending, { G, G, H, G, G, G, G, G, G } },
	{ "retire issued", retire_issued, { G, G, R, G, G, G, G, G, G } },
	{ "delete pending", delete_pending, { G, G, H, G, G, G, G, G, G } },
	{ "v1.0 alone, which has no such state", no_management, { G, G, K, K, G, G, G, G, G } },
	{ "not compliant", not_compliant, { G, G, G, G, H, G, G, G, G } },
	{ "in Intune's grace period", in_grace_period, { G, G, G, G, G, G, G, G, G } },
	{ "compliance never evaluated", never_evaluated, { G, G, G, G, K, G, G, G, G } },
	{ "not compliant, by Entra alone", entra_not_compliant, { G, G, G, G, H, G, G, G, G } },
	{ "Entra behind Intune", entra_behind, { G, G, G, G, G, G, G, G, G } },
	{ "unseen for 30 days", long_unseen, { G, G, G, G, G, H, G, G, G } },
	{ "unseen for a second less", nearly_unseen, { G, G, G, G, G, G, G, G, G } },
	{ "last contact not told", seen_unsaid, { G, G, G, G, G, K, G, G, G } },
	{ "seen in the next century", seen_next_century, { G, G, G, G, G, K, G, G, G } },
	{ "seen a day ahead", seen_by_a_fast_clock, { G, G, G, G, G, G, G, G, G } },
	{ "nobody known whom it names", nobody_known, { K, K, K, K, K, K, K, K, K, H } },
	{ "device known, and no such user", user_not_known, { G, G, G, G, G, G, K, K, K, H } },
	{ "user known, and no such device", device_not_known, { K, K, K, K, K, K, G, G, G, H } },
	{ "user not known yet", user_not_known_yet, { G, G, G, G, G, G, K, K, K, K } },
};

static struct rule_verdict
judge(const struct directory_rule *r, const struct world *w)
{
	struct rule_verdict v;

	memset(&v, 0x5a, sizeof(v));
	directory_rule_judge(&v, r, &w->c, NULL, NULL, NOW);
	return v;
}

static int
effect_of(const struct rule_verdict *v)
{
	return v->keep ? K : (int)v->effect;
}

#define CHECK(ok, ...)                                                                             \
	do {                                                                                       \
		if (!(ok)) {                                                                       \
			print_error(__VA_ARGS__);                                                  \
			assert_true(ok);                                                           \
		}                                                                                  \
	} while (0)

static enum cause_effect
hardest(enum rule_when when)
{
	return rule_when_may_revoke(when) ? CAUSE_REVOKE : CAUSE_HOLD;
}

static void
every_when_by_every_fact(void **state)
{
	for (size_t i = 0; i < N(table); i++) {
		for (int when = 0; when < WHEN__MAX; when++) {
			struct directory_rule r =
			    rule((enum rule_when)when, hardest((enum rule_when)when));
			struct rule_verdict v;
			struct world w;

			world_make(&w);
			table[i].set(&w);
			v = judge(&r, &w);
			CHECK(effect_of(&v) == table[i].effect[when], "%s by %s: %d (%s)\n",
			    table[i].name, rule_when_name(r.when), effect_of(&v),
			    rule_says_name(v.says));
			if (!v.keep && v.effect != CAUSE_GONE)
				CHECK(v.says == RULE_MATCH && v.comment[0] != '\0', "%s by %s\n",
				    table[i].name, rule_when_name(r.when));
		}
	}
}

/* `then: hold` never revokes, whatever the fact. */
static void
a_rule_that_holds_never_revokes(void **state)
{
	for (size_t i = 0; i < N(table); i++)
		for (int when = 0; when < WHEN__MAX; when++) {
			struct directory_rule r = rule((enum rule_when)when, CAUSE_HOLD);
			int expected = table[i].effect[when] == R ? H : table[i].effect[when];
			struct rule_verdict v;
			struct world w;

			world_make(&w);
			table[i].set(&w);
			v = judge(&r, &w);
			CHECK(effect_of(&v) == expected, "%s by %s\n", table[i].name,
			    rule_when_name(r.when));
			if (!v.keep)
				assert_int_equal(
				    v.reason, v.effect == CAUSE_HOLD ? REASON_HOLD : 0);
		}
}

/* ---- age ---- */

static void
age(struct world *w, int64_t secs)
{
	w->user.known = w->user.risk_known = w->device.known = w->managed.known = NOW - secs;
}

static void
by_age(enum rule_outage outage, int64_t secs, int64_t max_age, int stale)
{
	for (size_t i = 0; i < N(table); i++)
		for (int when = 0; when < WHEN__MAX; when++) {
			struct directory_rule r =
			    rule((enum rule_when)when, hardest((enum rule_when)when));
			int expected = table[i].effect[when];
			struct rule_verdict v;
			struct world w;

			if (when == WHEN_NOT_SEEN)
				continue; /* its fact is a distance: below */
			if (when == WHEN_UNKNOWN_TO_DIRECTORY)
				continue; /* of the binding, not of objects: below */
			world_make(&w);
			table[i].set(&w);
			age(&w, secs);
			r.outage = outage;
			r.max_age = max_age;
			v = judge(&r, &w);
			/* An id that is gone has no age, and of the unknown nothing is known, but where
			 * another directory was heard of once. */
			if (stale != -1 &&
			    (expected != K ||
				(when == WHEN_DEVICE_DELETED && v.says == RULE_OUTAGE)) &&
			    !(expected == R && v.says == RULE_MATCH))
				expected = stale;
			CHECK(effect_of(&v) == expected, "%s by %s, %lld s old: %d (%s)\n",
			    table[i].name, rule_when_name(r.when), (long long)secs, effect_of(&v),
			    rule_says_name(v.says));
		}
}

static void
facts_count_until_they_are_too_old(void **state)
{
	by_age(OUTAGE_OPEN, 7 * DAY, 7 * DAY, -1);
	by_age(OUTAGE_HOLD, 7 * DAY, 7 * DAY, -1);
	by_age(OUTAGE_OPEN, 3650 * DAY, 0, -1);
	by_age(OUTAGE_OPEN, 7 * DAY + 1, 7 * DAY, G);
	by_age(OUTAGE_HOLD, 7 * DAY + 1, 7 * DAY, H);
}

/* Asked daily: an answer of long ago is an outage; who is bound is so for ever. */
static void
the_unknown_are_held_as_long_as_that_is_answered(void **state)
{
	struct directory_rule r = rule(WHEN_UNKNOWN_TO_DIRECTORY, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	assert_false(rule_when_may_revoke(WHEN_UNKNOWN_TO_DIRECTORY));
	world_make(&w);
	nobody_known(&w);
	r.grace = 101 * DAY;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_GRACE);
	r.grace = 0;
	w.binding.asked = NOW - 7 * DAY - 1;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_OUTAGE);
	assert_int_equal(v.effect, CAUSE_GONE);
	world_make(&w);
	w.binding.asked = 1;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_CLEAR);
	/* What was never answered is no fact. */
	nobody_known(&w);
	w.binding.asked = 0;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_UNKNOWN);
}

static void
an_outage_revokes_nobody(void **state)
{
	struct directory_rule r = rule(WHEN_DEVICE_WIPED, CAUSE_REVOKE);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	wipe_issued(&w);
	age(&w, 30 * DAY);
	r.outage = OUTAGE_HOLD;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_OUTAGE);
	assert_int_equal(v.effect, CAUSE_HOLD);
	assert_int_equal(v.reason, REASON_HOLD);
	assert_non_null(strstr(v.comment, "last heard at"));
}

static void
what_is_gone_stays_gone_in_an_outage(void **state)
{
	struct directory_rule r = rule(WHEN_USER_DELETED, CAUSE_REVOKE);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	user_gone(&w);
	age(&w, 3000 * DAY);
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_MATCH);
	assert_int_equal(v.effect, CAUSE_REVOKE);
}

/* Nobody answers for 31 days: every device would be "unseen" by the clock. */
static void
silence_makes_no_device_unseen(void **state)
{
	struct directory_rule r = rule(WHEN_NOT_SEEN, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	w.managed.known = NOW - 31 * DAY;
	w.managed.last_seen = NOW - 31 * DAY - HOUR;
	r.max_age = 0;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_CLEAR);
	r.max_age = 7 * DAY;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_OUTAGE);
	assert_int_equal(v.effect, CAUSE_GONE);
}

static void
the_risk_has_an_age_of_its_own(void **state)
{
	struct directory_rule risk = rule(WHEN_USER_RISK, CAUSE_HOLD),
			      off = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	risk_high(&w);
	w.user.risk_known = NOW - 8 * DAY;
	v = judge(&risk, &w);
	assert_int_equal(v.says, RULE_OUTAGE);
	v = judge(&off, &w);
	assert_int_equal(v.says, RULE_CLEAR);
}

/* Of two directories one is silent: what the other says counts where it says that it is so, and not where it
 * says that it is not. */
static void
two_directories_are_asked_about_deletion(void **state)
{
	struct directory_rule r = rule(WHEN_DEVICE_DELETED, CAUSE_REVOKE);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	w.managed.known = NOW - 30 * DAY;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_OUTAGE);
	w.device.presence = DIR_DELETED;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_MATCH);
	assert_int_equal(v.effect, CAUSE_HOLD);
	w.managed.presence = DIR_GONE;
	v = judge(&r, &w);
	assert_int_equal(v.effect, CAUSE_REVOKE);
}

/* ---- grace ---- */

static void
grace_counts_from_the_enrolment_or_the_issue(void **state)
{
	static const struct {
		int64_t managed, bound, issued, grace;
		enum rule_says says;
	} rows[] = {
		{ NOW - HOUR, 0, ISSUED, HOUR, RULE_MATCH },
		{ NOW - HOUR, 0, ISSUED, HOUR + 1, RULE_GRACE },
		{ NOW - HOUR, NOW - DAY, ISSUED, 2 * HOUR, RULE_GRACE }, /* enrolled again */
		{ 0, NOW - HOUR, ISSUED, 2 * HOUR, RULE_GRACE },
		{ 0, NOW - HOUR, ISSUED, HOUR, RULE_MATCH },
		{ 0, 0, NOW - HOUR, 2 * HOUR, RULE_GRACE },
		{ 0, 0, NOW - HOUR, HOUR, RULE_MATCH },
		{ NOW - HOUR, 0, ISSUED, 0, RULE_MATCH },
		{ 0, 0, NOW + 60, 0, RULE_MATCH }, /* by a clock that was ahead */
		/* Renewed in an enrolment of long ago: no new grace. */
		{ NOW - 100 * DAY, 0, NOW - 60, DAY, RULE_MATCH },
		/* Enrolled in the year 9999, says a directory whose clock or data is broken. */
		{ INT64_C(253402300799), 0, ISSUED, DAY, RULE_MATCH },
		{ INT64_MAX, INT64_MAX, ISSUED, DAY, RULE_MATCH },
		{ INT64_MAX, NOW - HOUR, ISSUED, DAY, RULE_GRACE },
		{ NOW + 60, 0, NOW - 60, DAY, RULE_GRACE }, /* a clock a minute ahead */
		{ -1, INT64_MIN, ISSUED, DAY, RULE_MATCH },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct directory_rule r = rule(WHEN_NOT_COMPLIANT, CAUSE_HOLD);
		struct rule_verdict v;
		struct world w;

		world_make(&w);
		not_compliant(&w);
		w.managed.enrolled = rows[i].managed;
		w.binding.enrolled = rows[i].bound;
		w.c.issued = rows[i].issued;
		r.grace = rows[i].grace;
		v = judge(&r, &w);
		CHECK(v.says == rows[i].says, "row %zu: %s\n", i, rule_says_name(v.says));
		assert_int_equal(v.effect, v.says == RULE_GRACE ? CAUSE_GONE : CAUSE_HOLD);
		assert_false(v.keep);
	}
}

/* ---- filters ---- */

static const char *const word_a[] = { "x", "device" }, *const word_wifi[] = { "wifi" },
			 *const word_other[] = { "other" }, *const word_contoso[] = { "contoso" },
			 *const word_windows[] = { "windows" }, *const word_ios[] = { "iOS" },
			 *const word_company[] = { "Company" };
#define WORDS(a)                                                                                   \
	{                                                                                          \
		(a), N(a)                                                                          \
	}

static void
all_filters_have_to_fit(void **state)
{
	static const struct {
		struct directory_rule r;
		enum rule_says says;
	} rows[] = {
		{ { .profiles = WORDS(word_a) }, RULE_MATCH },
		{ { .profiles = WORDS(word_other) }, RULE_NOT_MINE },
		{ { .endpoints = WORDS(word_wifi) }, RULE_MATCH },
		{ { .endpoints = WORDS(word_other) }, RULE_NOT_MINE },
		{ { .tenants = WORDS(word_contoso) }, RULE_MATCH },
		{ { .tenants = WORDS(word_other) }, RULE_NOT_MINE },
		{ { .platforms = WORDS(word_windows) }, RULE_MATCH },
		{ { .platforms = WORDS(word_ios) }, RULE_NOT_MINE },
		{ { .ownership = WORDS(word_company) }, RULE_MATCH },
		{ { .ownership = WORDS(word_other) }, RULE_NOT_MINE },
		{ { .platforms = WORDS(word_windows), .ownership = WORDS(word_other) },
		    RULE_NOT_MINE },
		{ { .platforms = WORDS(word_windows), .ownership = WORDS(word_company) },
		    RULE_MATCH },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct directory_rule r = rows[i].r;
		struct rule_verdict v;
		struct world w;

		world_make(&w);
		not_compliant(&w);
		r.name = "r";
		r.when = WHEN_NOT_COMPLIANT;
		r.then = CAUSE_HOLD;
		v = judge(&r, &w);
		CHECK(v.says == rows[i].says, "row %zu: %s\n", i, rule_says_name(v.says));
		assert_int_equal(v.effect, v.says == RULE_MATCH ? CAUSE_HOLD : CAUSE_GONE);
	}
}

/* Intune forgets a platform with the device; the binding has it from the day of the issue. */
static void
a_filter_that_nobody_can_answer_changes_nothing(void **state)
{
	struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	user_disabled(&w);
	w.c.managed = NULL;
	r.platforms = (struct rule_words)WORDS(word_windows);
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_UNKNOWN);
	assert_true(v.keep);
	(void)strcpy(w.binding.platform, "Windows");
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_MATCH);
	w.user.enabled = DIR_YES;
	w.binding.platform[0] = '\0';
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_CLEAR);
}

static void
a_certificate_of_another_ca_came_by_no_endpoint(void **state)
{
	struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
	struct world w;

	world_make(&w);
	user_disabled(&w);
	w.c.endpoint = "";
	assert_int_equal(judge(&r, &w).says, RULE_MATCH);
	r.endpoints = (struct rule_words)WORDS(word_wifi);
	assert_int_equal(judge(&r, &w).says, RULE_NOT_MINE);
}

/* ---- groups ---- */

struct group_answer {
	struct rule_membership m;
	unsigned asked;
};

static struct rule_membership
answer_groups(void *arg, const struct rule_words *groups, const struct store_subject *c)
{
	struct group_answer *a = arg;

	assert_int_equal(groups->n, 1);
	assert_non_null(c);
	a->asked++;
	return a->m;
}

static void
groups_are_asked_where_it_matters(void **state)
{
	static const struct {
		struct rule_membership m;
		bool bad;
		enum rule_says says;
		unsigned asked;
	} rows[] = {
		{ { DIR_YES, NOW }, true, RULE_MATCH, 1 },
		{ { DIR_NO, NOW }, true, RULE_NOT_MINE, 1 },
		{ { DIR_UNSAID, 0 }, true, RULE_UNKNOWN, 1 },
		{ { DIR_YES, NOW - 8 * DAY }, true, RULE_OUTAGE, 1 },
		{ { DIR_NO, NOW - 8 * DAY }, true, RULE_OUTAGE, 1 },
		{ { DIR_YES, NOW }, false, RULE_CLEAR, 0 },
		{ { DIR_UNSAID, 0 }, false, RULE_CLEAR, 0 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
		struct group_answer a = { rows[i].m, 0 };
		struct rule_verdict v;
		struct world w;

		world_make(&w);
		if (rows[i].bad)
			user_disabled(&w);
		r.groups = (struct rule_words)WORDS(word_other);
		directory_rule_judge(&v, &r, &w.c, answer_groups, &a, NOW);
		CHECK(v.says == rows[i].says && a.asked == rows[i].asked, "row %zu: %s\n", i,
		    rule_says_name(v.says));
	}
}

static void
without_anybody_to_ask_groups_are_unknown(void **state)
{
	struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	user_disabled(&w);
	r.groups = (struct rule_words)WORDS(word_other);
	v = judge(&r, &w);
	assert_true(v.keep);
}

/* ---- whom a rule leaves out ---- */

static void
who_has_one_of_the_exceptions_words_is_left_out(void **state)
{
	static const struct {
		struct rule_filter except;
		struct rule_words platforms; /* that the rule is for */
		enum rule_says says;
	} rows[] = {
		{ .says = RULE_MATCH },
		{ { .profiles = WORDS(word_a) }, .says = RULE_NOT_MINE },
		{ { .profiles = WORDS(word_other) }, .says = RULE_MATCH },
		{ { .endpoints = WORDS(word_wifi) }, .says = RULE_NOT_MINE },
		{ { .tenants = WORDS(word_contoso) }, .says = RULE_NOT_MINE },
		{ { .platforms = WORDS(word_windows) }, .says = RULE_NOT_MINE },
		{ { .platforms = WORDS(word_ios) }, .says = RULE_MATCH },
		{ { .ownership = WORDS(word_company) }, .says = RULE_NOT_MINE },
		/* One word is enough, and it is stronger than what the rule is for. */
		{ { .platforms = WORDS(word_ios), .ownership = WORDS(word_company) },
		    .says = RULE_NOT_MINE },
		{ { .ownership = WORDS(word_company) }, WORDS(word_windows), RULE_NOT_MINE },
		{ { .ownership = WORDS(word_other) }, WORDS(word_windows), RULE_MATCH },
		{ { .ownership = WORDS(word_other) }, WORDS(word_ios), RULE_NOT_MINE },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct directory_rule r = rule(WHEN_NOT_COMPLIANT, CAUSE_HOLD);
		struct rule_verdict v;
		struct world w;

		world_make(&w);
		not_compliant(&w);
		r.except = rows[i].except;
		r.platforms = rows[i].platforms;
		v = judge(&r, &w);
		CHECK(v.says == rows[i].says, "row %zu: %s\n", i, rule_says_name(v.says));
		assert_int_equal(v.effect, v.says == RULE_MATCH ? CAUSE_HOLD : CAUSE_GONE);
		assert_false(v.keep);
	}
}

static void
where_nobody_knows_whether_somebody_is_left_out_nothing_changes(void **state)
{
	struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	user_disabled(&w);
	w.c.managed = NULL;
	r.except.platforms = (struct rule_words)WORDS(word_ios);
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_UNKNOWN);
	assert_true(v.keep);
	(void)strcpy(w.binding.platform, "ios");
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_NOT_MINE);
	/* Whoever is left out by one word is, whatever the others are. */
	w.binding.platform[0] = '\0';
	r.except.profiles = (struct rule_words)WORDS(word_a);
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_NOT_MINE);
	w.user.enabled = DIR_YES;
	r.except.profiles.n = 0;
	v = judge(&r, &w);
	assert_int_equal(v.says, RULE_CLEAR);
}

static void
members_of_an_excepted_group_are_left_out(void **state)
{
	static const struct {
		struct rule_membership m;
		bool bad;
		enum rule_says says;
		unsigned asked;
	} rows[] = {
		{ { DIR_YES, NOW }, true, RULE_NOT_MINE, 1 },
		{ { DIR_NO, NOW }, true, RULE_MATCH, 1 },
		{ { DIR_UNSAID, 0 }, true, RULE_UNKNOWN, 1 },
		{ { DIR_YES, NOW - 8 * DAY }, true, RULE_OUTAGE, 1 },
		{ { DIR_NO, NOW - 8 * DAY }, true, RULE_OUTAGE, 1 },
		{ { DIR_YES, NOW }, false, RULE_CLEAR, 0 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct directory_rule r = rule(WHEN_USER_DISABLED, CAUSE_HOLD);
		struct group_answer a = { rows[i].m, 0 };
		struct rule_verdict v;
		struct world w;

		world_make(&w);
		if (rows[i].bad)
			user_disabled(&w);
		r.except.groups = (struct rule_words)WORDS(word_other);
		directory_rule_judge(&v, &r, &w.c, answer_groups, &a, NOW);
		CHECK(v.says == rows[i].says && a.asked == rows[i].asked, "row %zu: %s\n", i,
		    rule_says_name(v.says));
	}
}

/* ---- turns ---- */

static void
what_revokes_stays_and_what_is_so_is_no_turn(void **state)
{
	static const struct {
		bool keep;
		enum cause_effect effect, stands;
		bool turns;
	} rows[] = {
		{ false, CAUSE_GONE, CAUSE_GONE, false },
		{ false, CAUSE_GONE, CAUSE_HOLD, true },
		{ false, CAUSE_GONE, CAUSE_REVOKE, false },
		{ false, CAUSE_HOLD, CAUSE_GONE, true },
		{ false, CAUSE_HOLD, CAUSE_HOLD, false },
		{ false, CAUSE_HOLD, CAUSE_REVOKE, false },
		{ false, CAUSE_REVOKE, CAUSE_GONE, true },
		{ false, CAUSE_REVOKE, CAUSE_HOLD, true },
		{ false, CAUSE_REVOKE, CAUSE_REVOKE, false },
		{ true, CAUSE_GONE, CAUSE_HOLD, false },
		{ true, CAUSE_GONE, CAUSE_GONE, false },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct rule_verdict v = { .keep = rows[i].keep, .effect = rows[i].effect };

		CHECK(rule_verdict_turns(&v, rows[i].stands) == rows[i].turns, "row %zu\n", i);
	}
}

/* A word of the directory may be as long as its field. */
static void
long_words_are_cut(void **state)
{
	struct directory_rule r = rule(WHEN_NOT_COMPLIANT, CAUSE_HOLD);
	struct rule_verdict v;
	struct world w;

	world_make(&w);
	w.managed.compliant = DIR_NO;
	memset(w.managed.compliance, 'x', sizeof(w.managed.compliance) - 1);
	v = judge(&r, &w);
	assert_non_null(memchr(v.comment, '\0', sizeof(v.comment)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_when_by_every_fact),
		cmocka_unit_test(a_rule_that_holds_never_revokes),
		cmocka_unit_test(facts_count_until_they_are_too_old),
		cmocka_unit_test(the_unknown_are_held_as_long_as_that_is_answered),
		cmocka_unit_test(an_outage_revokes_nobody),
		cmocka_unit_test(what_is_gone_stays_gone_in_an_outage),
		cmocka_unit_test(silence_makes_no_device_unseen),
		cmocka_unit_test(the_risk_has_an_age_of_its_own),
		cmocka_unit_test(two_directories_are_asked_about_deletion),
		cmocka_unit_test(grace_counts_from_the_enrolment_or_the_issue),
		cmocka_unit_test(all_filters_have_to_fit),
		cmocka_unit_test(a_filter_that_nobody_can_answer_changes_nothing),
		cmocka_unit_test(a_certificate_of_another_ca_came_by_no_endpoint),
		cmocka_unit_test(groups_are_asked_where_it_matters),
		cmocka_unit_test(without_anybody_to_ask_groups_are_unknown),
		cmocka_unit_test(who_has_one_of_the_exceptions_words_is_left_out),
		cmocka_unit_test(where_nobody_knows_whether_somebody_is_left_out_nothing_changes),
		cmocka_unit_test(members_of_an_excepted_group_are_left_out),
		cmocka_unit_test(what_revokes_stays_and_what_is_so_is_no_turn),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
