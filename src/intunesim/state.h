/*
 * state.h - what an admin sees afterwards: deployment status per profile and device, and the
 * certificates that CAs have reported.
 *
 * It outlives every snapshot of a tenant: what it says names devices and profiles by id, and keeps
 * copies of what people call them.  The devices and profiles that events are given are only read
 * during the call.
 *
 * Threads: one lock inside; every function may be called from any thread.
 */
#ifndef SCEPD_INTUNESIM_STATE_H
#define SCEPD_INTUNESIM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "intunesim/codes.h"
#include "intunesim/reported.h"
#include "intunesim/revocations.h"
#include "intunesim/tenant.h"

#define CERTIFICATES_MAX 10000  /* remembered; the oldest give way */
#define DEPLOYMENTS_MAX  131072 /* of one tenant; about 150 MiB */
#define ENDED_MAX        4096   /* of them, no longer targeted; the first to end give way */

enum deployment_status {
	DEPLOYMENT_PENDING,
	DEPLOYMENT_CHALLENGE_ISSUED,
	DEPLOYMENT_VALIDATED,
	DEPLOYMENT_ISSUED,
	DEPLOYMENT_INSTALLED,
	DEPLOYMENT_REFUSED,
	DEPLOYMENT_FAILED,
	DEPLOYMENT__MAX
};
const char *deployment_status_name(enum deployment_status s); /* "challengeIssued"; static */

/* A profile that is assigned to a device, or was. */
struct deployment {
	struct subject of;
	bool targeted; /* false: it was once, and something had happened by then */
	enum deployment_status status;
	char detail[REPORT_TEXT_MAX];     /* with REFUSED: the code; with FAILED: why */
	char last_error[REPORT_TEXT_MAX]; /* the newest refusal or failure, whatever came after */
	char thumbprint[THUMBPRINT_MAX];  /* of the newest certificate */
	unsigned challenges, refusals;
	int64_t changed;             /* wall seconds; 0: never */
	uint64_t edition;            /* of the profile, as it is now or was at the end */
	enum revocation_cause ended; /* why it is no longer targeted; CAUSE_NONE also for what
					revokes nothing */
};

struct state_counts {
	unsigned by_status[DEPLOYMENT__MAX];           /* of deployments that are targeted */
	uint64_t validated, refused, reported, failed; /* calls since the start */
	uint64_t unattributed; /* refusals that name no device, so that no row shows them */
	size_t certificates;
};

struct state;
/* Certificates whose time has come go to `queue`, which must outlive the state. */
enum rc state_new(struct state **out, struct revocations *queue, struct err *err) MUST_CHECK;
void state_free(struct state *s);

/* What the administrator did, as far as it matters to certificates. */
struct deed_effect {
	enum revocation_cause device_left; /* why devices that are no longer managed left */
	bool quiet; /* a deletion in Entra: assignments end and nothing is revoked for it */
};
/*
 * Make the rows of a tenant those of this snapshot: new ones for what is assigned, as they were for
 * what stays assigned, and no longer targeted for the rest; and queue the certificates that the
 * deed revokes.  `old` is the snapshot before, NULL (and `effect` too) at the start.  RC_LIMIT past
 * DEPLOYMENTS_MAX.  On failure everything is as before.
 */
enum rc state_follow(struct state *s, const struct tenant *old, const struct tenant *t,
    const struct deed_effect *effect, struct err *err) MUST_CHECK;

/* The device checked in. */
void state_synced(struct state *s, const struct device *d);
/* When it last did, or what the file says; wall seconds, 0: never. */
int64_t state_last_sync(struct state *s, const struct device *d);

/*
 * Events.  A refusal or failure does not take away a certificate that the device has: such a row
 * keeps its status and shows the event as last_error.  `d` or `p` NULL: nobody to attribute it to,
 * only counted.
 */
void state_challenge(struct state *s, const struct device *d, const struct profile *p);
void state_validated(struct state *s, const struct device *d, const struct profile *p);
void state_refused(
    struct state *s, const struct device *d, const struct profile *p, enum scep_code code);
void state_failed(
    struct state *s, const struct device *d, const struct profile *p, const char *why);
/*
 * c->of and c->edition are filled in here.  `p` NULL: of a profile that is gone.  A certificate
 * that comes after its assignment has ended is queued at once.
 */
void state_issued(
    struct state *s, const struct device *d, const struct profile *p, const struct certificate *c);
void state_installed(
    struct state *s, const struct device *d, const struct profile *p, const char *thumbprint);

/* Copies, tenant by tenant, so that no lock is held while a report is written.  *rows is the
 * caller's: free(). */
enum rc state_deployments(
    struct state *s, struct deployment **rows, size_t *n, struct err *err) MUST_CHECK;
enum rc state_certificates(
    struct state *s, struct certificate **rows, size_t *n, struct err *err) MUST_CHECK;
/*
 * The administrator revokes one certificate, by serial number or SHA-1 thumbprint in hex; the other
 * is NULL.  RC_NOTFOUND; RC_CONFLICT when it is in the queue already; RC_DENIED when Intune never
 * revokes on such a device.
 */
enum rc state_revoke(
    struct state *s, const char *serial, const char *thumbprint, struct err *err) MUST_CHECK;
void state_counts(struct state *s, struct state_counts *out);

#endif
