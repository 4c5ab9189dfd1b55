/*
 * signer_ops.h - the message table: what may be asked for on a channel, when, and how large.
 */
#ifndef SCEPD_SIGNER_SIGNER_OPS_H
#define SCEPD_SIGNER_SIGNER_OPS_H

#include "signer/signer_ipc.h"

/* States of the server, as bits. */
enum {
	OPS_SERVING = 1,
	OPS_ENDING = 2, /* no key is used any more; a request goes unanswered, and is sent again
			   to the signer that comes next */
};

#define OPS_CRL_MAX (64u << 20) /* bytes: a list of a million entries has 40 */
#define OPS_LARGE                                                                                  \
	(1u << 20) /* bodies above this one at a time: memory for one, not for each channel */
#define OPS_DATA_MAX 65536u

struct op_row {
	const char *name;
	unsigned states;
	uint32_t request_max, answer_max; /* bytes of a body */
	enum rc (*handle)(
	    struct signer *s, const struct ipc_request *q, struct buf *out, struct err *err);
};
/* `op` is a valid one. */
const struct op_row *op_row0(enum ipc_op op);

/*
 * One request, to its answer, a whole frame.  A body that cannot be read is answered with its error;
 * what ends a channel (RC_PARSE, RC_LIMIT: a header that is none, a body above its row's maximum, an
 * operation that is not allowed in `state`) has been asked with ops_admit() before.
 */
enum rc ops_admit(const struct ipc_header *h, unsigned state, struct err *err) MUST_CHECK;
void ops_answer(struct buf *out, struct signer *s, const struct ipc_header *h, const uint8_t *body);

#endif
