/*
 * cms.h - Cryptographic Message Syntax (RFC 5652): SignedData, EnvelopedData, certificates-only.
 *
 * Written on a bounded reader of our own rather than on CMS_*() because private keys live behind
 * operations (another process, an HSM), because the order of certificates must be ours (Apple takes
 * the first), because the whole structure is checked before any key is used, and because the input
 * is hostile.
 *
 * What a value proves:
 *
 * struct cms_cert: the bytes look like an X.509 certificate as far as CMS looks at one.
 *
 * struct cms_signed: the bytes are one ContentInfo with a SignedData within the limits of
 * base/limits.h, with no or one SignerInfo.  NOTHING is verified until cms_signed_verify() said so.
 *
 * struct cms_enveloped: the bytes are one ContentInfo with an EnvelopedData within the limits.
 * Every recipient is of a kind that was asked for (KeyTransRecipientInfo unless said otherwise) with
 * an algorithm we take, the content cipher is one we take, its IV has the size of a block, and the
 * encrypted content is a positive number of whole blocks.  So whoever holds one may try a private
 * key on it.
 *
 * Input may be BER.  It is copied; pointers that come back ("0" at the end of a name, and struct
 * der, where p == NULL means absent) are borrowed from the value.
 *
 * Builders append to a struct buf; when one fails, what it has appended so far is worthless.
 *
 * Threads: values are immutable once made and may be shared.
 */
#ifndef SCEPD_OSSL_CMS_H
#define SCEPD_OSSL_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "ossl/alg.h"
#include "ossl/der.h"
#include "ossl/key.h"

#define OID_DATA           "1.2.840.113549.1.7.1"
#define OID_SIGNED_DATA    "1.2.840.113549.1.7.2"
#define OID_ENVELOPED_DATA "1.2.840.113549.1.7.3"
#define OID_CONTENT_TYPE   "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define OID_SIGNING_TIME   "1.2.840.113549.1.9.5"

/* ---- certificates, as far as CMS needs them ---- */

/* All borrowed from the DER that was looked at. */
struct cms_cert {
	struct der der;
	struct der issuer;      /* Name, with tag and length */
	struct der serial;      /* content of the INTEGER */
	struct der spki;        /* SubjectPublicKeyInfo, with tag and length */
	struct der subject;     /* Name, with tag and length */
	struct der ski;         /* subjectKeyIdentifier; p == NULL when absent */
	enum key_type key_type; /* 0: neither RSA nor EC */
	bool has_key_usage;
	unsigned key_usage; /* KU_ bits of csr.h; 0 when malformed */
};

/*
 * A door.  Reads what is above and judges nothing else, so that the throw-away self-signed
 * certificates of devices, odd as they are, serve their purpose; cert_parse() is for certificates
 * that matter.
 */
enum rc cms_cert_peek(
    struct cms_cert *out, const void *der, size_t len, struct err *err) MUST_CHECK;

/* SignerIdentifier or RecipientIdentifier: either issuer and serial, or ski. */
struct cms_id {
	struct der issuer, serial;
	struct der ski;
};
/* Issuer names are the same when their DER is, or when only their string types differ. */
bool cms_id_matches(const struct cms_id *id, const struct cms_cert *c);

/* ---- SignedData ---- */

struct cms_signed;

/* The door. At most LIMIT_SCEP_MESSAGE bytes.  RC_PARSE, RC_LIMIT, RC_NOMEM. */
enum rc cms_signed_parse(
    struct cms_signed **out, const void *bytes, size_t len, struct err *err) MUST_CHECK;
void cms_signed_free(struct cms_signed *s);

const char *cms_signed_content_type(const struct cms_signed *s); /* eContentType, dotted */
struct der cms_signed_content0(const struct cms_signed *s); /* p == NULL when eContent is absent */
size_t cms_signed_n_certs(const struct cms_signed *s);
struct der cms_signed_cert0(const struct cms_signed *s, size_t i); /* in the order received */
struct der cms_signed_crl0(const struct cms_signed *s); /* the first; p == NULL: there is none */

