/* report.c - see report.h. */
#include "bench/report.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/opt.h"

#define ROW "  %-24s"
/* Of the crypto bound; and what of its CPU time an enrolment may cost more with its own signer. */
#define GOAL_SEPARATE   80
#define GOAL_SINGLE     85
#define GOAL_SEPARATION 5

/* ---- derived figures */

static double
bound_seconds(const struct figures *f)
{
	double sum = 0;

	for (size_t i = 0; i < f->n_bounds; i++)
		sum += speed_enrolment(&f->bounds[i]);
	return sum / (double)f->n_bounds;
}

/* Enrolments a second, in units of what the bound allows. */
static double
by_throughput(const struct figures *f, const struct measured *m)
{
	return m->per_second * bound_seconds(f);
}

static double
by_cpu(const struct figures *f, const struct measured *m)
{
	double cpu = measured_cpu(m);

	return cpu > 0 ? bound_seconds(f) / cpu : 0;
}

static const char *
reached(bool yes)
{
	return yes ? "reached" : "MISSED";
}

/* ---- for people */

static void
print_success(const struct measured *m)
{
	const struct verdict *v = &m->verdict;
	size_t all = m->n + m->warm, failed = all - v->ok - v->unopened;

	printf(ROW "%zu of %zu (%zu of them to warm up), %u at a time\n", "certificates",
	    v->ok + v->unopened, all, m->warm, m->concurrency);
	if (v->unopened != 0)
		printf(ROW
		    "%zu: SUCCESS, but in an envelope of single DES, which libscep refuses\n",
		    "not opened", v->unopened);
	if (failed != 0)
		printf(ROW "%zu, the first: %s\n", "FAILED", failed, v->first_fault);
	if (v->twice != 0)
		printf(ROW "%zu certificates share a serial number\n", "FAILED", v->twice);
	if (m->reconnects != 0)
		printf(ROW "%zu\n", "connections reopened", m->reconnects);
}

static void
print_usage(const struct measured *m)
{
	double n = (double)m->n;

	if (!m->has_usage)
		return;
	printf(ROW "%.3f ms an enrolment (user %.3f, system %.3f), %.0f %% of its core\n",
	    "server CPU", measured_cpu(m) * 1e3, m->used.user / n * 1e3, m->used.system / n * 1e3,
	    (m->used.user + m->used.system) / m->elapsed * 100);
	printf(ROW "%.1f MiB, at most %.1f MiB\n", "server memory (RSS)", (double)m->used.rss / MIB,
	    (double)m->used.peak / MIB);
	printf(ROW "%.1f KiB an enrolment\n", "server disk writes", (double)m->used.disk / n / KIB);
}

static void
print_measured(const struct measured *m)
{
	double goal = measured_p99_goal(m) * 1e3, p99 = (double)m->p99_us / 1e3;

	print_success(m);
	printf(
	    ROW "%.1f a second (%zu in %.2f s)\n", "enrolments", m->per_second, m->n, m->elapsed);
	printf(ROW "p50 %.1f ms, p99 %.1f ms, max %.1f ms\n", "time to the answer",
	    (double)m->p50_us / 1e3, p99, (double)m->max_us / 1e3);
	printf(ROW "%.1f ms of 3 x (%u x %.3f ms) = %.1f ms: %s\n", "p99 against its goal", p99,
	    m->concurrency, m->elapsed / (double)m->n * 1e3, goal, reached(p99 < goal));
	print_usage(m);
}

static void
print_speed(const char *when, const struct speed *s)
{
	printf(ROW "%.1f a second (private %.4f ms, public %.4f ms)\n", when,
	    1 / speed_enrolment(s), s->sign * 1e3, s->verify * 1e3);
}

static void
print_to_bound(const struct figures *f, const char *what, const struct measured *m, int goal)
{
	double t = by_throughput(f, m) * 100;

	printf(ROW "%.1f %%, goal %d %%: %s; by CPU time %.1f %%\n", what, t, goal,
	    reached(t >= goal), by_cpu(f, m) * 100);
}

