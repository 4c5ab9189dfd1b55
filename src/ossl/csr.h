/*
 * csr.h - PKCS#10 certificate requests (RFC 2986).
 *
 * A struct csr proves: the bytes are one well-formed request within the limits, and whoever made it
 * holds the private key (its self-signature verifies, with an algorithm we take).  There is no way
 * to get one otherwise. Threads: immutable; may be shared.
 */
#ifndef SCEPD_OSSL_CSR_H
#define SCEPD_OSSL_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/key.h"
#include "ossl/name.h"

struct csr;
struct constraints; /* ossl/ca_ext.h */
struct policies;

enum csr_challenge {
	CSR_CHALLENGE_NONE,
	CSR_CHALLENGE_ONE,
	CSR_CHALLENGE_SEVERAL
}; /* attributes or values */

/* keyUsage bits as RFC 5280 4.2.1.3 numbers them. */
#define KU_DIGITAL_SIGNATURE (1u << 0)
#define KU_NON_REPUDIATION   (1u << 1)
#define KU_KEY_ENCIPHERMENT  (1u << 2)
#define KU_DATA_ENCIPHERMENT (1u << 3)
#define KU_KEY_AGREEMENT     (1u << 4)
#define KU_KEY_CERT_SIGN     (1u << 5)
#define KU_CRL_SIGN          (1u << 6)

/* What the extensionRequest asked for.  Only these extensions are ever read; others are counted and
 * named. */
struct csr_wishes {
	bool has_san, has_key_usage, has_eku;
	struct san_list san;
	unsigned key_usage;     /* KU_* */
	const char *const *eku; /* dotted OIDs */
	size_t n_eku;
	bool wants_ca;          /* basicConstraints CA:TRUE, or keyCertSign/cRLSign in keyUsage */
	bool has_sid_extension; /* 1.3.6.1.4.1.311.25.2 */
	char sid[192];          /* in it; "": not there, or not readable */
	const char *const *ignored; /* dotted OIDs of the other extensions, for the log */
	size_t n_ignored;
	int64_t validity_seconds; /* enrollmentNameValuePairs ValidityPeriod x ValidityPeriodUnits
				     (also when the two values are swapped, as Android sends them);
				     0 when absent or nonsense */
};

/*
 * The door.  DER only, nothing after it.  RC_PARSE, RC_LIMIT, RC_ALG (signature or key algorithm),
 * RC_INTEGRITY (self-signature), RC_NOMEM.  `der` is copied.
 */
enum rc csr_parse(struct csr **out, const void *der, size_t len, struct err *err) MUST_CHECK;
/* The same where the key in it is probably `known` (may be NULL): it is shared then instead of
 * being read again. */
enum rc csr_parse_known(
    struct csr **out, const void *der, size_t len, struct key *known, struct err *err) MUST_CHECK;
void csr_free(struct csr *c);

const uint8_t *csr_der0(const struct csr *c, size_t *len); /* as received, byte for byte */
const uint8_t *csr_sha256(const struct csr *c);            /* 32 bytes over the DER */
const struct name *csr_subject0(const struct csr *c);
struct key *csr_key0(const struct csr *c);
enum digest csr_digest(const struct csr *c); /* of its self-signature */
const struct csr_wishes *csr_wishes0(const struct csr *c);
/* How many challengePassword values there are; *value (borrowed UTF-8, a secret) when exactly one
 * and not blank. */
enum csr_challenge csr_challenge0(const struct csr *c, const char **value);

/* What a client, or a CA that is to be, puts into a request. */
struct csr_build {
	const struct name *subject;
	const char *challenge; /* NULL: none */
	struct san_list san;
	unsigned key_usage; /* 0: no extension */
	const char *const *eku;
	size_t n_eku;
	/* A CA asks: basicConstraints CA:TRUE and subjectKeyIdentifier, and what it wishes. */
	bool is_ca;
	int path_len;                          /* -1: none */
	const struct constraints *constraints; /* NULL: none */
	const struct policies *policies;
	const char *validity_period; /* "Years" "Months" "Days" ... as Windows sends it with units;
					NULL: none */
	const char *validity_units;
	const char
	    *extra_ext_oid; /* one more extension, for rehearsing hostile requests; NULL: none */
	const uint8_t *extra_ext; /* its value, DER */
	size_t extra_ext_len;
	enum digest digest;
};
/* Build and sign; appends DER. */
enum rc csr_build(
    struct buf *der, const struct csr_build *b, const struct key *key, struct err *err) MUST_CHECK;

#endif
