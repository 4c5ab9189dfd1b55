/* sweep_report.c - the figures of sweep.h, printed. */
#include <stdio.h>

#include "bench/report.h"
#include "bench/sweep.h"

#define ROW "  %-24s"

static const char *const names[SWEEP__PROCESSES] = {
	[SWEEP_FRONT] = "front", [SWEEP_SIGNER] = "signer"
};

static double
ratio(const struct sweep_figures *f)
{
	return f->before.per_second > 0 ? f->per_second / f->before.per_second : 0;
}

static double
cpu(const struct sweep_figures *f)
{
	double sum = 0;

	for (int i = 0; i < SWEEP__PROCESSES; i++)
		sum += f->by[i].user + f->by[i].system;
	return sum;
}

/* Without what its enrolments take by themselves. */
static double
cpu_of_sweep(const struct sweep_figures *f)
{
	return cpu(f) - (double)f->meanwhile * measured_cpu(&f->before);
}

static void
print_enrolments(const struct sweep_figures *f)
{
	printf("\nenrolments, %u at a time\n", f->before.concurrency);
	printf(ROW "%.0f a second (%zu in %.2f s)\n", "while it waits", f->before.per_second,
	    f->before.n, f->before.elapsed);
	printf(ROW "%.0f a second (%zu in %.2f s)%s\n", "while it is carried out", f->per_second,
	    f->meanwhile, f->enrolled,
	    f->enrolled < 0.9 * f->seconds ? ": too few for all of it, see --count" : "");
	printf(ROW "%.0f %%\n", "one to the other", 100 * ratio(f));
	if (f->bad > 0)
		printf(ROW "%zu: %s\n", "FAILED", f->bad, f->fault);
}

void
sweep_bench_print(const struct sweep_figures *f)
{
	printf("scepd on one core of %d\n\na sweep\n", f->cores);
	printf(ROW "%llu, of %llu\n", "certificates revoked", (unsigned long long)f->revoked,
	    (unsigned long long)f->certs);
	printf(ROW "%.1f s, %.0f a second\n", "first to last", f->seconds,
	    (double)f->revoked / f->seconds);
	printf(ROW "%.1f s, of which %.1f s without the enrolments: %.0f us a certificate\n",
	    "CPU time", cpu(f), cpu_of_sweep(f), 1e6 * cpu_of_sweep(f) / (double)f->revoked);
	for (int i = 0; i < SWEEP__PROCESSES; i++)
		printf(ROW "%.1f MB at the most (%.1f MB before), %.1f s of CPU time\n", names[i],
		    (double)f->by[i].peak / 1e6, (double)f->peak_before[i] / 1e6,
		    f->by[i].user + f->by[i].system);
	printf(ROW "%llu, the largest with %llu entries (%.1f MB), %.2f s at the most\n",
	    "lists made", (unsigned long long)f->lists.n, (unsigned long long)f->lists.entries,
	    (double)f->lists.bytes / 1e6, f->lists.seconds);
	printf(ROW "%.1f s after the approval\n", "a list with all", f->all_listed);
	print_enrolments(f);
}

static json_t *
process_json(const struct sweep_figures *f, int i)
{
	return json_pack("{s:I, s:I, s:f}", "peakBytes", (json_int_t)f->by[i].peak,
	    "peakBytesBefore", (json_int_t)f->peak_before[i], "cpuSeconds",
	    f->by[i].user + f->by[i].system);
}

int
sweep_bench_print_json(const struct sweep_figures *f)
{
	json_t *v = json_pack("{s:s, s:i, s:I, s:I, s:f, s:f, s:f, s:f}", "program", "scepd",
	    "cores", f->cores, "certificates", (json_int_t)f->certs, "revoked",
	    (json_int_t)f->revoked, "seconds", f->seconds, "cpuSeconds", cpu(f),
	    "cpuSecondsWithoutEnrolments", cpu_of_sweep(f), "allListedSeconds", f->all_listed);

	for (int i = 0; i < SWEEP__PROCESSES; i++)
		(void)json_object_set_new(v, names[i], process_json(f, i));
	(void)json_object_set_new(v, "lists",
	    json_pack("{s:I, s:I, s:I, s:f}", "made", (json_int_t)f->lists.n, "entries",
		(json_int_t)f->lists.entries, "bytes", (json_int_t)f->lists.bytes, "maxSeconds",
		f->lists.seconds));
	(void)json_object_set_new(v, "enrolments",
	    json_pack("{s:I, s:f, s:f, s:f, s:I}", "meanwhile", (json_int_t)f->meanwhile,
		"perSecondBefore", f->before.per_second, "perSecondMeanwhile", f->per_second,
		"ratio", ratio(f), "failed", (json_int_t)f->bad));
	return report_json(v);
}

bool
sweep_bench_all_ok(const struct sweep_figures *f)
{
	return f->revoked == f->certs && f->bad == 0 && measured_all_ok(&f->before);
}
