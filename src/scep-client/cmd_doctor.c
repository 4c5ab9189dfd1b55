/* cmd_doctor.c - scep doctor: a server as the devices of each platform would find it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "scep-client/cli.h"
#include "scep-client/doctor.h"

#define EXIT_STUMBLES 1
#define WIDTH         88 /* columns of a sentence before it is broken */

struct options {
	const char *ca_file, *platform;
	int64_t timeout;
	bool json, quiet, probe, all;
};

static const struct opt rows[] = {
	{ "probe", 0, OPT_FLAG, offsetof(struct options, probe), NULL,
	    "also send requests with a wrong challenge, in the manner of each platform; each must "
	    "be "
	    "refused by a signed FAILURE" },
	{ "all", 'a', OPT_FLAG, offsetof(struct options, all), NULL, "show what is fine as well" },
	{ "platform", 'p', OPT_CHOICE, offsetof(struct options, platform), "NAME",
	    "only what concerns this one",
	    .choices = "windows|apple|android|strongswan|cisco|jscep|sscep" },
	{ "ca-file", 0, OPT_STR, offsetof(struct options, ca_file), "FILE",
	    "PEM trust anchors for https (default: the system's)" },
	{ "timeout", 0, OPT_DURATION, offsetof(struct options, timeout), "TIME",
	    "for each question (default 30s, as long as devices wait)", .min = 1, .max = 600 },
	{ "json", 0, OPT_FLAG, offsetof(struct options, json), NULL, "print JSON" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct options, quiet), NULL, "no progress" },
	{ 0 },
};

/* One line that is written over, on a terminal only. */
static void
progress(void *arg, const char *what)
{
	const struct options *o = arg;

	if (!o->quiet && !o->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K  %s ...", what);
}

static void
progress_end(const struct options *o)
{
	if (!o->quiet && !o->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

/* ---- print ---- */

static unsigned
platform_mask(const char *name)
{
	for (unsigned bit = 0; name != NULL && bit < PLATFORMS; bit++)
		if (str_eq_nocase(name, platform_name(bit)))
			return 1u << bit;
	return ON_ALL;
}

static void
print_platforms(unsigned platforms)
{
	const char *between = "";

	if (platforms == ON_ALL) {
		printf("every platform");
		return;
	}
	for (unsigned bit = 0; bit < PLATFORMS; bit++)
		if ((platforms & 1u << bit) != 0) {
			printf("%s%s", between, platform_name(bit));
			between = ", ";
		}
}

static void
print_wrapped(const char *text)
{
	size_t col = 0;

	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (col > 0 && col + 1 + word > WIDTH)
			col = 0, printf("\n");
		col += (size_t)printf("%s%.*s", col == 0 ? "      " : " ", (int)word, text);
		text += word;
		text += strspn(text, " ");
	}
	printf("\n");
}

static void
print_finding(const struct finding *f)
{
	printf("%-4s  %s (", level_name(f->level), f->id);
	print_platforms(f->platforms);
	printf(")\n");
	print_wrapped(f->text);
	if (f->advice[0] != '\0')
		print_wrapped(f->advice);
}

static void
print_verdicts(const struct findings *f, unsigned mask)
{
	printf("\n");
	for (unsigned bit = 0; bit < PLATFORMS; bit++) {
		size_t bad = 0, warn = 0;

		if ((mask & 1u << bit) == 0)
			continue;
		for (size_t i = 0; i < f->n; i++) {
			if ((f->v[i].platforms & 1u << bit) == 0)
				continue;
			bad += f->v[i].level == LEVEL_BAD;
			warn += f->v[i].level == LEVEL_WARN;
		}
		printf("%-11s ", platform_name(bit));
		if (bad > 0)
			printf("will stumble: %zu thing%s", bad, bad == 1 ? "" : "s");
		else
			printf("should enrol");
		if (warn > 0)
			printf("%s%zu warning%s", bad > 0 ? ", " : ", with ", warn,
			    warn == 1 ? "" : "s");
		printf("\n");
	}
}

static json_t *
finding_json(const struct finding *f)
{
	json_t *list = json_array();

	for (unsigned bit = 0; bit < PLATFORMS; bit++)
		if ((f->platforms & 1u << bit) != 0)
			(void)json_array_append_new(list, json_string(platform_name(bit)));
	return json_pack("{s:s, s:s, s:o, s:s, s:s}", "check", f->id, "level", level_name(f->level),
	    "platforms", list, "text", f->text, "advice", f->advice);
}

static int
print_json(const struct findings *f, const char *url, unsigned mask, enum level worst)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++)
		if ((f->v[i].platforms & mask) != 0)
			(void)json_array_append_new(list, finding_json(&f->v[i]));
	return cli_print_json(
	    json_pack("{s:s, s:s, s:o}", "url", url, "worst", level_name(worst), "findings", list));
}

/* ---- run ---- */

/* What is not about a platform that was asked for is not counted either. */
static void
keep_platform(struct findings *f, unsigned mask)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if ((f->v[i].platforms & mask) != 0)
			f->v[n++] = f->v[i];
	f->n = n;
}

static int
show(struct findings *f, const struct options *o, const char *url)
{
	unsigned mask = platform_mask(o->platform);
	enum level worst;

	keep_platform(f, mask);
	worst = findings_worst(f);
	if (o->json) {
		if (print_json(f, url, mask, worst) != 0)
			return 70;
		return worst == LEVEL_BAD ? EXIT_STUMBLES : 0;
	}
	for (int level = LEVEL_BAD; level >= LEVEL_OK; level--)
		for (size_t i = 0; i < f->n; i++)
			if (f->v[i].level == (enum level)level &&
			    (level != LEVEL_OK || o->all || strcmp(f->v[i].id, "thumbprints") == 0))
				print_finding(&f->v[i]);
	print_verdicts(f, mask);
	return worst == LEVEL_BAD ? EXIT_STUMBLES : 0;
}

static int
run(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct doctor_conf conf = { .url = args[0],
		.ca_file = o->ca_file,
		.timeout_ms = (unsigned)(o->timeout * 1000),
		.progress = progress,
		.progress_arg = (void *)(uintptr_t)o };
	struct findings *found = calloc(1, sizeof(*found));
	struct facts facts;
	struct err err;
	int code;

	if (found == NULL) {
		(void)fail(&err, RC_NOMEM, "findings");
		return err_report(PROG, &err);
	}
	if (doctor_look(&facts, &conf, &err) != RC_OK) {
		free(found);
		return err_report(PROG, &err);
	}
	doctor_judge(found, &facts);
	if (o->probe && facts.n_certs > 0)
		doctor_probe(found, &conf);
	progress_end(o);
	code = show(found, o, conf.url);
	facts_done(&facts);
	free(found);
	return code;
}

static const struct options defaults = { .timeout = 30 };

const struct command cmd_doctor = { .name = "doctor",
	.args = "URL",
	.help = "say what Windows, Apple, Android and others will stumble over at a server",
	.about =
	    "Asks a server what devices ask it, and judges the answers as they do; changes "
	    "nothing.\n"
	    "With --probe it also sends requests with a wrong challenge, which leave lines in the "
	    "server's log.\n\n"
	    "  scep doctor https://ca.example.com/scep/wifi\n"
	    "  scep doctor http://ca.example.com/certsrv/mscep/mscep.dll --probe --all\n\n"
	    "Exit status: 0 fine or warnings only, 1 some platform will stumble, others as "
	    "sysexits(3).",
	.opts = rows,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.run = run };
