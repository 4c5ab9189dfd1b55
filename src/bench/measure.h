/*
 * measure.h - one server under load: build, warm up, time, judge.
 */
#ifndef SCEPD_BENCH_MEASURE_H
#define SCEPD_BENCH_MEASURE_H

#include "bench/batch.h"
#include "bench/child.h"
#include "bench/usage.h"

struct measure_spec {
	const char *url, *subject, *challenge; /* as batch_spec has them */
	const char *type;           /* of the messages, at `url` as it is; NULL: PKIOperations */
	const struct child *server; /* NULL: not ours, no usage */
	const struct keys *keys;
	size_t n;
	unsigned concurrency;
	const struct cpus *cpus;
	const struct progress *progress;
};

struct measured {
	size_t n, warm; /* timed; before them */
	unsigned concurrency;
	double elapsed;    /* seconds */
	size_t answered;   /* of n, whatever the answer */
	double per_second; /* of these */
	uint64_t p50_us, p99_us, max_us;
	size_t reconnects;
	struct verdict verdict; /* of all of them, warm ones too */
	bool has_usage;
	struct usage used; /* in the timed section; rss, peak: at its end */
};

enum rc measure(struct measured *out, const struct measure_spec *spec, struct err *err) MUST_CHECK;
/* How many are sent before the timed ones. */
size_t measure_warm(const struct measure_spec *spec);
/* Send warm and timed shots, `out->warm` and `out->n` of them; everything but the verdict. */
enum rc measure_shots(struct measured *out, const struct measure_spec *spec, struct shot *shots,
    const char *what, struct err *err) MUST_CHECK;
/* Each request was answered with a certificate, and no two have the same serial number. */
bool measured_all_ok(const struct measured *m);
/* The same, where certificates may be in an envelope that libscep does not open. */
bool measured_all_answered(const struct measured *m);
/* User and system, seconds an enrolment. */
double measured_cpu(const struct measured *m);
/* Seconds that the 99th percentile should stay under: three times what a queue of `concurrency`
 * takes. */
double measured_p99_goal(const struct measured *m);

#endif
