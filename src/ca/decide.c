/*
 * decide.c - from what a request wishes to what its certificate will hold.
 *
 * Nothing is copied from the request but what a rule below lets through: its key, its subject,
 * alternative names of allowed types, and the part of its key usage and EKU that the profile
 * allows.  Every other extension, basicConstraints and the SID extension among them, is not even
 * looked at (S16, S18).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "ca/authorization_int.h"
#include "ca/ca_int.h"
#include "ca/rules.h"

/* What each rule sees. */
struct decision {
	const struct authorization *auth;
	const struct csr *csr;
	const struct csr_wishes *wish;
	const struct profile *p;
	const struct ca *ca;
	int64_t now;
	struct cert_spec *spec;
};

/* The request's own signature and key: RC_ALG, answered as badAlg. */
static enum rc
decide_key(struct decision *d, struct err *err)
{
	const struct key_info *k = key_info0(csr_key0(d->csr));
	const struct profile *p = d->p;
	bool ok;

	if (csr_digest(d->csr) == DIGEST_SHA1 && !p->sha1_csr_ok)
		return fail(err, RC_ALG,
		    "the request is signed with SHA-1, which profile %s does not take", p->name);
	if (k->type == KEY_RSA)
		ok = p->rsa_max != 0 && k->bits >= p->rsa_min && k->bits <= p->rsa_max;
	else
		ok = (p->ec_p256 && strcmp(k->name, "ec-p256") == 0) ||
		    (p->ec_p384 && strcmp(k->name, "ec-p384") == 0);
	if (!ok)
		return fail(
		    err, RC_ALG, "key: %s is not among the keys of profile %s", k->name, p->name);
	d->spec->key = key_ref(csr_key0(d->csr));
	return RC_OK;
}

/* Who was asked, where it does not bind whom it let in. */
static const char *
voucher(const struct decision *d)
{
	return str_starts(d->auth->authority, "otp:") ? "a one-time password"
						      : "a static challenge";
}

/* A secret that many share says nothing about who is asking, so nothing in the subject is free: an
 * E, UID or OU beside the bounded CN is what other systems know people by (S15). */
static bool
pattern_takes(const struct decision *d, const char *pattern, const struct name *subject)
{
	return rule_subject_fits(pattern, subject) &&
	    (d->auth->binds_subject || rule_subject_named(pattern, subject));
}

static enum rc
decide_subject(struct decision *d, struct err *err)
{
	const struct name *subject = csr_subject0(d->csr);
	const struct profile *p = d->p;
	size_t i;

	if (subject->n == 0 && !p->subject_empty_ok)
		return fail(
		    err, RC_DENIED, "subject: is empty, which profile %s does not take", p->name);
	if (subject->n == 0 && d->wish->san.n == 0)
		return fail(
		    err, RC_DENIED, "subject: is empty, and there is no alternative name either");
	for (i = 0; i < subject->n; i++) {
		if (!rule_attribute_allowed(p, subject->attrs[i].label))
			return fail(err, RC_DENIED,
			    "subject: %s is not among the attributes of profile %s",
			    subject->attrs[i].label, p->name);
	}
	/* The configuration refuses such an endpoint already (S15). */
	if (subject->n > 0 && p->n_subject_allow == 0 && !d->auth->binds_subject)
		return fail(err, RC_DENIED,
		    "subject: %s cannot vouch for it, as profile %s has no pattern", voucher(d),
		    p->name);
	for (i = 0; i < p->n_subject_allow; i++) {
		if (pattern_takes(d, p->subject_allow[i], subject))
			break;
	}
	if (p->n_subject_allow > 0 && i == p->n_subject_allow) {
		(void)fail(err, RC_DENIED, "subject: %s fits no pattern of profile %s",
		    d->spec->subject_text, p->name);
		if (!d->auth->binds_subject)
			(void)err_hint(err,
			    "change the device's SCEP profile, or subject.allow in scepd.yaml, "
			    "where "
			    "a pattern has to name every attribute of the subject here");
		return RC_DENIED;
	}
	return name_parse(&d->spec->subject, subject->der, subject->der_len, err);
}

/* A secret that many share says nothing about who is asking: names that log somebody in must be
 * spelled out (S18, S19). */
