/*
 * scepd.h - the running server: what main() puts together and request handlers share.
 *
 * Everything here is made before the first listener opens and freed after the last worker has
 * ended; between the two it is only read, but for what guards itself (store, signer, intune
 * clients, inflight, metrics).
 */
#ifndef SCEPD_SCEPD_SCEPD_H
#define SCEPD_SCEPD_SCEPD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "ca/ca.h"
#include "http/server.h"
#include "scep.h"
#include "scepd/config.h"
#include "scepd/inflight.h"
#include "scepd/metrics.h"
#include "scepd/tenant.h"
#include "store/store.h"

/* A CA of the configuration, opened, with its RA as libscep's identity. */
struct server_ca {
	const struct conf_ca *conf;
	struct ca *ca;
	struct scep_identity *ra;
	struct crl_cache *crl; /* publish.c */
	struct ra_key
	    *ra_key; /* what the identity's operations use: the signer and the key's name */
};

struct endpoint {
	const char *name;
	const struct conf_endpoint *conf;
	struct server_ca *sca;
	const struct profile *profile;
	struct tenant *tenant;          /* CHALLENGE_INTUNE */
	struct static_challenge secret; /* CHALLENGE_STATIC; behind secret_mu */
	pthread_mutex_t secret_mu;
	bool secret_mu_made;
	bool secret_stale; /* endpoint_reload()'s: the file cannot be used, and that was logged */
	unsigned caps;     /* enum scep_cap */
	struct scep_bytes caps_text; /* answer to GetCACaps */
	struct scep_bytes ca_certs;  /* answer to GetCACert */
	const char *ca_certs_type;   /* its content type */
};

/* In endpoint.c: looks up CA, profile and tenant, reads the secret, prepares the fixed answers. */
struct scepd;
enum rc endpoint_open(struct endpoint *e, struct scepd *s, const struct conf_endpoint *conf,
    struct err *err) MUST_CHECK;
void endpoint_done(struct endpoint *e);
/* Take up a changed challenge_file; one that cannot be used is logged and leaves the old secret. From
 * one thread at a time; requests go on meanwhile. */
void endpoint_reload(struct endpoint *e);
/* The static challenge of now.  Wipe it. */
void endpoint_secret(struct endpoint *e, struct static_challenge *out);

struct scepd {
	struct config *config;
	struct store *store;
	struct signer *signer;
	struct server_ca *cas;
	size_t n_cas;
	struct tenant **tenants;
	size_t n_tenants;
	struct endpoint *endpoints;
	size_t n_endpoints;
	struct inflight *inflight;
	struct ocsp *ocsp;
	struct metrics *metrics;
	int64_t started_ms; /* wall */
	/* The outbox thread's own: when orphans are looked at next, and how often that failed. */
	int64_t orphans_due_ms;
	unsigned orphans_failed;
};

/* What is opened before, as it takes rights that the server does not keep. */
struct scepd_parts {
	struct signer *signer;
	struct store *store; /* prepared; NULL: none, so that --check can run beside the daemon */
};

/* store_prepare() for the configuration's database; says loudly when that is new and empty. */
enum rc scepd_store_prepare(
    struct store **out, const struct config *config, struct err *err) MUST_CHECK;
/*
 * Open CAs, tenants and endpoints as the configuration says, and start the store.  `config` and the parts
 * become the server's on success.
 */
enum rc scepd_new(struct scepd **out, struct config *config, const struct scepd_parts *parts,
    struct err *err) MUST_CHECK;
void scepd_free(struct scepd *s);
/* NULL when there is none of that name. `len`: of the name; case-insensitive. */
struct endpoint *scepd_endpoint(const struct scepd *s, const char *name, size_t len);
struct server_ca *scepd_ca(const struct scepd *s, const char *name, size_t len);

#endif
