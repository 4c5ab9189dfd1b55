/* server.c - from a configuration to a running server's parts: see scepd.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/dir_sync.h"
#include "scepd/admin_auth.h"
#include "scepd/ca_identity.h"
#include "scepd/foreign_ca.h"
#include "scepd/foreign_crl.h"
#include "scepd/intune_queue.h"
#include "scepd/ocsp.h"
#include "scepd/publish.h"
#include "scepd/rollover.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

/* ---- certification authorities ---- */

static enum rc
open_ca(struct server_ca *sca, struct scepd *s, const struct conf_ca *conf, struct err *err)
{
	struct ca_conf cc = { conf->name, conf->certificate, conf->chain.v, conf->chain.n,
		conf->name, conf->ra_certificate, .crl_parts = (unsigned)conf->crl_partitions };
	enum rc rc;

	sca->conf = conf;
	sca->ra_key = (struct ra_key){ s->signer, conf->name };
	cc.retired = !conf->issues;
	if ((rc = ca_open(&sca->ca, &cc, s->signer, err)) != RC_OK)
		return rc;
	return publish_open(s, sca, err);
}

static enum rc
open_cas(struct scepd *s, struct err *err)
{
	const struct conf_ca *conf = s->config->cas.v;
	enum rc rc = RC_OK;

	if ((s->cas = calloc(s->config->cas.n, sizeof(*s->cas))) == NULL)
		return fail(err, RC_NOMEM, "CAs");
	for (s->n_cas = 0; rc == RC_OK && s->n_cas < s->config->cas.n; s->n_cas++)
		rc = open_ca(&s->cas[s->n_cas], s, &conf[s->n_cas], err);
	return rc;
}

static enum rc
open_tenants(struct scepd *s, struct err *err)
{
	const struct conf_tenant *conf = s->config->tenants.v;
	enum rc rc = RC_OK;

	if (s->config->tenants.n == 0)
		return RC_OK;
	if ((s->tenants = calloc(s->config->tenants.n, sizeof(*s->tenants))) == NULL)
		return fail(err, RC_NOMEM, "tenants");
	for (; rc == RC_OK && s->n_tenants < s->config->tenants.n; s->n_tenants++)
		rc = tenant_open(&s->tenants[s->n_tenants], s->config, &conf[s->n_tenants], err);
	return rc;
}

/* ---- endpoints: endpoint.c ---- */

static enum rc
open_endpoints(struct scepd *s, struct err *err)
{
	const struct conf_endpoint *conf = s->config->endpoints.v;
	enum rc rc = RC_OK;

	if ((s->endpoints = calloc(s->config->endpoints.n, sizeof(*s->endpoints))) == NULL)
		return fail(err, RC_NOMEM, "endpoints");
	for (; rc == RC_OK && s->n_endpoints < s->config->endpoints.n; s->n_endpoints++)
		rc = endpoint_open(&s->endpoints[s->n_endpoints], s, &conf[s->n_endpoints], err);
	return rc;
}

/* Whether something of the database was sealed with a key that is not there any more. */
static bool
is_missed(struct scepd *s)
{
	struct store_stats st;

	return store_stats(s->store, &st, NULL) == RC_OK &&
	    st.outbox + st.tx[TX_RECEIVED] + st.tx[TX_RESERVED] + st.tx[TX_SIGNED] > 0;
}

/* A key that is gone must not keep the server from starting: what it had sealed is given up, one by one
 * (recover.c). */
static enum rc
prepare_seal(struct scepd_parts *parts, const char *url, struct err *err)
{
	char *path = NULL;
	enum rc rc = seal_key_path(&path, url, err);

	if (rc == RC_OK && path != NULL)
		rc = seal_open(&parts->seal, path, &parts->seal_made, err);
	free(path);
	return rc;
}

static enum rc
start_store(struct scepd *s, bool seal_made, struct err *err)
{
	enum rc rc = s->store != NULL ? store_start(s->store, err) : RC_OK;

	if (rc == RC_OK && s->store != NULL)
		rc = ca_identities_claim(s, err);
	if (rc == RC_OK && s->store != NULL && seal_made && is_missed(s))
		log_msg(LOG_WARN, "store",
		    "made a new key " SEAL_KEY_NAME
		    ": what an older one sealed, and Intune has not "
		    "been told of yet, is given up");
	return rc;
}

/*
 * A daemon whose database is gone must start, and must not do so in silence: what it issued before,
 * and what of that was revoked, it no longer knows.
 */
