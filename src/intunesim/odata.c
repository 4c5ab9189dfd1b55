/*
 * odata.c - $filter, $select, $top, $count and tokens: read, checked, applied.
 */
#include "intunesim/odata.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/target.h"

/* ---- words of a filter ---- */

struct scan {
	const char *p;
};

static void
skip_blanks(struct scan *s)
{
	s->p += strspn(s->p, " ");
}

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '/' || c == '.';
}

static bool
take_name(char out[static ODATA_NAME_MAX], struct scan *s)
{
	size_t n = 0;

	skip_blanks(s);
	while (is_name_char(s->p[n]))
		n++;
	if (n == 0 || n >= ODATA_NAME_MAX)
		return false;
	memcpy(out, s->p, n);
	out[n] = '\0';
	s->p += n;
	return true;
}

/* 'it''s': a doubled quote is one (OData ABNF, SQUOTE-in-string). */
static bool
take_string(char out[static ODATA_VALUE_MAX], struct scan *s)
{
	size_t n = 0;

	for (s->p++; *s->p != '\0' && n < ODATA_VALUE_MAX - 1; s->p++) {
		if (*s->p == '\'' && s->p[1] != '\'') {
			s->p++;
			out[n] = '\0';
			return true;
		}
		s->p += *s->p == '\'';
		out[n++] = *s->p;
	}
	return false;
}

/* true, false, null, or a bare GUID, which Graph takes where a GUID is meant. */
static bool
take_word(struct odata_term *t, struct scan *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s->p[n]) || s->p[n] == '-')
		n++;
	if (n == 0 || n >= ODATA_VALUE_MAX)
		return false;
	memcpy(t->text, s->p, n);
	t->text[n] = '\0';
	s->p += n;
	t->yes = str_eq_nocase(t->text, "true");
	if (t->yes || str_eq_nocase(t->text, "false"))
		t->type = ODATA_BOOL;
	else if (str_eq_nocase(t->text, "null"))
		t->type = ODATA_NULL;
	else
		return n == 36;
	return true;
}

/* A bare time (OData ABNF, dateTimeOffsetValue). */
static bool
take_time(struct odata_term *t, struct scan *s)
{
	size_t n = 0;

	skip_blanks(s);
	while (
	    isalnum((unsigned char)s->p[n]) || (s->p[n] != '\0' && strchr("-+:.", s->p[n]) != NULL))
		n++;
	if (n == 0 || n >= ODATA_VALUE_MAX)
		return false;
	memcpy(t->text, s->p, n);
	t->text[n] = '\0';
	s->p += n;
	t->type = ODATA_TIME;
	return time_parse_rfc3339(&t->time, t->text, NULL) == RC_OK;
}

