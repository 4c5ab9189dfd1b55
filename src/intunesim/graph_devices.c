/*
 * graph_devices.c - devices of Entra and managed devices of Intune, as Graph shows them.
 *
 * The permissions are the least ones that Microsoft's reference names for reading with an app of
 * its own.
 */
#include <stddef.h>

#include "intunesim/graph.h"
#include "intunesim/services.h"

#define PAGE_MANAGED 1000u /* objects of a page of Intune's list */

static const char *const roles_device[] = { "Device.Read.All", "Directory.Read.All", NULL };
static const char *const roles_managed[] = { "DeviceManagementManagedDevices.Read.All", NULL };

/* ---- devices of Entra ---- */

/* A string of the conf that an item points to; `arg` is its offset. */
static json_t *
device_text(const struct call *c, const void *item, size_t arg)
{
	const struct device *it = item;

	return json_text_or_null(
	    *(const char *const *)(const void *)((const char *)it->conf + arg));
}

static json_t *
device_object_id(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_string(d->object_id);
}

static json_t *
device_enabled(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_boolean(d->conf->enabled);
}

/* "Windows" in Entra, "Windows", "iOS", "macOS", "Android" in Intune too. */
static json_t *
device_os(const struct call *c, const void *item, size_t arg)
{
	static const char *const names[PLATFORM__MAX] = { "Windows", "iOS", "macOS", "Android" };
	const struct device *d = item;

	return json_string(names[d->conf->platform]);
}

/* Entra learns it from Intune; null for what Intune does not manage or has not judged. */
static json_t *
device_is_compliant(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	if (!d->conf->managed || d->conf->compliance == COMPLIANCE_UNKNOWN)
		return json_null();
	return json_boolean(d->conf->compliance == COMPLIANCE_COMPLIANT ||
	    d->conf->compliance == COMPLIANCE_IN_GRACE_PERIOD);
}

static json_t *
device_is_managed(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return d->conf->managed ? json_true() : json_null();
}

static json_t *
device_trust(const struct call *c, const void *item, size_t arg)
{
	static const char *const names[] = { "", "AzureAd", "ServerAd", "Workplace" };
	const struct device *d = item;

	if (d->conf->trust != TRUST_DEFAULT)
		return json_string(names[d->conf->trust]);
	if (d->conf->on_prem_sid != NULL)
		return json_string(names[TRUST_SERVER_AD]);
	return json_string(
	    names[d->conf->platform == PLATFORM_WINDOWS ? TRUST_AZURE_AD : TRUST_WORKPLACE]);
}

static json_t *
device_last_sync(const struct call *c, const void *item, size_t arg)
{
	return json_time_or_null(state_last_sync(c->sim->state, item));
}

#define DEVICE(n, f)                                                                               \
	{                                                                                          \
		n, device_text, offsetof(struct device_conf, f), 0                                 \
	}
#define DEVICE_TIME(n, f)                                                                          \
	{                                                                                          \
		n, graph_item_time, offsetof(struct device, f), 0                                  \
	}
static const struct graph_member device_members[] = {
	{ "id", device_object_id, 0, 0 },
	{ "deletedDateTime", graph_no_value, 0, 0 },
	{ "accountEnabled", device_enabled, 0, 0 },
	{ "approximateLastSignInDateTime", device_last_sync, 0, 0 },
	DEVICE_TIME("createdDateTime", enrolled),
	DEVICE("deviceId", entra_id),
	DEVICE("displayName", name),
	{ "isCompliant", device_is_compliant, 0, 0 },
	{ "isManaged", device_is_managed, 0, 0 },
	{ "operatingSystem", device_os, 0, 0 },
	DEVICE("operatingSystemVersion", os_version),
	DEVICE("onPremisesSecurityIdentifier", on_prem_sid),
	DEVICE_TIME("registrationDateTime", enrolled),
	{ "trustType", device_trust, 0, 0 },
};

static size_t
devices_count(const void *source)
{
	const struct tenant *t = source;

	return t->n_devices;
}

static const void *
devices_item(const void *source, size_t i)
{
	const struct tenant *t = source;

	return t->devices[i].conf->entra_id != NULL ? &t->devices[i] : NULL;
}

const struct graph_type graph_devices = {
	"microsoft.graph.device",
	"devices",
	GRAPH_MEMBERS(device_members),
	roles_device,
	GRAPH_PAGE_DIRECTORY,
	devices_count,
	devices_item,
	NULL,
};

void
graph_device_list(struct call *c)
{
	graph_list(c, &graph_devices);
}

