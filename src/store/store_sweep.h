/*
 * store_sweep.h - sweeps that were stopped because they would turn too many certificates, and exceptions.
 */
#ifndef SCEPD_STORE_STORE_SWEEP_H
#define SCEPD_STORE_STORE_SWEEP_H

#include "store/store_status.h"

enum sweep_state { SWEEP_WAITING = 1, SWEEP_APPROVED, SWEEP_DISCARDED, SWEEP_DONE, SWEEP_OBSOLETE };
const char *sweep_state_name(enum sweep_state s);

/* A turn: what a rule makes of a certificate. */
struct store_turn {
	const char *serial, *rule;
	enum cause_effect effect; /* CAUSE_GONE: the rule lets it go */
	int reason;
	const char *comment; /* what the directory said */
};
struct store_sweep {
	int64_t id;
	enum sweep_state state;
	int64_t created, decided; /* wall ms; 0: not */
	uint64_t turns, applied,
	    of; /* turns that it has, those that are applied, certificates that rules see */
	char *why, *who; /* "312 of 2300 certificates, more than 10 %" */
};
void store_sweep_done(struct store_sweep *s);
#define STORE_SWEEP_TURNS_MAX 1000000
/* Begin a sweep that waits; its turns come in batches (STORE_CAUSES_BATCH) and it counts only after
 * store_sweep_ready(); what a crash leaves before that is swept at the next start.  Audit row "sweep-stopped".  At
 * most one waits: RC_CONFLICT. */
enum rc store_sweep_begin(
    struct store *s, const char *why, uint64_t of, int64_t *id, struct err *err) MUST_CHECK;
enum rc store_sweep_add(
    struct store *s, int64_t id, const struct store_turn *v, size_t n, struct err *err) MUST_CHECK;
enum rc store_sweep_ready(struct store *s, int64_t id, struct err *err) MUST_CHECK;
/* The newest that waits or is approved and not done.  RC_NOTFOUND. */
enum rc store_sweep_current(struct store *s, struct store_sweep *out, struct err *err) MUST_CHECK;
enum rc store_sweep_get(
    struct store *s, int64_t id, struct store_sweep *out, struct err *err) MUST_CHECK;
enum rc store_sweep_each(struct store *s, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_sweep *row), void *arg, struct err *err) MUST_CHECK;
/* Turns in order of their rows; *after: begin with 0. */
enum rc store_sweep_turns(struct store *s, int64_t id, int64_t *after, size_t max,
    int (*fn)(void *arg, const struct store_turn *t), void *arg, struct err *err) MUST_CHECK;
/* SWEEP_APPROVED or SWEEP_DISCARDED, of one that waits (RC_CONFLICT).  Audit row.  What is discarded is remembered:
 * store_turn_ignored(). */
enum rc store_sweep_decide(struct store *s, int64_t id, enum sweep_state verdict, const char *who,
    struct err *err) MUST_CHECK;
/* Apply some STORE_CAUSES_BATCH turns of an approved sweep in one commit; *left 0: it is SWEEP_DONE.  Safe against
 * a crash at any point: the next call goes on. */
enum rc store_sweep_apply(struct store *s, int64_t id, uint64_t *left, struct err *err) MUST_CHECK;
/* An administrator has discarded that this rule turns this certificate, and the rule has not let go of it since. */
enum rc store_turn_ignored(struct store *s, const char *serial, const char *rule, bool *ignored,
    struct err *err) MUST_CHECK;
enum rc store_turn_forget(
    struct store *s, const char *serial, const char *rule, struct err *err) MUST_CHECK;

/* ---- exceptions ---- */

enum exception_of { EXCEPTION_CERT = 1, EXCEPTION_DEVICE, EXCEPTION_USER };
struct store_exception {
	int64_t id;
	enum exception_of of;
	char target[64];           /* serial number, Intune or Entra device id, Entra user id */
	char rule[CAUSE_RULE_MAX]; /* "": every rule */
	int64_t created, until;    /* wall seconds */
	int64_t confirmed, ended;  /* wall seconds; 0: not */
	char *who, *confirmed_by, *ended_by, *comment;
};
void store_exception_done(struct store_exception *e);
#define STORE_EXCEPTIONS_MAX     10000 /* that are in force or wait */
#define STORE_EXCEPTION_SECS_MAX (INT64_C(90) * 86400)
/* `needs_second`: it is in force once somebody else has confirmed it, else at once. */
enum rc store_exception_add(struct store *s, const struct store_exception *e, bool needs_second,
    int64_t *id, struct err *err) MUST_CHECK;
/* RC_DENIED by the same person; RC_CONFLICT when over or confirmed already. */
enum rc store_exception_confirm(
    struct store *s, int64_t id, const char *who, struct err *err) MUST_CHECK;
enum rc store_exception_end(
    struct store *s, int64_t id, const char *who, struct err *err) MUST_CHECK;
/* `live_at`: only what is in force then; 0: all.  In order of ids. */
enum rc store_exception_each(struct store *s, int64_t live_at, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_exception *row), void *arg, struct err *err) MUST_CHECK;

#endif
