/*
 * scep_message_fuzz.c - the server's side: anything as a PKIMessage, opened and answered.  The key
 * operations need no key: signing gives a constant, unwrapping gives zeros, which is what the seeds
 * were encrypted with.
 */
#include <stdbool.h>
#include <string.h>

#include "scep.h"
#include "scep/request_csr.h"

#include "scep_actors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned unwraps;

static int
constant_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	memset(sig, 1, *sig_len = 256);
	return 0;
}

static int
zero_unwrap(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len)
{
	unwraps++;
	memset(cek, 0, cek_len);
	return 0;
}

static struct scep_identity *
ra(void)
{
	static const struct scep_key_ops ops = { constant_sign, zero_unwrap };
	static struct scep_identity *id;

	if (id == NULL &&
	    scep_identity_new(&id, ra_cert, sizeof(ra_cert), &ops, NULL, NULL) != SCEP_OK)
		__builtin_trap();
	return id;
}

/* Who got this far gets an answer. */
static void
refuse(const struct scep_message *m, const struct scep_error *err)
{
	struct scep_bytes out;

	if (err->fail_info < SCEP_BAD_ALG || err->fail_info > SCEP_BAD_CERT_ID || !err->step)
		__builtin_trap();
	if (scep_reply_failure(&out, m, ra(), err->fail_info, err->text, NULL) != SCEP_OK)
		__builtin_trap();
	scep_bytes_free(&out);
}

static void
answer(const struct scep_request *r)
{
	struct scep_bytes leaf = { (uint8_t *)device_cert, sizeof(device_cert) }, out;
	struct csr *csr;
	struct err err;
	bool own;

	if (unwraps != 1)
		__builtin_trap();
	if (scep_request_csr(&csr, &own, r, &err) == RC_OK)
		csr_free(csr);
	/* A signer's key may be too small for what it asked for. */
	if (scep_reply_success(&out, r, ra(), &leaf, 1, NULL) == SCEP_OK)
		scep_bytes_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scep_identity *ids[] = { ra() };
	struct scep_error err = { 0 };
	struct scep_message *m;
	struct scep_request *r;
	size_t len;

	unwraps = 0;
	if (scep_message_parse(&m, data, size, &err) != SCEP_OK)
		return 0;
	len = strlen(scep_message_transaction_id(m));
	if (len == 0 || len > 255 || strlen(scep_message_type_text(m)) > 16)
		__builtin_trap();
	if (scep_request_open(&r, m, ids, 1, &err) == SCEP_OK) {
		answer(r);
		scep_request_free(r);
	} else {
		refuse(m, &err);
	}
	scep_message_free(m);
	return 0;
}