static bool
take_char(struct scan *s, char c)
{
	skip_blanks(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

/* What follows "endsWith(". */
static bool
take_ends_with(struct odata_term *t, struct scan *s)
{
	t->at_end = true;
	if (!take_name(t->name, s) || !take_char(s, ','))
		return false;
	skip_blanks(s);
	return *s->p == '\'' && take_string(t->text, s) && take_char(s, ')');
}

static bool
take_order(struct odata_term *t, const char *op)
{
	static const char *const names[] = { "eq", "ge", "gt", "le", "lt" };

	t->negated = str_eq_nocase(op, "ne");
	if (t->negated)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		t->order = (enum odata_order)i;
		if (str_eq_nocase(op, names[i]))
			return true;
	}
	return false;
}

static bool
take_term(struct odata_term *t, struct scan *s)
{
	char op[ODATA_NAME_MAX];

	*t = (struct odata_term){ .type = ODATA_STRING };
	if (!take_name(t->name, s))
		return false;
	if (str_eq_nocase(t->name, "endsWith") && take_char(s, '('))
		return take_ends_with(t, s);
	if (!take_name(op, s))
		return false;
	if (!take_order(t, op))
		return false;
	if (t->order != ODATA_EQ)
		return take_time(t, s);
	skip_blanks(s);
	return *s->p == '\'' ? take_string(t->text, s) : take_word(t, s);
}

static enum rc
read_filter(struct odata_query *q, const char *value, struct err *err)
{
	struct scan s = { value };
	char word[ODATA_NAME_MAX];

	for (;;) {
		if (q->n_terms == ODATA_TERMS_MAX)
			return fail(err, RC_LIMIT, "Invalid filter clause: too many comparisons.");
		if (!take_term(&q->terms[q->n_terms], &s))
			return fail(err, RC_PARSE,
			    "Invalid filter clause: syntax error at position %zu in '%.200s'.",
			    (size_t)(s.p - value), value);
		q->n_terms++;
		skip_blanks(&s);
		if (*s.p == '\0')
			return RC_OK;
		if (!take_name(word, &s) || !str_eq_nocase(word, "and"))
			return fail(err, RC_PARSE,
			    "Invalid filter clause: only comparisons joined by 'and' are "
			    "supported.");
	}
}

/* ---- the other options ---- */

static enum rc
read_select(struct odata_query *q, const char *value, struct err *err)
{
	struct scan s = { value };

	do {
		s.p += *s.p == ',';
		if (q->n_select == ODATA_SELECT_MAX)
			return fail(err, RC_LIMIT, "Too many properties in $select.");
		if (!take_name(q->select[q->n_select], &s))
			return fail(err, RC_PARSE,
			    "Term '%.100s' is not valid in a $select or $expand expression.",
			    value);
		q->n_select++;
		skip_blanks(&s);
	} while (*s.p == ',');
	if (*s.p != '\0')
		return fail(err, RC_PARSE, "Syntax error in $select.");
	return RC_OK;
}

static enum rc
read_top(struct odata_query *q, const char *value, struct err *err)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (!isdigit((unsigned char)value[0]) || *end != '\0' || n < 1 || n > ODATA_TOP_MAX)
		return fail(err, RC_PARSE,
		    "Invalid page size specified: '%.20s'. Must be between 1 "
		    "and %d inclusive.",
		    value, ODATA_TOP_MAX);
	q->top = (unsigned)n;
	return RC_OK;
}

static enum rc
read_count(struct odata_query *q, const char *value, struct err *err)
{
	q->count = str_eq_nocase(value, "true");
	if (!q->count && !str_eq_nocase(value, "false"))
		return fail(err, RC_PARSE, "Invalid value '%.20s' for $count.", value);
	return RC_OK;
}

static enum rc
read_token(char out[static ODATA_VALUE_MAX], const char *value, struct err *err)
{
	size_t len = strlen(value);

	if (len == 0 || len >= ODATA_VALUE_MAX)
		return fail(err, RC_PARSE, "The token is not valid.");
	memcpy(out, value, len + 1);
	return RC_OK;
}

static enum rc
read_skip_token(struct odata_query *q, const char *value, struct err *err)
{
	return read_token(q->skip_token, value, err);
}

static enum rc
read_delta_token(struct odata_query *q, const char *value, struct err *err)
{
	return read_token(q->delta_token, value, err);
}

static const struct {
	const char *name;
	enum rc (*read)(struct odata_query *q, const char *value, struct err *err);
} options[] = {
	{ "filter", read_filter },
	{ "select", read_select },
	{ "top", read_top },
	{ "count", read_count },
	{ "skiptoken", read_skip_token },
	{ "deltatoken", read_delta_token },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static enum rc
read_option(
    struct odata_query *q, unsigned *seen, const char *name, const char *value, struct err *err)
{
	const char *bare = name + (name[0] == '$');

	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (!str_eq_nocase(bare, options[i].name))
			continue;
		if ((*seen & 1u << i) != 0)
			return fail(err, RC_PARSE,
			    "Query option '$%s' was specified more than once.", options[i].name);
		*seen |= 1u << i;
		return options[i].read(q, value, err);
	}
	return fail(err, RC_PARSE,
	    "The query specified in the URI is not valid. The query option "
	    "'%.60s' is not supported.",
	    name);
}

/* One "name=value" of the query, percent-decoded in place. */
static enum rc
read_pair(struct odata_query *q, unsigned *seen, char *pair, struct err *err)
{
	char *value = strchr(pair, '=');
	long n, m;

	if (value == NULL)
		return fail(err, RC_PARSE, "The query option '%.60s' has no value.", pair);
	*value++ = '\0';
	n = http_percent_decode(pair, pair, strlen(pair), true);
	m = http_percent_decode(value, value, strlen(value), true);
	if (n < 0 || m < 0)
		return fail(err, RC_PARSE, "The query is not properly percent-encoded.");
	pair[n] = value[m] = '\0';
	return read_option(q, seen, pair, value, err);
}

