/*
 * report.h - the figures of a run, for people and for machines.
 */
#ifndef SCEPD_BENCH_REPORT_H
#define SCEPD_BENCH_REPORT_H

#include "bench/intune_stub.h"
#include "bench/measure.h"
#include "bench/speed.h"

struct figures {
	bool intune; /* the challenge; else static */
	bool remote; /* --url: only `scepd` is filled, and no usage */
	const char *key, *filesystem, *program;
	int cores;
	struct measured scepd;
	bool has_bound;
	struct speed before, after;
	struct intune_stub_counts intune_counts;
	bool has_micromdm;
	struct measured micromdm;
	const char *micromdm_absent; /* why it was not measured, or NULL */
};

void report_print(const struct figures *f);
/* Exit code: 0, or that of an error. */
int report_print_json(const struct figures *f);

#endif
