/*
 * entra.c - Entra's token endpoint, v2, client credentials with a secret.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/jwt.h"
#include "intunesim/resource.h"
#include "intunesim/services.h"

#define FORM_TYPE   "application/x-www-form-urlencoded"
#define DEFAULT_END "/.default"

/* error and HTTP status by AADSTS number. */
static const struct aadsts {
	long code;
	int status;
	const char *error;
} table[] = {
	{ 70003, 400, "unsupported_grant_type" },
	{ 70011, 400, "invalid_scope" },
	{ 90002, 400, "invalid_request" },
	{ 500011, 400, "invalid_resource" },
	{ 700016, 400, "unauthorized_client" },
	{ 700027, 401, "invalid_client" },
	{ 900023, 400, "invalid_request" },
	{ 900144, 400, "invalid_request" },
	{ 900561, 400, "invalid_request" },
	{ 1002012, 400, "invalid_scope" },
	{ 7000112, 400, "unauthorized_client" },
	{ 7000215, 401, "invalid_client" },
	{ 7000216, 401, "invalid_client" },
	{ 7000222, 401, "invalid_client" },
};

/* One request for a token, as it becomes known. */
struct ask {
	struct call *call;
	char *grant_type, *client_id, *client_secret, *scope, *client_assertion;
	const struct app *app;
	char resource[512]; /* the scope without "/.default" */
	enum resource kind;
};

static const struct aadsts *
find_row(long code)
{
	for (size_t i = 1; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code)
			return &table[i];
	}
	return &table[0];
}

/* "2023-05-06 06:03:00Z" */
static void
stamp(char out[static TIME_TEXT_MAX])
{
	time_rfc3339(out, clock_now());
	out[10] = ' ';
}

/* Answer with an error body of Entra's layout; returns false for the checks below. */
static bool refuse(struct call *c, long code, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool
refuse(struct call *c, long code, const char *fmt, ...)
{
	const struct aadsts *row = find_row(code);
	char text[1024], at[TIME_TEXT_MAX];
	json_t *body;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_printable(text);
	stamp(at);
	call_note(c, row->error, "AADSTS%ld: %s", code, text);
	body = json_object();
	json_object_set_new(body, "error", json_string(row->error));
	json_object_set_new(body, "error_description",
	    json_sprintf("AADSTS%ld: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, text,
		c->request_id, c->correlation_id, at));
	json_object_set_new(body, "error_codes", json_pack("[I]", (json_int_t)code));
	json_object_set_new(body, "timestamp", json_string(at));
	json_object_set_new(body, "trace_id", json_string(c->request_id));
	json_object_set_new(body, "correlation_id", json_string(c->correlation_id));
	json_object_set_new(body, "error_uri",
	    json_sprintf("https://login.microsoftonline.com/error?code=%ld", code));
	call_json(c, row->status, body);
	return false;
}

/* ---- the checks, in the order of the table below ---- */

static bool
refuse_missing(struct ask *a, const char *name)
{
	return refuse(
	    a->call, 900144, "The request body must contain the following parameter: '%s'.", name);
}

static bool
check_grant(struct ask *a)
{
	if (a->grant_type == NULL)
		return refuse_missing(a, "grant_type");
	if (strcmp(a->grant_type, "client_credentials") == 0)
		return true;
	return refuse(
	    a->call, 70003, "The app requested an unsupported grant type '%s'.", a->grant_type);
}

static bool
check_tenant(struct ask *a)
{
	const char *name = a->call->arg[0];

	a->call->tenant = view_tenant(a->call->view, name);
	if (a->call->tenant != NULL)
		return true;
	if (!guid_valid(name) && strchr(name, '.') == NULL)
		return refuse(a->call, 900023,
		    "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid "
		    "external "
		    "domain.",
		    name);
	return refuse(a->call, 90002,
	    "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are "
	    "signing "
	    "into the correct cloud. Check with your subscription administrator, this may happen "
	    "if "
	    "there are no active subscriptions for the tenant.",
	    name);
}

static bool
check_app(struct ask *a)
{
	if (a->client_id == NULL)
		return refuse_missing(a, "client_id");
	a->app = tenant_app(a->call->tenant, a->client_id);
	if (a->app == NULL)
		return refuse(a->call, 700016,
		    "Application with identifier '%s' was not found in the directory '%s'. This "
		    "can "
		    "happen if the application has not been installed by the administrator of the "
		    "tenant or consented to by any user in the tenant. You may have sent your "
		    "authentication request to the wrong tenant.",
		    a->client_id, a->call->tenant->file.tenant.name);
	if (a->app->conf->enabled)
		return true;
	return refuse(a->call, 7000112, "Application '%s'(%s) is disabled.", a->app->conf->id,
	    a->app->conf->name);
}

static bool
is_oidc_scope(const char *s, size_t len)
{
	static const char *const known[] = { "openid", "profile", "offline_access", "email" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i]) == len && strncmp(known[i], s, len) == 0)
			return true;
	}
	return false;
}

