/*
 * store_status.h - why a certificate is not good: causes, what follows from them, who it is bound to.
 *
 * A certificate has any number of causes, kept apart by their source; its one effective status follows
 * from them in the commit that changes one, and stands in its row, so that OCSP reads one row.  The rule:
 * any cause that revokes makes it revoked, for good, since and for the reason of the first that did; else
 * any cause that holds makes it held, since the first; else it is good.  A hold goes when its last cause
 * does.  Whoever asks "why" gets the same causes: scepctl, the verdict call, the CRL's reason, OCSP's.
 *
 * Each change of an effective status takes the next number of one sequence of the database: what a CRL or
 * a delta CRL has to hold is "as of number N" or "changed after N".
 */
#ifndef SCEPD_STORE_STORE_STATUS_H
#define SCEPD_STORE_STORE_STATUS_H

#include "store/store.h"

/* ---- causes ---- */

enum cause_source {
	CAUSE_MANUAL = 1,  /* an administrator */
	CAUSE_INTUNE,      /* Intune's revocation queue */
	CAUSE_RULE,        /* a directory rule, by its name */
	CAUSE_REPLACED,    /* renewed (superseded) */
	CAUSE_UNDELIVERED, /* never handed out */
	CAUSE_ISSUER,      /* the CRL of the foreign CA that has issued it */
	CAUSE__MAX
};
const char *cause_source_name(enum cause_source s); /* "manual", "intune" ...; static */
enum cause_effect { CAUSE_GONE, CAUSE_HOLD, CAUSE_REVOKE };

#define CAUSE_RULE_MAX    64  /* bytes of a rule's name, with the NUL */
#define CAUSE_WHO_MAX     256 /* bytes; longer is RC_LIMIT */
#define CAUSE_COMMENT_MAX 1024
#define CAUSE_COUNT_MAX   128 /* of one certificate: rules of a configuration, and the rest */

#define REASON_UNSPECIFIED 0 /* RFC 5280 5.3.1 */
#define REASON_CESSATION   5
#define REASON_HOLD        6
#define REASON_REMOVED     8 /* removeFromCRL: in a delta CRL, of one that is good again */

struct store_cause {
	enum cause_source source;
	char rule[CAUSE_RULE_MAX]; /* of CAUSE_RULE; else "" */
	enum cause_effect effect;  /* HOLD or REVOKE */
	int reason;                /* of REVOKE: RFC 5280 5.3.1 without 6 and 8; of HOLD: 6 */
	int64_t since;             /* wall seconds */
	int64_t until;             /* wall seconds when a manual hold ends by itself; 0: does not */
	char *who, *comment;       /* NULL: none */
};
enum cert_state { CERT_GOOD, CERT_HELD, CERT_REVOKED };
const char *cert_state_name(enum cert_state s); /* "good", "hold", "revoked"; static */
struct store_status {
	enum cert_state state;
	int64_t since; /* wall seconds; 0 when good */
	int reason;    /* RFC 5280 5.3.1; 6 when held */
	int64_t expires;
	/* What it rests on, revoking ones first, then by `since`; [0] is the one that counts. */
	struct store_cause *causes;
	size_t n_causes;
};
void store_status_done(struct store_status *s);
/* Pure: the state that follows from causes, in any order; sorts them as above. */
void store_status_derive(struct store_status *s);
/* "held since 2026-11-30T10:00:00Z by rule not-compliant (Intune says noncompliant)": one line for
 * people, the same wherever somebody asks. */
void store_status_text(struct buf *out, const struct store_status *s);

enum rc store_status_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_status *out, struct err *err) MUST_CHECK; /* RC_NOTFOUND */

