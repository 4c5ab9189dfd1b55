/*
 * config_check.c - rules across the sections of scepd.yaml: nothing starts that could not work, or
 * would be open to everybody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/authorization.h"
#include "ossl/key_source.h"
#include "scepd/config_int.h"

#define KEY_MAX 160 /* bytes of a dotted key in an error */

static enum rc
item_fail(const struct config_file *f, struct err *err, int line, const char *section,
    const char *name, const char *key, const char *why)
{
	char dotted[KEY_MAX];

	(void)snprintf(
	    dotted, sizeof(dotted), "%s.%.80s%s%s", section, name, key[0] != '\0' ? "." : "", key);
	return conf_fail(f->c.source, err, line, dotted, "%s", why);
}

/* ---- names: they become parts of URLs ---- */

static enum rc
check_name(
    const struct config_file *f, struct err *err, int line, const char *section, const char *name)
{
	if (name[0] != '\0' && strlen(name) <= 63 &&
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0')
		return RC_OK;
	return item_fail(f, err, line, section, name, "",
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
		rc = check_name(f, err, ca[i].line, "cas", ca[i].name);
	for (i = 0; rc == RC_OK && i < f->c.endpoints.n; i++)
		rc = check_name(f, err, e[i].line, "endpoints", e[i].name);
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
	if (f->c.admin.address != NULL && strcmp(f->c.admin.address, l->address) == 0 &&
	    !str_ends_nocase(l->address, ":0"))
		return conf_fail(f->c.source, err, l->line, NULL,
		    "listeners%s.address: %s is the admin listener's, which must be apart", index,
		    l->address);
	return RC_OK;
}

static enum rc
check_addresses(const struct config_file *f, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.listeners.n; i++)
		rc = check_listener(f, i, err);
	if (rc == RC_OK && f->c.admin.address != NULL && !is_address(f->c.admin.address))
		rc = conf_fail(f->c.source, err, f->admin_line, "admin.address",
		    "\"%.80s\" is not HOST:PORT", f->c.admin.address);
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

static enum rc
check_key(const struct config_file *f, const struct conf_ca *ca, const char *row, const char *key,
    struct err *err)
{
	struct err why;

	if (key == NULL || !config_key_is_uri(key))
		return RC_OK;
	why.hint[0] = '\0';
	if (key_source_check(key, &why) != RC_OK) {
		enum rc rc = item_fail(f, err, ca->line, "cas", ca->name, row, why.msg);

		return why.hint[0] != '\0' ? err_hint(err, "%s", why.hint) : rc;
	}
	return f->c.pkcs11.module != NULL ? RC_OK
					  : item_fail(f, err, ca->line, "cas", ca->name, row,
						"a key in a token needs pkcs11.module");
}

static enum rc
check_keys(const struct config_file *f, const struct conf_ca *ca, struct err *err)
{
	enum rc rc = check_key(f, ca, "key", ca->key, err);

	if (rc == RC_OK)
		rc = check_key(f, ca, "ra_key", ca->ra_key, err);
	return rc == RC_OK ? check_key(f, ca, "ocsp_key", ca->ocsp_key, err) : rc;
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
		return item_fail(
		    f, err, ca->line, "cas", ca->name, "replaces", "there is no such CA under cas");
	for (i = 0; i < f->c.cas.n; i++) {
		if (&all[i] != ca && all[i].replaces != NULL &&
		    strcmp(all[i].replaces, ca->replaces) == 0)
			return item_fail(f, err, ca->line, "cas", ca->name, "replaces",
			    "another CA replaces that one already");
	}
	for (steps = 0; old != NULL && old->replaces != NULL; steps++) {
		if (steps > f->c.cas.n)
			return item_fail(f, err, ca->line, "cas", ca->name, "replaces",
			    "the CA would replace itself");
		old = config_ca(&f->c, old->replaces);
	}
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
		return item_fail(f, err, t->line, "tenants", t->name, "properties",
		    "excludes app_id, tenant and the app's credentials, which are in that file");
	if (t->properties == NULL && ways(t) > 1)
		return item_fail(f, err, t->line, "tenants", t->name, "",
		    "app_key_file, certificate_file, federated_token_file and managed_identity "
		    "exclude each other");
	if (t->properties == NULL && (!names || ways(t) == 0))
		return item_fail(f, err, t->line, "tenants", t->name, "", TENANT_NEEDS);
	if (t->app_key_expires != NULL && t->properties == NULL && t->app_key_file == NULL)
		return item_fail(f, err, t->line, "tenants", t->name, "app_key_expires",
		    "is of the client secret, and this app has none");
	if (t->app_key_expires != NULL && config_day(&day, t->app_key_expires, &why) != RC_OK)
		return item_fail(f, err, t->line, "tenants", t->name, "app_key_expires", why.msg);
	if (t->proxy.password_file != NULL && t->proxy.user == NULL)
		return item_fail(f, err, t->line, "tenants", t->name, "proxy.user",
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
	(void)item_fail(f, err, e->line, "endpoints", e->name, key, why);
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
check_references(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	const struct config *c = &f->c;
	struct nearest near;

	if (config_ca(c, e->ca) == NULL) {
		nearest_begin(&near, e->ca);
		offer_names(&near, &c->cas, sizeof(struct conf_ca), offsetof(struct conf_ca, name));
		return no_such(f, e, "ca", "cas", e->ca, &near, err);
	}
	if (config_profile(c, e->profile) == NULL) {
		nearest_begin(&near, e->profile);
		offer_names(
		    &near, &c->profiles, sizeof(struct profile), offsetof(struct profile, name));
		return no_such(f, e, "profile", "profiles", e->profile, &near, err);
	}
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

	if (e->challenge == CHALLENGE_INTUNE && e->renewal.challenge == RENEWAL_CHALLENGE_OPTIONAL)
		return item_fail(f, err, e->line, "endpoints", e->name, "renewal.challenge",
		    "a renewal at an endpoint with challenge: intune always needs one");
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

/* Does a pattern bind anything at all?  "CN=*" does not. */
static bool
has_literal(const char *pattern, char after)
{
	const char *p = strchr(pattern, after);

	for (; p != NULL && *p != '\0'; p = strchr(p, after)) {
		p++;
		if (p[strspn(p, "*?")] != '\0' && p[strspn(p, "*?")] != ',')
			return true;
	}
	return false;
}

/* A shared secret does not say who asks, so the profile has to (S15, S19). */
static enum rc
check_static_profile(const struct config_file *f, const struct conf_endpoint *e,
    const struct profile *p, struct err *err)
{
	char why[KEY_MAX * 2];
	enum san_type t;
	size_t i, fits;

	if (p->n_subject_allow == 0) {
		(void)snprintf(why, sizeof(why),
		    "profile %.60s has no subject.allow: with a static challenge anybody who knows "
		    "it could take any name",
		    p->name);
		(void)item_fail(f, err, e->line, "endpoints", e->name, "profile", why);
		return err_hint(
		    err, "add to the profile: subject: { allow: [\"CN=*.lab.example.com\"] }");
	}
	for (i = 0; i < p->n_subject_allow; i++) {
		if (has_literal(p->subject_allow[i], '='))
			continue;
		(void)snprintf(why, sizeof(why),
		    "subject.allow of profile %.60s holds \"%.60s\", which any name fits", p->name,
		    p->subject_allow[i]);
		return item_fail(f, err, e->line, "endpoints", e->name, "profile", why);
	}
	for (t = SAN_EMAIL; t < SAN_OTHER; t++) {
		if (!(p->san_types & (1u << t)))
			continue;
		for (i = 0, fits = 0; i < p->n_san_allow; i++)
			fits += str_starts(p->san_allow[i], san_type_name(t)) &&
			    has_literal(p->san_allow[i], ':');
		if (fits > 0)
			continue;
		(void)snprintf(why, sizeof(why),
		    "san.types of profile %.60s has %s without a san.allow that bounds it: a "
		    "static challenge cannot vouch for one",
		    p->name, san_type_name(t));
		(void)item_fail(f, err, e->line, "endpoints", e->name, "profile", why);
		return err_hint(err,
		    "name the types that are needed (san: { types: [] }), or add san: { allow: "
		    "[\"%s:...\"] }",
		    san_type_name(t));
	}
	return RC_OK;
}

/* Readable, ours alone, and long enough (S04). */
static enum rc
check_secret(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	struct static_challenge c;
	struct err why = { 0 };
	struct buf secret;
	enum rc rc;

	buf_init(&secret, LIMIT_SECRET_FILE);
	rc = file_read_secret(&secret, e->challenge_file, LIMIT_SECRET_FILE, &why);
	if (rc == RC_OK)
		rc = static_challenge_set(&c, secret.data, secret.len, &why);
	buf_wipe(&secret);
	wipe(&c, sizeof(c));
	if (rc == RC_OK)
		return RC_OK;
	(void)item_fail(f, err, e->line, "endpoints", e->name, "challenge_file", why.msg);
	if (why.hint[0] != '\0')
		(void)err_hint(err, "%s", why.hint);
	return RC_CONFIG;
}

static enum rc
check_endpoint(const struct config_file *f, const struct conf_endpoint *e, struct err *err)
{
	enum rc rc;

	if ((rc = check_references(f, e, err)) != RC_OK || (rc = check_renewal(f, e, err)) != RC_OK)
		return rc;
	if (e->challenge == CHALLENGE_INTUNE) {
		if (e->tenant == NULL)
			return item_fail(f, err, e->line, "endpoints", e->name, "tenant",
			    "required with challenge: intune");
		if (e->challenge_file != NULL)
			return item_fail(f, err, e->line, "endpoints", e->name, "challenge_file",
			    "an endpoint with challenge: intune takes nothing else");
		return RC_OK;
	}
	if (e->tenant != NULL)
		return item_fail(f, err, e->line, "endpoints", e->name, "tenant",
		    "is not used with challenge: static");
	if (e->challenge_file == NULL)
		return item_fail(f, err, e->line, "endpoints", e->name, "challenge_file",
		    "required with challenge: static");
	rc = check_static_profile(f, e, config_profile(&f->c, e->profile), err);
	return rc == RC_OK ? check_secret(f, e, err) : rc;
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

enum rc
config_check(struct config_file *f, struct err *err)
{
	static enum rc (*const checks[])(const struct config_file *, struct err *) = {
		check_names,
		check_addresses,
		check_store_url,
		check_public_url,
		check_cas,
		check_tenants,
		check_endpoints,
	};
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
		rc = checks[i](f, err);
	return rc;
}
