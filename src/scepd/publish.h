/*
 * publish.h - what anybody may fetch, over plain HTTP, without a Host header if need be:
 *
 *	/crl/CA.crl           the complete list
 *	/crl/CA/delta.crl     what changed since an earlier complete list (cas.X.crl_delta)
 *	/crl/CA/K-of-N.crl    the list of the certificates whose serial number's last octet is K modulo N
 *	                      (cas.X.crl_partitions); for another N than today's the complete list, which
 *	                      holds for every certificate (RFC 5280 6.3.3)
 *	/ca/CA.crt            the CA's certificate
 *
 * A duty of the background (publish_round()) makes the lists: within a second of a change, less often
 * where they take long to make, and halfway to their end.  One that cannot be made leaves the last good
 * one in use.  Requests only ever read what is there; thousands who read it slowly hold a reference and
 * no copy.
 */
#ifndef SCEPD_SCEPD_PUBLISH_H
#define SCEPD_SCEPD_PUBLISH_H

#include <stdatomic.h>

#include "http/server.h"
#include "scepd/scepd.h"

#define CRL_BACKDATE 3600 /* seconds: thisUpdate for relying parties whose clock is late */

enum rc publish_open(struct scepd *s, struct server_ca *sca, struct err *err) MUST_CHECK;
void publish_close(struct server_ca *sca);

/* Make what is due.  Cheap when nothing is.  From any thread; the second waits for the first. */
void publish_round(struct scepd *s, int64_t now_ms, const atomic_bool *stop);
/* A status was changed by this process: do not wait for the next second.  After the commit. */
void publish_wake(struct scepd *s);

/* The complete list, waited for after a start until there is one.  *out is a reference of the caller's. */
enum rc publish_current_crl(
    struct http_shared **out, struct scepd *s, struct server_ca *sca, struct err *err) MUST_CHECK;
/* `path`: whole, "/crl/issuing.crl". */
void publish_crl(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply);
void publish_ca(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply);
/* Age, number, entries, size and time of making of each list. */
void publish_metrics(struct scepd *s, struct buf *out);

#endif
