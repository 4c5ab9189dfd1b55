/*
 * check_service.c - scepctl check: what devices and Intune will see.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "intune.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/admin_auth.h"
#include "scepd/tenant.h"

static bool
used(const struct config *c, const struct profile *p)
{
	const struct conf_endpoint *e = c->endpoints.v;
	size_t i;

	for (i = 0; i < c->endpoints.n; i++) {
		if (config_endpoint_issues_by(&e[i], p->name))
			return true;
	}
	return false;
}

static void
check_profile(struct report *r, const struct profile *p)
{
	size_t i;

	if (p->n_crl_urls == 0)
		report(r, FINDING_WARN, p->name,
		    "certificates name no CRL, so nobody can see that one is revoked: set "
		    "public_url");
	else if (str_starts(p->crl_urls[0], "https://"))
		report(r, FINDING_WARN, p->name,
		    "the CRL's address is https: many clients fetch CRLs by plain HTTP only");
	else
		report(r, FINDING_OK, p->name, "certificates name the CRL %s", p->crl_urls[0]);
	for (i = 0; i < p->n_ocsp_urls; i++)
		if (str_starts(p->ocsp_urls[i], "https://"))
			report(r, FINDING_WARN, p->name,
			    "the OCSP responder's address is https: clients ask by plain HTTP "
			    "only, for TLS would need its answer first");
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

static void
check_endpoint(struct report *r, const struct conf_endpoint *e)
{
	static const char *const approval[] = {
		"takes any request without a challenge: an administrator decides on each, so "
		"strangers can fill the list",
		"takes a static challenge, and an administrator decides on each request",
	};

	const char *names[CONF_ENDPOINT_PROFILES];
	char bounds[CONF_ENDPOINT_PROFILES * 64] = "";
	size_t n;

	switch ((enum challenge_kind)e->challenge) {
	case CHALLENGE_INTUNE:
		report(r, FINDING_OK, e->name, "asks Intune, tenant %s", e->tenant);
		break;
	case CHALLENGE_STATIC:
		n = config_endpoint_profiles(names, e);
		for (size_t i = 0; i < n; i++)
			(void)snprintf(bounds + strlen(bounds), sizeof(bounds) - strlen(bounds),
			    "%s%.60s", i > 0 ? ", " : "", names[i]);
		report(r, FINDING_OK, e->name,
		    "takes a static challenge, names bounded by profile%s %s", n > 1 ? "s" : "",
		    bounds);
		break;
	case CHALLENGE_OTP:
		report(r, FINDING_OK, e->name, "takes one-time passwords");
		break;
	case CHALLENGE_APPROVAL:
		report(r, e->challenge_file == NULL ? FINDING_WARN : FINDING_OK, e->name, "%s",
		    approval[e->challenge_file != NULL]);
		break;
	case CHALLENGE_WEBHOOK:
		report(r, FINDING_OK, e->name, "asks %s", e->webhook.url);
		break;
	case CHALLENGE__MAX:
		break;
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
		check_endpoint(r, &e[i]);
	}
	if (!has_default)
		report(r, FINDING_OK, "endpoints",
		    "none is called default, so /certsrv/mscep/mscep.dll is not served");
}

/* As the server opens it: a file that it would not take keeps it from starting. */
void
check_admin(struct report *r, const struct config *c)
{
	struct admin_auth *auth = NULL;
	struct err err = { 0 };

	if (c->admin.tokens_file == NULL)
		return;
	if (admin_auth_open(&auth, c->admin.tokens_file, &err) != RC_OK)
		report_err(r, FINDING_FAIL, "admin", &err);
	else
		report(r, FINDING_OK, "admin", "the admin API is for those who have a token");
	admin_auth_free(auth);
}

/* A token and the service map: everything but a request. */
static bool
check_online(struct report *r, const char *name, struct tenant *tenant)
{
	struct intune_error e;
	struct err err = { 0 };

	if (intune_check(tenant_client(tenant), &e) != INTUNE_OK) {
		(void)tenant_error(&err, &e);
		report_err(r, FINDING_FAIL, name, &err);
		return false;
	}
	report(r, FINDING_OK, name, "Entra gave tokens and Intune's SCEP service was found (%u ms)",
	    e.elapsed_ms);
	return true;
}

/* Downloading changes nothing: a request comes again until it is answered. */
static void
check_queue(struct report *r, const struct conf_tenant *conf, struct tenant *tenant)
{
	struct intune_revocation_list *list;
	struct intune_error e;
	struct err err = { 0 };

	if (!conf->revocation_queue) {
		report(r, FINDING_WARN, conf->name,
		    "revocation_queue is false: what Intune wants revoked stays valid");
		return;
	}
	if (intune_download_revocation_requests(
		tenant_client(tenant), "scepctl check", 1, NULL, &list, &e) != INTUNE_OK) {
		(void)tenant_error(&err, &e);
		report_err(r, FINDING_FAIL, conf->name, &err);
		return;
	}
	report(r, FINDING_OK, conf->name, "Intune's revocation queue can be read (%u ms)",
	    e.elapsed_ms);
	intune_revocation_list_free(list);
}

static void
check_ends(struct report *r, const struct conf_tenant *conf, const struct intune_credential *c)
{
	struct expiry_thing t = { .name = conf->name };

	t.kind = EXPIRY_APP_CERT;
	t.not_after = c->not_after;
	if (t.not_after != 0)
		check_expiry(r, conf->name, &t);
	t.kind = EXPIRY_APP_KEY;
	if (conf->app_key_expires != NULL &&
	    config_day(&t.not_after, conf->app_key_expires, NULL) == RC_OK)
		check_expiry(r, conf->name, &t);
	else if (str_starts(c->kind, "client secret"))
		report(r, FINDING_OK, conf->name,
		    "when the client secret ends is not known here: app_key_expires can say it");
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
	check_ends(r, conf, &cred);
	if (online && check_online(r, conf->name, tenant)) {
		check_queue(r, conf, tenant);
		check_directory(r, c, conf, tenant_client(tenant));
	}
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
