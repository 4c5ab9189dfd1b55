/*
 * config.c - Microsoft's properties: one table of names, defaults and checks.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "intune/error.h"
#include "intune/wire.h"
#include "intune/settings.h"

#define VALUE_MAX  1024u
#define CONNECT_MS 5000u
#define TOTAL_MS   15000u
#define PATH_TOKEN "/oauth2/v2.0/token"

enum need { REQUIRED, OPTIONAL };

struct row {
	const char *name;
	size_t offset; /* in struct intune_config */
	enum need need;
	const char *dflt;
	bool (*ok)(const char *s);
	const char *want; /* "NAME must be ..." */
	bool empty_is_unset;
};

/* Text that may stand in a JSON string or a form: UTF-8 without control characters. */
static bool
is_text(const char *s)
{
	size_t i, len = strlen(s);

	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	}
	return len <= VALUE_MAX && utf8_valid((const uint8_t *)s, len);
}

static bool
is_name(const char *s)
{
	return is_text(s) && s[strspn(s, " ")] != '\0';
}

/* What may stand in a path unescaped. */
static bool
is_id(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
	    strlen(s) &&
	    strlen(s) <= 255 && strspn(s, ".") != strlen(s);
}

/* A resource is a name that Entra compares, and never contacted: any scheme will do. */
static bool
is_resource(const char *s)
{
	return is_text(s) && strpbrk(s, " \"<>\\^`{|}") == NULL;
}

static bool
is_host(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
	    strlen(s) &&
	    strlen(s) < HOST_MAX;
}

static bool
is_port(const char *s)
{
	uint64_t port;

	return parse_u64(&port, s, 0, UINT16_MAX, "port", NULL) == RC_OK;
}

/* libcurl reads it at the first connection, which is late to learn of a wrong path. */
static bool
is_file(const char *s)
{
	return is_text(s) && access(s, R_OK) == 0;
}

#define F(field)  offsetof(struct intune_config, field)
#define WANT_TEXT "text without control characters"
#define WANT_ID   "letters, digits, '.' and '-'"
#define WANT_URL  "an https URL without query (http only for this machine itself)"

static const struct row rows[P__MAX] = {
	[P_APP_ID] = { "AAD_APP_ID", F(aad_app_id), REQUIRED, NULL, is_id, WANT_ID },
	[P_APP_KEY] = { "AAD_APP_KEY", F(aad_app_key), REQUIRED, NULL, is_text, WANT_TEXT },
	[P_TENANT] = { "TENANT", F(tenant), REQUIRED, NULL, is_id, "the tenant's GUID or domain" },
	[P_PROVIDER] = { "PROVIDER_NAME_AND_VERSION", F(provider_name_and_version), REQUIRED, NULL,
	    is_name, "a product's name and version" },
	[P_AUTHORITY] = { "AUTH_AUTHORITY", F(auth_authority), OPTIONAL,
	    "https://login.microsoftonline.com/", url_is_base, WANT_URL },
	[P_INTUNE_APP_ID] = { "INTUNE_APP_ID", F(intune_app_id), OPTIONAL,
	    "0000000a-0000-0000-c000-000000000000", is_id, WANT_ID },
	[P_INTUNE_RESOURCE] = { "INTUNE_RESOURCE_URL", F(intune_resource_url), OPTIONAL,
	    "https://api.manage.microsoft.com/", is_resource, "the URL that names the resource" },
	[P_GRAPH_VERSION] = { "MS_GRAPH_API_VERSION", F(ms_graph_api_version), OPTIONAL, "1.0",
	    is_id, WANT_ID },
	[P_GRAPH_RESOURCE] = { "MS_GRAPH_RESOURCE_URL", F(ms_graph_resource_url), OPTIONAL,
	    "https://graph.microsoft.com/", url_is_base, WANT_URL },
	[P_SCEP_VERSION] = { "ScepRequestValidationFEServiceVersion", F(scep_service_version),
	    OPTIONAL, "2018-02-20", is_id, WANT_ID },
	[P_REVOCATION_VERSION] = { "PkiConnectorFEServiceVersion", F(revocation_service_version),
	    OPTIONAL, "5019-05-05", is_id, WANT_ID },
	[P_PROXY_HOST] = { "PROXY_HOST", F(proxy_host), OPTIONAL, NULL, is_host,
	    "a host name or address", true },
	[P_PROXY_PORT] = { "PROXY_PORT", F(proxy_port), OPTIONAL, NULL, is_port,
	    "a number from 0 to 65535", true },
	[P_PROXY_USER] = { "PROXY_USER", F(proxy_user), OPTIONAL, NULL, is_text, WANT_TEXT, true },
	[P_PROXY_PASS] = { "PROXY_PASS", F(proxy_pass), OPTIONAL, NULL, is_text, WANT_TEXT, true },
	[P_CA_FILE] = { NULL, F(ca_file), OPTIONAL, NULL, is_file, "a file that can be read",
	    true },
};

