/*
 * run.h - a whole run: set up, scepd between bounds, micromdm, clean up.
 */
#ifndef SCEPD_BENCH_RUN_H
#define SCEPD_BENCH_RUN_H

#include "bench/report.h"

struct run_spec {
	const char *url, *challenge_file, *subject; /* a server that runs already; NULL: ours */
	const char *key;
	uint64_t count, concurrency, keys, seconds;
	const char *scepd, *scepctl, *scepserver; /* NULL: looked for */
	bool fixed;                               /* static challenge */
	bool no_compare;                          /* with everything in one process */
	bool keep;                                /* the temporary folder */
};

/* Everything that was started is stopped and removed when this returns.  Borrowed strings of `out`
 * are static or of `spec`. */
enum rc run(struct figures *out, const struct run_spec *spec, struct err *err) MUST_CHECK;

#endif
