/*
 * cms_password.h - a stream of any length under a passphrase: CMS AuthEnvelopedData (RFC 5083) with
 * AES-256-GCM (RFC 5084) for one PasswordRecipientInfo (RFC 3211; PBKDF2 with HMAC-SHA256).
 *
 * OpenSSL's CMS_* writes the same structure, and `openssl cms -decrypt -pwri_password` reads ours.  It
 * is not used here because it holds a whole message in memory to read it (and none above 2 GiB), and derives the
 * key with HMAC-SHA1.  Both ways of ours need a constant 100 KiB.
 *
 * Threads: one owner.
 */
#ifndef SCEPD_OSSL_CMS_PASSWORD_H
#define SCEPD_OSSL_CMS_PASSWORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CMS_PASSWORD_ROUNDS     600000u       /* of PBKDF2: OWASP's figure for HMAC-SHA256 */
#define CMS_PASSWORD_ROUNDS_MAX 5000000u      /* that are taken: some seconds of work */
#define CMS_PASSWORD_MAX        (60ull << 30) /* bytes of content: GCM ends at 64 GiB a nonce */
#define CMS_PASSWORD_LEN_MAX    1024u         /* bytes of a passphrase */

/* Where the message goes, and where it comes from (*n 0: its end). */
typedef enum rc cms_sink_fn(void *arg, const void *p, size_t len, struct err *err);
typedef enum rc cms_source_fn(void *arg, void *p, size_t size, size_t *n, struct err *err);

struct cms_sealer;
/* `rounds`: CMS_PASSWORD_ROUNDS, but in tests. */
enum rc cms_sealer_new(struct cms_sealer **out, const void *passphrase, size_t len, unsigned rounds,
    cms_sink_fn *sink, void *arg, struct err *err) MUST_CHECK;
enum rc cms_sealer_add(struct cms_sealer *s, const void *p, size_t len, struct err *err) MUST_CHECK;
/* Without it the message has no end and no tag, and opens for nobody. */
enum rc cms_sealer_end(struct cms_sealer *s, struct err *err) MUST_CHECK;
void cms_sealer_free(struct cms_sealer *s); /* NULL is allowed */

struct cms_opener;
/*
 * The door.  Reads the header: RC_PARSE, RC_ALG, and RC_DENIED for a wrong passphrase (or a header that
 * was changed: nobody can tell).
 */
enum rc cms_opener_new(struct cms_opener **out, const void *passphrase, size_t len,
    cms_source_fn *source, void *arg, struct err *err) MUST_CHECK;
/*
 * The next bytes of content.  *n 0 with RC_OK: this was the end, and the tag has shown that all bytes
 * so far are those that were sealed; until then they prove nothing.  RC_INTEGRITY: they are not.
 */
enum rc cms_opener_read(
    struct cms_opener *o, void *p, size_t size, size_t *n, struct err *err) MUST_CHECK;
void cms_opener_free(struct cms_opener *o); /* NULL is allowed */

#endif
