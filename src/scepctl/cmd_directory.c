/*
 * cmd_directory.c - scepctl directory: what Entra and Intune know of a user or device.
 *
 * It asks with the very app of the tenant, so it also shows whether that app has the permissions
 * which revocation by the directory's state needs.
 */
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "intune.h"
#include "scepctl/ctl.h"
#include "scepd/tenant.h"

struct options {
	const char *config, *tenant;
	bool json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ "tenant", 't', OPT_STR, offsetof(struct options, tenant), "NAME",
	    "which tenant of the configuration (default: the only one)" },
	OPT_FLAG_ROW("json", options, json, "as JSON"),
	{ .name = NULL },
};

/* What is shown of a kind, in order. */
enum field_type { FIELD_TEXT, FIELD_YES_NO, FIELD_TIME };
struct field {
	const char *label, *key;
	enum field_type type;
	size_t offset;
};

union found {
	struct intune_user user;
	struct intune_device device;
	struct intune_managed_device managed;
};
/* print_text() and print_json() read the presence of whichever it is. */
_Static_assert(offsetof(struct intune_user, presence) == 0, "first member");
_Static_assert(offsetof(struct intune_device, presence) == 0, "first member");
_Static_assert(offsetof(struct intune_managed_device, presence) == 0, "first member");

#define USER(l, k, t, f)                                                                           \
	{                                                                                          \
		l, k, FIELD_##t, offsetof(struct intune_user, f)                                   \
	}
#define DEVICE(l, k, t, f)                                                                         \
	{                                                                                          \
		l, k, FIELD_##t, offsetof(struct intune_device, f)                                 \
	}
#define MANAGED(l, k, t, f)                                                                        \
	{                                                                                          \
		l, k, FIELD_##t, offsetof(struct intune_managed_device, f)                         \
	}

static const struct field user_fields[] = {
	USER("Object id", "id", TEXT, id),
	USER("Name", "userPrincipalName", TEXT, user_principal_name),
	USER("Enabled", "accountEnabled", YES_NO, account_enabled),
	USER("On-prem SID", "onPremisesSecurityIdentifier", TEXT, on_premises_sid),
	USER("Deleted", "deletedDateTime", TIME, deleted),
	USER("Sign-ins from", "signInSessionsValidFromDateTime", TIME, sign_in_sessions_valid_from),
	{ 0 },
};
static const struct field device_fields[] = {
	DEVICE("Device id", "deviceId", TEXT, device_id),
	DEVICE("Object id", "id", TEXT, id),
	DEVICE("Name", "displayName", TEXT, display_name),
	DEVICE("System", "operatingSystem", TEXT, operating_system),
	DEVICE("Version", "operatingSystemVersion", TEXT, operating_system_version),
	DEVICE("Joined", "trustType", TEXT, trust_type),
	DEVICE("On-prem SID", "onPremisesSecurityIdentifier", TEXT, on_premises_sid),
	DEVICE("Enabled", "accountEnabled", YES_NO, account_enabled),
	DEVICE("Compliant", "isCompliant", YES_NO, is_compliant),
	DEVICE("Managed", "isManaged", YES_NO, is_managed),
	DEVICE("Last sign-in", "approximateLastSignInDateTime", TIME, last_sign_in),
	DEVICE("Registered", "registrationDateTime", TIME, registered),
	{ 0 },
};
static const struct field managed_fields[] = {
	MANAGED("Intune id", "id", TEXT, id),
	MANAGED("Name", "deviceName", TEXT, device_name),
	MANAGED("Entra device", "azureADDeviceId", TEXT, entra_device_id),
	MANAGED("User", "userPrincipalName", TEXT, user_principal_name),
	MANAGED("User id", "userId", TEXT, user_id),
	MANAGED("Serial", "serialNumber", TEXT, serial_number),
	MANAGED("IMEI", "imei", TEXT, imei),
	MANAGED("Wi-Fi MAC", "wiFiMacAddress", TEXT, wifi_mac),
	MANAGED("System", "operatingSystem", TEXT, operating_system),
	MANAGED("Version", "osVersion", TEXT, os_version),
	MANAGED("Owner", "managedDeviceOwnerType", TEXT, owner_type),
	MANAGED("Compliance", "complianceState", TEXT, compliance_state),
	MANAGED("Management", "managementState", TEXT, management_state),
	MANAGED("Registration", "deviceRegistrationState", TEXT, device_registration_state),
	MANAGED("Enrolled", "enrolledDateTime", TIME, enrolled),
	MANAGED("Last sync", "lastSyncDateTime", TIME, last_sync),
	{ 0 },
};

static enum intune_status
ask_user(struct intune_client *c, const char *key, union found *out, struct intune_error *e)
{
	return intune_find_user(c, key, &out->user, e);
}

static enum intune_status
ask_device(struct intune_client *c, const char *key, union found *out, struct intune_error *e)
{
	return intune_find_device(c, key, &out->device, e);
}

static enum intune_status
ask_managed(struct intune_client *c, const char *key, union found *out, struct intune_error *e)
{
	return intune_find_managed_device(c, key, &out->managed, e);
}

static enum intune_status
ask_serial(struct intune_client *c, const char *key, union found *out, struct intune_error *e)
{
	return intune_find_managed_device_by(c, INTUNE_BY_SERIAL_NUMBER, key, &out->managed, e);
}

