/*
 * ext_write.c - writing X.509 extensions.
 */
#include <string.h>

#include "ossl/der_text.h"
#include "ossl/ext.h"

struct ext_mark
ext_open(struct buf *b, const char *oid, bool critical)
{
	struct ext_mark m;

	m.seq = der_open(b, DER_SEQUENCE);
	der_add_oid(b, oid);
	if (critical)
		der_add_bool(b, true); /* DEFAULT FALSE is left out (X.690 11.5) */
	m.value = der_open(b, DER_OCTET_STRING);
	return m;
}

void
ext_close(struct buf *b, struct ext_mark m)
{
	der_close(b, m.value);
	der_close(b, m.seq);
}

static void
add_upn(struct buf *b, const char *upn)
{
	size_t other = der_open(b, DER_CTX_CONS(0)), value;

	der_add_oid(b, OID_UPN);
	value = der_open(b, DER_CTX_CONS(0));
	der_add_text(b, DER_UTF8, upn);
	der_close(b, value);
	der_close(b, other);
}

static const uint8_t san_tags[SAN__MAX] = {
	[SAN_EMAIL] = DER_CTX(1),
	[SAN_DNS] = DER_CTX(2),
	[SAN_URI] = DER_CTX(6),
};

static enum rc
add_san(struct buf *b, const struct san *san, struct err *err)
{
	const char *type = san_type_name(san->type);

	if (san->value[0] == '\0')
		return fail(err, RC_PARSE, "an alternative name of type %s is empty", type);
	if (san->type == SAN_UPN) {
		if (!text_is_clean(san->value))
			return fail(
			    err, RC_PARSE, "the alternative name of type upn is no clean UTF-8");
		add_upn(b, san->value);
		return RC_OK;
	}
	if ((unsigned)san->type >= SAN__MAX || san_tags[san->type] == 0)
		return fail(err, RC_DENIED, "alternative names of type %s are never issued", type);
	if (!text_is_ascii(san->value))
		return fail(err, RC_PARSE, "the alternative name of type %s is not ASCII", type);
	der_add_text(b, san_tags[san->type], san->value);
	return RC_OK;
}

enum rc
ext_add_san(struct buf *b, const struct san_list *san, bool critical, struct err *err)
{
	struct ext_mark m = ext_open(b, OID_EXT_SAN, critical);
	size_t seq = der_open(b, DER_SEQUENCE), i;
	enum rc rc;

	for (i = 0; i < san->n; i++)
		if ((rc = add_san(b, &san->v[i], err)) != RC_OK)
			return rc;
	der_close(b, seq);
	ext_close(b, m);
	return RC_OK;
}

enum rc
ext_add_eku(struct buf *b, const char *const *eku, size_t n, struct err *err)
{
	struct ext_mark m = ext_open(b, OID_EXT_EKU, false);
	size_t seq = der_open(b, DER_SEQUENCE), i;

	for (i = 0; i < n; i++)
		if (!der_add_oid(b, eku[i]))
			return fail(
			    err, RC_PARSE, "\"%s\" is no OID of an extended key usage", eku[i]);
	der_close(b, seq);
	ext_close(b, m);
	return RC_OK;
}

void
ext_add_key_usage(struct buf *b, unsigned ku)
{
	struct ext_mark m = ext_open(b, OID_EXT_KEY_USAGE, true);

	der_add_named_bits(b, ku);
	ext_close(b, m);
}

void
ext_add_basic(struct buf *b, bool ca, int path_len)
{
	struct ext_mark m = ext_open(b, OID_EXT_BASIC, true);
	size_t seq = der_open(b, DER_SEQUENCE);

	if (ca)
		der_add_bool(b, true);
	if (ca && path_len >= 0)
		der_add_u64(b, (uint64_t)path_len);
	der_close(b, seq);
	ext_close(b, m);
}

enum rc
ext_add_constraints(struct buf *b, const struct constraints *l, struct err *err)
{
	struct ext_mark m;
	enum rc rc;

	if (l == NULL || l->n == 0)
		return RC_OK;
	m = ext_open(b, OID_EXT_CONSTRAINTS, true);
	rc = constraints_write(b, l, err);
	ext_close(b, m);
	return rc;
}

enum rc
ext_add_policies(struct buf *b, const struct policies *l, struct err *err)
{
	struct ext_mark m;
	enum rc rc;

	if (l == NULL || l->n == 0)
		return RC_OK;
	m = ext_open(b, OID_EXT_POLICIES, false);
	rc = policies_write(b, l, err);
	ext_close(b, m);
	return rc;
}

enum rc
ext_add_ski(struct buf *b, const struct key *k, struct err *err)
{
	uint8_t id[20];
	struct ext_mark m;
	enum rc rc = key_identifier(id, k, err);

	if (rc != RC_OK)
		return rc;
	m = ext_open(b, OID_EXT_SKI, false);
	der_add(b, DER_OCTET_STRING, id, sizeof id);
	ext_close(b, m);
	return RC_OK;
}

void
ext_add_aki(struct buf *b, const uint8_t *id, size_t len)
{
	struct ext_mark m = ext_open(b, OID_EXT_AKI, false);
	size_t seq = der_open(b, DER_SEQUENCE);

	der_add(b, DER_CTX(0), id, len);
	der_close(b, seq);
	ext_close(b, m);
}

enum rc
ext_add_url(struct buf *b, const char *url, struct err *err)
{
	if (url[0] == '\0' || !text_is_ascii(url))
		return fail(err, RC_PARSE, "the address \"%s\" is not ASCII", url);
	der_add_text(b, DER_CTX(6), url);
	return RC_OK;
}

enum rc
ext_add_point_name(struct buf *b, const char *const *urls, size_t n, struct err *err)
{
	size_t name = der_open(b, DER_CTX_CONS(0)), full = der_open(b, DER_CTX_CONS(0)), i;
	enum rc rc;

	for (i = 0; i < n; i++)
		if ((rc = ext_add_url(b, urls[i], err)) != RC_OK)
			return rc;
	der_close(b, full);
	der_close(b, name);
	return RC_OK;
}

enum rc
ext_add_points(struct buf *b, const char *oid, const char *const *urls, size_t n, struct err *err)
{
	struct ext_mark m = ext_open(b, oid, false);
	size_t points = der_open(b, DER_SEQUENCE), point = der_open(b, DER_SEQUENCE);
	enum rc rc = ext_add_point_name(b, urls, n, err);

	if (rc != RC_OK)
		return rc;
	der_close(b, point);
	der_close(b, points);
	ext_close(b, m);
	return RC_OK;
}
