/*
 * pkcs12.h - a private key with its certificates in one file (RFC 7292), as CAs are moved about.
 */
#ifndef SCEPD_OSSL_PKCS12_H
#define SCEPD_OSSL_PKCS12_H

#include "base/err.h"
#include "ossl/cert.h"
#include "ossl/key.h"

#define PKCS12_CERTS_MAX 16 /* besides the key's own: chains have two or three */
#define PKCS12_SIZE_MAX  (256u * 1024u)

struct pkcs12 {
	struct key *key;
	struct cert *cert;                     /* of the key */
	struct cert *others[PKCS12_CERTS_MAX]; /* in no order that means anything */
	size_t n_others;
};

/*
 * The door.  Takes the old ciphers (RC2-40, 3DES) that Windows and keytool still write: they are loaded
 * for this one call, in a corner of libcrypto that nothing else sees.  RC_INTEGRITY: the
 * passphrase is wrong, or the file is damaged, which look alike; RC_PARSE; RC_LIMIT; RC_ALG for ciphers that
 * this libcrypto has not at all.
 */
enum rc pkcs12_parse(struct pkcs12 *out, const void *der, size_t len, const char *passphrase,
    struct err *err) MUST_CHECK;
void pkcs12_done(struct pkcs12 *p);

#endif
