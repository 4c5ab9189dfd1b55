/* main.c - scepbench: load and figures. */
#include <stdio.h>

#include "base/opt.h"
#include "bench/crl.h"
#include "bench/ocsp.h"
#include "bench/run.h"
#include "bench/stop.h"
#include "bench/sweep.h"

#define PROG             "scepbench"
#define EXIT_NOT_ALL     1
#define EXIT_INTERRUPTED 130 /* as a shell has it for SIGINT */

struct options {
	struct run_spec run;
	bool json;
};

#define FIELD(f) offsetof(struct options, f)

static const struct opt rows[] = {
	{ "url", 'u', OPT_STR, FIELD(run.url), "URL",
	    "load this server (http) instead of starting one" },
	{ "challenge-file", 0, OPT_STR, FIELD(run.challenge_file), "FILE",
	    "with --url: the challenge password of every request" },
	{ "subject", 's', OPT_STR, FIELD(run.subject), "NAME",
	    "with --url: subject, % is a number (default CN=%.lab.example)" },
	{ "count", 'n', OPT_U64, FIELD(run.count), "N",
	    "requests in the timed section (default 5000)", .min = 1, .max = 1000000 },
	{ "concurrency", 'c', OPT_U64, FIELD(run.concurrency), "N",
	    "connections, each with one request at a time (default 32)", .min = 1, .max = 1024 },
	{ "key", 'k', OPT_CHOICE, FIELD(run.key), "TYPE", "the devices' keys (default rsa:2048)",
	    .choices = "rsa:2048|rsa:3072|rsa:4096" },
	{ "keys", 0, OPT_U64, FIELD(run.keys), "N",
	    "how many different ones, used in turn (default 200)", .min = 1, .max = 100000 },
	{ "seconds", 0, OPT_U64, FIELD(run.seconds), "N",
	    "that openssl speed takes for an operation, each time (default 3)", .min = 1,
	    .max = 60 },
	{ "scepd", 0, OPT_STR, FIELD(run.scepd), "PATH", "default: beside scepbench, or in PATH" },
	{ "scepctl", 0, OPT_STR, FIELD(run.scepctl), "PATH", "the same" },
	{ "scepserver", 0, OPT_STR, FIELD(run.scepserver), "PATH",
	    "micromdm's server, to compare with; the same" },
	{ "static", 0, OPT_FLAG, FIELD(run.fixed), NULL,
	    "an endpoint with a static challenge: no calls to Intune" },
	{ "no-compare", 0, OPT_FLAG, FIELD(run.no_compare), NULL,
	    "do not measure scepd --single-process in turns with it" },
	{ "keep", 0, OPT_FLAG, FIELD(run.keep), NULL,
	    "leave the temporary folder (logs, database, CA)" },
	{ "json", 0, OPT_FLAG, FIELD(json), NULL, "print the figures as JSON" },
	{ 0 },
};

static const struct opt ocsp_rows[] = {
	{ "count", 'n', OPT_U64, offsetof(struct ocsp_spec, count), "N",
	    "questions in each timed section (default 20000)", .min = 1, .max = 1000000 },
	{ "concurrency", 'c', OPT_U64, offsetof(struct ocsp_spec, concurrency), "N",
	    "connections, each with one question at a time (default 32)", .min = 1, .max = 1024 },
	{ "scepd", 0, OPT_STR, offsetof(struct ocsp_spec, scepd), "PATH",
	    "default: beside scepbench, or in PATH" },
	{ "scepctl", 0, OPT_STR, offsetof(struct ocsp_spec, scepctl), "PATH", "the same" },
	{ "json", 0, OPT_FLAG, offsetof(struct ocsp_spec, json), NULL,
	    "print the figures as JSON" },
	{ 0 },
};

