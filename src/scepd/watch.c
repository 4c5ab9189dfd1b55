/* watch.c - what the server looks at once a minute, to tell of its end: see expiry.h. */
#include <stdio.h>

#include "base/clock.h"
#include "scepd/scepd.h"

#define WATCHED_NAME_MAX (64 + 24) /* of a CA, and a number */

static void
note_cert(struct scepd *s, enum expiry_kind kind, const char *name, const struct cert *c,
    bool expected, int64_t now)
{
	const struct expiry_thing t = { kind, name, cert_not_before(c), cert_not_after(c),
		expected };

	expiry_note(s->expiry, &t, now);
}

/* "issuing", and above it "issuing-1", "issuing-2". */
static void
watch_chain(struct scepd *s, const struct server_ca *sca, int64_t now)
{
	size_t n = ca_chain_len(sca->ca);
	bool retired = !sca->conf->issues;
	char name[WATCHED_NAME_MAX];

	note_cert(s, EXPIRY_CA, sca->conf->name, ca_cert0(sca->ca), retired, now);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%.63s-%zu", sca->conf->name, i + 1);
		note_cert(s, i + 1 == n ? EXPIRY_ROOT : EXPIRY_INTERMEDIATE, name,
		    ca_chain0(sca->ca, i), retired, now);
	}
}

/* As the signer has them.  While it cannot be asked, what it said last is what the metrics tell. */
static void
watch_renewed(struct scepd *s, const struct server_ca *sca, int64_t now)
{
	int64_t end = cert_not_after(ca_cert0(sca->ca));
	const char *name = sca->conf->name;
	struct signer_certs certs = { 0 };

	if (signer_certs(s->signer, name, &certs, NULL) != RC_OK)
		return;
	if (certs.n_ra > 0)
		note_cert(s, EXPIRY_RA, name, certs.ra[0],
		    !sca->conf->issues || expiry_ends_with(cert_not_after(certs.ra[0]), end), now);
	if (certs.ocsp != NULL)
		note_cert(s, EXPIRY_OCSP, name, certs.ocsp,
		    expiry_ends_with(cert_not_after(certs.ocsp), end), now);
	signer_certs_done(&certs);
}

/* A responder that the signer does not have is told of where it is looked for (foreign_ca.c). */
static void
watch_foreign(struct scepd *s, const struct server_foreign *f, int64_t now)
{
	struct signer_certs certs = { 0 };

	note_cert(s, EXPIRY_FOREIGN_CA, f->conf->name, f->cert, false, now);
	if (f->conf->ocsp_certificate == NULL ||
	    signer_certs(s->signer, f->conf->name, &certs, NULL) != RC_OK)
		return;
	if (certs.ocsp != NULL)
		note_cert(s, EXPIRY_FOREIGN_OCSP, f->conf->name, certs.ocsp, false, now);
	signer_certs_done(&certs);
}

static void
watch_tenant(struct scepd *s, const struct tenant *t, int64_t now)
{
	const struct conf_tenant *conf = config_tenant(s->config, tenant_name(t));
	struct expiry_thing thing = { .name = tenant_name(t) };

	thing.kind = EXPIRY_APP_CERT;
	thing.not_after = tenant_app_cert_end(t);
	if (thing.not_after != 0)
		expiry_note(s->expiry, &thing, now);
	thing.kind = EXPIRY_APP_KEY;
	if (conf != NULL && conf->app_key_expires != NULL &&
	    config_day(&thing.not_after, conf->app_key_expires, NULL) == RC_OK)
		expiry_note(s->expiry, &thing, now);
}

void
scepd_watch_expiry(struct scepd *s)
{
	int64_t now = clock_now();

	for (size_t i = 0; i < s->n_cas; i++) {
		watch_chain(s, &s->cas[i], now);
		watch_renewed(s, &s->cas[i], now);
	}
	for (size_t i = 0; i < s->n_foreign; i++)
		watch_foreign(s, &s->foreign[i], now);
	for (size_t i = 0; i < s->n_tenants; i++)
		watch_tenant(s, s->tenants[i], now);
}
