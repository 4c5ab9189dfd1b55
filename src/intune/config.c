/*
 * config.c - Microsoft's properties: one table of names, defaults and checks.  What follows from them
 * is in settings.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "intune/error.h"
#include "intune/settings.h"

#define VALUE_MAX  SECRET_MAX
#define CONNECT_MS 5000u
#define TOTAL_MS   15000u
#define IMDS       "http://169.254.169.254/metadata/identity/oauth2/token"

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

static bool
is_text(const char *s)
{
	return utf8_plain(s, VALUE_MAX);
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

static bool
is_assertion_alg(const char *s)
{
	return strcmp(s, "PS256") == 0 || strcmp(s, "RS256") == 0;
}

/* What may stand in a header line. */
static bool
is_header(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s <= 0x20 || *s >= 0x7f)
			return false;
	}
	return true;
}

static bool
is_cloud(const char *s)
{
	return cloud_find(s) != NULL;
}

/* libcurl reads it at the first connection, which is late to learn of a wrong path. */
static bool
is_file(const char *s)
{
	return is_text(s) && access(s, R_OK) == 0;
}

#define F(field)  offsetof(struct intune_config, field)
#define WANT_FILE "the name of a file"
#define WANT_TEXT "text without control characters"
#define WANT_ID   "letters, digits, '.' and '-'"
#define WANT_URL  "an https URL without query (http only for this machine itself)"

static const struct row rows[P__MAX] = {
	[P_CLOUD] = { "CLOUD", F(cloud), OPTIONAL, "public", is_cloud,
	    "public, gcc, gcchigh, dod or china", true },
	[P_APP_ID] = { "AAD_APP_ID", F(aad_app_id), REQUIRED, NULL, is_id, WANT_ID },
	[P_APP_KEY] = { "AAD_APP_KEY", F(aad_app_key), REQUIRED, NULL, is_text, WANT_TEXT },
	[P_APP_KEY_FILE] = { "AAD_APP_KEY_FILE", F(aad_app_key_file), OPTIONAL, NULL, is_text,
	    WANT_FILE, true },
	[P_CERT_FILE] = { "APP_CERTIFICATE_FILE", F(app_certificate_file), OPTIONAL, NULL, is_text,
	    WANT_FILE, true },
	[P_CERT_KEY_FILE] = { "APP_CERTIFICATE_KEY_FILE", F(app_certificate_key_file), OPTIONAL,
	    NULL, is_text, WANT_FILE, true },
	[P_ASSERTION_ALG] = { "APP_ASSERTION_ALG", F(app_assertion_alg), OPTIONAL, NULL,
	    is_assertion_alg, "PS256 or RS256", true },
	[P_FEDERATED_FILE] = { "FEDERATED_TOKEN_FILE", F(federated_token_file), OPTIONAL, NULL,
	    is_text, WANT_FILE, true },
	[P_MANAGED] = { "MANAGED_IDENTITY", F(managed_identity), OPTIONAL, NULL, is_id,
	    "\"system\" or the client id of a user-assigned identity", true },
	[P_MANAGED_ENDPOINT] = { "MANAGED_IDENTITY_ENDPOINT", F(managed_identity_endpoint),
	    OPTIONAL, NULL, url_is_identity,
	    "a URL without query, plain http only to this machine and 169.254.169.254", true },
	[P_MANAGED_HEADER] = { "MANAGED_IDENTITY_HEADER", F(managed_identity_header), OPTIONAL,
	    NULL, is_header, "visible ASCII", true },
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

static bool
is_set(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* The property that chooses each way, and what may only stand beside it. */
static const struct {
	enum way way;
	enum property p, with;
} ways[] = {
	{ WAY_KEY, P_APP_KEY, P_APP_KEY },
	{ WAY_KEY_FILE, P_APP_KEY_FILE, P_APP_KEY_FILE },
	{ WAY_CERTIFICATE, P_CERT_FILE, P_CERT_FILE },
	{ WAY_CERTIFICATE, P_CERT_KEY_FILE, P_CERT_FILE },
	{ WAY_CERTIFICATE, P_ASSERTION_ALG, P_CERT_FILE },
	{ WAY_FEDERATED, P_FEDERATED_FILE, P_FEDERATED_FILE },
	{ WAY_MANAGED, P_MANAGED, P_MANAGED },
	{ WAY_MANAGED, P_MANAGED_ENDPOINT, P_MANAGED },
	{ WAY_MANAGED, P_MANAGED_HEADER, P_MANAGED },
};

/* Exactly one.  None at all is told later, as the missing AAD_APP_KEY of Microsoft's library. */
static enum intune_status
choose_way(struct settings *s, const struct intune_config *c, struct intune_error *e)
{
	enum property first = P__MAX;
	size_t i;

	s->way = WAY_KEY;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		enum property p = ways[i].p, with = ways[i].with;

		if (!is_set(*field(c, &rows[p])))
			continue;
		if (first != P__MAX && s->way != ways[i].way) {
			error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
			    "the properties %s and %s exclude each other", rows[first].name,
			    rows[p].name);
			error_hint(e, "the app proves itself in exactly one way");
			return INTUNE_E_ARGUMENT;
		}
		if (!is_set(*field(c, &rows[with])))
			return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
			    "the property %s is missing: %s is set", rows[with].name, rows[p].name);
		if (first == P__MAX)
			first = p;
		s->way = ways[i].way;
	}
	return INTUNE_OK;
}

