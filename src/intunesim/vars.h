/*
 * vars.h - the {{variables}} of Intune's SCEP profiles.
 *
 * The substitution is textual, as Intune's is: a value with a comma in an unquoted place makes
 * another name, and that is for the profile's author to notice.
 */
#ifndef SCEPD_INTUNESIM_VARS_H
#define SCEPD_INTUNESIM_VARS_H

#include "base/buf.h"
#include "base/err.h"
#include "intunesim/tenant_conf.h"

/* Where a text stands. */
enum var_place { PLACE_SUBJECT, PLACE_SAN_EMAIL, PLACE_SAN_UPN, PLACE_SAN_DNS, PLACE_SAN_URI };

/*
 * What can be told from the profile alone: unknown or malformed variables, user variables in a
 * device certificate, a SID outside a URI.  RC_CONFIG with a sentence for the profile's author.
 */
enum rc vars_check(const char *text, enum var_place place, const struct profile_conf *profile,
    struct err *err) MUST_CHECK;

/*
 * Append `text` with every variable replaced.  `user` may be NULL.  RC_DENIED when the device or
 * its user has no value for one, with the reason that belongs into the report.
 */
enum rc vars_expand(struct buf *out, const char *text, enum var_place place,
    const struct profile_conf *profile, const struct device_conf *device,
    const struct user_conf *user, struct err *err) MUST_CHECK;

#endif