/* MSAL4J puts OIDC scopes in front (and "https://api.manage.microsoft.com//.default" is a common
 * one). */
static bool
find_resource_scope(const char *scope, const char **out, size_t *out_len)
{
	*out = NULL;
	*out_len = 0;
	while (*(scope += strspn(scope, " ")) != '\0') {
		size_t len = strcspn(scope, " ");

		if (!is_oidc_scope(scope, len)) {
			if (*out != NULL)
				return false;
			*out = scope;
			*out_len = len;
		}
		scope += len;
	}
	return *out != NULL;
}

static bool
check_scope(struct ask *a)
{
	size_t len, end = strlen(DEFAULT_END);
	const char *scope;

	if (a->scope == NULL)
		return refuse_missing(a, "scope");
	if (!find_resource_scope(a->scope, &scope, &len) || len >= sizeof(a->resource))
		return refuse(a->call, 70011,
		    "The provided request must include a 'scope' input parameter. The provided "
		    "value "
		    "for the input parameter 'scope' is not valid. The scope %.300s is not valid.",
		    a->scope);
	if (len <= end || strncmp(scope + len - end, DEFAULT_END, end) != 0)
		return refuse(a->call, 1002012,
		    "The provided value for scope %.300s is not valid. Client credential flows "
		    "must "
		    "have a scope value with /.default suffixed to the resource identifier "
		    "(application ID URI).",
		    a->scope);
	snprintf(a->resource, sizeof(a->resource), "%.*s", (int)(len - end), scope);
	return true;
}

static bool
check_credential(struct ask *a)
{
	if (a->client_secret != NULL)
		return true;
	if (a->client_assertion != NULL)
		return refuse(a->call, 700027,
		    "The certificate with identifier used to sign the client assertion is not "
		    "registered on application.");
	return refuse(a->call, 7000216,
	    "'client_assertion', 'client_secret' or 'request' is required for the "
	    "'client_credentials' grant type.");
}

static bool
check_secret(struct ask *a)
{
	size_t len = strlen(a->client_secret);
	bool expired = false;

	for (size_t i = 0; i < a->app->n_secrets; i++) {
		const struct app_secret *s = &a->app->secrets[i];

		if (!bytes_eq_ct(s->value, strlen(s->value), a->client_secret, len))
			continue;
		if (clock_now() < s->expires)
			return true;
		expired = true;
	}
	if (expired)
		return refuse(a->call, 7000222,
		    "The provided client secret keys for app '%s' are expired. Visit the Azure "
		    "portal "
		    "to create new keys for your app: https://aka.ms/NewClientSecret, or consider "
		    "using certificate credentials for added security: https://aka.ms/certCreds.",
		    a->client_id);
	return refuse(a->call, 7000215,
	    "Invalid client secret provided. Ensure the secret being sent in the request is the "
	    "client "
	    "secret value, not the client secret ID, for a secret added to app '%s'.",
	    a->client_id);
}

static bool
check_resource(struct ask *a)
{
	a->kind = resource_find(a->call, a->resource);
	if (a->kind != RESOURCE_NONE)
		return true;
	return refuse(a->call, 500011,
	    "The resource principal named %s was not found in the tenant named %s. This can happen "
	    "if "
	    "the application has not been installed by the administrator of the tenant or "
	    "consented to "
	    "by any user in the tenant. You might have sent your authentication request to the "
	    "wrong "
	    "tenant.",
	    a->resource, a->call->tenant->file.tenant.name);
}

static bool (*const checks[])(struct ask *a) = { check_grant, check_tenant, check_app, check_scope,
	check_credential, check_secret, check_resource };

