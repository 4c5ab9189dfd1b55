/*
 * entra.h - what the parts of Entra share: entra.c (the token endpoints), assertion.c (client
 * assertions), entra_token.c (tokens), entra_error.c (AADSTS), metadata.c, managed.c.
 */
#ifndef SCEPD_INTUNESIM_ENTRA_H
#define SCEPD_INTUNESIM_ENTRA_H

#include "intunesim/resource.h"
#include "intunesim/services.h"

/* One request for a token, as it becomes known. */
struct ask {
	struct call *call;
	bool v1; /* oauth2/token: resource= instead of scope=, numbers as strings */
	char *grant_type, *client_id, *client_secret, *scope, *resource_param;
	char *assertion_type, *assertion; /* client_assertion* */
	const struct app *app;
	const char *acr;    /* how the app proved itself: "1" by a secret, "2" by a signature */
	char resource[512]; /* what the token is for, as the client spells it */
	unsigned kind;      /* enum resource */
};

/* Entra's headers of every answer. */
void entra_headers(struct call *c);
/*
 * Answer with an error body of Entra's layout, the status and name being the number's row in the
 * table.  False, for the checks of the callers.
 */
bool entra_refuse(struct call *c, long code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A sentence for a number that is answered because somebody wants it; NULL: not in the table. */
const char *entra_sentence(long code);
/* AADSTS90002 or 900023 when there is no such tenant; `error` NULL: as usual. */
bool entra_find_tenant(struct call *c, const char *name, const char *error);

/* assertion.c: client_assertion proves the app, or an answer has been given. */
bool assertion_check(struct ask *a);

/* entra_token.c: append a token.  Needs call->tenant, app, acr, resource and kind. */
enum rc entra_token_text(struct buf *out, const struct ask *a, struct err *err) MUST_CHECK;
/* The answer with a token in it, v1 or v2. */
void entra_grant(struct ask *a);

#endif
