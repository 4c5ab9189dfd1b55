/*
 * authorization.h - somebody who may say so has said that this CSR gets a certificate.
 *
 * A struct authorization exists only as the result of one of the functions below, is bound to one
 * CSR (its SHA-256), and is what cert_spec_decide() demands.  So no code path can issue without one
 * (S01), and none can use one for another request.
 */
#ifndef SCEPD_CA_AUTHORIZATION_H
#define SCEPD_CA_AUTHORIZATION_H

#include "base/err.h"
#include "ca/holder.h"
#include "ca/renewal.h"
#include "ca/profile.h"
#include "ossl/csr.h"

struct authorization;

/*
 * An outside authority: Intune, reached by scepd's wiring.  ask() returns RC_OK only for an
 * explicit yes; RC_DENIED for an explicit no; RC_IO/RC_TIMEOUT when nobody could be asked.  Blocks.
 */
struct authority {
	const char *name; /* "intune:contoso" */
	enum rc (*ask)(
	    void *ctx, const struct csr *csr, const char *transaction_id, struct err *err);
	void *ctx;
	bool no_challenge; /* it decides without one: an administrator */
};
/* The CSR must carry exactly one non-blank challenge before the authority is asked (S03): RC_DENIED
 * otherwise.  With `no_challenge` whether there is one is the authority's own business. */
enum rc authorise_by(struct authorization **out, const struct authority *a, const struct csr *csr,
    const char *transaction_id, struct err *err) MUST_CHECK;

/* A shared secret: constant-time compare of SHA-256; the subject rule of the profile is what bounds
 * it (S15). */
struct static_challenge {
	uint8_t sha256[32];
};
enum rc static_challenge_set(struct static_challenge *c, const void *secret, size_t len,
    struct err *err) MUST_CHECK; /* RC_CONFIG when shorter than 8 characters */
enum rc authorise_static(struct authorization **out, const struct static_challenge *c,
    const struct csr *csr, struct err *err) MUST_CHECK;

/*
 * The certificate that the holder has stands for a challenge, in its last days (rules->window): the CSR
 * carries none.  A challenge that is there must be asked for by one of the ways above, so that a wrong
 * one is refused: RC_DENIED here.  The holder is borrowed until the authorization is freed.
 */
enum rc authorise_renewal(struct authorization **out, const struct holder *h,
    const struct renewal_rules *rules, const struct csr *csr, int64_t now,
    struct err *err) MUST_CHECK;
/*
 * What was authorised in another way replaces this holder's certificate: cert_spec_decide() keeps the identity
 * within it, as it does after authorise_renewal().
 */
void authorization_renews(struct authorization *a, const struct holder *h);
/* The request has chosen another profile than that of the certificate that it replaces: what this profile
 * gives to everybody is nothing that the holder had. */
void authorization_keeps_usages(struct authorization *a);

/* Does the request's one challenge match?  Proves nothing by itself: for authorities that are asked
 * about those only who know a secret.  RC_DENIED. */
enum rc static_challenge_check(
    const struct static_challenge *c, const struct csr *csr, struct err *err) MUST_CHECK;

/*
 * A one-time password, as the store keeps it.  That it is live, not used up, and this transaction's
 * own is the store's to say.  `subject`: a pattern as of profiles (profile.h), that must fit and name
 * every attribute; NULL: whatever the profile bounds.  `san`: patterns by type ("dns:a.example.com
 * upn:*@example.com"), separated by spaces, one of which each alternative name must fit; NULL: the
 * profile's patterns bound them.
 */
#define OTP_SUBJECT_MAX  512 /* bytes: a subject has a handful of attributes */
#define OTP_SAN_MAX      1024
#define OTP_SAN_PATTERNS 16
struct one_time_password {
	int64_t id;         /* for authorization_authority(): "otp:42" */
	uint8_t sha256[32]; /* of the password */
	const char *subject, *san;
};
/* Of the CSR's one challenge, to look it up by: RC_DENIED when there is not exactly one. */
enum rc one_time_password_sha256(
    uint8_t out[static 32], const struct csr *csr, struct err *err) MUST_CHECK;
/* Syntax of `subject` and `san`, and that they bind something; RC_CONFIG.  NULL: nothing to check. */
enum rc one_time_password_check(const char *subject, const char *san, struct err *err) MUST_CHECK;
/* RC_DENIED: another password's challenge, or a subject or name that it was not made for (S15). */
enum rc authorise_otp(struct authorization **out, const struct one_time_password *otp,
    const struct profile *profile, const struct csr *csr, struct err *err) MUST_CHECK;

void authorization_free(struct authorization *a);
const char *authorization_authority(
    const struct authorization *a); /* "intune:contoso", "static", "otp" ... */
bool authorization_covers(const struct authorization *a, const struct csr *csr);

/*
 * Does this challenge have the form of an Intune one (at least 256 characters, all of base64 or
 * base64url, padding, dots or line ends)?  The real form is unpublished, so this does not decode:
 * it must not refuse a device.  A hint for errors and logs ("the device sent a static password to
 * an Intune endpoint"), never a permission.
 */
bool challenge_looks_like_intune(const char *challenge);

#endif
