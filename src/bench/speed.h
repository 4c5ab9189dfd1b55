/*
 * speed.h - what this machine's RSA-2048 costs, as `openssl speed` measures it: the bound that no
 * server can pass.
 */
#ifndef SCEPD_BENCH_SPEED_H
#define SCEPD_BENCH_SPEED_H

#include "base/err.h"
#include "bench/cpus.h"

/*
 * An enrolment is three private operations (unwrap the key, sign the certificate, sign the answer)
 * and three public ones (verify message and CSR, wrap the answer's key).
 */
#define SPEED_PRIVATE 3
#define SPEED_PUBLIC  3

struct speed {
	double sign, verify; /* seconds an operation */
};

/* Takes twice `seconds`, on the server's core. `dir` gets its output. */
enum rc speed_measure(struct speed *out, const char *dir, const struct cpus *cpus, unsigned seconds,
    struct err *err) MUST_CHECK;
/* Seconds of CPU that an enrolment cannot do without. */
double speed_enrolment(const struct speed *s);

#endif
