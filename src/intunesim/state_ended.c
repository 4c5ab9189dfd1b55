/*
 * state_ended.c - what queues a revocation, and what does not.
 *
 * Microsoft's "Remove SCEP and PKCS certificate profiles": revoked when the device is wiped,
 * retired or unenrolled, leaves the group, or the profile's assignment goes; not when a user or
 * group is deleted in Entra or a licence is lost; on Android of the organisation never.
 */
#include <string.h>

#include "intunesim/state_int.h"

/* By the assignments as they were, the device would still have it: so they have changed. */
static bool
was_unassigned(const struct step *step, const struct device *d, const char *profile_id)
{
	const struct profile *before = tenant_profile(step->old, profile_id);

	return before != NULL && tenant_assigns(step->now, d, &before->conf->groups);
}

static enum revocation_cause
why_not_targeted(const struct step *step, const struct device *d, const char *profile_id)
{
	if (!d->conf->managed)
		return step->effect->device_left;
	if (tenant_profile(step->now, profile_id) == NULL || was_unassigned(step, d, profile_id))
		return CAUSE_UNASSIGNED;
	return CAUSE_GROUP;
}

enum revocation_cause
ended_why(const struct step *step, const struct deployment *row)
{
	const struct device *d = tenant_device(step->now, row->of.device_id),
			    *before = tenant_device(step->old, row->of.device_id);

	if (d == NULL || step->effect->quiet || device_is_corporate_android(d))
		return CAUSE_NONE;
	if (row->targeted)
		return why_not_targeted(step, d, row->of.profile_id);
	/* The end was a quiet one, and now the device leaves with the certificate on it. */
	if (row->ended == CAUSE_NONE && before != NULL && before->conf->managed &&
	    !d->conf->managed)
		return step->effect->device_left;
	return row->ended;
}
