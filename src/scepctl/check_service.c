/*
 * check_service.c - scepctl check: what devices and Intune will see.
 */
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/tenant.h"

#define DAY_S 86400

static bool
used(const struct config *c, const struct profile *p)
{
	const struct conf_endpoint *e = c->endpoints.v;
	size_t i;

	for (i = 0; i < c->endpoints.n; i++) {
		if (strcmp(e[i].profile, p->name) == 0)
			return true;
	}
	return false;
}

static void
check_profile(struct report *r, const struct profile *p)
{
	if (p->n_crl_urls == 0)
		report(r, FINDING_WARN, p->name,
		    "certificates name no CRL, so nobody can see that one is revoked: set "
		    "public_url");
	else if (str_starts(p->crl_urls[0], "https://"))
		report(r, FINDING_WARN, p->name,
		    "the CRL's address is https: many clients fetch CRLs by plain HTTP only");
	else
		report(r, FINDING_OK, p->name, "certificates name the CRL %s", p->crl_urls[0]);
	if (p->sha1_csr_ok)
		report(r, FINDING_WARN, p->name, "requests signed with SHA-1 are taken");
}

void
check_profiles(struct report *r, const struct config *c)
{
	const struct profile *p = c->profiles.v;
	size_t i;

	for (i = 0; i < c->profiles.n; i++) {
		if (used(c, &p[i]))
			check_profile(r, &p[i]);
		else
			report(r, FINDING_WARN, p[i].name, "no endpoint uses this profile");
	}
}

void
check_endpoints(struct report *r, const struct config *c)
{
	const struct conf_endpoint *e = c->endpoints.v;
	bool has_default = false;
	size_t i;

	for (i = 0; i < c->endpoints.n; i++) {
		has_default = has_default || strcmp(e[i].name, "default") == 0;
		if (e[i].challenge == CHALLENGE_INTUNE)
			report(r, FINDING_OK, e[i].name, "asks Intune, tenant %s", e[i].tenant);
		else
			report(r, FINDING_OK, e[i].name,
			    "takes a static challenge, names bounded by profile %s", e[i].profile);
	}
	if (!has_default)
		report(r, FINDING_OK, "endpoints",
		    "none is called default, so /certsrv/mscep/mscep.dll is not served");
}

/* A token and the service map: everything but a request. */
static void
check_online(struct report *r, const char *name, struct tenant *tenant)
{
	struct intune_error e;
	struct err err = { 0 };

	if (intune_check(tenant_client(tenant), &e) != INTUNE_OK) {
		(void)tenant_error(&err, &e);
		report_err(r, FINDING_FAIL, name, &err);
		return;
	}
	report(r, FINDING_OK, name, "Entra gave tokens and Intune's SCEP service was found (%u ms)",
	    e.elapsed_ms);
}

static void
check_expiry(struct report *r, const char *name, const struct intune_credential *c)
{
	int64_t days = (c->not_after - clock_now()) / DAY_S;
	char when[TIME_TEXT_MAX];

	if (c->not_after == 0)
		return;
	time_rfc3339(when, c->not_after);
	report(r, days > INTUNE_EXPIRY_DAYS ? FINDING_OK : FINDING_WARN, name,
	    "the app's certificate expires at %s%s", when,
	    days > INTUNE_EXPIRY_DAYS ? "" : ": register a new one with the app in Entra");
}

static void
check_tenant(struct report *r, const struct config *c, const struct conf_tenant *conf, bool online)
{
	struct intune_credential cred;
	struct tenant *tenant = NULL;
	struct err err = { 0 };
	struct intune_error e;

	if (tenant_open(&tenant, c, conf, &err) != RC_OK) {
		report_err(r, FINDING_FAIL, conf->name, &err);
		return;
	}
	if (intune_client_reload(tenant_client(tenant), &cred, &e) == INTUNE_OK)
		report(r, FINDING_OK, conf->name, "%s, cloud %s: complete%s", cred.kind, cred.cloud,
		    online ? "" : " (--online asks Microsoft whether it works)");
	else
		report(r, FINDING_FAIL, conf->name, "%s", e.message);
	check_expiry(r, conf->name, &cred);
	if (online)
		check_online(r, conf->name, tenant);
	tenant_free(tenant);
}

void
check_tenants(struct report *r, const struct config *c, bool online)
{
	const struct conf_tenant *t = c->tenants.v;
	size_t i;

	for (i = 0; i < c->tenants.n; i++)
		check_tenant(r, c, &t[i], online);
}
