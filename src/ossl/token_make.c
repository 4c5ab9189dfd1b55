/*
 * token_make.c - a key pair made inside a token, which it never leaves.
 */
#include <stdio.h>
#include <string.h>

#include "ossl/der.h"
#include "ossl/key_int.h"
#include "ossl/token.h"

#define ID_SIZE   16 /* of an id that nobody has chosen */
#define ATTRS_MAX 12

/* One key to make. */
struct making {
	struct token_uri uri; /* with an id */
	unsigned rsa_bits;
	struct buf curve; /* CKA_EC_PARAMS */
	bool exists;
	const char *why;
};

/* Attributes of one half. */
struct attrs {
	CK_ATTRIBUTE v[ATTRS_MAX];
	CK_ULONG n;
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void
put(struct attrs *a, CK_ATTRIBUTE_TYPE type, const void *p, size_t len)
{
	a->v[a->n++] = (CK_ATTRIBUTE){ type, (void *)p, len };
}

static void
put_name(struct attrs *a, const struct token_uri *u)
{
	put(a, CKA_TOKEN, &yes, sizeof yes);
	put(a, CKA_ID, u->id, u->id_len);
	if (u->object[0] != '\0')
		put(a, CKA_LABEL, u->object, strlen(u->object));
}

static CK_RV
generate(struct token_session *s, CK_SESSION_HANDLE h, const struct making *m,
    CK_OBJECT_HANDLE *public, CK_OBJECT_HANDLE *private)
{
	static const CK_BYTE exponent[] = { 1, 0, 1 };
	CK_MECHANISM mech = { m->rsa_bits != 0 ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN,
		NULL, 0 };
	CK_ULONG bits = m->rsa_bits;
	struct attrs pub = { .n = 0 }, priv = { .n = 0 };

	put_name(&pub, &m->uri);
	put(&pub, CKA_VERIFY, &yes, sizeof yes);
	put_name(&priv, &m->uri);
	put(&priv, CKA_PRIVATE, &yes, sizeof yes);
	put(&priv, CKA_SENSITIVE, &yes, sizeof yes);
	put(&priv, CKA_EXTRACTABLE, &no, sizeof no);
	put(&priv, CKA_SIGN, &yes, sizeof yes);
	if (m->rsa_bits != 0) {
		put(&pub, CKA_ENCRYPT, &yes, sizeof yes);
		put(&pub, CKA_MODULUS_BITS, &bits, sizeof bits);
		put(&pub, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
		put(&priv, CKA_DECRYPT, &yes, sizeof yes);
	} else {
		put(&pub, CKA_EC_PARAMS, m->curve.data, m->curve.len);
	}
	return s->f->C_GenerateKeyPair(h, &mech, pub.v, pub.n, priv.v, priv.n, public, private);
}

/* The token's word that it keeps the key to itself; one that gives it away is not what was asked for. */
static CK_RV
generate_kept(struct token_session *s, CK_SESSION_HANDLE h, struct making *m)
{
	CK_OBJECT_HANDLE public = 0, private = 0;
	CK_RV rv = generate(s, h, m, &public, &private);

	if (rv != CKR_OK)
		return rv;
	if (token_flag(s, private, CKA_SENSITIVE, false) &&
	    !token_flag(s, private, CKA_EXTRACTABLE, true))
		return CKR_OK;
	m->why = "the token does not keep the key to itself (CKA_SENSITIVE, CKA_EXTRACTABLE)";
	(void)s->f->C_DestroyObject(h, private);
	(void)s->f->C_DestroyObject(h, public);
	return CKR_OK;
}

/* Is there a key of this name?  By the label alone, or the id alone, another one would be ambiguous later. */
static CK_RV
check_free(struct token_session *s, struct making *m)
{
	struct token_uri one = m->uri;
	CK_OBJECT_HANDLE obj;
	unsigned n = 0;
	CK_RV rv = CKR_OK;

	if (m->uri.object[0] != '\0') {
		one.id_len = 0;
		rv = token_find(s, CKO_PRIVATE_KEY, &one, &obj, &n);
	}
	if (rv == CKR_OK && n == 0) {
		one = m->uri;
		one.object[0] = '\0';
		rv = token_find(s, CKO_PRIVATE_KEY, &one, &obj, &n);
	}
	m->exists = n > 0;
	return rv;
}

/* A session that may write is opened beside the one in hand, which keeps the login. */
static CK_RV
make_pair(struct token_session *s, void *arg)
{
	struct making *m = arg;
	CK_SESSION_HANDLE h;
	CK_RV rv = check_free(s, m);

	m->why = NULL;
	if (rv != CKR_OK || m->exists)
		return rv;
	rv = s->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h);
	if (rv != CKR_OK)
		return rv;
	rv = generate_kept(s, h, m);
	(void)s->f->C_CloseSession(h);
	return rv;
}

static enum rc
prepare(struct making *m, const char *spec, const struct token_uri *uri, struct err *err)
{
	const char *oid = NULL;
	enum rc rc = RC_OK;

	m->uri = *uri;
	m->rsa_bits = key_spec_rsa_bits(spec);
	if (m->rsa_bits == 0 && key_spec_curve(spec, &oid) == NULL) {
		rc = fail(err, RC_ALG, "keys of kind \"%s\" are not made in tokens", spec);
		err_hint(err, "one of rsa:2048 rsa:3072 rsa:4096 ec:p256 ec:p384");
		return rc;
	}
	if (oid != NULL)
		(void)der_add_oid(&m->curve, oid);
	if (m->uri.id_len == 0) {
		m->uri.id_len = ID_SIZE;
		rc = random_bytes(m->uri.id, ID_SIZE, err);
	}
	return rc == RC_OK ? buf_ok(&m->curve, "curve", err) : rc;
}

static enum rc
run_making(struct token *t, struct making *m, struct err *err)
{
	char doing[TOKEN_LABEL_MAX + 48];
	CK_RV rv = CKR_OK;
	enum rc rc = token_run(t, make_pair, m, &rv, err);

	snprintf(doing, sizeof doing, "making a key in token %s", token_label(t));
	if (rc != RC_OK)
		return rc;
	if (rv != CKR_OK)
		return token_fail(err, rv, doing);
	if (m->exists)
		return fail(
		    err, RC_CONFLICT, "token %s has a key of this name already", token_label(t));
	if (m->why != NULL)
		return fail(err, RC_CONFIG, "%s: %s", doing, m->why);
	return RC_OK;
}

enum rc
token_key_make(const char *spec, const struct token_uri *uri, const char *pin, struct err *err)
{
	struct making m = { .rsa_bits = 0 };
	struct token *t = NULL;
	enum rc rc;

	buf_init(&m.curve, 32);
	rc = prepare(&m, spec, uri, err);
	if (rc == RC_OK)
		rc = token_open(&t, uri, pin, err);
	if (rc == RC_OK)
		rc = run_making(t, &m, err);
	token_free(t);
	buf_done(&m.curve);
	return rc;
}
