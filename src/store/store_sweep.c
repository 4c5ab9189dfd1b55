/*
 * store_sweep.c - the door of store_sweep.h, and its rows in memory.
 */
#include "store/store_sweep.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/store_check.h"

static const char *const state_names[SWEEP__MAX] = {
	[SWEEP_WAITING] = "waiting",
	[SWEEP_APPROVED] = "approved",
	[SWEEP_DISCARDED] = "discarded",
	[SWEEP_DONE] = "done",
	[SWEEP_OBSOLETE] = "obsolete",
};

const char *
sweep_state_name(enum sweep_state s)
{
	return (unsigned)s < SWEEP__MAX && state_names[s] != NULL ? state_names[s] : "unknown";
}

static const char *const of_names[EXCEPTION__MAX] = {
	[EXCEPTION_CERT] = "certificate",
	[EXCEPTION_DEVICE] = "device",
	[EXCEPTION_USER] = "user",
};

const char *
exception_of_name(enum exception_of of)
{
	return (unsigned)of < EXCEPTION__MAX && of_names[of] != NULL ? of_names[of] : "unknown";
}

void
store_sweep_done(struct store_sweep *s)
{
	free(s->why);
	free(s->who);
	*s = (struct store_sweep){ 0 };
}

void
store_exception_done(struct store_exception *e)
{
	free(e->who);
	free(e->confirmed_by);
	free(e->ended_by);
	free(e->comment);
	*e = (struct store_exception){ 0 };
}

bool
store_exception_in_force(const struct store_exception *e, int64_t now)
{
	return e->confirmed != 0 && e->ended == 0 && now < e->until;
}

/* The part of a `who` that names a person: ctl_who() writes "NAME (uid N)" or "NAME (uid 0, sudo by NAME)". */
static void
person(const char **at, size_t *len, const char *who)
{
	static const char by[] = "sudo by ";
	const char *sudo = strstr(who, by);

	*at = sudo != NULL ? sudo + sizeof(by) - 1 : who;
	*len = sudo != NULL ? strcspn(*at, ")") : strcspn(who, " (");
}

bool
store_same_person(const char *a, const char *b)
{
	const char *x, *y;
	size_t nx, ny;

	person(&x, &nx, a);
	person(&y, &ny, b);
	return nx == ny && strncasecmp(x, y, nx) == 0;
}

/* ---- sweeps ---- */

enum rc
store_sweep_begin(struct store *s, const struct store_sweep_new *n, int64_t *id, struct err *err)
{
	enum rc rc = check_text(n->why, CAUSE_COMMENT_MAX, true, "why", err);

	return rc != RC_OK ? rc : s->backend->sweep_begin(s, n, id, err);
}

enum rc
store_sweep_add(struct store *s, int64_t id, uint64_t first, const struct store_turn *v, size_t n,
    struct err *err)
{
	enum rc rc = RC_OK;

	if (n > STORE_CAUSES_BATCH || first + n > STORE_SWEEP_TURNS_MAX)
		return fail(err, RC_LIMIT, "%zu turns after %llu are too many", n,
		    (unsigned long long)first);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = check_text(v[i].rule, CAUSE_RULE_MAX - 1, true, "rule", err);
		if (rc == RC_OK)
			rc = check_text(v[i].comment, CAUSE_COMMENT_MAX, false, "comment", err);
		if (rc == RC_OK && (unsigned)v[i].effect > CAUSE_REVOKE)
			rc = fail(err, RC_BUG, "no such effect");
	}
	return rc != RC_OK || n == 0 ? rc : s->backend->sweep_add(s, id, first, v, n, err);
}

enum rc
store_sweep_ready(struct store *s, int64_t id, struct err *err)
{
	return s->backend->sweep_ready(s, id, err);
}

enum rc
store_sweep_current(struct store *s, struct store_sweep *out, struct err *err)
{
	return s->backend->sweep_current(s, out, err);
}

enum rc
store_sweep_get(struct store *s, int64_t id, struct store_sweep *out, struct err *err)
{
	return s->backend->sweep_get(s, id, out, err);
}

enum rc
store_sweep_each(struct store *s, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_sweep *row), void *arg, struct err *err)
{
	return s->backend->sweep_each(s, after, max, fn, arg, err);
}

enum rc
store_sweep_turns(struct store *s, int64_t id, uint64_t after, size_t max,
    int (*fn)(void *arg, const struct store_turn *t), void *arg, struct err *err)
{
	return s->backend->sweep_turns(s, id, after, max, fn, arg, err);
}

