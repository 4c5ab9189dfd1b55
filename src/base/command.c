/*
 * command.c - running a program from its table of commands, and its help text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/text.h"

#define WIDTH 80 /* columns of help text */
#define COLUMN_MAX                                                                                 \
	30 /* the left column is never wider; longer entries take a line of their own              \
	    */

static const struct opt no_opts[] = { { .name = NULL } };

/* "--help" for every command; shown, not parsed. */
static const struct opt help_opt = { .name = "help", .letter = 'h', .help = "show this text" };

static const struct opt *
opts_of(const struct command *cmd)
{
	return cmd->opts != NULL ? cmd->opts : no_opts;
}

/* Print `text` from column `indent`, broken at spaces; the cursor is at column `at`. */
static void
print_wrapped(FILE *f, const char *text, int at, int indent)
{
	int col = at;

	while (*text != '\0') {
		int word = (int)strcspn(text, " \n");

		if (col > indent && col + 1 + word > WIDTH) {
			fputc('\n', f);
			col = 0;
		}
		if (col < indent)
			col += fprintf(f, "%*s", indent - col, "");
		else if (col > indent)
			col += fprintf(f, " ");
		col += fprintf(f, "%.*s", word, text);
		text += word;
		text += strspn(text, " \n");
	}
	fputc('\n', f);
}

/* One aligned entry of a list: "  left    text, wrapped in its own column". */
static void
print_entry(FILE *f, const char *left, int column, const char *text)
{
	int at = fprintf(f, "  %s", left);

	if (at + 2 > column) {
		fputc('\n', f);
		at = 0;
	}
	print_wrapped(f, text, at, column);
}

/* How the value of an option is shown. */
static const char *
value_word(const struct opt *o)
{
	if (o->value != NULL)
		return o->value;
	if (o->choices != NULL)
		return o->choices;
	return o->type == OPT_U64 ? "N" : o->type == OPT_DURATION ? "TIME" : "VALUE";
}

/* "-o, --out FILE"; rows without a letter keep its place. */
static void
option_left(char *out, size_t size, const struct opt *o)
{
	char letter[8] = "    ";

	if (o->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	if (o->type == OPT_FLAG)
		snprintf(out, size, "%s--%s", letter, o->name);
	else
		snprintf(out, size, "%s--%s %s", letter, o->name, value_word(o));
}

/* Help line plus what the row itself says: choices not shown on the left, repetition, duty. */
static void
option_text(char *out, size_t size, const struct opt *o)
{
	snprintf(out, size, "%s%s%s%s%s%s", o->help != NULL ? o->help : "",
	    o->choices != NULL && o->value != NULL ? " (one of " : "",
	    o->choices != NULL && o->value != NULL ? o->choices : "",
	    o->choices != NULL && o->value != NULL ? ")" : "",
	    o->type == OPT_LIST ? " (may be repeated)" : "", o->required ? " (required)" : "");
}

/* Where the right column starts for these rows. */
static int
option_column(const struct opt *opts)
{
	char left[128];
	int column = 0;

	for (; opts->name != NULL; opts++) {
		option_left(left, sizeof(left), opts);
		if ((int)strlen(left) + 4 > column && (int)strlen(left) + 4 <= COLUMN_MAX)
			column = (int)strlen(left) + 4;
	}
	return column < 16 ? 16 : column;
}

static void
print_option(FILE *f, const struct opt *o, int column)
{
	char left[128], text[512];

	option_left(left, sizeof(left), o);
	option_text(text, sizeof(text), o);
	print_entry(f, left, column, text);
}

/* `prog` is "scep enroll", or "scepbench" for a program with one command. */
static void
print_command_help(FILE *f, const char *prog, const struct command *cmd)
{
	const struct opt *o, *opts = opts_of(cmd);
	int column = option_column(opts);
	bool args = cmd->args != NULL && cmd->args[0] != '\0';

	fprintf(f, "%s - %s\n\n", prog, cmd->help);
	fprintf(f, "Usage: %s [OPTIONS]%s%s\n\nOptions:\n", prog, args ? " " : "",
	    args ? cmd->args : "");
	for (o = opts; o->name != NULL; o++)
		print_option(f, o, column);
	print_option(f, &help_opt, column);
	if (cmd->about != NULL)
		fprintf(f, "\n%s%s", cmd->about, str_ends_nocase(cmd->about, "\n") ? "" : "\n");
}

static void
print_program_help(FILE *f, const char *prog, const char *about, const struct command *cmds)
{
	const struct command *c;
	int column = 16;

	fprintf(f, "%s - ", prog);
	fprintf(f, "%s%s\n", about, str_ends_nocase(about, "\n") ? "" : "\n");
	fprintf(f, "Usage: %s COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", prog);
	for (c = cmds; c->name != NULL; c++) {
		if ((int)strlen(c->name) + 4 > column && (int)strlen(c->name) + 4 <= COLUMN_MAX)
			column = (int)strlen(c->name) + 4;
	}
	for (c = cmds; c->name != NULL; c++)
		print_entry(f, c->name, column, c->help);
	fprintf(f, "\n'%s COMMAND --help' shows the options of a command, with examples.\n", prog);
}

static int
print_version(const char *prog)
{
	printf("%s %s\n", prog, SCEPD_VERSION);
	return EX_OK;
}

/* Is `--name` (or the letter) among the words in front of "--"? */
static bool
has_word(int argc, char **argv, const char *name, const char *letter)
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], name) == 0 || (letter != NULL && strcmp(argv[i], letter) == 0))
			return true;
	}
	return false;
}

/* Point at the help and return the usage exit code. */
static int
usage_error(const char *prog, const struct err *err)
{
	(void)err_report(prog, err);
	fprintf(stderr, "  '%s --help' shows what it takes.\n", prog);
	return EX_USAGE;
}

