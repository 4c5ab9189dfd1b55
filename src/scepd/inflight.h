/*
 * inflight.h - one worker at a time per transaction.  Devices repeat requests while the first is
 * still being worked on; the second waits and then finds the first one's result in the store.
 */
#ifndef SCEPD_SCEPD_INFLIGHT_H
#define SCEPD_SCEPD_INFLIGHT_H

#include <stdint.h>

#include "base/err.h"

struct inflight;
enum rc inflight_new(struct inflight **out, struct err *err) MUST_CHECK;
void inflight_free(struct inflight *f);
/* Waits while another worker holds `key`, at most until `deadline` (clock_mono_ms): RC_TIMEOUT. */
enum rc inflight_enter(
    struct inflight *f, const uint8_t key[static 32], int64_t deadline, struct err *err) MUST_CHECK;
void inflight_leave(struct inflight *f, const uint8_t key[static 32]);

#endif
