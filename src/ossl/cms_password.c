/*
 * cms_password.c - see cms_password.h.  What is written, and all that is taken:
 *
 *	ContentInfo            30 80  OID authEnvelopedData  A0 80
 *	AuthEnvelopedData      30 80  version 0  SET { PasswordRecipientInfo }
 *	EncryptedContentInfo   30 80  OID data  AES-256-GCM  A0 80  segments...  00 00  00 00
 *	mac                    04 10 ...  and the ends of the three that are open
 *
 * Lengths of what is open are indefinite, so that neither side needs to know the size beforehand.
 */
#include "ossl/cms_password.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "ossl/cms_alg.h"
#include "ossl/cms_pwri.h"
#include "ossl/der.h"
#include "ossl/evp.h"

#define OID_AUTH_ENVELOPED "1.2.840.113549.1.9.16.1.23"
#define OID_DATA           "1.2.840.113549.1.7.1"
#define OID_AES256_GCM     "2.16.840.1.101.3.4.1.46"

#define SEGMENT    16384 /* bytes of an OCTET STRING of content: what `openssl cms` copes well with */
#define CEK_SIZE   32    /* AES-256-GCM */
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define HEADER_MAX 1024 /* bytes of what is written before the first segment: about 330 */

/* Of an element with indefinite length (X.690 8.1.3.6). */
static const uint8_t end_of_contents[2] = { 0, 0 };

/* ---- sealing ---- */

struct cms_sealer {
	EVP_CIPHER_CTX *gcm;
	cms_sink_fn *sink;
	void *arg;
	uint64_t total;
	size_t n; /* bytes in `plain` */
	uint8_t plain[SEGMENT], sealed[SEGMENT + 8];
};

static void
open_indefinite(struct buf *b, uint8_t tag)
{
	buf_addc(b, (char)tag);
	buf_addc(b, (char)0x80);
}

static void
content_info_add(struct buf *b)
{
	open_indefinite(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_AUTH_ENVELOPED);
	open_indefinite(b, DER_CTX_CONS(0));
	open_indefinite(b, DER_SEQUENCE);
	der_add_u64(b, 0);
}

/* RFC 5084 3.2: the nonce, and the length of the tag, whose default is another. */
static void
content_add(struct buf *b, const uint8_t *nonce)
{
	size_t alg, params;

	open_indefinite(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_DATA);
	alg = der_open(b, DER_SEQUENCE);
	(void)der_add_oid(b, OID_AES256_GCM);
	params = der_open(b, DER_SEQUENCE);
	der_add(b, DER_OCTET_STRING, nonce, NONCE_SIZE);
	der_add_u64(b, TAG_SIZE);
	der_close(b, params);
	der_close(b, alg);
	open_indefinite(b, DER_CTX_CONS(0));
}

static enum rc
gcm_begin(
    EVP_CIPHER_CTX **out, const uint8_t *cek, const uint8_t *nonce, bool encrypt, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx == NULL ||
	    EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, nonce, encrypt) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		return fail_crypto(err, RC_CRYPTO, "cannot begin AES-256-GCM");
	}
	*out = ctx;
	return RC_OK;
}

static enum rc
seal_header(struct cms_sealer *s, struct buf *b, const void *passphrase, size_t len,
    unsigned rounds, struct err *err)
{
	const struct pwri under = { passphrase, len, rounds, CIPHER_AES256 };
	uint8_t cek[CEK_SIZE], nonce[NONCE_SIZE];
	size_t set;
	enum rc rc;

	if ((rc = random_bytes(cek, sizeof(cek), err)) != RC_OK ||
	    (rc = random_bytes(nonce, sizeof(nonce), err)) != RC_OK)
		return rc;
	content_info_add(b);
	set = der_open(b, DER_SET);
	rc = pwri_add(b, cek, sizeof(cek), &under, err);
	der_close(b, set);
	content_add(b, nonce);
	if (rc == RC_OK)
		rc = gcm_begin(&s->gcm, cek, nonce, true, err);
	wipe(cek, sizeof(cek));
	return rc == RC_OK ? buf_ok(b, "header of a sealed file", err) : rc;
}

static enum rc
passphrase_fits(size_t len, struct err *err)
{
	if (len >= 1 && len <= CMS_PASSWORD_LEN_MAX)
		return RC_OK;
	return fail(err, RC_CONFIG, "a passphrase has 1 to %u bytes", CMS_PASSWORD_LEN_MAX);
}

