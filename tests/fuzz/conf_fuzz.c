/*
 * conf_fuzz.c - any bytes at the configuration door, under a schema with every type.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

struct inner {
	const char *name;
	int line;
	const char *text;
	bool flag;
};
struct outer {
	const char *text, *path;
	uint64_t number;
	int64_t wait;
	int choice;
	struct conf_strs strs;
	struct inner map;
	struct conf_items list, named;
	struct conf_pairs pairs;
};

static const struct conf_row inner_rows[] = {
	{ "t", CONF_STR, offsetof(struct inner, text) },
	{ "f", CONF_BOOL, offsetof(struct inner, flag), .dflt = "on" },
	{ .key = NULL },
};
static const struct conf_schema inner_schema = { "inner", sizeof(struct inner), inner_rows,
	offsetof(struct inner, name), offsetof(struct inner, line) };

static const struct conf_row outer_rows[] = {
	{ "t", CONF_STR, offsetof(struct outer, text), .dflt = "x" },
	{ "p", CONF_PATH, offsetof(struct outer, path) },
	{ "u", CONF_U64, offsetof(struct outer, number), .min = 1, .max = 99 },
	{ "d", CONF_DURATION, offsetof(struct outer, wait), .max = 86400 },
	{ "c", CONF_CHOICE, offsetof(struct outer, choice), .choices = "a|b" },
	{ "s", CONF_STR_LIST, offsetof(struct outer, strs), .dflt = "[a]" },
	{ "m", CONF_MAP, offsetof(struct outer, map), .sub = &inner_schema },
	{ "l", CONF_LIST, offsetof(struct outer, list), .sub = &inner_schema },
	{ "n", CONF_NAMED, offsetof(struct outer, named), .sub = &inner_schema },
	{ "q", CONF_PAIRS, offsetof(struct outer, pairs) },
	{ .key = NULL },
};
static const struct conf_schema outer_schema = { "outer", sizeof(struct outer), outer_rows,
	.line_offset = CONF_NO_LINE };

static volatile size_t sink; /* keeps the reads below */

/* Read everything that was handed out: the sanitizer sees what points nowhere. */
static void
touch(const struct outer *o)
{
	const struct inner *named = o->named.v;
	size_t i;

	sink += strlen(o->text) + (o->path != NULL ? strlen(o->path) : 0);
	for (i = 0; i < o->strs.n; i++)
		sink += strlen(o->strs.v[i]);
	for (i = 0; i < o->named.n; i++)
		sink += strlen(named[i].name) + (named[i].text != NULL ? strlen(named[i].text) : 0);
	for (i = 0; i < o->pairs.n; i++)
		sink += strlen(o->pairs.v[i].key) + strlen(o->pairs.v[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf = NULL;
	struct outer o;
	struct err err = { 0 };
	enum rc rc = conf_parse(&conf, "/f", data, size, &outer_schema, &o, &err);

	if (rc == RC_OK)
		touch(&o);
	else if (rc != RC_CONFIG || strncmp(err.msg, "/f:", 3) != 0)
		abort();
	conf_free(conf);
	return 0;
}
