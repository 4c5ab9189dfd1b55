/*
 * eku.c - one table for everybody who reads or shows a usage by name.
 */
#include "ossl/eku.h"

#include <string.h>

#include "base/text.h"

/*
 * RFC 5280 4.2.1.12, RFC 4945 5.1.3.12, RFC 4334 2, and Microsoft's.  The first name of an OID is
 * the one that is shown; the others are what else people write, Intune's console among them.
 */
static const struct {
	const char *name, *oid;
} usages[] = {
	{ "serverAuth", "1.3.6.1.5.5.7.3.1" },
	{ "clientAuth", OID_CLIENT_AUTH },
	{ "codeSigning", "1.3.6.1.5.5.7.3.3" },
	{ "emailProtection", "1.3.6.1.5.5.7.3.4" },
	{ "ipsecEndSystem", "1.3.6.1.5.5.7.3.5" },
	{ "ipsecTunnel", "1.3.6.1.5.5.7.3.6" },
	{ "ipsecUser", "1.3.6.1.5.5.7.3.7" },
	{ "timeStamping", "1.3.6.1.5.5.7.3.8" },
	{ "OCSPSigning", OID_OCSP_SIGNING },
	{ "eapOverLAN", "1.3.6.1.5.5.7.3.14" },
	{ "ipsecIKE", "1.3.6.1.5.5.7.3.17" },
	{ "ipsecIKEIntermediate", "1.3.6.1.5.5.8.2.2" },
	{ "smartcardLogon", "1.3.6.1.4.1.311.20.2.2" },
	{ "documentSigning", "1.3.6.1.4.1.311.10.3.12" },
	{ "encryptingFileSystem", "1.3.6.1.4.1.311.10.3.4" },
	{ "anyExtendedKeyUsage", "2.5.29.37.0" },
	{ "anyPurpose", "2.5.29.37.0" },
};
#define N_USAGES (sizeof(usages) / sizeof(usages[0]))

const char *
eku_name(const char *oid)
{
	for (size_t i = 0; i < N_USAGES; i++) {
		if (strcmp(usages[i].oid, oid) == 0)
			return usages[i].name;
	}
	return oid;
}

const char *
eku_oid(const char *name)
{
	for (size_t i = 0; i < N_USAGES; i++) {
		if (str_eq_nocase(usages[i].name, name))
			return usages[i].oid;
	}
	return NULL;
}

const char *
eku_name_at(size_t i)
{
	return i < N_USAGES ? usages[i].name : NULL;
}
