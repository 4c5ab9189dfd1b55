/*
 * admin_auth.h - who may use the admin API and mscep_admin: tokens that `scepctl admin token` makes.
 *
 * The file holds a line for each: NAME sha256:HEX [WORD[,...]], of ADMIN_MAY_WORDS.  A token has 256 random bits,
 * so that its SHA-256 can be kept as it is; nothing else is ever written down.  It comes as
 * "Authorization: Bearer TOKEN", or as "Basic" with NAME as user and the token as password.  With a
 * third word it is good for these alone.
 *
 * Threads: any; admin_auth_reload() from one at a time.
 */
#ifndef SCEPD_SCEPD_ADMIN_AUTH_H
#define SCEPD_SCEPD_ADMIN_AUTH_H

#include <stdbool.h>

#include "base/err.h"
#include "http/server.h"

#define ADMIN_NAME_MAX   64  /* bytes */
#define ADMIN_TOKENS_MAX 512 /* lines; people and machines that administer one CA */

/* What a token is good for. */
enum admin_may {
	ADMIN_MAY_OTP = 1,
	ADMIN_MAY_REQUESTS = 2,
	ADMIN_MAY_VERDICT =
	    4, /* ask whether a certificate is good, and nothing else: for RADIUS servers */
	ADMIN_MAY_STATUS = 8,  /* look at certificates, revoke, hold and release them */
	ADMIN_MAY_SWEEPS = 16, /* approve and discard sweeps that were stopped */
	ADMIN_MAY_ALL = 31
};
#define ADMIN_MAY_WORDS "otp, requests, verdict, status, sweeps"

struct admin_token {
	char name[ADMIN_NAME_MAX + 1];
	uint8_t sha256[32];
	unsigned may; /* enum admin_may */
};
struct admin_tokens {
	struct admin_token v[ADMIN_TOKENS_MAX];
	size_t n;
};
/* The door: RC_CONFIG names the line. */
enum rc admin_tokens_parse(
    struct admin_tokens *out, const void *text, size_t len, struct err *err) MUST_CHECK;
/* 1 to ADMIN_NAME_MAX of letters, digits, and . _ @ - */
bool admin_name_ok(const char *name);
/* "otp,requests" -> bits; RC_CONFIG: not of ADMIN_MAY_WORDS. */
enum rc admin_may_parse(unsigned *out, const char *words, struct err *err) MUST_CHECK;
/* The words of bits, as the file has them. */
#define ADMIN_MAY_TEXT_MAX 64
void admin_may_text(char out[static ADMIN_MAY_TEXT_MAX], unsigned may);

struct admin_auth;
/* `path` must outlive it.  RC_CONFIG, RC_NOTFOUND with a hint when there is no file yet. */
enum rc admin_auth_open(struct admin_auth **out, const char *path, struct err *err) MUST_CHECK;
void admin_auth_free(struct admin_auth *a);
/* Take up a changed file; one that cannot be used is logged and leaves in force what was read before. */
void admin_auth_reload(struct admin_auth *a);

/*
 * So many wrong answers of one address in a minute; then none of its is looked at until the minute is
 * over.  Nobody guesses 256 bits: it is for the log, and for the time that looking takes.
 */
#define ADMIN_FAILURES_MAX 10

enum admin_answer {
	ADMIN_YES,
	ADMIN_WHO,      /* no credentials, or wrong ones: 401 */
	ADMIN_MAY_NOT,  /* known, but not for this: 403 */
	ADMIN_TOO_OFTEN /* 429 */
};
/* `now_ms`: monotonic.  *who gets the token's name with ADMIN_YES and ADMIN_MAY_NOT; *wait_s the time
 * until it is worth asking again, with ADMIN_TOO_OFTEN. */
enum admin_answer admin_auth_ask(struct admin_auth *a, const char *authorization0, const char *peer,
    unsigned may, int64_t now_ms, char who[static ADMIN_NAME_MAX + 1], unsigned *wait_s);

#endif
