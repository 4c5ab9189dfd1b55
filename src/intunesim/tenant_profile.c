/*
 * tenant_profile.c - SCEP profiles: names resolved, variables checked.
 */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/tenant_int.h"
#include "intunesim/vars.h"
#include "ossl/der.h"
#include "ossl/eku.h"

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

static enum rc
resolve_eku(const struct tenant *t, struct profile *p, struct err *err)
{
	const struct conf_strs *list = &p->conf->eku;
	struct buf scratch;

	for (size_t i = 0; i < list->n && i < EKU_MAX; i++) {
		const char *oid = eku_oid(list->v[i]);
		bool ok;

		if (oid == NULL)
			oid = list->v[i];
		buf_init(&scratch, OID_TEXT_MAX * 2);
		ok = der_add_oid(&scratch, oid);
		buf_done(&scratch);
		if (!ok)
			return conf_fail(t->conf, err, p->conf->line, "eku",
			    "\"%s\" is neither a name we know nor an OID", list->v[i]);
		p->eku[p->n_eku++] = oid;
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

/* FNV-1a, 64 bits: nobody gains from two profiles of one edition. */
static uint64_t
mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t *at = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ at[i]) * 0x100000001b3u;
	return h;
}

/* With its NUL, so that two texts are not one. */
static uint64_t
mix_text(uint64_t h, const char *text)
{
	return mix(h, text, strlen(text) + 1);
}

static uint64_t
edition_of(const struct profile *p)
{
	const struct san_conf *san = p->conf->san.v;
	uint64_t h = 0xcbf29ce484222325u;

	h = mix_text(h, p->subject);
	for (size_t i = 0; i < p->conf->san.n; i++) {
		h = mix(h, &san[i].type, sizeof(san[i].type));
		h = mix_text(h, san[i].value);
	}
	h = mix(h, &p->conf->validity.period, sizeof(p->conf->validity.period));
	h = mix(h, &p->conf->validity.units, sizeof(p->conf->validity.units));
	for (size_t i = 0; i < p->n_eku; i++)
		h = mix_text(h, p->eku[i]);
	return h;
}

static enum rc
check_management(const struct tenant *t, const struct profile_conf *c, struct err *err)
{
	enum platform platform =
	    c->management == MANAGEMENT_KIND_PHONE ? PLATFORM_WINDOWS : PLATFORM_ANDROID;

	if (c->management == MANAGEMENT_KIND_DEFAULT || c->platform == (int)platform)
		return RC_OK;
	return conf_fail(
	    t->conf, err, c->line, "management", "is not for %s", platform_name(c->platform));
}

static enum rc
load_profile(struct tenant *t, struct profile *p, const struct profile_conf *c, struct err *err)
{
	enum rc rc;

	p->conf = c;
	resolve_subject(p);
	if ((rc = take_id(p->id, t, c->line, c->id, c->name, err)) != RC_OK ||
	    (rc = need_groups(t, c->line, &c->groups, err)) != RC_OK ||
	    (rc = check_management(t, c, err)) != RC_OK || (rc = check_texts(t, p, err)) != RC_OK ||
	    (rc = resolve_eku(t, p, err)) != RC_OK || (rc = resolve_root(t, p, err)) != RC_OK ||
	    (rc = resolve_key(t, p, err)) != RC_OK)
		return rc;
	p->edition = edition_of(p);
	return RC_OK;
}

enum rc
tenant_load_profiles(struct tenant *t, struct err *err)
{
	const struct profile_conf *c = t->file.scep_profiles.v;
	enum rc rc;

	for (size_t i = 0; i < t->n_profiles; i++) {
		if ((rc = load_profile(t, &t->profiles[i], &c[i], err)) != RC_OK)
			return rc;
	}
	return tenant_index(t, INDEX_PROFILES, err);
}
