/*
 * ocsp.h - /ocsp/<ca>: whether certificates hold of this server's CAs (RFC 6960, RFC 5019), and of foreign ones that
 * have certified a responder for it.
 *
 * Which CA answers is decided by the CertIDs, not by the URL: both CAs of a rollover are answered
 * for at the URL of either.  A certificate of no CA here gets "unauthorized", unsigned: the word of
 * a responder counts for its own CA's certificates only (RFC 6960 2.2, 4.2.2.2), so a signed
 * "unknown" would be worth nothing to who asks and cost a signature.  The same for a request that
 * mixes certificates of several CAs.
 *
 * Threads: all calls from any thread, after ocsp_new().
 */
#ifndef SCEPD_SCEPD_OCSP_H
#define SCEPD_SCEPD_OCSP_H

#include "http/server.h"
#include "ossl/ocsp.h"
#include "scepd/scepd.h"

/* For the CAs of `s`, its own and the foreign ones, which are open. */
enum rc ocsp_new(struct ocsp **out, const struct scepd *s, struct err *err) MUST_CHECK;
void ocsp_free(struct ocsp *o);
/* The number of the last change of a status: what was answered as of an earlier one is not answered again. */
void ocsp_status_is(struct ocsp *o, uint64_t number);
/* The signer has another certificate of the responder of this CA: what was known of it is asked anew. */
void ocsp_responder_changed(struct ocsp *o, const char *ca);
/* `path`: "/ocsp/issuing", or with a request behind it. */
void ocsp_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply);

#endif
