/*
 * tenant_load.c - from a tenant file to a tenant: the rules across fields, and the keys.
 */
#include "intunesim/tenant.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/vars.h"
#include "ossl/der.h"

#define YEAR_SECONDS (365 * 86400)

/* Intune's ready-made subject formats, besides a custom one. */
static const struct {
	const char *name, *text;
} subject_formats[] = {
	{ "not configured", "" },
	{ "common name", "CN={{UserName}}" },
	{ "common name including email", "CN={{UserName}},E={{EmailAddress}}" },
	{ "common name as email", "CN={{EmailAddress}}" },
	{ "imei", "CN={{IMEINumber}}" },
	{ "serial number", "CN={{SerialNumber}}" },
};

/* What the console calls them, and their OIDs (RFC 5280 4.2.1.12 and Microsoft's). */
static const struct {
	const char *name, *oid;
} ekus[] = {
	{ "anyPurpose", "2.5.29.37.0" },
	{ "serverAuth", "1.3.6.1.5.5.7.3.1" },
	{ "clientAuth", "1.3.6.1.5.5.7.3.2" },
	{ "codeSigning", "1.3.6.1.5.5.7.3.3" },
	{ "emailProtection", "1.3.6.1.5.5.7.3.4" },
	{ "ipsecEndSystem", "1.3.6.1.5.5.7.3.5" },
	{ "ipsecTunnel", "1.3.6.1.5.5.7.3.6" },
	{ "ipsecUser", "1.3.6.1.5.5.7.3.7" },
	{ "timeStamping", "1.3.6.1.5.5.7.3.8" },
	{ "ipsecIke", "1.3.6.1.5.5.7.3.17" },
	{ "smartcardLogon", "1.3.6.1.4.1.311.20.2.2" },
	{ "encryptingFileSystem", "1.3.6.1.4.1.311.10.3.4" },
	{ "documentSigning", "1.3.6.1.4.1.311.10.3.12" },
};

static bool
is_hex(const char *s, size_t len)
{
	if (strlen(s) != len)
		return false;
	for (; *s != '\0'; s++) {
		if (!isxdigit((unsigned char)*s))
			return false;
	}
	return true;
}

static enum rc
need_guid(const struct tenant *t, int line, const char *key, const char *value, struct err *err)
{
	if (value == NULL || guid_valid(value))
		return RC_OK;
	return conf_fail(t->conf, err, line, key, "\"%s\" is no GUID", value);
}

/* ---- names that must differ ---------------------------------------------------------------------
 */

struct named {
	const char *name;
	int line;
};

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = strcasecmp(x->name, y->name);

	return c != 0 ? c : x->line - y->line;
}

/* Two structs of `items` have the same string at `offset`: an error at the later line. */
static enum rc
need_unique(const struct tenant *t, const struct conf_items *items, size_t size, size_t offset,
    size_t line_offset, const char *key, struct err *err)
{
	struct named *names = calloc(items->n + 1, sizeof(*names));
	const char *at = items->v;
	enum rc rc = RC_OK;
	size_t n = 0;

	if (names == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < items->n; i++, at += size) {
		names[n].name = *(const char *const *)(const void *)(at + offset);
		names[n].line = *(const int *)(const void *)(at + line_offset);
		n += names[n].name != NULL;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; rc == RC_OK && i < n; i++) {
		if (strcasecmp(names[i - 1].name, names[i].name) == 0)
			rc = conf_fail(t->conf, err, names[i].line, key, "\"%s\" is there twice",
			    names[i].name);
	}
	free(names);
	return rc;
}

#define UNIQUE(t, items, type, field, key, err)                                                    \
	need_unique(t, items, sizeof(struct type), offsetof(struct type, field),                   \
	    offsetof(struct type, line), key, err)

/* ---- the rules, list by list
 * --------------------------------------------------------------------- */

static enum rc
load_secret(
    struct app_secret *out, const struct tenant *t, const struct secret_conf *c, struct err *err)
{
	struct err why;

	out->value = c->value;
	out->expires = INT64_MAX;
	if (c->value[0] == '\0')
		return conf_fail(t->conf, err, c->line, "value", "is empty");
	if (c->expires != NULL && time_parse_rfc3339(&out->expires, c->expires, &why) != RC_OK)
		return conf_fail(t->conf, err, c->line, "expires", "%s", why.msg);
	return RC_OK;
}

