/*
 * signer.h - every private-key operation of the server, behind one interface.
 *
 * Callers name keys; they never see one.  The signer is no oracle: it parses what it is asked to
 * sign and refuses what no profile may allow, whatever the caller believes.  In process here
 * (signer_open()); the interface is made so that it can be another process without a caller
 * noticing: flat bytes in, flat bytes out, no shared objects.
 *
 * A name that the signer does not have is RC_NOTFOUND; bytes that are not what the call is for are
 * RC_PARSE; what breaks a rule is RC_DENIED.  Then nothing was signed and nothing appended.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SIGNER_SIGNER_H
#define SCEPD_SIGNER_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/cert.h"

struct signer;

/* What the signer itself insists on for certificates of one CA: the outer bound of all profiles. */
struct signer_ca {
	const char *name;       /* "issuing" */
	const char *cert_file;  /* PEM */
	const char *key_file;   /* PEM */
	int64_t max_validity;   /* seconds from notBefore to notAfter; 0: 825 days + 1 day of
				   backdating */
	const char *const *eku; /* dotted OIDs that may be issued */
	size_t n_eku;
	unsigned key_usage; /* KU_* bits that may be issued */
};
struct signer_ra {
	const char *name;
	const char *cert_file, *key_file;
};
struct signer_conf {
	const struct signer_ca *cas;
	size_t n_cas;
	const struct signer_ra *ras;
	size_t n_ras;
};

/* Loads keys and certificates, checks that they belong together. RC_CONFIG names the file. */
enum rc signer_open(
    struct signer **out, const struct signer_conf *conf, struct err *err) MUST_CHECK;
void signer_close(struct signer *s); /* wipes keys */

/*
 * Sign a leaf's TBSCertificate (DER) with CA `ca`; appends the certificate.  RC_DENIED, naming the
 * rule: not v3; issuer is not the CA's subject; basicConstraints CA:TRUE or absent; keyCertSign or
 * cRLSign; key usage or EKU absent or outside the CA's list; validity longer than allowed or past
 * the CA's own end; serial under 64 bits; the SID extension; unknown critical extensions; signature
 * algorithm not fitting the key, or SHA-1; unique identifiers; the CA's own subject or public key.
 */
enum rc signer_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
    struct buf *cert, struct err *err) MUST_CHECK;
/*
 * Sign a TBSCertList (v2, with nextUpdate, CRL number and authorityKeyIdentifier) whose issuer is
 * the CA; appends the CRL.
 */
enum rc signer_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
    struct buf *crl, struct err *err) MUST_CHECK;
/*
 * Sign the DER SET OF signed attributes of a CertRep (RFC 5652 5.4) with RA `ra`; appends the
 * signature.  RC_DENIED unless it is such a SET in DER order, of attributes that a CertRep has,
 * each once, with contentType data, a messageDigest of the size of `d`, messageType 3 (RFC 8894
 * 3.2.1.2), pkiStatus and transactionID: an RA key signs nothing else.
 */
enum rc signer_sign_certrep(struct signer *s, const char *ra, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err) MUST_CHECK;
/* Unwrap a content-encryption key; uniform as key_unwrap(). */
enum rc signer_unwrap(struct signer *s, const char *ra, const struct transport *t,
    const uint8_t *wrapped, size_t wrapped_len, uint8_t *cek, size_t cek_len,
    struct err *err) MUST_CHECK;

#endif
