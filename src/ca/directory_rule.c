/* directory_rule.c - see directory_rule.h. */
#include "ca/directory_rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

/* ---- what one object says ---- */

/* UNDOABLE: it is so, and can be undone; FINAL: it is so for ever. */
enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_UNDOABLE, ANSWER_YES, ANSWER_FINAL };

/* What one object says, since when that is known, in words. */
struct said {
	enum answer answer;
	int64_t known;
	char words[RULE_COMMENT_MAX];
};

static void
copy_words(char out[static RULE_COMMENT_MAX], const char *words)
{
	size_t n = strnlen(words, RULE_COMMENT_MAX - 1);

	memcpy(out, words, n);
	out[n] = '\0';
}

static void say(struct said *s, enum answer a, int64_t known, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static void
say(struct said *s, enum answer a, int64_t known, const char *fmt, ...)
{
	va_list ap;

	s->answer = a;
	s->known = known;
	s->words[0] = '\0';
	if (a == ANSWER_NO) /* nearly all, and nobody reads why not */
		return;
	va_start(ap, fmt);
	(void)vsnprintf(s->words, sizeof(s->words), fmt, ap);
	va_end(ap);
}

static void
say_object(struct said *s, const struct store_object *o, enum answer a, const char *what)
{
	say(s, a, o->known, "%s says that the %s is %s",
	    o->kind == DIR_MANAGED ? "Intune" : "Entra", o->kind == DIR_USER ? "user" : "device",
	    what);
}

static void
ask_deleted(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	switch (o->presence) {
	case DIR_GONE:
		say_object(s, o, ANSWER_FINAL, "gone");
		break;
	case DIR_DELETED: /* in the recycle bin */
		say_object(s, o, ANSWER_UNDOABLE, "deleted");
		break;
	case DIR_FOUND:
		say_object(s, o, ANSWER_NO, "there");
		break;
	default: /* not listed: another name, another app, an empty answer: no proof of anything */
		break;
	}
}

static void
ask_disabled(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	if (o->presence == DIR_FOUND && o->enabled != DIR_UNSAID)
		say_object(s, o, o->enabled == DIR_NO ? ANSWER_YES : ANSWER_NO, "disabled");
}

static void
ask_compliant(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	bool bad = o->compliant == DIR_NO;

	if (o->presence == DIR_FOUND && o->compliant != DIR_UNSAID)
		say_object(s, o, bad ? ANSWER_YES : ANSWER_NO,
		    bad && o->compliance[0] != '\0' ? o->compliance : "not compliant");
}

/* Intune's managementState.  What was called off is no order, and what is pending or has failed may be. */
static const struct {
	const char *state;
	enum rule_when when;
	enum answer answer;
} orders[] = {
	{ "retirePending", WHEN_DEVICE_RETIRED, ANSWER_UNDOABLE },
	{ "retireFailed", WHEN_DEVICE_RETIRED, ANSWER_UNDOABLE },
	{ "retireIssued", WHEN_DEVICE_RETIRED, ANSWER_YES },
	{ "deletePending", WHEN_DEVICE_RETIRED, ANSWER_UNDOABLE },
	{ "wipePending", WHEN_DEVICE_WIPED, ANSWER_UNDOABLE },
	{ "wipeFailed", WHEN_DEVICE_WIPED, ANSWER_UNDOABLE },
	{ "wipeIssued", WHEN_DEVICE_WIPED, ANSWER_YES },
};

/* Gone from Intune: it was retired, wiped or deleted, and Intune does not say which.  Only the beta version of Graph
 * tells a state: without one, nothing is said of a device that is there. */
static void
ask_order(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	if (o->presence != DIR_FOUND || o->management[0] != '\0')
		ask_deleted(s, r, o);
	for (size_t i = 0; o->presence == DIR_FOUND && i < sizeof(orders) / sizeof(orders[0]); i++)
		if (orders[i].when == r->when && strcmp(orders[i].state, o->management) == 0)
			say(s, orders[i].answer, o->known, "Intune says %s", o->management);
}

#define CLOCKS_DIFFER 86400 /* seconds: of a device, of Intune, and ours */

/* Measured at the moment the directory spoke: that nobody answers makes no device absent. */
static void
ask_seen(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	char when[TIME_TEXT_MAX];

	/* What is still to come is a clock's nonsense: a device that was seen in the next century would never be absent. */
	if (o->presence != DIR_FOUND || o->last_seen == 0 ||
	    o->last_seen > o->known + CLOCKS_DIFFER)
		return;
	time_rfc3339(when, o->last_seen);
	say(s, o->known - o->last_seen >= r->not_seen ? ANSWER_YES : ANSWER_NO, o->known,
	    "Intune has not seen the device since %s", when);
}

static const struct {
	const char *word;
	unsigned bit;
} risks[] = { { "none", 0 }, { "low", RISK_LOW }, { "medium", RISK_MEDIUM },
	{ "high", RISK_HIGH } };

/* "hidden": the tenant's licence does not tell; that is not "none". */
static void
ask_risk(struct said *s, const struct directory_rule *r, const struct store_object *o)
{
	for (size_t i = 0; o->presence == DIR_FOUND && i < sizeof(risks) / sizeof(risks[0]); i++)
		if (strcmp(risks[i].word, o->risk) == 0)
			say(s, (r->risk & risks[i].bit) != 0 ? ANSWER_YES : ANSWER_NO,
			    o->risk_known, "Entra says that the user's risk is %s", o->risk);
}

/* An id is for good, so that somebody is bound has no age.  Before the last try nothing is said: what was enrolled just now
 * is not in every index. */
static void
ask_unknown(struct said *s, const struct store_binding *b)
{
	if (b->state == BINDING_BOUND && b->due == 0)
		say(s, ANSWER_NO, INT64_MAX, "the directory knows all whom it names");
	else if (b->tries < BINDING_TRIES_MAX || b->asked == 0)
		return;
	else if (b->state == BINDING_UNKNOWN)
		say(s, ANSWER_YES, b->asked, "the directory knows nobody whom it names");
	else if (b->state == BINDING_BOUND && b->upn[0] != '\0' && b->user[0] == '\0')
		say(s, ANSWER_YES, b->asked, "the directory knows no user of its name");
	else if (b->state == BINDING_BOUND)
		say(s, ANSWER_YES, b->asked, "the directory does not know the device it names");
}

/* ---- the kinds of rules ---- */

#define FROM_USER    1u
#define FROM_DEVICE  2u
#define FROM_MANAGED 4u
#define FROM_EITHER  8u /* Intune's word, or Entra's where Intune has none */

static const struct {
	const char *name;
	bool may_revoke;
	int reason; /* RFC 5280 5.3.1, of what revokes */
	unsigned from;
	void (*ask)(struct said *s, const struct directory_rule *r, const struct store_object *o);
	void (*ask_binding)(struct said *s, const struct store_binding *b); /* instead of objects */
} kinds[WHEN__MAX] = {
	/* cessationOfOperation */
	[WHEN_DEVICE_DELETED] = { "device-deleted", true, 5, FROM_DEVICE | FROM_MANAGED,
	    ask_deleted },
	[WHEN_DEVICE_DISABLED] = { "device-disabled", false, 0, FROM_DEVICE, ask_disabled },
	[WHEN_DEVICE_RETIRED] = { "device-retired", true, 5, FROM_MANAGED, ask_order },
	[WHEN_DEVICE_WIPED] = { "device-wiped", true, 5, FROM_MANAGED, ask_order },
	[WHEN_NOT_COMPLIANT] = { "not-compliant", false, 0, FROM_EITHER, ask_compliant },
	[WHEN_NOT_SEEN] = { "not-seen", false, 0, FROM_MANAGED, ask_seen },
	/* affiliationChanged */
	[WHEN_USER_DELETED] = { "user-deleted", true, 3, FROM_USER, ask_deleted },
	[WHEN_USER_DISABLED] = { "user-disabled", false, 0, FROM_USER, ask_disabled },
	/* privilegeWithdrawn */
	[WHEN_USER_RISK] = { "user-risk", true, 9, FROM_USER, ask_risk },
	[WHEN_UNKNOWN_TO_DIRECTORY] = { "unknown-to-directory", false, 0, 0, NULL, ask_unknown },
};

const char *
rule_when_name(enum rule_when w)
{
	return (unsigned)w < WHEN__MAX ? kinds[w].name : "unknown";
}

bool
rule_when_may_revoke(enum rule_when w)
{
	return (unsigned)w < WHEN__MAX && kinds[w].may_revoke;
}

static const struct store_object *
compliance_of(const struct store_subject *c)
{
	const struct store_object *m = c->managed;

	if (m != NULL && m->presence == DIR_FOUND && m->compliant != DIR_UNSAID)
		return m;
	return c->device != NULL ? c->device : m;
}

#define SOURCES_MAX 4

static void
sources(const struct store_object *out[SOURCES_MAX], unsigned from, const struct store_subject *c)
{
	out[0] = (from & FROM_USER) != 0 ? c->user : NULL;
	out[1] = (from & FROM_DEVICE) != 0 ? c->device : NULL;
	out[2] = (from & FROM_MANAGED) != 0 ? c->managed : NULL;
	out[3] = (from & FROM_EITHER) != 0 ? compliance_of(c) : NULL;
}

/* ---- filters ---- */

static bool
names(const struct rule_words *w, const char *text, bool any_case)
{
	for (size_t i = 0; i < w->n; i++)
		if ((any_case ? strcasecmp(w->v[i], text) : strcmp(w->v[i], text)) == 0)
			return true;
	return false;
}

/* What Intune says now, or what it said when the certificate was issued. */
static const char *
first_told(const char *now, const char *then)
{
	return now != NULL && now[0] != '\0' ? now : then;
}

enum fits { FITS, FITS_NOT, FITS_UNKNOWN };

static enum fits
fits(const struct rule_words *w, const char *text, bool any_case)
{
	if (w->n == 0)
		return FITS;
	if (text == NULL || text[0] == '\0')
		return FITS_UNKNOWN;
	return names(w, text, any_case) ? FITS : FITS_NOT;
}

const char *
rule_platform_of(const struct store_subject *c)
{
	return first_told(c->managed == NULL ? NULL : c->managed->platform, c->binding->platform);
}

static const char *
owner_word(const struct store_subject *c)
{
	return first_told(c->managed == NULL ? NULL : c->managed->owner, c->binding->owner);
}

/* What a CA of others has issued came by no endpoint: words about some are not about it. */
static enum fits
fits_endpoint(const struct rule_words *w, const struct store_subject *c)
{
	bool none = c->endpoint != NULL && c->endpoint[0] == '\0';

	return none && w->n > 0 ? FITS_NOT : fits(w, c->endpoint, false);
}

/* One that does not fit decides; one that cannot be answered comes next. */
static enum fits
fits_filters(const struct directory_rule *r, const struct store_subject *c)
{
	const enum fits all[] = {
		fits(&r->profiles, c->profile, false),
		fits_endpoint(&r->endpoints, c),
		fits(&r->tenants, c->binding->tenant, false),
		fits(&r->platforms, rule_platform_of(c), true),
		fits(&r->ownership, owner_word(c), true),
	};
	enum fits out = FITS;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] == FITS_NOT)
			return FITS_NOT;
		if (all[i] == FITS_UNKNOWN)
			out = FITS_UNKNOWN;
	}
	return out;
}

