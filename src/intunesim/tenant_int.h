/*
 * tenant_int.h - what the files that load a tenant share.
 */
#ifndef SCEPD_INTUNESIM_TENANT_INT_H
#define SCEPD_INTUNESIM_TENANT_INT_H

#include "intunesim/tenant.h"

/* Exactly `len` hex digits. */
bool is_hex(const char *s, size_t len);
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

/* tenant_profile.c: SCEP profiles; the roots must have been loaded. */
enum rc tenant_load_profiles(struct tenant *t, struct err *err) MUST_CHECK;
/* tenant_keys.c: the roots' certificates, and the tenant's own keys. */
enum rc tenant_load_root_certs(
    struct tenant *t, struct root_option *options, size_t n, struct err *err) MUST_CHECK;
enum rc tenant_make_keys(struct tenant *t, struct err *err) MUST_CHECK;

#endif
