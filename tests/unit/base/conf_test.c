/*
 * conf_test.c - YAML by schema: every type, every default, and the exact words of every refusal.
 */
#include "unit.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "conf/conf.h"

struct server {
	const char *name;
	int line;
	const char *url;
	bool tls;
	struct conf_strs tags;
};
struct timing {
	int64_t wait;
	uint64_t tries;
};
struct device {
	const char *owner;
	int line;
	struct timing timing;
};
struct whole {
	const char *title;
	int mode;
	const char *file, *log;
	struct timing timing;
	struct conf_items servers, devices;
	struct conf_pairs extra;
	struct conf_strs kinds;
	struct device spare;
};

static const struct conf_row timing_rows[] = {
	{ "wait", CONF_DURATION, offsetof(struct timing, wait), .dflt = "30s", .min = 1,
	    .max = 3600 },
	{ "tries", CONF_U64, offsetof(struct timing, tries), .dflt = "3", .min = 1, .max = 9 },
	{ .key = NULL },
};
static const struct conf_schema timing_schema = { "timing", sizeof(struct timing), timing_rows,
	.line_offset = CONF_NO_LINE };

static const struct conf_row server_rows[] = {
	{ "url", CONF_STR, offsetof(struct server, url), .required = true },
	{ "tls", CONF_BOOL, offsetof(struct server, tls), .dflt = "yes" },
	{ "tags", CONF_STR_LIST, offsetof(struct server, tags), .dflt = "[one, two]", .max = 3 },
	{ .key = NULL },
};
static const struct conf_schema server_schema = { "server", sizeof(struct server), server_rows,
	offsetof(struct server, name), offsetof(struct server, line) };

static const struct conf_row device_rows[] = {
	{ "owner", CONF_STR, offsetof(struct device, owner), .required = true },
	{ "timing", CONF_MAP, offsetof(struct device, timing), .sub = &timing_schema },
	{ .key = NULL },
};
static const struct conf_schema device_schema = { "device", sizeof(struct device), device_rows,
	.line_offset = offsetof(struct device, line) };

static const struct conf_row whole_rows[] = {
	{ "title", CONF_STR, offsetof(struct whole, title), .dflt = "untitled: yes" },
	{ "mode", CONF_CHOICE, offsetof(struct whole, mode), .dflt = "static",
	    .choices = "none|static|intune" },
	{ "file", CONF_PATH, offsetof(struct whole, file) },
	{ "log", CONF_PATH, offsetof(struct whole, log), .dflt = "var/log" },
	{ "timing", CONF_MAP, offsetof(struct whole, timing), .sub = &timing_schema },
	{ "servers", CONF_NAMED, offsetof(struct whole, servers), .sub = &server_schema, .min = 1 },
	{ "devices", CONF_LIST, offsetof(struct whole, devices), .max = 2, .sub = &device_schema },
	{ "extra", CONF_PAIRS, offsetof(struct whole, extra) },
	{ "kinds", CONF_STR_LIST, offsetof(struct whole, kinds), .choices = "windows|macos" },
	{ "spare", CONF_MAP, offsetof(struct whole, spare), .sub = &device_schema },
	{ .key = NULL },
};
static const struct conf_schema whole_schema = { "the file", sizeof(struct whole), whole_rows,
	.line_offset = CONF_NO_LINE };

static struct whole w;
static struct conf *conf;
static struct err err;

static enum rc
parse_bytes(const char *text, size_t len)
{
	memset(&err, 0, sizeof(err));
	conf = NULL;
	return conf_parse(&conf, "/etc/x/f.yaml", text, len, &whole_schema, &w, &err);
}

static enum rc
parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static int
end(void **state)
{
	conf_free(conf);
	conf = NULL;
	return 0;
}

