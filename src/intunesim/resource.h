/*
 * resource.h - the services that tokens are for, by the names Entra knows them.
 */
#ifndef SCEPD_INTUNESIM_RESOURCE_H
#define SCEPD_INTUNESIM_RESOURCE_H

#include "intunesim/call.h"

#define INTUNE_APP_ID "0000000a-0000-0000-c000-000000000000"

enum resource { RESOURCE_NONE, RESOURCE_GRAPH, RESOURCE_INTUNE };

#define ROLE_SCEP  "scep_challenge_provider"
#define ROLE_GRAPH "Application.Read.All"

/*
 * An identifier URI, with or without '/' at the end, or an application id.  The simulator's own
 * address means Graph: a client that is pointed here has it as its Graph resource.
 */
enum resource resource_find(const struct call *c, const char *uri);
/* Whose permission this is. */
enum resource resource_of_role(const char *role);

#endif
