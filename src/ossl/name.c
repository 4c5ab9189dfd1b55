/*
 * name.c - distinguished names: decoding, comparing, showing.  Reading them from text is in
 * name_text.c.
 */
#include "ossl/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ossl/der.h"
#include "ossl/der_text.h"
#include "ossl/name_labels.h"

/* AttributeTypeAndValue (RFC 5280 4.1.2.4). */
static enum rc
parse_attr(struct name *n, struct der *set, bool new_rdn, struct err *err)
{
	struct name_attr *a = &n->attrs[n->n];
	const struct name_label *label;
	struct der seq, body;
	uint8_t tag;
	enum rc rc;

	if (!der_take(set, DER_SEQUENCE, &seq) || !der_take_oid(&seq, a->oid) ||
	    !der_any(&seq, &tag, &body, NULL) || seq.len != 0)
		return fail(err, RC_PARSE, "an attribute of the name is malformed");
	label = name_label_by_oid(a->oid);
	a->label = label != NULL ? label->label : a->oid;
	a->new_rdn = new_rdn;
	rc = der_text(&a->value, tag, &body, TEXT_NAME, a->label, err);
	if (rc == RC_OK)
		n->n++;
	return rc;
}

/* How many attributes there are in all RDNs. */
static enum rc
count_attrs(size_t *total, struct der rdns, struct err *err)
{
	struct der set;
	size_t n;

	*total = 0;
	while (rdns.len > 0) {
		if (!der_take(&rdns, DER_SET, &set) || !der_count(&set, &n) || n == 0)
			return fail(err, RC_PARSE, "the name is malformed");
		*total += n;
		if (*total > NAME_ATTRS_MAX)
			return fail(
			    err, RC_PARSE, "the name has more than %d attributes", NAME_ATTRS_MAX);
	}
	return RC_OK;
}

static enum rc
parse_rdns(struct name *n, struct der rdns, struct err *err)
{
	struct der set;
	bool first;
	enum rc rc;

	while (rdns.len > 0) {
		if (!der_take(&rdns, DER_SET, &set))
			return fail(err, RC_PARSE, "the name is malformed");
		for (first = true; set.len > 0; first = false)
			if ((rc = parse_attr(n, &set, first, err)) != RC_OK)
				return rc;
	}
	return RC_OK;
}

enum rc
name_parse(struct name *out, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, rdns;
	struct name n = { 0 };
	size_t total;
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &rdns) || in.len != 0)
		return fail(err, RC_PARSE, "the name is malformed");
	if ((rc = count_attrs(&total, rdns, err)) != RC_OK)
		return rc;
	n.der = malloc(len);
	n.attrs = calloc(total > 0 ? total : 1, sizeof *n.attrs);
	if (n.der == NULL || n.attrs == NULL) {
		rc = fail(err, RC_NOMEM, "no memory for a name");
		goto out;
	}
	memcpy(n.der, der, len);
	n.der_len = len;
	if ((rc = parse_rdns(&n, rdns, err)) != RC_OK)
		goto out;
	*out = n;
	return RC_OK;
out:
	name_done(&n);
	return rc;
}

void
name_done(struct name *n)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		free(n->attrs[i].value);
	free(n->attrs);
	free(n->der);
	*n = (struct name){ 0 };
}

/* RFC 4514 2.4 */
static void
add_escaped(struct buf *out, const char *value)
{
	const char *p;

	for (p = value; *p != '\0'; p++) {
		if (strchr(",+\"\\<>;", *p) != NULL || (*p == '#' && p == value) ||
		    (*p == ' ' && (p == value || p[1] == '\0')))
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
}

void
name_text(struct buf *out, const struct name *n)
{
	size_t i;

	for (i = 0; i < n->n; i++) {
		if (i > 0)
			buf_addc(out, n->attrs[i].new_rdn ? ',' : '+');
		buf_adds(out, n->attrs[i].label);
		buf_addc(out, '=');
		add_escaped(out, n->attrs[i].value);
	}
}

bool
name_same(const struct name *a, const struct name *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->attrs[i].new_rdn != b->attrs[i].new_rdn ||
		    strcmp(a->attrs[i].oid, b->attrs[i].oid) != 0 ||
		    strcmp(a->attrs[i].value, b->attrs[i].value) != 0)
			return false;
	return true;
}

const char *
name_get0(const struct name *n, const char *label, size_t i)
{
	size_t k;

	for (k = 0; k < n->n; k++)
		if (strcmp(n->attrs[k].label, label) == 0 && i-- == 0)
			return n->attrs[k].value;
	return NULL;
}
