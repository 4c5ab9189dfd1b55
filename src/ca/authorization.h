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
};
/* The CSR must carry exactly one non-blank challenge before the authority is asked (S03): RC_DENIED
 * otherwise. */
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

void authorization_free(struct authorization *a);
const char *authorization_authority(const struct authorization *a); /* "intune:contoso", "static" */
bool authorization_covers(const struct authorization *a, const struct csr *csr);

/*
 * Does this challenge have the form of an Intune one (at least 256 characters, all of base64 or
 * base64url, padding, dots or line ends)?  The real form is unpublished, so this does not decode:
 * it must not refuse a device.  A hint for errors and logs ("the device sent a static password to
 * an Intune endpoint"), never a permission.
 */
bool challenge_looks_like_intune(const char *challenge);

#endif