static void
print_separation(const struct figures *f)
{
	double more = (f->separation.cpu - 1) * 100, less = (1 - f->separation.throughput) * 100;

	if (!f->has_separation)
		return;
	print_to_bound(f, "the same, one process", &f->single, GOAL_SINGLE);
	printf(ROW "%.1f %% CPU time an enrolment, goal at most %d %%: %s; %.1f %% throughput\n",
	    "cost of the separation", more, GOAL_SEPARATION, reached(more <= GOAL_SEPARATION),
	    less);
}

static void
print_bound(const struct figures *f)
{
	static const char *const two[] = { "before", "after" };
	static const char *const three[BOUNDS_MAX] = { "before", "between", "after" };

	printf("\ncrypto bound: %d private + %d public RSA-2048 operations, openssl speed, same "
	       "core\n",
	    SPEED_PRIVATE, SPEED_PUBLIC);
	for (size_t i = 0; i < f->n_bounds; i++)
		print_speed(f->n_bounds == BOUNDS_MAX ? three[i] : two[i], &f->bounds[i]);
	printf(ROW "%.1f a second, %.4f ms an enrolment\n", "mean", 1 / bound_seconds(f),
	    bound_seconds(f) * 1e3);
	printf("\nratios\n");
	print_to_bound(f, "throughput to bound", &f->scepd, GOAL_SEPARATE);
	print_separation(f);
	printf(ROW "%.4f ms an enrolment\n", "beside RSA operations",
	    (measured_cpu(&f->scepd) - bound_seconds(f)) * 1e3);
}

static void
print_micromdm(const struct figures *f)
{
	if (f->micromdm_absent != NULL)
		printf(ROW "not measured: %s\n", "to micromdm scepserver", f->micromdm_absent);
	if (!f->has_micromdm)
		return;
	printf(ROW "%.2f times its throughput, %.2f times its CPU time\n", "to micromdm scepserver",
	    f->scepd.per_second / f->micromdm.per_second,
	    measured_cpu(&f->scepd) / measured_cpu(&f->micromdm));
	printf("\nmicromdm scepserver (Debian package scep): RSA-2048 CA, GOMAXPROCS=1, same core, "
	       "static challenge\n");
	print_measured(&f->micromdm);
}

void
report_print(const struct figures *f)
{
	if (f->remote) {
		printf("%s\n", f->program);
		print_measured(&f->scepd);
		return;
	}
	printf("scepd on one core of %d: %s CA and RA, %s, SQLite synchronous=FULL on %s\n",
	    f->cores, "RSA-2048", f->intune ? "Intune answering at once" : "static challenge",
	    f->filesystem);
	print_measured(&f->scepd);
	if (f->has_separation) {
		printf("\nthe same with everything in one process (--single-process), in turns\n");
		print_measured(&f->single);
	}
	if (f->intune)
		printf(ROW "%llu validations, %llu notifications, %llu tokens\n", "calls to Intune",
		    (unsigned long long)f->intune_counts.validations,
		    (unsigned long long)f->intune_counts.notifications,
		    (unsigned long long)f->intune_counts.tokens);
	if (f->cores == 1)
		printf(
		    ROW "server and load share the only core: the figures are too low\n", "NOTE");
	if (f->n_bounds > 0)
		print_bound(f);
	print_micromdm(f);
}

/* ---- for machines */

static json_t *
measured_json(const struct measured *m)
{
	json_t *v = json_pack(
	    "{s:I, s:I, s:i, s:I, s:I, s:I, s:s, s:f, s:f, s:I, s:I, s:I, s:f, s:I}", "count",
	    (json_int_t)m->n, "warmUp", (json_int_t)m->warm, "concurrency", (int)m->concurrency,
	    "succeeded", (json_int_t)m->verdict.ok, "unopened", (json_int_t)m->verdict.unopened,
	    "serialsTwice", (json_int_t)m->verdict.twice, "firstFault", m->verdict.first_fault,
	    "seconds", m->elapsed, "perSecond", m->per_second, "p50us", (json_int_t)m->p50_us,
	    "p99us", (json_int_t)m->p99_us, "maxus", (json_int_t)m->max_us, "p99GoalUs",
	    measured_p99_goal(m) * 1e6, "reconnects", (json_int_t)m->reconnects);
	double n = (double)m->n;

	if (v == NULL || !m->has_usage)
		return v;
	(void)json_object_set_new(v, "server",
	    json_pack("{s:f, s:f, s:I, s:I, s:f}", "userMsPerEnrolment", m->used.user / n * 1e3,
		"systemMsPerEnrolment", m->used.system / n * 1e3, "rssBytes",
		(json_int_t)m->used.rss, "peakRssBytes", (json_int_t)m->used.peak,
		"diskBytesPerEnrolment", (double)m->used.disk / n));
	return v;
}