/* Names that Microsoft's libraries take for what is taken above under another name, or has no
 * meaning here. */
static const struct {
	const char *name;
	const char *same_as;
} other_names[] = {
	{ "MSAL_GRAPH_RESOURCE_URL", "MS_GRAPH_RESOURCE_URL" }, /* the C# library's */
	{ "GRAPH_API_VERSION", NULL },
	{ "GRAPH_RESOURCE_URL", NULL },
	{ "AAD_GRAPH_API_VERSION", NULL },
	{ "AAD_GRAPH_RESOURCE_URL", NULL },
};
#define OTHER_NAMES (sizeof(other_names) / sizeof(other_names[0]))

void
intune_config_init(struct intune_config *c)
{
	memset(c, 0, sizeof(*c));
}

static const char **
field(const struct intune_config *c, const struct row *r)
{
	return (const char **)(uintptr_t)((const char *)c + r->offset);
}

static enum intune_status
unknown_name(const char *name, struct intune_error *e)
{
	struct nearest near;
	size_t i;

	nearest_begin(&near, name);
	for (i = 0; i < P__MAX; i++) {
		if (rows[i].name != NULL)
			nearest_offer(&near, rows[i].name);
	}
	error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "unknown property %.80s", name);
	if (near.best != NULL)
		error_hint(e, "did you mean %s?", near.best);
	return INTUNE_E_ARGUMENT;
}

enum intune_status
intune_config_set(
    struct intune_config *c, const char *name, const char *value, struct intune_error *err)
{
	struct intune_error scratch, *e = err != NULL ? err : &scratch;
	size_t i;

	error_reset(e);
	if (c == NULL || name == NULL || value == NULL)
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
		    "a property needs a configuration, a name and a value");
	for (i = 0; i < OTHER_NAMES; i++) {
		if (strcmp(name, other_names[i].name) != 0)
			continue;
		if (other_names[i].same_as == NULL)
			return INTUNE_OK;
		name = other_names[i].same_as;
	}
	for (i = 0; i < P__MAX; i++) {
		if (rows[i].name != NULL && strcmp(name, rows[i].name) == 0) {
			*field(c, &rows[i]) = value;
			return INTUNE_OK;
		}
	}
	return unknown_name(name, e);
}

static enum intune_status
nomem(struct intune_error *e)
{
	return error_set(e, INTUNE_E_NOMEM, INTUNE_STEP_CONFIG, "out of memory");
}

static enum intune_status
take(struct settings *s, enum property p, const char *value, struct intune_error *e)
{
	const struct row *r = &rows[p];
	const char *name = r->name != NULL ? r->name : "ca_file";

	if (value != NULL && value[0] == '\0' && r->empty_is_unset)
		value = NULL;
	if (value == NULL)
		value = r->dflt;
	if (value == NULL && r->need == OPTIONAL)
		return INTUNE_OK;
	if (value == NULL || value[0] == '\0')
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "the property %s is %s",
		    name, value == NULL ? "missing" : "empty");
	if (strlen(value) > VALUE_MAX || !r->ok(value))
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
		    "the property %s must be %s", name, r->want);
	s->v[p] = strdup(value);
	return s->v[p] != NULL ? INTUNE_OK : nomem(e);
}

/* What only makes sense together. */
static enum intune_status
check_proxy(struct settings *s, struct intune_error *e)
{
	static const struct {
		enum property have, need;
	} pairs[] = { { P_PROXY_HOST, P_PROXY_PORT }, { P_PROXY_USER, P_PROXY_PASS },
		{ P_PROXY_USER, P_PROXY_HOST } };
	uint64_t port = 0;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (s->v[pairs[i].have] != NULL && s->v[pairs[i].need] == NULL)
			return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
			    "the property %s is missing: %s is set", rows[pairs[i].need].name,
			    rows[pairs[i].have].name);
	}
	if (s->v[P_PROXY_PORT] != NULL &&
	    parse_u64(&port, s->v[P_PROXY_PORT], 0, UINT16_MAX, "port", NULL) != RC_OK)
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
		    "the property PROXY_PORT must be a number from 0 to 65535");
	s->proxy_port = (uint16_t)port;
	return INTUNE_OK;
}

