/*
 * upkeep.h - what time does to the store's rows: replaced certificates are revoked, requests that nobody has
 * decided on are refused, one-time passwords are forgotten.
 */
#ifndef SCEPD_SCEPD_UPKEEP_H
#define SCEPD_SCEPD_UPKEEP_H

#include <stdatomic.h>

#include "scepd/scepd.h"

/* One background round, once a minute at most; begins nothing more once *stop is true.  On one thread. */
void upkeep_run(struct scepd *s, int64_t now_ms, const atomic_bool *stop);

#endif
