/*
 * sid_guard.h - a SID in a request logs somebody in to Active Directory: it has to be his.
 *
 * Intune vouches for the SID of a URI, since it has put it there, and says nothing about the extension, which
 * anybody may add (the certificate never gets it).  Both are compared with what the directory says of the
 * user or the device that the request names; and accounts with rights over a domain get no certificate.
 */
#ifndef SCEPD_SCEPD_SID_GUARD_H
#define SCEPD_SCEPD_SID_GUARD_H

#include "ossl/csr.h"
#include "scepd/scepd.h"

/*
 * RC_OK: the request has no SID, or the right one, or one in a URI while it names nobody with whom that could be
 * compared (a warning), or nobody is to look (sid_guard: false).  RC_DENIED: another's, one
 * that is never issued for, or one that the directory does not know.  RC_IO: the directory could not be asked;
 * the device may ask again.
 */
enum rc sid_guard_check(
    struct scepd *s, const struct endpoint *ep, const struct csr *csr, struct err *err) MUST_CHECK;

/*
 * Where a directory is asked about the endpoint's certificates, a request names one user, one device and one SID
 * (binding_names_agree()).  RC_DENIED otherwise.
 */
enum rc names_guard_check(
    struct scepd *s, const struct endpoint *ep, const struct csr *csr, struct err *err) MUST_CHECK;

#endif
