/*
 * signer.h - every private-key operation of the server, behind one interface.
 *
 * Callers name CAs; they never see a key.  The signer is no oracle: it parses what it is asked to
 * sign and refuses what no profile may allow, whatever the caller believes.  It is opened in this
 * process (signer_open()) or spoken to in another (signer_remote_new()); a caller cannot tell the
 * difference but for the time it takes.
 *
 * A name that the signer does not have is RC_NOTFOUND; bytes that are not what the call is for are
 * RC_PARSE; what breaks a rule is RC_DENIED; past a rate it is RC_LIMIT.  Then nothing was signed
 * and nothing appended.  RC_IO: the key cannot be reached at the moment (token gone, signer
 * restarting for longer than SIGNER_WAIT_MS); the same call may work later.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SIGNER_SIGNER_H
#define SCEPD_SIGNER_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/cert.h"
#include "ossl/key_source.h"

struct signer;

#define SIGNER_WAIT_MS 15000 /* for a signer that restarts: half of a SCEP client's patience */
#define SIGNER_RAS_MAX 4     /* RA certificates of one CA that still open messages */

/* What the signer itself insists on for certificates of one CA: the outer bound of its profiles. */
struct signer_ca {
	const char *name;               /* "issuing" */
	const char *cert_file;          /* PEM */
	const char *const *chain_files; /* above it, nearest first: for GetNextCACert */
	size_t n_chain_files;
	struct key_source key;
	bool issues;            /* false: retired, signs no certificate */
	const char *replaces;   /* name of the CA that this one is the next of, or NULL */
	int64_t max_validity;   /* seconds from notBefore to notAfter; 0: 825 days + 1 day of
				 backdating */
	const char *const *eku; /* dotted OIDs that may be issued */
	size_t n_eku;
	unsigned key_usage;        /* KU_* bits that may be issued */
	unsigned rsa_min, rsa_max; /* bits of subject keys; rsa_max 0: no RSA keys */
	unsigned ec_curves;        /* SIGNER_P256 and its like; 0: no EC keys */
	uint64_t max_per_hour;     /* certificates; 0: SIGNER_PER_HOUR */
	int64_t crl_validity_max;  /* seconds from thisUpdate to nextUpdate; 0: 400 days */
	/* The RA identity.  cert_file NULL: a CA without one (tests). */
	const char *ra_cert_file;
	struct key_source ra_key;
	int64_t
	    ra_validity; /* seconds, of the RA certificates that the signer renews; 0: none are */
	/* The delegated OCSP responder (RFC 6960 4.2.2.2).  key NULL: a P-256 key that the signer
	 * makes and keeps in its state. */
	struct key_source ocsp_key;
};
/*
 * A CA of others: the responder that it has certified for us (RFC 6960 4.2.2.2), and nothing else.  OCSP answers
 * are signed for it as for a CA of ours; all else that is asked under its name is RC_DENIED.
 */
struct signer_foreign {
	const char *name;      /* none that a CA of ours has */
	const char *cert_file; /* the CA's, PEM */
	/* The responder's.  One that is not there, or has ended, is no reason not to open: OCSP for this CA is
	 * RC_NOTFOUND then, until signer_take_responder() brings one.  One that does not fit is RC_CONFIG. */
	const char *ocsp_cert_file;
	struct key_source ocsp_key;
};
enum { SIGNER_P256 = 1, SIGNER_P384 = 2, SIGNER_P521 = 4 };
#define SIGNER_PER_HOUR 20000 /* a device every 0.18 s: a fleet of 150,000 within a working day */
struct signer_conf {
	const struct signer_ca *cas;
	size_t n_cas;
	const struct signer_foreign *foreign;
	size_t n_foreign;
	/* Folder of the signer's own (0700, made if absent): audit, serial numbers, CRL numbers,
	 * OCSP keys, renewed certificates.  NULL: nothing is kept, for tests and `scepctl check`;
	 * then uniqueness and "only upward" hold for this process's life. */
	const char *state_dir;
};

/*
 * Loads keys and certificates, checks that they belong together. RC_CONFIG names the file.  Signs
 * nothing and starts no thread, so that the caller can give up authority afterwards; what is due is
 * done by the first call or signer_tick().
 */
enum rc signer_open(
    struct signer **out, const struct signer_conf *conf, struct err *err) MUST_CHECK;
void signer_close(struct signer *s); /* wipes keys */

/*
 * Sign a leaf's TBSCertificate (DER) with CA `ca`; appends the certificate.  RC_DENIED, naming the
 * rule: not v3; issuer is not the CA's subject; basicConstraints CA:TRUE or absent; keyCertSign or
 * cRLSign; key usage or EKU absent or outside the CA's list; validity longer than allowed or past
 * the CA's own end, or beginning more than a week from now; serial under 64 bits, or already signed
 * for another TBSCertificate (the same bytes again are answered again: a call that was cut off is
 * repeated); subject key of a type or size outside the CA's; the SID extension; unknown critical
 * extensions; signature algorithm not fitting the key, or SHA-1; unique identifiers; the CA's own
 * subject or public key; a retired CA.
 */
enum rc signer_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
    struct buf *cert, struct err *err) MUST_CHECK;
