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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/cert.h"
#include "ossl/der.h"
#include "ossl/ocsp.h"

/* What holds for everything that one CA signs. */
struct sign_rules {
	struct der subject; /* the CA's Name: the only issuer it signs for */
	struct der spki;    /* its public key: no leaf may have the same */
	enum key_type key_type;
	bool issues;          /* false: retired, no certificate at all */
	int64_t not_after;    /* the CA's own end, wall seconds */
	int64_t max_validity; /* seconds */
	const char *const *eku;
	size_t n_eku;
	unsigned key_usage;
	unsigned rsa_min, rsa_max; /* bits of subject keys */
	unsigned ec_curves;        /* SIGNER_P256 ... */
	int64_t crl_validity_max;  /* seconds */
};

/* What the signer needs to know of what it is about to sign; borrowed from the bytes. */
struct tbs_facts {
	enum digest digest; /* of the signature algorithm */
	struct der number;  /* magnitude of the serial number, or of the CRL number */
};

/* A leaf's TBSCertificate, `now` in wall seconds. */
enum rc check_tbs_cert(struct tbs_facts *out, const struct sign_rules *r, int64_t now,
    const uint8_t *tbs, size_t len, struct err *err) MUST_CHECK;
/* A TBSCertList. */
enum rc check_tbs_crl(struct tbs_facts *out, const struct sign_rules *r, int64_t now,
    const uint8_t *tbs, size_t len, struct err *err) MUST_CHECK;
/* A subject's SubjectPublicKeyInfo (content of its SEQUENCE): type and size. */
enum rc check_spki(const struct sign_rules *r, struct der spki, struct err *err) MUST_CHECK;
/* The signed attributes of a CertRep, digested with `d`. */
enum rc check_certrep_attrs(
    enum digest d, const uint8_t *attrs, size_t len, struct err *err) MUST_CHECK;

/* What names a CA in OCSP, and its responder. */
struct ocsp_names {
	struct ocsp_issuer issuer;
	uint8_t responder[20]; /* key_identifier() */
};
enum rc ocsp_names_make(struct ocsp_names *out, const struct cert *ca, const struct key *responder,
    struct err *err) MUST_CHECK;
/* A ResponseData. */
enum rc check_ocsp_data(const struct ocsp_names *names, int64_t now, const uint8_t *data,
    size_t len, struct err *err) MUST_CHECK;

/* An AlgorithmIdentifier (content of its SEQUENCE) that a key of this type can sign with, and that
 * certificates of today may have. */
enum rc check_sig_alg(
    enum digest *digest, const struct der *alg, enum key_type key, struct err *err) MUST_CHECK;

/* The digest that is as strong as the key: SHA-384 with P-384, SHA-512 with P-521, else SHA-256. */
enum digest digest_for_key(const struct key *k);

/* One Extension (RFC 5280 4.1) off a list. */
struct ext {
	char oid[OID_TEXT_MAX];
	bool critical;
	struct der value; /* content of the OCTET STRING */
};
enum rc check_take_ext(struct ext *out, struct der *list, struct err *err) MUST_CHECK;

#endif
