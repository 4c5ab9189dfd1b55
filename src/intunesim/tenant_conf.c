/*
 * tenant_conf.c - the schema of tenant files.
 */
#include "intunesim/tenant_conf.h"

#include <stddef.h>

/* How much of each a tenant may have; the simulator keeps a row for every device and profile. */
#define APPS_MAX     64
#define USERS_MAX    4096
#define GROUPS_MAX   256
#define DEVICES_MAX  4096
#define ROOTS_MAX    64
#define PROFILES_MAX 128
#define MEMBERS_MAX  4096
#define SAN_MAX      32
#define URLS_MAX     16

#define PLATFORMS "windows|ios|macos|android"

const char *
platform_name(int p)
{
	static const char *const names[PLATFORM__MAX] = { "windows", "ios", "macos", "android" };

	return p >= 0 && p < PLATFORM__MAX ? names[p] : "unknown";
}

/*
 * Words that a file may say and Graph says: once, for the schema's "a|b|c" (FIRST, NEXT) and for
 * the tables of names (WORD).
 */
/* clang-format off */
#define FIRST(w) #w
#define NEXT(w)  "|" #w
#define WORD(w)  #w,
#define COMPLIANCES(F, N)                                                                          \
	F(unknown) N(compliant) N(noncompliant) N(conflict) N(error) N(inGracePeriod)              \
	N(configManager)
#define MANAGEMENT_STATES(F, N)                                                                    \
	F(managed) N(retirePending) N(retireFailed) N(wipePending) N(wipeFailed) N(unhealthy)      \
	N(deletePending) N(retireIssued) N(wipeIssued) N(wipeCanceled) N(retireCanceled)           \
	N(discovered)
#define REGISTRATIONS(F, N)                                                                        \
	F(registered) N(notRegistered) N(revoked) N(keyConflict) N(approvalPending)                \
	N(certificateReset) N(notRegisteredPendingEnrollment) N(unknown)
#define RISK_LEVELS(F, N) F(none) N(low) N(medium) N(high) N(hidden)
#define RISK_STATES(F, N)                                                                          \
	F(none) N(confirmedSafe) N(remediated) N(dismissed) N(atRisk) N(confirmedCompromised)
/* clang-format on */

#define NAME_FUNCTION(function, LIST)                                                              \
	const char *function(int i)                                                                \
	{                                                                                          \
		static const char *const names[] = { LIST(WORD, WORD) };                           \
                                                                                                   \
		return i >= 0 && (size_t)i < sizeof(names) / sizeof(names[0]) ? names[i]           \
									      : "unknown";         \
	}
NAME_FUNCTION(compliance_name, COMPLIANCES)
NAME_FUNCTION(management_state_name, MANAGEMENT_STATES)
NAME_FUNCTION(registration_name, REGISTRATIONS)
NAME_FUNCTION(risk_level_name, RISK_LEVELS)
NAME_FUNCTION(risk_state_name, RISK_STATES)

static const struct conf_row secret_rows[] = {
	{ .key = "value",
	    .type = CONF_STR,
	    .offset = offsetof(struct secret_conf, value),
	    .required = true,
	    .help = "the client secret itself" },
	{ .key = "expires",
	    .type = CONF_STR,
	    .offset = offsetof(struct secret_conf, expires),
	    .help = "RFC 3339 time after which Entra answers AADSTS7000222; never if left out" },
	{ NULL },
};
static const struct conf_schema secret_schema = { "secret", sizeof(struct secret_conf), secret_rows,
	0, offsetof(struct secret_conf, line) };

static const struct conf_row certificate_rows[] = {
	{ .key = "file",
	    .type = CONF_PATH,
	    .offset = offsetof(struct certificate_conf, file),
	    .help = "PEM or DER" },
	{ .key = "pem",
	    .type = CONF_STR,
	    .offset = offsetof(struct certificate_conf, pem),
	    .help = "the certificate itself" },
	{ NULL },
};
static const struct conf_schema certificate_schema = { "certificate",
	sizeof(struct certificate_conf), certificate_rows, 0,
	offsetof(struct certificate_conf, line) };

