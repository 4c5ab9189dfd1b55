/*
 * settings.h - the checked, owned copy of struct intune_config, and all that follows from it once.
 */
#ifndef SCEPD_INTUNE_SETTINGS_H
#define SCEPD_INTUNE_SETTINGS_H

#include "intune.h"
#include "intune/url.h"

/* In the order in which Microsoft's library checks them; ours where they belong. */
enum property {
	P_CLOUD,
	P_APP_ID,
	P_APP_KEY,
	P_APP_KEY_FILE,
	P_CERT_FILE,
	P_CERT_KEY_FILE,
	P_ASSERTION_ALG,
	P_FEDERATED_FILE,
	P_MANAGED,
	P_MANAGED_ENDPOINT,
	P_MANAGED_HEADER,
	P_TENANT,
	P_PROVIDER,
	P_AUTHORITY,
	P_INTUNE_APP_ID,
	P_INTUNE_RESOURCE,
	P_GRAPH_VERSION,
	P_GRAPH_RESOURCE,
	P_SCEP_VERSION,
	P_REVOCATION_VERSION,
	P_PROXY_HOST,
	P_PROXY_PORT,
	P_PROXY_USER,
	P_PROXY_PASS,
	P_CA_FILE,
	P__MAX
};

/* How the app proves itself: exactly one. */
enum way {
	WAY_KEY,         /* AAD_APP_KEY */
	WAY_KEY_FILE,    /* AAD_APP_KEY_FILE */
	WAY_CERTIFICATE, /* APP_CERTIFICATE_FILE, APP_CERTIFICATE_KEY_FILE */
	WAY_FEDERATED,   /* FEDERATED_TOKEN_FILE */
	WAY_MANAGED,     /* MANAGED_IDENTITY */
	WAY__MAX
};
/* "client secret", "managed identity" ...; static. */
const char *way_name(enum way w);

/* One row of the national clouds. */
struct cloud {
	const char *name, *alias;
	const char *authority, *graph, *intune; /* NULL: not known */
};
/* Any case; NULL when there is none of that name. */
const struct cloud *cloud_find(const char *name);

enum scope { SCOPE_GRAPH, SCOPE_INTUNE, SCOPE__MAX };

/* What is wanted of the tenant's list of endpoints. */
enum service_id { SERVICE_SCEP, SERVICE_REVOCATION, SERVICE__MAX };

struct settings {
	char *v[P__MAX]; /* NULL: not given and no default */
	enum way way;
	const struct cloud *cloud;
	uint16_t proxy_port;
	unsigned connect_ms, total_ms;

	char *token_url, *discovery_url; /* with WAY_MANAGED token_url lacks the scope's part */
	char *managed_url[SCOPE__MAX];   /* with WAY_MANAGED, else NULL */
	char *line_identity;             /* with WAY_MANAGED: the header line that it wants */
	char *scope[SCOPE__MAX];
	char *line_user_agent, *line_api_version[SERVICE__MAX]; /* whole header lines */
	char *caller_json; /* PROVIDER_NAME_AND_VERSION as a JSON string */
	struct url login, graph;
};

/* `s` is uninitialised; after a failure there is nothing to release. */
enum intune_status settings_make(
    struct settings *s, const struct intune_config *c, struct intune_error *e);
#define SECRET_MAX 1024u /* bytes; Entra's have 40 */
/*
 * The inner half of settings_make(), settings.c: with `v` and `way` in place, make the rest.  What
 * was made before a failure is settings_done()'s.
 */
enum rc settings_derive(struct settings *s) MUST_CHECK;
/* Could be an AAD_APP_KEY. */
bool settings_key_ok(const char *key);
/* Wipe AAD_APP_KEY, which somebody else keeps now. */
void settings_drop_key(struct settings *s);
/* Wipes as it frees. */
void settings_done(struct settings *s);

#endif
