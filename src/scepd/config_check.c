/*
 * config_check.c - rules across the sections of scepd.yaml: nothing starts that could not work, or
 * would be open to everybody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/key_source.h"
#include "scepd/config_int.h"

#define KEY_MAX 160 /* bytes of a dotted key in an error */

enum rc
config_item_fail(const struct config_file *f, struct err *err, int line, const char *section,
    const char *name, const char *key, const char *why)
{
	char dotted[KEY_MAX];

	(void)snprintf(
	    dotted, sizeof(dotted), "%s.%.80s%s%s", section, name, key[0] != '\0' ? "." : "", key);
	return conf_fail(f->c.source, err, line, dotted, "%s", why);
}

/* ---- names: they become parts of URLs ---- */

enum rc
config_check_name(
    const struct config_file *f, struct err *err, int line, const char *section, const char *name)
{
	if (name[0] != '\0' && strlen(name) <= 63 &&
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0')
		return RC_OK;
	return config_item_fail(f, err, line, section, name, "",
	    "a name here is 1 to 63 of a-z, 0-9 and '-', as it becomes part of a URL");
}

static enum rc
check_names(const struct config_file *f, struct err *err)
{
	const struct conf_ca *ca = f->c.cas.v;
	const struct conf_endpoint *e = f->c.endpoints.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.cas.n; i++)
		rc = config_check_name(f, err, ca[i].line, "cas", ca[i].name);
	for (i = 0; rc == RC_OK && i < f->c.endpoints.n; i++)
		rc = config_check_name(f, err, e[i].line, "endpoints", e[i].name);
	return rc;
}

/* ---- addresses ---- */

/* HOST:PORT, [V6]:PORT or *:PORT; resolving is the listener's. */
static bool
is_address(const char *s)
{
	const char *colon = strrchr(s, ':');
	uint64_t port;

	if (colon == NULL || colon == s || strpbrk(s, " /") != NULL)
		return false;
	if (memchr(s, ':', (size_t)(colon - s)) != NULL && (s[0] != '[' || colon[-1] != ']'))
		return false;
	return parse_u64(&port, colon + 1, 0, 65535, "port", NULL) == RC_OK;
}

static enum rc
check_listener(const struct config_file *f, size_t i, struct err *err)
{
	const struct conf_listener *all = f->c.listeners.v, *l = &all[i];
	char index[32];
	size_t k;

	(void)snprintf(index, sizeof(index), "[%zu]", i);
	if (!is_address(l->address))
		return conf_fail(f->c.source, err, l->line, NULL,
		    "listeners%s.address: \"%.80s\" is not HOST:PORT", index, l->address);
	if (l->certificate != NULL && l->key == NULL)
		return conf_fail(f->c.source, err, l->line, NULL,
		    "listeners%s.key: required with a certificate", index);
	if (l->key != NULL && l->certificate == NULL)
		return conf_fail(f->c.source, err, l->line, NULL,
		    "listeners%s.certificate: required with a key", index);
	for (k = 0; k < i; k++) {
		if (strcmp(all[k].address, l->address) == 0 && !str_ends_nocase(l->address, ":0"))
			return conf_fail(f->c.source, err, l->line, NULL,
			    "listeners%s.address: %s is given twice", index, l->address);
	}
	if (f->c.admin.listener.address != NULL &&
	    strcmp(f->c.admin.listener.address, l->address) == 0 &&
	    !str_ends_nocase(l->address, ":0"))
		return conf_fail(f->c.source, err, l->line, NULL,
		    "listeners%s.address: %s is the admin listener's, which must be apart", index,
		    l->address);
	return RC_OK;
}

bool
config_is_loopback(const char *host, size_t len)
{
	return (len > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len) ||
	    (len == 5 && strncmp(host, "[::1]", 5) == 0) ||
	    (len == 9 && strncasecmp(host, "localhost", 9) == 0);
}

/* Tokens in clear over a network are everybody's (S20). */
static enum rc
check_admin(const struct config_file *f, const struct conf_listener *l, struct err *err)
{
	const char *why = NULL, *key = "admin.address";
	size_t host;

	if (!is_address(l->address))
		return conf_fail(
		    f->c.source, err, f->admin_line, key, "\"%.80s\" is not HOST:PORT", l->address);
	host = (size_t)(strrchr(l->address, ':') - l->address);
	if (l->certificate != NULL && l->key == NULL)
		key = "admin.key", why = "required with a certificate";
	else if (l->key != NULL && l->certificate == NULL)
		key = "admin.certificate", why = "required with a key";
	else if (f->c.admin.tokens_file != NULL && l->certificate == NULL &&
	    !config_is_loopback(l->address, host))
		key = "admin.tokens_file",
		why = "needs HTTPS (certificate and key) on an address that is not loopback: "
		      "tokens would cross the network in clear";
	return why == NULL ? RC_OK : conf_fail(f->c.source, err, f->admin_line, key, "%s", why);
}