enum rc
cms_sealer_new(struct cms_sealer **out, const void *passphrase, size_t len, unsigned rounds,
    cms_sink_fn *sink, void *arg, struct err *err)
{
	struct cms_sealer *s;
	struct buf header;
	enum rc rc = passphrase_fits(len, err);

	if (rc != RC_OK)
		return rc;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return fail(err, RC_NOMEM, "no memory to seal");
	s->sink = sink;
	s->arg = arg;
	buf_init(&header, HEADER_MAX);
	rc = seal_header(s, &header, passphrase, len, rounds, err);
	if (rc == RC_OK)
		rc = sink(arg, header.data, header.len, err);
	buf_done(&header);
	if (rc == RC_OK)
		*out = s;
	else
		cms_sealer_free(s);
	return rc;
}

/* What has come together as one OCTET STRING. */
static enum rc
segment_out(struct cms_sealer *s, struct err *err)
{
	struct buf b;
	int n = 0;
	enum rc rc;

	if (s->n == 0)
		return RC_OK;
	if (EVP_EncryptUpdate(s->gcm, s->sealed, &n, s->plain, (int)s->n) != 1 || (size_t)n != s->n)
		return fail_crypto(err, RC_CRYPTO, "cannot encrypt");
	buf_init(&b, SEGMENT + 8);
	der_add(&b, DER_OCTET_STRING, s->sealed, s->n);
	s->n = 0;
	rc = buf_ok(&b, "segment", err);
	if (rc == RC_OK)
		rc = s->sink(s->arg, b.data, b.len, err);
	buf_done(&b);
	return rc;
}

enum rc
cms_sealer_add(struct cms_sealer *s, const void *p, size_t len, struct err *err)
{
	const uint8_t *from = p;
	enum rc rc = RC_OK;

	if (len > CMS_PASSWORD_MAX - s->total)
		return fail(err, RC_LIMIT, "more than %llu GiB are too much for one sealed file",
		    CMS_PASSWORD_MAX >> 30);
	s->total += len;
	while (rc == RC_OK && len > 0) {
		size_t n = len < SEGMENT - s->n ? len : SEGMENT - s->n;

		memcpy(s->plain + s->n, from, n);
		s->n += n;
		from += n;
		len -= n;
		if (s->n == SEGMENT)
			rc = segment_out(s, err);
	}
	return rc;
}

