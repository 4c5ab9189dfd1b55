/*
 * authorization.c - the ways to get a struct authorization; there is no other.
 */
#include "ca/authorization.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/authorization_int.h"
#include "ca/otp.h"
#include "ca/rules.h"
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
authorization_new(struct authorization **out, const char *authority, bool subject, bool san,
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
	a->binds_subject = subject;
	a->binds_san = san;
	memcpy(a->csr_sha256, csr_sha256(csr), sizeof(a->csr_sha256));
	*out = a;
	return RC_OK;
}

enum rc
authorise_by(struct authorization **out, const struct authority *a, const struct csr *csr,
    const char *transaction_id, struct err *err)
{
	const char *challenge = NULL;
	enum rc rc = RC_OK;

	if (!a->no_challenge)
		rc = one_challenge(&challenge, csr, err);
	if (rc == RC_OK)
		rc = a->ask(a->ctx, csr, transaction_id, err);
	if (rc != RC_OK)
		return rc;
	return authorization_new(out, a->name, true, true, csr, err);
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
static_challenge_check(const struct static_challenge *c, const struct csr *csr, struct err *err)
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
	return RC_OK;
}

enum rc
authorise_static(struct authorization **out, const struct static_challenge *c,
    const struct csr *csr, struct err *err)
{
	enum rc rc = static_challenge_check(c, csr, err);

	return rc == RC_OK ? authorization_new(out, "static", false, false, csr, err) : rc;
}

/* ---- one-time passwords ---- */

enum rc
one_time_password_sha256(uint8_t out[static 32], const struct csr *csr, struct err *err)
{
	const char *challenge = NULL;
	enum rc rc = one_challenge(&challenge, csr, err);

	return rc == RC_OK ? otp_hash(out, challenge, strlen(challenge), err) : rc;
}

/* The patterns of a password as those of a profile, which has the rules for them. */
struct names_for {
	struct profile profile;
	const char *allow[OTP_SAN_PATTERNS];
	char text[OTP_SAN_MAX + 1];
};

static enum rc
names_for(struct names_for *n, const char *san, struct err *err)
{
	char *at, *save = NULL;
	size_t len = strlen(san);

	memset(n, 0, sizeof(*n));
	if (len > OTP_SAN_MAX)
		return fail(err, RC_CONFIG, "san: more than %d bytes", OTP_SAN_MAX);
	memcpy(n->text, san, len + 1);
	n->profile.name = "one-time password";
	n->profile.san_allow = n->allow;
	for (at = strtok_r(n->text, " ", &save); at != NULL; at = strtok_r(NULL, " ", &save)) {
		const char *glob;
		enum san_type type = rule_san_pattern(at, &glob);

		if (n->profile.n_san_allow == OTP_SAN_PATTERNS)
			return fail(err, RC_CONFIG, "san: more than %d patterns", OTP_SAN_PATTERNS);
		if (type == SAN__MAX || type == SAN_OTHER || glob[strspn(glob, "*?")] == '\0')
			return fail(err, RC_CONFIG,
			    "san: \"%.60s\" is no pattern that binds something, as "
			    "dns:host.example.com",
			    at);
		n->allow[n->profile.n_san_allow++] = at;
	}
	return n->profile.n_san_allow > 0 ? RC_OK
					  : fail(err, RC_CONFIG, "san: there is no pattern in it");
}

/* Patterns of subjects have commas between them, these have spaces; no name of these types has a comma. */
static enum rc
check_separators(const struct names_for *n, enum rc so_far, struct err *err)
{
	const char *glob;

	for (size_t i = 0; so_far == RC_OK && i < n->profile.n_san_allow; i++)
		if (rule_san_pattern(n->allow[i], &glob) != SAN_URI && strchr(glob, ',') != NULL)
			return fail(err, RC_CONFIG,
			    "san: \"%.60s\": patterns have spaces between them, and no commas",
			    n->allow[i]);
	return so_far;
}

enum rc
one_time_password_check(const char *subject, const char *san, struct err *err)
{
	struct names_for names;
	enum rc rc = RC_OK;

	if (subject != NULL && strlen(subject) > OTP_SUBJECT_MAX)
		return fail(err, RC_CONFIG, "subject: more than %d bytes", OTP_SUBJECT_MAX);
	if (subject != NULL)
		rc = rule_subject_pattern_check(subject, NULL, err);
	if (rc == RC_OK && subject != NULL && !rule_subject_binds(subject))
		rc = fail(err, RC_CONFIG, "subject: \"%.60s\" fits any name", subject);
	if (rc == RC_OK && san != NULL)
		rc = check_separators(&names, names_for(&names, san, err), err);
	return rc;
}

/* Whoever made the password wrote down whom it is for: all of the subject, nothing beside it. */
static enum rc
check_subject_for(const char *pattern, const struct csr *csr, struct err *err)
{
	const struct name *subject = csr_subject0(csr);

	if (subject->n > 0 && rule_subject_fits(pattern, subject) &&
	    rule_subject_named(pattern, subject))
		return RC_OK;
	(void)fail(err, RC_DENIED, "the one-time password is not for this subject");
	return err_hint(err, "it was made for \"%.100s\", and nothing beside that", pattern);
}

static enum rc
check_names_for(const char *patterns, const struct csr *csr, struct err *err)
{
	const struct san_list *list = &csr_wishes0(csr)->san;
	struct names_for names;
	enum rc rc;
	size_t i;

	if ((rc = names_for(&names, patterns, err)) != RC_OK)
		return rc;
	for (i = 0; i < list->n; i++) {
		if (rule_san_spelled_out(&names.profile, &list->v[i]))
			continue;
		(void)fail(err, RC_DENIED, "the one-time password is not for the name %s:%s",
		    san_type_name(list->v[i].type), list->v[i].value);
		return err_hint(err, "it was made for \"%.100s\"", patterns);
	}
	return RC_OK;
}

enum rc
authorise_otp(struct authorization **out, const struct one_time_password *otp,
    const struct profile *profile, const struct csr *csr, struct err *err)
{
	struct err why = { 0 };
	uint8_t sha256[32];
	char authority[32];
	enum rc rc;

	if ((rc = one_time_password_sha256(sha256, csr, err)) != RC_OK)
		return rc;
	if (!bytes_eq_ct(sha256, sizeof(sha256), otp->sha256, sizeof(otp->sha256)))
		return fail(err, RC_DENIED, "the one-time password is another one");
	if (otp->subject == NULL && profile_check_bounded(profile, &why) != RC_OK) {
		(void)fail(err, RC_DENIED,
		    "the one-time password is for no particular subject, and profile %.60s bounds "
		    "none",
		    profile->name);
		return err_hint(err, "make one with a subject");
	}
	if (otp->subject != NULL && (rc = check_subject_for(otp->subject, csr, err)) != RC_OK)
		return rc;
	if (otp->san != NULL && (rc = check_names_for(otp->san, csr, err)) != RC_OK)
		return rc;
	(void)snprintf(authority, sizeof(authority), "otp:%lld", (long long)otp->id);
	return authorization_new(out, authority, otp->subject != NULL, otp->san != NULL, csr, err);
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
	    (rc = authorization_new(out, "renewal", rules->vouches, rules->vouches, csr, err)) !=
		RC_OK)
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
authorization_keeps_usages(struct authorization *a)
{
	a->keeps_usages = true;
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
