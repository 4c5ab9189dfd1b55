/*
 * csr_attrs.c - the attributes of a PKCS#10 request: challenge, wished extensions, wished validity.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/csr_int.h"
#include "ossl/der_text.h"

#define DAY          ((int64_t)86400)
#define VALIDITY_MAX (100 * 365 * DAY) /* more than any CA lives */

/* The two halves of a wished validity while the attributes are read. */
struct pairs {
	char *period, *units;
};

struct reader {
	struct csr *c;
	struct pairs pairs;
	struct oid_list seen; /* extensions, in all attributes */
};

static enum rc
read_challenge(struct csr *c, uint8_t tag, const struct der *value, struct err *err)
{
	uint8_t type = tag == DER_OCTET_STRING ? DER_UTF8 : tag;
	char *s;
	enum rc rc;

	if (value->len > LIMIT_CHALLENGE)
		return fail(err, RC_LIMIT, "a challenge of %zu bytes is longer than %u", value->len,
		    LIMIT_CHALLENGE);
	if ((rc = der_text(&s, type, value, TEXT_LINES, "the challengePassword", err)) != RC_OK)
		return rc;
	if (c->n_challenges++ == 0)
		c->challenge = s;
	else
		wipe_free(s, strlen(s));
	return RC_OK;
}