#define FEDERATED_STR(k, h)                                                                        \
	.key = #k, .type = CONF_STR, .offset = offsetof(struct federated_conf, k), .help = h
static const struct conf_row federated_rows[] = {
	{ FEDERATED_STR(issuer, "\"iss\" of its tokens"), .required = true },
	{ FEDERATED_STR(subject, "\"sub\" of its tokens"), .required = true },
	{ FEDERATED_STR(audience, "\"aud\" of its tokens"), .dflt = "api://AzureADTokenExchange" },
	{ .key = "keys",
	    .type = CONF_PATH,
	    .offset = offsetof(struct federated_conf, keys),
	    .help = "file with the issuer's JSON Web Keys" },
	{ FEDERATED_STR(jwks, "the issuer's JSON Web Keys themselves") },
	{ NULL },
};
static const struct conf_schema federated_schema = { "federated credential",
	sizeof(struct federated_conf), federated_rows, 0, offsetof(struct federated_conf, line) };

static const struct conf_row app_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    .offset = offsetof(struct app_conf, id),
	    .required = true,
	    .help = "application (client) id, a GUID" },
	{ .key = "name",
	    .type = CONF_STR,
	    .offset = offsetof(struct app_conf, name),
	    .dflt = "",
	    .help = "display name" },
	{ .key = "enabled",
	    .type = CONF_BOOL,
	    .offset = offsetof(struct app_conf, enabled),
	    .dflt = "true",
	    .help = "false: Entra answers AADSTS7000112" },
	{ .key = "secrets",
	    .type = CONF_LIST,
	    .offset = offsetof(struct app_conf, secrets),
	    .max = 16,
	    .sub = &secret_schema,
	    .help = "client secrets" },
	{ .key = "certificates",
	    .type = CONF_LIST,
	    .offset = offsetof(struct app_conf, certificates),
	    .max = 16,
	    .sub = &certificate_schema,
	    .help = "certificates whose keys may sign client assertions" },
	{ .key = "federated_credentials",
	    .type = CONF_LIST,
	    .offset = offsetof(struct app_conf, federated),
	    .max = 20,
	    .sub = &federated_schema,
	    .help = "whose tokens are taken as client assertions" },
	{ .key = "managed_identity",
	    .type = CONF_BOOL,
	    .offset = offsetof(struct app_conf, managed_identity),
	    .dflt = "false",
	    .help = "true: the managed identity endpoint gives its tokens away" },
	{ .key = "identity_header",
	    .type = CONF_STR,
	    .offset = offsetof(struct app_conf, identity_header),
	    .help = "X-IDENTITY-HEADER of the App Service form of that endpoint" },
	{ .key = "permissions",
	    .type = CONF_STR_LIST,
	    .offset = offsetof(struct app_conf, permissions),
	    .choices =
		"scep_challenge_provider|Application.Read.All|Device.Read.All|"
		"DeviceManagementConfiguration.Read.All|"
		"DeviceManagementManagedDevices.Read.All|Directory.Read.All|"
		"Group.Read.All|GroupMember.Read.All|IdentityRiskyUser.Read.All|User.Read.All",
	    .max = 16,
	    .help = "application permissions with admin consent" },
	{ NULL },
};
static const struct conf_schema app_schema = { "app", sizeof(struct app_conf), app_rows, 0,
	offsetof(struct app_conf, line) };

#define USER_STR(k, f, h)                                                                          \
	{                                                                                          \
		.key = k, .type = CONF_STR, .offset = offsetof(struct user_conf, f), .help = h     \
	}
