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

enum certificate_type { CERTIFICATE_USER, CERTIFICATE_DEVICE };
enum key_size { KEY_SIZE_ANY, KEY_SIZE_1024, KEY_SIZE_2048, KEY_SIZE_4096 };
enum hash_choice { HASH_SHA1, HASH_SHA256 };
enum validity_period { VALIDITY_DAYS, VALIDITY_MONTHS, VALIDITY_YEARS };
enum ksp { KSP_TPM_OR_SOFTWARE, KSP_TPM, KSP_HELLO, KSP_SOFTWARE };
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
	int line;
};

struct group_conf {
	const char *name;
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
	int line;
};

struct root_conf {
	const char *name;
	int platform;
	const char *file;
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
	int deployment_channel;
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
