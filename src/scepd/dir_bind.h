/*
 * dir_bind.h - asking a tenant's directory whom a certificate's names belong to, and what is true of them now.
 */
#ifndef SCEPD_SCEPD_DIR_BIND_H
#define SCEPD_SCEPD_DIR_BIND_H

#include "intune.h"
#include "store/store_directory.h"

/* What was learnt on the way. */
struct dir_found {
	struct store_object v[3]; /* user, device, managed device: at most one of each */
	size_t n;
	char user_sid[192], device_sid[192]; /* on-premises; "": not told */
};
/*
 * Turn the hints of an open binding into ids.  INTUNE_OK: *b is BINDING_BOUND, or BINDING_UNKNOWN when
 * the directory knows none of the names (yet: it needs seconds to know what was made just now).  Anything else: a
 * question failed, *b is as it was, and *err says which.
 */
enum intune_status dir_bind(struct intune_client *c, struct store_binding *b,
    struct dir_found *found, int64_t now, struct intune_error *err);

/* What libintune says as a row of the store, for `tenant` (not longer than that row has room for). */
void dir_object_of_user(
    struct store_object *out, const char *tenant, const struct intune_user *u, int64_t now);
void dir_object_of_device(
    struct store_object *out, const char *tenant, const struct intune_device *d, int64_t now);
void dir_object_of_managed(struct store_object *out, const char *tenant,
    const struct intune_managed_device *m, int64_t now);
enum rc dir_error(struct err *err, const struct intune_error *e);

#endif
