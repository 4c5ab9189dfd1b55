/*
 * key_source.h - where a private key is, and how it gets opened: a PEM file, encrypted or not, or a
 * token behind a PKCS#11 library.
 *
 * A key that was opened here is a struct key like any other: it signs and unwraps through key.h, and
 * nobody who holds it can tell where it lives.  A token that was pulled out makes the operation fail
 * with RC_IO; the next operation after it is back opens it again, without a restart.
 *
 * Threads: all calls from any thread.  A token's sessions are bounded by the token: when none is free
 * an operation waits for one up to KEY_TOKEN_WAIT_MS and then fails with RC_IO.
 */
#ifndef SCEPD_OSSL_KEY_SOURCE_H
#define SCEPD_OSSL_KEY_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/key.h"

#define KEY_TOKEN_WAIT_MS 5000 /* a SCEP client has patience for about 30 s in all */

/* Borrowed for the call; what has to be remembered (the PIN, to log in again) is copied into memory
 * that is locked, left out of core files and wiped. */
struct key_source {
	const char *key;        /* path of a PEM file, or "pkcs11:..." (RFC 7512) */
	const char *passphrase; /* of the PEM file; NULL: it is not encrypted */
	const char *pin;        /* of the token; NULL: the URI's pin-source, or none */
};

/* "pkcs11:" ... */
bool key_source_is_token(const char *key);
/* Of a configuration's value: RC_CONFIG when it is a URI that names no private key (RFC 7512). */
enum rc key_source_check(const char *key, struct err *err) MUST_CHECK;
/* Load the PKCS#11 library, once a process; one that fails when it is started is tried for three seconds.  RC_CONFIG names it; RC_TIMEOUT: it
 * does not start, now. */
enum rc key_tokens_open(const char *module, struct err *err) MUST_CHECK;
void key_tokens_close(void);

/*
 * RC_CONFIG names the file or the URI (without its query part) and says what an administrator does:
 * wrong passphrase, no such object, wrong PIN (with the warning that tokens lock), a key that is no
 * private key.  RC_TIMEOUT: the token is not there, and may come.
 */
enum rc key_open(struct key **out, const struct key_source *src, struct err *err) MUST_CHECK;
/*
 * Make a key of kind `spec` (key_generate()'s words) where `src` says: written to the file (mode 0600,
 * encrypted with the passphrase if there is one), or made inside the token, sensitive and not
 * extractable.  RC_CONFLICT when something is there already.
 */
enum rc key_create(
    struct key **out, const char *spec, const struct key_source *src, struct err *err) MUST_CHECK;
/* PKCS#8 PEM; with a passphrase PBES2 (scrypt or PBKDF2 with at least 600,000 rounds, AES-256).  Wipe it. */
enum rc key_private_pem_locked(
    struct buf *out, const struct key *k, const char *passphrase, struct err *err) MUST_CHECK;

#endif
