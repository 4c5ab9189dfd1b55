/*
 * entra_token.c - access tokens for applications, in the shapes of versions 1 and 2.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"
#include "intunesim/jwt.h"

/* Those of the app's permissions that this resource knows; NULL when none: no claim at all. */
static json_t *
make_roles(const struct ask *a)
{
	const struct conf_strs *permissions = &a->app->conf->permissions;
	json_t *roles = json_array();

	for (size_t i = 0; i < permissions->n; i++) {
		if ((resource_of_role(permissions->v[i]) & a->kind) != 0)
			json_array_append_new(roles, json_string(permissions->v[i]));
	}
	if (json_array_size(roles) > 0)
		return roles;
	json_decref(roles);
	return NULL;
}

/* A token of version 1 is for the resource as the client spells it, and names the app "appid". */
static json_t *
claims_v1(const struct ask *a)
{
	const char *id = a->call->tenant->id;

	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s}", "aud", a->resource, "iss",
	    json_sprintf("https://sts.windows.net/%s/", id), "idp",
	    json_sprintf("https://sts.windows.net/%s/", id), "appid", a->app->conf->id, "appidacr",
	    a->acr, "ver", "1.0");
}

static json_t *
claims_v2(const struct ask *a)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:s}", "aud", resource_app_id(a->kind), "iss",
	    json_sprintf("https://login.microsoftonline.com/%s/v2.0", a->call->tenant->id), "azp",
	    a->app->conf->id, "azpacr", a->acr, "ver", "2.0");
}

static json_t *
make_claims(const struct ask *a)
{
	const struct tenant *t = a->call->tenant;
	json_int_t now = clock_now() + a->call->skew;
	char oid[GUID_TEXT_MAX];
	json_t *claims, *both, *roles;

	/* The app's service principal in this tenant. */
	if (guid_derive(oid, t->id, a->app->conf->id, NULL) != RC_OK)
		return NULL;
	claims = t->file.tenant.token_version == 0 ? claims_v1(a) : claims_v2(a);
	both = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "iat", now, "nbf", now, "exp",
	    now + TOKEN_LIFE, "oid", oid, "sub", oid, "tid", t->id, "uti", a->call->request_id);
	if (claims == NULL || both == NULL || json_object_update(claims, both) != 0) {
		json_decref(claims);
		json_decref(both);
		return NULL;
	}
	json_decref(both);
	if ((roles = make_roles(a)) != NULL)
		json_object_set_new(claims, "roles", roles);
	return claims;
}

enum rc
entra_token_text(struct buf *out, const struct ask *a, struct err *err)
{
	json_t *claims = make_claims(a);
	enum rc rc;

	if (claims == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	rc = jwt_sign(out, a->call->tenant, claims, err);
	json_decref(claims);
	return rc;
}

static json_t *
body_v2(const char *token)
{
	return json_pack("{s:s, s:i, s:i, s:s}", "token_type", "Bearer", "expires_in", TOKEN_LIFE,
	    "ext_expires_in", TOKEN_LIFE, "access_token", token);
}

/* Numbers are strings in version 1. */
static json_t *
body_v1(const struct ask *a, const char *token)
{
	json_int_t now = clock_now() + a->call->skew;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "token_type", "Bearer",
	    "expires_in", json_sprintf("%d", TOKEN_LIFE), "ext_expires_in",
	    json_sprintf("%d", TOKEN_LIFE), "expires_on",
	    json_sprintf("%lld", (long long)(now + TOKEN_LIFE)), "not_before",
	    json_sprintf("%lld", (long long)now), "resource", a->resource, "access_token", token);
}

void
entra_grant(struct ask *a)
{
	struct buf token;
	struct err err;

	buf_init(&token, JWT_MAX);
	if (entra_token_text(&token, a, &err) == RC_OK) {
		call_note(a->call, "token", "for %s", a->resource);
		call_json(
		    a->call, 200, a->v1 ? body_v1(a, buf_str(&token)) : body_v2(buf_str(&token)));
	} else {
		call_broken(a->call, &err);
	}
	buf_wipe(&token);
}
