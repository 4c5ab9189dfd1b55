/*
 * router.c - which path is whose, and the one log line of a request.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "intunesim/control.h"
#include "intunesim/fault_kinds.h"
#include "intunesim/services.h"

/*
 * {} in a pattern stands for the rest of a segment up to what follows it, v* for one of Graph's
 * versions.  Literal text matches without regard to case, and an empty segment ("//", which some
 * clients make when they join URLs) counts for nothing.
 */
static const struct route {
	const char *method, *pattern;
	void (*handler)(struct call *c);
	const char *name;   /* for the log */
	bool secrets;       /* bodies hold secrets, tokens or challenges: not for /sim/requests */
	bool control;       /* the administrator's: control.h */
	bool device;        /* a device's: not for pages, control.h */
	bool quiet;         /* asking the simulator about itself is not worth remembering */
	enum sim_step step; /* where it can go wrong on purpose */
} routes[] = {
	{ "POST", "{}/oauth2/v2.0/token", entra_token, "token", .secrets = true,
	    .step = SIM_STEP_TOKEN },
	{ NULL, "{}/oauth2/v2.0/token", entra_token_wrong_method, "token", .secrets = true },
	{ "POST", "{}/oauth2/token", entra_token_v1, "token", .secrets = true,
	    .step = SIM_STEP_TOKEN },
	{ NULL, "{}/oauth2/token", entra_token_wrong_method, "token", .secrets = true },
	{ "GET", "metadata/identity/oauth2/token", managed_imds, "token", .secrets = true,
	    .step = SIM_STEP_TOKEN },
	{ "GET", "msi/token", managed_app_service, "token", .secrets = true,
	    .step = SIM_STEP_TOKEN },
	{ "GET", "common/discovery/instance", entra_instance, "instance" },
	{ "GET", "{}/v2.0/.well-known/openid-configuration", entra_openid, "openid" },
	{ "GET", "{}/.well-known/openid-configuration", entra_openid_v1, "openid" },
	{ "GET", "{}/discovery/v2.0/keys", entra_keys, "keys" },
	{ "GET", "{}/discovery/keys", entra_keys, "keys" },
	{ "GET", "{}/servicePrincipalsByAppId/{}/serviceEndpoints", aad_graph_endpoints,
	    "endpoints", .step = SIM_STEP_DISCOVERY },
	{ "GET", "v1.0/servicePrincipals/appId={}/endpoints", graph_endpoints, "endpoints",
	    .step = SIM_STEP_DISCOVERY },
	{ "GET", "v1.0/servicePrincipals(appId='{}')/endpoints", graph_endpoints, "endpoints",
	    .step = SIM_STEP_DISCOVERY },
	{ "GET", "v*/users/delta", graph_user_delta, "users/delta", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/users/{}", graph_user, "users", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/users", graph_user_list, "users", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/directory/deletedItems/microsoft.graph.user", graph_deleted_list,
	    "deletedItems", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/directory/deletedItems/microsoft.graph.user/{}", graph_deleted, "deletedItems",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/directory/deletedItems/{}/microsoft.graph.user", graph_deleted, "deletedItems",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/directory/deletedItems/{}", graph_deleted, "deletedItems",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/identityProtection/riskyUsers", graph_risky_list, "riskyUsers",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/identityProtection/riskyUsers/{}", graph_risky, "riskyUsers",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/groups", graph_group_list, "groups", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/groups/{}", graph_group, "groups", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/groups/{}/transitiveMembers", graph_group_members, "transitiveMembers",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/groups/{}/members", graph_group_members, "members", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/devices/delta", graph_device_delta, "devices/delta", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/devices/{}", graph_device, "devices", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/devices(deviceId='{}')", graph_device_by_id, "devices",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/devices", graph_device_list, "devices", .step = SIM_STEP_GRAPH },
	{ "GET", "v*/deviceManagement/managedDevices", graph_managed_list, "managedDevices",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/deviceManagement/managedDevices/{}", graph_managed, "managedDevices",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "v*/deviceManagement/managedDevices('{}')", graph_managed, "managedDevices",
	    .step = SIM_STEP_GRAPH },
	{ "GET", "beta/deviceManagement/deviceConfigurations", graph_configuration_list,
	    "deviceConfigurations", .step = SIM_STEP_GRAPH },
	{ "GET", "beta/deviceManagement/deviceConfigurations/{}", graph_configuration,
	    "deviceConfigurations", .step = SIM_STEP_GRAPH },
	{ "GET", "beta/deviceManagement/deviceConfigurations/{}/assignments", graph_assignments,
	    "assignments", .step = SIM_STEP_GRAPH },
	{ "GET", "beta/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates",
	    graph_certificate_list, "certificateStates", .step = SIM_STEP_GRAPH },
	{ "POST",
	    REVOCATION_SERVICE_PATH "/CertificateAuthorityRequests/downloadRevocationRequests",
	    revocation_download, "downloadRevocationRequests", .step = SIM_STEP_DOWNLOAD },
	{ "POST", REVOCATION_SERVICE_PATH "/CertificateAuthorityRequests/uploadRevocationResults",
	    revocation_upload, "uploadRevocationResults", .step = SIM_STEP_UPLOAD },
	{ "POST", SCEP_SERVICE_PATH "/ScepActions/validateRequest", action_validate,
	    "validateRequest", .step = SIM_STEP_VALIDATE },
	{ "POST", SCEP_SERVICE_PATH "/ScepActions/successNotification", action_success,
	    "successNotification", .step = SIM_STEP_SUCCESS },
	{ "POST", SCEP_SERVICE_PATH "/ScepActions/failureNotification", action_failure,
	    "failureNotification", .step = SIM_STEP_FAILURE },
	{ "POST", "sim/devices/{}/checkin", device_checkin, "checkin", .secrets = true,
	    .device = true, .step = SIM_STEP_CHECKIN },
	{ "POST", "sim/devices/{}/installed", device_installed, "installed", .device = true },
	{ "POST", "sim/devices/{}/failed", device_failed, "failed", .device = true },
	/* HEAD too */
	{ NULL, "", web_index, "page", .control = true, .quiet = true },
	{ NULL, "sim", web_index, "page", .control = true, .quiet = true },
	{ NULL, "sim/page/{}", web_file, "page", .control = true, .quiet = true },
	{ "GET", "sim/report", report_json, "report", .control = true, .quiet = true },
	{ "GET", "sim/report.txt", report_text, "report", .control = true, .quiet = true },
	{ "GET", "sim/requests", report_requests, "requests", .control = true, .quiet = true },
	{ "GET", "sim/tenants", admin_tenants, "tenants", .control = true, .quiet = true },
	{ "GET", "sim/tenants/{}/deleted", admin_deleted, "deleted", .control = true,
	    .quiet = true },
	{ "POST", "sim/tenants/{}/deleted/{}/restore", admin_restore, "restore", .control = true },
	{ "POST", "sim/tenants/{}/groups/{}/members", admin_members_add, "members-add",
	    .control = true },
	{ "DELETE", "sim/tenants/{}/groups/{}/members", admin_members_remove, "members-remove",
	    .control = true },
	{ "POST", "sim/tenants/{}/devices/{}/sync", device_sync, "sync", .control = true },
	{ "POST", "sim/tenants/{}/devices/{}/wipe", admin_wipe, "wipe", .control = true },
	{ "POST", "sim/tenants/{}/devices/{}/retire", admin_retire, "retire", .control = true },
	{ "POST", "sim/tenants/{}/devices/{}/unenrol", admin_unenrol, "unenrol", .control = true },
	{ "GET", "sim/tenants/{}/{}", admin_list, "list", .control = true, .quiet = true },
	{ "POST", "sim/tenants/{}/{}", admin_create, "create", .control = true, .secrets = true },
	{ "GET", "sim/tenants/{}/{}/{}", admin_get, "get", .control = true, .quiet = true },
	{ "PATCH", "sim/tenants/{}/{}/{}", admin_patch, "patch", .control = true, .secrets = true },
	{ "DELETE", "sim/tenants/{}/{}/{}", admin_delete, "delete", .control = true },
	{ "GET", "sim/revocations", admin_revocations, "revocations", .control = true,
	    .quiet = true },
	{ "POST", "sim/revocations", admin_revoke, "revoke", .control = true },
	{ "GET", "sim/clock", admin_clock, "clock", .control = true, .quiet = true },
	{ "PUT", "sim/clock", admin_clock_set, "clock", .control = true },
	{ "GET", "sim/faults", faults_get, "faults", .control = true, .quiet = true },
	{ "PUT", "sim/faults", faults_put, "faults", .control = true, .quiet = true },
	{ "DELETE", "sim/faults", faults_delete, "faults", .control = true, .quiet = true },
};
#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

/* What a match has captured, as strings. */
struct captures {
	char text[CAPTURES_MAX][CAPTURE_MAX];
	size_t n;
};

/* The next segment of a path that is not empty; false at the end. */
static bool
next_segment(const char **path, const char **seg, size_t *len)
{
	*seg = *path + strspn(*path, "/");
	*len = strcspn(*seg, "/");
	*path = *seg + *len;
	return *len > 0;
}

static bool
capture(struct captures *c, const char *p, size_t len)
{
	if (len == 0 || len >= CAPTURE_MAX || c->n == CAPTURES_MAX)
		return false;
	memcpy(c->text[c->n], p, len);
	c->text[c->n++][len] = '\0';
	return true;
}

static bool
match_segment(struct captures *c, const char *pat, size_t pat_len, const char *seg, size_t len)
{
	const char *hole = memmem(pat, pat_len, "{}", 2);
	size_t before, after;

	if (pat_len == 2 && memcmp(pat, "v*", 2) == 0)
		return (len == 4 && strncasecmp(seg, "v1.0", 4) == 0) ||
		    (len == 4 && strncasecmp(seg, "beta", 4) == 0);
	if (hole == NULL)
		return pat_len == len && strncasecmp(pat, seg, len) == 0;
	before = (size_t)(hole - pat);
	after = pat_len - before - 2;
	if (len < before + after || strncasecmp(pat, seg, before) != 0 ||
	    strncasecmp(hole + 2, seg + len - after, after) != 0)
		return false;
	return capture(c, seg + before, len - before - after);
}

static bool
match(struct captures *c, const char *pattern, const char *path)
{
	const char *pat, *seg;
	size_t pat_len, len;
	bool more_pat, more;

	c->n = 0;
	for (;;) {
		more_pat = next_segment(&pattern, &pat, &pat_len);
		more = next_segment(&path, &seg, &len);
		if (!more_pat || !more)
			return more_pat == more;
		if (!match_segment(c, pat, pat_len, seg, len))
			return false;
	}
}

/* The route; or NULL, and whether another method would have found one. */
static const struct route *
find_route(struct captures *c, const struct http_request *req, const char *path, bool *other_method)
{
	*other_method = false;
	for (size_t i = 0; i < N_ROUTES; i++) {
		if (!match(c, routes[i].pattern, path))
			continue;
		if (routes[i].method == NULL || strcmp(routes[i].method, req->method) == 0)
			return &routes[i];
		*other_method = true;
	}
	return NULL;
}

/* The caller's own id if it sent a good one, as Microsoft's services do. */
static enum rc
name_call(struct call *c, struct err *err)
{
	const char *sent = http_header0(c->req, "client-request-id");
	enum rc rc;

	if ((rc = guid_random(c->request_id, err)) != RC_OK)
		return rc;
	if (sent == NULL || !guid_valid(sent))
		return guid_random(c->correlation_id, err);
	memcpy(c->correlation_id, sent, GUID_TEXT_MAX);
	return RC_OK;
}

static void
log_call(const struct call *c, const struct route *r, uint64_t began)
{
	struct log_line l;

	log_begin(
	    &l, r != NULL && r->quiet ? LOG_DEBUG : LOG_INFO, r != NULL ? r->name : "unknown");
	log_str(&l, "peer", c->req->peer);
	log_int(&l, "status", c->reply->status);
	log_str(&l, "tenant", c->tenant != NULL ? tenant_domain0(c->tenant) : NULL);
	log_str(&l, "device", c->device != NULL ? c->device->conf->name : NULL);
	log_str(&l, "profile", c->profile != NULL ? c->profile->conf->name : NULL);
	log_str(&l, "code", c->outcome);
	log_str(&l, "detail", c->detail[0] != '\0' ? c->detail : NULL);
	if (c->fault != NULL) {
		log_str(&l, "fault", c->fault->name);
		log_int(&l, "rule", (int64_t)c->fault_place);
	}
	if (r == NULL)
		log_str(&l, "path", c->req->path);
	log_str(&l, "id", c->correlation_id);
	log_int(&l, "us", (int64_t)(clock_mono_us() - began));
	log_end(&l);
}

/* Services that have moved are where they were, behind a prefix. */
static const char *
without_prefix(const char *path)
{
	return str_starts(path, MOVED_PREFIX "/") ? path + strlen(MOVED_PREFIX) : path;
}

/* The handler, and what is to go wrong before it, instead of it, and after it. */
static void
serve(struct call *c, const struct route *r, bool moved)
{
	struct fault_rule fault;

	c->step = r->step;
	if (faults_draw(c->sim->faults, r->step, moved, &fault, &c->fault_place))
		c->fault = fault.kind;
	if (c->fault == NULL) {
		r->handler(c);
		return;
	}
	if (c->fault->before == NULL || !c->fault->before(c, &fault)) {
		r->handler(c);
		if (c->fault->after != NULL)
			c->fault->after(c, &fault);
	}
	c->forced = c->moved_to = NULL;
}

static void
route(struct call *c, const struct route *r, bool moved, bool other_method)
{
	struct err err;

	if (name_call(c, &err) != RC_OK)
		call_broken(c, &err);
	else if (r == NULL || (moved && r->step == SIM_STEP_NONE))
		call_error(c, other_method ? 405 : 404, "%s",
		    other_method ? "not with this method" : "there is nothing here");
	else if ((!r->control || control_admit(c)) && (!r->device || control_admit_device(c)))
		serve(c, r, moved);
}

void
sim_handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct call c = { .sim = ctx, .view = sim_view(ctx), .req = req, .reply = reply };
	const char *path = without_prefix(req->path);
	uint64_t began = clock_mono_us();
	struct captures captures;
	const struct route *r;
	bool other_method;

	r = find_route(&captures, req, path, &other_method);
	for (size_t i = 0; r != NULL && i < captures.n; i++)
		c.arg[i] = captures.text[i];
	route(&c, r, path != req->path, other_method);
	if (r == NULL || !r->quiet)
		requests_add(c.sim->requests, req, reply, r != NULL && r->secrets);
	log_call(&c, r, began);
	view_done(c.view);
}
