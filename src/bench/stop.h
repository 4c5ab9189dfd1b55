/*
 * stop.h - Ctrl-C and SIGTERM, without handlers: both are blocked in every thread and looked for
 * where something waits.
 */
#ifndef SCEPD_BENCH_STOP_H
#define SCEPD_BENCH_STOP_H

#include <stdbool.h>

#include "base/err.h"

/* Before any thread or child exists. */
void stop_block(void);
/* In a child before exec: it must be possible to end it. */
void stop_unblock(void);
/* One of them has arrived. */
bool stop_requested(void);
/* RC_OK, or RC_TIMEOUT that says so. */
enum rc stop_check(struct err *err) MUST_CHECK;
/* Sleep; at most a tick longer than asked, and less once stop_requested(). */
void stop_sleep_ms(unsigned ms);

#endif
