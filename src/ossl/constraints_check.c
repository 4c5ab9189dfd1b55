/*
 * constraints_check.c - which names a CA's name constraints let a certificate have.
 *
 * As strict as the relying parties that people run (libcrypto's X509_verify_cert() above all): a
 * certificate that they would refuse must not be issued.
 */
#include <string.h>
#include <strings.h>

#include "ossl/ca_ext.h"

enum fit {
	FITS,
	FITS_NOT,
	FITS_NEVER, /* the name has no part that constraints of its form could be held against */
};

static bool
ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(s + len - n, end, n) == 0;
}

static bool
host_is(const char *host, size_t len, const char *base)
{
	return strlen(base) == len && strncasecmp(host, base, len) == 0;
}

/* Any number of labels in front (RFC 5280 4.2.1.10); with a leading dot at least one, as everybody
 * reads it. */
static enum fit
fit_dns(const char *base, const char *value)
{
	size_t len = strlen(value), n = strlen(base);

	if (n == 0)
		return FITS;
	if (!ends_with(value, len, base))
		return FITS_NOT;
	return len == n || base[0] == '.' || value[len - n - 1] == '.' ? FITS : FITS_NOT;
}

/* A mailbox, all of a host, or (leading dot) all hosts of a domain.  The local part is compared with
 * its case. */
static enum fit
fit_email(const char *base, const char *value)
{
	const char *at = strrchr(value, '@'), *base_at = strrchr(base, '@');
	size_t local;

	if (at == NULL)
		return FITS_NEVER;
	if (base_at == NULL && base[0] == '.')
		return strlen(at + 1) >= strlen(base) && ends_with(value, strlen(value), base)
		    ? FITS
		    : FITS_NOT;
	if (base_at != NULL) {
		local = (size_t)(base_at - base);
		if (local > 0 &&
		    (local != (size_t)(at - value) || strncmp(base, value, local) != 0))
			return FITS_NOT;
		base = base_at + 1;
	}
	return host_is(at + 1, strlen(at + 1), base) ? FITS : FITS_NOT;
}

/* The host of the authority.  "tag:microsoft.com,...:sid:..." has none and may not stand below
 * constraints of this form (RFC 5280 4.2.1.10). */
static enum fit
fit_uri(const char *base, const char *value)
{
	const char *host = strchr(value, ':');
	size_t len;

	if (host == NULL || strncmp(host, "://", 3) != 0)
		return FITS_NEVER;
	host += 3;
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL) /* user information: nobody reads past it alike */
		return FITS_NEVER;
	len = strcspn(host, ":/?#");
	if (len == 0)
		return FITS_NEVER;
	if (base[0] == '.')
		return len > strlen(base) && ends_with(host, len, base) ? FITS : FITS_NOT;
	return host_is(host, len, base) ? FITS : FITS_NOT;
}

/* Values without regard to case and to how much white space there is (RFC 5280 7.1). */
static bool
same_value(const char *a, const char *b)
{
	a += strspn(a, " ");
	b += strspn(b, " ");
	while (*a != '\0' && *b != '\0') {
		if (*a == ' ' || *b == ' ') {
			size_t n = strspn(a, " "), m = strspn(b, " ");

			a += n;
			b += m;
			if (*a == '\0' || *b == '\0')
				break;
			if (n == 0 || m == 0)
				return false;
			continue;
		}
		if (strncasecmp(a, b, 1) != 0)
			return false;
		a++;
		b++;
	}
	return a[strspn(a, " ")] == '\0' && b[strspn(b, " ")] == '\0';
}

/* The base's RDNs are the first ones of the name. */
static enum fit
fit_dir(const struct name *base, const struct name *n)
{
	size_t i;

	if (n->n < base->n || (n->n > base->n && !n->attrs[base->n].new_rdn))
		return FITS_NOT;
	for (i = 0; i < base->n; i++) {
		if (base->attrs[i].new_rdn != n->attrs[i].new_rdn ||
		    strcmp(base->attrs[i].oid, n->attrs[i].oid) != 0 ||
		    !same_value(base->attrs[i].value, n->attrs[i].value))
			return FITS_NOT;
	}
	return FITS;
}

/* A name as one form of constraints sees it. */
struct seen {
	enum constraint_form form;
	const char *value, *what; /* "dns" */
	const struct name *dir;
};

