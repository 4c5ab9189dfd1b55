/*
 * cert.h - certificates: parsed, described, built.
 *
 * A struct cert proves only that the bytes are one well-formed certificate within the limits.  No
 * signature has been checked.  Threads: immutable.
 */
#ifndef SCEPD_OSSL_CERT_H
#define SCEPD_OSSL_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/csr.h"
#include "ossl/key.h"
#include "ossl/name.h"

struct cert;
struct constraints; /* ossl/ca_ext.h */
struct policies;

#define SERIAL_MAX 20 /* octets, RFC 5280 4.1.2.2 */

struct serial {
	uint8_t v[SERIAL_MAX]; /* big-endian magnitude without leading zeros */
	size_t len;
};
enum rc serial_random(struct serial *out,
    struct err *err) MUST_CHECK; /* 128 random bits, positive, first octet not 0 */
void serial_hex(char out[static 2 * SERIAL_MAX + 1], const struct serial *s); /* upper case */
enum rc serial_from_hex(struct serial *out, const char *hex, struct err *err) MUST_CHECK;
bool serial_same(const struct serial *a, const struct serial *b);

/* The door: DER of one certificate, nothing after it. */
enum rc cert_parse(struct cert **out, const void *der, size_t len, struct err *err) MUST_CHECK;
/*
 * As cert_parse(), of a certificate that others have issued and that is only to be known here: of more than LIMIT_SAN
 * alternative names the first are in cert_san0(), and the others are counted.  Nothing may be allowed because a name is not
 * there.
 */
enum rc cert_parse_known(
    struct cert **out, const void *der, size_t len, struct err *err) MUST_CHECK;
size_t cert_san_left_out(const struct cert *c); /* of cert_parse_known(); else 0 */
/* One PEM certificate or raw DER in a file. */
enum rc cert_load(struct cert **out, const char *path, struct err *err) MUST_CHECK;
void cert_free(struct cert *c);

const uint8_t *cert_der0(const struct cert *c, size_t *len);
const struct serial *cert_serial0(const struct cert *c);
const struct name *cert_subject0(const struct cert *c);
const struct name *cert_issuer0(const struct cert *c);
struct key *cert_key0(const struct cert *c); /* public */
int64_t cert_not_before(const struct cert *c);
int64_t cert_not_after(const struct cert *c);
bool cert_is_ca(const struct cert *c);   /* basicConstraints CA:TRUE */
int cert_path_len(const struct cert *c); /* of basicConstraints; -1: no limit */
/* Both read when asked for; empty lists when the extension is absent.  *out is the caller's. */
enum rc cert_constraints(struct constraints *out, const struct cert *c, struct err *err) MUST_CHECK;
enum rc cert_policies(struct policies *out, const struct cert *c, struct err *err) MUST_CHECK;
bool cert_has_key_usage(const struct cert *c, unsigned *ku);   /* false: extension absent */
const char *const *cert_eku0(const struct cert *c, size_t *n); /* dotted; n == 0: absent */
bool cert_ocsp_nocheck(const struct cert *c); /* id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1) */
const struct san_list *cert_san0(const struct cert *c);
const uint8_t *cert_ski0(const struct cert *c, size_t *len); /* subjectKeyIdentifier or NULL */
bool cert_same(const struct cert *a, const struct cert *b);  /* octet by octet */
/* issuer and subject are the same name (it may still be signed by another key) */
bool cert_self_issued(const struct cert *c);
enum rc cert_thumbprint_sha1(char out[static 41], const struct cert *c,
    struct err *err) MUST_CHECK; /* upper hex: what Windows and Intune show */
enum rc cert_thumbprint_sha256(
    char out[static 65], const struct cert *c, struct err *err) MUST_CHECK;
/* `c` was signed by the key of `issuer` (names compared too). */
enum rc cert_verify_by(const struct cert *c, const struct cert *issuer, struct err *err) MUST_CHECK;
void cert_pem(struct buf *out, const struct cert *c); /* appends */
/* All CERTIFICATE blocks of a PEM text. certs[] are the caller's; at most max (RC_LIMIT).  After an error there is
 * nothing to be freed in certs[]: what was there by then is, and is NULL. */
enum rc certs_parse_pem(struct cert **certs, size_t max, size_t *n, const void *pem, size_t len,
    struct err *err) MUST_CHECK;
/* The same by cert_parse_known(). */
enum rc certs_parse_pem_known(struct cert **certs, size_t max, size_t *n, const void *pem,
    size_t len, struct err *err) MUST_CHECK;

/* A door too: certificates as authorities hand them out: one in DER, many in PEM, or PKCS#7 (.p7b) in
 * DER or PEM, which has them in no order.  At least one; otherwise as certs_parse_pem(). */
enum rc certs_parse_any(struct cert **certs, size_t max, size_t *n, const void *p, size_t len,
    struct err *err) MUST_CHECK;
enum rc certs_load_any(
    struct cert **certs, size_t max, size_t *n, const char *path, struct err *err) MUST_CHECK;

/* Everything a TBSCertificate (v3) says. Borrowed for the call. */
struct cert_fields {
	const struct serial *serial;
	const struct name *issuer, *subject;
	int64_t not_before, not_after; /* wall seconds */
	const struct key *subject_key;
	const struct key *issuer_key; /* public half is enough: decides the signature algorithm */
	enum digest digest;
	const struct san_list *san; /* critical when the subject is empty (RFC 5280 4.2.1.6) */
	unsigned key_usage;         /* 0: left out; critical */
	const char *const *eku;
	size_t n_eku;
	bool is_ca;
	int path_len;                          /* -1: none; only with is_ca */
	const struct constraints *constraints; /* NULL: none */
	const struct policies *policies;
	const char *const *crl_urls; /* one DistributionPoint with these URLs */
	size_t n_crl_urls;
	const char *const *ca_issuer_urls;
	size_t n_ca_issuer_urls;
	const char *const *ocsp_urls;
	size_t n_ocsp_urls;
	bool ocsp_nocheck; /* id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1) */
};
/* DER of the TBSCertificate; appends. Adds SKI and AKI; basicConstraints always (CA:FALSE for
 * leaves is written as the empty SEQUENCE). */
enum rc cert_tbs_build(struct buf *tbs, const struct cert_fields *f, struct err *err) MUST_CHECK;
/* TBS + the algorithm inside it + signature -> certificate DER; appends. */
enum rc cert_assemble(struct buf *der, const void *tbs, size_t tbs_len, const void *sig,
    size_t sig_len, struct err *err) MUST_CHECK;
/* Parse a bare TBSCertificate: what a signer looks at before it signs.  The result has an empty
 * signature. */
enum rc cert_parse_tbs(struct cert **out, enum digest *digest, const void *tbs, size_t len,
    struct err *err) MUST_CHECK;
/* Build + sign with `key` in one go, for self-signed client certificates and for making CAs. */
enum rc cert_make(struct cert **out, const struct cert_fields *f, const struct key *key,
    struct err *err) MUST_CHECK;

#endif
