/*
 * report.h - the figures of a run, for people and for machines.
 */
#ifndef SCEPD_BENCH_REPORT_H
#define SCEPD_BENCH_REPORT_H

#include "bench/intune_stub.h"
#include "bench/rounds.h"
#include "bench/speed.h"
#include "json/json.h"

#define BOUNDS_MAX 3

struct figures {
	bool intune; /* the challenge; else static */
	bool remote; /* --url: only `scepd` is filled, and no usage */
	const char *key, *filesystem, *program;
	int cores;
	struct rounds rounds;   /* as they came */
	struct measured scepd;  /* the signer in its own process */
	struct measured single; /* everything in one process; n 0: not measured */
	bool has_separation;
	struct separation separation;
	struct speed bounds[BOUNDS_MAX]; /* before, between two halves of the load, after */
	size_t n_bounds;
	struct intune_stub_counts intune_counts;
	bool has_micromdm;
	struct measured micromdm;
	const char *micromdm_absent; /* why it was not measured, or NULL */
};

void report_print(const struct figures *f);
/* Exit code: 0, or that of an error. */
int report_print_json(const struct figures *f);
/* The same for any figures: takes `v`, which may be NULL for want of memory. */
int report_json(json_t *v);

#endif
