/*
 * wire.h - both ends of channels for a test, and a signer that does as it is told.
 */
#ifndef SCEPD_TESTS_SIGNER_WIRE_H
#define SCEPD_TESTS_SIGNER_WIRE_H

#include "fixture.h"
#include "signer/signer_remote.h"

/* Pairs of connected sockets: near[i] to the caller, far[i] to the signer. */
void wire_pairs(int *near, int *far, size_t n);
/* A remote signer with n channels to a server of `s` in this process. */
void wire_both(
    struct kit *k, struct signer *s, size_t n, struct signer **remote, struct signer_server **v);

/* Everything that a signer is asked for in one enrolment, and more; true when all was right. */
bool wire_round(const struct kit *k, struct signer *s);

#endif
