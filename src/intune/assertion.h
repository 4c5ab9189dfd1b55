/*
 * assertion.h - the signed statement by which a certificate's owner asks Entra for a token.
 */
#ifndef SCEPD_INTUNE_ASSERTION_H
#define SCEPD_INTUNE_ASSERTION_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/cert.h"

#define ASSERTION_LIFE_S 600 /* Entra's advice is 5 to 10 minutes */

struct assertion {
	const struct cert *cert;
	const struct key *key; /* of the certificate; RSA */
	bool rs256;            /* else PS256 */
	const char *client_id; /* iss and sub */
	const char *audience;  /* the token URL; neither holds what JSON escapes */
	int64_t now;           /* wall seconds: nbf and iat */
};
/*
 * Append a JWS in compact form (RFC 7515 7.1) with the claims of RFC 7523 3 and a new jti.  The
 * header names the certificate by x5t#S256 (RFC 7515 4.1.8), with RS256 by x5t too, as Entra's
 * older documents want it.
 */
enum rc assertion_add(struct buf *out, const struct assertion *a, struct err *err) MUST_CHECK;

#endif
