/*
 * crl.h - a revocation list of a million entries: how long it takes from the store to the signed list, and
 * how much memory.
 */
#ifndef SCEPD_BENCH_CRL_H
#define SCEPD_BENCH_CRL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct crl_spec {
	uint64_t entries;
	uint64_t partitions; /* a power of two; 0: the complete list alone, without deltas */
	const char *scepd, *scepctl; /* NULL: looked for */
	bool json;                   /* how main() prints it */
};

/* Lists that were made in one go. */
struct crl_pass {
	uint64_t entries, bytes;
	double seconds; /* from the store to the signed list, as scepd logs it */
	double cpu;     /* of all its processes meanwhile, with what else they do */
	int64_t above;  /* bytes of memory above what they had before */
};
/* After a start; while the last one is served; with partitions, one of them is made anew; a delta after all
 * certificates have changed at once. */
enum crl_which { CRL_FIRST, CRL_AGAIN, CRL_BURST, CRL__PASSES };
enum crl_kind { CRL_FULL, CRL_DELTA, CRL_PARTS, CRL__KINDS };
struct crl_figures {
	int cores;
	uint64_t partitions;
	uint64_t idle; /* bytes of an empty server */
	/* By kind: cpu and above are of all kinds together, and stand with the complete list. */
	struct crl_pass by[CRL__PASSES][CRL__KINDS];
	double hash; /* seconds that SHA-256 of the complete list's bytes takes */
};
/* Everything that was started is stopped and removed when this returns.  RC_NOTFOUND: the program sqlite3 is
 * not there, which makes the database. */
enum rc crl_run(struct crl_figures *out, const struct crl_spec *spec, struct err *err) MUST_CHECK;
void crl_print(const struct crl_figures *f);
/* Exit code: 0, or that of an error. */
int crl_print_json(const struct crl_figures *f);

#endif
