/*
 * authorization_int.h - what an authorization holds.  Inside src/ca only, and written by
 * authorization.c alone.
 */
#ifndef SCEPD_CA_AUTHORIZATION_INT_H
#define SCEPD_CA_AUTHORIZATION_INT_H

#include "ca/authorization.h"

struct authorization {
	uint8_t csr_sha256[32];
	char *authority;
	/*
	 * The authority knows whom it let through (Intune compares subject and SAN); a shared secret
	 * does not (S15, S19), and a one-time password as far as it was made for somebody.
	 */
	bool binds_subject, binds_san;
	const struct holder *renews; /* whose identity is not widened; NULL: an enrolment */
	bool keeps_usages;           /* the profile's own usages are none of the holder's */
};

#endif
