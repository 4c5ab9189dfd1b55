/*
 * resource.h - the services that tokens are for, by the names Entra knows them.
 */
#ifndef SCEPD_INTUNESIM_RESOURCE_H
#define SCEPD_INTUNESIM_RESOURCE_H

#include "intunesim/call.h"

#define INTUNE_APP_ID "0000000a-0000-0000-c000-000000000000"

/* A set of bits: the simulator's own address is both Graphs. */
enum resource {
	RESOURCE_NONE = 0,
	RESOURCE_GRAPH = 1,
	RESOURCE_INTUNE = 2,
	RESOURCE_AAD_GRAPH = 4 /* graph.windows.net, what Graph was before */
};

#define ROLE_SCEP  "scep_challenge_provider"
#define ROLE_GRAPH "Application.Read.All"

/*
 * An identifier URI, with or without '/' at the end, or an application id.  The simulator's own
 * address means Graph, old and new: a client that is pointed here has it as its Graph resource.
 */
unsigned resource_find(const struct call *c, const char *uri);
/* Whose permission this is. */
unsigned resource_of_role(const char *role);
/* Of the first resource in the set: what "aud" is in a token of version 2.  Static; "" for none. */
const char *resource_app_id(unsigned resources);

#endif