/* By the object's own id. */
void
graph_device(struct call *c)
{
	const struct device *d;

	if (!graph_admit(c, roles_device))
		return;
	d = tenant_device_by_object_id(c->tenant, c->arg[0]);
	if (d != NULL && d->conf->entra_id == NULL)
		d = NULL;
	graph_one(c, &graph_devices, c->arg[0], d);
}

/* devices(deviceId='...') */
void
graph_device_by_id(struct call *c)
{
	if (!graph_admit(c, roles_device))
		return;
	graph_one(c, &graph_devices, c->arg[0], tenant_device_by_entra_id(c->tenant, c->arg[0]));
}

/* ---- devices of Intune ---- */

static json_t *
always_true(const struct call *c, const void *item, size_t arg)
{
	return json_true();
}

/* Fleet of a company unless it is somebody's own phone. */
static json_t *
managed_owner(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;
	bool personal = d->conf->ownership == OWNERSHIP_PERSONAL ||
	    (d->conf->ownership == OWNERSHIP_DEFAULT &&
		d->conf->enrollment == ENROLLMENT_PERSONAL_WORK_PROFILE);

	return json_string(personal ? "personal" : "company");
}

static json_t *
managed_compliance(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_string(compliance_name(d->conf->compliance));
}

static json_t *
managed_state(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_string(management_state_name(d->conf->management_state));
}

static json_t *
managed_registration(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_string(registration_name(d->conf->registration));
}

static json_t *
managed_agent(const struct call *c, const void *item, size_t arg)
{
	return json_string("mdm");
}

/* Graph writes the nil GUID where there is no Entra device. */
static json_t *
managed_entra_id(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;

	return json_string(
	    d->conf->entra_id != NULL ? d->conf->entra_id : "00000000-0000-0000-0000-000000000000");
}

/* The device's user; strings that nobody has are empty in Intune's list, and not null. */
static json_t *
managed_user(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;
	const char *s = NULL;

	if (d->user != NULL)
		s = *(const char *const *)(const void *)((const char *)d->user + arg);
	return json_string(s != NULL ? s : "");
}

static json_t *
managed_text(const struct call *c, const void *item, size_t arg)
{
	const struct device *d = item;
	const char *s = *(const char *const *)(const void *)((const char *)d->conf + arg);

	return json_string(s != NULL ? s : "");
}

#define MANAGED(n, f)                                                                              \
	{                                                                                          \
		n, managed_text, offsetof(struct device_conf, f), 0                                \
	}
#define OWNER(n, f)                                                                                \
	{                                                                                          \
		n, managed_user, offsetof(struct user_conf, f), 0                                  \
	}
static const struct graph_member managed_members[] = {
	MANAGED("id", id),
	OWNER("userId", id),
	MANAGED("deviceName", name),
	{ "managedDeviceOwnerType", managed_owner, 0, 0 },
	DEVICE_TIME("enrolledDateTime", enrolled),
	{ "lastSyncDateTime", device_last_sync, 0, 0 },
	{ "operatingSystem", device_os, 0, 0 },
	{ "complianceState", managed_compliance, 0, 0 },
	{ "managementAgent", managed_agent, 0, 0 },
	MANAGED("osVersion", os_version),
	{ "azureADRegistered", always_true, 0, 0 },
	{ "azureADDeviceId", managed_entra_id, 0, 0 },
	{ "deviceRegistrationState", managed_registration, 0, 0 },
	OWNER("emailAddress", email),
	OWNER("userPrincipalName", upn),
	OWNER("userDisplayName", name),
	MANAGED("serialNumber", serial),
	MANAGED("imei", imei),
	MANAGED("meid", meid),
	MANAGED("wiFiMacAddress", wifi_mac),
	{ "managementState", managed_state, 0, GRAPH_BETA },
};

static const void *
managed_item(const void *source, size_t i)
{
	const struct tenant *t = source;

	return t->devices[i].conf->managed ? &t->devices[i] : NULL;
}

static const struct graph_type managed_devices = {
	"microsoft.graph.managedDevice",
	"deviceManagement/managedDevices",
	GRAPH_MEMBERS(managed_members),
	roles_managed,
	PAGE_MANAGED,
	devices_count,
	managed_item,
	NULL,
};

void
graph_managed_list(struct call *c)
{
	graph_list(c, &managed_devices);
}

/* By Intune's id; a name is no key in Graph. */
void
graph_managed(struct call *c)
{
	const struct device *d = NULL;

	if (!graph_admit(c, roles_managed))
		return;
	if (guid_valid(c->arg[0]))
		d = tenant_device(c->tenant, c->arg[0]);
	graph_one(c, &managed_devices, c->arg[0], d != NULL && d->conf->managed ? d : NULL);
}
