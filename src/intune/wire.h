/*
 * wire.h - the bodies that go out, each built in one go.
 *
 * A base64 request needs no escaping, so only the short strings pass jansson.  Every body may hold
 * a secret (the app's key, the challenge inside the CSR): release it with buf_wipe().
 */
#ifndef SCEPD_INTUNE_WIRE_H
#define SCEPD_INTUNE_WIRE_H

#include "base/buf.h"
#include "base/limits.h"
#include "intune/settings.h"

#define GUID_TEXT 37u /* with the NUL */

#define CONTEXT_MAX (4 * KIB) /* bytes of a requestContext: opaque, in practice some 100 */

/* A new random GUID, lower case (RFC 4122 4.4). */
enum rc wire_guid(char out[GUID_TEXT], struct err *err) MUST_CHECK;
/* Quoted and escaped JSON of UTF-8 text.  *out is the caller's. */
enum rc wire_string_dup(char **out, const char *s) MUST_CHECK;

/*
 * application/x-www-form-urlencoded for the client credentials grant, with a client secret (RFC 6749
 * 2.3.1) or a JWT in its place (RFC 7523 2.2).
 */
enum wire_proof { WIRE_SECRET, WIRE_ASSERTION };
enum rc wire_token_form(struct buf *out, const struct settings *s, enum scope scope,
    enum wire_proof kind, const char *proof, struct err *err) MUST_CHECK;
/* {"request":{...}} */
enum rc wire_validate(struct buf *out, const struct settings *s, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, struct err *err) MUST_CHECK;
/* {"notification":{...}} */
enum rc wire_success(struct buf *out, const struct settings *s, const struct intune_success *n,
    struct err *err) MUST_CHECK;
struct wire_failure {
	const char *transaction_id;
	const uint8_t *csr;
	size_t csr_len;
	int64_t hresult;
	const char *description;
};
enum rc wire_failure(struct buf *out, const struct settings *s, const struct wire_failure *n,
    struct err *err) MUST_CHECK;

/* {"downloadParameters":{...}}; issuer_name: NULL is sent as null. */
enum rc wire_download(
    struct buf *out, unsigned max_requests, const char *issuer_name, struct err *err) MUST_CHECK;
/* {"results":[...]} */
enum rc wire_upload(struct buf *out, const struct intune_revocation_result *results, size_t n,
    struct err *err) MUST_CHECK;

/* Bytes of the longest prefix of UTF-8 text that has at most `max` UTF-16 units, which is how the
 * service counts. */
size_t wire_cut(const char *s, size_t max);

#endif
