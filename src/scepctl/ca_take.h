/*
 * ca_take.h - key and certificates that came from elsewhere, on their way to ca_adopt().
 */
#ifndef SCEPD_SCEPCTL_CA_TAKE_H
#define SCEPD_SCEPCTL_CA_TAKE_H

#include "ossl/pkcs12.h"
#include "scepctl/ca_common.h"

#define CA_TAKEN_MAX 32 /* certificates: several chains, with what is no part of them */

struct ca_taken {
	struct cert *certs[CA_TAKEN_MAX]; /* NULL where ca_adopt() has dropped one */
	size_t n_certs;
	struct key *key;
};
/* All certificates of these files. */
enum rc ca_taken_load(struct ca_taken *t, const struct opt_list *files, struct err *err) MUST_CHECK;
/* Moves everything out of `p`. */
enum rc ca_taken_pkcs12(struct ca_taken *t, struct pkcs12 *p, struct err *err) MUST_CHECK;
/* With the options of the session. */
struct ca_adopt ca_taken_adopt(struct ca_taken *t, const struct ca_session *s);
/* What is served from now on. */
void ca_taken_print(const struct ca_taken *t, const struct ca_session *s);
void ca_taken_done(struct ca_taken *t);

#endif
