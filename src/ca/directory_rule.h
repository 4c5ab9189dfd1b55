/*
 * directory_rule.h - what a rule about the directory makes of a certificate: pure, by facts with a date.
 *
 * A rule names one thing that a directory may say of whoever a certificate is bound to (`when`), and what follows
 * (`then`).  Rules are OR-ed: each is a cause of its own (CAUSE_RULE, by its name), comes and goes by itself, and
 * knows nothing of the others.
 *
 * What decides:
 *  - Only what a directory has said counts.  What it was never asked, did not tell, or could not find by a name
 *    (DIR_NOT_LISTED) is RULE_UNKNOWN, and leaves everything as it was.
 *  - Only proof revokes.  What can be undone (a user in the recycle bin, a wipe that is pending) holds, whatever
 *    `then` says, and revokes once it cannot.
 *  - Facts up to `max_age` old count as if they were of now.  Older ones are RULE_OUTAGE: the rule's `outage` says
 *    whether its holds come off or everybody is held whom it would ask about.  An outage revokes nobody.  That an
 *    object is gone for good has no age: its id is never given to another.
 *  - One kind judges by the binding alone: whom a certificate names, and whether the directory knows him.  That
 *    nobody is found by a name proves nothing of anybody, so it holds and never revokes, and not before three hours of
 *    asking were in vain (BINDING_TRIES_MAX).
 *  - `grace` counts from the enrolment in Intune, or from the issue of the certificate where that is not told.
 *
 * Threads: none, no state; a rule is immutable.
 */
#ifndef SCEPD_CA_DIRECTORY_RULE_H
#define SCEPD_CA_DIRECTORY_RULE_H

#include "store/store_directory.h"

/* In the order of RULE_WHEN_CHOICES. */
enum rule_when {
	WHEN_DEVICE_DELETED,
	WHEN_DEVICE_DISABLED,
	WHEN_DEVICE_RETIRED,
	WHEN_DEVICE_WIPED,
	WHEN_NOT_COMPLIANT,
	WHEN_NOT_SEEN,
	WHEN_USER_DELETED,
	WHEN_USER_DISABLED,
	WHEN_USER_RISK,
	WHEN_UNKNOWN_TO_DIRECTORY,
	WHEN__MAX
};
#define RULE_WHEN_CHOICES                                                                          \
	"device-deleted|device-disabled|device-retired|device-wiped|not-compliant|not-seen|"       \
	"user-deleted|user-disabled|user-risk|unknown-to-directory"
const char *rule_when_name(enum rule_when w);
/* What it asks about is final, or may be called so: `then: revoke` is allowed. */
bool rule_when_may_revoke(enum rule_when w);
/* Needs a question of its own to the directory. */
#define rule_when_asks_risk(w) ((w) == WHEN_USER_RISK)

#define RULES_MAX 64 /* of a configuration: CAUSE_COUNT_MAX has room for them and the rest */

enum rule_outage { OUTAGE_OPEN, OUTAGE_HOLD };
#define RISK_LOW    1u
#define RISK_MEDIUM 2u
#define RISK_HIGH   4u

struct rule_words {
	const char *const *v;
	size_t n;
};
struct rule_filter {
	struct rule_words profiles, endpoints, tenants, platforms, ownership, groups;
};
struct directory_rule {
	const char *name;
	enum rule_when when;
	enum cause_effect then; /* HOLD or REVOKE */
	int64_t grace;          /* seconds */
	int64_t not_seen;       /* seconds, of WHEN_NOT_SEEN */
	unsigned risk;          /* of WHEN_USER_RISK: RISK_* */
	int64_t max_age;        /* seconds that facts count; 0: however old */
	enum rule_outage outage;
	/* Each that is not empty must have the certificate's; platforms and ownership without regard to case. */
	struct rule_words profiles, endpoints, tenants, platforms, ownership;
	struct rule_words groups; /* object ids: user or device is a member of one of them */
	/* Who has one of these is left out.  Where it is not known whether somebody has, the rule is RULE_UNKNOWN of
	 * them. */
	struct rule_filter except;
};

/* What is known about the user and the device of a certificate and some groups of a rule. */
struct rule_membership {
	enum dir_said member; /* of any */
	int64_t known;        /* wall seconds, of the oldest answer it rests on */
};
/* Asked only where it matters: of a certificate about which the rule would do something. */
typedef struct rule_membership rule_groups_fn(
    void *arg, const struct rule_words *groups, const struct store_subject *c);

enum rule_says {
	RULE_CLEAR,    /* the directory says that it is not so */
	RULE_NOT_MINE, /* not of the rule's certificates, or bound to nobody it asks about */
	RULE_GRACE,    /* it is so, and too early to say it */
	RULE_MATCH,    /* it is so */
	RULE_UNKNOWN,  /* nothing is known: as it was */
	RULE_OUTAGE,   /* what is known is too old */
	RULE_SAYS__MAX
};
const char *rule_says_name(enum rule_says s);
#define RULE_COMMENT_MAX 160
struct rule_verdict {
	enum rule_says says;
	bool keep;                /* whatever stands, stands */
	enum cause_effect effect; /* else: what is to stand; CAUSE_GONE: nothing of this rule */
	int reason;               /* RFC 5280 5.3.1, of HOLD and REVOKE */
	char comment[RULE_COMMENT_MAX]; /* for people: what the directory said */
};
/* What Intune calls the operating system of its device, or called it when it was issued; "": never told. */
const char *rule_platform_of(const struct store_subject *c);
/* `groups` may be NULL where no rule has any. */
void directory_rule_judge(struct rule_verdict *out, const struct directory_rule *r,
    const struct store_subject *c, rule_groups_fn *groups, void *arg, int64_t now);
/* Is there anything to do where the cause of this rule is `stands` (GONE: none)?  What revokes stays. */
bool rule_verdict_turns(const struct rule_verdict *v, enum cause_effect stands);

#endif
