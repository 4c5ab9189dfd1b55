/*
 * opt_test.c - options into a struct, and programs made of commands: help, guesses, exit codes.
 */
#include "unit.h"

#include <unistd.h>

#include "base/opt.h"

struct options {
	bool verbose, quiet;
	const char *out;
	struct opt_list san;
	uint64_t bits;
	int64_t wait;
	const char *alg;
};

static const struct opt rows[] = {
	{ "verbose", 'v', OPT_FLAG, offsetof(struct options, verbose), .help = "say more" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct options, quiet), .help = "say less" },
	{ "out", 'o', OPT_STR, offsetof(struct options, out), "FILE",
	    "where the certificate goes; the default is standard output, which is only wise in a "
	    "pipe",
	    .required = true },
	{ "san", 0, OPT_LIST, offsetof(struct options, san), "NAME", "an alternative name" },
	{ "key-size", 'b', OPT_U64, offsetof(struct options, bits), "BITS", "default 2048",
	    .min = 2048, .max = 4096 },
	{ "wait", 'w', OPT_DURATION, offsetof(struct options, wait), .help = "default 30s",
	    .min = 1, .max = 3600 },
	{ "alg", 0, OPT_CHOICE, offsetof(struct options, alg), .help = "content encryption",
	    .choices = "aes128|aes256|3des" },
	{ .name = NULL },
};

static struct options got;
static int nargs;
static char *args[16];
static struct err err;

/* Parse words; they end with NULL. */
static enum rc
parse(const char **words)
{
	int n = 0;

	while (words[n] != NULL)
		n++;
	memset(&got, 0, sizeof(got));
	memset(&err, 0, sizeof(err));
	return opt_parse(rows, &got, n, (char **)words, &nargs, args, &err);
}

#define PARSE(...) parse((const char *[]){ __VA_ARGS__, NULL })

static void
every_form_of_an_option_is_read(void **state)
{
	assert_int_equal(PARSE("-o", "a"), RC_OK);
	assert_string_equal(got.out, "a");
	assert_int_equal(PARSE("-oa"), RC_OK);
	assert_string_equal(got.out, "a");
	assert_int_equal(PARSE("--out", "a", "--out=b=c"), RC_OK);
	assert_string_equal(got.out, "b=c");
	assert_int_equal(PARSE("--out=", "-vq"), RC_OK);
	assert_string_equal(got.out, "");
	assert_true(got.verbose && got.quiet);
	assert_int_equal(PARSE("-vob"), RC_OK);
	assert_true(got.verbose);
	assert_string_equal(got.out, "b");
	assert_int_equal(PARSE("--out", "--verbose"), RC_OK);
	assert_string_equal(got.out, "--verbose");
	assert_false(got.verbose);
}

static void
values_are_typed(void **state)
{
	assert_int_equal(
	    PARSE("-o-", "--key-size=4096", "-w", "15m", "--alg", "3des", "--san", "a", "--san=b"),
	    RC_OK);
	assert_int_equal(got.bits, 4096);
	assert_int_equal(got.wait, 900);
	assert_string_equal(got.alg, "3des");
	assert_int_equal(got.san.n, 2);
	assert_string_equal(got.san.v[0], "a");
	assert_string_equal(got.san.v[1], "b");
}

static void
arguments_keep_their_order(void **state)
{
	assert_int_equal(PARSE("x", "-o", "f", "-", "y", "--", "-v", "--out"), RC_OK);
	assert_int_equal(nargs, 5);
	assert_string_equal(args[0], "x");
	assert_string_equal(args[1], "-");
	assert_string_equal(args[2], "y");
	assert_string_equal(args[3], "-v");
	assert_string_equal(args[4], "--out");
	assert_false(got.verbose);
}

static void
mistakes_name_the_option(void **state)
{
	static const struct {
		const char *word, *value, *message, *hint;
	} bad[] = {
		{ "--oot", "x", "unknown option --oot", "did you mean --out?" },
		{ "--zzz=secret", NULL, "unknown option --zzz", "" },
		{ "-x", NULL, "unknown option -x", "" },
		{ "--out", NULL, "--out needs a value: FILE", "" },
		{ "-w", NULL, "--wait needs a value", "" },
		{ "--verbose=1", NULL, "--verbose takes no value", "" },
		{ "--key-size", "1024", "--key-size: \"1024\" is not a number from 2048 to 4096",
		    "" },
		{ "--key-size=", NULL, "--key-size: \"\" is not a number from 2048 to 4096", "" },
		{ "--wait", "2h", "--wait: 2h is not from 1s to 1h", "" },
		{ "--wait", "soon",
		    "--wait: \"soon\" is not a duration such as 90s, 15m, 24h, 365d or 2y", "" },
		{ "--alg", "des", "--alg: \"des\" is none of aes128|aes256|3des", "" },
		{ "--alg=", NULL, "--alg: \"\" is none of aes128|aes256|3des", "" },
		{ "-v", NULL, "--out FILE is required", "" },
	};
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(PARSE(bad[i].word, bad[i].value), RC_CONFIG);
		assert_int_equal(err.rc, RC_CONFIG);
		assert_string_equal(err.msg, bad[i].message);
		assert_string_equal(err.hint, bad[i].hint);
	}
}

