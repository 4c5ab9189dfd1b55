/*
 * resource.c - the table of services.
 */
#include "intunesim/resource.h"

#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	enum resource resource;
} names[] = {
	{ "https://graph.microsoft.com", RESOURCE_GRAPH },
	{ "https://graph.microsoft.us", RESOURCE_GRAPH },
	{ "https://dod-graph.microsoft.us", RESOURCE_GRAPH },
	{ "https://microsoftgraph.chinacloudapi.cn", RESOURCE_GRAPH },
	{ "00000003-0000-0000-c000-000000000000", RESOURCE_GRAPH },
	{ "https://api.manage.microsoft.com", RESOURCE_INTUNE },
	{ "https://api.manage.microsoft.us", RESOURCE_INTUNE },
	{ INTUNE_APP_ID, RESOURCE_INTUNE },
};

static const struct {
	const char *role;
	enum resource resource;
} roles[] = {
	{ ROLE_GRAPH, RESOURCE_GRAPH },
	{ ROLE_SCEP, RESOURCE_INTUNE },
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

enum resource
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
	return is_own ? RESOURCE_GRAPH : RESOURCE_NONE;
}

enum resource
resource_of_role(const char *role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].role, role) == 0)
			return roles[i].resource;
	}
	return RESOURCE_NONE;
}
