/*
 * ocsp_rig.h - two CAs of ours and three foreign ones, a store with a few certificates, and a signer that signs whatever it
 * is given, fails as it is told, and remembers what it was asked.
 */
#ifndef SCEPD_TESTS_SCEPD_OCSP_RIG_H
#define SCEPD_TESTS_SCEPD_OCSP_RIG_H

#include "../ossl/ocsp_kit.h"
#include "../store/fixture.h"

#include "scepd/ocsp.h"

/* cmocka's, which the second of the two fixtures has taken for base/err.h's. */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

enum { ISSUING, NEXT, RIG_CAS };
/* OLD; EASY: what nobody has imported is good; SILENT: without a responder. */
enum { OLD, EASY, SILENT, RIG_FOREIGN };

struct rig {
	struct sf *
	    f; /* certificates 1 (good) and 2 (revoked, keyCompromise) of CA issuing, 3 and 4 likewise of OLD */
	struct conf_ca conf[RIG_CAS];
	struct server_ca cas[RIG_CAS];
	struct conf_foreign foreign_conf[RIG_FOREIGN];
	struct server_foreign foreign[RIG_FOREIGN];
	struct scepd s;
};
/* cmocka's: *state is a struct rig.  The CAs are made by the first, for all tests. */
int rig_setup(void **state);
int rig_teardown(void **state);
int rig_done(void **state); /* after the last: fixture_done() as well */
/* Hex of the serial number of certificate n. */
const char *rig_serial(unsigned n);

/* The signer, reset by rig_setup(). */
struct fake_signer {
	enum rc fails;       /* what signing ends with; RC_OK: it works */
	bool none_yet;       /* there is no responder */
	int64_t foreign_end; /* of a foreign CA's: from now, seconds; 0: 30 days */
	unsigned asked;      /* calls of signer_certs() */
	enum rc takes;       /* what signer_take_responder() ends with */
	unsigned offered;    /* calls of it */
	bool second_key;     /* the responder has its other key; answers for the first are denied */
	unsigned hold;       /* so many calls wait within for fake_release() */
	unsigned calls;      /* of signer_sign_ocsp() */
	unsigned held;       /* waiting now */
	const char *ca;      /* of the last answer */
	uint8_t status[64];  /* tags of its CertStatus */
	size_t n, nonce_len;
	int64_t this_update, next_update; /* of its first certificate */
	int reason;                       /* likewise; -1: none */
};
extern struct fake_signer fake;
/* Until `n` calls are held. */
void fake_wait_held(unsigned n);
void fake_release(void);

#endif
