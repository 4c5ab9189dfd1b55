/*
 * foreign_crl.h - the own lists of foreign CAs: read every foreign_cas.NAME.crl_interval, from a file or by HTTP,
 * and done (foreign_apply.h).
 *
 * A list that cannot be had, is not the CA's, has ended or is older than the one before changes nothing: what was
 * known stays in force.  That is told in the log, at first and then once an hour, in metrics, by scepctl check and
 * scepctl foreign list.
 *
 * Each list is looked at by itself, so that a web server that hangs keeps no other CA's revocations waiting.  Memory stays
 * bounded all the same: up to FOREIGN_SMALL_MAX octets may be on their way for every thread; a larger list is fetched and
 * done while no other large one is.  Of the small ones, too, one is done at a time, so that an enrolment waits for two of
 * their commits at most.
 *
 * Threads: several run rounds, each of another list; metrics from any.
 */
#ifndef SCEPD_SCEPD_FOREIGN_CRL_H
#define SCEPD_SCEPD_FOREIGN_CRL_H

#include <stdatomic.h>

#include "scepd/scepd.h"

struct foreign_crl;
/* For all foreign CAs of the server (foreign_cas_open()) whose list is to be read. */
enum rc foreign_crl_new(struct foreign_crl **out, struct scepd *s, struct err *err) MUST_CHECK;
void foreign_crl_free(struct foreign_crl *f); /* NULL is allowed */
/* What is being fetched ends at once, and nothing is fetched any more: a server that drips would have the end of scepd
 * wait for it.  From any thread; NULL is allowed. */
void foreign_crl_stop(struct foreign_crl *f);
size_t foreign_crl_count(const struct foreign_crl *f); /* lists; NULL: 0 */
/*
 * Read list `i` (one thread at a time) if it is due at `now_ms` (clock_mono_ms()); returns when it is due next.  Begins
 * nothing more once *stop is true; what is under way takes FOREIGN_HTTP_MS at most, unless foreign_crl_stop() ends it.
 */
#define FOREIGN_HTTP_MS   30000              /* a list of 64 MiB at 20 Mbit/s */
#define FOREIGN_SMALL_MAX (2u * 1024 * 1024) /* octets: 50,000 entries of the usual 40 */
int64_t foreign_crl_round(struct foreign_crl *f, size_t i, int64_t now_ms, const atomic_bool *stop);
/* Whatever is due when, the next round of each list reads it.  From any thread. */
void foreign_crl_hurry(struct foreign_crl *f);
/* Gauges of each CA, in Prometheus text; NULL is allowed. */
void foreign_crl_metrics(struct foreign_crl *f, struct buf *out);

#endif
