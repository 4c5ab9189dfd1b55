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
	const char *scepd, *scepctl; /* NULL: looked for */
	bool json;                   /* how main() prints it */
};

/* A list that was made. */
struct crl_pass {
	uint64_t entries, bytes;
	double seconds; /* from the store to the signed list, as scepd logs it */
	double cpu;     /* of all its processes meanwhile, with what else they do */
	int64_t above;  /* bytes of memory above what they had before */
};
enum crl_which { CRL_FIRST, CRL_AGAIN, CRL__PASSES };
struct crl_figures {
	int cores;
	uint64_t idle;                   /* bytes of an empty server */
	struct crl_pass by[CRL__PASSES]; /* after a start; while the last one is served */
	double hash;                     /* seconds that SHA-256 of the list's bytes takes */
};
/* Everything that was started is stopped and removed when this returns.  RC_NOTFOUND: the program sqlite3 is
 * not there, which makes the database. */
enum rc crl_run(struct crl_figures *out, const struct crl_spec *spec, struct err *err) MUST_CHECK;
void crl_print(const struct crl_figures *f);
/* Exit code: 0, or that of an error. */
int crl_print_json(const struct crl_figures *f);

#endif