static bool
is_required(const struct settings *s, enum property p)
{
	switch (p) {
	case P_APP_ID:
	case P_TENANT:
		return s->way != WAY_MANAGED;
	case P_APP_KEY:
		return s->way == WAY_KEY;
	case P_CERT_KEY_FILE:
		return s->way == WAY_CERTIFICATE;
	default:
		/* a default that is not known for the cloud */
		return rows[p].need == REQUIRED || rows[p].dflt != NULL;
	}
}

/* The cloud's, where it has a word in it. */
static const char *
dflt(const struct settings *s, enum property p)
{
	switch (p) {
	case P_AUTHORITY:
		return s->cloud->authority;
	case P_GRAPH_RESOURCE:
		return s->cloud->graph;
	case P_INTUNE_RESOURCE:
		return s->cloud->intune;
	case P_MANAGED_ENDPOINT:
		return s->way == WAY_MANAGED ? IMDS : NULL;
	case P_ASSERTION_ALG:
		return s->way == WAY_CERTIFICATE ? "PS256" : NULL;
	default:
		return rows[p].dflt;
	}
}

static enum intune_status
missing(const struct settings *s, enum property p, const char *value, struct intune_error *e)
{
	error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "the property %s is %s", rows[p].name,
	    value == NULL ? "missing" : "empty");
	if (p == P_APP_KEY && value == NULL)
		error_hint(e,
		    "or one of AAD_APP_KEY_FILE, APP_CERTIFICATE_FILE, FEDERATED_TOKEN_FILE, "
		    "MANAGED_IDENTITY");
	if (p == P_INTUNE_RESOURCE && value == NULL)
		error_hint(
		    e, "Microsoft has not published the one of the cloud %s", s->cloud->name);
	return INTUNE_E_ARGUMENT;
}

static enum intune_status
take(struct settings *s, enum property p, const char *value, struct intune_error *e)
{
	const struct row *r = &rows[p];
	const char *name = r->name != NULL ? r->name : "ca_file", *given = NULL;

	if (is_set(value) || !r->empty_is_unset)
		given = value;
	if (p == P_APP_KEY && s->way != WAY_KEY && !is_set(value))
		given = NULL;
	value = given != NULL ? given : dflt(s, p);
	if (value == NULL && !is_required(s, p))
		return INTUNE_OK;
	if (value == NULL || value[0] == '\0')
		return missing(s, p, value, e);
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

bool
settings_key_ok(const char *key)
{
	return key[0] != '\0' && is_text(key);
}

enum intune_status
settings_make(struct settings *s, const struct intune_config *c, struct intune_error *e)
{
	enum intune_status st = INTUNE_OK;
	unsigned p;

	memset(s, 0, sizeof(*s));
	s->cloud = cloud_find(is_set(c->cloud) && is_cloud(c->cloud) ? c->cloud : "public");
	st = choose_way(s, c, e);
	for (p = 0; p < P__MAX && st == INTUNE_OK; p++)
		st = take(s, (enum property)p, *field(c, &rows[p]), e);
	if (st == INTUNE_OK)
		st = check_proxy(s, e);
	if (st == INTUNE_OK && settings_derive(s) != RC_OK)
		st = nomem(e);
	if (st != INTUNE_OK) {
		settings_done(s);
		return st;
	}
	s->connect_ms = c->connect_ms != 0 ? c->connect_ms : CONNECT_MS;
	s->total_ms = c->total_ms != 0 ? c->total_ms : TOTAL_MS;
	return INTUNE_OK;
}
