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
/* Append the AlgorithmIdentifier for a key of this type and this digest, which says nothing where the
 * key signs messages (key_type_has_digest()). */
enum rc sig_alg_add(struct buf *b, enum key_type key, enum digest d, struct err *err) MUST_CHECK;

#endif