static enum rc
load_app(struct app *a, const struct tenant *t, const struct app_conf *c, struct err *err)
{
	const struct secret_conf *secrets = c->secrets.v;
	enum rc rc;

	a->conf = c;
	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK)
		return rc;
	if ((a->secrets = calloc(c->secrets.n + 1, sizeof(*a->secrets))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	a->n_secrets = c->secrets.n;
	for (size_t i = 0; rc == RC_OK && i < a->n_secrets; i++)
		rc = load_secret(&a->secrets[i], t, &secrets[i], err);
	return rc;
}

static enum rc
load_apps(struct tenant *t, struct err *err)
{
	const struct app_conf *c = t->file.apps.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_apps; i++) {
		if ((rc = load_app(&t->apps[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	return UNIQUE(t, &t->file.apps, app_conf, id, "id", err);
}

static enum rc
check_users(struct tenant *t, struct err *err)
{
	const struct user_conf *c = t->file.users.v;
	enum rc rc;

	for (size_t i = 0; i < t->file.users.n; i++) {
		if ((rc = need_guid(t, c[i].line, "id", c[i].id, err)) != RC_OK)
			return rc;
		if (strchr(c[i].upn, '@') == NULL)
			return conf_fail(
			    t->conf, err, c[i].line, "upn", "\"%s\" has no '@'", c[i].upn);
	}
	if ((rc = UNIQUE(t, &t->file.users, user_conf, id, "id", err)) != RC_OK)
		return rc;
	return UNIQUE(t, &t->file.users, user_conf, upn, "upn", err);
}

static enum rc
load_device(struct device *d, const struct tenant *t, const struct device_conf *c, struct err *err)
{
	enum rc rc;

	d->conf = c;
	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK ||
	    (rc = need_guid(t, c->line, "entra_id", c->entra_id, err)) != RC_OK)
		return rc;
	if (c->user != NULL && (d->user = tenant_user(t, c->user)) == NULL)
		return conf_fail(t->conf, err, c->line, "user", "there is no user \"%s\"", c->user);
	if (c->enrollment != ENROLLMENT_DEFAULT && c->platform != PLATFORM_ANDROID)
		return conf_fail(t->conf, err, c->line, "enrollment", "is for android only");
	for (size_t i = 0; i < c->registered_keys.n; i++) {
		if (!is_hex(c->registered_keys.v[i], 40))
			return conf_fail(t->conf, err, c->line, "registered_keys",
			    "\"%s\" is not 40 hex digits", c->registered_keys.v[i]);
	}
	return RC_OK;
}

static enum rc
load_devices(struct tenant *t, struct err *err)
{
	const struct device_conf *c = t->file.devices.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_devices; i++) {
		t->devices[i].tenant = t;
		t->devices[i].index = i;
		if ((rc = load_device(&t->devices[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	if ((rc = UNIQUE(t, &t->file.devices, device_conf, id, "id", err)) != RC_OK)
		return rc;
	return UNIQUE(t, &t->file.devices, device_conf, name, "name", err);
}

static enum rc
check_group(const struct tenant *t, const struct group_conf *g, struct err *err)
{
	for (size_t i = 0; i < g->users.n; i++) {
		if (tenant_user(t, g->users.v[i]) == NULL)
			return conf_fail(t->conf, err, g->line, "users", "there is no user \"%s\"",
			    g->users.v[i]);
	}
	for (size_t i = 0; i < g->devices.n; i++) {
		if (tenant_device(t, g->devices.v[i]) == NULL)
			return conf_fail(t->conf, err, g->line, "devices",
			    "there is no device \"%s\"", g->devices.v[i]);
	}
	return RC_OK;
}

static enum rc
check_groups(struct tenant *t, struct err *err)
{
	const struct group_conf *c = t->file.groups.v;
	enum rc rc;

	for (size_t i = 0; i < t->file.groups.n; i++) {
		if ((rc = check_group(t, &c[i], err)) != RC_OK)
			return rc;
	}
	return UNIQUE(t, &t->file.groups, group_conf, name, "name", err);
}

static enum rc
need_groups(const struct tenant *t, int line, const struct conf_strs *groups, struct err *err)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (!tenant_has_group(t, groups->v[i]))
			return conf_fail(
			    t->conf, err, line, "groups", "there is no group \"%s\"", groups->v[i]);
	}
	return RC_OK;
}

static enum rc
load_roots(struct tenant *t, struct err *err)
{
	const struct root_conf *c = t->file.trusted_roots.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_roots; i++) {
		t->roots[i].conf = &c[i];
		if ((rc = guid_derive(t->roots[i].id, t->id, c[i].name, err)) != RC_OK ||
		    (rc = need_groups(t, c[i].line, &c[i].groups, err)) != RC_OK)
			return rc;
	}
	return UNIQUE(t, &t->file.trusted_roots, root_conf, name, "name", err);
}

/* ---- SCEP profiles
 * ------------------------------------------------------------------------------- */

static void
resolve_subject(struct profile *p)
{
	p->subject = p->conf->subject;
	for (size_t i = 0; i < sizeof(subject_formats) / sizeof(subject_formats[0]); i++) {
		if (str_eq_nocase(subject_formats[i].name, p->conf->subject))
			p->subject = subject_formats[i].text;
	}
}

static enum rc
check_texts(const struct tenant *t, const struct profile *p, struct err *err)
{
	static const enum var_place places[] = { PLACE_SAN_EMAIL, PLACE_SAN_UPN, PLACE_SAN_DNS,
		PLACE_SAN_URI };
	const struct san_conf *san = p->conf->san.v;
	struct err why;

	if (vars_check(p->subject, PLACE_SUBJECT, p->conf, &why) != RC_OK) {
		conf_fail(t->conf, err, p->conf->line, "subject", "%s", why.msg);
		return why.hint[0] != '\0' ? err_hint(err, "%s", why.hint) : RC_CONFIG;
	}
	for (size_t i = 0; i < p->conf->san.n; i++) {
		if (vars_check(san[i].value, places[san[i].type], p->conf, &why) == RC_OK)
			continue;
		conf_fail(t->conf, err, san[i].line, "value", "%s", why.msg);
		return why.hint[0] != '\0' ? err_hint(err, "%s", why.hint) : RC_CONFIG;
	}
	if (p->subject[0] == '\0' && p->conf->san.n == 0)
		return conf_fail(t->conf, err, p->conf->line, "subject",
		    "a profile needs a subject or a subject alternative name");
	return RC_OK;
}

static const char *
eku_oid(const char *name)
{
	for (size_t i = 0; i < sizeof(ekus) / sizeof(ekus[0]); i++) {
		if (str_eq_nocase(ekus[i].name, name))
			return ekus[i].oid;
	}
	return name;
}

static enum rc
resolve_eku(const struct tenant *t, struct profile *p, struct err *err)
{
	const struct conf_strs *list = &p->conf->eku;
	struct buf scratch;

	for (size_t i = 0; i < list->n && i < EKU_MAX; i++) {
		bool ok;

		buf_init(&scratch, OID_TEXT_MAX * 2);
		ok = der_add_oid(&scratch, eku_oid(list->v[i]));
		buf_done(&scratch);
		if (!ok)
			return conf_fail(t->conf, err, p->conf->line, "eku",
			    "\"%s\" is neither a name we know nor an OID", list->v[i]);
		p->eku[p->n_eku++] = eku_oid(list->v[i]);
	}
	return RC_OK;
}

static const struct root *
find_root(const struct tenant *t, const char *name)
{
	for (size_t i = 0; i < t->n_roots; i++) {
		if (str_eq_nocase(t->roots[i].conf->name, name))
			return &t->roots[i];
	}
	return NULL;
}

static enum rc
resolve_root(const struct tenant *t, struct profile *p, struct err *err)
{
	const struct profile_conf *c = p->conf;

	if ((p->root = find_root(t, c->root)) == NULL)
		return conf_fail(t->conf, err, c->line, "root",
		    "there is no trusted root profile \"%s\"", c->root);
	if (p->root->conf->platform != c->platform)
		return conf_fail(t->conf, err, c->line, "root", "\"%s\" is for %s", c->root,
		    platform_name(p->root->conf->platform));
	if (c->ca_thumbprint == NULL)
		return RC_OK;
	if (!is_hex(c->ca_thumbprint, THUMBPRINT_MAX - 1))
		return conf_fail(t->conf, err, c->line, "ca_thumbprint", "is not 40 hex digits");
	for (size_t i = 0; i < THUMBPRINT_MAX; i++)
		p->ca_thumbprint[i] = (char)toupper((unsigned char)c->ca_thumbprint[i]);
	return RC_OK;
}

static enum rc
resolve_key(const struct tenant *t, struct profile *p, struct err *err)
{
	static const unsigned bits[] = { 0, 1024, 2048, 4096 };
	const struct profile_conf *c = p->conf;

	for (size_t i = 0; i < c->key_usage.n; i++)
		p->key_usage |= str_starts(c->key_usage.v[i], "digital") ? KU_DIGITAL_SIGNATURE
									 : KU_KEY_ENCIPHERMENT;
	p->key_bits = bits[c->key_size];
	if (c->platform == PLATFORM_WINDOWS && c->ksp != KSP_SOFTWARE && p->key_bits == 4096)
		return conf_fail(t->conf, err, c->line, "key_size",
		    "4096 needs \"ksp: software\": a TPM has no such keys");
	return RC_OK;
}

static enum rc
load_profile(struct tenant *t, struct profile *p, const struct profile_conf *c, struct err *err)
{
	enum rc rc;

	p->conf = c;
	resolve_subject(p);
	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK ||
	    (rc = need_groups(t, c->line, &c->groups, err)) != RC_OK ||
	    (rc = check_texts(t, p, err)) != RC_OK || (rc = resolve_eku(t, p, err)) != RC_OK ||
	    (rc = resolve_root(t, p, err)) != RC_OK || (rc = resolve_key(t, p, err)) != RC_OK)
		return rc;
	if (c->id == NULL)
		return guid_derive(p->id, t->id, c->name, err);
	memcpy(p->id, c->id, sizeof(p->id));
	return RC_OK;
}

static enum rc
load_profiles(struct tenant *t, struct err *err)
{
	const struct profile_conf *c = t->file.scep_profiles.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_profiles; i++) {
		if ((rc = load_profile(t, &t->profiles[i], &c[i], err)) != RC_OK)
			return rc;
	}
	if ((rc = UNIQUE(t, &t->file.scep_profiles, profile_conf, id, "id", err)) != RC_OK)
		return rc;
	return UNIQUE(t, &t->file.scep_profiles, profile_conf, name, "name", err);
}

static enum rc
load_tenant(struct tenant *t, struct err *err)
{
	enum rc rc;

	t->id = t->file.tenant.id;
	if ((rc = need_guid(t, t->file.tenant.line, "id", t->id, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < t->file.tenant.domains.n; i++) {
		if (strchr(t->file.tenant.domains.v[i], '.') == NULL)
			return conf_fail(t->conf, err, t->file.tenant.line, "domain",
			    "\"%s\" is no domain", t->file.tenant.domains.v[i]);
	}
	return guid_derive(t->account_id, t->id, "Intune account", err);
}

/* Later rules lean on earlier ones. */
static enum rc (*const rules[])(struct tenant *t, struct err *err) = { load_tenant, load_apps,
	check_users, load_devices, check_groups, load_roots, load_profiles };

/* ---- certificates and keys
 * ----------------------------------------------------------------------- */

/* The last option whose name fits wins over the file's own. */
static const char *
root_file(const struct root *r, struct root_option *options, size_t n)
{
	const char *file = r->conf->file;

	for (size_t i = 0; i < n; i++) {
		if (!glob_match(options[i].name, r->conf->name))
			continue;
		options[i].used = true;
		file = options[i].file;
	}
	return file;
}

static enum rc
load_root_certs(struct tenant *t, struct root_option *options, size_t n, struct err *err)
{
	enum rc rc;

	for (size_t i = 0; i < t->n_roots; i++) {
		struct root *r = &t->roots[i];
		const char *file = root_file(r, options, n);

		if (file == NULL)
			continue;
		if ((rc = cert_load(&r->cert, file, err)) != RC_OK ||
		    (rc = cert_thumbprint_sha1(r->thumbprint, r->cert, err)) != RC_OK)
			return err_context(err, "trusted root \"%s\"", r->conf->name);
	}
	for (size_t i = 0; i < t->n_profiles; i++) {
		struct profile *p = &t->profiles[i];

		if (p->ca_thumbprint[0] == '\0')
			memcpy(p->ca_thumbprint, p->root->thumbprint, THUMBPRINT_MAX);
	}
	return RC_OK;
}

static enum rc
self_sign(struct pair *p, const char *cn, unsigned key_usage, struct err *err)
{
	struct name name = { 0 };
	struct serial serial;
	struct cert_fields f = {
		.serial = &serial,
		.issuer = &name,
		.subject = &name,
		.not_before = clock_now() - 86400,
		.not_after = clock_now() + 10LL * YEAR_SECONDS,
		.subject_key = p->key,
		.issuer_key = p->key,
		.digest = DIGEST_SHA256,
		.key_usage = key_usage,
		.path_len = -1,
	};
	enum rc rc;

	if ((rc = serial_random(&serial, err)) != RC_OK)
		return rc;
	if ((rc = name_from_text(&name, cn, err)) == RC_OK)
		rc = cert_make(&p->cert, &f, p->key, err);
	name_done(&name);
	return rc;
}

static enum rc
make_pair(struct pair *p, const char *cn, unsigned key_usage, struct err *err)
{
	enum rc rc;

	if ((rc = key_generate(&p->key, "rsa:2048", err)) != RC_OK ||
	    (rc = self_sign(p, cn, key_usage, err)) != RC_OK)
		return rc;
	return cert_thumbprint_sha1(p->thumbprint, p->cert, err);
}

static enum rc
make_keys(struct tenant *t, struct err *err)
{
	enum rc rc;

	rc = make_pair(
	    &t->signer, "CN=SCEP challenge signing,O=Intune simulator", KU_DIGITAL_SIGNATURE, err);
	if (rc != RC_OK)
		return rc;
	return make_pair(&t->recipient, "CN=SCEP challenge encryption,O=Intune simulator",
	    KU_KEY_ENCIPHERMENT, err);
}

static enum rc
make_arrays(struct tenant *t, struct err *err)
{
	t->n_apps = t->file.apps.n;
	t->n_roots = t->file.trusted_roots.n;
	t->n_devices = t->file.devices.n;
	t->n_profiles = t->file.scep_profiles.n;
	t->apps = calloc(t->n_apps + 1, sizeof(*t->apps));
	t->roots = calloc(t->n_roots + 1, sizeof(*t->roots));
	t->devices = calloc(t->n_devices + 1, sizeof(*t->devices));
	t->profiles = calloc(t->n_profiles + 1, sizeof(*t->profiles));
	if (t->apps == NULL || t->roots == NULL || t->devices == NULL || t->profiles == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	return RC_OK;
}

static enum rc
finish(struct tenant *t, struct root_option *roots, size_t n_roots, struct err *err)
{
	enum rc rc;

	if ((rc = make_arrays(t, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((rc = rules[i](t, err)) != RC_OK)
			return rc;
	}
	if ((rc = load_root_certs(t, roots, n_roots, err)) != RC_OK)
		return rc;
	return make_keys(t, err);
}

static enum rc
take(struct tenant **out, struct tenant *t, enum rc rc, struct root_option *roots, size_t n_roots,
    struct err *err)
{
	if (rc == RC_OK)
		rc = finish(t, roots, n_roots, err);
	if (rc == RC_OK)
		*out = t;
	else
		tenant_free(t);
	return rc;
}

enum rc
tenant_load(struct tenant **out, const char *path, struct root_option *roots, size_t n_roots,
    struct err *err)
{
	struct tenant *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	return take(out, t, conf_load(&t->conf, path, &tenant_file_schema, &t->file, err), roots,
	    n_roots, err);
}

enum rc
tenant_parse(struct tenant **out, const char *name, const void *bytes, size_t len,
    struct root_option *roots, size_t n_roots, struct err *err)
{
	struct tenant *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	return take(out, t,
	    conf_parse(&t->conf, name, bytes, len, &tenant_file_schema, &t->file, err), roots,
	    n_roots, err);
}
