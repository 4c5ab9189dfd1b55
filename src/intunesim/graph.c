/*
 * graph.c - Microsoft Graph, as far as a CA asks it where Intune's services are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/access.h"
#include "intunesim/graph.h"
#include "intunesim/resource.h"
#include "intunesim/services.h"

/*
 * Part of what a tenant's list holds; two addresses are ours, the others are of no
 * use to a CA and only show that the one has to be picked out of several.
 */
static const struct {
	const char *name, *uri; /* "/...": on this very host */
} services[] = {
	{ "DeviceEnrollmentFEService",
	    "https://fef.msua01.manage.microsoft.com/StatelessDeviceEnrollmentService" },
	{ SCEP_SERVICE_NAME, SCEP_SERVICE_PATH },
	{ REVOCATION_SERVICE_NAME, REVOCATION_SERVICE_PATH },
	{ "ReportingFEService", "https://fef.msua01.manage.microsoft.com/ReportingFEService" },
	{ "TermsOfUseFEService", "https://portal.manage.microsoft.com/TermsofUse.aspx" },
};

/* One entry of the list, in the words of one of the two Graphs. */
typedef json_t *entry_fn(const char *id, const char *name, const char *uri);

static json_t *
graph_entry(const char *id, const char *name, const char *uri)
{
	return json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s}", "id", id, "deletedDateTime",
	    "capability", name, "providerId", INTUNE_APP_ID, "providerName", name,
	    "providerResourceId", name, "uri", uri);
}

static json_t *
aad_graph_entry(const char *id, const char *name, const char *uri)
{
	return json_pack("{s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:s, s:s}", "odata.type",
	    "Microsoft.DirectoryServices.ServiceEndpoint", "objectType", "ServiceEndpoint",
	    "objectId", id, "deletionTimestamp", "capability", name, "serviceId", INTUNE_APP_ID,
	    "serviceName", name, "serviceResourceId", name, "uri", uri);
}

static json_t *
make_entry(const struct call *c, entry_fn *entry, const char *name, const char *uri)
{
	char id[GUID_TEXT_MAX];

	return guid_derive(id, c->tenant->id, name, NULL) == RC_OK ? entry(id, name, uri) : NULL;
}

static json_t *
make_list(const struct call *c, entry_fn *entry)
{
	json_t *list = json_array();
	struct buf uri;

	buf_init(&uri, 4096);
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		bool ours = services[i].uri[0] == '/';

		if (ours && !c->tenant->file.tenant.intune)
			continue;
		buf_reset(&uri);
		if (ours)
			call_service_url(&uri, c);
		buf_adds(&uri, services[i].uri);
		if (json_array_append_new(
			list, make_entry(c, entry, services[i].name, buf_str(&uri))) != 0) {
			json_decref(list);
			list = NULL;
			break;
		}
	}
	buf_done(&uri);
	return list;
}

static void
answer(struct call *c)
{
	struct buf base;
	json_t *list;

	buf_init(&base, 4096);
	call_base_url(&base, c);
	if ((list = make_list(c, graph_entry)) == NULL) {
		call_json(c, 500, NULL);
	} else {
		call_note(c, "endpoints", "%zu services", json_array_size(list));
		call_json(c, 200,
		    json_pack("{s:o, s:o}", "@odata.context",
			json_sprintf("%s/v1.0/$metadata#servicePrincipals('%s')/endpoints",
			    buf_str(&base), INTUNE_APP_ID),
			"value", list));
	}
	buf_done(&base);
}

void
graph_endpoints(struct call *c)
{
	static const char *const roles[] = { ROLE_GRAPH, NULL };

	if (!graph_admit(c, roles))
		return;
	if (!str_eq_nocase(c->arg[0], INTUNE_APP_ID)) {
		graph_not_found(c, c->arg[0]);
		return;
	}
	answer(c);
}

/* ---- graph.windows.net ---- */

static void
aad_graph_error(struct call *c, int status, const char *code, const char *message)
{
	char date[TIME_TEXT_MAX];

	time_rfc3339(date, clock_now());
	date[strcspn(date, "Z")] = '\0';
	call_note(c, code, "%s", message);
	call_json(c, status,
	    json_pack("{s:{s:s, s:{s:s, s:s}, s:s, s:s}}", "odata.error", "code", code, "message",
		"lang", "en", "value", message, "requestId", c->request_id, "date", date));
}

static bool
is_version_1_6(const struct call *c)
{
	char *version;
	size_t len;
	bool same;

	if (http_form_get(&version, &len, c->req->query, strlen(c->req->query), "api-version", true,
		NULL) != RC_OK)
		return false;
	same = version != NULL && strcmp(version, "1.6") == 0;
	free(version);
	return same;
}

static void
aad_graph_answer(struct call *c)
{
	struct buf base;
	json_t *list;

	buf_init(&base, 4096);
	call_base_url(&base, c);
	if ((list = make_list(c, aad_graph_entry)) == NULL) {
		call_json(c, 500, NULL);
	} else {
		call_note(c, "endpoints", "%zu services", json_array_size(list));
		call_json(c, 200,
		    json_pack("{s:o, s:o}", "odata.metadata",
			json_sprintf(
			    "%s/%s/$metadata#directoryObjects", buf_str(&base), c->tenant->id),
			"value", list));
	}
	buf_done(&base);
}

void
aad_graph_endpoints(struct call *c)
{
	enum access a = access_check(c, RESOURCE_AAD_GRAPH, ROLE_GRAPH);

	http_reply_header(c->reply, "request-id", c->request_id);
	http_reply_header(c->reply, "client-request-id", c->correlation_id);
	if (a != ACCESS_GRANTED)
		aad_graph_error(c, access_status(a),
		    access_status(a) == 401 ? "Authentication_MissingOrMalformed" : access_code(a),
		    access_text(a));
	else if (!tenant_is(c->tenant, c->arg[0]))
		aad_graph_error(c, 403, "Authentication_Unauthorized",
		    "The token is of another tenant than the address.");
	else if (!is_version_1_6(c))
		aad_graph_error(c, 400, "Request_BadRequest",
		    "The specified api-version is invalid. The value must exactly match a "
		    "supported version.");
	else if (!str_eq_nocase(c->arg[1], INTUNE_APP_ID))
		aad_graph_error(c, 404, "Request_ResourceNotFound",
		    "Resource not found for the segment 'servicePrincipalsByAppId'.");
	else
		aad_graph_answer(c);
}
