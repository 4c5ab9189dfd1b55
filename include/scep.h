/*
 * scep.h - libscep: the messages of RFC 8894 (Simple Certificate Enrolment Protocol), both
 * directions.
 *
 * Pure: bytes in, structs or bytes out.  No sockets, files, logging or global state; the clock is
 * read for signingTime only. Private keys stay with the caller, who lends two operations (struct
 * scep_key_ops): sign, and unwrap a content-encryption key.
 *
 * SERVER
 *   scep_message_parse()     outer CMS, structure
 *   scep_request_open()      signature, type, structure of the envelope, decryption
 *   scep_reply_success(), scep_reply_failure(), scep_reply_pending()
 * CLIENT
 *   scep_pkcsreq_encode()    CSR to PKIMessage
 *   scep_certrep_open()      PKIMessage to status and certificates
 *   scep_next_ca_open()      the certificates of the CA's successor
 *
 * What a value proves:
 *   struct scep_message
 *     The bytes are a CMS SignedData as RFC 8894 3 frames it, within the limits: exactly one
 *     SignerInfo, whose certificate is inside, with transactionID.  Nothing is verified.  It is
 *     enough to address a refusal (a signed CertRep FAILURE) to its sender, and nothing more.
 *   struct scep_request
 *     The signature over the attributes verifies with the signer's certificate, messageDigest is
 *     that of the content, messageType is one we know (default-deny table), the envelope was
 *     checked for structure and then decrypted.  Who the signer *is* has not been decided.
 *
 * Threads: values are immutable once made and may be shared; an identity may serve many threads
 * if its ops may.
 * Errors: every fallible function returns an enum scep_status and fills struct scep_error (which
 * may be NULL).  Out parameters are written only on success.
 * Memory: whatever comes back through a pointer-to-pointer or a struct scep_bytes is the caller's.
 */
#ifndef SCEP_H
#define SCEP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RFC 8894 3.2.1.2.  Anything else is refused before it is looked at further. */
enum scep_message_type {
	SCEP_CERT_REP = 3,
	SCEP_RENEWAL_REQ = 17,
	SCEP_PKCS_REQ = 19,
	SCEP_CERT_POLL = 20,
	SCEP_GET_CERT = 21,
	SCEP_GET_CRL = 22,
};

/* RFC 8894 3.2.1.3 */
enum scep_pki_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };

/* RFC 8894 3.2.1.4 */
enum scep_fail_info {
	SCEP_FAIL_NONE = -1,
	SCEP_BAD_ALG = 0,
	SCEP_BAD_MESSAGE_CHECK = 1,
	SCEP_BAD_REQUEST = 2,
	SCEP_BAD_TIME = 3,
	SCEP_BAD_CERT_ID = 4,
};

enum scep_digest { SCEP_SHA1 = 1, SCEP_SHA256, SCEP_SHA384, SCEP_SHA512 };
enum scep_cipher { SCEP_DES3 = 1, SCEP_AES128, SCEP_AES192, SCEP_AES256 }; /* CBC */
enum scep_transport_kind { SCEP_RSA_PKCS1V15 = 1, SCEP_RSA_OAEP };

/*
 * How the content-encryption key travels.  The digests matter for OAEP only (RFC 8017 A.2.1:
 * SHA-1 when absent).
 */
struct scep_transport {
	enum scep_transport_kind kind;
	enum scep_digest oaep_digest, mgf1_digest;
};

/*
 * The algorithms of one message.  A reply repeats those of its request (RFC 8894 2.9 and what
 * devices can read).
 */
struct scep_algorithms {
	enum scep_digest digest;
	enum scep_cipher cipher;
	struct scep_transport transport;
};

enum scep_status {
	SCEP_OK = 0,
	SCEP_E_NOMEM,
	SCEP_E_LIMIT,     /* a size or count passed its maximum */
	SCEP_E_PARSE,     /* not what the RFC says */
	SCEP_E_ALG,       /* algorithm not taken, e.g. DES, MD5 */
	SCEP_E_INTEGRITY, /* signature, digest, decryption (one text for all of the latter) */
	SCEP_E_TYPE,      /* messageType unknown, or not possible in this direction */
	SCEP_E_RECIPIENT, /* enveloped to somebody else */
	SCEP_E_CRYPTO,    /* the caller's key operation, or libcrypto, failed */
};

struct scep_error {
	enum scep_status status;
	enum scep_fail_info fail_info; /* what a server answers; SCEP_FAIL_NONE on SCEP_OK */
	const char *step; /* "parse", "verify", "type", "decrypt", "sign" ...; static */
	char text[320];   /* one line for the log, cites the clause; holds no secret */
};

struct scep_bytes {
	uint8_t *data;
	size_t len;
};
void scep_bytes_free(struct scep_bytes *b); /* wipes; NULL-safe; leaves it empty */

/* ---- keys and identities ---- */