static json_t *
speed_json(const struct speed *s)
{
	return json_pack("{s:f, s:f, s:f}", "privateMs", s->sign * 1e3, "publicMs", s->verify * 1e3,
	    "enrolmentsPerSecond", 1 / speed_enrolment(s));
}

static json_t *
bounds_json(const struct figures *f)
{
	json_t *v = json_pack("{s:o, s:o, s:f}", "before", speed_json(&f->bounds[0]), "after",
	    speed_json(&f->bounds[f->n_bounds - 1]), "enrolmentMs", bound_seconds(f) * 1e3);

	if (f->n_bounds == BOUNDS_MAX)
		(void)json_object_set_new(v, "between", speed_json(&f->bounds[1]));
	return v;
}

static void
add_bound(json_t *v, const struct figures *f)
{
	(void)json_object_set_new(v, "bound", bounds_json(f));
	(void)json_object_set_new(v, "throughputToBound", json_real(by_throughput(f, &f->scepd)));
	(void)json_object_set_new(v, "boundToCpuTime", json_real(by_cpu(f, &f->scepd)));
	(void)json_object_set_new(v, "goal", json_real(GOAL_SEPARATE / 100.0));
}

static json_t *
round_json(const struct round *r)
{
	return json_pack("{s:s, s:I, s:f, s:f, s:I}", "mode", mode_name(r->mode), "count",
	    (json_int_t)r->m.n, "perSecond", r->m.per_second, "cpuMsPerEnrolment",
	    measured_cpu(&r->m) * 1e3, "p99us", (json_int_t)r->m.p99_us);
}

/* What one process does, and what two cost beyond it. */
static void
add_separation(json_t *v, const struct figures *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->rounds.done; i++)
		(void)json_array_append_new(list, round_json(&f->rounds.v[i]));
	(void)json_object_set_new(v, "single", measured_json(&f->single));
	(void)json_object_set_new(v, "separation",
	    json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "cpu", f->separation.cpu, "throughput",
		f->separation.throughput, "goal", 1 + GOAL_SEPARATION / 100.0,
		"singleThroughputToBound", by_throughput(f, &f->single), "singleBoundToCpuTime",
		by_cpu(f, &f->single), "singleGoal", GOAL_SINGLE / 100.0, "rounds", list));
}

int
report_json(json_t *v)
{
	struct buf out;
	struct err err;
	enum rc rc;

	buf_init(&out, LIMIT_JSON);
	rc = v != NULL ? json_add_pretty(&out, v, &err) : fail(&err, RC_NOMEM, "JSON");
	if (rc == RC_OK)
		fputs(buf_str(&out), stdout);
	buf_done(&out);
	json_decref(v);
	return rc == RC_OK ? 0 : err_report("scepbench", &err);
}

int
report_print_json(const struct figures *f)
{
	json_t *v = json_pack("{s:s, s:s, s:i, s:s, s:s}", "program", f->program, "challenge",
	    f->remote       ? "given"
		: f->intune ? "intune"
			    : "static",
	    "cores", f->cores, "filesystem", f->filesystem, "key", f->key);

	(void)json_object_set_new(v, "scepd", measured_json(&f->scepd));
	if (f->n_bounds > 0)
		add_bound(v, f);
	if (f->has_separation)
		add_separation(v, f);
	if (f->has_micromdm) {
		(void)json_object_set_new(v, "scepserver", measured_json(&f->micromdm));
		(void)json_object_set_new(v, "throughputToScepserver",
		    json_real(f->scepd.per_second / f->micromdm.per_second));
	}
	return report_json(v);
}
