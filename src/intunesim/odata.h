/*
 * odata.h - the query options of Microsoft Graph, as far as a CA's look-ups use them: $filter with
 * comparisons and endsWith() joined by "and", $select, $top, $count, and the tokens of paging and of delta.
 *
 * An option that is not understood is an error and never ignored: a filter that were left out would
 * make one device out of all.
 */
#ifndef SCEPD_INTUNESIM_ODATA_H
#define SCEPD_INTUNESIM_ODATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

#define ODATA_QUERY_MAX  8192u /* bytes of a query; Graph refuses longer URLs */
#define ODATA_TERMS_MAX  8     /* comparisons of one filter; look-ups have one or two */
#define ODATA_SELECT_MAX 64    /* properties; the widest object has fewer */
#define ODATA_NAME_MAX   64    /* bytes of a property's name */
#define ODATA_VALUE_MAX  512   /* bytes of a string in a filter, and of a token */
#define ODATA_TOP_MAX    999   /* Graph's own limit for directory objects */

enum odata_type { ODATA_STRING, ODATA_BOOL, ODATA_NULL, ODATA_TIME };
/* How it compares; with anything but equality a time. */
enum odata_order { ODATA_EQ, ODATA_GE, ODATA_GT, ODATA_LE, ODATA_LT };

/* property eq literal; property ge 2026-11-30T10:00:00Z; endsWith(property,'literal') */
struct odata_term {
	char name[ODATA_NAME_MAX];
	enum odata_type type;
	bool negated; /* "ne" */
	bool at_end;  /* endsWith */
	bool yes;     /* ODATA_BOOL */
	enum odata_order order;
	int64_t time; /* ODATA_TIME, wall seconds */
	char text[ODATA_VALUE_MAX];
};

struct odata_query {
	struct odata_term terms[ODATA_TERMS_MAX];
	size_t n_terms;
	char select[ODATA_SELECT_MAX][ODATA_NAME_MAX];
	size_t n_select; /* 0: the type's default set */
	unsigned top;    /* 1..ODATA_TOP_MAX; 0: not given */
	bool count;      /* $count=true: with endsWith Graph insists on it; no count is told */
	char skip_token[ODATA_VALUE_MAX], delta_token[ODATA_VALUE_MAX]; /* "": not given */
};

/*
 * The door: the raw query of a URL, without '?'.  Names of options without regard to case, with or
 * without '$', as Graph takes them.  RC_PARSE with a sentence for the answer; RC_LIMIT.
 */
enum rc odata_parse(struct odata_query *out, const char *query, struct err *err) MUST_CHECK;

/*
 * Every name in $filter and $select is a member of `model`, an object of the type with all its
 * members: RC_PARSE in Graph's words if not.
 */
enum rc odata_check(
    const struct odata_query *q, const json_t *model, const char *type, struct err *err) MUST_CHECK;
/* Graph answers it only with $count=true and the header "ConsistencyLevel: eventual". */
bool odata_is_advanced(const struct odata_query *q);
/* Whether all comparisons hold.  Strings compare without regard to case, as the directory does. */
bool odata_match(const struct odata_query *q, const json_t *object);
/*
 * A new object with the selected members, in the order of the object; `dflt` (NULL-terminated)
 * where nothing was selected, all of them where that is NULL too.  `id` and what begins with '@' are
 * always there.  NULL when out of memory.
 */
json_t *odata_select(const struct odata_query *q, const json_t *object, const char *const *dflt);

#endif
