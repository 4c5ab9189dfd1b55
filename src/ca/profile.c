/*
 * profile.c - is a profile one that certificates may be made by?
 */
#include "ca/profile.h"

#include <string.h>

#include "base/text.h"
#include "ca/rules.h"
#include "ossl/csr.h"
#include "ossl/der.h"
#include "ossl/name_labels.h"

#define KU_LEAF                                                                                    \
	(KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT |  \
	    KU_KEY_AGREEMENT)

static bool
is_oid(const char *s)
{
	struct buf b;
	bool ok;

	buf_init(&b, OID_TEXT_MAX);
	ok = strlen(s) < OID_TEXT_MAX && der_add_oid(&b, s);
	buf_done(&b);
	return ok;
}

static enum rc
check_subject(const struct profile *p, struct err *err)
{
	size_t i;
	enum rc rc = RC_OK;

	if (p->n_subject_attributes == 0 && !p->subject_empty_ok)
		return fail(err, RC_CONFIG, "subject.attributes: empty, so no subject could pass");
	for (i = 0; i < p->n_subject_attributes; i++) {
		const char *a = p->subject_attributes[i];
		const struct name_label *l = name_label_by_key(a);

		if (l == NULL ? !is_oid(a) : strcmp(l->label, a) != 0)
			return fail(
			    err, RC_CONFIG, "subject.attributes: \"%s\" is no attribute", a);
	}
	for (i = 0; rc == RC_OK && i < p->n_subject_allow; i++) {
		rc = rule_subject_pattern_check(p->subject_allow[i], p, err);
		if (rc != RC_OK)
			err_context(err, "subject.allow");
	}
	return rc;
}

static enum rc
check_san(const struct profile *p, struct err *err)
{
	const char *glob;
	size_t i;

	if (p->san_types & (1u << SAN_OTHER))
		return fail(err, RC_CONFIG, "san.types: only email, upn, dns and uri are issued");
	for (i = 0; i < p->n_san_allow; i++) {
		enum san_type t = rule_san_pattern(p->san_allow[i], &glob);

		if (t >= SAN_OTHER)
			return fail(err, RC_CONFIG,
			    "san.allow: \"%s\" is not of the form TYPE:glob with email, upn, dns "
			    "or uri",
			    p->san_allow[i]);
		if (!(p->san_types & (1u << t)))
			return fail(err, RC_CONFIG,
			    "san.allow: \"%s\" is for %s, which san.types lacks", p->san_allow[i],
			    san_type_name(t));
	}
	if (p->san_types == 0 && p->san_required)
		return fail(err, RC_CONFIG, "san.required: but san.types is empty");
	if (p->san_types == 0 && p->subject_empty_ok)
		return fail(err, RC_CONFIG,
		    "subject.empty: but san.types is empty, so nothing would name the holder");
	return RC_OK;
}

/* Every key type that the profile takes must be left with a usage. */
static enum rc
check_key_usage(const struct profile *p, struct err *err)
{
	unsigned types = 0;

	if (p->key_usage_allowed & ~KU_LEAF)
		return fail(err, RC_CONFIG,
		    "key_usage.allow: a leaf certificate signs no certificates and no CRLs");
	if (p->key_usage_default == 0 || (p->key_usage_default & ~p->key_usage_allowed) != 0)
		return fail(err, RC_CONFIG,
		    "key_usage.default: must be a part of key_usage.allow, and not empty");
	if (p->rsa_max != 0)
		types = rule_key_usage_of(KEY_RSA);
	if (types != 0 && (p->key_usage_default & types) == 0)
		return fail(err, RC_CONFIG, "key_usage.default: nothing in it fits an RSA key");
	types = p->ec_p256 || p->ec_p384 ? rule_key_usage_of(KEY_EC) : 0;
	if (types != 0 && (p->key_usage_default & types) == 0)
		return fail(err, RC_CONFIG, "key_usage.default: nothing in it fits an EC key");
	return RC_OK;
}

static bool
eku_listed(const struct profile *p, const char *oid)
{
	size_t i;

	for (i = 0; i < p->n_eku_allowed; i++) {
		if (strcmp(p->eku_allowed[i], oid) == 0)
			return true;
	}
	return false;
}