enum rc
odata_parse(struct odata_query *out, const char *query, struct err *err)
{
	struct odata_query *q;
	char *copy, *rest, *pair;
	unsigned seen = 0;
	enum rc rc = RC_OK;

	if (strlen(query) > ODATA_QUERY_MAX)
		return fail(err, RC_LIMIT, "The query is too long.");
	q = calloc(1, sizeof(*q));
	copy = rest = strdup(query);
	if (q == NULL || copy == NULL)
		rc = fail(err, RC_NOMEM, "out of memory");
	while (rc == RC_OK && (pair = strsep(&rest, "&")) != NULL) {
		if (pair[0] != '\0')
			rc = read_pair(q, &seen, pair, err);
	}
	if (rc == RC_OK)
		*out = *q;
	free(copy);
	free(q);
	return rc;
}

/* ---- on objects ---- */

enum rc
odata_check(const struct odata_query *q, const json_t *model, const char *type, struct err *err)
{
	for (size_t i = 0; i < q->n_terms; i++) {
		if (json_object_get(model, q->terms[i].name) == NULL)
			return fail(err, RC_PARSE,
			    "Invalid filter clause: Could not find a property named '%s' on type "
			    "'%s'.",
			    q->terms[i].name, type);
	}
	for (size_t i = 0; i < q->n_select; i++) {
		if (json_object_get(model, q->select[i]) == NULL)
			return fail(err, RC_PARSE,
			    "Parsing OData Select and Expand failed: Could not find a property "
			    "named '%s' on type '%s'.",
			    q->select[i], type);
	}
	return RC_OK;
}

static bool
time_holds(const struct odata_term *t, const json_t *v)
{
	int64_t at;

	if (!json_is_string(v) || time_parse_rfc3339(&at, json_string_value(v), NULL) != RC_OK)
		return false;
	switch (t->order) {
	case ODATA_GE:
		return at >= t->time;
	case ODATA_GT:
		return at > t->time;
	case ODATA_LE:
		return at <= t->time;
	case ODATA_LT:
		return at < t->time;
	case ODATA_EQ:
		break;
	}
	return at == t->time;
}

static bool
term_holds(const struct odata_term *t, const json_t *v)
{
	switch (t->type) {
	case ODATA_NULL:
		return v == NULL || json_is_null(v);
	case ODATA_BOOL:
		return json_is_boolean(v) && json_is_true(v) == t->yes;
	case ODATA_TIME:
		return time_holds(t, v);
	case ODATA_STRING:
		if (t->at_end)
			return json_is_string(v) && str_ends_nocase(json_string_value(v), t->text);
		return json_is_string(v) && str_eq_nocase(json_string_value(v), t->text);
	}
	return false;
}

bool
odata_is_advanced(const struct odata_query *q)
{
	for (size_t i = 0; i < q->n_terms; i++) {
		if (q->terms[i].at_end)
			return true;
	}
	return false;
}

bool
odata_match(const struct odata_query *q, const json_t *object)
{
	for (size_t i = 0; i < q->n_terms; i++) {
		const struct odata_term *t = &q->terms[i];

		if (term_holds(t, json_object_get(object, t->name)) == t->negated)
			return false;
	}
	return true;
}

static bool
is_selected(const struct odata_query *q, const char *name, const char *const *dflt)
{
	if (name[0] == '@' || strcmp(name, "id") == 0)
		return true;
	for (size_t i = 0; i < q->n_select; i++) {
		if (strcmp(q->select[i], name) == 0)
			return true;
	}
	if (q->n_select > 0)
		return false;
	for (; dflt != NULL && *dflt != NULL; dflt++) {
		if (strcmp(*dflt, name) == 0)
			return true;
	}
	return dflt == NULL;
}

json_t *
odata_select(const struct odata_query *q, const json_t *object, const char *const *dflt)
{
	json_t *out = json_object(), *v;
	const char *name;

	json_object_foreach((json_t *)object, name, v)
	{
		if (out == NULL || !is_selected(q, name, dflt))
			continue;
		if (json_object_set(out, name, v) != 0) {
			json_decref(out);
			out = NULL;
		}
	}
	return out;
}
