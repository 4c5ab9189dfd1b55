/*
 * thread.h - threads that signals never reach: those are for the main thread, and a write to a
 * closed socket must not become SIGPIPE.
 */
#ifndef SCEPD_HTTP_THREAD_H
#define SCEPD_HTTP_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"

/* Of address space; what OpenSSL, SQLite and a log line need is a tenth of it. */
#define THREAD_STACK (1024u * 1024u)

enum rc thread_start(pthread_t *out, void *(*main)(void *), void *arg, struct err *err) MUST_CHECK;
/* A condition whose timed waits take monotonic time. */
enum rc thread_cond_init(pthread_cond_t *c, struct err *err) MUST_CHECK;
/* Wait at most until `until_ms` (clock_mono_ms). */
void thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t until_ms);

#endif
