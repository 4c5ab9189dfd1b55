/*
 * signer_ops.c - the message table, and from a request to its answer.
 */
#include "signer/signer_ops.h"

#include <string.h>

#include "base/limits.h"
#include "signer/signer_int.h"

static enum rc
do_sign_cert(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return s->ops->sign_cert(s, q->ca, q->data.p, q->data.len, out, err);
}

static enum rc
do_sign_crl(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return s->ops->sign_crl(s, q->ca, q->data.p, q->data.len, out, err);
}

static enum rc
do_sign_certrep(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return signer_sign_certrep(s, q->ca, q->digest, q->data.p, q->data.len, out, err);
}

static enum rc
do_unwrap(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	uint8_t cek[CEK_SIZE_MAX];
	enum rc rc;

	rc = signer_unwrap(s, q->ca, &q->transport, q->data.p, q->data.len, cek, q->cek_len, err);
	if (rc == RC_OK)
		buf_add(out, cek, q->cek_len);
	wipe(cek, sizeof(cek));
	return rc;
}

static enum rc
do_sign_ocsp(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return signer_sign_ocsp(s, q->ca, q->data.p, q->data.len, out, err);
}

static enum rc
do_next_ca(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return signer_next_ca(s, q->ca, out, err);
}

static enum rc
do_certs(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	struct signer_certs c;
	enum rc rc = signer_certs(s, q->ca, &c, err);

	if (rc != RC_OK)
		return rc;
	ipc_certs_put(out, &c);
	signer_certs_done(&c);
	return RC_OK;
}

static enum rc
do_take_responder(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	return signer_take_responder(s, q->ca, q->data.p, q->data.len, err);
}

static enum rc
do_stats(struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err)
{
	struct signer_stats stats;
	enum rc rc = signer_stats(s, &stats, err);

	if (rc == RC_OK)
		ipc_stats_put(out, &stats);
	return rc;
}

#define PARAMS IPC_PARAMS_MAX
#define FAILED (1 + 2 + ERR_MSG_MAX + 2 + ERR_HINT_MAX) /* an error is always allowed */
#define SIG    (FAILED + SIGNATURE_MAX)

static const struct op_row rows[IPC_OP__MAX] = {
	[IPC_SIGN_CERT] = { "sign-cert", OPS_SERVING, PARAMS + LIMIT_CERT, SIG, do_sign_cert },
	[IPC_SIGN_CRL] = { "sign-crl", OPS_SERVING, PARAMS + OPS_CRL_MAX, SIG, do_sign_crl },
	[IPC_SIGN_CERTREP] = { "sign-certrep", OPS_SERVING, PARAMS + OPS_DATA_MAX, SIG,
	    do_sign_certrep },
	[IPC_UNWRAP] = { "unwrap", OPS_SERVING, PARAMS + LIMIT_RSA_BITS / 8, FAILED + CEK_SIZE_MAX,
	    do_unwrap },
	[IPC_SIGN_OCSP] = { "sign-ocsp", OPS_SERVING, PARAMS + OPS_DATA_MAX,
	    FAILED + OPS_DATA_MAX + LIMIT_CERT + SIGNATURE_MAX + 64, do_sign_ocsp },
	[IPC_NEXT_CA] = { "next-ca", OPS_SERVING, PARAMS, FAILED + 2 * LIMIT_CHAIN, do_next_ca },
	[IPC_CERTS] = { "certs", OPS_SERVING, PARAMS,
	    FAILED + (SIGNER_RAS_MAX + 1) * (LIMIT_CERT + 4), do_certs },
	[IPC_STATS] = { "stats", OPS_SERVING | OPS_ENDING, PARAMS, FAILED, do_stats },
	[IPC_TAKE_RESPONDER] = { "take-responder", OPS_SERVING, PARAMS + LIMIT_CERT, FAILED,
	    do_take_responder },
};

const struct op_row *
op_row0(enum ipc_op op)
{
	return &rows[op];
}

enum rc
ops_admit(const struct ipc_header *h, unsigned state, struct err *err)
{
	const struct op_row *row = &rows[h->op];

	if (h->kind != IPC_REQUEST)
		return fail(err, RC_PARSE, "channel: an answer where a request is to come");
	if (!(row->states & state))
		return fail(err, RC_CONFLICT, "channel: %s is not allowed now", row->name);
	if (h->len > row->request_max)
		return fail(err, RC_LIMIT, "channel: %s of %u bytes, at most %u are taken",
		    row->name, (unsigned)h->len, (unsigned)row->request_max);
	return RC_OK;
}

void
ops_answer(struct buf *out, struct signer *s, const struct ipc_header *h, const uint8_t *body)
{
	const struct op_row *row = &rows[h->op];
	struct ipc_request q;
	struct err err = { 0 };
	enum rc rc;

	ipc_answer_begin(out);
	rc = ipc_request_take(&q, body, h->len, &err);
	if (rc == RC_OK)
		rc = row->handle(s, &q, out, &err);
	if (rc == RC_OK)
		rc = buf_ok(out, row->name, &err);
	if (rc == RC_OK && out->len - IPC_HEADER_LEN > row->answer_max)
		rc = fail(&err, RC_LIMIT, "signer: the answer to %s is too large", row->name);
	if (rc != RC_OK)
		ipc_answer_fail(out, rc, &err);
	ipc_answer_end(out, h->op, h->id);
}
