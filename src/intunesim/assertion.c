/*
 * assertion.c - client assertions (RFC 7523 2.2): an app proves itself by a signature, of a
 * registered certificate's key or of an issuer that it trusts (workload identity federation).
 *
 * The order is that of the questions: is it a token at all, whose is it, which key signed it, for
 * whom, and when.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"
#include "intunesim/jws.h"

#define CLOCK_SKEW 300 /* seconds that Entra forgives */

struct proof {
	struct ask *ask;
	struct jws jws;
	const char *iss, *sub, *aud; /* of the payload; NULL when absent or no string */
};

static bool
refuse_malformed(struct ask *a, const char *why)
{
	return entra_refuse(a->call, 50027, "JWT token is invalid or malformed: %s.", why);
}

/* ---- what both kinds must be ---- */

/* RFC 7523 3: these have to be there.  Entra's documentation lists "jti" among them. */
static bool
check_claims(struct proof *p)
{
	static const char *const needed[] = { "iss", "sub", "aud", "jti" };
	char why[64];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		/* Kubernetes writes the audience as a list, and its tokens may lack the id. */
		if (json_get_str(p->jws.payload, needed[i]) != NULL ||
		    (i >= 2 && p->ask->app->n_federated > 0))
			continue;
		snprintf(why, sizeof(why), "the claim '%s' is missing", needed[i]);
		return refuse_malformed(p->ask, why);
	}
	return true;
}

static bool
check_times(const struct proof *p)
{
	int64_t nbf, exp, now = clock_now();
	char text[3][TIME_TEXT_MAX];

	if (json_get_i64(&nbf, p->jws.payload, "nbf", now, NULL) != RC_OK ||
	    json_get_i64(&exp, p->jws.payload, "exp", 0, NULL) != RC_OK)
		return refuse_malformed(p->ask, "'nbf' or 'exp' is no number");
	/* Written so that no number that a client sends overflows. */
	if (nbf <= now + CLOCK_SKEW && exp >= now - CLOCK_SKEW)
		return true;
	time_rfc3339(text[0], now);
	time_rfc3339(text[1], nbf);
	time_rfc3339(text[2], exp);
	return entra_refuse(p->ask->call, 700024,
	    "Client assertion is not within its valid time range. Current time: %s, assertion "
	    "valid from %s, expiry time of assertion %s. Review the documentation at "
	    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials.",
	    text[0], text[1], text[2]);
}

/* ---- a certificate of the app's own ---- */

static const struct app_cert *
find_cert(const struct app *app, const json_t *header)
{
	const char *sha1 = json_get_str(header, "x5t");
	const char *sha256 = json_get_str(header, "x5t#S256");

	for (size_t i = 0; i < app->n_certs; i++) {
		const struct app_cert *c = &app->certs[i];

		/* Both may be there, and then both have to fit. */
		if ((sha1 != NULL || sha256 != NULL) &&
		    (sha1 == NULL || strcmp(sha1, c->x5t) == 0) &&
		    (sha256 == NULL || strcmp(sha256, c->x5t_s256) == 0))
			return c;
	}
	return NULL;
}

static bool
refuse_key(const struct proof *p, const char *reason)
{
	const char *used = json_get_str(p->jws.header, "x5t#S256");

	if (used == NULL)
		used = json_get_str(p->jws.header, "x5t");
	return entra_refuse(p->ask->call, 700027,
	    "The certificate with identifier used to sign the client assertion is not registered "
	    "on application. [Reason - %s, Thumbprint of key used by client: '%.64s', Please visit "
	    "the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for "
	    "app Id '%s'].",
	    reason, used != NULL ? used : "", p->ask->app->conf->id);
}

static bool
check_certificate(struct proof *p)
{
	const struct app_cert *c = find_cert(p->ask->app, p->jws.header);
	int64_t now = clock_now();

	if (c == NULL)
		return refuse_key(p, "The key was not found.");
	switch (jws_verify(&p->jws, cert_key0(c->cert), NULL)) {
	case RC_OK:
		break;
	case RC_ALG:
		return refuse_malformed(p->ask, "'alg' is neither PS256 nor RS256");
	default:
		return refuse_key(
		    p, "Key was found, but use of the key to verify the signature failed.");
	}
	if (now < cert_not_before(c->cert) || now > cert_not_after(c->cert))
		return refuse_key(p, "The key used is expired.");
	return true;
}

/* "<login host>/<the tenant by any name>/oauth2/v2.0/token", as the client may have called it. */
static bool
is_token_url(const struct proof *p, const char *aud, const char *base, const char *tenant)
{
	static const char *const ends[] = { "/oauth2/v2.0/token", "/oauth2/token" };
	struct buf url;
	bool same = false;

	buf_init(&url, 4096);
	for (size_t i = 0; i < 1u + p->ask->v1 && !same; i++) {
		buf_reset(&url);
		buf_addf(&url, "%s/%s%s", base, tenant, ends[i]);
		same = url.rc == RC_OK && str_eq_nocase(buf_str(&url), aud);
	}
	buf_done(&url);
	return same;
}