static enum rc
check_args(const struct command *cmd, int nargs, char **args, struct err *err)
{
	if ((size_t)nargs > cmd->max_args)
		return fail(err, RC_CONFIG, "unexpected argument \"%s\"", args[cmd->max_args]);
	if ((size_t)nargs < cmd->min_args)
		return fail(
		    err, RC_CONFIG, "missing argument: %s", cmd->args != NULL ? cmd->args : "");
	return RC_OK;
}

/* Parse the words after the command's name and run it. */
static int
run_command(const char *prog, const struct command *cmd, int argc, char **argv)
{
	struct err err = { 0 };
	void *opts = calloc(1, cmd->size > 0 ? cmd->size : 1);
	char **args = calloc((size_t)argc + 1, sizeof(*args));
	int nargs = 0, status;
	enum rc rc;

	if (opts == NULL || args == NULL) {
		(void)fail(&err, RC_NOMEM, "out of memory for options");
		status = err_report(prog, &err);
		goto out;
	}
	if (cmd->defaults != NULL)
		memcpy(opts, cmd->defaults, cmd->size);
	rc = opt_parse(opts_of(cmd), opts, argc, argv, &nargs, args, &err);
	if (rc == RC_OK)
		rc = check_args(cmd, nargs, args, &err);
	if (rc == RC_OK)
		status = cmd->run(opts, nargs, args);
	else
		status = usage_error(prog, &err);
out:
	free(args);
	free(opts);
	return status;
}

static const struct command *
find_command(const struct command *cmds, const char *name)
{
	for (; cmds->name != NULL; cmds++) {
		if (strcmp(cmds->name, name) == 0)
			return cmds;
	}
	return NULL;
}

static int
unknown_command(const char *prog, const struct command *cmds, const char *name)
{
	struct err err = { 0 };
	struct nearest near;

	(void)fail(&err, RC_CONFIG, "unknown command \"%s\"", name);
	nearest_begin(&near, name);
	for (; cmds->name != NULL; cmds++)
		nearest_offer(&near, cmds->name);
	if (near.best != NULL)
		err_hint(&err, "did you mean '%s %s'?", prog, near.best);
	return usage_error(prog, &err);
}

/* "help" and "help CMD [CMD]" become "--help" and "CMD [CMD] --help". */
static int
help_for(const char *prog, const char *about, const struct command *cmds, int n, char **names)
{
	const struct command *cmd;
	char full[128];

	if (n < 1) {
		print_program_help(stdout, prog, about, cmds);
		return EX_OK;
	}
	cmd = find_command(cmds, names[0]);
	if (cmd == NULL)
		return unknown_command(prog, cmds, names[0]);
	snprintf(full, sizeof(full), "%s %s", prog, cmd->name);
	if (cmd->sub != NULL)
		return help_for(full, cmd->help, cmd->sub, n - 1, names + 1);
	print_command_help(stdout, full, cmd);
	return EX_OK;
}

/* What is common to a program and to a command that has commands of its own: argv[1] names one. */
static int
dispatch(const char *prog, const char *about, const struct command *cmds, int argc, char **argv)
{
	const struct command *cmd;
	char full[128];

	if (argc < 2) {
		print_program_help(stderr, prog, about, cmds);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help_for(prog, about, cmds, 0, NULL);
	cmd = find_command(cmds, argv[1]);
	if (cmd == NULL && strcmp(argv[1], "help") == 0)
		return help_for(prog, about, cmds, argc - 2, argv + 2);
	if (cmd == NULL)
		return unknown_command(prog, cmds, argv[1]);
	snprintf(full, sizeof(full), "%s %s", prog, cmd->name);
	if (cmd->sub != NULL)
		return dispatch(full, cmd->help, cmd->sub, argc - 1, argv + 1);
	if (has_word(argc - 2, argv + 2, "--help", "-h"))
		return help_for(prog, about, cmds, 1, argv + 1);
	return run_command(full, cmd, argc - 2, argv + 2);
}

/* What was said to standard output has to have arrived (a full disk): a script that keeps it must not take half of it for all. */
static int
written(const char *prog, int status)
{
	struct err err = { 0 };

	if (fflush(stdout) != 0)
		(void)fail_errno(&err, "standard output: not all could be written");
	else if (ferror(stdout)) /* an earlier write, whose errno is gone */
		(void)fail(&err, RC_IO, "standard output: not all could be written");
	else
		return status;
	if (status != EX_OK)
		return status; /* which says more */
	return err_report(prog, &err);
}

int
command_main(const char *prog, const char *about, const struct command *cmds, int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
		return written(prog, print_version(prog));
	return written(prog, dispatch(prog, about, cmds, argc, argv));
}

static int
dispatch_single(const char *prog, const struct command *cmd, int n, char **words)
{
	if (has_word(n, words, "--help", "-h")) {
		print_command_help(stdout, prog, cmd);
		return EX_OK;
	}
	if (has_word(n, words, "--version", "-V"))
		return print_version(prog);
	return run_command(prog, cmd, n, words);
}

int
command_main_single(const char *prog, const struct command *cmd, int argc, char **argv)
{
	int n = argc > 0 ? argc - 1 : 0;

	return written(prog, dispatch_single(prog, cmd, n, argc > 0 ? argv + 1 : argv));
}

int
err_report(const char *prog, const struct err *err)
{
	const char *prefix = log_prefix0(LOG_ERROR);

	fprintf(stderr, "%s%s: %s\n", prefix, prog, err->msg);
	if (err->hint[0] != '\0')
		fprintf(stderr, "%s  %s\n", prefix, err->hint);
	return err_reaction(err->rc)->exit_code;
}
