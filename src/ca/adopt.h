/*
 * adopt.h - taking in a CA whose certificate was made elsewhere: an issuing CA that an enterprise
 * root has signed, or one that was in use before.
 */
#ifndef SCEPD_CA_ADOPT_H
#define SCEPD_CA_ADOPT_H

#include "base/err.h"
#include "ca/folder.h"

/* What an administrator should hear of before he goes on: one sentence. */
typedef void adopt_warn_fn(void *ctx, const char *text);

struct ca_adopt {
	const char *dir;
	/* Certificates as they came, in any order: the one of the key, and all above it. */
	struct cert **certs; /* freed and left empty where they are no part of the chain */
	size_t n_certs;
	const struct key *key;        /* private */
	const char *key_at;           /* path or URI; NULL: in `dir` */
	bool write_key;               /* it is not there yet */
	const char *passphrase, *pin; /* of what is written and made */
	const char *ra_at;            /* NULL: in `dir` */
	const char *ra_kind;
	bool ra_exists;
	const struct name *ra_subject; /* NULL: after the CA's */
	int64_t ra_validity;
	adopt_warn_fn *warn;
	void *warn_ctx;
};
/*
 * RC_CONFIG, in a sentence, when no certificate is of the key; when that one may not be a CA's or may not sign
 * revocation lists; and for all that chain_check() looks at.  Nothing is overwritten (RC_CONFLICT), and nothing
 * left when it fails.  *n_chain: the certificates above it that were written.
 */
enum rc ca_adopt(const struct ca_adopt *in, size_t *n_chain, struct err *err) MUST_CHECK;

/* What is allowed and unwise in the certificate of a CA, or in one above it. */
void ca_warnings(
    const struct cert *const *chain, size_t n, int64_t now, adopt_warn_fn *warn, void *ctx);

#endif
