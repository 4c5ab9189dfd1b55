/*
 * signer_crl.c - the rules for revocation lists, in the order of RFC 5280 5.1.2.
 *
 * The entries are not walked: there may be a million, and any set of serial numbers is a list that
 * the CA may sign.
 */
#include <string.h>

#include "signer/signer_check.h"

#define AHEAD_MAX 300 /* seconds: front and signer have the same clock */

static bool
next_is_time(const struct der *in)
{
	return der_next_is(in, DER_UTCTIME) || der_next_is(in, DER_GENERALIZEDTIME);
}

/* thisUpdate and nextUpdate, which conforming CAs include (RFC 5280 5.1.2.4, 5.1.2.5). */
static enum rc
read_updates(struct der *in, const struct sign_rules *r, int64_t now, struct err *err)
{
	int64_t from, to;

	if (!der_take_time(in, &from) || !next_is_time(in) || !der_take_time(in, &to) || to < from)
		return fail(err, RC_DENIED, "signer: the list's updates are no span of time");
	/* A list that is kept back and shown later would hide what was revoked meanwhile. */
	if (from > now + AHEAD_MAX)
		return fail(err, RC_DENIED, "signer: the list's thisUpdate is still to come");
	if (to - from > r->crl_validity_max)
		return fail(err, RC_DENIED,
		    "signer: a list that holds %lld s holds longer than %lld s",
		    (long long)(to - from), (long long)r->crl_validity_max);
	return RC_OK;
}

/* version, signature, issuer */
static enum rc
read_head(struct der *in, enum digest *digest, const struct sign_rules *r, struct err *err)
{
	struct der alg, issuer;
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(in, &version) || version != 1)
		return fail(err, RC_DENIED, "signer: the list is not of version 2");
	if (!der_take(in, DER_SEQUENCE, &alg))
		return fail(err, RC_PARSE, "signer: the signature algorithm is malformed");
	rc = check_sig_alg(digest, &alg, r->key_type, err);
	if (rc != RC_OK)
		return rc;
	if (!der_take_whole(in, DER_SEQUENCE, &issuer))
		return fail(err, RC_PARSE, "signer: the issuer is malformed");
	if (!der_same(&issuer, &r->subject))
		return fail(err, RC_DENIED, "signer: the issuer is not the CA's subject");
	return RC_OK;
}

/* ---- extensions ---- */

/* What they have said so far. */
struct list_exts {
	struct der number, base; /* magnitudes; p NULL: not there */
	bool freshest;
	unsigned seen; /* 1 << row */
};

/* RFC 5280 5.2.3: at most 20 octets. */
static enum rc
take_number(struct der *number, struct der value, const char *what, struct err *err)
{
	if (!der_take_magnitude(&value, number) || value.len != 0)
		return fail(err, RC_PARSE, "signer: the list's %s is malformed", what);
	if (number->len > SERIAL_MAX)
		return fail(err, RC_DENIED, "signer: the list's %s has more than %d octets", what,
		    SERIAL_MAX);
	return RC_OK;
}

static enum rc
read_number(struct list_exts *x, struct der value, struct err *err)
{
	return take_number(&x->number, value, "number", err);
}

static enum rc
read_base(struct list_exts *x, struct der value, struct err *err)
{
	return take_number(&x->base, value, "base", err);
}

/* RFC 5280 5.2.5: distributionPoint [0] with fullName [0].  Any other member would make the list one of
 * others' certificates, or of some certificates or reasons only. */
static enum rc
read_point(struct list_exts *x, struct der value, struct err *err)
{
	struct der idp, point, names, name;

	if (!der_take(&value, DER_SEQUENCE, &idp) || value.len != 0)
		return fail(err, RC_PARSE, "signer: the issuingDistributionPoint is malformed");
	if (!der_take(&idp, DER_CTX_CONS(0), &point) || idp.len != 0 ||
	    !der_take(&point, DER_CTX_CONS(0), &names) || point.len != 0 || names.len == 0)
		return fail(err, RC_DENIED,
		    "signer: the issuingDistributionPoint has more or less than names");
	while (names.len > 0)
		if (!der_any(&names, NULL, &name, NULL) || name.len == 0)
			return fail(
			    err, RC_PARSE, "signer: a name of the distribution point is malformed");
	return RC_OK;
}

