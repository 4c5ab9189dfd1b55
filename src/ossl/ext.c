/*
 * ext.c - reading X.509 extensions.
 */
#include "ossl/ext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/der_text.h"

#define PATH_LEN_MAX 1000 /* far above what any chain has: no limit */

enum rc
oid_list_add(struct oid_list *l, const char *oid, size_t max, struct err *err)
{
	const char **v;
	char *copy;
	enum rc rc;

	if (l->n >= max)
		return fail(err, RC_LIMIT, "more than %zu extensions or purposes", max);
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for an OID");
	l->v = v;
	if ((rc = str_dup(&copy, oid, err)) != RC_OK)
		return rc;
	v[l->n++] = copy;
	return RC_OK;
}

bool
oid_list_has(const struct oid_list *l, const char *oid)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], oid) == 0)
			return true;
	return false;
}

void
oid_list_done(struct oid_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free((char *)l->v[i]);
	free(l->v);
	*l = (struct oid_list){ 0 };
}

enum rc
ext_each(struct der exts, struct oid_list *seen, ext_fn *each, void *arg, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der ext, value;
	bool critical;
	enum rc rc;

	while (exts.len > 0) {
		if (!der_take(&exts, DER_SEQUENCE, &ext) || !der_take_oid(&ext, oid) ||
		    (der_next_is(&ext, DER_BOOLEAN) && !der_take_bool(&ext, &critical)) ||
		    !der_take(&ext, DER_OCTET_STRING, &value) || ext.len != 0)
			return fail(err, RC_PARSE, "an extension is malformed");
		if (oid_list_has(seen, oid))
			return fail(err, RC_PARSE, "extension %s is there twice", oid);
		if ((rc = oid_list_add(seen, oid, EXTENSIONS_MAX, err)) != RC_OK ||
		    (rc = each(arg, oid, &value, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
add_ia5(struct san_list *out, enum san_type type, const struct der *body, struct err *err)
{
	char *s;
	enum rc rc;

	if (body->len == 0)
		return fail(
		    err, RC_PARSE, "an alternative name of type %s is empty", san_type_name(type));
	if ((rc = der_text(&s, DER_IA5, body, TEXT_NAME, "an alternative name", err)) != RC_OK)
		return rc;
	rc = san_list_add(out, type, s, err);
	free(s);
	return rc;
}

/* OtherName ::= SEQUENCE { type-id OID, value [0] EXPLICIT ANY }, with an implicit tag outside. */
static enum rc
add_other_name(struct san_list *out, const struct der *body, struct err *err)
{
	char oid[OID_TEXT_MAX], described[OID_TEXT_MAX + 16], *s;
	struct der rest = *body, explicit, text;
	uint8_t tag;
	enum rc rc;

	if (!der_take_oid(&rest, oid) || !der_take(&rest, DER_CTX_CONS(0), &explicit) ||
	    rest.len != 0 || !der_any(&explicit, &tag, &text, NULL) || explicit.len != 0)
		return fail(err, RC_PARSE, "an otherName is malformed");
	if (strcmp(oid, OID_UPN) != 0) {
		snprintf(described, sizeof described, "otherName %s", oid);
		return san_list_add(out, SAN_OTHER, described, err);
	}
	if (text.len == 0)
		return fail(err, RC_PARSE, "an alternative name of type upn is empty");
	if ((rc = der_text(&s, tag, &text, TEXT_NAME, "a userPrincipalName", err)) != RC_OK)
		return rc;
	rc = san_list_add(out, SAN_UPN, s, err);
	free(s);
	return rc;
}

static enum rc
add_ip(struct san_list *out, const struct der *body, struct err *err)
{
	char described[80];
	size_t n;

	if (body->len != 4 && body->len != 16)
		return fail(err, RC_PARSE, "an IP address has %zu octets", body->len);
	if (body->len == 4) {
		snprintf(described, sizeof described, "ip %u.%u.%u.%u", body->p[0], body->p[1],
		    body->p[2], body->p[3]);
	} else {
		n = (size_t)snprintf(described, sizeof described, "ip ");
		hex_lower(described + n, body->p, body->len);
	}
	return san_list_add(out, SAN_OTHER, described, err);
}

/* GeneralName by the number of its tag (RFC 5280 4.2.1.6). */
static const struct {
	bool constructed;
	enum san_type type;
	const char *described; /* SAN_OTHER */
} general_names[] = {
	[0] = { true, SAN_OTHER, "otherName" },
	[1] = { false, SAN_EMAIL, NULL },
	[2] = { false, SAN_DNS, NULL },
	[3] = { true, SAN_OTHER, "x400Address" },
	[4] = { true, SAN_OTHER, "directoryName" },
	[5] = { true, SAN_OTHER, "ediPartyName" },
	[6] = { false, SAN_URI, NULL },
	[7] = { false, SAN_OTHER, "ip" },
	[8] = { false, SAN_OTHER, "registeredID" },
};

static enum rc
add_general_name(struct san_list *out, uint8_t tag, const struct der *body, struct err *err)
{
	size_t n = tag & 0x1f;

	if (n >= sizeof general_names / sizeof general_names[0] ||
	    tag != (general_names[n].constructed ? DER_CTX_CONS(n) : DER_CTX(n)))
		return fail(err, RC_PARSE, "an alternative name has tag %#x", tag);
	if (n == 0)
		return add_other_name(out, body, err);
	if (n == 7)
		return add_ip(out, body, err);
	if (general_names[n].type == SAN_OTHER)
		return san_list_add(out, SAN_OTHER, general_names[n].described, err);
	return add_ia5(out, general_names[n].type, body, err);
}

/* left_out NULL: more than LIMIT_SAN are refused. */
static enum rc
read_san(struct san_list *out, size_t *left_out, const struct der *value, struct err *err)
{
	struct der in = *value, seq, body;
	uint8_t tag;
	enum rc rc = RC_OK;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 || seq.len == 0)
		return fail(err, RC_PARSE, "subjectAltName is malformed");
	while (seq.len > 0) {
		if (!der_any(&seq, &tag, &body, NULL))
			return fail(err, RC_PARSE, "subjectAltName is malformed");
		if (left_out != NULL && out->n == LIMIT_SAN)
			++*left_out;
		else if ((rc = add_general_name(out, tag, &body, err)) != RC_OK)
			return rc;
	}
	return rc;
}

enum rc
ext_read_san(struct san_list *out, const struct der *value, struct err *err)
{
	return read_san(out, NULL, value, err);
}

enum rc
ext_read_san_first(struct san_list *out, size_t *left_out, const struct der *value, struct err *err)
{
	*left_out = 0;
	return read_san(out, left_out, value, err);
}

enum rc
ext_read_key_usage(unsigned *ku, const struct der *value, struct err *err)
{
	struct der in = *value;

	if (!der_take_named_bits(&in, ku) || in.len != 0)
		return fail(err, RC_PARSE, "keyUsage is malformed");
	return RC_OK;
}

enum rc
ext_read_eku(struct oid_list *out, const struct der *value, struct err *err)
{
	struct der in = *value, seq;
	char oid[OID_TEXT_MAX];
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 || seq.len == 0)
		return fail(err, RC_PARSE, "extKeyUsage is malformed");
	while (seq.len > 0) {
		if (!der_take_oid(&seq, oid))
			return fail(err, RC_PARSE, "extKeyUsage is malformed");
		if ((rc = oid_list_add(out, oid, EKU_MAX, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
ext_read_basic(bool *ca, int *path_len, const struct der *value, struct err *err)
{
	struct der in = *value, seq;
	uint64_t len = PATH_LEN_MAX;
	bool is_ca = false;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 ||
	    (der_next_is(&seq, DER_BOOLEAN) && !der_take_bool(&seq, &is_ca)) ||
	    (der_next_is(&seq, DER_INTEGER) && !der_take_u64(&seq, &len)) || seq.len != 0)
		return fail(err, RC_PARSE, "basicConstraints is malformed");
	*ca = is_ca;
	*path_len = len < PATH_LEN_MAX ? (int)len : -1;
	return RC_OK;
}

enum rc
ext_read_ski(struct der *ski, const struct der *value, struct err *err)
{
	struct der in = *value;

	if (!der_take(&in, DER_OCTET_STRING, ski) || in.len != 0 || ski->len == 0)
		return fail(err, RC_PARSE, "subjectKeyIdentifier is malformed");
	return RC_OK;
}