static enum rc
check_eku(const struct profile *p, struct err *err)
{
	size_t i;

	if (p->n_eku_default == 0)
		return fail(err, RC_CONFIG,
		    "eku.default: empty, and a certificate without EKU would be good for anything");
	for (i = 0; i < p->n_eku_allowed; i++) {
		const char *why = rule_eku_forbidden(p->eku_allowed[i]);

		if (why != NULL)
			return fail(err, RC_CONFIG, "eku.allow: %s is never issued (%s)",
			    p->eku_allowed[i], why);
		if (!is_oid(p->eku_allowed[i]))
			return fail(
			    err, RC_CONFIG, "eku.allow: \"%s\" is no OID", p->eku_allowed[i]);
	}
	for (i = 0; i < p->n_eku_default; i++) {
		if (!eku_listed(p, p->eku_default[i]))
			return fail(err, RC_CONFIG, "eku.default: %s is not in eku.allow",
			    p->eku_default[i]);
	}
	return RC_OK;
}

static enum rc
check_keys(const struct profile *p, struct err *err)
{
	bool rsa = p->rsa_min != 0 || p->rsa_max != 0;

	if (!rsa && !p->ec_p256 && !p->ec_p384)
		return fail(err, RC_CONFIG, "keys: no key type is taken");
	if (rsa && p->rsa_min < 2048)
		return fail(err, RC_CONFIG, "keys.rsa.min: %u bits are too few, 2048 is the least",
		    p->rsa_min);
	if (rsa && p->rsa_max < p->rsa_min)
		return fail(
		    err, RC_CONFIG, "keys.rsa.max: %u is less than min %u", p->rsa_max, p->rsa_min);
	return RC_OK;
}

static enum rc
check_life(const struct profile *p, struct err *err)
{
	if (p->validity_max <= 0 || p->validity_default <= 0)
		return fail(err, RC_CONFIG, "validity: must be positive");
	if (p->validity_default > p->validity_max)
		return fail(err, RC_CONFIG, "validity.default: is longer than validity.max");
	if (p->backdate < 0)
		return fail(err, RC_CONFIG, "backdate: is negative");
	if (p->digest <= DIGEST_SHA1 || p->digest >= DIGEST__MAX)
		return fail(err, RC_CONFIG, "digest: must be sha256, sha384 or sha512");
	return RC_OK;
}

enum rc
profile_check(const struct profile *p, struct err *err)
{
	static enum rc (*const checks[])(const struct profile *, struct err *) = {
		check_subject,
		check_san,
		check_keys,
		check_key_usage,
		check_eku,
		check_life,
	};
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
		rc = checks[i](p, err);
	return rc;
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

static bool
san_is_bounded(const struct profile *p, enum san_type t)
{
	size_t i;

	for (i = 0; i < p->n_san_allow; i++) {
		if (str_starts(p->san_allow[i], san_type_name(t)) &&
		    has_literal(p->san_allow[i], ':'))
			return true;
	}
	return false;
}

static enum rc
check_bounded_san(const struct profile *p, struct err *err)
{
	enum san_type t;

	for (t = SAN_EMAIL; t < SAN_OTHER; t++) {
		if (!(p->san_types & (1u << t)) || san_is_bounded(p, t))
			continue;
		(void)fail(err, RC_CONFIG,
		    "san.types of profile %.60s has %s without a san.allow that bounds it: a "
		    "static challenge cannot vouch for one",
		    p->name, san_type_name(t));
		(void)err_hint(err,
		    "name the types that are needed (san: { types: [] }), or add san: { allow: "
		    "[\"%s:...\"] }",
		    san_type_name(t));
		return RC_CONFIG;
	}
	return RC_OK;
}

enum rc
profile_check_bounded(const struct profile *p, struct err *err)
{
	size_t i;

	if (p->n_subject_allow == 0) {
		(void)fail(err, RC_CONFIG,
		    "profile %.60s has no subject.allow: with a static challenge anybody who knows "
		    "it could take any name",
		    p->name);
		(void)err_hint(
		    err, "add to the profile: subject: { allow: [\"CN=*.lab.example.com\"] }");
		return RC_CONFIG;
	}
	for (i = 0; i < p->n_subject_allow; i++) {
		if (!has_literal(p->subject_allow[i], '='))
			return fail(err, RC_CONFIG,
			    "subject.allow of profile %.60s holds \"%.60s\", which any name fits",
			    p->name, p->subject_allow[i]);
	}
	return check_bounded_san(p, err);
}
