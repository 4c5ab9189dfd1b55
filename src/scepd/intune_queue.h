/*
 * intune_queue.h - Intune's revocation queue: what a tenant's Intune wants revoked is fetched, done, and
 * reported, every `revocation.queue_interval`.
 *
 * The service's ways (as they were seen): the filter by issuer compares caConfiguration and is applied after the list
 * was cut to its maximum, there are no pages, and a request comes again until its result was uploaded.  So
 * the queue is asked without a filter, what is not ours is left in it, and only when a whole list is
 * not ours the filters are tried too.
 *
 * Threads: each tenant's queue on one at a time, several at once; two tenants that share a directory, and so its queue, take
 * turns, lest one of them finds revoked what the other is about to report.  Metrics from any.
 */
#ifndef SCEPD_SCEPD_INTUNE_QUEUE_H
#define SCEPD_SCEPD_INTUNE_QUEUE_H

#include <stdatomic.h>

#include "scepd/scepd.h"

struct intune_queue;
/* For the tenants that endpoints ask and whose configuration wants it; after CAs, tenants and endpoints. */
enum rc intune_queue_new(struct intune_queue **out, struct scepd *s, struct err *err) MUST_CHECK;
void intune_queue_free(struct intune_queue *q); /* NULL is allowed */
size_t intune_queue_count(const struct intune_queue *q);
/*
 * Poll the i-th tenant's if it is due at `now_ms` (clock_mono_ms()); returns when it is due next.  Begins nothing more
 * once *stop is true; what is under way is bounded by the tenant's time limits.
 */
int64_t intune_queue_poll(
    struct intune_queue *q, size_t i, int64_t now_ms, const atomic_bool *stop);
/* Gauges of each tenant, in Prometheus text. */
void intune_queue_metrics(const struct intune_queue *q, struct buf *out);

#endif
