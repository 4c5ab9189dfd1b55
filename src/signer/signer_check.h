/*
 * signer_check.h - what may be signed: the rules, apart from the keys.
 *
 * Each function reads bytes that an untrusted caller wants signed, all of them, and says RC_OK,
 * RC_PARSE (these are not such bytes) or RC_DENIED (they break a rule, which is named).  They are
 * doors.
 *
 * Threads: no state.
 */
#ifndef SCEPD_SIGNER_SIGNER_CHECK_H
#define SCEPD_SIGNER_SIGNER_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/cert.h"
#include "ossl/der.h"

/* What holds for everything that one CA signs. */
struct sign_rules {
	struct der subject; /* the CA's Name: the only issuer it signs for */
	struct der spki;    /* its public key: no leaf may have the same */
	enum key_type key_type;
	int64_t not_after;    /* the CA's own end, wall seconds */
	int64_t max_validity; /* seconds */
	const char *const *eku;
	size_t n_eku;
	unsigned key_usage;
};

/* A leaf's TBSCertificate.  *digest is that of its signature algorithm. */
enum rc check_tbs_cert(enum digest *digest, const struct sign_rules *r, const uint8_t *tbs,
    size_t len, struct err *err) MUST_CHECK;
/* A TBSCertList. */
enum rc check_tbs_crl(enum digest *digest, const struct sign_rules *r, const uint8_t *tbs,
    size_t len, struct err *err) MUST_CHECK;
/* The signed attributes of a CertRep, digested with `d`. */
enum rc check_certrep_attrs(
    enum digest d, const uint8_t *attrs, size_t len, struct err *err) MUST_CHECK;

/* An AlgorithmIdentifier (content of its SEQUENCE) that a key of this type can sign with, and that
 * certificates of today may have. */
enum rc check_sig_alg(
    enum digest *digest, const struct der *alg, enum key_type key, struct err *err) MUST_CHECK;

/* One Extension (RFC 5280 4.1) off a list. */
struct ext {
	char oid[OID_TEXT_MAX];
	bool critical;
	struct der value; /* content of the OCTET STRING */
};
enum rc check_take_ext(struct ext *out, struct der *list, struct err *err) MUST_CHECK;

#endif