static void
every_type_goes_into_its_field(void **state)
{
	const struct server *s;
	const struct device *d;

	assert_int_equal(parse("# a comment\n"
			       "title: \"a: b\"\n"
			       "mode: intune\n"
			       "file: ./state/ca.db\n"
			       "timing: {wait: 15m, tries: 9}\n"
			       "servers:\n"
			       "  alpha:\n"
			       "    url: http://a\n"
			       "    tls: Off\n"
			       "    tags: only\n"
			       "  beta: {url: 'no', tags: []}\n"
			       "devices:\n"
			       "  - owner: ann\n"
			       "    timing:\n"
			       "      tries: 1\n"
			       "  - owner: bob\n"
			       "extra:\n"
			       "  any key: 1\n"
			       "  other: \"\"\n"
			       "kinds: [macos, windows]\n"),
	    RC_OK);
	assert_string_equal(w.title, "a: b");
	assert_int_equal(w.mode, 2);
	assert_string_equal(w.file, "/etc/x/state/ca.db");
	assert_int_equal(w.timing.wait, 900);
	assert_int_equal(w.timing.tries, 9);
	assert_int_equal(w.servers.n, 2);
	s = w.servers.v;
	assert_string_equal(s[0].name, "alpha");
	assert_int_equal(s[0].line, 7);
	assert_string_equal(s[0].url, "http://a");
	assert_false(s[0].tls);
	assert_int_equal(s[0].tags.n, 1);
	assert_string_equal(s[0].tags.v[0], "only");
	assert_string_equal(s[1].name, "beta");
	assert_int_equal(s[1].line, 11);
	assert_string_equal(s[1].url, "no");
	assert_int_equal(s[1].tags.n, 0);
	d = w.devices.v;
	assert_int_equal(w.devices.n, 2);
	assert_string_equal(d[1].owner, "bob");
	assert_int_equal(d[1].line, 16);
	assert_int_equal(d[0].timing.tries, 1);
	assert_int_equal(w.extra.n, 2);
	assert_string_equal(w.extra.v[0].key, "any key");
	assert_string_equal(w.extra.v[0].value, "1");
	assert_int_equal(w.extra.v[1].line, 19);
	assert_string_equal(w.extra.v[1].value, "");
	assert_string_equal(w.kinds.v[1], "windows");
}

static void
what_is_absent_gets_its_default(void **state)
{
	const struct server *s;
	const struct device *d;

	assert_int_equal(parse("servers: {a: {url: u}}\ndevices: [{owner: o}]\n"), RC_OK);
	assert_string_equal(w.title, "untitled: yes");
	assert_int_equal(w.mode, 1);
	assert_null(w.file);
	assert_string_equal(w.log, "/etc/x/var/log");
	assert_int_equal(w.timing.wait, 30);
	assert_int_equal(w.timing.tries, 3);
	s = w.servers.v;
	assert_true(s->tls);
	assert_int_equal(s->tags.n, 2);
	assert_string_equal(s->tags.v[1], "two");
	d = w.devices.v;
	assert_int_equal(d->timing.wait, 30);
	/* a map that is absent needs none of its keys, and has its defaults */
	assert_null(w.spare.owner);
	assert_int_equal(w.spare.line, 0);
	assert_int_equal(w.spare.timing.tries, 3);
	assert_int_equal(w.extra.n, 0);
}

static void
nothing_at_all_is_a_map_without_keys(void **state)
{
	static const char *const empty[] = { "", "\n", "# only a comment\n", "---\n", "~", "{}",
		"\xef\xbb\xbf", "timing:\ndevices:\nextra:\nkinds:\n" };
	size_t i;

	for (i = 0; i < COUNT(empty); i++) {
		assert_int_equal(parse(empty[i]), RC_OK);
		assert_int_equal(w.timing.tries, 3);
		conf_free(conf);
		conf = NULL;
	}
}

/* Every refusal: the text, and the message after "/etc/x/f.yaml:". */
#define SYNTAX_HINT                                                                                \
	"look at this line and the one before: indented as its neighbours? a ':' after the key, "  \
	"a space after it? quotes and brackets closed?"

