/*
 * crl_kit.h - a short revocation list in one go, by the writer of ossl/crl.h.
 */
#ifndef SCEPD_TESTS_OSSL_CRL_KIT_H
#define SCEPD_TESTS_OSSL_CRL_KIT_H

#include "ossl/cert.h"
#include "ossl/crl.h"

struct crl_entry {
	struct serial serial; /* ascending */
	int64_t when;         /* wall seconds */
	int reason;           /* RFC 5280 5.3.1; -1: none */
};
struct crl_fields {
	const struct cert *issuer;
	enum digest digest;
	int64_t this_update, next_update; /* wall seconds */
	uint64_t number;
	const struct crl_entry *entries;
	size_t n_entries;
};

/* What is to be signed; appends.  Must work. */
void crl_kit_tbs(struct buf *tbs, const struct crl_fields *f);
/* The list, signed with `key`; appends.  Must work. */
void crl_kit(struct buf *crl, const struct crl_fields *f, const struct key *key);

#endif