enum rc
cms_sealer_end(struct cms_sealer *s, struct err *err)
{
	uint8_t tag[TAG_SIZE], none[1];
	struct buf b;
	int n = 0;
	enum rc rc = segment_out(s, err);

	if (rc != RC_OK)
		return rc;
	if (EVP_EncryptFinal_ex(s->gcm, none, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot encrypt");
	buf_init(&b, 64);
	buf_add(&b, end_of_contents, 2); /* encryptedContent */
	buf_add(&b, end_of_contents, 2); /* EncryptedContentInfo */
	der_add(&b, DER_OCTET_STRING, tag, sizeof(tag));
	for (size_t i = 0; i < 3; i++) /* AuthEnvelopedData, [0], ContentInfo */
		buf_add(&b, end_of_contents, 2);
	rc = buf_ok(&b, "end of a sealed file", err);
	if (rc == RC_OK)
		rc = s->sink(s->arg, b.data, b.len, err);
	buf_done(&b);
	return rc;
}

void
cms_sealer_free(struct cms_sealer *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->gcm);
	wipe_free(s, sizeof(*s));
}

/* ---- opening ---- */

struct cms_opener {
	EVP_CIPHER_CTX *gcm;
	cms_source_fn *source;
	void *arg;
	bool ended;       /* the tag was right */
	enum rc failed;   /* sticky: nothing more comes out */
	uint8_t in[4096]; /* read ahead */
	size_t at, n;
	uint8_t segment[SEGMENT], plain[SEGMENT];
	size_t plain_at, plain_n;
};

static enum rc
too_short(struct err *err)
{
	return fail(
	    err, RC_INTEGRITY, "it ends too early: it is cut off, or not all of it was read");
}

static enum rc
fill(struct cms_opener *o, struct err *err)
{
	if (o->at < o->n)
		return RC_OK;
	o->at = o->n = 0;
	return o->source(o->arg, o->in, sizeof(o->in), &o->n, err);
}

static enum rc
take(struct cms_opener *o, uint8_t *out, size_t len, struct err *err)
{
	while (len > 0) {
		enum rc rc = fill(o, err);
		size_t n = len < o->n - o->at ? len : o->n - o->at;

		if (rc != RC_OK)
			return rc;
		if (n == 0)
			return too_short(err);
		memcpy(out, o->in + o->at, n);
		o->at += n;
		out += n;
		len -= n;
	}
	return RC_OK;
}

/* The very bytes of `want` come next. */
static enum rc
expect(struct cms_opener *o, const struct buf *want, const char *what, struct err *err)
{
	uint8_t got[64];
	enum rc rc = buf_ok(want, what, err);

	if (rc == RC_OK && want->len > sizeof(got))
		return fail(err, RC_BUG, "%s is too long to compare", what);
	if (rc == RC_OK && (rc = take(o, got, want->len, err)) == RC_OK &&
	    memcmp(got, want->data, want->len) != 0)
		return fail(err, RC_PARSE, "no sealed file: not %s", what);
	return rc;
}

/* One element of definite length, with its header. */
static enum rc
take_element(struct cms_opener *o, struct buf *out, struct err *err)
{
	uint8_t head[4];
	size_t len, octets = 0;
	uint8_t *body;
	enum rc rc = take(o, head, 2, err);

	if (rc != RC_OK)
		return rc;
	len = head[1];
	if (len >= 0x80) {
		octets = len & 0x7f;
		if (octets < 1 || octets > 2)
			return fail(err, RC_PARSE, "no sealed file: a length that is not taken");
		if ((rc = take(o, head + 2, octets, err)) != RC_OK)
			return rc;
		len = octets == 1 ? head[2] : (size_t)head[2] << 8 | head[3];
	}
	buf_add(out, head, 2 + octets);
	body = buf_grow(out, len);
	if ((rc = buf_ok(out, "header of a sealed file", err)) != RC_OK)
		return rc;
	return len > 0 ? take(o, body, len, err) : RC_OK;
}

static enum rc
open_recipient(
    struct cms_opener *o, uint8_t *cek, const void *passphrase, size_t len, struct err *err)
{
	const struct pwri under = { .password = passphrase, .len = len };
	struct der in, set;
	struct buf b;
	enum rc rc;

	buf_init(&b, HEADER_MAX);
	rc = take_element(o, &b, err);
	in = (struct der){ b.data, b.len };
	if (rc == RC_OK && !der_take(&in, DER_SET, &set))
		rc = fail(err, RC_PARSE, "no sealed file: not recipientInfos");
	if (rc == RC_OK)
		rc = pwri_open(cek, CEK_SIZE, set, &under, err);
	buf_done(&b);
	return rc;
}

static enum rc
gcm_params(struct der in, uint8_t *nonce, struct err *err)
{
	struct der params, octets;
	struct cms_alg alg;
	uint64_t tag_size;
	enum rc rc;

	if ((rc = cms_alg_take(&in, &alg, "content cipher", err)) != RC_OK)
		return rc;
	if (strcmp(alg.oid, OID_AES256_GCM) != 0)
		return cms_alg_refuse("content cipher", alg.oid, err);
	if (alg.params.p == NULL || !der_take(&alg.params, DER_SEQUENCE, &params) ||
	    !der_take(&params, DER_OCTET_STRING, &octets) || octets.len != NONCE_SIZE ||
	    !der_take_u64(&params, &tag_size) || tag_size != TAG_SIZE || params.len > 0)
		return fail(err, RC_PARSE, "no sealed file: not GCMParameters");
	memcpy(nonce, octets.p, NONCE_SIZE);
	return RC_OK;
}

static enum rc
open_content(struct cms_opener *o, uint8_t *nonce, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, HEADER_MAX);
	open_indefinite(&b, DER_SEQUENCE);
	(void)der_add_oid(&b, OID_DATA);
	rc = expect(o, &b, "EncryptedContentInfo", err);
	buf_reset(&b);
	if (rc == RC_OK)
		rc = take_element(o, &b, err);
	if (rc == RC_OK)
		rc = gcm_params((struct der){ b.data, b.len }, nonce, err);
	buf_reset(&b);
	open_indefinite(&b, DER_CTX_CONS(0));
	if (rc == RC_OK)
		rc = expect(o, &b, "encryptedContent", err);
	buf_done(&b);
	return rc;
}

static enum rc
open_header(struct cms_opener *o, const void *passphrase, size_t len, struct err *err)
{
	uint8_t cek[CEK_SIZE], nonce[NONCE_SIZE];
	struct buf b;
	enum rc rc;

	buf_init(&b, HEADER_MAX);
	content_info_add(&b);
	rc = expect(o, &b, "AuthEnvelopedData", err);
	buf_done(&b);
	if (rc == RC_OK)
		rc = open_recipient(o, cek, passphrase, len, err);
	if (rc != RC_OK)
		return rc;
	rc = open_content(o, nonce, err);
	if (rc == RC_OK)
		rc = gcm_begin(&o->gcm, cek, nonce, false, err);
	wipe(cek, sizeof(cek));
	return rc;
}

