/*
 * scepd.h - the running server: what main() puts together and request handlers share.
 *
 * Everything here is made before the first listener opens and freed after the last worker has
 * ended; between the two it is only read, but for what guards itself (store, signer, intune
 * clients, inflight, metrics) and for what each endpoint offers (offer.h).
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
#include "scepd/expiry.h"
#include "scepd/inflight.h"
#include "scepd/metrics.h"
#include "scepd/offer.h"
#include "scepd/seal.h"
#include "scepd/spent.h"
#include "scepd/tenant.h"
#include "store/store.h"

struct background;
struct dir_sync;
struct webhook;
struct admin_auth;
struct intune_queue;
struct foreign_crl;
struct sweeper;

/* A CA of the configuration, opened. */
struct server_ca {
	const struct conf_ca *conf;
	struct ca *ca;
	struct server_ca *previous, *next; /* that it replaces, that replaces it; or NULL */
	struct crl_lists *crl;             /* publish.c */
	struct ra_key ra_key;
	struct ra_set *ras;      /* refresh's own; requests have theirs from an offer */
	_Atomic uint64_t issued; /* certificates since the start, for /metrics */
};

/* A CA of others, for whose certificates this server answers: foreign_ca.h. */
struct server_foreign {
	const struct conf_foreign *conf;
	struct cert *cert;
	/* foreign_cas_refresh()'s, so that it asks and tells once: the SHA-256 of a responder that the signer has refused and
	 * that is still there (all 0: none), and that none can be read. */
	uint8_t refused[32];
	bool unreadable;
};

struct endpoint {
	const char *name;
	const struct conf_endpoint *conf;
	struct server_ca *sca;
	const struct profile *profile; /* of requests that no other is for */
	const struct profile *for_signature, *for_encryption, *for_general;
	struct tenant *tenant;   /* CHALLENGE_INTUNE */
	struct webhook *webhook; /* CHALLENGE_WEBHOOK */
	pthread_mutex_t mu;      /* over secret and offer; held for a copy, never for work */
	bool mu_made;
	struct static_challenge secret; /* of a challenge_file */
	struct offer *offer;            /* set by rollover.c; take it with endpoint_offer() */
	bool secret_stale; /* endpoint_reload()'s: the file cannot be used, and that was logged */
	unsigned caps;     /* enum scep_cap, by the configuration */
	struct renewal_rules renewal;
};

/* In endpoint.c: looks up CA, profile and tenant, reads the secret. */
struct scepd;
enum rc endpoint_open(struct endpoint *e, struct scepd *s, const struct conf_endpoint *conf,
    struct err *err) MUST_CHECK;
void endpoint_done(struct endpoint *e);
/* Take up a changed challenge_file, and what the webhook needs; one that cannot be used is logged and leaves the old secret. From
 * one thread at a time; requests go on meanwhile. */
void endpoint_reload(struct endpoint *e);
/* The static challenge of now.  Wipe it. */
void endpoint_secret(struct endpoint *e, struct static_challenge *out);
/* Gauges of endpoints: requests that wait, one-time passwords that are live, webhooks that are out. */
void endpoints_metrics(struct scepd *s, struct buf *out);
/* What it offers now: a reference, for one request. */
struct offer *endpoint_offer(struct endpoint *e);

struct scepd {
	struct config *config;
	struct store *store;
	struct seal *seal; /* of requests that the store keeps; NULL: the store is no file */
	struct signer *signer;
	struct server_ca *cas;
	size_t n_cas;
	struct server_foreign *foreign;
	size_t n_foreign;
	struct tenant **tenants;
	size_t n_tenants;
	struct endpoint *endpoints;
	size_t n_endpoints;
	struct inflight *inflight;
	struct spent *spent; /* challenges of Intune's */
	struct ocsp *ocsp;
	struct metrics *metrics;
	struct sweeper *sweeper;   /* rules about the directory */
	_Atomic uint64_t dir_news; /* counts what directories have said anew: sweep_news() */
	struct expiry *expiry;
	struct dir_sync *dir_sync;
	struct background
	    *background; /* NULL: none runs, as in a test; background_wake() takes that */
	struct intune_queue *queue;
	struct foreign_crl *foreign_crl;
	struct admin_auth *admin; /* NULL: admin.tokens_file is not set */
	struct http_server
	    *http;          /* of the public listeners, for its counters; lent; NULL: none yet */
	int64_t started_ms; /* wall */
	pthread_mutex_t refresh_mu; /* one refresh at a time */
	pthread_mutex_t publish_mu; /* one publish_round() at a time */
	/* The outbox thread's own: when orphans are looked at next, and how often that failed. */
	int64_t orphans_due_ms;
	unsigned orphans_failed;
	int64_t upkeep_due_ms; /* of the same thread: upkeep.h */
};

/* What is opened before, as it takes rights that the server does not keep. */
struct scepd_parts {
	struct signer *signer;
	struct store *store; /* prepared; NULL: none, so that --check can run beside the daemon */
	struct seal *seal;   /* of the requests in it */
	bool seal_made;      /* anew: what an older key has sealed is lost */
};

/* The database of the configuration, prepared, and the key beside it; says loudly when that is new and empty. */
enum rc scepd_store_prepare(
    struct scepd_parts *parts, const struct config *config, struct err *err) MUST_CHECK;
/*
 * Open CAs, tenants and endpoints as the configuration says, and start the store.  `config` and the parts
 * become the server's on success.
 */
enum rc scepd_new(struct scepd **out, struct config *config, const struct scepd_parts *parts,
    struct err *err) MUST_CHECK;
void scepd_free(struct scepd *s);
/*
 * Take up what has changed: RA certificates that the signer has renewed, shares and retired CAs that
 * an administrator has set.  What cannot be read or used is logged and leaves in force what was.
 * Requests go on meanwhile.  From any thread; the second does without the signer, and is cheap
 * enough for every few seconds.
 */
void scepd_refresh_cas(struct scepd *s);
void scepd_refresh_rollover(struct scepd *s);
/* Look at the ends of everything that the server itself knows of: certificates of CAs, RAs and
 * responders, the apps' credentials.  From one thread, about once a minute: it asks the signer. */
void scepd_watch_expiry(struct scepd *s);
/* NULL when there is none of that name. `len`: of the name; case-insensitive. */
struct endpoint *scepd_endpoint(const struct scepd *s, const char *name, size_t len);
struct server_ca *scepd_ca(const struct scepd *s, const char *name, size_t len);

#endif
