/*
 * config_foreign.c - CAs of others in scepd.yaml: their keys, and what they may say.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scepd/config_int.h"

#define ROW(k, t, s, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)

static const struct conf_row foreign_rows[] = {
	{ ROW("certificate", CONF_PATH, conf_foreign, certificate), .required = true,
	    .help = "the CA, PEM" },
	{ ROW("crl", CONF_STR, conf_foreign, crl),
	    .help = "its revocation list: a file, or http:// or https://; not read unless given" },
	{ ROW("crl_interval", CONF_DURATION, conf_foreign, crl_interval), .dflt = "10m", .min = 10,
	    .max = 86400, .help = "how often that list is looked at" },
	{ ROW("tenant", CONF_STR, conf_foreign, tenant),
	    .help = "whose directory knows those whom its certificates name, for rules" },
	{ ROW("ocsp_certificate", CONF_PATH, conf_foreign, ocsp_certificate),
	    .help = "the OCSP responder that it has certified for this server, PEM" },
	{ ROW("ocsp_key", CONF_STR, conf_foreign, ocsp_key),
	    .help = "its key: a PEM file, mode 0600, or pkcs11:..." },
	{ ROW("passphrase_file", CONF_STR, conf_foreign, passphrase_file),
	    .help = "passphrase of the PEM key: a file, credential:NAME (systemd) or prompt" },
	{ ROW("pin_file", CONF_STR, conf_foreign, pin_file),
	    .help = "PIN of the token: a file, credential:NAME (systemd) or prompt" },
	{ ROW("ocsp_validity", CONF_DURATION, conf_foreign, ocsp_validity), .dflt = "1h",
	    .min = 300, .max = 7 * 86400, .help = "how long an OCSP answer may be kept" },
	{ ROW("not_imported", CONF_CHOICE, conf_foreign, not_imported), .dflt = "unknown",
	    .choices = "unknown|good",
	    .help = "what OCSP says of a serial number that nobody has imported" },
	{ .key = NULL },
};
const struct conf_schema conf_foreign_schema = { "a foreign CA", sizeof(struct conf_foreign),
	foreign_rows, offsetof(struct conf_foreign, name), offsetof(struct conf_foreign, line) };

/* ldap:, HTTP:, pkcs11: and so on: no path, as nobody means a folder "ldap:". */
static bool
is_other_uri(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n > 1 && s[n] == ':' && !config_is_url(s) && !str_starts(s, "file:");
}

enum rc
config_foreign_resolve(struct config_file *f, struct err *err)
{
	struct conf_foreign *v = f->c.foreign_cas.v;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->c.foreign_cas.n; i++) {
		if (v[i].crl != NULL && !config_is_url(v[i].crl) && !is_other_uri(v[i].crl))
			rc = config_resolve_key(&v[i].crl, f, err);
		if (rc == RC_OK)
			rc = config_resolve_key(&v[i].ocsp_key, f, err);
		if (rc == RC_OK)
			rc = config_resolve_secret(&v[i].passphrase_file, f, err);
		if (rc == RC_OK)
			rc = config_resolve_secret(&v[i].pin_file, f, err);
	}
	return rc;
}

static enum rc
check_crl(const struct config_file *f, const struct conf_foreign *v, struct err *err)
{
	if (v->crl == NULL || !is_other_uri(v->crl))
		return RC_OK;
	(void)config_item_fail(f, err, v->line, "foreign_cas", v->name, "crl",
	    "is neither a file nor an http address");
	return err_hint(err,
	    "http:// or https://, in small letters, or a path; of a list in a directory (ldap:) "
	    "have a program write a file");
}

static enum rc
check_one(const struct config_file *f, const struct conf_foreign *v, struct err *err)
{
	const char *key = NULL, *why = NULL;

	if (config_ca(&f->c, v->name) != NULL)
		key = "", why = "a CA of this name is under cas";
	else if (config_profile(&f->c, v->name) != NULL)
		key = "",
		why =
		    "a profile of this name is under profiles, and rules could not tell them apart";
	else if ((v->ocsp_certificate == NULL) != (v->ocsp_key == NULL))
		key = v->ocsp_key == NULL ? "ocsp_key" : "ocsp_certificate",
		why = "a responder is a certificate and its key: scepctl foreign csr makes the key";
	else if (v->tenant != NULL && config_tenant(&f->c, v->tenant) == NULL)
		key = "tenant", why = "there is no such tenant under tenants";
	if (why != NULL)
		return config_item_fail(f, err, v->line, "foreign_cas", v->name, key, why);
	return config_check_key(f, err, v->line, "foreign_cas", v->name, "ocsp_key", v->ocsp_key);
}

enum rc
config_foreign_check(const struct config_file *f, struct err *err)
{
	const struct conf_foreign *v = f->c.foreign_cas.v;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->c.foreign_cas.n; i++) {
		rc = config_check_name(f, err, v[i].line, "foreign_cas", v[i].name);
		if (rc == RC_OK)
			rc = check_one(f, &v[i], err);
		if (rc == RC_OK)
			rc = check_crl(f, &v[i], err);
	}
	return rc;
}
