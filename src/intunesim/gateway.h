/*
 * gateway.h - what stands before Intune's services: the token, the version, and errors in its way of
 * writing them.
 */
#ifndef SCEPD_INTUNESIM_GATEWAY_H
#define SCEPD_INTUNESIM_GATEWAY_H

#include "intunesim/call.h"

/*
 * The headers of every answer; whether the token opens Intune to a CA and the api-version header is
 * the service's.  False when the refusal has been answered.
 */
bool gateway_admit(struct call *c, const char *api_version);
/* {"error":{"code","message"}}, the message being JSON itself. */
void gateway_error(struct call *c, int status, const char *code, const char *message);
/* The body as an object; false when 400 has been answered.  *out is the caller's. */
bool gateway_body(json_t **out, struct call *c);

#endif
