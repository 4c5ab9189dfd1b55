/* endpoint.c - a SCEP endpoint by its configuration: capabilities, challenge. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/authoriser.h"
#include "scepd/scepd.h"

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
	return caps;
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
	return e->conf->challenge == CHALLENGE_STATIC ? read_secret(&e->secret, e, err) : RC_OK;
}

void
endpoint_reload(struct endpoint *e)
{
	struct static_challenge fresh;
	struct err err;
	bool changed;

	if (e->conf->challenge != CHALLENGE_STATIC)
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
	(void)csr; /* one profile for all requests */
	return e->profile;
}

static struct tenant *
find_tenant(const struct scepd *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->n_tenants; i++)
		if (strcmp(tenant_name(s->tenants[i]), name) == 0)
			return s->tenants[i];
	return NULL;
}

enum rc
endpoint_open(
    struct endpoint *e, struct scepd *s, const struct conf_endpoint *conf, struct err *err)
{
	e->name = conf->name;
	e->conf = conf;
	e->sca = scepd_ca(s, conf->ca, strlen(conf->ca));
	e->profile = config_profile(s->config, conf->profile);
	e->tenant = find_tenant(s, conf->tenant);
	/* config_load() has checked the references; a hole here would be a bug, and must not become
	 * an open endpoint. */
	if (e->sca == NULL || e->profile == NULL ||
	    (conf->challenge == CHALLENGE_INTUNE && e->tenant == NULL))
		return fail(err, RC_BUG, "endpoint %s refers to what does not exist", conf->name);
	e->caps = caps_of(conf);
	/* A shared secret knows nobody, so neither does a renewal of what it let through. */
	e->renewal = (struct renewal_rules){ (unsigned)conf->renewal.window,
		conf->challenge != CHALLENGE_STATIC };
	return open_secret(e, err);
}

void
endpoint_done(struct endpoint *e)
{
	offer_release(e->offer);
	wipe(&e->secret, sizeof(e->secret));
	if (e->mu_made)
		pthread_mutex_destroy(&e->mu);
}
