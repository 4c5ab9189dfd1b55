/*
 * credential.h - what the app proves itself with at this moment, read from where it is kept and read
 * again when it has changed there.
 *
 * Files are judged by their content, not by their times: they are small, and are looked at no more
 * often than a token is asked for.  A file that cannot be used leaves in force what was read
 * before; `trouble` then says why.
 *
 * Threads: any; a lock is held while a form is made, signature included, and while files are read.
 */
#ifndef SCEPD_INTUNE_CREDENTIAL_H
#define SCEPD_INTUNE_CREDENTIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "intune/error.h"
#include "intune/settings.h"
#include "intune/wire.h"
#include "ossl/cert.h"

/* One reading of it. */
struct proof {
	char *secret;      /* client secret or federated token; NULL with a certificate */
	struct cert *cert; /* with `key`, the private one of it */
	struct key *key;
	uint8_t mark[32]; /* SHA-256 of what was read: the same mark, nothing new */
};

struct credential {
	const struct settings *set;
	pthread_mutex_t mu;
	struct proof proof;
	uint64_t version;   /* how often `proof` has changed */
	int64_t look_at;    /* monotonic ms: not before, unless Entra has refused */
	struct err trouble; /* why the files' content of now is not in force; rc RC_OK: it is */
};

/* Reads the files.  `set` must outlive it.  INTUNE_E_ARGUMENT names the file and what is wrong. */
enum intune_status credential_open(
    struct credential *c, const struct settings *set, struct intune_error *e);
void credential_done(struct credential *c); /* wipes */

/*
 * The form of a token request with the proof of now; *version says which one it is.  RC_CONFIG when
 * it can be of no use: the certificate has expired.  Wipe `out` in any case.
 */
enum rc credential_form(struct credential *c, struct buf *out, enum scope scope, uint64_t *version,
    struct err *err) MUST_CHECK;
/* Entra has refused the proof of this version: true if there is another one by now. */
bool credential_is_newer(struct credential *c, uint64_t version);
/* Look at the files now.  RC_OK, or why the proof in force is not what they hold. */
enum rc credential_look(struct credential *c, struct err *err) MUST_CHECK;
/* What the last look complained of; false: nothing. */
bool credential_trouble(struct credential *c, struct err *out);
/* In the place of AAD_APP_KEY. */
enum intune_status credential_set_key(
    struct credential *c, const char *key, struct intune_error *e);
/* Take the secrets of now out of a server's words. */
void credential_scrub(struct credential *c, struct intune_error *e);
/* Warn in the hint of a certificate that expires within INTUNE_EXPIRY_DAYS. */
void credential_hint_expiry(struct credential *c, struct intune_error *e);
/* notAfter of the certificate, wall seconds; 0 without one. */
int64_t credential_not_after(struct credential *c);

#endif