static const struct conf_row user_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    .offset = offsetof(struct user_conf, id),
	    .required = true,
	    .help = "object id, a GUID" },
	{ .key = "upn",
	    .type = CONF_STR,
	    .offset = offsetof(struct user_conf, upn),
	    .required = true,
	    .help = "user principal name" },
	USER_STR("email", email, "mail address"),
	USER_STR("user_name", user_name, "{{UserName}}; the UPN up to '@' if left out"),
	USER_STR("given_name", given_name, "first name"),
	USER_STR("surname", surname, "family name"),
	USER_STR("name", name, "display name"),
	USER_STR("on_prem_sid", on_prem_sid, "SID of the synchronised account, S-1-5-21-..."),
	USER_STR("on_prem_dn", on_prem_dn, "distinguished name of the synchronised account"),
	USER_STR("sam_account", sam_account, "sAMAccountName of the synchronised account"),
	USER_STR("department", department, "department"),
	{ .key = "enabled",
	    .type = CONF_BOOL,
	    .offset = offsetof(struct user_conf, enabled),
	    .dflt = "true",
	    .help = "false: the account is disabled" },
	USER_STR("created", created, "RFC 3339 time; the simulator's start if left out"),
	USER_STR("sessions_valid_from", sessions_valid_from,
	    "RFC 3339 time: sign-ins from before it count no more"),
	USER_STR("deleted", deleted, "RFC 3339 time: in the recycle bin since then"),
	{ .key = "risk_level",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct user_conf, risk_level),
	    .dflt = "none",
	    .choices = RISK_LEVELS(FIRST, NEXT),
	    .help = "what Identity Protection thinks" },
	{ .key = "risk_state",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct user_conf, risk_state),
	    .dflt = "none",
	    .choices = RISK_STATES(FIRST, NEXT),
	    .help = "what became of the risk" },
	{ NULL },
};
static const struct conf_schema user_schema = { "user", sizeof(struct user_conf), user_rows, 0,
	offsetof(struct user_conf, line) };

static const struct conf_row group_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    .offset = offsetof(struct group_conf, id),
	    .help = "object id, a GUID; derived from the name if left out" },
	{ .key = "name",
	    .type = CONF_STR,
	    .offset = offsetof(struct group_conf, name),
	    .required = true,
	    .help = "display name" },
	{ .key = "users",
	    .type = CONF_STR_LIST,
	    .offset = offsetof(struct group_conf, users),
	    .max = MEMBERS_MAX,
	    .help = "members: ids or UPNs" },
	{ .key = "devices",
	    .type = CONF_STR_LIST,
	    .offset = offsetof(struct group_conf, devices),
	    .max = MEMBERS_MAX,
	    .help = "members: ids or names" },
	{ NULL },
};
static const struct conf_schema group_schema = { "group", sizeof(struct group_conf), group_rows, 0,
	offsetof(struct group_conf, line) };

#define DEVICE_STR(k, f, h)                                                                        \
	{                                                                                          \
		.key = k, .type = CONF_STR, .offset = offsetof(struct device_conf, f), .help = h   \
	}
