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
#include "intunesim/tenant.h"

#define REPORT_TEXT_MAX  256
#define REPORT_NAME_MAX  128
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

/* Whom a row is about.  Names longer than their field are cut. */
struct subject {
	char tenant_id[GUID_TEXT_MAX], device_id[GUID_TEXT_MAX], profile_id[GUID_TEXT_MAX];
	char tenant[REPORT_NAME_MAX], device[REPORT_NAME_MAX], profile[REPORT_NAME_MAX];
	char user[REPORT_NAME_MAX]; /* UPN of the device's user, or "" */
	int platform;
};

/* A profile that is assigned to a device, or was. */
struct deployment {
	struct subject of;
	bool targeted; /* false: it was once, and something had happened by then */
	enum deployment_status status;
	char detail[REPORT_TEXT_MAX];     /* with REFUSED: the code; with FAILED: why */
	char last_error[REPORT_TEXT_MAX]; /* the newest refusal or failure, whatever came after */
	char thumbprint[THUMBPRINT_MAX];  /* of the newest certificate */
	unsigned challenges, refusals;
	int64_t changed; /* wall seconds; 0: never */
};

/* What the success notification said. */
struct certificate {
	struct subject of;
	char thumbprint[64], serial[64], expires[40];
	char subject[REPORT_TEXT_MAX], issuer[REPORT_TEXT_MAX], transaction_id[REPORT_TEXT_MAX];
	char ca_configuration[REPORT_TEXT_MAX], certificate_authority[REPORT_TEXT_MAX];
	char caller[96];
	int64_t issued; /* wall seconds */
};

struct state_counts {
	unsigned by_status[DEPLOYMENT__MAX];           /* of deployments that are targeted */
	uint64_t validated, refused, reported, failed; /* calls since the start */
	uint64_t unattributed; /* refusals that name no device, so that no row shows them */
	size_t certificates;
};

struct state;
enum rc state_new(struct state **out, struct err *err) MUST_CHECK;
void state_free(struct state *s);

/*
 * Make the rows of a tenant those of this snapshot: new ones for what is assigned, as they were for
 * what stays assigned, and no longer targeted for the rest.  RC_LIMIT past DEPLOYMENTS_MAX.  On
 * failure the rows are as before.
 */
enum rc state_follow(struct state *s, const struct tenant *t, struct err *err) MUST_CHECK;

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
/* c->of is filled in here.  `p` NULL: of a profile that is gone. */
void state_issued(
    struct state *s, const struct device *d, const struct profile *p, const struct certificate *c);
void state_installed(
    struct state *s, const struct device *d, const struct profile *p, const char *thumbprint);

/* Copies, tenant by tenant, so that no lock is held while a report is written.  *rows is the caller's: free(). */
enum rc state_deployments(
    struct state *s, struct deployment **rows, size_t *n, struct err *err) MUST_CHECK;
enum rc state_certificates(
    struct state *s, struct certificate **rows, size_t *n, struct err *err) MUST_CHECK;
void state_counts(struct state *s, struct state_counts *out);

#endif
