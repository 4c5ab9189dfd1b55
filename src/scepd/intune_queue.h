/*
 * intune_queue.h - Intune's revocation queue: what a tenant's Intune wants revoked is fetched, done, and
 * reported, every `revocation.queue_interval`.
 *
 * The service's ways (as they were seen): the filter by issuer compares caConfiguration and is applied after the list
 * was cut to its maximum, there are no pages, and a request comes again until its result was uploaded.  So
 * the queue is asked without a filter, what is not ours is left in it, and only when a whole list is
 * not ours the filters are tried too.
 *
 * Threads: one runs rounds; metrics from any.
 */
#ifndef SCEPD_SCEPD_INTUNE_QUEUE_H
#define SCEPD_SCEPD_INTUNE_QUEUE_H

#include <stdatomic.h>

#include "scepd/scepd.h"

struct intune_queue;
/* For the tenants that endpoints ask and whose configuration wants it; after CAs, tenants and endpoints. */
enum rc intune_queue_new(struct intune_queue **out, struct scepd *s, struct err *err) MUST_CHECK;
void intune_queue_free(struct intune_queue *q); /* NULL is allowed */
/*
 * Poll what is due at `now_ms` (clock_mono_ms()); returns when something is due next.  Begins nothing more
 * once *stop is true; what is under way is bounded by the tenants' time limits.
 */
int64_t intune_queue_round(struct intune_queue *q, int64_t now_ms, const atomic_bool *stop);
/* Gauges of each tenant, in Prometheus text. */
void intune_queue_metrics(const struct intune_queue *q, struct buf *out);

#endif
