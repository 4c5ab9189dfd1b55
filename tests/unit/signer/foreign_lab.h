/*
 * foreign_lab.h - a CA of others with a responder that it has certified, in files of the kit's folder.
 */
#ifndef SCEPD_TESTS_SIGNER_FOREIGN_LAB_H
#define SCEPD_TESTS_SIGNER_FOREIGN_LAB_H

#include "fixture.h"

/* A CA of others, and what it has certified. */
struct lab {
	struct kit *k;
	struct key *ca_key, *key; /* the responder's */
	struct cert *ca, *responder;
	char ca_file[300], cert_file[300], key_file[300];
};
/* What a responder's certificate says, unless a test wants it otherwise. */
struct wish {
	const struct cert *issuer; /* NULL: the lab's */
	const struct key *issuer_key, *key;
	const char *eku;
	unsigned key_usage;
	bool is_ca;
	int64_t begin, end; /* from now, seconds */
	struct cert **keep; /* NULL: the lab's, and its file */
};

/* `ca_kind`, `kind`: of the CA's key and the responder's. */
void lab_make(struct lab *b, struct kit *k, const char *ca_kind, const char *kind);
void lab_done(struct lab *b);
/* The lab's responder, with what `w` says. */
void certify(struct lab *b, struct wish w);
/* A key into a file of the kit's folder. */
void put_key(struct kit *k, char file[static 300], const char *name, const struct key *key);
/* A signer with the kit's CAs, and the lab's under the name "old". */
enum rc open_lab(struct lab *b, struct signer **out);

#endif