bool cms_signed_has_signer(const struct cms_signed *s); /* false: degenerate, RFC 5652 5.2 */
/* The embedded certificate that the SignerInfo means; NULL when there is none. */
const struct cms_cert *cms_signed_signer0(const struct cms_signed *s);
/* Whether the SignerInfo means this certificate. */
bool cms_signed_is_by(const struct cms_signed *s, const struct cms_cert *c);
/* DIGEST_NONE when not taken. */
enum digest cms_signed_digest(const struct cms_signed *s);

/* One ASN.1 element: its tag, what is inside, and all of it. */
struct cms_value {
	uint8_t tag;
	struct der body, whole;
};

struct cms_attr {
	char oid[OID_TEXT_MAX];
	size_t n_values;
	struct cms_value value; /* the first; meaningless when n_values is 0 */
};
/* Signed attributes, in the order received. */
size_t cms_signed_n_attrs(const struct cms_signed *s);
/* The one with this OID.  RC_NOTFOUND; RC_PARSE when it comes twice or has not exactly one value.
 */
enum rc cms_signed_attr(const struct cms_signed *s, const char *oid, struct cms_value *value,
    struct err *err) MUST_CHECK;
/* They were sent as RFC 5652 5.3 wants them, in DER, whatever the rest of the message was. */
bool cms_signed_attrs_in_der(const struct cms_signed *s);
/* No attribute comes twice, each has exactly one value. */
enum rc cms_signed_attrs_plain(const struct cms_signed *s, struct err *err) MUST_CHECK;

/*
 * The signature by `key` holds: over signed attributes (without them: RC_PARSE) that name
 * eContentType and the digest of the content.  RC_ALG for an algorithm that is not taken, with its
 * OID; RC_INTEGRITY. Verified over the attributes as received, and if that fails over their DER
 * order.
 */
enum rc cms_signed_verify(
    const struct cms_signed *s, const struct key *key, struct err *err) MUST_CHECK;

/* Use a private key: digest and sign `tbs`, append the signature (as key_sign()). */
typedef enum rc (*cms_sign_fn)(
    void *ctx, enum digest d, const void *tbs, size_t len, struct buf *sig, struct err *err);
/* For a struct key at hand: ctx is the key. */
enum rc cms_sign_with_key(void *ctx, enum digest d, const void *tbs, size_t len, struct buf *sig,
    struct err *err) MUST_CHECK;

/* One more signed attribute with a single value. */
struct cms_attr_build {
	const char *oid;  /* dotted */
	struct der value; /* DER */
};

struct cms_signed_build {
	const char *content_type; /* dotted; NULL: id-data */
	struct der content;       /* p == NULL: eContent absent */
	enum digest digest;
	const struct cms_cert *signer;
	bool signer_by_ski; /* sid: subjectKeyIdentifier instead of issuerAndSerialNumber */
	cms_sign_fn sign;
	void *sign_ctx;
	int64_t signing_time;               /* seconds since 1970; 0: attribute left out */
	const struct cms_attr_build *attrs; /* besides contentType, messageDigest, signingTime */
	size_t n_attrs;
	const struct der *certs; /* DER, embedded in this order; usually the signer's first */
	size_t n_certs;
};
/* Append a ContentInfo in DER (certificates in the order given, which DER would sort). */
enum rc cms_signed_build(
    struct buf *out, const struct cms_signed_build *b, struct err *err) MUST_CHECK;
/* Append a degenerate SignedData: no content, no signers, the certificates in this order. */
enum rc cms_certs_only_build(
    struct buf *out, const struct der *certs, size_t n, struct err *err) MUST_CHECK;
/* The same with a CRL as well (crl.p == NULL: none). */
enum rc cms_degenerate_build(
    struct buf *out, const struct der *certs, size_t n, struct der crl, struct err *err) MUST_CHECK;

/* ---- EnvelopedData ---- */

struct cms_enveloped;

