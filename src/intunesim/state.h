/*
 * state.h - what an admin sees afterwards: deployment status per profile and device, and the
 * certificates that CAs have reported.
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
#define CERTIFICATES_MAX 10000 /* remembered; the oldest give way */

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

/* A profile that is assigned to a device. */
struct deployment {
	const struct tenant *tenant;
	const struct device *device;
	const struct profile *profile;
	bool targeted;
	enum deployment_status status;
	char detail[REPORT_TEXT_MAX];     /* with REFUSED: the code; with FAILED: why */
	char last_error[REPORT_TEXT_MAX]; /* the newest refusal or failure, whatever came after */
	char thumbprint[THUMBPRINT_MAX];  /* of the newest certificate */
	unsigned challenges, refusals;
	int64_t changed; /* wall seconds; 0: never */
};

/* What the success notification said. */
struct certificate {
	const struct tenant *tenant;
	const struct device *device;
	const struct profile *profile;
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
/* A row for every assignment of these tenants, which must outlive the state. */
enum rc state_new(
    struct state **out, struct tenant *const *tenants, size_t n, struct err *err) MUST_CHECK;
void state_free(struct state *s);

bool state_targeted(struct state *s, const struct device *d, const struct profile *p);

/*
 * Events.  A refusal or failure does not take away a certificate that the device has: such a row
 * keeps its status and shows the event as last_error.  `d` NULL: nobody to attribute it to, only
 * counted.
 */
void state_challenge(struct state *s, const struct device *d, const struct profile *p);
void state_validated(struct state *s, const struct device *d, const struct profile *p);
void state_refused(
    struct state *s, const struct device *d, const struct profile *p, enum scep_code code);
void state_failed(
    struct state *s, const struct device *d, const struct profile *p, const char *why);
void state_issued(struct state *s, const struct certificate *c);
void state_installed(
    struct state *s, const struct device *d, const struct profile *p, const char *thumbprint);

/* Copies, so that no lock is held while a report is written.  *rows is the caller's: free(). */
enum rc state_deployments(
    struct state *s, struct deployment **rows, size_t *n, struct err *err) MUST_CHECK;
enum rc state_certificates(
    struct state *s, struct certificate **rows, size_t *n, struct err *err) MUST_CHECK;
void state_counts(struct state *s, struct state_counts *out);

#endif
