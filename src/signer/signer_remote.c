/*
 * signer_remote.c - a signer in another process: calls over channels, which may break at any moment
 * and be replaced.
 *
 * A call takes a channel that nobody uses (signer_channel.h), writes a frame and waits for another
 * (signer_exchange.h).  If the channel breaks, the call goes out again on the next one: whatever was done
 * already is done again with the same outcome (signer.h), so nothing is lost by a signer that dies, and no
 * caller sees it.
 */
#include "signer/signer_remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "signer/signer_exchange.h"
#include "signer/signer_int.h"
#include "signer/signer_ops.h"

#define LIVES_MAX     3    /* a request that breaks three signers is not tried on a fourth */
#define STATS_WAIT_MS 2000 /* numbers are asked for by whoever looks whether anything is wrong */

struct remote {
	struct signer base;
	struct channel_pool channels;
	int64_t wait_ms;
};

static struct remote *
remote_of(struct signer *s)
{
	return (struct remote *)s; /* `base` comes first */
}

/* ---- until it is answered ---- */

/* What to do with the result, while it is in the channel's memory. */
typedef enum rc take_fn(void *to, struct der result, struct err *err);

static enum rc
take_answer(struct channel *c, size_t len, take_fn *take, void *to, struct err *err)
{
	struct der result;
	enum rc rc = ipc_answer_take(&result, c->in + IPC_HEADER_LEN, len, err);

	if (rc == RC_OK)
		rc = take(to, result, err);
	wipe(c->in, c->have); /* a content-encryption key, perhaps */
	c->have = 0;
	return rc;
}

/* How many signers a call has broken. */
struct toll {
	uint64_t life, newest;
	unsigned lives;
};

/*
 * A dead signer's channels break one after the other as they are tried, and count as one.  They are
 * gone then, so there is an end to it.  What came in place of closed channels while this call was at it counts
 * again: a request that a living signer will not have must not use up channels for ever.
 */
static bool
may_try(struct toll *t, const struct channel *c)
{
	t->lives += c->life != t->life || c->generation > t->newest;
	t->life = c->life;
	if (c->generation > t->newest)
		t->newest = c->generation;
	return t->lives <= LIVES_MAX;
}

static enum rc
send_until_answered(
    struct remote *r, const struct call *q, take_fn *take, void *to, struct err *err)
{
	struct toll toll = { 0 };

	for (;;) {
		struct channel *c = channel_take(&r->channels, q->deadline, &toll.newest);
		size_t len = 0;
		enum outcome o;
		enum rc rc;

		if (c == NULL)
			return fail(err, RC_IO, "signer: no channel to it became free in time");
		if (!may_try(&toll, c)) {
			channel_give(&r->channels, c, false);
			return fail(err, RC_IO, "signer: %d of them ended during %s", LIVES_MAX,
			    op_row0(q->op)->name);
		}
		o = signer_exchange(c, q, &len);
		if (o == ANSWERED) {
			rc = take_answer(c, len, take, to, err);
			channel_give(&r->channels, c, false);
			return rc;
		}
		/* Half a request is of no use to the next one. */
		channel_give(&r->channels, c, o == BROKEN || !c->owes);
		if (o == LATE)
			return fail(
			    err, RC_IO, "signer: no answer to %s in time", op_row0(q->op)->name);
	}
}

static enum rc
call(struct remote *r, enum ipc_op op, const char *ca, const struct ipc_request *params,
    struct der data, take_fn *take, void *to, struct err *err)
{
	struct call q = { .op = op, .data = data };
	int64_t wait = op == IPC_STATS && r->wait_ms > STATS_WAIT_MS ? STATS_WAIT_MS : r->wait_ms;
	enum rc rc;

	q.deadline = clock_mono_ms() + wait;
	rc = ipc_params_put(q.params, &q.params_len, ca, params, err);
	if (rc != RC_OK)
		return rc;
	if (data.len > op_row0(op)->request_max - q.params_len)
		return fail(err, RC_LIMIT, "signer: %zu bytes are too many to %s", data.len,
		    op_row0(op)->name);
	return send_until_answered(r, &q, take, to, err);
}

/* ---- the calls ---- */

static const struct ipc_request no_params;

static enum rc
append(void *to, struct der result, struct err *err)
{
	struct buf *out = to;
	size_t start = out->len;
	enum rc rc;

	buf_add(out, result.p, result.len);
	rc = buf_ok(out, "answer of the signer", err);
	if (rc != RC_OK)
		out->len = start;
	return rc;
}

static enum rc
remote_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	return call(remote_of(s), IPC_SIGN_CERT, ca, &no_params, (struct der){ tbs, len }, append,
	    sig, err);
}

static enum rc
remote_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	return call(
	    remote_of(s), IPC_SIGN_CRL, ca, &no_params, (struct der){ tbs, len }, append, sig, err);
}

