/*
 * softhsm.h - a token of the test's own, in a folder of its own (SoftHSM 2).
 */
#ifndef SCEPD_TESTS_OSSL_SOFTHSM_H
#define SCEPD_TESTS_OSSL_SOFTHSM_H

#include "fixture.h"

#define SOFTHSM_PIN "1234"

struct softhsm {
	struct dir d;
	const char *module; /* NULL: there is none on this machine */
};

/* Make a token called "scepd" and set SOFTHSM2_CONF.  Loads nothing. */
void softhsm_start(struct softhsm *h);
void softhsm_stop(struct softhsm *h);
/* Another token in the same folder. */
void softhsm_add(struct softhsm *h, const char *label);
/* A private key of ours, put into "scepd" under this label and id (hex). */
void softhsm_import(struct softhsm *h, const struct key *k, const char *label, const char *id);
/* Pull the tokens out, and put them back. */
void softhsm_pull(const struct softhsm *h);
void softhsm_plug(const struct softhsm *h);

#endif
