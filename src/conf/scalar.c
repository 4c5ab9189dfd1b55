/*
 * scalar.c - single values: text, numbers, durations, choices, paths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "conf/conf_int.h"

const char *
node_kind_name(const struct node *node)
{
	if (node->kind == NODE_MAP)
		return "a map";
	if (node->kind == NODE_LIST)
		return "a list";
	return node->empty ? "nothing" : "a value";
}

/* The text of a scalar that says something, or the error that this is none. */
static enum rc
scalar_text(struct fill *f, const struct node *node, const char **text, struct err *err)
{
	if (node->kind != NODE_SCALAR)
		return conf_fail(f->conf, err, node->line, f->place.text,
		    "want a single value, found %s", node_kind_name(node));
	if (node->empty)
		return conf_fail(f->conf, err, node->line, f->place.text, "has no value");
	*text = node->text;
	return RC_OK;
}

enum rc
scalar_copy(struct fill *f, const struct node *node, const char **out, struct err *err)
{
	const char *text = NULL;
	enum rc rc;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	text = arena_text(&f->conf->arena, text, strlen(text));
	if (text == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	*out = text;
	return RC_OK;
}

static enum rc
set_str(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	return scalar_copy(f, node, field, err);
}

static enum rc
set_bool(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "yes", true }, { "on", true }, { "false", false },
		{ "no", false }, { "off", false } };
	const char *text = NULL;
	enum rc rc;
	size_t i;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_eq_nocase(text, words[i].word)) {
			*(bool *)field = words[i].value;
			return RC_OK;
		}
	}
	return conf_fail(
	    f->conf, err, node->line, f->place.text, "\"%.40s\" is neither true nor false", text);
}

static uint64_t
max_of(const struct conf_row *row)
{
	return row->max == 0 ? UINT64_MAX : row->max;
}

static enum rc
set_u64(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	const char *text = NULL;
	enum rc rc;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	if (parse_u64(field, text, row->min, max_of(row), row->key, NULL) == RC_OK)
		return RC_OK;
	if (row->max == 0)
		rc = conf_fail(f->conf, err, node->line, f->place.text,
		    "\"%.40s\" is not a number of at least %llu", text,
		    (unsigned long long)row->min);
	else
		rc = conf_fail(f->conf, err, node->line, f->place.text,
		    "\"%.40s\" is not a number from %llu to %llu", text,
		    (unsigned long long)row->min, (unsigned long long)row->max);
	return row->hint != NULL ? err_hint(err, "%s", row->hint) : rc;
}

static enum rc
duration_range(struct fill *f, const struct conf_row *row, const struct node *node,
    const char *text, struct err *err)
{
	char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];

	duration_text(least, (int64_t)row->min);
	duration_text(most, (int64_t)row->max);
	if (row->max == 0)
		return conf_fail(
		    f->conf, err, node->line, f->place.text, "%s is shorter than %s", text, least);
	(void)conf_fail(
	    f->conf, err, node->line, f->place.text, "%s is not from %s to %s", text, least, most);
	if (text[strspn(text, "0123456789")] == '\0')
		return err_hint(
		    err, "a number alone is seconds: write %ss, %sh or %sd", text, text, text);
	return RC_CONFIG;
}

static enum rc
set_duration(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	struct err why = { 0 };
	const char *text = NULL;
	int64_t seconds;
	enum rc rc;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	if (parse_duration(&seconds, text, &why) != RC_OK)
		return conf_fail(f->conf, err, node->line, f->place.text, "%s", why.msg);
	if ((uint64_t)seconds < row->min || (uint64_t)seconds > max_of(row))
		return duration_range(f, row, node, text, err);
	*(int64_t *)field = seconds;
	return RC_OK;
}

/* The error of a word that is no choice, with all the choices and the nearest one. */
static enum rc
no_such_choice(
    struct fill *f, const struct node *node, const char *choices, const char *text, struct err *err)
{
	char word[64], guess[64] = "";
	const char *p = choices;
	struct nearest near;
	enum rc rc;

	nearest_begin(&near, text);
	while (*p != '\0') {
		size_t n = strcspn(p, "|");
		size_t before = near.distance;

		snprintf(word, sizeof(word), "%.*s", (int)n, p);
		nearest_offer(&near, word);
		if (near.distance < before)
			memcpy(guess, word, sizeof(guess));
		p += n + (p[n] == '|');
	}
	rc = conf_fail(
	    f->conf, err, node->line, f->place.text, "\"%.40s\" is none of %s", text, choices);
	if (guess[0] != '\0')
		err_hint(err, "did you mean \"%s\"?", guess);
	return rc;
}

enum rc
choice_index(struct fill *f, const struct node *node, const char *choices, const char *text,
    int *out, struct err *err)
{
	const char *p = choices;
	size_t len = strlen(text);
	int i;

	for (i = 0; *p != '\0'; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && memcmp(p, text, n) == 0) {
			*out = i;
			return RC_OK;
		}
		p += n + (p[n] == '|');
	}
	return no_such_choice(f, node, choices, text, err);
}

static enum rc
set_choice(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	const char *text = NULL;
	enum rc rc;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	return choice_index(f, node, row->choices, text, field, err);
}

static enum rc
set_path(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	const char *text = NULL;
	char *whole = NULL, *copy;
	enum rc rc;

	rc = scalar_text(f, node, &text, err);
	if (rc != RC_OK)
		return rc;
	if (text[0] == '\0')
		return conf_fail(f->conf, err, node->line, f->place.text, "a path is empty");
	while (str_starts(text, "./") && text[2] != '\0' && text[2] != '/')
		text += 2;
	rc = path_join(&whole, f->conf->dir, text, err);
	if (rc != RC_OK)
		return rc;
	copy = arena_text(&f->conf->arena, whole, strlen(whole));
	free(whole);
	if (copy == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	*(const char **)field = copy;
	return RC_OK;
}

scalar_setter
scalar_setter_of(enum conf_type type)
{
	static const scalar_setter setters[] = {
		[CONF_STR] = set_str,
		[CONF_BOOL] = set_bool,
		[CONF_U64] = set_u64,
		[CONF_DURATION] = set_duration,
		[CONF_CHOICE] = set_choice,
		[CONF_PATH] = set_path,
	};

	return (size_t)type < sizeof(setters) / sizeof(setters[0]) ? setters[type] : NULL;
}
