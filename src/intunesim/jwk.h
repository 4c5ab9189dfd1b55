/*
 * jwk.h - public RSA keys as JSON (RFC 7517, RFC 7518 6.3.1), and certificates by the names that
 * tokens call them.
 *
 * Threads: immutable once made.
 */
#ifndef SCEPD_INTUNESIM_JWK_H
#define SCEPD_INTUNESIM_JWK_H

#include "json/json.h"
#include "ossl/cert.h"

#define X5T_MAX       44 /* base64url of a SHA-256, and its NUL */
#define JWK_KID_MAX   256
#define JWKS_KEYS_MAX 64 /* an issuer has a handful; Kubernetes clusters two or three */

/* base64url of the certificate's digest: "x5t" (SHA-1), "x5t#S256" (RFC 7515 4.1.7, 4.1.8). */
enum rc cert_x5t(
    char out[static X5T_MAX], const struct cert *c, enum digest d, struct err *err) MUST_CHECK;

struct jwk {
	char kid[JWK_KID_MAX]; /* "" when it has none */
	struct key *key;
};
struct jwks {
	struct jwk *v;
	size_t n;
};
/*
 * The door: {"keys":[...]}.  Keys of another type than RSA are left out; RC_PARSE when none is left,
 * or one is not what it should be.  jwks_done() it.
 */
enum rc jwks_parse(struct jwks *out, const void *bytes, size_t len, struct err *err) MUST_CHECK;
void jwks_done(struct jwks *j);

/* {"kty","use","kid","x5t","n","e","x5c"}; NULL when out of memory. */
json_t *jwk_json(const struct cert *c);

#endif