/* Who has one of these words is left out; groups are asked later, where it matters. */
static enum fits
left_out(const struct rule_filter *x, const struct store_subject *c)
{
	const struct {
		const struct rule_words *words;
		enum fits one;
	} all[] = {
		{ &x->profiles, fits(&x->profiles, c->profile, false) },
		{ &x->endpoints, fits_endpoint(&x->endpoints, c) },
		{ &x->tenants, fits(&x->tenants, c->binding->tenant, false) },
		{ &x->platforms, fits(&x->platforms, rule_platform_of(c), true) },
		{ &x->ownership, fits(&x->ownership, owner_word(c), true) },
	};
	enum fits out = FITS_NOT;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum fits one = all[i].words->n == 0 ? FITS_NOT : all[i].one;

		if (one == FITS)
			return FITS;
		if (one == FITS_UNKNOWN)
			out = FITS_UNKNOWN;
	}
	return out;
}

/* The rule's certificates: of those it is for, those that are not left out. */
static enum fits
is_its_own(const struct directory_rule *r, const struct store_subject *c)
{
	enum fits in = fits_filters(r, c), out = left_out(&r->except, c);

	if (in == FITS_NOT || out == FITS)
		return FITS_NOT;
	return in == FITS_UNKNOWN || out == FITS_UNKNOWN ? FITS_UNKNOWN : FITS;
}

