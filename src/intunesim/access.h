/*
 * access.h - whether a request's bearer token opens a service.
 */
#ifndef SCEPD_INTUNESIM_ACCESS_H
#define SCEPD_INTUNESIM_ACCESS_H

#include "intunesim/call.h"
#include "intunesim/resource.h"

enum access {
	ACCESS_GRANTED,
	ACCESS_NO_TOKEN,
	ACCESS_BAD_TOKEN, /* malformed, or not signed by a tenant of ours */
	ACCESS_EXPIRED,   /* or not valid yet */
	ACCESS_WRONG_AUDIENCE,
	ACCESS_NO_ROLE,
	ACCESS__MAX
};

/* On ACCESS_GRANTED and ACCESS_NO_ROLE, c->tenant is the token's. */
enum access access_check(struct call *c, enum resource resource, const char *role);
/* A sentence for an error body; static. */
const char *access_text(enum access a);
/* "InvalidAuthenticationToken" or "Authorization_RequestDenied" and their HTTP statuses; static. */
const char *access_code(enum access a);
int access_status(enum access a);

#endif
