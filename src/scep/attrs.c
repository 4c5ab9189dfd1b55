/*
 * attrs.c - the signed attributes of RFC 8894 3.2.1.
 */
#include "scep/attrs.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ossl/der_text.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The RFC says PrintableString; these are seen. */
static bool
is_string(uint8_t tag)
{
	return tag == DER_PRINTABLE || tag == DER_UTF8 || tag == DER_IA5;
}

enum rc
attr_transaction_id(const struct cms_signed *s, struct transaction *t, struct err *err)
{
	char text[LIMIT_TXID + 1];
	struct cms_value v;
	enum rc rc;

	if ((rc = cms_signed_attr(s, OID_TRANSACTION_ID, &v, err)) != RC_OK)
		return rc;
	if (!is_string(v.tag) || v.body.len == 0 || v.body.len > LIMIT_TXID ||
	    memchr(v.body.p, '\0', v.body.len) != NULL)
		return fail(
		    err, RC_PARSE, "transactionID is not a string of 1..%u characters", LIMIT_TXID);
	memcpy(text, v.body.p, v.body.len);
	text[v.body.len] = '\0';
	if (!(v.tag == DER_UTF8 ? text_is_clean(text) : text_is_ascii(text)))
		return fail(err, RC_PARSE, "transactionID has unprintable characters");
	memcpy(t->id, text, v.body.len + 1);
	t->id_tag = v.tag;
	return RC_OK;
}

enum rc
attr_nonce(const struct cms_signed *s, const char *oid, struct nonce *n, struct err *err)
{
	struct cms_value v;
	enum rc rc;

	if ((rc = cms_signed_attr(s, oid, &v, err)) != RC_OK)
		return rc;
	if (v.tag != DER_OCTET_STRING || v.body.len > NONCE_MAX)
		return fail(err, RC_PARSE,
		    "a nonce that is not an OCTET STRING of at most %d bytes", NONCE_MAX);
	if (v.body.len == 0)
		return fail(err, RC_NOTFOUND, "an empty nonce");
	memcpy(n->v, v.body.p, v.body.len);
	n->len = v.body.len;
	return RC_OK;
}

/* One to three digits, no superfluous zero. */
static bool
decimal(struct der text, int *value)
{
	size_t i;
	int v = 0;

	if (text.len == 0 || text.len > 3 || (text.len > 1 && text.p[0] == '0'))
		return false;
	for (i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (text.p[i] - '0');
	}
	*value = v;
	return true;
}

enum rc
attr_number(const struct cms_signed *s, const char *oid, int *value,
    char text[static TYPE_TEXT_ROOM], struct err *err)
{
	struct cms_value v;
	uint64_t n;
	enum rc rc;

	text[0] = '\0';
	if ((rc = cms_signed_attr(s, oid, &v, err)) != RC_OK)
		return rc;
	if (v.tag == DER_INTEGER && der_take_u64(&v.whole, &n) && n <= 999) {
		snprintf(text, TYPE_TEXT_ROOM, "%u", (unsigned)n);
		*value = (int)n;
		return RC_OK;
	}
	snprintf(text, TYPE_TEXT_ROOM, "%.*s", (int)(v.body.len < 16 ? v.body.len : 16),
	    (const char *)v.body.p);
	str_printable(text);
	if (!is_string(v.tag) || !decimal(v.body, value))
		return fail(err, RC_PARSE, "attribute %s is not a decimal number", oid);
	return RC_OK;
}

void
fail_text_clean(char out[static FAIL_TEXT_MAX + 1], const char *text, size_t len)
{
	size_t i;

	if (len > FAIL_TEXT_MAX)
		for (len = FAIL_TEXT_MAX; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80; len--)
			;
	memcpy(out, text, len);
	out[len] = '\0';
	for (i = 0; i < len; i++)
		if ((uint8_t)out[i] < ' ' || out[i] == 0x7f)
			out[i] = ' ';
	if (text_is_clean(out))
		return;
	for (i = 0; i < len; i++)
		if ((uint8_t)out[i] >= 0x80)
			out[i] = '?';
}

enum rc
attr_text(const struct cms_signed *s, const char *oid, char out[static FAIL_TEXT_MAX + 1],
    struct err *err)
{
	struct cms_value v;
	enum rc rc;

	if ((rc = cms_signed_attr(s, oid, &v, err)) != RC_OK)
		return rc;
	if (!is_string(v.tag))
		return fail(err, RC_PARSE, "attribute %s is not a string", oid);
	fail_text_clean(out, (const char *)v.body.p, v.body.len);
	return RC_OK;
}

/* ---- writing ---- */

void
attrs_init(struct attrs *a)
{
	*a = (struct attrs){ 0 };
	buf_init(&a->store, 4 * KIB);
}

void
attrs_done(struct attrs *a)
{
	buf_done(&a->store);
}

void
attrs_add(struct attrs *a, const char *oid, uint8_t tag, const void *p, size_t len)
{
	if (a->n == N(a->list)) {
		a->store.rc = RC_LIMIT;
		return;
	}
	der_add(&a->store, tag, p, len);
	a->list[a->n++].oid = oid;
	a->at[a->n] = a->store.len;
}

void
attrs_add_number(struct attrs *a, const char *oid, int value)
{
	char text[TYPE_TEXT_ROOM];

	snprintf(text, sizeof(text), "%d", value);
	attrs_add(a, oid, DER_PRINTABLE, text, strlen(text));
}

enum rc
attrs_finish(struct attrs *a, struct err *err)
{
	size_t i;
	enum rc rc;

	if ((rc = buf_ok(&a->store, "attributes", err)) != RC_OK)
		return rc;
	for (i = 0; i < a->n; i++)
		a->list[i].value =
		    (struct der){ a->store.data + a->at[i], a->at[i + 1] - a->at[i] };
	return RC_OK;
}
