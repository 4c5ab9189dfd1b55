/*
 * jwt.c - signing and verifying access tokens.
 */
#include "intunesim/jwt.h"

#include <string.h>

#include "intunesim/jwk.h"

/* Entra names the key twice; both are what its certificate's thumbprint is in RFC 7515 4.1.7. */
static json_t *
make_header(const struct tenant *t)
{
	char x5t[X5T_MAX];

	if (cert_x5t(x5t, t->signer.cert, DIGEST_SHA1, NULL) != RC_OK)
		return NULL;
	return json_pack(
	    "{s:s, s:s, s:s, s:s}", "typ", "JWT", "alg", "RS256", "x5t", x5t, "kid", x5t);
}

enum rc
jwt_sign(struct buf *out, const struct tenant *t, const json_t *claims, struct err *err)
{
	json_t *header = make_header(t);
	enum rc rc;

	if (header == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	rc = jws_sign(out, header, claims, t->signer.key, false, err);
	json_decref(header);
	return rc;
}

static enum rc
check(const struct tenant **t, const struct view *v, const struct jws *j, struct err *err)
{
	const char *alg = json_get_str(j->header, "alg"), *tid = json_get_str(j->payload, "tid");

	if (alg == NULL || strcmp(alg, "RS256") != 0)
		return fail(err, RC_ALG, "the token is not signed with RS256");
	*t = tid != NULL && guid_valid(tid) ? view_tenant(v, tid) : NULL;
	if (*t == NULL)
		return fail(err, RC_NOTFOUND, "the token is of no tenant of ours");
	return jws_verify(j, (*t)->signer.key, err);
}

enum rc
jwt_verify(json_t **claims, const struct tenant **t, const struct view *v, const char *token,
    size_t len, struct err *err)
{
	const struct tenant *signer;
	struct jws j;
	enum rc rc;

	if ((rc = jws_parse(&j, token, len, err)) != RC_OK)
		return rc;
	if ((rc = check(&signer, v, &j, err)) == RC_OK) {
		*claims = json_incref(j.payload);
		*t = signer;
	}
	jws_done(&j);
	return rc;
}
