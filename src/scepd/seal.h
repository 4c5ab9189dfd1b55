/*
 * seal.h - requests that the store keeps until Intune has been told hold a challenge, so they are kept
 * sealed: AES-256-GCM under a key in a file beside the database, bound to their transaction.
 *
 * Whoever gets the database, its log or its free pages without that file reads no challenge.
 *
 * Threads: any; immutable once opened.
 */
#ifndef SCEPD_SCEPD_SEAL_H
#define SCEPD_SCEPD_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SEAL_KEY_NAME "store.key" /* beside the database */

struct seal;

/* The key file beside the database of `store_url`: the name is the caller's, NULL when the store is no file. */
enum rc seal_key_path(char **out, const char *store_url, struct err *err) MUST_CHECK;
/*
 * Read the key, or make one (mode 0600) when there is none: *made.  What an older key sealed cannot
 * be opened then; that is the caller's to tell.  RC_CONFIG: the file holds something else.
 */
enum rc seal_open(struct seal **out, const char *path, bool *made, struct err *err) MUST_CHECK;
void seal_free(struct seal *s); /* wipes the key; NULL is allowed */

/* Append what the store is to keep of a request.  Without a seal that is a note that nothing was kept: where
 * Intune is not asked nobody needs it again. */
enum rc seal_request(struct buf *out, const struct seal *s, const char *endpoint,
    const char *transaction_id, const uint8_t *csr, size_t len, struct err *err) MUST_CHECK;
/*
 * The door for what was kept: append the request; wipe it.  A request that an older version kept in clear is
 * taken as it is.  RC_INTEGRITY: another key, another transaction, or changed.  RC_NOTFOUND: nothing
 * was kept.
 */
enum rc seal_unseal(struct buf *out, const struct seal *s, const char *endpoint,
    const char *transaction_id, const uint8_t *kept, size_t len, struct err *err) MUST_CHECK;

#endif
