/*
 * tenant_conf.h - what a tenant file says, field by field (intunesim.yaml(5)).
 *
 * Strings and arrays belong to the struct conf that was loaded; NULL is "not given".
 */
#ifndef SCEPD_INTUNESIM_TENANT_CONF_H
#define SCEPD_INTUNESIM_TENANT_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

enum platform { PLATFORM_WINDOWS, PLATFORM_IOS, PLATFORM_MACOS, PLATFORM_ANDROID, PLATFORM__MAX };
const char *platform_name(int p); /* "windows"; static */

/* How an Android device is managed decides which variables have a value. */
enum enrollment {
	ENROLLMENT_DEFAULT, /* not Android, or nothing special */
	ENROLLMENT_PERSONAL_WORK_PROFILE,
	ENROLLMENT_CORPORATE_WORK_PROFILE,
	ENROLLMENT_FULLY_MANAGED,
	ENROLLMENT_DEDICATED,
	ENROLLMENT_AOSP,
};

/* Names and order of Graph's enumerations (docs of deviceManagement, identityProtection). */
enum compliance {
	COMPLIANCE_UNKNOWN,
	COMPLIANCE_COMPLIANT,
	COMPLIANCE_NONCOMPLIANT,
	COMPLIANCE_CONFLICT,
	COMPLIANCE_ERROR,
	COMPLIANCE_IN_GRACE_PERIOD,
	COMPLIANCE_CONFIG_MANAGER
};
enum management_state {
	MANAGEMENT_MANAGED,
	MANAGEMENT_RETIRE_PENDING,
	MANAGEMENT_RETIRE_FAILED,
	MANAGEMENT_WIPE_PENDING,
	MANAGEMENT_WIPE_FAILED,
	MANAGEMENT_UNHEALTHY,
	MANAGEMENT_DELETE_PENDING,
	MANAGEMENT_RETIRE_ISSUED,
	MANAGEMENT_WIPE_ISSUED,
	MANAGEMENT_WIPE_CANCELED,
	MANAGEMENT_RETIRE_CANCELED,
	MANAGEMENT_DISCOVERED
};
enum registration {
	REGISTRATION_REGISTERED,
	REGISTRATION_NOT_REGISTERED,
	REGISTRATION_REVOKED,
	REGISTRATION_KEY_CONFLICT,
	REGISTRATION_APPROVAL_PENDING,
	REGISTRATION_CERTIFICATE_RESET,
	REGISTRATION_NOT_REGISTERED_PENDING_ENROLLMENT,
	REGISTRATION_UNKNOWN
};
enum ownership { OWNERSHIP_DEFAULT, OWNERSHIP_COMPANY, OWNERSHIP_PERSONAL };
enum trust { TRUST_DEFAULT, TRUST_AZURE_AD, TRUST_SERVER_AD, TRUST_WORKPLACE };
/* "wipePending"; static */
const char *compliance_name(int c);
const char *management_state_name(int m);
const char *registration_name(int r);
const char *risk_level_name(int r);
const char *risk_state_name(int r);

enum certificate_type { CERTIFICATE_USER, CERTIFICATE_DEVICE };
enum key_size { KEY_SIZE_ANY, KEY_SIZE_1024, KEY_SIZE_2048, KEY_SIZE_4096 };
enum hash_choice { HASH_SHA1, HASH_SHA256 };
enum validity_period { VALIDITY_DAYS, VALIDITY_MONTHS, VALIDITY_YEARS };
enum ksp { KSP_TPM_OR_SOFTWARE, KSP_TPM, KSP_HELLO, KSP_SOFTWARE };
/* Graph has a type of profile for each way of managing Android. */
enum management_kind {
	MANAGEMENT_KIND_DEFAULT, /* a work profile's, where it matters */
	MANAGEMENT_KIND_WORK_PROFILE,
	MANAGEMENT_KIND_DEVICE_OWNER,
	MANAGEMENT_KIND_AOSP,
	MANAGEMENT_KIND_DEVICE_ADMINISTRATOR,
	MANAGEMENT_KIND_PHONE
};
enum channel { CHANNEL_DEVICE, CHANNEL_USER };

struct secret_conf {
	const char *value;
	const char *expires; /* RFC 3339, or NULL: never */
	int line;
};

/* One of the two. */
struct certificate_conf {
	const char *file, *pem;
	int line;
};

/* Somebody else's tokens that prove the app (workload identity federation). */
struct federated_conf {
	const char *issuer, *subject, *audience;
	const char *keys, *jwks; /* JSON Web Keys: a file, or the text; one of the two */
	int line;
};

struct app_conf {
	const char *id, *name;
	bool enabled;
	struct conf_items secrets;      /* struct secret_conf */
	struct conf_items certificates; /* struct certificate_conf */
	struct conf_items federated;    /* struct federated_conf */
	bool managed_identity;
	const char *identity_header; /* what App Service gives its own programs; NULL: none */
	struct conf_strs permissions;
	int line;
};

struct user_conf {
	const char *id, *upn, *email, *user_name, *given_name, *surname, *name;
	const char *on_prem_sid, *on_prem_dn, *sam_account, *department;
	bool enabled;
	const char *created, *sessions_valid_from; /* RFC 3339, or NULL */
	const char *deleted; /* RFC 3339: in the recycle bin since then; NULL: not */
	int risk_level, risk_state;
	int line;
};

struct group_conf {
	const char *id, *name;
	struct conf_strs users, devices; /* ids or names */
	int line;
};

struct device_conf {
	const char *id, *name, *entra_id;
	int platform, enrollment;
	const char *user; /* id or UPN */
	const char *serial, *imei, *meid, *wifi_mac, *fqdn, *os_version, *on_prem_sid;
	struct conf_strs registered_keys; /* SHA-1 key identifiers in hex, for Windows Hello */
	bool enabled;
	bool managed;          /* false: Entra knows the device, Intune does not (any more) */
	const char *object_id; /* Entra's own id of the device object, or NULL */
	int ownership, compliance, management_state, registration, trust;
	const char *enrolled, *last_sync; /* RFC 3339, or NULL */
	int line;
};

struct root_conf {
	const char *id, *name;
	int platform;
	const char *file;
	const char *pem; /* the certificate itself, instead of a file */
	struct conf_strs groups;
	int line;
};

struct san_conf {
	int type; /* the order of enum san_type */
	const char *value;
	int line;
};

struct profile_conf {
	const char *id, *name;
	int platform, certificate_type;
	const char *subject;
	struct conf_items san; /* struct san_conf */
	struct conf_strs key_usage;
	int key_size, hash;
	struct conf_strs eku;
	struct {
		int period;
		uint64_t units;
	} validity;
	int ksp;
	uint64_t renewal_threshold; /* percent */
	struct conf_strs scep_urls;
	const char *root;
	struct conf_strs groups;
	int deployment_channel, management;
	const char *ca_thumbprint;
	int line;
};

struct tenant_file {
	struct {
		const char *id, *name;
		struct conf_strs domains;
		bool intune;       /* licensed: the service list names the SCEP service */
		int token_version; /* 0: version 1, 1: version 2 */
		int line;
	} tenant;
	struct conf_items apps, users, groups, devices, trusted_roots, scep_profiles;
};

extern const struct conf_schema tenant_file_schema;

#endif