static const struct {
	const char *text, *message, *hint;
} refused[] = {
	/* keys */
	{ "titel: x\n", "1: titel: unknown key", "did you mean \"title\"?" },
	{ "servers:\n  a:\n    url: u\n    tsl: on\n", "4: servers.a.tsl: unknown key",
	    "did you mean \"tls\"?" },
	{ "devices:\n  - owner: x\n    zebra: 1\n", "3: devices[0].zebra: unknown key",
	    "device takes: owner, timing" },
	{ "title: a\nmode: none\ntitle: b\n", "3: title: given twice, first on line 1", "" },
	{ "servers:\n  a: {url: u}\n  b: {url: u}\n  a: {url: u}\n",
	    "4: servers.a: given twice, first on line 2", "" },
	{ "extra: {k: 1, k: 2}\n", "1: extra.k: given twice, first on line 1", "" },
	{ "servers:\n  a:\n    tls: on\n", "2: servers.a.url: required, but not given", "" },
	{ "servers: {a: }\n", "1: servers.a.url: required, but not given", "" },
	{ "devices:\n  - timing: {}\n", "2: devices[0].owner: required, but not given", "" },
	{ "title: a\n? [x]\n: y\n", "2: a key must be a word, not a map or list", "" },
	{ "title: a\n'': y\n", "2: a key is empty", "" },
	{ "title: a\nspare:\n  timing: {}\n", "2: spare.owner: required, but not given", "" },
	/* kinds */
	{ "title: [a]\n", "1: title: want a single value, found a list", "" },
	{ "title: {a: b}\n", "1: title: want a single value, found a map", "" },
	{ "title:\nmode: none\n", "1: title: has no value", "" },
	{ "title: null\n", "1: title: has no value", "" },
	{ "timing: 3\n", "1: timing: want a map (key: value), found a value", "" },
	{ "timing: [3]\n", "1: timing: want a map (key: value), found a list", "" },
	{ "devices: {owner: x}\n",
	    "1: devices: want a list (each item starts with \"- \"), found a map", "" },
	{ "devices: [x]\n", "1: devices[0]: want a map (key: value), found a value", "" },
	{ "servers: [x]\n", "1: servers: want a map of names, found a list", "" },
	{ "kinds: {a: b}\n", "1: kinds: want a list of values, found a map", "" },
	{ "kinds:\n  - macos\n  - [windows]\n", "3: kinds[1]: want a single value, found a list",
	    "" },
	{ "extra: {a: [1]}\n", "1: extra.a: want a single value, found a list", "" },
	{ "- a\n", "1: want a map (key: value), found a list", "" },
	{ "\n\nword\n", "3: want a map (key: value), found a value", "" },
	/* ranges */
	{ "mode: intun\n", "1: mode: \"intun\" is none of none|static|intune",
	    "did you mean \"intune\"?" },
	{ "mode: Intune\n", "1: mode: \"Intune\" is none of none|static|intune",
	    "did you mean \"intune\"?" },
	{ "kinds: [macos, linux]\n", "1: kinds[1]: \"linux\" is none of windows|macos", "" },
	{ "timing:\n  tries: 10\n", "2: timing.tries: \"10\" is not a number from 1 to 9", "" },
	{ "timing: {tries: -1}\n", "1: timing.tries: \"-1\" is not a number from 1 to 9", "" },
	{ "timing: {wait: 2h}\n", "1: timing.wait: 2h is not from 1s to 1h", "" },
	{ "timing: {wait: soon}\n",
	    "1: timing.wait: \"soon\" is not a duration such as 90s, 15m, 24h, 365d or 2y", "" },
	{ "servers: {a: {url: u, tls: maybe}}\n",
	    "1: servers.a.tls: \"maybe\" is neither true nor false", "" },
	{ "servers: {}\n", "1: servers: 0 items, the least is 1", "" },
	{ "devices: [{owner: a}, {owner: b}, {owner: c}]\n", "1: devices: 3 items, the most is 2",
	    "" },
	{ "servers: {a: {url: u, tags: [a, b, c, d]}}\n",
	    "1: servers.a.tags: 4 items, the most is 3", "" },
	{ "file: ''\n", "1: file: a path is empty", "" },
	/* YAML that is not taken */
	{ "timing: &t {tries: 1}\n", "1: timing: YAML anchors (&name) are not taken", "" },
	{ "devices:\n  - owner: &o x\n  - owner: *o\n",
	    "2: devices[0].owner: YAML anchors (&name) are not taken", "" },
	{ "title: *t\n", "1: title: YAML aliases (*name) are not taken", "" },
	{ "title: a\n<<: *t\n", "2: <<: YAML aliases (*name) are not taken", "" },
	{ "title: !!str a\n", "1: title: YAML tags (!name) are not taken", "" },
	{ "title: a\nservers: !x {}\n", "2: servers: YAML tags (!name) are not taken", "" },
	{ "devices: !!seq []\n", "1: devices: YAML tags (!name) are not taken", "" },
	{ "title: a\n---\ntitle: b\n", "2: a second document (---) is not taken", "" },
	{ "%TAG ! tag:x,2000:\n---\ntitle: a\n", "1: %TAG is not taken", "" },
	{ "title: \"a\\0b\"\n", "1: title: a NUL character is not taken", "" },
	/* syntax */
	{ "title: a\n\tmode: none\n",
	    "2: found a tab character that violates indentation while scanning a plain scalar",
	    "YAML is indented with spaces; this line starts with a tab" },
	{ "title:\n \t@a\n",
	    "2: found character that cannot start any token while scanning for the next token",
	    "YAML is indented with spaces; this line starts with a tab" },
	{ "title: a: b\n", "1: mapping values are not allowed in this context", SYNTAX_HINT },
	{ "title: 'a\n", "2: found unexpected end of stream while scanning a quoted scalar",
	    SYNTAX_HINT },
	{ "title: a\n mode: none\n", "2: mapping values are not allowed in this context",
	    SYNTAX_HINT },
	{ "title: a\nmode: \xff\n", "2: invalid leading UTF-8 octet", "save the file as UTF-8" },
	{ "title: a\n\nmode: \x01\n", "3: control characters are not allowed", "" },
};

