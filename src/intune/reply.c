/*
 * reply.c - the doors for what Entra, Graph and Intune answer.
 */
#include "intune/reply.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/error.h"
#include "intune/url.h"
#include "intune/wire.h"

#define EXPIRES_DEFAULT 300 /* RFC 6749 5.1 lets a server leave it out */
#define EXPIRES_MAX                                                                                \
	86400 /* Entra's longest is 24 hours or a little more: refresh at least daily       \
		      */
#define SERIAL_MAX 1024u /* as any string a caller passes */
#define ROLE_MAX   64u   /* bytes of one role's name */

static enum rc
object_within(json_t **out, const void *p, size_t len, size_t max, struct err *err)
{
	enum rc rc = json_parse_object_within(out, "the answer", p, len, max, err);

	return rc == RC_OK || rc == RC_NOMEM ? rc : RC_PARSE;
}

enum rc
reply_object(json_t **out, const void *p, size_t len, struct err *err)
{
	return object_within(out, p, len, LIMIT_JSON, err);
}

enum rc
reply_page(json_t **out, const void *p, size_t len, struct err *err)
{
	return object_within(out, p, len, LIMIT_JSON_PAGE, err);
}

static void
words(char *out, size_t size, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	out[0] = '\0';
	if (json_is_string(v))
		error_words(out, size, json_string_value(v), json_string_length(v));
}

/* RFC 6750 2.1 b64token is narrower; this keeps out what could break a header line. */
static bool
token_chars_ok(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	}
	return len > 0 && len <= TOKEN_MAX;
}

/* App Service tells only when the token ends, as Unix seconds; v1 endpoints tell both. */
static enum rc
token_life(int64_t *life, const json_t *obj, struct err *err)
{
	int64_t end;
	enum rc rc;

	if (json_object_get(obj, "expires_in") != NULL ||
	    json_object_get(obj, "expires_on") == NULL)
		return json_get_i64(life, obj, "expires_in", EXPIRES_DEFAULT, err);
	if ((rc = json_get_i64(&end, obj, "expires_on", 0, err)) != RC_OK)
		return rc;
	*life = end > clock_now() ? end - clock_now() : 0;
	return RC_OK;
}

static enum rc
token_members(struct token_reply *out, const json_t *obj, struct err *err)
{
	const json_t *token = json_object_get(obj, "access_token");
	const char *type = json_get_str(obj, "token_type");
	int64_t life;
	enum rc rc;

	if (!json_is_string(token))
		return fail(err, RC_PARSE, "the answer has no access_token");
	if (!token_chars_ok(json_string_value(token), json_string_length(token)))
		return fail(err, RC_PARSE, "access_token is empty, too long or not visible ASCII");
	if (type == NULL || !str_eq_nocase(type, "Bearer"))
		return fail(err, RC_PARSE, "token_type is not Bearer");
	if ((rc = token_life(&life, obj, err)) != RC_OK)
		return rc;
	if (life < 1)
		return fail(err, RC_PARSE, "expires_in says that the token has expired");
	if ((rc = str_dup(&out->access_token, json_string_value(token), err)) != RC_OK)
		return rc;
	out->expires_in = life < EXPIRES_MAX ? life : EXPIRES_MAX;
	return RC_OK;
}

/* json_decref() frees without overwriting. */
static void
wipe_string(json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	if (json_is_string(v))
		wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
}

enum rc
reply_token(struct token_reply *out, const void *p, size_t len, struct err *err)
{
	json_t *obj;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	rc = token_members(out, obj, err);
	wipe_string(obj, "access_token");
	json_decref(obj);
	return rc;
}

/* The number behind "AADSTS" in the words, for answers without error_codes. */
static long
aadsts_in_words(const char *s)
{
	const char *at = strstr(s, "AADSTS");
	long n = 0;

	if (at == NULL)
		return 0;
	for (at += 6; *at >= '0' && *at <= '9' && n < LONG_MAX / 20; at++)
		n = n * 10 + (*at - '0');
	return n;
}

static long
aadsts_of(const json_t *obj, const char *description)
{
	const json_t *first = json_array_get(json_object_get(obj, "error_codes"), 0);
	json_int_t n = json_integer_value(first);

	return n > 0 && n < INT_MAX ? (long)n : aadsts_in_words(description);
}

enum rc
reply_entra_error(struct entra_error *out, const void *p, size_t len, struct err *err)
{
	json_t *obj;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	words(out->error, sizeof(out->error), obj, "error");
	words(out->description, sizeof(out->description), obj, "error_description");
	words(out->trace_id, sizeof(out->trace_id), obj, "trace_id");
	out->aadsts = aadsts_of(obj, out->description);
	json_decref(obj);
	if (out->error[0] == '\0')
		return fail(err, RC_PARSE, "the answer has no error member");
	return RC_OK;
}

