/*
 * ocsp.h - OCSP answers a second: kept ones, signed ones, and files to compare with, from the same server and
 * from nginx on the same core.
 */
#ifndef SCEPD_BENCH_OCSP_H
#define SCEPD_BENCH_OCSP_H

#include "bench/measure.h"

struct ocsp_spec {
	uint64_t count, concurrency;
	const char *scepd, *scepctl; /* NULL: looked for */
	bool json;                   /* how main() prints it */
};

enum ocsp_section { OCSP_FILE, OCSP_SAME, OCSP_NONCES, OCSP_NGINX, OCSP__SECTIONS };
struct ocsp_figures {
	int cores;
	const char *nginx_absent;           /* why it was not measured; NULL: it was */
	struct measured by[OCSP__SECTIONS]; /* verdict.ok: answered as it should be */
};
/* Everything that was started is stopped and removed when this returns. */
enum rc ocsp_run(
    struct ocsp_figures *out, const struct ocsp_spec *spec, struct err *err) MUST_CHECK;
void ocsp_print(const struct ocsp_figures *f);
/* Exit code: 0, or that of an error. */
int ocsp_print_json(const struct ocsp_figures *f);
bool ocsp_all_ok(const struct ocsp_figures *f);

#endif
