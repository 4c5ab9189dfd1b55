/*
 * nomem_test.c - memory runs out at each allocation in turn: an error every time, no crash, no
 * leak.
 *
 * The linker sends malloc() and calloc() of our own code through the two wrappers below.
 */
#include "unit.h"

#include "base/file.h"
#include "base/opt.h"
#include "base/text.h"
#include "conf/conf.h"
#include "json/json.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool
runs_out(void)
{
	return left >= 0 && left-- == 0;
}

void *
__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

/* Fail the first, second, third ... allocation of `work` until it gets through. */
static void
sweep(enum rc (*work)(struct err *err), long at_least)
{
	struct err err = { 0 };
	enum rc rc = RC_NOMEM;
	long n;

	for (n = 0; rc == RC_NOMEM && n < 10000; n++) {
		left = n;
		rc = work(&err);
		left = -1;
		if (rc == RC_NOMEM)
			assert_int_equal(err.rc, RC_NOMEM);
	}
	assert_int_equal(rc, RC_OK);
	assert_in_range(n, at_least + 1, 10000);
}

static enum rc
fill_buf(struct err *err)
{
	struct buf b;
	enum rc rc;
	int i;

	buf_init(&b, 10000);
	for (i = 0; i < 100; i++)
		buf_addf(&b, "%d some text", i);
	rc = buf_ok(&b, "text", err);
	buf_done(&b);
	return rc;
}

static void
a_buf_stays_failed(void **state)
{
	sweep(fill_buf, 3);
}

struct inner {
	const char *name, *path;
	struct conf_strs list;
};
static const struct conf_row inner_rows[] = {
	{ "path", CONF_PATH, offsetof(struct inner, path), .dflt = "x" },
	{ "list", CONF_STR_LIST, offsetof(struct inner, list), .dflt = "[a, b]" },
	{ .key = NULL },
};
static const struct conf_schema inner_schema = { "inner", sizeof(struct inner), inner_rows,
	.name_offset = offsetof(struct inner, name), .line_offset = CONF_NO_LINE };
static const struct conf_row outer_rows[] = {
	{ "named", CONF_NAMED, 0, .sub = &inner_schema },
	{ .key = NULL },
};
static const struct conf_schema outer_schema = { "outer", sizeof(struct conf_items), outer_rows,
	.line_offset = CONF_NO_LINE };

static enum rc
read_conf(struct err *err)
{
	static const char text[] = "named:\n  a: {path: p}\n  b: {list: [x, y]}\n  c:\n";
	struct conf_items items;
	struct conf *conf = NULL;
	enum rc rc =
	    conf_parse(&conf, "f.yaml", text, sizeof(text) - 1, &outer_schema, &items, err);

	if (rc == RC_OK)
		assert_int_equal(items.n, 3);
	else
		assert_null(items.v);
	conf_free(conf);
	return rc;
}

static void
a_configuration_is_taken_whole_or_not(void **state)
{
	sweep(read_conf, 6);
}

static enum rc
write_json(struct err *err)
{
	json_t *v = json_pack("{s:s, s:[i, i]}", "a", "text", "b", 1, 2);
	struct buf b;
	enum rc rc;

	buf_init(&b, 1000);
	rc = json_add_pretty(&b, v, err);
	buf_done(&b);
	json_decref(v);
	return rc;
}

static void
json_is_written_whole_or_not(void **state)
{
	sweep(write_json, 1);
}

static enum rc
parse_options(struct err *err)
{
	static const struct opt rows[] = { { "v", 'v', OPT_FLAG, 0 }, { .name = NULL } };
	static char word[] = "-v";
	char *words[] = { word, NULL }, *args[2];
	bool v = false;
	int n;

	return opt_parse(rows, &v, 1, words, &n, args, err);
}

static void
options_say_that_memory_ran_out(void **state)
{
	sweep(parse_options, 1);
}

static enum rc
split_path(struct err *err)
{
	char *dir = NULL;
	enum rc rc = path_dir(&dir, "/a/b", err);

	free(dir);
	return rc;
}

static void
paths_say_that_memory_ran_out(void **state)
{
	sweep(split_path, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buf_stays_failed),
		cmocka_unit_test(a_configuration_is_taken_whole_or_not),
		cmocka_unit_test(json_is_written_whole_or_not),
		cmocka_unit_test(options_say_that_memory_ran_out),
		cmocka_unit_test(paths_say_that_memory_ran_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
