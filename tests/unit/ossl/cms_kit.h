/*
 * cms_kit.h - what the tests of CMS and SCEP share: people with keys and certificates, messages
 * taken apart and put together differently, and BER.
 */
#ifndef SCEPD_TESTS_OSSL_CMS_KIT_H
#define SCEPD_TESTS_OSSL_CMS_KIT_H

#include "ossl/cms.h"

#include "fixture.h"

struct actor {
	struct key *key; /* borrowed from the fixture */
	struct cert *cert;
	struct cms_cert c;
};
/* Self-issued under CN=`cn`; `which` chooses one of the two fixture keys of that kind. */
void actor_make(struct actor *a, const char *cn, const char *spec, int which, const char *serial);
/* The same with other key usages; 0: no such extension. */
void actor_make_for(struct actor *a, const char *cn, const char *spec, int which,
    const char *serial, unsigned key_usage);
void actor_done(struct actor *a);
/* NAME.pem and NAME.key in the folder, for the openssl command. */
void actor_put(const struct actor *a, const struct dir *d, const char *name);

struct der der_of(const struct buf *b);
struct buf new_buf(void);

/* Sign `content` with contentType, messageDigest, signingTime and these attributes. */
struct buf sign(const struct actor *a, struct der content, enum digest d,
    const struct cms_attr_build *attrs, size_t n_attrs);
struct buf envelop(
    const struct actor *to, struct der content, enum cipher c, struct transport t, bool by_ski);

/* The pieces of a SignedData with one signer, each with its header; p == NULL: left out when put
 * together. */
struct signed_parts {
	struct der version, digests, content, certs;
	struct der signer_version, sid, digest_alg, attrs, signature_alg, signature;
	size_t n_signers; /* how often the SignerInfo is written */
};
void signed_take_apart(struct signed_parts *p, const struct buf *message);
struct buf signed_put_together(const struct signed_parts *p);

struct enveloped_parts {
	struct der version;
	struct der recipients; /* content of the SET */
	struct der type, alg, encrypted;
	const char *oid; /* NULL: id-envelopedData */
};
void enveloped_take_apart(struct enveloped_parts *p, const struct buf *message);
struct buf enveloped_put_together(const struct enveloped_parts *p);

/* The same as BER: indefinite lengths, OCTET STRINGs in segments of so many bytes, padded lengths.
 */
struct buf to_ber(struct der der, size_t segment);

/* AlgorithmIdentifier { oid, params } */
struct buf alg_der(const char *oid, struct der params);

#endif
