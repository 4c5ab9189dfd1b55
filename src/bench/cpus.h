/*
 * cpus.h - which cores the measured server has, and which everything else has.
 */
#ifndef SCEPD_BENCH_CPUS_H
#define SCEPD_BENCH_CPUS_H

#include <sched.h>
#include <stdbool.h>

#include "base/err.h"

struct cpus {
	cpu_set_t all;    /* as this process may use them */
	cpu_set_t server; /* the first of them */
	cpu_set_t rest;   /* the others; the same one when there is only one */
	int server_cpu;
	int n;
};

enum rc cpus_read(struct cpus *out, struct err *err) MUST_CHECK;
/* The calling thread, and what it starts from now on. */
void cpus_use(const cpu_set_t *set);

#endif
