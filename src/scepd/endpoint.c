/* endpoint.c - a SCEP endpoint by its configuration: capabilities, challenge. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/authoriser.h"
#include "scepd/scepd.h"
#include "scepd/webhook.h"

/*
 * What is offered unless the configuration says otherwise.  Apple wants a SHA keyword and a cipher,
 * in exact case (quirk 14); macOS renews only where Renewal is listed (15); strongSwan wants every
 * keyword although SCEPStandard implies some (17).  Never DES or MD5, which have no keyword.
 */
static const struct {
	const char *keyword;
	unsigned cap;
} capabilities[] = {
	{ "AES", SCEP_CAP_AES },
	{ "DES3", SCEP_CAP_DES3 },
	{ "GetNextCACert", SCEP_CAP_GET_NEXT_CA_CERT }, /* while there is a next CA: offer.c */
	{ "POSTPKIOperation", SCEP_CAP_POST_PKI_OPERATION },
	{ "Renewal", SCEP_CAP_RENEWAL },
	{ "SCEPStandard", SCEP_CAP_SCEP_STANDARD },
	{ "SHA-1", SCEP_CAP_SHA1 },
	{ "SHA-256", SCEP_CAP_SHA256 },
	{ "SHA-384", SCEP_CAP_SHA384 },
	{ "SHA-512", SCEP_CAP_SHA512 },
};

/* What a strict endpoint refuses it does not offer either (S38). */
#define NOT_STRICT (SCEP_CAP_DES3 | SCEP_CAP_SHA1)

static unsigned
caps_of(const struct conf_endpoint *conf)
{
	unsigned caps = 0;

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (conf->capabilities.n == 0)
			caps |= capabilities[i].cap;
		for (size_t j = 0; j < conf->capabilities.n; j++)
			if (strcmp(conf->capabilities.v[j], capabilities[i].keyword) == 0)
				caps |= capabilities[i].cap;
	}
	return conf->compat == COMPAT_STRICT ? caps & ~(unsigned)NOT_STRICT : caps;
}

static enum rc
read_secret(struct static_challenge *out, const struct endpoint *e, struct err *err)
{
	struct buf secret;
	enum rc rc;

	buf_init(&secret, LIMIT_SECRET_FILE);
	if ((rc = file_read_secret(&secret, e->conf->challenge_file, LIMIT_SECRET_FILE, err)) ==
	    RC_OK)
		rc = static_challenge_set(out, secret.data, secret.len, err);
	if (rc != RC_OK)
		(void)err_context(
		    err, "endpoint %s: challenge_file %s", e->conf->name, e->conf->challenge_file);
	buf_wipe(&secret);
	return rc;
}

static enum rc
open_secret(struct endpoint *e, struct err *err)
{
	if (pthread_mutex_init(&e->mu, NULL) != 0)
		return fail(err, RC_NOMEM, "endpoint %s", e->name);
	e->mu_made = true;
	return e->conf->challenge_file != NULL ? read_secret(&e->secret, e, err) : RC_OK;
}

void
endpoint_reload(struct endpoint *e)
{
	struct static_challenge fresh;
	struct err err;
	bool changed;

	if (e->webhook != NULL)
		webhook_reload(e->webhook);
	if (e->conf->challenge_file == NULL)
		return;
	if (read_secret(&fresh, e, &err) != RC_OK) {
		if (!e->secret_stale)
			log_msg(LOG_WARN, "reload", "%s; the challenge in use stays", err.msg);
		e->secret_stale = true;
		return;
	}
	(void)pthread_mutex_lock(&e->mu);
	changed = memcmp(&e->secret, &fresh, sizeof(fresh)) != 0;
	e->secret = fresh;
	(void)pthread_mutex_unlock(&e->mu);
	wipe(&fresh, sizeof(fresh));
	if (changed || e->secret_stale)
		log_msg(LOG_INFO, "reload", "endpoint %s: the challenge is read again", e->name);
	e->secret_stale = false;
}

void
endpoint_secret(struct endpoint *e, struct static_challenge *out)
{
	(void)pthread_mutex_lock(&e->mu);
	*out = e->secret;
	(void)pthread_mutex_unlock(&e->mu);
}

struct offer *
endpoint_offer(struct endpoint *e)
{
	struct offer *o;

	(void)pthread_mutex_lock(&e->mu);
	o = offer_ref(e->offer);
	(void)pthread_mutex_unlock(&e->mu);
	return o;
}

