/*
 * jws.h - signed JSON in compact form (RFC 7515 7.1): Entra's tokens, and what clients prove
 * themselves with.
 */
#ifndef SCEPD_INTUNESIM_JWS_H
#define SCEPD_INTUNESIM_JWS_H

#include "json/json.h"
#include "ossl/key.h"

#define JWS_MAX 8192 /* bytes; a token is about 1 KiB, an assertion with a chain in x5c under 8 */

/* One that is well-formed; nothing is verified.  The text is borrowed. */
struct jws {
	json_t *header, *payload; /* objects */
	const char *text;
	size_t signed_len; /* of `text`: header and payload as they were signed */
	struct buf sig;
};

/* The door.  RC_PARSE, RC_LIMIT; base64url without padding and nothing else.  jws_done() *out. */
enum rc jws_parse(struct jws *out, const char *text, size_t len, struct err *err) MUST_CHECK;
void jws_done(struct jws *j);
/* RC_ALG when it is signed otherwise than RS256 or PS256 (RFC 7518 3.3, 3.5), RC_INTEGRITY. */
enum rc jws_verify(const struct jws *j, const struct key *k, struct err *err) MUST_CHECK;
/* Append header.payload.signature; `key` is RSA, `pss` chooses PS256, and the header says so. */
enum rc jws_sign(struct buf *out, const json_t *header, const json_t *payload,
    const struct key *key, bool pss, struct err *err) MUST_CHECK;

#endif
