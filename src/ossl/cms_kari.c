/*
 * cms_kari.c - see cms_kari.h.
 */
#include "ossl/cms_kari.h"

#include <string.h>

#include <openssl/err.h>

#include "ossl/cms_alg.h"
#include "ossl/cms_int.h"
#include "ossl/evp.h"
#include "ossl/key_int.h"

#define OID_EC_PUBLIC_KEY "1.2.840.10045.2.1"

#define WRAP_EXTRA  8u /* RFC 3394 2.2.1: one more semiblock */
#define WRAPPED_MAX (CEK_SIZE_MAX + WRAP_EXTRA)
#define UKM_MAX     1024u /* RFC 5753 uses it as a nonce */

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* dhSinglePass-stdDH-*kdf-scheme (RFC 5753 7.1.4).  Ours is that with SHA-256. */
static const struct {
	const char *oid;
	enum digest kdf;
} schemes[] = {
	{ "1.3.132.1.11.1", DIGEST_SHA256 },
	{ "1.3.132.1.11.2", DIGEST_SHA384 },
	{ "1.3.132.1.11.3", DIGEST_SHA512 },
	{ "1.3.133.16.840.63.0.2", DIGEST_SHA1 },
};

/* id-aes*-wrap (RFC 3565 2.3.2), and libcrypto's names. */
static const struct wrap {
	const char *oid, *name;
	size_t key_len;
} wraps[] = {
	{ "2.16.840.1.101.3.4.1.5", "AES-128-WRAP", 16 },
	{ "2.16.840.1.101.3.4.1.25", "AES-192-WRAP", 24 },
	{ "2.16.840.1.101.3.4.1.45", "AES-256-WRAP", 32 },
};

static const struct wrap *
wrap_of_size(size_t key_len)
{
	size_t i;

	for (i = 0; i < N(wraps); i++)
		if (wraps[i].key_len == key_len)
			return &wraps[i];
	return NULL;
}

/* ---- the key that wraps ---- */

/* ECC-CMS-SharedInfo (RFC 5753 7.2) */
static void
shared_info_add(struct buf *b, const struct cms_kari *k)
{
	const uint8_t bits[4] = { 0, 0, (uint8_t)(k->kek_len * 8 >> 8), (uint8_t)(k->kek_len * 8) };
	size_t seq = der_open(b, DER_SEQUENCE), ctx;

	buf_add(b, k->wrap_alg.p, k->wrap_alg.len);
	if (k->ukm.p != NULL) {
		ctx = der_open(b, DER_CTX_CONS(0));
		der_add(b, DER_OCTET_STRING, k->ukm.p, k->ukm.len);
		der_close(b, ctx);
	}
	ctx = der_open(b, DER_CTX_CONS(2));
	der_add(b, DER_OCTET_STRING, bits, sizeof(bits));
	der_close(b, ctx);
	der_close(b, seq);
}

/* X9.63's: digests of the secret, a counter from one, and what both sides know (SEC 1 3.6.1). */
static enum rc
derive(uint8_t kek[static CEK_SIZE_MAX], const struct cms_kari *k, const uint8_t *z, size_t z_len,
    struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX], counter[4] = { 0 };
	size_t done, n, size = digest_size(k->kdf);
	struct buf in;
	enum rc rc;

	buf_init(&in, KEY_AGREED_MAX + UKM_MAX + KIB);
	buf_add(&in, z, z_len);
	buf_add(&in, counter, sizeof(counter));
	shared_info_add(&in, k);
	rc = buf_ok(&in, "key derivation", err);
	for (done = 0; rc == RC_OK && done < k->kek_len; done += n) {
		in.data[z_len + 3]++;
		rc = digest_bytes(md, k->kdf, in.data, in.len, err);
		n = k->kek_len - done < size ? k->kek_len - done : size;
		memcpy(kek + done, md, n);
	}
	buf_wipe(&in);
	wipe(md, sizeof(md));
	return rc;
}

/* RFC 3394; `out` has room for what comes out: 8 octets more, or fewer. */
static enum rc
aes_wrap(uint8_t *out, size_t out_len, const uint8_t *in, size_t len, const uint8_t *kek,
    const struct wrap *w, bool encrypt, struct err *err)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, w->name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t room[WRAPPED_MAX + 16];
	enum rc rc = RC_OK;
	int n = 0;

	if (ctx != NULL)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (cipher == NULL || ctx == NULL ||
	    EVP_CipherInit_ex2(ctx, cipher, kek, NULL, encrypt, NULL) != 1) {
		rc = fail_crypto(err, RC_CRYPTO, "cannot prepare to wrap a key");
	} else if (EVP_CipherUpdate(ctx, room, &n, in, (int)len) != 1 || (size_t)n != out_len) {
		rc = encrypt ? fail_crypto(err, RC_CRYPTO, "cannot wrap a key")
			     : fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
		ERR_clear_error();
	}
	if (rc == RC_OK)
		memcpy(out, room, out_len);
	wipe(room, sizeof(room));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return rc;
}

/* ---- reading ---- */

