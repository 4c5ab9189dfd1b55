/*
 * managed.c - managed identity endpoints: tokens for programs that run in Azure, without a
 * credential.
 *
 * The form of virtual machines (IMDS) is guarded by a header that no web page can send and, in real
 * life, by an address that only the machine itself reaches; that of App Service by a secret header.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"
#include "intunesim/jwt.h"

#define IMDS_API        "2018-02-01"
#define APP_SERVICE_API "2019-08-01"

/* What the query says; free with query_done(). */
struct query {
	char *api_version, *resource, *client_id;
};

static char *
query_get(const struct call *c, const char *name)
{
	char *value;
	size_t len;

	if (http_form_get(&value, &len, c->req->query, strlen(c->req->query), name, true, NULL) !=
	    RC_OK)
		return NULL;
	return value;
}

static void
query_read(struct query *q, const struct call *c)
{
	q->api_version = query_get(c, "api-version");
	q->resource = query_get(c, "resource");
	q->client_id = query_get(c, "client_id");
}

static void
query_done(struct query *q)
{
	free(q->api_version);
	free(q->resource);
	free(q->client_id);
}

static void
refuse_imds(struct call *c, const char *error, const char *text)
{
	call_note(c, error, "%s", text);
	call_json(c, 400, json_pack("{s:s, s:s}", "error", error, "error_description", text));
}

static void
refuse_app_service(struct call *c, int status, const char *text)
{
	call_note(c, "ManagedIdentity", "%s", text);
	call_json(c, status,
	    json_pack("{s:i, s:s, s:s}", "statusCode", status, "message", text, "correlationId",
		c->correlation_id));
}

/*
 * The identity that is meant: by its client id, or the only one.  With a header, App Service's: the
 * one that has this header.
 */
static const struct app *
find_identity(struct call *c, const char *client_id, const char *header)
{
	const struct app *found = NULL;

	for (size_t i = 0; i < c->view->n_tenants; i++) {
		const struct tenant *t = c->view->tenants[i];

		for (size_t j = 0; j < t->n_apps; j++) {
			const struct app_conf *conf = t->apps[j].conf;

			if (!conf->managed_identity || !conf->enabled ||
			    (client_id != NULL && !str_eq_nocase(conf->id, client_id)) ||
			    (header != NULL &&
				(conf->identity_header == NULL ||
				    !bytes_eq_ct(conf->identity_header,
					strlen(conf->identity_header), header, strlen(header)))))
				continue;
			if (found != NULL)
				return NULL;
			found = &t->apps[j];
			c->tenant = t;
		}
	}
	return found;
}

static json_t *
imds_body(const struct ask *a, const char *token)
{
	json_int_t now = clock_now() + a->call->skew;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "access_token", token,
	    "client_id", a->app->conf->id, "expires_in", json_sprintf("%d", TOKEN_LIFE),
	    "expires_on", json_sprintf("%lld", (long long)(now + TOKEN_LIFE)), "ext_expires_in",
	    json_sprintf("%d", TOKEN_LIFE), "not_before", json_sprintf("%lld", (long long)now),
	    "resource", a->resource, "token_type", "Bearer");
}

static json_t *
app_service_body(const struct ask *a, const char *token)
{
	json_int_t now = clock_now() + a->call->skew;

	return json_pack("{s:s, s:s, s:o, s:s, s:s}", "access_token", token, "client_id",
	    a->app->conf->id, "expires_on", json_sprintf("%lld", (long long)(now + TOKEN_LIFE)),
	    "resource", a->resource, "token_type", "Bearer");
}

static void
grant(struct ask *a, json_t *(*body)(const struct ask *a, const char *token))
{
	struct buf token;
	struct err err;

	a->acr = "2";
	buf_init(&token, JWT_MAX);
	if (entra_token_text(&token, a, &err) == RC_OK) {
		call_note(a->call, "token", "managed identity, for %s", a->resource);
		call_json(a->call, 200, body(a, buf_str(&token)));
	} else {
		call_broken(a->call, &err);
	}
	buf_wipe(&token);
}

/* False: no such resource. */
static bool
take_resource(struct ask *a, const char *resource)
{
	if (resource == NULL || strlen(resource) >= sizeof(a->resource))
		return false;
	snprintf(a->resource, sizeof(a->resource), "%s", resource);
	a->kind = resource_find(a->call, resource);
	return a->kind != RESOURCE_NONE;
}

void
managed_imds(struct call *c)
{
	const char *metadata = http_header0(c->req, "Metadata");
	struct ask a = { .call = c };
	struct query q;

	query_read(&q, c);
	if (metadata == NULL || !str_eq_nocase(metadata, "true"))
		refuse_imds(c, "invalid_request", "Required metadata header not specified");
	else if (http_header0(c->req, "X-Forwarded-For") != NULL)
		refuse_imds(c, "invalid_request", "Required metadata header not specified");
	else if (q.api_version == NULL || strcmp(q.api_version, IMDS_API) != 0)
		refuse_imds(c, "invalid_request", "Invalid or missing api-version");
	else if (q.resource == NULL)
		refuse_imds(c, "invalid_request", "Required audience parameter not specified");
	else if ((a.app = find_identity(c, q.client_id, NULL)) == NULL)
		refuse_imds(c, "invalid_request", "Identity not found");
	else if (!take_resource(&a, q.resource))
		refuse_imds(c, "invalid_resource",
		    "AADSTS500011: The resource principal was not found in the tenant.");
	else
		grant(&a, imds_body);
	query_done(&q);
}

void
managed_app_service(struct call *c)
{
	const char *header = http_header0(c->req, "X-IDENTITY-HEADER");
	struct ask a = { .call = c };
	struct query q;

	query_read(&q, c);
	if (header == NULL)
		refuse_app_service(c, 403, "X-IDENTITY-HEADER is missing");
	else if (q.api_version == NULL || strcmp(q.api_version, APP_SERVICE_API) != 0)
		refuse_app_service(c, 400, "The api-version is invalid or missing");
	else if (q.resource == NULL)
		refuse_app_service(c, 400, "The resource is missing");
	else if ((a.app = find_identity(c, q.client_id, header)) == NULL)
		refuse_app_service(c, 400, "No managed identity was found for this header");
	else if (!take_resource(&a, q.resource))
		refuse_app_service(c, 400, "The resource principal was not found in the tenant");
	else
		grant(&a, app_service_body);
	query_done(&q);
}