enum rc
scepd_store_prepare(struct scepd_parts *parts, const struct config *config, struct err *err)
{
	static const char scheme[] = "sqlite:";
	const char *url = config->store.url;
	bool fresh = str_starts(url, scheme) && access(url + strlen(scheme), F_OK) != 0;
	enum rc rc;

	err->hint[0] = '\0';
	if ((rc = store_prepare(&parts->store, url, err)) != RC_OK)
		return rc;
	if (fresh)
		log_msg(LOG_WARN, "store",
		    "made a new, empty database %s: certificates issued before, and their "
		    "revocation, are "
		    "unknown to it",
		    url + strlen(scheme));
	if (err->hint[0] != '\0')
		log_msg(LOG_WARN, "store", "%s", err->hint);
	return prepare_seal(parts, url, err);
}

static enum rc
open_admin(struct scepd *s, struct err *err)
{
	const char *file = s->config->admin.tokens_file;

	return file != NULL ? admin_auth_open(&s->admin, file, err) : RC_OK;
}

static void
wake_publisher(void *arg)
{
	publish_wake(arg);
}

static enum rc
open_rules(struct scepd *s, struct err *err)
{
	const struct sweeper_conf conf = { .store = s->store,
		.config = s->config,
		.metrics = s->metrics,
		.changed = wake_publisher,
		.arg = s };

	return sweeper_new(&s->sweeper, &conf, err);
}

enum rc
scepd_new(
    struct scepd **out, struct config *config, const struct scepd_parts *parts, struct err *err)
{
	struct scepd *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "server");
	s->config = config;
	s->signer = parts->signer;
	s->store = parts->store;
	s->seal = parts->seal;
	s->started_ms = clock_now_ms();
	(void)pthread_mutex_init(&s->refresh_mu, NULL);
	(void)pthread_mutex_init(&s->publish_mu, NULL);
	if ((rc = open_cas(s, err)) != RC_OK || (rc = foreign_cas_open(s, err)) != RC_OK ||
	    (rc = open_tenants(s, err)) != RC_OK || (rc = open_endpoints(s, err)) != RC_OK ||
	    (rc = start_store(s, parts->seal_made, err)) != RC_OK ||
	    (rc = rollover_open(s, err)) != RC_OK ||
	    (rc = inflight_new(&s->inflight, err)) != RC_OK ||
	    (rc = spent_new(&s->spent, err)) != RC_OK ||
	    (rc = ocsp_new(&s->ocsp, s, err)) != RC_OK ||
	    (rc = dir_sync_new(&s->dir_sync, s, err)) != RC_OK ||
	    (rc = metrics_new(&s->metrics, err)) != RC_OK ||
	    (rc = intune_queue_new(&s->queue, s, err)) != RC_OK ||
	    (rc = foreign_crl_new(&s->foreign_crl, s, err)) != RC_OK ||
	    (rc = open_rules(s, err)) != RC_OK || (rc = expiry_new(&s->expiry, err)) != RC_OK ||
	    (rc = open_admin(s, err)) != RC_OK) {
		s->config = NULL; /* these stay the caller's */
		s->signer = NULL;
		s->store = NULL;
		s->seal = NULL;
		scepd_free(s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
scepd_free(struct scepd *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_endpoints; i++)
		endpoint_done(&s->endpoints[i]);
	for (size_t i = 0; i < s->n_tenants; i++)
		tenant_free(s->tenants[i]);
	for (size_t i = 0; i < s->n_cas; i++) {
		publish_close(&s->cas[i]);
		ra_set_release(s->cas[i].ras);
		ca_free(s->cas[i].ca);
	}
	foreign_cas_close(s);
	free(s->endpoints);
	free(s->tenants);
	free(s->cas);
	signer_close(s->signer);
	store_close(s->store);
	seal_free(s->seal);
	inflight_free(s->inflight);
	spent_free(s->spent);
	ocsp_free(s->ocsp);
	dir_sync_free(s->dir_sync);
	sweeper_free(s->sweeper);
	metrics_free(s->metrics);
	intune_queue_free(s->queue);
	foreign_crl_free(s->foreign_crl);
	expiry_free(s->expiry);
	admin_auth_free(s->admin);
	config_free(s->config);
	(void)pthread_mutex_destroy(&s->refresh_mu);
	(void)pthread_mutex_destroy(&s->publish_mu);
	free(s);
}

static bool
named(const char *name, const char *want, size_t len)
{
	return strlen(name) == len && strncasecmp(name, want, len) == 0;
}

struct endpoint *
scepd_endpoint(const struct scepd *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (named(s->endpoints[i].name, name, len))
			return &s->endpoints[i];
	return NULL;
}

struct server_ca *
scepd_ca(const struct scepd *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n_cas; i++)
		if (named(s->cas[i].conf->name, name, len))
			return &s->cas[i];
	return NULL;
}
