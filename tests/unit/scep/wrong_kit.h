/*
 * wrong_kit.h - envelopes that are wrong in different places, and have to look the same from outside (S24).
 */
#ifndef SCEPD_TESTS_SCEP_WRONG_KIT_H
#define SCEPD_TESTS_SCEP_WRONG_KIT_H

#include "scep_kit.h"

enum wrong {
	WRONG_TRANSPORT,  /* not PKCS#1: the content-encryption key is random then */
	WRONG_CEK_LENGTH, /* 24 octets for AES-128 */
	WRONG_CBC_NOISE,
	WRONG_CONTENT,
	WRONG_TRUNCATED,
	WRONG_CBC,
	WRONG_TRAILING,
	WRONG_SIGNATURE, /* of the request inside */
	WRONG__MAX
};
extern const char *const wrong_names[WRONG__MAX];

/* Made of world.csr, for the RA `to`. */
struct buf envelope_wrong(enum wrong k, const struct actor *to);
/* In a PKIMessage by somebody whose request it is not. */
struct buf message_around(const struct buf *envelope);

#endif
