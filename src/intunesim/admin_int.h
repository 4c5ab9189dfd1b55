/*
 * admin_int.h - what the handlers of the control API share.
 */
#ifndef SCEPD_INTUNESIM_ADMIN_INT_H
#define SCEPD_INTUNESIM_ADMIN_INT_H

#include "intunesim/call.h"
#include "intunesim/deeds.h"

/* 400, 404 or 409 with {"error"}, or 500 for what is not the caller's fault. */
void admin_refuse(struct call *c, enum rc rc, const struct err *err);
/* The body, an object; the caller's.  False: answered. */
bool admin_body(json_t **out, struct call *c);
/*
 * Commit when `rc` is RC_OK, and answer: an error; the object `id` of `shown_type` with `status`;
 * or 204 when that is NULL.
 */
void admin_finish(struct call *c, struct deed *d, enum rc rc, struct err *err,
    const struct object_type *shown_type, const char *id, int status);

#endif
