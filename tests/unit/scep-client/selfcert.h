/* selfcert.h - a certificate of a device's own, CN=device, for an hour. */
#ifndef SCEPD_TESTS_SCEP_CLIENT_SELFCERT_H
#define SCEPD_TESTS_SCEP_CLIENT_SELFCERT_H

#include "../ossl/fixture.h"

/* The caller's; fails the test when it cannot. */
struct cert *selfcert(const char *serial, struct key *key);

#endif
