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
	const char *ca;                  /* who answers; NULL: nobody; lent by the server */
	size_t n;                        /* certificates asked about */
	char serial[2 * SERIAL_MAX + 1]; /* of the first */
	struct ocsp_kept kept;
	bool nonce, from_cache;
};

/* Which of those that are answered for a URL names: case-insensitive, `len` bytes; false: none. */
bool ocsp_find(size_t *out, const struct ocsp *o, const char *name, size_t len);
/* Append the answer, signed or not; cannot fail.  `preferred`: the URL's CA, by ocsp_find(). */
void ocsp_answer(struct scepd *s, size_t preferred, const uint8_t *der, size_t len, struct buf *out,
    struct ocsp_outcome *o);

#endif
