/*
 * json.c - bounded, strict reading of JSON on jansson.
 *
 * jansson's own messages quote the text near an error; a reply of Entra may hold a
 * token there.  So messages are made here, from its error codes and positions.
 */
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

/* An integer that a double holds exactly. */
#define REAL_INT_MAX 9007199254740992.0

/* Walk once over the text: nesting must be bounded before a recursive parser sees it. */
static bool
depth_within(const uint8_t *p, size_t len, unsigned max)
{
	unsigned depth = 0;
	bool in_string = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (in_string) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				in_string = false;
			continue;
		}
		if (p[i] == '"')
			in_string = true;
		else if (p[i] == '[' || p[i] == '{')
			depth++;
		else if ((p[i] == ']' || p[i] == '}') && depth > 0)
			depth--;
		if (depth > max)
			return false;
	}
	return true;
}

/* The codes that a parse can end with; the rest is "syntax error". */
static const char *
problem_text(enum json_error_code code)
{
	static const struct {
		enum json_error_code code;
		const char *text;
	} problems[] = {
		{ json_error_premature_end_of_input, "the text ends too early" },
		{ json_error_end_of_input_expected, "more text follows the value" },
		{ json_error_invalid_utf8, "not UTF-8" },
		{ json_error_null_character, "a string holds a NUL" },
		{ json_error_null_byte_in_key, "a key holds a NUL" },
		{ json_error_duplicate_key, "a key is given twice" },
		{ json_error_numeric_overflow, "a number is too large" },
		{ json_error_stack_overflow, "nested too deeply" },
	};
	size_t i;

	for (i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		if (problems[i].code == code)
			return problems[i].text;
	}
	return "syntax error";
}

static enum rc
parse(json_t **out, const void *bytes, size_t len, size_t max, struct err *err)
{
	/* jansson says nothing when it lacks the memory even to begin; only the position shows it. */
	json_error_t e = { .line = -1 };
	json_t *v;

	if (len > max)
		return fail(err, RC_LIMIT, "JSON text is longer than %zu bytes", max);
	if (len == 0)
		return fail(err, RC_PARSE, "JSON text is empty");
	/* jansson 2.14 loses a NUL that follows a number: "1\0" would be 1. */
	if (memchr(bytes, '\0', len) != NULL)
		return fail(err, RC_PARSE, "JSON text holds a NUL");
	if (!depth_within(bytes, len, LIMIT_JSON_DEPTH))
		return fail(err, RC_LIMIT, "JSON text nests deeper than %u", LIMIT_JSON_DEPTH);
	v = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (v != NULL) {
		*out = v;
		return RC_OK;
	}
	if (json_error_code(&e) == json_error_out_of_memory || e.line < 0)
		return fail(err, RC_NOMEM, "out of memory for JSON");
	return fail(err, RC_PARSE, "JSON text, line %d, column %d: %s", e.line, e.column,
	    problem_text(json_error_code(&e)));
}

enum rc
json_parse(json_t **out, const void *bytes, size_t len, struct err *err)
{
	return parse(out, bytes, len, LIMIT_JSON, err);
}

/* jansson's sink; a failed buf ends the dump. */
static int
dump_to_buf(const char *p, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_add(out, p, len);
	return out->rc == RC_OK ? 0 : -1;
}

static enum rc
dump(struct buf *out, const json_t *v, size_t flags, struct err *err)
{
	int n = json_dump_callback(
	    v, dump_to_buf, out, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	enum rc rc = buf_ok(out, "JSON text", err);

	if (rc != RC_OK)
		return rc;
	/* Values are checked when they are made: what is left is memory or nesting. */
	return n == 0 ? RC_OK : fail(err, RC_NOMEM, "cannot write JSON text");
}

enum rc
json_parse_object(json_t **out, const char *what, const void *bytes, size_t len, struct err *err)
{
	return json_parse_object_within(out, what, bytes, len, LIMIT_JSON, err);
}

enum rc
json_parse_object_within(
    json_t **out, const char *what, const void *bytes, size_t len, size_t max, struct err *err)
{
	json_t *o = NULL;
	enum rc rc;

	if ((rc = parse(&o, bytes, len, max, err)) != RC_OK)
		return rc;
	if (!json_is_object(o)) {
		json_decref(o);
		return fail(err, RC_PARSE, "%s is no JSON object", what);
	}
	*out = o;
	return RC_OK;
}

enum rc
json_add_text(struct buf *out, const json_t *v, struct err *err)
{
	return dump(out, v, JSON_COMPACT, err);
}

enum rc
json_add_pretty(struct buf *out, const json_t *v, struct err *err)
{
	enum rc rc = dump(out, v, JSON_INDENT(2), err);

	if (rc != RC_OK)
		return rc;
	buf_addc(out, '\n');
	return buf_ok(out, "JSON text", err);
}

const char *
json_get_str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

/* For messages: what a member is instead of what it should be. */
static const char *
type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number",
		[JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean",
		[JSON_NULL] = "null",
	};

	return v == NULL ? "absent" : names[json_typeof(v)];
}

enum rc
json_need_str(const char **out, const json_t *obj, const char *key, struct err *err)
{
	const json_t *v = json_object_get(obj, key);

	if (!json_is_string(v))
		return fail(
		    err, RC_PARSE, "JSON member \"%s\" is %s, want a string", key, type_name(v));
	*out = json_string_value(v);
	return RC_OK;
}

/* "-12": an optional sign and digits, nothing else. */
static bool
text_i64(int64_t *out, const char *s)
{
	bool minus = s[0] == '-';
	uint64_t v;

	if (parse_u64(&v, s + (minus ? 1 : 0), 0, INT64_MAX, "number", NULL) != RC_OK)
		return false;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool
real_i64(int64_t *out, double d)
{
	if (!(d >= -REAL_INT_MAX && d <= REAL_INT_MAX) || (double)(int64_t)d != d)
		return false;
	*out = (int64_t)d;
	return true;
}

enum rc
json_get_i64(int64_t *out, const json_t *obj, const char *key, int64_t dflt, struct err *err)
{
	const json_t *v = json_object_get(obj, key);
	bool ok = false;

	if (v == NULL || json_is_null(v)) {
		*out = dflt;
		return RC_OK;
	}
	if (json_is_integer(v)) {
		*out = (int64_t)json_integer_value(v);
		ok = true;
	} else if (json_is_real(v)) {
		ok = real_i64(out, json_real_value(v));
	} else if (json_is_string(v)) {
		ok = text_i64(out, json_string_value(v));
	}
	if (ok)
		return RC_OK;
	return fail(
	    err, RC_PARSE, "JSON member \"%s\" is %s, want a whole number", key, type_name(v));
}

json_t *
json_text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? json_string(s) : json_null();
}

json_t *
json_time_or_null(int64_t t)
{
	char text[TIME_TEXT_MAX];

	if (t == 0)
		return json_null();
	time_rfc3339(text, t);
	return json_string(text);
}
