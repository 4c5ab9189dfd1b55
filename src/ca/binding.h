/*
 * binding.h - whom a certificate names, as far as its names tell: hints that a directory turns into a binding.
 *
 * Pure.  What a name binds to is what Intune's profiles put there (reference: variables of SCEP profiles):
 *
 *	SAN URI IntuneDeviceId://GUID	the managed device
 *	CN=GUID				the Entra device, or else the managed device: both are asked
 *	SAN UPN, or CN: NAME@DOMAIN	the user
 *	SERIALNUMBER=...		the hardware, where no id finds a device
 *	SAN URI tag:...:sid:S-1-...	the on-premises SID of the user or the device
 *
 * Device names bind to nobody: users choose them.
 */
#ifndef SCEPD_CA_BINDING_H
#define SCEPD_CA_BINDING_H

#include "ossl/name.h"
#include "store/store_status.h"

/* BINDING_OPEN with hints, or BINDING_NONE when nobody is named or tenant is NULL. */
void binding_of_names(struct store_binding *out, const char *tenant, const struct name *subject,
    const struct san_list *san);
/*
 * RC_DENIED, with what there are two of: two names of one kind (UPN, IntuneDeviceId://, SID) that differ other than by case.
 * The certificate would be bound to one of them, and whoever reads it may take the other.  Intune's own profiles
 * never ask for that.
 */
enum rc binding_names_agree(const struct san_list *san, struct err *err) MUST_CHECK;
/* A GUID as directories write it, in lower case; false: it is none. */
#define GUID_SIZE 37
bool guid_take(char out[static GUID_SIZE], const char *text);

/* ---- SIDs (S18) ---- */

/* A SID in text: "S-1-5-21-..."; at most 15 sub-authorities. */
bool sid_is_valid(const char *text);
/* The SID of a URI "tag:microsoft.com,2022-09-14:sid:S-1-..."; NULL: it is no such URI. */
const char *sid_of_uri(const char *uri);
/*
 * Never issued for: well-known accounts and groups of every domain by their last number (500 administrator,
 * 502 krbtgt, 512 domain admins, 516 domain controllers ...), and what the list names: a whole SID, or
 * a number alone.
 */
bool sid_is_denied(const char *sid, const char *const *list, size_t n);

#endif