static enum rc
check_addresses(const struct config_file *f, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.listeners.n; i++)
		rc = check_listener(f, i, err);
	if (rc == RC_OK && f->c.admin.listener.address != NULL)
		rc = check_admin(f, &f->c.admin.listener, err);
	return rc;
}

static enum rc
check_store_url(const struct config_file *f, struct err *err)
{
	static const char scheme[] = "sqlite:";

	if (str_starts(f->c.store.url, scheme) && f->c.store.url[strlen(scheme)] != '\0')
		return RC_OK;
	return conf_fail(f->c.source, err, f->store_line, "store.url",
	    "\"%.100s\" is not of the form sqlite:FILE", f->c.store.url);
}

static enum rc
check_public_url(const struct config_file *f, struct err *err)
{
	const char *url = f->c.public_url, *host;

	if (url == NULL)
		return RC_OK;
	host = str_starts(url, "http://") ? url + 7 : str_starts(url, "https://") ? url + 8 : "";
	if (host[0] != '\0' && host[0] != '/' && strpbrk(url, " \"<>?#") == NULL &&
	    strlen(url) < 1024)
		return RC_OK;
	return conf_fail(f->c.source, err, f->public_url_line, "public_url",
	    "\"%.100s\" is not of the form http://NAME[:PORT]", url);
}

/* ---- certification authorities ---- */

enum rc
config_check_key(const struct config_file *f, struct err *err, int line, const char *section,
    const char *name, const char *row, const char *key)
{
	struct err why;

	if (key == NULL || !config_key_is_uri(key))
		return RC_OK;
	why.hint[0] = '\0';
	if (key_source_check(key, &why) != RC_OK) {
		enum rc rc = config_item_fail(f, err, line, section, name, row, why.msg);

		return why.hint[0] != '\0' ? err_hint(err, "%s", why.hint) : rc;
	}
	return f->c.pkcs11.module != NULL ? RC_OK
					  : config_item_fail(f, err, line, section, name, row,
						"a key in a token needs pkcs11.module");
}

static enum rc
check_keys(const struct config_file *f, const struct conf_ca *ca, struct err *err)
{
	const struct {
		const char *row, *key;
	} keys[] = { { "key", ca->key }, { "ra_key", ca->ra_key }, { "ocsp_key", ca->ocsp_key } };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = config_check_key(f, err, ca->line, "cas", ca->name, keys[i].row, keys[i].key);
	return rc;
}

/* One line of succession: every CA has at most one next, and nobody replaces itself by way of others. */
static enum rc
check_succession(const struct config_file *f, const struct conf_ca *ca, struct err *err)
{
	const struct conf_ca *all = f->c.cas.v, *old = ca;
	size_t i, steps;

	if (ca->replaces == NULL)
		return RC_OK;
	if (config_ca(&f->c, ca->replaces) == NULL)
		return config_item_fail(
		    f, err, ca->line, "cas", ca->name, "replaces", "there is no such CA under cas");
	for (i = 0; i < f->c.cas.n; i++) {
		if (&all[i] != ca && all[i].replaces != NULL &&
		    strcmp(all[i].replaces, ca->replaces) == 0)
			return config_item_fail(f, err, ca->line, "cas", ca->name, "replaces",
			    "another CA replaces that one already");
	}
	for (steps = 0; old != NULL && old->replaces != NULL; steps++) {
		if (steps > f->c.cas.n)
			return config_item_fail(f, err, ca->line, "cas", ca->name, "replaces",
			    "the CA would replace itself");
		old = config_ca(&f->c, old->replaces);
	}
	return RC_OK;
}

/* Lists have names that certificates and other lists tell. */
static enum rc
check_lists(const struct config_file *f, const struct conf_ca *ca, struct err *err)
{
	if ((ca->crl_partitions & (ca->crl_partitions - 1)) != 0)
		return config_item_fail(
		    f, err, ca->line, "cas", ca->name, "crl_partitions", "is no power of two");
	if (f->c.public_url != NULL)
		return RC_OK;
	if (ca->crl_delta)
		return config_item_fail(f, err, ca->line, "cas", ca->name, "crl_delta",
		    "needs public_url, as the complete list names the address of the delta");
	if (ca->crl_partitions > 1)
		return config_item_fail(f, err, ca->line, "cas", ca->name, "crl_partitions",
		    "needs public_url, as each list names its own address");
	return RC_OK;
}

static enum rc
check_cas(const struct config_file *f, struct err *err)
{
	const struct conf_ca *ca = f->c.cas.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.cas.n; i++) {
		rc = check_keys(f, &ca[i], err);
		if (rc == RC_OK)
			rc = check_succession(f, &ca[i], err);
		if (rc == RC_OK)
			rc = check_lists(f, &ca[i], err);
	}
	return rc;
}

