/*
 * access.c - Authorization: Bearer, judged.
 */
#include "intunesim/access.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/jwt.h"

#define CLOCK_SKEW 300 /* seconds: what Microsoft's services forgive */

#define BAD_TOKEN "InvalidAuthenticationToken"
#define DENIED    "Authorization_RequestDenied"

static const struct {
	int status;
	const char *code, *text;
} outcomes[ACCESS__MAX] = {
	[ACCESS_GRANTED] = { 200, "", "" },
	[ACCESS_NO_TOKEN] = { 401, BAD_TOKEN, "Access token is empty." },
	[ACCESS_BAD_TOKEN] = { 401, BAD_TOKEN, "Access token validation failure." },
	[ACCESS_EXPIRED] = { 401, BAD_TOKEN, "Access token has expired or is not yet valid." },
	[ACCESS_WRONG_AUDIENCE] = { 401, BAD_TOKEN,
	    "Access token validation failure. Invalid audience." },
	[ACCESS_NO_ROLE] = { 403, DENIED, "Insufficient privileges to complete the operation." },
};

const char *
access_text(enum access a)
{
	return outcomes[a].text;
}

const char *
access_code(enum access a)
{
	return outcomes[a].code;
}

int
access_status(enum access a)
{
	return outcomes[a].status;
}

static bool
has_role(const json_t *claims, const char *role)
{
	const json_t *roles = json_object_get(claims, "roles"), *r;
	size_t i;

	json_array_foreach(roles, i, r)
	{
		if (json_is_string(r) && strcmp(json_string_value(r), role) == 0)
			return true;
	}
	return false;
}

static bool
in_time(const json_t *claims)
{
	int64_t nbf, exp, now = clock_now();

	if (json_get_i64(&nbf, claims, "nbf", now, NULL) != RC_OK ||
	    json_get_i64(&exp, claims, "exp", 0, NULL) != RC_OK)
		return false;
	return nbf - CLOCK_SKEW <= now && now <= exp + CLOCK_SKEW;
}

static enum access
judge(const struct call *c, const json_t *claims, enum resource resource, const char *role)
{
	const char *aud = json_get_str(claims, "aud");

	if (!in_time(claims))
		return ACCESS_EXPIRED;
	if (aud == NULL || (resource_find(c, aud) & (unsigned)resource) == 0)
		return ACCESS_WRONG_AUDIENCE;
	return has_role(claims, role) ? ACCESS_GRANTED : ACCESS_NO_ROLE;
}

enum access
access_check(struct call *c, enum resource resource, const char *role)
{
	const char *header = http_header0(c->req, "Authorization");
	enum access a;
	json_t *claims;

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0 || header[7] == '\0')
		return ACCESS_NO_TOKEN;
	if (jwt_verify(&claims, &c->tenant, c->view, header + 7, strlen(header + 7), NULL) != RC_OK)
		return ACCESS_BAD_TOKEN;
	a = judge(c, claims, resource, role);
	json_decref(claims);
	return a;
}
