/*
 * revocations.h - the queue of what Intune wants revoked, and what became of it.
 *
 * An item is a certificate that a success notification told of.  It is handed out again and again
 * until its result is uploaded (downloadRevocationRequests has no paging and no receipts), and is
 * then kept for the administrator to look at.
 *
 * Threads: a lock inside, which is never held while another is taken.
 */
#ifndef SCEPD_INTUNESIM_REVOCATIONS_H
#define SCEPD_INTUNESIM_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "intunesim/reported.h"

/* About 20 MiB, once used.  Past it the oldest decided item gives way; when none is decided, the oldest. */
#define REVOCATIONS_MAX        10000
#define REVOCATION_CONTEXT_MAX 48

enum revocation_cause {
	CAUSE_NONE, /* what does not queue anything */
	CAUSE_WIPE,
	CAUSE_RETIRE,
	CAUSE_UNENROL,
	CAUSE_GROUP,           /* left the last group that the profile is assigned to */
	CAUSE_UNASSIGNED,      /* the profile was taken from the group, or deleted */
	CAUSE_PROFILE_CHANGED, /* the device gets another certificate */
	CAUSE_ADMINISTRATOR,
	CAUSE__MAX
};
const char *revocation_cause_name(enum revocation_cause c); /* "profileChanged"; static */

enum revocation_status {
	REVOCATION_PENDING, /* no result yet, or one that asks to be tried again */
	REVOCATION_REVOKED,
	REVOCATION_FAILED /* for good */
};
const char *revocation_status_name(enum revocation_status s); /* "pending"; static */

struct revocation {
	char context[REVOCATION_CONTEXT_MAX]; /* requestContext: random, says nothing */
	struct certificate certificate;
	enum revocation_cause cause;
	int64_t queued; /* wall seconds */
	unsigned downloads;
	enum revocation_status status;
	int64_t changed;               /* of the newest result; 0: none */
	char error[REPORT_TEXT_MAX];   /* its code, or "" */
	char message[REPORT_TEXT_MAX]; /* its message, or "" */
	unsigned failures;             /* results that did not say revoked */
};

struct revocations;
enum rc revocations_new(struct revocations **out, struct err *err) MUST_CHECK;
void revocations_free(struct revocations *q);

/* Queue a copy of the certificate.  Needs randomness only; without it the log has an error. */
void revocations_add(
    struct revocations *q, const struct certificate *c, enum revocation_cause cause);

/*
 * What a download gets: copies of the pending items of a tenant, the oldest first, at most `max`;
 * each counts one download.  *out has room for `max`.  Returns how many.
 */
size_t revocations_take(
    struct revocations *q, const char *tenant_id, struct revocation *out, size_t max);

/* What an upload says of one item. */
struct revocation_result {
	const char *context;
	bool succeeded;
	bool retry;          /* failed in a way that the service tries again */
	const char *error;   /* name of the code; NULL: none */
	const char *message; /* or NULL */
};
/*
 * Take a result in.  False when the tenant has no such item.  A later result replaces an earlier
 * one, except that nothing makes a revoked certificate anything else.
 */
bool revocations_result(
    struct revocations *q, const char *tenant_id, const struct revocation_result *r);

/* All items, the oldest first, as copies.  *rows is the caller's: free(). */
enum rc revocations_list(
    struct revocations *q, struct revocation **rows, size_t *n, struct err *err) MUST_CHECK;
/* The newest item of a certificate (SHA-1 thumbprint, any case); false when there is none. */
bool revocations_find(
    struct revocations *q, const char *tenant_id, const char *thumbprint, struct revocation *out);

#endif
