/*
 * challenge.h - SCEP challenges: made at check-in, opened at validation.
 *
 * Intune's own format is not published.  This one has its properties: base64 text; inside it a
 * signed container (SignedData) whose content is encrypted (EnvelopedData) to the service itself;
 * inside that the password, the ids, the life span, and what the request must look like, as JSON.
 * A CA cannot read it, and nobody can change it.
 */
#ifndef SCEPD_INTUNESIM_CHALLENGE_H
#define SCEPD_INTUNESIM_CHALLENGE_H

#include "intunesim/codes.h"
#include "intunesim/sim.h"
#include "json/json.h"

#define CHALLENGE_PAYLOAD_MAX (16u * 1024)

/* What a challenge says, borrowed from `json`; strings are NULL where it says nothing. */
struct challenge {
	json_t *json;
	const char *tenant_id, *request_id, *device_id, *user_id, *profile_id;
	const char *created, *expires; /* RFC 3339 */
	int64_t interval;              /* minutes */
	const char *subject;           /* CertStrToName text */
	const json_t *san;             /* [{"type","value"}] */
	const json_t *eku;             /* [dotted] */
	int64_t key_usage, key_bits;   /* key_bits 0: any */
};

/*
 * Fill a profile's texts for a device and its user.  RC_DENIED when something that it needs is
 * missing: the message is for the report.  The result is what challenge_read() makes of its `json`.
 */
enum rc challenge_make(struct challenge *out, const struct sim *s, const struct tenant *t,
    const struct device *d, const struct profile *p, struct err *err) MUST_CHECK;
/* Take a payload apart, whatever is missing.  RC_PARSE when it is no JSON object. */
enum rc challenge_read(
    struct challenge *out, const void *payload, size_t len, struct err *err) MUST_CHECK;
void challenge_done(struct challenge *c);

/* Encrypt and sign with the tenant's keys; appends base64. */
enum rc challenge_seal(struct buf *out, const struct tenant *t, const void *payload, size_t len,
    struct err *err) MUST_CHECK;

/*
 * The door: base64, container, signer, signature, decryption.  Appends the payload.  RC_DENIED with
 * *code and a detail in *err when the challenge is bad; another kind when the service is.  What
 * opened once is remembered, so that the same bytes cost a look-up the next time.
 */
enum rc challenge_open(struct buf *payload, enum scep_code *code, const struct sim *s,
    const struct view *v, const char *text, struct err *err) MUST_CHECK;

#endif