/* originator [0] EXPLICIT OriginatorIdentifierOrKey: originatorKey [1], as the key is made for this
 * message alone (RFC 5753 3.1.1).  The curve is that of the recipient's key. */
static enum rc
take_originator(struct cms_kari *k, struct der *in, struct err *err)
{
	struct der explicit, key;
	struct cms_alg alg;
	enum rc rc;

	if (!der_take(in, DER_CTX_CONS(0), &explicit) ||
	    !der_take(&explicit, DER_CTX_CONS(1), &key) || explicit.len > 0)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: no originatorKey");
	if ((rc = cms_alg_take(&key, &alg, "originatorKey", err)) != RC_OK)
		return rc;
	if (strcmp(alg.oid, OID_EC_PUBLIC_KEY) != 0)
		return cms_alg_refuse("originatorKey", alg.oid, err);
	if (!der_take_octet_bits(&key, &k->point) || key.len > 0)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: malformed originatorKey");
	return RC_OK;
}

static enum rc
take_ukm(struct cms_kari *k, struct der *in, struct err *err)
{
	struct der explicit;

	if (!der_next_is(in, DER_CTX_CONS(1)))
		return RC_OK;
	if (!der_take(in, DER_CTX_CONS(1), &explicit) ||
	    !der_take(&explicit, DER_OCTET_STRING, &k->ukm) || explicit.len > 0)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: malformed ukm");
	if (k->ukm.len > UKM_MAX)
		return fail(err, RC_LIMIT, "KeyAgreeRecipientInfo: a ukm of %zu bytes", k->ukm.len);
	return RC_OK;
}

static enum rc
take_wrap(struct cms_kari *k, struct der params, struct err *err)
{
	struct cms_alg alg;
	enum rc rc;
	size_t i;

	k->wrap_alg = params;
	if ((rc = cms_alg_take(&params, &alg, "key wrap", err)) != RC_OK)
		return rc;
	for (i = 0; i < N(wraps); i++)
		if (strcmp(alg.oid, wraps[i].oid) == 0)
			k->kek_len = wraps[i].key_len;
	return k->kek_len != 0 ? RC_OK : cms_alg_refuse("key wrap", alg.oid, err);
}

static enum rc
take_scheme(struct cms_kari *k, struct der *in, struct err *err)
{
	struct cms_alg alg;
	enum rc rc;
	size_t i;

	if ((rc = cms_alg_take(in, &alg, "keyEncryptionAlgorithm", err)) != RC_OK)
		return rc;
	for (i = 0; i < N(schemes); i++)
		if (strcmp(alg.oid, schemes[i].oid) == 0)
			k->kdf = schemes[i].kdf;
	if (k->kdf == DIGEST_NONE)
		return cms_alg_refuse("key agreement", alg.oid, err);
	if (alg.params.p == NULL)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: no key wrap");
	return take_wrap(k, alg.params, err);
}

/* KeyAgreeRecipientIdentifier: rKeyId is a SEQUENCE, otherwise it is what others have. */
static enum rc
take_rid(struct cms_kari *k, struct der *in, struct err *err)
{
	struct der key_id;

	if (!der_next_is(in, DER_CTX_CONS(0)))
		return cms_id_take(in, &k->id, "KeyAgreeRecipientInfo", err);
	if (!der_take(in, DER_CTX_CONS(0), &key_id) ||
	    !der_take(&key_id, DER_OCTET_STRING, &k->id.ski) || k->id.ski.len == 0)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: malformed rKeyId");
	return RC_OK;
}

static enum rc
take_key(struct cms_kari *k, struct der *in, struct err *err)
{
	struct der keys, seq;
	enum rc rc;

	if (!der_take(in, DER_SEQUENCE, &keys) || in->len > 0 ||
	    !der_take(&keys, DER_SEQUENCE, &seq))
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: no recipientEncryptedKeys");
	if (keys.len > 0)
		return fail(err, RC_LIMIT, "KeyAgreeRecipientInfo: more than one recipient");
	if ((rc = take_rid(k, &seq, err)) != RC_OK)
		return rc;
	if (!der_take(&seq, DER_OCTET_STRING, &k->wrapped) || seq.len > 0 ||
	    k->wrapped.len <= WRAP_EXTRA || k->wrapped.len > WRAPPED_MAX)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: no encryptedKey");
	return RC_OK;
}

enum rc
kari_take(struct cms_kari *out, struct der in, struct err *err)
{
	struct cms_kari k = { 0 };
	uint64_t version;
	enum rc rc;

	if (!der_take_u64(&in, &version) || version != 3)
		return fail(err, RC_PARSE, "KeyAgreeRecipientInfo: malformed");
	if ((rc = take_originator(&k, &in, err)) != RC_OK ||
	    (rc = take_ukm(&k, &in, err)) != RC_OK || (rc = take_scheme(&k, &in, err)) != RC_OK ||
	    (rc = take_key(&k, &in, err)) != RC_OK)
		return rc;
	*out = k;
	return RC_OK;
}

