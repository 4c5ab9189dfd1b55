/*
 * make.h - making what a CA consists of: keys where the administrator wants them, certificates, a
 * request for one, files that are all there or not at all.
 *
 * With init.c and adopt.c the only code that signs CA certificates; the running server's signer
 * refuses to.  Threads: one owner for each maker.
 */
#ifndef SCEPD_CA_MAKE_H
#define SCEPD_CA_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/ca_ext.h"
#include "ossl/cert.h"
#include "ossl/key_source.h"

#define MAKE_BACKDATE                                                                              \
	(24 *                                                                                      \
	    3600) /* seconds: leaves are backdated for slow device clocks, and never before      \
		       their CA */

/* ---- files and keys that are taken back when a later step fails ---- */

#define MAKER_FILES_MAX 32 /* a CA has three keys, three certificates and a chain of eight */

struct maker {
	char *made[MAKER_FILES_MAX];
	size_t n_made;
	bool token; /* a key was made inside a token: nothing can take that back */
};

/* A key to be made, or opened where it is there already. */
struct make_key {
	const char *kind; /* "rsa:3072" */
	struct key_source at;
	bool exists;
};

enum rc maker_key(
    struct maker *m, struct key **out, const struct make_key *k, struct err *err) MUST_CHECK;
enum rc maker_cert(
    struct maker *m, const char *path, const struct cert *c, struct err *err) MUST_CHECK;
/* A private key that came from elsewhere; with a passphrase it is encrypted. */
enum rc maker_private(struct maker *m, const char *path, const struct key *k,
    const char *passphrase, struct err *err) MUST_CHECK;
/* The end: keep what was made, or (rc other than RC_OK) take it back.  Half a CA is of no use, and would be
 * in the way of the next try.  Returns rc. */
enum rc maker_end(struct maker *m, enum rc rc, struct err *err);

/* RC_CONFLICT names what is there already. */
enum rc make_must_not_exist(const char *path, struct err *err) MUST_CHECK;

/* ---- certificates ---- */

/* What a CA certificate says beyond being one. */
struct make_says {
	int path_len; /* -1: no limit */
	const struct constraints *constraints;
	const struct policies *policies;
	const char *const *eku; /* dotted; most CAs have none */
	size_t n_eku;
	const char *crl_url, *aia_url; /* of the issuer; NULL: none */
};
struct make_ca {
	const struct name *subject;
	int64_t validity; /* seconds */
	struct make_says says;
};
/* Who signs.  cert NULL: the certificate that is made signs itself. */
struct make_issuer {
	const struct cert *cert;
	const struct key *key;
};
/* RC_CONFIG when it would outlive its issuer. */
enum rc make_ca_cert(struct cert **out, const struct make_ca *in, const struct key *key,
    const struct make_issuer *issuer, int64_t now, struct err *err) MUST_CHECK;
/* subject NULL: the CA's, with the common name of an RA.  It ends with the CA at the latest.
 * RC_CONFIG for a key that SCEP clients cannot encrypt to, and when the CA's name constraints forbid the subject. */
enum rc make_ra_cert(struct cert **out, const struct name *subject, int64_t validity,
    const struct key *ra_key, const struct make_issuer *ca, int64_t now,
    struct err *err) MUST_CHECK;
/* A request for the certificate of an issuing CA; appends DER. */
enum rc make_ca_request(
    struct buf *der, const struct make_ca *in, const struct key *key, struct err *err) MUST_CHECK;

/* A request for an OCSP responder of `ca`, a CA of others: CN="<its CN> OCSP responder (scepd)"; appends DER. */
enum rc make_responder_request(
    struct buf *der, const struct cert *ca, const struct key *key, struct err *err) MUST_CHECK;

/* O="Contoso",CN="Contoso Issuing CA"; RC_CONFIG when it has no room. */
enum rc make_subject(
    struct name *out, const char *org, const char *suffix, struct err *err) MUST_CHECK;

#endif