/*
 * The door. At most LIMIT_SCEP_MESSAGE bytes.  RC_PARSE, RC_LIMIT, RC_NOMEM; RC_ALG, naming it, for
 * a cipher or key transport that is not taken, for AuthEnvelopedData and for other kinds of
 * recipient.
 */
enum rc cms_enveloped_parse(
    struct cms_enveloped **out, const void *bytes, size_t len, struct err *err) MUST_CHECK;
void cms_enveloped_free(struct cms_enveloped *e);

/* Kinds of recipient (RFC 5652 6.2). */
enum cms_kind { CMS_KEY_TRANS = 1 << 0, CMS_KEY_AGREE = 1 << 1, CMS_PASSWORD = 1 << 2 };
/*
 * The same, taking these kinds (a set).  For clients, who open what they have asked for; a server takes
 * KeyTransRecipientInfo alone, as the other two have been the way into servers (CVE-2025-9230).
 */
enum rc cms_enveloped_parse_kinds(struct cms_enveloped **out, const void *bytes, size_t len,
    unsigned kinds, struct err *err) MUST_CHECK;
size_t cms_enveloped_n_recipients(const struct cms_enveloped *e);
/* Of the i-th recipient, which must be there; of the others each is for its kind, else NULL or absent. */
enum cms_kind cms_enveloped_kind(const struct cms_enveloped *e, size_t i);
struct cms_kari;
const struct cms_kari *cms_enveloped_kari0(const struct cms_enveloped *e, size_t i);
struct der cms_enveloped_password0(
    const struct cms_enveloped *e, size_t i); /* the RecipientInfo: for pwri_open() */
const char *cms_enveloped_content_type(const struct cms_enveloped *e); /* dotted */
enum cipher cms_enveloped_cipher(const struct cms_enveloped *e);
const struct transport *cms_enveloped_transport0(const struct cms_enveloped *e, size_t i);
struct der cms_enveloped_key0(const struct cms_enveloped *e, size_t i); /* the wrapped key */

enum cms_match {
	CMS_MATCH_NONE,
	CMS_MATCH_ISSUER, /* a lone recipient whose issuer fits and whose serial does not: a renewed
			     certificate */
	CMS_MATCH_EXACT,
};
/* Which recipient is this certificate?  *index is written unless NONE. */
enum cms_match cms_enveloped_match(
    const struct cms_enveloped *e, const struct cms_cert *c, size_t *index);
/*
 * Decrypt with a content-encryption key of cipher_key_size() bytes; appends to `out`, a secret.
 * RC_INTEGRITY with one text, whatever was wrong: that text is CMS_OPEN_FAILED.
 */
enum rc cms_enveloped_open(struct buf *out, const struct cms_enveloped *e, const uint8_t *cek,
    size_t cek_len, struct err *err) MUST_CHECK;
/*
 * The same without an answer to what the padding was, as cbc_decrypt_blind().  RC_INTEGRITY is for what
 * everybody sees: a length that is no number of blocks.
 */
enum rc cms_enveloped_open_blind(struct buf *out, bool *good, const struct cms_enveloped *e,
    const uint8_t *cek, size_t cek_len, struct err *err) MUST_CHECK;
#define CMS_OPEN_FAILED "the envelope cannot be decrypted"

struct pwri;
struct cms_recipient {
	enum cms_kind kind;          /* 0: CMS_KEY_TRANS */
	const struct cms_cert *cert; /* RC_ALG unless its key is RSA, or EC for CMS_KEY_AGREE */
	const struct key *key;       /* of that certificate; NULL: taken from it */
	bool by_ski;
	struct transport transport;  /* CMS_KEY_TRANS */
	const struct pwri *password; /* CMS_PASSWORD, which needs no certificate */
};
struct cms_enveloped_build {
	struct der content;
	enum cipher cipher;
	const struct cms_recipient *recipients;
	size_t n_recipients;
};
/* Append a ContentInfo in DER; inner content type id-data. */
enum rc cms_enveloped_build(
    struct buf *out, const struct cms_enveloped_build *b, struct err *err) MUST_CHECK;

#endif
