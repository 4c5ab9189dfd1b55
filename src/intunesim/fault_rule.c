/*
 * fault_rule.c - rules as text and as JSON: one table of names for both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/fault_kinds.h"

#define RULE_TEXT_MAX 8192 /* bytes of a rule in one argument */

static const char *const step_names[SIM_STEP__MAX + 1] = {
	[SIM_STEP_NONE] = "none",
	[SIM_STEP_TOKEN] = "token",
	[SIM_STEP_DISCOVERY] = "discovery",
	[SIM_STEP_VALIDATE] = "validate",
	[SIM_STEP_SUCCESS] = "success",
	[SIM_STEP_FAILURE] = "failure",
	[SIM_STEP_DOWNLOAD] = "download",
	[SIM_STEP_UPLOAD] = "upload",
	[SIM_STEP_GRAPH] = "graph",
	[SIM_STEP_CHECKIN] = "checkin",
	[SIM_STEP_ANY] = "*",
};

const char *
sim_step_name(int step)
{
	return step >= 0 && step <= SIM_STEP_ANY ? step_names[step] : "none";
}

/* ---- values, from text ---- */

enum type { T_NUMBER, T_BOOL, T_CHOICE, T_TEXT, T_OFFSET, T_SHARE };

struct param {
	const char *name;
	enum type type;
	unsigned bit; /* enum fault_param; 0: every kind has it */
	size_t offset, size;
	uint64_t min, max;
	const char *choices;
};

#define AT(f)     .offset = offsetof(struct fault_rule, f)
#define TEXT(f)   AT(f), .size = sizeof(((struct fault_rule *)0)->f), .type = T_TEXT
#define NUMBER(f) AT(f), .type = T_NUMBER

static const struct param params[] = {
	{ "share", AT(share), .type = T_SHARE },
	{ "after", NUMBER(after), .max = UINT32_MAX },
	{ "times", NUMBER(times), .max = UINT32_MAX },
	{ "status", NUMBER(status), .bit = FAULT_STATUS, .min = 200, .max = 599 },
	{ "retryAfter", NUMBER(retry_after), .bit = FAULT_RETRY_AFTER, .max = 86400 },
	{ "retryAs", AT(retry_as), .type = T_CHOICE, .bit = FAULT_RETRY_AS,
	    .choices = "seconds|date" },
	{ "body", AT(body), .type = T_CHOICE, .bit = FAULT_BODY,
	    .choices = "odata|empty|html|text" },
	{ "text", TEXT(text), .bit = FAULT_TEXT },
	{ "location", TEXT(location), .bit = FAULT_LOCATION },
	{ "carryOut", AT(carry_out), .type = T_BOOL, .bit = FAULT_CARRY_OUT },
	{ "code", TEXT(code), .bit = FAULT_CODE },
	{ "description", TEXT(description), .bit = FAULT_DESCRIPTION },
	{ "number", NUMBER(number), .bit = FAULT_NUMBER, .min = 1, .max = 99999999 },
	{ "member", TEXT(member), .bit = FAULT_MEMBER },
	{ "value", TEXT(value), .bit = FAULT_VALUE },
	{ "type", AT(type), .type = T_CHOICE, .bit = FAULT_TYPE, .choices = FAULT_TYPES },
	{ "broken", AT(broken), .type = T_BOOL, .bit = FAULT_BROKEN },
	{ "bytes", NUMBER(bytes), .bit = FAULT_BYTES, .min = 1, .max = FAULT_BYTES_MAX },
	{ "ms", NUMBER(ms), .bit = FAULT_MS, .min = 1, .max = FAULT_MS_MAX },
	{ "sent", NUMBER(percent), .bit = FAULT_SENT, .max = 100 },
	{ "offset", AT(offset), .type = T_OFFSET, .bit = FAULT_OFFSET },
	{ "uri", TEXT(uri), .bit = FAULT_URI },
};
#define N_PARAMS (sizeof(params) / sizeof(params[0]))

/* The field of a parameter; as void, for its type is in the table. */
static void *
field(struct fault_rule *r, const struct param *p)
{
	return (char *)r + p->offset;
}

