/*
 * opt.h - command-line options as rows; the help text is printed from them.
 *
 * Every program is a table of commands (or one command), every command a table of
 * options.  `--name VALUE`, `--name=VALUE`, `-x VALUE`; `--help` and `--version`
 * everywhere.  Unknown options, missing values and values out of range end in
 * RC_CONFIG with a sentence that names the option.
 */
#ifndef SCEPD_BASE_OPT_H
#define SCEPD_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt_type {
	OPT_FLAG,     /* bool */
	OPT_STR,      /* const char *, points into argv; last one wins */
	OPT_LIST,     /* struct opt_list, in order, at most OPT_LIST_MAX */
	OPT_U64,      /* uint64_t within min..max */
	OPT_DURATION, /* int64_t seconds, parse_duration(), within min..max */
	OPT_CHOICE,   /* const char * out of `choices` ("a|b|c") */
};

#define OPT_LIST_MAX 64 /* values of one repeated option: more is a mistake */

struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

struct opt {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* short form or 0 */
	enum opt_type type;
	size_t offset;     /* of the field in the options struct */
	const char *value; /* "FILE", "URL" ...: how help shows the value */
	const char *help;  /* a line; states default and unit */
	const char *choices;
	uint64_t min, max; /* OPT_U64, OPT_DURATION; max 0 = none */
	bool required;
};

struct command {
	const char *name;  /* "enroll"; NULL ends the table */
	const char *args;  /* positional arguments as help shows them, "" if none */
	const char *help;  /* a line for the list; */
	const char *about; /* paragraphs for `command --help`, with examples; may be NULL */
	const struct opt *opts;
	size_t size;          /* sizeof the options struct, given zeroed + `defaults` copied in */
	const void *defaults; /* or NULL */
	size_t min_args, max_args;
	/* Do it.  Returns the process's exit code; has printed its own errors. */
	int (*run)(const void *opts, int nargs, char **args);
	/* Commands below this one ("ca show"), ended by a NULL name; then only name, help, about
	 * and this count.  One level, as deep as a command line should be. */
	const struct command *sub;
};

/* Parse argv[0..argc) (without program and command name).  Positionals end up in args (room for
 * argc). */
enum rc opt_parse(const struct opt *opts, void *out, int argc, char **argv, int *nargs, char **args,
    struct err *err) MUST_CHECK;

/*
 * Run a program whose first argument names a command.  Handles --help, --version, `help CMD`,
 * unknown commands (suggests the nearest), option errors.  Returns the exit code (64 on usage).
 */
int command_main(
    const char *prog, const char *about, const struct command *cmds, int argc, char **argv);
/* The same for a program with a single command. */
int command_main_single(const char *prog, const struct command *cmd, int argc, char **argv);

/* "prog: message\n  hint\n" on standard error; returns err_reaction()->exit_code. */
int err_report(const char *prog, const struct err *err);

#endif
