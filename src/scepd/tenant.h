/*
 * tenant.h - a configured Intune tenant: libintune's client, and the authority that the CA layer
 * asks.
 */
#ifndef SCEPD_SCEPD_TENANT_H
#define SCEPD_SCEPD_TENANT_H

#include "base/err.h"
#include "ca/authorization.h"
#include "intune.h"
#include "ossl/cert.h"
#include "scepd/config.h"

/* How the values of an example properties file begin, until somebody fills them in. */
#define TENANT_FILL_IN "fill-in"

struct tenant;
/* Reads the properties or secret files named by `conf`, which must outlive it; no network.
 * RC_CONFIG. */
enum rc tenant_open(struct tenant **out, const struct config *config,
    const struct conf_tenant *conf, struct err *err) MUST_CHECK;
void tenant_free(struct tenant *t);
/*
 * Take up what has changed in the files of the app's credentials.  What cannot be used is logged and
 * leaves in force what was read before.  From one thread at a time; requests go on meanwhile.
 */
void tenant_reload(struct tenant *t);
/* The end of the app's certificate as of the last reload, wall seconds; 0: it has none.  The same thread. */
int64_t tenant_app_cert_end(const struct tenant *t);
/* Both are configured for the same directory of Entra's: what one's Intune says may come from the other's. */
bool tenant_same_directory(const struct tenant *a, const struct tenant *b);
const char *tenant_name(const struct tenant *t);
struct intune_client *tenant_client(struct tenant *t);

/* What Intune said to the last call made through an `intune_talk`: for the transaction's log line.
 */
struct intune_talk {
	struct tenant *tenant;
	struct intune_error validate, notify; /* zeroed when not asked */
};
/* An authority whose ask() is validateRequest; `talk` must outlive it. */
struct authority tenant_authority(struct intune_talk *talk);
/* successNotification for an issued certificate. RC_OK, RC_DENIED (Intune said no), RC_IO. */
enum rc tenant_notify_success(struct intune_talk *talk, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, const struct cert *cert, const char *ca_name,
    struct err *err) MUST_CHECK;
enum rc tenant_notify_failure(struct tenant *t, const char *transaction_id, const uint8_t *csr,
    size_t csr_len, int64_t hresult, const char *text, struct err *err) MUST_CHECK;
/* A gauge for each service of each tenant, in Prometheus text: is its circuit breaker open? */
void tenants_metrics(struct tenant *const *tenants, size_t n, struct buf *out);
/* struct intune_error -> struct err, with hint. */
enum rc tenant_error(struct err *err, const struct intune_error *e);

#endif
