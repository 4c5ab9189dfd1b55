/*
 * tenant_int.h - what the files that load a tenant share.
 */
#ifndef SCEPD_INTUNESIM_TENANT_INT_H
#define SCEPD_INTUNESIM_TENANT_INT_H

#include "intunesim/tenant.h"

/* Exactly `len` hex digits. */
bool is_hex(const char *s, size_t len);
/* The id that is given, or one derived from the name. */
enum rc take_id(char out[static GUID_TEXT_MAX], const struct tenant *t, int line, const char *id,
    const char *name, struct err *err) MUST_CHECK;
/* A GUID, or not given. */
enum rc need_guid(const struct tenant *t, int line, const char *key, const char *value,
    struct err *err) MUST_CHECK;
enum rc need_groups(
    const struct tenant *t, int line, const struct conf_strs *groups, struct err *err) MUST_CHECK;
/* Two structs of `items` have the same string at `offset`: an error at the later line. */
enum rc need_unique(const struct tenant *t, const struct conf_items *items, size_t size,
    size_t offset, size_t line_offset, const char *key, struct err *err) MUST_CHECK;

#define UNIQUE(t, items, type, field, key, err)                                                    \
	need_unique(t, items, sizeof(struct type), offsetof(struct type, field),                   \
	    offsetof(struct type, line), key, err)

/* tenant_app.c: an app registration and what proves it; tenant_app_done() also releases half of one. */
enum rc tenant_load_app(
    struct app *a, const struct tenant *t, const struct app_conf *c, struct err *err) MUST_CHECK;
void tenant_app_done(struct app *a);

/* tenant_index.c: all indexes of one kind of thing; the names in one must differ. */
enum indexed { INDEX_USERS, INDEX_DEVICES, INDEX_GROUPS, INDEX_PROFILES };
enum rc tenant_index(struct tenant *t, enum indexed what, struct err *err) MUST_CHECK;
/* The item of this name, or NULL. */
const void *index_find(const struct name_index *ix, const char *name);
void tenant_index_done(struct tenant *t);
/* Resolve the members of all groups; users and devices must have been loaded. */
enum rc tenant_load_groups(struct tenant *t, struct err *err) MUST_CHECK;

/* tenant_profile.c: SCEP profiles; the roots must have been loaded. */
enum rc tenant_load_profiles(struct tenant *t, struct err *err) MUST_CHECK;
/* tenant_keys.c: the roots' certificates, and the tenant's own keys. */
enum rc tenant_load_root_certs(
    struct tenant *t, struct root_option *options, size_t n, struct err *err) MUST_CHECK;
enum rc tenant_make_keys(struct tenant *t, struct err *err) MUST_CHECK;
/* The same keys as another snapshot of this tenant. */
enum rc tenant_share_keys(struct tenant *t, const struct tenant *old, struct err *err) MUST_CHECK;

#endif
