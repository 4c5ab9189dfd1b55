/*
 * init.h - making a CA with its keys, as `scepctl init` and `scepctl ca init` do it.
 */
#ifndef SCEPD_CA_INIT_H
#define SCEPD_CA_INIT_H

#include <stdint.h>

#include "base/err.h"
#include "ca/folder.h"

enum ca_above {
	CA_ABOVE_NEW_ROOT, /* a root is made for it */
	CA_ABOVE_NONE,     /* it is a root itself */
	CA_ABOVE_GIVEN,    /* `chain` is there, and the key of its first certificate */
};

struct ca_init {
	const char *dir; /* ends up holding root.pem root.key issuing.pem issuing.key ra.pem ra.key;
			    keys 0600 */
	const char *name;        /* organisation in the subjects */
	const char *root_key;    /* "rsa:4096" ... "ec:p384" */
	const char *issuing_key; /* "rsa:2048" ... */
	const char *ra_key; /* "rsa:2048".."rsa:4096": SCEP needs RSA here whatever the CA is */
	int64_t root_validity, issuing_validity, ra_validity; /* seconds */
	const char *crl_url; /* of the root for the issuing CA; NULL: none */
	const char *aia_url;

	/* The rest may be zero: keys in files of `dir`, not encrypted, under a root of its own. */
	enum ca_above above;
	struct cert *const *chain; /* CA_ABOVE_GIVEN: nearest first */
	size_t n_chain;
	const struct key *issuer_key;
	const char *root_at, *issuing_at, *ra_at;        /* paths, or "pkcs11:..." */
	bool issuing_exists, ra_exists;                  /* those keys are there already */
	const char *passphrase;                          /* of key files */
	const char *pin;                                 /* of the token */
	const struct name *issuing_subject, *ra_subject; /* NULL: made of `name` */
	int path_len; /* of the issuing CA; 0, as it has none below it; -1: no limit */
	const struct constraints *constraints; /* of the issuing CA, as the rest */
	const struct policies *policies;
	const char *const *eku;
	size_t n_eku;
};
/* Makes the folder (0700).  Nothing is overwritten: RC_CONFLICT names the file that is in the way.
 * What a failure left half made is removed, but for a key inside a token. */
enum rc ca_init(const struct ca_init *in, struct err *err) MUST_CHECK;

/* The key of an issuing CA and a request for its certificate, for an authority elsewhere; `der`
 * appended.  `above` counts for nothing, and no RA is made. */
enum rc ca_request(struct buf *der, const struct ca_init *in, struct err *err) MUST_CHECK;

#endif