/* A service that is there and has no address must not read as one that is not there. */
static void
note_name(struct discovery_page *d, const char *name, bool usable)
{
	size_t at = strlen(d->names);

	if (at + 3 >= sizeof(d->names))
		return;
	if (at > 0) {
		memcpy(d->names + at, ", ", 3);
		at += 2;
	}
	error_words(d->names + at, sizeof(d->names) - at, name, strlen(name));
	if (!usable)
		strncat(d->names, " (no usable uri)", sizeof(d->names) - strlen(d->names) - 1);
}

const char *
service_name(enum service_id id)
{
	static const char *const names[SERVICE__MAX] = {
		[SERVICE_SCEP] = "ScepRequestValidationFEService",
		[SERVICE_REVOCATION] = "PkiConnectorFEService",
	};

	return names[id];
}

/* One entry: odd ones are passed over, one bad row must not take the service away. */
static enum rc
take_entry(struct discovery_page *d, const json_t *entry, struct err *err)
{
	const char *name = json_get_str(entry, "providerName");
	const char *uri = json_get_str(entry, "uri");
	bool usable = uri != NULL && url_is_base(uri);
	unsigned id;
	size_t len;

	if (name == NULL)
		name = json_get_str(entry, "serviceName"); /* the older list's member */
	if (name == NULL)
		return RC_OK;
	note_name(d, name, usable);
	for (id = 0; id < SERVICE__MAX && !str_eq_nocase(name, service_name(id)); id++)
		;
	if (id == SERVICE__MAX || d->uri[id] != NULL || !usable)
		return RC_OK;
	for (len = strlen(uri); len > 0 && uri[len - 1] == '/';)
		len--;
	return str_ndup(&d->uri[id], uri, len, err);
}

static enum rc
take_page(struct discovery_page *d, const json_t *obj, struct err *err)
{
	const json_t *list = json_object_get(obj, "value");
	const char *next = json_get_str(obj, "@odata.nextLink");
	size_t i;
	enum rc rc;

	if (!json_is_array(list))
		return fail(err, RC_PARSE, "the service list has no value array");
	d->entries = json_array_size(list);
	for (i = 0; i < d->entries; i++) {
		if ((rc = take_entry(d, json_array_get(list, i), err)) != RC_OK)
			return rc;
	}
	return next != NULL ? str_dup(&d->next, next, err) : RC_OK;
}

enum rc
reply_discovery(struct discovery_page *out, const void *p, size_t len, struct err *err)
{
	json_t *obj;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	rc = take_page(out, obj, err);
	json_decref(obj);
	return rc;
}

void
discovery_page_done(struct discovery_page *d)
{
	unsigned i;

	for (i = 0; i < SERVICE__MAX; i++)
		free(d->uri[i]);
	free(d->next);
	memset(d, 0, sizeof(*d));
}

enum rc
reply_action(struct action_reply *out, const void *p, size_t len, struct err *err)
{
	const json_t *code;
	json_t *obj;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	code = json_object_get(obj, "code");
	if (json_is_string(code)) {
		/* Judged on the whole string, before anything is cut or replaced. */
		out->code = intune_code_parse(json_string_value(code));
		out->success = out->code == INTUNE_CODE_SUCCESS &&
		    json_string_length(code) == strlen("Success");
		words(out->code_text, sizeof(out->code_text), obj, "code");
		words(out->description, sizeof(out->description), obj, "errorDescription");
	} else {
		rc = fail(err, RC_PARSE, "the answer has no code, or one that is no string");
	}
	json_decref(obj);
	return rc;
}

/* A string that is there, not empty and within its bound, so that it can be sent back. */
static const char *
bounded(const json_t *entry, const char *key, size_t max)
{
	const char *s = json_get_str(entry, key);

	return s != NULL && s[0] != '\0' && strlen(s) <= max ? s : NULL;
}

static void
take_request(struct intune_revocation_list *l, const json_t *entry)
{
	const struct intune_revocation_request r = {
		.request_context = bounded(entry, "requestContext", CONTEXT_MAX),
		.serial_number = bounded(entry, "serialNumber", SERIAL_MAX),
		.issuer_name = json_get_str(entry, "issuerName"),
		.ca_configuration = json_get_str(entry, "caConfiguration"),
	};

	if (r.request_context == NULL || r.serial_number == NULL || l->n == INTUNE_REVOCATION_MAX)
		l->skipped++;
	else
		l->v[l->n++] = r;
}

