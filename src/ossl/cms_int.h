/*
 * cms_int.h - what the cms*.c files share: the outer ContentInfo, and identifiers of certificates.
 */
#ifndef SCEPD_OSSL_CMS_INT_H
#define SCEPD_OSSL_CMS_INT_H

#include "ossl/cms.h"
#include "ossl/name.h"

#define CMS_KEY_ID_MAX 64 /* 20 as a rule; SHA-256 and SHA-512 are seen */

enum rc cms_key_id(const struct cms_cert *c, uint8_t out[static CMS_KEY_ID_MAX], size_t *len,
    struct err *err) MUST_CHECK;
bool cms_same_issuer(struct der a, struct der b);
/* Take a SignerIdentifier or RecipientIdentifier. */
enum rc cms_id_take(
    struct der *in, struct cms_id *out, const char *what, struct err *err) MUST_CHECK;
enum rc cms_id_add(
    struct buf *b, const struct cms_cert *c, bool by_ski, struct err *err) MUST_CHECK;

/*
 * ContentInfo (RFC 5652 3): copies `bytes` into `store` as DER, and gives the content of the
 * SEQUENCE inside if it is of type `oid`.  RC_PARSE otherwise, naming what came instead; RC_ALG for
 * AuthEnvelopedData.
 */
enum rc cms_content_info(struct buf *store, struct der *seq, const char *oid, const char *what,
    const void *bytes, size_t len, struct err *err) MUST_CHECK;

#endif
