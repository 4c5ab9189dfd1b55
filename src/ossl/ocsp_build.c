/*
 * ocsp_build.c - OCSP answers (RFC 6960 4.2), short of their signature.
 */
#include "ossl/ext.h"
#include "ossl/ocsp.h"
#include "ossl/ocsp_int.h"

static const char *const status_names[] = {
	[OCSP_GOOD] = "good",
	[OCSP_REVOKED] = "revoked",
	[OCSP_UNKNOWN] = "unknown",
};

const char *
ocsp_status_name(enum ocsp_status s)
{
	return status_names[s];
}

const char *
ocsp_failure_name(enum ocsp_failure f)
{
	static const char *const names[] = {
		[OCSP_MALFORMED] = "malformedRequest",
		[OCSP_INTERNAL_ERROR] = "internalError",
		[OCSP_TRY_LATER] = "tryLater",
		[OCSP_UNAUTHORIZED] = "unauthorized",
	};

	return names[f];
}

/* RevokedInfo, implicitly [1].  "unspecified" is better left out (RFC 5280 5.3.1). */
static bool
add_revoked(struct buf *b, const struct ocsp_single *s)
{
	size_t info = der_open(b, DER_CTX_CONS(1)), tagged;
	uint8_t reason = (uint8_t)s->reason;

	if (!der_add_generalized_time(b, s->revoked))
		return false;
	if (s->reason > 0) {
		tagged = der_open(b, DER_CTX_CONS(0));
		der_add(b, DER_ENUMERATED, &reason, 1);
		der_close(b, tagged);
	}
	der_close(b, info);
	return true;
}

static bool
add_single(struct buf *b, const struct ocsp_single *s)
{
	size_t single = der_open(b, DER_SEQUENCE), tagged;

	buf_add(b, s->id.p, s->id.len);
	if (s->status == OCSP_REVOKED) {
		if (!add_revoked(b, s))
			return false;
	} else {
		der_add(b, s->status == OCSP_GOOD ? DER_CTX(0) : DER_CTX(2), NULL, 0);
	}
	if (s->next_update < s->this_update || !der_add_generalized_time(b, s->this_update))
		return false;
	tagged = der_open(b, DER_CTX_CONS(0));
	if (!der_add_generalized_time(b, s->next_update))
		return false;
	der_close(b, tagged);
	der_close(b, single);
	return true;
}

static void
add_nonce(struct buf *b, const struct der *nonce)
{
	size_t tagged, list;
	struct ext_mark m;

	if (nonce->p == NULL)
		return;
	tagged = der_open(b, DER_CTX_CONS(1));
	list = der_open(b, DER_SEQUENCE);
	m = ext_open(b, OID_OCSP_NONCE, false);
	der_add(b, DER_OCTET_STRING, nonce->p, nonce->len);
	ext_close(b, m);
	der_close(b, list);
	der_close(b, tagged);
}

static bool
add_response_data(struct buf *b, const struct ocsp_answer *a)
{
	size_t data = der_open(b, DER_SEQUENCE), mark;

	mark = der_open(b, DER_CTX_CONS(2)); /* byKey; v1 is the default and left out */
	der_add(b, DER_OCTET_STRING, a->responder, sizeof(a->responder));
	der_close(b, mark);
	if (!der_add_generalized_time(b, a->produced))
		return false;
	mark = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < a->n_singles; i++)
		if (!add_single(b, &a->singles[i]))
			return false;
	der_close(b, mark);
	add_nonce(b, &a->nonce);
	der_close(b, data);
	return true;
}

enum rc
ocsp_response_data_build(struct buf *out, const struct ocsp_answer *a, struct err *err)
{
	size_t start = out->len;
	enum rc rc;

	if (add_response_data(out, a))
		rc = buf_ok(out, "OCSP answer", err);
	else
		rc = fail(err, RC_BUG, "an OCSP answer whose times are none");
	if (rc != RC_OK)
		out->len = start;
	return rc;
}

/* OCSPResponse; without responseBytes when `basic` is NULL. */
static void
add_response(struct buf *b, uint8_t status, const void *basic, size_t len)
{
	size_t whole = der_open(b, DER_SEQUENCE), tagged, bytes;

	der_add(b, DER_ENUMERATED, &status, 1);
	if (basic != NULL) {
		tagged = der_open(b, DER_CTX_CONS(0));
		bytes = der_open(b, DER_SEQUENCE);
		(void)der_add_oid(b, OID_OCSP_BASIC);
		der_add(b, DER_OCTET_STRING, basic, len);
		der_close(b, bytes);
		der_close(b, tagged);
	}
	der_close(b, whole);
}

void
ocsp_response_add(struct buf *out, const void *basic, size_t len)
{
	add_response(out, 0, basic, len);
}

void
ocsp_failure_add(struct buf *out, enum ocsp_failure f)
{
	add_response(out, (uint8_t)f, NULL, 0);
}