static const struct conf_row device_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    .offset = offsetof(struct device_conf, id),
	    .required = true,
	    .help = "Intune device id, a GUID" },
	{ .key = "name",
	    .type = CONF_STR,
	    .offset = offsetof(struct device_conf, name),
	    .required = true,
	    .help = "device name" },
	DEVICE_STR("entra_id", entra_id, "Entra device id, a GUID"),
	{ .key = "platform",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, platform),
	    .required = true,
	    .choices = PLATFORMS,
	    .help = "operating system" },
	{ .key = "enrollment",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, enrollment),
	    .dflt = "default",
	    .choices =
		"default|personal_work_profile|corporate_work_profile|fully_managed|dedicated|aosp",
	    .help = "how an Android device is managed" },
	DEVICE_STR("user", user, "primary user: id or UPN"),
	DEVICE_STR("serial", serial, "serial number"),
	DEVICE_STR("imei", imei, "IMEI"),
	DEVICE_STR("meid", meid, "MEID"),
	DEVICE_STR("wifi_mac", wifi_mac, "MAC address of the Wi-Fi adapter"),
	DEVICE_STR("fqdn", fqdn, "fully qualified name of a domain-joined Windows device"),
	DEVICE_STR("os_version", os_version, "version of the operating system"),
	DEVICE_STR("on_prem_sid", on_prem_sid, "SID of the hybrid-joined computer account"),
	{ .key = "registered_keys",
	    .type = CONF_STR_LIST,
	    .offset = offsetof(struct device_conf, registered_keys),
	    .max = 16,
	    .help = "key identifiers (SHA-1, hex) of Windows Hello keys" },
	{ .key = "enabled",
	    .type = CONF_BOOL,
	    .offset = offsetof(struct device_conf, enabled),
	    .dflt = "true",
	    .help = "false: the device is disabled in Entra" },
	{ .key = "managed",
	    .type = CONF_BOOL,
	    .offset = offsetof(struct device_conf, managed),
	    .dflt = "true",
	    .help = "false: in Entra only, Intune does not manage it" },
	DEVICE_STR("object_id", object_id, "object id in Entra; derived if left out"),
	{ .key = "ownership",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, ownership),
	    .dflt = "default",
	    .choices = "default|company|personal",
	    .help = "whose it is; by default a personal work profile is personal" },
	{ .key = "compliance",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, compliance),
	    .dflt = "compliant",
	    .choices = COMPLIANCES(FIRST, NEXT),
	    .help = "complianceState" },
	{ .key = "management_state",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, management_state),
	    .dflt = "managed",
	    .choices = MANAGEMENT_STATES(FIRST, NEXT),
	    .help = "managementState; wipePending and retirePending are carried out at check-in" },
	{ .key = "registration",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, registration),
	    .dflt = "registered",
	    .choices = REGISTRATIONS(FIRST, NEXT),
	    .help = "deviceRegistrationState" },
	{ .key = "trust",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct device_conf, trust),
	    .dflt = "default",
	    .choices = "default|AzureAd|ServerAd|Workplace",
	    .help = "how it is joined to Entra; by default what its platform and SID suggest" },
	DEVICE_STR("enrolled", enrolled, "RFC 3339 time; the simulator's start if left out"),
	DEVICE_STR("last_sync", last_sync, "RFC 3339 time of the last check-in before the start"),
	{ NULL },
};
static const struct conf_schema device_schema = { "device", sizeof(struct device_conf), device_rows,
	0, offsetof(struct device_conf, line) };

static const struct conf_row root_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    .offset = offsetof(struct root_conf, id),
	    .help = "a GUID; derived from the name if left out" },
	{ .key = "name",
	    .type = CONF_STR,
	    .offset = offsetof(struct root_conf, name),
	    .required = true,
	    .help = "profile name" },
	{ .key = "platform",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct root_conf, platform),
	    .required = true,
	    .choices = PLATFORMS,
	    .help = "which devices it is for" },
	{ .key = "file",
	    .type = CONF_PATH,
	    .offset = offsetof(struct root_conf, file),
	    .help = "the certificate, PEM or DER; may be given by --root NAME=FILE" },
	{ .key = "pem",
	    .type = CONF_STR,
	    .offset = offsetof(struct root_conf, pem),
	    .help = "the certificate itself, instead of a file" },
	{ .key = "groups",
	    .type = CONF_STR_LIST,
	    .offset = offsetof(struct root_conf, groups),
	    .help = "assignments" },
	{ NULL },
};
static const struct conf_schema root_schema = { "trusted root", sizeof(struct root_conf), root_rows,
	0, offsetof(struct root_conf, line) };

