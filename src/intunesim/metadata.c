/*
 * metadata.c - what Entra tells about itself: instance discovery, openid-configuration, keys.
 */
#include <string.h>

#include "base/text.h"
#include "intunesim/entra.h"
#include "intunesim/jwk.h"

/* Names of one authority: a client may take any of them for the same. */
static const char *const clouds[][3] = {
	{ "login.microsoftonline.com", "login.windows.net", "login.microsoft.com" },
	{ "login.microsoftonline.us", "login-us.microsoftonline.com", NULL },
	{ "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", NULL },
};
#define N_CLOUDS       (sizeof(clouds) / sizeof(clouds[0]))
#define N_ALIASES      3
#define NAME_MAX_BYTES 256

/* "https://{host}/{tenant}/..." */
struct authority {
	char scheme[8], host[NAME_MAX_BYTES], tenant[NAME_MAX_BYTES];
};

static bool
copy_part(char *out, size_t size, const char *p, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] <= ' ' || strchr("\"<>\\^`{|}", p[i]) != NULL)
			return false;
	}
	memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

static bool
read_authority(struct authority *out, const char *url)
{
	const char *host = strstr(url, "://"), *tenant;

	if (host == NULL || !copy_part(out->scheme, sizeof(out->scheme), url, (size_t)(host - url)))
		return false;
	host += 3;
	tenant = host + strcspn(host, "/");
	if (!copy_part(out->host, sizeof(out->host), host, (size_t)(tenant - host)) ||
	    *tenant++ != '/')
		return false;
	return copy_part(out->tenant, sizeof(out->tenant), tenant, strcspn(tenant, "/?"));
}

static json_t *
host_json(const char *preferred, const char *const *aliases, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n && aliases[i] != NULL; i++)
		json_array_append_new(list, json_string(aliases[i]));
	return json_pack("{s:s, s:s, s:o}", "preferred_network", preferred, "preferred_cache",
	    preferred, "aliases", list);
}

/* Whether the host is Entra's, of any cloud; with the port or without. */
static bool
is_cloud_host(const char *host)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%s", host);
	if (name[0] != '[')
		name[strcspn(name, ":")] = '\0';
	for (size_t i = 0; i < N_CLOUDS; i++) {
		for (size_t j = 0; j < N_ALIASES && clouds[i][j] != NULL; j++) {
			if (str_eq_nocase(clouds[i][j], name))
				return true;
		}
	}
	return false;
}

static bool
is_known_host(const struct call *c, const char *host)
{
	const char *own = http_header0(c->req, "Host");

	return (own != NULL && str_eq_nocase(own, host)) || is_cloud_host(host);
}

static void
answer_instance(struct call *c, const struct authority *a)
{
	const char *const own[] = { a->host };
	json_t *list = json_array();

	for (size_t i = 0; i < N_CLOUDS; i++)
		json_array_append_new(list, host_json(clouds[i][0], clouds[i], N_ALIASES));
	/* no name twice: a client makes one map of all aliases, and the last one would win */
	if (!is_cloud_host(a->host))
		json_array_append_new(list, host_json(a->host, own, 1));
	call_note(c, "instance", "%s", a->host);
	call_json(c, 200,
	    json_pack("{s:o, s:s, s:o}", "tenant_discovery_endpoint",
		json_sprintf("%s://%s/%s/v2.0/.well-known/openid-configuration", a->scheme, a->host,
		    a->tenant),
		"api-version", "1.1", "metadata", list));
}

void
entra_instance(struct call *c)
{
	struct authority a;
	char *endpoint = NULL;
	size_t len;

	entra_headers(c);
	if (http_form_get(&endpoint, &len, c->req->query, strlen(c->req->query),
		"authorization_endpoint", true, NULL) != RC_OK)
		endpoint = NULL;
	if (endpoint == NULL)
		entra_refuse(c, 900144,
		    "The request body must contain the following parameter: "
		    "'authorization_endpoint'.");
	else if (!read_authority(&a, endpoint) || !is_known_host(c, a.host))
		entra_refuse(c, 50049, "Unknown or invalid instance.");
	else
		answer_instance(c, &a);
	free(endpoint);
}

/* ---- openid-configuration ---- */

static json_t *
url_json(const struct buf *base, const char *tenant, const char *path)
{
	return json_sprintf("%s/%s/%s", buf_str(base), tenant, path);
}

static void
openid(struct call *c, bool v1)
{
	const char *name = c->arg[0];
	struct buf base;

	entra_headers(c);
	if (!entra_find_tenant(c, name, "invalid_tenant"))
		return;
	buf_init(&base, 4096);
	call_base_url(&base, c);
	call_json(c, 200,
	    json_pack("{s:o, s:[s,s,s], s:o, s:[s], s:[s], s:[s], s:o, s:o, s:[s,s], s:o}",
		"token_endpoint", url_json(&base, name, v1 ? "oauth2/token" : "oauth2/v2.0/token"),
		"token_endpoint_auth_methods_supported", "client_secret_post", "private_key_jwt",
		"client_secret_basic", "jwks_uri",
		url_json(&base, name, v1 ? "discovery/keys" : "discovery/v2.0/keys"),
		"response_modes_supported", "query", "subject_types_supported", "pairwise",
		"id_token_signing_alg_values_supported", "RS256", "issuer",
		v1 ? json_sprintf("https://sts.windows.net/%s/", c->tenant->id)
		   : json_sprintf("https://login.microsoftonline.com/%s/v2.0", c->tenant->id),
		"authorization_endpoint",
		url_json(&base, name, v1 ? "oauth2/authorize" : "oauth2/v2.0/authorize"),
		"response_types_supported", "code", "token", "tenant_region_scope", json_null()));
	buf_done(&base);
}

void
entra_openid(struct call *c)
{
	openid(c, false);
}

void
entra_openid_v1(struct call *c)
{
	openid(c, true);
}

/* ---- keys ---- */

static json_t *
key_json(const struct tenant *t)
{
	json_t *o = jwk_json(t->signer.cert);

	json_object_set_new(
	    o, "issuer", json_sprintf("https://login.microsoftonline.com/%s/v2.0", t->id));
	return o;
}

/* A tenant's; "common" has those of all. */
void
entra_keys(struct call *c)
{
	bool all = str_eq_nocase(c->arg[0], "common");
	json_t *keys;

	entra_headers(c);
	if (!all && !entra_find_tenant(c, c->arg[0], "invalid_tenant"))
		return;
	keys = json_array();
	for (size_t i = 0; i < c->view->n_tenants; i++) {
		if (all || c->view->tenants[i] == c->tenant)
			json_array_append_new(keys, key_json(c->view->tenants[i]));
	}
	call_json(c, 200, json_pack("{s:o}", "keys", keys));
}
