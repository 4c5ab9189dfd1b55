/*
 * clock.h - the two clocks.  Wall time (seconds or milliseconds since 1970, UTC)
 * is for certificates, rows and logs; monotonic milliseconds are for deadlines
 * and caches.  Tests move wall time with clock_offset_set().
 */
#ifndef SCEPD_BASE_CLOCK_H
#define SCEPD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_TEXT_MAX 32

int64_t clock_now(void);      /* wall, seconds */
int64_t clock_now_ms(void);   /* wall, milliseconds */
int64_t clock_mono_ms(void);  /* monotonic, milliseconds */
uint64_t clock_mono_us(void); /* monotonic, microseconds */
/* Add to every later wall-clock reading of this process; seconds. */
void clock_offset_set(int64_t seconds);
int64_t clock_offset(void);

/* "2026-11-21T06:20:57Z"; `out` holds TIME_TEXT_MAX. */
void time_rfc3339(char *out, int64_t t);
/* "2026-11-21T06:20:57.123Z" */
void time_rfc3339_ms(char *out, int64_t t_ms);
/* The reverse; accepts fraction and offset. */
enum rc time_parse_rfc3339(int64_t *t, const char *s, struct err *err) MUST_CHECK;
/* When something is to end: such a time; a day ("2026-12-24"), to its last second of UTC; or a span from `now`, with its
 * unit ("8h", "7d").  RC_PARSE, also when that is not after `now`. */
enum rc time_parse_end(int64_t *t, const char *s, int64_t now, struct err *err) MUST_CHECK;

#endif