static const struct opt crl_rows[] = {
	{ "entries", 'n', OPT_U64, offsetof(struct crl_spec, entries), "N",
	    "certificates on the list (default 1000000)", .min = 1000, .max = 1300000 },
	{ "partitions", 0, OPT_U64, offsetof(struct crl_spec, partitions), "N",
	    "also that many partitions and a delta; a power of two", .min = 2, .max = 256 },
	{ "scepd", 0, OPT_STR, offsetof(struct crl_spec, scepd), "PATH",
	    "default: beside scepbench, or in PATH" },
	{ "scepctl", 0, OPT_STR, offsetof(struct crl_spec, scepctl), "PATH", "the same" },
	{ "json", 0, OPT_FLAG, offsetof(struct crl_spec, json), NULL, "print the figures as JSON" },
	{ 0 },
};

static const struct crl_spec crl_defaults = { .entries = 1000000 };

static int
crl(const void *opts, int nargs, char **args)
{
	const struct crl_spec *o = opts;
	struct crl_figures f;
	struct err err;
	int code = 0;

	if (crl_run(&f, o, &err) != RC_OK)
		code = err_report(PROG, &err);
	else if (o->json)
		code = crl_print_json(&f);
	else
		crl_print(&f);
	return stop_requested() ? EXIT_INTERRUPTED : code;
}

static const struct ocsp_spec ocsp_defaults = { .count = 20000, .concurrency = 32 };

static int
ocsp(const void *opts, int nargs, char **args)
{
	const struct ocsp_spec *o = opts;
	struct ocsp_figures f;
	struct err err;
	int code = 0;

	if (ocsp_run(&f, o, &err) != RC_OK)
		code = err_report(PROG, &err);
	else if (o->json)
		code = ocsp_print_json(&f);
	else
		ocsp_print(&f);
	if (stop_requested())
		return EXIT_INTERRUPTED;
	return code != 0 || ocsp_all_ok(&f) ? code : EXIT_NOT_ALL;
}

static const struct opt sweep_rows[] = {
	{ "certs", 0, OPT_U64, offsetof(struct sweep_spec, certs), "N",
	    "certificates that the sweep revokes (default 100000)", .min = 1000, .max = 1000000 },
	{ "count", 'n', OPT_U64, offsetof(struct sweep_spec, count), "N",
	    "enrolments while the sweep waits, and at most while it is carried out (default "
	    "15000)",
	    .min = 100, .max = 1000000 },
	{ "concurrency", 'c', OPT_U64, offsetof(struct sweep_spec, concurrency), "N",
	    "connections, each with one request at a time (default 32)", .min = 1, .max = 1024 },
	{ "keys", 0, OPT_U64, offsetof(struct sweep_spec, keys), "N",
	    "how many different keys the devices have, used in turn (default 200)", .min = 1,
	    .max = 100000 },
	{ "scepd", 0, OPT_STR, offsetof(struct sweep_spec, scepd), "PATH",
	    "default: beside scepbench, or in PATH" },
	{ "scepctl", 0, OPT_STR, offsetof(struct sweep_spec, scepctl), "PATH", "the same" },
	{ "keep", 0, OPT_FLAG, offsetof(struct sweep_spec, keep), NULL,
	    "leave the temporary folder (logs, database, CA)" },
	{ "json", 0, OPT_FLAG, offsetof(struct sweep_spec, json), NULL,
	    "print the figures as JSON" },
	{ 0 },
};

static const struct sweep_spec sweep_defaults = {
	.certs = 100000, .count = 15000, .concurrency = 32, .keys = 200
};

static int
sweep(const void *opts, int nargs, char **args)
{
	const struct sweep_spec *o = opts;
	struct sweep_figures f;
	struct err err;
	int code = 0;

	if (sweep_bench_run(&f, o, &err) != RC_OK)
		code = err_report(PROG, &err);
	else if (o->json)
		code = sweep_bench_print_json(&f);
	else
		sweep_bench_print(&f);
	if (stop_requested())
		return EXIT_INTERRUPTED;
	return code != 0 || sweep_bench_all_ok(&f) ? code : EXIT_NOT_ALL;
}

