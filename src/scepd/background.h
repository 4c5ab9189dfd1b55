/*
 * background.h - what the front does without being asked: a table of duties, each with a thread of its own,
 * so that a directory that answers slowly keeps no CRL from being signed; and what is asked of tenants' services with a
 * thread for each tenant, and of foreign CAs (crew.h), so that one that hangs keeps no other's revocations.
 *
 * A duty is a function that does a bounded piece of work and returns; it is called again after its pause, or
 * when somebody wakes it.  It looks at *stop where it would take long.
 */
#ifndef SCEPD_SCEPD_BACKGROUND_H
#define SCEPD_SCEPD_BACKGROUND_H

#include "base/err.h"

struct scepd;
struct background;

enum duty {
	DUTY_OUTBOX,    /* what Intune still has to be told */
	DUTY_UPKEEP,    /* what time does to the store; by which CA endpoints issue now */
	DUTY_DIRECTORY, /* what directories say */
	DUTY_RULES,     /* what follows from it */
	DUTY_QUEUE,     /* what Intune wants revoked */
	DUTY_PUBLISH,   /* revocation lists, as soon as something changes */
	DUTY_FOREIGN,   /* what foreign CAs have revoked themselves */
	DUTY__MAX
};

/* Starts all.  The server must outlive it. */
enum rc background_start(struct background **out, struct scepd *s, struct err *err) MUST_CHECK;
/* Begin the next round of a duty now.  From any thread; NULL is allowed. */
void background_wake(struct background *b, enum duty d);
/* Ask all to end, and return at once; NULL is allowed. */
void background_stop(struct background *b);
/* Wait until they have; NULL is allowed. */
void background_free(struct background *b);

#endif
