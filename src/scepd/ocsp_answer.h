/*
 * ocsp_answer.h - from the bytes of an OCSP request to those of the answer.  For ocsp.c.
 */
#ifndef SCEPD_SCEPD_OCSP_ANSWER_H
#define SCEPD_SCEPD_OCSP_ANSWER_H

#include "ossl/ocsp.h"
#include "scepd/ocsp_cache.h"
#include "scepd/scepd.h"

/* What became of one request. */
struct ocsp_outcome {
	enum ocsp_failure failure;       /* 0: the answer is signed */
	struct err err;                  /* why, with a failure */
	const struct server_ca *sca;     /* who answers; NULL: nobody */
	size_t n;                        /* certificates asked about */
	char serial[2 * SERIAL_MAX + 1]; /* of the first */
	struct ocsp_kept kept;
	bool nonce, from_cache;
};

/* Append the answer, signed or not; cannot fail.  `preferred`: the URL's CA. */
void ocsp_answer(struct scepd *s, const struct server_ca *preferred, const uint8_t *der, size_t len,
    struct buf *out, struct ocsp_outcome *o);

#endif
