/*
 * token.h - tokens behind a PKCS#11 library (version 2.40): the library itself, sessions that are
 * logged in, and the keys inside; for src/ossl only.
 *
 * The library is loaded by ourselves and called by its own interface, since the engine of libp11 cannot
 * make a key in a token, wait for a session, or come back when a token was gone (ARCHITECTURE.md).
 *
 * Threads: all calls from any thread; the library is told to lock (CKF_OS_LOCKING_OK).
 */
#ifndef SCEPD_OSSL_TOKEN_H
#define SCEPD_OSSL_TOKEN_H

#include <p11-kit/pkcs11.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/key.h"
#include "ossl/token_uri.h"

#define TOKEN_SESSIONS   16   /* of one token at the same time; a signer has no more threads */
#define TOKEN_SLOTS_MAX  64   /* that are looked at; a network HSM has a slot a partition */
#define TOKEN_RESTART_MS 5000 /* between two restarts of the library: it disturbs every token */

/* ---- token_rv.c: what a CK_RV means ---- */

enum token_cure {
	CURE_NONE,    /* the same call will fail again */
	CURE_SESSION, /* a new session, and a login */
	CURE_LIBRARY, /* look for the token again, with the library started anew if need be */
	CURE_WAIT,    /* a session will be free later */
};
enum token_cure token_cure(CK_RV rv);
/* "CKR_PIN_INCORRECT", or its number; `out` holds 32. */
const char *token_rv_name(CK_RV rv, char out[static 32]);
/* fail() with what the administrator or the next try does about it; `doing` is a participle with its
 * object, "signing in token ca". */
enum rc token_fail(struct err *err, CK_RV rv, const char *doing);

/* ---- token_library.c: the shared object ---- */

/* Take the library in hand, so that it is not restarted, and learn its state.  RC_CONFIG when none is
 * loaded, RC_IO when a restart takes too long.  To be left in any case that was RC_OK. */
enum rc token_library_enter(CK_FUNCTION_LIST **f, unsigned long *epoch, struct err *err) MUST_CHECK;
void token_library_leave(void);
/*
 * C_Finalize and C_Initialize, when nobody is inside within a second, and not when that was done since
 * `epoch`, or less than TOKEN_RESTART_MS ago.  Every session of every token is gone afterwards, which the
 * epoch tells.  For callers that are outside.
 */
void token_library_restart(unsigned long epoch);
/* Sooner than TOKEN_RESTART_MS; for tests. */
void token_restart_every(unsigned ms);

/* ---- token_session.c: one token ---- */

struct token;

/* What an operation may use while it runs. */
struct token_session {
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE h;
	CK_SLOT_ID slot;
	unsigned long generation; /* object handles of another one mean nothing */
	const char *pin;          /* for keys that ask each time; "" */
	size_t pin_len;
};
/* Done once more from the start when the session or the token was lost. */
typedef CK_RV token_work(struct token_session *s, void *arg);

/* The token that the URI names, logged in; counted.  `pin` may be NULL. */
enum rc token_open(
    struct token **out, const struct token_uri *uri, const char *pin, struct err *err) MUST_CHECK;
void token_free(struct token *t);
/*
 * Run `work` in a session of the token; *rv is its result when RC_OK.  RC_IO when the token is not
 * there or has no free session within KEY_TOKEN_WAIT_MS.  `work` is what decides about its other failures.
 */
enum rc token_run(
    struct token *t, token_work *work, void *arg, CK_RV *rv, struct err *err) MUST_CHECK;
const char *token_label(const struct token *t);
/* Smaller ones than TOKEN_SESSIONS and KEY_TOKEN_WAIT_MS; for tests, while no token is open. */
void token_limits(unsigned sessions, unsigned wait_ms);

/* ---- token_object.c: objects inside; within a token_work ---- */

/* Objects of this class with the URI's label and id: *n is 0, 1, or 2 for more than one. */
CK_RV token_find(struct token_session *s, CK_OBJECT_CLASS class, const struct token_uri *uri,
    CK_OBJECT_HANDLE *obj, unsigned *n);
/*
 * Append the SubjectPublicKeyInfo of a private key, from its attributes or those of the public key of the
 * same id.  CKR_OK with *why, if the library is not to blame.
 */
CK_RV token_public(
    struct token_session *s, CK_OBJECT_HANDLE obj, struct buf *spki, const char **why);
/* A CK_BBOOL; `dflt` when the object has no such attribute. */
bool token_flag(struct token_session *s, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type, bool dflt);

/* ---- token_key.c, token_make.c: keys ---- */

enum rc token_key_open(
    struct key **out, const struct token_uri *uri, const char *pin, struct err *err) MUST_CHECK;
/* RC_CONFLICT when the URI names a key that is there. */
enum rc token_key_make(
    const char *spec, const struct token_uri *uri, const char *pin, struct err *err) MUST_CHECK;

#endif
