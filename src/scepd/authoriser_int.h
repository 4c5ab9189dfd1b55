/*
 * authoriser_int.h - the kinds of endpoints that have files of their own.  Inside authoriser*.c only.
 */
#ifndef SCEPD_SCEPD_AUTHORISER_INT_H
#define SCEPD_SCEPD_AUTHORISER_INT_H

#include "scepd/authoriser.h"

/* Where an endpoint has a challenge_file, the request's challenge fits it.  RC_DENIED. */
enum rc authoriser_check_secret(const struct question *q, struct err *err) MUST_CHECK;

/* Rows of the table: see authoriser_ask(). */
enum rc authoriser_otp(struct authorization **out, enum verdict *v, const struct question *q,
    struct err *err) MUST_CHECK;
enum rc authoriser_approval(struct authorization **out, enum verdict *v, const struct question *q,
    struct err *err) MUST_CHECK;
enum rc authoriser_webhook(struct authorization **out, enum verdict *v, const struct question *q,
    struct err *err) MUST_CHECK;

#endif
