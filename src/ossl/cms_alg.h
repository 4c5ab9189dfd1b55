/*
 * cms_alg.h - AlgorithmIdentifiers of CMS, in and out; for the cms*.c files, and ocsp.c,
 * whose hash algorithms are the same.
 */
#ifndef SCEPD_OSSL_CMS_ALG_H
#define SCEPD_OSSL_CMS_ALG_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/der.h"
#include "ossl/key.h"

struct cms_alg {
	char oid[OID_TEXT_MAX];
	struct der params; /* the element with its header; p == NULL when absent */
};

/* Take the next AlgorithmIdentifier.  `what` names it in the error. */
enum rc cms_alg_take(
    struct der *in, struct cms_alg *out, const char *what, struct err *err) MUST_CHECK;
/* RC_ALG: "content cipher 1.3.14.3.2.7 (DES-CBC) is not taken". */
enum rc cms_alg_refuse(const char *what, const char *oid, struct err *err);

/* DIGEST_NONE when unknown.  Parameters absent or NULL (RFC 5754 2). */
enum digest cms_digest_of(const struct cms_alg *a);
enum rc cms_cipher_of(
    const struct cms_alg *a, enum cipher *c, struct der *iv, struct err *err) MUST_CHECK;
enum rc cms_transport_of(const struct cms_alg *a, struct transport *t, struct err *err) MUST_CHECK;
/* The signature algorithm fits this type of key and this digest; RC_ALG. */
enum rc cms_signature_fits(
    const struct cms_alg *a, enum key_type key, enum digest d, struct err *err) MUST_CHECK;

/* Append.  The argument must be one that the functions above can give. */
void cms_digest_add(struct buf *b, enum digest d);
void cms_cipher_add(struct buf *b, enum cipher c, const uint8_t *iv);
void cms_transport_add(struct buf *b, const struct transport *t);
void cms_signature_add(struct buf *b, enum key_type key, enum digest d);

#endif