static enum rc
remote_sign_certrep(struct signer *s, const char *ca, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err)
{
	struct ipc_request q = { .digest = d };

	return call(
	    remote_of(s), IPC_SIGN_CERTREP, ca, &q, (struct der){ attrs, len }, append, sig, err);
}

struct cek {
	uint8_t *p;
	size_t len;
};

static enum rc
take_cek(void *to, struct der result, struct err *err)
{
	struct cek *cek = to;

	if (result.len != cek->len)
		return fail(err, RC_PARSE, "channel: a key of %zu bytes", result.len);
	if (result.len > 0)
		memcpy(cek->p, result.p, result.len);
	return RC_OK;
}

static enum rc
remote_unwrap(struct signer *s, const char *ca, const struct transport *t, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len, struct err *err)
{
	struct ipc_request q = { .transport = *t, .cek_len = (uint8_t)cek_len };
	struct cek to = { cek, cek_len };

	return call(remote_of(s), IPC_UNWRAP, ca, &q, (struct der){ wrapped, wrapped_len },
	    take_cek, &to, err);
}

static enum rc
remote_sign_ocsp(struct signer *s, const char *ca, const uint8_t *data, size_t len,
    struct buf *basic, struct err *err)
{
	return call(remote_of(s), IPC_SIGN_OCSP, ca, &no_params, (struct der){ data, len }, append,
	    basic, err);
}

static enum rc
remote_next_ca(struct signer *s, const char *ca, struct buf *der, struct err *err)
{
	return call(
	    remote_of(s), IPC_NEXT_CA, ca, &no_params, (struct der){ NULL, 0 }, append, der, err);
}

static enum rc
take_certs(void *to, struct der result, struct err *err)
{
	return ipc_certs_take(to, result.p, result.len, err);
}

static enum rc
remote_certs(struct signer *s, const char *ca, struct signer_certs *out, struct err *err)
{
	return call(
	    remote_of(s), IPC_CERTS, ca, &no_params, (struct der){ NULL, 0 }, take_certs, out, err);
}

static enum rc
take_nothing(void *to, struct der result, struct err *err)
{
	return result.len == 0 ? RC_OK
			       : fail(err, RC_PARSE, "channel: a result where none is to come");
}

static enum rc
remote_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err)
{
	return call(remote_of(s), IPC_TAKE_RESPONDER, ca, &no_params, (struct der){ der, len },
	    take_nothing, NULL, err);
}

static enum rc
take_stats(void *to, struct der result, struct err *err)
{
	return ipc_stats_take(to, result.p, result.len, err);
}

static enum rc
remote_stats(struct signer *s, struct signer_stats *out, struct err *err)
{
	struct remote *r = remote_of(s);
	struct signer_stats stats;
	enum rc rc =
	    call(r, IPC_STATS, "", &no_params, (struct der){ NULL, 0 }, take_stats, &stats, err);

	if (rc != RC_OK)
		return rc;
	stats.restarts = channel_pool_restarts(&r->channels);
	*out = stats;
	return RC_OK;
}

static void
remote_tick(struct signer *s, int64_t now)
{
	/* The process with the keys has a clock of its own. */
}

static void
remote_close(struct signer *s)
{
	struct remote *r = remote_of(s);

	channel_pool_done(&r->channels);
	free(r);
}

static const struct signer_ops remote_ops = {
	.sign_cert = remote_sign_cert,
	.sign_crl = remote_sign_crl,
	.sign_certrep = remote_sign_certrep,
	.unwrap = remote_unwrap,
	.sign_ocsp = remote_sign_ocsp,
	.next_ca = remote_next_ca,
	.certs = remote_certs,
	.take_responder = remote_take_responder,
	.stats = remote_stats,
	.tick = remote_tick,
	.close = remote_close,
};

enum rc
signer_remote_new(struct signer **out, struct err *err)
{
	struct remote *r = calloc(1, sizeof(*r));

	if (r == NULL || !channel_pool_init(&r->channels)) {
		free(r);
		return fail(err, RC_NOMEM, "no memory for a signer");
	}
	r->base.ops = &remote_ops;
	r->wait_ms = SIGNER_WAIT_MS;
	*out = &r->base;
	return RC_OK;
}

void
signer_remote_wait_set(struct signer *s, int64_t ms)
{
	remote_of(s)->wait_ms = ms;
}

void
signer_remote_attach(struct signer *s, const int *fds, size_t n)
{
	channel_pool_attach(&remote_of(s)->channels, fds, n);
}

void
signer_remote_add(struct signer *s, const int *fds, size_t n)
{
	channel_pool_add(&remote_of(s)->channels, fds, n);
}

void
signer_remote_on_wanted(struct signer *s, signer_wanted_fn *fn, void *arg)
{
	struct channel_pool *p = &remote_of(s)->channels;

	p->ask = fn;
	p->ask_arg = arg;
}
