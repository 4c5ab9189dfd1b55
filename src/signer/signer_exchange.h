/*
 * signer_exchange.h - a request and its answer over one channel, within a deadline.
 *
 * An answer that comes too late is read by whoever has the channel next; a channel whose peer does not follow the
 * protocol is as good as broken.
 */
#ifndef SCEPD_SIGNER_SIGNER_EXCHANGE_H
#define SCEPD_SIGNER_SIGNER_EXCHANGE_H

#include "ossl/der.h"
#include "signer/signer_channel.h"

/* LATE with `owes` of the channel: the request is out.  Without it half of it may be: the channel is of no more use. */
enum outcome { ANSWERED, BROKEN, LATE };

/* A request as it goes out: parameters, and the caller's bytes where they are. */
struct call {
	enum ipc_op op;
	uint8_t params[IPC_PARAMS_MAX];
	size_t params_len;
	struct der data;
	int64_t deadline; /* monotonic ms */
};

/* ANSWERED: *len bytes of a body are in c->in, behind IPC_HEADER_LEN; the caller wipes them and sets c->have to 0. */
enum outcome signer_exchange(struct channel *c, const struct call *q, size_t *len);

#endif
