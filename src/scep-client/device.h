/*
 * device.h - the role of a device that Intune manages: check in with the simulator, take the
 * assigned profiles, report back. The protocol is docs/intunesim-api.md.
 */
#ifndef SCEPD_SCEP_CLIENT_DEVICE_H
#define SCEPD_SCEP_CLIENT_DEVICE_H

#include "base/err.h"
#include "http/client.h"
#include "json/json.h"
#include "ossl/csr.h"
#include "ossl/name.h"
#include "scep-client/manner.h"
#include "scep-client/session.h"

#define DEVICE_EKU_MAX  32 /* of one profile */
#define DEVICE_URLS_MAX 16

/* One SCEP profile as the device got it.  Strings are borrowed from the check-in. */
struct device_profile {
	const char *name, *id, *challenge;
	const char *urls[DEVICE_URLS_MAX];
	size_t n_urls;
	struct name subject;
	struct csr_build build; /* all but the key */
	const char *eku[DEVICE_EKU_MAX];
	unsigned key_bits;
	const char *ca_thumbprint;  /* "" when the profile does not pin one */
	unsigned renewal_threshold; /* percent of the life that is left when it renews, 1 to 99 */
	const char *revision;       /* another one: the certificate that is there no longer fits */
};

struct managed_device {
	struct http_client *http;
	char *base, *id; /* URL of the simulator, the device as it was named */
	json_t *checkin; /* owns the strings below */
	const char *name, *platform, *user;
	const struct manner *manner;
	struct device_profile *profiles;
	size_t n_profiles;
};

/* Check in; ca_file: trust anchors for https, or NULL.  *out is the caller's. RC_NOTFOUND: no such device. RC_PARSE, RC_IO. */
enum rc device_check_in(struct managed_device **out, const char *simulator_url, const char *id,
    const char *ca_file, struct err *err) MUST_CHECK;
/* The door: the body of a check-in. Fills all but http, base and id. */
enum rc device_parse(
    struct managed_device *d, const void *body, size_t len, struct err *err) MUST_CHECK;
void device_free(struct managed_device *d);
/*
 * The profile's SCEP server, in the manner of the device or, if not NULL, in this one.  As
 * session_open(); RC_INTEGRITY when the certificate that the profile pins is not among the server's.
 */
enum rc device_session(struct session **out, const struct managed_device *d,
    const struct device_profile *p, const struct manner *manner, const char *ca_file,
    struct err *err) MUST_CHECK;
/* What the device tells Intune afterwards. */
enum rc device_report_installed(struct managed_device *d, const struct device_profile *p,
    const uint8_t *cert, size_t len, struct err *err) MUST_CHECK;
enum rc device_report_failed(struct managed_device *d, const struct device_profile *p,
    const char *why, struct err *err) MUST_CHECK;

/* "digitalSignature" ... -> KU_* bit, 0 when unknown. */
unsigned key_usage_by_name(const char *name);

#endif
