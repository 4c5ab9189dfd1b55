/*
 * sweep.h - many certificates revoked by a rule in one approved sweep, while devices enrol: how long that takes, what it
 * costs, and how many enrolments are left.
 */
#ifndef SCEPD_BENCH_SWEEP_H
#define SCEPD_BENCH_SWEEP_H

#include "bench/measure.h"

struct sweep_spec {
	uint64_t certs;
	uint64_t
	    count; /* enrolments: while the sweep waits; as many at most while it is carried out */
	uint64_t concurrency, keys;
	const char *scepd, *scepctl; /* NULL: looked for */
	bool json;                   /* how main() prints it */
	bool keep;                   /* the temporary folder */
};

enum sweep_process { SWEEP_FRONT, SWEEP_SIGNER, SWEEP__PROCESSES };
struct sweep_figures {
	int cores;
	uint64_t certs, revoked; /* asked for; that the sweep has made */
	struct measured before;  /* enrolments while it waits */
	double seconds;          /* from the first turn to the last, as scepd logs it */
	double enrolled;         /* seconds of these in which there was load */
	size_t meanwhile;        /* enrolments answered in these */
	double per_second;
	size_t bad;              /* of the answers while and after: no certificate */
	char fault[ERR_MSG_MAX]; /* of the first of these */
	struct usage
	    by[SWEEP__PROCESSES]; /* from the approval to the last turn; peak: of its life */
	uint64_t peak_before[SWEEP__PROCESSES];
	struct sweep_lists {
		uint64_t n, entries, bytes; /* made until one has all; of the largest */
		double seconds;             /* the longest that one took */
	} lists;
	double all_listed; /* seconds from the approval until a list has all of them */
};
/* Everything that was started is stopped and removed when this returns.  RC_NOTFOUND: the program sqlite3 is not
 * there, which makes the database. */
enum rc sweep_bench_run(
    struct sweep_figures *out, const struct sweep_spec *spec, struct err *err) MUST_CHECK;
void sweep_bench_print(const struct sweep_figures *f);
/* Exit code: 0, or that of an error. */
int sweep_bench_print_json(const struct sweep_figures *f);
/* All were revoked, and every enrolment got its certificate. */
bool sweep_bench_all_ok(const struct sweep_figures *f);

#endif