/* ---- tenants ---- */

#define TENANT_NEEDS                                                                               \
	"needs either properties, or app_id, tenant and one of app_key_file, certificate_file, "   \
	"federated_token_file, or managed_identity"

enum rc
config_day(int64_t *out, const char *text, struct err *err)
{
	static const char form[] = "dddd-dd-dd";
	char *full = NULL, again[TIME_TEXT_MAX];
	int64_t t;
	enum rc rc;

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return fail(err, RC_PARSE, "\"%.40s\" is no day as 2027-05-01", text);
	rc = str_format(&full, err, "%sT00:00:00Z", text);
	if (rc == RC_OK && time_parse_rfc3339(&t, full, NULL) == RC_OK)
		time_rfc3339(again, t);
	else
		again[0] = '\0';
	if (rc == RC_OK && strcmp(full, again) != 0) /* the 31st of April */
		rc = fail(err, RC_PARSE, "there is no day \"%.40s\"", text);
	if (rc == RC_OK)
		*out = t;
	free(full);
	return rc;
}

/* The ways to prove the app; libintune knows what goes with what. */
static size_t
ways(const struct conf_tenant *t)
{
	return (t->app_key_file != NULL) + (t->certificate_file != NULL) +
	    (t->federated_token_file != NULL) + (t->managed_identity != NULL);
}

static enum rc
check_tenant(const struct config_file *f, const struct conf_tenant *t, struct err *err)
{
	bool some = t->app_id != NULL || t->tenant != NULL || ways(t) > 0;
	bool names = (t->app_id != NULL && t->tenant != NULL) || t->managed_identity != NULL;
	struct err why;
	int64_t day;

	if (t->properties != NULL && some)
		return config_item_fail(f, err, t->line, "tenants", t->name, "properties",
		    "excludes app_id, tenant and the app's credentials, which are in that file");
	if (t->properties == NULL && ways(t) > 1)
		return config_item_fail(f, err, t->line, "tenants", t->name, "",
		    "app_key_file, certificate_file, federated_token_file and managed_identity "
		    "exclude each other");
	if (t->properties == NULL && (!names || ways(t) == 0))
		return config_item_fail(f, err, t->line, "tenants", t->name, "", TENANT_NEEDS);
	if (t->app_key_expires != NULL && t->properties == NULL && t->app_key_file == NULL)
		return config_item_fail(f, err, t->line, "tenants", t->name, "app_key_expires",
		    "is of the client secret, and this app has none");
	if (t->app_key_expires != NULL && config_day(&day, t->app_key_expires, &why) != RC_OK)
		return config_item_fail(
		    f, err, t->line, "tenants", t->name, "app_key_expires", why.msg);
	if (t->proxy.password_file != NULL && t->proxy.user == NULL)
		return config_item_fail(f, err, t->line, "tenants", t->name, "proxy.user",
		    "required with a password_file");
	return RC_OK;
}

static enum rc
check_tenants(const struct config_file *f, struct err *err)
{
	const struct conf_tenant *t = f->c.tenants.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.tenants.n; i++)
		rc = check_tenant(f, &t[i], err);
	return rc;
}

/* ---- endpoints ---- */

/* The sentence of a reference into nowhere, with the nearest name as a hint. */
static enum rc
no_such(const struct config_file *f, const struct conf_endpoint *e, const char *key,
    const char *section, const char *name, const struct nearest *near, struct err *err)
{
	char why[KEY_MAX];

	(void)snprintf(why, sizeof(why), "there is no \"%.60s\" under %s", name, section);
	(void)config_item_fail(f, err, e->line, "endpoints", e->name, key, why);
	if (near->best != NULL)
		(void)err_hint(err, "did you mean \"%s\"?", near->best);
	return RC_CONFIG;
}

/* Offer the names of `items`; each begins its struct at `offset`. */
static void
offer_names(struct nearest *near, const struct conf_items *items, size_t size, size_t offset)
{
	size_t i;

	for (i = 0; i < items->n; i++) {
		const char *name;

		memcpy(&name, (const char *)items->v + i * size + offset, sizeof(name));
		nearest_offer(near, name);
	}
}

static enum rc
check_profile_names(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct {
		const char *key, *name;
	} named[] = { { "profile", e->profile }, { "profiles.signature", e->profiles.signature },
		{ "profiles.encryption", e->profiles.encryption },
		{ "profiles.general", e->profiles.general } };
	struct nearest near;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (named[i].name == NULL || config_profile(&f->c, named[i].name) != NULL)
			continue;
		nearest_begin(&near, named[i].name);
		offer_names(
		    &near, &f->c.profiles, sizeof(struct profile), offsetof(struct profile, name));
		return no_such(f, e, named[i].key, "profiles", named[i].name, &near, err);
	}
	return RC_OK;
}

