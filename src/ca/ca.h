/*
 * ca.h - one certification authority as the pipeline sees it: certificates, names of its keys in
 * the signer, and the two steps decide and issue.
 *
 * A struct cert_spec proves: an authorization for this very CSR was given, and every field was
 * chosen by the profile's rules.  Only ca_issue() takes one, and only a cert_spec gets to the
 * signer. Threads: a struct ca is immutable after ca_open().
 */
#ifndef SCEPD_CA_CA_H
#define SCEPD_CA_CA_H

#include <stdint.h>

#include "base/err.h"
#include "ca/authorization.h"
#include "ca/profile.h"
#include "ossl/cert.h"
#include "ossl/crl.h"
#include "ossl/csr.h"
#include "signer/signer.h"

struct ca;

struct ca_conf {
	const char *name;
	const char *cert_file;          /* issuing CA, PEM */
	const char *const *chain_files; /* its issuers up to the root, PEM, nearest first */
	size_t n_chain_files;
	const char *ra_name, *ra_cert_file; /* the RA identity in the signer */
	unsigned crl_parts; /* partitions of its revocation list, a power of two to 256; 0: one */
	bool retired;       /* signs lists and answers only: its certificates may have expired */
};
/*
 * Checks chain signatures, CA:TRUE, keyCertSign, validity now, path lengths, name constraints, and the
 * RA certificate (R01, quirk 23: RSA, digitalSignature + keyEncipherment, an EKU). RC_CONFIG.  With a signer the RA certificate
 * is the one that it has in use, which may be newer than the file; without one, the file.
 */
enum rc ca_open(
    struct ca **out, const struct ca_conf *conf, struct signer *signer, struct err *err) MUST_CHECK;
void ca_free(struct ca *ca);
const char *ca_name(const struct ca *ca);
const struct cert *ca_cert0(const struct ca *ca);
const struct cert *ca_ra_cert0(const struct ca *ca);
/* Chain above the issuing CA, nearest first. */
size_t ca_chain_len(const struct ca *ca);
const struct cert *ca_chain0(const struct ca *ca, size_t i);

/* May a certificate of this CA have these names?  RC_DENIED when name constraints of the CA or of one
 * above it forbid them, as then every relying party would (RFC 5280 4.2.1.10). */
enum rc ca_names_allowed(const struct ca *ca, const struct name *subject,
    const struct san_list *san, struct err *err) MUST_CHECK;

struct cert_spec;
/*
 * now: wall seconds.  RC_DENIED names the rule and the offending value ("subject: OU is not among
 * the attributes of profile wifi"); RC_ALG for key type, size or CSR digest; RC_BUG when `auth` is
 * not for this CSR.  Profile and CA are borrowed until the spec is freed.  Validity: wish ->
 * profile cap -> the CA's own end, whichever is least; backdating clamps to the CA's notBefore.
 */
enum rc cert_spec_decide(struct cert_spec **out, const struct authorization *auth,
    const struct csr *csr, const struct profile *profile, const struct ca *ca, int64_t now,
    struct err *err) MUST_CHECK;
void cert_spec_free(struct cert_spec *s);
/* For logs and rows; borrowed. */
const char *cert_spec_subject(const struct cert_spec *s);
const char *cert_spec_san(const struct cert_spec *s); /* "upn:jane@contoso.com uri:tag:..." */
int64_t cert_spec_not_after(const struct cert_spec *s);
int64_t cert_spec_not_before(const struct cert_spec *s);

/* Sign.  `serial` must already be reserved durably.  *out is the caller's. */
enum rc ca_issue(struct cert **out, const struct ca *ca, const struct cert_spec *spec,
    const struct serial *serial, struct err *err) MUST_CHECK;
/* A list of this CA's, to be written (ossl/crl.h): its issuer and digest. */
struct crl_scope ca_crl_scope(const struct ca *ca);
/* Now that its entries are there: sign it and put it together.  *entries as crl_finish().  The writer has
 * ended, whatever is returned. */
enum rc ca_crl_sign(const struct ca *ca, struct crl_writer *w, uint64_t number, size_t *entries,
    struct err *err) MUST_CHECK;
/* An address of a profile with the names filled in: CA_IN_ADDRESS, and PARTITION_IN_ADDRESS as
 * "`part`-of-`parts`".  *out is the caller's. */
enum rc ca_address(char **out, const char *url, const char *ca, unsigned part, unsigned parts,
    struct err *err) MUST_CHECK;

#endif