/* HTTP header values are ASCII (RFC 9110 5.5); the name itself travels whole in callerInfo. */
static void
ascii_only(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= 0x80)
			*s = '?';
	}
}

/*
 * Microsoft's library appends "/.default" to the Intune resource as it stands and ".default" to
 * Graph's, so the usual values give "...com//.default" and "...com/.default"; Entra takes off the
 * last "/.default" and finds the audience, slash included.
 */
static enum rc
derive_scopes(struct settings *s)
{
	enum rc rc;

	rc = str_format(&s->scope[SCOPE_INTUNE], NULL, "%s/.default", s->v[P_INTUNE_RESOURCE]);
	if (rc != RC_OK)
		return rc;
	return url_join(&s->scope[SCOPE_GRAPH], s->v[P_GRAPH_RESOURCE], ".default", NULL);
}

static enum rc
derive_lines(struct settings *s)
{
	static const enum property versions[SERVICE__MAX] = {
		[SERVICE_SCEP] = P_SCEP_VERSION, [SERVICE_REVOCATION] = P_REVOCATION_VERSION
	};
	unsigned i;
	enum rc rc;

	rc = str_format(&s->line_user_agent, NULL, "UserAgent: %s", s->v[P_PROVIDER]);
	if (rc != RC_OK)
		return rc;
	ascii_only(s->line_user_agent);
	for (i = 0; i < SERVICE__MAX && rc == RC_OK; i++)
		rc =
		    str_format(&s->line_api_version[i], NULL, "api-version: %s", s->v[versions[i]]);
	return rc;
}

static enum rc
derive(struct settings *s)
{
	const char *const *v = (const char *const *)s->v;
	char *path;
	enum rc rc;

	if ((rc = str_format(&path, NULL, "%s" PATH_TOKEN, v[P_TENANT])) != RC_OK)
		return rc;
	rc = url_join(&s->token_url, v[P_AUTHORITY], path, NULL);
	free(path);
	if (rc != RC_OK)
		return rc;
	rc = str_format(&path, NULL, "v%s/servicePrincipals/appId=%s/endpoints", v[P_GRAPH_VERSION],
	    v[P_INTUNE_APP_ID]);
	if (rc != RC_OK)
		return rc;
	rc = url_join(&s->discovery_url, v[P_GRAPH_RESOURCE], path, NULL);
	free(path);
	if (rc != RC_OK || (rc = derive_scopes(s)) != RC_OK || (rc = derive_lines(s)) != RC_OK)
		return rc;
	if (!url_parse(&s->login, s->token_url) || !url_parse(&s->graph, s->discovery_url))
		return RC_BUG;
	return wire_string_dup(&s->caller_json, v[P_PROVIDER]);
}

enum intune_status
settings_make(struct settings *s, const struct intune_config *c, struct intune_error *e)
{
	enum intune_status st = INTUNE_OK;
	unsigned p;

	memset(s, 0, sizeof(*s));
	for (p = 0; p < P__MAX && st == INTUNE_OK; p++)
		st = take(s, (enum property)p, *field(c, &rows[p]), e);
	if (st == INTUNE_OK)
		st = check_proxy(s, e);
	if (st == INTUNE_OK && derive(s) != RC_OK)
		st = nomem(e);
	if (st != INTUNE_OK) {
		settings_done(s);
		return st;
	}
	s->connect_ms = c->connect_ms != 0 ? c->connect_ms : CONNECT_MS;
	s->total_ms = c->total_ms != 0 ? c->total_ms : TOTAL_MS;
	return INTUNE_OK;
}

static void
free_text(char *s)
{
	if (s != NULL)
		wipe_free(s, strlen(s));
}

void
settings_done(struct settings *s)
{
	size_t i;

	for (i = 0; i < P__MAX; i++)
		free_text(s->v[i]);
	for (i = 0; i < SCOPE__MAX; i++)
		free_text(s->scope[i]);
	free_text(s->token_url);
	free_text(s->discovery_url);
	free_text(s->line_user_agent);
	for (i = 0; i < SERVICE__MAX; i++)
		free_text(s->line_api_version[i]);
	free_text(s->caller_json);
	memset(s, 0, sizeof(*s));
}
