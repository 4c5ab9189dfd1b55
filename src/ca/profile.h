/*
 * profile.h - what a certificate of an endpoint may hold.  Plain data, filled from the
 * configuration, then only read.
 */
#ifndef SCEPD_CA_PROFILE_H
#define SCEPD_CA_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/name.h"

struct profile {
	const char *name;
	int line; /* in the configuration file, for errors */

	/* Subject. */
	const char *const *subject_attributes; /* labels that may occur ("CN","O","OU","E",... as
						  struct name_attr has them) */
	size_t n_subject_attributes;
	/*
	 * Patterns "LABEL=glob[,LABEL=glob ...]", one of which must fit; empty list: any.  A
	 * pattern fits when each label that it names occurs, and every value of that label fits: so
	 * a second CN cannot ride along (S34), and '*' never reaches from one attribute into the
	 * next.
	 */
	const char *const *subject_allow;
	size_t n_subject_allow;
	bool subject_empty_ok; /* only with a SAN */

	/*
	 * Subject alternative names: allowed types, patterns per type ("upn:*@contoso.com"); a type
	 * that is not allowed is a refusal, not a silent drop.  A type without a pattern takes any
	 * value from an authority that knows the identity (Intune), and none with a static
	 * challenge; there a SID tag needs a pattern that spells the tag out (S15, S18, S19).
	 */
	unsigned san_types; /* bit (1 << enum san_type) */
	const char *const *san_allow;
	size_t n_san_allow;
	bool san_required;

	/* Usage: the CSR's wish within the list; `dflt` when it has none. */
	unsigned key_usage_allowed, key_usage_default; /* KU_* */
	const char *const *eku_allowed; /* dotted OIDs; what is outside is dropped, and nothing left
					   over: the default */
	size_t n_eku_allowed;
	const char *const *eku_default; /* never empty: an absent EKU would mean "any" (S17) */
	size_t n_eku_default;

	/* Keys: "rsa2048" style minima. */
	unsigned rsa_min, rsa_max; /* bits; 0/0: RSA not taken */
	bool ec_p256, ec_p384;
	bool sha1_csr_ok; /* CSR signed with SHA-1: some Intune profiles choose it */

	/* Life, seconds. */
	int64_t validity_default; /* when the CSR wishes nothing */
	int64_t validity_max;     /* cap of the wish */
	bool validity_from_request;
	int64_t backdate; /* notBefore = now - backdate, not before the CA's own (quirk 58: 24 h for
			     Intune) */

	enum digest digest; /* of the signature */
	/* Addresses in the certificate; CA_IN_ADDRESS in one becomes the name of the CA that issues,
	 * since one profile may shape the certificates of an old CA and of the next. */
	const char *const *crl_urls;
	size_t n_crl_urls;
	const char *const *ca_issuer_urls;
	size_t n_ca_issuer_urls;
	const char *const *ocsp_urls;
	size_t n_ocsp_urls;
};

#define CA_IN_ADDRESS        "{ca}"
#define PARTITION_IN_ADDRESS "{partition}" /* "3-of-16": the CRL that the certificate would be in */

/* Rules across fields, at configuration time: RC_CONFIG with the reason. */
enum rc profile_check(const struct profile *p, struct err *err) MUST_CHECK;
/*
 * Does it bound who may be named, so that it serves where nobody vouches for that (S15, S19): each
 * subject pattern spells something out, and so does one for each type of alternative name.  RC_CONFIG
 * with the reason, and a hint.
 */
enum rc profile_check_bounded(const struct profile *p, struct err *err) MUST_CHECK;

#endif
