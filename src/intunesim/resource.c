/*
 * resource.c - the table of services.
 */
#include "intunesim/resource.h"

#include <string.h>

#include "base/text.h"

#define GRAPH_APP_ID     "00000003-0000-0000-c000-000000000000"
#define AAD_GRAPH_APP_ID "00000002-0000-0000-c000-000000000000"

static const struct {
	const char *name;
	unsigned resource;
} names[] = {
	{ "https://graph.microsoft.com", RESOURCE_GRAPH },
	{ "https://graph.microsoft.us", RESOURCE_GRAPH },
	{ "https://dod-graph.microsoft.us", RESOURCE_GRAPH },
	{ "https://microsoftgraph.chinacloudapi.cn", RESOURCE_GRAPH },
	{ GRAPH_APP_ID, RESOURCE_GRAPH },
	{ "https://graph.windows.net", RESOURCE_AAD_GRAPH },
	{ AAD_GRAPH_APP_ID, RESOURCE_AAD_GRAPH },
	{ "https://api.manage.microsoft.com", RESOURCE_INTUNE },
	{ "https://api.manage.microsoft.us", RESOURCE_INTUNE },
	{ INTUNE_APP_ID, RESOURCE_INTUNE },
};

static const struct {
	const char *role;
	unsigned resource;
} roles[] = {
	{ ROLE_GRAPH, RESOURCE_GRAPH | RESOURCE_AAD_GRAPH },
	{ ROLE_SCEP, RESOURCE_INTUNE },
	{ "Device.Read.All", RESOURCE_GRAPH },
	{ "DeviceManagementConfiguration.Read.All", RESOURCE_GRAPH },
	{ "DeviceManagementManagedDevices.Read.All", RESOURCE_GRAPH },
	{ "Directory.Read.All", RESOURCE_GRAPH },
	{ "Group.Read.All", RESOURCE_GRAPH },
	{ "GroupMember.Read.All", RESOURCE_GRAPH },
	{ "IdentityRiskyUser.Read.All", RESOURCE_GRAPH },
	{ "User.Read.All", RESOURCE_GRAPH },
};

/* Equal but for one '/' at the end of `uri`, and for case. */
static bool
is_name(const char *uri, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(uri, name, len) != 0)
		return false;
	return uri[len] == '\0' || (uri[len] == '/' && uri[len + 1] == '\0');
}

unsigned
resource_find(const struct call *c, const char *uri)
{
	struct buf own;
	bool is_own;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_name(uri, names[i].name))
			return names[i].resource;
	}
	buf_init(&own, 4096);
	call_base_url(&own, c);
	is_own = own.rc == RC_OK && is_name(uri, buf_str(&own));
	buf_done(&own);
	return is_own ? RESOURCE_GRAPH | RESOURCE_AAD_GRAPH : RESOURCE_NONE;
}

unsigned
resource_of_role(const char *role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].role, role) == 0)
			return roles[i].resource;
	}
	return RESOURCE_NONE;
}

const char *
resource_app_id(unsigned resources)
{
	if ((resources & RESOURCE_GRAPH) != 0)
		return GRAPH_APP_ID;
	if ((resources & RESOURCE_INTUNE) != 0)
		return INTUNE_APP_ID;
	return (resources & RESOURCE_AAD_GRAPH) != 0 ? AAD_GRAPH_APP_ID : "";
}