/*
 * Sign a TBSCertList (v2, with nextUpdate, CRL number and authorityKeyIdentifier) whose issuer is
 * the CA, which holds no longer than it may, and whose number is greater than that of every list
 * signed before (the same bytes again excepted).  A critical extension is either the
 * issuingDistributionPoint, with names and nothing else in it, so that no list is of others' certificates
 * or of some reasons only, or the deltaCRLIndicator of an earlier list; a freshestCRL stands in complete
 * lists.  Appends the signature alone: a list has many megabytes, of which nobody needs another copy.
 */
enum rc signer_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
    struct buf *sig, struct err *err) MUST_CHECK;
/*
 * Sign the DER SET OF signed attributes of a CertRep (RFC 5652 5.4) with the RA of `ca`; appends
 * the signature.  RC_DENIED unless it is such a SET in DER order, of attributes that a CertRep has,
 * each once, with contentType data, a messageDigest of the size of `d`, messageType 3 (RFC 8894
 * 3.2.1.2), pkiStatus and transactionID: an RA key signs nothing else.
 */
enum rc signer_sign_certrep(struct signer *s, const char *ca, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err) MUST_CHECK;
/* Unwrap a content-encryption key with the RA of `ca`; uniform as key_unwrap(). */
enum rc signer_unwrap(struct signer *s, const char *ca, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, uint8_t *cek, size_t cek_len,
    struct err *err) MUST_CHECK;
/*
 * Sign an OCSP ResponseData (RFC 6960 4.2.1) with the responder of `ca`; appends a
 * BasicOCSPResponse with the responder's certificate in it.  RC_DENIED unless every CertID is of
 * this CA, the responderID is the responder's (by key hash), producedAt is now (five minutes either
 * way), and every answer has a nextUpdate and holds no longer than SIGNER_OCSP_VALIDITY_MAX from
 * now.
 */
#define SIGNER_OCSP_VALIDITY_MAX (8 * 86400) /* seconds */
enum rc signer_sign_ocsp(struct signer *s, const char *ca, const uint8_t *response_data, size_t len,
    struct buf *basic, struct err *err) MUST_CHECK;
/*
 * The answer to GetNextCACert (RFC 8894 4.7.1): SignedData by the key of `ca` over the certs-only
 * list of the CA that replaces it (certificate, RA, chain), all from the signer's own
 * configuration.  RC_NOTFOUND: none does.
 */
enum rc signer_next_ca(
    struct signer *s, const char *ca, struct buf *der, struct err *err) MUST_CHECK;

/*
 * Certificates that change while the server runs.  The signer renews them by itself (RA: in the
 * last quarter of its life, OCSP: in the last half), with the same key, so that messages to the old
 * one are still opened.
 */
struct signer_certs {
	struct cert *ra[SIGNER_RAS_MAX]; /* the one in use first, then older ones that have not
					    expired */
	size_t n_ra;
	struct cert
	    *ocsp; /* NULL: the CA's key does not allow one yet; a foreign CA's is not there */
};
/* As they are now; *out is the caller's. */
enum rc signer_certs(
    struct signer *s, const char *ca, struct signer_certs *out, struct err *err) MUST_CHECK;
void signer_certs_done(struct signer_certs *c);
/*
 * The same from the signer's folder, without keys and beside a signer that runs: for commands.  What was
 * never renewed is `ra`; no responder was asked for yet: *out has none.  RC_IO: the folder may
 * not be read.
 */
struct signer_certs_of {
	const struct cert *issuer; /* the CA's */
	const struct cert *ra;     /* as configured */
};
enum rc signer_certs_look(struct signer_certs *out, const char *state_dir, const char *ca,
    const struct signer_certs_of *of, struct err *err) MUST_CHECK;
/*
 * What makes `c` a responder's certificate for the CA `ca` (RFC 6960 4.2.2.2): signed by it, OCSPSigning,
 * digitalSignature, no CA, a key of its own.  RC_CONFIG names what it lacks.  Its dates are not looked at.
 */
enum rc signer_responder_check(
    const struct cert *c, const struct cert *ca, struct err *err) MUST_CHECK;
/*
 * Another certificate (DER) for the responder of a foreign CA: whoever may read files found it on the disk, and the
 * signer, which may not, believes nothing but the CA's signature.  RC_DENIED unless it is one by
 * signer_responder_check(), for the responder's key, and has not ended; or when the CA is ours.  The same again changes
 * nothing.
 */
enum rc signer_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err) MUST_CHECK;
/* What is due at `now` (wall seconds): renewals, files written to disk.  Called by the signer
 * process once a minute; a no-op for a remote one. */
void signer_tick(struct signer *s, int64_t now);

/* Numbers since the signer's start, for /metrics. */
struct signer_stats {
	uint64_t certs, crls, certreps, unwraps, ocsps; /* done */
	uint64_t denied, limited, failed;               /* not done */
	uint64_t restarts;                              /* seen by a remote one */
	int64_t started; /* wall seconds, of the process with the keys */
};
enum rc signer_stats(struct signer *s, struct signer_stats *out, struct err *err) MUST_CHECK;

/* ---- the signer's audit: an append-only hash chain in state_dir, apart from the database's ---- */

/* Has a signer written there? */
bool signer_audit_is_there(const char *state_dir);
/* Walk it; RC_INTEGRITY names the first line that does not fit.  RC_NOTFOUND: there is none. */
enum rc signer_audit_verify(const char *state_dir, uint64_t *lines, struct err *err) MUST_CHECK;

#endif
