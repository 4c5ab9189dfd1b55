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
	/* Names of somebody whom the directory does not know (yet: it needs seconds to know what was made just now). */
	bool unknown_user, unknown_device;
	bool unmanaged; /* Entra knows the device and Intune does not, yet */
	bool refused;   /* Graph calls one of the questions a bad one; its error is told */
};
/* Is it about what a certificate names, and not the directory's trouble? */
bool dir_error_is_of_names(const struct intune_error *e);
/*
 * Turn the hints of a binding into ids, of whom that is not done yet: who is bound once stays so, whatever name he has.
 * INTUNE_OK: *b is BINDING_BOUND, or BINDING_UNKNOWN when the directory knows none of the names; what was not found
 * stays a hint.  A device that is not found by its ids is looked for by its hardware serial number, which has to be
 * one device's alone.  A name that nobody can be asked about is not found, and keeps nobody else from being bound.
 * Anything else: a question failed, *b is as it was, and *err says which.
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
