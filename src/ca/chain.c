/*
 * chain.c - would relying parties follow this chain?
 */
#include "ca/chain.h"

#include "base/clock.h"
#include "base/limits.h"

enum rc
cert_check_dates(const struct cert *c, const char *name, int64_t now, struct err *err)
{
	char when[TIME_TEXT_MAX];

	if (now < cert_not_before(c)) {
		time_rfc3339(when, cert_not_before(c));
		return fail(
		    err, RC_CONFIG, "%s: the certificate is not valid before %s", name, when);
	}
	if (now > cert_not_after(c)) {
		time_rfc3339(when, cert_not_after(c));
		return fail(err, RC_CONFIG, "%s: the certificate expired at %s", name, when);
	}
	return RC_OK;
}

/* A certificate that may issue others (RFC 5280 4.2.1.3, 4.2.1.9).  Old roots have no key usage at
 * all, which forbids nothing (6.1.4 n); what issues to devices has to have one. */
static enum rc
check_authority(const struct chain *c, size_t i, int64_t now, struct err *err)
{
	bool has_ku;
	unsigned ku = 0;

	if (!cert_is_ca(c->cert[i]))
		return fail(err, RC_CONFIG,
		    "%s: the certificate is no CA certificate (basicConstraints CA:TRUE)",
		    c->name[i]);
	has_ku = cert_has_key_usage(c->cert[i], &ku);
	if ((i == 0 && !has_ku) || (has_ku && !(ku & KU_KEY_CERT_SIGN)))
		return fail(err, RC_CONFIG, "%s: the certificate's key usage lacks keyCertSign",
		    c->name[i]);
	return c->retired ? RC_OK : cert_check_dates(c->cert[i], c->name[i], now, err);
}

/* Who signed it? The next of the chain; at its end the certificate itself. */
static enum rc
check_link(const struct chain *c, size_t i, struct err *err)
{
	struct err why = { 0 };

	if (i + 1 < c->n) {
		if (cert_verify_by(c->cert[i], c->cert[i + 1], &why) == RC_OK)
			return RC_OK;
		return fail(err, RC_CONFIG, "%s: was not signed by %s (%s)", c->name[i],
		    c->name[i + 1], why.msg);
	}
	if (cert_verify_by(c->cert[i], c->cert[i], &why) == RC_OK)
		return RC_OK;
	return fail(
	    err, RC_CONFIG, "%s: is not self-signed, so the chain ends before a root", c->name[i]);
}

/* How many authorities stand between certificate i and what the first one issues; self-issued ones
 * are not counted (RFC 5280 4.2.1.9). */
static enum rc
check_path_len(const struct chain *c, size_t i, struct err *err)
{
	int len = cert_path_len(c->cert[i]), below = 0;
	size_t k;

	for (k = 0; k < i; k++)
		below += !cert_self_issued(c->cert[k]);
	if (len >= 0 && below > len)
		return fail(err, RC_CONFIG,
		    "%s: its path length is %d, and there are %d authorities below it", c->name[i],
		    len, below);
	return RC_OK;
}

/* The names of the authorities below certificate i; self-issued ones are exempt (RFC 5280
 * 6.1.3). */
static enum rc
check_constraints(const struct chain *c, size_t i, struct err *err)
{
	struct constraints l = { 0 };
	struct err why = { 0 };
	enum rc rc = cert_constraints(&l, c->cert[i], &why);
	size_t k;

	if (rc != RC_OK)
		return fail(
		    err, rc == RC_NOMEM ? RC_NOMEM : RC_CONFIG, "%s: %s", c->name[i], why.msg);
	for (k = 0; rc == RC_OK && k < i; k++) {
		if (cert_self_issued(c->cert[k]))
			continue;
		rc = constraints_check(
		    &l, c->name[i], cert_subject0(c->cert[k]), cert_san0(c->cert[k]), &why);
		if (rc != RC_OK)
			rc = fail(err, RC_CONFIG, "%s: %s", c->name[k], why.msg);
	}
	constraints_done(&l);
	return rc;
}

enum rc
chain_check(const struct chain *c, int64_t now, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < c->n; i++)
		rc = check_authority(c, i, now, err);
	for (i = 0; rc == RC_OK && i < c->n; i++)
		rc = check_link(c, i, err);
	for (i = 0; rc == RC_OK && i < c->n; i++)
		rc = check_path_len(c, i, err);
	for (i = 0; rc == RC_OK && i < c->n; i++)
		rc = check_constraints(c, i, err);
	return rc;
}

/* ---- order ---- */

static enum rc
missing(const struct cert *below, struct err *err)
{
	struct buf name;

	buf_init(&name, 4 * LIMIT_CERT);
	name_text(&name, cert_issuer0(below));
	(void)fail(
	    err, RC_CONFIG, "the certificate of the authority %s is missing", buf_str(&name));
	buf_done(&name);
	if (err != NULL)
		(void)err_hint(err, "give it with --chain: everything up to the root");
	return RC_CONFIG;
}

/* Of v[from..n) the one that signed `below`, or n. */
static size_t
find_issuer(struct cert *const *v, size_t from, size_t n, const struct cert *below)
{
	size_t i;

	for (i = from; i < n; i++) {
		if (cert_verify_by(below, v[i], NULL) == RC_OK)
			break;
	}
	return i;
}

enum rc
chain_sort(struct cert **v, size_t *n, const struct cert *ca, struct err *err)
{
	const struct cert *below = ca;
	size_t done = 0, i;

	while (cert_verify_by(below, below, NULL) != RC_OK) {
		struct cert *found;

		if (done == CA_CHAIN_MAX)
			return fail(err, RC_CONFIG, "the chain has more than %d certificates",
			    CA_CHAIN_MAX);
		if ((i = find_issuer(v, done, *n, below)) == *n)
			return missing(below, err);
		found = v[i];
		v[i] = v[done];
		v[done++] = found;
		below = found;
	}
	for (i = done; i < *n; i++)
		cert_free(v[i]);
	*n = done;
	return RC_OK;
}
