/*
 * keep.h - key.pem, cert.pem and chain.pem of a device's folder, replaced as one.
 *
 * Two files cannot be renamed at once, and a key without its certificate is worth nothing.  So what is
 * new is written whole to the folder's `.new`, which one rename makes `renewed`; from there the files are
 * moved into place, and what they replace is in replaced-SERIAL before.  A crash at any point leaves the
 * old pair, or a `renewed` that keep_finish() moves into place.
 */
#ifndef SCEPD_SCEP_CLIENT_KEEP_H
#define SCEPD_SCEP_CLIENT_KEEP_H

#include "base/err.h"
#include "ossl/cert.h"
#include "ossl/key.h"

/* The folder is there, or can be made, and can be written to: to be asked before a request is sent,
 * whose certificate would have no place otherwise.  RC_CONFIG. */
enum rc keep_check(const char *dir, struct err *err) MUST_CHECK;

/* The folder, which is there, is this process's until it ends.  RC_CONFLICT: it is another one's, as when a
 * timer runs again while the last run waits. */
enum rc keep_lock(const char *dir, struct err *err) MUST_CHECK;

struct kept {
	const struct key *key;           /* to key.pem, mode 0600 */
	const struct cert *cert;         /* to cert.pem */
	const struct cert *const *chain; /* to chain.pem */
	size_t n_chain;
};
/*
 * Put them into the folder, which is made if it is not there.  *backup (the caller's): the folder that
 * now has the files that were there before; NULL: there were none.
 */
enum rc keep_install(
    const char *dir, const struct kept *k, char **backup, struct err *err) MUST_CHECK;
/* Finish what a crash has left; RC_OK too when there is nothing to finish. */
enum rc keep_finish(const char *dir, struct err *err) MUST_CHECK;

#endif
