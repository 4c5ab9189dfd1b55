/*
 * spent.h - Intune's challenges that have led to a certificate: Intune says yes to a challenge as long as it is
 * valid, and whoever has one could have many keys certified with it (S14).
 *
 * Kept as SHA-256, in memory and bounded: a restart forgets them, and so does a fleet that enrols
 * SPENT_MAX devices within their time, the oldest first; Intune's own expiry, an hour, holds all the same.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SCEPD_SPENT_H
#define SCEPD_SCEPD_SPENT_H

#include <stdint.h>

#include "base/err.h"

#define SPENT_MAX 65536                       /* 18 enrolments a second for an hour; 5 MB */
#define SPENT_MS  (INT64_C(24) * 3600 * 1000) /* as long as a request is answered again */

struct spent;
enum rc spent_new(struct spent **out, struct err *err) MUST_CHECK;
void spent_free(struct spent *s); /* NULL is allowed */
/*
 * `challenge` is this request's (both SHA-256 values) from now on; the same request may claim it
 * again.  RC_DENIED: another one has it.  `now_ms`: monotonic.
 */
enum rc spent_claim(struct spent *s, const uint8_t challenge[static 32],
    const uint8_t request[static 32], int64_t now_ms, struct err *err) MUST_CHECK;
/* The request got no certificate after all: another may come with its challenge. */
void spent_release(
    struct spent *s, const uint8_t challenge[static 32], const uint8_t request[static 32]);

#endif
