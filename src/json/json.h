/*
 * json.h - the one door through which JSON enters, on jansson.
 *
 * Strict: UTF-8, duplicate keys refused, nothing after the value, depth and size bounded
 * (limits.h).  Members are read with json_get_*(), which tell "absent" from "wrong type".
 * json_t is jansson's own type; release it with json_decref().
 */
#ifndef SCEPD_JSON_JSON_H
#define SCEPD_JSON_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Parse one JSON text.  *out is the caller's.  RC_PARSE, RC_LIMIT, RC_NOMEM. */
enum rc json_parse(json_t **out, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* The same when it has to be an object; otherwise RC_PARSE: "WHAT is no JSON object". */
enum rc json_parse_object(
    json_t **out, const char *what, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* The same with another bound than LIMIT_JSON, for what is known to be longer. */
enum rc json_parse_object_within(json_t **out, const char *what, const void *bytes, size_t len,
    size_t max, struct err *err) MUST_CHECK;
/* Append compact JSON (sorted keys not implied: order of insertion). */
enum rc json_add_text(struct buf *out, const json_t *v, struct err *err) MUST_CHECK;
/* Append JSON with an indent of two, and a newline; for people. */
enum rc json_add_pretty(struct buf *out, const json_t *v, struct err *err) MUST_CHECK;

/* Borrowed string member: NULL when absent, null or not a string. */
const char *json_get_str(const json_t *obj, const char *key);
/* RC_PARSE that names the key when absent or of another type. */
enum rc json_need_str(
    const char **out, const json_t *obj, const char *key, struct err *err) MUST_CHECK;
/* Number or a string of digits (Entra v1 writes numbers as strings); `dflt` when absent. */
enum rc json_get_i64(
    int64_t *out, const json_t *obj, const char *key, int64_t dflt, struct err *err) MUST_CHECK;

/* A new string, or null for NULL and "".  NULL: out of memory, or not UTF-8. */
json_t *json_text_or_null(const char *s);
/* A new RFC 3339 string of Unix seconds, or null for 0, which stands for "never". */
json_t *json_time_or_null(int64_t t);

#endif
