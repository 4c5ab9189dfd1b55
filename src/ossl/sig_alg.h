/*
 * sig_alg.h - the signature algorithms that certificates, lists and requests may carry.
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_SIG_ALG_H
#define SCEPD_OSSL_SIG_ALG_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/der.h"
#include "ossl/key.h"

/* A signature AlgorithmIdentifier; `digest` is DIGEST_NONE where the key signs the message itself. */
struct sig_alg {
	const char *oid;
	enum digest digest;
	enum key_type key;
};
/* Read one AlgorithmIdentifier (content of its SEQUENCE). RC_ALG names the OID, RC_PARSE for bad
 * parameters. */
enum rc sig_alg_parse(
    const struct sig_alg **out, const struct der *alg, struct err *err) MUST_CHECK;
/* The same for what is to be signed by us: only the form that sig_alg_add() writes, and no SHA-1. */
enum rc sig_alg_parse_own(
    const struct sig_alg **out, const struct der *alg, struct err *err) MUST_CHECK;
/*
 * `sig` is a signature by `key` over `tbs`, as the AlgorithmIdentifier `alg` (content of its SEQUENCE) says: one
 * of the above, or RSASSA-PSS with one digest for all of it and a salt as long (RFC 4055 3.1; what ADCS calls an
 * alternate signature).  `what` for the words: "certificate".  RC_INTEGRITY: it is not; RC_ALG, RC_PARSE as
 * sig_alg_parse(), and where the algorithm is not of this kind of key.
 */
enum rc sig_alg_verify(const struct der *alg, const struct key *key, const struct der *tbs,
    const struct der *sig, const char *what, struct err *err) MUST_CHECK;
/* Append the AlgorithmIdentifier for a key of this type and this digest, which says nothing where the
 * key signs messages (key_type_has_digest()). */
enum rc sig_alg_add(struct buf *b, enum key_type key, enum digest d, struct err *err) MUST_CHECK;

#endif
