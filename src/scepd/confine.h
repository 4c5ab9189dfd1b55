/*
 * confine.h - the sandbox of each role as the configuration has it, and what the log says of it.
 */
#ifndef SCEPD_SCEPD_CONFINE_H
#define SCEPD_SCEPD_CONFINE_H

#include "base/err.h"
#include "scepd/config.h"
#include "store/store.h"

/* After these the process can do what its role needs and nothing else.  Before any thread; for good. */
enum rc confine_supervisor(struct err *err) MUST_CHECK;
enum rc confine_signer(const struct config *config, struct err *err) MUST_CHECK;
enum rc confine_front(
    const struct config *config, const struct store *store, struct err *err) MUST_CHECK;

#endif