static void
a_list_has_an_end(void **state)
{
	const char *words[OPT_LIST_MAX + 4];
	int i;

	words[0] = "-oa";
	for (i = 1; i <= OPT_LIST_MAX; i++)
		words[i] = "--san=x";
	words[i] = NULL;
	assert_int_equal(parse(words), RC_OK);
	assert_int_equal(got.san.n, OPT_LIST_MAX);
	words[i] = "--san=x";
	words[i + 1] = NULL;
	assert_int_equal(parse(words), RC_CONFIG);
}

static struct options ran;
static int ran_args;

static int
run(const void *opts, int n, char **words)
{
	memcpy(&ran, opts, sizeof(ran));
	ran_args = n;
	return 7;
}

/* A command without options. */
static int
run_bare(const void *opts, int n, char **words)
{
	ran_args = n;
	return 8;
}

static const struct options dflt = { .bits = 2048, .wait = 30 };

static const struct command below[] = {
	{ "list", "[NAME]", "all of them", NULL, rows, sizeof(struct options), &dflt, 0, 1, run },
	{ .name = NULL },
};

static const struct command commands[] = {
	{ "enroll", "URL", "ask a SCEP server for a certificate",
	    "Examples:\n  prog enroll -o cert.pem http://ca/scep", rows, sizeof(struct options),
	    &dflt, 1, 1, run },
	{ "getca", "", "fetch the certificates of the authority", NULL, NULL, 0, NULL, 0, 0,
	    run_bare },
	{ .name = "ca", .help = "authorities", .sub = below },
	{ .name = NULL },
};

static char out[8192], errs[8192];

static void
read_back(FILE *f, char *text)
{
	size_t n;

	rewind(f);
	n = fread(text, 1, sizeof(out) - 1, f);
	text[n] = '\0';
	fclose(f);
}

/* Run the program with standard output and error caught in `out` and `errs`. */
static int
program(const char **words)
{
	int n = 0, status, saved[2] = { dup(1), dup(2) };
	FILE *f[2] = { tmpfile(), tmpfile() };

	while (words[n] != NULL)
		n++;
	fflush(NULL);
	dup2(fileno(f[0]), 1);
	dup2(fileno(f[1]), 2);
	ran_args = -1;
	status = command_main("prog", "a program for tests", commands, n, (char **)words);
	fflush(NULL);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	read_back(f[0], out);
	read_back(f[1], errs);
	return status;
}

#define PROGRAM(...) program((const char *[]){ "prog", __VA_ARGS__, NULL })

static void
a_command_gets_its_options_over_its_defaults(void **state)
{
	assert_int_equal(PROGRAM("enroll", "-o", "f", "--wait=1m", "http://x"), 7);
	assert_int_equal(ran_args, 1);
	assert_string_equal(ran.out, "f");
	assert_int_equal(ran.bits, 2048);
	assert_int_equal(ran.wait, 60);
	assert_int_equal(PROGRAM("getca"), 8);
	assert_int_equal(ran_args, 0);
	assert_string_equal(out, "");
	assert_string_equal(errs, "");
}

static void
help_is_aligned_and_within_eighty_columns(void **state)
{
	static const char want[] =
	    "prog enroll - ask a SCEP server for a certificate\n"
	    "\n"
	    "Usage: prog enroll [OPTIONS] URL\n"
	    "\n"
	    "Options:\n"
	    "  -v, --verbose        say more\n"
	    "  -q, --quiet          say less\n"
	    "  -o, --out FILE       where the certificate goes; the default is standard\n"
	    "                       output, which is only wise in a pipe (required)\n"
	    "      --san NAME       an alternative name (may be repeated)\n"
	    "  -b, --key-size BITS  default 2048\n"
	    "  -w, --wait TIME      default 30s\n"
	    "      --alg aes128|aes256|3des\n"
	    "                       content encryption\n"
	    "  -h, --help           show this text\n"
	    "\n"
	    "Examples:\n"
	    "  prog enroll -o cert.pem http://ca/scep\n";

	assert_int_equal(PROGRAM("enroll", "--help"), 0);
	assert_string_equal(out, want);
	assert_int_equal(PROGRAM("help", "enroll"), 0);
	assert_string_equal(out, want);
	assert_int_equal(PROGRAM("enroll", "-o", "-h"), 0);
	assert_string_equal(out, want);
	assert_int_equal(ran_args, -1);
}

