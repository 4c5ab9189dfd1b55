/*
 * verdict.h - may somebody with this certificate come in?  For those who decide that (RADIUS servers,
 * gateways): the status that OCSP and the CRL tell, for the same reason, and whom the certificate is bound
 * to.  Threads: any.
 */
#ifndef SCEPD_SCEPD_VERDICT_H
#define SCEPD_SCEPD_VERDICT_H

#include "scepd/admin_json.h"
#include "store/store_status.h"

enum verdict_word {
	VERDICT_GOOD, /* this one alone lets in */
	VERDICT_HOLD,
	VERDICT_REVOKED,
	VERDICT_EXPIRED, /* nothing else is known against it */
	VERDICT_UNKNOWN  /* not one of ours: `cert`, `status` and `binding` say nothing */
};
const char *verdict_name(enum verdict_word w); /* "good", "hold" ...; static */

/* With its NUL: what store_status_text() says, of names and comments of the lengths in store_status.h. */
#define VERDICT_TEXT_MAX 2048
struct verdict {
	enum verdict_word word;
	struct store_cert_row cert;
	struct store_status status;
	struct store_binding binding;
	char text[VERDICT_TEXT_MAX]; /* one line for people */
};
void verdict_done(struct verdict *v);
/* Where verdicts come from. */
struct server_foreign;
struct verdict_from {
	struct store *store;
	const struct server_foreign *foreign; /* CAs of others */
	size_t n_foreign;
};
/*
 * `now`: wall seconds.  A whole certificate has to be the very one that was issued: another one with its
 * serial number is UNKNOWN, and so is one with another key identifier, where that is told.  An error is our trouble and no verdict: whoever asked decides what that is
 * worth.
 *
 * Of several CAs' certificates with one serial number it is that of the CA, or with the key, or as a whole that is told.
 * RC_CONFLICT, with the CAs in words, where that leaves several.
 *
 * Of a foreign CA's certificate that nobody has imported, the store may know the serial number alone.  A whole certificate
 * is then the one that is meant if that CA's key has signed it; of a key identifier nothing can be said, so that what
 * is against the serial number counts, and nothing lets in.  A CA that is not in the configuration any more lets
 * nobody in, as nobody reads its list any more.
 */
enum rc verdict_of(struct verdict *out, const struct verdict_from *from,
    const struct admin_cert_ask *ask, int64_t now, struct err *err) MUST_CHECK;

#endif
