/*
 * dir_sync.h - keeping what directories say up to date, for all tenants, and letting rules judge by it.
 *
 * A thread for each tenant, up to a bound (background.h).  For each tenant whose directory is asked (`directory: true`):
 *  - new certificates are bound within seconds, also while a walk over everything takes minutes;
 *  - each revocation.interval the changes of users and devices (Graph's delta), and the managed devices that
 *    have synchronised since;
 *  - managed devices that were asked longest ago, some a round, since what an administrator does to one that
 *    is switched off is in no list of changes;
 *  - risks and groups, if a rule asks about them.
 * A failure makes nothing gone and nobody good: what was known keeps its date, the tenant is asked again later
 * and later, and the log says so once.
 */
#ifndef SCEPD_SCEPD_DIR_SYNC_H
#define SCEPD_SCEPD_DIR_SYNC_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

struct scepd;
struct dir_sync;
struct dir_tenant;

/* For the tenants of the server. */
enum rc dir_sync_new(struct dir_sync **out, struct scepd *s, struct err *err) MUST_CHECK;
void dir_sync_free(struct dir_sync *d);
size_t dir_sync_count(const struct dir_sync *d);
/* What is due of the i-th tenant's; one round of each at a time. */
void dir_sync_round(struct dir_sync *d, size_t i, int64_t now_ms, const atomic_bool *stop);
/* Bindings of the tenant that are due, while an answer of many pages comes in: from within its callback.
 * Not from another thread: what a walk says of somebody who is not bound yet is dropped, so it has to be older than the
 * answer that binds him. */
void dir_sync_bindings(struct dir_tenant *t, const atomic_bool *stop);
/* Gauges of each tenant, in Prometheus text: age of what is known, failures. */
void dir_sync_metrics(struct scepd *s, struct buf *out);

#endif