static void
the_program_lists_its_commands(void **state)
{
	static const char want[] =
	    "prog - a program for tests\n"
	    "\n"
	    "Usage: prog COMMAND [OPTIONS] [ARGUMENTS]\n"
	    "\n"
	    "Commands:\n"
	    "  enroll        ask a SCEP server for a certificate\n"
	    "  getca         fetch the certificates of the authority\n"
	    "  ca            authorities\n"
	    "\n"
	    "'prog COMMAND --help' shows the options of a command, with examples.\n";

	assert_int_equal(PROGRAM("--help"), 0);
	assert_string_equal(out, want);
	assert_int_equal(PROGRAM("help"), 0);
	assert_string_equal(out, want);
	assert_int_equal(program((const char *[]){ "prog", NULL }), 64);
	assert_string_equal(out, "");
	assert_string_equal(errs, want);
	assert_int_equal(PROGRAM("--version"), 0);
	assert_int_equal(strncmp(out, "prog ", 5), 0);
}

static void
wrong_usage_points_at_the_help(void **state)
{
	assert_int_equal(PROGRAM("enrol"), 64);
	assert_string_equal(errs,
	    "prog: unknown command \"enrol\"\n"
	    "  did you mean 'prog enroll'?\n"
	    "  'prog --help' shows what it takes.\n");
	assert_int_equal(PROGRAM("help", "banana"), 64);
	assert_int_equal(PROGRAM("enroll", "-o", "f"), 64);
	assert_string_equal(errs,
	    "prog enroll: missing argument: URL\n"
	    "  'prog enroll --help' shows what it takes.\n");
	assert_int_equal(PROGRAM("enroll", "-o", "f", "a", "b"), 64);
	assert_non_null(strstr(errs, "unexpected argument \"b\""));
	assert_int_equal(PROGRAM("getca", "--verbose"), 64);
	assert_non_null(strstr(errs, "unknown option --verbose"));
	assert_int_equal(ran_args, -1);
	assert_string_equal(out, "");
}

static void
a_command_may_have_commands(void **state)
{
	assert_int_equal(PROGRAM("ca", "list", "-o", "f", "x"), 7);
	assert_int_equal(ran_args, 1);
	assert_string_equal(ran.out, "f");
	assert_int_equal(PROGRAM("ca", "list", "--help"), 0);
	assert_non_null(strstr(out, "prog ca list - all of them"));
	assert_int_equal(PROGRAM("help", "ca", "list"), 0);
	assert_non_null(strstr(out, "prog ca list - all of them"));
	assert_int_equal(PROGRAM("help", "ca", "lsit"), 64);
	assert_non_null(strstr(errs, "did you mean 'prog ca list'?"));
	assert_int_equal(PROGRAM("help", "ca"), 0);
	assert_non_null(strstr(out, "prog ca - authorities"));
	assert_int_equal(PROGRAM("ca", "--help"), 0);
	assert_non_null(strstr(out, "prog ca - authorities"));
	assert_non_null(strstr(out, "  list "));
	assert_int_equal(PROGRAM("ca"), 64);
	assert_int_equal(PROGRAM("ca", "lsit"), 64);
	assert_non_null(strstr(errs, "did you mean 'prog ca list'?"));
}

static void
help_after_a_double_dash_is_an_argument(void **state)
{
	assert_int_equal(PROGRAM("enroll", "-o", "f", "--", "--help"), 7);
	assert_int_equal(ran_args, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_an_option_is_read),
		cmocka_unit_test(values_are_typed),
		cmocka_unit_test(arguments_keep_their_order),
		cmocka_unit_test(mistakes_name_the_option),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(a_command_gets_its_options_over_its_defaults),
		cmocka_unit_test(help_is_aligned_and_within_eighty_columns),
		cmocka_unit_test(the_program_lists_its_commands),
		cmocka_unit_test(a_command_may_have_commands),
		cmocka_unit_test(wrong_usage_points_at_the_help),
		cmocka_unit_test(help_after_a_double_dash_is_an_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
