/*
 * store_sweep.h - what rules about the directory need to remember: sweeps that were stopped because they would turn
 * too many, what an administrator has discarded, whom rules have turned lately, and exceptions.
 *
 * A sweep is written in batches and counts once it is ready.  Then it waits:
 *
 *	waiting -> approved -> done
 *	   |-> discarded (its turns are remembered, and not made again until their rule has let go of them)
 *	   +-> obsolete  (the directory speaks otherwise again, or a larger one takes its place)
 *
 * At most one waits or is being applied.  The daemon begins, applies and ends sweeps, from one thread;
 * administrators decide, from any process.
 */
#ifndef SCEPD_STORE_STORE_SWEEP_H
#define SCEPD_STORE_STORE_SWEEP_H

#include "store/store_status.h"

enum sweep_state {
	SWEEP_WAITING = 1,
	SWEEP_APPROVED,
	SWEEP_DISCARDED,
	SWEEP_DONE,
	SWEEP_OBSOLETE,
	SWEEP__MAX
};
const char *sweep_state_name(enum sweep_state s); /* "waiting" ...; static */

/* A turn: what a rule makes of a certificate. */
struct store_turn {
	int64_t cert_id;
	const char *serial,
	    *ca; /* its name, serial in upper hex; told by store_sweep_turns(), not asked for */
	const char *rule;
	enum cause_effect effect; /* CAUSE_GONE: the rule lets it go */
	int reason;
	const char *comment; /* what the directory said */
	uint64_t owner;      /* of the certificate: sweep_brake.h; asked for, and not told */
	/* Whom the certificate is bound to, as the directory calls them now; NULL: none that it knows.  Told, as
	 * `serial`. */
	const char *person, *device;
};
/* One of those by which the brake counts, in a sweep: its first certificate there, and how many it has. */
struct store_sweep_owner {
	const char *serial;
	const char *person, *device; /* as the directory calls them now; NULL: none that it knows */
	const char *person_id,
	    *device_id; /* Entra's object id; Intune's or Entra's.  NULL: not bound */
	uint64_t certs;
};
struct store_sweep {
	int64_t id;
	enum sweep_state state;
	int64_t created, decided; /* wall ms; 0: not.  `decided`: of any end */
	uint64_t turns;           /* that it has */
	uint64_t dealt, applied;  /* of these: looked at, and really made */
	uint64_t certs;           /* certificates that it turns */
	uint64_t of;              /* certificates that rules see */
	uint64_t
	    owners; /* devices and users of `certs`: sweep_brake.h.  0: an older version did not count */
	uint64_t of_owners; /* and of `of` */
	/* While it waited, devices and users that are not in it: turned within the brake (who goes to and fro counts once
	 * a day), and that wait beside it, as they would be too many. */
	uint64_t beside, beside_waiting;
	char *why, *who; /* "312 of 2300 devices and users ..., more than 10 %"; who has decided */
};
void store_sweep_done(struct store_sweep *s);
#define STORE_SWEEP_TURNS_MAX 1000000
/* What there is to tell at the beginning. */
struct store_sweep_new {
	const char *why;
	uint64_t certs, of;
	uint64_t owners, of_owners;
};
/* At most one waits or is approved: RC_CONFLICT.  What a crash has left unready is dropped by store_sweep_tidy(). */
enum rc store_sweep_begin(
    struct store *s, const struct store_sweep_new *n, int64_t *id, struct err *err) MUST_CHECK;
/* At most STORE_CAUSES_BATCH, in order of certificates; `first`: how many were added before. */
enum rc store_sweep_add(struct store *s, int64_t id, uint64_t first, const struct store_turn *v,
    size_t n, struct err *err) MUST_CHECK;
/* It waits from now on.  Audit row "sweep-stopped". */
enum rc store_sweep_ready(struct store *s, int64_t id, struct err *err) MUST_CHECK;
/* The one that waits or is approved and not done.  RC_NOTFOUND. */
enum rc store_sweep_current(struct store *s, struct store_sweep *out, struct err *err) MUST_CHECK;
enum rc store_sweep_get(
    struct store *s, int64_t id, struct store_sweep *out, struct err *err) MUST_CHECK;
/* In order of ids. */
enum rc store_sweep_each(struct store *s, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_sweep *row), void *arg, struct err *err) MUST_CHECK;
/* Turns in their order, of which `after` are left out; lent. */
enum rc store_sweep_turns(struct store *s, int64_t id, uint64_t after, size_t max,
    int (*fn)(void *arg, const struct store_turn *t), void *arg, struct err *err) MUST_CHECK;
/* Whose its certificates are, in the order of turns, at most `max`; lent. */
enum rc store_sweep_owners(struct store *s, int64_t id, size_t max,
    int (*fn)(void *arg, const struct store_sweep_owner *o), void *arg, struct err *err) MUST_CHECK;
/* How many wait beside one that waits. */
enum rc store_sweep_beside(
    struct store *s, int64_t id, uint64_t waiting, struct err *err) MUST_CHECK;
/* SWEEP_APPROVED or SWEEP_DISCARDED, of one that waits; else RC_CONFLICT, which says who was first, or which sweep has
 * taken its place.  What a number stands for never changes, so who decides gets what was shown.  Audit row
 * "sweep-approved", "sweep-discarded". */
