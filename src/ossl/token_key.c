/*
 * token_key.c - a private key in a token, as a struct key.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/key_int.h"
#include "ossl/token.h"

#define SPKI_MAX (2u * KIB) /* an RSA key of LIMIT_RSA_BITS has some 1,060 octets */

/* RFC 8017 B.1 and PKCS#11's names of the same. */
static const struct hash {
	const char *oid;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[DIGEST__MAX] = {
	[DIGEST_SHA1] = { "1.3.14.3.2.26", CKM_SHA_1, CKG_MGF1_SHA1 },
	[DIGEST_SHA256] = { "2.16.840.1.101.3.4.2.1", CKM_SHA256, CKG_MGF1_SHA256 },
	[DIGEST_SHA384] = { "2.16.840.1.101.3.4.2.2", CKM_SHA384, CKG_MGF1_SHA384 },
	[DIGEST_SHA512] = { "2.16.840.1.101.3.4.2.3", CKM_SHA512, CKG_MGF1_SHA512 },
};

/* Where it is, and what was found out about the object in the present generation of sessions. */
struct token_key {
	struct token *token;
	struct token_uri uri;
	pthread_mutex_t lock;
	bool known;
	unsigned long generation;
	CK_OBJECT_HANDLE obj;
	bool asks_pin; /* CKA_ALWAYS_AUTHENTICATE: before each use */
};

/* One look for the object. */
struct lookup {
	struct token_key *tk;
	const uint8_t *expect; /* the SubjectPublicKeyInfo that it has to have; NULL at first */
	size_t expect_len;
	struct buf *spki;
	const char *why; /* it is no key to use */
	CK_OBJECT_HANDLE obj;
	bool asks_pin;
};

static CK_RV
look_up(struct token_session *s, struct lookup *l)
{
	struct buf spki;
	unsigned n = 0;
	CK_RV rv = token_find(s, CKO_PRIVATE_KEY, &l->tk->uri, &l->obj, &n);

	if (rv != CKR_OK)
		return rv;
	l->why = n == 0 ? "no private key in the token has this label and id"
	    : n > 1     ? "more than one private key in the token fits; add its id"
			: NULL;
	if (l->why != NULL)
		return CKR_OK;
	buf_init(&spki, SPKI_MAX);
	rv = token_public(s, l->obj, &spki, &l->why);
	if (rv == CKR_OK && l->why == NULL && buf_ok(&spki, "", NULL) != RC_OK)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK && l->why == NULL && l->expect != NULL &&
	    (spki.len != l->expect_len || memcmp(spki.data, l->expect, spki.len) != 0))
		l->why = "another key is in its place";
	l->asks_pin = token_flag(s, l->obj, CKA_ALWAYS_AUTHENTICATE, false);
	if (rv == CKR_OK && l->why == NULL && l->spki != NULL)
		buf_add(l->spki, spki.data, spki.len);
	buf_done(&spki);
	return rv;
}

/* What an operation needs to know of the object; looked up once a generation. */
static CK_RV
know(struct token_session *s, const struct key *k, CK_OBJECT_HANDLE *obj, bool *asks_pin,
    const char **why)
{
	struct token_key *tk = k->own;
	struct lookup l = { .tk = tk, .expect = k->spki, .expect_len = k->spki_len };
	bool known;
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&tk->lock);
	known = tk->known && tk->generation == s->generation;
	*obj = tk->obj;
	*asks_pin = tk->asks_pin;
	pthread_mutex_unlock(&tk->lock);
	if (known || (rv = look_up(s, &l)) != CKR_OK || (*why = l.why) != NULL)
		return rv;
	pthread_mutex_lock(&tk->lock);
	tk->known = true;
	tk->generation = s->generation;
	*obj = tk->obj = l.obj;
	*asks_pin = tk->asks_pin = l.asks_pin;
	pthread_mutex_unlock(&tk->lock);
	return CKR_OK;
}

/* One private operation. */
struct use {
	const struct key *k;
	bool decrypt;
	CK_MECHANISM mech;
	const uint8_t *in;
	size_t in_len;
	uint8_t out[LIMIT_RSA_BITS / 8];
	CK_ULONG out_len;
	const char *why;
};