const struct profile *
endpoint_profile(const struct endpoint *e, const struct csr *csr)
{
	const struct csr_wishes *w = csr_wishes0(csr);
	unsigned wish = w->has_key_usage ? w->key_usage : 0;
	bool signs = (wish & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0,
	     encrypts =
		 (wish & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;

	if (signs == encrypts)
		return e->for_general;
	return signs ? e->for_signature : e->for_encryption;
}

/* ---- metrics ---- */

/* Told where the endpoint's kind has it; what cannot be read is left out. */
static void
count_line(struct buf *out, struct scepd *s, const struct endpoint *e, int kind, const char *name,
    enum rc (*count)(struct store *, const char *, uint64_t *, struct err *))
{
	struct err err;
	uint64_t n;

	if (e->conf->challenge == kind && count(s->store, e->name, &n, &err) == RC_OK)
		buf_addf(out, "%s{endpoint=\"%s\"} %llu\n", name, e->name, (unsigned long long)n);
}

static void
webhook_line(struct buf *out, const struct endpoint *e, const char *name)
{
	if (e->webhook != NULL)
		buf_addf(
		    out, "%s{endpoint=\"%s\"} %d\n", name, e->name, webhook_is_out(e->webhook));
}

void
endpoints_metrics(struct scepd *s, struct buf *out)
{
	static const char waiting[] = "scepd_requests_waiting", live[] = "scepd_otp_live",
			  webhook[] = "scepd_webhook_breaker_open";

	buf_addf(out, "# HELP %s Requests that wait for a decision\n# TYPE %s gauge\n", waiting,
	    waiting);
	for (size_t i = 0; i < s->n_endpoints; i++) {
		count_line(out, s, &s->endpoints[i], CHALLENGE_APPROVAL, waiting, store_hold_count);
		count_line(out, s, &s->endpoints[i], CHALLENGE_WEBHOOK, waiting, store_hold_count);
	}
	buf_addf(
	    out, "# HELP %s One-time passwords that can be used\n# TYPE %s gauge\n", live, live);
	for (size_t i = 0; i < s->n_endpoints; i++)
		count_line(out, s, &s->endpoints[i], CHALLENGE_OTP, live, store_otp_count);
	buf_addf(out, "# HELP %s 1 while the webhook does not answer\n# TYPE %s gauge\n", webhook,
	    webhook);
	for (size_t i = 0; i < s->n_endpoints; i++)
		webhook_line(out, &s->endpoints[i], webhook);
}

/* ---- opening ---- */

static struct tenant *
find_tenant(const struct scepd *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->n_tenants; i++)
		if (strcmp(tenant_name(s->tenants[i]), name) == 0)
			return s->tenants[i];
	return NULL;
}

static const struct profile *
profile_or(const struct scepd *s, const char *name, const struct profile *otherwise)
{
	return name != NULL ? config_profile(s->config, name) : otherwise;
}

enum rc
endpoint_open(
    struct endpoint *e, struct scepd *s, const struct conf_endpoint *conf, struct err *err)
{
	enum rc rc;

	e->name = conf->name;
	e->conf = conf;
	e->sca = scepd_ca(s, conf->ca, strlen(conf->ca));
	e->profile = config_profile(s->config, conf->profile);
	e->for_signature = profile_or(s, conf->profiles.signature, e->profile);
	e->for_encryption = profile_or(s, conf->profiles.encryption, e->profile);
	e->for_general = profile_or(s, conf->profiles.general, e->profile);
	e->tenant = find_tenant(s, conf->tenant);
	/* config_load() has checked the references; a hole here would be a bug, and must not become
	 * an open endpoint. */
	if (e->sca == NULL || e->profile == NULL || e->for_signature == NULL ||
	    e->for_encryption == NULL || e->for_general == NULL ||
	    (conf->challenge == CHALLENGE_INTUNE && e->tenant == NULL))
		return fail(err, RC_BUG, "endpoint %s refers to what does not exist", conf->name);
	e->caps = caps_of(conf);
	/* A shared secret knows nobody, so neither does a renewal of what it let through. */
	e->renewal = (struct renewal_rules){ (unsigned)conf->renewal.window,
		conf->challenge != CHALLENGE_STATIC };
	if (conf->challenge == CHALLENGE_WEBHOOK &&
	    (rc = webhook_open(&e->webhook, conf, err)) != RC_OK)
		return rc;
	return open_secret(e, err);
}

void
endpoint_done(struct endpoint *e)
{
	offer_release(e->offer);
	webhook_free(e->webhook);
	wipe(&e->secret, sizeof(e->secret));
	if (e->mu_made)
		pthread_mutex_destroy(&e->mu);
}