enum rc
store_sweep_owners(struct store *s, int64_t id, size_t max,
    int (*fn)(void *arg, const struct store_sweep_owner *o), void *arg, struct err *err)
{
	return s->backend->sweep_owners(s, id, max, fn, arg, err);
}

enum rc
store_sweep_beside(struct store *s, int64_t id, uint64_t waiting, struct err *err)
{
	return s->backend->sweep_beside(s, id, waiting, err);
}

enum rc
store_sweep_decide(
    struct store *s, int64_t id, enum sweep_state verdict, const char *who, struct err *err)
{
	enum rc rc = check_text(who, CAUSE_WHO_MAX, true, "who", err);

	if (rc == RC_OK && verdict != SWEEP_APPROVED && verdict != SWEEP_DISCARDED)
		rc = fail(err, RC_BUG, "%s is no decision", sweep_state_name(verdict));
	return rc != RC_OK ? rc : s->backend->sweep_decide(s, id, verdict, who, err);
}

enum rc
store_sweep_obsolete(struct store *s, int64_t id, const char *why, struct err *err)
{
	enum rc rc = check_text(why, CAUSE_COMMENT_MAX, true, "why", err);

	return rc != RC_OK ? rc : s->backend->sweep_obsolete(s, id, why, err);
}

enum rc
store_sweep_dealt(struct store *s, int64_t id, uint64_t dealt, uint64_t applied, struct err *err)
{
	return s->backend->sweep_dealt(s, id, dealt, applied, err);
}

enum rc
store_sweep_tidy(struct store *s, int64_t before, size_t *n, struct err *err)
{
	return s->backend->sweep_tidy(s, before, n, err);
}

/* ---- marks ---- */

enum rc
store_rule_causes_each(struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return s->backend->rule_causes_each(s, fn, arg, err);
}

enum rc
store_ignored_each(struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return s->backend->ignored_each(s, fn, arg, err);
}

enum rc
store_ignored_forget(struct store *s, const struct store_rule_mark *v, size_t n, struct err *err)
{
	if (n > STORE_CAUSES_BATCH)
		return fail(
		    err, RC_LIMIT, "%zu turns at once, more than %d", n, STORE_CAUSES_BATCH);
	return n == 0 ? RC_OK : s->backend->ignored_forget(s, v, n, err);
}

enum rc
store_sweep_marks(struct store *s, int64_t id, store_rule_mark_fn *fn, void *arg, struct err *err)
{
	return s->backend->sweep_marks(s, id, fn, arg, err);
}

enum rc
store_turned_add(
    struct store *s, int64_t now, const uint64_t *owners, size_t n, int64_t beside, struct err *err)
{
	if (n > STORE_CAUSES_BATCH)
		return fail(
		    err, RC_LIMIT, "%zu owners at once, more than %d", n, STORE_CAUSES_BATCH);
	return n == 0 ? RC_OK : s->backend->turned_add(s, now, owners, n, beside, err);
}

enum rc
store_turned_since(struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err)
{
	return s->backend->turned_since(s, since, fn, arg, err);
}

/* ---- exceptions ---- */

enum rc
store_exception_add(struct store *s, const struct store_exception *e, bool needs_second,
    int64_t *id, struct err *err)
{
	enum rc rc = check_text(e->who, CAUSE_WHO_MAX, true, "who", err);

	if (rc == RC_OK)
		rc = check_text(e->comment, CAUSE_COMMENT_MAX, false, "comment", err);
	if (rc == RC_OK &&
	    ((unsigned)e->of >= EXCEPTION__MAX || of_names[e->of] == NULL || e->target[0] == '\0'))
		rc = fail(err, RC_BUG, "an exception for nobody");
	return rc != RC_OK ? rc : s->backend->exception_add(s, e, needs_second, id, err);
}

enum rc
store_exception_confirm(struct store *s, int64_t id, const char *who, struct err *err)
{
	enum rc rc = check_text(who, CAUSE_WHO_MAX, true, "who", err);

	return rc != RC_OK ? rc : s->backend->exception_confirm(s, id, who, err);
}

enum rc
store_exception_end(struct store *s, int64_t id, const char *who, struct err *err)
{
	enum rc rc = check_text(who, CAUSE_WHO_MAX, true, "who", err);

	return rc != RC_OK ? rc : s->backend->exception_end(s, id, who, err);
}

enum rc
store_exception_each(struct store *s, int64_t live_at, int64_t after, size_t max,
    int (*fn)(void *arg, const struct store_exception *row), void *arg, struct err *err)
{
	return s->backend->exception_each(s, live_at, after, max, fn, arg, err);
}