static enum rc
on_challenge(struct reader *r, struct der values, struct err *err)
{
	struct der body;
	uint8_t tag;
	enum rc rc;

	while (values.len > 0) {
		if (!der_any(&values, &tag, &body, NULL))
			return fail(err, RC_PARSE, "the challengePassword is malformed");
		if ((rc = read_challenge(r->c, tag, &body, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
wish_san(struct csr *c, const struct der *value, struct err *err)
{
	c->wishes.has_san = true;
	return ext_read_san(&c->wishes.san, value, err);
}

static enum rc
wish_key_usage(struct csr *c, const struct der *value, struct err *err)
{
	enum rc rc = ext_read_key_usage(&c->wishes.key_usage, value, err);

	if (rc != RC_OK)
		return rc;
	c->wishes.has_key_usage = true;
	if ((c->wishes.key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0)
		c->wishes.wants_ca = true;
	return RC_OK;
}

static enum rc
wish_eku(struct csr *c, const struct der *value, struct err *err)
{
	c->wishes.has_eku = true;
	return ext_read_eku(&c->eku, value, err);
}

static enum rc
wish_basic(struct csr *c, const struct der *value, struct err *err)
{
	int path_len;
	bool ca;
	enum rc rc = ext_read_basic(&ca, &path_len, value, err);

	if (rc == RC_OK && ca)
		c->wishes.wants_ca = true;
	return rc;
}

static enum rc
wish_sid(struct csr *c, const struct der *value, struct err *err)
{
	struct der v = *value, names, other, oid, tagged, sid;

	/* GeneralNames with one otherName, whose value is an OCTET STRING with the SID's text.  What is built
	 * otherwise is there and says nothing: a certificate never gets it, and who judges SIDs refuses. */
	c->wishes.has_sid_extension = true;
	c->wishes.sid[0] = '\0';
	if (der_take(&v, DER_SEQUENCE, &names) && der_take(&names, DER_CTX_CONS(0), &other) &&
	    names.len == 0 && der_take(&other, DER_OID, &oid) &&
	    der_take(&other, DER_CTX_CONS(0), &tagged) &&
	    der_take(&tagged, DER_OCTET_STRING, &sid) && sid.len < sizeof(c->wishes.sid) &&
	    memchr(sid.p, '\0', sid.len) == NULL) {
		memcpy(c->wishes.sid, sid.p, sid.len);
		c->wishes.sid[sid.len] = '\0';
	}
	return RC_OK;
}

/* The only extensions that are ever read. */
static const struct {
	const char *oid;
	enum rc (*read)(struct csr *c, const struct der *value, struct err *err);
} wishes[] = {
	{ OID_EXT_SAN, wish_san },
	{ OID_EXT_KEY_USAGE, wish_key_usage },
	{ OID_EXT_EKU, wish_eku },
	{ OID_EXT_BASIC, wish_basic },
	{ OID_SID_EXTENSION, wish_sid },
};

static enum rc
on_extension(void *arg, const char *oid, const struct der *value, struct err *err)
{
	struct reader *r = arg;
	size_t i;

	for (i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
		if (strcmp(oid, wishes[i].oid) == 0)
			return wishes[i].read(r->c, value, err);
	return oid_list_add(&r->c->ignored, oid, EXTENSIONS_MAX, err);
}

static enum rc
on_extension_request(struct reader *r, struct der values, struct err *err)
{
	struct der exts;
	enum rc rc;

	while (values.len > 0) {
		if (!der_take(&values, DER_SEQUENCE, &exts))
			return fail(err, RC_PARSE, "the extensionRequest is malformed");
		if ((rc = ext_each(exts, &r->seen, on_extension, r, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* One half of EnrollmentNameValuePair; false when it is no text. */
static enum rc
take_text(char **out, struct der *in, struct err *err)
{
	struct der body;
	uint8_t tag;

	if (!der_any(in, &tag, &body, NULL))
		return fail(err, RC_PARSE, "an enrollmentNameValuePair is malformed");
	return der_text(out, tag, &body, TEXT_LINES, "an enrollmentNameValuePair", err);
}

/* Keep `value` under `name` if it is one of the two that count; the first one stays. */
static void
keep_pair(struct pairs *p, const char *name, char *value)
{
	char **to = NULL;

	if (str_eq_nocase(name, "ValidityPeriod"))
		to = &p->period;
	else if (str_eq_nocase(name, "ValidityPeriodUnits"))
		to = &p->units;
	if (to == NULL || *to != NULL)
		free(value);
	else
		*to = value;
}

/* A wish that makes no sense is no reason to refuse: the profile's validity is used then. */
static enum rc
on_name_value_pair(struct reader *r, struct der values, struct err *err)
{
	char *name = NULL, *value = NULL;
	struct der pair;
	enum rc rc;

	while (values.len > 0 && der_take(&values, DER_SEQUENCE, &pair)) {
		rc = take_text(&name, &pair, NULL);
		if (rc == RC_OK && (rc = take_text(&value, &pair, NULL)) == RC_OK)
			keep_pair(&r->pairs, name, value);
		free(name);
		name = value = NULL;
		if (rc == RC_NOMEM)
			return fail(err, rc, "no memory for an enrollmentNameValuePair");
	}
	return RC_OK;
}

static const struct {
	const char *oid;
	enum rc (*read)(struct reader *r, struct der values, struct err *err);
} attributes[] = {
	{ OID_CHALLENGE, on_challenge },
	{ OID_EXTENSION_REQUEST, on_extension_request },
	{ OID_MS_EXTENSION_REQUEST, on_extension_request },
	{ OID_NAME_VALUE_PAIR, on_name_value_pair },
};

static enum rc
read_attr(struct reader *r, struct der attr, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der values;
	size_t i, n;

	if (!der_take_oid(&attr, oid))
		return fail(err, RC_PARSE, "an attribute of the request is malformed");
	/* Some clients write the challenge without the SET around it. */
	if (strcmp(oid, OID_CHALLENGE) == 0 && !der_next_is(&attr, DER_SET))
		return on_challenge(r, attr, err);
	if (!der_take(&attr, DER_SET, &values) || attr.len != 0 || !der_count(&values, &n))
		return fail(err, RC_PARSE, "attribute %s of the request is malformed", oid);
	if (n > LIMIT_ATTRS)
		return fail(err, RC_LIMIT, "attribute %s of the request has more than %u values",
		    oid, LIMIT_ATTRS);
	for (i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (strcmp(oid, attributes[i].oid) == 0)
			return attributes[i].read(r, values, err);
	return RC_OK;
}

static const struct {
	const char *name, *singular;
	int64_t seconds;
} units[] = {
	{ "Years", "Year", 365 * DAY },
	{ "Months", "Month", 30 * DAY },
	{ "Weeks", "Week", 7 * DAY },
	{ "Days", "Day", DAY },
	{ "Hours", "Hour", 3600 },
	{ "Minutes", "Minute", 60 },
};

static int64_t
unit_seconds(const char *s)
{
	size_t i;

	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (str_eq_nocase(s, units[i].name) || str_eq_nocase(s, units[i].singular))
			return units[i].seconds;
	return 0;
}

/* "Years" x "2" in seconds, in either order; 0 when it is nonsense. */
static int64_t
csr_validity(const char *a, const char *b)
{
	int64_t unit = unit_seconds(a);
	const char *number = b;
	uint64_t n;

	if (unit == 0) {
		unit = unit_seconds(b);
		number = a;
	}
	if (unit == 0 || parse_u64(&n, number, 1, UINT32_MAX, "number", NULL) != RC_OK)
		return 0;
	/* At most 2^32 x 2^25: no overflow. */
	return (int64_t)n * unit < VALIDITY_MAX ? (int64_t)n * unit : VALIDITY_MAX;
}

enum rc
csr_read_attrs(struct csr *c, struct der attrs, struct err *err)
{
	struct reader r = { .c = c };
	struct der attr;
	enum rc rc = RC_OK;
	size_t n = 0;

	while (rc == RC_OK && attrs.len > 0) {
		if (!der_take(&attrs, DER_SEQUENCE, &attr))
			rc = fail(err, RC_PARSE, "the request's attributes are malformed");
		else if (++n > LIMIT_ATTRS)
			rc = fail(
			    err, RC_LIMIT, "the request has more than %u attributes", LIMIT_ATTRS);
		else
			rc = read_attr(&r, attr, err);
	}
	if (rc == RC_OK && r.pairs.period != NULL && r.pairs.units != NULL)
		c->wishes.validity_seconds = csr_validity(r.pairs.period, r.pairs.units);
	c->wishes.eku = c->eku.v;
	c->wishes.n_eku = c->eku.n;
	c->wishes.ignored = c->ignored.v;
	c->wishes.n_ignored = c->ignored.n;
	free(r.pairs.period);
	free(r.pairs.units);
	oid_list_done(&r.seen);
	return rc;
}
