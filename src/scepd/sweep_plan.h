/*
 * sweep_plan.h - what rules about the directory would turn now, and whose that is.  sweep_brake.h says whether it is too
 * much to be done unasked.
 * Reads the store and changes nothing: the daemon's sweep and `scepctl rules try` make the same plan.
 *
 * Memory: some 100 bytes a turn, 40 a cause that stands or was discarded, 16 a certificate that rules see.  Threads: one plan is of one thread.
 */
#ifndef SCEPD_SCEPD_SWEEP_PLAN_H
#define SCEPD_SCEPD_SWEEP_PLAN_H

#include <stdatomic.h>

#include "ca/directory_rule.h"
#include "scepd/sweep_brake.h"

/* A turn that rules want, of those that nobody has discarded. */
struct planned {
	int64_t cert_id;
	uint64_t owner;
	char serial[48];
	const char *ca; /* the plan's */
	unsigned rule;  /* index into names */
	enum cause_effect stands, effect;
	int reason;
	const char *comment; /* the plan's */
};
struct plan_count {
	uint64_t says[RULE_SAYS__MAX];  /* certificates */
	uint64_t hold, revoke, release; /* turns */
	uint64_t excepted;              /* would be held or revoked, were there no exception */
	uint64_t discarded;             /* turns that an administrator has discarded */
};
/* Rules of the configuration, and behind them those that it has no more and whose holds still stand. */
#define PLAN_NAMES_MAX 512
struct sweep_plan {
	struct planned *v; /* in order of certificates */
	size_t n, room;
	uint64_t of;        /* certificates that rules see: bound, not expired, not revoked */
	uint64_t certs;     /* of these: with a turn */
	struct owners seen; /* sorted: of `of` */
	bool stopped;       /* *stop came true: it is not whole */
	bool cut;           /* more than STORE_SWEEP_TURNS_MAX; the rest is another sweep's */
	char *names[PLAN_NAMES_MAX];
	size_t n_names, n_rules;
	struct plan_count count[PLAN_NAMES_MAX];
	/* What is remembered of discarded sweeps and is so no more. */
	struct store_rule_mark *forget;
	size_t n_forget;
	void *memory; /* of the comments */
};
struct plan_ask {
	struct store *store;
	const struct directory_rule *rules;
	size_t n_rules;
	int64_t now;             /* wall seconds */
	const atomic_bool *stop; /* may be NULL */
	/* May be NULL: called for each certificate that rules see; lent. */
	void (*on_seen)(void *arg, const struct store_subject *c);
	/* May be NULL: called for each turn, with all that is known of the certificate and the rule's name; lent. */
	void (*on_turn)(
	    void *arg, const struct store_subject *c, const struct planned *t, const char *rule);
	void *arg;
};
enum rc sweep_plan_make(
    struct sweep_plan *out, const struct plan_ask *ask, struct err *err) MUST_CHECK;
void sweep_plan_done(struct sweep_plan *p);
/* The turn of this rule and certificate to this effect, NULL: it is not wanted. */
const struct planned *sweep_plan_find(
    const struct sweep_plan *p, int64_t cert_id, const char *rule, enum cause_effect effect);

/* A part of a plan: what it turns of everybody, or of all but some. */
struct plan_part {
	size_t turns;
	uint64_t certs;
	struct owners owners; /* sorted: of the certificates */
};
/* `but` may be NULL; plan_part_done(). */
enum rc plan_part(struct plan_part *out, const struct sweep_plan *p, const struct owners *but,
    struct err *err) MUST_CHECK;
void plan_part_done(struct plan_part *part);
/* Of `part`, with whom was turned lately. */
bool plan_brake(char why[static BRAKE_WHY_MAX], const struct conf_brake *b,
    const struct sweep_plan *p, const struct plan_part *part, const struct owners *lately);

#endif
