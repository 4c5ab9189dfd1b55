/*
 * holder.h - who signed a message holds a certificate that this server issued and that counts today.
 *
 * A struct holder proves: the certificate is, byte for byte, a row of our store; issued where the
 * caller says (an endpoint and one of its CAs); within its validity; not revoked; and no CA's,
 * RA's or responder's.  Nothing is believed for the sake of a name (S06, S07).  That the sender has
 * the key is proven by the message's signature: a caller verifies that first (S09).
 *
 * Threads: immutable.
 */
#ifndef SCEPD_CA_HOLDER_H
#define SCEPD_CA_HOLDER_H

#include "base/err.h"
#include "ossl/cert.h"
#include "store/store.h"

struct holder;

/* Where a certificate may have been issued to count. */
struct holder_terms {
	bool (*here)(void *ctx, const char *endpoint, const char *ca);
	void *ctx;
};

/* What a peer hears, whatever the cause: unknown, foreign, issued elsewhere, revoked, expired, not
 * yet valid (S09). */
#define HOLDER_REFUSED                                                                             \
	"the certificate that signs this message is none that is known and valid here"

/*
 * `now`: wall seconds.  RC_DENIED with HOLDER_REFUSED as the message; the hint, which is for the log, says
 * which it was.  Anything else: the store could not be asked.
 */
enum rc holder_prove(struct holder **out, struct store *s, const struct holder_terms *terms,
    const struct cert *signer, int64_t now, struct err *err) MUST_CHECK;
void holder_free(struct holder *h); /* NULL is allowed */

const struct cert *holder_cert0(const struct holder *h);
const char *holder_serial(const struct holder *h); /* upper hex */
const char *holder_profile(const struct holder *h);

#endif
