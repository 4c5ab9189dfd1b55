/*
 * inflight.h - one worker at a time per transaction.  Devices repeat requests while the first is
 * still being worked on; the second waits and then finds the first one's result in the store.
 */
#ifndef SCEPD_SCEPD_INFLIGHT_H
#define SCEPD_SCEPD_INFLIGHT_H

#include <stdint.h>

#include "base/err.h"

struct inflight;
/* What names a transaction: SHA-256 over endpoint, transactionID and the CSR's hash (32 bytes). */
enum rc inflight_key(uint8_t key[static 32], const char *endpoint, const char *transaction_id,
    const uint8_t *csr_sha256, struct err *err) MUST_CHECK;
enum rc inflight_new(struct inflight **out, struct err *err) MUST_CHECK;
void inflight_free(struct inflight *f);
/* Waits while another worker holds `key`, at most until `deadline` (clock_mono_ms): RC_TIMEOUT. */
enum rc inflight_enter(
    struct inflight *f, const uint8_t key[static 32], int64_t deadline, struct err *err) MUST_CHECK;
void inflight_leave(struct inflight *f, const uint8_t key[static 32]);

#endif
