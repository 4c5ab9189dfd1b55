/* admin_json.c - see admin_json.h. */
#include "scepd/admin_json.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"

static enum rc
open_object(json_t **out, const void *body, size_t len, struct err *err)
{
	if (len > ADMIN_BODY_MAX)
		return fail(err, RC_LIMIT, "the body is longer than %u bytes", ADMIN_BODY_MAX);
	return json_parse_object(out, "the body", body, len, err);
}

/* A misspelt member would be a wish that nobody notices: "lifetme". */
static enum rc
only_known(json_t *o, const char *const *known, struct err *err)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return fail(err, RC_PARSE, "\"%.40s\" is no member here", key);
	}
	return RC_OK;
}

/* "" when absent or null. */
static enum rc
take_text(char *out, size_t size, const json_t *o, const char *key, struct err *err)
{
	const json_t *v = json_object_get(o, key);
	const char *s;

	out[0] = '\0';
	if (v == NULL || json_is_null(v))
		return RC_OK;
	if (!json_is_string(v))
		return fail(err, RC_PARSE, "%s is no string", key);
	s = json_string_value(v);
	if (strlen(s) >= size || !utf8_plain(s, size - 1))
		return fail(err, RC_PARSE, "%s is longer than %zu bytes, or has control characters",
		    key, size - 1);
	memcpy(out, s, strlen(s) + 1);
	return RC_OK;
}

/* 3600, or "1h" as in scepd.yaml. */
static enum rc
take_lifetime(int64_t *out, const json_t *o, struct err *err)
{
	const json_t *v = json_object_get(o, "lifetime");
	struct err why;

	*out = 0;
	if (v == NULL || json_is_null(v))
		return RC_OK;
	if (json_is_integer(v))
		*out = json_integer_value(v);
	else if (!json_is_string(v) || parse_duration(out, json_string_value(v), &why) != RC_OK)
		return fail(err, RC_PARSE, "lifetime is neither seconds nor a time as \"1h\"");
	return *out > 0 ? RC_OK : fail(err, RC_PARSE, "lifetime is not positive");
}

static enum rc
take_uses(unsigned *out, const json_t *o, struct err *err)
{
	const json_t *v = json_object_get(o, "uses");
	json_int_t n = v == NULL || json_is_null(v) ? 1 : json_integer_value(v);

	if ((v != NULL && !json_is_null(v) && !json_is_integer(v)) || n < 1 ||
	    n > STORE_OTP_USES_MAX)
		return fail(err, RC_PARSE, "uses is no number from 1 to %d", STORE_OTP_USES_MAX);
	*out = (unsigned)n;
	return RC_OK;
}

static enum rc
take_otp(struct admin_otp_ask *a, json_t *o, struct err *err)
{
	static const char *const known[] = { "endpoint", "subject", "san", "lifetime", "uses",
		"comment", NULL };
	enum rc rc;

	if ((rc = only_known(o, known, err)) != RC_OK ||
	    (rc = take_text(a->endpoint, sizeof(a->endpoint), o, "endpoint", err)) != RC_OK ||
	    (rc = take_text(a->subject, sizeof(a->subject), o, "subject", err)) != RC_OK ||
	    (rc = take_text(a->san, sizeof(a->san), o, "san", err)) != RC_OK ||
	    (rc = take_text(a->comment, sizeof(a->comment), o, "comment", err)) != RC_OK ||
	    (rc = take_lifetime(&a->lifetime, o, err)) != RC_OK ||
	    (rc = take_uses(&a->uses, o, err)) != RC_OK)
		return rc;
	return a->endpoint[0] != '\0' ? RC_OK : fail(err, RC_PARSE, "endpoint is missing");
}

enum rc
admin_otp_parse(struct admin_otp_ask *out, const void *body, size_t len, struct err *err)
{
	json_t *o = NULL;
	enum rc rc = open_object(&o, body, len, err);

	if (rc == RC_OK)
		rc = take_otp(out, o, err);
	json_decref(o);
	return rc;
}

enum rc
admin_decision_parse(struct admin_decision *out, const void *body, size_t len, struct err *err)
{
	static const char *const known[] = { "reason", NULL };
	json_t *o = NULL;
	enum rc rc;

	out->reason[0] = '\0';
	if (len == 0)
		return RC_OK;
	if ((rc = open_object(&o, body, len, err)) == RC_OK &&
	    (rc = only_known(o, known, err)) == RC_OK)
		rc = take_text(out->reason, sizeof(out->reason), o, "reason", err);
	json_decref(o);
	return rc;
}
