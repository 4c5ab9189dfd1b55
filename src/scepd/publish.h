/*
 * publish.h - what anybody may fetch: /ca/<ca>.crt and /crl/<ca>.crl, over plain HTTP, without a
 * Host header if need be.
 */
#ifndef SCEPD_SCEPD_PUBLISH_H
#define SCEPD_SCEPD_PUBLISH_H

#include "http/server.h"
#include "scepd/scepd.h"

#define CRL_BACKDATE 3600 /* seconds: thisUpdate for relying parties whose clock is late */

enum rc publish_open(struct server_ca *sca, struct err *err) MUST_CHECK;
void publish_close(struct server_ca *sca);
/*
 * The current CRL, made first if need be; a failure to make one leaves the old one in use.  *out is a
 * reference of the caller's and no copy: thousands who read it slowly cost one.
 */
enum rc publish_current_crl(
    struct http_shared **out, struct scepd *s, struct server_ca *sca, struct err *err) MUST_CHECK;
/* `name`: the last path segment, "issuing.crl". */
void publish_crl(
    struct scepd *s, const char *name, const struct http_request *req, struct http_reply *reply);
void publish_ca(
    struct scepd *s, const char *name, const struct http_request *req, struct http_reply *reply);

#endif
