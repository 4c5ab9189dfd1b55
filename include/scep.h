/*
 * scep.h - libscep: the messages of RFC 8894 (Simple Certificate Enrolment Protocol), both
 * directions.
 *
 * Pure: bytes in, structs or bytes out.  No sockets, files, logging or global state; the clock is
 * read for signingTime only. Private keys stay with the caller, who lends their operations (struct
 * scep_key_ops): sign, unwrap a content-encryption key, agree on one.
 *
 * SERVER
 *   scep_message_parse()     outer CMS, structure
 *   scep_message_strict()    the RFC to the letter, for who wants that
 *   scep_request_open()      signature, type, structure of the envelope, decryption
 *   scep_reply_success(), scep_reply_failure(), scep_reply_pending(), and the same with more to
 *   say: scep_reply_success_how() ...
 * CLIENT
 *   scep_pkcsreq_encode()    CSR to PKIMessage
 *   scep_certpoll_encode(), scep_getcert_encode(), scep_getcrl_encode()
 *   scep_certrep_open()      PKIMessage to status, certificates or CRL
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
 *     checked for structure and then decrypted, and what was in it has the form that messageType
 *     calls for.  Who the signer *is* has not been decided.
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
	SCEP_E_TIME,      /* signed too long ago, or in the future */
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

/* Bytes that belong to something else, and live as long as it does. */
struct scep_slice {
	const uint8_t *data;
	size_t len;
};

/* ---- keys and identities ---- */

/*
 * What libscep asks of a private key.  All return 0 on success.
 *
 * sign: digest `tbs` and sign it (RSA PKCS#1 v1.5, or ECDSA DER).  *sig_len holds the room at
 * `sig` and then the size.
 *
 * unwrap: recover a content-encryption key of exactly cek_len octets.  When the padding is wrong
 * it MUST still succeed, with random octets, in the same time (RFC 3218; Bleichenbacher).  May be
 * NULL for a key that only signs.
 *
 * agree: ECDH with the public key of the other side (SubjectPublicKeyInfo, on the same curve): the x
 * coordinate of the shared point, as long as the field, into `z`, of which *z_len holds the room and
 * then the size.  For clients with elliptic keys; NULL for others.
 */
struct scep_key_ops {
	int (*sign)(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len,
	    uint8_t *sig, size_t *sig_len);
	int (*unwrap)(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
	    size_t wrapped_len, uint8_t *cek, size_t cek_len);
	int (*agree)(
	    void *ctx, const uint8_t *peer_spki, size_t peer_len, uint8_t *z, size_t *z_len);
};
#define SCEP_SIGNATURE_MAX 1024 /* room libscep gives for a signature: RSA-8192 */
#define SCEP_AGREED_MAX    66   /* room for a shared secret: P-521 */

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

/*
 * RFC 8894 to the letter, for an endpoint that takes nothing else; to be asked between
 * scep_message_parse() and scep_request_open(), which stay as tolerant as devices need.  `now` is in
 * seconds since 1970.  SCEP_OK, or with the step "strict":
 *   SCEP_E_ALG    digest not of SHA-2, content cipher not AES (badAlg)
 *   SCEP_E_TIME   there is a signingTime, and it is not within max_skew of `now` (badTime)
 *   SCEP_E_PARSE  transactionID or messageType is no PrintableString (3.2.1 table 1); senderNonce is
 *                 not 16 octets (3.2.1.5); signingTime is no time; the signed attributes were not
 *                 sent in DER (RFC 5652 5.3).  The rest of a message may be BER, as CMS has it.
 * SHA-1 within OAEP is let pass: it is the default of RFC 8017 and needs no collision resistance.
 * Nothing of the message is verified, so a yes means nothing before scep_request_open().
 */
enum scep_status scep_message_strict(
    const struct scep_message *m, int64_t now, unsigned max_skew_seconds, struct scep_error *err);

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
/*
 * What is asked for, lent by the request.  Names are DER with their header, the serial number is the
 * content of its INTEGER, at most SCEP_SERIAL_MAX octets.  SCEP_E_TYPE for a request of another type.
 * CertPoll (RFC 8894 3.3.3); the RFC wants the transactionID to be believed instead.
 */
enum scep_status scep_request_issuer_subject(
    const struct scep_request *r, struct scep_slice *issuer, struct scep_slice *subject);
/* GetCert and GetCRL (RFC 8894 3.3.4). */
enum scep_status scep_request_issuer_serial(
    const struct scep_request *r, struct scep_slice *issuer, struct scep_slice *serial);
#define SCEP_SERIAL_MAX 64 /* RFC 5280 4.1.2.2 has 20; old CAs went past it */

/*
 * How the content of an answer is encrypted to the signer of the request (RFC 8894 3.1): by its RSA
 * key; by ECDH with its elliptic key (RFC 5753), if its certificate has keyAgreement among its key
 * usages, or no key usages; otherwise by a password that both sides know, the challengePassword.
 */