static enum rc
check_references(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct config *c = &f->c;
	struct nearest near;
	enum rc rc;

	if (config_ca(c, e->ca) == NULL) {
		nearest_begin(&near, e->ca);
		offer_names(&near, &c->cas, sizeof(struct conf_ca), offsetof(struct conf_ca, name));
		return no_such(f, e, "ca", "cas", e->ca, &near, err);
	}
	if ((rc = check_profile_names(f, e, err)) != RC_OK)
		return rc;
	if (e->tenant != NULL && config_tenant(c, e->tenant) == NULL) {
		nearest_begin(&near, e->tenant);
		offer_names(&near, &c->tenants, sizeof(struct conf_tenant),
		    offsetof(struct conf_tenant, name));
		return no_such(f, e, "tenant", "tenants", e->tenant, &near, err);
	}
	return RC_OK;
}

static bool
is_endpoint(const struct config *c, const char *name)
{
	const struct conf_endpoint *e = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++)
		if (strcmp(e[i].name, name) == 0)
			return true;
	return false;
}

/* Intune may have retired the device since: a certificate never stands for its challenge (S08). */
static enum rc
check_renewal(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct conf_strs *from = &e->renewal.from;
	struct nearest near;

	if (e->challenge == CHALLENGE_INTUNE && e->renewal.ask == RENEWAL_ASK_NEVER)
		return config_item_fail(f, err, e->line, "endpoints", e->name, "renewal.ask",
		    "Intune is asked about every renewal (challenge: intune)");
	for (size_t i = 0; i < from->n; i++) {
		if (is_endpoint(&f->c, from->v[i]))
			continue;
		nearest_begin(&near, from->v[i]);
		offer_names(&near, &f->c.endpoints, sizeof(struct conf_endpoint),
		    offsetof(struct conf_endpoint, name));
		return no_such(f, e, "renewal.from", "endpoints", from->v[i], &near, err);
	}
	return RC_OK;
}

static bool
lists(const struct conf_strs *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], word) == 0)
			return true;
	return false;
}

static enum rc
check_compat(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	static const char *const not_strict[] = { "DES3", "SHA-1" };

	for (size_t i = 0; e->compat == COMPAT_STRICT && i < 2; i++)
		if (lists(&e->capabilities, not_strict[i]))
			return config_item_fail(f, err, e->line, "endpoints", e->name,
			    "capabilities", "DES3 and SHA-1 are not taken with compat: strict");
	return RC_OK;
}

/* It is for requests for elliptic keys, which no profile here would take. */
static enum rc
check_transient(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	size_t n = config_endpoint_profiles(names, e);

	if (!e->transient_signer)
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		const struct profile *p = config_profile(&f->c, names[i]);

		if (p->ec_p256 || p->ec_p384)
			return RC_OK;
	}
	(void)config_item_fail(f, err, e->line, "endpoints", e->name, "transient_signer",
	    "is for elliptic keys, and no profile of this endpoint takes any");
	(void)err_hint(err, "a profile takes them with keys: { ec: [ p256 ] }");
	return RC_CONFIG;
}

static enum rc
check_endpoint(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	enum rc rc;

	if ((rc = check_references(f, e, err)) != RC_OK ||
	    (rc = check_renewal(f, e, err)) != RC_OK || (rc = check_compat(f, e, err)) != RC_OK ||
	    (rc = check_transient(f, e, err)) != RC_OK)
		return rc;
	return config_check_kind(f, e, err);
}

static enum rc
check_endpoints(const struct config_file *f, struct err *err)
{
	const struct conf_endpoint *e = f->c.endpoints.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.endpoints.n; i++)
		rc = check_endpoint(f, &e[i], err);
	return rc;
}

/* Into memory of its own, for the server. */
static enum rc
check_limits(struct config_file *f, struct err *err)
{
	const struct conf_strs *from = &f->c.limits.trusted_proxies;
	struct net *nets = NULL;
	struct err why;
	size_t i;

	if (from->n > 0 && (nets = config_alloc(f, from->n, sizeof(*nets))) == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (i = 0; i < from->n; i++)
		if (net_parse(&nets[i], from->v[i], &why) != RC_OK)
			return conf_fail(f->c.source, err, f->limits_line, "limits.trusted_proxies",
			    "%s", why.msg);
	f->c.limits.trusted = nets;
	return RC_OK;
}

enum rc
config_check(struct config_file *f, struct err *err)
{
	static enum rc (*const checks[])(const struct config_file *, struct err *) = {
		check_names,
		check_addresses,
		check_store_url,
		check_public_url,
		check_cas,
		config_foreign_check,
		check_tenants,
		check_endpoints,
	};
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
		rc = checks[i](f, err);
	return rc == RC_OK ? check_limits(f, err) : rc;
}