enum rc
cms_opener_new(struct cms_opener **out, const void *passphrase, size_t len, cms_source_fn *source,
    void *arg, struct err *err)
{
	struct cms_opener *o;
	enum rc rc = passphrase_fits(len, err);

	if (rc != RC_OK)
		return rc;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return fail(err, RC_NOMEM, "no memory to open a sealed file");
	o->source = source;
	o->arg = arg;
	rc = open_header(o, passphrase, len, err);
	if (rc == RC_OK)
		*out = o;
	else
		cms_opener_free(o);
	return rc;
}

/* The tag, the ends of what is open, and nothing behind. */
static enum rc
take_end(struct cms_opener *o, struct err *err)
{
	static const uint8_t before[] = { 0, 0, DER_OCTET_STRING, TAG_SIZE };
	static const uint8_t behind[6] = { 0 };
	uint8_t end[sizeof(before) + TAG_SIZE + sizeof(behind)];
	uint8_t *tag = end + sizeof(before), none[1];
	int n = 0;
	enum rc rc = take(o, end, sizeof(end), err);

	if (rc != RC_OK)
		return rc;
	if (memcmp(end, before, sizeof(before)) != 0 ||
	    memcmp(tag + TAG_SIZE, behind, sizeof(behind)) != 0)
		return fail(err, RC_INTEGRITY, "its end was changed");
	if (EVP_CIPHER_CTX_ctrl(o->gcm, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1 ||
	    EVP_DecryptFinal_ex(o->gcm, none, &n) != 1) {
		(void)fail_crypto(NULL, RC_INTEGRITY, "tag");
		return fail(err, RC_INTEGRITY,
		    "it was changed or damaged: the authentication tag does not fit");
	}
	if ((rc = fill(o, err)) != RC_OK)
		return rc;
	if (o->at < o->n)
		return fail(err, RC_INTEGRITY, "something follows its end");
	o->ended = true;
	return RC_OK;
}

static enum rc
take_segment(struct cms_opener *o, size_t len, struct err *err)
{
	int n = 0;
	enum rc rc;

	if (len < 1 || len > SEGMENT)
		return fail(err, RC_INTEGRITY, "a segment of %zu bytes", len);
	if ((rc = take(o, o->segment, len, err)) != RC_OK)
		return rc;
	if (EVP_DecryptUpdate(o->gcm, o->plain, &n, o->segment, (int)len) != 1)
		return fail_crypto(err, RC_CRYPTO, "cannot decrypt");
	o->plain_at = 0;
	o->plain_n = (size_t)n;
	return RC_OK;
}

/* One segment, or the end. */
static enum rc
next_segment(struct cms_opener *o, struct err *err)
{
	uint8_t head[4];
	enum rc rc = take(o, head, 2, err);

	if (rc != RC_OK)
		return rc;
	if (memcmp(head, end_of_contents, 2) == 0)
		return take_end(o, err);
	if (head[0] != DER_OCTET_STRING)
		return fail(err, RC_INTEGRITY, "its content is not cut into OCTET STRINGs");
	if (head[1] < 0x80)
		return take_segment(o, head[1], err);
	if (head[1] == 0x81) {
		rc = take(o, head + 2, 1, err);
		return rc == RC_OK ? take_segment(o, head[2], err) : rc;
	}
	if (head[1] != 0x82)
		return fail(err, RC_INTEGRITY, "a segment with a length that is not taken");
	rc = take(o, head + 2, 2, err);
	return rc == RC_OK ? take_segment(o, (size_t)head[2] << 8 | head[3], err) : rc;
}

enum rc
cms_opener_read(struct cms_opener *o, void *p, size_t size, size_t *n, struct err *err)
{
	size_t len;

	if (o->failed != RC_OK)
		return fail(err, o->failed, "a sealed file that failed before");
	if (o->plain_at == o->plain_n && !o->ended && (o->failed = next_segment(o, err)) != RC_OK)
		return o->failed;
	len = o->plain_n - o->plain_at;
	len = len < size ? len : size;
	memcpy(p, o->plain + o->plain_at, len);
	o->plain_at += len;
	*n = len;
	return RC_OK;
}

void
cms_opener_free(struct cms_opener *o)
{
	if (o == NULL)
		return;
	EVP_CIPHER_CTX_free(o->gcm);
	wipe_free(o, sizeof(*o));
}