static enum rc
check_unbound_san(const struct decision *d, const struct san *san, struct err *err)
{
	const struct profile *p = d->p;
	bool sid = san->type == SAN_URI &&
	    strncasecmp(san->value, SID_URI_PREFIX, sizeof(SID_URI_PREFIX) - 1) == 0;

	if (sid && !rule_san_sid_fits(p, san))
		return fail(err, RC_DENIED, "san: %s cannot vouch for the account of %s",
		    voucher(d), san->value);
	if (!rule_san_has_pattern(p, san->type))
		return fail(err, RC_DENIED,
		    "san: %s cannot vouch for %s:%s, as profile %s has no pattern for it",
		    voucher(d), san_type_name(san->type), san->value, p->name);
	/* "*" in a pattern stands for part of a name, not for "evil.com,DNS:x" or a wildcard. */
	if (san->type == SAN_DNS && !rule_is_host_name(san->value))
		return fail(err, RC_DENIED, "san: dns:%s is no host name", san->value);
	return RC_OK;
}

static enum rc
decide_one_san(struct decision *d, const struct san *san, struct err *err)
{
	const struct profile *p = d->p;
	enum rc rc;

	if (san->type >= SAN_OTHER || !(p->san_types & (1u << san->type)))
		return fail(err, RC_DENIED, "san: %s (%s) is not among the types of profile %s",
		    san_type_name(san->type), san->value, p->name);
	if (!rule_san_fits(p, san))
		return fail(err, RC_DENIED, "san: %s:%s fits no pattern of profile %s",
		    san_type_name(san->type), san->value, p->name);
	if (!d->auth->binds_san) {
		rc = check_unbound_san(d, san, err);
		if (rc != RC_OK)
			return rc;
	}
	return san_list_add(&d->spec->san, san->type, san->value, err);
}

static enum rc
decide_san(struct decision *d, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	if (d->wish->san.n == 0 && d->p->san_required)
		return fail(
		    err, RC_DENIED, "san: there is none, and profile %s needs one", d->p->name);
	for (i = 0; rc == RC_OK && i < d->wish->san.n; i++)
		rc = decide_one_san(d, &d->wish->san.v[i], err);
	return rc;
}

/* Of the whole chain: what a relying party would refuse is not issued (S36). */
static enum rc
decide_names(struct decision *d, struct err *err)
{
	return ca_names_allowed(d->ca, &d->spec->subject, &d->spec->san, err);
}

/* The wish within profile and key type; nothing left of it: the default. */
static enum rc
decide_key_usage(struct decision *d, struct err *err)
{
	unsigned fits = rule_key_usage_of(key_info0(d->spec->key)->type);
	unsigned wish = d->wish->has_key_usage ? d->wish->key_usage : 0;

	d->spec->key_usage = wish & d->p->key_usage_allowed & fits;
	if (d->spec->key_usage == 0)
		d->spec->key_usage = d->p->key_usage_default & fits;
	if (d->spec->key_usage == 0)
		return fail(err, RC_DENIED, "key usage: profile %s has none for a key of type %s",
		    d->p->name, key_info0(d->spec->key)->name);
	return RC_OK;
}

static const char *
eku_among(const char *const *list, size_t n, const char *oid)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(list[i], oid) == 0)
			return list[i];
	}
	return NULL;
}

/* Wished EKUs outside the list are dropped; an empty result would mean "any purpose", so it becomes
 * the default (S17). */
static enum rc
decide_eku(struct decision *d, struct err *err)
{
	const struct profile *p = d->p;
	struct cert_spec *s = d->spec;
	size_t i;

	s->eku = calloc(p->n_eku_allowed + p->n_eku_default + 1, sizeof(*s->eku));
	if (s->eku == NULL)
		return fail(err, RC_NOMEM, "out of memory for extended key usages");
	for (i = 0; i < d->wish->n_eku; i++) {
		const char *oid = eku_among(p->eku_allowed, p->n_eku_allowed, d->wish->eku[i]);

		if (oid != NULL && rule_eku_forbidden(oid) == NULL &&
		    eku_among(s->eku, s->n_eku, oid) == NULL)
			s->eku[s->n_eku++] = oid;
	}
	for (i = 0; s->n_eku == 0 && i < p->n_eku_default; i++)
		s->eku[i] = p->eku_default[i];
	if (s->n_eku == 0)
		s->n_eku = i;
	if (s->n_eku == 0)
		return fail(err, RC_DENIED, "eku: profile %s has no default", p->name);
	return RC_OK;
}