/* ---- the token ---- */

/* Those of the app's permissions that this resource knows; NULL when none: no claim at all. */
static json_t *
make_roles(const struct ask *a)
{
	const struct conf_strs *permissions = &a->app->conf->permissions;
	json_t *roles = json_array();

	for (size_t i = 0; i < permissions->n; i++) {
		if (resource_of_role(permissions->v[i]) == a->kind)
			json_array_append_new(roles, json_string(permissions->v[i]));
	}
	if (json_array_size(roles) > 0)
		return roles;
	json_decref(roles);
	return NULL;
}

static json_t *
make_claims(const struct ask *a)
{
	const struct tenant *t = a->call->tenant;
	json_int_t now = clock_now();
	char oid[GUID_TEXT_MAX];
	json_t *claims, *roles;

	/* The app's service principal in this tenant. */
	if (guid_derive(oid, t->id, a->app->conf->id, NULL) != RC_OK)
		return NULL;
	claims = json_pack("{s:s, s:o, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "aud",
	    a->resource, "iss", json_sprintf("https://sts.windows.net/%s/", t->id), "iat", now,
	    "nbf", now, "exp", now + TOKEN_LIFE, "appid", a->app->conf->id, "appidacr", "1", "oid",
	    oid, "sub", oid, "tid", t->id, "uti", a->call->request_id, "ver", "1.0");
	if (claims != NULL && (roles = make_roles(a)) != NULL)
		json_object_set_new(claims, "roles", roles);
	return claims;
}

static void
grant(struct ask *a)
{
	json_t *claims = make_claims(a);
	struct buf token;
	struct err err;
	enum rc rc;

	buf_init(&token, JWT_MAX);
	if (claims == NULL)
		rc = fail(&err, RC_NOMEM, "out of memory");
	else
		rc = jwt_sign(&token, a->call->tenant, claims, &err);
	if (rc == RC_OK) {
		call_note(a->call, "token", "for %s", a->resource);
		call_json(a->call, 200,
		    json_pack("{s:s, s:i, s:i, s:s}", "token_type", "Bearer", "expires_in",
			TOKEN_LIFE, "ext_expires_in", TOKEN_LIFE, "access_token", buf_str(&token)));
	} else {
		call_broken(a->call, &err);
	}
	json_decref(claims);
	buf_wipe(&token);
}

/* ---- the form ---- */

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "grant_type", offsetof(struct ask, grant_type) },
	{ "client_id", offsetof(struct ask, client_id) },
	{ "client_secret", offsetof(struct ask, client_secret) },
	{ "scope", offsetof(struct ask, scope) },
	{ "client_assertion", offsetof(struct ask, client_assertion) },
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static char **
field_at(struct ask *a, size_t i)
{
	return (char **)(void *)((char *)a + fields[i].offset);
}

/* A body that is no form has no parameters: Entra then misses the first one. */
static void
read_form(struct ask *a)
{
	const struct http_request *req = a->call->req;
	const char *type = http_header0(req, "Content-Type");
	size_t len;

	if (type == NULL || strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) != 0)
		return;
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (http_form_get(field_at(a, i), &len, (const char *)req->body, req->body_len,
			fields[i].name, true, NULL) != RC_OK)
			*field_at(a, i) = NULL;
	}
}

static void
ask_done(struct ask *a)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		char *value = *field_at(a, i);

		wipe_free(value, value != NULL ? strlen(value) : 0);
	}
}

static void
entra_headers(struct call *c)
{
	http_reply_header(c->reply, "Cache-Control", "no-store, no-cache");
	http_reply_header(c->reply, "Pragma", "no-cache");
	http_reply_header(c->reply, "x-ms-request-id", c->request_id);
	http_reply_header(c->reply, "client-request-id", c->correlation_id);
}

void
entra_token(struct call *c)
{
	struct ask a = { .call = c };
	bool ok = true;

	entra_headers(c);
	read_form(&a);
	for (size_t i = 0; ok && i < sizeof(checks) / sizeof(checks[0]); i++)
		ok = checks[i](&a);
	if (ok)
		grant(&a);
	ask_done(&a);
}

void
entra_token_wrong_method(struct call *c)
{
	entra_headers(c);
	refuse(c, 900561, "The endpoint only accepts POST requests. Received a %s request.",
	    c->req->method);
}