/*
 * What libscep asks of a private key.  Both return 0 on success.
 *
 * sign: digest `tbs` and sign it (RSA PKCS#1 v1.5, or ECDSA DER).  *sig_len holds the room at
 * `sig` and then the size.
 *
 * unwrap: recover a content-encryption key of exactly cek_len octets.  When the padding is wrong
 * it MUST still succeed, with random octets, in the same time (RFC 3218; Bleichenbacher).  May be
 * NULL for a key that only signs.
 */
struct scep_key_ops {
	int (*sign)(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len,
	    uint8_t *sig, size_t *sig_len);
	int (*unwrap)(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
	    size_t wrapped_len, uint8_t *cek, size_t cek_len);
};
#define SCEP_SIGNATURE_MAX 1024 /* room libscep gives for a signature: RSA-8192 */

/* A certificate together with the use of its private key: an RA, or a client. */
struct scep_identity;
enum scep_status scep_identity_new(struct scep_identity **out, const uint8_t *cert_der, size_t len,
    const struct scep_key_ops *ops, void *ctx, struct scep_error *err);
/* From a PEM private key (unencrypted); ops are libscep's own.  For clients and tests. */
enum scep_status scep_identity_from_pem(struct scep_identity **out, const uint8_t *cert_der,
    size_t len, const char *key_pem, size_t key_pem_len, struct scep_error *err);
void scep_identity_free(struct scep_identity *id);
const uint8_t *scep_identity_cert(const struct scep_identity *id, size_t *len);

/* ---- server: taking a request ---- */

struct scep_message;
/* The door.  BER or DER.  A failure here has no one to answer to: HTTP 400. */
enum scep_status scep_message_parse(
    struct scep_message **out, const uint8_t *bytes, size_t len, struct scep_error *err);
void scep_message_free(struct scep_message *m);

/* What can be told of an unverified message, for refusals and the log.  All borrowed. */
const char *scep_message_transaction_id(
    const struct scep_message *m); /* 1..255 characters, printable */
int scep_message_type(
    const struct scep_message *m); /* the number, or -1 when absent or malformed */
const char *scep_message_type_text(
    const struct scep_message *m); /* as received, printable, cut at 16; "" when absent */
const uint8_t *scep_message_sender_nonce(
    const struct scep_message *m, size_t *len); /* NULL when absent */
const uint8_t *scep_message_signer(const struct scep_message *m, size_t *len); /* certificate DER */
int64_t scep_message_signing_time(
    const struct scep_message *m); /* seconds since 1970, 0 when absent */
/* As far as known: 0 for what is missing or not taken. */
void scep_message_algorithms(const struct scep_message *m, struct scep_algorithms *out);

/*
 * Which of `ids` the envelope of an unverified message is meant for: who a refusal should come from,
 * where a server has several RA certificates and a client may know only one of them.  NULL: none of
 * them, or there is no envelope to tell by.
 */
const struct scep_identity *scep_message_recipient(
    const struct scep_message *m, struct scep_identity *const *ids, size_t n_ids);

struct scep_request;
/*
 * Verify, classify, check the structure, decrypt: in this order, and no private-key operation
 * before everything else has passed.  `ids` are the identities (RA certificates) a request may be
 * enveloped to; matched by issuerAndSerialNumber or by subjectKeyIdentifier (a lone recipient
 * whose serial is stale but whose issuer matches is tried and marked).  `m` is lent for the call;
 * on success the request keeps what it needs (m may be freed). On failure err->fail_info says
 * what to answer with scep_reply_failure().
 */
enum scep_status scep_request_open(struct scep_request **out, const struct scep_message *m,
    struct scep_identity *const *ids, size_t n_ids, struct scep_error *err);
void scep_request_free(struct scep_request *r); /* wipes the content */

enum scep_message_type scep_request_type(const struct scep_request *r);
const char *scep_request_transaction_id(const struct scep_request *r);
const uint8_t *scep_request_content(const struct scep_request *r,
    size_t *len); /* decrypted messageData: the PKCS#10 of a PKCSReq */
const uint8_t *scep_request_signer(const struct scep_request *r, size_t *len);
const struct scep_identity *scep_request_recipient(const struct scep_request *r);
int scep_request_recipient_stale(const struct scep_request *r); /* matched by issuer only */
void scep_request_algorithms(const struct scep_request *r, struct scep_algorithms *out);

/* ---- server: answering ---- */

/*
 * CertRep, RFC 8894 3.3.2: signed by `id`, certificate of `id` inside, senderNonce fresh,
 * recipientNonce = the request's senderNonce (absent if it had none), same transactionID, same
 * digest.  DER throughout, signed attributes sorted.
 */
/*
 * certs[0] is the issued certificate; more only where an endpoint insists.  Enveloped to the
 * request's signer, in its algorithms.
 */
enum scep_status scep_reply_success(struct scep_bytes *out, const struct scep_request *r,
    const struct scep_identity *id, const struct scep_bytes *certs, size_t n_certs,
    struct scep_error *err);
