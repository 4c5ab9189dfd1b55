/*
 * config_kind.c - what each kind of endpoint (challenge) needs in scepd.yaml, and what it excludes:
 * one row each, so that none is open to everybody by a key that was forgotten (S04, S15, S23).
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/authorization.h"
#include "scepd/config_int.h"

#define WHY_MAX 320 /* bytes of a reason with two names in it */

/* What the layers below say about a key of an endpoint, with file and line. */
static enum rc
endpoint_fail(const struct config_file *f, const struct conf_endpoint *e, const char *key,
    const struct err *why, struct err *err)
{
	(void)config_item_fail(f, err, e->line, "endpoints", e->name, key, why->msg);
	if (why->hint[0] != '\0')
		(void)err_hint(err, "%s", why->hint);
	return RC_CONFIG;
}

/* S15: a shared secret does not say who asks, so every profile that the endpoint issues by has to. */
static enum rc
check_bounded(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	size_t n = config_endpoint_profiles(names, e);
	struct err why = { 0 };

	for (size_t i = 0; i < n; i++)
		if (profile_check_bounded(config_profile(&f->c, names[i]), &why) != RC_OK)
			return endpoint_fail(f, e, "profile", &why, err);
	return RC_OK;
}

/* Readable, ours alone, and long enough (S04). */
static enum rc
check_secret(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	struct static_challenge c;
	struct err why = { 0 };
	struct buf secret;
	enum rc rc;

	buf_init(&secret, LIMIT_SECRET_FILE);
	rc = file_read_secret(&secret, e->challenge_file, LIMIT_SECRET_FILE, &why);
	if (rc == RC_OK)
		rc = static_challenge_set(&c, secret.data, secret.len, &why);
	buf_wipe(&secret);
	wipe(&c, sizeof(c));
	if (rc == RC_OK)
		return RC_OK;
	(void)config_item_fail(f, err, e->line, "endpoints", e->name, "challenge_file", why.msg);
	if (why.hint[0] != '\0')
		(void)err_hint(err, "%s", why.hint);
	return RC_CONFIG;
}

/* ---- the webhook ---- */

static enum rc
check_webhook(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	static const char tls[] = "https://", plain[] = "http://";
	const char *url = e->webhook.url, *host;
	size_t len;

	if (str_starts(url, tls))
		host = url + strlen(tls);
	else
		host = str_starts(url, plain) ? url + strlen(plain) : "";
	len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?");
	if (len == 0 || host[0] == '\0' || host[0] == '/' || strpbrk(url, " \"<>#@") != NULL ||
	    strlen(url) >= 1024)
		return config_item_fail(f, err, e->webhook_line, "endpoints", e->name,
		    "webhook.url", "is not of the form https://NAME[:PORT]/PATH");
	if (str_starts(url, plain) && !config_is_loopback(host, len))
		return config_item_fail(f, err, e->webhook_line, "endpoints", e->name,
		    "webhook.url",
		    "has to be https://: whoever can answer in its place decides who gets "
		    "certificates");
	return RC_OK;
}

/* The key of the signature: as long as what it makes is worth something. */
#define WEBHOOK_SECRET_MIN 16

static enum rc
check_webhook_secret(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	struct err why = { 0 };
	struct buf secret;
	enum rc rc;

	buf_init(&secret, LIMIT_SECRET_FILE);
	rc = file_read_secret(&secret, e->webhook.secret_file, LIMIT_SECRET_FILE, &why);
	if (rc == RC_OK && secret.len < WEBHOOK_SECRET_MIN)
		rc = fail(
		    &why, RC_CONFIG, "the secret has fewer than %d characters", WEBHOOK_SECRET_MIN);
	buf_wipe(&secret);
	if (rc == RC_OK)
		return RC_OK;
	return endpoint_fail(f, e, "webhook.secret_file", &why, err);
}

/* ---- the kinds ---- */

enum need { NEVER, MAY, MUST };