static const struct conf_row san_rows[] = {
	{ .key = "type",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct san_conf, type),
	    .required = true,
	    .choices = "email|upn|dns|uri",
	    .help = "kind of name" },
	{ .key = "value",
	    .type = CONF_STR,
	    .offset = offsetof(struct san_conf, value),
	    .required = true,
	    .help = "text with variables" },
	{ NULL },
};
static const struct conf_schema san_schema = { "san", sizeof(struct san_conf), san_rows, 0,
	offsetof(struct san_conf, line) };

static const struct conf_row validity_rows[] = {
	{ .key = "period",
	    .type = CONF_CHOICE,
	    .offset = offsetof(struct profile_conf, validity.period) -
		offsetof(struct profile_conf, validity),
	    .dflt = "years",
	    .choices = "days|months|years",
	    .help = "unit" },
	{ .key = "units",
	    .type = CONF_U64,
	    .offset = offsetof(struct profile_conf, validity.units) -
		offsetof(struct profile_conf, validity),
	    .dflt = "1",
	    .min = 1,
	    .max = 3650,
	    .help = "how many of them" },
	{ NULL },
};
static const struct conf_schema validity_schema = { "validity",
	sizeof(((struct profile_conf *)0)->validity), validity_rows, 0, CONF_NO_LINE };

#define PROFILE_AT(f) .offset = offsetof(struct profile_conf, f)
static const struct conf_row profile_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    PROFILE_AT(id),
	    .help = "a GUID; derived from the name if left out" },
	{ .key = "name",
	    .type = CONF_STR,
	    PROFILE_AT(name),
	    .required = true,
	    .help = "profile name" },
	{ .key = "platform",
	    .type = CONF_CHOICE,
	    PROFILE_AT(platform),
	    .required = true,
	    .choices = PLATFORMS,
	    .help = "which devices it is for" },
	{ .key = "certificate_type",
	    .type = CONF_CHOICE,
	    PROFILE_AT(certificate_type),
	    .required = true,
	    .choices = "user|device",
	    .help = "whom the certificate names" },
	{ .key = "subject",
	    .type = CONF_STR,
	    PROFILE_AT(subject),
	    .dflt = "",
	    .help = "text with variables, or one of Intune's named formats" },
	{ .key = "san",
	    .type = CONF_LIST,
	    PROFILE_AT(san),
	    .max = SAN_MAX,
	    .sub = &san_schema,
	    .help = "subject alternative names" },
	{ .key = "key_usage",
	    .type = CONF_STR_LIST,
	    PROFILE_AT(key_usage),
	    .choices = "digitalSignature|keyEncipherment",
	    .max = 2,
	    .help = "one or both" },
	{ .key = "key_size",
	    .type = CONF_CHOICE,
	    PROFILE_AT(key_size),
	    .dflt = "2048",
	    .choices = "any|1024|2048|4096",
	    .help = "bits of the RSA key" },
	{ .key = "hash",
	    .type = CONF_CHOICE,
	    PROFILE_AT(hash),
	    .dflt = "sha256",
	    .choices = "sha1|sha256",
	    .help = "hash of the request" },
	{ .key = "eku",
	    .type = CONF_STR_LIST,
	    PROFILE_AT(eku),
	    .max = 16,
	    .help = "names (clientAuth ...) or dotted OIDs" },
	{ .key = "validity",
	    .type = CONF_MAP,
	    PROFILE_AT(validity),
	    .sub = &validity_schema,
	    .help = "what the device asks for" },
	{ .key = "ksp",
	    .type = CONF_CHOICE,
	    PROFILE_AT(ksp),
	    .dflt = "tpm_or_software",
	    .choices = "tpm_or_software|tpm|hello|software",
	    .help = "where Windows keeps the key" },
	{ .key = "renewal_threshold",
	    .type = CONF_U64,
	    PROFILE_AT(renewal_threshold),
	    .dflt = "20",
	    .min = 1,
	    .max = 99,
	    .help = "percent of the life left at renewal" },
	{ .key = "scep_urls",
	    .type = CONF_STR_LIST,
	    PROFILE_AT(scep_urls),
	    .max = URLS_MAX,
	    .help = "SCEP servers; --scep-url overrides them" },
	{ .key = "root",
	    .type = CONF_STR,
	    PROFILE_AT(root),
	    .required = true,
	    .help = "name of a trusted-root profile" },
	{ .key = "groups", .type = CONF_STR_LIST, PROFILE_AT(groups), .help = "assignments" },
	{ .key = "deployment_channel",
	    .type = CONF_CHOICE,
	    PROFILE_AT(deployment_channel),
	    .dflt = "device",
	    .choices = "device|user",
	    .help = "macOS only" },
	{ .key = "management",
	    .type = CONF_CHOICE,
	    PROFILE_AT(management),
	    .dflt = "default",
	    .choices = "default|work_profile|device_owner|aosp|device_administrator|phone",
	    .help = "which of Graph's types an Android profile has; phone: Windows Phone's" },
	{ .key = "ca_thumbprint",
	    .type = CONF_STR,
	    PROFILE_AT(ca_thumbprint),
	    .help = "SHA-1 of the CA certificate, hex; that of `root` if left out" },
	{ NULL },
};
static const struct conf_schema profile_schema = { "SCEP profile", sizeof(struct profile_conf),
	profile_rows, 0, offsetof(struct profile_conf, line) };

