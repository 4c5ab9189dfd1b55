/*
 * change.h - an administrator's word on certificates: revoked, held, released; one, or a hundred thousand.
 */
#ifndef SCEPD_SCEPCTL_CHANGE_H
#define SCEPD_SCEPCTL_CHANGE_H

#include "scepctl/select.h"
#include "store/store_status.h"

struct change {
	const char *config;
	struct select_by by;
	enum cause_effect effect; /* CAUSE_GONE releases */
	int reason;               /* of CAUSE_REVOKE */
	int64_t until;            /* of CAUSE_HOLD, wall seconds; 0: no end */
	const char *comment;      /* or NULL */
	bool yes, dry_run, json;
};
/*
 * Looks at all of them first, asks when more than one would turn (unless `yes`), and sets the causes in commits of
 * STORE_CAUSES_BATCH: interrupted, it may simply be run again.  Prints what became of each, or of those that did
 * not turn when there are many.  The exit code: 0, or that of the worst that happened to one.
 */
int change_run(const struct change *c, int nargs, char **args);
/* Between two commits of a long run, the last of which took so long: wait, so that a daemon beside us gets its
 * turn. */
void change_give_way(uint64_t took_us);

#endif
