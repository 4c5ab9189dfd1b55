/*
 * settings.c - what follows from the properties once and for all: URLs, scopes, header lines.
 */
#include "intune/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intune/wire.h"

#define PATH_TOKEN "/oauth2/v2.0/token"

const char *
way_name(enum way w)
{
	static const char *const names[WAY__MAX] = {
		[WAY_KEY] = "client secret",
		[WAY_KEY_FILE] = "client secret in a file",
		[WAY_CERTIFICATE] = "certificate",
		[WAY_FEDERATED] = "federated token",
		[WAY_MANAGED] = "managed identity",
	};

	return (unsigned)w < WAY__MAX ? names[w] : "";
}

/* HTTP header values are ASCII (RFC 9110 5.5); the name itself travels whole in callerInfo. */
static void
ascii_only(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= 0x80)
			*s = '?';
	}
}

/*
 * Microsoft's library appends "/.default" to the Intune resource as it stands and ".default" to
 * Graph's, so the usual values give "...com//.default" and "...com/.default"; Entra takes off the
 * last "/.default" and finds the audience, slash included.
 */
static enum rc
derive_scopes(struct settings *s)
{
	enum rc rc;

	rc = str_format(&s->scope[SCOPE_INTUNE], NULL, "%s/.default", s->v[P_INTUNE_RESOURCE]);
	if (rc != RC_OK)
		return rc;
	return url_join(&s->scope[SCOPE_GRAPH], s->v[P_GRAPH_RESOURCE], ".default", NULL);
}

/*
 * IMDS: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/
 * how-to-use-vm-token; App Service: https://learn.microsoft.com/azure/app-service/
 * overview-managed-identity.
 */
static enum rc
derive_identity(struct settings *s, enum scope scope, const char *resource)
{
	const char *const *v = (const char *const *)s->v;
	bool app_service = v[P_MANAGED_HEADER] != NULL;
	bool system = strcmp(v[P_MANAGED], "system") == 0;
	struct buf url;
	enum rc rc;

	buf_init(&url, 4 * URL_MAX);
	buf_adds(&url, v[P_MANAGED_ENDPOINT]);
	buf_addf(&url, "?api-version=%s&resource=", app_service ? "2019-08-01" : "2018-02-01");
	url_encode_add(&url, resource, strlen(resource));
	if (!system)
		buf_addf(&url, "&client_id=%s", v[P_MANAGED]);
	if ((rc = buf_ok(&url, "managed identity", NULL)) == RC_OK)
		rc = str_dup(&s->managed_url[scope], buf_str(&url), NULL);
	buf_done(&url);
	return rc;
}

static enum rc
derive_managed(struct settings *s)
{
	const char *header = s->v[P_MANAGED_HEADER];
	enum rc rc;

	if (s->way != WAY_MANAGED)
		return RC_OK;
	if ((rc = derive_identity(s, SCOPE_GRAPH, s->v[P_GRAPH_RESOURCE])) != RC_OK ||
	    (rc = derive_identity(s, SCOPE_INTUNE, s->v[P_INTUNE_RESOURCE])) != RC_OK)
		return rc;
	return header != NULL ? str_format(&s->line_identity, NULL, "X-IDENTITY-HEADER: %s", header)
			      : str_dup(&s->line_identity, "Metadata: true", NULL);
}

/* Where tokens come from. */
static enum rc
derive_token_url(struct settings *s)
{
	char *path;
	enum rc rc;

	if (s->way == WAY_MANAGED)
		return str_dup(&s->token_url, s->v[P_MANAGED_ENDPOINT], NULL);
	if ((rc = str_format(&path, NULL, "%s" PATH_TOKEN, s->v[P_TENANT])) != RC_OK)
		return rc;
	rc = url_join(&s->token_url, s->v[P_AUTHORITY], path, NULL);
	free(path);
	return rc;
}

static enum rc
derive_lines(struct settings *s)
{
	static const enum property versions[SERVICE__MAX] = {
		[SERVICE_SCEP] = P_SCEP_VERSION, [SERVICE_REVOCATION] = P_REVOCATION_VERSION
	};
	unsigned i;
	enum rc rc;

	rc = str_format(&s->line_user_agent, NULL, "UserAgent: %s", s->v[P_PROVIDER]);
	if (rc != RC_OK)
		return rc;
	ascii_only(s->line_user_agent);
	for (i = 0; i < SERVICE__MAX && rc == RC_OK; i++)
		rc =
		    str_format(&s->line_api_version[i], NULL, "api-version: %s", s->v[versions[i]]);
	return rc;
}

enum rc
settings_derive(struct settings *s)
{
	const char *const *v = (const char *const *)s->v;
	char *path;
	enum rc rc;

	if ((rc = derive_token_url(s)) != RC_OK || (rc = derive_managed(s)) != RC_OK)
		return rc;
	rc = str_format(&path, NULL, "v%s/servicePrincipals/appId=%s/endpoints", v[P_GRAPH_VERSION],
	    v[P_INTUNE_APP_ID]);
	if (rc != RC_OK)
		return rc;
	rc = url_join(&s->discovery_url, v[P_GRAPH_RESOURCE], path, NULL);
	free(path);
	if (rc != RC_OK || (rc = derive_scopes(s)) != RC_OK || (rc = derive_lines(s)) != RC_OK)
		return rc;
	if (!url_parse_identity(&s->login, s->token_url) || !url_parse(&s->graph, s->discovery_url))
		return RC_BUG;
	return wire_string_dup(&s->caller_json, v[P_PROVIDER]);
}

static void
free_text(char *s)
{
	if (s != NULL)
		wipe_free(s, strlen(s));
}

void
settings_drop_key(struct settings *s)
{
	free_text(s->v[P_APP_KEY]);
	s->v[P_APP_KEY] = NULL;
}

void
settings_done(struct settings *s)
{
	size_t i;

	for (i = 0; i < P__MAX; i++)
		free_text(s->v[i]);
	for (i = 0; i < SCOPE__MAX; i++) {
		free_text(s->scope[i]);
		free_text(s->managed_url[i]);
	}
	free_text(s->line_identity);
	free_text(s->token_url);
	free_text(s->discovery_url);
	free_text(s->line_user_agent);
	for (i = 0; i < SERVICE__MAX; i++)
		free_text(s->line_api_version[i]);
	free_text(s->caller_json);
	memset(s, 0, sizeof(*s));
}
