/*
 * secret.h - where an administrator keeps a secret: a file, systemd's credentials, or his memory.
 */
#ifndef SCEPD_BASE_SECRET_H
#define SCEPD_BASE_SECRET_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Append the secret that `source` names, without a trailing newline; wipe the buf.
 *
 *	PATH              file_read_secret()
 *	credential:NAME   the file NAME in $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=)
 *	prompt            asked for on the terminal, without echo: `what` is the question
 *
 * RC_CONFIG when there is no such file, no such credential, or no terminal.
 */
enum rc secret_read(
    struct buf *out, const char *source, const char *what, struct err *err) MUST_CHECK;
/* For a new passphrase: asks twice on "prompt" and refuses an empty one. */
enum rc secret_read_new(
    struct buf *out, const char *source, const char *what, struct err *err) MUST_CHECK;

#endif
