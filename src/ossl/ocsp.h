/*
 * ocsp.h - the Online Certificate Status Protocol (RFC 6960, RFC 5019): requests read, answers
 * written.  Nothing here knows a key: what ocsp_response_data_build() makes is signed elsewhere.
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_OCSP_H
#define SCEPD_OSSL_OCSP_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/cert.h"
#include "ossl/der.h"

#define OCSP_CERTS_MAX 32 /* certificates in one request: clients ask for one, or for a chain */
#define OCSP_REQUEST_MAX                                                                           \
	16384u /* bytes: that many CertIDs of SHA-512, and a signature with its chain */
/*
 * RFC 8954 2.1 ends at 32 octets, RFC 9654 2.1, its successor, at 128, of which a responder need not
 * take more than 32.  Taken and echoed to 128: a nonce is but copied, and a client that sent one and
 * gets none back refuses the answer.
 */
#define OCSP_NONCE_MAX 128

/* CertID (RFC 6960 4.1.1), borrowed from the request. */
struct ocsp_cert_id {
	struct der whole;   /* with its header: echoed as it was received */
	enum digest digest; /* DIGEST_NONE: one that we do not know */
	struct der name_hash, key_hash;
	struct serial serial; /* len 0: none that a CA of ours gives (zero, negative, too long) */
};
struct ocsp_request {
	struct ocsp_cert_id ids[OCSP_CERTS_MAX];
	size_t n_ids;
	struct der nonce; /* the octets themselves; p NULL: none */
};

/*
 * The door: DER of one OCSPRequest, nothing after it.  A requestor's name and signature are stepped
 * over.  RC_PARSE also for a critical extension that is unknown (4.4), RC_LIMIT for too many
 * certificates or bytes.  *out borrows from `der`.
 */
enum rc ocsp_request_parse(
    struct ocsp_request *out, const void *der, size_t len, struct err *err) MUST_CHECK;

/* What names an issuer in CertIDs: hashes of its subject and its key, by each digest. */
struct ocsp_issuer {
	uint8_t name[DIGEST__MAX][DIGEST_SIZE_MAX], key[DIGEST__MAX][DIGEST_SIZE_MAX];
};
enum rc ocsp_issuer_of(struct ocsp_issuer *out, const struct cert *ca, struct err *err) MUST_CHECK;
bool ocsp_id_is_of(const struct ocsp_cert_id *id, const struct ocsp_issuer *issuer);

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
const char *ocsp_status_name(enum ocsp_status s); /* "good"; static */
struct ocsp_single {
	struct der id; /* CertID with its header */
	enum ocsp_status status;
	int64_t revoked;                  /* wall seconds; OCSP_REVOKED */
	int reason;                       /* RFC 5280 5.3.1; 0: not said */
	int64_t this_update, next_update; /* wall seconds */
};
struct ocsp_answer {
	uint8_t responder[20]; /* key_identifier() of the responder (4.2.1, byKey) */
	int64_t produced;      /* wall seconds */
	const struct ocsp_single *singles;
	size_t n_singles;
	struct der nonce; /* p NULL: none */
};
/* DER of a ResponseData (4.2.1); appends.  RC_BUG for times that are none. */
enum rc ocsp_response_data_build(
    struct buf *out, const struct ocsp_answer *a, struct err *err) MUST_CHECK;

/* OCSPResponseStatus (4.2.1) of answers that nobody signs. */
enum ocsp_failure {
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL_ERROR = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6
};
const char *ocsp_failure_name(enum ocsp_failure f); /* "malformedRequest"; static */
/* An OCSPResponse; append. */
void ocsp_response_add(struct buf *out, const void *basic, size_t len);
void ocsp_failure_add(struct buf *out, enum ocsp_failure f);

#endif
