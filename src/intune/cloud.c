/*
 * cloud.c - Microsoft's national clouds by name.
 */
#include "base/text.h"
#include "intune/settings.h"

/*
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and
 * https://learn.microsoft.com/graph/deployments for Entra and Graph.  The Intune resource of the US
 * government clouds is a name of the same service principal in them.  GCC lives in the public
 * cloud; what 21Vianet calls the Intune resource is not published.
 */
static const struct cloud clouds[] = {
	{ "public", "commercial", "https://login.microsoftonline.com/",
	    "https://graph.microsoft.com/", "https://api.manage.microsoft.com/" },
	{ "gcc", NULL, "https://login.microsoftonline.com/", "https://graph.microsoft.com/",
	    "https://api.manage.microsoft.com/" },
	{ "gcchigh", "gcc-high", "https://login.microsoftonline.us/", "https://graph.microsoft.us/",
	    "https://api.manage.microsoft.us/" },
	{ "dod", NULL, "https://login.microsoftonline.us/", "https://dod-graph.microsoft.us/",
	    "https://api.manage.microsoft.us/" },
	{ "china", "21vianet", "https://login.partner.microsoftonline.cn/",
	    "https://microsoftgraph.chinacloudapi.cn/", NULL },
};

const struct cloud *
cloud_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
		if (str_eq_nocase(name, clouds[i].name) ||
		    (clouds[i].alias != NULL && str_eq_nocase(name, clouds[i].alias)))
			return &clouds[i];
	}
	return NULL;
}
