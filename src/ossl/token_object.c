/*
 * token_object.c - finding keys in a token, and reading what is public about them.
 */
#include <string.h>

#include "base/limits.h"
#include "ossl/der.h"
#include "ossl/token.h"

#define VALUE_MAX (LIMIT_RSA_BITS / 8 + 64u) /* octets of one attribute: a modulus, and a bit */

/* An attribute that is there, and no longer than it may be. */
struct value {
	uint8_t p[VALUE_MAX];
	size_t len;
};

CK_RV
token_find(struct token_session *s, CK_OBJECT_CLASS class, const struct token_uri *uri,
    CK_OBJECT_HANDLE *obj, unsigned *n)
{
	CK_ATTRIBUTE want[3] = { { CKA_CLASS, &class, sizeof class } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG have = 0, wants = 1;
	CK_RV rv, end;

	if (uri->object[0] != '\0')
		want[wants++] =
		    (CK_ATTRIBUTE){ CKA_LABEL, (void *)uri->object, strlen(uri->object) };
	if (uri->id_len > 0)
		want[wants++] = (CK_ATTRIBUTE){ CKA_ID, (void *)uri->id, uri->id_len };
	if ((rv = s->f->C_FindObjectsInit(s->h, want, wants)) != CKR_OK)
		return rv;
	rv = s->f->C_FindObjects(s->h, found, 2, &have);
	end = s->f->C_FindObjectsFinal(s->h);
	if (rv != CKR_OK)
		return rv;
	*n = have > 2 ? 2 : (unsigned)have;
	if (have > 0)
		*obj = found[0];
	return end;
}

/* False when the object has none that may be read; *rv is CKR_OK then. */
static bool
get(struct token_session *s, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type, struct value *v,
    CK_RV *rv)
{
	CK_ATTRIBUTE a = { type, v->p, sizeof v->p };

	*rv = s->f->C_GetAttributeValue(s->h, obj, &a, 1);
	if (*rv == CKR_ATTRIBUTE_TYPE_INVALID || *rv == CKR_ATTRIBUTE_SENSITIVE ||
	    *rv == CKR_BUFFER_TOO_SMALL) {
		*rv = CKR_OK;
		return false;
	}
	if (*rv != CKR_OK || a.ulValueLen == 0 || a.ulValueLen > sizeof v->p)
		return false;
	v->len = a.ulValueLen;
	return true;
}

bool
token_flag(struct token_session *s, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type, bool dflt)
{
	CK_BBOOL b = CK_FALSE;
	CK_ATTRIBUTE a = { type, &b, sizeof b };

	if (s->f->C_GetAttributeValue(s->h, obj, &a, 1) != CKR_OK || a.ulValueLen != sizeof b)
		return dflt;
	return b != CK_FALSE;
}

/* The public key object with the private key's id, or without one with its label. */
static CK_RV
find_public(
    struct token_session *s, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE *public, bool *found)
{
	struct token_uri same = { .has_slot = false };
	struct value v;
	unsigned n = 0;
	CK_RV rv;

	*found = false;
	if (get(s, private, CKA_ID, &v, &rv) && v.len <= sizeof same.id) {
		memcpy(same.id, v.p, v.len);
		same.id_len = v.len;
	} else if (rv == CKR_OK && get(s, private, CKA_LABEL, &v, &rv) &&
	    v.len < sizeof same.object) {
		memcpy(same.object, v.p, v.len);
	} else {
		return rv;
	}
	rv = token_find(s, CKO_PUBLIC_KEY, &same, public, &n);
	*found = rv == CKR_OK && n == 1;
	return rv;
}

/* From the private key, or else from the public one. */
static bool
get_either(struct token_session *s, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type, struct value *v,
    CK_RV *rv)
{
	CK_OBJECT_HANDLE public;
	bool found;

	if (get(s, obj, type, v, rv))
		return true;
	if (*rv != CKR_OK || (*rv = find_public(s, obj, &public, &found)) != CKR_OK || !found)
		return false;
	return get(s, public, type, v, rv);
}

/* RFC 8017 A.1.1 in RFC 3279 2.3.1. */
static void
add_rsa(struct buf *b, const struct value *n, const struct value *e)
{
	size_t spki = der_open(b, DER_SEQUENCE), mark = der_open(b, DER_SEQUENCE), seq;

	(void)der_add_oid(b, "1.2.840.113549.1.1.1");
	der_add(b, DER_NULL, NULL, 0);
	der_close(b, mark);
	mark = der_open(b, DER_BIT_STRING);
	buf_addc(b, '\0');
	seq = der_open(b, DER_SEQUENCE);
	der_add_magnitude(b, n->p, n->len);
	der_add_magnitude(b, e->p, e->len);
	der_close(b, seq);
	der_close(b, mark);
	der_close(b, spki);
}

/* CKA_EC_POINT is an OCTET STRING around the point (PKCS#11 2.40, 2.3.3); some give the point alone. */
static void
add_ec(struct buf *b, const struct value *params, const struct value *value)
{
	size_t spki = der_open(b, DER_SEQUENCE), mark = der_open(b, DER_SEQUENCE);
	struct der rest = { value->p, value->len }, point;

	if (!der_take(&rest, DER_OCTET_STRING, &point) || rest.len != 0)
		point = (struct der){ value->p, value->len };
	(void)der_add_oid(b, "1.2.840.10045.2.1");
	buf_add(b, params->p, params->len);
	der_close(b, mark);
	der_add_octet_bits(b, point.p, point.len);
	der_close(b, spki);
}

static CK_RV
public_rsa(struct token_session *s, CK_OBJECT_HANDLE obj, struct buf *spki, const char **why)
{
	struct value n, e;
	CK_RV rv;

	if (get_either(s, obj, CKA_MODULUS, &n, &rv) &&
	    get_either(s, obj, CKA_PUBLIC_EXPONENT, &e, &rv))
		add_rsa(spki, &n, &e);
	else if (rv == CKR_OK)
		*why = "has no readable public half";
	return rv;
}

static CK_RV
public_ec(struct token_session *s, CK_OBJECT_HANDLE obj, struct buf *spki, const char **why)
{
	struct value params, point;
	CK_RV rv;

	if (get_either(s, obj, CKA_EC_PARAMS, &params, &rv) &&
	    get_either(s, obj, CKA_EC_POINT, &point, &rv))
		add_ec(spki, &params, &point);
	else if (rv == CKR_OK)
		*why = "has no readable public half: its public key object has to be there too";
	return rv;
}

CK_RV
token_public(struct token_session *s, CK_OBJECT_HANDLE obj, struct buf *spki, const char **why)
{
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE a = { CKA_KEY_TYPE, &type, sizeof type };
	CK_RV rv = s->f->C_GetAttributeValue(s->h, obj, &a, 1);

	if (rv != CKR_OK)
		return rv;
	if (type == CKK_RSA)
		return public_rsa(s, obj, spki, why);
	if (type == CKK_EC)
		return public_ec(s, obj, spki, why);
	*why = "is neither RSA nor EC";
	return CKR_OK;
}
