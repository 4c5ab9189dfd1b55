/*
 * jwk.c - between JSON Web Keys and struct key.
 */
#include "intunesim/jwk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/der.h"

#define OID_RSA    "1.2.840.113549.1.1.1"
#define NUMBER_MAX (LIMIT_RSA_BITS / 8) /* octets of a modulus */
#define SPKI_MAX   (NUMBER_MAX + 128)

enum rc
cert_x5t(char out[static X5T_MAX], const struct cert *c, enum digest d, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	const uint8_t *der;
	struct buf text;
	size_t len;
	enum rc rc;

	der = cert_der0(c, &len);
	if ((rc = digest_bytes(md, d, der, len, err)) != RC_OK)
		return rc;
	buf_init(&text, X5T_MAX - 1);
	base64url_add(&text, md, digest_size(d));
	if ((rc = buf_ok(&text, "thumbprint", err)) == RC_OK)
		snprintf(out, X5T_MAX, "%s", buf_str(&text));
	buf_done(&text);
	return rc;
}

/* ---- reading ---- */

static enum rc
read_number(struct buf *out, const json_t *o, const char *member, struct err *err)
{
	const char *text;
	enum rc rc;

	if ((rc = json_need_str(&text, o, member, err)) != RC_OK)
		return rc;
	if ((rc = base64_decode(out, text, strlen(text), BASE64_FIELD, err)) != RC_OK)
		return rc;
	return out->len > 0 ? RC_OK : fail(err, RC_PARSE, "\"%s\" of a key is empty", member);
}

/* RFC 8017 A.1.1 inside RFC 5280 4.1.2.7. */
static void
add_spki(struct buf *out, const struct buf *n, const struct buf *e)
{
	size_t spki = der_open(out, DER_SEQUENCE), mark = der_open(out, DER_SEQUENCE), seq;

	der_add_oid(out, OID_RSA);
	der_add(out, DER_NULL, NULL, 0);
	der_close(out, mark);
	mark = der_open(out, DER_BIT_STRING);
	buf_addc(out, '\0');
	seq = der_open(out, DER_SEQUENCE);
	der_add_magnitude(out, n->data, n->len);
	der_add_magnitude(out, e->data, e->len);
	der_close(out, seq);
	der_close(out, mark);
	der_close(out, spki);
}

static enum rc
read_key(struct jwk *out, const json_t *o, struct err *err)
{
	const char *kid = json_get_str(o, "kid");
	struct buf n, e, spki;
	enum rc rc;

	if (kid != NULL && strlen(kid) >= JWK_KID_MAX)
		return fail(err, RC_LIMIT, "the name of a key has %zu bytes", strlen(kid));
	buf_init(&n, NUMBER_MAX);
	buf_init(&e, NUMBER_MAX);
	buf_init(&spki, SPKI_MAX);
	if ((rc = read_number(&n, o, "n", err)) == RC_OK &&
	    (rc = read_number(&e, o, "e", err)) == RC_OK) {
		add_spki(&spki, &n, &e);
		rc = buf_ok(&spki, "key", err);
	}
	if (rc == RC_OK && (rc = key_parse_spki(&out->key, spki.data, spki.len, err)) == RC_OK)
		snprintf(out->kid, sizeof(out->kid), "%s", kid != NULL ? kid : "");
	buf_done(&n);
	buf_done(&e);
	buf_done(&spki);
	return rc;
}

static enum rc
read_keys(struct jwks *j, const json_t *keys, struct err *err)
{
	const json_t *o;
	enum rc rc;
	size_t i;

	if (!json_is_array(keys) || json_array_size(keys) > JWKS_KEYS_MAX)
		return fail(err, RC_PARSE, "\"keys\" is no list of at most %d", JWKS_KEYS_MAX);
	if ((j->v = calloc(json_array_size(keys) + 1, sizeof(*j->v))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	json_array_foreach(keys, i, o)
	{
		const char *type = json_get_str(o, "kty");

		if (type == NULL || strcmp(type, "RSA") != 0)
			continue;
		if ((rc = read_key(&j->v[j->n], o, err)) != RC_OK)
			return rc;
		j->n++;
	}
	return j->n > 0 ? RC_OK : fail(err, RC_PARSE, "there is no RSA key");
}

enum rc
jwks_parse(struct jwks *out, const void *bytes, size_t len, struct err *err)
{
	struct jwks j = { 0 };
	json_t *o;
	enum rc rc;

	if ((rc = json_parse(&o, bytes, len, err)) != RC_OK)
		return rc;
	if ((rc = read_keys(&j, json_object_get(o, "keys"), err)) == RC_OK)
		*out = j;
	else
		jwks_done(&j);
	json_decref(o);
	return rc;
}

void
jwks_done(struct jwks *j)
{
	for (size_t i = 0; i < j->n; i++)
		key_free(j->v[i].key);
	free(j->v);
	*j = (struct jwks){ 0 };
}

/* ---- writing ---- */

static bool
take_numbers(struct der *n, struct der *e, const struct key *k)
{
	struct der in, spki, alg, bits, seq;

	in.p = key_spki0(k, &in.len);
	return der_take(&in, DER_SEQUENCE, &spki) && der_take(&spki, DER_SEQUENCE, &alg) &&
	    der_take_octet_bits(&spki, &bits) && der_take(&bits, DER_SEQUENCE, &seq) &&
	    der_take_magnitude(&seq, n) && der_take_magnitude(&seq, e);
}

static json_t *
base64url_json(const struct der *d)
{
	json_t *s = NULL;
	struct buf b;

	buf_init(&b, 2 * NUMBER_MAX);
	base64url_add(&b, d->p, d->len);
	if (b.rc == RC_OK)
		s = json_string(buf_str(&b));
	buf_done(&b);
	return s;
}

static json_t *
chain_json(const struct cert *c)
{
	json_t *chain = NULL;
	const uint8_t *der;
	struct buf b;
	size_t len;

	der = cert_der0(c, &len);
	buf_init(&b, 2 * LIMIT_CERT);
	base64_add(&b, der, len);
	if (b.rc == RC_OK)
		chain = json_pack("[s]", buf_str(&b));
	buf_done(&b);
	return chain;
}

json_t *
jwk_json(const struct cert *c)
{
	char x5t[X5T_MAX];
	struct der n, e;

	if (cert_x5t(x5t, c, DIGEST_SHA1, NULL) != RC_OK || !take_numbers(&n, &e, cert_key0(c)))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "kty", "RSA", "use", "sig", "kid",
	    x5t, "x5t", x5t, "n", base64url_json(&n), "e", base64url_json(&e), "x5c",
	    chain_json(c));
}
