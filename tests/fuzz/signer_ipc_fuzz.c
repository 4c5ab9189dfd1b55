/*
 * signer_ipc_fuzz.c - both ends of the wire between front and signer: what each reads of the other.
 * The first octet chooses.
 */
#include "signer/signer_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_request(const uint8_t *data, size_t size)
{
	struct ipc_header h;
	struct ipc_request q;
	struct err err;

	if (size < IPC_HEADER_LEN || ipc_header_take(&h, data, &err) != RC_OK ||
	    ops_admit(&h, OPS_SERVING, &err) != RC_OK)
		return;
	(void)!ipc_request_take(&q, data + IPC_HEADER_LEN, size - IPC_HEADER_LEN, &err);
}

static void
as_answer(const uint8_t *data, size_t size)
{
	struct signer_certs certs;
	struct signer_stats stats;
	struct der result;
	struct err err;

	if (ipc_answer_take(&result, data, size, &err) != RC_OK)
		return;
	if (ipc_certs_take(&certs, result.p, result.len, &err) == RC_OK)
		signer_certs_done(&certs);
	(void)!ipc_stats_take(&stats, result.p, result.len, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 0)
		as_request(data + 1, size - 1);
	else
		as_answer(data + 1, size - 1);
	return 0;
}
