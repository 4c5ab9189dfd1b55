/*
 * signer_ipc.c - frames: numbers are big-endian, strings have their length before them.
 */
#include "signer/signer_ipc.h"

#include <string.h>

#include "base/limits.h"

/* ---- numbers ---- */

static void
put_be(uint8_t *out, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static void
add_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_grow(b, n);

	if (p != NULL)
		put_be(p, v, n);
}

/* What is left to be read.  Past the end everything is zero, and `short_of` says so. */
struct reader {
	const uint8_t *p;
	size_t len;
	bool short_of;
};

static uint64_t
take_be(struct reader *r, size_t n)
{
	uint64_t v = 0;

	if (r->len < n) {
		r->short_of = true;
		r->len = 0;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | r->p[i];
	r->p += n;
	r->len -= n;
	return v;
}

static struct der
take_bytes(struct reader *r, uint64_t n)
{
	struct der d = { r->p, (size_t)n };

	if (r->len < n) {
		r->short_of = true;
		r->len = 0;
		return (struct der){ NULL, 0 };
	}
	r->p += n;
	r->len -= (size_t)n;
	return d;
}

/* ---- headers ---- */

void
ipc_header_put(uint8_t out[static IPC_HEADER_LEN], const struct ipc_header *h)
{
	out[0] = IPC_VERSION;
	out[1] = (uint8_t)h->kind;
	out[2] = (uint8_t)h->op;
	out[3] = 0;
	put_be(out + 4, h->id, 4);
	put_be(out + 8, h->len, 4);
}

enum rc
ipc_header_take(struct ipc_header *out, const uint8_t in[static IPC_HEADER_LEN], struct err *err)
{
	struct reader r = { in + 4, 8, false };

	if (in[0] != IPC_VERSION)
		return fail(err, RC_PARSE, "channel: version %u is not spoken", in[0]);
	if (in[1] != IPC_REQUEST && in[1] != IPC_ANSWER)
		return fail(err, RC_PARSE, "channel: %u is no kind of frame", in[1]);
	if (in[2] < IPC_SIGN_CERT || in[2] >= IPC_OP__MAX || in[3] != 0)
		return fail(err, RC_PARSE, "channel: %u is no operation", in[2]);
	out->kind = (enum ipc_kind)in[1];
	out->op = (enum ipc_op)in[2];
	out->id = (uint32_t)take_be(&r, 4);
	out->len = (uint32_t)take_be(&r, 4);
	return RC_OK;
}

/* ---- requests ---- */

enum rc
ipc_params_put(uint8_t out[static IPC_PARAMS_MAX], size_t *len, const char *ca,
    const struct ipc_request *q, struct err *err)
{
	size_t n = strlen(ca);

	if (n > IPC_CA_MAX)
		return fail(err, RC_LIMIT, "channel: a CA's name of %zu bytes", n);
	out[0] = (uint8_t)n;
	memcpy(out + 1, ca, n);
	out[n + 1] = (uint8_t)q->digest;
	out[n + 2] = (uint8_t)q->transport.kind;
	out[n + 3] = (uint8_t)q->transport.oaep_digest;
	out[n + 4] = (uint8_t)q->transport.mgf1_digest;
	out[n + 5] = q->cek_len;
	*len = n + 6;
	return RC_OK;
}

/* Numbers become enumerators only if they are one. */
static bool
take_algs(struct ipc_request *q, struct reader *r)
{
	uint64_t digest = take_be(r, 1), kind = take_be(r, 1), oaep = take_be(r, 1);
	uint64_t mgf1 = take_be(r, 1);

	if (digest >= DIGEST__MAX || kind > TRANSPORT_OAEP || oaep >= DIGEST__MAX ||
	    mgf1 >= DIGEST__MAX)
		return false;
	q->digest = (enum digest)digest;
	q->transport =
	    (struct transport){ (enum transport_kind)kind, (enum digest)oaep, (enum digest)mgf1 };
	q->cek_len = (uint8_t)take_be(r, 1);
	return q->cek_len <= CEK_SIZE_MAX;
}

enum rc
ipc_request_take(struct ipc_request *out, const uint8_t *body, size_t len, struct err *err)
{
	struct reader r = { body, len, false };
	struct der ca = take_bytes(&r, take_be(&r, 1));
	bool known = take_algs(out, &r);

	if (r.short_of)
		return fail(err, RC_PARSE, "channel: a request is cut short");
	if (!known)
		return fail(err, RC_PARSE, "channel: a request names an unknown algorithm");
	if (ca.len > 0 && memchr(ca.p, '\0', ca.len) != NULL)
		return fail(err, RC_PARSE, "channel: a CA's name with a NUL in it");
	if (ca.len > 0)
		memcpy(out->ca, ca.p, ca.len);
	out->ca[ca.len] = '\0';
	out->data = (struct der){ r.p, r.len };
	return RC_OK;
}

/* ---- answers ---- */

bool
ipc_answer_room(struct buf *out)
{
	bool there = buf_grow(out, IPC_HEADER_LEN + 5 + ERR_MSG_MAX + ERR_HINT_MAX) != NULL;

	buf_reset(out);
	return there;
}

void
ipc_answer_begin(struct buf *out)
{
	uint8_t head[IPC_HEADER_LEN + 1] = { 0 }; /* and RC_OK */

	buf_reset(out);
	buf_add(out, head, sizeof(head));
}

void
ipc_answer_end(struct buf *out, enum ipc_op op, uint32_t id)
{
	struct ipc_header h = { op, IPC_ANSWER, id, (uint32_t)(out->len - IPC_HEADER_LEN) };

	ipc_header_put(out->data, &h);
}

static void
add_text(struct buf *out, const char *s, size_t max)
{
	size_t n = strnlen(s, max - 1);

	add_be(out, n, 2);
	buf_add(out, s, n);
}

void
ipc_answer_fail(struct buf *out, enum rc rc, const struct err *err)
{
	static const uint8_t head[IPC_HEADER_LEN];

	buf_reset(out); /* of a failure, too */
	buf_add(out, head, sizeof(head));
	add_be(out, (uint64_t)rc, 1);
	add_text(out, err->msg, ERR_MSG_MAX);
	add_text(out, err->hint, ERR_HINT_MAX);
}

static enum rc
take_failure(struct reader *r, uint64_t rc, struct err *err)
{
	struct der msg = take_bytes(r, take_be(r, 2)), hint = take_bytes(r, take_be(r, 2));
	enum rc kind = (enum rc)rc;

	if (rc >= RC__MAX || r->short_of || r->len != 0 || msg.len >= ERR_MSG_MAX ||
	    hint.len >= ERR_HINT_MAX)
		return fail(err, RC_PARSE, "channel: an answer is malformed");
	(void)fail(err, kind, "%.*s", (int)msg.len, (const char *)msg.p);
	if (err != NULL && hint.len > 0)
		err_hint(err, "%.*s", (int)hint.len, (const char *)hint.p);
	return kind;
}

enum rc
ipc_answer_take(struct der *result, const uint8_t *body, size_t len, struct err *err)
{
	struct reader r = { body, len, false };
	uint64_t rc = take_be(&r, 1);

	if (r.short_of)
		return fail(err, RC_PARSE, "channel: an answer is cut short");
	if (rc != RC_OK)
		return take_failure(&r, rc, err);
	*result = (struct der){ r.p, r.len };
	return RC_OK;
}

/* ---- results ---- */

static void
add_cert(struct buf *out, const struct cert *c)
{
	size_t len = 0;
	const uint8_t *der = c != NULL ? cert_der0(c, &len) : NULL;

	add_be(out, len, 4);
	if (len > 0)
		buf_add(out, der, len);
}

/* The responder's first (no bytes: none), then those of the RA. */
void
ipc_certs_put(struct buf *out, const struct signer_certs *c)
{
	add_be(out, c->n_ra, 1);
	add_cert(out, c->ocsp);
	for (size_t i = 0; i < c->n_ra; i++)
		add_cert(out, c->ra[i]);
}

static enum rc
take_cert(struct cert **out, struct reader *r, bool needed, struct err *err)
{
	struct der d = take_bytes(r, take_be(r, 4));

	if (d.len > 0)
		return cert_parse(out, d.p, d.len, err);
	return needed || r->short_of ? fail(err, RC_PARSE, "channel: a certificate is cut short")
				     : RC_OK;
}

enum rc
ipc_certs_take(struct signer_certs *out, const uint8_t *p, size_t len, struct err *err)
{
	struct reader r = { p, len, false };
	struct signer_certs c = { .n_ra = 0 };
	uint64_t n = take_be(&r, 1);
	enum rc rc;

	if (n > SIGNER_RAS_MAX)
		return fail(err, RC_PARSE, "channel: %u RA certificates", (unsigned)n);
	rc = take_cert(&c.ocsp, &r, false, err);
	while (rc == RC_OK && c.n_ra < n) {
		rc = take_cert(&c.ra[c.n_ra], &r, true, err);
		c.n_ra += rc == RC_OK;
	}
	if (rc == RC_OK && r.len != 0)
		rc = fail(err, RC_PARSE, "channel: something comes after the certificates");
	if (rc == RC_OK)
		*out = c;
	else
		signer_certs_done(&c);
	return rc;
}

#define STATS_LEN (10 * 8)

void
ipc_stats_put(struct buf *out, const struct signer_stats *s)
{
	const uint64_t v[] = { s->certs, s->crls, s->certreps, s->unwraps, s->ocsps, s->denied,
		s->limited, s->failed, s->restarts, (uint64_t)s->started };

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		add_be(out, v[i], 8);
}

enum rc
ipc_stats_take(struct signer_stats *out, const uint8_t *p, size_t len, struct err *err)
{
	struct reader r = { p, len, false };
	uint64_t *const to[] = { &out->certs, &out->crls, &out->certreps, &out->unwraps,
		&out->ocsps, &out->denied, &out->limited, &out->failed, &out->restarts };

	if (len != STATS_LEN)
		return fail(err, RC_PARSE, "channel: numbers of %zu bytes", len);
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		*to[i] = take_be(&r, 8);
	out->started = (int64_t)take_be(&r, 8);
	return RC_OK;
}