enum rc
reply_revocation_list(
    struct intune_revocation_list **out, const void *p, size_t len, struct err *err)
{
	struct intune_revocation_list *l;
	const json_t *list;
	size_t i, n;
	json_t *obj;
	enum rc rc;

	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	list = json_object_get(obj, "value");
	if (!json_is_array(list)) {
		json_decref(obj);
		return fail(err, RC_PARSE, "the answer has no value array");
	}
	n = json_array_size(list);
	l = calloc(1,
	    sizeof(*l) + (n < INTUNE_REVOCATION_MAX ? n : INTUNE_REVOCATION_MAX) * sizeof(l->v[0]));
	if (l == NULL) {
		json_decref(obj);
		return fail(err, RC_NOMEM, "out of memory");
	}
	l->text = obj;
	for (i = 0; i < n; i++)
		take_request(l, json_array_get(list, i));
	*out = l;
	return RC_OK;
}

/* Microsoft's libraries take the string as well as the boolean. */
static enum rc
read_bool(bool *out, const json_t *v, struct err *err)
{
	const char *s = json_string_value(v);

	if (json_is_boolean(v))
		*out = json_is_true(v);
	else if (s != NULL && (str_eq_nocase(s, "true") || str_eq_nocase(s, "false")))
		*out = str_eq_nocase(s, "true");
	else
		return fail(err, RC_PARSE, "the answer's value is neither true nor false");
	return RC_OK;
}

enum rc
reply_upload(bool *taken, const void *p, size_t len, struct err *err)
{
	json_t *obj;
	enum rc rc;

	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	rc = read_bool(taken, json_object_get(obj, "value"), err);
	json_decref(obj);
	return rc;
}

/* Intune's gateway writes a JSON object into the message string; its "Message" is the sentence. */
static void
unwrap_message(struct odata_error *out, const json_t *error)
{
	const json_t *text = json_object_get(error, "message");
	json_t *inner;

	words(out->message, sizeof(out->message), error, "message");
	if (out->message[0] != '{' ||
	    reply_object(&inner, json_string_value(text), json_string_length(text), NULL) != RC_OK)
		return;
	if (json_get_str(inner, "Message") != NULL)
		words(out->message, sizeof(out->message), inner, "Message");
	json_decref(inner);
}

enum rc
reply_odata_error(struct odata_error *out, const void *p, size_t len, struct err *err)
{
	const json_t *error, *inner;
	json_t *obj;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_object(&obj, p, len, err)) != RC_OK)
		return rc;
	error = json_object_get(obj, "error");
	words(out->code, sizeof(out->code), error, "code");
	unwrap_message(out, error);
	inner = json_object_get(error, "innerError");
	words(out->request_id, sizeof(out->request_id), inner, "request-id");
	json_decref(obj);
	if (out->code[0] == '\0')
		return fail(err, RC_PARSE, "the answer has no error object with a code");
	return RC_OK;
}

static bool
role_ok(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= ROLE_MAX &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static void
list_roles(char out[ROLES_TEXT], const json_t *claims)
{
	const json_t *roles = json_object_get(claims, "roles");
	size_t i, at = 0, len;
	const char *name;

	for (i = 0; i < json_array_size(roles); i++) {
		name = json_string_value(json_array_get(roles, i));
		if (name == NULL || !role_ok(name))
			continue;
		len = strlen(name);
		if (at + len + 3 > ROLES_TEXT)
			break;
		if (at > 0) {
			memcpy(out + at, ", ", 2);
			at += 2;
		}
		memcpy(out + at, name, len + 1);
		at += len;
	}
	if (at == 0)
		memcpy(out, "none", 5);
}

void
reply_token_roles(char out[ROLES_TEXT], const char *jwt, size_t len)
{
	const char *first = memchr(jwt, '.', len), *second;
	struct buf payload;
	json_t *claims;
	size_t rest;

	out[0] = '\0';
	if (first == NULL)
		return;
	rest = len - (size_t)(++first - jwt);
	second = memchr(first, '.', rest);
	if (second == NULL)
		return;
	buf_init(&payload, TOKEN_MAX);
	if (base64_decode(&payload, first, (size_t)(second - first), BASE64_FIELD, NULL) == RC_OK &&
	    reply_object(&claims, payload.data, payload.len, NULL) == RC_OK) {
		list_roles(out, claims);
		json_decref(claims);
	}
	buf_wipe(&payload);
}