/* One cause to be set, or (CAUSE_GONE) taken away. */
struct store_cause_set {
	const char *serial; /* upper hex */
	enum cause_source source;
	const char *rule; /* of CAUSE_RULE; else NULL */
	enum cause_effect effect;
	int reason;
	int64_t until;
	const char *who, *comment;
	/* Wall seconds when it began, where somebody else says so (the CA's list); 0, or in the future: now. */
	int64_t since;
	const char *ca; /* as in store.h; NULL: whichever has issued it, if one alone has */
};
enum cause_outcome {
	CAUSE_SET,       /* it was added, changed or taken away */
	CAUSE_AS_IT_WAS, /* the same cause stood there, or none was there to be taken away */
	CAUSE_NO_CERT,   /* no such certificate */
	CAUSE_IS_FINAL,  /* it revokes already: such a cause never goes, nor turns into a hold */
	CAUSE_OUTCOME__MAX
};
/* What became of one, and of its certificate. */
struct store_cause_done {
	enum cause_outcome outcome;
	enum cert_state before, after;
	bool untold; /* without an audit row: ISSUER_TURNS_TOLD */
};
/*
 * How often the list of a foreign CA may hold a certificate and let go of it again with two audit rows each time: 4 KB of the
 * audit trail, which nothing ever leaves, for each certificate that somebody has imported.  A CA that holds a lost laptop's
 * certificate and releases it is told of each time; one that goes on and on is counted (store_foreign_crl.untold).  Of rows
 * that are there for the list alone, no turn is told by itself.  A revocation always is, as there is one.
 */
#define ISSUER_TURNS_TOLD  8
#define STORE_CAUSES_BATCH 500 /* of one commit, so that enrolments wait for some 40 ms at most */
/*
 * All in one commit, with an audit row ("cert-hold", "cert-release", "revoke", "cause" where the state stays) for each
 * that was CAUSE_SET and is not `untold`.  done[n], may be NULL.  More than STORE_CAUSES_BATCH: RC_LIMIT.  RC_CONFLICT, and
 * nothing is written, when one is named by a number alone that is that of several.  Safe to repeat.
 */
enum rc store_causes_set(struct store *s, const struct store_cause_set *v, size_t n,
    struct store_cause_done *done, struct err *err) MUST_CHECK;
/* Manual holds whose time is over at `now` (wall seconds) come off, some hundred a call; call again when *n
 * is not 0. */
enum rc store_holds_expire(struct store *s, int64_t now, size_t *n, struct err *err) MUST_CHECK;

/* ---- for CRLs ---- */

/* The number of the last change of a status, of any CA: cheap enough for every second. */
enum rc store_status_number(struct store *s, uint64_t *number, struct err *err) MUST_CHECK;

/* Lent to the callback. */
struct store_crl_entry {
	const uint8_t *serial; /* magnitude, big-endian, no leading zeros */
	size_t serial_len;
	int64_t
	    when; /* wall seconds: since it is not good; of REASON_REMOVED: since it is good again */
	int reason;
};
struct store_crl_query {
	const char *ca;
	bool delta;     /* only what changed after `since`; good again: REASON_REMOVED */
	uint64_t since; /* a number of the sequence */
	int64_t
	    valid_at; /* wall seconds: without what had expired by then (RFC 5280 3.3); 0: all */
};
/*
 * In ascending order of serial numbers, all of one moment, for which *number is the sequence's; a non-zero
 * return stops with RC_OK.  Walks an index alone: a million entries in well under a second, no copy.
 */
enum rc store_crl_each(struct store *s, const struct store_crl_query *q, uint64_t *number,
    int (*fn)(void *arg, const struct store_crl_entry *e), void *arg, struct err *err) MUST_CHECK;
/*
 * Which certificates of a CA have changed after `since`, in no promised order, so that nothing is sorted and
 * whoever knows enough stops at once by a non-zero return.  Each is there once, with the number of its last change.
 */
struct store_change {
	const uint8_t *serial; /* lent, as above */
	size_t serial_len;
	uint64_t number;
};
enum rc store_changes_each(struct store *s, const char *ca, uint64_t since, uint64_t *number,
    int (*fn)(void *arg, const struct store_change *c), void *arg, struct err *err) MUST_CHECK;

/* ---- who a certificate is bound to ---- */

enum binding_state {
	BINDING_NONE,  /* it names nobody: rules of the directory never touch it */
	BINDING_OPEN,  /* it names somebody whom the directory has not been asked about yet */
	BINDING_BOUND, /* by immutable ids; store_binding_is_partial(): not all of whom it names */
	BINDING_UNKNOWN /* asked BINDING_TRIES_MAX times, and the directory knows none of the names */
};
const char *binding_state_name(enum binding_state s);
/* Answers in a row that knew somebody not whom the certificate names, after which that is no matter of an index that
 * lags: three hours (dir_task_bind.c). */
