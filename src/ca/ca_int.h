/*
 * ca_int.h - what a CA and a certificate-to-be hold.  Inside src/ca only.
 */
#ifndef SCEPD_CA_CA_INT_H
#define SCEPD_CA_CA_INT_H

#include "ca/ca.h"
#include "ca/chain.h"

struct ca {
	char *name, *ra_name;
	struct signer *signer;
	struct cert *cert, *ra;
	struct cert *chain[CA_CHAIN_MAX];
	size_t n_chain;
	unsigned parts;                                   /* of its revocation list, at least 1 */
	struct constraints constraints[CA_CHAIN_MAX + 1]; /* of cert, then of chain */
	int64_t not_after; /* the least of the CA's and its issuers': a leaf past that could not be
			      verified */
};

/* Only cert_spec_decide() fills one, only ca_issue() reads it.  Profile and CA are borrowed. */
struct cert_spec {
	const struct ca *ca;
	const struct profile *profile;
	struct name subject;
	struct san_list san;
	struct key *key;
	unsigned key_usage;
	const char **eku; /* entries point into the profile */
	size_t n_eku;
	int64_t not_before, not_after;
	char *subject_text, *san_text;
};

#endif