enum scep_way { SCEP_BY_RSA = 1, SCEP_BY_ECDH, SCEP_BY_PASSWORD };
/* To be asked before anything is issued: SCEP_BY_PASSWORD without one is SCEP_E_ALG at the answer. */
enum scep_way scep_request_way(const struct scep_request *r);

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

/* What a SUCCESS carries: certificates, or for GetCRL a CRL (RFC 8894 3.3.2.1 table 6).  All lent. */
struct scep_reply_how {
	const struct scep_bytes *certs; /* certs[0]: what was asked for; in this order */
	size_t n_certs;
	const struct scep_bytes *crl; /* NULL: none */
	const char *password;         /* the challengePassword, for SCEP_BY_PASSWORD; NULL: none */
	size_t password_len;
	unsigned password_rounds; /* of PBKDF2; 0: SCEP_PASSWORD_ROUNDS */
};
/*
 * Who records an answer under a password can try words on it at leisure, at this price for each.  A
 * fraction of a second here; some seconds on a small device.
 */
#define SCEP_PASSWORD_ROUNDS 600000u
/*
 * SCEP_E_LIMIT: neither certificates nor a CRL, too many, or more than a message holds (1 MiB; a CRL
 * that long has to be fetched by HTTP).  SCEP_E_ALG (badAlg): the signer's key can only sign, and
 * there is no password.
 */
enum scep_status scep_reply_success_how(struct scep_bytes *out, const struct scep_request *r,
    const struct scep_identity *id, const struct scep_reply_how *how, struct scep_error *err);

/*
 * FAILURE and PENDING have no content (RFC 8894 3.3.2.2, 3.3.2.3); clients on OpenSSL's PKCS7_verify()
 * cannot verify that.  With this flag the content is there, and empty.
 */
#define SCEP_REPLY_EMPTY_CONTENT 1u
enum scep_status scep_reply_failure_how(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, enum scep_fail_info fail_info, const char *text, unsigned flags,
    struct scep_error *err);
enum scep_status scep_reply_pending_how(struct scep_bytes *out, const struct scep_message *m,
    const struct scep_identity *id, unsigned flags, struct scep_error *err);

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

/*
 * The messages without a CSR.  Names are DER with their header.  A transactionID is needed for
 * CertPoll, that of the request that is polled for; for others NULL makes a random one, as each is a
 * transaction of its own.
 */
struct scep_query {
	const char *transaction_id;
	struct scep_slice issuer;  /* CertPoll: the CA's subject, or what is known of it */
	struct scep_slice subject; /* CertPoll: that of the CSR */
	struct scep_slice serial;  /* GetCert, GetCRL: content of the INTEGER */
	const struct scep_identity *signer;
	const uint8_t *recipient;
	size_t recipient_len;
	int recipient_by_ski;
	struct scep_algorithms alg;
};
enum scep_status scep_certpoll_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);
enum scep_status scep_getcert_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);
enum scep_status scep_getcrl_encode(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);
/* What a query needs of a certificate, lent by its DER; any of the pointers may be NULL. */
enum scep_status scep_cert_parts(struct scep_slice *issuer, struct scep_slice *subject,
    struct scep_slice *serial, const uint8_t *cert, size_t len, struct scep_error *err);
/* And of a CSR. */
enum scep_status scep_csr_subject(
    struct scep_slice *subject, const uint8_t *csr, size_t len, struct scep_error *err);

struct scep_certrep {
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	char fail_text[256];
	struct scep_bytes *certs; /* SUCCESS: as in the degenerate SignedData, in its order */
	size_t n_certs;
	struct scep_bytes crl; /* SUCCESS of GetCRL: the first of them; data == NULL: none */
	struct scep_algorithms alg;
	enum scep_way
	    way; /* SUCCESS: how its content was encrypted; alg.transport is of SCEP_BY_RSA */
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

/* The same with all there is to say; lent for the call. */
struct scep_certrep_how {
	const struct scep_pending *pending;
	const struct scep_bytes *ra_certs;
	size_t n_ra_certs;
	const struct scep_identity *me;
	int want_crl; /* answer to GetCRL: a SUCCESS has a CRL; otherwise a certificate, at least */
	const char *password; /* the challengePassword, if an answer under it is to be opened */
	size_t password_len;
};
enum scep_status scep_certrep_open_how(struct scep_certrep *out, const uint8_t *bytes, size_t len,
    const struct scep_certrep_how *how, struct scep_error *err);

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
const char *scep_way_name(enum scep_way w);               /* "rsa" "ecdh" "password", "-" for 0 */
const char *scep_fail_info_name(enum scep_fail_info f);   /* "badAlg" ..., "none" */
const char *scep_digest_name(enum scep_digest d);         /* "sha256", "-" for 0 */
const char *scep_cipher_name(enum scep_cipher c);         /* "aes128cbc", "-" for 0 */
const char *scep_transport_name(
    const struct scep_transport *t, char *out, size_t len); /* "rsa" "oaep-sha1" */

#ifdef __cplusplus
}
#endif
#endif
