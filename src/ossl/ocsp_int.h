/*
 * ocsp_int.h - the names that ocsp.c and ocsp_build.c share.
 */
#ifndef SCEPD_OSSL_OCSP_INT_H
#define SCEPD_OSSL_OCSP_INT_H

#define OID_OCSP_BASIC "1.3.6.1.5.5.7.48.1.1"
#define OID_OCSP_NONCE "1.3.6.1.5.5.7.48.1.2"

#endif