static CK_RV
begin_use(struct token_session *s, struct use *u)
{
	CK_OBJECT_HANDLE obj = 0;
	bool asks_pin = false;
	CK_RV rv = know(s, u->k, &obj, &asks_pin, &u->why);

	if (rv != CKR_OK || u->why != NULL)
		return rv;
	rv = u->decrypt ? s->f->C_DecryptInit(s->h, &u->mech, obj)
			: s->f->C_SignInit(s->h, &u->mech, obj);
	if (rv == CKR_OK && asks_pin)
		rv = s->f->C_Login(s->h, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)s->pin, s->pin_len);
	return rv;
}

static CK_RV
use_key(struct token_session *s, void *arg)
{
	struct use *u = arg;
	CK_BYTE *in = (CK_BYTE *)u->in;
	CK_RV rv;

	u->why = NULL;
	u->out_len = sizeof u->out;
	rv = begin_use(s, u);
	if (rv != CKR_OK || u->why != NULL)
		return rv;
	return u->decrypt ? s->f->C_Decrypt(s->h, in, u->in_len, u->out, &u->out_len)
			  : s->f->C_Sign(s->h, in, u->in_len, u->out, &u->out_len);
}

static enum rc
run_use(struct use *u, struct err *err)
{
	struct token_key *tk = u->k->own;
	char doing[TOKEN_LABEL_MAX + 48];
	CK_RV rv = CKR_OK;
	enum rc rc = token_run(tk->token, use_key, u, &rv, err);

	snprintf(doing, sizeof doing, "%s in token %s", u->decrypt ? "decrypting" : "signing",
	    token_label(tk->token));
	if (rc == RC_OK && rv != CKR_OK)
		rc = token_fail(err, rv, doing);
	else if (rc == RC_OK && u->why != NULL)
		rc = fail(err, RC_IO, "%s: %s", doing, u->why);
	return rc;
}

/* RFC 8017 9.2: DigestInfo, as CKM_RSA_PKCS pads and nothing else. */
static enum rc
sign_pkcs1(struct use *u, enum digest d, struct err *err)
{
	size_t mark, alg;
	struct buf info;
	enum rc rc;

	buf_init(&info, 64 + DIGEST_SIZE_MAX);
	mark = der_open(&info, DER_SEQUENCE);
	alg = der_open(&info, DER_SEQUENCE);
	(void)der_add_oid(&info, hashes[d].oid);
	der_add(&info, DER_NULL, NULL, 0);
	der_close(&info, alg);
	der_add(&info, DER_OCTET_STRING, u->in, u->in_len);
	der_close(&info, mark);
	rc = buf_ok(&info, "digest", err);
	if (rc == RC_OK) {
		u->mech = (CK_MECHANISM){ CKM_RSA_PKCS, NULL, 0 };
		u->in = info.data;
		u->in_len = info.len;
		rc = run_use(u, err);
	}
	buf_done(&info);
	return rc;
}

static enum rc
sign_pss(struct use *u, enum digest d, struct err *err)
{
	CK_RSA_PKCS_PSS_PARAMS pss = { hashes[d].hash, hashes[d].mgf, u->in_len };

	u->mech = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &pss, sizeof pss };
	return run_use(u, err);
}

/* r and s of one length (PKCS#11 2.40, 2.3.1) become ECDSA-Sig-Value (RFC 3279 2.2.3). */
static enum rc
sign_ecdsa(struct use *u, struct buf *sig, struct err *err)
{
	size_t octets = (u->k->info.bits + 7) / 8, mark;
	enum rc rc;

	/* FIPS 186-5 6.4.1 step 2: the leftmost bits; some tokens leave that to us. */
	if (u->in_len > octets)
		u->in_len = octets;
	u->mech = (CK_MECHANISM){ CKM_ECDSA, NULL, 0 };
	if ((rc = run_use(u, err)) != RC_OK)
		return rc;
	if (u->out_len != 2 * octets)
		return fail(err, RC_CRYPTO, "the token's signature has %lu octets, not %zu",
		    (unsigned long)u->out_len, 2 * octets);
	mark = der_open(sig, DER_SEQUENCE);
	der_add_magnitude(sig, u->out, octets);
	der_add_magnitude(sig, u->out + octets, octets);
	der_close(sig, mark);
	return buf_ok(sig, "signature", err);
}

