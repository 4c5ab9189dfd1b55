/*
 * scep_certrep_fuzz.c - the client's side: anything as a CertRep and as an answer to GetCACert,
 * GetNextCACert and GetCACaps.
 */
#include <string.h>

#include "scep.h"

#include "scep_actors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
zero_unwrap(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len)
{
	memset(cek, 0, cek_len);
	return 0;
}

static struct scep_identity *
device(void)
{
	static const struct scep_key_ops ops = { NULL, zero_unwrap };
	static struct scep_identity *id;

	if (id == NULL &&
	    scep_identity_new(&id, device_cert, sizeof(device_cert), &ops, NULL, NULL) != SCEP_OK)
		__builtin_trap();
	return id;
}

static void
as_certrep(const uint8_t *data, size_t size)
{
	const struct scep_bytes trusted = { (uint8_t *)ra_cert, sizeof(ra_cert) };
	struct scep_pending pending = { "tx-1", "0123456789abcde" };
	struct scep_certrep rep;

	pending.sender_nonce[15] = 'f';
	if (scep_certrep_open(&rep, data, size, &pending, &trusted, 1, device(), NULL) != SCEP_OK)
		return;
	if ((rep.status == SCEP_SUCCESS) != (rep.n_certs > 0))
		__builtin_trap();
	scep_certrep_done(&rep);
}

static void
as_ca_certs(const uint8_t *data, size_t size)
{
	struct scep_bytes *certs, out;
	size_t n;

	if (scep_ca_certs_parse(&certs, &n, data, size, NULL) != SCEP_OK)
		return;
	if (n == 0)
		__builtin_trap();
	if (scep_ca_certs_encode(&out, certs, n, NULL) == SCEP_OK)
		scep_bytes_free(&out);
	scep_bytes_list_free(certs, n);
}

/* Nobody can sign it here, so what comes out would be a forgery. */
static void
as_next_ca(const uint8_t *data, size_t size)
{
	const struct scep_bytes trusted = { (uint8_t *)ra_cert, sizeof(ra_cert) };
	struct scep_bytes *certs;
	size_t n;

	if (scep_next_ca_open(&certs, &n, data, size, &trusted, 1, NULL) != SCEP_OK)
		return;
	if (n == 0)
		__builtin_trap();
	scep_bytes_list_free(certs, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned caps;

	as_certrep(data, size);
	as_ca_certs(data, size);
	as_next_ca(data, size);
	(void)scep_caps_parse(&caps, data, size, NULL);
	return 0;
}