static void
a_refusal_names_file_line_and_key(void **state)
{
	static const char name[] = "/etc/x/f.yaml:";
	struct whole zero = { 0 };
	size_t i;

	for (i = 0; i < COUNT(refused); i++) {
		assert_int_equal(parse(refused[i].text), RC_CONFIG);
		assert_int_equal(strncmp(err.msg, name, strlen(name)), 0);
		assert_string_equal(err.msg + strlen(name), refused[i].message);
		assert_string_equal(err.hint, refused[i].hint);
		assert_null(conf);
		assert_memory_equal(&w, &zero, sizeof(w));
	}
}

static void
depth_is_bounded(void **state)
{
	char text[200] = "title: ";
	size_t i;

	for (i = 0; i < 100; i++)
		strcat(text, "[");
	assert_int_equal(parse(text), RC_CONFIG);
	assert_non_null(strstr(err.msg, "nested too deeply"));
}

static void
the_number_of_values_is_bounded(void **state)
{
	struct buf b;
	size_t i;

	buf_init(&b, LIMIT_CONFIG);
	buf_adds(&b, "kinds:\n [");
	for (i = 0; i < 400000; i++)
		buf_adds(&b, "a,");
	buf_adds(&b, "]\n");
	assert_int_equal(parse_bytes(buf_str(&b), b.len), RC_CONFIG);
	assert_non_null(strstr(err.msg, "too many values"));
	buf_done(&b);
}

static void
size_is_bounded(void **state)
{
	char *text = malloc(LIMIT_CONFIG + 1);

	memset(text, '\n', LIMIT_CONFIG + 1);
	assert_int_equal(parse_bytes(text, LIMIT_CONFIG), RC_OK);
	conf_free(conf);
	assert_int_equal(parse_bytes(text, LIMIT_CONFIG + 1), RC_CONFIG);
	free(text);
}

static void
many_names_are_compared_quickly(void **state)
{
	struct buf b;
	int i;

	buf_init(&b, LIMIT_CONFIG);
	buf_adds(&b, "extra:\n");
	for (i = 0; i < 50000; i++)
		buf_addf(&b, " k%d: v\n", i);
	buf_adds(&b, " k777: again\n");
	assert_int_equal(parse_bytes(buf_str(&b), b.len), RC_CONFIG);
	assert_string_equal(
	    err.msg, "/etc/x/f.yaml:50002: extra.k777: given twice, first on line 779");
	buf_done(&b);
}

