/*
 * ra_set.h - the RA of a CA as libscep's identities: the certificate in use first, then older ones
 * that devices may still encrypt to.  All have one key, which the signer holds.
 *
 * Threads: immutable and counted.  Whoever holds a reference may use it; a renewed certificate is
 * another set.
 */
#ifndef SCEPD_SCEPD_RA_SET_H
#define SCEPD_SCEPD_RA_SET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "ossl/cert.h"
#include "scep.h"
#include "signer/signer.h"

/* What the identities' operations use; outlives every set made with it. */
struct ra_key {
	struct signer *signer;
	const char *name; /* of the CA; the signer's RA bears the same */
};

struct ra_set {
	atomic_uint refs;
	size_t n; /* at least 1 */
	struct scep_identity *id[SIGNER_RAS_MAX];
};

/* One reference is the caller's.  At most SIGNER_RAS_MAX certificates are taken. */
enum rc ra_set_new(struct ra_set **out, struct cert *const *certs, size_t n, struct ra_key *key,
    struct err *err) MUST_CHECK;
struct ra_set *ra_set_ref(struct ra_set *r);
void ra_set_release(struct ra_set *r); /* NULL is allowed */
/* It was made of exactly these. */
bool ra_set_is(const struct ra_set *r, struct cert *const *certs, size_t n);

#endif
