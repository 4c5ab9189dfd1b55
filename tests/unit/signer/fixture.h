/*
 * fixture.h - a signer with an RSA CA "rsa", which has an RA, and an EC CA "ec", and
 * TBSCertificates for it.
 */
#ifndef SCEPD_TESTS_SIGNER_FIXTURE_H
#define SCEPD_TESTS_SIGNER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ossl/cert.h"
#include "ossl/der.h"
#include "signer/signer.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

#define DAY         86400
#define BEGIN       1700000000           /* when the CAs begin to be valid, wall seconds */
#define CA_END      (BEGIN + 3650 * DAY) /* and when they end */
#define VALIDITY    (366 * DAY)          /* what the signer allows */
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"

struct party {
	struct key *key;
	struct cert *cert;
	char cert_file[300], key_file[300];
};

struct kit {
	char dir[256];
	struct party rsa, ec, ra;
	struct key *leaf; /* a device's */
	struct name leaf_name;
	struct signer *s;
	struct err err;
};

/* cmocka's group setup and teardown: *state is a struct kit with an open signer. */
int kit_setup(void **state);
int kit_teardown(void **state);

#define ok(k, call) kit_ok((k), (call), __FILE__, __LINE__)
void kit_ok(struct kit *k, enum rc rc, const char *file, int line);

/* What the signer would sign: change a field, then build. */
void kit_fields(const struct kit *k, const struct party *ca, struct cert_fields *f);
/* The two CAs' conf for signer_open(). */
void kit_ca_conf(const struct kit *k, struct signer_ca out[static 2]);

#endif