/*
 * text: failInfoText (id-scep-failInfoText, RFC 8894 3.2.1.4), UTF-8, NULL for none; cut at 255
 * bytes.
 */
enum scep_status scep_reply_failure(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, enum scep_fail_info fail_info, const char *text,
    struct scep_error *err);
enum scep_status scep_reply_pending(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, struct scep_error *err);

/*
 * RFC 8894 4.2.1: one certificate is itself, several a degenerate SignedData in the order given.
 */
enum scep_status scep_ca_certs_encode(
    struct scep_bytes *out, const struct scep_bytes *certs, size_t n, struct scep_error *err);

/* ---- capabilities (RFC 8894 3.5.2) ---- */

enum scep_cap {
	SCEP_CAP_AES = 1 << 0,
	SCEP_CAP_DES3 = 1 << 1,
	SCEP_CAP_GET_NEXT_CA_CERT = 1 << 2,
	SCEP_CAP_POST_PKI_OPERATION = 1 << 3,
	SCEP_CAP_RENEWAL = 1 << 4,
	SCEP_CAP_SHA1 = 1 << 5,
	SCEP_CAP_SHA256 = 1 << 6,
	SCEP_CAP_SHA512 = 1 << 7,
	SCEP_CAP_SCEP_STANDARD = 1 << 8,
	SCEP_CAP_SHA384 = 1 << 9,
	SCEP_CAP_UPDATE = 1 << 10,
};
/* One keyword a line, LF. */
enum scep_status scep_caps_encode(struct scep_bytes *out, unsigned caps, struct scep_error *err);
/* Unknown keywords are passed over.  Never fails but for size. */
enum scep_status scep_caps_parse(
    unsigned *caps, const uint8_t *text, size_t len, struct scep_error *err);

/* ---- client ---- */

struct scep_pkcsreq {
	enum scep_message_type type; /* SCEP_PKCS_REQ or SCEP_RENEWAL_REQ */
	const char *transaction_id;  /* NULL: upper-hex SHA-256 of the CSR's public key */
	const uint8_t *csr;          /* DER */
	size_t csr_len;
	const struct scep_identity
	    *signer;              /* throw-away self-signed, or the certificate to renew */
	const uint8_t *recipient; /* RA (or CA) certificate DER */
	size_t recipient_len;
	int recipient_by_ski; /* subjectKeyIdentifier instead of issuerAndSerialNumber */
	struct scep_algorithms alg;
};
/* What the client has to remember until the answer. */
struct scep_pending {
	char transaction_id[256];
	uint8_t sender_nonce[16];
};
enum scep_status scep_pkcsreq_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_pkcsreq *req, struct scep_error *err);

struct scep_certrep {
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	char fail_text[256];
	struct scep_bytes *certs; /* SUCCESS: as in the degenerate SignedData, in its order */
	size_t n_certs;
	struct scep_algorithms alg;
};
/*
 * Verifies signature, transactionID and recipientNonce against `pending`; the signer's
 * certificate must be one of `ra_certs` (those from GetCACert).  Decrypts with `me` (the identity
 * the request was signed with).
 */
enum scep_status scep_certrep_open(struct scep_certrep *out, const uint8_t *bytes, size_t len,
    const struct scep_pending *pending, const struct scep_bytes *ra_certs, size_t n_ra_certs,
    const struct scep_identity *me, struct scep_error *err);
void scep_certrep_done(struct scep_certrep *r);

/*
 * GetCACert's answer: DER of one certificate or a degenerate SignedData.  certs[] are the
 * caller's (free with scep_bytes_list_free).
 */
enum scep_status scep_ca_certs_parse(
    struct scep_bytes **certs, size_t *n, const uint8_t *bytes, size_t len, struct scep_error *err);
/*
 * GetNextCACert's answer (RFC 8894 4.7.1): certificates of the next CA in a SignedData by the current
 * one.  `signers` are certificates that may have signed it: CA certificates that the client trusts.
 * Verified before anything in it is looked at; certs[] are the caller's.
 */
enum scep_status scep_next_ca_open(struct scep_bytes **certs, size_t *n, const uint8_t *bytes,
    size_t len, const struct scep_bytes *signers, size_t n_signers, struct scep_error *err);
void scep_bytes_list_free(struct scep_bytes *list, size_t n);

/* Names for logs: static strings. */
const char *scep_message_type_name(int type);             /* "PKCSReq" ..., "unknown" */
const char *scep_pki_status_name(enum scep_pki_status s); /* "SUCCESS" ... */
const char *scep_fail_info_name(enum scep_fail_info f);   /* "badAlg" ..., "none" */
const char *scep_digest_name(enum scep_digest d);         /* "sha256", "-" for 0 */
const char *scep_cipher_name(enum scep_cipher c);         /* "aes128cbc", "-" for 0 */
const char *scep_transport_name(
    const struct scep_transport *t, char *out, size_t len); /* "rsa" "oaep-sha1" */

#ifdef __cplusplus
}
#endif
#endif
