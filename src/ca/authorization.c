/*
 * authorization.c - the ways to get a struct authorization; there is no other.
 */
#include "ca/authorization.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/authorization_int.h"
#include "ossl/alg.h"

#define SECRET_MIN           8 /* characters: shorter ones can be tried through over the network */
#define INTUNE_CHALLENGE_MIN 256 /* characters; real ones are thousands */

/* The request's only challenge, or RC_DENIED in words for the device's log. */
static enum rc
one_challenge(const char **value, const struct csr *csr, struct err *err)
{
	enum csr_challenge have = csr_challenge0(csr, value);

	if (have == CSR_CHALLENGE_SEVERAL)
		return fail(err, RC_DENIED, "the request has more than one challenge password");
	/* Blank is absent. */
	if (have == CSR_CHALLENGE_NONE || *value == NULL ||
	    (*value)[strspn(*value, " \t\r\n")] == '\0')
		return fail(err, RC_DENIED, "the request has no challenge password");
	return RC_OK;
}

static enum rc
authorization_new(struct authorization **out, const char *authority, bool binds,
    const struct csr *csr, struct err *err)
{
	struct authorization *a = calloc(1, sizeof(*a));
	enum rc rc;

	if (a == NULL)
		return fail(err, RC_NOMEM, "out of memory for an authorization");
	rc = str_dup(&a->authority, authority, err);
	if (rc != RC_OK) {
		free(a);
		return rc;
	}
	a->binds_identity = binds;
	memcpy(a->csr_sha256, csr_sha256(csr), sizeof(a->csr_sha256));
	*out = a;
	return RC_OK;
}

enum rc
authorise_by(struct authorization **out, const struct authority *a, const struct csr *csr,
    const char *transaction_id, struct err *err)
{
	const char *challenge = NULL;
	enum rc rc;

	rc = one_challenge(&challenge, csr, err);
	if (rc == RC_OK)
		rc = a->ask(a->ctx, csr, transaction_id, err);
	if (rc != RC_OK)
		return rc;
	return authorization_new(out, a->name, true, csr, err);
}

enum rc
static_challenge_set(struct static_challenge *c, const void *secret, size_t len, struct err *err)
{
	const char *s = secret;
	size_t i, blanks = 0;

	for (i = 0; i < len; i++)
		blanks += s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n';
	if (len - blanks < SECRET_MIN)
		return fail(err, RC_CONFIG, "the challenge secret has fewer than %d characters",
		    SECRET_MIN);
	if (!utf8_valid(secret, len))
		return fail(err, RC_CONFIG,
		    "the challenge secret is not UTF-8 text, so no device could send it");
	return digest_bytes(c->sha256, DIGEST_SHA256, secret, len, err);
}

enum rc
authorise_static(struct authorization **out, const struct static_challenge *c,
    const struct csr *csr, struct err *err)
{
	static const struct static_challenge unset;
	const char *challenge = NULL;
	uint8_t sha256[32];
	enum rc rc;

	/* An unset secret would be matched by nobody; say so rather than compare (S04). */
	if (bytes_eq_ct(c->sha256, sizeof(c->sha256), unset.sha256, sizeof(unset.sha256)))
		return fail(err, RC_BUG, "the endpoint has no challenge secret");
	rc = one_challenge(&challenge, csr, err);
	if (rc != RC_OK)
		return rc;
	rc = digest_bytes(sha256, DIGEST_SHA256, challenge, strlen(challenge), err);
	if (rc != RC_OK)
		return rc;
	if (!bytes_eq_ct(sha256, sizeof(sha256), c->sha256, sizeof(c->sha256))) {
		rc = fail(err, RC_DENIED, "the challenge password is wrong");
		err_hint(err, "%s",
		    challenge_looks_like_intune(challenge)
			? "the device sent an Intune challenge to an endpoint with a static one"
			: "compare the device's challenge with the endpoint's challenge_file");
		return rc;
	}
	return authorization_new(out, "static", false, csr, err);
}

enum rc
authorise_renewal(struct authorization **out, const struct holder *h,
    const struct renewal_rules *rules, const struct csr *csr, int64_t now, struct err *err)
{
	const char *challenge;
	enum rc rc;

	if (csr_challenge0(csr, &challenge) != CSR_CHALLENGE_NONE)
		return fail(err, RC_DENIED,
		    "renewal: a request with a challenge password is not renewed without it");
	if ((rc = renewal_check_window(rules, holder_cert0(h), now, err)) != RC_OK ||
	    (rc = authorization_new(out, "renewal", rules->vouches, csr, err)) != RC_OK)
		return rc;
	authorization_renews(*out, h);
	return RC_OK;
}

void
authorization_renews(struct authorization *a, const struct holder *h)
{
	a->renews = h;
}

void
authorization_free(struct authorization *a)
{
	if (a == NULL)
		return;
	free(a->authority);
	free(a);
}

const char *
authorization_authority(const struct authorization *a)
{
	return a->authority;
}

bool
authorization_covers(const struct authorization *a, const struct csr *csr)
{
	return a != NULL && csr != NULL &&
	    memcmp(a->csr_sha256, csr_sha256(csr), sizeof(a->csr_sha256)) == 0;
}

/* Both base64 alphabets, padding, and what could join or break several such texts. */
#define CHALLENGE_CHARACTERS                                                                       \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=.\r\n"

bool
challenge_looks_like_intune(const char *challenge)
{
	size_t len = strlen(challenge);

	return len >= INTUNE_CHALLENGE_MIN && strspn(challenge, CHALLENGE_CHARACTERS) == len;
}
