/*
 * validate.h - a certificate request against its challenge.
 */
#ifndef SCEPD_INTUNESIM_VALIDATE_H
#define SCEPD_INTUNESIM_VALIDATE_H

#include "intunesim/challenge.h"
#include "ossl/csr.h"

/* How far to go: a notification needs to know whose request it is about, and no more. */
enum validate_depth { VALIDATE_IDENTITY, VALIDATE_ALL };

#define VALIDATION_DETAIL_MAX 400

struct validation {
	const struct sim *sim;
	const struct view *view;
	const struct tenant *caller; /* whose token was shown */
	const char *request_b64;     /* certificateRequest */

	/* What the checks find out; also on refusal, as far as they came. */
	struct csr *csr;
	const char *challenge_text; /* borrowed from csr */
	struct challenge challenge;
	const struct device *device;
	const struct profile *profile; /* NULL: no such profile (any more) */
	int64_t created, expires;
	enum scep_code code; /* CODE_SUCCESS or why not */
	char detail[VALIDATION_DETAIL_MAX];
};

/*
 * Run the checks in order, to the first that says no.  v->code and v->detail hold the verdict.
 * RC_OK unless the service itself failed.  The four inputs are set by the caller, the rest zero;
 * call validation_done().
 */
enum rc validate(struct validation *v, enum validate_depth depth, struct err *err) MUST_CHECK;
void validation_done(struct validation *v);

#endif
