/*
 * services.h - the handlers that the router's table names.
 */
#ifndef SCEPD_INTUNESIM_SERVICES_H
#define SCEPD_INTUNESIM_SERVICES_H

#include "intunesim/call.h"

/* Under the URI that discovery tells; what Microsoft's service appends to its own host. */
#define SCEP_SERVICE_NAME "ScepRequestValidationFEService"
#define SCEP_SERVICE_PATH                                                                          \
	"/RACerts/ScepRequestValidationFEService/Gateway/StatelessScepRequestValidationService"

#define REVOCATION_SERVICE_NAME "PkiConnectorFEService"
#define REVOCATION_SERVICE_PATH "/RACerts/StatelessPkiConnectorService"

/* entra.c: arg[0] is the tenant */
void entra_token(struct call *c);
void entra_token_v1(struct call *c);
void entra_token_wrong_method(struct call *c);
/* metadata.c: arg[0] is the tenant, but for the instance */
void entra_instance(struct call *c);
void entra_openid(struct call *c);
void entra_openid_v1(struct call *c);
void entra_keys(struct call *c);
/* managed.c */
void managed_imds(struct call *c);
void managed_app_service(struct call *c);
/* graph.c: arg[0] is the application id of a service principal */
void graph_endpoints(struct call *c);
/* The same of graph.windows.net; arg[0] is the tenant, arg[1] the application id */
void aad_graph_endpoints(struct call *c);
/* graph_users.c: arg[0] is the key */
void graph_user_list(struct call *c);
void graph_user(struct call *c);
void graph_deleted_list(struct call *c);
void graph_deleted(struct call *c);
void graph_risky_list(struct call *c);
void graph_risky(struct call *c);
/* graph_groups.c: arg[0] is the group's id */
void graph_group_list(struct call *c);
void graph_group(struct call *c);
void graph_group_members(struct call *c);
/* graph_devices.c: arg[0] is the key */
void graph_device_list(struct call *c);
void graph_device(struct call *c);
void graph_device_by_id(struct call *c);
void graph_managed_list(struct call *c);
void graph_managed(struct call *c);
/* graph_delta.c */
void graph_user_delta(struct call *c);
void graph_device_delta(struct call *c);
/* graph_profile.c: arg[0] is the profile's id */
void graph_configuration_list(struct call *c);
void graph_configuration(struct call *c);
void graph_assignments(struct call *c);
/* graph_certificate.c */
void graph_certificate_list(struct call *c);
/* revocation_api.c */
void revocation_download(struct call *c);
void revocation_upload(struct call *c);
/* actions.c */
void action_validate(struct call *c);
void action_success(struct call *c);
void action_failure(struct call *c);
/* device_api.c: arg[0] is the device */
void device_checkin(struct call *c);
void device_installed(struct call *c);
void device_failed(struct call *c);
/* faults_api.c */
void faults_get(struct call *c);
void faults_put(struct call *c);
void faults_delete(struct call *c);
/*
 * admin_api.c: arg[0] is a tenant, arg[1] a kind of object, arg[2] an id or name;
 * admin_acts.c: arg[1] is the id or name.
 */
void admin_tenants(struct call *c);
void admin_list(struct call *c);
void admin_get(struct call *c);
void admin_create(struct call *c);
void admin_patch(struct call *c);
void admin_delete(struct call *c);
void admin_deleted(struct call *c);
void admin_restore(struct call *c);
void admin_members_add(struct call *c);
void admin_members_remove(struct call *c);
void admin_wipe(struct call *c);
void admin_retire(struct call *c);
void admin_unenrol(struct call *c);
void admin_revocations(struct call *c);
void admin_revoke(struct call *c);
void admin_clock(struct call *c);
void admin_clock_set(struct call *c);
/* sync_api.c: arg[0] is the tenant, arg[1] the device */
void device_sync(struct call *c);
/* web.c: arg[0] is a file of the page */
void web_index(struct call *c);
void web_file(struct call *c);
/* report.c */
void report_json(struct call *c);
void report_text(struct call *c);
void report_requests(struct call *c);

#endif