enum rc store_sweep_decide(struct store *s, int64_t id, enum sweep_state verdict, const char *who,
    struct err *err) MUST_CHECK;
/* The directory speaks otherwise again, or a larger one takes its place: one that waits is over.  RC_CONFLICT when it was decided meanwhile.  Audit row
 * "sweep-obsolete". */
enum rc store_sweep_obsolete(
    struct store *s, int64_t id, const char *why, struct err *err) MUST_CHECK;
/*
 * Of an approved sweep, the first `dealt` turns are dealt with, `applied` of them really made (by store_causes_set(), in
 * the commit before; it may be repeated, so a crash between the two loses nothing).  All of them: it is done, with an
 * audit row "sweep-done".
 */
enum rc store_sweep_dealt(
    struct store *s, int64_t id, uint64_t dealt, uint64_t applied, struct err *err) MUST_CHECK;
/* Rows that nobody needs any more, some thousand a call: of sweeps that a crash left unready, and that ended before
 * `before` (wall ms).  Call again when *n is not 0. */
enum rc store_sweep_tidy(struct store *s, int64_t before, size_t *n, struct err *err) MUST_CHECK;

/* ---- what stands, and what is not to be done again ---- */

/* The cause of a rule that stands, or a turn that was discarded; `rule` is lent. */
struct store_rule_mark {
	int64_t cert_id;
	const char *rule;
	enum cause_effect effect;
	int64_t sweep, row; /* of what was discarded */
};
typedef int store_rule_mark_fn(void *arg, const struct store_rule_mark *m);
/* All causes of rules, in order of cert_id; reads an index of these alone. */
enum rc store_rule_causes_each(
    struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* All turns of discarded sweeps that are remembered, in any order. */
enum rc store_ignored_each(
    struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* Their rules have let go of them: at most STORE_CAUSES_BATCH. */
enum rc store_ignored_forget(
    struct store *s, const struct store_rule_mark *v, size_t n, struct err *err) MUST_CHECK;

/* The turns of one sweep, in order of certificates. */
enum rc store_sweep_marks(
    struct store *s, int64_t id, store_rule_mark_fn *fn, void *arg, struct err *err) MUST_CHECK;

/*
 * Whom rules have turned without being asked, for the brake: owners as numbers (the caller's), each once, with the
 * minute in which that was so last; for a day.  So there are no more rows than owners.  An approved sweep begins anew
 * at nobody.  At most STORE_CAUSES_BATCH at once.  `beside`: the sweep that waits meanwhile, 0: none; it counts those of them
 * who have not been turned since its minute.
 */
enum rc store_turned_add(struct store *s, int64_t now, const uint64_t *owners, size_t n,
    int64_t beside, struct err *err) MUST_CHECK;
typedef int store_owner_fn(void *arg, uint64_t owner);
enum rc store_turned_since(
    struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err) MUST_CHECK;

/* ---- exceptions ---- */

enum exception_of { EXCEPTION_CERT = 1, EXCEPTION_DEVICE, EXCEPTION_USER, EXCEPTION__MAX };
const char *exception_of_name(enum exception_of of); /* "certificate" ...; static */
struct store_exception {
	int64_t id;
	enum exception_of of;
	char target
	    [64]; /* serial number in upper hex; Intune or Entra device id, Entra user id in lower case */
	/* Of EXCEPTION_CERT: which CA's; "" of others.  Whoever reads one may get "" of a certificate, too, from before a
	 * CA was told: of one that was not there. */
	char ca[STORE_NAME_MAX + 1];
	char rule[CAUSE_RULE_MAX]; /* "": every rule */
	int64_t created, until;    /* wall seconds */
	int64_t confirmed, ended;  /* wall seconds; 0: not */
	char *who, *confirmed_by, *ended_by, *comment;
};
void store_exception_done(struct store_exception *e);
/* It is so at `now` (wall seconds). */
bool store_exception_in_force(const struct store_exception *e, int64_t now);
/* Of two `who`: "root (uid 0, sudo by jane)" is jane (uid 1000), and Jane.  Root without sudo is one person; so is each
 * token of the admin API, which nothing but its name ties to a person. */
bool store_same_person(const char *a, const char *b);
#define STORE_EXCEPTIONS_MAX     10000 /* that are in force or wait */
#define STORE_EXCEPTION_SECS_MAX (INT64_C(90) * 86400)
/* `needs_second`: it is in force once somebody else has confirmed it, else at once.  created, id, confirmed and ended of
 * *e are not looked at.  Audit row "exception". */
enum rc store_exception_add(struct store *s, const struct store_exception *e, bool needs_second,
    int64_t *id, struct err *err) MUST_CHECK;
/* RC_DENIED by the same person; RC_CONFLICT when over or confirmed already.
 * Audit row "exception-confirm". */
enum rc store_exception_confirm(
    struct store *s, int64_t id, const char *who, struct err *err) MUST_CHECK;
/* Audit row "exception-end".  RC_CONFLICT when over. */
enum rc store_exception_end(
    struct store *s, int64_t id, const char *who, struct err *err) MUST_CHECK;
/* `live_at`: only what is not over then, confirmed or not; 0: all.  In order of ids. */
enum rc store_exception_each(struct store *s, int64_t live_at, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_exception *row), void *arg, struct err *err) MUST_CHECK;

#endif
