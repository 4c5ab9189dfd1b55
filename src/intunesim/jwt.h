/*
 * jwt.h - access tokens: JSON Web Tokens signed RS256 with the tenant's key (RFC 7515, 7519).
 */
#ifndef SCEPD_INTUNESIM_JWT_H
#define SCEPD_INTUNESIM_JWT_H

#include "intunesim/jws.h"
#include "intunesim/sim.h"

#define JWT_MAX JWS_MAX

/* Append header.payload.signature for these claims. */
enum rc jwt_sign(
    struct buf *out, const struct tenant *t, const json_t *claims, struct err *err) MUST_CHECK;
/*
 * The door.  RC_PARSE, RC_ALG (not RS256), RC_NOTFOUND (no such tenant), RC_INTEGRITY.  Times,
 * audience and roles are for the caller to judge.  *claims is the caller's, *t is the tenant that
 * signed, borrowed from the view.
 */
enum rc jwt_verify(json_t **claims, const struct tenant **t, const struct view *v,
    const char *token, size_t len, struct err *err) MUST_CHECK;

#endif
