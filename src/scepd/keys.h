/*
 * keys.h - opening the signer as the configuration has it; for the process that holds the keys.
 */
#ifndef SCEPD_SCEPD_KEYS_H
#define SCEPD_SCEPD_KEYS_H

#include "scepd/config.h"
#include "signer/signer.h"

/*
 * Every CA with its keys, bounded by the profiles of the endpoints that use it (and of the CA that
 * it replaces): an attacker who has the front gets no certificate that none of them allows.
 * state_dir NULL: nothing is kept.
 */
enum rc keys_open(
    struct signer **out, const struct config *c, const char *state_dir, struct err *err) MUST_CHECK;
/* That the keys of this CA can be opened and belong to its certificates; for `scepctl check`. */
enum rc keys_check(const struct config *c, const struct conf_ca *ca, struct err *err) MUST_CHECK;

#endif