static enum rc
set_choice(int *out, const struct param *p, const char *text, struct err *err)
{
	const char *at = p->choices;

	for (int i = 0; *at != '\0'; i++) {
		size_t len = strcspn(at, "|");

		if (strlen(text) == len && strncmp(at, text, len) == 0) {
			*out = i;
			return RC_OK;
		}
		at += len + (at[len] == '|');
	}
	return fail(err, RC_CONFIG, "%s: \"%s\" is none of %s", p->name, text, p->choices);
}

static enum rc
set_bool(bool *out, const struct param *p, const char *text, struct err *err)
{
	*out = strcmp(text, "true") == 0;
	if (*out || strcmp(text, "false") == 0)
		return RC_OK;
	return fail(err, RC_CONFIG, "%s: \"%s\" is neither true nor false", p->name, text);
}

static enum rc
set_share(double *out, const struct param *p, const char *text, struct err *err)
{
	char *end = NULL;
	double v = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : -1;

	if (end == NULL || *end != '\0' || !(v >= 0 && v <= 1))
		return fail(err, RC_CONFIG, "%s: \"%s\" is no number from 0 to 1", p->name, text);
	*out = v;
	return RC_OK;
}

static enum rc
set_offset(int64_t *out, const struct param *p, const char *text, struct err *err)
{
	bool behind = text[0] == '-';
	int64_t seconds;

	if (parse_duration(&seconds, text + behind, NULL) != RC_OK || seconds > FAULT_OFFSET_MAX)
		return fail(err, RC_CONFIG, "%s: \"%s\" is no time like 2h or -30d", p->name, text);
	*out = behind ? -seconds : seconds;
	return RC_OK;
}

static enum rc
set_text(char *out, const struct param *p, const char *text, struct err *err)
{
	if (strlen(text) >= p->size)
		return fail(err, RC_CONFIG, "%s: more than %zu bytes", p->name, p->size - 1);
	memcpy(out, text, strlen(text) + 1);
	return RC_OK;
}

static enum rc
set_number(uint64_t *out, const struct param *p, const char *text, struct err *err)
{
	enum rc rc = parse_u64(out, text, p->min, p->max, p->name, err);

	return rc == RC_OK ? RC_OK : RC_CONFIG;
}

static enum rc
set(struct fault_rule *r, const struct param *p, const char *text, struct err *err)
{
	void *at = field(r, p);

	switch (p->type) {
	case T_NUMBER:
		return set_number(at, p, text, err);
	case T_BOOL:
		return set_bool(at, p, text, err);
	case T_CHOICE:
		return set_choice(at, p, text, err);
	case T_TEXT:
		return set_text(at, p, text, err);
	case T_OFFSET:
		return set_offset(at, p, text, err);
	case T_SHARE:
		return set_share(at, p, text, err);
	}
	return fail(err, RC_BUG, "%s has no type", p->name);
}

/* ---- a rule, from an object ---- */

