/*
 * ca_identity.h - is a CA of the configuration the one that the database knows by its name?
 *
 * What a CA has issued, and what of that is revoked, stands in the database under the CA's name.  A CA that is given the
 * name of an earlier one would answer for that one's certificates, list them as revoked, and be taken for their issuer by
 * rules.  So the key is compared (store_identity.h): a renewed certificate has it too, and so has a foreign CA that has become
 * one of our own.
 */
#ifndef SCEPD_SCEPD_CA_IDENTITY_H
#define SCEPD_SCEPD_CA_IDENTITY_H

#include "ossl/cert.h"
#include "store/store_identity.h"

struct ca_identity {
	const char *name;
	bool own; /* of cas; else of foreign_cas */
	const struct cert *cert;
};
/*
 * RC_CONFIG: the name is another CA's, or the CA was here under another name.  *news (may be NULL): the database does not know yet.  A database that is older than
 * this memory is judged by a certificate of it that stands under the name.
 */
enum rc ca_identity_check(
    struct store *s, const struct ca_identity *ca, bool *news, struct err *err) MUST_CHECK;
/* The same, and from now on the database knows. */
enum rc ca_identity_claim(
    struct store *s, const struct ca_identity *ca, struct err *err) MUST_CHECK;
struct scepd;
/* All of the server's, its own and foreign ones. */
enum rc ca_identities_claim(const struct scepd *s, struct err *err) MUST_CHECK;

#endif
