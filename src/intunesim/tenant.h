/*
 * tenant.h - one simulated tenant: its directory, profiles and keys, ready for use.
 *
 * Threads: immutable once loaded.
 */
#ifndef SCEPD_INTUNESIM_TENANT_H
#define SCEPD_INTUNESIM_TENANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intunesim/guid.h"
#include "intunesim/tenant_conf.h"
#include "ossl/cert.h"
#include "ossl/key.h"

#define THUMBPRINT_MAX 41 /* SHA-1 in upper-case hex, and its NUL */
#define EKU_MAX        16

struct app_secret {
	const char *value;
	int64_t expires; /* wall seconds */
};

struct app {
	const struct app_conf *conf;
	struct app_secret *secrets;
	size_t n_secrets;
};

struct root {
	const struct root_conf *conf;
	char id[GUID_TEXT_MAX];
	struct cert *cert; /* NULL: no file was given */
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
};

struct tenant;

struct device {
	const struct tenant *tenant;
	const struct device_conf *conf;
	const struct user_conf *user; /* NULL: none */
	size_t index;                 /* in tenant->devices */
};

/* A key with its self-signed certificate. */
struct pair {
	struct key *key;
	struct cert *cert;
	char thumbprint[THUMBPRINT_MAX];
};

struct tenant {
	struct conf *conf; /* owns every string of `file` */
	struct tenant_file file;
	const char *id;                 /* the tenant's GUID */
	char account_id[GUID_TEXT_MAX]; /* Intune's own name for it */
	struct app *apps;
	struct root *roots;
	struct device *devices;
	struct profile *profiles;
	size_t n_apps, n_roots, n_devices, n_profiles;
	struct pair signer;    /* of challenges and tokens */
	struct pair recipient; /* of challenges */
	size_t index;          /* among the simulator's tenants */
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
void tenant_free(struct tenant *t);

/* Look-ups; names without regard to case.  NULL when unknown.  All borrowed from the tenant. */
bool tenant_is(const struct tenant *t, const char *id_or_domain);
const char *tenant_domain0(const struct tenant *t);
const struct app *tenant_app(const struct tenant *t, const char *id);
const struct user_conf *tenant_user(const struct tenant *t, const char *id_or_upn);
const struct device *tenant_device(const struct tenant *t, const char *id_or_name);
const struct profile *tenant_profile(const struct tenant *t, const char *id);
/* The group exists: one of the file, "All users" or "All devices". */
bool tenant_has_group(const struct tenant *t, const char *name);
/* The device, or its user, is in one of the groups. */
bool tenant_assigns(const struct tenant *t, const struct device *d, const struct conf_strs *groups);

#endif
