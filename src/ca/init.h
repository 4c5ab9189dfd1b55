/*
 * init.h - making a CA: root, issuing CA and RA with their keys, as `scepctl init` does it.
 */
#ifndef SCEPD_CA_INIT_H
#define SCEPD_CA_INIT_H

#include <stdint.h>

#include "base/err.h"

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
};
/* Makes the folder (0700).  Nothing is overwritten: RC_CONFLICT names the file that is in the way.
 * What a failure left half made is removed. */
enum rc ca_init(const struct ca_init *in, struct err *err) MUST_CHECK;

#endif
