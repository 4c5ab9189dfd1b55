/*
 * settings.h - the checked, owned copy of struct intune_config, and all that follows from it once.
 */
#ifndef SCEPD_INTUNE_SETTINGS_H
#define SCEPD_INTUNE_SETTINGS_H

#include "intune.h"
#include "intune/url.h"

/* In the order in which Microsoft's library checks them. */
enum property {
	P_APP_ID,
	P_APP_KEY,
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

enum scope { SCOPE_GRAPH, SCOPE_INTUNE, SCOPE__MAX };

/* What is wanted of the tenant's list of endpoints. */
enum service_id { SERVICE_SCEP, SERVICE_REVOCATION, SERVICE__MAX };

struct settings {
	char *v[P__MAX]; /* NULL: not given and no default */
	uint16_t proxy_port;
	unsigned connect_ms, total_ms;

	char *token_url, *discovery_url;
	char *scope[SCOPE__MAX];
	char *line_user_agent, *line_api_version[SERVICE__MAX]; /* whole header lines */
	char *caller_json; /* PROVIDER_NAME_AND_VERSION as a JSON string */
	struct url login, graph;
};

/* `s` is uninitialised; after a failure there is nothing to release. */
enum intune_status settings_make(
    struct settings *s, const struct intune_config *c, struct intune_error *e);
/* Wipes as it frees. */
void settings_done(struct settings *s);

#endif
