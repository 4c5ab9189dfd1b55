/*
 * opt.c - reading option values into a struct, row by row.  command.c prints the help.
 */
#include "base/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The words of one command line while they are read. */
struct reader {
	const struct opt *opts;
	char *out;  /* the options struct */
	bool *seen; /* one flag a row */
	int argc, at;
	char **argv;
};

static uint64_t
max_of(const struct opt *o)
{
	return o->max == 0 ? UINT64_MAX : o->max;
}

static enum rc
set_flag(const struct opt *o, void *field, const char *value, struct err *err)
{
	*(bool *)field = true;
	return RC_OK;
}

static enum rc
set_str(const struct opt *o, void *field, const char *value, struct err *err)
{
	*(const char **)field = value;
	return RC_OK;
}

static enum rc
set_list(const struct opt *o, void *field, const char *value, struct err *err)
{
	struct opt_list *list = field;

	if (list->n >= OPT_LIST_MAX)
		return fail(
		    err, RC_CONFIG, "--%s is given more than %d times", o->name, OPT_LIST_MAX);
	list->v[list->n++] = value;
	return RC_OK;
}

static enum rc
set_u64(const struct opt *o, void *field, const char *value, struct err *err)
{
	char what[64];

	snprintf(what, sizeof(what), "--%s", o->name);
	if (parse_u64(field, value, o->min, max_of(o), what, err) != RC_OK) {
		if (err != NULL)
			err->rc = RC_CONFIG;
		return RC_CONFIG;
	}
	return RC_OK;
}

static enum rc
set_duration(const struct opt *o, void *field, const char *value, struct err *err)
{
	char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
	struct err why = { 0 };
	int64_t seconds;

	if (parse_duration(&seconds, value, &why) != RC_OK)
		return fail(err, RC_CONFIG, "--%s: %s", o->name, why.msg);
	if ((uint64_t)seconds < o->min || (uint64_t)seconds > max_of(o)) {
		duration_text(least, (int64_t)o->min);
		duration_text(most, o->max == 0 ? INT64_MAX : (int64_t)o->max);
		return fail(
		    err, RC_CONFIG, "--%s: %s is not from %s to %s", o->name, value, least, most);
	}
	*(int64_t *)field = seconds;
	return RC_OK;
}

static enum rc
set_choice(const struct opt *o, void *field, const char *value, struct err *err)
{
	size_t len = strlen(value);
	const char *p = o->choices;

	while (len > 0) {
		size_t n = strcspn(p, "|");

		if (n == len && memcmp(p, value, n) == 0) {
			*(const char **)field = value;
			return RC_OK;
		}
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	return fail(err, RC_CONFIG, "--%s: \"%s\" is none of %s", o->name, value, o->choices);
}

/* By enum opt_type. */
static enum rc (*const setters[])(const struct opt *, void *, const char *, struct err *) = {
	[OPT_FLAG] = set_flag,
	[OPT_STR] = set_str,
	[OPT_LIST] = set_list,
	[OPT_U64] = set_u64,
	[OPT_DURATION] = set_duration,
	[OPT_CHOICE] = set_choice,
};

static const struct opt *
find_long(const struct opt *opts, const char *name, size_t len)
{
	for (; opts->name != NULL; opts++) {
		if (strlen(opts->name) == len && memcmp(opts->name, name, len) == 0)
			return opts;
	}
	return NULL;
}

static const struct opt *
find_letter(const struct opt *opts, char letter)
{
	for (; opts->name != NULL; opts++) {
		if (opts->letter != 0 && opts->letter == letter)
			return opts;
	}
	return NULL;
}

static enum rc
unknown_option(const struct opt *opts, const char *word, struct err *err)
{
	struct nearest near;
	char typed[64];

	snprintf(typed, sizeof(typed), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	(void)fail(err, RC_CONFIG, "unknown option --%s", typed);
	nearest_begin(&near, typed);
	for (; opts->name != NULL; opts++)
		nearest_offer(&near, opts->name);
	if (near.best != NULL)
		err_hint(err, "did you mean --%s?", near.best);
	return RC_CONFIG;
}

/* Store `value`, or the next word when it is NULL, for the option. */
static enum rc
take_value(struct reader *r, const struct opt *o, const char *value, struct err *err)
{
	if (o->type == OPT_FLAG && value != NULL)
		return fail(err, RC_CONFIG, "--%s takes no value", o->name);
	if (o->type != OPT_FLAG && value == NULL) {
		if (r->at >= r->argc)
			return fail(err, RC_CONFIG, "--%s needs a value%s%s", o->name,
			    o->value != NULL ? ": " : "", o->value != NULL ? o->value : "");
		value = r->argv[r->at++];
	}
	r->seen[o - r->opts] = true;
	return setters[o->type](o, r->out + o->offset, value, err);
}

static enum rc
take_long(struct reader *r, const char *word, struct err *err)
{
	size_t len = strcspn(word + 2, "=");
	const struct opt *o = find_long(r->opts, word + 2, len);

	if (o == NULL)
		return unknown_option(r->opts, word, err);
	return take_value(r, o, word[2 + len] == '=' ? word + 2 + len + 1 : NULL, err);
}

/* "-v", "-vq" (flags together), "-o FILE", "-oFILE". */
static enum rc
take_short(struct reader *r, const char *word, struct err *err)
{
	const char *p;
	enum rc rc;

	for (p = word + 1; *p != '\0'; p++) {
		const struct opt *o = find_letter(r->opts, *p);

		if (o == NULL)
			return fail(err, RC_CONFIG, "unknown option -%c", *p);
		if (o->type != OPT_FLAG)
			return take_value(r, o, p[1] != '\0' ? p + 1 : NULL, err);
		rc = take_value(r, o, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
check_required(const struct opt *opts, const bool *seen, struct err *err)
{
	size_t i;

	for (i = 0; opts[i].name != NULL; i++) {
		if (opts[i].required && !seen[i])
			return fail(err, RC_CONFIG, "--%s %s is required", opts[i].name,
			    opts[i].value != NULL ? opts[i].value : "VALUE");
	}
	return RC_OK;
}

static enum rc
read_words(struct reader *r, int *nargs, char **args, struct err *err)
{
	bool only_args = false;
	enum rc rc = RC_OK;

	*nargs = 0;
	while (rc == RC_OK && r->at < r->argc) {
		char *word = r->argv[r->at++];

		/* A lone "-" is an argument: standard input by custom. */
		if (only_args || word[0] != '-' || word[1] == '\0')
			args[(*nargs)++] = word;
		else if (strcmp(word, "--") == 0)
			only_args = true;
		else if (word[1] == '-')
			rc = take_long(r, word, err);
		else
			rc = take_short(r, word, err);
	}
	return rc;
}

enum rc
opt_parse(const struct opt *opts, void *out, int argc, char **argv, int *nargs, char **args,
    struct err *err)
{
	struct reader r = { .opts = opts, .out = out, .argc = argc, .argv = argv };
	size_t n = 0;
	enum rc rc;

	while (opts[n].name != NULL)
		n++;
	r.seen = calloc(n + 1, sizeof(*r.seen));
	if (r.seen == NULL)
		return fail(err, RC_NOMEM, "out of memory for options");
	rc = read_words(&r, nargs, args, err);
	if (rc == RC_OK)
		rc = check_required(opts, r.seen, err);
	free(r.seen);
	return rc;
}
