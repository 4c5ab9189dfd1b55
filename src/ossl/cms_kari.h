/*
 * cms_kari.h - KeyAgreeRecipientInfo (RFC 5652 6.2.2): ephemeral-static ECDH (RFC 5753 3.1) with the
 * key derivation of X9.63 and AES key wrap (RFC 3394).
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_CMS_KARI_H
#define SCEPD_OSSL_CMS_KARI_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/cms.h"

/* As it came; lent by the EnvelopedData. */
struct cms_kari {
	struct cms_id id; /* of the recipient: one, as each has a RecipientInfo of its own */
	struct der point; /* the originator's public key (SEC 1 2.3.3) */
	struct der ukm;   /* p == NULL: absent */
	enum digest kdf;
	struct der wrap_alg; /* AlgorithmIdentifier, which the key is derived from too */
	size_t kek_len;      /* octets: that of AES key wrap */
	struct der wrapped;
};

/* The door: `in` is the content of the [1].  RC_PARSE, RC_ALG, RC_LIMIT. */
enum rc kari_take(struct cms_kari *out, struct der in, struct err *err) MUST_CHECK;
/*
 * A key of cek_len octets, with the secret that was agreed on (key_agree() with `point`).
 * RC_INTEGRITY: it is another secret, or something was changed.
 */
enum rc kari_unwrap(uint8_t *cek, size_t cek_len, const struct cms_kari *k, const uint8_t *z,
    size_t z_len, struct err *err) MUST_CHECK;
/* Append the RecipientInfo.  `to` is the recipient's public key, RC_ALG unless it is on a curve. */
enum rc kari_add(struct buf *b, const struct cms_cert *cert, bool by_ski, const struct key *to,
    const uint8_t *cek, size_t cek_len, struct err *err) MUST_CHECK;

#endif
