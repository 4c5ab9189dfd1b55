/*
 * intune_stub.h - an Intune that answers at once and says Success: so a benchmark measures the
 * server and not its peer. It judges nothing; intunesim(1) is the one that does.
 */
#ifndef SCEPD_BENCH_INTUNE_STUB_H
#define SCEPD_BENCH_INTUNE_STUB_H

#include <stdint.h>

#include "base/err.h"

struct intune_stub;

/* On 127.0.0.1, any port; its threads run where the calling thread may. *out is the caller's. */
enum rc intune_stub_start(struct intune_stub **out, struct err *err) MUST_CHECK;
void intune_stub_stop(struct intune_stub *s);
/* Microsoft's properties file for it: into `path`, mode 0600. */
enum rc intune_stub_properties(
    const struct intune_stub *s, const char *path, struct err *err) MUST_CHECK;
/* Since the start. */
struct intune_stub_counts {
	uint64_t tokens, discoveries, validations, notifications, other;
};
void intune_stub_counts(const struct intune_stub *s, struct intune_stub_counts *out);

#endif
