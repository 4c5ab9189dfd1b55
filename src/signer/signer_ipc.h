/*
 * signer_ipc.h - frames between the two ends of a channel: written and read in one place.
 *
 * A frame is a header of fixed size and a body of at most what the operation's row allows
 * (signer_ops.h); docs/signer-protocol.md has the layout.  All reading is bounds-checked and ends
 * in RC_PARSE, and decoders are doors.
 *
 * Threads: no state.
 */
#ifndef SCEPD_SIGNER_SIGNER_IPC_H
#define SCEPD_SIGNER_SIGNER_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/alg.h"
#include "ossl/der.h"
#include "signer/signer.h"

#define IPC_VERSION    1
#define IPC_HEADER_LEN 12
#define IPC_CA_MAX     255 /* bytes of a CA's name */
#define IPC_PARAMS_MAX (1 + IPC_CA_MAX + 5)

enum ipc_op {
	IPC_SIGN_CERT = 1,
	IPC_SIGN_CRL,
	IPC_SIGN_CERTREP,
	IPC_UNWRAP,
	IPC_SIGN_OCSP,
	IPC_NEXT_CA,
	IPC_CERTS,
	IPC_STATS,
	IPC_TAKE_RESPONDER,
	IPC_OP__MAX
};
enum ipc_kind { IPC_REQUEST = 1, IPC_ANSWER };

/* ---- headers ---- */

struct ipc_header {
	enum ipc_op op;
	enum ipc_kind kind;
	uint32_t id;  /* an answer has its request's */
	uint32_t len; /* of the body */
};
void ipc_header_put(uint8_t out[static IPC_HEADER_LEN], const struct ipc_header *h);
/* RC_PARSE: another version, an unknown operation or kind. */
enum rc ipc_header_take(
    struct ipc_header *out, const uint8_t in[static IPC_HEADER_LEN], struct err *err) MUST_CHECK;

/* ---- requests ---- */

/* Every operation has the same: what it does not need is zero. */
struct ipc_request {
	char ca[IPC_CA_MAX + 1];
	enum digest digest;
	struct transport transport;
	uint8_t cek_len;
	struct der data; /* borrowed */
};
/* The body up to `data`, which follows it.  RC_LIMIT: a name that is too long. */
enum rc ipc_params_put(uint8_t out[static IPC_PARAMS_MAX], size_t *len, const char *ca,
    const struct ipc_request *q, struct err *err) MUST_CHECK;
enum rc ipc_request_take(
    struct ipc_request *out, const uint8_t *body, size_t len, struct err *err) MUST_CHECK;

/* ---- answers ---- */

/* Memory for an error, so that an answer to a request is always possible.  false: there is none. */
bool ipc_answer_room(struct buf *out);
/* Begin one; the result is appended after it. */
void ipc_answer_begin(struct buf *out);
/* Fill in the header, now that the body is whole. */
void ipc_answer_end(struct buf *out, enum ipc_op op, uint32_t id);
/* In place of a result. */
void ipc_answer_fail(struct buf *out, enum rc rc, const struct err *err);
/* The result of an operation that went well, or its error. */
enum rc ipc_answer_take(
    struct der *result, const uint8_t *body, size_t len, struct err *err) MUST_CHECK;

/* ---- results that are more than bytes ---- */

void ipc_certs_put(struct buf *out, const struct signer_certs *c);
enum rc ipc_certs_take(
    struct signer_certs *out, const uint8_t *p, size_t len, struct err *err) MUST_CHECK;
void ipc_stats_put(struct buf *out, const struct signer_stats *s);
enum rc ipc_stats_take(
    struct signer_stats *out, const uint8_t *p, size_t len, struct err *err) MUST_CHECK;

#endif
