/*
 * error.h - struct scep_error made from what the layers below say (internal).
 */
#ifndef SCEPD_SCEP_ERROR_H
#define SCEPD_SCEP_ERROR_H

#include "base/err.h"
#include "scep.h"

/* Steps of taking a message, as logs name them. */
#define STEP_PARSE     "parse"
#define STEP_VERIFY    "verify"
#define STEP_TYPE      "type"
#define STEP_STRICT    "strict"
#define STEP_STRUCTURE "structure"
#define STEP_RECIPIENT "recipient"
#define STEP_DECRYPT   "decrypt"
#define STEP_REPLY     "reply"
#define STEP_SIGN      "sign"
#define STEP_ENCRYPT   "encrypt"

/* Fill and return.  failInfo follows from the status. */
enum scep_status scep_fail(struct scep_error *err, enum scep_status status, const char *step,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same from a struct err. */
enum scep_status scep_fail_from(struct scep_error *err, const char *step, const struct err *e);

#endif
