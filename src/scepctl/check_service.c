/*
 * check_service.c - scepctl check: what devices and Intune will see.
 */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "intune.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/tenant.h"

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
check_tenant(struct report *r, const struct config *c, const struct conf_tenant *conf, bool online)
{
	struct tenant *tenant = NULL;
	struct err err = { 0 };

	if (tenant_open(&tenant, c, conf, &err) != RC_OK) {
		report_err(r, FINDING_FAIL, conf->name, &err);
		return;
	}
	report(r, FINDING_OK, conf->name, "credentials are complete%s",
	    online ? "" : " (--online asks Microsoft whether they work)");
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
