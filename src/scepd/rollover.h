/*
 * rollover.h - from what the configuration declares (`replaces`), what an administrator has moved
 * (store) and what the signer has renewed to what each endpoint offers.
 */
#ifndef SCEPD_SCEPD_ROLLOVER_H
#define SCEPD_SCEPD_ROLLOVER_H

#include "base/buf.h"
#include "ossl/csr.h"
#include "scepd/offer.h"
#include "scepd/scepd.h"

/*
 * Which of 100 equal parts of an endpoint's devices this one belongs to, 0 to 99, by a hash of the
 * endpoint, the subject and the alternative names of its request.  So a device stays on its side of
 * a share when it asks again, with whatever key; a greater share moves devices forward only, a
 * smaller one back only; and which devices come first is another choice on each endpoint.
 */
enum rc rollover_bucket(
    unsigned *bucket, const char *endpoint, const struct csr *csr, struct err *err) MUST_CHECK;

/* Before the first request: RA sets and offers.  The store may be absent (--check). */
enum rc rollover_open(struct scepd *s, struct err *err) MUST_CHECK;
/* Gauges for /metrics: shares of endpoints, certificates by CA. */
void rollover_metrics(struct scepd *s, struct buf *out);

#endif
