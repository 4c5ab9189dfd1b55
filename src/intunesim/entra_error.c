/*
 * entra_error.c - Entra's refusals by AADSTS number.
 *
 * HTTP status and "error" are those seen or documented; where nothing is (53003, 50034, 50196), those
 * of their neighbours.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"

#define UNKNOWN "An unknown or unexpected error occurred."

static const struct aadsts {
	long code;
	int status;
	const char *error, *sentence; /* the sentence when nobody knows better */
} table[] = {
	{ 50000, 400, "invalid_request", UNKNOWN },
	{ 50013, 401, "invalid_client", "Assertion failed signature validation." },
	{ 50027, 400, "invalid_request", "JWT token is invalid or malformed." },
	{ 50034, 400, "invalid_grant", "The user account does not exist in the directory." },
	{ 50049, 400, "invalid_instance", "Unknown or invalid instance." },
	{ 50196, 400, "invalid_grant",
	    "The server terminated an operation because it encountered a client request loop. "
	    "Please contact your app vendor." },
	{ 53003, 400, "invalid_grant",
	    "Access has been blocked by Conditional Access policies. The access policy does not "
	    "allow token issuance." },
	{ 70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type." },
	{ 70011, 400, "invalid_scope",
	    "The provided value for the input parameter 'scope' is not valid." },
	{ 90002, 400, "invalid_request",
	    "Tenant not found. Check to make sure you have the correct tenant ID." },
	{ 90033, 503, "temporarily_unavailable",
	    "A transient error has occurred. Please try again." },
	{ 500011, 400, "invalid_resource", "The resource principal was not found in the tenant." },
	{ 700016, 400, "unauthorized_client", "The application was not found in the directory." },
	{ 700021, 401, "invalid_client",
	    "Client assertion application identifier doesn't match 'client_id' parameter." },
	{ 700023, 401, "invalid_client",
	    "Client assertion audience claim does not match Realm issuer." },
	{ 700024, 401, "invalid_client", "Client assertion is not within its valid time range." },
	{ 700027, 401, "invalid_client",
	    "The certificate with identifier used to sign the client assertion is not registered "
	    "on application." },
	{ 700211, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion issuer." },
	{ 700212, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion audience." },
	{ 700213, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion subject." },
	{ 900023, 400, "invalid_request",
	    "Specified tenant identifier is neither a valid DNS name, nor a valid external "
	    "domain." },
	{ 900144, 400, "invalid_request", "The request body must contain a parameter." },
	{ 900561, 400, "invalid_request", "The endpoint only accepts POST requests." },
	{ 1002012, 400, "invalid_scope",
	    "The provided value for scope is not valid. Client credential flows must have a scope "
	    "value with /.default suffixed to the resource identifier (application ID URI)." },
	{ 7000112, 400, "unauthorized_client", "The application is disabled." },
	{ 7000215, 401, "invalid_client",
	    "Invalid client secret provided. Ensure the secret being sent in the request is the "
	    "client secret value, not the client secret ID." },
	{ 7000216, 401, "invalid_client",
	    "'client_assertion', 'client_secret' or 'request' is required for the "
	    "'client_credentials' grant type." },
	{ 7000218, 401, "invalid_client",
	    "The request body must contain the following parameter: 'client_assertion' or "
	    "'client_secret'." },
	{ 7000222, 401, "invalid_client",
	    "The provided client secret keys for the app are expired. Visit the Azure portal to "
	    "create new keys for your app: https://aka.ms/NewClientSecret, or consider using "
	    "certificate credentials for added security: https://aka.ms/certCreds." },
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

const char *
entra_sentence(long code)
{
	const struct aadsts *row = find_row(code);

	return row->code == code ? row->sentence : NULL;
}

/* "2023-05-06 06:03:00Z" */
static void
stamp(char out[static TIME_TEXT_MAX], const struct call *c)
{
	time_rfc3339(out, clock_now() + c->skew);
	out[10] = ' ';
}

static void
answer(struct call *c, const struct aadsts *row, const char *error, long code, const char *text)
{
	const char *gap = c->old_entra ? "\r\n" : " ";
	char at[TIME_TEXT_MAX];
	json_t *body;

	stamp(at, c);
	call_note(c, error, "AADSTS%ld: %s", code, text);
	body = json_object();
	json_object_set_new(body, "error", json_string(error));
	json_object_set_new(body, "error_description",
	    json_sprintf("AADSTS%ld: %s%sTrace ID: %s%sCorrelation ID: %s%sTimestamp: %s", code,
		text, gap, c->request_id, gap, c->correlation_id, gap, at));
	json_object_set_new(body, "error_codes", json_pack("[I]", (json_int_t)code));
	json_object_set_new(body, "timestamp", json_string(at));
	json_object_set_new(body, "trace_id", json_string(c->request_id));
	json_object_set_new(body, "correlation_id", json_string(c->correlation_id));
	json_object_set_new(body, "error_uri",
	    json_sprintf("https://login.microsoftonline.com/error?code=%ld", code));
	call_json(c, row->status, body);
}

static void
refuse(struct call *c, const char *error, long code, const char *fmt, va_list ap)
{
	const struct aadsts *row = find_row(code);
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	str_printable(text);
	answer(c, row, error != NULL ? error : row->error, code, text);
}

bool
entra_refuse(struct call *c, long code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(c, NULL, code, fmt, ap);
	va_end(ap);
	return false;
}

/* The same under another name than the number usually has. */
PRINTF_LIKE(4, 5)
static bool
refuse_as(struct call *c, const char *error, long code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(c, error, code, fmt, ap);
	va_end(ap);
	return false;
}

bool
entra_find_tenant(struct call *c, const char *name, const char *error)
{
	c->tenant = view_tenant(c->view, name);
	if (c->tenant != NULL)
		return true;
	if (!guid_valid(name) && strchr(name, '.') == NULL)
		return refuse_as(c, error, 900023,
		    "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid "
		    "external domain.",
		    name);
	return refuse_as(c, error, 90002,
	    "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are "
	    "signing into the correct cloud. Check with your subscription administrator, this may "
	    "happen if there are no active subscriptions for the tenant.",
	    name);
}