/* ---- the verdict ---- */

static const char *const says_names[RULE_SAYS__MAX] = {
	[RULE_CLEAR] = "clear",
	[RULE_NOT_MINE] = "not its own",
	[RULE_GRACE] = "grace",
	[RULE_MATCH] = "match",
	[RULE_UNKNOWN] = "unknown",
	[RULE_OUTAGE] = "outage",
};

const char *
rule_says_name(enum rule_says s)
{
	return (unsigned)s < RULE_SAYS__MAX ? says_names[s] : "unknown";
}

static bool
too_old(const struct directory_rule *r, int64_t known, int64_t now)
{
	return r->max_age > 0 && now - known > r->max_age;
}

static void
verdict(struct rule_verdict *out, enum rule_says says, enum cause_effect effect,
    const struct directory_rule *r, const char *words)
{
	out->says = says;
	out->keep = says == RULE_UNKNOWN;
	out->effect = effect;
	out->reason = effect == CAUSE_REVOKE ? kinds[r->when].reason
	    : effect == CAUSE_HOLD           ? REASON_HOLD
					     : REASON_UNSPECIFIED;
	copy_words(out->comment, words);
}

static void
verdict_outage(struct rule_verdict *out, const struct directory_rule *r, int64_t known)
{
	char words[RULE_COMMENT_MAX], when[TIME_TEXT_MAX];

	time_rfc3339(when, known);
	(void)snprintf(words, sizeof(words), "the directory was last heard at %s", when);
	verdict(out, RULE_OUTAGE, r->outage == OUTAGE_HOLD ? CAUSE_HOLD : CAUSE_GONE, r, words);
}