static const struct kind {
	const char *name;
	enum intune_status (*ask)(
	    struct intune_client *c, const char *key, union found *out, struct intune_error *e);
	const struct field *fields;
} kinds[] = {
	{ "user", ask_user, user_fields },
	{ "device", ask_device, device_fields },
	{ "managed-device", ask_managed, managed_fields },
	{ "serial", ask_serial, managed_fields },
};

static enum rc
find_kind(const struct kind **out, const char *name, struct err *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*out = &kinds[i];
			return RC_OK;
		}
	}
	(void)fail(err, RC_CONFIG, "\"%.40s\" is nothing that a directory has", name);
	return err_hint(err, "ask for user, device, managed-device or serial");
}

static enum rc
find_tenant(
    const struct conf_tenant **out, const struct config *c, const char *name, struct err *err)
{
	const struct conf_tenant *t = c->tenants.v;

	if (name == NULL && c->tenants.n == 1) {
		*out = t;
		return RC_OK;
	}
	for (size_t i = 0; name != NULL && i < c->tenants.n; i++) {
		if (strcmp(t[i].name, name) == 0) {
			*out = &t[i];
			return RC_OK;
		}
	}
	if (name == NULL)
		return fail(err, RC_CONFIG,
		    "the configuration has %zu tenants: say which by --tenant", c->tenants.n);
	return fail(err, RC_NOTFOUND, "the configuration has no tenant \"%.80s\"", name);
}

static const char *
field_text(char buf[static CTL_TIME_MAX], const struct field *f, const union found *found)
{
	const char *at = (const char *)found + f->offset;
	enum intune_tristate said;
	int64_t t;

	switch (f->type) {
	case FIELD_YES_NO:
		memcpy(&said, at, sizeof(said));
		return said == INTUNE_UNSAID ? "" : said == INTUNE_YES ? "yes" : "no";
	case FIELD_TIME:
		memcpy(&t, at, sizeof(t));
		return t != 0 ? ctl_time(buf, t) : "";
	default:
		return at;
	}
}

static void
print_text(const struct kind *k, const union found *found)
{
	char when[CTL_TIME_MAX], safe[512];
	const char *text;

	(void)printf("%-13s %s\n", "Directory", intune_presence_name(found->user.presence));
	for (const struct field *f = k->fields; f->label != NULL; f++) {
		text = field_text(when, f, found);
		if (text[0] != '\0')
			(void)printf("%-13s %s\n", f->label, ctl_safe(safe, sizeof(safe), text));
	}
}

static bool
add_json(json_t *o, const struct field *f, const union found *found)
{
	const char *at = (const char *)found + f->offset;
	enum intune_tristate said;
	int64_t t;

	switch (f->type) {
	case FIELD_YES_NO:
		memcpy(&said, at, sizeof(said));
		return json_object_set_new(o, f->key,
			   said == INTUNE_UNSAID ? json_null()
						 : json_boolean(said == INTUNE_YES)) == 0;
	case FIELD_TIME:
		memcpy(&t, at, sizeof(t));
		return ctl_json_time(o, f->key, t);
	default:
		return ctl_json_str(o, f->key, at[0] != '\0' ? at : NULL);
	}
}

static int
print_json(const struct kind *k, const union found *found)
{
	json_t *o = json_object();
	bool ok =
	    o != NULL && ctl_json_str(o, "presence", intune_presence_name(found->user.presence));

	for (const struct field *f = k->fields; f->label != NULL; f++)
		ok = ok && add_json(o, f, found);
	return ctl_json_print(o, ok);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	const struct conf_tenant *conf;
	struct config *config = NULL;
	struct tenant *tenant = NULL;
	const struct kind *k = NULL;
	struct intune_error e;
	union found found;
	struct err err = { 0 };
	int status;
	enum rc rc;

	if ((rc = find_kind(&k, args[0], &err)) == RC_OK)
		rc = ctl_config(&config, o->config, &err);
	if (rc == RC_OK && (rc = find_tenant(&conf, config, o->tenant, &err)) == RC_OK)
		rc = tenant_open(&tenant, config, conf, &err);
	if (rc == RC_OK && k->ask(tenant_client(tenant), args[1], &found, &e) != INTUNE_OK)
		rc = tenant_error(&err, &e);
	if (rc != RC_OK) {
		status = err_report(PROG, &err);
	} else if (o->json) {
		status = print_json(k, &found);
	} else {
		print_text(k, &found);
		status = EX_OK;
	}
	tenant_free(tenant);
	config_free(config);
	return status;
}

const struct command cmd_directory = {
	.name = "directory",
	.args = "KIND ID",
	.help = "what Entra and Intune know of a user or device",
	.about =
	    "Asks Microsoft Graph with the app of a tenant.  KIND is user (by UPN or object id), "
	    "device "
	    "(by Entra device id), managed-device (by Intune id) or serial (by serial number).\n\n"
	    "  scepctl directory user jane.doe@contoso.com\n"
	    "  scepctl directory --json device 9a7b6c5d-1111-4b4b-8d8d-000000000201\n\n"
	    "found, deleted (in the recycle bin), gone (by id: Graph says that it is not there), "
	    "or not "
	    "listed (nothing has this name or number now, which proves nothing about another).\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