enum rc
kari_unwrap(uint8_t *cek, size_t cek_len, const struct cms_kari *k, const uint8_t *z, size_t z_len,
    struct err *err)
{
	uint8_t kek[CEK_SIZE_MAX];
	enum rc rc;

	if (k->wrapped.len != cek_len + WRAP_EXTRA || z_len > KEY_AGREED_MAX)
		return fail(err, RC_INTEGRITY, "%s", CMS_OPEN_FAILED);
	if ((rc = derive(kek, k, z, z_len, err)) == RC_OK)
		rc = aes_wrap(cek, cek_len, k->wrapped.p, k->wrapped.len, kek,
		    wrap_of_size(k->kek_len), false, err);
	wipe(kek, sizeof(kek));
	return rc;
}

/* ---- writing ---- */

static void
scheme_add(struct buf *b, const struct cms_kari *k)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	(void)der_add_oid(b, schemes[0].oid);
	buf_add(b, k->wrap_alg.p, k->wrap_alg.len);
	der_close(b, seq);
}

static void
originator_add(struct buf *b, struct der point)
{
	size_t explicit = der_open(b, DER_CTX_CONS(0)), key = der_open(b, DER_CTX_CONS(1)),
	       alg = der_open(b, DER_SEQUENCE);

	(void)der_add_oid(b, OID_EC_PUBLIC_KEY); /* parameters absent: RFC 5753 3.1.1 */
	der_close(b, alg);
	der_add_octet_bits(b, point.p, point.len);
	der_close(b, key);
	der_close(b, explicit);
}

static enum rc
rid_add(struct buf *b, const struct cms_cert *cert, bool by_ski, struct err *err)
{
	uint8_t key_id[CMS_KEY_ID_MAX];
	size_t mark, len;
	enum rc rc;

	if (!by_ski)
		return cms_id_add(b, cert, false, err);
	if ((rc = cms_key_id(cert, key_id, &len, err)) != RC_OK)
		return rc;
	mark = der_open(b, DER_CTX_CONS(0));
	der_add(b, DER_OCTET_STRING, key_id, len);
	der_close(b, mark);
	return RC_OK;
}

static enum rc
info_add(struct buf *b, const struct cms_kari *k, const struct cms_cert *cert, bool by_ski,
    struct err *err)
{
	size_t info = der_open(b, DER_CTX_CONS(1)), keys, one;
	enum rc rc;

	der_add_u64(b, 3);
	originator_add(b, k->point);
	scheme_add(b, k);
	keys = der_open(b, DER_SEQUENCE);
	one = der_open(b, DER_SEQUENCE);
	if ((rc = rid_add(b, cert, by_ski, err)) != RC_OK)
		return rc;
	der_add(b, DER_OCTET_STRING, k->wrapped.p, k->wrapped.len);
	der_close(b, one);
	der_close(b, keys);
	der_close(b, info);
	return RC_OK;
}

/* Fills in what is wrapped; `room` has it. */
static enum rc
wrap_for(struct cms_kari *k, uint8_t room[static WRAPPED_MAX], const struct key *mine,
    const struct key *to, struct der cek, struct err *err)
{
	uint8_t z[KEY_AGREED_MAX], kek[CEK_SIZE_MAX];
	size_t z_len;
	enum rc rc;

	if ((rc = key_agree(z, &z_len, mine, to, err)) == RC_OK &&
	    (rc = derive(kek, k, z, z_len, err)) == RC_OK)
		rc = aes_wrap(room, cek.len + WRAP_EXTRA, cek.p, cek.len, kek,
		    wrap_of_size(k->kek_len), true, err);
	k->wrapped = (struct der){ room, cek.len + WRAP_EXTRA };
	wipe(z, sizeof(z));
	wipe(kek, sizeof(kek));
	return rc;
}

/* A key as long as the one that it wraps: as strong, and one that the recipient has. */
enum rc
kari_add(struct buf *b, const struct cms_cert *cert, bool by_ski, const struct key *to,
    const uint8_t *cek, size_t cek_len, struct err *err)
{
	struct cms_kari k = { .kdf = schemes[0].kdf, .kek_len = cek_len };
	uint8_t room[WRAPPED_MAX];
	struct key *mine = NULL;
	struct buf alg;
	size_t mark;
	enum rc rc;

	if (wrap_of_size(cek_len) == NULL)
		return fail(err, RC_BUG, "a content-encryption key of %zu bytes", cek_len);
	if ((rc = key_generate_alike(&mine, to, err)) != RC_OK)
		return rc;
	buf_init(&alg, 64);
	mark = der_open(&alg, DER_SEQUENCE);
	(void)der_add_oid(&alg, wrap_of_size(cek_len)->oid);
	der_close(&alg, mark);
	k.point = mine->parts.point;
	k.wrap_alg = (struct der){ alg.data, alg.len };
	if ((rc = buf_ok(&alg, "key wrap", err)) == RC_OK &&
	    (rc = wrap_for(&k, room, mine, to, (struct der){ cek, cek_len }, err)) == RC_OK)
		rc = info_add(b, &k, cert, by_ski, err);
	buf_done(&alg);
	key_free(mine);
	return rc;
}