static enum rc
read_freshest(struct list_exts *x, struct der value, struct err *err)
{
	x->freshest = true;
	return RC_OK;
}

/* RFC 5280 5.2: those that a list of ours may have; `critical` is what they have to be. */
static const struct {
	const char *oid, *name;
	bool critical;
	enum rc (*read)(struct list_exts *x, struct der value, struct err *err);
} known[] = {
	{ "2.5.29.20", "cRLNumber", false, read_number },
	{ "2.5.29.35", "authorityKeyIdentifier", false, NULL },
	{ "2.5.29.28", "issuingDistributionPoint", true, read_point },
	{ "2.5.29.27", "deltaCRLIndicator", true, read_base },
	{ "2.5.29.46", "freshestCRL", false, read_freshest },
};
#define N_KNOWN   (sizeof(known) / sizeof(known[0]))
#define MUST_HAVE 3u /* the first two: RFC 5280 5.2.1, 5.2.3 */

static enum rc
read_ext(struct list_exts *x, const struct ext *e, struct err *err)
{
	size_t i = 0;

	while (i < N_KNOWN && strcmp(known[i].oid, e->oid) != 0)
		i++;
	if (i == N_KNOWN)
		return e->critical
		    ? fail(err, RC_DENIED, "signer: unknown critical extension %s", e->oid)
		    : RC_OK;
	/* Of two, the checked one might not be the one that counts. */
	if (x->seen & 1u << i)
		return fail(err, RC_DENIED, "signer: the list has two of %s", known[i].name);
	if (e->critical != known[i].critical)
		return fail(err, RC_DENIED, "signer: %s is%s critical", known[i].name,
		    known[i].critical ? " not" : "");
	x->seen |= 1u << i;
	return known[i].read != NULL ? known[i].read(x, e->value, err) : RC_OK;
}

/* Magnitudes have no leading zeros. */
static int
compare(const struct der *a, const struct der *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->p, b->p, a->len);
}

static enum rc
read_list_exts(struct der list, struct der *number, struct err *err)
{
	struct list_exts x = { .seen = 0 };
	struct ext e;
	enum rc rc;

	while (list.len > 0) {
		rc = check_take_ext(&e, &list, err);
		if (rc == RC_OK)
			rc = read_ext(&x, &e, err);
		if (rc != RC_OK)
			return rc;
	}
	if ((x.seen & MUST_HAVE) != MUST_HAVE)
		return fail(err, RC_DENIED,
		    "signer: the list lacks its number or the authorityKeyIdentifier");
	if (x.base.p != NULL && compare(&x.base, &x.number) >= 0) /* RFC 5280 5.2.4 */
		return fail(err, RC_DENIED, "signer: the delta is of no earlier list");
	if (x.base.p != NULL && x.freshest) /* RFC 5280 5.2.6 */
		return fail(err, RC_DENIED, "signer: a delta that names deltas");
	*number = x.number;
	return RC_OK;
}

/* ---- the whole ---- */

enum rc
check_tbs_crl(struct tbs_facts *out, const struct sign_rules *r, int64_t now, const uint8_t *tbs,
    size_t len, struct err *err)
{
	struct der whole = { tbs, len }, in, entries, tagged, list;
	struct tbs_facts facts = { DIGEST_NONE, { NULL, 0 } };
	enum rc rc;

	if (!der_take(&whole, DER_SEQUENCE, &in) || whole.len != 0)
		return fail(err, RC_PARSE, "signer: this is no TBSCertList");
	rc = read_head(&in, &facts.digest, r, err);
	if (rc == RC_OK)
		rc = read_updates(&in, r, now, err);
	if (rc != RC_OK)
		return rc;
	if (der_next_is(&in, DER_SEQUENCE) && !der_take(&in, DER_SEQUENCE, &entries))
		return fail(err, RC_PARSE, "signer: the list's entries are malformed");
	if (!der_take(&in, DER_CTX_CONS(0), &tagged) || in.len != 0 ||
	    !der_take(&tagged, DER_SEQUENCE, &list) || tagged.len != 0)
		return fail(err, RC_DENIED, "signer: no extensions, or something beside them");
	rc = read_list_exts(list, &facts.number, err);
	if (rc == RC_OK)
		*out = facts;
	return rc;
}