/* Numbers and booleans may stand as such or as text. */
static enum rc
value_text(char out[static FAULT_TEXT_MAX], const char *key, const json_t *v, struct err *err)
{
	int n = -1;

	if (json_is_string(v))
		n = snprintf(out, FAULT_TEXT_MAX, "%s", json_string_value(v));
	else if (json_is_integer(v))
		n = snprintf(out, FAULT_TEXT_MAX, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		n = snprintf(out, FAULT_TEXT_MAX, "%.17g", json_real_value(v));
	else if (json_is_boolean(v))
		n = snprintf(out, FAULT_TEXT_MAX, "%s", json_is_true(v) ? "true" : "false");
	if (n < 0)
		return fail(err, RC_CONFIG, "%s: is neither text nor number", key);
	if (n >= FAULT_TEXT_MAX)
		return fail(err, RC_CONFIG, "%s: more than %d bytes", key, FAULT_TEXT_MAX - 1);
	return RC_OK;
}

static enum rc
read_step(struct fault_rule *r, const json_t *o, struct err *err)
{
	const char *name = json_get_str(o, "step");

	if (name == NULL)
		return fail(err, RC_CONFIG, "step: is missing");
	for (r->step = SIM_STEP_NONE + 1; r->step <= SIM_STEP_ANY; r->step++) {
		if (strcmp(step_names[r->step], name) == 0)
			return RC_OK;
	}
	return fail(err, RC_CONFIG,
	    "step: \"%.40s\" is none of token, discovery, validate, success, failure, download, "
	    "upload, graph, checkin, *",
	    name);
}

static enum rc
read_kind(struct fault_rule *r, const json_t *o, struct err *err)
{
	const char *name = json_get_str(o, "fault");
	struct nearest near;

	if (name == NULL)
		return fail(err, RC_CONFIG, "fault: is missing");
	nearest_begin(&near, name);
	for (size_t i = 0; i < fault_kinds_n; i++) {
		if (strcmp(fault_kinds[i].name, name) == 0)
			r->kind = &fault_kinds[i];
		nearest_offer(&near, fault_kinds[i].name);
	}
	if (r->kind == NULL && near.best != NULL)
		return fail(err, RC_CONFIG, "fault: there is no \"%.40s\"; did you mean \"%s\"?",
		    name, near.best);
	if (r->kind == NULL)
		return fail(err, RC_CONFIG, "fault: there is no \"%.40s\"", name);
	if (r->kind->steps != 0 && r->step != SIM_STEP_ANY &&
	    (r->kind->steps & (1u << r->step)) == 0)
		return fail(err, RC_CONFIG, "fault: \"%s\" means nothing at the step \"%s\"",
		    r->kind->name, step_names[r->step]);
	r->bytes = r->kind->bytes;
	r->ms = r->kind->ms;
	r->percent = r->kind->percent;
	return RC_OK;
}

static const struct param *
find_param(const char *name)
{
	for (size_t i = 0; i < N_PARAMS; i++) {
		if (strcmp(params[i].name, name) == 0)
			return &params[i];
	}
	return NULL;
}

static enum rc
read_param(struct fault_rule *r, unsigned *given, const char *key, const json_t *v, struct err *err)
{
	const struct param *p = find_param(key);
	char text[FAULT_TEXT_MAX];
	enum rc rc;

	if (p == NULL)
		return fail(err, RC_CONFIG, "%.40s: there is no such key", key);
	if (p->bit != 0 && (r->kind->params & p->bit) == 0)
		return fail(
		    err, RC_CONFIG, "%s: the fault \"%s\" has no such key", key, r->kind->name);
	if ((rc = value_text(text, key, v, err)) != RC_OK)
		return rc;
	*given |= p->bit;
	return set(r, p, text, err);
}

static enum rc
check_needed(const struct fault_rule *r, unsigned given, struct err *err)
{
	for (size_t i = 0; i < N_PARAMS; i++) {
		if ((r->kind->needed & params[i].bit) != 0 && (given & params[i].bit) == 0)
			return fail(err, RC_CONFIG, "%s: the fault \"%s\" needs it", params[i].name,
			    r->kind->name);
	}
	return RC_OK;
}

/* What "hits" says when a rule is shown; it may come back, so that a rule that was read can be put. */
static bool
is_other_key(const char *key)
{
	return strcmp(key, "step") == 0 || strcmp(key, "fault") == 0 || strcmp(key, "hits") == 0;
}

enum rc
fault_rule_read(struct fault_rule *out, const json_t *o, struct err *err)
{
	struct fault_rule r = { .share = 1 };
	unsigned given = 0;
	const char *key;
	json_t *v;
	enum rc rc;

	if (!json_is_object(o))
		return fail(err, RC_CONFIG, "a rule is no object");
	if ((rc = read_step(&r, o, err)) != RC_OK || (rc = read_kind(&r, o, err)) != RC_OK)
		return rc;
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		if (!is_other_key(key) && (rc = read_param(&r, &given, key, v, err)) != RC_OK)
			return rc;
	}
	if ((rc = check_needed(&r, given, err)) == RC_OK)
		*out = r;
	return rc;
}

/* ---- from text ---- */

/* Up to an unescaped `end` or the end; appends.  Returns how far it went. */
static size_t
take_piece(struct buf *out, const char *text, size_t len, char end)
{
	size_t i;

	for (i = 0; i < len && text[i] != end; i++) {
		if (text[i] == '\\' && i + 1 < len)
			i++;
		buf_addc(out, text[i]);
	}
	return i;
}