/* An enrolment that is still to come is nobody's: it would be a grace without an end. */
static int64_t
grace_begins(const struct store_subject *c, int64_t now)
{
	const int64_t told[] = { c->managed != NULL ? c->managed->enrolled : 0,
		c->binding->enrolled };

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (told[i] > 0 && told[i] <= now)
			return told[i];
	return c->issued;
}

static void
verdict_match(struct rule_verdict *out, const struct directory_rule *r,
    const struct store_subject *c, const struct said *s, int64_t now)
{
	enum cause_effect effect = s->answer == ANSWER_UNDOABLE ? CAUSE_HOLD : r->then;

	if (r->grace > 0 && now < grace_begins(c, now) + r->grace)
		verdict(out, RULE_GRACE, CAUSE_GONE, r, s->words);
	else
		verdict(out, RULE_MATCH, effect, r, s->words);
}

/* Which of two objects counts: the one that says more; that it is not so only where all say so. */
static int
weight(const struct said *s, const struct directory_rule *r, int64_t now)
{
	if (s->answer == ANSWER_FINAL)
		return 5;
	if (s->answer == ANSWER_UNKNOWN)
		return 1;
	if (too_old(r, s->known, now))
		return 2;
	return s->answer == ANSWER_YES ? 4 : s->answer == ANSWER_UNDOABLE ? 3 : 0;
}

/* Of all objects that are known, by the one that says most. */
static void
ask_objects(
    struct said *out, const struct directory_rule *r, const struct store_subject *c, int64_t now)
{
	const struct store_object *v[SOURCES_MAX];
	bool any = false;

	sources(v, kinds[r->when].from, c);
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		struct said one = { .answer = ANSWER_UNKNOWN };

		if (v[i] == NULL)
			continue;
		kinds[r->when].ask(&one, r, v[i]);
		if (!any || weight(&one, r, now) > weight(out, r, now))
			*out = one;
		any = true;
	}
}

static enum rule_says
facts(struct said *out, const struct directory_rule *r, const struct store_subject *c, int64_t now)
{
	if (kinds[r->when].ask_binding != NULL)
		kinds[r->when].ask_binding(out, c->binding);
	else
		ask_objects(out, r, c, now);
	if (out->answer == ANSWER_UNKNOWN)
		return RULE_UNKNOWN;
	if (out->answer != ANSWER_FINAL && too_old(r, out->known, now))
		return RULE_OUTAGE;
	return out->answer == ANSWER_NO ? RULE_CLEAR : RULE_MATCH;
}

/* Members alone, or all but members (`wanted`); true: that is so, or nobody asks. */
static bool
by_groups(struct rule_verdict *out, const struct directory_rule *r, const struct rule_words *words,
    enum dir_said wanted, const struct store_subject *c, rule_groups_fn *groups, void *arg,
    int64_t now)
{
	struct rule_membership m = { DIR_UNSAID, 0 };

	if (words->n == 0)
		return true;
	if (groups != NULL)
		m = groups(arg, words, c);
	if (m.member == DIR_UNSAID)
		verdict(out, RULE_UNKNOWN, CAUSE_GONE, r, "the groups' members are not known");
	else if (too_old(r, m.known, now))
		verdict_outage(out, r, m.known);
	else if (m.member != wanted)
		verdict(out, RULE_NOT_MINE, CAUSE_GONE, r, "");
	else
		return true;
	return false;
}

void
directory_rule_judge(struct rule_verdict *out, const struct directory_rule *r,
    const struct store_subject *c, rule_groups_fn *groups, void *arg, int64_t now)
{
	struct said s = { .answer = ANSWER_UNKNOWN };
	enum fits f = is_its_own(r, c);
	enum rule_says says = f == FITS_NOT ? RULE_NOT_MINE : facts(&s, r, c, now);

	/* What is clear is clear, whoever's rule it is. */
	if (says == RULE_NOT_MINE || says == RULE_CLEAR)
		verdict(out, says, CAUSE_GONE, r, s.words);
	else if (says == RULE_UNKNOWN || f == FITS_UNKNOWN)
		verdict(out, RULE_UNKNOWN, CAUSE_GONE, r, "");
	else if (!by_groups(out, r, &r->groups, DIR_YES, c, groups, arg, now) ||
	    !by_groups(out, r, &r->except.groups, DIR_NO, c, groups, arg, now))
		return;
	else if (says == RULE_OUTAGE)
		verdict_outage(out, r, s.known);
	else
		verdict_match(out, r, c, &s, now);
}

bool
rule_verdict_turns(const struct rule_verdict *v, enum cause_effect stands)
{
	return !v->keep && stands != CAUSE_REVOKE && v->effect != stands;
}