static void
a_hostile_key_cannot_forge_the_message(void **state)
{
	char text[2000] = "\"bad\\nkey\": 1\n";

	assert_int_equal(parse(text), RC_CONFIG);
	assert_string_equal(err.msg, "/etc/x/f.yaml:1: bad?key: unknown key");
	memset(text, 'k', 900);
	strcpy(text + 900, ": 1\n");
	assert_int_equal(parse(text), RC_CONFIG);
	assert_non_null(strstr(err.msg, "kkk: unknown key"));
}

static void
every_prefix_and_bit_flip_is_survived(void **state)
{
	static const char text[] = "title: \"a\\n\"\nservers:\n  a: {url: u, tags: [x, "
				   "'y']}\ndevices:\n  - owner: |\n      b\n";
	size_t len = sizeof(text) - 1, i;

	for (i = 0; i < len * 9; i++) {
		size_t n = i < len ? i : len;
		char *copy = malloc(n + (n == 0));
		enum rc rc;

		memcpy(copy, text, n);
		if (i >= len)
			copy[(i - len) / 8] ^= (char)(1u << (i - len) % 8);
		rc = parse_bytes(copy, n);
		free(copy);
		assert_true(rc == RC_OK || rc == RC_CONFIG);
		/* nothing may still point into the bytes */
		if (rc == RC_OK && w.title != NULL)
			assert_in_range(strlen(w.title), 0, 100);
		conf_free(conf);
		conf = NULL;
	}
}

static void
a_wrong_default_is_a_bug_of_ours(void **state)
{
	static const struct conf_row rows[] = {
		{ "n", CONF_U64, 0, .dflt = "many" },
		{ .key = NULL },
	};
	static const struct conf_schema schema = { "x", sizeof(uint64_t), rows,
		.line_offset = CONF_NO_LINE };
	uint64_t n;

	assert_int_equal(conf_parse(&conf, "f", "", 0, &schema, &n, &err), RC_BUG);
	assert_non_null(strstr(err.msg, "default of n"));
}

static void
a_rule_across_fields_fails_in_the_same_words(void **state)
{
	assert_int_equal(parse("title: a\n"), RC_OK);
	assert_int_equal(conf_fail(conf, &err, 12, "a.b", "no %s", "c"), RC_CONFIG);
	assert_string_equal(err.msg, "/etc/x/f.yaml:12: a.b: no c");
}

static void
a_file_is_read_and_paths_start_at_its_folder(void **state)
{
	char dir[] = "/tmp/conf_test.XXXXXX", path[64], want[64];
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f.yaml", dir);
	assert_int_equal(conf_load(&conf, path, &whole_schema, &w, &err), RC_NOTFOUND);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("file: a/b\n", f);
	fclose(f);
	assert_int_equal(conf_load(&conf, path, &whole_schema, &w, &err), RC_OK);
	snprintf(want, sizeof(want), "%s/a/b", dir);
	assert_string_equal(w.file, want);
	conf_free(conf);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(conf_load(&conf, "f.yaml", &whole_schema, &w, &err), RC_OK);
	assert_string_equal(w.file, want);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_type_goes_into_its_field, end),
		cmocka_unit_test_teardown(what_is_absent_gets_its_default, end),
		cmocka_unit_test_teardown(nothing_at_all_is_a_map_without_keys, end),
		cmocka_unit_test(a_refusal_names_file_line_and_key),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(the_number_of_values_is_bounded),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(many_names_are_compared_quickly),
		cmocka_unit_test(a_hostile_key_cannot_forge_the_message),
		cmocka_unit_test(every_prefix_and_bit_flip_is_survived),
		cmocka_unit_test(a_wrong_default_is_a_bug_of_ours),
		cmocka_unit_test_teardown(a_rule_across_fields_fails_in_the_same_words, end),
		cmocka_unit_test_teardown(a_file_is_read_and_paths_start_at_its_folder, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