#define TENANT_AT(f)                                                                               \
	.offset = offsetof(struct tenant_file, tenant.f) - offsetof(struct tenant_file, tenant)
static const struct conf_row tenant_rows[] = {
	{ .key = "id",
	    .type = CONF_STR,
	    TENANT_AT(id),
	    .required = true,
	    .help = "tenant id, a GUID" },
	{ .key = "domain",
	    .type = CONF_STR_LIST,
	    TENANT_AT(domains),
	    .required = true,
	    .max = 16,
	    .help = "verified domains" },
	{ .key = "name", .type = CONF_STR, TENANT_AT(name), .dflt = "", .help = "display name" },
	{ .key = "intune",
	    .type = CONF_BOOL,
	    TENANT_AT(intune),
	    .dflt = "true",
	    .help = "false: without a licence, the service list lacks the SCEP service" },
	{ .key = "token_version",
	    .type = CONF_CHOICE,
	    TENANT_AT(token_version),
	    .dflt = "1",
	    .choices = "1|2",
	    .help = "the form of access tokens" },
	{ NULL },
};
static const struct conf_schema tenant_schema = { "tenant",
	sizeof(((struct tenant_file *)0)->tenant), tenant_rows, 0,
	offsetof(struct tenant_file, tenant.line) - offsetof(struct tenant_file, tenant) };

#define FILE_LIST(k, n, s, h)                                                                      \
	{                                                                                          \
		.key = #k, .type = CONF_LIST, .offset = offsetof(struct tenant_file, k), .max = n, \
		.sub = &s, .help = h                                                               \
	}
static const struct conf_row file_rows[] = {
	{ .key = "tenant",
	    .type = CONF_MAP,
	    .offset = offsetof(struct tenant_file, tenant),
	    .required = true,
	    .sub = &tenant_schema,
	    .help = "the directory" },
	FILE_LIST(apps, APPS_MAX, app_schema, "app registrations"),
	FILE_LIST(users, USERS_MAX, user_schema, "users"),
	FILE_LIST(groups, GROUPS_MAX, group_schema, "groups"),
	FILE_LIST(devices, DEVICES_MAX, device_schema, "managed devices"),
	FILE_LIST(trusted_roots, ROOTS_MAX, root_schema, "trusted certificate profiles"),
	FILE_LIST(scep_profiles, PROFILES_MAX, profile_schema, "SCEP certificate profiles"),
	{ NULL },
};
const struct conf_schema tenant_file_schema = { "tenant file", sizeof(struct tenant_file),
	file_rows, 0, CONF_NO_LINE };