static enum fit
fit(const struct constraint *c, const struct seen *s)
{
	switch (c->form) {
	case CONSTRAINT_DNS:
		return fit_dns(c->text, s->value);
	case CONSTRAINT_EMAIL:
		return fit_email(c->text, s->value);
	case CONSTRAINT_URI:
		return fit_uri(c->text, s->value);
	case CONSTRAINT_DIR:
		return fit_dir(&c->dir, s->dir);
	default:
		return FITS_NEVER;
	}
}

static enum rc
check_name(const struct constraints *l, const char *who, const struct seen *s, struct err *err)
{
	bool must = false, permitted = false;
	size_t i;

	for (i = 0; i < l->n; i++) {
		enum fit f;

		if (l->v[i].form != s->form)
			continue;
		if ((f = fit(&l->v[i], s)) == FITS_NEVER)
			return fail(err, RC_DENIED,
			    "name constraints: %s has some of the form %s, which %s:%s cannot be "
			    "held against",
			    who, constraint_form_name(s->form), s->what, s->value);
		if (f == FITS && l->v[i].excluded)
			return fail(err, RC_DENIED, "name constraints: %s excludes %s:%s (by %s)",
			    who, s->what, s->value, l->v[i].text);
		must = must || !l->v[i].excluded;
		permitted = permitted || (f == FITS && !l->v[i].excluded);
	}
	if (must && !permitted)
		return fail(err, RC_DENIED, "name constraints: %s permits no %s:%s", who, s->what,
		    s->value);
	return RC_OK;
}

static const enum constraint_form form_of_san[SAN__MAX] = {
	[SAN_EMAIL] = CONSTRAINT_EMAIL,
	[SAN_UPN] = CONSTRAINT_UPN,
	[SAN_DNS] = CONSTRAINT_DNS,
	[SAN_URI] = CONSTRAINT_URI,
	[SAN_OTHER] = CONSTRAINT_OTHER,
};

static enum rc
check_sans(
    const struct constraints *l, const char *who, const struct san_list *san, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < san->n; i++) {
		struct seen s = { form_of_san[san->v[i].type], san->v[i].value,
			san_type_name(san->v[i].type), NULL };

		rc = check_name(l, who, &s, err);
	}
	return rc;
}

/* At least two labels of letters, digits, '_' and inner '-': what relying parties take for a host
 * when there is no dNSName. */
static bool
looks_like_host(const char *s)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	bool dot = false;
	size_t n;

	for (;; s += n + 1) {
		n = strspn(s, plain);
		if (n == 0 || s[0] == '-' || s[n - 1] == '-')
			return false;
		if (s[n] == '\0')
			return dot;
		if (s[n] != '.')
			return false;
		dot = true;
	}
}

static bool
has_dns(const struct san_list *san)
{
	size_t i;

	for (i = 0; i < san->n; i++) {
		if (san->v[i].type == SAN_DNS)
			return true;
	}
	return false;
}

static enum rc
check_attrs(const struct constraints *l, const char *who, const struct name *subject, bool hosts,
    struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < subject->n; i++) {
		const struct name_attr *a = &subject->attrs[i];
		struct seen s = { CONSTRAINT_EMAIL, a->value, a->label, NULL };

		if (strcmp(a->label, "E") == 0)
			rc = check_name(l, who, &s, err);
		s.form = CONSTRAINT_DNS;
		if (rc == RC_OK && hosts && strcmp(a->label, "CN") == 0 &&
		    looks_like_host(a->value))
			rc = check_name(l, who, &s, err);
	}
	return rc;
}

enum rc
constraints_check(const struct constraints *l, const char *who, const struct name *subject,
    const struct san_list *san, struct err *err)
{
	struct seen whole = { CONSTRAINT_DIR, NULL, "subject", subject };
	struct buf text;
	enum rc rc = RC_OK;

	if (l->n == 0)
		return RC_OK;
	buf_init(&text, 1u << 20);
	name_text(&text, subject);
	whole.value = buf_str(&text);
	if (subject->n > 0)
		rc = check_name(l, who, &whole, err);
	if (rc == RC_OK)
		rc = check_attrs(l, who, subject, !has_dns(san), err);
	if (rc == RC_OK)
		rc = check_sans(l, who, san, err);
	buf_done(&text);
	return rc;
}