static const struct kind_rule {
	const char *name;
	enum need tenant, challenge_file;
	bool bounded; /* profiles have to bound subject and SAN */
	bool otp, webhook;
	bool waits; /* may answer PENDING */
} kind_rules[CHALLENGE__MAX] = {
	[CHALLENGE_INTUNE] = { .name = "intune", .tenant = MUST },
	[CHALLENGE_STATIC] = { .name = "static", .challenge_file = MUST, .bounded = true },
	[CHALLENGE_OTP] = { .name = "otp", .otp = true },
	[CHALLENGE_APPROVAL] = { .name = "approval", .challenge_file = MAY, .waits = true },
	[CHALLENGE_WEBHOOK] = { .name = "webhook",
	    .challenge_file = MAY,
	    .webhook = true,
	    .waits = true },
};

static enum rc
kind_fail(const struct config_file *f, const struct conf_endpoint *e, const char *key,
    const char *before, struct err *err)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s challenge: %s", before, kind_rules[e->challenge].name);
	return config_item_fail(f, err, e->line, "endpoints", e->name, key, why);
}

/* S23: a PENDING request that is issued later is one that Intune never hears of. */
static enum rc
check_intune(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct kind_rule *k = &kind_rules[e->challenge];

	if (k->tenant == MUST && e->tenant == NULL)
		return kind_fail(f, e, "tenant", "required with", err);
	if (k->tenant == MUST && e->challenge_file != NULL)
		return config_item_fail(f, err, e->line, "endpoints", e->name, "challenge_file",
		    "an endpoint with challenge: intune takes nothing else");
	if (k->tenant == MUST && e->decide_line != 0)
		return config_item_fail(f, err, e->line, "endpoints", e->name, "decide_within",
		    "a request on an endpoint with challenge: intune cannot wait for a decision: "
		    "Intune would never hear of the certificate");
	if (k->tenant == NEVER && e->tenant != NULL && k->waits)
		return config_item_fail(f, err, e->line, "endpoints", e->name, "tenant",
		    "an endpoint where requests wait for a decision cannot be Intune's, which "
		    "would never hear of the certificate");
	if (k->tenant == NEVER && e->tenant != NULL)
		return kind_fail(f, e, "tenant", "is not used with", err);
	return RC_OK;
}

/* A key of another kind is a mistake, and perhaps one about who may enrol. */
static enum rc
check_keys_of_kind(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct kind_rule *k = &kind_rules[e->challenge];

	if (k->challenge_file == MUST && e->challenge_file == NULL)
		return kind_fail(f, e, "challenge_file", "required with", err);
	if (k->challenge_file == NEVER && e->challenge_file != NULL)
		return kind_fail(f, e, "challenge_file", "is not used with", err);
	if (k->webhook && e->webhook_line == 0)
		return kind_fail(f, e, "webhook", "required with", err);
	if (!k->webhook && e->webhook_line != 0)
		return kind_fail(f, e, "webhook", "is not used with", err);
	if (!k->otp && e->otp_line != 0)
		return kind_fail(f, e, "otp", "is not used with", err);
	if (!k->waits && e->decide_line != 0)
		return kind_fail(f, e, "decide_within", "is not used with", err);
	return RC_OK;
}

enum rc
config_check_kind(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct kind_rule *k = &kind_rules[e->challenge];
	enum rc rc;

	if ((rc = check_intune(f, e, err)) != RC_OK ||
	    (rc = check_keys_of_kind(f, e, err)) != RC_OK)
		return rc;
	if (k->bounded && (rc = check_bounded(f, e, err)) != RC_OK)
		return rc;
	if (k->otp && e->otp.lifetime > e->otp.max_lifetime)
		return config_item_fail(f, err, e->otp_line, "endpoints", e->name, "otp.lifetime",
		    "is longer than otp.max_lifetime");
	if (k->webhook &&
	    ((rc = check_webhook(f, e, err)) != RC_OK ||
		(rc = check_webhook_secret(f, e, err)) != RC_OK))
		return rc;
	return e->challenge_file != NULL ? check_secret(f, e, err) : RC_OK;
}
