/*
 * folder.h - where the parts of a CA lie: certificates in a folder of its own, keys there or
 * elsewhere; and the part of bringing a CA in that all ways have in common.
 */
#ifndef SCEPD_CA_FOLDER_H
#define SCEPD_CA_FOLDER_H

#include "ca/chain.h"
#include "ca/make.h"

struct ca_folder {
	char *dir;
	char *cert, *ra_cert;      /* issuing.pem, ra.pem */
	char *chain[CA_CHAIN_MAX]; /* chain1.pem ... root.pem, nearest first */
	size_t n_chain;
	char *key, *ra_key; /* issuing.key, ra.key unless they were given: path or pkcs11: URI */
};
/* Names only.  key, ra_key NULL: in `dir`. */
enum rc ca_folder_init(struct ca_folder *f, const char *dir, const char *key, const char *ra_key,
    size_t n_chain, struct err *err) MUST_CHECK;
void ca_folder_done(struct ca_folder *f);

/* A CA that has its key and its certificate, and is to be served. */
struct ca_parts {
	const struct cert *cert;
	const struct key *key;
	struct cert *const *chain; /* nearest first */
	size_t n_chain;
	struct make_key ra_key;
	const struct name *ra_subject; /* NULL: after the CA's */
	int64_t ra_validity;
};
/* Checks the chain as it will be served, writes its certificates, makes the RA's key and
 * certificate.  RC_CONFIG, RC_CONFLICT. */
enum rc ca_folder_fill(struct maker *m, const struct ca_folder *f, const struct ca_parts *p,
    int64_t now, struct err *err) MUST_CHECK;
/* Nothing that would be written is there; a key only if `key`, `ra` say that it is made. */
enum rc ca_folder_check(const struct ca_folder *f, bool key, bool ra, struct err *err) MUST_CHECK;

#endif
