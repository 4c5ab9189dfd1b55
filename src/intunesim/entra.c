/*
 * entra.c - Entra's token endpoints, v2 and v1: client credentials.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"

#define FORM_TYPE      "application/x-www-form-urlencoded"
#define DEFAULT_END    "/.default"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* ---- the checks, in the order of the table below ---- */

static bool
refuse_missing(struct ask *a, const char *name)
{
	return entra_refuse(
	    a->call, 900144, "The request body must contain the following parameter: '%s'.", name);
}

static bool
check_grant(struct ask *a)
{
	if (a->grant_type == NULL)
		return refuse_missing(a, "grant_type");
	if (strcmp(a->grant_type, "client_credentials") == 0)
		return true;
	return entra_refuse(
	    a->call, 70003, "The app requested an unsupported grant type '%s'.", a->grant_type);
}

static bool
check_tenant(struct ask *a)
{
	return entra_find_tenant(a->call, a->call->arg[0], NULL);
}

static bool
check_app(struct ask *a)
{
	if (a->client_id == NULL)
		return refuse_missing(a, "client_id");
	a->app = tenant_app(a->call->tenant, a->client_id);
	if (a->app == NULL)
		return entra_refuse(a->call, 700016,
		    "Application with identifier '%s' was not found in the directory '%s'. This "
		    "can "
		    "happen if the application has not been installed by the administrator of the "
		    "tenant or consented to by any user in the tenant. You may have sent your "
		    "authentication request to the wrong tenant.",
		    a->client_id, a->call->tenant->file.tenant.name);
	if (a->app->conf->enabled)
		return true;
	return entra_refuse(a->call, 7000112, "Application '%s'(%s) is disabled.", a->app->conf->id,
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
check_resource_param(struct ask *a)
{
	if (a->resource_param == NULL)
		return refuse_missing(a, "resource");
	if (strlen(a->resource_param) >= sizeof(a->resource))
		return entra_refuse(a->call, 500011,
		    "The resource principal was not found in the tenant named %s.",
		    a->call->tenant->file.tenant.name);
	snprintf(a->resource, sizeof(a->resource), "%s", a->resource_param);
	return true;
}

static bool
check_scope(struct ask *a)
{
	size_t len, end = strlen(DEFAULT_END);
	const char *scope;

	if (a->v1)
		return check_resource_param(a);
	if (a->scope == NULL)
		return refuse_missing(a, "scope");
	if (!find_resource_scope(a->scope, &scope, &len) || len >= sizeof(a->resource))
		return entra_refuse(a->call, 70011,
		    "The provided request must include a 'scope' input parameter. The provided "
		    "value "
		    "for the input parameter 'scope' is not valid. The scope %.300s is not valid.",
		    a->scope);
	if (len <= end || strncmp(scope + len - end, DEFAULT_END, end) != 0)
		return entra_refuse(a->call, 1002012,
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
	if (a->assertion != NULL) {
		a->acr = "2";
		if (a->assertion_type == NULL)
			return refuse_missing(a, "client_assertion_type");
		if (strcmp(a->assertion_type, ASSERTION_TYPE) != 0)
			return entra_refuse(a->call, 50027,
			    "JWT token is invalid or malformed: client_assertion_type is not "
			    "'" ASSERTION_TYPE "'.");
		return true;
	}
	a->acr = "1";
	if (a->client_secret != NULL)
		return true;
	if (a->v1)
		return entra_refuse(a->call, 7000218, "%s", entra_sentence(7000218));
	return entra_refuse(a->call, 7000216, "%s", entra_sentence(7000216));
}

static bool
is_secret(struct ask *a)
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
		return entra_refuse(a->call, 7000222,
		    "The provided client secret keys for app '%s' are expired. Visit the Azure "
		    "portal "
		    "to create new keys for your app: https://aka.ms/NewClientSecret, or consider "
		    "using certificate credentials for added security: https://aka.ms/certCreds.",
		    a->client_id);
	return entra_refuse(a->call, 7000215,
	    "Invalid client secret provided. Ensure the secret being sent in the request is the "
	    "client "
	    "secret value, not the client secret ID, for a secret added to app '%s'.",
	    a->client_id);
}

static bool
check_proof(struct ask *a)
{
	return a->assertion != NULL ? assertion_check(a) : is_secret(a);
}

static bool
check_resource(struct ask *a)
{
	a->kind = resource_find(a->call, a->resource);
	if (a->kind != RESOURCE_NONE)
		return true;
	return entra_refuse(a->call, 500011,
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
	check_credential, check_proof, check_resource };

/* ---- the form ---- */

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "grant_type", offsetof(struct ask, grant_type) },
	{ "client_id", offsetof(struct ask, client_id) },
	{ "client_secret", offsetof(struct ask, client_secret) },
	{ "scope", offsetof(struct ask, scope) },
	{ "resource", offsetof(struct ask, resource_param) },
	{ "client_assertion_type", offsetof(struct ask, assertion_type) },
	{ "client_assertion", offsetof(struct ask, assertion) },
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

void
entra_headers(struct call *c)
{
	http_reply_header(c->reply, "Cache-Control", "no-store, no-cache");
	http_reply_header(c->reply, "Pragma", "no-cache");
	http_reply_header(c->reply, "x-ms-request-id", c->request_id);
	http_reply_header(c->reply, "client-request-id", c->correlation_id);
}

static void
answer(struct call *c, bool v1)
{
	struct ask a = { .call = c, .v1 = v1 };
	bool ok = true;

	c->old_entra = v1;
	entra_headers(c);
	read_form(&a);
	for (size_t i = 0; ok && i < sizeof(checks) / sizeof(checks[0]); i++)
		ok = checks[i](&a);
	if (ok)
		entra_grant(&a);
	ask_done(&a);
}

void
entra_token(struct call *c)
{
	answer(c, false);
}

void
entra_token_v1(struct call *c)
{
	answer(c, true);
}

void
entra_token_wrong_method(struct call *c)
{
	entra_headers(c);
	entra_refuse(c, 900561, "The endpoint only accepts POST requests. Received a %s request.",
	    c->req->method);
}
