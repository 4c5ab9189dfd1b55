/*
 * eku.h - extended key usages that have a name of their own.
 */
#ifndef SCEPD_OSSL_EKU_H
#define SCEPD_OSSL_EKU_H

#include <stddef.h>

#define OID_CLIENT_AUTH  "1.3.6.1.5.5.7.3.2"
#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define OID_OCSP_NOCHECK "1.3.6.1.5.5.7.48.1.5" /* an extension of who has that usage */

/* "clientAuth"; the OID itself when it has no name. */
const char *eku_name(const char *oid);
/* By name, any case; NULL when unknown.  Static. */
const char *eku_oid(const char *name);
/* All names in turn, for suggestions; NULL at the end. */
const char *eku_name_at(size_t i);

#endif