/* wish -> cap -> the CA's own end; notBefore goes back for slow device clocks, not before the CA's
 * own. */
static enum rc
decide_validity(struct decision *d, struct err *err)
{
	const struct profile *p = d->p;
	struct cert_spec *s = d->spec;
	int64_t life = p->validity_default;

	if (p->validity_from_request && d->wish->validity_seconds > 0)
		life = d->wish->validity_seconds;
	if (life > p->validity_max)
		life = p->validity_max;
	s->not_after = d->now + life;
	if (s->not_after > d->ca->not_after)
		s->not_after = d->ca->not_after;
	s->not_before = d->now - p->backdate;
	if (s->not_before < cert_not_before(d->ca->cert))
		s->not_before = cert_not_before(d->ca->cert);
	if (s->not_after <= d->now || s->not_before > d->now)
		return fail(
		    err, RC_DENIED, "validity: the CA %s is outside its own validity", d->ca->name);
	return RC_OK;
}

/* Whoever let it through: a renewal is not a way to become somebody else (S07). */
static enum rc
decide_renewal(struct decision *d, struct err *err)
{
	const struct cert_spec *s = d->spec;
	struct identity fresh = { &s->subject, &s->san, s->key_usage, s->eku, s->n_eku };

	if (d->auth->renews == NULL)
		return RC_OK;
	return renewal_check_identity(
	    &fresh, holder_cert0(d->auth->renews), d->auth->keeps_usages ? NULL : d->p, err);
}

static enum rc
take_text(char **out, struct buf *b, const char *what, struct err *err)
{
	enum rc rc = buf_ok(b, what, err);

	if (rc == RC_OK)
		rc = str_dup(out, buf_str(b), err);
	buf_done(b);
	return rc;
}

static enum rc
describe_subject(struct decision *d, struct err *err)
{
	struct buf b;

	buf_init(&b, LIMIT_CSR * 4);
	name_text(&b, csr_subject0(d->csr));
	return take_text(&d->spec->subject_text, &b, "subject", err);
}

static enum rc
describe_san(struct decision *d, struct err *err)
{
	struct buf b;

	buf_init(&b, LIMIT_CSR * 4);
	san_list_text(&b, &d->spec->san);
	return take_text(&d->spec->san_text, &b, "san", err);
}

enum rc
cert_spec_decide(struct cert_spec **out, const struct authorization *auth, const struct csr *csr,
    const struct profile *profile, const struct ca *ca, int64_t now, struct err *err)
{
	static enum rc (*const rules[])(struct decision *, struct err *) = {
		describe_subject,
		decide_key,
		decide_subject,
		decide_san,
		decide_names,
		decide_key_usage,
		decide_eku,
		decide_renewal,
		decide_validity,
		describe_san,
	};
	struct decision d = { auth, csr, csr_wishes0(csr), profile, ca, now, NULL };
	enum rc rc = RC_OK;
	size_t i;

	if (!authorization_covers(auth, csr))
		return fail(err, RC_BUG, "the authorization is not for this request");
	d.spec = calloc(1, sizeof(*d.spec));
	if (d.spec == NULL)
		return fail(err, RC_NOMEM, "out of memory for a certificate");
	d.spec->ca = ca;
	d.spec->profile = profile;
	for (i = 0; rc == RC_OK && i < sizeof(rules) / sizeof(rules[0]); i++)
		rc = rules[i](&d, err);
	if (rc != RC_OK) {
		cert_spec_free(d.spec);
		return rc;
	}
	*out = d.spec;
	return RC_OK;
}

void
cert_spec_free(struct cert_spec *s)
{
	if (s == NULL)
		return;
	name_done(&s->subject);
	san_list_done(&s->san);
	key_free(s->key);
	free(s->eku);
	free(s->subject_text);
	free(s->san_text);
	free(s);
}

const char *
cert_spec_subject(const struct cert_spec *s)
{
	return s->subject_text;
}

const char *
cert_spec_san(const struct cert_spec *s)
{
	return s->san_text;
}

int64_t
cert_spec_not_after(const struct cert_spec *s)
{
	return s->not_after;
}

int64_t
cert_spec_not_before(const struct cert_spec *s)
{
	return s->not_before;
}