static enum rc
check(const struct options *o, struct err *err)
{
	if ((o->run.url == NULL) != (o->run.challenge_file == NULL))
		return fail(err, RC_CONFIG, "--url and --challenge-file go together");
	if (o->run.url != NULL && o->run.fixed)
		return fail(err, RC_CONFIG,
		    "--static is for the server that scepbench starts, not for --url");
	return RC_OK;
}

static int
enroll(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct figures f;
	struct err err;
	int code = 0;

	if (check(o, &err) != RC_OK || run(&f, &o->run, &err) != RC_OK)
		code = err_report(PROG, &err);
	else if (o->json)
		code = report_print_json(&f);
	else
		report_print(&f);
	if (stop_requested())
		return EXIT_INTERRUPTED;
	if (code != 0)
		return code;
	return measured_all_ok(&f.scepd) && measured_all_ok(&f.single) &&
		(!f.has_micromdm || measured_all_answered(&f.micromdm))
	    ? 0
	    : EXIT_NOT_ALL;
}

static const struct options defaults = { .run = { .subject = "CN=%.lab.example",
					     .key = "rsa:2048",
					     .count = 5000,
					     .concurrency = 32,
					     .keys = 200,
					     .seconds = 3 } };

static const struct command commands[] = {
	{ .name = "enroll",
	    .args = "",
	    .help = "enrolments a second, and how near that is to what the machine can do",
	    .about = "Builds distinct requests beforehand, sends them over connections that "
		     "stay open, and checks every answer\n"
		     "afterwards.  Without --url it makes a CA, starts scepd on a core of its "
		     "own with an Intune that answers at\n"
		     "once, and compares with openssl speed, with everything in one process "
		     "and with micromdm's scepserver\n"
		     "(Debian package scep) in the same run.\n\n"
		     "  scepbench enroll\n"
		     "  scepbench enroll --static --count 20000 --json\n"
		     "  scepbench enroll --url http://127.0.0.1:8080/scep/lab --challenge-file "
		     "lab.secret\n\n"
		     "Exit status: 0 when every request got its certificate, 1 when not, 130 "
		     "after Ctrl-C, others as sysexits(3).",
	    .opts = rows,
	    .size = sizeof(struct options),
	    .defaults = &defaults,
	    .run = enroll },
	{ .name = "ocsp",
	    .args = "",
	    .help = "OCSP answers a second, beside a file from the same server",
	    .about = "Makes a CA and starts scepd on a core of its own.  Then a file is "
		     "fetched, the same question asked\n"
		     "again and again, and questions with nonces, of which each has to be "
		     "signed; and nginx\nserves a file of that size on the same core.\n\n"
		     "  scepbench ocsp --count 50000",
	    .opts = ocsp_rows,
	    .size = sizeof(struct ocsp_spec),
	    .defaults = &ocsp_defaults,
	    .run = ocsp },
	{ .name = "crl",
	    .args = "",
	    .help = "time and memory of a revocation list of a million entries",
	    .about = "Makes a CA and, by the program sqlite3, a database of certificates "
		     "that are revoked; starts scepd on a core of\n"
		     "its own, and looks at its first list and at the next one, which a "
		     "change makes.\n\n"
		     "  scepbench crl --entries 100000\n"
		     "  scepbench crl --partitions 64",
	    .opts = crl_rows,
	    .size = sizeof(struct crl_spec),
	    .defaults = &crl_defaults,
	    .run = crl },
	{ .name = "sweep",
	    .args = "",
	    .help = "many certificates revoked by a rule while devices enrol",
	    .about = "Makes a CA and, by the program sqlite3, a database of certificates "
		     "whose devices are gone; starts scepd on a core\n"
		     "of its own, which asks an administrator whether they are to be "
		     "revoked.  Enrols, says yes, and enrols on.\n\n"
		     "  scepbench sweep --certs 20000",
	    .opts = sweep_rows,
	    .size = sizeof(struct sweep_spec),
	    .defaults = &sweep_defaults,
	    .run = sweep },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return command_main(PROG, "Load and figures for SCEP servers.", commands, argc, argv);
}