#define BINDING_TRIES_MAX 8
/*
 * The immutable ids that a certificate is bound to.  Strings are "" when not known.  GUIDs in lower case.
 */
struct store_binding {
	enum binding_state state;
	char tenant[64];         /* of the configuration; no other is asked */
	char user[40];           /* Entra object id */
	char device[40];         /* Entra device id (what certificates name) */
	char device_object[40];  /* Entra object id (what the delta names) */
	char managed[40];        /* Intune device id */
	char upn[256];           /* as of the issue: for people */
	char serial_number[128]; /* hardware */
	char sid[192];           /* on-premises, of the user or of the device */
	char platform[32]; /* "Windows", "iOS", "macOS", "Android" ...: Intune's operatingSystem */
	char owner[16];    /* "company", "personal": managedDeviceOwnerType */
	int64_t enrolled;  /* in Intune, wall seconds; 0: not told */
	int64_t asked;     /* wall seconds when the directory answered last; 0: never */
	/* In vain, in a row, at most BINDING_TRIES_MAX: it was asked, and somebody whom the names mean was not found.  Such names
	 * stay in their fields (managed, device, upn, serial_number); user and device_object are never but ids. */
	unsigned tries;
	/* Wall seconds when the directory is to be asked (again); 0: all that there is to ask was answered.  0 with
	 * BINDING_OPEN: as soon as may be. */
	int64_t due;
};
/* BINDING_BOUND to some of whom the certificate names, while the directory does not know the others. */
#define store_binding_is_partial(b) ((b)->state == BINDING_BOUND && (b)->due != 0)
/* store_tx_signed() takes one with the certificate (struct store_cert), in the same commit.  RC_NOTFOUND: there
 * is no such certificate; one without a binding is BINDING_NONE. */
enum rc store_binding_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_binding *out, struct err *err) MUST_CHECK;
enum rc store_binding_set(struct store *s, const char *serial_hex, const char *ca,
    const struct store_binding *b, struct err *err) MUST_CHECK;
/*
 * Bindings of a tenant that are due, those that have waited longest first, and at most `max`; lent.  Where more wait, the
 * last quarter are those that have come last: a certificate of just now is bound within seconds, also behind
 * an import of a million.  One may be told twice.
 */
enum rc store_binding_due(struct store *s, const char *tenant, int64_t now, size_t max,
    int (*fn)(void *arg, const char *serial_hex, const char *ca, int64_t not_after,
	const struct store_binding *b),
    void *arg, struct err *err) MUST_CHECK;
/* What is not settled (due is not 0), by its state: NONE has none, and BOUND means those that are so in part. */
/* As administrators ask for it (store_cert_filter.unsettled): "partial" is BINDING_BOUND.  NULL, "" or anything else:
 * BINDING_NONE. */
#define BINDING_UNSETTLED_WORDS "unknown|partial|open"
enum binding_state binding_unsettled_by_name(const char *word0);
#define STORE_BINDINGS_COUNTED 100000 /* more are not counted: a tenth of a second */
/* Of certificates that are valid at `now` and not revoked. */
enum rc store_binding_count(struct store *s, const char *tenant, enum binding_state state,
    int64_t now, uint64_t *n, struct err *err) MUST_CHECK;
enum binding_key {
	BINDING_BY_USER = 1,
	BINDING_BY_DEVICE,
	BINDING_BY_DEVICE_OBJECT,
	BINDING_BY_MANAGED
};
/* Names of certificates that have not expired at `valid_at`, by the id of who they are bound to, in
 * order of issue; tenant NULL: any. */
enum rc store_binding_certs(struct store *s, const char *tenant, enum binding_key key,
    const char *id, int64_t valid_at, size_t max,
    int (*fn)(void *arg, const char *serial_hex, const char *ca), void *arg,
    struct err *err) MUST_CHECK;

#endif