static enum rc
token_key_sign(struct buf *sig, const struct key *k, enum sign_scheme scheme, enum digest d,
    const void *in, size_t len, struct err *err)
{
	struct use u = { .k = k, .in = in, .in_len = len };
	enum rc rc;

	if (scheme == SIGN_ECDSA)
		return sign_ecdsa(&u, sig, err);
	if (scheme == SIGN_MESSAGE || (unsigned)d >= DIGEST__MAX || hashes[d].oid == NULL)
		return fail(err, RC_ALG, "no token signs so");
	rc = scheme == SIGN_PSS ? sign_pss(&u, d, err) : sign_pkcs1(&u, d, err);
	if (rc != RC_OK)
		return rc;
	if (u.out_len != k->parts.n.len)
		return fail(err, RC_CRYPTO, "the token's signature has %lu octets, not %zu",
		    (unsigned long)u.out_len, k->parts.n.len);
	buf_add(sig, u.out, u.out_len);
	return buf_ok(sig, "signature", err);
}

/* RSADP in the token; a result whose leading zeros are left out is filled up. */
static enum rc
token_key_decrypt(uint8_t *em, const struct key *k, const uint8_t *in, size_t len, struct err *err)
{
	struct use u = {
		.k = k, .decrypt = true, .mech = { CKM_RSA_X_509, NULL, 0 }, .in = in, .in_len = len
	};
	enum rc rc = run_use(&u, err);

	if (rc == RC_OK && u.out_len > len)
		rc = fail(err, RC_CRYPTO, "the token's answer is longer than the modulus");
	if (rc == RC_OK) {
		memset(em, 0, len);
		memcpy(em + len - u.out_len, u.out, u.out_len);
	}
	wipe(u.out, sizeof u.out);
	return rc;
}

static void
token_key_done(void *own)
{
	struct token_key *tk = own;

	token_free(tk->token);
	pthread_mutex_destroy(&tk->lock);
	free(tk);
}

static const struct key_place place_token = { token_key_sign, token_key_decrypt, token_key_done };

static CK_RV
first_look(struct token_session *s, void *arg)
{
	struct lookup *l = arg;

	l->why = NULL;
	buf_reset(l->spki);
	return look_up(s, l);
}

/* The public half, by which everybody knows the key. */
static enum rc
read_public(struct token_key *tk, struct buf *spki, struct err *err)
{
	struct lookup l = { .tk = tk, .spki = spki };
	char doing[TOKEN_LABEL_MAX + 48];
	CK_RV rv = CKR_OK;
	enum rc rc = token_run(tk->token, first_look, &l, &rv, err);

	snprintf(doing, sizeof doing, "looking for the key in token %s", token_label(tk->token));
	if (rc == RC_OK && rv != CKR_OK)
		rc = token_fail(err, rv, doing);
	if (rc == RC_OK && l.why != NULL)
		rc = fail(err, RC_CONFIG, "%s", l.why);
	return rc == RC_OK ? buf_ok(spki, "public key", err) : rc;
}

static enum rc
new_token_key(struct token_key **out, const struct token_uri *uri, const char *pin, struct err *err)
{
	struct token_key *tk = calloc(1, sizeof *tk);
	enum rc rc;

	if (tk == NULL)
		return fail(err, RC_NOMEM, "no memory for a key");
	tk->uri = *uri;
	pthread_mutex_init(&tk->lock, NULL);
	if ((rc = token_open(&tk->token, uri, pin, err)) != RC_OK)
		token_key_done(tk);
	else
		*out = tk;
	return rc;
}

enum rc
token_key_open(struct key **out, const struct token_uri *uri, const char *pin, struct err *err)
{
	struct token_key *tk = NULL;
	struct key *k = NULL;
	struct buf spki;
	enum rc rc = new_token_key(&tk, uri, pin, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&spki, SPKI_MAX);
	rc = read_public(tk, &spki, err);
	if (rc != RC_OK)
		token_key_done(tk);
	else
		rc = key_elsewhere(&k, spki.data, spki.len, &place_token, tk, err);
	buf_done(&spki);
	if (rc != RC_OK)
		return rc;
	if ((rc = key_check_pair(k, err)) != RC_OK) {
		key_free(k);
		return rc;
	}
	*out = k;
	return RC_OK;
}
