/*
 * tenant.h - one simulated tenant at one moment: its directory, profiles and keys, ready for use.
 *
 * A struct tenant is a snapshot.  A deed of the administrator makes another one, with the same keys
 * and the same index, and leaves this one to the calls that still look at it.  What survives from
 * one snapshot to the next is named by ids, never by pointers into it.
 *
 * Threads: immutable once loaded; tenant_ref()/tenant_free() count references atomically.
 */
#ifndef SCEPD_INTUNESIM_TENANT_H
#define SCEPD_INTUNESIM_TENANT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intunesim/guid.h"
#include "intunesim/jwk.h"
#include "intunesim/tenant_conf.h"
#include "ossl/cert.h"
#include "ossl/key.h"

#define TENANTS_MAX    16 /* of one simulator */
#define THUMBPRINT_MAX 41 /* SHA-1 in upper-case hex, and its NUL */
#define EKU_MAX        16
#define RECYCLE_LIFE   (30 * 86400) /* seconds that Entra keeps a deleted user */

struct app_secret {
	const char *value;
	int64_t expires; /* wall seconds */
};

struct app_cert {
	struct cert *cert;
	char x5t[X5T_MAX], x5t_s256[X5T_MAX];
};

struct app_federated {
	const struct federated_conf *conf;
	struct jwks keys;
};

struct app {
	const struct app_conf *conf;
	struct app_secret *secrets;
	struct app_cert *certs;
	struct app_federated *federated;
	size_t n_secrets, n_certs, n_federated;
};

struct root {
	const struct root_conf *conf;
	char id[GUID_TEXT_MAX];
	struct cert *cert; /* NULL: none was given */
	char thumbprint[THUMBPRINT_MAX];
};

struct profile {
	const struct profile_conf *conf;
	char id[GUID_TEXT_MAX];
	const char *subject;      /* format text; "" for none */
	unsigned key_usage;       /* KU_* */
	unsigned key_bits;        /* 0: any */
	const char *eku[EKU_MAX]; /* dotted */
	size_t n_eku;
	const struct root *root;
	char ca_thumbprint[THUMBPRINT_MAX]; /* or "" */
	/*
	 * Of subject, alternative names, validity and extended key usages: when it changes, Intune
	 * makes devices enrol again.  Compare for equality.
	 */
	uint64_t edition;
};

/* What a user_conf says, ready for use: the one of file.users with the same place. */
struct user {
	const struct user_conf *conf;
	int64_t created, sessions_valid_from; /* wall seconds */
	int64_t deleted;                      /* 0: not */
};

struct group {
	const struct group_conf *conf;
	char id[GUID_TEXT_MAX];
	uint8_t *devices; /* a bit for each of tenant->devices: it or its user is a member */
};

struct tenant;

struct device {
	const struct tenant *tenant;
	const struct device_conf *conf;
	const struct user_conf *user;  /* NULL: none; one in the recycle bin is still its user */
	char object_id[GUID_TEXT_MAX]; /* of the device object in Entra */
	int64_t enrolled, last_sync;   /* wall seconds; last_sync 0: state_last_sync() knows more */
	size_t index;                  /* in tenant->devices */
};

/* Names without regard to case, sorted, each with what it stands for. */
struct name_entry {
	const char *name;
	const void *item;
};
struct name_index {
	struct name_entry *v;
	size_t n;
};

/* A key with its self-signed certificate. */
struct pair {
	struct key *key;
	struct cert *cert;
	char thumbprint[THUMBPRINT_MAX];
};

struct tenant {
	atomic_uint refs;
	struct conf *conf; /* owns every string of `file` */
	struct tenant_file file;
	const char *id;                 /* the tenant's GUID */
	char account_id[GUID_TEXT_MAX]; /* Intune's own name for it */
	struct app *apps;
	struct root *roots;
	struct device *devices;
	struct profile *profiles;
	struct group *groups;
	struct user *users; /* parallel to file.users */
	size_t n_apps, n_roots, n_devices, n_profiles, n_groups;
	/* Users in the recycle bin are in binned_by_id only. */
	struct name_index users_by_id, users_by_upn, binned_by_id;
	struct name_index devices_by_id, devices_by_name, devices_by_entra_id, devices_by_object_id;
	struct name_index groups_by_id, groups_by_name, profiles_by_id, profiles_by_name;
	int64_t since;         /* wall seconds: when the first snapshot was made */
	struct pair signer;    /* of challenges and tokens */
	struct pair recipient; /* of challenges */
	size_t index;          /* among the simulator's tenants; the same in every snapshot */
};

/* "--root NAME=FILE": NAME may hold '*' and '?'. */
struct root_option {
	const char *name, *file;
	bool used; /* some profile had such a name */
};

/*
 * Read and check a tenant file, make the tenant's keys.  Options mark what they were used for.
 * RC_CONFIG names file, line and key.  *out is the caller's.
 */
enum rc tenant_load(struct tenant **out, const char *path, struct root_option *roots,
    size_t n_roots, struct err *err) MUST_CHECK;
/* The same from memory; `name` stands for the path. */
enum rc tenant_parse(struct tenant **out, const char *name, const void *bytes, size_t len,
    struct root_option *roots, size_t n_roots, struct err *err) MUST_CHECK;
/*
 * The next snapshot of `old`: the same keys and index, everything else from `bytes`.
 * RC_CONFIG names `name`, line and key.
 */
enum rc tenant_renew(struct tenant **out, const struct tenant *old, const char *name,
    const void *bytes, size_t len, struct err *err) MUST_CHECK;
struct tenant *tenant_ref(struct tenant *t);
void tenant_free(struct tenant *t);

/*
 * Look-ups; names without regard to case.  NULL when unknown.  All borrowed from the tenant.
 * Users, devices, groups and profiles are found in logarithmic time.
 */
bool tenant_is(const struct tenant *t, const char *id_or_domain);
const char *tenant_domain0(const struct tenant *t);
const struct app *tenant_app(const struct tenant *t, const char *id);
const struct user_conf *tenant_user(const struct tenant *t, const char *id_or_upn);
/* One in the recycle bin, by id; it may have been there for longer than RECYCLE_LIFE. */
const struct user *tenant_binned(const struct tenant *t, const char *id);
/* Deleted, and not for longer than RECYCLE_LIFE by the clock. */
bool user_in_bin(const struct user *u);
/* The whole of a user, live or in the bin. */
const struct user *tenant_user_of(const struct tenant *t, const struct user_conf *u);
/* Of Intune and Entra; look at conf->managed and conf->entra_id for which of them knows it. */
const struct device *tenant_device(const struct tenant *t, const char *id_or_name);
const struct device *tenant_device_by_entra_id(const struct tenant *t, const char *entra_id);
const struct device *tenant_device_by_object_id(const struct tenant *t, const char *object_id);
const struct group *tenant_group(const struct tenant *t, const char *id_or_name);
const struct profile *tenant_profile(const struct tenant *t, const char *id);
/* The group exists: one of the file, "All users" or "All devices". */
bool tenant_has_group(const struct tenant *t, const char *name);
/* The device, or its user, is in one of the groups. */
bool tenant_assigns(const struct tenant *t, const struct device *d, const struct conf_strs *groups);
/*
 * Android that belongs to the organisation (device owner and AOSP): Intune never revokes its
 * certificates.
 */
bool device_is_corporate_android(const struct device *d);
/* Managed, of the profile's platform, and assigned: the device is to have its certificate. */
bool tenant_targets(const struct device *d, const struct profile *p);

#endif