static bool
is_own_audience(const struct proof *p, const char *base)
{
	const struct tenant *t = p->ask->call->tenant;

	if (is_token_url(p, p->aud, base, t->id))
		return true;
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (is_token_url(p, p->aud, base, t->file.tenant.domains.v[i]))
			return true;
	}
	return false;
}

static bool
check_audience(struct proof *p)
{
	/* A client behind a proxy names the real one. */
	static const char *const logins[] = { "https://login.microsoftonline.com",
		"https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn" };
	struct buf own;
	bool ok;

	buf_init(&own, 4096);
	call_base_url(&own, p->ask->call);
	ok = own.rc == RC_OK && is_own_audience(p, buf_str(&own));
	buf_done(&own);
	for (size_t i = 0; !ok && i < sizeof(logins) / sizeof(logins[0]); i++)
		ok = is_own_audience(p, logins[i]);
	if (ok)
		return true;
	return entra_refuse(p->ask->call, 700023,
	    "Client assertion audience claim does not match Realm issuer. Review the documentation "
	    "at https://learn.microsoft.com/entra/identity-platform/certificate-credentials.");
}

static bool
check_identity(struct proof *p)
{
	const char *id = p->ask->app->conf->id;

	if (str_eq_nocase(p->iss, id) && str_eq_nocase(p->sub, id))
		return true;
	return entra_refuse(p->ask->call, 700021,
	    "Client assertion application identifier doesn't match 'client_id' parameter. Review "
	    "the documentation at "
	    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials.");
}

/* ---- an issuer that the app trusts ---- */

static bool
has_audience(const json_t *payload, const char *want)
{
	const json_t *aud = json_object_get(payload, "aud"), *one;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), want) == 0;
	json_array_foreach(aud, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), want) == 0)
			return true;
	}
	return false;
}

/* How far the best record fits: 0 nothing, 1 the issuer, 2 the subject too, 3 all. */
static unsigned
find_record(const struct proof *p, const struct app_federated **out)
{
	const struct app *app = p->ask->app;
	unsigned best = 0, fit;

	for (size_t i = 0; i < app->n_federated && best < 3; i++) {
		const struct federated_conf *c = app->federated[i].conf;

		if (strcmp(c->issuer, p->iss) != 0)
			continue;
		fit = strcmp(c->subject, p->sub) != 0            ? 1
		    : !has_audience(p->jws.payload, c->audience) ? 2
								 : 3;
		if (fit > best) {
			best = fit;
			*out = &app->federated[i];
		}
	}
	return best;
}

/* The key that the header names; without a name, any may have signed. */
static bool
is_signed_by(const struct proof *p, const struct jwks *keys)
{
	const char *kid = json_get_str(p->jws.header, "kid");

	for (size_t i = 0; i < keys->n; i++) {
		if ((kid == NULL || strcmp(kid, keys->v[i].kid) == 0) &&
		    jws_verify(&p->jws, keys->v[i].key, NULL) == RC_OK)
			return true;
	}
	return false;
}

static bool
check_federated(struct proof *p)
{
	static const struct {
		long code;
		const char *what;
	} missing[] = { { 700211, "issuer" }, { 700213, "subject" }, { 700212, "audience" } };
	const struct app_federated *record = NULL;
	unsigned fit = find_record(p, &record);

	if (fit < 3)
		return entra_refuse(p->ask->call, missing[fit].code,
		    "No matching federated identity record found for presented assertion %s. Check "
		    "your federated identity credential Subject, Audience and Issuer against the "
		    "presented assertion. "
		    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
		    missing[fit].what);
	if (is_signed_by(p, &record->keys))
		return check_times(p);
	return entra_refuse(p->ask->call, 50013,
	    "Assertion failed signature validation. [Reason - The key was not found., Thumbprint "
	    "of key used by client: '%.64s'].",
	    json_get_str(p->jws.header, "kid") != NULL ? json_get_str(p->jws.header, "kid") : "");
}

/* ---- together ---- */

static bool (*const certificate_checks[])(
    struct proof *p) = { check_identity, check_certificate, check_audience };

static bool
check(struct proof *p)
{
	if (!check_claims(p))
		return false;
	p->iss = json_get_str(p->jws.payload, "iss");
	p->sub = json_get_str(p->jws.payload, "sub");
	p->aud = json_get_str(p->jws.payload, "aud");
	if (p->ask->app->n_federated > 0 && !str_eq_nocase(p->iss, p->ask->app->conf->id))
		return check_federated(p);
	if (p->aud == NULL)
		return refuse_malformed(p->ask, "the claim 'aud' is missing");
	for (size_t i = 0; i < sizeof(certificate_checks) / sizeof(certificate_checks[0]); i++) {
		if (!certificate_checks[i](p))
			return false;
	}
	return check_times(p);
}

bool
assertion_check(struct ask *a)
{
	struct proof p = { .ask = a };
	bool ok;

	if (jws_parse(&p.jws, a->assertion, strlen(a->assertion), NULL) != RC_OK)
		return refuse_malformed(a, "it is no signed token in compact form");
	ok = check(&p);
	jws_done(&p.jws);
	return ok;
}
