/*
 * keys.h - a pool of RSA keys, made before anything is timed.
 */
#ifndef SCEPD_BENCH_KEYS_H
#define SCEPD_BENCH_KEYS_H

#include "bench/crew.h"
#include "ossl/key.h"

struct keys {
	struct key **v;
	size_t n;
};

/* `spec` as for key_generate(). keys_done() in any case. */
enum rc keys_make(struct keys *out, const char *spec, size_t n, const struct cpus *cpus,
    const struct progress *p, struct err *err) MUST_CHECK;
void keys_done(struct keys *k);

#endif
