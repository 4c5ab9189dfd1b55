/*
 * error.h - filling struct intune_error: messages, hints, and words that came from a server.
 *
 * Every text that ends up here is one printable line of UTF-8, cut between characters.  What a
 * server said passes error_words(), which also takes out what looks like a token, a challenge or a
 * request; the app's own secrets are taken out at the end of a call (op_end(), error_scrub()).
 * Inside this folder an error pointer is never NULL.
 */
#ifndef SCEPD_INTUNE_ERROR_H
#define SCEPD_INTUNE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "intune.h"

/* All fields to "nothing said". */
void error_reset(struct intune_error *e);
/* Status, step and message; clears the hint.  Returns st so that it can end a function. */
enum intune_status error_set(struct intune_error *e, enum intune_status st, enum intune_step step,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void error_hint(struct intune_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Add to the hint, after "; " unless it is empty. */
void error_hint_more(struct intune_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Copy words of a server into out[size]: line breaks become spaces, the rest of what does not print
 * '?', long runs of base64 (tokens, challenges, requests) "[...]".
 */
void error_words(char *out, size_t size, const char *s, size_t len);
/*
 * Take every occurrence of `secret`, as it is and as a form encodes it, out of the server's words in
 * e.  NULL and short ones are ignored.
 */
void error_scrub(struct intune_error *e, const char *secret);

/* An AADSTS code of Entra's. */
struct aadsts {
	long code;
	bool passing; /* the same request may work later */
	const char *hint;
};
/* NULL when the code is not in the table. */
const struct aadsts *aadsts_find(long code);
/* What an administrator does about a refusal; "" if nothing is known. */
const char *code_hint(enum intune_code c);
/* NULL when it is none of Microsoft's. */
const char *revocation_code_find(enum intune_revocation_code c);
/* Refused for what the request's bytes are: length and hash tell whether they were changed. */
bool code_is_about_bytes(enum intune_code c);

#endif