static enum rc
add_pair(json_t *o, const struct buf *key, const struct buf *value, struct err *err)
{
	if (json_object_get(o, buf_str(key)) != NULL)
		return fail(err, RC_CONFIG, "%.40s: is there twice", buf_str(key));
	/* jansson refuses what is not UTF-8. */
	if (json_object_set_new(o, buf_str(key), json_string(buf_str(value))) != 0)
		return fail(err, RC_CONFIG, "the text is not UTF-8");
	return RC_OK;
}

static enum rc
split_pairs(json_t *o, const char *text, size_t len, struct err *err)
{
	struct buf key, value;
	size_t at = 0;
	enum rc rc = RC_OK;

	buf_init(&key, RULE_TEXT_MAX);
	buf_init(&value, RULE_TEXT_MAX);
	while (rc == RC_OK && at < len) {
		buf_reset(&key);
		buf_reset(&value);
		at += take_piece(&key, text + at, len - at, '=');
		if (at >= len) {
			rc = fail(err, RC_CONFIG, "\"%.40s\" wants KEY=VALUE", buf_str(&key));
			break;
		}
		at++;
		at += take_piece(&value, text + at, len - at, ',') + 1;
		rc = add_pair(o, &key, &value, err);
	}
	buf_done(&key);
	buf_done(&value);
	return rc;
}

enum rc
fault_rule_parse(struct fault_rule *out, const char *text, size_t len, struct err *err)
{
	json_t *o;
	enum rc rc;

	if (len > RULE_TEXT_MAX || memchr(text, '\0', len) != NULL)
		return fail(
		    err, RC_CONFIG, "a rule has at most %d bytes, and no NUL", RULE_TEXT_MAX);
	if ((o = json_object()) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	if ((rc = split_pairs(o, text, len, err)) == RC_OK)
		rc = fault_rule_read(out, o, err);
	json_decref(o);
	return rc;
}

/* ---- and back ---- */

static json_t *
choice_json(const struct param *p, int v)
{
	const char *at = p->choices;

	while (v-- > 0)
		at += strcspn(at, "|") + 1;
	return json_stringn(at, strcspn(at, "|"));
}

static json_t *
offset_json(int64_t v)
{
	char text[DURATION_TEXT_MAX];

	duration_text(text, v < 0 ? -v : v);
	return json_sprintf("%s%s", v < 0 ? "-" : "", text);
}

static json_t *
param_json(const struct param *p, const void *at)
{
	switch (p->type) {
	case T_NUMBER:
		return json_integer((json_int_t) * (const uint64_t *)at);
	case T_BOOL:
		return json_boolean(*(const bool *)at);
	case T_CHOICE:
		return choice_json(p, *(const int *)at);
	case T_TEXT:
		return json_string(at);
	case T_OFFSET:
		return offset_json(*(const int64_t *)at);
	case T_SHARE:
		return json_real(*(const double *)at);
	}
	return NULL;
}

/* As a rule without it would have it. */
static bool
is_default(const struct fault_rule *r, const struct param *p)
{
	struct fault_rule plain = {
		.share = 1, .bytes = r->kind->bytes, .ms = r->kind->ms, .percent = r->kind->percent
	};
	static const size_t sizes[] = { [T_NUMBER] = sizeof(uint64_t),
		[T_BOOL] = sizeof(bool),
		[T_CHOICE] = sizeof(int),
		[T_TEXT] = 1,
		[T_OFFSET] = sizeof(int64_t),
		[T_SHARE] = sizeof(double) };

	return memcmp((const char *)r + p->offset, field(&plain, p), sizes[p->type]) == 0;
}

json_t *
fault_rule_json(const struct fault_rule *r)
{
	json_t *o = json_pack("{s:s, s:s}", "step", step_names[r->step], "fault", r->kind->name);

	for (size_t i = 0; o != NULL && i < N_PARAMS; i++) {
		const struct param *p = &params[i];

		if ((p->bit == 0 || (r->kind->params & p->bit) != 0) && !is_default(r, p))
			json_object_set_new(o, p->name, param_json(p, (const char *)r + p->offset));
	}
	return o;
}
