/*
 * policy.c - certificate policies (RFC 5280 4.2.1.4), with the URL of a practice statement.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ossl/ca_ext.h"
#include "ossl/der.h"
#include "ossl/der_text.h"

#define OID_QUALIFIER_CPS "1.3.6.1.5.5.7.2.1"

_Static_assert(sizeof(((struct policy *)0)->oid) == OID_TEXT_MAX, "what der_take_oid() fills");

void
policies_done(struct policies *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].cps);
	free(l->v);
	*l = (struct policies){ 0 };
}

static bool
has(const struct policies *l, const char *oid)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].oid, oid) == 0)
			return true;
	}
	return false;
}

/* A zeroed one at the end of the list, for the caller to fill. */
static enum rc
grow(struct policies *l, struct policy **slot, struct err *err)
{
	struct policy *v;

	if (l->n >= POLICIES_MAX)
		return fail(err, RC_LIMIT, "more than %d certificate policies", POLICIES_MAX);
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for certificate policies");
	l->v = v;
	v[l->n] = (struct policy){ 0 };
	*slot = &v[l->n++];
	return RC_OK;
}

static bool
is_oid(const char *oid)
{
	struct buf probe;
	bool ok;

	buf_init(&probe, 2 * OID_TEXT_MAX);
	ok = strlen(oid) < OID_TEXT_MAX && der_add_oid(&probe, oid);
	buf_done(&probe);
	return ok;
}

enum rc
policies_add(struct policies *l, const char *text, struct err *err)
{
	const char *comma = strchr(text, ',');
	struct policy *p;
	char *oid = NULL;
	enum rc rc;

	if (comma != NULL && (comma[1] == '\0' || !text_is_ascii(comma + 1)))
		return fail(err, RC_CONFIG, "policy \"%s\": no address behind the comma", text);
	rc = str_ndup(&oid, text, comma != NULL ? (size_t)(comma - text) : strlen(text), err);
	if (rc == RC_OK && !is_oid(oid))
		rc = fail(
		    err, RC_CONFIG, "policy \"%s\" is no OID like 1.3.6.1.4.1.311.21.8.1", oid);
	if (rc == RC_OK && has(l, oid))
		rc = fail(err, RC_CONFIG, "policy %s is named twice", oid);
	if (rc == RC_OK)
		rc = grow(l, &p, err);
	if (rc == RC_OK)
		(void)snprintf(p->oid, sizeof p->oid, "%s", oid);
	if (rc == RC_OK && comma != NULL)
		rc = str_dup(&p->cps, comma + 1, err);
	free(oid);
	return rc;
}

static enum rc
read_qualifiers(struct policy *p, struct der list, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der one, text;
	enum rc rc;

	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &one) || !der_take_oid(&one, oid))
			return fail(err, RC_PARSE, "a policy qualifier is malformed");
		if (strcmp(oid, OID_QUALIFIER_CPS) != 0 || p->cps != NULL)
			continue;
		if (!der_take(&one, DER_IA5, &text) || one.len != 0)
			return fail(err, RC_PARSE, "a policy qualifier is malformed");
		rc = der_text(&p->cps, DER_IA5, &text, TEXT_NAME, "a policy qualifier", err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
read_policy(struct policies *l, struct der info, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der list = { 0 };
	struct policy *p;
	enum rc rc;

	if (!der_take_oid(&info, oid) ||
	    (info.len > 0 && (!der_take(&info, DER_SEQUENCE, &list) || list.len == 0)) ||
	    info.len != 0)
		return fail(err, RC_PARSE, "a certificate policy is malformed");
	if (has(l, oid))
		return fail(err, RC_PARSE, "certificate policy %s is there twice", oid);
	if ((rc = grow(l, &p, err)) != RC_OK)
		return rc;
	(void)snprintf(p->oid, sizeof p->oid, "%s", oid);
	return read_qualifiers(p, list, err);
}

enum rc
policies_parse(struct policies *out, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, seq, info;
	struct policies l = { 0 };
	enum rc rc = RC_OK;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 || seq.len == 0)
		return fail(err, RC_PARSE, "certificatePolicies is malformed");
	while (rc == RC_OK && seq.len > 0) {
		if (der_take(&seq, DER_SEQUENCE, &info))
			rc = read_policy(&l, info, err);
		else
			rc = fail(err, RC_PARSE, "certificatePolicies is malformed");
	}
	if (rc != RC_OK) {
		policies_done(&l);
		return rc;
	}
	*out = l;
	return RC_OK;
}

static void
write_cps(struct buf *b, const char *url)
{
	size_t list = der_open(b, DER_SEQUENCE), one = der_open(b, DER_SEQUENCE);

	(void)der_add_oid(b, OID_QUALIFIER_CPS);
	der_add_text(b, DER_IA5, url);
	der_close(b, one);
	der_close(b, list);
}

enum rc
policies_write(struct buf *out, const struct policies *l, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE), i, info;

	for (i = 0; i < l->n; i++) {
		info = der_open(out, DER_SEQUENCE);
		if (!der_add_oid(out, l->v[i].oid))
			return fail(err, RC_CONFIG, "\"%s\" is no OID of a policy", l->v[i].oid);
		if (l->v[i].cps != NULL)
			write_cps(out, l->v[i].cps);
		der_close(out, info);
	}
	der_close(out, seq);
	return buf_ok(out, "certificate policies", err);
}
